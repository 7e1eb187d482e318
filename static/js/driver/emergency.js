// The call for help: held, then counted down, so that no elbow raises it; and what became of it.

import { newId } from "../ids.js";
import { write } from "../text.js";

const HOLD_MS = 1000;
const COUNT_S = 5;
const KEPT = "v2v.drive.emergency";
const STATES = {
  sending: "Sending…",
  waiting: "No connection. It is sent as soon as there is one.",
  stored: "The server has it. Nobody has seen it yet.",
  displayed: "A dispatcher's screen shows it.",
};
const ENDS = { resolved: "Dispatch has closed it.", cancelled: "Cancelled.", negated: "Dispatch has withdrawn it." };
const ACTIVE = ["open", "acknowledged", "assigned"];

export class Emergency {
  #element;
  #socket;
  #position;
  #me;
  #timer = null;
  #alert = null; // what the server knows of it
  #pending = null; // what it does not know yet: kept until it is acked, over a reload too
  #ended = "";

  /** `me` is the vehicle. */
  constructor(element, { socket, position, me }) {
    this.#element = element;
    this.#socket = socket;
    this.#position = position;
    this.#me = me;
    this.#pending = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
    this.#connectButton(this.#find("hold"));
    this.#find("stop").addEventListener("click", () => this.#stop());
    this.#find("cancel").addEventListener("click", () => this.#cancel());
    socket.addEventListener("registered", ({ detail }) => this.#begin(detail.alerts ?? []));
    socket.addEventListener("emergency_alert", ({ detail }) => detail.senderId === me && this.#know(detail));
    socket.addEventListener("alert_updated", ({ detail }) => this.#updated(detail));
    socket.addEventListener("state", () => this.show());
    this.show();
  }

  // ---- Raising it

  #connectButton(button) {
    const press = (event) => {
      if (event.type === "keydown" && (event.repeat || ![" ", "Enter"].includes(event.key))) return;
      if (event.type === "keydown") event.preventDefault();
      this.#ended = "";
      this.#step("holding");
      this.#timer = setTimeout(() => this.#count(COUNT_S), HOLD_MS);
    };
    const release = () => this.#element.dataset.step === "holding" && this.#stop();
    for (const begin of ["pointerdown", "keydown"]) button.addEventListener(begin, press);
    for (const end of ["pointerup", "pointercancel", "pointerleave", "keyup", "blur"]) button.addEventListener(end, release);
    button.addEventListener("contextmenu", (event) => event.preventDefault());
  }

  #count(left) {
    if (left === 0) return this.#raise();
    this.#step("counting");
    write(this.#find("count"), String(left));
    if (left === COUNT_S) this.#find("stop").focus();
    this.#timer = setTimeout(() => this.#count(left - 1), 1000);
    return undefined;
  }

  #stop() {
    clearTimeout(this.#timer);
    this.#step("");
    this.#find("hold").focus();
  }

  #raise() {
    const type = this.#element.querySelector("[name=emergency-type]:checked").value;
    const { lat, lng } = this.#position.fix ?? {};
    this.#pending = { id: newId(), data: { type, severity: "critical", ...(lat !== undefined && { lat, lng }) } };
    sessionStorage.setItem(KEPT, JSON.stringify(this.#pending));
    this.#step("");
    this.#send();
  }

  /** The id makes it the same alert, however often it is sent. */
  async #send() {
    const { id, data } = this.#pending;
    this.show();
    try {
      const { alertId } = await this.#socket.ask("emergency_alert", data, { id });
      if (this.#alert?.alertId !== alertId) this.#alert = { alertId, state: "open", ...data };
      this.#settle();
    } catch (refused) {
      if (refused.code === "unavailable") this.#retryLater(1000);
      else if (refused.code === "rate_limited") this.#retryLater(refused.details?.retryAfterMs ?? 1000);
      else {
        this.#settle();
        this.#ended = `The server did not take it: ${refused.message ?? refused.code}. Call dispatch.`;
      }
    }
    this.show();
  }

  #retryLater(ms) {
    if (this.#socket.state.name === "open") setTimeout(() => this.#pending && this.#send(), ms);
  }

  #settle() {
    this.#pending = null;
    sessionStorage.removeItem(KEPT);
  }

  // ---- What became of it

  #begin(alerts) {
    this.#alert = alerts.find(({ senderId }) => senderId === this.#me) ?? null;
    if (this.#pending) this.#send();
    this.show();
  }

  #know(alert) {
    this.#alert = alert;
    this.show();
  }

  #updated({ alertId, state, change, by, assignee }) {
    if (this.#alert?.alertId !== alertId) return;
    Object.assign(this.#alert, { state });
    if (change === "displayed") this.#alert.displayed = true;
    if (change === "acknowledged") this.#alert.acknowledgedBy = by;
    if (change === "assigned") this.#alert.assignee = assignee;
    if (!ACTIVE.includes(state)) {
      this.#alert = null;
      this.#ended = ENDS[state] ?? "It is over.";
    }
    this.show();
  }

  async #cancel() {
    try {
      await this.#socket.ask("alert_cancel", { alertId: this.#alert.alertId });
    } catch {
      this.#ended = "It could not be cancelled. Try again.";
    }
    this.show();
  }

  show() {
    const isRaised = this.#alert !== null || this.#pending !== null;
    const step = this.#element.dataset.step;
    this.#find("ready").hidden = isRaised || step === "counting";
    this.#find("counting").hidden = step !== "counting";
    this.#find("raised").hidden = !isRaised;
    this.#find("cancel").hidden = this.#alert === null;
    write(this.#find("state"), this.#words());
    this.#element.dataset.state = isRaised ? (this.#alert?.state ?? "sending") : "";
    write(this.#find("ended"), isRaised ? "" : this.#ended);
  }

  #words() {
    if (this.#pending) return this.#socket.state.name === "open" ? STATES.sending : STATES.waiting;
    const { assignee, acknowledgedBy, displayed } = this.#alert ?? {};
    if (assignee) return `${assignee} is taking care of it.`;
    if (acknowledgedBy) return `${acknowledgedBy} has taken it.`;
    return displayed ? STATES.displayed : STATES.stored;
  }

  #step(step) {
    this.#element.dataset.step = step;
    this.show();
  }

  #find(name) {
    return this.#element.querySelector(`[data-part="${name}"]`);
  }
}
