// Brings the tracks, chunk by chunk and a few vehicles at a time, and the moments.

import { decoded } from "./columns.js";

const AT_ONCE = 3;
const TIMEOUT_MS = 20_000;
const TRIES = 3;
const PAUSE_MS = 800;
export const MOST_FIXES = 4_000_000; // in typed arrays about 200 MB: more than that a browser may refuse

/** Fires `chunk` (with its track), `progress` (0 to 1), `fault` (a sentence) and `done`. */
export class Loader extends EventTarget {
  #tracks;
  #span;
  #next;
  #isLoading = false;

  constructor(tracks, span) {
    super();
    this.#tracks = tracks;
    this.#span = span;
    this.#next = new Map(tracks.map((track) => [track, span.start]));
  }

  /** Load what is missing; after a fault, once more. */
  async load() {
    if (this.#isLoading) return;
    this.#isLoading = true;
    const waiting = this.#tracks.filter((track) => this.#next.get(track) !== null);
    const work = async () => {
      for (let track = waiting.shift(); track; track = waiting.shift()) await this.#loadTrack(track);
    };
    try {
      await Promise.all(Array.from({ length: AT_ONCE }, work));
      this.dispatchEvent(new Event("done"));
    } catch (fault) {
      waiting.length = 0;
      this.#fire("fault", fault.message);
    }
    this.#isLoading = false;
  }

  async #loadTrack(track) {
    while (this.#next.get(track) !== null) {
      if (this.#tracks.reduce((sum, { count }) => sum + count, 0) > MOST_FIXES) {
        throw new Error("These are more than 4 million positions. Choose fewer vehicles or a shorter time.");
      }
      const chunk = await fetched(`${track.url}?from=${this.#next.get(track)}&to=${this.#span.end}`);
      track.add(decoded(chunk));
      this.#next.set(track, chunk.next);
      if (chunk.next === null) track.finish();
      this.#fire("chunk", track);
      this.#fire("progress", this.#progress());
    }
  }

  #progress() {
    const { start, end } = this.#span;
    const parts = [...this.#next.values()].map((next) => (next === null ? 1 : (next - start) / (end - start)));
    return parts.reduce((sum, part) => sum + part, 0) / Math.max(1, parts.length);
  }

  #fire(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

/** The JSON at an address; tried again when the server or the way to it fails for a moment. Throws what to tell a person. */
export async function fetched(url) {
  for (let tries = 1; ; tries++) {
    try {
      const answer = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
      if (answer.headers.has("HX-Redirect")) {
        location.reload(); // the session is over: the page itself leads to the login and back
        return await new Promise(() => {});
      }
      if (answer.ok) return await answer.json();
      if (answer.status < 500 && answer.status !== 429) throw new Refused(answer.status);
    } catch (fault) {
      if (fault instanceof Refused) throw fault;
    }
    if (tries === TRIES) throw new Error("Not all could be loaded: the server does not answer. What has come can be played.");
    await new Promise((done) => setTimeout(done, PAUSE_MS * tries));
  }
}

class Refused extends Error {
  constructor(status) {
    super(status === 404 ? "One of the vehicles is no longer there, or no longer yours to see. Load the page again." : `Not all could be loaded: the server refused it (${status}). Load the page again.`);
  }
}
