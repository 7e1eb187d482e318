// What happened, as a list beside the map: who presses one goes to its moment.

import { write } from "../text.js";

/** Fires `chosen` with a moment, and `change` with those that are shown when a kind is switched on or off. */
export class MomentList extends EventTarget {
  #list;
  #template;
  #iconsUrl;
  #words;
  #kinds;
  #all = [];
  #rows = [];
  #current = -1;

  /** `toggles` are check boxes with `data-kind`. */
  constructor({ list, template, toggles, iconsUrl }, kinds, words) {
    super();
    this.#list = list;
    this.#template = template;
    this.#iconsUrl = iconsUrl;
    this.#kinds = kinds;
    this.#words = words;
    this.toggles = toggles;
    for (const toggle of toggles) toggle.addEventListener("change", () => this.#fill());
  }

  /** Those that are shown, in order of time. */
  get shown() {
    const kinds = new Set(this.toggles.filter(({ checked }) => checked).map(({ dataset }) => dataset.kind));
    return this.#all.filter(({ kind }) => kinds.has(kind));
  }

  /** Take the moments, in order of time. */
  replace(moments) {
    this.#all = moments;
    this.#fill();
  }

  /** Mark the last one that has happened by a moment. */
  show(time) {
    let current = -1;
    while (current + 1 < this.#rows.length && Number(this.#rows[current + 1].dataset.ts) <= time) current += 1;
    if (current === this.#current) return;
    for (const [index, value] of [[this.#current, null], [current, "true"]]) if (this.#rows[index]) this.#rows[index].ariaCurrent = value;
    this.#current = current;
    const row = this.#rows[current];
    // Only the list itself scrolls: the page stays where the reader is.
    if (row && !this.#list.contains(document.activeElement)) this.#list.scrollTop = row.offsetTop - this.#list.offsetTop - this.#list.clientHeight / 2;
  }

  #fill() {
    const { shown } = this;
    this.#rows = shown.map((moment) => this.#row(moment));
    this.#current = -1;
    this.#list.replaceChildren(...this.#rows);
    if (shown.length === 0) {
      const none = document.createElement("li");
      none.className = "replay-note muted";
      none.textContent = this.#all.length === 0 ? "Nothing happened to these vehicles in this time." : "All kinds of moments are switched off.";
      this.#list.append(none);
    }
    this.dispatchEvent(new CustomEvent("change", { detail: shown }));
  }

  #row(moment) {
    const row = this.#template.content.firstElementChild.cloneNode(true);
    const { kind, ts, words, vehicleId, link, tone } = moment;
    const { name, icon } = this.#kinds[kind];
    Object.assign(row.dataset, { kind, tone, ts });
    row.querySelector("use").setAttribute("href", `${this.#iconsUrl}#${icon}`);
    write(row.querySelector(".replay-kind"), name);
    const time = row.querySelector("time");
    time.dateTime = new Date(ts).toISOString();
    write(time, this.#words.clock(ts));
    write(row.querySelector(".replay-words"), words.includes(vehicleId) ? words : `${vehicleId}: ${words}`);
    row.querySelector("button").addEventListener("click", () => this.dispatchEvent(new CustomEvent("chosen", { detail: moment })));
    const anchor = row.querySelector("a");
    anchor.href = link;
    anchor.ariaLabel = `Open the ${name.toLowerCase()} of ${this.#words.clock(ts)}`;
    return row;
  }
}
