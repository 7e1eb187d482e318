// Alerts in the console: makes their parts and connects them to the rest of the page.

import { serverNow, showTime, ticker } from "../clock.js";
import { write } from "../text.js";
import { bindKey } from "../ui/keys.js";
import { Once } from "../ui/once.js";
import { distanceText, units } from "../units.js";
import { connectAlarm } from "./alarm.js";
import { AlertBanners } from "./banners.js";
import { Displayed } from "./displayed.js";
import { AlertList } from "./list.js";
import { Alerts, waitedS, waitsSince } from "./store.js";
import { isStale, placeText, titleOf, waitText } from "./words.js";

const ENDS = { cancelled: "Cancelled by its sender." }; // told to all; of the others who did it knows
const LEVELS = 100; // more than an alert can escalate
const TITLE = document.title;
const element = (id) => document.getElementById(id);

/** `page` holds the parts of the console: socket, store, map, tabs, drawer, navigation, toasts, sound. */
export function connectAlerts(page) {
  const { socket, store, map, tabs, drawer, navigation, toasts, sound } = page;
  const { user, works } = document.body.dataset;
  const alerts = new Alerts(socket, works.split(" "));
  const once = new Once(user);
  const displayed = new Displayed({ alerts, socket });
  const list = new AlertList(element("alert-list"), element("alert-filter"), {
    alerts, tabs, user, shown: (row) => displayed.watch(row),
  });
  const acknowledge = acknowledger({ socket, toasts });
  new AlertBanners(element("alert-banners"), element("alert-banner"), {
    alerts, acknowledge, vehicles: () => store.vehicles.values(), shown: (banner) => displayed.watch(banner),
  });
  connectAlarm({ alerts, sound, button: element("sound"), hint: element("sound-hint") });
  connectToasts({ alerts, once, toasts, store });
  connectDrawer({ alerts, drawer, navigation, map, list, displayed });
  connectMap({ alerts, map });
  connectKeys({ alerts, drawer, navigation, acknowledge, sound, toasts });

  alerts.addEventListener("change", () => {
    const untaken = alerts.untaken().length;
    write(element("alerts-untaken"), String(untaken || ""));
    document.title = untaken ? `(${untaken}) ${TITLE}` : TITLE; // also seen from another tab
  });
  element("alert-more").addEventListener("click", () => list.filter("untaken"));
  return alerts;
}

/** Acknowledges over the socket; an alert whose answer is on its way is not acknowledged again. */
function acknowledger({ socket, toasts }) {
  const underWay = new Set();
  return async ({ alertId }) => {
    if (underWay.has(alertId)) return;
    underWay.add(alertId);
    try {
      await socket.ask("alert_ack", { alertId });
    } catch (refused) {
      if (refused.code === "conflict" && refused.details?.by) toasts.show(`${refused.details.by} was faster.`, "The alert is taken already.");
      else toasts.error(refused);
    } finally {
      underWay.delete(alertId);
    }
  };
}

/** A toast for each call, once in this browser. A hidden page leaves it to one that somebody sees, or to later. */
function connectToasts({ alerts, once, toasts, store }) {
  const call = async (alert) => {
    const level = alert.escalationLevel ?? 0;
    if (document.hidden || !(await once.claim(alert.alertId, waitsSince(alert) * LEVELS + level))) return;
    if (alerts.get(alert.alertId)?.state !== "open") return; // somebody was faster than the lock
    const title = level ? `Nobody has answered for ${waitText(waitedS(alert))}: ${titleOf(alert)}` : titleOf(alert);
    const text = alert.message ?? placeText(alert, store.vehicles.values());
    toasts.show(title, text, { key: alert.alertId, tone: alert.severity, drill: alert.drill, href: `?tab=alerts&alert=${alert.alertId}` });
  };
  const over = async ({ alert, change }) => {
    toasts.dismiss(alert.alertId);
    if (!ENDS[change] || document.hidden || !(await once.claim(alert.alertId, Number.MAX_SAFE_INTEGER))) return;
    toasts.show(titleOf(alert), ENDS[change], { key: alert.alertId, tone: "info", href: `?tab=alerts&alert=${alert.alertId}` });
  };
  alerts.addEventListener("call", ({ detail }) => call(detail));
  alerts.addEventListener("over", ({ detail }) => over(detail));
  alerts.addEventListener("change", () => alerts.active().filter(({ state }) => state !== "open").forEach(({ alertId }) => toasts.dismiss(alertId)));
  document.addEventListener("visibilitychange", () => document.hidden || alerts.untaken().reverse().forEach(call));
}

/** The drawer of an alert: fetched again when something changes, its times and figures kept up to date. */
function connectDrawer({ alerts, drawer, navigation, map, list, displayed }) {
  const panel = element("drawer");
  const showFigures = () => {
    if (drawer.idOf("alert") === null) return;
    const now = serverNow();
    for (const time of panel.querySelectorAll("time[data-ts]")) showTime(time, Number(time.dataset.ts), now);
    const stale = panel.querySelector(".stale");
    if (stale) stale.hidden = !isStale(Number(stale.querySelector("time").dataset.ts));
    for (const figure of panel.querySelectorAll("[data-meters]")) write(figure, distanceText(Number(figure.dataset.meters)));
  };
  const filled = () => {
    showFigures();
    const content = panel.querySelector("[data-alert-shown]");
    if (content) displayed.watch(content);
  };
  drawer.addEventListener("opened", filled);
  drawer.addEventListener("updated", filled);
  drawer.addEventListener("closed", () => list.select(null));
  drawer.addEventListener("action", ({ detail: { action, lat, lng } }) => {
    if (action === "show-alert") map.fly({ lat: Number(lat), lng: Number(lng) });
  });
  navigation.addEventListener("chosen", ({ detail: { kind, id } }) => {
    list.select(kind === "alert" ? id : null);
    map.alerts.select(kind === "alert" ? id : null);
  });
  const refresh = () => drawer.idOf("alert") !== null && drawer.refresh();
  alerts.addEventListener("change", refresh);
  document.body.addEventListener("alertChanged", ({ target: form }) => {
    form.reset();
    form.closest("details")?.removeAttribute("open");
    refresh();
  });
  panel.addEventListener("htmx:afterSwap", () => {
    // The button that was pressed may be gone with what it did.
    if (document.activeElement === document.body) element("alert-actions")?.focus({ preventScroll: true });
  });
  ticker.addEventListener("tick", showFigures);
  units.addEventListener("change", showFigures);
  list.select(drawer.idOf("alert"));
  filled();
}

function connectMap({ alerts, map }) {
  alerts.addEventListener("change", () => map.alerts.replace(alerts.active()));
}

function connectKeys({ alerts, drawer, navigation, acknowledge, sound, toasts }) {
  const next = () => {
    const ids = alerts.active().map(({ alertId }) => alertId);
    if (ids.length) navigation.open("alert", ids[(ids.indexOf(drawer.idOf("alert")) + 1) % ids.length]);
  };
  const take = () => {
    const selected = alerts.get(drawer.idOf("alert"));
    const alert = selected?.state === "open" ? selected : alerts.untaken().find((one) => alerts.mayWork(one));
    if (alert) acknowledge(alert);
    else toasts.show("There is nothing to acknowledge.", "Every alert has been taken by somebody.", { tone: "info" });
  };
  bindKey("g a", "Go to the alerts", () => navigation.show("alerts"));
  bindKey("n", "Next alert", next);
  bindKey("a", "Acknowledge the selected alert, else the worst", take);
  bindKey("x", "Mute the alarm", () => sound.toggleMute());
}
