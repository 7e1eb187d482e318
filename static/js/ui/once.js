// What this browser has shown already, in any of its tabs and before any reload.

const MOST = 500; // things remembered; those claimed longest ago are forgotten
const LOCK = "v2v.once";

/** How far of each thing the browser's pages have come. */
export class Once {
  #name;

  /** `user`: two people at one browser are each shown everything. */
  constructor(user) {
    this.#name = `v2v.shown.${user}`;
  }

  /**
   * Whether this page is the first to show the thing of this id so far: `order` rises with all that becomes of it.
   * Two tabs hear of it at the same moment: each looks and writes under one lock, which the browser gives to one tab
   * at a time, so the second finds it claimed. Where there are no locks (plain HTTP from another machine) looking and
   * writing still follow each other without a pause; at the worst both tabs show it, which is better than none.
   */
  async claim(id, order) {
    return navigator.locks ? navigator.locks.request(LOCK, () => this.#claim(id, order)) : this.#claim(id, order);
  }

  #claim(id, order) {
    const { [id]: before = -1, ...others } = this.#read();
    if (before >= order) return false;
    try {
      const kept = [...Object.entries(others), [id, order]].slice(-MOST);
      localStorage.setItem(this.#name, JSON.stringify(Object.fromEntries(kept)));
    } catch {
      // A browser that refuses storage shows it once a page.
    }
    return true;
  }

  #read() {
    try {
      return Object(JSON.parse(localStorage.getItem(this.#name) ?? "{}"));
    } catch {
      return {};
    }
  }
}
