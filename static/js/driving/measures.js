// The page's distances and speeds in the unit that the viewer chose on the console; the server writes kilometers.

import { distanceText, speedText, units } from "../units.js";

function measure() {
  if (units.system === "km") return;
  for (const element of document.querySelectorAll("[data-meters]")) {
    element.textContent = distanceText(Number(element.dataset.meters));
  }
  for (const element of document.querySelectorAll("[data-mps]")) element.textContent = speedText(Number(element.dataset.mps));
  for (const element of document.querySelectorAll("[data-kmh]")) {
    element.textContent = speedText(Number(element.dataset.kmh) / 3.6);
  }
}

document.addEventListener("htmx:afterSwap", measure);
measure();
