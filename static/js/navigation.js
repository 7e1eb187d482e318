// What is on the screen stands in the address: `?tab=` for the list, `?vehicle=`, `?alert=` or `?conversation=` for the
// drawer, `#zoom/lat/lng` for the map. Links of this kind are followed within the page; Back undoes each step.

import { KINDS } from "./ui/drawer.js";

const FIRST_TAB = "vehicles";

/** What an address shows: `{tab, thing}`; `thing` is `{kind, id}` or null, `tab` null where it names none. */
function shownBy(url) {
  const kind = KINDS.find((name) => url.searchParams.get(name));
  return { tab: url.searchParams.get("tab"), thing: kind ? { kind, id: url.searchParams.get(kind) } : null };
}

/** Keep a change of the query in the address, as a step that Back undoes. */
function link(change) {
  const url = new URL(location.href);
  change(url.searchParams);
  if (url.href !== location.href) history.pushState(null, "", url);
}

/** Fires `chosen` with `{kind, id, center}` when something is chosen to be shown; `center`: on the map too. */
export class Navigation extends EventTarget {
  #tabs;
  #drawer;

  constructor(tabs, drawer) {
    super();
    this.#tabs = tabs;
    this.#drawer = drawer;
    addEventListener("popstate", () => this.#follow());
    document.addEventListener("click", (event) => this.#click(event));
  }

  /** The thing that the address names, `{kind, id}` or null. */
  get linked() {
    return shownBy(new URL(location.href)).thing;
  }

  /** Show a tab. */
  show(tab) {
    link((query) => (tab === FIRST_TAB ? query.delete("tab") : query.set("tab", tab)));
    this.#tabs.show(tab);
  }

  /** Open something in the drawer. */
  open(kind, id, { center = true } = {}) {
    link((query) => {
      for (const other of KINDS) query.delete(other);
      query.set(kind, id);
    });
    this.#choose({ kind, id }, center);
  }

  /** Close the drawer. */
  close() {
    link((query) => KINDS.forEach((kind) => query.delete(kind)));
    this.#drawer.close();
  }

  #choose(thing, center) {
    this.#drawer.open(thing);
    this.dispatchEvent(new CustomEvent("chosen", { detail: { ...thing, center } }));
  }

  #follow() {
    const { tab, thing } = shownBy(new URL(location.href));
    this.#tabs.show(tab ?? FIRST_TAB);
    if (thing === null) this.#drawer.close();
    else if (this.#drawer.idOf(thing.kind) !== thing.id) this.#choose(thing, true);
  }

  #click(event) {
    const anchor = event.target.closest("a[href]");
    if (!anchor || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const url = new URL(anchor.href);
    const isHere = url.origin === location.origin && url.pathname === location.pathname;
    if (!isHere || anchor.getAttribute("href").startsWith("#") || !url.search) return;
    const { tab, thing } = shownBy(url);
    const isTab = anchor.role === "tab";
    if (!isTab && !tab && !thing) return;
    event.preventDefault();
    if (isTab || tab) this.show(tab ?? FIRST_TAB);
    if (thing && !isTab) this.open(thing.kind, thing.id);
  }
}
