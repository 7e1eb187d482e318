// The moment, the speed and who is followed stand behind the `#` of the address, so that a link shows the same again.

import { SPEEDS } from "./player.js";

/** What the address says: `{at, speed, follow}`, each null where it does not say, or not sensibly. */
export function linked() {
  const said = new URLSearchParams(location.hash.slice(1));
  const at = Number(said.get("at"));
  const speed = Number(said.get("speed"));
  return { at: at > 0 ? at : null, speed: SPEEDS.includes(speed) ? speed : null, follow: said.get("follow") };
}

/** Keep it in the address; no step that Back would have to undo. */
export function link({ at, speed, follow }) {
  const said = new URLSearchParams({ at: String(Math.round(at)), speed: String(speed) });
  if (follow) said.set("follow", follow);
  history.replaceState(null, "", `#${said}`);
}
