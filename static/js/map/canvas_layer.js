// A layer of the map that is one canvas of our own, drawn anew as the map moves and scaled with it while it zooms.

const { L } = window;

/** Who extends it draws in `_paint(context, view, now)`, in CSS pixels, and forgets kept pictures in `restyle`. */
export class CanvasLayer extends L.Layer {
  onAdd() {
    this._canvas = L.DomUtil.create("canvas", "leaflet-layer leaflet-zoom-animated", this.getPane());
    this._canvas.setAttribute("aria-hidden", "true"); // the lists say the same in words
    this._context = this._canvas.getContext("2d");
    this._resize();
  }

  getEvents() {
    return { move: this.redraw, viewreset: this.redraw, zoomanim: this._zoomAnimation, zoomend: this.redraw, resize: this._resize };
  }

  /** The theme, the unit or the age of things changed. */
  restyle() {
    this.redraw();
  }

  /** Draw with the next animation frame. */
  redraw() {
    this._frame ??= requestAnimationFrame((now) => {
      this._frame = null;
      this._draw(now);
    });
  }

  _resize() {
    const { x, y } = this._map.getSize();
    this._ratio = Math.min(window.devicePixelRatio || 1, 2);
    this._canvas.width = x * this._ratio;
    this._canvas.height = y * this._ratio;
    this._canvas.style.width = `${x}px`;
    this._canvas.style.height = `${y}px`;
    this.restyle();
  }

  /** While the map zooms, the drawn picture is scaled with it; it is drawn anew at the end. */
  _zoomAnimation({ center, zoom }) {
    const scale = this._map.getZoomScale(zoom);
    const corner = this._map._latLngBoundsToNewLayerBounds(this._map.getBounds(), zoom, center).min;
    L.DomUtil.setTransform(this._canvas, corner, scale);
  }

  _draw(now) {
    if (!this._map || this._map._animatingZoom) return;
    L.DomUtil.setPosition(this._canvas, this._map.containerPointToLayerPoint([0, 0]));
    this._context.setTransform(1, 0, 0, 1, 0, 0);
    this._context.clearRect(0, 0, this._canvas.width, this._canvas.height);
    this._context.setTransform(this._ratio, 0, 0, this._ratio, 0, 0);
    this._paint(this._context, this._view(), now);
  }

  /** The part of the world that shows: its size in pixels, and where its corner is. */
  _view() {
    const zoom = this._map.getZoom();
    const corner = this._map.getPixelBounds().min;
    const { x, y } = this._map.getSize();
    return { zoom, world: 256 * 2 ** zoom, left: corner.x, top: corner.y, width: x, height: y };
  }
}

/** Where a point of Web Mercator (0..1) is in the view: the copy of the world nearest to its middle, for the date line is no edge. */
export function placed(x, y, view) {
  const left = x * view.world - view.left;
  return { x: left - Math.round((left - view.width / 2) / view.world) * view.world, y: y * view.world - view.top };
}
