// Calls in the console: makes their parts and connects them to the rest of the page.

import { ticker } from "../clock.js";
import { bindKey } from "../ui/keys.js";
import { Once } from "../ui/once.js";
import { CallEngine } from "./engine.js";
import { IncomingCalls } from "./incoming.js";
import { CallList, showCallTimes } from "./list.js";
import { CallPanel } from "./panel.js";
import { Ringer } from "./ringer.js";
import { Telemetry } from "./telemetry.js";
import { partyName } from "./words.js";

const element = (id) => document.getElementById(id);
const linkTo = (vehicleId) => `?vehicle=${encodeURIComponent(vehicleId)}`;

/** `page` holds the parts of the console: socket, store, tabs, drawer, navigation, toasts, sound, and the words of errors. */
export function connectCalls(page) {
  const { socket, store, tabs, drawer, navigation, toasts, sound, texts } = page;
  const works = new Set(document.body.dataset.works.split(" "));
  const engine = new CallEngine(socket);
  const telemetry = new Telemetry();
  const incoming = new IncomingCalls(element("incoming-calls"), element("incoming-call"), engine, { linkTo });
  new CallPanel(element("call"), engine, { telemetry, texts, linkTo });
  new CallList(element("call-filter"), element("call-list"), { socket, tabs, drawer });
  connectSound(engine, telemetry, sound);
  connectNews({ engine, socket, toasts, works });
  connectDrawer({ socket, drawer });

  function call(vehicleId) {
    if (engine.isBusy) toasts.show("You are in a call.", "Hang up first (h).", { tone: "info" });
    else engine.call(vehicleId);
  }
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-call]");
    if (button) call(button.dataset.call);
  });

  /** The vehicle that the hand is at: what the drawer offers to call, else the row that has the focus. */
  function callSelected() {
    const offered = element("drawer").querySelector("[data-call]")?.dataset.call ?? document.activeElement.dataset.vehicleId;
    if (offered && works.has(store.get(offered)?.fleet)) call(offered);
    else toasts.show("There is nobody to call.", "Select a vehicle of a fleet in which you are a dispatcher.", { tone: "info" });
  }
  bindKey("g c", "Go to the calls", () => navigation.show("calls"));
  bindKey("c", "Call the vehicle", callSelected);
  bindKey("p", "Pick up the call that rings", () => incoming.first && engine.answer(incoming.first.callId));
  bindKey("h", "Hang up, or reject the call that rings", () => {
    if (engine.isBusy) engine.hangUp();
    else if (incoming.first) engine.reject(incoming.first.callId);
    else engine.dismiss();
  });
  bindKey("v", "Mute or unmute your voice", () => engine.isBusy && engine.mute(!engine.current.muted));
  engine.addEventListener("refused", ({ detail }) => toasts.error(detail));
}

/** What is heard: the ring, the tone of ringing there, and the other side. */
function connectSound(engine, telemetry, sound) {
  const ringer = new Ringer(() => sound.state === "muted");
  const audio = element("call-audio");
  const decide = () => {
    const { current, incoming } = engine;
    if (current?.phase === "ringing") ringer.play("ringback");
    else ringer.play(incoming.size > 0 && !engine.isBusy ? "ring" : null);
    if (engine.isBusy || audio.srcObject === null) return;
    audio.srcObject = null;
    telemetry.close();
  };
  engine.addEventListener("change", decide);
  sound.addEventListener("change", decide);
  engine.addEventListener("sound", ({ detail }) => (audio.srcObject = detail));
  engine.addEventListener("channel", ({ detail }) => telemetry.open(detail));
}

/** Tells who has answered what rang here, and of missed calls, once in this browser. */
function connectNews({ engine, socket, toasts, works }) {
  const { user, userName } = document.body.dataset;
  const once = new Once(`${user}.calls`);
  const href = (callId) => `/?tab=calls&call=${callId}`;
  engine.addEventListener("gone", ({ detail: { call, state, by } }) => {
    if (state !== "active") return;
    const who = by === userName ? "You have answered in another tab" : `${by} has answered`;
    toasts.show(`${who}: ${partyName(call.callerId)}`, "The call rings here no longer.", { key: call.callId, tone: "info", href: href(call.callId) });
  });
  socket.addEventListener("call_state", async ({ detail: { callId, callerId, calleeId, fleet, state } }) => {
    if (state !== "missed" || calleeId !== "dispatch" || !works.has(fleet)) return;
    if (document.hidden || !(await once.claim(callId))) return;
    toasts.show(`Missed call from ${callerId}`, "It stands in the list of calls until somebody calls back.", { key: callId, tone: "high", href: href(callId) });
  });
}

/** The drawer of a call: fetched again when a call changes, its times kept up to date. */
function connectDrawer({ socket, drawer }) {
  const show = () => drawer.idOf("call") !== null && showCallTimes(element("drawer"));
  for (const event of ["opened", "updated"]) drawer.addEventListener(event, show);
  ticker.addEventListener("tick", show);
  for (const event of ["registered", "call_state"]) {
    socket.addEventListener(event, () => drawer.idOf("call") !== null && drawer.refresh());
  }
  show();
}
