// The one socket of the page: stays connected, tells what it hears, and says in which state it is.

import { newId } from "./ids.js";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
const HEALTHY_AFTER_MS = 10_000; // a connection that lasted this long starts the back-off anew
const OPEN_DEADLINE_MS = 10_000;
const ANSWER_DEADLINE_MS = 8_000;
const DOUBT_DEADLINE_MS = 3_000;
const FINAL_CLOSES = new Set([1003, 1007, 1009, 4400, 4401, 4403, 4409, 4410]);

/**
 * Events: each event of the server by its name (`detail` is its data); `state` with `detail`
 * `{name, retryAt?, code?}` where name is connecting, open, waiting, offline or ended.
 * After `registered` the snapshot in it is the whole state: nothing of before counts.
 */
export class Socket extends EventTarget {
  #url;
  #socket = null;
  #attempt = 0;
  #timers = {};
  #waiting = new Map();
  #lastSeq = null;
  #heartbeatMs = 15_000;
  #restartInMs = null;
  state = { name: "connecting" };

  constructor(url) {
    super();
    this.#url = url;
    addEventListener("online", () => this.state.name === "offline" && this.connect());
    addEventListener("offline", () => this.#doubt());
  }

  /** Connect now, whatever wait was under way. */
  connect() {
    this.#drop();
    this.#enter({ name: "connecting" });
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    this.#lastSeq = null;
    this.#timers.open = setTimeout(() => this.#fail(), OPEN_DEADLINE_MS);
    socket.onmessage = (frame) => socket === this.#socket && this.#hear(JSON.parse(frame.data));
    socket.onclose = (close) => socket === this.#socket && this.#closed(close.code);
  }

  /** Send an event that needs no answer; false when there is no connection. */
  send(event, data) {
    if (this.state.name !== "open") return false;
    this.#socket.send(JSON.stringify({ event, data }));
    return true;
  }

  /**
   * Send a command and wait for its answer's data; rejects with `{code}` when refused, late or not connected.
   * `envelope` may hold `ts`, `ttlMs`, and the `id` of a durable command that is sent again.
   */
  ask(event, data, { id = newId(), ...envelope } = {}) {
    if (this.state.name !== "open") return Promise.reject({ code: "unavailable" });
    this.#socket.send(JSON.stringify({ event, data, id, ...envelope }));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#settle(id, "reject", { code: "unavailable" }), ANSWER_DEADLINE_MS);
      this.#waiting.set(id, { resolve, reject, timer });
    });
  }

  #settle(id, how, value) {
    const waiting = this.#waiting.get(id);
    if (!waiting) return false;
    this.#waiting.delete(id);
    clearTimeout(waiting.timer);
    waiting[how](value);
    return true;
  }

  #hear({ event, data, seq }) {
    clearTimeout(this.#timers.silence);
    this.#timers.silence = setTimeout(() => this.#fail(), this.#heartbeatMs * 2);
    if (seq !== undefined) {
      // Something was lost on the way: only a fresh snapshot puts that right.
      if (this.#lastSeq !== null && seq !== this.#lastSeq + 1) return this.#fail();
      this.#lastSeq = seq;
    }
    if (event === "registered") this.#registered(data);
    if (event === "server_shutdown") this.#restartInMs = data.reconnectInMs;
    const answered = data.id !== undefined && this.#settle(data.id, event === "error" ? "reject" : "resolve", data);
    if (event === "error" && answered) return undefined;
    return this.dispatchEvent(new CustomEvent(event, { detail: data }));
  }

  #registered({ heartbeatIntervalMs }) {
    clearTimeout(this.#timers.open);
    this.#heartbeatMs = heartbeatIntervalMs;
    clearInterval(this.#timers.heartbeat);
    this.#timers.heartbeat = setInterval(() => this.send("heartbeat", {}), heartbeatIntervalMs);
    this.#timers.healthy = setTimeout(() => (this.#attempt = 0), HEALTHY_AFTER_MS);
    this.#enter({ name: "open" });
  }

  /** The browser says that the network is gone: it may be wrong (a server on this machine), so ask before believing. */
  #doubt() {
    if (this.state.name === "waiting") this.#lost();
    if (!this.send("heartbeat", {})) return;
    clearTimeout(this.#timers.silence);
    this.#timers.silence = setTimeout(() => this.#fail(), DOUBT_DEADLINE_MS);
  }

  #fail() {
    this.#drop();
    this.#lost();
  }

  #closed(code) {
    this.#drop();
    if (FINAL_CLOSES.has(code)) this.#enter({ name: "ended", code });
    else this.#lost();
  }

  #lost() {
    clearTimeout(this.#timers.retry);
    const offline = !navigator.onLine;
    const wait = offline ? LONGEST_WAIT_MS : this.#nextWait();
    this.#restartInMs = null;
    this.#timers.retry = setTimeout(() => this.connect(), wait);
    this.#enter({ name: offline ? "offline" : "waiting", retryAt: Date.now() + wait });
  }

  /** Full jitter: a restarted server is not met by everybody at once. */
  #nextWait() {
    const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#attempt++);
    return this.#restartInMs ?? Math.max(100, Math.random() * longest);
  }

  #drop() {
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    for (const id of [...this.#waiting.keys()]) this.#settle(id, "reject", { code: "unavailable" });
  }

  #enter(state) {
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }
}

/** The address of a socket path on this page's own server. */
export const socketUrl = (path) => `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`;
