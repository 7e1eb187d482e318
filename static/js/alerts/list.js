// The list of alerts in the rail: rendered by the server, fetched again when something changes.

import { serverNow, showTime, ticker } from "../clock.js";
import { linkFilter } from "../link.js";
import { write } from "../text.js";
import { Refresher } from "../ui/refresher.js";

const { htmx } = window;
const MOST_CLEARED = 500;

export class AlertList {
  #list;
  #form;
  #tabs;
  #shown;
  #selected = null;
  #stale = false;
  #refresher;
  #cleared;

  /** `user` names whose list it is: what one has cleared, another at the same browser still sees. `shown` gets each row. */
  constructor(list, form, { alerts, tabs, user, shown }) {
    this.#list = list;
    this.#form = form;
    this.#tabs = tabs;
    this.#shown = shown;
    this.#cleared = new Cleared(user);
    this.#refresher = new Refresher(() => this.#load());
    alerts.addEventListener("change", () => this.#refresh());
    tabs.addEventListener("change", () => this.#stale && this.#refresh());
    ticker.addEventListener("tick", () => this.#isShown && this.#showTimes());
    list.addEventListener("htmx:afterSwap", () => this.#show());
    form.addEventListener("htmx:afterRequest", () => linkFilter(form));
    addEventListener("storage", ({ key }) => key === this.#cleared.name && this.#show());
    document.getElementById("clear-taken").addEventListener("click", () => this.#clear());
    document.getElementById("undo-clear").addEventListener("click", () => this.#undo());
    this.#show();
  }

  /** Mark the row of an alert as the selected one; null for none. */
  select(alertId) {
    this.#selected = alertId;
    for (const row of this.#rows) row.ariaCurrent = row.dataset.alertId === alertId ? "true" : null;
  }

  /** Show only those that nobody has taken. */
  filter(which) {
    this.#form.elements.alerts.value = which;
    htmx.trigger(this.#form, "change");
  }

  get #rows() {
    return this.#list.querySelectorAll(".alert-row");
  }

  get #isShown() {
    return this.#tabs.current === "alerts";
  }

  /** A list that nobody looks at waits until somebody does. */
  #refresh() {
    this.#stale = !this.#isShown;
    if (this.#isShown) this.#refresher.soon();
  }

  #load() {
    const url = `${this.#form.getAttribute("hx-get")}?${new URLSearchParams(new FormData(this.#form))}`;
    return htmx.ajax("GET", url, { source: this.#form, target: this.#list, swap: "morph:innerHTML" });
  }

  #show() {
    this.select(this.#selected);
    this.#showTimes();
    const cleared = this.#cleared.ids;
    let hidden = 0;
    for (const row of this.#rows) {
      // One that is open again is nobody's: it was not this that was cleared.
      const isHidden = row.dataset.state !== "open" && cleared.has(row.dataset.alertId);
      row.parentElement.hidden = isHidden;
      this.#shown(row);
      hidden += Number(isHidden);
    }
    const taken = [...this.#rows].filter(isTaken).length;
    const heading = document.getElementById("taken-heading");
    if (heading) heading.hidden = hidden === taken;
    document.getElementById("cleared").hidden = hidden === 0;
    document.getElementById("clear-taken").hidden = hidden === taken;
    write(document.getElementById("cleared-count"), `${hidden} cleared`);
  }

  #showTimes() {
    const now = serverNow();
    for (const time of this.#list.querySelectorAll("time[data-ts]")) showTime(time, Number(time.dataset.ts), now);
  }

  #clear() {
    this.#cleared.add([...this.#rows].filter(isTaken).map((row) => row.dataset.alertId));
    this.#show();
  }

  #undo() {
    this.#cleared.forget();
    this.#show();
  }
}

const isTaken = (row) => row.dataset.state !== "open";

/** The alerts that somebody has cleared from the list of this browser; they stay in the history. */
class Cleared {
  #kept = [];

  constructor(user) {
    this.name = `v2v.cleared.${user}`;
  }

  get ids() {
    try {
      const stored = JSON.parse(localStorage.getItem(this.name) ?? "[]");
      this.#kept = Array.isArray(stored) ? stored : [];
    } catch {
      // No storage: what was cleared stays so as long as the page.
    }
    return new Set(this.#kept);
  }

  add(ids) {
    this.#keep([...this.ids, ...ids].slice(-MOST_CLEARED));
  }

  forget() {
    this.#keep([]);
  }

  #keep(ids) {
    this.#kept = ids;
    try {
      localStorage.setItem(this.name, JSON.stringify(ids));
    } catch {
      // As above.
    }
  }
}
