// The address of what is on the screen: `?vehicle=ID` for the selected vehicle, `#zoom/lat/lng` for the map.

const HASH = /^#(\d{1,2})\/(-?\d+(?:\.\d+)?)\/(-?\d+(?:\.\d+)?)$/;

/** Where the link says that the map looks: `{zoom, lat, lng}`, or null. */
export function linkedView() {
  const [, zoom, lat, lng] = HASH.exec(location.hash)?.map(Number) ?? [];
  return zoom >= 2 && zoom <= 19 && Math.abs(lat) <= 90 && Math.abs(lng) <= 540 ? { zoom, lat, lng } : null;
}

export const linkedVehicle = () => new URLSearchParams(location.search).get("vehicle");

/** Keep where the map looks in the address, without a step in the history. */
export function linkView({ lat, lng }, zoom) {
  history.replaceState(history.state, "", `${location.pathname}${location.search}#${Math.round(zoom)}/${lat.toFixed(5)}/${lng.toFixed(5)}`);
}

/** Keep the selected vehicle in the address, as a step that Back undoes. */
export function linkVehicle(vehicleId) {
  if (linkedVehicle() === vehicleId) return;
  const url = new URL(location.href);
  if (vehicleId === null) url.searchParams.delete("vehicle");
  else url.searchParams.set("vehicle", vehicleId);
  history.pushState(null, "", url);
}
