// What went wrong with something that was asked for: what happened and what to do, then out of the way.

const SHOWN_MS = 8000;
const MOST = 4;

export class Toasts {
  #region;
  #template;
  #texts;

  /** `texts` maps an error code to `{title, advice}`: the server's own words. */
  constructor(region, template, texts) {
    this.#region = region;
    this.#template = template;
    this.#texts = texts;
  }

  /** Tell of an error by its code; `details` may say how long to wait or which field is wrong. */
  error({ code, message, details = {} }) {
    const text = this.#texts[code] ?? { title: message ?? "Something went wrong.", advice: "Try again." };
    this.show(text.title, advised(text.advice, details));
  }

  show(title, advice) {
    // The same thing twice is one toast that stays longer.
    for (const shown of this.#region.children) if (shown.dataset.title === title) shown.remove();
    while (this.#region.children.length >= MOST) this.#region.firstElementChild.remove();
    const toast = this.#template.content.firstElementChild.cloneNode(true);
    toast.dataset.title = title;
    toast.querySelector(".toast-title").textContent = title;
    toast.querySelector(".toast-advice").textContent = advice;
    let timer = setTimeout(() => toast.remove(), SHOWN_MS);
    // Who is reading it keeps it.
    toast.addEventListener("mouseenter", () => clearTimeout(timer));
    toast.addEventListener("focusin", () => clearTimeout(timer));
    toast.addEventListener("mouseleave", () => (timer = setTimeout(() => toast.remove(), SHOWN_MS)));
    toast.querySelector("button").addEventListener("click", () => toast.remove());
    this.#region.append(toast);
  }
}

function advised(advice, { retryAfterMs, field, issue }) {
  if (retryAfterMs) return `Try again in ${Math.ceil(retryAfterMs / 1000)} s.`;
  return field ? `${advice} (${field}: ${issue ?? "not valid"})` : advice;
}
