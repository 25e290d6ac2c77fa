// What explorers share that hold a segmentation against the truth: slice, colours, κ, confusion counts, fractions.
import { choice, count, el, fixed, followTheme, frame, picture, rgb, slider } from "./explorer.js";

/** Sums and Cohen's κ of a confusion table, in the same steps as corrtomo.measure. */
export function agreement(table) {
  const rows = table.map((row) => row.reduce((a, b) => a + b));
  const columns = table[0].map((_, c) => table.reduce((sum, row) => sum + row[c], 0));
  const n = rows.reduce((a, b) => a + b);
  const apart = (n - table.reduce((sum, row, i) => sum + row[i], 0)) / n;
  const byChance = rows.reduce((sum, row, i) => sum + row * (n - columns[i]), 0) / (n * n);
  return { rows, columns, n, kappa: 1 - apart / byChance };
}

/** The word that goes with κ; the bounds come from Python. */
export const word = (words, kappa) => words.find(([bound]) => bound === null || kappa <= bound)[1];

/** Mix a colour over a grey value, as packed RGBA; no colour leaves the grey value as it is. */
export function mixed(grey, over, opacity) {
  const mix = (i) => (over ? Math.round(grey + opacity * (over[i] - grey)) : grey);
  return (255 << 24) | (mix(2) << 16) | (mix(1) << 8) | mix(0);
}

/** Colours by what they say, as [r, g, b]. */
export function paletteOf(model) {
  const names = model.get("colours");
  return { classes: model.get("phases").map((p) => rgb(p.colour)), leftOut: rgb(names.left_out), hit: rgb(names.hit),
    tooDark: rgb(names.too_dark), tooBright: rgb(names.too_bright) };
}

/** What is painted over a voxel of true phase p that is found to be c: null where a mask is rightly empty. */
export function agreementColour(palette, p, c) {
  const many = palette.classes.length;
  if (p === many) return palette.leftOut;
  if (p === c) return c === 0 && many === 2 ? null : palette.hit;
  return c < p ? palette.tooDark : palette.tooBright;
}

export const swatch = (colour) => el("i", { class: "ct-x-swatch", style: `background:${colour}` });

/** What the colours of a view mean, as [colour, name]; a step of a method may show some phases only, or none. */
function meanings(model, view, only) {
  const [phases, names] = [model.get("phases"), model.get("colours")];
  const two = phases.length === 2;
  if (only[view]) return only[view].map((i) => [phases[i].colour, phases[i].name]);
  const entries = view !== "agreement" ? phases.map((p) => [p.colour, p.name])
    : [[names.hit, two ? "hit" : "as in truth"], [names.too_dark, two ? "miss" : "called too dark"], [names.too_bright, two ? "false alarm" : "called too bright"]];
  return model.get("has_left_out") ? [...entries, [names.left_out, "left out"]] : entries;
}

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

/**
 * Build what these explorers have at the same places: view, slice, its sliders, read-outs and reset.
 * `show(table)` sets all of it to the model's state and returns the sums, κ and its word.
 */
export function comparison(model, host, { title, views, only = {} }) {
  const [depth, rows, columns] = model.get("shape");
  const [numbers, positions] = [model.get("slices"), model.get("positions_um")];
  const parts = frame(host, { title, caption: model.get("caption") });
  const set = (key, value) => { model.set(key, value); model.save_changes(); };
  const setView = choice(parts.views, { label: "What is painted on the slice", options: views, input: (view) => set("view", view) });
  const canvas = picture(parts.stage, { columns, rows, voxel: model.get("voxel_um").slice(1) });
  const setSlice = depth > 1 ? slider(parts.controls, { label: "Slice", min: 0, max: depth - 1, step: 1,
    text: (i) => `${numbers[i] + 1} · z ${fixed(positions[i], 2)} µm`, input: (i) => set("slice", i) }) : () => {};
  const setOpacity = slider(parts.controls, { label: "Colour", min: 0, max: 100, step: 5,
    text: (v) => `${v} %`, input: (v) => set("opacity", v / 100) });
  if (model.get("note")) parts.controls.append(el("p", { class: "ct-x-note", text: model.get("note") }));
  const setReadout = readout(parts.readout, model.get("phases"));
  parts.reset.addEventListener("click", () => {
    for (const [key, value] of Object.entries(model.get("start"))) model.set(key, value);
    model.save_changes();
  });
  const show = (table) => {
    const result = agreement(table);
    const text = word(model.get("words"), result.kappa);
    setReadout(result, table, text);
    setView(model.get("view"));
    setSlice(model.get("slice"));
    setOpacity(Math.round(100 * model.get("opacity")));
    parts.legend.replaceChildren(...meanings(model, model.get("view"), only).map(([colour, name]) => el("span", {}, swatch(colour), name)));
    return { ...result, text };
  };
  return { parts, set, canvas, show };
}

/** Keep the colours of the page's mode for what is drawn on a canvas, and draw it anew when they change. */
export function followColours(root, colours, paint) {
  return followTheme(root, () => {
    const style = getComputedStyle(root);
    for (const name of ["ink", "muted", "paper", "card", "line", "accent"]) colours[name] = style.getPropertyValue(`--ct-${name}`).trim();
    paint();
  });
}
