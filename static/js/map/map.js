// The map: what lies under the vehicles, where it looks, and its controls.

import { theme } from "../theme.js";
import { units } from "../units.js";
import { AlertsLayer } from "./alerts_layer.js";
import { baseMap } from "./basemap.js";
import { GridLabels } from "./grid.js";
import { VehiclesLayer } from "./vehicles_layer.js";

const { L } = window;
const NEAR_ZOOM = 15;
const FLIGHT_S = 0.8;
const WIDE = "(min-width: 721px)";
const WHOLE_WORLD = { center: [20, 20], zoom: 3 };

/**
 * Builds the map in `element`; its data attributes name the base map's files and the tile server, if there is one.
 * Fires `pick` with what a click met: `{alertId}`, `{vehicleId}`, `{members}` (a circle of vehicles) or nothing, and
 * with the `point` of the container where that was.
 */
export class ConsoleMap extends EventTarget {
  constructor(element) {
    super();
    this.element = element;
    const animated = !matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.leaflet = L.map(element, {
      zoomControl: false, minZoom: 2, maxZoom: 19, worldCopyJump: true,
      zoomAnimation: animated, fadeAnimation: animated, inertia: animated,
    }).setView(WHOLE_WORLD.center, WHOLE_WORLD.zoom);
    this.leaflet.attributionControl.setPrefix("Leaflet");
    this.#addBase(element.dataset);
    this.vehicles = new VehiclesLayer().addTo(this.leaflet);
    this.alerts = new AlertsLayer().addTo(this.leaflet);
    this.leaflet.on("click", ({ containerPoint }) => {
      const detail = this.alerts.at(containerPoint) ?? this.vehicles.at(containerPoint);
      this.dispatchEvent(new CustomEvent("pick", { detail: { ...detail, point: containerPoint } }));
    });
    this.#addControls();
    theme.addEventListener("change", () => [this.vehicles, this.alerts].forEach((layer) => layer.restyle()));
    units.addEventListener("change", () => this.#scaleInUnit());
  }

  #addBase({ tileUrl, tileAttribution, overviewUrl, detailUrl }) {
    if (tileUrl) L.tileLayer(tileUrl, { maxZoom: 19, attribution: tileAttribution }).addTo(this.leaflet);
    const base = baseMap({ overviewUrl, detailUrl, gridOnly: Boolean(tileUrl) }).addTo(this.leaflet);
    const labels = new GridLabels().addTo(this.leaflet);
    theme.addEventListener("change", () => {
      base.redraw();
      labels.redraw();
    });
  }

  #addControls() {
    L.control.zoom({ position: "bottomleft" }).addTo(this.leaflet);
    this.#scaleInUnit();
  }

  #scaleInUnit() {
    this.scale?.remove();
    const metric = units.system === "km";
    this.scale = L.control.scale({ position: "bottomleft", metric, imperial: !metric }).addTo(this.leaflet);
    this.vehicles.redraw();
  }

  /** Fly to a place, near enough to see what is round it. */
  fly(place) {
    const { center, zoom } = this.#middle(place);
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) this.leaflet.setView(center, zoom);
    else this.leaflet.flyTo(center, zoom, { duration: FLIGHT_S });
  }

  /** Room that the panels take, so that what is shown is not under them: [left, top], [right, bottom]. */
  #padding() {
    if (!matchMedia(WIDE).matches) return { paddingTopLeft: [24, 24], paddingBottomRight: [24, this.element.clientHeight * 0.45] };
    const rail = document.querySelector(".rail").offsetWidth + 36;
    const drawer = document.querySelector(".drawer").offsetWidth + 36;
    return { paddingTopLeft: [rail, 36], paddingBottomRight: [drawer, 36] };
  }

  /** Show all of these vehicles; the whole world when none has a position. */
  fit(vehicles, maxZoom = 15) {
    const places = vehicles.filter((vehicle) => vehicle.lat !== undefined).map(({ lat, lng }) => [lat, lng]);
    if (places.length === 0) this.leaflet.setView(WHOLE_WORLD.center, WHOLE_WORLD.zoom);
    else this.leaflet.fitBounds(L.latLngBounds(places), { ...this.#padding(), maxZoom });
  }

  /** Bring a vehicle into the middle of what is free, near enough to see its neighbors. */
  show(vehicle) {
    if (vehicle?.lat === undefined) return;
    const { center, zoom } = this.#middle(vehicle);
    this.leaflet.setView(center, zoom);
  }

  /** The view in which a place is in the middle of what the panels leave free. */
  #middle({ lat, lng }) {
    const zoom = Math.max(this.leaflet.getZoom(), NEAR_ZOOM);
    const { paddingTopLeft, paddingBottomRight } = this.#padding();
    const point = this.leaflet.project([lat, lng], zoom);
    point.x += (paddingBottomRight[0] - paddingTopLeft[0]) / 2;
    point.y += (paddingBottomRight[1] - paddingTopLeft[1]) / 2;
    return { center: this.leaflet.unproject(point, zoom), zoom };
  }

  /** The place in the middle of what the panels leave free. */
  get freeCenter() {
    const { paddingTopLeft, paddingBottomRight } = this.#padding();
    const { x, y } = this.leaflet.getSize();
    const [left, top, right, bottom] = [...paddingTopLeft, x - paddingBottomRight[0], y - paddingBottomRight[1]];
    return this.leaflet.containerPointToLatLng([(left + right) / 2, (top + bottom) / 2]);
  }

  /** West, south, east, north of what shows, a little wider so that a small pan finds vehicles there; null for the whole world. */
  bounds() {
    const box = this.leaflet.getBounds().pad(0.2);
    if (box.getEast() - box.getWest() >= 360) return null;
    const wrapped = (lng) => ((((lng + 180) % 360) + 360) % 360) - 180;
    const clamped = (lat) => Math.max(-90, Math.min(90, lat));
    return [wrapped(box.getWest()), clamped(box.getSouth()), wrapped(box.getEast()), clamped(box.getNorth())];
  }
}
