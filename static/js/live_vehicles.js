// The vehicles on a map: what the store hears of them, and what the server is told that the map shows.

const VIEW_SETTLES_MS = 250;
const AGING_MS = 5000;
const WATCHED_WHOLE = 1000; // vehicles; at 1 Hz about 100 kB/s

/** Let the map show the store's vehicles; a small fleet is watched whole, of a large one what the map shows. */
export function showVehicles({ map, store, socket }) {
  function sendView() {
    const box = store.vehicles.size > WATCHED_WHOLE ? map.bounds() : null;
    store.watch(box);
    socket.send("view_set", { bbox: box, vehicleIds: [] });
  }
  const replace = () => map.vehicles.replace(store.vehicles.values());
  store.addEventListener("snapshot", () => {
    replace();
    sendView();
  });
  store.addEventListener("moved", ({ detail }) => map.vehicles.move(detail));
  store.addEventListener("presence", () => map.vehicles.redraw());
  store.addEventListener("removed", replace);
  let settling;
  map.leaflet.on("moveend", () => {
    clearTimeout(settling);
    settling = setTimeout(sendView, VIEW_SETTLES_MS);
  });
  setInterval(() => map.vehicles.redraw(), AGING_MS);
}
