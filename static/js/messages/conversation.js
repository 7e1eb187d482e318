// The open conversation in the drawer: its messages, what is on its way to them, and the composer.

import { Composer } from "./composer.js";
import { PendingMessages } from "./pending.js";
import { Thread } from "./thread.js";

export class Conversation {
  #element;
  #drawer;
  #parts;
  #end = null;
  #composer = null;
  #isToCompose = false;

  /** `element` is the drawer's; `parts` are the `socket`, the `outbox`, the `store` of this tab and the `texts` of errors. */
  constructor(element, drawer, parts) {
    this.#element = element;
    this.#drawer = drawer;
    this.#parts = parts;
    for (const change of ["opened", "closed"]) drawer.addEventListener(change, () => this.follow());
    element.addEventListener("htmx:afterSwap", ({ detail: { target } }) => target.id === "recipients" && !target.open && target.showModal());
  }

  /** Begin to write in the one that is open or is being opened. */
  compose() {
    this.#isToCompose = this.#composer === null;
    this.#composer?.focus();
  }

  /** Take up what the drawer holds now. */
  follow() {
    this.#end?.abort();
    this.#composer = null;
    const reference = this.#drawer.idOf("conversation");
    if (reference === null) return;
    this.#end = new AbortController();
    const until = { signal: this.#end.signal };
    const { socket, outbox, store, texts } = this.#parts;
    const list = this.#element.querySelector("#thread-messages");
    const pending = new PendingMessages(this.#element.querySelector("#thread-pending"), list, reference, { socket, outbox, texts, until });
    const thread = new Thread(this.#element, reference, { socket, until, onSwap: () => pending.update() });
    outbox.addEventListener("stored", ({ detail }) => detail.conversation === reference && thread.refresh(), until);
    const form = this.#element.querySelector("#composer");
    if (form) {
      this.#composer = new Composer(form, reference, { outbox, store });
      this.#composer.addEventListener("sent", () => thread.toEnd());
      if (this.#isToCompose) this.#composer.focus();
    }
    this.#isToCompose = false;
  }
}
