// What a call sounds like before it is one: the ring here, in one tab of the browser, and the tone of ringing there.

import { toneBuffer } from "../ui/tone_buffer.js";

const LOCK = "v2v.ring";
const SOUNDS = {
  ring: { everyS: 3, loudness: 0.5, tones: [[0, 0.4, 587], [0.4, 0.4, 740], [0.8, 0.4, 587], [1.2, 0.4, 740]] },
  // Ringing there, as telephones in North America have it (ITU-T E.180, supplement 2).
  ringback: { everyS: 6, loudness: 0.2, tones: [[0, 2, 440, 0.35], [0, 2, 480, 0.35]] },
};

/** `playing` is what sounds: `ring`, `ringback` or null. */
export class Ringer {
  #isMuted;
  #context = null;
  #source = null;
  #wanted = null;
  #turn = null;
  playing = null;

  /** `isMuted` says whether this person wants no ring. */
  constructor(isMuted = () => false) {
    this.#isMuted = isMuted;
    // A browser lets a page sound once somebody has touched it.
    for (const touch of ["pointerdown", "keydown"]) addEventListener(touch, () => this.#wake(), { capture: true });
  }

  /** Sound so from now on: `ring`, `ringback`, or null for silence. */
  play(name) {
    const wanted = name === "ring" && this.#isMuted() ? null : name;
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    this.#turn?.abort();
    this.#turn = null;
    this.#sound(null);
    if (wanted === "ring") this.#inTurn();
    else this.#sound(wanted);
  }

  /** Several tabs ring as one: who holds the lock is heard, and a tab that closes hands it on. */
  #inTurn() {
    if (!navigator.locks) return this.#sound("ring"); // plain HTTP from another machine: then every tab is heard
    const turn = new AbortController();
    this.#turn = turn;
    const hold = () =>
      new Promise((resolve) => {
        if (turn.signal.aborted) return resolve();
        turn.signal.addEventListener("abort", resolve);
        return this.#sound("ring");
      });
    return navigator.locks.request(LOCK, { signal: turn.signal }, hold).catch(() => {});
  }

  #wake() {
    if (!this.#context) this.#context = new AudioContext();
    if (this.#context.state === "suspended") this.#context.resume();
  }

  #sound(name) {
    this.#source?.stop();
    this.#source = null;
    this.playing = name;
    if (name === null) return;
    this.#context ??= new AudioContext(); // silent until somebody has touched the page
    const gain = this.#context.createGain();
    gain.gain.value = SOUNDS[name].loudness;
    gain.connect(this.#context.destination);
    this.#source = this.#context.createBufferSource();
    Object.assign(this.#source, { buffer: toneBuffer(this.#context, SOUNDS[name]), loop: true });
    this.#source.connect(gain);
    this.#source.start();
  }
}
