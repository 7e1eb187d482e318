// The messages of the open conversation: fetched from the server as they are, in place, and read when they are seen.

import { Refresher } from "../ui/refresher.js";
import { conversationOf } from "./parties.js";
import { showStatus } from "./statuses.js";

const { htmx } = window;
const AT_END_PX = 40;
const SEEN_PART = 0.5; // of a message: so much of it in view is seen
const AGAIN_MS = 2000;

export class Thread {
  #element;
  #list;
  #button;
  #socket;
  #until;
  #refresher;
  #watcher;
  #wasAtEnd = true;
  #isFetching = false;
  #withOlder = false;
  #unseen = 0;
  #before = null;
  #reading = new Set();

  /** `onSwap` is called after the messages were fetched again; `until` ends what it listens to. */
  constructor(root, reference, { socket, until, onSwap }) {
    this.#element = root.querySelector("#thread");
    this.#list = root.querySelector("#thread-messages");
    this.#button = root.querySelector("#thread-new");
    this.#socket = socket;
    this.#until = until;
    this.#refresher = new Refresher(() => this.#fetch(onSwap));
    this.#watcher = new IntersectionObserver((entries) => this.#seen(entries), { root: this.#element, threshold: SEEN_PART });
    until.signal.addEventListener("abort", () => this.#watcher.disconnect());
    socket.addEventListener("message", ({ detail }) => conversationOf(detail) === reference && this.refresh(), until);
    socket.addEventListener("message_status", ({ detail }) => this.#status(detail), until);
    socket.addEventListener("registered", () => this.refresh(), until);
    document.addEventListener("visibilitychange", () => this.#watch(), until);
    this.#element.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    const resized = new ResizeObserver(() => this.#wasAtEnd && this.toEnd()); // the composer grows, what waits comes and goes
    for (const part of [this.#element, ...this.#element.children]) resized.observe(part);
    until.signal.addEventListener("abort", () => resized.disconnect());
    this.#element.addEventListener("htmx:beforeSwap", ({ detail }) => detail.target === this.#list && this.#remember());
    this.#element.addEventListener("htmx:afterRequest", ({ detail }) => detail.elt === this.#element && !detail.successful && this.#failed());
    this.#list.addEventListener("click", ({ target }) => target.closest("[data-older]") && this.#older());
    this.#button.addEventListener("click", () => this.toEnd());
    this.toEnd();
    this.#list.querySelector("[data-unread]")?.scrollIntoView({ block: "nearest" });
    this.#wasAtEnd = this.#isAtEnd();
    this.#watch();
  }

  /** Fetch the messages again soon. */
  refresh() {
    this.#refresher.soon();
  }

  /** Scroll to the newest. */
  toEnd() {
    this.#wasAtEnd = true;
    this.#element.scrollTop = this.#element.scrollHeight;
    this.#showUnseen(0);
  }

  #older() {
    this.#withOlder = true;
    this.refresh();
  }

  async #fetch(onSwap) {
    if (this.#until.signal.aborted) return;
    const query = new URLSearchParams();
    const first = this.#list.querySelector(".message");
    if (first) query.set("since", first.dataset.messageId);
    if (this.#withOlder) query.set("older", "1");
    this.#withOlder = false;
    this.#isFetching = true;
    try {
      const url = `${this.#element.dataset.url}?${query}`;
      await htmx.ajax("GET", url, { source: this.#element, target: this.#list, swap: "morph:innerHTML" });
    } finally {
      this.#isFetching = false;
    }
    onSwap();
    this.#restore();
    this.#watch();
  }

  /** While the socket is away its return fetches again; else somebody must. */
  #failed() {
    setTimeout(() => this.#socket.state.name === "open" && this.refresh(), AGAIN_MS);
  }

  // ---- Where the reader is

  #isAtEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.#element;
    return scrollHeight - scrollTop - clientHeight < AT_END_PX;
  }

  #scrolled() {
    this.#wasAtEnd = this.#isAtEnd();
    if (this.#wasAtEnd) this.#showUnseen(0);
  }

  #remember() {
    const rows = [...this.#list.querySelectorAll(".message")];
    const top = this.#element.getBoundingClientRect().top;
    const anchor = rows.find((row) => row.getBoundingClientRect().bottom > top);
    this.#before = {
      isAtEnd: this.#wasAtEnd,
      last: rows.at(-1)?.id,
      anchor: anchor?.id,
      top: anchor?.getBoundingClientRect().top,
    };
  }

  /** At the end the reader stays at the end; elsewhere what he reads stays where it is. */
  #restore() {
    const before = this.#before;
    this.#before = null;
    if (before === null) return;
    if (before.isAtEnd) {
      this.toEnd();
      return;
    }
    const anchor = before.anchor && document.getElementById(before.anchor);
    if (anchor) this.#element.scrollTop += anchor.getBoundingClientRect().top - before.top;
    const rows = [...this.#list.querySelectorAll(".message")];
    this.#showUnseen(this.#unseen + rows.length - 1 - rows.findIndex(({ id }) => id === before.last));
  }

  #showUnseen(count) {
    this.#unseen = count;
    this.#button.hidden = count === 0;
    this.#button.textContent = `${count} new`;
  }

  // ---- What became of them

  #status(change) {
    if (this.#isFetching) this.refresh(); // what is on its way may have been rendered before this
    const row = document.getElementById(`message-${change.messageId}`);
    if (!row) return;
    showStatus(row, change);
    if (change.status === "read" && row.querySelector(".badge")) this.refresh();
  }

  /** Look again at all that nobody has read: being in view counts only on a page that shows. */
  #watch() {
    this.#watcher.disconnect();
    for (const row of this.#list.querySelectorAll("[data-unread], [data-older]")) this.#watcher.observe(row);
  }

  #seen(entries) {
    if (document.hidden) return;
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      if ("older" in target.dataset) this.#older();
      else this.#read(target);
    }
  }

  async #read(row) {
    const { messageId } = row.dataset;
    if (this.#reading.has(messageId) || this.#socket.state.name !== "open") return;
    this.#reading.add(messageId);
    try {
      await this.#socket.ask("message_read", { messageId });
      delete row.dataset.unread;
    } catch ({ code, details }) {
      if (code === "unavailable" || code === "rate_limited") setTimeout(() => this.#watch(), details?.retryAfterMs ?? AGAIN_MS);
      else delete row.dataset.unread; // it has expired, or the right was taken away
    } finally {
      this.#reading.delete(messageId);
    }
  }
}
