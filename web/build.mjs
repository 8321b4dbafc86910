// Builds web/dist: one style sheet, one script, the fonts and the few icons that the kept KRDS rules name.
// Called by `npm run build` and by crates/ui/build.rs. Nothing of KRDS is committed: it is read from node_modules.
import { existsSync } from "node:fs";
import { copyFile, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import esbuild from "esbuild";
import { krdsStyles } from "./krds.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const dist = path.join(here, "dist");
const work = path.join(here, `dist.${process.pid}`);
const krds = path.join(here, "node_modules", "krds-uiux", "resources");

/** Our own sheets in file-name order; `plain.css` stands in for KRDS and is left out when KRDS is there. */
async function ownStyles() {
  const dir = path.join(here, "src", "css");
  const names = (await readdir(dir)).filter((name) => name.endsWith(".css") && name !== "plain.css").sort();
  return Promise.all(names.map((name) => readFile(path.join(dir, name), "utf8")));
}

/** The two weights that KRDS uses; glyphs outside the subset fall through to the system's Korean font. */
function fontFaces() {
  const face = (weight, file) => `@font-face {
  font-family: "Pretendard GOV"; font-weight: ${weight}; font-style: normal; font-display: swap;
  src: url("${path.join(krds, "fonts", file)}") format("woff2");
}`;
  return [face(400, "PretendardGOV-Regular.subset.woff2"), face(700, "PretendardGOV-Bold.subset.woff2")].join("\n");
}

async function build() {
  if (!existsSync(krds)) throw new Error("krds-uiux is not installed: run `npm ci` in web/");
  await mkdir(work, { recursive: true });
  const own = (await ownStyles()).join("\n");
  const entry = path.join(work, "ieum.css");
  await writeFile(entry, [fontFaces(), own.split("/* layers end */")[0], await krdsStyles(krds, own), own].join("\n"));
  const common = { bundle: true, minify: true, logLevel: "warning", legalComments: "none" };
  await esbuild.build({
    ...common,
    entryPoints: [entry],
    outfile: path.join(work, "out", "ieum.css"),
    loader: { ".svg": "file", ".woff2": "file" },
    assetNames: "[name]",
  });
  await esbuild.build({
    ...common,
    entryPoints: [path.join(here, "src", "ieum.ts")],
    outfile: path.join(work, "out", "ieum.js"),
    format: "iife",
    target: "es2020",
  });
  await copyFile(path.join(here, "src", "favicon.svg"), path.join(work, "out", "favicon.svg"));
  // The old result stays until the new one is complete, so that a failed build never leaves half a folder.
  await rm(dist, { recursive: true, force: true });
  await rename(path.join(work, "out"), dist);
}

try {
  await build();
  let total = 0;
  for (const name of await readdir(dist)) {
    const { size } = await stat(path.join(dist, name));
    total += size;
    console.log(`${String(size).padStart(8)}  ${name}`);
  }
  console.log(`${String(total).padStart(8)}  total`);
} finally {
  await rm(work, { recursive: true, force: true });
}
