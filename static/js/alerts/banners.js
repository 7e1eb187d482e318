// What nobody has taken stands above everything, the worst first.

import { serverNow, showTime, ticker } from "../clock.js";
import { write } from "../text.js";
import { place } from "../ui/rows.js";
import { units } from "../units.js";
import { waitedS } from "./store.js";
import { placeText, showSeverity, typeWord, waitText } from "./words.js";

const phone = matchMedia("(max-width: 720px)");
const most = () => (phone.matches ? 1 : 3);

export class AlertBanners {
  #region;
  #list;
  #more;
  #template;
  #alerts;
  #vehicles;
  #shown;
  #elements = new Map();

  /** `acknowledge` is called with an alert whose button is pressed; `shown` with each banner that is made. */
  constructor(region, template, { alerts, vehicles, acknowledge, shown }) {
    this.#region = region;
    [this.#list, this.#more] = [region.querySelector("ol"), region.querySelector(".alert-more")];
    this.#template = template;
    this.#alerts = alerts;
    this.#vehicles = vehicles;
    this.#shown = shown;
    region.addEventListener("click", ({ target }) => {
      const alert = alerts.get(target.closest("[data-alert-action]")?.closest("li").dataset.alertId);
      if (alert) acknowledge(alert);
    });
    region.addEventListener("pointerleave", () => this.show());
    alerts.addEventListener("change", () => this.show());
    ticker.addEventListener("tick", () => this.show());
    units.addEventListener("change", () => this.show());
    phone.addEventListener("change", () => this.show());
  }

  show() {
    const untaken = this.#alerts.untaken();
    const shown = this.#chosen(untaken);
    const items = shown.map((alert) => this.#banner(alert));
    const hadFocus = this.#list.contains(document.activeElement);
    place(this.#list, items);
    // Not on to the next button: one more press would take what nobody has read.
    if (hadFocus && !this.#list.contains(document.activeElement)) this.#region.focus({ preventScroll: true });
    for (const [id, element] of this.#elements) if (!items.includes(element)) this.#elements.delete(id);
    const more = untaken.length - shown.length;
    this.#more.hidden = more === 0;
    write(this.#more, more ? `and ${more} more` : "");
  }

  /** The worst; but nothing moves under a hand that is about to press a button. */
  #chosen(untaken) {
    if (!this.#region.matches(":hover")) return untaken.slice(0, most());
    const stay = [...this.#elements.keys()].map((id) => this.#alerts.get(id)).filter((alert) => alert?.state === "open");
    return [...new Set([...stay, ...untaken])].slice(0, most());
  }

  #banner(alert) {
    const element = this.#elements.get(alert.alertId) ?? this.#made(alert);
    const find = (selector) => element.querySelector(selector);
    const level = alert.escalationLevel ?? 0;
    element.dataset.severity = alert.severity;
    element.dataset.level = level;
    element.toggleAttribute("data-drill", Boolean(alert.drill));
    showSeverity(find(".severity"), alert);
    find(".exercise").hidden = !alert.drill;
    write(find(".alert-banner-type"), typeWord(alert));
    write(find(".alert-banner-sender"), alert.senderId);
    showTime(find("time"), alert.ts, serverNow());
    write(find(".alert-banner-message bdi"), alert.message ?? "");
    write(find(".alert-banner-place"), placeText(alert, this.#vehicles()));
    find(".alert-banner-waits").hidden = level === 0;
    write(find(".alert-banner-waits"), level ? `Nobody has answered for ${waitText(waitedS(alert))}` : "");
    return element;
  }

  #made(alert) {
    const element = this.#template.content.firstElementChild.cloneNode(true);
    element.dataset.alertId = element.dataset.alertShown = alert.alertId;
    element.querySelector("a").href = `?tab=alerts&alert=${alert.alertId}`;
    element.querySelector("[data-alert-action]").hidden = !this.#alerts.mayWork(alert);
    this.#elements.set(alert.alertId, element);
    this.#shown(element);
    return element;
  }
}
