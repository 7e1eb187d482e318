// The driver's page: makes the parts and connects them, once somebody is signed in.

import { CallEngine } from "../calls/engine.js";
import { IncomingCalls } from "../calls/incoming.js";
import { CallPanel } from "../calls/panel.js";
import { Ringer } from "../calls/ringer.js";
import { Telemetry } from "../calls/telemetry.js";
import { serverNow, setServerTime, showTime, ticker } from "../clock.js";
import { Socket, socketUrl } from "../socket.js";
import { write } from "../text.js";
import { toggleTheme } from "../theme.js";
import { ConnectionBanner } from "../ui/connection.js";
import { Toasts } from "../ui/toasts.js";
import { headingText, percentText, positionText, speedText } from "../units.js";
import { Emergency } from "./emergency.js";
import { NearbyList } from "./nearby.js";
import { Position } from "./position.js";
import { forget, isComplete, keep, kept, takeLinked } from "./session.js";

const AUTH_FAILED = 4401;
const ENDINGS = {
  4401: { text: "The token is no longer good. Sign in with a fresh one.", action: "Sign in" },
  4403: { text: "This page may not connect for the vehicle. Ask your dispatcher.", action: null },
  4409: { text: "The vehicle was opened in another tab with this token.", action: "Use it here" },
  4410: { text: "This device or its vehicle was removed. Ask your dispatcher.", action: null },
};
const element = (id) => document.getElementById(id);
const texts = JSON.parse(element("error-texts").textContent);

takeLinked();
element("theme").addEventListener("click", toggleTheme);
element("sign-out").addEventListener("click", signOut);
element("sign-in-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const given = Object.fromEntries([...new FormData(event.target)].map(([name, value]) => [name, value.trim()]));
  if (!isComplete(given)) return complain("Enter the vehicle's callsign and its token.");
  keep(given);
  return drive(given);
});
const driver = kept();
if (driver) drive(driver);

function complain(text) {
  element("sign-in-error").hidden = false;
  write(element("sign-in-error"), text);
}

function signOut() {
  forget();
  location.reload();
}

function drive({ vehicleId, token, driverName }) {
  document.body.dataset.signedIn = "yes";
  write(element("vehicle"), vehicleId);
  const hello = () => ({ event: "register", data: { vehicleId, token, ...(driverName && { driverName }) } });
  const socket = new Socket(socketUrl("/ws/vehicle/"), hello);
  const toasts = new Toasts(element("toasts"), element("toast-template"), texts);
  let wasIn = false;
  socket.addEventListener("registered", ({ detail }) => {
    wasIn = true;
    setServerTime(detail.serverTs);
  });
  socket.addEventListener("state", ({ detail }) => {
    if (detail.code !== AUTH_FAILED) return;
    forget();
    document.body.dataset.signedIn = "no";
    complain(wasIn ? ENDINGS[AUTH_FAILED].text : "Vehicle and token do not match. Check both and try again.");
  });
  socket.addEventListener("error", ({ detail }) => toasts.error(detail));
  socket.addEventListener("emergency_alert", ({ detail: { senderId, type, message, alertId } }) => {
    if (senderId !== vehicleId) toasts.show(`${senderId} calls for help: ${type}`, message ?? "Drive with care.", { key: alertId, tone: "critical" });
  });
  new ConnectionBanner(socket, element("connection"), element("connection-banner"), ENDINGS);
  const position = new Position(socket);
  showPosition(position);
  new NearbyList({ list: element("nearby-list"), empty: element("nearby-empty"), template: element("nearby-row") }, socket, position);
  new Emergency(element("emergency"), { socket, position, me: vehicleId });
  connectCalls(socket, position, toasts);
  socket.connect();
}

function showPosition(position) {
  const show = () => {
    const { fix, fault } = position;
    element("position-fault").hidden = !fault;
    write(element("position-fault"), fault ?? "");
    if (!fix) return;
    write(element("position"), positionText(fix.lat, fix.lng));
    write(element("speed"), fix.speed === undefined ? "–" : speedText(fix.speed));
    write(element("heading"), fix.heading === undefined ? "–" : headingText(fix.heading));
    write(element("battery"), fix.battery === undefined ? "–" : percentText(fix.battery));
    showTime(element("fix-time"), fix.ts, serverNow());
  };
  position.addEventListener("change", show);
  ticker.addEventListener("tick", show);
}

function connectCalls(socket, position, toasts) {
  const engine = new CallEngine(socket);
  const telemetry = new Telemetry(() => position.fix);
  const ringer = new Ringer();
  const audio = element("call-audio");
  new IncomingCalls(element("incoming-calls"), element("incoming-call"), engine);
  new CallPanel(element("call"), engine, { telemetry, texts });
  engine.addEventListener("sound", ({ detail }) => (audio.srcObject = detail));
  engine.addEventListener("channel", ({ detail }) => telemetry.open(detail));
  engine.addEventListener("refused", ({ detail }) => toasts.error(detail));
  engine.addEventListener("gone", ({ detail: { state, call } }) => {
    if (state === "active") toasts.show("Answered on another device.", call.callerId, { key: call.callId, tone: "info" });
    else toasts.show("Missed call", call.callerId, { key: call.callId, tone: "high" });
  });
  engine.addEventListener("change", () => {
    const { current, incoming, isBusy } = engine;
    if (current?.phase === "ringing") ringer.play("ringback");
    else ringer.play(incoming.size > 0 && !isBusy ? "ring" : null);
    element("call-dispatch").disabled = isBusy;
    if (isBusy || audio.srcObject === null) return;
    audio.srcObject = null;
    telemetry.close();
  });
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-call]");
    if (button) engine.call(button.dataset.call);
  });
}
