// The geofences on the console's map: quiet, under everything else, and off when a person wants them off.

import { FencesLayer } from "../map/fences_layer.js";
import { remember, remembered } from "../preferences.js";
import { theme } from "../theme.js";
import { bindKey } from "../ui/keys.js";
import { FenceStore } from "./store.js";

const { L } = window;

/** Puts them on the map, with a control made from the template `toggle`; gives the layer. */
export function connectFences({ socket, map, toggle }) {
  const layer = new FencesLayer({ quiet: true });
  const fences = new FenceStore(map.element.dataset.shapesUrl, socket);
  const button = toggle.content.firstElementChild.cloneNode(true);
  let shown = remembered("fences", ["on", "off"]) !== "off";

  function show() {
    if (shown) layer.addTo(map.leaflet);
    else layer.remove();
    button.ariaPressed = String(shown);
  }
  function flip() {
    shown = !shown;
    remember("fences", shown ? "on" : "off");
    show();
  }

  const control = new L.Control({ position: "bottomleft" });
  control.onAdd = () => {
    const holder = L.DomUtil.create("div", "map-toggle");
    holder.append(button);
    L.DomEvent.disableClickPropagation(holder);
    return holder;
  };
  control.addTo(map.leaflet);
  button.addEventListener("click", flip);
  bindKey("o", "Geofences on the map", flip);
  fences.addEventListener("change", () => layer.replace(fences.fences.values()));
  theme.addEventListener("change", () => shown && layer.restyle());
  show();
  return layer;
}
