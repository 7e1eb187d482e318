// How tracks and moments look: color, dashes and letters, for no two may be told apart by color alone.

import { token } from "../theme.js";

// Okabe-Ito and two more; each second round of them is drawn with a dark heart.
const COLORS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b8a500", "#7f7fff", "#a06a42", "#8d98a3"];

/** The look of the vehicle at a place in the list. */
export const lookOf = (index) => ({ color: COLORS[index % COLORS.length], isSecond: index >= COLORS.length });

/** The color of a moment by its tone. */
export const toneColor = (tone) => token(tone ? `--severity-${tone}` : "--accent");

export const mapColors = () => ({
  label: token("--map-label"), "label-halo": token("--map-label-halo"), outline: token("--map-outline"), ring: token("--map-ring"), text: token("--text"), muted: token("--text-muted"), surface: token("--surface"), line: token("--line-strong"), font: token("--font"),
});

/** A moment's mark: the first letter of its kind in a shape, a diamond where it is grave, else a circle. */
export function drawMark(context, { letter, tone, count = 1 }, x, y, radius, colors) {
  context.beginPath();
  if (tone === "critical" || tone === "high") {
    const reach = radius * 1.25;
    for (const [dx, dy] of [[0, -reach], [reach, 0], [0, reach], [-reach, 0]]) context.lineTo(x + dx, y + dy);
    context.closePath();
  } else context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = colors.surface;
  context.fill();
  context.lineWidth = 2;
  context.strokeStyle = toneColor(tone);
  context.stroke();
  context.fillStyle = colors.text;
  context.font = `600 ${Math.round(radius * 1.3)}px ${colors.font}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(count > 1 ? String(Math.min(99, count)) : letter, x, y + 0.5);
}
