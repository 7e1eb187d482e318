// What became of a message, as events tell it, in the place where the server has written it before.

import { write } from "../text.js";

// A status never goes back: an event that was overtaken says nothing.
const RANK = { queued: 0, delivered: 1, read: 2, expired: 2 };

/** Bring a message's row up to date with a `message_status` event. */
export function showStatus(row, { status, counts, via }) {
  if (counts) showCounts(row.querySelector("[data-counts]"), counts);
  else showOne(row.querySelector(".message-status"), status, via);
}

function showOne(element, status, via) {
  if (!element || RANK[status] < RANK[element.dataset.status]) return;
  write(element.querySelector("[data-way]"), via === "radio" ? " by radio" : "");
  if (status === element.dataset.status) return;
  element.dataset.status = status;
  write(element.querySelector(".status-word"), status[0].toUpperCase() + status.slice(1));
  const shape = element.querySelector("use");
  shape.setAttribute("href", shape.getAttribute("href").replace(/#.*/, `#message-${status}`));
}

function showCounts(element, counts) {
  const progress = Object.entries(counts).reduce((sum, [status, count]) => sum + RANK[status] * count, 0);
  if (!element || progress < Number(element.dataset.progress ?? 0)) return;
  element.dataset.progress = progress;
  const listed = Object.keys(RANK).filter((status) => counts[status]);
  write(element, listed.map((status) => `${counts[status]} ${status}`).join(" · "));
}
