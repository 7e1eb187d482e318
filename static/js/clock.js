// One timer for the page, the server's clock, and times as a person reads them.

import { write } from "./text.js";

const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto", style: "narrow" });
const absolute = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const STEPS = [
  [60, "second", 1],
  [3600, "minute", 60],
  [86400, "hour", 3600],
  [Infinity, "day", 86400],
];
const JUST_NOW_S = 5; // a vehicle that reports every second or so reads "now", not a flicker of 0, 1, 2

/** Hears `tick` once a second while the page is visible, and once when it becomes visible again. */
export const ticker = new EventTarget();
let offsetMs = 0;

const tick = () => document.hidden || ticker.dispatchEvent(new Event("tick"));
setInterval(tick, 1000);
document.addEventListener("visibilitychange", tick);

/** Take the server's clock (epoch milliseconds): ages are then right on a computer whose clock is not. */
export function setServerTime(serverTs) {
  offsetMs = serverTs - Date.now();
}

/** Now by the server's clock, epoch milliseconds. */
export const serverNow = () => Date.now() + offsetMs;

/** How long ago: "now", "12s ago", "3h ago". */
export function agoText(ts, now = serverNow()) {
  const seconds = Math.max(0, Math.floor((now - ts) / 1000));
  if (seconds < JUST_NOW_S) return relative.format(0, "second");
  const [, unit, size] = STEPS.find(([limit]) => seconds < limit);
  return relative.format(-Math.floor(seconds / size), unit);
}

/** Date and time in the reader's own zone. */
export const absoluteText = (ts) => absolute.format(ts);

/** Put a time (epoch milliseconds) into a <time>: relative text, absolute on hover; nothing for null. Writes only what changed. */
export function showTime(element, ts, now) {
  write(element, ts === null ? "" : agoText(ts, now));
  if (ts === null || Number(element.dataset.ts) === ts) return;
  element.dataset.ts = ts;
  element.dateTime = new Date(ts).toISOString();
  element.title = absoluteText(ts);
}
