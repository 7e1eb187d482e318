// A chunk of fixes as it comes from the server: columns of whole numbers, each from the one before.

const DEGREES = 1e-6;
const SPEED = 0.1;
const NONE = -1;

/** The columns `ts` (epoch ms), `lat`, `lng` (degrees), `speed` (m/s) and `heading` (degrees), NaN where not reported. */
export function decoded({ start, ts, lat, lng, speed, heading }) {
  const count = ts.length;
  const columns = {
    count,
    ts: new Float64Array(count),
    lat: new Float64Array(count),
    lng: new Float64Array(count),
    speed: new Float32Array(count),
    heading: new Float32Array(count),
  };
  let [at, north, east] = [start, 0, 0];
  for (let i = 0; i < count; i++) {
    columns.ts[i] = at += ts[i];
    columns.lat[i] = (north += lat[i]) * DEGREES;
    columns.lng[i] = (east += lng[i]) * DEGREES;
    columns.speed[i] = speed[i] === NONE ? NaN : speed[i] * SPEED;
    columns.heading[i] = heading[i] === NONE ? NaN : heading[i];
  }
  return columns;
}
