// Calls of this page, over its socket: to ring, to be rung, to talk, to hang up, and to go on after a lost connection.
// It knows nothing of the page that shows them.

import { newId } from "../ids.js";
import { Line } from "./line.js";

const SIGNALS = ["webrtc_offer", "webrtc_answer", "webrtc_ice_candidate"];
const MOST_EARLY = 64; // signals of a call that rings here
const MOST_STATES = 200;
const SOCKET_WAIT_MS = 15_000; // the server's own grace: later there is nothing to come back to
const LIVE = ["ringing", "active"];

/**
 * `current` is this page's own call, or null: `{callId, peerId, peerName, side, phase, answeredAt, muted, state, reason, by, fault}`.
 * `phase` is microphone, dialing, ringing, connecting, talking, interrupted or over; one that is over has `state`, and
 * `reason` (of the server) or `fault` (a refusal, or what is wrong with the microphone).
 * `incoming` are the calls that ring here, by id, as in `call_incoming`.
 *
 * Events: `change` after anything; `gone` with `{call, state, by, reason}` when one that rang here no longer does;
 * `sound` with the stream of the other side; `channel` with the data channel; `refused` with what the server would not
 * do and the call does not show.
 */
export class CallEngine extends EventTarget {
  #socket;
  #states = new Map(); // the last that was heard of calls, by id
  #line = null;
  #declined = new Set();
  current = null;
  incoming = new Map();

  constructor(socket) {
    super();
    this.#socket = socket;
    socket.addEventListener("registered", ({ detail }) => this.#begin(detail.calls ?? []));
    socket.addEventListener("call_incoming", ({ detail }) => this.#rings(detail));
    socket.addEventListener("call_state", ({ detail }) => this.#heard(detail));
    for (const event of SIGNALS) socket.addEventListener(event, ({ detail }) => this.#signaled(event, detail));
  }

  get isBusy() {
    return this.current !== null && this.current.phase !== "over";
  }

  /** The figures of RTCPeerConnection.getStats, or null. */
  stats() {
    return this.#line?.stats() ?? Promise.resolve(null);
  }

  /** Ring a vehicle, or `dispatch`. */
  async call(peerId) {
    if (this.isBusy) return undefined;
    const call = this.#start({ peerId, side: "caller", phase: "microphone" });
    if (!(await this.#listen(call))) return undefined;
    this.#enter(call, "dialing");
    let ack;
    try {
      ack = await this.#ask("call_initiate", { calleeId: peerId, media: "audio" });
    } catch (refused) {
      const isAway = refused.code === "target_offline";
      return this.#finish(call, isAway ? { state: "missed", reason: "offline" } : { state: "failed", fault: refused });
    }
    Object.assign(call, { callId: ack.callId, iceServers: ack.iceServers });
    if (call.phase === "over") return this.#end(call); // hung up while the server was asked
    if (ack.outcome === "active") call.side = "callee"; // they rang us at the same moment, and theirs stands
    return this.#follow(call, this.#states.get(ack.callId) ?? { state: ack.outcome });
  }

  /** Take a call that rings here; one that is being talked in is hung up first. */
  async answer(callId) {
    const ringing = this.incoming.get(callId);
    if (!ringing || this.current?.callId === callId && this.isBusy) return;
    if (this.isBusy) await this.hangUp();
    const { callerId: peerId, callerName: peerName, iceServers } = ringing;
    const call = this.#start({ callId, peerId, peerName, iceServers, side: "callee", phase: "microphone" });
    if (!(await this.#listen(call))) return; // it rings on: who has set the microphone right may take it yet
    this.#connect(call);
    try {
      await this.#ask("call_answer", { callId });
    } catch (refused) {
      const { state, by } = refused.details ?? {};
      const isTaken = refused.code === "conflict" && by;
      this.#finish(call, isTaken ? { state, by, reason: "elsewhere" } : { state: "failed", fault: refused });
      return;
    }
    this.incoming.delete(callId);
    this.#tell("change");
    for (const [event, data] of ringing.signals) this.#signaled(event, data);
  }

  /** Do not take a call that rings here. */
  async reject(callId) {
    this.incoming.delete(callId);
    this.#declined.add(callId); // of several dispatchers it rings on at the others
    if (this.current?.callId === callId) this.#finish(this.current, { state: "rejected", reason: "declined" });
    this.#tell("change");
    try {
      await this.#ask("call_reject", { callId });
    } catch (refused) {
      if (refused.code !== "conflict") this.#tell("refused", refused); // somebody has taken it meanwhile: well
    }
  }

  async hangUp() {
    const call = this.current;
    if (!this.isBusy) return undefined;
    if (call.phase === "microphone" && this.incoming.has(call.callId)) return this.reject(call.callId);
    this.#finish(call, { state: "ended", reason: "hangup" });
    return call.callId && this.#end(call);
  }

  /** Forget the call that is over. */
  dismiss() {
    if (this.isBusy) return;
    this.current = null;
    this.#tell("change");
  }

  mute(muted) {
    if (!this.isBusy) return;
    this.current.muted = muted;
    this.#line.mute(muted);
    this.#tell("change");
  }

  /** Speak into another microphone; what is wrong with it stands in the call. */
  async use(deviceId) {
    const call = this.current;
    if (!this.isBusy) return;
    call.fault = null;
    await this.#line.open(deviceId).catch((fault) => (call.fault = fault));
    this.#tell("change");
  }

  // ---- What the server says

  /** The whole state: what of it is ours goes on. */
  #begin(parts) {
    this.#states = new Map(parts.map((part) => [part.callId, part]));
    const ringing = parts.filter(({ state, side, callId }) => state === "ringing" && side === "callee" && !this.#declined.has(callId));
    const signalsOf = ({ callId }) => this.incoming.get(callId)?.signals ?? [];
    this.incoming = new Map(ringing.map((part) => [part.callId, { ...part, signals: signalsOf(part) }]));
    const own = parts.find(({ state, side }) => side === "caller" || (side === "callee" && state === "active"));
    if (this.isBusy) this.#comeBack(this.current);
    else if (own) this.#resume(own);
    this.#tell("change");
  }

  /** The socket was lost in this call, and is back. */
  #comeBack(call) {
    if (!call.callId) return; // it is being begun: the command is sent again
    const part = this.#states.get(call.callId);
    if (!part || (part.state === "active" && !part.side)) this.#finish(call, { state: "ended", reason: "connection_lost" });
    else {
      this.#follow(call, part);
      if (call.phase === "interrupted" || call.phase === "connecting") this.#line?.offer();
    }
  }

  /** A call of this page from before it was loaded again. */
  async #resume(part) {
    const { callId, side, answeredAt, iceServers } = part;
    const [peerId, peerName] = side === "caller" ? [part.calleeId, null] : [part.callerId, part.callerName];
    const phase = part.state === "active" ? "connecting" : "ringing";
    const call = this.#start({ callId, peerId, peerName, side, answeredAt, iceServers, phase });
    await this.#listen(call, { isNeeded: false });
    if (call.phase === "over") return;
    const now = this.#states.get(callId) ?? part;
    if (side === "callee") this.#connect(call);
    this.#follow(call, now);
    if (side === "callee") this.#line.offer();
  }

  #rings(call) {
    this.incoming.set(call.callId, { ...call, signals: [] });
    this.#tell("change");
  }

  #heard(part) {
    this.#states.delete(part.callId);
    this.#states.set(part.callId, part);
    if (this.#states.size > MOST_STATES) this.#states.delete(this.#states.keys().next().value);
    const isOurs = this.current?.callId === part.callId;
    if (part.state !== "ringing" && !(isOurs && part.state === "active")) this.#rangOut(part);
    if (isOurs) this.#follow(this.current, part);
    else this.#tell("change");
  }

  #rangOut(part) {
    const call = this.incoming.get(part.callId);
    if (!this.incoming.delete(part.callId)) return;
    const crosses = this.current?.phase === "dialing" && this.current.peerId === part.callerId;
    if (!crosses) this.#tell("gone", { call, state: part.state, by: part.answeredBy, reason: part.endReason });
  }

  /** Go where the server says that our call is. */
  #follow(call, part) {
    if (call.phase === "over") return;
    if (part.answeredAt) call.answeredAt = part.answeredAt;
    if (!LIVE.includes(part.state)) this.#finish(call, { state: part.state, reason: part.endReason });
    else if (part.state === "ringing") {
      if (call.phase === "dialing") this.#enter(call, "ringing");
    } else if (!this.#line.isConnected && call.phase !== "microphone") {
      this.#connect(call);
      if (call.side === "caller") this.#line.offer();
    }
    this.#tell("change");
  }

  #signaled(event, data) {
    const ringing = this.incoming.get(data.callId);
    if (this.current?.callId === data.callId && this.#line?.isConnected) this.#line.hear(event, data);
    else if (ringing && ringing.signals.length < MOST_EARLY) ringing.signals.push([event, data]);
  }

  // ---- Beginning and ending

  #start(call) {
    this.#line?.close();
    this.#line = new Line();
    this.current = { callId: null, peerName: null, answeredAt: null, muted: false, fault: null, ...call };
    this.#tell("change");
    return this.current;
  }

  /** Open the microphone for a call; false when it is over with that. */
  async #listen(call, { isNeeded = true } = {}) {
    try {
      await this.#line.open();
    } catch (fault) {
      if (isNeeded) this.#finish(call, { state: "failed", fault });
      else call.fault = fault;
    }
    return call.phase !== "over";
  }

  #connect(call) {
    const line = this.#line;
    this.#enter(call, "connecting");
    line.addEventListener("signal", ({ detail: { event, data } }) => this.#signal(call, event, data));
    for (const name of ["sound", "channel"]) line.addEventListener(name, ({ detail }) => this.#tell(name, detail));
    for (const phase of ["talking", "interrupted"]) line.addEventListener(phase, () => this.#enter(call, phase));
    line.addEventListener("failed", () => this.#fail(call));
    line.addEventListener("lost", () => {
      call.fault = { code: "microphone_missing" };
      this.#tell("change");
    });
    line.connect(call.iceServers, call.side === "caller");
  }

  async #signal(call, event, data) {
    try {
      await this.#socket.ask(event, { callId: call.callId, ...data });
    } catch ({ code, details }) {
      if (call.phase === "over" || code !== "rate_limited") return; // what is lost with the socket is mended after it
      setTimeout(() => this.#signal(call, event, data), details?.retryAfterMs ?? 1000);
    }
  }

  #enter(call, phase) {
    if (call.phase !== "over") call.phase = phase;
    this.#tell("change");
  }

  #fail(call) {
    if (call.phase === "over") return;
    this.#finish(call, { state: "failed", reason: "media_failure" });
    this.#end(call, "media_failure");
  }

  #finish(call, how) {
    if (call.phase === "over") return;
    Object.assign(call, how, { phase: "over" });
    if (call === this.current) this.#line.close();
    this.#tell("change");
  }

  async #end({ callId }, reason = "hangup") {
    await this.#ask("call_end", { callId, reason }).catch((refused) => this.#tell("refused", refused));
  }

  /** Ask, and where the connection is lost meanwhile once more after it: the id makes it the same command. */
  async #ask(event, data) {
    const id = newId();
    try {
      return await this.#socket.ask(event, data, { id });
    } catch (refused) {
      if (refused.code !== "unavailable" || !(await this.#opened())) throw refused;
      return this.#socket.ask(event, data, { id });
    }
  }

  /** Whether the socket is open, or will be within the time that the server waits for us. */
  #opened() {
    if (this.#socket.state.name === "open") return true;
    const late = new Promise((resolve) => setTimeout(resolve, SOCKET_WAIT_MS, false));
    const opened = new Promise((resolve) => this.#socket.addEventListener("registered", () => resolve(true), { once: true }));
    return Promise.race([opened, late]);
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
