// The page of geofences: makes the parts and connects them.

import { absoluteText, showTime, serverNow, ticker } from "../clock.js";
import { linkView, linkedView } from "../link.js";
import { showVehicles } from "../live_vehicles.js";
import { FencesLayer } from "../map/fences_layer.js";
import { ConsoleMap } from "../map/map.js";
import { Socket, socketUrl } from "../socket.js";
import { Store } from "../store.js";
import { theme, toggleTheme } from "../theme.js";
import { ConnectionBanner } from "../ui/connection.js";
import { Drawer } from "../ui/drawer.js";
import { bindKey } from "../ui/keys.js";
import { keepWhatPeopleDo } from "../ui/morph.js";
import { Refresher } from "../ui/refresher.js";
import { moveFocus } from "../ui/rows.js";
import { followSheet } from "../ui/sheet.js";
import { Toasts } from "../ui/toasts.js";
import { distanceText, units } from "../units.js";
import { ShapeEditor } from "./editor.js";
import { FenceForm } from "./form.js";
import { FenceStore } from "./store.js";

const { L, htmx } = window;
const KINDS = ["geofence", "edit", "new"];
const MOST_ZOOM = 16;
const LOOK_EVERY_S = 5;
const element = (id) => document.getElementById(id);

const socket = new Socket(socketUrl("/ws/dispatch/"));
const store = new Store(socket);
const map = new ConsoleMap(element("map"));
const fences = new FenceStore(element("map").dataset.shapesUrl, socket);
const layer = new FencesLayer().addTo(map.leaflet);
const editor = new ShapeEditor(map.leaflet);
const toasts = new Toasts(element("toasts"), element("toast-template"), JSON.parse(element("error-texts").textContent));
const drawer = new Drawer(element("drawer"));
const list = element("geofence-list");
let form = null;
let placed = false; // the map looks where it is to look

new ConnectionBanner(socket, element("connection"), element("connection-banner"));
followSheet(element("rail"), element("sheet-handle"));
keepWhatPeopleDo();
showVehicles({ map, store, socket });
theme.addEventListener("change", () => layer.restyle());

// ---- What is chosen stands in the address.

/** What an address shows in the drawer, `{kind, id}` or null. */
function thingOf(url) {
  const kind = KINDS.find((name) => url.searchParams.has(name));
  return kind ? { kind, id: url.searchParams.get(kind) } : null;
}

function go(thing) {
  const url = new URL(location.href);
  for (const kind of KINDS) url.searchParams.delete(kind);
  if (thing) url.searchParams.set(thing.kind, thing.id);
  if (url.href !== location.href) history.pushState(null, "", url);
  choose(thing);
}

function choose(thing) {
  if (thing === null) drawer.close();
  else drawer.open(thing);
}

addEventListener("popstate", () => choose(thingOf(new URL(location.href))));
document.addEventListener("click", (event) => {
  const anchor = event.target.closest("a[href]");
  if (!anchor || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const url = new URL(anchor.href);
  if (url.origin !== location.origin || url.pathname !== location.pathname || anchor.getAttribute("href").startsWith("#")) return;
  if (anchor.closest(".page-nav, .page-bar")) return;
  event.preventDefault();
  go(thingOf(url));
  if (anchor.classList.contains("row")) showFence(Number(anchor.dataset.geofenceId));
});

const currentId = () => {
  const id = drawer.idOf("geofence") ?? drawer.idOf("edit");
  return id === null ? null : Number(id);
};

function mark() {
  const id = currentId();
  layer.select(id);
  for (const row of list.getElementsByClassName("geofence-row")) {
    row.ariaCurrent = Number(row.dataset.geofenceId) === id ? "true" : null;
  }
}

/** Bring a geofence into view. */
function showFence(id) {
  const fence = fences.fences.get(id);
  if (fence) map.fit(cornersOf(fence), MOST_ZOOM);
}

/** Places round a geofence, as `fit` takes them. */
function cornersOf({ kind, geometry, radiusM }) {
  if (kind === "polygon") return geometry.coordinates[0].map(([lng, lat]) => ({ lat, lng }));
  const [lng, lat] = geometry.coordinates;
  const box = L.latLng(lat, lng).toBounds(2 * radiusM);
  return [box.getSouthWest(), box.getNorthEast()];
}

const fitAll = () => map.fit([...fences.fences.values()].flatMap(cornersOf));

map.addEventListener("pick", ({ detail }) => {
  if (form !== null || detail.vehicleId || detail.members) return;
  const picked = layer.at(detail.point);
  if (picked) go({ kind: "geofence", id: String(picked.geofenceId) });
});

// ---- The drawer: details, or the form.

function filled() {
  form?.end();
  form = null;
  const found = element("geofence-form");
  if (found && placed) form = new FenceForm(found, editor, map); // a new circle belongs where the map looks
  layer.hide(found ? currentId() : null);
  mark();
  age();
}

function opened() {
  filled();
  element("announcer").textContent = element("drawer-title").textContent;
  element("gf-name")?.focus({ preventScroll: true });
}

drawer.addEventListener("opened", opened);
drawer.addEventListener("updated", () => form === null && filled());
drawer.addEventListener("closed", () => {
  form?.end();
  form = null;
  layer.hide(null);
  mark();
});
drawer.addEventListener("failed", () => go(null));
drawer.addEventListener("action", ({ detail }) => detail.action === "show" && showFence(currentId()));
element("drawer").addEventListener("htmx:afterSettle", ({ detail }) => {
  // The answer to the form: itself with what is wrong, or the details of what is saved.
  if (detail.requestConfig?.elt.id !== "geofence-form") return;
  filled();
  element("drawer").querySelector("[aria-invalid=true]")?.focus();
});

document.body.addEventListener("geofenceSaved", ({ detail }) => {
  const thing = { kind: "geofence", id: detail.id };
  drawer.current = thing;
  const url = new URL(location.href);
  for (const kind of KINDS) url.searchParams.delete(kind);
  url.searchParams.set("geofence", detail.id);
  history.replaceState(null, "", url);
});

document.body.addEventListener("geofenceDeleted", ({ detail: { id, name } }) => {
  go(null);
  toasts.show(`${name} is deleted.`, "Its events are kept.", { tone: "info", action: { word: "Undo", run: () => restore(id) } });
});

function restore(id) {
  const restoring = element("restore-form");
  const url = `${element("geofence-filter").getAttribute("action")}${id}/restore/`;
  const values = Object.fromEntries(new FormData(restoring));
  htmx.ajax("POST", url, { source: restoring, target: restoring, swap: "none", values }).then(() => go({ kind: "geofence", id }));
}

// ---- What changes elsewhere.

const refresher = new Refresher(() => {
  const query = new URLSearchParams({ q: element("geofence-search").value });
  return htmx.ajax("GET", `${list.dataset.url}?${query}`, { source: list, target: list, swap: "morph:innerHTML" }).then(mark);
});

fences.addEventListener("change", () => {
  layer.replace(fences.fences.values());
  refresher.soon();
  const id = currentId();
  if (id !== null && placed && drawer.idOf("edit") === null) {
    if (fences.fences.has(id)) drawer.refresh();
  }
  if (!placed) placeFirst(id);
});

function placeFirst(id) {
  placed = true;
  const view = linkedView();
  if (view) map.leaflet.setView([view.lat, view.lng], view.zoom);
  else if (id !== null) showFence(id);
  else if (fences.fences.size) fitAll();
  else map.fit([...store.vehicles.values()]);
  map.leaflet.on("moveend", () => linkView(map.leaflet.getCenter(), map.leaflet.getZoom()));
  if (element("geofence-form")) filled();
}

socket.addEventListener("geofence_removed", ({ detail }) => {
  const isMine = "sent" in (element("geofence-delete")?.dataset ?? {}); // then the answer tells
  if (drawer.idOf("geofence") !== String(detail.geofenceId) || isMine) return;
  toasts.show(`${element("drawer-title").textContent} was deleted.`, "Somebody else has deleted it.", { tone: "info" });
  go(null);
});
socket.addEventListener("geofence_event", ({ detail }) => {
  refresher.soon();
  if (drawer.idOf("geofence") === String(detail.geofenceId)) drawer.refresh();
});

// ---- What went wrong.

socket.addEventListener("error", ({ detail }) => toasts.error(detail));
for (const failure of ["htmx:sendError", "htmx:timeout"]) {
  document.body.addEventListener(failure, () => toasts.error({ code: "unavailable" }));
}
document.body.addEventListener("htmx:responseError", ({ detail }) => {
  const code = { 403: "forbidden", 404: "not_found", 409: "conflict", 429: "rate_limited" }[detail.xhr.status] ?? "internal_error";
  toasts.error({ code });
});

// ---- Times, units, buttons and keys.

function age() {
  for (const time of document.querySelectorAll("#drawer time[data-ts]")) {
    const ts = Number(time.dataset.ts);
    showTime(time, ts, serverNow());
    time.title = absoluteText(ts);
  }
  for (const meters of document.querySelectorAll("#drawer [data-meters]")) meters.textContent = distanceText(Number(meters.dataset.meters));
}
let ticks = 0;
ticker.addEventListener("tick", () => {
  age();
  // Who was inside when the server first saw it is no event: only the server's list has it.
  if (++ticks % LOOK_EVERY_S) return;
  refresher.soon();
  if (drawer.idOf("geofence") !== null) drawer.refresh();
});
units.addEventListener("change", age);

function back() {
  if (editor.isDrawing) map.leaflet.pm.disableDraw();
  else if (drawer.current !== null) {
    const id = drawer.idOf("edit");
    go(id === null ? null : { kind: "geofence", id });
  }
}

element("fit").addEventListener("click", fitAll);
element("theme").addEventListener("click", toggleTheme);
const menu = document.querySelector("details.menu");
document.addEventListener("click", ({ target }) => {
  if (!menu.contains(target)) menu.open = false;
});
const follow = (selector) => document.querySelector(selector)?.click();
bindKey("/", "Search geofences", () => element("geofence-search").select());
bindKey("j", "Next in the list", () => moveFocus(list, 1));
bindKey("k", "Previous in the list", () => moveFocus(list, -1));
bindKey("Enter", "Open it");
bindKey("Escape", "Back", back);
bindKey("n", "New circle", () => follow('[href="?new=circle"]'));
bindKey("p", "New area", () => follow('[href="?new=polygon"]'));
bindKey("e", "Edit", () => follow('#drawer [href*="?edit="]'));
bindKey("f", "Show all on the map", fitAll);
bindKey("t", "Light or dark", toggleTheme);

// ---- What is drawn on the canvas, for whoever cannot see it: tests and measurements.

window.v2v = Object.freeze({
  placeOf: (vehicleId) => map.vehicles.placeOf(vehicleId),
  fencePlaceOf: (id) => layer.placeOf(id),
});

if (drawer.current !== null) opened();
socket.connect();
