// The geofences that this page knows: fetched once a connection, kept up to date by the socket's events.

/** Fires `change` when any of them has; `fences` are by id. */
export class FenceStore extends EventTarget {
  fences = new Map();
  #url;
  #asked = 0;

  constructor(url, socket) {
    super();
    this.#url = url;
    socket.addEventListener("registered", () => this.load());
    socket.addEventListener("geofence_updated", ({ detail }) => this.#update(detail));
    socket.addEventListener("geofence_removed", ({ detail }) => this.#remove(detail.geofenceId));
  }

  /** Fetch all of them. What changes while that is under way makes it fetch them once more. */
  async load() {
    const asked = ++this.#asked;
    const answer = await fetch(this.#url, { headers: { "HX-Request": "true" } }).catch(() => null);
    if (!answer?.ok || asked !== this.#asked) return;
    const { geofences } = await answer.json();
    if (asked !== this.#asked) return;
    this.#asked = 0;
    this.fences = new Map(geofences.map((fence) => [fence.geofenceId, fence]));
    this.dispatchEvent(new Event("change"));
  }

  #update(fence) {
    if (this.#asked) this.load();
    if ((this.fences.get(fence.geofenceId)?.version ?? 0) > fence.version) return;
    this.fences.set(fence.geofenceId, fence);
    this.dispatchEvent(new Event("change"));
  }

  #remove(id) {
    if (this.#asked) this.load();
    if (this.fences.delete(id)) this.dispatchEvent(new Event("change"));
  }
}
