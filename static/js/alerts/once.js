// What this browser has shown already, in any of its tabs and before any reload.

const MOST = 500; // remembered; the oldest are forgotten
const LOCK = "v2v.once";

/** Keys that one of the browser's pages has claimed. */
export class Once {
  #name;

  /** `user`: two people at one browser are each shown everything. */
  constructor(user) {
    this.#name = `v2v.shown.${user}`;
  }

  /**
   * Whether this page is the first to claim the key. Two tabs hear of the same thing at the same moment: each looks
   * and writes under one lock, which the browser gives to one tab at a time, so the second finds the key. Where there
   * are no locks (plain HTTP from another machine) looking and writing still follow each other without a pause; at
   * the worst both tabs show it, which is better than none.
   */
  async claim(key) {
    return navigator.locks ? navigator.locks.request(LOCK, () => this.#claim(key)) : this.#claim(key);
  }

  #claim(key) {
    const known = this.#read();
    if (known.includes(key)) return false;
    try {
      localStorage.setItem(this.#name, JSON.stringify([...known, key].slice(-MOST)));
    } catch {
      // A browser that refuses storage shows it once a page.
    }
    return true;
  }

  #read() {
    try {
      const known = JSON.parse(localStorage.getItem(this.#name) ?? "[]");
      return Array.isArray(known) ? known : [];
    } catch {
      return [];
    }
  }
}
