// What the pages gain when scripts run. Every page works without this file, passkeys excepted; nothing here fetches or stores
// anything by itself.
import { passkeys } from "./passkey";

/** Under 1024 px the main menu folds behind a button that only exists when scripts run. */
function menu(): void {
  const button = document.querySelector<HTMLButtonElement>("[data-menu-toggle]");
  const panel = button && document.getElementById(button.getAttribute("aria-controls") ?? "");
  if (!button || !panel) return;
  const show = (open: boolean): void => {
    button.setAttribute("aria-expanded", String(open));
    panel.classList.toggle("is-open", open);
  };
  document.documentElement.classList.add("has-script");
  button.hidden = false;
  button.addEventListener("click", () => show(button.getAttribute("aria-expanded") !== "true"));
  panel.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    show(false);
    button.focus();
  });
}

/** A live region that is in the page from the start is read out only when it changes, so the text is put in anew. */
function liveRegions(): void {
  for (const region of document.querySelectorAll<HTMLElement>("[data-announce]")) {
    const content = [...region.childNodes];
    region.replaceChildren();
    setTimeout(() => region.replaceChildren(...content), 100);
  }
}

/** In-page links over sections become tabs in the sense of the ARIA authoring practices (arrow keys, Home, End). */
function tabs(root: HTMLElement): void {
  const list = root.querySelector<HTMLElement>("[data-tab-list]");
  const links = [...root.querySelectorAll<HTMLAnchorElement>("[data-tab-list] a")];
  const panels = links.map((link) => document.getElementById(link.hash.slice(1)));
  if (!list || panels.some((panel) => panel === null)) return;
  list.setAttribute("role", "tablist");
  root.classList.add("is-tabs");
  const select = (index: number, focus: boolean): void => {
    links.forEach((link, at) => {
      link.setAttribute("aria-selected", String(at === index));
      link.tabIndex = at === index ? 0 : -1;
      link.parentElement?.classList.toggle("active", at === index);
      panels[at]!.hidden = at !== index;
    });
    if (focus) links[index].focus();
  };
  links.forEach((link, index) => {
    link.parentElement?.setAttribute("role", "presentation");
    link.setAttribute("role", "tab");
    link.setAttribute("aria-controls", panels[index]!.id);
    link.id ||= `${panels[index]!.id}-tab`;
    panels[index]!.setAttribute("role", "tabpanel");
    panels[index]!.setAttribute("aria-labelledby", link.id);
    link.addEventListener("click", (event) => {
      event.preventDefault();
      history.replaceState(null, "", link.hash);
      select(index, false);
    });
    link.addEventListener("keydown", (event) => {
      const last = links.length - 1;
      const next = { ArrowRight: index === last ? 0 : index + 1, ArrowLeft: index === 0 ? last : index - 1, Home: 0, End: last }[event.key];
      if (next === undefined) return;
      event.preventDefault();
      select(next, true);
    });
  });
  const named = links.findIndex((link) => link.hash === location.hash);
  select(named < 0 ? 0 : named, false);
}

/** A selection that acts at once (`data-submit`): its button remains for those without scripts. */
function submitOnChange(): void {
  for (const select of document.querySelectorAll<HTMLSelectElement>("select[data-submit]"))
    select.addEventListener("change", () => select.form?.requestSubmit());
}

/** `print` buttons appear only where they can work. */
function printButtons(): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>("button[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }
}

/** Copies the text of an element (`data-copy` names it) and says so in place of the button's word. */
function copyButtons(): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>("button[data-copy]")) {
    const source = document.getElementById(button.dataset.copy ?? "");
    if (!source || !navigator.clipboard) continue;
    const word = button.textContent;
    button.hidden = false;
    button.setAttribute("aria-live", "polite");
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(source.textContent ?? "");
      button.textContent = button.dataset.copied ?? word;
      setTimeout(() => (button.textContent = word), 2000);
    });
  }
}

/** Reloads the page by itself while a box is ticked (`data-refresh`, in seconds) and somebody is looking; `#auto` in the
    address keeps the tick over the reload, and `auto` in its query tells the hub that nobody asked, so that a page left
    open does not keep its session alive. */
function refreshBoxes(): void {
  for (const label of document.querySelectorAll<HTMLElement>("[data-refresh]")) {
    const box = label.querySelector<HTMLInputElement>("input");
    if (!box) continue;
    label.hidden = false;
    box.checked = location.hash === "#auto";
    const seconds = Number(label.dataset.refresh) || 10;
    box.addEventListener("change", () => history.replaceState(null, "", box.checked ? "#auto" : location.pathname));
    const again = (): void => {
      const url = new URL(location.href);
      if (url.searchParams.has("auto")) return location.reload();
      url.searchParams.set("auto", "1");
      location.replace(url);
    };
    setInterval(() => box.checked && !document.hidden && again(), seconds * 1000);
  }
}

/** Where the links of a row do not all fit, the one of this page is moved into sight. */
function currentInSight(): void {
  for (const link of document.querySelectorAll<HTMLElement>(".tab.line a[aria-current]")) {
    const row = link.closest("ul");
    if (row && row.scrollWidth > row.clientWidth)
      row.scrollLeft = link.getBoundingClientRect().left - row.getBoundingClientRect().left - (row.clientWidth - link.clientWidth) / 2;
  }
}

menu();
passkeys();
currentInSight();
copyButtons();
refreshBoxes();
liveRegions();
document.querySelectorAll<HTMLElement>("[data-tabs]").forEach(tabs);
submitOnChange();
printButtons();
