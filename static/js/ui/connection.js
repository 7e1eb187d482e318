// The state of the connection: a pill in the bar, and a banner while it is not what it should be.

import { ticker } from "../clock.js";
import { write } from "../text.js";

const PATIENCE_MS = 1500; // a connection that is back sooner is no news
const WORDS = { connecting: "Connecting", open: "Live", waiting: "Reconnecting", offline: "Offline", ended: "Disconnected" };
const STATUS = { connecting: "timeout", open: "online", waiting: "timeout", offline: "offline", ended: "offline" };

const ENDINGS = {
  4401: { text: "Your session has ended. Sign in again to go on.", action: "Sign in" },
  4403: { text: "You may not use the dispatch console. Ask an admin of your fleet for the role of a dispatcher or viewer.", action: null },
  4409: { text: "The console was opened elsewhere with this session.", action: "Use it here" },
  4410: { text: "Your account was removed. Ask an admin of your fleet.", action: null },
};
const UNKNOWN_ENDING = { text: "The server closed the connection and will not take it again by itself.", action: "Reconnect" };

export class ConnectionBanner {
  #socket;
  #endings;
  #pill;
  #banner;
  #lostAt = Date.now();

  /** `endings` are the words and the button for each close code after which the socket does not come back by itself. */
  constructor(socket, pill, banner, endings = ENDINGS) {
    this.#endings = endings;
    this.#socket = socket;
    this.#pill = pill;
    this.#banner = banner;
    banner.querySelector("button").addEventListener("click", () => this.#act());
    socket.addEventListener("state", () => this.#changed());
    ticker.addEventListener("tick", () => this.#show());
    this.#show();
  }

  #act() {
    const { loginUrl } = this.#banner.dataset;
    if (this.#socket.state.code === 4401 && loginUrl) location.assign(loginUrl);
    else this.#socket.connect();
  }

  #changed() {
    const { name, code } = this.#socket.state;
    if (name === "open") this.#lostAt = null;
    else this.#lostAt ??= Date.now();
    const { loginUrl } = this.#banner.dataset;
    if (code === 4401 && loginUrl) location.assign(loginUrl);
    this.#show();
  }

  #show() {
    const { name } = this.#socket.state;
    this.#pill.dataset.status = STATUS[name];
    this.#pill.dataset.state = name;
    write(this.#pill.querySelector(".pill-word"), WORDS[name]);
    const patient = name === "ended" || name === "offline" ? 0 : PATIENCE_MS;
    this.#banner.hidden = this.#lostAt === null || Date.now() - this.#lostAt < patient;
    this.#banner.dataset.state = name;
    const { text, action } = this.#words();
    write(this.#banner.querySelector(".banner-text"), text);
    write(this.#banner.querySelector(".banner-countdown"), this.#countdown());
    const button = this.#banner.querySelector("button");
    button.hidden = !action;
    write(button, action ?? "");
  }

  #words() {
    const { name, code } = this.#socket.state;
    if (name === "ended") return this.#endings[code] ?? UNKNOWN_ENDING;
    if (name === "offline") return { text: "This computer is offline. What you see is no longer up to date.", action: "Try now" };
    if (name === "waiting") return { text: "The connection was lost. What you see is no longer up to date.", action: "Reconnect now" };
    return { text: "Connecting to the server…", action: null };
  }

  /** Counts every second, so it is outside of what a screen reader is told. */
  #countdown() {
    const { retryAt } = this.#socket.state;
    return retryAt ? `Next try in ${Math.max(1, Math.ceil((retryAt - Date.now()) / 1000))} s` : "";
  }
}
