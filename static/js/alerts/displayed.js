// Tells the server which alerts a dispatcher's screen really shows: in view, on a page that is visible, once.

const SEEN_PART = 0.5;

export class Displayed {
  #alerts;
  #socket;
  #inView = new Set();
  #told = new Set();
  #watcher;

  constructor({ alerts, socket }) {
    this.#alerts = alerts;
    this.#socket = socket;
    this.#watcher = new IntersectionObserver((entries) => this.#seen(entries), { threshold: SEEN_PART });
    document.addEventListener("visibilitychange", () => this.#tellAll());
    alerts.addEventListener("change", () => this.#tellAll());
  }

  /** Watch an element that shows the alert of its `data-alert-shown`. */
  watch(element) {
    this.#watcher.observe(element);
  }

  #seen(entries) {
    for (const { target, isIntersecting } of entries) this.#inView[isIntersecting ? "add" : "delete"](target);
    this.#tellAll();
  }

  #tellAll() {
    if (document.hidden) return;
    for (const element of this.#inView) {
      if (element.isConnected) this.#tell(this.#alerts.get(element.dataset.alertShown));
      else this.#inView.delete(element);
    }
  }

  async #tell(alert) {
    if (!alert || alert.displayed || this.#told.has(alert.alertId) || !this.#alerts.mayWork(alert)) return;
    if (this.#socket.state.name !== "open") return;
    this.#told.add(alert.alertId);
    try {
      await this.#socket.ask("alert_displayed", { alertId: alert.alertId });
    } catch ({ code }) {
      if (code === "unavailable") this.#told.delete(alert.alertId); // with the next snapshot, again
    }
  }
}
