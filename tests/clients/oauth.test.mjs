// Sessions of certified OAuth clients (openid-client, oauth4webapi) with the authorization server of a running hub: apps
// of the strict policy with each kind of key, apps without keys, apps without a user. Accounts and apps are made with the
// program itself, while the hub runs: IEUM_PROGRAM is the program, IEUM_DATA the hub's data directory, IEUM_SECRET the
// secret of a service account. An open hub has no authorization server, and these are not set.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import * as oauth from "oauth4webapi";
import * as openid from "openid-client";
import { allow as inBrowser, keyPair } from "./browser.mjs";

const { IEUM_FHIR: fhir, IEUM_PROGRAM: program, IEUM_DATA: data, IEUM_SECRET: secret } = process.env;
assert.ok(fhir, "IEUM_FHIR is the address of a running hub");
const issuer = new URL(new URL(fhir).origin);
const back = "https://app.example/back";
const insecure = { [oauth.allowInsecureRequests]: true };

const ieum = (...args) => execFileSync(program, args, { encoding: "utf8" }).trim();
const account = (role, ...more) => ieum("account", "add", "--data", data, "--role", role, "--name", "시험", ...more);
let folder;

/** Registers an app; gives its client_id. */
function register({ policy, scope, keys, redirect = back, account }) {
  const args = ["--data", data, "--policy", policy, "--name", "시험 앱", "--organization", "이음 시험", "--scope", scope];
  if (redirect) args.push("--redirect", redirect);
  if (account) args.push("--account", account);
  if (keys) {
    const file = join(folder, `${Math.random()}.json`);
    writeFileSync(file, JSON.stringify({ keys }));
    args.push("--jwks", file);
  }
  return ieum("client", "add", ...args);
}

/** A patient with an account. */
async function patient() {
  const headers = { authorization: `Bearer ${secret}`, "content-type": "application/fhir+json" };
  const body = JSON.stringify({ resourceType: "Patient", name: [{ family: "가상" }] });
  const answer = await fetch(`${fhir}/Patient`, { method: "POST", headers, body });
  assert.equal(answer.status, 201);
  const { id } = await answer.json();
  return { id, secret: account("patient", "--patient", id) };
}

const allow = (address, who, answer) => inBrowser(issuer, address, who.secret, { answer });

describe("the authorization server", { skip: !data && "an open hub has none" }, () => {
  before(() => { folder = mkdtempSync(join(tmpdir(), "ieum-oauth-")); });
  after(() => rmSync(folder, { recursive: true }));

  for (const alg of ["ES256", "PS256", "EdDSA"]) {
    test(`openid-client, policy fapi2, private_key_jwt with ${alg}, PAR, PKCE, DPoP`, async () => {
      const keys = await keyPair(alg === "EdDSA" ? "Ed25519" : alg);
      const scope = "openid fhirUser offline_access launch/patient patient/*.rs";
      const id = register({ policy: "fapi2", scope, keys: [keys.jwk] });
      const who = await patient();
      const authentication = openid.PrivateKeyJwt({ key: keys.privateKey, kid: keys.jwk.kid }, alg === "EdDSA" ? { [openid.modifyAssertion]: (header) => { header.alg = "EdDSA"; } } : undefined);
      const metadata = { id_token_signed_response_alg: "ES256", use_mtls_endpoint_aliases: false };
      const config = await openid.discovery(issuer, id, metadata, authentication, { execute: [openid.allowInsecureRequests] });
      openid.enableNonRepudiationChecks(config);
      const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair("ES256"));
      const verifier = openid.randomPKCECodeVerifier();
      const [state, nonce] = [openid.randomState(), openid.randomNonce()];
      const challenge = await openid.calculatePKCECodeChallenge(verifier);
      const asked = { redirect_uri: back, scope, state, nonce, code_challenge: challenge, code_challenge_method: "S256" };
      const address = await openid.buildAuthorizationUrlWithPAR(config, asked, { DPoP });
      assert.match(address.searchParams.get("request_uri"), /^urn:ietf:params:oauth:request_uri:/);
      const returned = await allow(address, who);
      const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true };
      const tokens = await openid.authorizationCodeGrant(config, returned, checks, undefined, { DPoP });
      assert.equal(tokens.token_type, "dpop");
      assert.equal(tokens.patient, who.id);
      assert.equal(tokens.claims().fhirUser, `${fhir}/Patient/${who.id}`);
      const read = (token, path = `Patient/${who.id}`) => openid.fetchProtectedResource(config, token, new URL(`${fhir}/${path}`), "GET", undefined, undefined, { DPoP });
      assert.equal((await (await read(tokens.access_token)).json()).id, who.id);
      const asBearer = await fetch(`${fhir}/Patient/${who.id}`, { headers: { authorization: `Bearer ${tokens.access_token}` } });
      assert.equal(asBearer.status, 401);

      const told = await openid.tokenIntrospection(config, tokens.access_token);
      assert.deepEqual([told.active, told.patient, told.client_id], [true, who.id, id]);
      const fresh = await openid.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP });
      assert.equal((await read(fresh.access_token)).status, 200);
      await openid.tokenRevocation(config, tokens.refresh_token);
      await assert.rejects(read(fresh.access_token), { status: 401 });
      assert.equal((await openid.tokenIntrospection(config, fresh.access_token)).active, false);
      // Whoever fails more often must wait, and the other sessions here come from the same address.
      if (alg === "ES256") await assert.rejects(openid.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP }), { error: "invalid_grant" });
    });
  }

  test("oauth4webapi, policy fapi2, step by step", async () => {
    const keys = await keyPair("ES256");
    const client = { client_id: register({ policy: "fapi2", scope: "launch/patient patient/Patient.r", keys: [keys.jwk] }) };
    const who = await patient();
    const found = await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...insecure });
    const as = await oauth.processDiscoveryResponse(issuer, found);
    const proof = oauth.PrivateKeyJwt({ key: keys.privateKey, kid: keys.jwk.kid });
    const DPoP = oauth.DPoP(client, await oauth.generateKeyPair("ES256"));
    const verifier = oauth.generateRandomCodeVerifier();
    const state = oauth.generateRandomState();
    const parameters = new URLSearchParams({
      client_id: client.client_id, response_type: "code", redirect_uri: back, scope: "launch/patient patient/Patient.r", state,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
    });
    const pushed = await oauth.pushedAuthorizationRequest(as, client, proof, parameters, { DPoP, ...insecure });
    const { request_uri, expires_in } = await oauth.processPushedAuthorizationResponse(as, client, pushed);
    assert.ok(expires_in < 600);
    const address = new URL(as.authorization_endpoint);
    address.search = new URLSearchParams({ client_id: client.client_id, request_uri });
    // `validateAuthResponse` checks `iss` and `state` (RFC 9207).
    const answer = oauth.validateAuthResponse(as, client, await allow(address, who), state);
    const redeem = () => oauth.authorizationCodeGrantRequest(as, client, proof, answer, back, verifier, { DPoP, ...insecure });
    const tokens = await oauth.processAuthorizationCodeResponse(as, client, await redeem());
    const read = (path) => oauth.protectedResourceRequest(tokens.access_token, "GET", new URL(`${fhir}/${path}`), undefined, undefined, { DPoP, ...insecure });
    assert.equal((await read(`Patient/${who.id}`)).status, 200);
    await assert.rejects(read(`Patient?_id=${who.id}`), { status: 403 }, "reading is not searching");
    await assert.rejects(async () => oauth.processAuthorizationCodeResponse(as, client, await redeem()), { error: "invalid_grant" });
    await assert.rejects(read(`Patient/${who.id}`), { status: 401 }, "a code used twice ends what came of it");

    const denied = await oauth.pushedAuthorizationRequest(as, client, proof, parameters, { DPoP, ...insecure });
    address.searchParams.set("request_uri", (await oauth.processPushedAuthorizationResponse(as, client, denied)).request_uri);
    const refusal = await allow(address, who, "/deny");
    assert.throws(() => oauth.validateAuthResponse(as, client, refusal, state), { error: "access_denied" });
  });

  test("oauth4webapi, policy smart, an app without keys, PKCE", async () => {
    const scope = "openid offline_access launch/patient patient/*.rs";
    const client = { client_id: register({ policy: "smart", scope }), id_token_signed_response_alg: "ES256" };
    const who = await patient();
    const smart = await (await fetch(`${fhir}/.well-known/smart-configuration`)).json();
    assert.ok(smart.capabilities.includes("client-public") && smart.code_challenge_methods_supported.includes("S256"));
    const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: "oidc", ...insecure }));
    const verifier = oauth.generateRandomCodeVerifier();
    const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
    const address = new URL(smart.authorization_endpoint);
    address.search = new URLSearchParams({
      client_id: client.client_id, response_type: "code", redirect_uri: back, scope, state, nonce, aud: fhir,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
    });
    const answer = oauth.validateAuthResponse(as, client, await allow(address, who), state);
    const response = await oauth.authorizationCodeGrantRequest(as, client, oauth.None(), answer, back, verifier, insecure);
    const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, { expectedNonce: nonce, requireIdToken: true });
    assert.equal(tokens.token_type, "bearer");
    assert.equal(tokens.patient, who.id);
    const headers = { authorization: `Bearer ${tokens.access_token}` };
    assert.equal((await (await fetch(`${fhir}/Patient`, { headers })).json()).entry.length, 1, "one patient is all there is");
    const refresh = async (token) => oauth.processRefreshTokenResponse(as, client, await oauth.refreshTokenGrantRequest(as, client, oauth.None(), token, insecure));
    const second = await refresh(tokens.refresh_token);
    assert.notEqual(second.refresh_token, tokens.refresh_token);
    await assert.rejects(refresh(tokens.refresh_token), { error: "invalid_grant" });
    await assert.rejects(refresh(second.refresh_token), { error: "invalid_grant" }, "used twice, it ends the whole");
  });

  for (const alg of ["ES384", "ES256"]) {
    test(`openid-client, policy smart, backend services with ${alg}`, async () => {
      const keys = await keyPair(alg);
      account("service");
      const service = ieum("account", "list", "--data", data).split("\n").filter((line) => line.includes(" service ")).at(-1).split(" ")[0];
      const id = register({ policy: "smart", scope: "system/*.rs", keys: [keys.jwk], redirect: null, account: service });
      const toToken = { [openid.modifyAssertion]: (_header, payload) => { payload.aud = `${issuer.origin}/oauth/token`; } };
      const authentication = openid.PrivateKeyJwt({ key: keys.privateKey, kid: keys.jwk.kid }, toToken);
      const config = await openid.discovery(issuer, id, {}, authentication, { algorithm: "oauth2", execute: [openid.allowInsecureRequests] });
      const tokens = await openid.clientCredentialsGrant(config, { scope: "system/Patient.rs" });
      assert.equal(tokens.expires_in, 300);
      const headers = { authorization: `Bearer ${tokens.access_token}` };
      assert.equal((await fetch(`${fhir}/Patient?_count=1`, { headers })).status, 200);
      assert.equal((await fetch(`${fhir}/Observation?_count=1`, { headers })).status, 403);
      await assert.rejects(openid.clientCredentialsGrant(config, { scope: "system/*.cruds" }), { error: "invalid_scope" });
      ieum("client", "remove", "--data", data, id);
      assert.equal((await fetch(`${fhir}/Patient?_count=1`, { headers })).status, 401, "a removed app ends at once");
    });
  }
});
