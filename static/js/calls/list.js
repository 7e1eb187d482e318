// The list of calls and the count of missed ones: the server's, fetched again when a call changes.

import { serverNow, showTime, ticker } from "../clock.js";
import { linkFilter } from "../link.js";
import { write } from "../text.js";
import { Refresher } from "../ui/refresher.js";
import { fetchRows, markCurrent } from "../ui/rows.js";
import { clockText } from "./words.js";

const { htmx } = window;
const TAB = "calls";

export class CallList {
  #form;
  #list;
  #tabs;
  #selected;
  #refresher;

  constructor(form, list, { socket, tabs, drawer }) {
    this.#form = form;
    this.#list = list;
    this.#tabs = tabs;
    this.#selected = drawer.idOf("call");
    this.#refresher = new Refresher(() => this.#fetch());
    for (const event of ["registered", "call_state"]) socket.addEventListener(event, () => this.#refresher.soon());
    tabs.addEventListener("change", ({ detail }) => detail === TAB && this.#refresher.soon());
    drawer.addEventListener("opened", ({ detail }) => this.#select(detail.kind === "call" ? detail.id : null));
    drawer.addEventListener("closed", () => this.#select(null));
    list.addEventListener("htmx:afterSwap", () => this.#show());
    form.addEventListener("htmx:afterRequest", () => tabs.current === TAB && linkFilter(form));
    ticker.addEventListener("tick", () => this.#show());
    this.#show();
  }

  #fetch() {
    if (this.#tabs.current !== TAB) {
      return htmx.ajax("GET", this.#form.dataset.waitingUrl, { source: this.#form, swap: "none" });
    }
    return fetchRows(this.#form, this.#list, "call-row");
  }

  #select(callId) {
    this.#selected = callId;
    this.#show();
  }

  #show() {
    for (const row of this.#list.getElementsByClassName("call-row")) {
      markCurrent(row, row.dataset.callId === this.#selected);
    }
    showCallTimes(this.#list);
  }
}

/** Keep the times in an element up to date: how long ago, and how long they have talked. */
export function showCallTimes(element) {
  const now = serverNow();
  for (const time of element.querySelectorAll("time[data-ts]")) showTime(time, Number(time.dataset.ts), now);
  for (const talked of element.querySelectorAll("[data-since]")) write(talked, clockText(now - Number(talked.dataset.since)));
}
