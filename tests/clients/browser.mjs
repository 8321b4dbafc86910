// What several of these sessions need: somebody's browser, and keys.
import assert from "node:assert/strict";
import * as oauth from "oauth4webapi";

/** A key pair, and its public part as it is registered. */
export async function keyPair(alg) {
  const pair = await oauth.generateKeyPair(alg, { extractable: true });
  const { kty, crv, x, y, n, e } = await crypto.subtle.exportKey("jwk", pair.publicKey);
  return { ...pair, jwk: JSON.parse(JSON.stringify({ kty, crv, x, y, n, e, kid: alg })) };
}

/** Follows an app's link, logs in, reads, and says yes (or answers otherwise); gives where the browser is sent back to. */
export async function allow(issuer, address, secret, { answer = "", fetch = globalThis.fetch } = {}) {
  const cookies = new Map();
  const ask = async (path, form) => {
    const headers = { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") };
    if (form) Object.assign(headers, { origin: issuer.origin, "content-type": "application/x-www-form-urlencoded" });
    const body = form && new URLSearchParams(form).toString();
    const reply = await fetch(new URL(path, issuer), { method: form ? "POST" : "GET", headers, body, redirect: "manual" });
    for (const cookie of reply.headers.getSetCookie()) {
      const [name, value] = cookie.split(";")[0].split(/=(.*)/s);
      cookies.set(name, value);
    }
    return { reply, text: await reply.text() };
  };
  const onward = ({ reply, text }) => {
    assert.equal(reply.status, 200, text);
    return reply.headers.get("refresh").replace("0; url=", "");
  };
  const consent = onward(await ask(address));
  const logIn = await ask(consent);
  assert.equal(logIn.reply.status, 303);
  const entered = await ask("/sign-in", { secret, next: consent });
  assert.equal(entered.reply.headers.get("location"), consent, "log-in leads back");
  const page = await ask(consent);
  assert.equal(page.reply.status, 200, page.text);
  assert.ok(page.text.includes("시험 앱"));
  const csrf = /name="csrf" value="([^"]+)"/.exec(page.text)[1];
  return new URL(onward(await ask(`${consent}${answer}`, { csrf })));
}
