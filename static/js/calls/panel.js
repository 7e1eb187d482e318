// The panel of this page's own call: how it stands, and what can be done about it.

import { serverNow, ticker } from "../clock.js";
import { write } from "../text.js";
import { headingText, percentText, positionText, speedText, units } from "../units.js";
import { choose, microphones } from "./microphone.js";
import { QualityMeter } from "./quality.js";
import { clockText, noteOf, partyName, phaseWord } from "./words.js";

const LOOKS_MS = 2000;
const SHOWN_AFTER_MS = 8000; // what became of it, unless there is something to do about it
const QUALITIES = { good: "Good", fair: "Fair", poor: "Poor" };

export class CallPanel {
  #element;
  #engine;
  #telemetry;
  #texts;
  #linkTo;
  #meter = new QualityMeter();
  #meterOf = null;
  #over = null;

  /** `texts` are the words of the server's errors; `linkTo` gives the address of whom one talks to, or null. */
  constructor(element, engine, { telemetry, texts, linkTo = () => null }) {
    this.#element = element;
    this.#engine = engine;
    this.#telemetry = telemetry;
    this.#texts = texts;
    this.#linkTo = linkTo;
    element.addEventListener("click", ({ target }) => this.#press(target.closest("[data-call-action]")?.dataset.callAction));
    this.#find("microphone").addEventListener("change", ({ target }) => this.#choose(target.value));
    this.#find("wanted").addEventListener("change", ({ target }) => telemetry.want(target.checked));
    engine.addEventListener("change", () => this.show());
    telemetry.addEventListener("change", () => this.#showTelemetry());
    units.addEventListener("change", () => this.#showTelemetry());
    ticker.addEventListener("tick", () => this.#showTime());
    navigator.mediaDevices?.addEventListener("devicechange", () => this.#listMicrophones());
    setInterval(() => this.#look(), LOOKS_MS);
    this.show();
  }

  show() {
    const call = this.#engine.current;
    const element = this.#element;
    element.hidden = call === null;
    if (call === null) return;
    if (call !== this.#meterOf) this.#begin(call);
    const isOver = call.phase === "over";
    const hadFocus = element.contains(document.activeElement);
    const before = element.dataset.phase;
    element.dataset.phase = call.phase;
    write(this.#find("phase"), phaseWord(call));
    const peer = this.#find("peer");
    write(peer, partyName(call.peerId));
    const href = this.#linkTo(call.peerId);
    if (href) peer.href = href;
    write(this.#find("name"), call.peerName ?? "");
    const note = noteOf(call, this.#texts);
    this.#find("note").hidden = !note;
    write(this.#find("note"), note);
    this.#find("note").toggleAttribute("data-fault", Boolean(call.fault));
    this.#find("live").hidden = isOver;
    for (const action of ["hang-up", "mute"]) this.#button(action).hidden = isOver;
    for (const action of ["again", "dismiss"]) this.#button(action).hidden = !isOver;
    write(this.#button("again").querySelector(".button-word"), call.answeredAt ? "Call again" : "Try again");
    const mute = this.#button("mute");
    mute.setAttribute("aria-pressed", String(call.muted));
    write(mute.querySelector(".button-word"), call.muted ? "Unmute" : "Mute");
    if (before !== call.phase) this.#entered(call, hadFocus);
    this.#showTime();
  }

  #begin(call) {
    this.#meterOf = call;
    this.#meter = new QualityMeter();
    clearTimeout(this.#over);
    this.#showQuality(null);
    this.#showTelemetry();
  }

  #entered(call, hadFocus) {
    clearTimeout(this.#over);
    if (call.phase === "connecting") this.#listMicrophones();
    if (call.phase !== "over") return;
    if (hadFocus) this.#button("again").focus();
    const isDone = call.reason === "hangup" || call.reason === "cancelled";
    if (isDone && !hadFocus) this.#over = setTimeout(() => call === this.#engine.current && this.#engine.dismiss(), SHOWN_AFTER_MS);
  }

  #press(action) {
    const { current } = this.#engine;
    if (action === "hang-up") this.#engine.hangUp();
    else if (action === "mute") this.#engine.mute(!current.muted);
    else if (action === "dismiss") this.#engine.dismiss();
    else if (action === "again") this.#again(current);
  }

  /** Once more: a call that still rings here is taken, else the other side is rung. */
  #again({ callId, peerId }) {
    if (this.#engine.incoming.has(callId)) this.#engine.answer(callId);
    else this.#engine.call(peerId);
  }

  async #listMicrophones() {
    if (!this.#engine.isBusy) return;
    const select = this.#find("microphone");
    const chosen = select.value;
    const found = await microphones().catch(() => []);
    select.replaceChildren(...found.map(({ id, name }) => new Option(name, id, false, id === chosen)));
    select.closest("label").hidden = found.length < 2;
  }

  async #choose(deviceId) {
    choose(deviceId);
    await this.#engine.use(deviceId);
  }

  async #look() {
    const call = this.#engine.current;
    if (call?.phase !== "talking") return;
    const found = this.#meter.look(await this.#engine.stats());
    if (found && call === this.#engine.current) this.#showQuality(found);
  }

  #showQuality(found) {
    const element = this.#find("quality");
    element.hidden = found === null;
    if (found === null) return;
    element.dataset.quality = found.quality;
    write(element, `${QUALITIES[found.quality]} · ${Math.round(found.rttMs)} ms · ${found.lossPercent.toFixed(1)}% lost`);
  }

  #showTelemetry() {
    const { fix, wanted } = this.#telemetry;
    this.#find("wanted").checked = wanted;
    const list = this.#find("telemetry");
    list.hidden = fix === null;
    if (fix === null) return;
    this.#fact("position", positionText(fix.lat, fix.lng));
    this.#fact("speed", fix.speed === undefined ? "–" : speedText(fix.speed));
    this.#fact("heading", fix.heading === undefined ? "–" : headingText(fix.heading));
    this.#fact("battery", fix.battery === undefined ? "–" : percentText(fix.battery));
    this.#fact("rate", `${fix.hertz.toFixed(0)} a second`);
  }

  #fact(name, text) {
    write(this.#element.querySelector(`[data-telemetry="${name}"]`), text);
  }

  #showTime() {
    const call = this.#engine.current;
    const timer = this.#find("timer");
    timer.hidden = !call?.answeredAt || call.phase === "over";
    if (!timer.hidden) write(timer, clockText(serverNow() - call.answeredAt));
  }

  #find(name) {
    return this.#element.querySelector(`[data-part="${name}"]`);
  }

  #button(action) {
    return this.#element.querySelector(`[data-call-action="${action}"]`);
  }
}
