// Light and dark.

import { remember } from "./preferences.js";

export const theme = new EventTarget();

/** Change between light and dark, and keep the choice; whoever draws hears `change`. */
export function toggleTheme() {
  const root = document.documentElement;
  root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
  remember("theme", root.dataset.theme);
  theme.dispatchEvent(new Event("change"));
}

/** The value of a design token, for what is drawn on a canvas. */
export const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
