// What this tab keeps over a reload, for one user: another who signs in here finds nothing of it.

const PREFIX = "v2v.";

export class SessionStore {
  #prefix;
  #memory = new Map(); // where the browser refuses storage, it lasts as long as the page

  constructor(user) {
    this.#prefix = `${PREFIX}${user}.`;
  }

  /** The kept value, or null. */
  get(name) {
    if (this.#memory.has(name)) return this.#memory.get(name);
    try {
      return JSON.parse(sessionStorage.getItem(this.#prefix + name));
    } catch {
      return null;
    }
  }

  /** Keep a value of JSON; null for none. */
  set(name, value) {
    this.#memory.delete(name);
    try {
      if (value === null) sessionStorage.removeItem(this.#prefix + name);
      else sessionStorage.setItem(this.#prefix + name, JSON.stringify(value));
    } catch {
      this.#memory.set(name, value);
    }
  }
}
