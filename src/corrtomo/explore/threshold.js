// The threshold explorer: drag one or two thresholds on the histogram; segmentation, κ, counts and fractions follow.
import { choice, clamp, count, el, fixed, followTheme, frame, handles, picture, plotCanvas, rgb, slider, unpack } from "./explorer.js";

const GREYS = 256;
const AXIS = 22; // room below the bars: classes, grey ramp, knobs
const ROW = 15; // height of a mark's name
const at = (threshold) => (threshold + 1) / GREYS; // a grey value above the threshold is the brighter class

/** Running sums of each row of the joint histogram: cumulated[p][g] voxels of phase p have a grey value <= g. */
function cumulate(joint) {
  return joint.map((row) => { let sum = 0; return Float64Array.from(row, (n) => (sum += n)); });
}

/** Voxels of each true phase (rows) that the thresholds put into each class (columns). */
function confusion(cumulated, thresholds) {
  return cumulated.map((row) => {
    const edges = [0, ...thresholds.map((t) => row[t]), row[GREYS - 1]];
    return edges.slice(1).map((edge, i) => edge - edges[i]);
  });
}

/** Sums and Cohen's κ of a confusion table, in the same steps as corrtomo.measure. */
function agreement(table) {
  const rows = table.map((row) => row.reduce((a, b) => a + b));
  const columns = table[0].map((_, c) => table.reduce((sum, row) => sum + row[c], 0));
  const n = rows.reduce((a, b) => a + b);
  const apart = (n - table.reduce((sum, row, i) => sum + row[i], 0)) / n;
  const byChance = rows.reduce((sum, row, i) => sum + row * (n - columns[i]), 0) / (n * n);
  return { rows, columns, n, kappa: 1 - apart / byChance };
}

/** The word that goes with κ; the bounds come from Python. */
const word = (words, kappa) => words.find(([bound]) => bound === null || kappa <= bound)[1];

/** Colour of every pair (true phase, grey value) as packed RGBA, so that a slice is painted by looking up. */
function colourTable(state, palette) {
  const { view, opacity, thresholds, phases } = state;
  const table = new Uint32Array((phases.length + 1) * GREYS);
  for (let p = 0; p <= phases.length; p += 1) {
    for (let g = 0; g < GREYS; g += 1) {
      const c = thresholds.filter((t) => g > t).length;
      let over = p === phases.length ? palette.leftOut : palette.classes[c];
      if (p < phases.length && view === "agreement") {
        const quiet = p === c && c === 0 && phases.length === 2;
        over = quiet ? null : p === c ? palette.hit : c < p ? palette.tooDark : palette.tooBright;
      }
      const mix = (i) => (over ? Math.round(g + opacity * (over[i] - g)) : g);
      table[p * GREYS + g] = (255 << 24) | (mix(2) << 16) | (mix(1) << 8) | mix(0);
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

function drawCurve(context, state, width, base) {
  const { curve, colours, held, thresholds } = state;
  const y = (kappa) => base - (base - state.top) * clamp(kappa, 0, 1);
  const path = () => {
    context.beginPath();
    curve.forEach((kappa, t) => { if (kappa !== null) context.lineTo(at(t) * width, y(kappa)); });
    context.stroke();
  };
  context.lineJoin = "round";
  for (const [style, line] of [[colours.paper, 4.5], [colours.accent, 2]]) { // light edge: seen over any phase
    context.strokeStyle = style;
    context.lineWidth = line;
    path();
  }
  context.fillStyle = colours.accent;
  context.strokeStyle = colours.paper;
  context.lineWidth = 1.5;
  context.beginPath();
  context.arc(at(thresholds[held]) * width, y(curve[thresholds[held]]), 5, 0, 2 * Math.PI);
  context.fill();
  context.stroke();
}

function drawMarks(context, state, width, base) {
  context.font = "11px system-ui, sans-serif";
  context.textBaseline = "top";
  Object.entries(state.marks).forEach(([name, value], i) => {
    const x = at(value) * width;
    const left = x + context.measureText(name).width + 8 > width;
    context.strokeStyle = state.colours.muted;
    context.lineWidth = 1;
    context.setLineDash([3, 3]);
    context.beginPath();
    context.moveTo(x, 4 + ROW * i);
    context.lineTo(x, base);
    context.stroke();
    context.setLineDash([]);
    context.textAlign = left ? "right" : "left";
    context.lineWidth = 3;
    context.strokeStyle = state.colours.paper;
    context.strokeText(name, left ? x - 4 : x + 4, 3 + ROW * i);
    context.fillStyle = state.colours.ink;
    context.fillText(name, left ? x - 4 : x + 4, 3 + ROW * i);
  });
}

/** κ at every value of the handle that was moved last, the other one left where it is. */
function curveOf(cumulated, thresholds, held) {
  const [low, high] = bounds(thresholds, held);
  return Array.from({ length: GREYS }, (_, t) => {
    if (t < low || t > high) return null;
    return agreement(confusion(cumulated, thresholds.with(held, t))).kappa;
  });
}

function bounds(thresholds, i) {
  return [i > 0 ? thresholds[i - 1] + 1 : 0, i + 1 < thresholds.length ? thresholds[i + 1] - 1 : GREYS - 1];
}

const swatch = (colour) => el("i", { class: "ct-x-swatch", style: `background:${colour}` });

/** The confusion counts, truth in rows, with the fractions at their margins. */
function readout(parent, phases) {
  const kappa = el("output", { class: "ct-x-kappa" });
  const level = el("span", { class: "ct-x-word" });
  const cells = phases.map((_, p) => phases.map((_, c) => el("td", { class: p === c && "ct-x-right" })));
  const [segmented, truth] = [0, 1].map(() => phases.map(() => el("td")));
  const head = (phase, scope) => el("th", { scope }, swatch(phase.colour), el("abbr", { text: phase.short, title: phase.name }));
  const row = (label, tds) => el("tr", {}, el("th", { scope: "row", text: label }), ...tds);
  parent.append(
    el("p", { class: "ct-x-headline" }, el("span", { class: "ct-x-symbol", text: "κ", title: "Cohen's kappa" }), kappa, level),
    el("table", { "aria-label": "Voxels of each true phase in each segmented class, whole volume" },
      el("thead", {}, el("tr", {}, el("td", { text: "truth ↓  found →" }), ...phases.map((phase) => head(phase, "col")))),
      el("tbody", {}, ...phases.map((phase, p) => el("tr", {}, head(phase, "row"), ...cells[p]))),
      el("tfoot", {}, row("found", segmented), row("truth", truth))));
  return ({ rows, columns, n, kappa: value }, table, text) => {
    kappa.textContent = fixed(value, 4);
    level.textContent = text;
    const share = (m) => `${fixed((100 * m) / n, 2)} %`;
    table.forEach((counts, p) => counts.forEach((m, c) => { cells[p][c].textContent = count(m); }));
    rows.forEach((m, p) => { truth[p].textContent = share(m); });
    columns.forEach((m, c) => { segmented[c].textContent = share(m); });
  };
}

async function render({ model, el: host }) {
  const [grey, truth] = await Promise.all([unpack(model.get("image")), unpack(model.get("truth"))]);
  const [depth, rows, columns] = model.get("shape");
  const phases = model.get("phases");
  const joint = model.get("joint");
  const cumulated = cumulate(joint);
  const names = model.get("colours");
  const palette = { classes: phases.map((p) => rgb(p.colour)), leftOut: rgb(names.left_out), hit: rgb(names.hit),
    tooDark: rgb(names.too_dark), tooBright: rgb(names.too_bright) };
  const parts = frame(host, { title: "Threshold explorer", caption: model.get("caption") });
  const state = { joint, phases, marks: model.get("marks"), held: 0, colours: {} };
  state.top = 10 + ROW * Object.keys(state.marks).length;
  const set = (key, value) => { model.set(key, value); model.save_changes(); };

  const setView = choice(parts.views, { label: "What is painted on the slice",
    options: { segmentation: "Segmentation", agreement: "Agreement" }, input: (view) => set("view", view) });
  const canvas = picture(parts.stage, { columns, rows, voxel: model.get("voxel_um").slice(1) });
  const positions = model.get("positions_um");
  const numbers = model.get("slices");
  const setSlice = depth > 1 ? slider(parts.controls, { label: "Slice", min: 0, max: depth - 1, step: 1,
    text: (i) => `${numbers[i] + 1} · z ${fixed(positions[i], 2)} µm`, input: (i) => set("slice", i) }) : () => {};
  const setOpacity = slider(parts.controls, { label: "Colour", min: 0, max: 100, step: 5,
    text: (v) => `${v} %`, input: (v) => set("opacity", v / 100) });
  if (model.get("note")) parts.controls.append(el("p", { class: "ct-x-note", text: model.get("note") }));

  const plot = plotCanvas(parts.plot, "Histogram of the grey values, by true phase, with κ at every threshold",
    (context, width, height) => {
      const base = height - AXIS;
      drawBars(context, state, width, base);
      drawCurve(context, state, width, base);
      drawMarks(context, state, width, base);
      drawRamp(context, state, width, base);
    });
  const between = phases.slice(1).map((upper, i) => `Threshold between ${phases[i].name} and ${upper.name}`);
  const setHandles = handles(parts.plot, { labels: between, at, value: (f) => Math.round(f * GREYS) - 1,
    range: (i) => bounds(state.thresholds, i),
    move: (i, value) => { state.held = i; if (value !== state.thresholds[i]) set("thresholds", state.thresholds.with(i, value)); else update(); } });
  const axis = el("div", { class: "ct-x-axis", "aria-hidden": "true" }, el("span", { text: "0" }), el("span", { text: "grey value" }), el("span", { text: "255" }));
  const values = el("output", { class: "ct-x-values" });
  const bar = el("div", { class: "ct-x-bar" }, values, el("span", { class: "ct-x-key" }, el("b"), "κ, 0 to 1"));
  parts.plot.before(bar);
  parts.plot.after(axis);
  const setReadout = readout(parts.readout, phases);
  const log = el("input", { type: "checkbox", "data-lm-suppress-shortcuts": "true" });
  log.addEventListener("change", () => set("log", log.checked));
  parts.foot.prepend(el("label", { class: "ct-x-check" }, log, "log counts"));
  parts.reset.addEventListener("click", () => {
    for (const [key, value] of Object.entries(model.get("start"))) model.set(key, value);
    model.save_changes();
  });

  function paintSlice() {
    const table = colourTable(state, palette);
    const start = state.slice * rows * columns;
    for (let i = 0; i < canvas.pixels.length; i += 1) canvas.pixels[i] = table[truth[start + i] * GREYS + grey[start + i]];
    canvas.show();
    const kind = state.view === "agreement" ? "agreement of the segmentation with the truth" : "segmentation";
    canvas.canvas.setAttribute("aria-label", `Slice ${numbers[state.slice] + 1} with the ${kind} painted over it`);
  }

  function paintLegend() {
    const two = phases.length === 2;
    const entries = state.view === "segmentation" ? phases.map((p) => [p.colour, p.name])
      : [[names.hit, two ? "hit" : "as in truth"], [names.too_dark, two ? "miss" : "called too dark"], [names.too_bright, two ? "false alarm" : "called too bright"]];
    if (model.get("has_left_out")) entries.push([names.left_out, "left out"]);
    parts.legend.replaceChildren(...entries.map(([colour, name]) => el("span", {}, swatch(colour), name)));
  }

  function update() {
    for (const key of ["thresholds", "slice", "view", "opacity", "log"]) state[key] = model.get(key);
    state.held = Math.min(state.held, state.thresholds.length - 1);
    const table = confusion(cumulated, state.thresholds);
    const result = agreement(table);
    state.curve = curveOf(cumulated, state.thresholds, state.held);
    const text = word(model.get("words"), result.kappa);
    paintSlice();
    paintLegend();
    plot.paint();
    setHandles(state.thresholds, (t) => `grey value ${t}, kappa ${fixed(result.kappa, 4)}, ${text}`);
    setReadout(result, table, text);
    setView(state.view);
    setSlice(state.slice);
    setOpacity(Math.round(100 * state.opacity));
    log.checked = state.log;
    values.replaceChildren(state.thresholds.length > 1 ? "Thresholds " : "Threshold ", el("b", { text: state.thresholds.join(" and ") }));
    parts.say(`${values.textContent}: kappa ${fixed(result.kappa, 4)}, ${text}.`);
  }

  const stopTheme = followTheme(parts.root, () => {
    const style = getComputedStyle(parts.root);
    for (const name of ["ink", "muted", "paper", "accent"]) state.colours[name] = style.getPropertyValue(`--ct-${name}`).trim();
    if (state.curve) plot.paint();
  });
  update();
  model.on("change", update);
  return () => { model.off("change", update); stopTheme(); plot.stop(); };
}

export default { render };
