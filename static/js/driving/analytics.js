// The charts of the analytics page. Their data stands in an attribute, for HTMX lets no script through, be it JSON; the
// tables below say the same.

import "./measures.js";
import { theme, token } from "../theme.js";
import { units } from "../units.js";

const { uPlot } = window;
const HEIGHT = 200;
const KILOMETER = 1000;
const MILE = 1609.344;
let charts = [];
const widths = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    const chart = charts.find(({ root }) => target.contains(root));
    if (chart && contentRect.width > 0) chart.setSize({ width: contentRect.width, height: HEIGHT });
  }
});

/** Series that stand upon each other, drawn from the tallest to the lowest: each is `{ label, color, values }`. */
function stacked(series) {
  const tops = [];
  series.forEach(({ values }, index) => {
    tops.push(values.map((value, day) => value + (index ? tops[index - 1][day] : 0)));
  });
  return { tops: tops.reverse(), series: [...series].reverse() };
}

function draw(id, days, layers, unit) {
  const area = document.querySelector(`#${id} .chart-area`);
  const { tops, series } = stacked(layers);
  const number = (value, digits) => value.toLocaleString(undefined, { maximumFractionDigits: digits }) + unit;
  const label = (index) =>
    new Date(`${days[index]}T00:00Z`).toLocaleDateString(undefined, { day: "numeric", month: "short", timeZone: "UTC" });
  const axis = { stroke: token("--text-muted"), grid: { stroke: token("--line"), width: 1 }, ticks: { show: false }, font: `12px ${token("--font")}` };
  const options = {
    width: area.clientWidth,
    height: HEIGHT,
    scales: { x: { time: false, range: [-0.5, days.length - 0.5] }, y: { range: (_, __, most) => [0, Math.max(1, most * 1.1)] } },
    axes: [
      { ...axis, grid: { show: false }, incrs: [1, 2, 7, 14, 30, 60], values: (_, splits) => splits.map((at) => (Number.isInteger(at) && days[at] ? label(at) : "")), size: 28 },
      { ...axis, size: 64, incrs: [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 50000], values: (_, splits) => splits.map((at) => number(at, 0)) },
    ],
    cursor: { drag: { x: false, y: false }, points: { show: false }, y: false },
    legend: { markers: { width: 0 } },
    series: [
      { label: "Day", value: (_, __, ___, index) => (index === null ? "–" : label(index)) },
      ...series.map(({ label: name, color, values }) => ({
        label: name,
        stroke: color,
        fill: color,
        width: 0,
        points: { show: false },
        paths: uPlot.paths.bars({ size: [0.7, 48] }),
        value: (_, __, ___, index) => (index === null ? "–" : number(values[index], 1)),
      })),
    ],
  };
  charts.push(new uPlot(options, [days.map((_, index) => index), ...tops], area));
  widths.observe(area);
}

function show() {
  widths.disconnect();
  for (const chart of charts) chart.destroy();
  charts = [];
  const stored = document.getElementById("chart-data");
  if (!stored) return;
  const data = JSON.parse(stored.dataset.chart);
  const [unit, meters] = units.system === "mi" ? ["mi", MILE] : ["km", KILOMETER];
  const [blue, orange, vermilion] = [token("--chart-blue"), token("--chart-orange"), token("--chart-vermilion")];
  const distance = { label: "Distance", color: blue, values: data.meters.map((value) => value / meters) };
  draw("chart-distance", data.days, [distance], ` ${unit}`);
  const moving = { label: "Moving", color: blue, values: data.movingHours };
  const standing = { label: "Standing", color: orange, values: data.idleHours };
  draw("chart-time", data.days, [moving, standing], " h");
  const harsh = { label: "Harsh driving", color: vermilion, values: data.harsh };
  const overspeed = { label: "Overspeed", color: orange, values: data.overspeeds };
  const others = { label: "Others", color: blue, values: data.others };
  draw("chart-events", data.days, [harsh, overspeed, others], "");
}

theme.addEventListener("change", show);
document.addEventListener("htmx:afterSwap", show);
show();
