// The keyboard: one list of keys, which is also what the help shows.

const bindings = [];

/** Bind a key (as `KeyboardEvent.key` names it) to an action, with the words for the help; without one, the browser acts. */
export function bindKey(key, words, action = null) {
  bindings.push({ key, words, action });
}

const typing = (element) => element.matches("input, textarea, select, [contenteditable]");

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (document.querySelector("dialog[open]")) return;
  if (typing(event.target) && event.key !== "Escape") return;
  const binding = bindings.find(({ key }) => key === event.key);
  if (!binding?.action) return;
  event.preventDefault();
  binding.action(event);
});

/** Fill a dialog's list with all keys, and open it. */
export function showKeys(dialog) {
  const list = dialog.querySelector("dl");
  list.replaceChildren(
    ...bindings.flatMap(({ key, words }) => {
      const [name, meaning] = [document.createElement("dt"), document.createElement("dd")];
      const cap = document.createElement("kbd");
      cap.textContent = key === "Escape" ? "Esc" : key;
      name.append(cap);
      meaning.textContent = words;
      return [name, meaning];
    }),
  );
  dialog.showModal();
}
