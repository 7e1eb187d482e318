// What is fetched again is morphed into the page. What a person has opened or begun to type there stays.

const wasTouched = (field) =>
  field.type === "checkbox" || field.type === "radio" ? field.checked !== field.defaultChecked : field.value !== (field.defaultValue ?? field.value);

const isKept = (node) => node instanceof HTMLFormElement && "keep" in node.dataset && !("sent" in node.dataset) && [...node.elements].some(wasTouched);

/** Keep details open, and forms with `data-keep` as long as something is typed in them that has not been sent. */
export function keepWhatPeopleDo() {
  Object.assign(window.Idiomorph.defaults.callbacks, {
    beforeAttributeUpdated: (name, node) => !(name === "open" && node.matches("details")),
    beforeNodeMorphed: (old) => !isKept(old),
  });
  // The answer to a form says what it is to hold now.
  document.body.addEventListener("htmx:beforeRequest", ({ detail }) => (detail.elt.dataset.sent = ""));
  document.body.addEventListener("htmx:afterRequest", ({ detail }) => {
    if (!detail.successful) delete detail.elt.dataset.sent;
  });
}
