// Where a vehicle is drawn: it glides from report to report, and its past is kept as a short trail.

import { mercatorX, mercatorY } from "../geo.js";

const SHORTEST_MS = 150;
const LONGEST_MS = 2500; // a vehicle that reports seldom glides this long, then waits
const JUMP = 0.0002; // in Web Mercator, about 8 km: farther than any vehicle drives between reports, so it jumps
const TRAIL_POINTS = 60;
const TRAIL_STEP = 2e-7; // about 8 m

/** One vehicle as the map draws it; x and y in Web Mercator 0..1. */
export class Glide {
  x = 0;
  y = 0;
  heading = null;
  trail = [];
  #from = null;
  #to = null;
  #start = 0;
  #duration = 1000;
  #reportedAt = null;

  constructor(vehicle, now) {
    this.vehicle = vehicle;
    this.report(now, true);
  }

  get gliding() {
    return this.#from !== null;
  }

  /** Take the vehicle's newest position: glide there from where it is drawn now, as long as reports are apart. */
  report(now, jump = false) {
    const { lat, lng, heading } = this.vehicle;
    const to = { x: mercatorX(lng), y: mercatorY(lat), heading: heading ?? null };
    const apart = this.#reportedAt === null ? 1000 : now - this.#reportedAt;
    this.#reportedAt = now;
    this.#duration = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, 0.6 * this.#duration + 0.4 * apart));
    this.#remember(to);
    if (jump || Math.abs(to.x - this.x) + Math.abs(to.y - this.y) > JUMP) {
      this.#from = null;
      Object.assign(this, to);
      return;
    }
    this.#from = { x: this.x, y: this.y, heading: this.heading };
    this.#to = to;
    this.#start = now;
  }

  /** Move on to where the vehicle is at `now` (milliseconds of the page's clock). */
  advance(now) {
    if (this.#from === null) return;
    const part = (now - this.#start) / this.#duration;
    if (part >= 1) {
      Object.assign(this, this.#to);
      this.#from = null;
      return;
    }
    const { x, y, heading } = this.#from;
    this.x = x + (this.#to.x - x) * part;
    this.y = y + (this.#to.y - y) * part;
    if (heading === null || this.#to.heading === null) this.heading = this.#to.heading;
    // The short way round, but quickly: an arrow that points where it goes matters more than a smooth turn.
    else this.heading = (heading + (((this.#to.heading - heading + 540) % 360) - 180) * Math.min(1, part * 3) + 360) % 360;
  }

  #remember({ x, y }) {
    const last = this.trail[this.trail.length - 1];
    if (last && Math.abs(last.x - x) + Math.abs(last.y - y) < TRAIL_STEP) return;
    this.trail.push({ x, y });
    if (this.trail.length > TRAIL_POINTS) this.trail.shift();
  }
}
