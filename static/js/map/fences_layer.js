// Geofences under the vehicles, on one quiet canvas: a thousand of them cost nothing while vehicles move over them.

import { mercatorX, mercatorY, metersPerMercator } from "../geo.js";
import { token } from "../theme.js";
import { CanvasLayer, placed } from "./canvas_layer.js";
import { haloText } from "./drawing.js";

const NAMES_FROM_PX = 60; // across; a smaller one has no room for its name
const REACH_PX = 6; // how far from the border a click still means it
const QUIET = { fill: 0.05, line: 0.55, width: 1.5 };
const PLAIN = { fill: 0.12, line: 0.95, width: 2 };
const CHOSEN = { fill: 0.22, line: 1, width: 3.5 };

/** The outline in Web Mercator (0..1): corners of an area, or the middle and the radius of a circle. */
function outlined(fence) {
  if (fence.kind === "circle") {
    const [lng, lat] = fence.geometry.coordinates;
    return { fence, x: mercatorX(lng), y: mercatorY(lat), radius: fence.radiusM / metersPerMercator(lat) };
  }
  const corners = fence.geometry.coordinates[0].map(([lng, lat]) => [mercatorX(lng), mercatorY(lat)]);
  const [xs, ys] = [corners.map(([x]) => x), corners.map(([, y]) => y)];
  const [west, east, north, south] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  return { fence, corners, x: (west + east) / 2, y: (north + south) / 2, radius: Math.max(east - west, south - north) / 2 };
}

export class FencesLayer extends CanvasLayer {
  /** `quiet`: beneath what matters more. */
  initialize({ quiet = false } = {}) {
    this._quiet = quiet;
    this._outlines = [];
    this._drawn = [];
    this._selected = null;
    this._hidden = null;
  }

  onAdd(map) {
    super.onAdd(map);
    this.getPane().prepend(this._canvas);
  }

  onRemove() {
    this._canvas.remove();
    this._drawn = [];
  }

  /** Show these geofences, as `geofence_updated` tells of them. */
  replace(fences) {
    this._outlines = [...fences].map(outlined).sort((a, b) => b.radius - a.radius); // the small ones on top
    this.redraw();
  }

  /** Mark the geofence of this id; null for none. */
  select(id) {
    this._selected = id;
    this.redraw();
  }

  /** Leave the geofence of this id out: it is being edited. Null for none. */
  hide(id) {
    this._hidden = id;
    this.redraw();
  }

  restyle() {
    this._colors = null;
    this.redraw();
  }

  /** `{geofenceId}` of the smallest geofence at a point of the container; undefined where there is none. */
  at({ x, y }) {
    const found = this._drawn.findLast(({ path, radius, place }) =>
      path ? this._context.isPointInPath(path, x * this._ratio, y * this._ratio) : Math.hypot(place.x - x, place.y - y) <= radius + REACH_PX,
    );
    return found && { geofenceId: found.fence.geofenceId };
  }

  /** Where a geofence is drawn, in pixels of the container: its middle, and how far it reaches; null out of view. */
  placeOf(id) {
    const drawn = this._drawn.find(({ fence }) => fence.geofenceId === id);
    return drawn ? { ...drawn.place, radius: drawn.radius } : null;
  }

  _paint(context, view) {
    this._colors ??= { label: token("--map-label"), "label-halo": token("--map-label-halo"), font: token("--font") };
    this._drawn = [];
    for (const outline of this._outlines) {
      if (outline.fence.geofenceId === this._hidden) continue;
      const place = placed(outline.x, outline.y, view);
      const radius = outline.radius * view.world;
      if (place.x + radius < 0 || place.y + radius < 0 || place.x - radius > view.width || place.y - radius > view.height) continue;
      this._drawn.push(this.#draw(context, outline, place, radius, view));
    }
    for (const { fence, place, radius } of this._drawn) {
      if (radius * 2 >= NAMES_FROM_PX || fence.geofenceId === this._selected) haloText(context, fence.name, place.x, place.y + 4, this._colors, "center");
    }
  }

  #draw(context, { fence, corners, x, y }, place, radius, view) {
    const style = fence.geofenceId === this._selected ? CHOSEN : this._quiet ? QUIET : PLAIN;
    let path = null;
    context.beginPath();
    if (corners) {
      path = new Path2D();
      for (const corner of corners) path.lineTo(place.x + (corner[0] - x) * view.world, place.y + (corner[1] - y) * view.world);
      path.closePath();
    } else context.arc(place.x, place.y, Math.max(radius, 3), 0, 2 * Math.PI);
    context.fillStyle = context.strokeStyle = fence.color;
    context.globalAlpha = fence.isActive === false ? style.fill / 3 : style.fill;
    context.fill(...(path ? [path] : []));
    context.globalAlpha = style.line;
    context.lineWidth = style.width;
    context.setLineDash(fence.isActive === false ? [3, 5] : []); // one that is off is dashed
    context.stroke(...(path ? [path] : []));
    context.setLineDash([]);
    context.globalAlpha = 1;
    return { fence, path, place, radius };
  }
}
