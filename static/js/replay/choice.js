// The choice of vehicles and time: who sets a time has chosen his own span, who takes a vehicle away sees it at once.

const form = document.getElementById("replay-choice");
const own = form.querySelector('input[name="span"][value="custom"]');

for (const moment of form.querySelectorAll('input[type="datetime-local"]')) {
  moment.addEventListener("input", () => (own.checked = true));
}
form.addEventListener("change", ({ target }) => {
  const isPreset = target.name === "span" && target.value !== "custom";
  if (isPreset && form.querySelector('input[name="vehicles"]:checked')) form.requestSubmit();
});
form.addEventListener("formdata", ({ formData }) => {
  // A link of what was chosen, and no more.
  const [added, ...chosen] = formData.getAll("vehicles").map((name) => name.trim());
  const names = [...new Set([...chosen, added].filter(Boolean))];
  formData.delete("vehicles");
  if (names.length) formData.set("vehicles", names.join(","));
  if (formData.get("span") === "custom") formData.delete("span");
  else for (const name of ["from", "to"]) formData.delete(name);
});
