// The drawer of the selected vehicle: rendered by the server, its figures kept up to date from the store.

import { absoluteText, serverNow, showTime, ticker } from "./clock.js";
import { showState } from "./list.js";
import { write } from "./text.js";
import { headingText, percentText, positionText, speedText, units } from "./units.js";

const { htmx } = window;

/** Fires `opened` with the vehicle's id once its details are there, `closed`, and `action` with the pressed button's name. */
export class Drawer extends EventTarget {
  #element;
  #store;
  vehicleId = null;

  constructor(element, store) {
    super();
    this.#element = element;
    this.#store = store;
    const current = element.querySelector("[data-vehicle-id]");
    this.vehicleId = current?.dataset.vehicleId ?? null;
    element.addEventListener("click", ({ target }) => this.#press(target.closest("[data-action], [data-sort]")));
    element.addEventListener("htmx:afterSwap", () => this.#filled());
    store.addEventListener("snapshot", () => this.update());
    store.addEventListener("moved", ({ detail }) => detail.some(({ vehicleId }) => vehicleId === this.vehicleId) && this.update());
    store.addEventListener("presence", ({ detail }) => detail.vehicleId === this.vehicleId && this.update());
    units.addEventListener("change", () => this.update());
    ticker.addEventListener("tick", () => this.update());
  }

  /** Load a vehicle's details. A later call wins over one that is still under way. */
  open(vehicleId) {
    this.vehicleId = vehicleId;
    const url = this.#element.dataset.url.replace("VEHICLE", encodeURIComponent(vehicleId));
    htmx.ajax("GET", url, { source: this.#element, target: this.#element, swap: "innerHTML" });
  }

  close() {
    this.vehicleId = null;
    htmx.trigger(this.#element, "htmx:abort");
    this.#element.replaceChildren();
    document.body.dataset.drawer = "closed";
    this.dispatchEvent(new Event("closed"));
  }

  #filled() {
    if (this.vehicleId === null) return; // closed while the answer was on its way
    document.body.dataset.drawer = "open";
    this.update();
    this.dispatchEvent(new CustomEvent("opened", { detail: this.vehicleId }));
  }

  #press(button) {
    if (!button) return;
    this.dispatchEvent(new CustomEvent("action", { detail: { ...button.dataset } }));
  }

  update() {
    const content = this.#element.querySelector("[data-vehicle-id]");
    const vehicle = content && this.#store.get(content.dataset.vehicleId);
    if (!vehicle) return;
    const now = serverNow();
    showState(content.querySelector(".drawer-state"), vehicle.status);
    showTime(content.querySelector("[data-live=lastSeen] time"), this.#store.lastHeard(vehicle), now);
    if (vehicle.driverName) this.#write("driver", vehicle.driverName);
    this.#write("speed", vehicle.speed === undefined ? "–" : speedText(vehicle.speed));
    this.#write("heading", vehicle.heading === undefined ? "–" : headingText(vehicle.heading));
    this.#telemetry("battery", vehicle.battery);
    this.#telemetry("signal", vehicle.signal);
    if (vehicle.lat !== undefined) this.#write("position", positionText(vehicle.lat, vehicle.lng));
    if (vehicle.ts) this.#write("fix", absoluteText(vehicle.ts));
  }

  /** Shown only once it was reported. */
  #telemetry(name, value) {
    this.#element.querySelector(`[data-live=${name}]`).closest(".tile").hidden = value === undefined;
    if (value !== undefined) this.#write(name, percentText(value));
  }

  #write(name, text) {
    write(this.#element.querySelector(`[data-live=${name}]`), text);
  }
}
