// The vehicles of a replay in words: what each does at the moment, how fast it is, how far it has come; who is followed.

import { write } from "../text.js";
import { distanceText, speedText, units } from "../units.js";

const STATE_WORDS = { before: "Not heard yet", moves: "Drives", stands: "Stands", silent: "Silent" };

/** Fires `follow` with a track, or null to follow none any more. */
export class VehicleList extends EventTarget {
  #rows = new Map(); // by track
  #last = null;
  #words;

  constructor(list, template, tracks, words) {
    super();
    this.#words = words;
    for (const track of tracks) {
      const row = template.content.firstElementChild.cloneNode(true);
      row.dataset.vehicleId = track.vehicleId;
      write(row.querySelector("[data-part=name]"), track.vehicleId);
      write(row.querySelector("[data-part=driver]"), track.driverName);
      const swatch = row.querySelector(".replay-swatch");
      swatch.style.backgroundColor = track.look.color;
      if (track.look.isSecond) swatch.dataset.second = "";
      const button = row.querySelector("button");
      button.ariaLabel = `Follow ${track.vehicleId}`;
      button.addEventListener("click", () => this.#fire(button.ariaPressed === "true" ? null : track));
      this.#rows.set(track, row);
    }
    list.replaceChildren(...this.#rows.values());
    units.addEventListener("change", () => this.#last && this.show(this.#last));
  }

  /** Show how everything is: states by track, as `Track.at` gives them. */
  show(states) {
    this.#last = states;
    for (const [track, row] of this.#rows) {
      const { state, speed, distance, heardAt } = states.get(track);
      row.dataset.state = state;
      const isHeard = state !== "before" && state !== "silent";
      write(row.querySelector("[data-part=speed]"), isHeard ? speedText(state === "stands" || Number.isNaN(speed) ? 0 : speed) : "–");
      write(row.querySelector("[data-part=distance]"), state === "before" ? "" : distanceText(Math.round(distance)));
      write(row.querySelector("[data-part=state]"), state === "silent" ? `Silent since ${this.#words.clock(heardAt)}` : STATE_WORDS[state]);
    }
  }

  /** Mark who is followed. */
  follow(followed) {
    for (const [track, row] of this.#rows) {
      const button = row.querySelector("button");
      button.ariaPressed = String(track === followed);
      row.ariaCurrent = track === followed ? "true" : null;
    }
  }

  #fire(detail) {
    this.dispatchEvent(new CustomEvent("follow", { detail }));
  }
}
