// What a person should know for a moment: what happened and what to do, then out of the way.

const SHOWN_MS = 8000;
const MOST = 3;

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

  /**
   * Tell something. The same thing twice, known by its `key`, is one toast that stays longer. `tone` is `error`, `info`
   * or a severity; `drill` marks an exercise; `href` leads to what it is about; `action` is a button, `{word, run}`.
   */
  show(title, advice, { key = title, tone = "error", drill = false, href = null, action = null } = {}) {
    this.dismiss(key);
    while (this.#region.children.length >= MOST) this.#region.firstElementChild.remove();
    const toast = this.#template.content.firstElementChild.cloneNode(true);
    Object.assign(toast.dataset, { key, tone });
    toast.toggleAttribute("data-drill", Boolean(drill));
    toast.querySelector(".toast-title").textContent = title;
    toast.querySelector(".toast-advice").textContent = advice;
    const link = toast.querySelector("a");
    link.hidden = href === null;
    if (href !== null) link.href = href;
    if (action !== null) toast.querySelector("button").before(actionButton(action, toast));
    let timer = setTimeout(() => toast.remove(), SHOWN_MS);
    // Who is reading it keeps it.
    toast.addEventListener("mouseenter", () => clearTimeout(timer));
    toast.addEventListener("focusin", () => clearTimeout(timer));
    toast.addEventListener("mouseleave", () => (timer = setTimeout(() => toast.remove(), SHOWN_MS)));
    toast.querySelector("button[aria-label]").addEventListener("click", () => toast.remove());
    this.#region.append(toast);
  }

  /** Take away what was told under this key. */
  dismiss(key) {
    for (const shown of [...this.#region.children]) if (shown.dataset.key === key) shown.remove();
  }
}

function actionButton({ word, run }, toast) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "button", textContent: word });
  button.addEventListener("click", () => {
    toast.remove();
    run();
  });
  return button;
}

function advised(advice, { retryAfterMs, field, issue }) {
  if (retryAfterMs) return `Try again in ${Math.ceil(retryAfterMs / 1000)} s.`;
  return field ? `${advice} (${field}: ${issue ?? "not valid"})` : advice;
}
