// The time line: a lane for each vehicle that shows when it drove and how fast, stood, or was silent; marks of moments
// above, hours below. The cursor is a range control on top of it, which brings keyboard, touch and screen readers.

import { theme } from "../theme.js";
import { drawMark, mapColors } from "./looks.js";
import { GAP_MS } from "./track.js";

const PAD_PX = 10; // left and right of the time, as much as half a mark
const MARKS_PX = 26;
const HOURS_PX = 18;
const MARK_PX = 8;
const APART_PX = 17; // nearer marks are one with their count
const LANE = { least: 4, most: 14, all: 96 };
const TICKS_S = [10, 30, 60, 300, 600, 1800, 3600, 7200, 10800, 21600];
const TICK_PX = 70;
const ARROW_MS = 10_000;
const SHIFT_TIMES = 6;
const PAGE_MS = 600_000;

/** Fires `seek` with a moment that somebody chose. */
export class Timeline extends EventTarget {
  #parts;
  #span;
  #tracks;
  #words;
  #moments = [];
  #marks = []; // drawn: {x, ts, count}
  #frame = null;
  #width = 0;
  #lane = LANE.most; // height of one vehicle's

  /** `parts`: `{canvas, cursor, range, hover}`; `words` gives a moment as text: `{clock(ts), tick(ts)}`. */
  constructor(parts, span, tracks, words) {
    super();
    this.#parts = parts;
    this.#span = span;
    this.#tracks = tracks;
    this.#words = words;
    const { range, canvas } = parts;
    range.addEventListener("input", () => this.#fire(Number(range.value)));
    range.addEventListener("keydown", (event) => this.#key(event));
    range.addEventListener("pointerdown", (event) => this.#press(event));
    range.addEventListener("pointermove", (event) => this.#hover(event));
    range.addEventListener("pointerleave", () => (parts.hover.hidden = true));
    new ResizeObserver(() => this.redraw()).observe(canvas.parentElement);
    theme.addEventListener("change", () => this.redraw());
  }

  /** Show these moments: `{ts, letter, tone, words}`, in order of time. */
  mark(moments) {
    this.#moments = moments;
    this.redraw();
  }

  /** Put the cursor at a moment. */
  show(time) {
    const { range, cursor } = this.#parts;
    range.value = String(Math.round(time));
    cursor.style.transform = `translateX(${this.#x(time)}px)`;
  }

  /** Say the moment to who cannot see it. */
  say(text) {
    this.#parts.range.setAttribute("aria-valuetext", text);
  }

  /** Draw with the next animation frame. */
  redraw() {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = null;
      this.#draw();
    });
  }

  /** Where a moment is, in pixels from the left. */
  #x(time) {
    const { start, end } = this.#span;
    return PAD_PX + ((time - start) / (end - start)) * (this.#width - 2 * PAD_PX);
  }

  #timeAt(x) {
    const { start, end } = this.#span;
    return Math.max(start, Math.min(end, start + ((x - PAD_PX) / (this.#width - 2 * PAD_PX)) * (end - start)));
  }

  #fire(time) {
    this.dispatchEvent(new CustomEvent("seek", { detail: time }));
  }

  /** A step of the arrows that a person can see: the browser's own would be a millisecond. */
  #key(event) {
    const steps = { ArrowLeft: -ARROW_MS, ArrowDown: -ARROW_MS, ArrowRight: ARROW_MS, ArrowUp: ARROW_MS, PageDown: -PAGE_MS, PageUp: PAGE_MS };
    const step = steps[event.key];
    if (!step || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    this.#fire(Number(this.#parts.range.value) + step * (event.shiftKey ? SHIFT_TIMES : 1));
  }

  /** Who presses a mark goes to its moment exactly. */
  #press(event) {
    const mark = this.#markAt(event);
    if (!mark) return;
    event.preventDefault();
    this.#fire(mark.ts);
    this.#parts.range.focus();
  }

  #markAt(event) {
    const box = this.#parts.canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    return y > MARKS_PX ? undefined : this.#marks.find((mark) => Math.abs(mark.x - x) <= MARK_PX + 2);
  }

  #hover(event) {
    if (event.pointerType === "touch") return;
    const { hover, canvas } = this.#parts;
    const box = canvas.getBoundingClientRect();
    const mark = this.#markAt(event);
    const x = event.clientX - box.left;
    const time = this.#words.clock(mark ? mark.ts : this.#timeAt(x));
    const more = mark && mark.count > 1 ? ` and ${mark.count - 1} more` : "";
    const track = this.#tracks[Math.floor((event.clientY - box.top - MARKS_PX) / (this.#lane + 1))];
    hover.textContent = mark ? `${time} ${mark.words}${more}` : `${time} ${track?.vehicleId ?? ""}`;
    hover.hidden = false;
    const half = hover.offsetWidth / 2;
    hover.style.left = `${Math.max(half, Math.min(box.width - half, x))}px`;
  }

  #draw() {
    const { canvas } = this.#parts;
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    this.#lane = Math.max(LANE.least, Math.min(LANE.most, Math.floor(LANE.all / this.#tracks.length)));
    const lane = this.#lane;
    const height = MARKS_PX + (lane + 1) * this.#tracks.length + HOURS_PX;
    this.#width = canvas.parentElement.clientWidth;
    Object.assign(canvas, { width: this.#width * ratio, height: height * ratio });
    Object.assign(canvas.style, { width: `${this.#width}px`, height: `${height}px` });
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    const colors = mapColors();
    this.#drawHours(context, height, colors);
    const fastest = Math.max(1, ...this.#tracks.map(topSpeed));
    this.#tracks.forEach((track, i) => this.#drawLane(context, track, MARKS_PX + i * (lane + 1), lane, fastest));
    this.#drawMarks(context, colors);
    this.show(Number(this.#parts.range.value));
  }

  #drawHours(context, height, colors) {
    const { start, end } = this.#span;
    const fits = TICKS_S.find((seconds) => this.#x(start + seconds * 1000) - this.#x(start) >= TICK_PX) ?? TICKS_S.at(-1);
    const offset = this.#words.offsetMs(start); // hours begin where the clocks of the place say
    const every = fits * 1000;
    context.font = `11px ${colors.font}`;
    context.textAlign = "center";
    context.textBaseline = "alphabetic";
    context.lineWidth = 1;
    for (let local = Math.ceil((start + offset) / every) * every; local - offset <= end; local += every) {
      const x = Math.round(this.#x(local - offset)) + 0.5;
      context.strokeStyle = colors.line;
      context.globalAlpha = 0.35;
      context.beginPath();
      context.moveTo(x, MARKS_PX - 4);
      context.lineTo(x, height - HOURS_PX + 2);
      context.stroke();
      context.globalAlpha = 1;
      const text = this.#words.tick(local - offset, fits < 60);
      const half = context.measureText(text).width / 2;
      if (x - half < 0 || x + half > this.#width) continue;
      context.fillStyle = colors.muted;
      context.fillText(text, x, height - 4);
    }
  }

  /** One bar a pixel, as high as it was fast; a thin line where it stood; dots where it was silent, nothing before it was heard. */
  #drawLane(context, track, top, height, fastest) {
    if (track.count === 0) return;
    const speeds = new Float32Array(Math.ceil(this.#width) + 1);
    const heard = new Uint8Array(speeds.length);
    for (let i = 0; i < track.count; i++) {
      const at = Math.floor(this.#x(track.ts[i]));
      const speed = track.speed[i];
      if (speed > speeds[at]) speeds[at] = speed;
      heard[at] = 1;
      const until = i + 1 < track.count && track.ts[i + 1] - track.ts[i] <= GAP_MS ? Math.floor(this.#x(track.ts[i + 1])) : at;
      for (let x = at + 1; x < until; x++) {
        heard[x] = 1; // where the pixels are finer than the fixes
        speeds[x] = Number.isNaN(speed) ? 0 : speed;
      }
    }
    const [from, to] = [Math.floor(this.#x(track.first)), Math.floor(this.#x(track.last))];
    context.fillStyle = track.look.color;
    for (let x = from; x <= to; x++) {
      if (heard[x]) {
        const bar = Math.max(1.5, (height - 1) * Math.min(1, speeds[x] / fastest));
        context.fillRect(x, top + height - bar, 1, bar);
      } else if (x % 5 === 0) context.fillRect(x, top + height - 1.5, 1.5, 1.5);
    }
  }

  #drawMarks(context, colors) {
    this.#marks = [];
    for (const moment of this.#moments) {
      const x = this.#x(moment.ts);
      const last = this.#marks.at(-1);
      if (last && x - last.x < APART_PX) {
        last.count += 1;
        if (moment.tone === "critical" || !last.tone) last.tone = moment.tone;
      } else this.#marks.push({ ...moment, x, count: 1 });
    }
    for (const mark of this.#marks) drawMark(context, mark, mark.x, MARKS_PX / 2 - 1, MARK_PX, colors);
  }
}

function topSpeed({ speed, count }) {
  let top = 0;
  for (let i = 0; i < count; i++) if (speed[i] > top) top = speed[i];
  return top;
}
