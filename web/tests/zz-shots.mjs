import { launch, open } from "./browser.mjs";
const b = await launch();
const o = "http://127.0.0.1:9377";
const { page } = await open(b.context, o + "/");
await page.getByRole("button", { name: "의료진으로 들어가기" }).click();
await page.waitForURL(/patients/);
for (const part of ["", "/visits", "/medicines", "/problems", "/results", "/results/2160-0?system=http%3A%2F%2Floinc.org", "/vitals", "/documents/d1"])
  for (const w of [1280, 360]) {
    await page.setViewportSize({ width: w, height: 800 });
    await page.goto(`${o}/patients/tp${part}`);
    await page.waitForTimeout(100);
    await page.screenshot({ path: `/tmp/pf-shots/tp${part.replace(/[^a-z0-9]+/gi, "_").slice(0, 20)}.${w}.png`, fullPage: true });
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (over > 0) console.log("overflow", part, w, over);
  }
await b.close?.();
process.exit(0);
