// Parts of the address that are kept without a step in the history.

const HASH = /^#(\d{1,2})\/(-?\d+(?:\.\d+)?)\/(-?\d+(?:\.\d+)?)$/;

/** Where the link says that the map looks: `{zoom, lat, lng}`, or null. */
export function linkedView() {
  const [, zoom, lat, lng] = HASH.exec(location.hash)?.map(Number) ?? [];
  return zoom >= 2 && zoom <= 19 && Math.abs(lat) <= 90 && Math.abs(lng) <= 540 ? { zoom, lat, lng } : null;
}

/** Keep where the map looks. */
export function linkView({ lat, lng }, zoom) {
  history.replaceState(history.state, "", `${location.pathname}${location.search}#${Math.round(zoom)}/${lat.toFixed(5)}/${lng.toFixed(5)}`);
}

/** Keep a list's filter, so that the link restores it. */
export function linkFilter(form) {
  const url = new URL(location.href);
  for (const [name, value] of new FormData(form)) {
    if (value) url.searchParams.set(name, value);
    else url.searchParams.delete(name);
  }
  history.replaceState(history.state, "", url);
}
