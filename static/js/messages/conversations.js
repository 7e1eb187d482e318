// The list of conversations and the count of unread messages: the server's, fetched again when a message comes or is read.

import { serverNow, showTime, ticker } from "../clock.js";
import { linkFilter } from "../link.js";
import { Refresher } from "../ui/refresher.js";
import { fetchRows, markCurrent } from "../ui/rows.js";
import { isToDispatch } from "./parties.js";

const { htmx } = window;
const TAB = "messages";

export class Conversations {
  #form;
  #list;
  #tabs;
  #selected = null;
  #isSwapped = false;
  #unread = new Set(); // the ids of messages to dispatch that nobody had read when they came
  #refresher;

  constructor(form, list, { socket, tabs, drawer }) {
    this.#form = form;
    this.#list = list;
    this.#tabs = tabs;
    this.#selected = drawer.idOf("conversation");
    this.#refresher = new Refresher(() => this.#fetch());
    socket.addEventListener("registered", ({ detail }) => this.#begin(detail.messages ?? []));
    socket.addEventListener("message", ({ detail }) => this.#came(detail));
    socket.addEventListener("message_status", ({ detail }) => this.#changed(detail));
    tabs.addEventListener("change", ({ detail }) => detail === TAB && this.#refresher.soon());
    drawer.addEventListener("opened", ({ detail }) => this.#select(detail.kind === "conversation" ? detail.id : null));
    drawer.addEventListener("closed", () => this.#select(null));
    list.addEventListener("htmx:afterSwap", () => this.#swapped());
    form.addEventListener("htmx:afterRequest", () => tabs.current === TAB && linkFilter(form));
    ticker.addEventListener("tick", () => this.#show());
    this.#show();
  }

  #begin(messages) {
    this.#unread = new Set(messages.filter(isToDispatch).map(({ messageId }) => messageId));
    this.#refresher.soon();
  }

  #came(message) {
    if (isToDispatch(message)) this.#unread.add(message.messageId);
    this.#refresher.soon();
  }

  /** Only what became of messages to dispatch changes what is unread; that of others has no place in the list. */
  #changed({ messageId, status, recipientId }) {
    if (status === "delivered" || !this.#unread.has(messageId)) return;
    if (recipientId) this.#unread.delete(messageId); // of a broadcast nobody says whether it was dispatch that read it
    this.#refresher.soon();
  }

  #fetch() {
    if (this.#tabs.current !== TAB) {
      return htmx.ajax("GET", this.#form.dataset.unreadUrl, { source: this.#form, swap: "none" });
    }
    return fetchRows(this.#form, this.#list, "conversation-row");
  }

  #select(reference) {
    this.#selected = reference;
    this.#show();
  }

  /** Once for all the rows of an answer, each of which has its own event. */
  #swapped() {
    if (this.#isSwapped) return;
    this.#isSwapped = true;
    queueMicrotask(() => {
      this.#isSwapped = false;
      this.#show();
    });
  }

  #show() {
    if (this.#tabs.current !== TAB) return;
    const now = serverNow();
    for (const row of this.#list.getElementsByClassName("conversation-row")) {
      markCurrent(row, row.dataset.conversation === this.#selected);
      const time = row.querySelector("time");
      showTime(time, Number(time.dataset.ts), now);
    }
  }
}
