// The vehicles on one canvas of our own: a marker each in the page would not move 2,000 of them at 60 frames a second.

import { serverNow } from "../clock.js";
import { token } from "../theme.js";
import { CanvasLayer, placed } from "./canvas_layer.js";
import { groupRadius, grouped } from "./clusters.js";
import { Glide } from "./glide.js";
import { Sprites } from "./sprites.js";
import { drawGroup, drawLabels, drawSelection } from "./drawing.js";

const GROUPS_BELOW_ZOOM = 11;
const LABELS_FROM_ZOOM = 14;
const FRESH_MS = 30_000;
const FADED_MS = 300_000;
const FADED_ALPHA = 0.4;
const REACH_PX = 14; // how far from a vehicle a click still means it
const REACH_COARSE_PX = 24;
const MARGIN_PX = 24;

/** Opacity of a position by its age: full while fresh, then fading to a rest that is never nothing. */
export function alphaOf(ageMs) {
  const part = Math.min(1, Math.max(0, (ageMs - FRESH_MS) / (FADED_MS - FRESH_MS)));
  return 1 - (1 - FADED_ALPHA) * part;
}

const arrowSize = (zoom) => Math.max(11, Math.min(20, Math.round(zoom) + 1));

export class VehiclesLayer extends CanvasLayer {
  initialize() {
    this._glides = new Map();
    this._points = [];
    this._groups = [];
    this._selected = null;
    this._frames = 0;
    this._drawMs = 0;
  }

  onAdd(map) {
    super.onAdd(map);
    map.on("mousemove", this._hover, this);
  }

  /** Start over with these vehicles. */
  replace(vehicles) {
    const now = performance.now();
    const before = this._glides;
    this._glides = new Map();
    for (const vehicle of vehicles) {
      if (vehicle.lat === undefined) continue;
      const glide = new Glide(vehicle, now);
      glide.trail = before.get(vehicle.vehicleId)?.trail ?? glide.trail;
      this._glides.set(vehicle.vehicleId, glide);
    }
    this.redraw();
  }

  /** These vehicles have a new position. */
  move(vehicles) {
    const now = performance.now();
    for (const vehicle of vehicles) {
      const glide = this._glides.get(vehicle.vehicleId);
      if (glide) glide.report(now);
      else this._glides.set(vehicle.vehicleId, new Glide(vehicle, now));
    }
    this.redraw();
  }

  /** Show a vehicle as selected, with its nearby radius in meters; null for none. */
  select(vehicleId, radiusM) {
    this._selected = vehicleId === null ? null : { vehicleId, radiusM };
    this.redraw();
  }

  restyle() {
    this._sprites = null;
    this._colors = null;
    this.redraw();
  }

  _paint(context, view, now) {
    const started = performance.now();
    this._style();
    const gliding = this._place(now, view);
    for (const group of this._groups) drawGroup(context, group, this._colors);
    const selected = this._selectedPoint;
    const written = selected ? drawSelection(context, selected, this._selected.radiusM, view, this._colors) : [];
    context.setTransform(1, 0, 0, 1, 0, 0);
    this._drawArrows(context);
    context.setTransform(this._ratio, 0, 0, this._ratio, 0, 0);
    const named = view.zoom >= LABELS_FROM_ZOOM ? this._points : this._points.filter((point) => this._stands(point.glide));
    drawLabels(context, named, selected, written, this._colors);
    this._frames += 1;
    this._drawMs += performance.now() - started;
    if (gliding) this.redraw();
  }

  _style() {
    this._colors ??= Object.fromEntries(
      ["ring", "label", "label-halo", "cluster", "cluster-text", "online", "timeout", "offline", "outline"].map((name) => [name, token(`--map-${name}`)]),
    );
    this._colors.font ??= token("--font");
    const size = arrowSize(this._map.getZoom());
    if (this._sprites?.size !== size) this._sprites = new Sprites(size, this._ratio);
  }

  /** Move every vehicle to where it is now and keep those in view; true while any of them glides. */
  _place(now, view) {
    let gliding = false;
    let points = [];
    this._selectedPoint = null;
    for (const glide of this._glides.values()) {
      glide.advance(now);
      gliding ||= glide.gliding;
      const { x, y } = placed(glide.x, glide.y, view);
      const selected = glide.vehicle.vehicleId === this._selected?.vehicleId;
      const margin = selected ? 4000 : MARGIN_PX;
      if (x < -margin || y < -margin || x > view.width + margin || y > view.height + margin) continue;
      const point = { x, y, glide };
      points.push(point);
      if (selected) this._selectedPoint = point;
    }
    this._groups = [];
    if (view.zoom < GROUPS_BELOW_ZOOM) points = this._group(points, view);
    this._points = points;
    return gliding;
  }

  _group(points, view) {
    const others = points.filter((point) => !this._stands(point.glide));
    for (const point of others) {
      point.x += view.left;
      point.y += view.top;
    }
    const { single, groups } = grouped(others);
    for (const place of [...single, ...groups]) {
      place.x -= view.left;
      place.y -= view.top;
    }
    this._groups = groups;
    return [...single, ...points.filter((point) => this._stands(point.glide))];
  }

  /** Whether a vehicle stands for itself: the selected and the hovered one are never hidden in a circle. */
  _stands(glide) {
    const { vehicleId } = glide.vehicle;
    return vehicleId === this._selected?.vehicleId || vehicleId === this._hovered;
  }

  _drawArrows(context) {
    const now = serverNow();
    for (const { x, y, glide } of this._points) {
      const { vehicle } = glide;
      context.globalAlpha = alphaOf(now - (vehicle.ts ?? now));
      this._sprites.draw(context, vehicle.status, glide.heading, x * this._ratio, y * this._ratio);
    }
    context.globalAlpha = 1;
  }

  /** What is at a point of the container: `{vehicleId}`, `{members}` or `{}`. */
  at({ x, y }) {
    let reach = matchMedia("(pointer: coarse)").matches ? REACH_COARSE_PX : REACH_PX;
    let found = {};
    for (const point of this._points) {
      const away = Math.hypot(point.x - x, point.y - y);
      if (away > reach) continue;
      reach = away;
      found = { vehicleId: point.glide.vehicle.vehicleId };
    }
    if (found.vehicleId) return found;
    const group = this._groups.find((one) => Math.hypot(one.x - x, one.y - y) <= groupRadius(one.members.length) + 2);
    return group ? { members: group.members.map((member) => member.glide.vehicle) } : {};
  }

  /** Where a vehicle is drawn, in pixels of the container; null when it is in a circle or out of view. */
  placeOf(vehicleId) {
    const point = this._points.find(({ glide }) => glide.vehicle.vehicleId === vehicleId);
    return point ? { x: point.x, y: point.y } : null;
  }

  /** How often was drawn, and how long that took in milliseconds of the main thread. */
  get effort() {
    return { frames: this._frames, drawMs: this._drawMs };
  }

  _hover({ containerPoint }) {
    const { vehicleId, members } = this.at(containerPoint);
    this._map.getContainer().classList.toggle("map-points", Boolean(vehicleId || members));
    if (vehicleId === this._hovered) return;
    this._hovered = vehicleId;
    this.redraw();
  }
}
