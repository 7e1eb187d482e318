// What every page beside the console does: light and dark, ages that go on counting, the menu, `/` to the search.

import { agoText, ticker } from "./clock.js";
import { write } from "./text.js";
import { theme, toggleTheme } from "./theme.js";
import { bindKey } from "./ui/keys.js";

const AGES_EVERY = 10; // ticks of a second

document.getElementById("theme").addEventListener("click", toggleTheme);
bindKey("t", "Light or dark", toggleTheme);

const search = document.querySelector('input[type="search"]');
if (search) bindKey("/", "Search", () => search.select());

// The address holds only what was asked for.
document.addEventListener("htmx:configRequest", ({ detail: { formData } }) => {
  for (const [name, value] of [...formData]) if (value === "") formData.delete(name);
});

const menu = document.querySelector("details.menu");
document.addEventListener("click", ({ target }) => {
  if (!menu.contains(target)) menu.open = false;
});
bindKey("Escape", "Back", () => {
  menu.open = false;
  document.activeElement.blur();
});

// Paper is light.
const root = document.documentElement;
let onScreen = root.dataset.theme;
function show(name) {
  root.dataset.theme = name;
  theme.dispatchEvent(new Event("change"));
}
addEventListener("beforeprint", () => {
  onScreen = root.dataset.theme;
  show("light");
});
addEventListener("afterprint", () => show(onScreen));

const print = document.getElementById("print");
if (print) {
  print.hidden = false;
  print.addEventListener("click", () => window.print());
}

function age() {
  for (const time of document.querySelectorAll("time[data-at]")) {
    write(time.querySelector(".ago"), agoText(Number(time.dataset.at)));
  }
}
let ticks = 0;
ticker.addEventListener("tick", () => ticks++ % AGES_EVERY || age());
document.addEventListener("htmx:afterSwap", age);
age();
