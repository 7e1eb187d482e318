// Far out, vehicles that would hide each other are one circle with their count.

const CELL_PX = 72;
const FEWEST = 3;

/**
 * Group points by a grid that is fixed to the ground, so that panning changes no group; circles that would overlap
 * become one. `points` are `{x, y, glide}` in pixels of the world at this zoom; gives `{single, groups}` where a
 * group is `{x, y, members, counts}` at the middle of its members.
 */
export function grouped(points) {
  const cells = new Map();
  for (const point of points) {
    const key = Math.floor(point.x / CELL_PX) * 0x4000000 + Math.floor(point.y / CELL_PX);
    const cell = cells.get(key);
    if (cell) cell.push(point);
    else cells.set(key, [point]);
  }
  const single = [];
  const groups = [];
  for (const members of cells.values()) {
    if (members.length < FEWEST) single.push(...members);
    else groups.push(groupOf(members));
  }
  return { single, groups: merged(groups) };
}

function merged(groups) {
  const apart = [];
  for (const group of groups.sort((a, b) => b.members.length - a.members.length)) {
    const reach = groupRadius(group.members.length);
    const other = apart.find((one) => Math.hypot(one.x - group.x, one.y - group.y) < reach + groupRadius(one.members.length));
    if (other) Object.assign(other, groupOf([...other.members, ...group.members]));
    else apart.push(group);
  }
  return apart;
}

function groupOf(members) {
  const group = { x: 0, y: 0, members, counts: { online: 0, timeout: 0, offline: 0 } };
  for (const { x, y, glide } of members) {
    group.x += x / members.length;
    group.y += y / members.length;
    group.counts[glide.vehicle.status] += 1;
  }
  return group;
}

/** Radius in CSS pixels of the circle of `count` vehicles. */
export const groupRadius = (count) => Math.min(30, 12 + 3 * Math.log2(count));
