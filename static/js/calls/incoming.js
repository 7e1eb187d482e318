// The calls that ring here: who it is, Answer and Reject.

import { serverNow, ticker } from "../clock.js";
import { write } from "../text.js";
import { place } from "../ui/rows.js";
import { partyName } from "./words.js";

export class IncomingCalls {
  #list;
  #template;
  #engine;
  #linkTo;
  #elements = new Map();

  /** `linkTo` gives the address of the caller, or null. */
  constructor(list, template, engine, { linkTo = () => null } = {}) {
    this.#list = list;
    this.#template = template;
    this.#engine = engine;
    this.#linkTo = linkTo;
    list.addEventListener("click", ({ target }) => this.#press(target.closest("[data-incoming-action]")));
    engine.addEventListener("change", () => this.show());
    ticker.addEventListener("tick", () => this.show());
    this.show();
  }

  /** The one that rings longest, or undefined. */
  get first() {
    return this.#shown()[0];
  }

  show() {
    const calls = this.#shown();
    const items = calls.map((call) => this.#banner(call));
    place(this.#list, items);
    for (const [id, element] of this.#elements) if (!items.includes(element)) this.#elements.delete(id);
  }

  /** Of one that is being answered here the panel tells. */
  #shown() {
    const { current, isBusy, incoming } = this.#engine;
    return [...incoming.values()].filter(({ callId }) => !(isBusy && current.callId === callId)).sort((a, b) => a.startedAt - b.startedAt);
  }

  #banner(call) {
    const element = this.#elements.get(call.callId) ?? this.#made(call);
    write(element.querySelector("[data-part=answer-word]"), this.#engine.isBusy ? "End and answer" : "Answer");
    const left = Math.max(0, Math.ceil((call.ringUntil - serverNow()) / 1000));
    write(element.querySelector("[data-part=left]"), `rings for ${left} s more`);
    return element;
  }

  #made(call) {
    const element = this.#template.content.firstElementChild.cloneNode(true);
    const link = element.querySelector("[data-part=caller]");
    write(link, partyName(call.callerId));
    const href = this.#linkTo(call.callerId);
    if (href) link.href = href;
    write(element.querySelector("[data-part=caller-name]"), call.callerName ?? "");
    element.dataset.callId = call.callId;
    this.#elements.set(call.callId, element);
    return element;
  }

  #press(button) {
    const callId = button?.closest("[data-call-id]").dataset.callId;
    if (button?.dataset.incomingAction === "answer") this.#engine.answer(callId);
    else if (button) this.#engine.reject(callId);
  }
}
