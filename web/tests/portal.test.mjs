// The portal in a real browser, over a hub of its own with synthetic Korea in it. IEUM_BIN names the `ieum` binary;
// IEUM_SCREENSHOTS, if set, receives a picture of every page.
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { checkAccessibility, launch, lookAt, open, policy, widths } from "./browser.mjs";
import { account, data, hub } from "./hub.mjs";

const shots = process.env.IEUM_SCREENSHOTS;
let browser;
let records;

before(async () => {
  [browser, records] = await Promise.all([launch(), data()]);
  if (shots) await mkdir(shots, { recursive: true });
});
after(async () => {
  await browser?.close();
  await records?.remove();
});

/** Opens a page and holds it to everything that every page must keep. */
const look = (origin, address, how) => lookAt(browser.context, origin, address, how);

/** Enters an open hub in a role, as a visitor does it: with the start page's buttons. */
async function enter(origin, role, search = "") {
  await browser.context.clearCookies();
  const { page } = await open(browser.context, `${origin}/`);
  if (role === "patient") {
    await page.getByRole("link", { name: "사람을 골라 들어가기" }).click();
    await page.getByLabel("이름 또는 초성").fill(search);
    await page.getByRole("button", { name: "검색" }).click();
    await page.getByRole("button", { name: "님으로" }).first().click();
  } else {
    await page.getByRole("button", { name: role === "operator" ? "운영자로 들어가기" : "의료진으로 들어가기" }).click();
  }
  await page.waitForURL(/\/(patients|me|operator)$/);
  return page;
}

/** Searches on the page to find patients; gives the addresses of those found. */
async function patients(page, text) {
  await page.getByLabel("찾을 사람").fill(text);
  await page.getByRole("button", { name: "검색" }).click();
  return page.locator("tbody th a").evaluateAll((links) => links.map((link) => link.getAttribute("href")));
}

describe("an open hub", () => {
  let site;
  before(async () => {
    site = await hub(records.folder, "--open");
  });
  after(() => site?.stop());

  test("the start page and its neighbours", async () => {
    await browser.context.clearCookies();
    await look(site.origin, "/", { keyboard: true });
    await look(site.origin, "/enter", { keyboard: true });
    await look(site.origin, "/nowhere");
    const response = await (await browser.context.newPage()).goto(`${site.origin}/`);
    assert.equal(response.headers()["content-security-policy"], policy);
  });

  test("everybody reads the law of a day", async () => {
    await browser.context.clearCookies();
    await look(site.origin, "/law", { keyboard: true });
    await look(site.origin, "/law?subject=telemedicine&date=2026-12-23");
    await look(site.origin, "/law?subject=access&date=");
    await look(site.origin, "/law?date=yesterday");
    const { page } = await open(browser.context, `${site.origin}/`);
    await page.getByRole("link", { name: "근거 법령" }).click();
    await page.getByLabel("주제").selectOption({ label: "동의 없이 볼 수 있는 근거" });
    for (const [day, found] of [["2026-04-06", 0], ["2026-04-07", 1]]) {
      await page.getByLabel("어느 날의 법").fill(day);
      await page.getByRole("button", { name: "검색" }).click();
      await page.waitForURL(new RegExp(`date=${day}`));
      assert.equal(await page.getByText("국가인권위원회법 §36").count(), found, day);
      assert.equal(await page.getByLabel("어느 날의 법").inputValue(), day);
    }
    await page.close();
  });

  test("a clinician finds people by initials and reads every part of a record", async () => {
    const page = await enter(site.origin, "clinician");
    const found = await patients(page, "ㄱ");
    assert.ok(found.length > 3, "many names begin with ㄱ");
    const names = await page.locator("tbody th a").allTextContents();
    // A name recorded in two parts is found by the beginning of either.
    assert.ok(names.every((name) => /[가-깋]/.test(name)), names.join(", "));
    await page.locator("tbody th a").first().click();
    await page.getByRole("link", { name: "진료 이력" }).click();
    const all = await page.locator(".i-timeline__item").count();
    assert.ok(all > 0);
    await page.getByRole("link", { name: "처방", exact: true }).click();
    assert.equal(await page.locator(".i-kind--medicine").count(), await page.locator(".i-timeline__item").count());
    await page.getByRole("link", { name: "English" }).click();
    assert.match(page.url(), /kind=medicine&lang=en$/);
    await page.getByRole("link", { name: "Results" }).click();
    assert.equal(await page.locator("html").getAttribute("lang"), "en", "the language is remembered");
    await look(site.origin, "/patients", { keyboard: true });
    await look(site.origin, "/patients?q=%E3%84%B1", { keyboard: true });
    await look(site.origin, "/patients?q=%ED%9E%A3");
    for (const part of ["", "/visits", "/visits?kind=result", "/problems", "/medicines", "/results", "/vitals", "/immunisations", "/documents"])
      await look(site.origin, `${found[1]}${part}`, { keyboard: part === "" || part === "/visits" });
    await look(site.origin, "/operator");
    await page.close();
  });

  test("one test has a chart for each width, and only one is there", async () => {
    const page = await enter(site.origin, "clinician");
    let test = null;
    for (const person of await patients(page, "ㄱ")) {
      await page.goto(`${site.origin}${person}/results`);
      test = await page.locator("tbody tr:has(svg) th a").first().getAttribute("href", { timeout: 300 }).catch(() => null);
      if (test) break;
    }
    assert.ok(test, "somebody has had a test twice");
    await look(site.origin, test, { keyboard: true });
    for (const [size, shown] of [[widths[0], ".i-at-desk"], [widths[1], ".i-at-hand"]]) {
      await page.setViewportSize(size);
      await page.goto(`${site.origin}${test}`);
      assert.equal(await page.locator(`${shown} svg.i-chart__svg[role=img]`).isVisible(), true);
      assert.equal(await page.locator("svg.i-chart__svg[role=img]:visible").count(), 1);
    }
    await page.close();
  });

  test("a patient sees their own record and nothing else", async () => {
    const page = await enter(site.origin, "patient", "ㄱ");
    assert.equal(await page.locator("h1").textContent(), "내 건강기록");
    const menu = await page.locator("#main-menu a").evaluateAll((links) => links.map((link) => link.getAttribute("href")));
    assert.ok(menu.length >= 6 && menu.every((href) => href.startsWith("/me") || href === "/my-apps"), menu.join(" "));
    for (const href of menu) await look(site.origin, href, { keyboard: href === "/me" });
    const other = await page.goto(`${site.origin}/patients/s42-p1`);
    assert.equal(other.status(), 403);
    assert.equal((await page.goto(`${site.origin}/me/documents/s42-p1-doc-1`)).status(), 404);
    await page.goto(`${site.origin}/me`);
    await page.getByRole("button", { name: "로그아웃" }).click();
    await page.waitForURL(`${site.origin}/`);
    await page.goto(`${site.origin}/me`);
    assert.equal(page.url(), `${site.origin}/`, "after signing out nothing is left");
    await page.close();
  });

  test("an operator sees numbers, the feed and the log", async () => {
    const asked = await fetch(`${site.origin}/fhir/$export`, { headers: { prefer: "respond-async" } });
    assert.equal(asked.status, 202);
    while ((await fetch(asked.headers.get("content-location"))).status === 202) await new Promise((done) => setTimeout(done, 50));
    const page = await enter(site.origin, "operator");
    assert.match(await page.locator("main").textContent(), /환자 \(Patient\)/);
    for (const address of ["/operator", "/operator/jobs", "/operator/subscriptions", "/operator/feed", "/operator/audit", "/operator/statements"]) {
      await look(site.origin, address, { keyboard: address === "/operator" });
      await page.goto(`${site.origin}${address}`);
      assert.doesNotMatch(await page.content(), /s42-p\d/, `${address} names a patient`);
    }
    await page.getByLabel("10초마다 저절로").check();
    assert.match(page.url(), /#auto$/);
    await page.reload();
    assert.equal(await page.getByLabel("10초마다 저절로").isChecked(), true);
    // A page that reloads itself says so, or it would keep its session alive for ever.
    await page.clock.install();
    await page.reload();
    await page.clock.fastForward(10_500);
    await page.waitForURL(/\?auto=1#auto$/);
    assert.equal(await page.getByLabel("10초마다 저절로").isChecked(), true);
    await page.close();
  });

  test("from the start page to a result with the keyboard alone", async () => {
    await browser.context.clearCookies();
    const { page } = await open(browser.context, `${site.origin}/`);
    const tabTo = async (matches) => {
      for (let step = 0; step < 120; step += 1) {
        await page.keyboard.press("Tab");
        if (await page.evaluate(matches)) return;
      }
      assert.fail(`Tab does not reach ${matches}`);
    };
    await tabTo(() => document.activeElement.textContent.includes("의료진으로"));
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/patients$/);
    await tabTo(() => document.activeElement.name === "q");
    await page.keyboard.type("ㄱ");
    await page.keyboard.press("Enter");
    await page.waitForURL(/q=/);
    await tabTo(() => document.activeElement.matches("tbody th a"));
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/patients\/s42-p\d+$/);
    await tabTo(() => document.activeElement.matches("nav.tab a[href$='/results']"));
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/results$/);
    await page.close();
  });

  test("without scripts every page is whole", async () => {
    const page = await enter(site.origin, "clinician");
    await page.route("**/*.js", (route) => route.abort());
    const [person] = await patients(page, "ㄱ");
    await page.goto(`${site.origin}${person}/visits?kind=problem`);
    assert.ok((await page.locator(".i-kind--problem").count()) > 0);
    assert.equal(await page.locator("#main-menu").isVisible(), true);
    await page.close();
  });

  test("the dark scheme keeps its contrast", async () => {
    const page = await enter(site.origin, "clinician");
    const [person] = await patients(page, "ㄱ");
    await page.emulateMedia({ colorScheme: "dark" });
    for (const part of ["", "/visits", "/problems", "/vitals"]) {
      await page.goto(`${site.origin}${person}${part}`);
      await page.waitForTimeout(300);
      if (shots) await page.screenshot({ path: path.join(shots, `dark${part.replace("/", "-")}.png`), fullPage: true });
      await checkAccessibility(page, `${part} dark`);
    }
    await page.close();
  });
});

describe("a hub with accounts", () => {
  let site;
  let secrets;
  before(async () => {
    secrets = {
      clinician: await account(records.folder, "clinician", "이가상"),
      patient: await account(records.folder, "patient", "본인", "s42-p1"),
    };
    site = await hub(records.folder);
  });
  after(() => site?.stop());

  test("signing in, and where it leads", async () => {
    await browser.context.clearCookies();
    await look(site.origin, "/sign-in", { keyboard: true });
    await look(site.origin, "/");
    const { page } = await open(browser.context, `${site.origin}/patients?lang=ko`);
    assert.match(page.url(), /\/sign-in\?next=\/patients/);
    await page.getByText("비밀값이 있는 계정으로 로그인").click();
    await page.getByLabel("계정 비밀값").fill("not the secret");
    await page.getByRole("button", { name: "비밀값으로 로그인" }).click();
    await page.getByText("로그인하지 못했습니다.").waitFor();
    assert.equal(await page.getByLabel("계정 비밀값").inputValue(), "");
    await page.getByLabel("계정 비밀값").fill(secrets.clinician);
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/patients$/);
    assert.match(await page.locator("header").textContent(), /이가상/);
    const cookie = (await browser.context.cookies()).find(({ name }) => name === `ieum-${new URL(site.origin).port}`);
    assert.ok(cookie.httpOnly && cookie.sameSite === "Strict");
    await page.getByRole("button", { name: "로그아웃" }).click();
    await page.waitForURL(`${site.origin}/`);

    await page.goto(`${site.origin}/sign-in`);
    await page.getByText("비밀값이 있는 계정으로 로그인").click();
    await page.getByLabel("계정 비밀값").fill(secrets.patient);
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/me$/);
    await page.close();
  });
});
