// The drawer: the details of one thing at a time, rendered by the server.

import { Refresher } from "./refresher.js";

const { htmx } = window;
export const KINDS = ["vehicle", "alert", "conversation"];

const same = (a, b) => a?.kind === b?.kind && a?.id === b?.id;

/**
 * `current` is what it holds, `{kind, id}`, or null. Fires `opened` with it once its details are there, `updated` when
 * they were fetched again, `failed` when they cannot be had, `closed`, and `action` with the data of a pressed
 * `[data-action]` or `[data-sort]`.
 */
export class Drawer extends EventTarget {
  #element;
  #opening = false;
  #refresher;
  current = null;

  constructor(element) {
    super();
    this.#element = element;
    const content = element.querySelector("[data-kind]");
    if (content) this.current = { kind: content.dataset.kind, id: content.dataset.id };
    this.#refresher = new Refresher(() => this.#load("morph:innerHTML"));
    element.addEventListener("click", ({ target }) => this.#press(target.closest("[data-action], [data-sort]")));
    element.addEventListener("htmx:beforeSwap", ({ detail }) => {
      // What was asked for before something else was chosen, or before it was closed, comes too late.
      if (detail.target === element && detail.pathInfo.requestPath !== this.#url) detail.shouldSwap = false;
    });
    element.addEventListener("htmx:afterSwap", ({ detail }) => detail.target === element && this.#filled());
    for (const failure of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
      element.addEventListener(failure, ({ detail }) => detail.target === element && this.#failed(detail.xhr.status));
    }
  }

  /** The id of what it holds, if it is of this kind; else null. */
  idOf(kind) {
    return this.current?.kind === kind ? this.current.id : null;
  }

  /** Load the details of something. A later call wins over one that is still under way. */
  open(thing) {
    if (same(this.current, thing)) return;
    this.current = thing;
    this.#opening = true;
    this.#load("innerHTML");
  }

  /** Fetch the details again, in place: focus, scroll and what is being typed stay. */
  refresh() {
    if (this.current !== null && !this.#opening) this.#refresher.soon();
  }

  close() {
    if (this.current === null) return;
    this.current = null;
    this.#opening = false;
    this.#element.replaceChildren();
    document.body.dataset.drawer = "closed";
    this.dispatchEvent(new Event("closed"));
  }

  get #url() {
    return this.current && `${this.#element.dataset.url}?${new URLSearchParams({ [this.current.kind]: this.current.id })}`;
  }

  /** One request at a time, and behind it the last that was asked for (`hx-sync`). What fails is told by htmx's events. */
  async #load(swap) {
    if (this.current === null || (this.#opening && swap !== "innerHTML")) return;
    await htmx.ajax("GET", this.#url, { source: this.#element, target: this.#element, swap }).catch(() => {});
  }

  #filled() {
    document.body.dataset.drawer = "open";
    const name = this.#opening ? "opened" : "updated";
    this.#opening = false;
    this.dispatchEvent(new CustomEvent(name, { detail: this.current }));
  }

  /** What cannot be opened, or is gone, leaves no old details behind; what cannot be refreshed just now stays. */
  #failed(status) {
    if (this.#opening || status === 404) this.dispatchEvent(new Event("failed"));
  }

  #press(button) {
    if (button) this.dispatchEvent(new CustomEvent("action", { detail: { ...button.dataset } }));
  }
}
