// Sessions of certified OAuth clients with a hub that speaks TLS itself: apps that prove by a certificate who they are, tokens
// that are bound to one, and apps that register themselves. The hub is one of its own, beside that of the other sessions;
// IEUM_PROGRAM is the program. Certificates are made with openssl.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { X509Certificate, createPrivateKey, randomUUID, sign } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import https from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import * as oauth from "oauth4webapi";
import * as openid from "openid-client";
import { allow, keyPair } from "./browser.mjs";

const { IEUM_PROGRAM: program } = process.env;
const back = "https://app.example/back";
let folder, data, hub, fhir, issuer;

const ieum = (...args) => execFileSync(program, args, { encoding: "utf8" }).trim();
const file = (name) => join(folder, name);

/** Makes a certificate, by an authority or by itself; gives it with its key. */
function certificate(name, { kind = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], by, extensions = [] }) {
  const authority = by ? ["-CA", file(`${by}.pem`), "-CAkey", file(`${by}.key`)] : [];
  const more = extensions.flatMap((extension) => ["-addext", extension]);
  execFileSync("openssl", ["req", "-x509", "-newkey", ...kind, "-nodes", "-days", "2", "-subj", `/O=Ieum/CN=${name}`, "-keyout",
    file(`${name}.key`), "-out", file(`${name}.pem`), ...authority, ...more], { stdio: "pipe" });
  return { cert: readFileSync(file(`${name}.pem`)), key: readFileSync(file(`${name}.key`)) };
}

/** `fetch` that trusts the hub's authority, and connects with this certificate. */
function fetchWith(own = {}) {
  const agent = new https.Agent({ ca: readFileSync(file("authority.pem")), ...own });
  return (url, { method = "GET", headers, body } = {}) => new Promise((resolve, reject) => {
    const request = https.request(url, { agent, method, headers: Object.fromEntries(new Headers(headers)) }, (answer) => {
      const parts = [];
      answer.on("data", (part) => parts.push(part)).on("error", reject).on("end", () => {
        const told = new Headers();
        for (let at = 0; at < answer.rawHeaders.length; at += 2) told.append(answer.rawHeaders[at], answer.rawHeaders[at + 1]);
        const isEmpty = [204, 304].includes(answer.statusCode);
        resolve(new Response(isEmpty ? null : Buffer.concat(parts), { status: answer.statusCode, headers: told }));
      });
    });
    request.on("error", reject).end(body?.toString());
  });
}

/** Starts the hub; it is there when this is done. */
async function serve(...flags) {
  hub = spawn(program, ["serve", "--data", data, "--listen", "127.0.0.1:0", "--tls-certificate", file("hub.pem"), "--tls-key",
    file("hub.key"), "--client-ca", file("authority.pem"), ...flags], { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, RUST_LOG: "warn" } });
  const line = await new Promise((resolve) => hub.stdout.once("data", (text) => resolve(text.toString())));
  fhir = /FHIR: (.*)\)/.exec(line)[1];
  issuer = new URL(new URL(fhir).origin);
}

const stop = () => new Promise((resolve) => { hub.once("exit", resolve); hub.kill(); });

function account(role, ...more) {
  const secret = ieum("account", "add", "--data", data, "--role", role, "--name", "시험", ...more);
  const id = ieum("account", "list", "--data", data).split("\n").filter((line) => line.includes(` ${role} `)).at(-1).split(" ")[0];
  return { id, secret };
}

/** Registers an app; gives its client_id. */
function register(scope, flags, keys) {
  const args = ["--data", data, "--policy", "fapi2", "--name", "시험 앱", "--organization", "이음 시험", "--scope", scope, ...flags];
  if (keys) {
    writeFileSync(file("keys.json"), JSON.stringify({ keys }));
    args.push("--jwks", file("keys.json"));
  }
  return ieum("client", "add", ...args);
}

describe("a hub with TLS of its own", { skip: !program && "an open hub has no authorization server" }, () => {
  let own, other, service;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "ieum-certificates-"));
    data = file("data");
    const leaf = ["basicConstraints=critical,CA:FALSE"];
    certificate("authority", { extensions: [] });
    certificate("hub", { by: "authority", extensions: [...leaf, "subjectAltName=IP:127.0.0.1"] });
    own = certificate("app", { by: "authority", extensions: leaf });
    other = certificate("other", { by: "authority", extensions: leaf });
    // The account that apps of an authority act as is made first.
    await serve();
    service = account("service");
    await stop();
    mkdirSync(file("anchors"));
    writeFileSync(file("anchors/community.pem"), readFileSync(file("authority.pem")));
    writeFileSync(file("anchors/community.toml"), `policy = "fapi2"\nscopes = "system/*.rs"\naccount = "${service.id}"\n`);
    await serve("--registration-anchors", file("anchors"));
  });
  after(async () => { await stop(); rmSync(folder, { recursive: true }); });

  for (const proof of ["tls_client_auth", "private_key_jwt"]) {
    test(`openid-client, policy fapi2, ${proof}, PAR, PKCE, tokens bound to the certificate`, async () => {
      const scope = "openid offline_access launch/patient patient/*.rs";
      const keys = await keyPair("ES256");
      const byCertificate = proof === "tls_client_auth";
      const id = byCertificate
        ? register(scope, ["--redirect", back, "--certificate-subject", "CN=app,O=Ieum"])
        : register(scope, ["--redirect", back], [keys.jwk]);
      const made = await fetchWith()(`${fhir}/Patient`, {
        method: "POST", body: JSON.stringify({ resourceType: "Patient", name: [{ family: "가상" }] }),
        headers: { authorization: `Bearer ${service.secret}`, "content-type": "application/fhir+json" },
      });
      const patient = (await made.json()).id;
      const who = account("patient", "--patient", patient);
      const authentication = byCertificate ? openid.TlsClientAuth() : openid.PrivateKeyJwt({ key: keys.privateKey, kid: keys.jwk.kid });
      const metadata = { id_token_signed_response_alg: "ES256" };
      const config = await openid.discovery(issuer, id, metadata, authentication, { [openid.customFetch]: fetchWith(own) });
      assert.ok(config.serverMetadata().tls_client_certificate_bound_access_tokens);
      assert.ok(config.serverMetadata().token_endpoint_auth_methods_supported.includes(proof));
      const verifier = openid.randomPKCECodeVerifier();
      const state = openid.randomState();
      const challenge = await openid.calculatePKCECodeChallenge(verifier);
      const address = await openid.buildAuthorizationUrlWithPAR(config, { redirect_uri: back, scope, state, code_challenge: challenge, code_challenge_method: "S256" });
      const returned = await allow(issuer, address, who.secret, { fetch: fetchWith() });
      const tokens = await openid.authorizationCodeGrant(config, returned, { pkceCodeVerifier: verifier, expectedState: state, idTokenExpected: true });
      assert.equal(tokens.token_type, "bearer");
      const read = async (token, with_) => (await fetchWith(with_)(`${fhir}/Patient/${patient}`, { headers: { authorization: `Bearer ${token}` } })).status;
      assert.equal(await read(tokens.access_token, own), 200);
      assert.equal(await read(tokens.access_token, other), 401, "another's certificate");
      assert.equal(await read(tokens.access_token), 401, "no certificate");
      const told = await openid.tokenIntrospection(config, tokens.access_token);
      const thumbprint = Buffer.from(new X509Certificate(own.cert).fingerprint256.replaceAll(":", ""), "hex").toString("base64url");
      assert.deepEqual(told.cnf, { "x5t#S256": thumbprint });
      const fresh = await openid.refreshTokenGrant(config, tokens.refresh_token);
      assert.equal(await read(fresh.access_token, own), 200);
      const stranger = await openid.discovery(issuer, id, metadata, openid.TlsClientAuth(), { [openid.customFetch]: fetchWith(other) });
      await assert.rejects(openid.refreshTokenGrant(stranger, tokens.refresh_token), { error: "invalid_client" });
      await openid.tokenRevocation(config, tokens.refresh_token);
      assert.equal(await read(fresh.access_token, own), 401);
    });
  }

  test("oauth4webapi, policy fapi2, self_signed_tls_client_auth, without a user", async () => {
    const self = certificate("self", { extensions: [] });
    const certified = new X509Certificate(self.cert);
    const jwk = { ...certified.publicKey.export({ format: "jwk" }), x5c: [certified.raw.toString("base64")] };
    const client = { client_id: register("system/*.rs", ["--account", service.id, "--certificate-own"], [jwk]) };
    const with_ = (certificate) => ({ [oauth.customFetch]: fetchWith(certificate) });
    const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...with_() }));
    const ask = async (certificate) => oauth.processClientCredentialsResponse(as, client,
      await oauth.clientCredentialsGrantRequest(as, client, oauth.TlsClientAuth(), new URLSearchParams({ scope: "system/Patient.rs" }), with_(certificate)));
    const tokens = await ask(self);
    const read = async (certificate) => (await fetchWith(certificate)(`${fhir}/Patient`, { headers: { authorization: `Bearer ${tokens.access_token}` } })).status;
    assert.deepEqual([await read(self), await read(own), await read()], [200, 401, 401]);
    await assert.rejects(ask(own), { error: "invalid_client" }, "a certificate that is not registered");
  });

  test("openid-client, dynamic registration by software statement, DPoP", async () => {
    const iss = "https://emr.example/app";
    const leaf = ["basicConstraints=critical,CA:FALSE", `subjectAltName=URI:${iss}`];
    const app = certificate("statement", { kind: ["rsa:2048"], by: "authority", extensions: leaf });
    const key = createPrivateKey(app.key);
    const x5c = [new X509Certificate(app.cert).raw.toString("base64")];
    const statement = (claims) => {
      const now = Math.floor(Date.now() / 1000);
      const all = {
        iss, sub: iss, aud: `${issuer.origin}/oauth/register`, iat: now, exp: now + 300, jti: randomUUID(), client_name: "시험 앱", contacts: ["mailto:help@emr.example"],
        grant_types: ["client_credentials"], token_endpoint_auth_method: "private_key_jwt", scope: "system/Patient.rs", ...claims,
      };
      const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
      const unsigned = `${part({ alg: "RS256", x5c })}.${part(all)}`;
      return `${unsigned}.${sign("sha256", Buffer.from(unsigned), key).toString("base64url")}`;
    };
    const assertionKey = await crypto.subtle.importKey("pkcs8", key.export({ type: "pkcs8", format: "der" }), { name: "RSA-PSS", hash: "SHA-256" }, false, ["sign"]);
    const options = { [openid.customFetch]: fetchWith() };
    const config = await openid.dynamicClientRegistration(issuer, { udap: "1", software_statement: statement() }, openid.PrivateKeyJwt(assertionKey), options);
    const { client_id, client_name } = config.clientMetadata();
    assert.equal(client_name, "시험 앱");
    assert.ok(ieum("client", "list", "--data", data).includes(`${client_id}  fapi2  시험 앱 (Ieum)`));
    const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair("ES256"));
    const tokens = await openid.clientCredentialsGrant(config, { scope: "system/Patient.rs" }, { DPoP });
    const read = (path) => openid.fetchProtectedResource(config, tokens.access_token, new URL(`${fhir}/${path}`), "GET", undefined, undefined, { DPoP });
    assert.equal((await read("Patient")).status, 200);
    const send = async (software_statement) => {
      const headers = { "content-type": "application/json" };
      const answer = await fetchWith()(`${issuer.origin}/oauth/register`, { method: "POST", headers, body: JSON.stringify({ software_statement }) });
      return [answer.status, await answer.json()];
    };
    // Less than before: a token that has more is worth nothing any more.
    const [changed, same] = await send(statement({ scope: "system/Observation.rs" }));
    assert.deepEqual([changed, same.client_id], [200, client_id]);
    await assert.rejects(read("Patient"), { status: 401 });
    const [ended] = await send(statement({ grant_types: [] }));
    assert.equal(ended, 200);
    await assert.rejects(openid.clientCredentialsGrant(config, { scope: "system/Observation.rs" }, { DPoP }), { error: "invalid_client" });
    const [refused, why] = await send(statement({ aud: issuer.origin }));
    assert.deepEqual([refused, why.error], [400, "invalid_software_statement"]);
  });
});
