// The explorer of the AHE-based segmentation: every step of one slice, at any combination that Python has tried.
import { clamp, el, fixed, handles, plotCanvas, slider, unpack } from "../explorer.js";
import { agreement, comparison, followColours, mixed, paletteOf } from "../comparison.js";

const GREYS = 256;
const AXIS = 16; // room below the curves: the line on which the handle stands
const EDGE = 0.05; // share of the plot's width left of the first threshold and right of the last
const ONLY = { image: [], am: [2], equalised: [], cbd_thresholded: [1], cbd: [1] }; // phases that a step shows
const LETTERS = "abcdefgh";

/** One bit a voxel, `count` rows of them, each packed as what differs from the one before (see sweep.py). */
function masks(bytes, count) {
  const row = bytes.length / count;
  for (let i = row; i < bytes.length; i += 1) bytes[i] ^= bytes[i - row];
  return (mask, i) => (bytes[mask * row + (i >> 3)] >> (7 - (i & 7))) & 1;
}

/**
 * Paint all panels at once. What is painted over a pixel: 0 nothing, 1 to 3 a phase, 4 left out, 5 to 7 agreement;
 * `table` holds the colour of each of these with each grey value.
 */
function paintPanels(panels, data, table, { window, threshold, diameter, slice }, diameters) {
  const { image, equalised, truth, am, thresholded, cbd, pixels, voxels } = data;
  const [before, after] = [window * voxels, (window * diameters + diameter) * voxels];
  for (let i = 0, at = slice * pixels; i < pixels; i += 1, at += 1) {
    const grey = image[at];
    const material = am(0, at);
    const true_ = truth[at];
    const binder = cbd(threshold, after + at);
    const found = material ? 2 : binder;
    const out = true_ > 2;
    panels.image[i] = table[grey];
    panels.am[i] = table[3 * material * GREYS + grey];
    panels.equalised[i] = table[equalised[before + at]];
    panels.cbd_thresholded[i] = table[2 * thresholded(threshold, before + at) * GREYS + grey];
    panels.cbd[i] = table[2 * binder * GREYS + grey];
    panels.segmentation[i] = table[(out ? 4 : 1 + found) * GREYS + grey];
    panels.truth[i] = table[(1 + true_) * GREYS + grey];
    panels.agreement[i] = table[(out ? 4 : found === true_ ? 5 : found < true_ ? 6 : 7) * GREYS + grey];
  }
}

/** Where a threshold stands along the plot, from 0 to 1. */
function scaleOf(thresholds) {
  const [first, span] = [thresholds[0], thresholds.at(-1) - thresholds[0]];
  return (i) => (span ? EDGE + (1 - 2 * EDGE) * ((thresholds[i] - first) / span) : 0.5);
}

/** κ over the threshold: bold for the ball that is chosen, thin for the others; a dashed line at the best of all. */
function drawCurves(context, state, width, height) {
  const { colours, kappas, at, low, high, highest } = state;
  const base = height - AXIS;
  const y = (kappa) => base - (base - 17) * ((kappa - low) / (high - low));
  context.font = "12.5px system-ui, sans-serif";
  context.textBaseline = "middle";
  context.lineJoin = "round";
  for (let k = Math.round(10 * low); k <= Math.round(10 * high); k += 1) {
    context.fillStyle = colours.line;
    context.fillRect(0, y(k / 10), width, 1);
  }
  context.setLineDash([4, 4]);
  context.strokeStyle = colours.muted;
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(0, y(highest));
  context.lineTo(width, y(highest));
  context.stroke();
  context.setLineDash([]);
  context.fillStyle = colours.muted;
  context.textAlign = "right";
  context.fillText(`best ${fixed(highest, 4)}`, width - 5, y(highest) - 7);
  context.textAlign = "left";
  [context.strokeStyle, context.lineWidth] = [colours.card, 5];
  for (let k = Math.round(10 * low); k <= Math.round(10 * high); k += high - low > 0.35 ? 2 : 1) {
    context.strokeText((k / 10).toFixed(1), 4, y(k / 10) - 7);
    context.fillText((k / 10).toFixed(1), 4, y(k / 10) - 7);
  }
  const order = kappas[0][0].map((_, d) => d).sort((a, b) => (a === state.diameter) - (b === state.diameter));
  for (const d of order) {
    const chosen = d === state.diameter;
    for (const [style, line] of chosen ? [[colours.card, 5], [colours.accent, 2.5]] : [[colours.muted, 1]]) {
      [context.strokeStyle, context.lineWidth, context.globalAlpha] = [style, line, chosen ? 1 : 0.65];
      context.beginPath();
      kappas[state.window].forEach((row, t) => context.lineTo(at(t) * width, y(row[d])));
      context.stroke();
    }
    context.globalAlpha = 1;
  }
  context.fillStyle = colours.accent;
  kappas[state.window].forEach((row, t) => {
    context.beginPath();
    context.arc(at(t) * width, y(row[state.diameter]), t === state.threshold ? 5.5 : 2.5, 0, 2 * Math.PI);
    context.fill();
  });
  context.fillStyle = colours.line;
  context.fillRect(0, base, width, 2);
}

/** A small picture that becomes the large one when it is pressed. */
function tile(parent, { letter, name, title, columns, rows, ratio, choose }) {
  const canvas = el("canvas", { width: columns, height: rows, role: "img", "aria-label": title });
  canvas.style.aspectRatio = ratio;
  const button = el("button", { type: "button", class: "ct-x-tile", title, "aria-label": `${letter}, ${title}` }, canvas,
    el("span", {}, el("b", { text: letter }), ` ${name}`));
  button.addEventListener("click", choose);
  parent.append(button);
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, rows);
  const pixels = new Uint32Array(image.data.buffer);
  return { pixels, show: (chosen) => { context.putImageData(image, 0, 0); button.setAttribute("aria-pressed", chosen); } };
}

async function load(model) {
  const names = ["image", "truth", "equalised", "am", "thresholded", "cbd"];
  const [image, truth, equalised, ...packed] = await Promise.all(names.map((name) => unpack(model.get(name))));
  const [depth, rows, columns] = model.get("shape");
  const many = model.get("thresholds").length;
  const [am, thresholded, cbd] = packed.map((bytes, i) => masks(bytes, i ? many : 1));
  return { image, truth, equalised, am, thresholded, cbd, pixels: rows * columns, voxels: depth * rows * columns };
}

/** Each pair of what is painted over (0 to 7) and a grey value, as packed RGBA. */
function colourTable(palette, opacity) {
  const over = [null, ...palette.classes, palette.leftOut, palette.hit, palette.tooDark, palette.tooBright];
  return Uint32Array.from({ length: over.length * GREYS }, (_, i) => mixed(i % GREYS, over[Math.floor(i / GREYS)], opacity));
}

async function render({ model, el: host }) {
  const data = await load(model);
  const [, rows, columns] = model.get("shape");
  const [windows, thresholds, diameters] = ["windows_um", "thresholds", "diameters_um"].map((name) => model.get(name));
  const [counts, panels, best, palette] = [model.get("counts"), model.get("panels"), model.get("best"), paletteOf(model)];
  const { parts, set, canvas, show } = comparison(model, host, { title: "Explorer of the AHE-based segmentation", only: ONLY,
    views: { segmentation: "Segmentation", agreement: "Agreement", truth: "Truth" } });
  const kappas = counts.map((byThreshold) => byThreshold.map((row) => row.map((table) => agreement(table).kappa)));
  const flat = kappas.flat(2);
  const state = { kappas, at: scaleOf(thresholds), colours: {}, highest: Math.max(...flat),
    low: Math.floor(10 * Math.min(...flat)) / 10, high: Math.floor(10 * Math.max(...flat) + 1) / 10 };

  const tiles = el("div", { class: "ct-x-tiles", role: "group", "aria-label": "Steps a to f, truth and agreement: choose the large picture" });
  const figure = el("div", { class: "ct-x-steps" });
  parts.root.classList.add("ct-x-wide", "ct-x-stepped");
  parts.stage.before(figure);
  const title = el("p", { class: "ct-x-title" });
  figure.append(el("div", { class: "ct-x-step" }, title, parts.stage), tiles);
  const [height, width] = model.get("voxel_um").slice(1);
  const shown = Object.entries(panels).map(([view, [name, long]], i) => [view, tile(tiles, { letter: LETTERS[i], name, title: long, columns, rows,
    ratio: `${columns * width} / ${rows * height}`, choose: () => { set("view", view); title.scrollIntoView({ block: "nearest" }); } })]);
  const pixels = Object.fromEntries(shown.map(([view, small]) => [view, small.pixels]));

  const chart = el("div", { class: "ct-x-chart" });
  const value = el("output", { class: "ct-x-values" });
  parts.plot.before(chart);
  chart.append(el("div", { class: "ct-x-bar" }, value, el("span", { class: "ct-x-key" }, el("b"), "κ, this window and ball")), parts.plot,
    el("div", { class: "ct-x-axis", "aria-hidden": "true" }, el("span", { text: thresholds[0] }), el("span", { text: "threshold on the equalised image" }), el("span", { text: thresholds.at(-1) })));
  const plot = plotCanvas(parts.plot, "κ of the whole volume at every threshold, for the chosen window and each ball",
    (context, w, h) => drawCurves(context, state, w, h));
  const nearest = (fraction) => thresholds.reduce((near, _, i) => (Math.abs(state.at(i) - fraction) < Math.abs(state.at(near) - fraction) ? i : near), 0);
  const setHandle = handles(parts.plot, { labels: ["Threshold of the binder on the equalised image"], at: state.at, value: nearest,
    range: () => [0, thresholds.length - 1], move: (_, i) => { if (i !== state.threshold) set("cbd_threshold", thresholds[i]); } });
  const micrometres = (values) => (i) => `${Number(values[i].toPrecision(4))} µm`;
  const dials = el("div", { class: "ct-x-dials" });
  chart.append(dials);
  const dial = (label, key, values) => (values.length > 1 ? slider(dials, { label, min: 0, max: values.length - 1, step: 1,
    text: micrometres(values), input: (i) => set(key, values[i]) }) : () => {});
  const setWindow = dial("Window", "window_um", windows);
  const setDiameter = dial("Ball", "diameter_um", diameters);
  const jump = el("button", { type: "button", class: "ct-x-reset", text: "Best of the sweep" });
  jump.addEventListener("click", () => {
    for (const [key, now] of Object.entries(best)) model.set(key, now);
    model.save_changes();
  });
  parts.buttons.prepend(jump);

  function paint() {
    const table = colourTable(palette, state.opacity);
    paintPanels(pixels, data, table, state, diameters.length);
    for (const [view, small] of shown) small.show(view === state.view);
    canvas.pixels.set(pixels[state.view]);
    canvas.show();
    const i = Object.keys(panels).indexOf(state.view);
    title.replaceChildren(el("b", { text: LETTERS[i] }), ` ${panels[state.view][1]}`);
    canvas.canvas.setAttribute("aria-label", `Slice ${model.get("slices")[state.slice] + 1}: ${panels[state.view][1]}`);
  }

  function update() {
    for (const name of ["slice", "view", "opacity"]) state[name] = model.get(name);
    const place = (key, values) => clamp(values.indexOf(model.get(key)), 0, values.length - 1);
    state.window = place("window_um", windows);
    state.threshold = place("cbd_threshold", thresholds);
    state.diameter = place("diameter_um", diameters);
    paint();
    const result = show(counts[state.window][state.threshold][state.diameter]);
    plot.paint();
    const words = `kappa ${fixed(result.kappa, 4)}, ${result.text}`;
    setHandle([state.threshold], (i) => `threshold ${thresholds[i]}, ${words}`);
    setWindow(state.window);
    setDiameter(state.diameter);
    value.replaceChildren("Threshold ", el("b", { text: thresholds[state.threshold] }));
    parts.say(`Window ${micrometres(windows)(state.window)}, threshold ${thresholds[state.threshold]}, ball ${micrometres(diameters)(state.diameter)}: ${words}.`);
  }

  const stopTheme = followColours(parts.root, state.colours, () => { if (state.view) plot.paint(); });
  update();
  model.on("change", update);
  return () => { model.off("change", update); stopTheme(); plot.stop(); };
}

export default { render };
