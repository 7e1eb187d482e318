// Tabs: links that show one panel of several. The arrow keys move between them, as in every list of tabs.

/** Fires `change` with the name of the tab that shows now. */
export class Tabs extends EventTarget {
  #tabs;

  constructor(tablist) {
    super();
    this.#tabs = [...tablist.querySelectorAll("[role=tab]")];
    this.current = this.#tabs.find((tab) => tab.ariaSelected === "true").dataset.tab;
    tablist.addEventListener("keydown", (event) => this.#move(event));
  }

  /** The panel that shows now. */
  get panel() {
    return document.getElementById(`panel-${this.current}`);
  }

  /** Show a tab's panel instead of the others; a name that there is none of shows the first. */
  show(name) {
    const chosen = this.#tabs.find((tab) => tab.dataset.tab === name) ?? this.#tabs[0];
    if (chosen.dataset.tab === this.current) return;
    this.current = chosen.dataset.tab;
    for (const tab of this.#tabs) {
      tab.ariaSelected = String(tab === chosen);
      tab.tabIndex = tab === chosen ? 0 : -1;
      document.getElementById(`panel-${tab.dataset.tab}`).hidden = tab !== chosen;
    }
    this.dispatchEvent(new CustomEvent("change", { detail: this.current }));
  }

  #move(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const at = this.#tabs.indexOf(event.target.closest("[role=tab]"));
    if (!step || at < 0) return;
    event.preventDefault();
    const next = this.#tabs[(at + step + this.#tabs.length) % this.#tabs.length];
    next.click();
    next.focus();
  }
}
