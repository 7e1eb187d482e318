// What is drawn round the arrows: circles with counts, callsigns, and what belongs to the selected vehicle.

import { metersPerMercator } from "../geo.js";
import { distanceText } from "../units.js";
import { groupRadius } from "./clusters.js";

const RINGS_M = [100, 250, 500];
const RING_LEAST_PX = 18; // a smaller ring would lie on the arrow
const LABEL_PX = 12;
const LETTER_PX = 7.5;
const LABEL_GAP_PX = 14;
const MOST_LABELS = 200;

/** A circle with its count; its rim shows how many are online, silent and offline. */
export function drawGroup(context, { x, y, members, counts }, colors) {
  const radius = groupRadius(members.length);
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = colors.cluster;
  context.fill();
  let from = -Math.PI / 2;
  context.lineWidth = 3.5;
  for (const status of ["online", "timeout", "offline"]) {
    if (!counts[status]) continue;
    const to = from + (counts[status] / members.length) * 2 * Math.PI;
    context.beginPath();
    context.arc(x, y, radius - 1.75, from, to);
    context.strokeStyle = colors[status];
    context.stroke();
    from = to;
  }
  context.fillStyle = colors["cluster-text"];
  context.font = `600 12px ${colors.font}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(members.length, x, y + 0.5);
}

/** The selected vehicle: its trail, a ring, rings of distance, and the radius within which others are near. Gives the boxes written on. */
export function drawSelection(context, { x, y, glide }, radiusM, view, colors) {
  context.strokeStyle = colors.ring;
  context.fillStyle = colors.ring;
  drawTrail(context, x, y, glide, view);
  context.lineWidth = 2;
  context.beginPath();
  context.arc(x, y, 16, 0, 2 * Math.PI);
  context.stroke();
  const pixelsPerMeter = view.world / metersPerMercator(glide.vehicle.lat);
  return drawRings(context, x, y, radiusM, pixelsPerMeter, colors);
}

function drawTrail(context, x, y, glide, view) {
  context.lineWidth = 3;
  context.lineCap = "round";
  let [toX, toY] = [x, y];
  // From the vehicle back in time, each piece fainter than the one before.
  for (let i = glide.trail.length - 2; i >= 0; i--) {
    const fromX = x + (glide.trail[i].x - glide.x) * view.world;
    const fromY = y + (glide.trail[i].y - glide.y) * view.world;
    context.globalAlpha = 0.7 * ((i + 1) / glide.trail.length);
    context.beginPath();
    context.moveTo(toX, toY);
    context.lineTo(fromX, fromY);
    context.stroke();
    [toX, toY] = [fromX, fromY];
  }
  context.globalAlpha = 1;
}

function drawRings(context, x, y, radiusM, pixelsPerMeter, colors) {
  const nearby = radiusM * pixelsPerMeter;
  const written = [];
  if (nearby < RING_LEAST_PX) return written;
  context.globalAlpha = 0.08;
  context.beginPath();
  context.arc(x, y, nearby, 0, 2 * Math.PI);
  context.fill();
  const rings = RINGS_M.filter((ring) => ring !== radiusM && ring * pixelsPerMeter >= RING_LEAST_PX);
  for (const meters of [...rings, radiusM]) {
    const radius = meters * pixelsPerMeter;
    context.globalAlpha = 0.75;
    context.lineWidth = 1;
    context.setLineDash(meters === radiusM ? [] : [3, 5]);
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.stroke();
    context.globalAlpha = 1;
    // On the diagonal, where roads and the vehicles on them seldom lie.
    const [left, base] = [x + radius * Math.SQRT1_2 + 3, y - radius * Math.SQRT1_2 - 2];
    haloText(context, distanceText(meters), left, base, colors, "start");
    written.push([left, base - LABEL_PX, left + 48, base + 4]);
  }
  context.setLineDash([]);
  return written;
}

/** Text that stays legible on whatever lies under it. */
export function haloText(context, text, x, y, colors, align) {
  context.font = `${LABEL_PX}px ${colors.font}`;
  context.textAlign = align;
  context.textBaseline = "alphabetic";
  context.setLineDash([]);
  context.lineJoin = "round";
  context.lineWidth = 3;
  const stroke = context.strokeStyle;
  const fill = context.fillStyle;
  context.strokeStyle = colors["label-halo"];
  context.fillStyle = colors.label;
  context.strokeText(text, x, y);
  context.fillText(text, x, y);
  context.strokeStyle = stroke;
  context.fillStyle = fill;
}

/**
 * Callsigns, the selected one first; one that would lie on another is left out. `taken` are boxes
 * `[left, top, right, bottom]` that are written on already.
 */
export function drawLabels(context, points, selected, taken, colors) {
  const ordered = selected ? [selected, ...points.filter((point) => point !== selected)] : points;
  for (const { x, y, glide } of ordered.slice(0, MOST_LABELS)) {
    const { vehicleId } = glide.vehicle;
    const left = x + LABEL_GAP_PX;
    const box = [left - 2, y - 8, left + vehicleId.length * LETTER_PX, y + 8];
    if (taken.some((other) => box[0] < other[2] && box[2] > other[0] && box[1] < other[3] && box[3] > other[1])) continue;
    taken.push(box);
    haloText(context, vehicleId, left, y + 4, colors, "start");
  }
}
