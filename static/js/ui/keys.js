// The keyboard: one list of keys, which is also what the help shows.

const PREFIX_MS = 1500; // how long a first key waits for the second
const bindings = [];
let prefix = "";
let forget;

/**
 * Bind a key (as `KeyboardEvent.key` names it), or two after each other ("g v"), to an action, with the words for the
 * help; without an action, the browser acts.
 */
export function bindKey(key, words, action = null) {
  bindings.push({ key, words, action });
}

const typing = (element) => element.matches("input:not([type=radio], [type=checkbox], [type=range]), textarea, select, [contenteditable]");

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (document.querySelector("dialog[open]")) return;
  if (typing(event.target) && event.key !== "Escape") return;
  const keys = prefix + event.key;
  remember("");
  if (bindings.some(({ key }) => key.startsWith(`${keys} `))) {
    remember(`${keys} `);
    return;
  }
  const binding = bindings.find(({ key }) => key === keys);
  if (!binding?.action) return;
  event.preventDefault();
  binding.action(event);
});

function remember(keys) {
  clearTimeout(forget);
  prefix = keys;
  if (keys) forget = setTimeout(() => (prefix = ""), PREFIX_MS);
}

/** Fill a dialog's list with all keys, and open it. */
export function showKeys(dialog) {
  const list = dialog.querySelector("dl");
  list.replaceChildren(
    ...bindings.flatMap(({ key, words }) => {
      const [name, meaning] = [document.createElement("dt"), document.createElement("dd")];
      for (const part of key.split(" ")) {
        const cap = document.createElement("kbd");
        cap.textContent = part === "Escape" ? "Esc" : part;
        name.append(cap, " ");
      }
      meaning.textContent = words;
      return [name, meaning];
    }),
  );
  dialog.showModal();
}
