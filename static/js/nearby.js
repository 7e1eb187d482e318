// Who is near the selected vehicle: the server's answer, kept up to date by events and by the positions that come in.

import { absoluteText, serverNow, showTime, ticker } from "./clock.js";
import { bearingDegrees, distanceM } from "./geo.js";
import { showState } from "./list.js";
import { write } from "./text.js";
import { place } from "./ui/rows.js";
import { compassPoint, distanceText, units } from "./units.js";

const NEW_MS = 10_000;
const ORDERS = {
  distance: (a, b) => a.distanceM - b.distanceM,
  activity: (a, b) => b.lastSeen - a.lastSeen || a.distanceM - b.distanceM,
};

export class Nearby {
  #drawer;
  #socket;
  #store;
  #toasts;
  #template;
  #vehicleId = null;
  #peers = new Map();
  #order = "distance";

  constructor(drawer, template, { socket, store, toasts }) {
    this.#drawer = drawer;
    this.#template = template;
    this.#socket = socket;
    this.#store = store;
    this.#toasts = toasts;
    socket.addEventListener("nearby_snapshot", ({ detail }) => detail.vehicleId === this.#vehicleId && this.#replace(detail));
    socket.addEventListener("proximity_event", ({ detail }) => this.#cameOrWent(detail));
    store.addEventListener("snapshot", () => this.refresh());
    ticker.addEventListener("tick", () => this.#show());
    units.addEventListener("change", () => this.#show());
  }

  /** Show the neighbors of this vehicle in the drawer's freshly rendered panel; null for none. */
  open(vehicleId) {
    this.#vehicleId = vehicleId;
    this.#peers.clear();
    if (vehicleId === null) return;
    this.#element("nearby-list").setAttribute("aria-busy", "true");
    this.#showOrder();
    this.refresh();
  }

  /** Who is near, nearest first as the server said. */
  get vehicleIds() {
    return [...this.#peers.keys()];
  }

  /** Ask the server to work it out now; the answer comes as a `nearby_snapshot`. */
  async refresh() {
    const vehicleId = this.#vehicleId;
    if (vehicleId === null || this.#socket.state.name !== "open") return;
    const button = this.#drawer.querySelector("[data-action=refresh]");
    button?.setAttribute("aria-busy", "true");
    try {
      await this.#socket.ask("nearby_refresh", { vehicleId });
    } catch (refused) {
      if (vehicleId === this.#vehicleId) this.#refused(refused);
    } finally {
      button?.removeAttribute("aria-busy");
    }
  }

  #refused(refused) {
    // The server knows the vehicle but has no live position of it: nobody can be near it.
    if (refused.code === "not_found") this.#replace({ peers: [] });
    else if (this.#socket.state.name === "open") this.#toasts.error(refused);
  }

  sortBy(order) {
    this.#order = order;
    this.#showOrder();
    this.#show();
  }

  toggleSort() {
    this.sortBy(this.#order === "distance" ? "activity" : "distance");
  }

  #element(id) {
    return this.#drawer.querySelector(`#${id}`);
  }

  #replace({ peers, radiusM = this.radiusM }) {
    const before = this.#peers;
    this.#peers = new Map(peers.map((peer) => [peer.vehicleId, { ...peer, newUntil: before.get(peer.vehicleId)?.newUntil ?? 0 }]));
    this.radiusM = radiusM;
    this.#element("nearby-list")?.removeAttribute("aria-busy");
    this.#show();
  }

  /** An event names a pair: either of the two may be the selected vehicle. */
  #cameOrWent({ type, vehicleId, peerVehicleId, distanceM: meters }) {
    if (this.#vehicleId === null || (vehicleId !== this.#vehicleId && peerVehicleId !== this.#vehicleId)) return;
    const other = vehicleId === this.#vehicleId ? peerVehicleId : vehicleId;
    if (type === "exit") this.#peers.delete(other);
    else this.#peers.set(other, { vehicleId: other, distanceM: meters ?? 0, bearing: 0, lastSeen: serverNow(), newUntil: Date.now() + NEW_MS });
    this.#show();
  }

  /** Distances follow the vehicles between the server's answers. */
  #measure(peer) {
    const [self, other] = [this.#store.get(this.#vehicleId), this.#store.get(peer.vehicleId)];
    if (!other) return;
    peer.lastSeen = this.#store.lastHeard(other) ?? peer.lastSeen;
    if (self?.lat === undefined || other.lat === undefined) return;
    peer.distanceM = distanceM(self, other);
    peer.bearing = bearingDegrees(self, other);
  }

  #show() {
    const list = this.#element("nearby-list");
    if (!list || this.#vehicleId === null || list.getAttribute("aria-busy") === "true") return;
    const peers = [...this.#peers.values()];
    peers.forEach((peer) => this.#measure(peer));
    peers.sort(ORDERS[this.#order]);
    const rows = new Map([...list.querySelectorAll(".nearby-row")].map((row) => [row.dataset.vehicleId, row]));
    const items = peers.map((peer) => this.#row(peer, rows.get(peer.vehicleId)).parentElement);
    place(list, items);
    const within = this.radiusM ? ` within ${distanceText(this.radiusM)}` : "";
    write(this.#element("nearby-count"), peers.length ? `${peers.length}${within}` : "");
    this.#element("nearby-empty").hidden = peers.length > 0;
  }

  #row(peer, existing) {
    const row = existing ?? this.#template.content.firstElementChild.cloneNode(true).firstElementChild;
    const vehicle = this.#store.get(peer.vehicleId);
    if (!existing) {
      row.dataset.vehicleId = peer.vehicleId;
      row.href = `?vehicle=${encodeURIComponent(peer.vehicleId)}`;
      row.querySelector(".row-title").textContent = peer.vehicleId;
    }
    showState(row, vehicle?.status ?? "online");
    write(row.querySelector(".row-note"), vehicle?.driverName ?? "");
    row.querySelector(".badge").hidden = Date.now() >= peer.newUntil;
    write(row.querySelector(".nearby-distance"), `${distanceText(peer.distanceM)} ${compassPoint(peer.bearing)}`);
    showTime(row.querySelector("time"), peer.lastSeen, serverNow());
    row.title = `Last heard ${absoluteText(peer.lastSeen)}`;
    return row;
  }

  #showOrder() {
    for (const button of this.#drawer.querySelectorAll("[data-sort]")) {
      button.setAttribute("aria-pressed", String(button.dataset.sort === this.#order));
    }
  }
}
