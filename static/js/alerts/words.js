// Alerts in words, and in elements that the server's templates have too.

import { serverNow } from "../clock.js";
import { distanceM } from "../geo.js";
import { write } from "../text.js";
import { distanceText, positionText } from "../units.js";

const STALE_MS = 600_000; // as the server has it: then it may have moved on

/** Whether a position that was reported then is too old to be where the alert is now. */
export const isStale = (ts) => ts !== undefined && serverNow() - ts > STALE_MS;

const capitalized = (word) => word[0].toUpperCase() + word.slice(1);

export const typeWord = ({ type }) => capitalized(type);
export const severityWord = ({ severity }) => capitalized(severity);

/** "Crash from truck-7", with what it is when it is not real. */
export const titleOf = (alert) => `${alert.drill ? "Exercise: " : ""}${typeWord(alert)} from ${alert.senderId}`;

/** A length of time: "35 s", "4 min", "2 h". */
export function waitText(seconds) {
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7200 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3600)} h`;
}

/** Where it is, and which other vehicle on the road is nearest. */
export function placeText(alert, vehicles) {
  if (alert.lat === undefined) return "Position unknown";
  const place = positionText(alert.lat, alert.lng);
  const where = isStale(alert.positionTs) ? `${place} (old)` : place;
  let nearest = null;
  let meters = Infinity;
  for (const vehicle of vehicles) {
    if (vehicle.status !== "online" || vehicle.lat === undefined || vehicle.vehicleId === alert.senderId) continue;
    const away = distanceM(alert, vehicle);
    if (away < meters) [nearest, meters] = [vehicle, away];
  }
  return nearest ? `${nearest.vehicleId} is nearest, ${distanceText(meters)} · ${where}` : where;
}

/** Put the severity into an element as `alerts/severity.html` has it. */
export function showSeverity(element, alert) {
  element.dataset.severity = alert.severity;
  write(element, severityWord(alert));
}
