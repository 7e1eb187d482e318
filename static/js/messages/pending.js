// What a person has sent and the server has not shown yet, at the end of its conversation.

import { place } from "../ui/rows.js";
import { write } from "../text.js";

export class PendingMessages {
  #list;
  #shown;
  #template;
  #reference;
  #outbox;
  #socket;
  #texts;
  #stored = [];
  #rows = new Map();

  /** `list` is to be filled; `shown` holds the messages that the server has rendered; `texts` are the words of errors. */
  constructor(list, shown, reference, { outbox, socket, texts, until }) {
    this.#list = list;
    this.#shown = shown;
    this.#template = document.getElementById("pending-message");
    this.#reference = reference;
    this.#outbox = outbox;
    this.#socket = socket;
    this.#texts = texts;
    outbox.addEventListener("change", () => this.update(), until);
    outbox.addEventListener("stored", ({ detail }) => detail.conversation === reference && this.#stored.push(detail), until);
    socket.addEventListener("state", () => this.update(), until);
    list.addEventListener("click", ({ target }) => this.#press(target.closest("[data-outbox]")));
    this.update();
  }

  /** Show what waits, but for what the server shows by now: an answer may be lost, or come later than the message. */
  update() {
    const isShown = ({ id }) => this.#shown.querySelector(`[data-client-id="${CSS.escape(id)}"]`) !== null;
    this.#stored = this.#stored.filter((item) => !isShown(item));
    const waiting = this.#outbox.of(this.#reference).filter((item) => !isShown(item));
    const items = [...this.#stored, ...waiting];
    const rows = new Map(items.map((item) => [item.id, this.#rows.get(item.id) ?? this.#make(item)]));
    this.#rows = rows;
    for (const item of items) this.#fill(rows.get(item.id), item);
    place(this.#list, [...rows.values()]);
  }

  #make({ id, data }) {
    const row = this.#template.content.firstElementChild.cloneNode(true);
    row.dataset.pending = id;
    row.querySelector(".message-body").textContent = data.content;
    return row;
  }

  #fill(row, item) {
    const status = this.#stored.includes(item) ? "queued" : item.refusal ? "refused" : "waiting";
    const mark = row.querySelector(".message-status");
    mark.dataset.status = status;
    write(mark.querySelector(".status-word"), this.#words(status, item));
    row.querySelector(".message-actions").hidden = status !== "refused";
  }

  #words(status, { refusal }) {
    if (status === "queued") return "Queued";
    if (status === "waiting") return this.#socket.state.name === "open" ? "Sending…" : "Waits for the connection";
    const { title, advice } = this.#texts[refusal.code] ?? { title: refusal.message, advice: "" };
    return `Not sent. ${title} ${advice}`;
  }

  #press(button) {
    if (button) this.#outbox[button.dataset.outbox](button.closest("[data-pending]").dataset.pending);
  }
}
