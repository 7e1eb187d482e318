// Keys that mean something else on a button, in a field or on the map: space and the arrows.

import { bindKey } from "../ui/keys.js";

const STEP_MS = 10_000;
const SHIFT_TIMES = 6;
const TAKES_SPACE = "a, button, summary, select, textarea, input:not([type=range])";
const TAKES_ARROWS = "select, textarea, input, .leaflet-container";

/** Let space play and pause, and the arrows go 10 seconds back and on, a minute with Shift. */
export function followHands(player) {
  bindKey(" ", "Play or pause");
  bindKey("ArrowLeft", "10 seconds back, with Shift a minute");
  bindKey("ArrowRight", "10 seconds on, with Shift a minute");
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.key === " " && !event.target.closest(TAKES_SPACE)) {
      event.preventDefault();
      player.toggle();
    }
    const direction = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!direction || event.target.closest(TAKES_ARROWS)) return;
    event.preventDefault();
    player.seek(player.time + direction * STEP_MS * (event.shiftKey ? SHIFT_TIMES : 1));
  });
}
