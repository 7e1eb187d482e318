// Fetching something again when it has changed: not for every change, and never twice at once.

const APART_MS = 300;

export class Refresher {
  #load;
  #timer = null;
  #busy = false;
  #again = false;

  /** `load` fetches it, and its promise ends when that is done, well or not. */
  constructor(load) {
    this.#load = load;
  }

  /** Fetch it soon: once for all that changes meanwhile, and once more for what changes while it is fetched. */
  soon() {
    if (this.#busy) this.#again = true;
    else this.#timer ??= setTimeout(() => this.#run(), APART_MS);
  }

  async #run() {
    this.#timer = null;
    this.#busy = true;
    try {
      await this.#load();
    } catch {
      // The page tells of requests that fail; the next change tries again.
    }
    this.#busy = false;
    if (!this.#again) return;
    this.#again = false;
    this.soon();
  }
}
