// Arrows and dots drawn once and copied often: turning a path for each of 2,000 vehicles costs more than copying pixels.

import { token } from "../theme.js";

const TURNS = 90; // one sprite every 4 degrees
const COLUMNS = 10;
const STATES = ["online", "timeout", "offline"];

function arrow(context, size) {
  const half = size / 2;
  context.beginPath();
  context.moveTo(0, -half);
  context.lineTo(half * 0.72, half * 0.86);
  context.lineTo(0, half * 0.46);
  context.lineTo(-half * 0.72, half * 0.86);
  context.closePath();
}

function dot(context, size) {
  context.beginPath();
  context.arc(0, 0, size * 0.36, 0, 2 * Math.PI);
}

/** A state has its own shape of filling besides its color: full, ringed, hollow. */
function paint(context, shape, status, size, colors) {
  shape(context, size);
  context.lineJoin = "round";
  context.lineWidth = size * 0.24;
  context.strokeStyle = colors.outline;
  context.stroke();
  shape(context, size);
  context.fillStyle = status === "online" ? colors.online : colors.inside;
  context.fill();
  if (status === "online") return;
  context.lineWidth = status === "timeout" ? size * 0.16 : size * 0.1;
  context.strokeStyle = colors[status];
  context.stroke();
}

/** All sprites of one size, pixel ratio and theme. */
export class Sprites {
  constructor(size, ratio) {
    this.size = size;
    this.ratio = ratio;
    this.cell = Math.ceil(size * 1.5 * ratio);
    const colors = {
      online: token("--map-online"),
      timeout: token("--map-timeout"),
      offline: token("--map-offline"),
      outline: token("--map-outline"),
      inside: token("--map-cluster"),
    };
    this.sheets = Object.fromEntries(STATES.map((status) => [status, this.#sheet(status, colors)]));
  }

  #sheet(status, colors) {
    const canvas = document.createElement("canvas");
    canvas.width = this.cell * COLUMNS;
    canvas.height = this.cell * Math.ceil((TURNS + 1) / COLUMNS);
    const context = canvas.getContext("2d");
    for (let turn = 0; turn <= TURNS; turn++) {
      context.setTransform(1, 0, 0, 1, ...this.#at(turn).map((corner) => corner + this.cell / 2));
      context.scale(this.ratio, this.ratio);
      if (turn < TURNS) context.rotate((turn / TURNS) * 2 * Math.PI);
      paint(context, turn < TURNS ? arrow : dot, status, this.size, colors);
    }
    return canvas;
  }

  #at(turn) {
    return [(turn % COLUMNS) * this.cell, Math.floor(turn / COLUMNS) * this.cell];
  }

  /** Copy the vehicle's arrow (a dot without a heading) to x, y in device pixels. */
  draw(context, status, heading, x, y) {
    const turn = heading === null ? TURNS : Math.round((heading / 360) * TURNS) % TURNS;
    const [left, top] = this.#at(turn);
    const half = this.cell / 2;
    context.drawImage(this.sheets[status], left, top, this.cell, this.cell, Math.round(x - half), Math.round(y - half), this.cell, this.cell);
  }
}
