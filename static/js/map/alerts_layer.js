// Active alerts at their places: how bad, what, and how far it matters. Those that nobody has taken pulse when critical.

import { mercatorX, mercatorY, metersPerMercator } from "../geo.js";
import { token } from "../theme.js";
import { CanvasLayer, placed } from "./canvas_layer.js";
import { haloText } from "./drawing.js";

const SIZE_PX = 11; // from the middle to a corner
const REACH_PX = 16; // how far from it a click still means it
const REACH_COARSE_PX = 26;
const PULSE_MS = 1600;
const PULSE_PX = 34;
const MARGIN_PX = 60;
const LONGEST_LABEL = 40; // characters
const stillness = matchMedia("(prefers-reduced-motion: reduce)");

// The shapes of `.severity` in the style sheet: corners on a circle of radius 1, clockwise from the top.
const SHAPES = {
  critical: [[0, -1], [0.95, 0.75], [-0.95, 0.75]],
  high: [[0, -1], [1, 0], [0, 1], [-1, 0]],
  medium: [[-0.8, -0.8], [0.8, -0.8], [0.8, 0.8], [-0.8, 0.8]],
  low: null,
};

const isUntaken = ({ state }) => state === "open";
const pulses = (alert) => isUntaken(alert) && alert.severity === "critical" && !alert.drill && !stillness.matches;

/** What stands beside an alert: its type, in full words whether it is a drill, and whose it is. */
const labelOf = ({ type, senderId, drill }) =>
  `${drill ? "EXERCISE " : ""}${type[0].toUpperCase()}${type.slice(1)} ${senderId}`.slice(0, LONGEST_LABEL);

export class AlertsLayer extends CanvasLayer {
  initialize() {
    this._alerts = [];
    this._points = [];
    this._selected = null;
  }

  onAdd(map) {
    super.onAdd(map);
    map.on("mousemove", ({ containerPoint }) => map.getContainer().classList.toggle("map-points-alert", Boolean(this.at(containerPoint))));
  }

  /** Show these alerts, the most important first. */
  replace(alerts) {
    this._alerts = alerts.filter(({ lat }) => lat !== undefined).reverse(); // the first is drawn last, on top
    this.redraw();
  }

  /** Ring the alert of this id; null for none. */
  select(alertId) {
    this._selected = alertId;
    this.redraw();
  }

  restyle() {
    this._colors = null;
    this.redraw();
  }

  /** `{alertId}` of the alert at a point of the container; undefined where there is none. */
  at({ x, y }) {
    const reach = matchMedia("(pointer: coarse)").matches ? REACH_COARSE_PX : REACH_PX;
    const found = this._points.findLast((point) => Math.hypot(point.x - x, point.y - y) <= reach);
    return found && { alertId: found.alert.alertId };
  }

  /** Where an alert is drawn, in pixels of the container, and what stands beside it; null when it is out of view. */
  placeOf(alertId) {
    const point = this._points.find(({ alert }) => alert.alertId === alertId);
    return point ? { x: point.x, y: point.y, label: labelOf(point.alert) } : null;
  }

  _paint(context, view, now) {
    this._colors ??= {
      ...Object.fromEntries(["critical", "high", "medium", "low"].map((name) => [name, token(`--severity-${name}`)])),
      label: token("--map-label"), "label-halo": token("--map-label-halo"), outline: token("--map-outline"), ring: token("--map-ring"), font: token("--font"),
    };
    this._points = [];
    for (const alert of this._alerts) {
      const point = { ...placed(mercatorX(alert.lng), mercatorY(alert.lat), view), alert };
      this.#drawRadius(context, point, view);
      if (point.x < -MARGIN_PX || point.y < -MARGIN_PX || point.x > view.width + MARGIN_PX || point.y > view.height + MARGIN_PX) continue;
      this._points.push(point);
    }
    for (const point of this._points) this.#drawAlert(context, point, now);
    if (this._points.some(({ alert }) => pulses(alert))) this.redraw();
  }

  #drawRadius(context, { x, y, alert }, view) {
    const radius = ((alert.radiusM ?? 0) * view.world) / metersPerMercator(alert.lat);
    if (radius < SIZE_PX * 2) return;
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fillStyle = context.strokeStyle = this._colors[alert.severity];
    context.globalAlpha = 0.07;
    context.fill();
    context.globalAlpha = isUntaken(alert) ? 0.9 : 0.5;
    context.lineWidth = 1.5;
    context.setLineDash(alert.drill ? [2, 6] : [8, 6]);
    context.stroke();
    context.setLineDash([]);
    context.globalAlpha = 1;
  }

  #drawAlert(context, { x, y, alert }, now) {
    const color = this._colors[alert.severity];
    if (pulses(alert)) {
      const part = (now % PULSE_MS) / PULSE_MS;
      context.beginPath();
      context.arc(x, y, SIZE_PX + part * PULSE_PX, 0, 2 * Math.PI);
      context.strokeStyle = color;
      context.globalAlpha = 1 - part;
      context.lineWidth = 3;
      context.stroke();
      context.globalAlpha = 1;
    }
    if (alert.alertId === this._selected) {
      context.beginPath();
      context.arc(x, y, SIZE_PX + 7, 0, 2 * Math.PI);
      context.strokeStyle = this._colors.ring;
      context.lineWidth = 2;
      context.stroke();
    }
    trace(context, SHAPES[alert.severity], x, y);
    context.lineJoin = "round";
    context.lineWidth = 5;
    context.strokeStyle = this._colors.outline;
    context.stroke();
    // Untaken is full, taken is hollow, a drill is hollow and dashed: the shape of the filling says it beside the color.
    context.fillStyle = isUntaken(alert) && !alert.drill ? color : this._colors.outline;
    context.fill();
    context.lineWidth = 2.5;
    context.strokeStyle = color;
    context.setLineDash(alert.drill ? [4, 3] : []);
    context.stroke();
    context.setLineDash([]);
    haloText(context, labelOf(alert), x, y + SIZE_PX + 16, this._colors, "center");
  }
}

/** The path of a shape round a point; a circle where it has no corners. */
function trace(context, corners, x, y) {
  context.beginPath();
  if (!corners) context.arc(x, y, SIZE_PX * 0.85, 0, 2 * Math.PI);
  else for (const [dx, dy] of corners) context.lineTo(x + dx * SIZE_PX, y + dy * SIZE_PX);
  context.closePath();
}
