// What the page knows of active alerts: the server's snapshot, kept up to date by its events.

import { serverNow } from "../clock.js";

const RANKS = { critical: 3, high: 2, medium: 1, low: 0 };
const ACTIVE = ["open", "acknowledged", "assigned"];
const EFFECTS = {
  acknowledged: ({ by }) => ({ acknowledged: true, acknowledgedBy: by, waitingSince: undefined }),
  assigned: ({ assignee }) => ({ acknowledged: true, assignee, waitingSince: undefined }),
  displayed: () => ({ displayed: true }),
};

/** Real ones before drills, the worst first, and of equals the one that waits longest. */
export const worstFirst = (a, b) =>
  Number(Boolean(a.drill)) - Number(Boolean(b.drill)) || RANKS[b.severity] - RANKS[a.severity] || waitsSince(a) - waitsSince(b);

/** Since when nobody has answered it, epoch milliseconds. */
export const waitsSince = (alert) => alert.waitingSince ?? alert.ts;

/**
 * An alert is as in `emergency_alert`. Events: `change` after anything; `call` with an alert that calls for attention
 * (raised, worse than when it was taken, or not answered in time); `over` with `{alert, change}` when one has ended.
 */
export class Alerts extends EventTarget {
  #alerts = new Map();
  #works;

  /** `works` are the slugs of the fleets in which the user may work alerts. */
  constructor(socket, works) {
    super();
    this.#works = new Set(works);
    socket.addEventListener("registered", ({ detail }) => this.#replace(detail.alerts ?? []));
    socket.addEventListener("emergency_alert", ({ detail }) => this.#raised(detail));
    socket.addEventListener("alert_updated", ({ detail }) => this.#updated(detail));
  }

  get(alertId) {
    return this.#alerts.get(alertId);
  }

  /** All active ones: those that nobody has taken first, the worst first. */
  active() {
    const isTaken = (alert) => Number(alert.state !== "open");
    return [...this.#alerts.values()].sort((a, b) => isTaken(a) - isTaken(b) || worstFirst(a, b));
  }

  /** Those that nobody has taken, the worst first. */
  untaken() {
    return this.active().filter(({ state }) => state === "open");
  }

  mayWork({ fleet }) {
    return this.#works.has(fleet);
  }

  #replace(alerts) {
    this.#alerts = new Map(alerts.map((alert) => [alert.alertId, alert]));
    this.#tell("change");
    for (const alert of this.untaken().reverse()) this.#tell("call", alert); // the worst last: it stays on top
  }

  #raised(alert) {
    this.#alerts.set(alert.alertId, alert);
    this.#tell("change");
    if (alert.state === "open") this.#tell("call", alert);
  }

  #updated(update) {
    const { alertId, state, change, escalationLevel } = update;
    const alert = this.get(alertId);
    if (alert) {
      Object.assign(alert, { state, escalationLevel }, EFFECTS[change]?.(update));
      if (!ACTIVE.includes(state)) this.#alerts.delete(alertId);
    }
    this.#tell("change");
    if (alert && change === "escalated" && state === "open") this.#tell("call", alert);
    if (alert && !ACTIVE.includes(state)) this.#tell("over", { alert, change });
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

/** How long it has waited for an answer, in whole seconds. */
export const waitedS = (alert) => Math.max(0, Math.floor((serverNow() - waitsSince(alert)) / 1000));
