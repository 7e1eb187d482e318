// The selected vehicle's figures in the drawer, kept up to date from the store.

import { absoluteText, serverNow, showTime, ticker } from "./clock.js";
import { showState } from "./list.js";
import { write } from "./text.js";
import { headingText, percentText, positionText, speedText, units } from "./units.js";

export class VehicleDetails {
  #element;
  #drawer;
  #store;

  /** `element` is the drawer's. */
  constructor(element, drawer, store) {
    this.#element = element;
    this.#drawer = drawer;
    this.#store = store;
    drawer.addEventListener("opened", () => this.update());
    store.addEventListener("snapshot", () => this.update());
    store.addEventListener("moved", ({ detail }) => detail.some((vehicle) => this.#isShown(vehicle)) && this.update());
    store.addEventListener("presence", ({ detail }) => this.#isShown(detail) && this.update());
    units.addEventListener("change", () => this.update());
    ticker.addEventListener("tick", () => this.update());
  }

  #isShown({ vehicleId }) {
    return vehicleId === this.#drawer.idOf("vehicle");
  }

  update() {
    const content = this.#element.querySelector("[data-kind=vehicle]");
    const vehicle = content && this.#store.get(content.dataset.id);
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
