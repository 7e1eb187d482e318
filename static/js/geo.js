// Plain geography: Web Mercator for drawing, great circles for distances. Degrees in, meters out.

const EARTH_RADIUS_M = 6371008.8; // mean radius (IUGG)
const MAX_LATITUDE = 85.0511287798; // where Web Mercator ends
const RADIANS = Math.PI / 180;

/** Web Mercator x of a longitude, 0..1 from west to east. */
export const mercatorX = (lng) => lng / 360 + 0.5;

/** Web Mercator y of a latitude, 0..1 from north to south. */
export function mercatorY(lat) {
  const sine = Math.sin(Math.max(-MAX_LATITUDE, Math.min(MAX_LATITUDE, lat)) * RADIANS);
  return 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI);
}

/** Latitude in degrees of a Web Mercator y. */
export const latitudeOf = (y) => Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) / RADIANS;

/** Great-circle distance in meters (haversine). */
export function distanceM(a, b) {
  const sinLat = Math.sin(((b.lat - a.lat) * RADIANS) / 2);
  const sinLng = Math.sin(((b.lng - a.lng) * RADIANS) / 2);
  const h = sinLat * sinLat + Math.cos(a.lat * RADIANS) * Math.cos(b.lat * RADIANS) * sinLng * sinLng;
  return 2 * EARTH_RADIUS_M * Math.asin(Math.min(1, Math.sqrt(h)));
}

/** Initial bearing from a to b in degrees clockwise from true north. */
export function bearingDegrees(a, b) {
  const turn = (b.lng - a.lng) * RADIANS;
  const y = Math.sin(turn) * Math.cos(b.lat * RADIANS);
  const x =
    Math.cos(a.lat * RADIANS) * Math.sin(b.lat * RADIANS) -
    Math.sin(a.lat * RADIANS) * Math.cos(b.lat * RADIANS) * Math.cos(turn);
  return (Math.atan2(y, x) / RADIANS + 360) % 360;
}

/** Meters that one unit of Web Mercator (0..1) spans at a latitude. */
export const metersPerMercator = (lat) => 2 * Math.PI * 6378137 * Math.cos(lat * RADIANS);
