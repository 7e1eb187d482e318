// The console's two sounds, made here and not loaded: urgent, and notice. One that repeats sounds in one tab of the
// browser only, also while that tab is in the background.

import { remember, remembered } from "../preferences.js";

const LOCK = "v2v.sound";
// Each tone: when it begins, how long it lasts (seconds), how high it is (hertz); then silence up to `everyS`.
const SOUNDS = {
  urgent: { everyS: 2.4, tones: [[0, 0.16, 880], [0.2, 0.16, 1175], [0.4, 0.16, 880], [0.6, 0.16, 1175], [0.8, 0.3, 1397]] },
  notice: { everyS: 8, tones: [[0, 0.18, 660], [0.2, 0.35, 880]] },
};
const ONCE_LOUDNESS = 0.4;
const EDGE_S = 0.01; // of rising and falling: a tone that begins at once clicks

/** `state` is `quiet`, `sounding`, `elsewhere` (another tab sounds), `blocked` (until a first click) or `muted`; `change` tells. */
export class Sound extends EventTarget {
  #context = null;
  #gain = null;
  #source = null;
  #wanted = null;
  #turn = null;
  #hasTurn = false;
  #muted = remembered("sound", ["on", "off"]) === "off";

  constructor() {
    super();
    // A browser lets a page sound once somebody has touched it.
    for (const touch of ["pointerdown", "keydown"]) addEventListener(touch, () => this.#wake(), { capture: true });
    addEventListener("storage", ({ key, newValue }) => key === "v2v.sound" && this.#mute(newValue === "off"));
  }

  get state() {
    if (this.#muted) return "muted";
    if (this.#wanted === null) return "quiet";
    if (this.#context?.state !== "running") return "blocked";
    return this.#source ? "sounding" : "elsewhere";
  }

  /** Sound once, if the browser lets us and nobody has muted it. */
  once(name) {
    if (this.#muted || this.#context?.state !== "running" || this.#source) return;
    this.#gain.gain.value = ONCE_LOUDNESS;
    this.#make(name, false).start();
  }

  /** Repeat a sound until `stop`, so loud (0 to 1). */
  repeat(name, loudness) {
    if (this.#wanted?.name === name && this.#wanted.loudness === loudness) return;
    this.#wanted = { name, loudness };
    this.#start();
    this.#apply();
  }

  stop() {
    if (this.#wanted === null) return;
    this.#wanted = null;
    this.#apply();
  }

  toggleMute() {
    remember("sound", this.#muted ? "on" : "off");
    this.#mute(!this.#muted);
  }

  #mute(muted) {
    this.#muted = muted;
    this.#apply();
  }

  #start() {
    if (this.#context) return;
    this.#context = new AudioContext();
    this.#gain = this.#context.createGain();
    this.#gain.connect(this.#context.destination);
    this.#context.addEventListener("statechange", () => this.#apply());
  }

  #wake() {
    this.#start();
    if (this.#context.state === "suspended") this.#context.resume();
  }

  /** Sound, or be silent, as things are now. */
  #apply() {
    const may = this.#wanted !== null && !this.#muted && this.#context.state === "running";
    if (may && !this.#turn) this.#turn = this.#takeTurn();
    if (!may) this.#endTurn();
    this.#silence();
    if (may && this.#hasTurn) {
      this.#gain.gain.value = this.#wanted.loudness;
      this.#source = this.#make(this.#wanted.name, true);
      this.#source.start();
    }
    this.dispatchEvent(new Event("change"));
  }

  #silence() {
    this.#source?.stop();
    this.#source = null;
  }

  /** Wait for the browser's one turn to sound: a tab that closes or falls silent gives it to the next. */
  #takeTurn() {
    const waiting = new AbortController();
    let end;
    const ended = new Promise((resolve) => (end = resolve));
    const begin = () => {
      this.#hasTurn = true;
      this.#apply();
      return ended;
    };
    if (navigator.locks) navigator.locks.request(LOCK, { signal: waiting.signal }, begin).catch(() => {});
    else this.#hasTurn = true; // no locks over plain HTTP: then every tab sounds
    return () => {
      waiting.abort();
      end();
    };
  }

  #endTurn() {
    this.#turn?.();
    this.#turn = null;
    this.#hasTurn = false;
  }

  /** A buffer that holds the tones and the silence after them: it repeats without a timer, which a hidden tab would be denied. */
  #make(name, loop) {
    const { everyS, tones } = SOUNDS[name];
    const rate = this.#context.sampleRate;
    const buffer = this.#context.createBuffer(1, Math.ceil(everyS * rate), rate);
    const samples = buffer.getChannelData(0);
    for (const [beginS, lengthS, hertz] of tones) {
      const first = Math.floor(beginS * rate);
      for (let i = 0; i < lengthS * rate; i++) {
        const at = i / rate;
        const edge = Math.min(1, at / EDGE_S, (lengthS - at) / EDGE_S);
        const phase = 2 * Math.PI * hertz * at;
        samples[first + i] = edge * 0.7 * (Math.sin(phase) + 0.3 * Math.sin(3 * phase));
      }
    }
    const source = this.#context.createBufferSource();
    Object.assign(source, { buffer, loop });
    source.connect(this.#gain);
    return source;
  }
}
