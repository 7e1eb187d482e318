// The place of one alert on a small map: a point, and the circle of those whom it concerns.

import { baseMap } from "./map/basemap.js";
import { GridLabels } from "./map/grid.js";
import { theme, token } from "./theme.js";

const { L } = window;
const ZOOM = 14;
const element = document.getElementById("place");
const { tileUrl, overviewUrl, detailUrl } = element.dataset;
const place = [Number(element.dataset.lat), Number(element.dataset.lng)];
const radiusM = Number(element.dataset.radiusM);

const map = L.map(element, { maxZoom: 19, minZoom: 2, scrollWheelZoom: false, zoomAnimation: false, fadeAnimation: false });
map.attributionControl.setPrefix("Leaflet");
map.setView(place, ZOOM);
if (tileUrl) L.tileLayer(tileUrl, { maxZoom: 19 }).addTo(map);
const base = baseMap({ overviewUrl, detailUrl, gridOnly: Boolean(tileUrl) }).addTo(map);
const labels = new GridLabels().addTo(map);
L.control.scale({ imperial: false }).addTo(map);

const color = () => token("--state-critical");
const shapes = [L.circleMarker(place, { radius: 7, weight: 3, color: color(), fillOpacity: 0.6 }).addTo(map)];
if (radiusM) {
  const around = L.circle(place, { radius: radiusM, weight: 2, color: color(), fillOpacity: 0.08 }).addTo(map);
  shapes.push(around);
  map.fitBounds(around.getBounds(), { padding: [12, 12] });
}
theme.addEventListener("change", () => {
  base.redraw();
  labels.redraw();
  for (const shape of shapes) shape.setStyle({ color: color() });
});
