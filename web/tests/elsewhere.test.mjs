// Log-in at a provider elsewhere, in a real browser and at a real provider: `oidc-provider`, certified by the OpenID
// Foundation, which knows the hub by its keys (`private_key_jwt`) or by a secret; and identity checks at the simulated
// relay, `ieum simulator`. IEUM_BIN names the `ieum` binary;
// IEUM_SCREENSHOTS, if set, receives a picture of every page.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import path from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import Provider from "oidc-provider";
import { checkAccessibility, launch, widths } from "./browser.mjs";
import { binary, data, hub, invite } from "./hub.mjs";

const run = promisify(execFile);
const shots = process.env.IEUM_SCREENSHOTS;
const secret = "a secret: of & letters";
let browser;
let records;
let site;
let relay;
const providers = {};
/** A patient who is nobody's, as an institution has registered them. */
const patient = { id: "haneul", name: "가상 하늘", birth: "1980-02-03", sex: "female", phone: "010-0000-1234" };
const registered = {
  resourceType: "Patient", id: patient.id, name: [{ text: patient.name }], birthDate: patient.birth, gender: patient.sex,
  telecom: [{ system: "phone", value: patient.phone, use: "mobile" }],
};

before(async () => {
  [browser, records] = await Promise.all([launch(), data(3)]);
  if (shots) await mkdir(shots, { recursive: true });
  providers.keyed = await elsewhere();
  providers.secret = await elsewhere();
  await writeFile(path.join(records.folder, "secret"), secret, { mode: 0o600 });
  relay = await simulator();
  const bundle = path.join(records.folder, "..", "patient.json");
  await writeFile(bundle, JSON.stringify({ resourceType: "Bundle", type: "transaction", entry: [{ resource: registered, request: { method: "PUT", url: "Patient/haneul" } }] }));
  await run(binary, ["import", "--data", records.folder, bundle]);
  await writeFile(path.join(records.folder, "ieum.toml"), settings());
  const { stdout } = await run(binary, ["doctor", "--data", records.folder]);
  const keys = JSON.parse(/keys for providers without client_secret_file: (\{.*\})/.exec(stdout)[1]);
  site = await hub(records.folder);
  const back = (id) => [`${site.origin}/sign-in/with/${id}/return`];
  await providers.keyed.knows({ token_endpoint_auth_method: "private_key_jwt", token_endpoint_auth_signing_alg: "ES256", jwks: keys, redirect_uris: back("keyed") });
  await providers.secret.knows({ client_secret: secret, id_token_signed_response_alg: "ES256", redirect_uris: back("secret") });
});
after(async () => {
  await site?.stop();
  await relay?.close();
  for (const provider of Object.values(providers)) await provider.close();
  await browser?.close();
  await records?.remove();
});

const settings = () => `
[[login_provider]]
id = "keyed"
name = "가상 디지털원패스"
name_en = "Virtual OnePass"
issuer = "${providers.keyed.issuer}"
client_id = "ieum"
two_factors = true
private = true

[[login_provider]]
id = "secret"
name = "가상 병원 계정"
name_en = "Virtual hospital account"
issuer = "${providers.secret.issuer}"
client_id = "ieum"
client_secret_file = "secret"
private = true

[[identity_check]]
id = "simple"
kind = "simple"
name = "가상 간편인증"
name_en = "Simulated check"
address = "${relay.origin}"
key_file = "secret"
`;

/** A provider on a free port; who its one client is, it is told later. */
async function elsewhere() {
  let handle;
  const server = createServer((request, response) => handle(request, response));
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const key = (alg, type, options) => ({ ...generateKeyPairSync(type, options).privateKey.export({ format: "jwk" }), alg, use: "sig", kid: alg });
  const jwks = { keys: [key("RS256", "rsa", { modulusLength: 2048 }), key("ES256", "ec", { namedCurve: "P-256" })] };
  const knows = async (client) => {
    const clients = client ? [{ client_id: "ieum", grant_types: ["authorization_code"], response_types: ["code"], ...client }] : [];
    const provider = new Provider(issuer, { clients, jwks, cookies: { keys: ["test"] }, pkce: { required: () => true }, claims: { openid: ["sub"] } });
    handle = provider.callback();
  };
  await knows(null);
  return { issuer, knows, close: () => new Promise((done) => { server.closeAllConnections(); server.close(done); }) };
}

const press = (page, name) => page.getByRole("button", { name, exact: true }).click();

/** Somebody's browser, which nobody has logged in with. */
async function fresh() {
  await browser.context.clearCookies();
  return browser.context.newPage();
}

/** Logs in at the provider's own page, and says yes to what it asks. */
async function logIn(page, provider, name) {
  await page.waitForURL((url) => url.origin === providers[provider].issuer);
  await page.locator("input[name=login]").fill(name);
  await page.locator("input[name=password]").fill("any");
  await page.locator("button[type=submit]").click();
  await page.locator("form[action$='/confirm'], form:has(input[value=consent])").locator("button[type=submit]").click().catch(() => {});
}

async function look(page, name) {
  await checkAccessibility(page, name);
  if (!shots) return;
  for (const size of widths) {
    await page.setViewportSize(size);
    await page.screenshot({ path: path.join(shots, `${name}-${size.width}.png`), fullPage: true });
  }
  await page.setViewportSize(widths[0]);
}

/** Follows an invitation up to the choice of factors. */
async function begin(page, login) {
  await page.goto(`${site.origin}${await invite(records.folder, "clinician", "김간호")}`);
  await page.locator("input[name=login]").fill(login);
  await press(page, "계속");
  await page.waitForURL(/\/set-up$/);
}

test("somebody invited sets up a provider, enters by it, and confirms there", async () => {
  const page = await fresh();
  await begin(page, "kim");
  await look(page, "elsewhere-set-up");
  await press(page, "가상 디지털원패스 로그인");
  await logIn(page, "keyed", "kim");
  await page.waitForURL(/\/my-login$/);
  await look(page, "elsewhere-my-login");
  assert.match(await page.locator("main").textContent(), /가상 디지털원패스/);
  await press(page, "로그아웃");
  await page.waitForURL(`${site.origin}/`);

  // Still logged in there: entered at once, and then asked again there before something that matters.
  await page.goto(`${site.origin}/sign-in`);
  await look(page, "elsewhere-sign-in");
  await press(page, "가상 디지털원패스 로그인");
  await page.waitForURL(/\/patients$/);
  await page.goto(`${site.origin}/confirm?next=/my-login`);
  await look(page, "elsewhere-confirm");
  await press(page, "가상 디지털원패스에서 확인");
  await logIn(page, "keyed", "kim");
  await page.waitForURL(/\/my-login$/);
  await page.close();
});

test("nobody enters by an identity that is not linked, and the page says what to do", async () => {
  const page = await fresh();
  await page.goto(`${site.origin}/sign-in`);
  await press(page, "가상 디지털원패스 로그인");
  await logIn(page, "keyed", "stranger");
  await page.getByText("IEUM-L006").waitFor();
  await look(page, "elsewhere-unlinked");
  await page.getByRole("link", { name: "로그인 화면으로" }).click();
  await page.waitForURL(/\/sign-in$/);
  await page.close();
});

test("somebody links a second provider known by a secret, and it asks for a code, being one factor", async () => {
  const page = await fresh();
  await begin(page, "lee");
  await press(page, "가상 디지털원패스 로그인");
  await logIn(page, "keyed", "lee");
  await page.waitForURL(/\/my-login$/);
  await press(page, "가상 병원 계정 잇기");
  await logIn(page, "secret", "lee");
  await page.waitForURL(/\/my-login\?done=linked$/);
  await press(page, "로그아웃");
  await page.goto(`${site.origin}/sign-in`);
  await press(page, "가상 병원 계정 로그인");
  await page.waitForURL(/\/finish/);
  await page.getByRole("heading", { name: "인증 번호" }).waitFor();
  await look(page, "elsewhere-second");
  await page.locator("input[name=code]").fill("000000");
  await press(page, "번호로 로그인");
  await page.getByText("번호가 맞지 않거나").waitFor();
  await page.close();
});

test("saying no there comes back to a page of ours", async () => {
  const page = await fresh();
  await page.goto(`${site.origin}/sign-in`);
  await press(page, "가상 디지털원패스 로그인");
  await page.waitForURL((url) => url.origin === providers.keyed.issuer);
  await page.getByRole("link", { name: /cancel/i }).click();
  await page.getByText("IEUM-L003").waitFor();
  await look(page, "elsewhere-denied");
  // In English too.
  await page.goto(`${site.origin}/sign-in?lang=en`);
  await page.getByRole("button", { name: "Log in at Virtual OnePass" }).waitFor();
  await page.close();
});

test("a patient proves who they are at the simulated relay, and gets the account prepared for them", async () => {
  const page = await fresh();
  await run(binary, ["account", "invite", "--data", records.folder, "--role", "patient", "--name", patient.name, "--patient", patient.id]);
  await page.goto(`${site.origin}/sign-in`);
  await page.getByRole("link", { name: "처음 온 환자: 본인 확인으로 내 계정 찾기" }).click();
  await look(page, "claim");
  await press(page, "가상 간편인증");
  await page.waitForURL((url) => url.origin === relay.origin);
  await look(page, "claim-simulator");
  const answer = async (how, mobile) => {
    await page.locator("input[name=name]").fill(patient.name);
    await page.locator("input[name=birth]").fill(patient.birth);
    await page.locator(`input[name=sex][value=${patient.sex}]`).check();
    await page.locator("input[name=mobile]").fill(mobile);
    await page.locator(`input[name=answer][value=${how}]`).check();
    await press(page, "보내기");
  };
  await answer("confirm", "010-0000-0000");
  await page.getByText("IEUM-L011").waitFor();
  await look(page, "claim-no-account");
  await page.getByRole("link", { name: "다시 하기" }).click();
  await press(page, "가상 간편인증");
  await page.waitForURL((url) => url.origin === relay.origin);
  await answer("leave", patient.phone);
  await page.getByText("아직 끝나지 않았습니다.").waitFor();
  await look(page, "claim-pending");
  await page.goBack();
  await page.waitForURL((url) => url.origin === relay.origin);
  await answer("confirm", patient.phone);
  await page.waitForURL(/\/welcome\//);
  await page.locator("input[name=login]").fill("haneul");
  await press(page, "계속");
  await press(page, "가상 디지털원패스 로그인");
  await logIn(page, "keyed", "haneul");
  await page.waitForURL(/\/my-login$/);
  await page.goto(`${site.origin}/me`);
  assert.match(await page.locator("main").textContent(), new RegExp(patient.name));
  await page.close();
});

/** `ieum simulator` on a free port. */
async function simulator() {
  const child = spawn(binary, ["simulator", "--port", "0", "--key-file", path.join(records.folder, "secret")], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((done) => child.once("exit", done));
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  const close = async () => {
    child.kill("SIGTERM");
    await ended;
  };
  return { origin: /http:\/\/127\.0\.0\.1:\d+/.exec(line)[0], close };
}
