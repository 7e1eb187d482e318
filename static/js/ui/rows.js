// Lists of rows: moving through them, and putting them in order without losing what has the focus.

const { htmx } = window;

/** Move the focus by so many rows, from the focused or the selected one. */
export function moveFocus(list, step) {
  const rows = [...list.querySelectorAll(".row")].filter((row) => row.offsetParent !== null);
  const from = rows.indexOf(document.activeElement);
  const start = from >= 0 ? from : rows.findIndex((row) => row.ariaCurrent === "true");
  const row = rows[start < 0 ? 0 : Math.max(0, Math.min(rows.length - 1, start + step))];
  row?.focus();
  row?.scrollIntoView({ block: "nearest" });
}

/** Make these elements the list's children. Only a changed order moves them, and the focus that one has stays. */
export function place(list, items) {
  if (items.length === list.children.length && items.every((item, i) => item === list.children[i])) return;
  const focused = list.contains(document.activeElement) ? document.activeElement : null;
  list.replaceChildren(...items);
  if (focused && list.contains(focused)) focused.focus({ preventScroll: true });
}

/** Ask the server for the list again, filtered as the form says and as long as it is now. */
export function fetchRows(form, list, rowClass) {
  const query = new URLSearchParams(new FormData(form));
  query.set("count", Math.max(1, list.getElementsByClassName(rowClass).length));
  const url = `${form.getAttribute("hx-get")}?${query}`;
  return htmx.ajax("GET", url, { source: form, target: list, swap: "morph:innerHTML" });
}

/** Mark a row as the one that the drawer shows, or not; one that is right already is left alone. */
export function markCurrent(row, isCurrent) {
  if (isCurrent !== (row.ariaCurrent === "true")) row.ariaCurrent = isCurrent ? "true" : null;
}
