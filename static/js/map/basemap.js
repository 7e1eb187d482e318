// The map under the vehicles, without any server but our own: land and borders from the world atlas, and a grid of
// degrees. Drawn tile by tile on canvas, so that panning and zooming cost what raster tiles cost.

import { mercatorX, mercatorY } from "../geo.js";
import { token } from "../theme.js";
import { drawGrid, gridLines } from "./grid.js";

const { L, topojson } = window;
const TILE = 512;
const DETAIL_FROM_ZOOM = 6; // below it the 50m atlas has more points than the screen has pixels
const NAMES_ZOOM = { least: 3, most: 8 };

/** Project a ring or line of [lng, lat] to a flat array of Web Mercator, with its bounds. */
function projected(points) {
  const flat = new Float64Array(points.length * 2);
  let [west, north, east, south] = [Infinity, Infinity, -Infinity, -Infinity];
  points.forEach(([lng, lat], i) => {
    const x = (flat[2 * i] = mercatorX(lng));
    const y = (flat[2 * i + 1] = mercatorY(lat));
    west = Math.min(west, x);
    east = Math.max(east, x);
    north = Math.min(north, y);
    south = Math.max(south, y);
  });
  return { flat, west, north, east, south };
}

const polygonsOf = (geometry) =>
  geometry.type === "MultiPolygon" ? geometry.coordinates : geometry.type === "Polygon" ? [geometry.coordinates] : [];

/** Where a country's name stands: the middle of its largest ring. */
function nameOf(feature) {
  let largest = null;
  for (const [outer] of polygonsOf(feature.geometry)) {
    const ring = projected(outer);
    ring.area = (ring.east - ring.west) * (ring.south - ring.north);
    if (!largest || ring.area > largest.area) largest = ring;
  }
  if (!largest) return null;
  return { text: feature.properties.name, x: (largest.west + largest.east) / 2, y: (largest.north + largest.south) / 2, width: largest.east - largest.west };
}

/** Rings of land and border lines of an atlas file, and the names of its countries if they are wanted. */
async function loadAtlas(url, { names }) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`the base map could not be loaded: ${answer.status}`);
  const topology = await answer.json();
  const land = topojson.feature(topology, topology.objects.land);
  const features = land.type === "FeatureCollection" ? land.features : [land];
  const borders = topojson.mesh(topology, topology.objects.countries, (a, b) => a !== b);
  return {
    rings: features.flatMap((feature) => polygonsOf(feature.geometry).flat().map(projected)),
    lines: borders.coordinates.map(projected),
    names: names ? topojson.feature(topology, topology.objects.countries).features.map(nameOf).filter(Boolean) : [],
  };
}

/** On which sides of the box a point lies: bits for west, east, north, south; 0 inside. */
const sides = (x, y, box) =>
  (x < box.west ? 1 : x > box.east ? 2 : 0) | (y < box.north ? 4 : y > box.south ? 8 : 0);

/** Add a line to the path; a run of points that all lie beyond one side of the box shrinks to its ends. */
function trace(context, { flat }, box, toX, toY, close) {
  const last = flat.length - 2;
  let run = 0; // the sides that every point since the last drawn one lies beyond
  for (let i = 0; i <= last; i += 2) {
    const x = flat[i];
    const y = flat[i + 1];
    const side = sides(x, y, box);
    const next = i < last ? sides(flat[i + 2], flat[i + 3], box) : 0;
    if (run & side & next) {
      run &= side;
      continue;
    }
    if (i === 0) context.moveTo(toX(x), toY(y));
    else context.lineTo(toX(x), toY(y));
    run = side;
  }
  if (close) context.closePath();
}

const meets = (shape, box) =>
  shape.west < box.east && shape.east > box.west && shape.north < box.south && shape.south > box.north;

const BaseMap = L.GridLayer.extend({
  options: { tileSize: TILE, updateWhenZooming: false, keepBuffer: 1, attribution: "Natural Earth" },

  initialize({ overviewUrl, detailUrl, gridOnly }) {
    L.GridLayer.prototype.initialize.call(this, {});
    this._urls = { overview: overviewUrl, detail: detailUrl };
    this._atlases = {};
    this._gridOnly = gridOnly;
  },

  onAdd(map) {
    L.GridLayer.prototype.onAdd.call(this, map);
    if (this._gridOnly) return;
    map.on("zoomend", this._loadWhatShows, this);
    this._loadWhatShows();
  },

  /** The overview first, for it is small; the detail as soon as somebody is near enough to see it. */
  async _loadWhatShows() {
    await this._load("overview");
    if (this._map.getZoom() >= DETAIL_FROM_ZOOM) await this._load("detail");
  },

  async _load(name) {
    if (this._atlases[name]) return;
    this._atlases[name] = { rings: [], lines: [], names: [] }; // on its way: not asked for twice
    try {
      this._atlases[name] = await loadAtlas(this._urls[name], { names: name === "overview" });
      this.redraw();
    } catch {
      delete this._atlases[name]; // the next zoom tries again; the grid is there meanwhile
    }
  },

  createTile(coords) {
    const canvas = document.createElement("canvas");
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    canvas.width = canvas.height = TILE * ratio;
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    this._draw(context, coords);
    return canvas;
  },

  _draw(context, coords) {
    const tiles = 2 ** coords.z / (TILE / 256);
    const west = coords.x / tiles;
    const north = coords.y / tiles;
    const margin = 4 / TILE / tiles;
    const box = { west: west - margin, north: north - margin, east: west + 1 / tiles + margin, south: north + 1 / tiles + margin };
    const scale = TILE * tiles;
    const toX = (x) => (x - west) * scale;
    const toY = (y) => (y - north) * scale;
    const detail = this._atlases.detail?.rings.length && coords.z >= DETAIL_FROM_ZOOM;
    const atlas = detail ? this._atlases.detail : this._atlases.overview;
    if (atlas) this._drawLand(context, atlas, box, toX, toY);
    drawGrid(context, gridLines(box, scale), TILE, toX, toY);
    const names = this._atlases.overview?.names ?? [];
    if (coords.z >= NAMES_ZOOM.least && coords.z <= NAMES_ZOOM.most) {
      this._drawNames(context, names, box, scale, toX, toY);
    }
  },

  _drawLand(context, atlas, box, toX, toY) {
    context.fillStyle = token("--map-water");
    context.fillRect(0, 0, TILE, TILE);
    context.beginPath();
    for (const ring of atlas.rings) if (meets(ring, box)) trace(context, ring, box, toX, toY, true);
    context.fillStyle = token("--map-land");
    context.fill("evenodd");
    context.strokeStyle = token("--map-coast");
    context.stroke();
    context.beginPath();
    for (const line of atlas.lines) if (meets(line, box)) trace(context, line, box, toX, toY, false);
    context.strokeStyle = token("--map-border");
    context.setLineDash([6, 4]);
    context.stroke();
    context.setLineDash([]);
  },

  _drawNames(context, names, box, scale, toX, toY) {
    context.font = `600 12px ${token("--font")}`;
    context.textAlign = "center";
    context.fillStyle = token("--map-grid-text");
    for (const name of names) {
      const half = context.measureText(name.text).width / 2;
      if (name.width * scale < 2 * half) continue; // no room inside the country
      const reach = (half + 4) / scale;
      // A name may reach over the edge of a tile: each tile that it touches draws its part.
      if (name.x > box.west - reach && name.x < box.east + reach && name.y > box.north && name.y < box.south) {
        context.fillText(name.text, toX(name.x), toY(name.y));
      }
    }
    context.textAlign = "start";
  },
});

/** The layer: `overviewUrl` and `detailUrl` are atlas files; `gridOnly` leaves the land to a tile layer below. */
export const baseMap = (options) => new BaseMap(options);
