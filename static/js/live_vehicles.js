// The vehicles on a map: what the store hears of them, and what the server is told that the map shows.

const VIEW_SETTLES_MS = 250;
const AGING_MS = 5000;
const WATCHED_WHOLE = 1000; // vehicles; at 1 Hz about 100 kB/s
const MOST_FOLLOWED = 20;

/**
 * Let the map show the store's vehicles. A small fleet is watched whole, of a large one what the map shows and, wherever
 * they are, the vehicles that `followed` names; what is returned tells the server when those have changed.
 */
export function showVehicles({ map, store, socket, followed = () => [] }) {
  const isLarge = () => store.vehicles.size > WATCHED_WHOLE;
  function sendView() {
    const box = isLarge() ? map.bounds() : null;
    const vehicleIds = box === null ? [] : followed().slice(0, MOST_FOLLOWED);
    store.watch(box, vehicleIds);
    socket.send("view_set", { bbox: box, vehicleIds });
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
  return () => isLarge() && sendView();
}
