// The tracks as they lie: whole, thin, dashed where the vehicle was silent, with stops and moments. Drawn when the map moves.

import { CanvasLayer, placed } from "../map/canvas_layer.js";
import { drawMark, mapColors } from "./looks.js";

const FINE_PX = 1.2; // points nearer than this to the last one drawn are left out
const MARK_PX = 8;
const STOP_PX = 4;
const LEAST_STOP_ZOOM = 9;
const BLOCK = 256; // fixes that are looked at together: those out of view cost one comparison

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

/** The same in blocks with their bounds; each begins with the last fix of the one before, so that no line is lost. */
function blocked(track, indexes) {
  const blocks = [];
  for (let from = 0; from < indexes.length; from += BLOCK) {
    const part = indexes.slice(Math.max(0, from - 1), from + BLOCK);
    const block = { indexes: part, west: Infinity, east: -Infinity, north: Infinity, south: -Infinity };
    for (const i of part) {
      block.west = Math.min(block.west, track.x[i]);
      block.east = Math.max(block.east, track.x[i]);
      block.north = Math.min(block.north, track.y[i]);
      block.south = Math.max(block.south, track.y[i]);
    }
    blocks.push(block);
  }
  return blocks;
}

export class TracksLayer extends CanvasLayer {
  initialize(tracks) {
    this._tracks = tracks;
    this._moments = [];
    this._kept = new Map(); // by track: {level, count, blocks}
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

  #blocks(track, view) {
    const level = Math.ceil(view.zoom);
    const known = this._kept.get(track);
    if (known?.level === level && known.count === track.count) return known.blocks;
    const blocks = blocked(track, thinned(track, 256 * 2 ** level));
    this._kept.set(track, { level, count: track.count, blocks });
    return blocks;
  }

  #drawTrack(context, track, view) {
    const first = placed(track.x[0], track.y[0], view);
    const toX = (x) => first.x + (x - track.x[0]) * view.world;
    const toY = (y) => first.y + (y - track.y[0]) * view.world;
    const [lines, gaps] = [new Path2D(), new Path2D()];
    let isSeen = false;
    for (const { indexes, west, east, north, south } of this.#blocks(track, view)) {
      if (toX(east) < 0 || toX(west) > view.width || toY(south) < 0 || toY(north) > view.height) continue;
      isSeen = true;
      addBlock(lines, gaps, track, indexes, toX, toY);
    }
    if (!isSeen) return;
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

/** Add the lines of a block to their paths. */
function addBlock(lines, gaps, track, indexes, toX, toY) {
  let before = indexes[0];
  lines.moveTo(toX(track.x[before]), toY(track.y[before]));
  for (let at = 1; at < indexes.length; at++) {
    const i = indexes[at];
    const [x, y] = [toX(track.x[i]), toY(track.y[i])];
    if (i === before + 1 && track.isGap(before)) {
      gaps.moveTo(toX(track.x[before]), toY(track.y[before]));
      gaps.lineTo(x, y);
      lines.moveTo(x, y);
    } else lines.lineTo(x, y);
    before = i;
  }
}

const isNear = (x, y, { width, height }, margin) => x > -margin && y > -margin && x < width + margin && y < height + margin;
