// The form's fields and the shape on the map say the same: whichever a person changes, the other follows.

const TYPING_MS = 250;
const FIRST_PART = 6; // a new circle reaches over a sixth of the view
const POINT = /^\s*([-+]?\d+(?:\.\d+)?)\s*[,;\s]\s*([-+]?\d+(?:\.\d+)?)\s*$/;
const HINTS = {
  circle: "Drag the middle to move it, the handle on its rim to resize it, or type its place.",
  polygon: "Drag corners to move them, a dot between two to add one. A right-click or a long press removes one. Or type them.",
  drawing: "Click on the map for each corner, and on the first one again to finish. Or type the corners below.",
};

const number = (text) => (text.trim() === "" ? NaN : Number(text));

function pointsOf(text) {
  const points = [];
  for (const line of text.split("\n").filter((each) => each.trim())) {
    const [, lat, lng] = (POINT.exec(line) ?? []).map(Number);
    if (!(Math.abs(lat) <= 85 && Math.abs(lng) <= 180)) return null;
    points.push([lat, lng]);
  }
  return points.length >= 3 ? points : null;
}

/** Binds one form, as it has just been loaded, to the editor on the map. */
export class FenceForm {
  #form;
  #editor;
  #map;
  #typing;
  #ended = new AbortController();

  constructor(form, editor, map) {
    this.#form = form;
    this.#editor = editor;
    this.#map = map;
    const { signal } = this.#ended;
    form.addEventListener("input", ({ target }) => this.#input(target), { signal });
    const draw = form.querySelector("#gf-draw");
    draw.hidden = false;
    draw.addEventListener("click", () => editor.draw(), { signal });
    editor.addEventListener("change", ({ detail }) => this.#fill(detail), { signal });
    editor.addEventListener("drawing", () => this.#hint(), { signal });
    this.#show();
  }

  /** The form is gone. */
  end() {
    clearTimeout(this.#typing);
    this.#ended.abort();
    this.#editor.end();
  }

  get #kind() {
    return this.#form.elements.kind.value;
  }

  /** The shape that the fields say; null while they say none. */
  get #shape() {
    const { lat, lng, radius_m: radius, points } = this.#form.elements;
    if (this.#kind === "polygon") {
      const corners = pointsOf(points.value);
      return corners && { kind: "polygon", points: corners };
    }
    const circle = { kind: "circle", lat: number(lat.value), lng: number(lng.value), radiusM: number(radius.value) };
    const isOne = Math.abs(circle.lat) <= 85 && Math.abs(circle.lng) <= 180 && circle.radiusM > 0;
    return isOne ? circle : null;
  }

  #show() {
    for (const part of this.#form.querySelectorAll("[data-of]")) part.hidden = part.dataset.of !== this.#kind;
    this.#editor.color(this.#form.elements.color.value);
    if (this.#shape) this.#editor.set(this.#shape);
    else if (this.#kind === "polygon") this.#editor.draw();
    else this.#begin();
    this.#hint();
  }

  /** A circle in the middle of what shows of the map, to begin with. */
  #begin() {
    const { leaflet } = this.#map;
    const center = this.#map.freeCenter.wrap();
    const { x, y } = leaflet.getSize();
    const across = leaflet.distance(leaflet.containerPointToLatLng([0, y / 2]), leaflet.containerPointToLatLng([x, y / 2]));
    const radiusM = Math.max(10, Math.min(200_000, Number((across / FIRST_PART / 2).toPrecision(2))));
    this.#fill({ kind: "circle", lat: Number(center.lat.toFixed(6)), lng: Number(center.lng.toFixed(6)), radiusM });
    this.#editor.set(this.#shape);
  }

  #fill(shape) {
    const { lat, lng, radius_m: radius, points } = this.#form.elements;
    if (shape.kind === "polygon") points.value = shape.points.map((point) => point.join(", ")).join("\n");
    else [lat.value, lng.value, radius.value] = [shape.lat, shape.lng, shape.radiusM];
  }

  #input({ name, value }) {
    if (name === "kind") this.#show();
    else if (name === "color") this.#editor.color(value);
    else if (["lat", "lng", "radius_m", "points"].includes(name)) {
      clearTimeout(this.#typing);
      this.#typing = setTimeout(() => this.#typed(), TYPING_MS);
    }
  }

  #typed() {
    if (this.#shape === null) return;
    this.#editor.set(this.#shape);
    const { leaflet } = this.#map;
    if (!leaflet.getBounds().intersects(this.#editor.bounds)) leaflet.panTo(this.#editor.bounds.getCenter());
    this.#hint();
  }

  #hint() {
    this.#form.querySelector("#gf-hint").textContent = HINTS[this.#editor.isDrawing ? "drawing" : this.#kind];
  }
}
