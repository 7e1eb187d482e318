// The list of vehicles in the rail: rendered by the server, kept up to date in place from the store.

import { serverNow, showTime, ticker } from "./clock.js";
import { linkFilter } from "./link.js";
import { write } from "./text.js";
import { fetchRows, markCurrent } from "./ui/rows.js";
import { percentText } from "./units.js";

const LOW_BATTERY = 20;
const RELOAD_MS = 1000;
const STATE_WORDS = { online: "Online", timeout: "Timeout", offline: "Offline" };

/** Put a vehicle's state into an element that has a pill. */
export function showState(element, status) {
  if (element.dataset.status === status) return;
  element.dataset.status = status;
  write(element.querySelector(".pill-word"), STATE_WORDS[status]);
}

export class VehicleList {
  #list;
  #form;
  #store;
  #selected = null;
  #visible = new Set();
  #watcher;
  #reload = null;
  #update = false;

  constructor(list, form, store) {
    this.#list = list;
    this.#form = form;
    this.#store = store;
    this.#watcher = new IntersectionObserver((entries) => this.#seen(entries), { root: list, rootMargin: "200px" });
    store.addEventListener("snapshot", () => this.#updateAll());
    store.addEventListener("presence", ({ detail }) => this.#presence(detail.vehicleId));
    store.addEventListener("enrolled", () => this.#reloadSoon());
    ticker.addEventListener("tick", () => this.#updateVisible());
    list.addEventListener("htmx:afterSwap", () => this.#swapped());
    form.addEventListener("htmx:afterRequest", () => linkFilter(form));
    this.#updateAll();
  }

  /** Mark the row of a vehicle as the selected one; null for none. */
  select(vehicleId) {
    const before = this.#selected;
    this.#selected = vehicleId;
    for (const id of [before, vehicleId]) if (id !== null) this.#updateOne(id);
  }

  /** The row's link of a vehicle, if it is among those loaded. */
  row(vehicleId) {
    return this.#list.querySelector(`[data-vehicle-id="${CSS.escape(vehicleId)}"]`);
  }

  #presence(vehicleId) {
    this.#updateOne(vehicleId);
    if (new FormData(this.#form).get("state")) this.#reloadSoon(); // it may now match the filter, or no longer
  }

  /** Ask the server for the list again, as long as it is now; once for all that changes meanwhile. */
  #reloadSoon() {
    this.#reload ??= setTimeout(() => {
      this.#reload = null;
      fetchRows(this.#form, this.#list, "vehicle-row");
    }, RELOAD_MS);
  }

  /** Before the next paint, and once for all the rows of an answer, each of which has its own event. */
  #swapped() {
    if (this.#update) return;
    this.#update = true;
    queueMicrotask(() => {
      this.#update = false;
      this.#updateAll();
    });
  }

  #seen(entries) {
    const now = serverNow();
    for (const { target, isIntersecting } of entries) {
      this.#visible[isIntersecting ? "add" : "delete"](target);
      if (isIntersecting) this.#updateRow(target, now);
    }
  }

  #updateAll() {
    const now = serverNow();
    for (const row of this.#list.getElementsByClassName("vehicle-row")) {
      this.#watcher.observe(row); // once more does nothing
      this.#updateRow(row, now);
    }
    this.#updateCounts();
  }

  /** Ages change every second, but only where somebody sees them: all of 2,000 rows would take 12 ms. */
  #updateVisible() {
    const now = serverNow();
    for (const row of this.#visible) this.#updateRow(row, now);
    this.#updateCounts();
  }

  #updateCounts() {
    const counts = this.#store.counts();
    if (counts.all === 0) return;
    for (const [name, count] of Object.entries(counts)) {
      write(document.querySelector(`[data-count="${name}"]`), String(count));
    }
  }

  #updateOne(vehicleId) {
    const row = this.row(vehicleId);
    if (row) this.#updateRow(row, serverNow());
  }

  #updateRow(row, now) {
    markCurrent(row, row.dataset.vehicleId === this.#selected);
    const vehicle = this.#store.get(row.dataset.vehicleId);
    if (!vehicle) return;
    showState(row, vehicle.status);
    showTime(row.querySelector("time"), this.#store.lastHeard(vehicle), now);
    if (vehicle.driverName) write(row.querySelector(".row-note"), vehicle.driverName);
    const battery = row.querySelector("[data-live=battery]");
    const low = vehicle.battery < LOW_BATTERY;
    write(battery, low ? percentText(vehicle.battery) : "");
    battery.parentElement.hidden = !low;
  }
}
