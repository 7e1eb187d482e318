// What the page knows of the vehicles: the server's snapshot, kept up to date by its events.

import { setServerTime } from "./clock.js";

/**
 * A vehicle: `{vehicleId, fleet, status, lastSeen, lat?, lng?, ts?, speed?, heading?, battery?, signal?, driverName?, type?}`.
 * Events: `snapshot`; `enrolled` (which vehicles there are, or what they are, has changed); `removed` (`detail`: the id);
 * `moved` (`detail`: the vehicles that did); `presence` (`detail`: the vehicle).
 */
export class Store extends EventTarget {
  vehicles = new Map();
  #watched = null;
  #followed = new Set();

  constructor(socket) {
    super();
    socket.addEventListener("registered", ({ detail }) => this.#replace(detail));
    socket.addEventListener("locations", ({ detail }) => this.#move(detail.peers));
    socket.addEventListener("presence_update", ({ detail }) => this.#presence(detail));
    socket.addEventListener("vehicle_updated", ({ detail }) => this.#update(detail));
    socket.addEventListener("vehicle_removed", ({ detail }) => this.#remove(detail.vehicleId));
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

  /**
   * What the server was told to send at once: the positions in this part of the map, `[west, south, east, north]` or
   * null for all, and those of the followed vehicles. Others come every 10 s.
   */
  watch(box, vehicleIds = []) {
    this.#watched = box;
    this.#followed = new Set(vehicleIds);
  }

  /**
   * When a vehicle was last heard, epoch milliseconds. Null when that is not known: never, or online outside of the
   * watched part, from where its reports do not come here.
   */
  lastHeard(vehicle) {
    return vehicle.status === "online" && !this.#isWatched(vehicle) ? null : (vehicle.lastSeen ?? null);
  }

  #isWatched({ vehicleId, lat, lng }) {
    if (this.#watched === null || lat === undefined || this.#followed.has(vehicleId)) return true;
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
      const vehicle = this.vehicles.get(report.vehicleId);
      if (!vehicle || vehicle.ts > report.ts) continue; // removed meanwhile; an older fix never moves a vehicle back
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

  #update(change) {
    const vehicle = Object.assign(this.#known(change.vehicleId, "offline"), { driverName: undefined, type: undefined }, change);
    this.dispatchEvent(new Event("enrolled"));
    this.dispatchEvent(new CustomEvent("presence", { detail: vehicle }));
  }

  #remove(vehicleId) {
    if (!this.vehicles.delete(vehicleId)) return;
    this.dispatchEvent(new Event("enrolled"));
    this.dispatchEvent(new CustomEvent("removed", { detail: vehicleId }));
  }

  /** The vehicle of this id; one that was enrolled after the snapshot is added. */
  #known(vehicleId, status = "online") {
    let vehicle = this.vehicles.get(vehicleId);
    if (!vehicle) {
      vehicle = { vehicleId, status, lastSeen: null };
      this.vehicles.set(vehicleId, vehicle);
      this.dispatchEvent(new Event("enrolled"));
    }
    return vehicle;
  }
}
