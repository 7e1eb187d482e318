// Where one vehicle was: its fixes in typed arrays, how far it had come at each, where it stood, and where it was silent.

import { latitudeOf, mercatorX, mercatorY, metersPerMercator } from "../geo.js";

export const GAP_MS = 60_000; // without a fix for longer, nobody knows where it was: nothing is drawn between
const FASTEST_MPS = 100; // what seems faster was not driven: one of the two fixes is wrong
const STOP_RADIUS_M = 40; // within it a receiver that stands still seems to wander
const STOP_MS = 120_000;
const COLUMNS = { ts: Float64Array, x: Float64Array, y: Float64Array, speed: Float32Array, heading: Float32Array, distance: Float64Array };

export class Track {
  count = 0;
  stops = []; // {from, to} in ms, {x, y}
  #capacity = 0;

  constructor({ vehicleId, driverName, url }, look) {
    Object.assign(this, { vehicleId, driverName, url, look });
    for (const [name, Kind] of Object.entries(COLUMNS)) this[name] = new Kind(0);
  }

  /** The first and the last moment that is known; undefined before anything is. */
  get first() {
    return this.ts[0];
  }

  get last() {
    return this.ts[this.count - 1];
  }

  /** Take a chunk that follows on what is there. */
  add({ count, ts, lat, lng, speed, heading }) {
    this.#reserve(this.count + count);
    for (let i = 0, at = this.count; i < count; i++, at++) {
      this.ts[at] = ts[i];
      this.y[at] = mercatorY(lat[i]);
      this.speed[at] = speed[i];
      this.heading[at] = heading[i];
      const x = mercatorX(lng[i]);
      if (at === 0) {
        this.x[0] = x;
        continue;
      }
      this.x[at] = x - Math.round(x - this.x[at - 1]); // the date line is no edge
      const gone = Math.hypot(this.x[at] - this.x[at - 1], this.y[at] - this.y[at - 1]) * metersPerMercator(lat[i]);
      const pace = gone / Math.max(1, (ts[i] - this.ts[at - 1]) / 1000);
      const isDriven = !this.isGap(at - 1) && pace <= FASTEST_MPS;
      this.distance[at] = this.distance[at - 1] + (isDriven ? gone : 0);
      if (Number.isNaN(speed[i]) && isDriven) this.speed[at] = pace;
    }
    this.count += count;
  }

  /** Everything has come: find the stops. */
  finish() {
    this.stops = [];
    let from = 0;
    while (from < this.count) {
      const to = this.#stays(from);
      if (this.ts[to] - this.ts[from] >= STOP_MS) {
        this.stops.push({ from: this.ts[from], to: this.ts[to], x: this.x[from], y: this.y[from] });
        from = to + 1;
      } else from += 1;
    }
  }

  /** Whether nothing was heard between fix `i` and the next one. */
  isGap(i) {
    return this.ts[i + 1] - this.ts[i] > GAP_MS;
  }

  /** The last fix at or before a moment; -1 when there is none. */
  indexAt(time) {
    let [low, high] = [0, this.count];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.ts[middle] <= time) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /**
   * How it is at a moment: `{state, x, y, heading, speed, distance, index, heardAt}`. `state` is `before` (not heard yet,
   * nothing else is known), `moves`, `stands` or `silent` (where it was last heard).
   */
  at(time) {
    const i = this.indexAt(time);
    if (i < 0) return { state: "before" };
    const known = { index: i, heardAt: this.ts[i], heading: this.#heading(i), speed: this.speed[i] };
    const isLast = i === this.count - 1;
    if (isLast || this.isGap(i)) {
      const isSilent = isLast ? time - this.ts[i] > GAP_MS : true;
      return { ...known, state: isSilent ? "silent" : this.#state(time), x: this.x[i], y: this.y[i], distance: this.distance[i] };
    }
    const part = (time - this.ts[i]) / (this.ts[i + 1] - this.ts[i]);
    const between = (column) => column[i] + (column[i + 1] - column[i]) * part;
    return { ...known, state: this.#state(time), x: between(this.x), y: between(this.y), distance: between(this.distance) };
  }

  #state(time) {
    let [low, high] = [0, this.stops.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.stops[middle].from <= time) low = middle + 1;
      else high = middle;
    }
    return low > 0 && this.stops[low - 1].to >= time ? "stands" : "moves";
  }

  /** As reported, else where it goes; null when it goes nowhere. */
  #heading(i) {
    if (!Number.isNaN(this.heading[i])) return this.heading[i];
    const next = Math.min(i + 1, this.count - 1);
    const [dx, dy] = [this.x[next] - this.x[i], this.y[next] - this.y[i]];
    return dx === 0 && dy === 0 ? null : ((Math.atan2(dx, -dy) * 180) / Math.PI + 360) % 360;
  }

  /** The last fix until which it stays where fix `from` was, and is heard. */
  #stays(from) {
    const reach = STOP_RADIUS_M / metersPerMercator(latitudeOf(this.y[from]));
    let i = from;
    while (i + 1 < this.count && !this.isGap(i) && Math.hypot(this.x[i + 1] - this.x[from], this.y[i + 1] - this.y[from]) <= reach) i += 1;
    return i;
  }

  #reserve(count) {
    if (count <= this.#capacity) return;
    this.#capacity = Math.max(count, this.#capacity * 2);
    for (const [name, Kind] of Object.entries(COLUMNS)) {
      const wider = new Kind(this.#capacity);
      wider.set(this[name].subarray(0, this.count));
      this[name] = wider;
    }
  }
}
