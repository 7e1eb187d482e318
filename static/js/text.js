// Text into elements, always as text: a name that looks like markup stays a name.

/** Put text into an element, unless it holds it already: what does not change costs no layout and keeps a selection. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
