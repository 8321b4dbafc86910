// An app written with fhirclient, in a real browser and on a site of its own: launched by itself and from a chart, allowed
// by whoever it acts for, and reading. IEUM_BIN and IEUM_SCREENSHOTS as in `portal.test.mjs`.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { checkAccessibility, checkKeyboard, checkSkipLink, checkWidth, launch, lookAt, widths } from "./browser.mjs";
import { account, binary, data, hub } from "./hub.mjs";

const require = createRequire(import.meta.url);
const library = path.join(path.dirname(require.resolve("fhirclient/package.json")), "build/fhir-client.pure.min.js");
const shots = process.env.IEUM_SCREENSHOTS;

/** The app: `/launch.html` begins, `/index.html` reads. What it knows of the hub comes in with `apps`. */
async function site(apps) {
  const page = (script) => `<!DOCTYPE html><html lang="en"><title>app</title><link rel="icon" href="data:,">
    <h1>App</h1><pre id="told"></pre><script src="/fhir-client.js"></script><script>${script}</script></html>`;
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://x");
    const pages = {
      "/alone.html": () => page(`FHIR.oauth2.authorize(${JSON.stringify({ ...apps.alone, redirectUri: "index.html", pkceMode: "required" })});`),
      "/launch.html": () => page(`FHIR.oauth2.authorize(${JSON.stringify({ ...apps.launched, redirectUri: "index.html", pkceMode: "required" })});`),
      "/index.html": () => page(`FHIR.oauth2.ready().then(async (client) => {
        const patient = await client.patient.read();
        const found = await client.request("Observation?_count=2&patient=" + patient.id);
        const other = await client.request("Patient/${apps.other}").catch((error) => error.statusCode);
        return { patient: patient.id, found: found.entry.length, user: client.user.fhirUser, other };
      }).then((told) => JSON.stringify(told), (error) => "fault: " + error.message).then((told) => { document.querySelector("#told").textContent = told; });`),
    };
    if (pathname === "/fhir-client.js") {
      response.writeHead(200, { "content-type": "text/javascript" }).end(await readFile(library));
    } else if (pages[pathname]) {
      response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(pages[pathname]());
    } else {
      response.writeHead(404).end();
    }
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  const origin = `http://localhost:${server.address().port}`;
  return { origin, close: () => new Promise((done) => { server.closeAllConnections(); server.close(done); }) };
}

describe("a SMART app in a browser", () => {
  let browser, records, server, app, patient, secrets;
  const apps = {};

  before(async () => {
    [browser, records] = await Promise.all([launch(), data(5)]);
    if (shots) await mkdir(shots, { recursive: true });
    server = await hub(records.folder, "--demo");
    app = await site(apps);
    const service = await account(records.folder, "service", "시험");
    const found = await fetch(`${server.origin}/fhir/Observation?_count=1&_elements=subject`, { headers: { authorization: `Bearer ${service}` } });
    patient = (await found.json()).entry[0].resource.subject.reference.split("/")[1];
    const people = await fetch(`${server.origin}/fhir/Patient?_elements=id`, { headers: { authorization: `Bearer ${service}` } });
    apps.other = (await people.json()).entry.map((entry) => entry.resource.id).find((id) => id !== patient);
    secrets = {
      patient: await account(records.folder, "patient", "가상 환자", patient),
      clinician: await account(records.folder, "clinician", "가상 의사"),
    };
    const register = (scope, ...more) => execFileSync(binary, ["client", "add", "--data", records.folder, "--policy", "smart", "--name", "혈압 수첩",
      "--organization", "가상 회사", "--redirect", `${app.origin}/index.html`, "--scope", scope, ...more], { encoding: "utf8" }).trim();
    const [alone, launched] = ["openid fhirUser offline_access launch/patient patient/*.rs", "launch patient/*.rs"];
    apps.alone = { clientId: register(alone), scope: alone, iss: `${server.origin}/fhir` };
    apps.launched = { clientId: register(launched, "--launch", `${app.origin}/launch.html`), scope: launched };
  });
  after(async () => {
    await app?.close();
    await server?.stop();
    await browser?.close();
    await records?.remove();
  });

  async function logIn(page, secret) {
    await page.waitForURL(/\/sign-in/);
    await page.locator("input[name=secret]").fill(secret);
    await page.locator("input[name=secret]").press("Enter");
  }

  /** What the app says it has read. */
  async function told(page) {
    await page.waitForURL(/\/index\.html/);
    await page.waitForFunction(() => document.querySelector("#told").textContent);
    return JSON.parse(await page.locator("#told").textContent());
  }

  test("launched by itself: log-in, consent, reading", async () => {
    await browser.context.clearCookies();
    const page = await browser.context.newPage();
    await page.goto(`${app.origin}/alone.html`);
    await logIn(page, secrets.patient);
    await page.waitForURL(/\/oauth\/consent\//);
    const consent = page.url();
    for (const lang of ["ko", "en"])
      for (const size of widths) {
        await page.setViewportSize(size);
        await page.goto(`${consent}?lang=${lang}`);
        const name = `consent ${lang} ${size.width}`;
        if (shots) await page.screenshot({ path: path.join(shots, `consent.${lang}.${size.width}.png`), fullPage: true });
        assert.equal(await page.locator("h1").count(), 1, name);
        await checkWidth(page, name);
        await checkAccessibility(page, name);
      }
    await page.goto(`${consent}?lang=ko`);
    await checkSkipLink(page, "consent");
    await checkKeyboard(page, "consent");
    for (const text of ["혈압 수첩", "가상 회사", "내 모든 기록", "localhost"]) assert.ok((await page.textContent("main")).includes(text), text);
    await page.getByRole("button", { name: "허용", exact: true }).click();
    assert.deepEqual(await told(page), { patient, found: 2, user: `Patient/${patient}`, other: 404 });
    await page.close();
  });

  test("what is connected is shown, and taken back", async () => {
    await lookAt(browser.context, server.origin, "/my-apps", { keyboard: true });
    const page = await browser.context.newPage();
    await page.goto(`${server.origin}/me`);
    await page.getByRole("link", { name: "연결된 앱" }).first().click();
    await page.waitForURL(/\/my-apps$/);
    if (shots) await page.screenshot({ path: path.join(shots, "my-apps.connected.png"), fullPage: true });
    for (const text of ["혈압 수첩", "가상 회사", "내 모든 기록 보기", "마지막으로 쓴 날"]) assert.ok((await page.textContent("main")).includes(text), text);
    await page.getByRole("button", { name: "‘혈압 수첩’ 연결 끊기" }).click();
    await page.getByText("연결을 끊었습니다.").waitFor();
    await page.getByText("연결된 앱이 없습니다.").waitFor();
    if (shots) await page.screenshot({ path: path.join(shots, "my-apps.ended.png"), fullPage: true });
    await page.close();
  });

  test("a person who is logged in already is asked at once, and says no", async () => {
    const page = await browser.context.newPage();
    await page.goto(`${app.origin}/alone.html`);
    await page.waitForURL(/\/oauth\/consent\//);
    await page.getByRole("button", { name: "허용하지 않음" }).click();
    await page.waitForURL(/error=access_denied/);
    await page.close();
  });

  test("launched from a chart", async () => {
    await browser.context.clearCookies();
    const page = await browser.context.newPage();
    await page.goto(`${server.origin}/patients/${patient}`);
    await logIn(page, secrets.clinician);
    await page.waitForURL(new RegExp(`/patients/${patient}$`));
    await page.getByRole("link", { name: "앱", exact: true }).click();
    for (const size of widths) {
      await page.setViewportSize(size);
      if (shots) await page.screenshot({ path: path.join(shots, `apps.ko.${size.width}.png`), fullPage: true });
      await checkWidth(page, "apps");
      await checkAccessibility(page, "apps");
    }
    await page.getByRole("button", { name: "혈압 수첩 열기" }).click();
    await page.waitForURL(/\/oauth\/consent\//);
    await page.getByRole("button", { name: "허용", exact: true }).click();
    const answer = await told(page);
    assert.deepEqual([answer.patient, answer.found, answer.other], [patient, 2, 404], "the clinician reaches others, the app does not");
    await page.close();
  });
});
