// The component gallery in a real browser. IEUM_GALLERY names the folder that
// `cargo run -p ieum-ui --example gallery -- DIR` wrote; IEUM_SCREENSHOTS, if set, receives a picture of every page.
import assert from "node:assert/strict";
import { mkdir, readdir } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { checkAccessibility, checkKeyboard, checkSkipLink, checkWidth, launch, open, serve, widths } from "./browser.mjs";

const gallery = process.env.IEUM_GALLERY;
if (!gallery) throw new Error("IEUM_GALLERY must name the folder written by `cargo run -p ieum-ui --example gallery`");
const pages = (await readdir(gallery)).filter((name) => name.endsWith(".html")).sort();
const shots = process.env.IEUM_SCREENSHOTS;
let browser;
let site;

before(async () => {
  [browser, site] = await Promise.all([launch(), serve(gallery)]);
  if (shots) await mkdir(shots, { recursive: true });
});
after(async () => {
  await browser?.close();
  await site?.close();
});

test("the gallery has every page in both languages", () => {
  assert.ok(pages.length >= 8 && pages.length % 2 === 0, pages.join(", "));
});

for (const name of pages)
  for (const size of widths)
    test(`${name} at ${size.width} px`, async () => {
      const { page, faults } = await open(browser.context, `${site.origin}/${name}`, size);
      const label = `${name} ${size.width}`;
      await page.waitForTimeout(150);
      if (shots) await page.screenshot({ path: path.join(shots, `${name}.${size.width}.png`), fullPage: true });
      await checkWidth(page, label);
      await checkAccessibility(page, label);
      await page.reload();
      await checkSkipLink(page, label);
      await checkKeyboard(page, label);
      assert.deepEqual(faults, [], label);
      await page.close();
    });

test("every tab panel is accessible too, and arrows move between tabs", async () => {
  const { page } = await open(browser.context, `${site.origin}/patient.ko.html`);
  const tabs = page.getByRole("tab");
  await tabs.first().focus();
  for (let index = 1; index < (await tabs.count()); index += 1) {
    await page.keyboard.press("ArrowRight");
    assert.equal(await tabs.nth(index).getAttribute("aria-selected"), "true");
    for (const size of widths) {
      await page.setViewportSize(size);
      if (shots) await page.screenshot({ path: path.join(shots, `patient-tab${index}.${size.width}.png`), fullPage: true });
      await checkWidth(page, `tab ${index}`);
      await checkAccessibility(page, `tab ${index}`);
    }
  }
  await page.close();
});

test("the menu of a narrow window opens with its button and closes with Escape", async () => {
  const { page } = await open(browser.context, `${site.origin}/patients.ko.html`, widths[1]);
  const menu = page.locator("#main-menu");
  assert.equal(await menu.isVisible(), false);
  await page.getByRole("button", { name: "메뉴" }).click();
  assert.equal(await menu.isVisible(), true);
  if (shots) await page.screenshot({ path: path.join(shots, "menu.390.png") });
  await menu.locator("a").first().focus();
  await page.keyboard.press("Escape");
  assert.equal(await menu.isVisible(), false);
  await page.close();
});

test("without scripts nothing is hidden, and print shows every panel", async () => {
  const { page } = await open(browser.context, `${site.origin}/patient.ko.html`, widths[1]);
  await page.route("**/*.js", (route) => route.abort());
  await page.reload();
  for (const id of ["#main-menu", "#timeline", "#results", "#about"]) assert.equal(await page.locator(id).isVisible(), true, id);
  await page.unroute("**/*.js");
  await page.reload();
  await page.emulateMedia({ media: "print" });
  assert.equal(await page.locator("#results").isVisible(), true);
  await page.close();
});

test("the dark scheme keeps its contrast", async () => {
  for (const name of pages.filter((name) => name.includes(".ko."))) {
    const { page } = await open(browser.context, `${site.origin}/${name}`);
    await page.emulateMedia({ colorScheme: "dark" });
    await page.waitForTimeout(500);
    if (shots) await page.screenshot({ path: path.join(shots, `${name}.dark.png`), fullPage: true });
    await checkAccessibility(page, `${name} dark`);
    await page.close();
  }
});
