// The replay page: makes the parts and connects them.

import { mercatorX, mercatorY } from "../geo.js";
import { theme } from "../theme.js";
import { write } from "../text.js";
import { bindKey, showKeys } from "../ui/keys.js";
import { link, linked } from "./address.js";
import { followHands } from "./hands.js";
import { Loader, fetched } from "./loader.js";
import { lookOf } from "./looks.js";
import { ReplayMap } from "./map.js";
import { MomentList } from "./moments.js";
import { Player } from "./player.js";
import { Timeline } from "./timeline.js";
import { Track } from "./track.js";
import { VehicleList } from "./vehicles.js";
import { Words } from "./words.js";

const FIGURES_MS = 200; // figures that change with every frame cannot be read
const element = (id) => document.getElementById(id);
const asked = JSON.parse(element("replay-asked").textContent);
const span = { start: asked.start, end: asked.end };
const said = linked(); // as the link had it, before the page keeps its own in the address
const words = new Words(asked.zone);
const tracks = asked.vehicles.map((vehicle, index) => new Track(vehicle, lookOf(index)));
const player = new Player(span);
const map = new ReplayMap(element("map"), tracks);
const timeline = new Timeline(
  { canvas: element("replay-canvas"), cursor: element("replay-cursor"), range: element("replay-time"), hover: element("replay-hover") },
  span, tracks, words,
);
const vehicles = new VehicleList(element("replay-vehicles"), element("replay-vehicle"), tracks, words);
const moments = new MomentList(
  { list: element("replay-moments"), template: element("replay-moment"), toggles: [...document.querySelectorAll("[data-kind]")], iconsUrl: element("replay").dataset.iconsUrl },
  asked.kinds, words,
);
const loader = new Loader(tracks, span);
let followed = null;
let figuresAt = -Infinity;
let hasLooked = false; // the map shows what is there

// ---- The moment

function show() {
  const { time } = player;
  const states = new Map(tracks.map((track) => [track, track.at(time)]));
  map.markers.show(time, states);
  const state = followed && states.get(followed);
  if (state && state.state !== "before") map.keep(state);
  timeline.show(time);
  const now = performance.now();
  if (player.isPlaying && now - figuresAt < FIGURES_MS) return;
  figuresAt = now;
  write(element("replay-clock"), words.full(time));
  vehicles.show(states);
  moments.show(time);
}

function keep() {
  link({ at: player.time, speed: player.speed, follow: followed?.vehicleId });
}

player.addEventListener("time", show);
player.addEventListener("sought", () => {
  figuresAt = -Infinity;
  show();
  timeline.say(words.full(player.time));
  if (!player.isPlaying) keep();
});
player.addEventListener("state", () => {
  const button = element("replay-play");
  button.dataset.playing = player.isPlaying ? "yes" : "no";
  button.ariaLabel = player.isPlaying ? "Pause" : "Play";
  element("replay-speed").value = String(player.speed);
  if (player.isPlaying) return;
  figuresAt = -Infinity;
  show();
  timeline.say(words.full(player.time));
  keep();
});
timeline.addEventListener("seek", ({ detail }) => player.seek(detail));
element("replay-play").addEventListener("click", () => player.toggle());
element("replay-speed").addEventListener("change", ({ target }) => (player.speed = Number(target.value)));

// ---- Moments

function toMoment(direction) {
  const there = moments.shown;
  const next = direction > 0 ? there.find(({ ts }) => ts > player.time) : there.findLast(({ ts }) => ts < player.time);
  if (next) go(next);
  else write(element("replay-state"), direction > 0 ? "No later moment" : "No earlier moment");
}

function go(moment) {
  player.seek(moment.ts);
  write(element("replay-state"), "");
  const place = placeOf(moment);
  if (place) map.keep(place);
}

/** Where it happened, or where its vehicle was. Null for a whole fleet's, or while nobody knows. */
function placeOf({ vehicleId, ts, place }) {
  if (place) return { x: mercatorX(place[1]), y: mercatorY(place[0]) };
  const track = tracks.find((one) => one.vehicleId === vehicleId);
  const state = track?.at(ts);
  return state && state.state !== "before" ? { x: state.x, y: state.y } : null;
}

function markMoments() {
  const marks = moments.shown.map((moment) => ({ ...moment, letter: asked.kinds[moment.kind].name[0] }));
  timeline.mark(marks);
  map.lines.mark(marks.map((mark) => ({ ...mark, ...placeOf(mark) })).filter(({ x }) => x !== undefined));
}

moments.addEventListener("change", markMoments);
moments.addEventListener("chosen", ({ detail }) => go(detail));
element("replay-previous").addEventListener("click", () => toMoment(-1));
element("replay-next").addEventListener("click", () => toMoment(1));

// ---- Who is followed

function follow(track) {
  followed = track;
  vehicles.follow(track);
  map.markers.follow(track);
  const state = track?.at(player.time);
  if (state && state.state !== "before") map.show(state);
  keep();
}

vehicles.addEventListener("follow", ({ detail }) => follow(detail));
map.addEventListener("pick", ({ detail }) => follow(detail === followed ? null : detail));

// ---- Loading

function look() {
  if (!followed) map.fit();
}

async function loadMoments() {
  const query = new URLSearchParams({ vehicles: tracks.map(({ vehicleId }) => vehicleId).join(","), from: span.start, to: span.end });
  const { moments: found, more } = await fetched(`${asked.momentsUrl}?${query}`);
  moments.replace(found);
  const note = element("replay-moments-note");
  note.hidden = more.length === 0;
  write(note, "Only the first 500 of a kind are shown: choose a shorter time for the rest.");
}

async function load() {
  element("replay-fault").hidden = true;
  element("replay-progress").hidden = false;
  await Promise.all([loader.load(), loadMoments().catch(({ message }) => complain(message))]);
}

function complain(text) {
  element("replay-fault").hidden = false;
  write(element("replay-fault").querySelector(".banner-text"), text);
}

loader.addEventListener("chunk", () => {
  map.lines.redraw();
  timeline.redraw();
  show();
  if (hasLooked || tracks.every(({ count }) => count === 0)) return;
  hasLooked = true;
  look();
  performance.mark("replay-usable");
});
loader.addEventListener("progress", ({ detail }) => {
  const bar = element("replay-progress");
  bar.ariaValueNow = String(Math.round(detail * 100));
  bar.firstElementChild.style.width = `${detail * 100}%`;
  write(element("replay-state"), detail < 1 ? `Loading, ${Math.round(detail * 100)}%` : "");
});
loader.addEventListener("done", () => {
  const isEmpty = tracks.every(({ count }) => count === 0);
  element("replay-progress").hidden = true;
  element("replay-nothing").hidden = !isEmpty;
  element("replay").dataset.loaded = "yes";
  if (said.at === null && !isEmpty && player.time === span.start) player.seek(Math.min(...tracks.filter(({ count }) => count > 0).map(({ first }) => first)));
  const chosen = tracks.find(({ vehicleId }) => vehicleId === said.follow);
  if (chosen && !followed) follow(chosen);
  else look();
  markMoments(); // now their places are known
  show();
  performance.mark("replay-loaded");
});
loader.addEventListener("fault", ({ detail }) => {
  element("replay-progress").hidden = true;
  markMoments();
  complain(detail);
});
element("replay-fault").querySelector("button").addEventListener("click", load);

// ---- Hands

bindKey("n", "To the next moment", () => toMoment(1));
bindKey("p", "To the moment before", () => toMoment(-1));
bindKey("+", "Faster", () => player.shift(1));
bindKey("-", "Slower", () => player.shift(-1));
bindKey("f", "Show all tracks", () => {
  follow(null);
  map.fit();
});
bindKey("?", "Show the keys", () => showKeys(element("keys")));
element("help").addEventListener("click", () => showKeys(element("keys")));
followHands(player);
theme.addEventListener("change", markMoments);

// ---- What is drawn on the canvas, for whoever cannot see it: tests and measurements.

window.v2v = Object.freeze({ placeOf: (vehicleId) => map.markers.placeOf(vehicleId) });

// ---- What the address says

if (said.speed !== null) player.speed = said.speed;
player.seek(said.at ?? span.start);
await load();
