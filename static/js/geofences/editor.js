// A shape that is drawn or edited on the map: a Leaflet layer with the handles of leaflet-geoman.

const { L } = window;
const DIGITS = 6; // of degrees: a tenth of a meter
const STYLE = { weight: 3, fillOpacity: 0.18 };
const MAX_RADIUS_M = 200_000;
const SNAP = { snappable: false, tooltips: false };

const rounded = (degrees) => Number(degrees.toFixed(DIGITS));

/** `[lat, lng]` on the world that the server knows, moved by whole turns so that the first one is in -180..180. */
function unwrapped(points) {
  const turn = Math.round(points[0].lng / 360) * 360;
  return points.map(({ lat, lng }) => [rounded(lat), rounded(lng - turn)]);
}

/** Leaflet makes a button of each handle, which does nothing when it is pressed: the keyboard has the form's fields. */
function forPointersOnly(handle) {
  handle.removeAttribute("role");
  handle.removeAttribute("tabindex");
  handle.ariaHidden = "true";
}

/**
 * Shapes are `{kind: "circle", lat, lng, radiusM}` or `{kind: "polygon", points: [[lat, lng]]}`. Fires `change` with the
 * shape as a person has drawn it, and `drawing` with whether one is being drawn.
 */
export class ShapeEditor extends EventTarget {
  #map;
  #layer = null;
  #color = "#56b4e9";

  constructor(map) {
    super();
    this.#map = map;
    map.pm.setGlobalOptions({ ...SNAP, allowSelfIntersection: false, continueDrawing: false });
    map.on("layeradd", ({ layer }) => layer instanceof L.Marker && forPointersOnly(layer.getElement()));
    map.on("pm:create", ({ layer }) => this.#drawn(layer));
    map.on("pm:drawstart pm:drawend", ({ type }) => {
      this.dispatchEvent(new CustomEvent("drawing", { detail: type === "pm:drawstart" }));
    });
  }

  get isDrawing() {
    return this.#map.pm.globalDrawModeEnabled();
  }

  /** Show a shape, to be edited; null for none. */
  set(shape) {
    this.#clear();
    if (shape === null) return;
    this.#edit(
      shape.kind === "circle"
        ? L.circle([shape.lat, shape.lng], { radius: shape.radiusM })
        : L.polygon(shape.points),
    );
  }

  /** Let a person draw the corners of an area, one click each; a click on the first one closes it. */
  draw() {
    this.#clear();
    this.#map.pm.enableDraw("Polygon", { ...SNAP, templineStyle: this.#style, hintlineStyle: { ...this.#style, dashArray: [5, 5] }, pathOptions: this.#style });
  }

  color(color) {
    this.#color = color;
    this.#layer?.setStyle(this.#style);
  }

  /** The part of the world that the shape takes; null for none. */
  get bounds() {
    return this.#layer?.getBounds() ?? null;
  }

  /** Nothing is edited any more. */
  end() {
    this.#clear();
  }

  get #style() {
    return { ...STYLE, color: this.#color, fillColor: this.#color };
  }

  #clear() {
    if (this.isDrawing) this.#map.pm.disableDraw();
    this.#layer?.pm.disable();
    this.#layer?.remove();
    this.#layer = null;
  }

  #drawn(layer) {
    layer.remove();
    this.#edit(L.polygon(layer.getLatLngs()[0]));
    this.#tell();
  }

  #edit(layer) {
    this.#layer = layer.setStyle(this.#style).addTo(this.#map);
    layer.pm.enable({ ...SNAP, allowSelfIntersection: false, draggable: true, maxRadiusCircle: MAX_RADIUS_M });
    layer.on("pm:markerdrag pm:edit pm:change pm:dragend pm:vertexremoved pm:vertexadded", () => this.#tell());
  }

  #tell() {
    if (!this.#layer) return;
    let shape;
    if (this.#layer instanceof L.Circle) {
      const [[lat, lng]] = unwrapped([this.#layer.getLatLng()]);
      shape = { kind: "circle", lat, lng, radiusM: Math.round(this.#layer.getRadius()) };
    } else shape = { kind: "polygon", points: unwrapped(this.#layer.getLatLngs()[0]) };
    this.dispatchEvent(new CustomEvent("change", { detail: shape }));
  }
}
