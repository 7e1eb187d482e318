// Lists of rows: moving through them, and putting them in order without losing what has the focus.

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
