// Starts Debian's Chromium for the tests, serves folders on loopback, and holds the checks that every page must pass.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { chromium } from "playwright-core";

const require = createRequire(import.meta.url);

/** The two widths that every page is looked at: a desk and a telephone. */
export const widths = [{ width: 1280, height: 900 }, { width: 390, height: 844 }];

/** What the hub sends with every page; tests serve with it so that a breach shows. */
export const policy = "default-src 'none'; style-src 'self'; script-src 'self'; font-src 'self'; img-src 'self'; " +
  "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/** A fresh browser with a profile of its own; `close()` takes both away. */
export async function launch() {
  const profile = await mkdtemp(path.join(os.tmpdir(), "ieum-browser-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.IEUM_CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync"],
  });
  const close = async () => {
    await context.close();
    await rm(profile, { recursive: true, force: true });
  };
  return { context, close };
}

const types = { ".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml", ".woff2": "font/woff2" };

/** Serves a folder on a free loopback port, with the strict policy. */
export async function serve(folder) {
  const server = createServer(async (request, response) => {
    const name = path.normalize(decodeURIComponent(new URL(request.url, "http://x").pathname));
    try {
      const body = await readFile(path.join(folder, name));
      response.writeHead(200, { "content-type": types[path.extname(name)] ?? "application/octet-stream", "content-security-policy": policy });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  const origin = `http://127.0.0.1:${server.address().port}`;
  return { origin, close: () => new Promise((done) => { server.closeAllConnections(); server.close(done); }) };
}

/** A page that fails the test on script errors, policy breaches and requests to any other host. */
export async function open(context, url, size = widths[0]) {
  const page = await context.newPage();
  const faults = [];
  const origin = new URL(url).origin;
  page.on("pageerror", (error) => faults.push(`script: ${error.message}`));
  page.on("console", (message) => message.type() === "error" && faults.push(`console: ${message.text()}`));
  page.on("request", (request) => {
    if (/^https?:/.test(request.url()) && new URL(request.url()).origin !== origin) faults.push(`request to ${request.url()}`);
  });
  await page.setViewportSize(size);
  await page.goto(url, { waitUntil: "load" });
  await page.evaluate(() => document.fonts.ready);
  return { page, faults };
}

/** axe-core: no violation of serious or critical impact, in WCAG 2.2 AA. */
export async function checkAccessibility(page, name) {
  // Evaluated by the debugger, not added as a script element, so that the page's policy can stay strict.
  await page.evaluate(await readFile(require.resolve("axe-core/axe.min.js"), "utf8"));
  const result = await page.evaluate(() => window.axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  }));
  const grave = result.violations.filter((violation) => ["serious", "critical"].includes(violation.impact));
  const told = grave.map((violation) => `${violation.id}: ${violation.nodes.slice(0, 4).map((node) => `${node.html}\n      ${node.failureSummary.replaceAll("\n", " ")}`).join("\n    ")}`);
  assert.equal(grave.length, 0, `${name}\n  ${told.join("\n  ")}`);
  return result.violations.map((violation) => `${violation.impact} ${violation.id} (${violation.nodes.length})`);
}

/** No part of the page is wider than the window. */
export async function checkWidth(page, name) {
  const [inner, outer] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
  assert.ok(inner <= outer, `${name}: content ${inner} px in a window of ${outer} px`);
}

/** The first Tab reaches the skip link, which is then seen, and Enter leads to the main part. */
export async function checkSkipLink(page, name) {
  await page.keyboard.press("Tab");
  const link = page.locator("#krds-skip-link a");
  assert.ok(await link.evaluate((element) => element === document.activeElement), `${name}: skip link is first`);
  const box = await link.boundingBox();
  assert.ok(box.height >= 24 && box.width >= 24, `${name}: skip link is seen`);
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "content", `${name}: skip link leads to the content`);
}

/** Walks through the page with Tab: everything that can be used is reached and shows its focus. */
export async function checkKeyboard(page, name) {
  // Tab goes on from where the last focus or fragment was; only a page opened anew starts at its top.
  const address = page.url().split("#")[0];
  await page.goto("about:blank");
  await page.goto(address);
  const selector = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']";
  const expected = await page.evaluate((selector) => {
    const groups = new Set();
    const usable = [...document.querySelectorAll(selector)].filter((element) => {
      if (element.disabled || element.tabIndex < 0 || !element.checkVisibility({ visibilityProperty: true })) return false;
      if (element.type !== "radio") return true;
      // Tab enters a group of radios once; arrows move inside it.
      const first = !groups.has(element.name);
      groups.add(element.name);
      return first;
    });
    window.reached = new Set();
    return usable.length;
  }, selector);
  const unseen = [];
  for (let step = 0; step < expected + 20; step += 1) {
    await page.keyboard.press("Tab");
    const seen = await page.evaluate(() => {
      const element = document.activeElement;
      if (element === document.body) return { done: true };
      window.reached.add(element.type === "radio" ? `radio ${element.name}` : element);
      const style = getComputedStyle(element);
      const shown = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
      return { shown, html: element.outerHTML.slice(0, 120) };
    });
    if (seen.done) break;
    if (!seen.shown) unseen.push(seen.html);
  }
  assert.deepEqual(unseen, [], `${name}: focus is not visible`);
  assert.equal(await page.evaluate(() => window.reached.size), expected, `${name}: not everything is reached by Tab`);
}

/** Refused pages are answers with a status of their own, which browsers report as a failed load. */
const refused = /Failed to load resource: the server responded with a status of 4(03|04|10)/;

/** Opens a page and holds it to everything that every page must keep. */
export async function lookAt(context, origin, address, { keyboard = false } = {}) {
  const shots = process.env.IEUM_SCREENSHOTS;
  for (const lang of ["ko", "en"])
    for (const size of widths) {
      const name = `${address} ${lang} ${size.width}`;
      const mark = address.includes("?") ? "&" : "?";
      const { page, faults } = await open(context, `${origin}${address}${mark}lang=${lang}`, size);
      await page.waitForTimeout(150);
      if (shots) {
        const file = `${address.replaceAll(/[^a-z0-9]+/gi, "-") || "start"}.${lang}.${size.width}.png`;
        await page.screenshot({ path: path.join(shots, file), fullPage: true });
      }
      assert.equal(await page.locator("html").getAttribute("lang"), lang, name);
      assert.equal(await page.locator("h1").count(), 1, name);
      await checkWidth(page, name);
      await checkAccessibility(page, name);
      if (keyboard && lang === "ko") {
        await page.reload();
        await checkSkipLink(page, name);
        await checkKeyboard(page, name);
      }
      assert.deepEqual(faults.filter((fault) => !refused.test(fault)), [], name);
      await page.close();
    }
  await context.clearCookies({ name: "lang" });
}
