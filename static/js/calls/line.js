// What a call needs to be heard: the microphone, and the connection to the other side, which is mended when it breaks.

import { openMicrophone } from "./microphone.js";
import { Peer } from "./peer.js";

const MENDS_AFTER_MS = 3_000; // a connection that comes back sooner by itself is left alone
const GIVES_UP_MS = 30_000; // without a sound

/**
 * Fires `signal` (as Peer does), `sound`, `channel`, `talking`, `interrupted`, `failed` when no way to each other is
 * found, and `lost` when the microphone is gone.
 */
export class Line extends EventTarget {
  #stream = null;
  #peer = null;
  #muted = false;
  #closed = false;
  #timers = {};

  get isConnected() {
    return this.#peer !== null;
  }

  get isTalking() {
    return this.#peer?.state === "connected";
  }

  /** Open the microphone. Rejects with `{code}`. */
  async open(deviceId) {
    const stream = await openMicrophone(deviceId);
    if (this.#closed) return stop(stream);
    const before = this.#stream;
    this.#stream = stream;
    stream.getAudioTracks()[0].addEventListener("ended", () => stream === this.#stream && this.#tell("lost"));
    this.mute(this.#muted);
    await this.#peer?.use(stream);
    return stop(before);
  }

  mute(muted) {
    this.#muted = muted;
    for (const track of this.#stream?.getAudioTracks() ?? []) track.enabled = !muted;
  }

  /** Make ready for the other side; `isCaller` as in Peer. */
  connect(iceServers, isCaller) {
    this.#peer = new Peer({ iceServers, isCaller, stream: this.#stream });
    for (const name of ["signal", "sound", "channel"]) this.#peer.addEventListener(name, ({ detail }) => this.#tell(name, detail));
    this.#peer.addEventListener("state", ({ detail }) => this.#became(detail));
    this.#giveUpLater();
  }

  /** Offer the connection, or a new way to each other. */
  async offer() {
    await this.#tried(() => this.#peer.offer());
  }

  /** Take an event of the other side. */
  async hear(event, data) {
    await this.#tried(() => this.#peer.hear(event, data));
  }

  stats() {
    return this.#peer?.stats() ?? Promise.resolve(null);
  }

  close() {
    this.#closed = true;
    this.#stopTimers();
    this.#peer?.close();
    stop(this.#stream);
  }

  #became(state) {
    if (this.#closed) return;
    if (state === "connected") {
      this.#stopTimers();
      this.#tell("talking");
    } else if (state === "disconnected" || state === "failed") {
      this.#tell("interrupted");
      this.#giveUpLater();
      this.#timers.mend ??= setTimeout(() => this.#mend(), state === "failed" ? 0 : MENDS_AFTER_MS);
    }
  }

  #mend() {
    delete this.#timers.mend;
    if (!this.isTalking) this.offer();
  }

  #giveUpLater() {
    this.#timers.giveUp ??= setTimeout(() => this.#tell("failed"), GIVES_UP_MS);
  }

  async #tried(act) {
    try {
      await act();
    } catch {
      if (!this.#closed) this.#tell("failed");
    }
  }

  #stopTimers() {
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
    this.#timers = {};
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

const stop = (stream) => stream?.getTracks().forEach((track) => track.stop());
