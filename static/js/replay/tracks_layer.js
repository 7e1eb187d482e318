// The tracks as they lie: whole, thin, dashed where the vehicle was silent, with stops and moments. Drawn when the map moves.

import { CanvasLayer, placed } from "../map/canvas_layer.js";
import { drawMark, mapColors } from "./looks.js";

const FINE_PX = 1.2; // points nearer than this to the last one drawn are left out
const MARK_PX = 8;
const STOP_PX = 4;
const LEAST_STOP_ZOOM = 9;

/** The fixes of a track that are worth drawing at a scale (pixels of the world): indexes, in order. */
export function thinned(track, world) {
  const reach = FINE_PX / world;
  const kept = [];
  let [x, y] = [Infinity, Infinity];
  for (let i = 0; i < track.count; i++) {
    const isEdge = i === 0 || i === track.count - 1 || track.isGap(i) || track.isGap(i - 1);
    if (!isEdge && Math.abs(track.x[i] - x) + Math.abs(track.y[i] - y) < reach) continue;
    kept.push(i);
    [x, y] = [track.x[i], track.y[i]];
  }
  return kept;
}

export class TracksLayer extends CanvasLayer {
  initialize(tracks) {
    this._tracks = tracks;
    this._moments = [];
    this._kept = new Map(); // by track: {level, count, indexes}
  }

  /** Show these moments: `{x, y, letter, tone}`. */
  mark(moments) {
    this._moments = moments;
    this.redraw();
  }

  restyle() {
    this._colors = null;
    this.redraw();
  }

  _paint(context, view) {
    this._colors ??= mapColors();
    for (const track of this._tracks) if (track.count > 0) this.#drawTrack(context, track, view);
    if (view.zoom >= LEAST_STOP_ZOOM) for (const track of this._tracks) this.#drawStops(context, track, view);
    for (const moment of this._moments) {
      const { x, y } = placed(moment.x, moment.y, view);
      if (isNear(x, y, view, MARK_PX)) drawMark(context, moment, x, y, MARK_PX, this._colors);
    }
  }

  #indexes(track, view) {
    const level = Math.ceil(view.zoom);
    const known = this._kept.get(track);
    if (known?.level === level && known.count === track.count) return known.indexes;
    const indexes = thinned(track, 256 * 2 ** level);
    this._kept.set(track, { level, count: track.count, indexes });
    return indexes;
  }

  #drawTrack(context, track, view) {
    const first = placed(track.x[0], track.y[0], view);
    const toX = (i) => first.x + (track.x[i] - track.x[0]) * view.world;
    const toY = (i) => first.y + (track.y[i] - track.y[0]) * view.world;
    const [lines, gaps] = [new Path2D(), new Path2D()];
    let before = -1;
    let [beforeX, beforeY, beforeSide] = [0, 0, 0];
    let isDown = false; // the pen is where the point before was
    for (const i of this.#indexes(track, view)) {
      const [x, y] = [toX(i), toY(i)];
      const side = sideOf(x, y, view);
      const isSilent = before >= 0 && i === before + 1 && track.isGap(before);
      if (before < 0 || isSilent || side & beforeSide) isDown = false;
      else {
        if (!isDown) lines.moveTo(beforeX, beforeY);
        lines.lineTo(x, y);
        isDown = true;
      }
      if (isSilent && !(side & beforeSide)) {
        gaps.moveTo(beforeX, beforeY);
        gaps.lineTo(x, y);
      }
      [before, beforeX, beforeY, beforeSide] = [i, x, y, side];
    }
    context.lineJoin = context.lineCap = "round";
    context.strokeStyle = track.look.color;
    context.globalAlpha = 0.6;
    context.lineWidth = track.look.isSecond ? 3.5 : 2;
    context.stroke(lines);
    if (track.look.isSecond) {
      context.strokeStyle = this._colors.text;
      context.lineWidth = 1;
      context.stroke(lines);
      context.strokeStyle = track.look.color;
    }
    context.lineWidth = 1.5;
    context.setLineDash([2, 6]);
    context.stroke(gaps);
    context.setLineDash([]);
    context.globalAlpha = 1;
  }

  #drawStops(context, track, view) {
    context.lineWidth = 2;
    context.strokeStyle = track.look.color;
    context.fillStyle = this._colors.surface;
    for (const stop of track.stops) {
      const { x, y } = placed(stop.x, stop.y, view);
      if (!isNear(x, y, view, STOP_PX)) continue;
      context.fillRect(x - STOP_PX, y - STOP_PX, 2 * STOP_PX, 2 * STOP_PX);
      context.strokeRect(x - STOP_PX, y - STOP_PX, 2 * STOP_PX, 2 * STOP_PX);
    }
  }
}

/** Beyond which sides of the view a point lies: bits; 0 inside. */
const sideOf = (x, y, { width, height }) => (x < 0 ? 1 : x > width ? 2 : 0) | (y < 0 ? 4 : y > height ? 8 : 0);

const isNear = (x, y, { width, height }, margin) => x > -margin && y > -margin && x < width + margin && y < height + margin;
