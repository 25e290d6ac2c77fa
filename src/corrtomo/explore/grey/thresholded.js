// What explorers of grey value thresholds share: the slice cut by them, the histogram by phase, and the handles on it.
import { el, fixed, handles, unpack } from "../explorer.js";
import { agreementColour, comparison, mixed, paletteOf } from "../comparison.js";

export const GREYS = 256;
const AXIS = 22; // room below the bars: classes, grey ramp, knobs
export const at = (threshold) => (threshold + 1) / GREYS; // a grey value above the threshold is the brighter class
export const thresholdAt = (fraction) => Math.round(fraction * GREYS) - 1;

/** Running sums of each row of the joint histogram: cumulated[p][g] voxels of phase p have a grey value <= g. */
function cumulate(joint) {
  return joint.map((row) => { let sum = 0; return Float64Array.from(row, (n) => (sum += n)); });
}

/** Voxels of each true phase (rows) that the thresholds put into each class (columns). */
export function confusion(cumulated, thresholds) {
  return cumulated.map((row) => {
    const edges = [0, ...thresholds.map((t) => row[t]), row[GREYS - 1]];
    return edges.slice(1).map((edge, i) => edge - edges[i]);
  });
}

/** Colour of every pair (true phase, grey value) as packed RGBA, so that a slice is painted by looking up. */
function colourTable({ view, opacity, thresholds, phases }, palette) {
  const table = new Uint32Array((phases.length + 1) * GREYS);
  for (let p = 0; p <= phases.length; p += 1) {
    for (let g = 0; g < GREYS; g += 1) {
      const c = thresholds.filter((t) => g > t).length;
      const plain = p === phases.length ? palette.leftOut : palette.classes[c];
      table[p * GREYS + g] = mixed(g, view === "agreement" ? agreementColour(palette, p, c) : plain, opacity);
    }
  }
  return table;
}

/** Shape of the histogram as a path: steps from grey value to grey value. */
function steps(context, heights, width, base, scale) {
  context.moveTo(0, base);
  for (let g = 0; g < GREYS; g += 1) {
    const y = base - scale * heights[g];
    context.lineTo((g / GREYS) * width, y);
    context.lineTo(((g + 1) / GREYS) * width, y);
  }
  context.lineTo(width, base);
}

function drawBars(context, state, width, base) {
  const { joint, phases, log, colours } = state;
  const room = base - state.top;
  const value = log ? (n) => Math.log10(1 + n) : (n) => n;
  const sums = new Float64Array(GREYS);
  const layers = joint.map((row) => Float64Array.from(row, (n, g) => (log ? value(n) : (sums[g] += n))));
  const top = Math.max(...layers.map((layer) => Math.max(...layer)));
  layers.map((layer, p) => [layer, phases[p].colour]).reverse().forEach(([layer, colour]) => {
    context.beginPath();
    steps(context, layer, width, base, room / top);
    context.globalAlpha = log ? 0.6 : 1;
    context.fillStyle = colour;
    context.fill();
    context.globalAlpha = 1;
    context.strokeStyle = colours.muted;
    context.lineWidth = 0.75;
    context.stroke();
  });
}

/** Grey ramp under the bars: the scale on which the handles stand, and the classes they cut. */
function drawRamp(context, state, width, base) {
  const ramp = context.createLinearGradient(0, 0, width, 0);
  ramp.addColorStop(0, "#000");
  ramp.addColorStop(1, "#fff");
  context.fillStyle = ramp;
  context.fillRect(0, base + 5, width, 7);
  const edges = [0, ...state.thresholds.map(at), 1];
  edges.slice(1).forEach((edge, c) => {
    context.fillStyle = state.phases[c].colour;
    context.fillRect(edges[c] * width, base, (edge - edges[c]) * width, 5);
  });
  context.strokeStyle = state.colours.muted;
  context.lineWidth = 0.75;
  context.strokeRect(0.4, base, width - 0.8, 12);
}

/** The histogram and the scale under it; `over(context, width, base)` draws between them. */
export function drawHistogram(context, state, width, height, over = () => {}) {
  const base = height - AXIS;
  drawBars(context, state, width, base);
  over(context, width, base);
  drawRamp(context, state, width, base);
}

/** What a handle may take: never past its neighbour. */
export function bounds(thresholds, i) {
  return [i > 0 ? thresholds[i - 1] + 1 : 0, i + 1 < thresholds.length ? thresholds[i + 1] - 1 : GREYS - 1];
}

/**
 * Build an explorer of thresholds but for what is special to it, and return its parts and its `state`.
 * `show()` reads the model, paints all that is common, and returns κ and its word; `key` names what is drawn.
 */
export async function thresholded(model, host, { title, key }) {
  const [grey, truth] = await Promise.all([unpack(model.get("image")), unpack(model.get("truth"))]);
  const [, rows, columns] = model.get("shape");
  const [phases, joint, numbers] = [model.get("phases"), model.get("joint"), model.get("slices")];
  const palette = paletteOf(model);
  const base = comparison(model, host, { title, views: { segmentation: "Segmentation", agreement: "Agreement" } });
  const { parts, set, canvas } = base;
  const state = { joint, phases, cumulated: cumulate(joint), marks: model.get("marks"), held: 0, top: 10, colours: {} };

  const values = el("output", { class: "ct-x-values" });
  parts.bar = el("div", { class: "ct-x-bar" }, values, el("span", { class: "ct-x-key" }, ...key));
  parts.plot.before(parts.bar);
  parts.plot.after(el("div", { class: "ct-x-axis", "aria-hidden": "true" }, el("span", { text: "0" }), el("span", { text: "grey value" }), el("span", { text: "255" })));
  const log = el("input", { type: "checkbox", "data-lm-suppress-shortcuts": "true" });
  log.addEventListener("change", () => set("log", log.checked));
  parts.foot.prepend(el("label", { class: "ct-x-check" }, log, "log counts"));

  function paintSlice() {
    const table = colourTable(state, palette);
    const start = state.slice * rows * columns;
    for (let i = 0; i < canvas.pixels.length; i += 1) canvas.pixels[i] = table[truth[start + i] * GREYS + grey[start + i]];
    canvas.show();
    const kind = state.view === "agreement" ? "agreement of the segmentation with the truth" : "segmentation";
    canvas.canvas.setAttribute("aria-label", `Slice ${numbers[state.slice] + 1} with the ${kind} painted over it`);
  }

  function show() {
    for (const name of ["thresholds", "slice", "view", "opacity", "log"]) state[name] = model.get(name);
    state.held = Math.min(state.held, state.thresholds.length - 1);
    paintSlice();
    const result = base.show(confusion(state.cumulated, state.thresholds));
    log.checked = state.log;
    values.replaceChildren(state.thresholds.length > 1 ? "Thresholds " : "Threshold ", el("b", { text: state.thresholds.join(" and ") }));
    parts.say(`${values.textContent}: kappa ${fixed(result.kappa, 4)}, ${result.text}.`);
    return result;
  }

  /** The handles on the histogram; call once its canvas is there, then with κ and its word at each change. */
  function thresholdHandles(update) {
    const setHandles = handles(parts.plot, { labels: phases.slice(1).map((upper, i) => `Threshold between ${phases[i].name} and ${upper.name}`),
      at, value: thresholdAt, range: (i) => bounds(state.thresholds, i),
      move: (i, value) => { state.held = i; if (value !== state.thresholds[i]) set("thresholds", state.thresholds.with(i, value)); else update(); } });
    return ({ kappa, text }) => setHandles(state.thresholds, (t) => `grey value ${t}, kappa ${fixed(kappa, 4)}, ${text}`);
  }

  return { parts, state, set, show, thresholdHandles };
}
