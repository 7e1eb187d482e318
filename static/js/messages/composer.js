// Writing a message: counted, checked, kept as a draft until it is sent.

const MAX_CHARS = 512; // characters as the server counts them: code points

const countOf = (text) => [...text].length;

/** Fires `sent` once a message is in the outbox. */
export class Composer extends EventTarget {
  #form;
  #reference;
  #outbox;
  #store;
  #text;
  #json;
  #expiry;
  #confirm;

  constructor(form, reference, { outbox, store }) {
    super();
    this.#form = form;
    this.#reference = reference;
    this.#outbox = outbox;
    this.#store = store;
    this.#text = form.querySelector("#composer-text");
    this.#json = form.querySelector("#composer-json");
    this.#expiry = form.querySelector("#composer-expiry");
    this.#confirm = document.getElementById("broadcast-confirm");
    this.#restore();
    form.addEventListener("input", () => this.#edited());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#text.addEventListener("keydown", (event) => this.#key(event));
    this.#confirm?.addEventListener("close", () => this.#confirm.returnValue === "send" && this.#send());
    this.#show("");
  }

  focus() {
    this.#text.focus();
  }

  get #draft() {
    return `draft.${this.#reference}`;
  }

  #restore() {
    const draft = this.#store.get(this.#draft);
    if (!draft) return;
    this.#text.value = draft.text;
    this.#json.checked = draft.json;
    this.#expiry.value = draft.expiry;
  }

  #edited() {
    const draft = { text: this.#text.value, json: this.#json.checked, expiry: this.#expiry.value };
    this.#store.set(this.#draft, draft.text ? draft : null);
    this.#show(countOf(draft.text) > MAX_CHARS ? this.#problem() : "");
  }

  /** Enter sends, with Shift it begins a new line; within an input method it belongs to that. */
  #key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.#form.requestSubmit();
  }

  #submit() {
    if (!this.#text.value.trim()) return this.focus();
    const problem = this.#problem();
    this.#show(problem);
    if (problem) return this.focus();
    if (!this.#confirm) return this.#send();
    this.#confirm.querySelector("blockquote").textContent = this.#text.value;
    this.#confirm.returnValue = "";
    return this.#confirm.showModal();
  }

  #send() {
    const { recipient, fleet } = this.#form.dataset;
    const to = recipient ? { recipientId: recipient } : { broadcast: true, fleet };
    const data = { ...to, content: this.#text.value.trimEnd(), contentType: this.#json.checked ? "json" : "text" };
    if (!this.#outbox.add(this.#reference, data, Number(this.#expiry.value))) {
      return this.#show("Too many messages wait to be sent. Send this one once the connection is back.");
    }
    this.#text.value = "";
    this.#edited();
    this.focus();
    return this.dispatchEvent(new Event("sent"));
  }

  /** What is wrong with the message, in words; empty when nothing is. */
  #problem() {
    const over = countOf(this.#text.value) - MAX_CHARS;
    if (over > 0) return `Too long by ${over}: a message has at most ${MAX_CHARS} characters.`;
    if (!this.#json.checked) return "";
    try {
      JSON.parse(this.#text.value);
      return "";
    } catch (error) {
      return `This is not JSON: ${error.message}. Correct it, or send it as text.`;
    }
  }

  #show(problem) {
    const error = this.#form.querySelector("#composer-error");
    error.textContent = problem;
    error.hidden = !problem;
    this.#text.ariaInvalid = problem ? "true" : null;
    this.#form.querySelector("#composer-count").textContent = `${countOf(this.#text.value)}/${MAX_CHARS}`;
  }
}
