// Where the vehicles are at the moment of the clock, with what they drove in the last minutes. Drawn with every frame.

import { CanvasLayer, placed } from "../map/canvas_layer.js";
import { haloText } from "../map/drawing.js";
import { mapColors } from "./looks.js";

const TAIL_MS = 600_000;
const SIZE_PX = 9;
const LETTER_PX = 7.5;

export class MarkersLayer extends CanvasLayer {
  initialize(tracks) {
    this._tracks = tracks;
    this._places = new Map(); // by track, as it is drawn
    this._time = 0;
    this._followed = null;
  }

  /** Show how everything is at a moment: states by track, as `Track.at` gives them. */
  show(time, states) {
    this._time = time;
    this._states = states;
    this.redraw();
  }

  /** Ring this vehicle; null for none. */
  follow(track) {
    this._followed = track;
    this.redraw();
  }

  restyle() {
    this._colors = null;
    this.redraw();
  }

  /** Where a vehicle is drawn, in pixels of the container; null while it has no place. */
  placeOf(vehicleId) {
    const track = this._tracks.find((one) => one.vehicleId === vehicleId);
    return this._places.get(track) ?? null;
  }

  /** The track whose marker is at a point of the container. */
  at({ x, y }) {
    const reach = matchMedia("(pointer: coarse)").matches ? 24 : 14;
    return this._tracks.findLast((track) => {
      const place = this._places.get(track);
      return place && Math.hypot(place.x - x, place.y - y) <= reach;
    });
  }

  _paint(context, view) {
    this._colors ??= mapColors();
    this._places.clear();
    for (const track of this._tracks) {
      const state = this._states?.get(track);
      if (!state || state.state === "before") continue;
      const place = placed(state.x, state.y, view);
      this._places.set(track, place);
      this.#drawTail(context, track, state, place, view);
    }
    for (const [track, place] of this._places) this.#drawMarker(context, track, this._states.get(track), place);
    this.#drawNames(context);
  }

  #drawTail(context, track, state, place, view) {
    const since = this._time - TAIL_MS;
    const toX = (i) => place.x + (track.x[i] - state.x) * view.world;
    const toY = (i) => place.y + (track.y[i] - state.y) * view.world;
    context.beginPath();
    context.moveTo(place.x, place.y);
    for (let i = state.index; i >= 0 && track.ts[i] >= since; i--) {
      if (i < state.index && track.isGap(i)) break;
      context.lineTo(toX(i), toY(i));
    }
    context.lineJoin = context.lineCap = "round";
    context.lineWidth = 5;
    context.strokeStyle = this._colors.outline;
    context.stroke();
    context.lineWidth = 3.5;
    context.strokeStyle = track.look.color;
    context.stroke();
  }

  /** An arrow drives, a square stands, a hollow ring is silent. */
  #drawMarker(context, track, { state, heading }, { x, y }) {
    if (track === this._followed) {
      context.beginPath();
      context.arc(x, y, SIZE_PX + 9, 0, 2 * Math.PI);
      context.lineWidth = 2.5;
      context.strokeStyle = this._colors.ring;
      context.stroke();
    }
    context.save();
    context.translate(x, y);
    context.beginPath();
    if (state === "silent") context.arc(0, 0, SIZE_PX * 0.7, 0, 2 * Math.PI);
    else if (state === "stands" || heading === null) context.rect(-SIZE_PX * 0.65, -SIZE_PX * 0.65, SIZE_PX * 1.3, SIZE_PX * 1.3);
    else {
      context.rotate((heading * Math.PI) / 180);
      for (const [dx, dy] of [[0, -1.15], [0.85, 1], [0, 0.5], [-0.85, 1]]) context.lineTo(dx * SIZE_PX, dy * SIZE_PX);
    }
    context.closePath();
    context.lineJoin = "round";
    context.lineWidth = 5;
    context.strokeStyle = this._colors.outline;
    context.stroke();
    context.fillStyle = state === "silent" ? this._colors.surface : track.look.color;
    context.fill();
    context.lineWidth = state === "silent" ? 2.5 : 1;
    context.strokeStyle = state === "silent" ? track.look.color : this._colors.outline;
    context.stroke();
    context.restore();
  }

  /** Callsigns, the followed one first; one that would lie on another is left out. */
  #drawNames(context) {
    const taken = [];
    const ordered = [...this._places].sort(([a], [b]) => (b === this._followed) - (a === this._followed));
    for (const [{ vehicleId }, { x, y }] of ordered) {
      const box = [x + 12, y - 8, x + 14 + vehicleId.length * LETTER_PX, y + 8];
      if (taken.some((other) => box[0] < other[2] && box[2] > other[0] && box[1] < other[3] && box[3] > other[1])) continue;
      taken.push(box);
      haloText(context, vehicleId, x + 14, y + 4, this._colors, "start");
    }
  }
}
