// Figures as a person reads them, in the unit that they chose.

import { remember, remembered } from "./preferences.js";

const POINTS = ["N", "NE", "E", "SE", "S", "SW", "W", "NW"];
const METERS_PER_MILE = 1609.344;
const METERS_PER_FOOT = 0.3048;

export const units = new EventTarget();
units.system = remembered("unit", ["km", "mi"]) ?? "km";

/** Change between kilometers and miles; whoever shows figures hears `change`. */
export function toggleUnits() {
  units.system = units.system === "km" ? "mi" : "km";
  remember("unit", units.system);
  units.dispatchEvent(new Event("change"));
}

const number = (value, digits) =>
  value.toLocaleString(undefined, { minimumFractionDigits: digits, maximumFractionDigits: digits });

/** A distance of `meters`: "340 m", "2.4 km", "1,100 ft", "1.5 mi". */
export function distanceText(meters) {
  if (units.system === "mi") {
    const miles = meters / METERS_PER_MILE;
    return miles < 0.25 ? `${number(Math.round(meters / METERS_PER_FOOT / 10) * 10, 0)} ft` : `${number(miles, miles < 10 ? 1 : 0)} mi`;
  }
  return meters < 1000 ? `${number(meters, 0)} m` : `${number(meters / 1000, meters < 10000 ? 1 : 0)} km`;
}

/** A speed of `metersPerSecond`: "54 km/h" or "34 mph". */
export function speedText(metersPerSecond) {
  return units.system === "mi"
    ? `${number((metersPerSecond * 3600) / METERS_PER_MILE, 0)} mph`
    : `${number(metersPerSecond * 3.6, 0)} km/h`;
}

/** The compass point of a bearing in degrees. */
export const compassPoint = (degrees) => POINTS[Math.round(degrees / 45) % 8];

/** A heading: "NE 47°". */
export const headingText = (degrees) => `${compassPoint(degrees)} ${Math.round(degrees) % 360}°`;

/** A position to five decimals, about one meter. */
export const positionText = (lat, lng) =>
  `${Math.abs(lat).toFixed(5)}° ${lat < 0 ? "S" : "N"}, ${Math.abs(lng).toFixed(5)}° ${lng < 0 ? "W" : "E"}`;

export const percentText = (value) => `${Math.round(value)}%`;
