// On a phone the rail is a sheet from the bottom with three heights: pull it, or press its handle.

const HEIGHTS = ["peek", "half", "full"];
const PULL_PX = 40; // a shorter pull is a press

/** Let the handle change the sheet's height. */
export function followSheet(sheet, handle) {
  let startY = 0;
  let wasPulled = false;
  const go = (index) => (sheet.dataset.sheet = HEIGHTS[Math.max(0, Math.min(HEIGHTS.length - 1, index))]);
  const current = () => HEIGHTS.indexOf(sheet.dataset.sheet);
  handle.addEventListener("pointerdown", (event) => {
    startY = event.clientY;
    handle.setPointerCapture(event.pointerId);
  });
  handle.addEventListener("pointerup", (event) => {
    const pulled = startY - event.clientY;
    wasPulled = Math.abs(pulled) >= PULL_PX;
    if (wasPulled) go(current() + Math.sign(pulled));
  });
  handle.addEventListener("click", () => {
    if (!wasPulled) go((current() + 1) % HEIGHTS.length);
    wasPulled = false;
  });
}
