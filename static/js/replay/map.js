// The map of a replay: the base map, the tracks, the markers, and keeping the followed vehicle in view.

import { latitudeOf } from "../geo.js";
import { baseMap } from "../map/basemap.js";
import { GridLabels } from "../map/grid.js";
import { theme } from "../theme.js";
import { units } from "../units.js";
import { MarkersLayer } from "./markers_layer.js";
import { TracksLayer } from "./tracks_layer.js";

const { L } = window;
const WHOLE_WORLD = { center: [20, 20], zoom: 3 };
const NEAR_ZOOM = 14;
const EDGE_PART = 0.35; // of the view on each side: who is followed stays out of it

/** Fires `pick` with the track whose marker was clicked. */
export class ReplayMap extends EventTarget {
  constructor(element, tracks) {
    super();
    this.tracks = tracks;
    const animated = !matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.leaflet = L.map(element, { minZoom: 2, maxZoom: 19, worldCopyJump: false, zoomAnimation: animated, fadeAnimation: animated, inertia: animated });
    this.leaflet.setView(WHOLE_WORLD.center, WHOLE_WORLD.zoom);
    this.leaflet.attributionControl.setPrefix("Leaflet");
    const { tileUrl, overviewUrl, detailUrl } = element.dataset;
    if (tileUrl) L.tileLayer(tileUrl, { maxZoom: 19 }).addTo(this.leaflet);
    const base = baseMap({ overviewUrl, detailUrl, gridOnly: Boolean(tileUrl) }).addTo(this.leaflet);
    const labels = new GridLabels().addTo(this.leaflet);
    this.lines = new TracksLayer(tracks).addTo(this.leaflet);
    this.markers = new MarkersLayer(tracks).addTo(this.leaflet);
    L.control.scale({ metric: units.system === "km", imperial: units.system !== "km" }).addTo(this.leaflet);
    theme.addEventListener("change", () => [base, labels].forEach((layer) => layer.redraw()));
    theme.addEventListener("change", () => [this.lines, this.markers].forEach((layer) => layer.restyle()));
    this.leaflet.on("click", ({ containerPoint }) => {
      const track = this.markers.at(containerPoint);
      if (track) this.dispatchEvent(new CustomEvent("pick", { detail: track }));
    });
    new ResizeObserver(() => this.leaflet.invalidateSize({ animate: false })).observe(element);
  }

  /** Show all tracks. */
  fit() {
    const bounds = L.latLngBounds([]);
    for (const { count, x, y } of this.tracks) {
      let [west, east, north, south] = [Infinity, -Infinity, Infinity, -Infinity];
      for (let i = 0; i < count; i++) {
        west = Math.min(west, x[i]);
        east = Math.max(east, x[i]);
        north = Math.min(north, y[i]);
        south = Math.max(south, y[i]);
      }
      if (count > 0) bounds.extend(latLng(west, north)).extend(latLng(east, south));
    }
    if (bounds.isValid()) this.leaflet.fitBounds(bounds, { padding: [40, 40], maxZoom: 16, animate: false });
  }

  /** Bring a place to the middle, near enough to see streets. */
  show({ x, y }) {
    this.leaflet.setView(latLng(x, y), Math.max(this.leaflet.getZoom(), NEAR_ZOOM), { animate: false });
  }

  /** Keep a place away from the edges: the map scrolls on with it. */
  keep({ x, y }) {
    const point = this.leaflet.latLngToContainerPoint(latLng(x, y));
    const size = this.leaflet.getSize();
    const beyond = (at, whole) => Math.min(0, at - whole * EDGE_PART) + Math.max(0, at - whole * (1 - EDGE_PART));
    const step = [Math.round(beyond(point.x, size.x)), Math.round(beyond(point.y, size.y))];
    if (step[0] || step[1]) this.leaflet.panBy(step, { animate: false });
  }
}

const latLng = (x, y) => [latitudeOf(y), (x - 0.5) * 360];
