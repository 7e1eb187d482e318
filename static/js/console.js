// The console: makes the parts and connects them. Each part knows only the store, the socket and its own element.

import { connectAlerts } from "./alerts/alerts.js";
import { connectCalls } from "./calls/calls.js";
import { pageId } from "./calls/page_id.js";
import { ticker } from "./clock.js";
import { connectFences } from "./geofences/console.js";
import { linkView, linkedView } from "./link.js";
import { showVehicles } from "./live_vehicles.js";
import { VehicleList } from "./list.js";
import { ConsoleMap } from "./map/map.js";
import { connectMessages } from "./messages/messages.js";
import { Navigation } from "./navigation.js";
import { Nearby } from "./nearby.js";
import { connectRadio } from "./radio.js";
import { Socket, socketUrl } from "./socket.js";
import { Store } from "./store.js";
import { toggleTheme } from "./theme.js";
import { ConnectionBanner } from "./ui/connection.js";
import { Drawer } from "./ui/drawer.js";
import { bindKey, showKeys } from "./ui/keys.js";
import { keepWhatPeopleDo } from "./ui/morph.js";
import { moveFocus } from "./ui/rows.js";
import { followSheet } from "./ui/sheet.js";
import { Sound } from "./ui/sound.js";
import { Tabs } from "./ui/tabs.js";
import { Toasts } from "./ui/toasts.js";
import { toggleUnits, units } from "./units.js";
import { VehicleDetails } from "./vehicle_details.js";

const element = (id) => document.getElementById(id);

const socket = new Socket(`${socketUrl("/ws/dispatch/")}?deviceId=${pageId()}`);
const store = new Store(socket);
const texts = JSON.parse(element("error-texts").textContent);
const toasts = new Toasts(element("toasts"), element("toast-template"), texts);
const sound = new Sound();
const map = new ConsoleMap(element("map"));
const list = new VehicleList(element("vehicle-list"), element("vehicle-filter"), store);
const tabs = new Tabs(element("tabs"));
const drawer = new Drawer(element("drawer"));
const navigation = new Navigation(tabs, drawer);
new VehicleDetails(element("drawer"), drawer, store);
const nearby = new Nearby(element("drawer"), element("nearby-row"), { socket, store, toasts });
new ConnectionBanner(socket, element("connection"), element("connection-banner"));
followSheet(element("rail"), element("sheet-handle"));
keepWhatPeopleDo();

// ---- What is selected: list, map and drawer agree.

navigation.addEventListener("chosen", ({ detail: { kind, id, center } }) => {
  const vehicleId = kind === "vehicle" ? id : null;
  if (center && vehicleId !== null) map.show(store.get(vehicleId));
  mark(vehicleId);
});

function mark(vehicleId) {
  list.select(vehicleId);
  map.vehicles.select(vehicleId, Number(element("map").dataset.radiusM));
}

/** The list's row of what the drawer holds, where it has one. */
const rowOfCurrent = () => tabs.panel.querySelector(".row[aria-current=true]");

function deselect() {
  if (drawer.current === null) return;
  const row = rowOfCurrent();
  navigation.close();
  row?.focus({ preventScroll: true });
}

function announce(text) {
  element("announcer").textContent = text;
}

function opened({ kind, id }) {
  nearby.open(kind === "vehicle" ? id : null);
  announce(`Details of ${element("drawer-title").textContent}`);
}

drawer.addEventListener("opened", ({ detail }) => opened(detail));
drawer.addEventListener("closed", () => {
  nearby.open(null);
  mark(null);
});
drawer.addEventListener("failed", deselect);
drawer.addEventListener("action", ({ detail }) => {
  if (detail.sort) nearby.sortBy(detail.sort);
  else if (detail.action === "refresh") nearby.refresh();
  else if (detail.action === "center") map.show(store.get(drawer.idOf("vehicle")));
  else if (detail.action === "close") deselect();
});

// ---- The map follows the store, and tells the server what it shows.

/** Of a large fleet the selected vehicle and those near it are followed, too. */
const selected = () => (drawer.vehicleId === null ? [] : [drawer.vehicleId, ...nearby.vehicleIds]);
const followSelected = showVehicles({ map, store, socket, followed: selected });
for (const change of ["opened", "closed"]) drawer.addEventListener(change, followSelected);
socket.addEventListener("nearby_snapshot", followSelected);
store.addEventListener("snapshot", placeFirst, { once: true });
store.addEventListener("removed", ({ detail }) => drawer.vehicleId === detail && deselect());

function placeFirst() {
  const view = linkedView();
  const vehicle = store.get(drawer.idOf("vehicle"));
  if (view) map.leaflet.setView([view.lat, view.lng], view.zoom);
  else if (vehicle?.lat !== undefined) map.show(vehicle);
  else map.fit([...store.vehicles.values()]);
  map.leaflet.on("moveend", () => linkView(map.leaflet.getCenter(), map.leaflet.getZoom()));
}

map.addEventListener("pick", ({ detail: { alertId, vehicleId, members } }) => {
  if (alertId) navigation.open("alert", alertId);
  else if (vehicleId) navigation.open("vehicle", vehicleId, { center: false });
  else if (members) map.fit(members, 17);
});

// ---- What went wrong.

socket.addEventListener("error", ({ detail }) => toasts.error(detail));
for (const failure of ["htmx:sendError", "htmx:timeout"]) {
  document.body.addEventListener(failure, () => toasts.error({ code: "unavailable" }));
}
document.body.addEventListener("htmx:responseError", ({ detail }) => {
  const code = { 403: "forbidden", 404: "not_found", 429: "rate_limited" }[detail.xhr.status] ?? "internal_error";
  toasts.error({ code });
});

// ---- Buttons and keys.

const search = element("vehicle-search");
const showUnit = () => (element("unit-name").textContent = units.system);
units.addEventListener("change", showUnit);
showUnit();

const fitAll = () => map.fit([...store.vehicles.values()]);
const help = () => showKeys(element("keys"));
element("fit").addEventListener("click", fitAll);
element("unit").addEventListener("click", toggleUnits);
element("theme").addEventListener("click", toggleTheme);
element("help").addEventListener("click", help);

const menu = document.querySelector("details.menu");
document.addEventListener("click", ({ target }) => {
  if (!menu.contains(target)) menu.open = false;
});

function back() {
  if (menu.open) menu.open = false;
  else if (document.activeElement === search) moveFocus(tabs.panel, 0);
  else deselect();
}

function find() {
  navigation.show("vehicles");
  search.select();
}

search.addEventListener("input", () => navigation.show("vehicles"));

bindKey("/", "Search vehicles", find);
bindKey("j", "Next in the list", () => moveFocus(tabs.panel, 1));
bindKey("k", "Previous in the list", () => moveFocus(tabs.panel, -1));
bindKey("Enter", "Open it");
bindKey("Escape", "Back", back);
bindKey("g v", "Go to the vehicles", () => navigation.show("vehicles"));
connectAlerts({ socket, store, map, tabs, drawer, navigation, toasts, sound });
connectCalls({ socket, store, tabs, drawer, navigation, toasts, sound, texts });
const fences = connectFences({ socket, map, toggle: element("fences-toggle") });
connectMessages({ socket, store, tabs, drawer, navigation, toasts, sound, texts });
connectRadio({ socket, toasts });
bindKey("r", "Refresh nearby", () => nearby.refresh());
bindKey("s", "Sort nearby by distance or activity", () => nearby.toggleSort());
bindKey("f", "Show all vehicles on the map", fitAll);
bindKey("u", "Kilometers or miles", toggleUnits);
bindKey("t", "Light or dark", toggleTheme);
bindKey("?", "Show the keys", help);

// ---- The clock of the fleet's zone.

const clock = element("clock");
const clockFormat = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone: clock.dataset.timeZone, timeZoneName: "short",
});
ticker.addEventListener("tick", () => (clock.textContent = clockFormat.format(Date.now())));

// ---- What is drawn on the canvas, for whoever cannot see it: tests and measurements.

window.v2v = Object.freeze({
  placeOf: (vehicleId) => map.vehicles.placeOf(vehicleId),
  fencePlaceOf: (id) => fences.placeOf(id),
  alertPlaceOf: (alertId) => map.alerts.placeOf(alertId),
  effort: () => map.vehicles.effort,
});

// ---- What the link names is in the page already.

if (drawer.current !== null) {
  mark(drawer.idOf("vehicle"));
  opened(drawer.current);
}
socket.connect();
