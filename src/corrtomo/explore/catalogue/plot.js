// The scatter plot of a catalogue: any two numbers of its entries against each other, in the colours of a third.
import { el, roundLength } from "../explorer.js";
import { sayValue } from "./rows.js";

const [LEFT, RIGHT, TOP, BOTTOM, DOT] = [50, 12, 10, 24, 4.5];
const NEAR = 22; // px from the pointer to the point that it means
const TICKS = 4;

/** The range of numbers with a little room; one number alone gets room, too. */
function rangeOf(values) {
  let [low, high] = [Infinity, -Infinity];
  for (const v of values) { low = Math.min(low, v); high = Math.max(high, v); }
  if (low > high) return [0, 1];
  const room = 0.05 * (high - low) || 0.05 * Math.abs(high) || 1;
  return [low - room, high + room];
}

/** Round numbers within a range. */
function ticksOf([low, high]) {
  const step = roundLength((high - low) / TICKS * 1.6);
  const found = [];
  for (let i = Math.ceil(low / step); i * step <= high; i += 1) found.push(Number((i * step).toPrecision(12)));
  return found;
}

/** Where each entry lies that has both numbers: [row, x, y] in px. */
export function placesOf(rows, kept, [ix, iy], width, height) {
  const both = kept.filter((k) => rows[k][ix] !== null && rows[k][iy] !== null);
  const [across, up] = [rangeOf(both.map((k) => rows[k][ix])), rangeOf(both.map((k) => rows[k][iy]))];
  const x = (v) => LEFT + ((v - across[0]) / (across[1] - across[0])) * (width - LEFT - RIGHT);
  const y = (v) => height - BOTTOM - ((v - up[0]) / (up[1] - up[0])) * (height - TOP - BOTTOM);
  return { points: both.map((k) => [k, x(rows[k][ix]), y(rows[k][iy])]), across, up, x, y };
}

/** The entry nearest to a place, if one is near. */
export function nearestTo(points, [x, y]) {
  let [best, found] = [NEAR ** 2, -1];
  for (const [k, px, py] of points) {
    const gap = (px - x) ** 2 + (py - y) ** 2;
    if (gap < best) [best, found] = [gap, k];
  }
  return found;
}

export function drawScatter(context, width, height, { places, colourOf, shown, colours }) {
  const { points, across, up, x, y } = places;
  context.font = "13px system-ui, sans-serif";
  context.fillStyle = colours.muted;
  context.strokeStyle = colours.line;
  context.lineWidth = 1;
  context.textAlign = "center";
  for (const v of ticksOf(across)) {
    context.beginPath(); context.moveTo(x(v), TOP); context.lineTo(x(v), height - BOTTOM); context.stroke();
    context.fillText(sayValue(v), Math.min(x(v), width - 16), height - 7);
  }
  context.textAlign = "right";
  for (const v of ticksOf(up)) {
    context.beginPath(); context.moveTo(LEFT, y(v)); context.lineTo(width - RIGHT, y(v)); context.stroke();
    context.fillText(sayValue(v), LEFT - 6, y(v) + 4);
  }
  for (const [k, px, py] of points) {
    context.beginPath(); context.arc(px, py, DOT, 0, 2 * Math.PI);
    context.fillStyle = colourOf(k); context.globalAlpha = 0.85; context.fill();
    context.globalAlpha = 1; context.strokeStyle = colours.paper; context.stroke();
  }
  const mark = points.find(([k]) => k === shown);
  if (!mark) return;
  context.lineWidth = 2.5;
  context.strokeStyle = colours.ink;
  context.beginPath(); context.arc(mark[1], mark[2], DOT + 3.5, 0, 2 * Math.PI); context.stroke();
}

/** Three lists: what is plotted to the right, up, and in colours. */
export function plotChoices(parent, columns, set) {
  const options = (kind, none) => [...(none ? [el("option", { value: "", text: none })] : []),
    ...columns.filter((c) => c.kind === kind).map((c) => el("option", { value: c.name, text: c.label }))];
  const lists = [["x", "Right", "number"], ["y", "Up", "number"], ["colour", "Colour", "text"]].map(([key, label, kind]) => {
    const list = el("select", { "aria-label": `${label}: what is plotted`, "data-lm-suppress-shortcuts": "true" }, ...options(kind, key === "colour" && "one colour"));
    list.addEventListener("change", () => set(key, list.value));
    parent.append(el("label", { class: "ct-x-pick" }, el("span", { text: label }), list));
    return [key, list];
  });
  return (state) => lists.forEach(([key, list]) => { list.value = state[key]; });
}
