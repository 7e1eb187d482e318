// What is fetched again is morphed into the page. What a person has opened or begun to type there stays.

const wasTouched = (field) =>
  field.type === "checkbox" || field.type === "radio" ? field.checked !== field.defaultChecked : field.value !== (field.defaultValue ?? field.value);

/** Keep details open, and forms with `data-keep` as long as something is typed in them. */
export function keepWhatPeopleDo() {
  Object.assign(window.Idiomorph.defaults.callbacks, {
    beforeAttributeUpdated: (name, node) => !(name === "open" && node.matches("details")),
    beforeNodeMorphed: (old) => !(old instanceof HTMLFormElement && "keep" in old.dataset && [...old.elements].some(wasTouched)),
  });
}
