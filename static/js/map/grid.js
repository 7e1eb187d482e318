// The grid of degrees: as close as the zoom allows, named along the edges like on a chart.

import { latitudeOf, mercatorX, mercatorY } from "../geo.js";
import { token } from "../theme.js";

const { L } = window;
const STEPS = [45, 30, 15, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001];
const LEAST_PX = 140;
const EDGE_PX = 24; // clear of the attribution in the corner

/** The lines that cross a box (Web Mercator, west may lie below 0): `{step, lngs, lats}` in degrees; `scale` is the world's width in pixels. */
export function gridLines(box, scale) {
  const fits = STEPS.filter((step) => (step / 360) * scale >= LEAST_PX);
  const step = fits[fits.length - 1] ?? STEPS[0];
  const every = (from, to) => {
    const lines = [];
    for (let i = Math.ceil(from / step); i * step <= to; i++) lines.push(i * step);
    return lines;
  };
  return {
    step,
    lngs: every((box.west - 0.5) * 360, (box.east - 0.5) * 360),
    lats: every(latitudeOf(Math.min(1, box.south)), latitudeOf(Math.max(0, box.north))),
  };
}

/** Draw the lines over a square of `size` pixels. */
export function drawGrid(context, { lngs, lats }, size, toX, toY) {
  context.beginPath();
  for (const lng of lngs) {
    context.moveTo(toX(mercatorX(lng)), 0);
    context.lineTo(toX(mercatorX(lng)), size);
  }
  for (const lat of lats) {
    context.moveTo(0, toY(mercatorY(lat)));
    context.lineTo(size, toY(mercatorY(lat)));
  }
  context.strokeStyle = token("--map-grid");
  context.lineWidth = 1;
  context.stroke();
}

function degreesText(value, step, positive, negative) {
  const digits = Math.max(0, Math.ceil(-Math.log10(step)));
  const shown = Math.abs(value).toFixed(digits);
  return `${shown}°${Number(shown) === 0 ? "" : value > 0 ? positive : negative}`;
}

const wrapped = (lng) => ((((lng + 180) % 360) + 360) % 360) - 180;

/** The names of the lines along the lower and the right edge of the map. */
export class GridLabels extends L.Layer {
  onAdd(map) {
    this._canvas = L.DomUtil.create("canvas", "grid-labels", map.getContainer());
    this._canvas.setAttribute("aria-hidden", "true");
    this._resize();
  }

  getEvents() {
    return { move: this.redraw, zoomend: this.redraw, resize: this._resize };
  }

  _resize() {
    const { x, y } = this._map.getSize();
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    Object.assign(this._canvas, { width: x * ratio, height: y * ratio });
    Object.assign(this._canvas.style, { width: `${x}px`, height: `${y}px` });
    this._context = this._canvas.getContext("2d");
    this._context.scale(ratio, ratio);
    this.redraw();
  }

  /** Draw with the next animation frame. */
  redraw() {
    this._frame ??= requestAnimationFrame(() => {
      this._frame = null;
      this._draw();
    });
  }

  _draw() {
    const { x: width, y: height } = this._map.getSize();
    const scale = 256 * 2 ** this._map.getZoom();
    const { x: left, y: top } = this._map.getPixelBounds().min;
    const box = { west: left / scale, east: (left + width) / scale, north: top / scale, south: (top + height) / scale };
    const { step, lngs, lats } = gridLines(box, scale);
    const context = this._context;
    context.clearRect(0, 0, width, height);
    context.font = `11px ${token("--font")}`;
    context.fillStyle = token("--map-grid-text");
    for (const lng of lngs) {
      context.fillText(degreesText(wrapped(lng), step, "E", "W"), mercatorX(lng) * scale - left + 4, height - EDGE_PX);
    }
    context.textAlign = "right";
    for (const lat of lats) {
      context.fillText(degreesText(lat, step, "N", "S"), width - 6, mercatorY(lat) * scale - top - 4);
    }
    context.textAlign = "left";
  }
}
