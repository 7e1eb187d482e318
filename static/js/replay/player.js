// The clock of a replay: a moment that goes on while it plays, as many times faster than life as was chosen.

export const SPEEDS = [1, 2, 5, 10, 30, 60, 120];
const LONGEST_STEP_MS = 250; // a page that was hidden goes on where it was

/** Fires `time` with every new moment, `sought` when somebody has set it, `state` when it starts, stops or changes speed. */
export class Player extends EventTarget {
  #span;
  #time;
  #speed = 30;
  #frame = null;
  #before = 0;

  constructor(span) {
    super();
    this.#span = span;
    this.#time = span.start;
  }

  get time() {
    return this.#time;
  }

  get speed() {
    return this.#speed;
  }

  get isPlaying() {
    return this.#frame !== null;
  }

  set speed(speed) {
    this.#speed = speed;
    this.dispatchEvent(new Event("state"));
  }

  /** One step slower (-1) or faster (1). */
  shift(step) {
    this.speed = SPEEDS[Math.max(0, Math.min(SPEEDS.length - 1, SPEEDS.indexOf(this.#speed) + step))];
  }

  /** Go to a moment; beyond the ends is at them. */
  seek(time) {
    this.#to(time);
    this.dispatchEvent(new Event("sought"));
  }

  toggle() {
    if (this.isPlaying) this.pause();
    else this.play();
  }

  /** Go on; at the end, from the beginning. */
  play() {
    if (this.isPlaying) return;
    if (this.#time >= this.#span.end) this.#to(this.#span.start);
    this.#before = performance.now();
    this.#frame = requestAnimationFrame((now) => this.#step(now));
    this.dispatchEvent(new Event("state"));
  }

  pause() {
    if (!this.isPlaying) return;
    cancelAnimationFrame(this.#frame);
    this.#frame = null;
    this.dispatchEvent(new Event("state"));
  }

  #step(now) {
    this.#frame = requestAnimationFrame((next) => this.#step(next));
    const passed = Math.min(LONGEST_STEP_MS, Math.max(0, now - this.#before));
    this.#before = now;
    this.#to(this.#time + passed * this.#speed);
    if (this.#time >= this.#span.end) this.pause();
  }

  #to(time) {
    this.#time = Math.max(this.#span.start, Math.min(this.#span.end, time));
    this.dispatchEvent(new Event("time"));
  }
}
