// Takes from KRDS what the portal uses: the components in `kept`, the tokens they and our own sheets name, and
// KRDS's high-contrast palette as the dark scheme.
import { readFile } from "node:fs/promises";
import path from "node:path";
import postcss from "postcss";

/** Class and id names of the KRDS components that crates/ui writes. A rule is kept when it names no other. */
const kept = new Set(
  [
    "krds-btn primary secondary tertiary text link xsmall small medium large xlarge icon border disabled",
    "krds-input krds-form-select form-group form-tit form-conts form-hint form-hint-invalid is-error fieldset",
    "krds-badge large number bg-light-primary bg-light-secondary bg-light-gray bg-light-point bg-light-danger",
    "bg-light-warning bg-light-success bg-light-information",
    "krds-table-wrap tbl col data scroll",
    "krds-breadcrumb-wrap breadcrumb home txt",
    "krds-pagination page-navi prev next",
    "tab line btn-tab active",
    "krds-skip-link krds-masthead toggle-head inner nuri-txt",
  ].flatMap((line) => line.split(" ")),
);

/** Whether a selector names only kept components, and at least one. KRDS's own colour modes are replaced below. */
function isKept(selector) {
  if (selector.includes("data-krds-mode")) return false;
  const names = [...selector.matchAll(/[.#]([A-Za-z_][\w-]*)/g)].map((match) => match[1]);
  return names.length > 0 && names.every((name) => kept.has(name));
}

async function sheet(resources, file) {
  const name = path.join(resources, "css", file);
  const text = await readFile(name, "utf8");
  // In 1.1.0 the icon paths repeat a folder ("img/img"); make them absolute so that esbuild finds the files.
  return postcss.parse(text.replaceAll(/url\((?:\.\.\/)+(?:img\/)+/g, `url(${resources}/img/`), { from: name });
}

function componentRules(root) {
  root.walkRules((rule) => {
    if (rule.parent.type === "atrule" && rule.parent.name.endsWith("keyframes")) return;
    rule.selectors = rule.selectors.filter(isKept);
    if (rule.selectors.length === 0 || rule.selector === "") rule.remove();
  });
  root.walkAtRules((rule) => {
    if (rule.name === "import" || rule.name === "charset" || (rule.nodes && rule.nodes.length === 0)) rule.remove();
  });
  root.walkComments((comment) => comment.remove());
  return root;
}

/** Every `--krds-*` declared for :root outside a colour mode, as name → value (narrow screens are ours to style). */
function tokens(...roots) {
  const table = new Map();
  for (const root of roots)
    root.walkRules(":root", (rule) => {
      if (rule.parent.type !== "root") return;
      rule.walkDecls(/^--krds-/, (declaration) => table.set(declaration.prop, declaration.value));
    });
  return table;
}

const references = (text) => [...text.matchAll(/var\((--krds-[\w-]+)/g)].map((match) => match[1]);
const darkTwin = (name) => name.replace("--krds-light-", "--krds-high-contrast-");

/** The tokens reachable from the given style text, in the order of the table. */
function reachable(table, text) {
  const found = new Set();
  const queue = references(text);
  while (queue.length > 0) {
    const name = queue.pop();
    if (found.has(name) || !table.has(name)) continue;
    found.add(name);
    queue.push(...references(table.get(name)));
    if (name.startsWith("--krds-light-") && table.has(darkTwin(name))) queue.push(darkTwin(name));
  }
  return [...table].filter(([name]) => found.has(name));
}

/** The KRDS part of the style sheet, in the cascade layer `krds`. */
export async function krdsStyles(resources, own) {
  const common = await sheet(resources, "common/common.css");
  const table = tokens(await sheet(resources, "token/krds_tokens.css"), common);
  const components = componentRules(await sheet(resources, "component/component.css")).toString();
  const used = reachable(table, components + own);
  const light = used.map(([name, value]) => `${name}: ${value};`);
  const dark = used
    .filter(([name]) => name.startsWith("--krds-light-") && table.has(darkTwin(name)))
    .map(([name]) => `${name}: var(${darkTwin(name)});`);
  return `@layer krds {
:root { ${light.join(" ")} }
@media screen and (prefers-color-scheme: dark) { :root { ${dark.join(" ")} } }
${components}
}`;
}
