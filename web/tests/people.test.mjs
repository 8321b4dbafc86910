// People and their log-in in a real browser, with Chromium's virtual authenticator. IEUM_BIN names the `ieum` binary;
// IEUM_SCREENSHOTS, if set, receives a picture of every page.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { launch, lookAt, open, serve } from "./browser.mjs";
import { account, data, hub, invite } from "./hub.mjs";

const shots = process.env.IEUM_SCREENSHOTS;
let browser;
let records;
let site;
/** Passkeys belong to names: this machine is `localhost`. */
let origin;

before(async () => {
  [browser, records] = await Promise.all([launch(), data(3)]);
  if (shots) await mkdir(shots, { recursive: true });
  site = await hub(records.folder);
  origin = site.origin.replace("127.0.0.1", "localhost");
});
after(async () => {
  await site?.stop();
  await browser?.close();
  await records?.remove();
});

/** A page with an authenticator of its own, which may hold passkeys already. */
async function device(address, passkeys = [], context = browser.context) {
  const { page } = await open(context, `${origin}${address}`);
  const wire = await context.newCDPSession(page);
  await wire.send("WebAuthn.enable");
  const options = {
    protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true,
  };
  const { authenticatorId } = await wire.send("WebAuthn.addVirtualAuthenticator", { options });
  for (const credential of passkeys) await wire.send("WebAuthn.addCredential", { authenticatorId, credential });
  const passkeysHeld = async () => (await wire.send("WebAuthn.getCredentials", { authenticatorId })).credentials;
  const verifies = (isUserVerified) => wire.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified });
  return { page, passkeys: passkeysHeld, verifies };
}

const press = (page, name) => page.getByRole("button", { name, exact: true }).click();

async function signOut(page) {
  await press(page, "로그아웃");
  await page.waitForURL(`${origin}/`);
}

/** Follows an invitation up to the choice of factors. */
async function begin(page, link, login) {
  await page.goto(`${origin}${link}`);
  await page.locator("input[name=login]").fill(login);
  await press(page, "계속");
  await page.waitForURL(/\/set-up$/);
}

/** Somebody with a passkey, signed in. */
const enrolled = (login, role = "clinician", ...more) => enrolledIn(browser.context, login, role, ...more);

/** The same in another browser. */
async function enrolledIn(context, login, role, ...more) {
  await context.clearCookies();
  const own = await device("/", [], context);
  await begin(own.page, await invite(records.folder, role, "김간호", ...more), login);
  await press(own.page, "패스키 만들기");
  await own.page.waitForURL(/\/my-login$/);
  return own;
}

async function enter(page) {
  await page.goto(`${origin}/sign-in`);
  await press(page, "패스키로 로그인");
}

/** The code that an app shows for a secret (RFC 6238). */
function code(secret, at = Date.now()) {
  const bits = [...secret].map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const hash = createHmac("sha1", key).update(step).digest();
  return String((hash.readUInt32BE(hash[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

test("somebody invited makes a passkey, and enters with it", async () => {
  const { page, passkeys } = await enrolled("kim.nurse");
  assert.match(await page.locator("main").textContent(), /kim\.nurse/);
  const [passkey] = await passkeys();
  assert.ok(passkey.isResidentCredential && passkey.rpId === "localhost");
  await signOut(page);
  await enter(page);
  await page.waitForURL(/\/patients$/);
  assert.match(await page.locator("header").textContent(), /김간호/);
  await page.close();
});

test("without user verification nobody enters, whatever the page asks for", async () => {
  const { page, verifies } = await enrolled("verified");
  await signOut(page);
  await verifies(false);
  await enter(page);
  await page.getByText("패스키를 쓰지 못했습니다.").waitFor();
  await verifies(true);
  await enter(page);
  await page.waitForURL(/\/patients$/);
  await signOut(page);
  await verifies(false);
  // A page that has been tampered with: the hub demands it all the same.
  await page.addInitScript(() => {
    const get = navigator.credentials.get.bind(navigator.credentials);
    navigator.credentials.get = (options) => get({ publicKey: { ...options.publicKey, userVerification: "discouraged" } });
  });
  await enter(page);
  await page.getByText("본인을 확인하지 않았습니다").waitFor();
  await page.close();
});

test("a passkey that was copied is noticed, and then neither of the two enters", async () => {
  const { page, passkeys } = await enrolled("cloned");
  const copied = await passkeys();
  await signOut(page);
  for (let time = 0; time < 2; time += 1) {
    await enter(page);
    await page.waitForURL(/\/patients$/);
    await signOut(page);
  }
  const thief = await device("/sign-in", copied);
  await enter(thief.page);
  await thief.page.getByText("복제되었을 수 있어").waitFor();
  await enter(page);
  await page.getByText("복제되었을 수 있어").waitFor();
  await Promise.all([page.close(), thief.page.close()]);
});

// threat: 5
test("an answer made on another origin is refused", async () => {
  const { page, passkeys } = await enrolled("origin");
  const own = await passkeys();
  await signOut(page);
  await page.close();
  const folder = await mkdtemp(path.join(os.tmpdir(), "ieum-elsewhere-"));
  await writeFile(path.join(folder, "page.html"), "<!DOCTYPE html><title>elsewhere</title>");
  const elsewhere = await serve(folder);
  try {
    const signIn = await (await fetch(`${site.origin}/sign-in`)).text();
    const challenge = /data-challenge="([^"]+)"/.exec(signIn)[1];
    const wrong = await device("/", own);
    // The same machine on another port: the passkey is good there, for the browser.
    await wrong.page.goto(`${elsewhere.origin.replace("127.0.0.1", "localhost")}/page.html`);
    const answer = await wrong.page.evaluate(async (challenge) => {
      const bytes = Uint8Array.from(atob(challenge.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
      const { rawId, response } = await navigator.credentials.get({ publicKey: { challenge: bytes, rpId: "localhost", userVerification: "required" } });
      const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
      return { credential: text(rawId), client: text(response.clientDataJSON), data: text(response.authenticatorData), signature: text(response.signature) };
    }, challenge);
    const send = (body) => fetch(`${site.origin}/sign-in/passkey`, {
      method: "POST", headers: { origin: site.origin, "sec-fetch-site": "same-origin" }, body: new URLSearchParams(body), redirect: "manual",
    });
    const reply = await send(answer);
    assert.equal(reply.status, 422);
    assert.match(await reply.text(), /이 패스키를 받을 수 없습니다/);
    await wrong.page.close();
  } finally {
    await elsewhere.close();
    await rm(folder, { recursive: true, force: true });
  }
});

// threat: 5
test("an answer lets in once", async () => {
  const { page } = await enrolled("replay");
  await signOut(page);
  let sent;
  await page.route("**/sign-in/passkey", async (route) => {
    sent = route.request().postData();
    await route.continue();
  });
  await enter(page);
  await page.waitForURL(/\/patients$/);
  const again = await fetch(`${site.origin}/sign-in/passkey`, {
    method: "POST", headers: { origin: site.origin, "content-type": "application/x-www-form-urlencoded" }, body: sent, redirect: "manual",
  });
  assert.equal(again.status, 422);
  await page.close();
});

test("password and app: first entry, entering, and confirming", async () => {
  await browser.context.clearCookies();
  const { page } = await open(browser.context, `${origin}/`);
  await begin(page, await invite(records.folder, "clinician", "이의사"), "lee");
  assert.equal(await page.getByRole("img", { name: "인증 앱에 등록하는 QR 코드" }).isVisible(), true);
  const secret = (await page.locator("p:has-text('이 값을 앱에 넣으세요') code").textContent()).replaceAll(" ", "");
  await page.locator("input[name=password]").fill("correct horse battery");
  await page.locator("input[name=again]").fill("correct horse battery");
  // The code of the step before: the one of now is left for entering.
  await page.locator("input[name=code]").fill(code(secret, Date.now() - 30_000));
  await press(page, "비밀번호와 인증 앱으로 정하기");
  await page.waitForURL(/\/my-login$/);
  await signOut(page);
  await page.goto(`${origin}/sign-in?next=/my-login`);
  await page.locator("input[name=login]").fill("LEE");
  await page.locator("input[name=password]").fill("correct horse battery");
  await page.locator("input[name=code]").fill(code(secret));
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/my-login$/);
  await press(page, "새로 만들기");
  assert.equal(await page.locator(".i-codes li").count(), 10);
  if (shots) await page.screenshot({ path: path.join(shots, "recovery.png"), fullPage: true });
  await page.close();
});

test("a passkey is added and removed, and the last way in stays", async () => {
  const { page } = await enrolled("two.keys");
  await page.getByRole("button", { name: "지우기" }).click();
  await page.getByText("마지막 로그인 수단은 지울 수 없습니다").waitFor();
  // The same authenticator is not taken twice.
  await page.goto(`${origin}/my-login`);
  await press(page, "패스키 만들기");
  await page.getByText("패스키를 쓰지 못했습니다.").waitFor();
  await page.close();
});

test("a manager invites by a link, and the pages keep what every page keeps", async () => {
  const authorization = `Bearer ${await account(records.folder, "service", "시험")}`;
  const found = await (await fetch(`${site.origin}/fhir/Organization?_count=1`, { headers: { authorization } })).json();
  const organization = found.entry[0].resource.id;
  await browser.context.clearCookies();
  const link = await invite(records.folder, "clinician", "초대받은 사람");
  await lookAt(browser.context, origin, link, { keyboard: true });
  await lookAt(browser.context, origin, "/welcome/nothing");
  await lookAt(browser.context, origin, "/sign-in", { keyboard: true });
  const first = await open(browser.context, `${origin}/`);
  await begin(first.page, link, "set.up");
  await lookAt(browser.context, origin, "/set-up", { keyboard: true });
  await first.page.close();

  const { page } = await enrolled("manager", "manager", "--organization", organization);
  for (const address of ["/manager", "/my-login", "/accounts", "/confirm"]) await lookAt(browser.context, origin, address, { keyboard: true });
  await page.goto(`${origin}/manager`);
  await page.locator("input[name=name]").fill("박의사");
  await page.locator("input[name=departments]").fill("내과, 응급실");
  await press(page, "초대 링크 만들기");
  const address = await page.locator("#invitation").textContent();
  assert.match(address, new RegExp(`^${origin}/welcome/[A-Za-z0-9_-]{43}$`));
  if (shots) await page.screenshot({ path: path.join(shots, "invitation.png"), fullPage: true });
  await page.goto(`${origin}/manager`);
  await page.getByRole("link", { name: "박의사" }).click();
  await lookAt(browser.context, origin, new URL(page.url()).pathname, { keyboard: true });
  await page.close();
});

test("a manager registers a system of the institution, and ends it", async () => {
  const authorization = `Bearer ${await account(records.folder, "service", "시험")}`;
  const found = await (await fetch(`${site.origin}/fhir/Organization?_count=1`, { headers: { authorization } })).json();
  const { page } = await enrolled("clients.manager", "manager", "--organization", found.entry[0].resource.id);
  for (const address of ["/manager/clients/new", "/manager/clients"]) await lookAt(browser.context, origin, address, { keyboard: true });
  await page.goto(`${origin}/manager/clients`);
  await page.getByRole("link", { name: "등록하기" }).click();
  await page.getByLabel("이름").fill("가상 EMR");
  await page.getByRole("radio", { name: /^SMART/ }).check();
  await page.getByLabel("범위").fill("system/*.cruds");
  await page.getByLabel("시스템 계정").selectOption("new");
  await press(page, "등록");
  await page.getByText("공개 키가 있어야 합니다").waitFor();
  assert.equal(await page.getByLabel("이름").inputValue(), "가상 EMR", "what was written stays");
  if (shots) await page.screenshot({ path: path.join(shots, "manager-clients-wrong.png"), fullPage: true });
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign"]);
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", pair.publicKey);
  await page.getByLabel("공개 키 (JWKS)").fill(JSON.stringify({ keys: [{ kty, crv, x, y, kid: "2027-1" }] }));
  await press(page, "등록");
  await page.getByText("등록했습니다.").waitFor();
  const one = new URL(page.url()).pathname;
  assert.match(one, /^\/manager\/clients\/[0-9a-f]{32}$/);
  await lookAt(browser.context, origin, one, { keyboard: true });
  await lookAt(browser.context, origin, "/manager/clients");
  await page.getByRole("button", { name: "끝내기" }).click();
  await page.getByText("등록을 끝냈습니다.").waitFor();
  await page.close();
});

test("by number, the page says where passkeys are good", async () => {
  await browser.context.clearCookies();
  const { page } = await open(browser.context, `${site.origin}/sign-in`);
  const link = page.getByRole("link", { name: origin });
  assert.equal(await link.getAttribute("href"), `${origin}/sign-in`);
  assert.equal(await page.getByRole("button", { name: "패스키로 로그인" }).isVisible(), false);
  await page.close();
});

test("a patient decides who sees what; the glass is broken, told and reviewed", async () => {
  const headers = { authorization: `Bearer ${await account(records.folder, "service", "시험")}`, "content-type": "application/fhir+json" };
  const fhir = async (path, options = {}) => (await fetch(`${site.origin}/fhir/${path}`, { headers, ...options })).json();
  const body = JSON.stringify({ resourceType: "Organization", id: "far", name: "먼곳응급센터" });
  await fhir("Organization/far", { method: "PUT", body });
  const patient = (await fhir("Patient?_count=1&identifier:missing=false&birthdate:missing=false")).entry[0].resource;

  await browser.context.clearCookies();
  const own = await open(browser.context, `${origin}/sign-in`);
  await own.page.locator("summary", { hasText: "비밀값" }).click();
  await own.page.locator("input[name=secret]").fill(await account(records.folder, "patient", "본인", patient.id));
  await own.page.keyboard.press("Enter");
  await own.page.waitForURL(/\/me$/);
  await own.page.goto(`${origin}/me/sharing`);
  await own.page.getByRole("radio", { name: /^보여주기/ }).check();
  await own.page.getByRole("checkbox", { name: "정신건강" }).check();
  await own.page.getByRole("button", { name: "저장", exact: true }).first().click();
  await own.page.getByText("저장했습니다.").waitFor();
  assert.ok(await own.page.getByRole("checkbox", { name: "정신건강" }).isChecked());
  const one = own.page.locator("form", { has: own.page.getByRole("combobox") }).first();
  await one.getByRole("combobox").selectOption("deny");
  await one.getByRole("button", { name: "저장" }).click();
  await own.page.getByText("저장했습니다.").waitFor();
  assert.equal(await own.page.getByRole("combobox").first().inputValue(), "deny");
  await lookAt(browser.context, origin, "/me/sharing", { keyboard: true });
  await own.page.close();

  const { page } = await enrolled("er.doctor", "clinician", "--organization", "far");
  assert.equal((await page.goto(`${origin}/patients/${patient.id}`)).status(), 404);
  await lookAt(browser.context, origin, "/emergency", { keyboard: true });
  await page.goto(`${origin}/emergency`);
  await page.locator("input[name=number]").fill(patient.identifier.find((identifier) => identifier.value).value);
  await page.locator("input[name=birth]").fill(patient.birthDate);
  await page.locator("textarea[name=reason]").fill("의식이 없어 먹는 약을 확인합니다");
  await press(page, "응급 열람 시작");
  await page.waitForURL(`${origin}/patients/${patient.id}`);
  await page.close();

  const officer = await enrolled("officer", "privacy", "--organization", "far");
  await lookAt(browser.context, origin, "/privacy/reviews", { keyboard: true });
  await officer.page.goto(`${origin}/privacy/reviews`);
  await officer.page.getByText("의식이 없어 먹는 약을 확인합니다").waitFor();
  await officer.page.getByRole("radio", { name: "필요했음" }).check();
  await press(officer.page, "검토 마침");
  await officer.page.getByText("검토를 마쳤습니다.").waitFor();
  await lookAt(browser.context, origin, "/privacy/reviews");
  await officer.page.close();
});

/** The FHIR interface as a system of the hub's own. */
async function system() {
  const headers = { authorization: `Bearer ${await account(records.folder, "service", "시험")}`, "content-type": "application/fhir+json" };
  const ask = async (path, options) => (await fetch(`${site.origin}/fhir/${path}`, { headers, ...options })).json();
  const put = (resource) => ask(`${resource.resourceType}/${resource.id}`, { method: "PUT", body: JSON.stringify(resource) });
  return { ask, put };
}

/** Enters with the secret of a patient's account. */
async function asPatient(context, patient) {
  await context.clearCookies();
  const { page } = await open(context, `${origin}/sign-in`);
  await page.locator("summary", { hasText: "비밀값" }).click();
  await page.locator("input[name=secret]").fill(await account(records.folder, "patient", "본인", patient));
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/me$/);
  return page;
}

const visitAt = (patient, organization) => ({
  resourceType: "Encounter", id: `${patient}-${organization}`, status: "finished", class: { system: "http://terminology.hl7.org/CodeSystem/v3-ActCode", code: "AMB" },
  subject: { reference: `Patient/${patient}` }, period: { start: "2026-01-01", end: "2026-01-02" }, serviceProvider: { reference: `Organization/${organization}` },
});

test("a parent acts for a child until the fourteenth birthday; a patient blocks an agent", async () => {
  const { ask, put } = await system();
  /** The birthday of somebody who becomes fourteen in so many days, in Korea. */
  const birthday = (days) => new Date(Date.now() + (9 * 60 + days * 24 * 60) * 60_000).toISOString().replace(/^(\d{4})/, (year) => String(Number(year) - 14)).slice(0, 10);
  const child = (birthDate) => ({ resourceType: "Patient", id: "kid", name: [{ text: "김하늘" }], birthDate, gender: "female", identifier: [{ system: "urn:test", value: "KID-1" }] });
  const adult = (await ask("Patient?_count=1&birthdate=lt2000")).entry[0].resource;
  await put({ resourceType: "Organization", id: "clinic", name: "가까운의원" });
  await put(child(birthday(30)));
  await put(visitAt("kid", "clinic"));
  await put(visitAt(adult.id, "clinic"));
  const second = await launch();
  const officer = await enrolled("checker", "privacy", "--organization", "clinic");
  const parent = await enrolledIn(second.context, "mother", "patient", "--patient", adult.id);
  try {
    await officer.page.goto(`${origin}/privacy/representatives`);
    await officer.page.locator("input[name=number]").fill("KID-1");
    await officer.page.locator("input[name=birth]").fill(birthday(30));
    await press(officer.page, "코드 만들기");
    const code = await officer.page.locator(".i-code code").textContent();
    assert.match(code, /^[0-9A-Z]{4} [0-9A-Z]{4} [0-9A-Z]{4}$/);
    if (shots) await officer.page.screenshot({ path: path.join(shots, "representation-code.png"), fullPage: true });

    await parent.page.goto(`${origin}/representing`);
    await lookAt(second.context, origin, "/representing", { keyboard: true });
    await parent.page.locator("input[name=code]").fill(code);
    await parent.page.locator("select[name=relation]").selectOption("parent");
    await press(parent.page, "요청하기");
    await parent.page.getByText("가까운의원에 서류를 보여주세요").waitFor();

    await officer.page.goto(`${origin}/privacy/representatives`);
    await officer.page.getByRole("link", { name: /mother/ }).click();
    await lookAt(browser.context, origin, new URL(officer.page.url()).pathname, { keyboard: true });
    await officer.page.getByRole("checkbox", { name: /신분증/ }).check();
    await press(officer.page, "확인하고 허락하기");
    await officer.page.getByText("허락하지 않았습니다").waitFor();
    for (const name of [/신분증/, /법정대리인임/]) await officer.page.getByRole("checkbox", { name }).check();
    await press(officer.page, "확인하고 허락하기");
    await officer.page.getByText("저장했습니다").waitFor();
    await lookAt(browser.context, origin, "/privacy/representatives", { keyboard: true });

    await parent.page.goto(`${origin}/accounts`);
    await press(parent.page, "대신하여 보기");
    await parent.page.waitForURL(/\/me$/);
    await parent.page.getByText("김하늘 님을 대신하여 보고 있습니다").waitFor();
    for (const address of ["/me", "/me/problems", "/me/sharing", "/me/visit", "/representing", "/accounts"]) await lookAt(second.context, origin, address, { keyboard: true });
    // What is the patient's alone is refused, and says so.
    assert.equal((await parent.page.goto(`${origin}/me/representatives`)).status(), 403);
    await parent.page.getByRole("button", { name: "내 화면으로" }).click();
    await parent.page.waitForURL(/\/me$/);
    assert.equal(await parent.page.getByText("대신하여 보고 있습니다").count(), 0);
    await parent.page.goto(`${origin}/representing`);
    await press(parent.page, "대신하여 보기");
    await parent.page.waitForURL(/\/me$/);
    // The birthday, as the record has it, is today.
    await put(child(birthday(0)));
    await parent.page.goto(`${origin}/me/problems`);
    await parent.page.waitForURL(/\/representing\?done=lapsed$/);
    await parent.page.getByText("대신할 수 있는 권한이 끝났습니다.").waitFor();
    assert.equal(await parent.page.getByRole("button", { name: "대신하여 보기" }).count(), 0);
    await lookAt(second.context, origin, "/representing?done=lapsed");
  } finally {
    await second.close();
  }
  await officer.page.close();

  // A grown-up names an agent, is told, and blocks.
  const own = await asPatient(browser.context, adult.id);
  await own.goto(`${origin}/me/representatives`);
  await own.locator("select[name=institution]").selectOption("clinic");
  await press(own, "대리인에게 줄 코드 만들기");
  const code = await own.locator(".i-code code").textContent();
  const third = await launch();
  try {
    const agent = await enrolledIn(third.context, "agent", "patient", "--patient", "kid");
    await agent.page.goto(`${origin}/representing`);
    await agent.page.locator("input[name=code]").fill(code.toLowerCase());
    await agent.page.locator("select[name=relation]").selectOption("agent");
    await press(agent.page, "요청하기");
    await agent.page.getByText("요청했습니다").waitFor();
    await own.goto(`${origin}/me`);
    await own.getByRole("link", { name: "대리인 보기" }).click();
    await lookAt(browser.context, origin, "/me/representatives", { keyboard: true });
    await press(own, "차단하기");
    await own.getByText("저장했습니다").waitFor();
    await own.getByText("차단됨").waitFor();
    await lookAt(browser.context, origin, "/me/representatives");
    await agent.page.goto(`${origin}/representing`);
    assert.doesNotMatch(await agent.page.locator("main").textContent(), /차단/);
  } finally {
    await third.close();
  }
  await own.close();
});

test("a patient shows a code, a desk in another browser types it in, and the patient ends it", async () => {
  const { ask, put } = await system();
  await put({ resourceType: "Organization", id: "desk", name: "접수하는병원" });
  const patient = (await ask("Patient?_count=1&birthdate=lt2000")).entry[0].resource.id;
  const own = await asPatient(browser.context, patient);
  await lookAt(browser.context, origin, "/me/visit", { keyboard: true });
  await own.goto(`${origin}/me/visit`);
  await press(own, "코드 보여주기");
  const code = await own.locator(".i-digits").textContent();
  assert.match(code, /^\d{4} \d{4}$/);
  assert.ok(await own.getByRole("img", { name: "내원 코드의 QR 코드" }).isVisible());
  if (shots) await own.screenshot({ path: path.join(shots, "presence-code.png"), fullPage: true });
  const second = await launch();
  try {
    const desk = await enrolledIn(second.context, "desk", "clinician", "--organization", "desk");
    assert.equal((await desk.page.goto(`${origin}/patients/${patient}`)).status(), 404);
    await lookAt(second.context, origin, "/presence", { keyboard: true });
    await desk.page.goto(`${origin}/presence`);
    await desk.page.locator("input[name=code]").fill(code);
    await press(desk.page, "확인");
    await desk.page.getByText("내원을 확인했습니다").waitFor();
    if (shots) await desk.page.screenshot({ path: path.join(shots, "presence-confirmed.png"), fullPage: true });
    await desk.page.getByRole("link", { name: "기록 열기" }).click();
    await desk.page.waitForURL(`${origin}/patients/${patient}`);
    await own.goto(`${origin}/me/visit`);
    const row = own.getByRole("row", { name: /접수하는병원/ });
    await lookAt(browser.context, origin, "/me/visit", { keyboard: true });
    await row.getByRole("button", { name: "끝내기" }).click();
    await own.getByText("끝냈습니다").waitFor();
    assert.equal((await desk.page.goto(`${origin}/patients/${patient}`)).status(), 404);
    // The same institution, let in for some days.
    await own.locator("input[name=q]").fill("접수하는");
    await press(own, "검색");
    await lookAt(browser.context, origin, "/me/visit?q=접수하는", { keyboard: true });
    await own.getByRole("radio", { name: "접수하는병원" }).check();
    await press(own, "허락하기");
    await own.getByText("허락했습니다").waitFor();
    assert.equal((await desk.page.goto(`${origin}/patients/${patient}`)).status(), 200);
  } finally {
    await second.close();
  }
  await own.close();
});
