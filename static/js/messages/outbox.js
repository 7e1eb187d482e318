// Messages that the server has not acknowledged. Each keeps its id over a reload and a lost connection and is sent until
// it is answered: the server stores it once. One at a time, so that they arrive in order.

import { serverNow } from "../clock.js";
import { newId } from "../ids.js";

const MOST = 50;
const AGAIN_MS = 2000;
const PASSING = new Set(["unavailable", "rate_limited"]); // not the message's fault: it waits, and goes out later

/**
 * An item: `{id, conversation, data, ttlMs, ts, refusal?}`; `data` is that of `send_message`, `refusal` the error of a
 * message that was refused. Fires `change`, and with the item `stored` once the server has it, `refused` when it is refused.
 */
export class Outbox extends EventTarget {
  #socket;
  #store;
  #items;
  #busy = false;
  #timer;

  constructor(socket, store) {
    super();
    this.#socket = socket;
    this.#store = store;
    this.#items = store.get("outbox") ?? [];
    socket.addEventListener("state", ({ detail }) => detail.name === "open" && this.#next());
  }

  /** Those of a conversation, the oldest first. */
  of(conversation) {
    return this.#items.filter((item) => item.conversation === conversation);
  }

  /** Send a message; false when too many wait already. Refused ones make way, the oldest first. */
  add(conversation, data, ttlMs) {
    if (this.#items.length >= MOST) {
      const refused = this.#items.findIndex(({ refusal }) => refusal);
      if (refused < 0) return false;
      this.#items.splice(refused, 1);
    }
    this.#items.push({ id: newId(), conversation, data, ttlMs, ts: Math.round(serverNow()) });
    this.#changed();
    return true;
  }

  /** Send a refused one again. */
  retry(id) {
    const item = this.#items.find((each) => each.id === id);
    delete item.refusal;
    item.ts = Math.round(serverNow());
    this.#changed();
  }

  /** Forget a refused one. */
  discard(id) {
    this.#items = this.#items.filter((item) => item.id !== id);
    this.#changed();
  }

  #changed() {
    this.#store.set("outbox", this.#items);
    this.dispatchEvent(new Event("change"));
    this.#next();
  }

  async #next() {
    const item = this.#items.find(({ refusal }) => !refusal);
    if (this.#busy || !item || this.#socket.state.name !== "open") return;
    this.#busy = true;
    clearTimeout(this.#timer);
    let wait = 0;
    try {
      await this.#socket.ask("send_message", item.data, { id: item.id, ts: item.ts, ttlMs: item.ttlMs });
      this.#items = this.#items.filter((each) => each !== item);
      this.dispatchEvent(new CustomEvent("stored", { detail: item }));
    } catch (refusal) {
      if (PASSING.has(refusal.code)) wait = refusal.details?.retryAfterMs ?? AGAIN_MS;
      else this.#refuse(item, refusal);
    }
    this.#busy = false;
    if (wait) this.#timer = setTimeout(() => this.#next(), wait);
    else this.#changed();
  }

  #refuse(item, refusal) {
    item.refusal = refusal;
    this.dispatchEvent(new CustomEvent("refused", { detail: item }));
  }
}
