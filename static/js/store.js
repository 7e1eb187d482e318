// What the page knows of the vehicles: the server's snapshot, kept up to date by its events.

import { setServerTime } from "./clock.js";

/**
 * A vehicle: `{vehicleId, fleet, status, lastSeen, lat?, lng?, ts?, speed?, heading?, battery?, signal?, driverName?, type?}`.
 * Events: `snapshot`; `enrolled` (a vehicle that the snapshot lacked); `moved` (`detail`: the vehicles that did); `presence` (`detail`: the vehicle).
 */
export class Store extends EventTarget {
  vehicles = new Map();
  #watched = null;

  constructor(socket) {
    super();
    socket.addEventListener("registered", ({ detail }) => this.#replace(detail));
    socket.addEventListener("locations", ({ detail }) => this.#move(detail.peers));
    socket.addEventListener("presence_update", ({ detail }) => this.#presence(detail));
  }

  get(vehicleId) {
    return this.vehicles.get(vehicleId);
  }

  /** How many vehicles are in each state. */
  counts() {
    const counts = { all: this.vehicles.size, online: 0, timeout: 0, offline: 0 };
    for (const vehicle of this.vehicles.values()) counts[vehicle.status] += 1;
    return counts;
  }

  /** The part of the map whose positions the server was told to send, `[west, south, east, north]`; null for all. */
  watch(box) {
    this.#watched = box;
  }

  /**
   * When a vehicle was last heard, epoch milliseconds. Null when that is not known: never, or online outside of the
   * watched part, from where its reports do not come here.
   */
  lastHeard(vehicle) {
    return vehicle.status === "online" && !this.#isWatched(vehicle) ? null : (vehicle.lastSeen ?? null);
  }

  #isWatched({ lat, lng }) {
    if (this.#watched === null || lat === undefined) return true;
    const [west, south, east, north] = this.#watched;
    const inside = west <= east ? lng >= west && lng <= east : lng >= west || lng <= east;
    return inside && lat >= south && lat <= north;
  }

  #replace({ vehicles = [], serverTs }) {
    setServerTime(serverTs);
    this.vehicles = new Map(vehicles.map((vehicle) => [vehicle.vehicleId, vehicle]));
    this.dispatchEvent(new Event("snapshot"));
  }

  #move(peers) {
    const moved = [];
    for (const report of peers) {
      const vehicle = this.#known(report.vehicleId);
      if (vehicle.ts > report.ts) continue; // an older fix never moves a vehicle back
      Object.assign(vehicle, report);
      vehicle.lastSeen = Math.max(vehicle.lastSeen ?? 0, report.ts);
      moved.push(vehicle);
    }
    this.dispatchEvent(new CustomEvent("moved", { detail: moved }));
  }

  #presence(change) {
    const vehicle = Object.assign(this.#known(change.vehicleId), change);
    this.dispatchEvent(new CustomEvent("presence", { detail: vehicle }));
  }

  /** The vehicle of this id; one that was enrolled after the snapshot is added. */
  #known(vehicleId) {
    let vehicle = this.vehicles.get(vehicleId);
    if (!vehicle) {
      vehicle = { vehicleId, status: "online", lastSeen: null };
      this.vehicles.set(vehicleId, vehicle);
      this.dispatchEvent(new Event("enrolled"));
    }
    return vehicle;
  }
}
