// The catalogue explorer: filter, sort and plot entries; the one under the hand shows its picture and all that is known of it.
import { el, frame, newId, plotCanvas, roundLength } from "../explorer.js";
import { followColours, swatch } from "../comparison.js";
import { chosenRows, sayValue } from "./rows.js";
import { drawScatter, nearestTo, placesOf, plotChoices } from "./plot.js";
import { entryTable } from "./table.js";

const LONGEST = 12; // entries of a chain: one that leads back to itself ends

/** The colour of each row by the value of one column: the most frequent ones have a colour of their own. */
function colouring(columns, rows, name, series, other) {
  const i = columns.findIndex((c) => c.name === name);
  if (i < 0) return { colourOf: () => series[0], entries: [] };
  const counts = new Map();
  for (const row of rows) counts.set(row[i], (counts.get(row[i]) ?? 0) + 1);
  const names = [...counts.keys()].filter((v) => v !== null).sort((a, b) => counts.get(b) - counts.get(a)); // of as many, the first one first
  const own = new Map(names.slice(0, series.length).map((value, k) => [value, series[k]]));
  const entries = [...own].map(([value, colour]) => [colour, value]);
  return { colourOf: (k) => own.get(rows[k][i]) ?? other, entries: own.size < counts.size ? [...entries, [other, "others"]] : entries };
}

/** The picture of an entry with its scale bar, or a word on why there is none. */
function pictureOf(stage) {
  const image = el("img", { alt: "" });
  const bar = el("div", { class: "ct-x-scale" }, el("span"));
  const whole = el("div", { class: "ct-x-whole" }, image, bar);
  const none = el("p", { class: "ct-x-none" });
  stage.append(whole, none);
  return (about, words) => {
    whole.hidden = !about.src;
    none.hidden = Boolean(about.src);
    none.textContent = about.problem || "no picture";
    if (!about.src) return;
    const length = roundLength(about.width_um / 3);
    if (image.src !== about.src) image.src = about.src;
    image.alt = words;
    whole.style.aspectRatio = `${about.width_um} / ${about.height_um}`;
    whole.style.width = `min(100%, calc(var(--high) * ${about.width_um / about.height_um}))`;
    bar.style.width = `${(100 * length) / about.width_um}%`;
    bar.firstChild.textContent = `${Number(length.toPrecision(3))} µm`;
  };
}

/** The entries that one leads to by alignment or derivation, step by step. */
function chainOf(k, key, about, at) {
  const found = [];
  for (let next = at.get(about[k][key]); next !== undefined && found.length < LONGEST && !found.includes(next) && next !== k; next = at.get(about[next][key])) found.push(next);
  return found;
}

/** All that is known of an entry. */
function detailsOf(model, choose) {
  const [columns, rows, about, ids] = ["columns", "rows", "about", "ids"].map((key) => model.get(key));
  const at = new Map(ids.map((id, k) => [id, k]));
  const nameOf = (k) => `${rows[k][0] ?? "–"} · ${about[k].title}`;
  const chain = (k, key, words) => {
    const steps = chainOf(k, key, about, at);
    if (!steps.length) return [];
    const buttons = steps.map((n) => { const b = el("button", { type: "button", class: "ct-x-step-to", text: nameOf(n) }); b.addEventListener("click", () => choose(n)); return b; });
    return [el("p", { class: "ct-x-chain" }, el("span", { text: words }), ...buttons.flatMap((b) => [" → ", b]))];
  };
  const history = (k) => (!about[k].history.length ? [] : [el("table", { class: "ct-x-history", "aria-label": "Measurements" },
    el("thead", {}, el("tr", {}, ...["measured", "value", "by", "how", "when"].map((text) => el("th", { scope: "col", text })))),
    el("tbody", {}, ...about[k].history.map(([name, value, ...rest]) => el("tr", {}, el("th", { scope: "row", text: name }), el("td", { text: sayValue(value) }), ...rest.map((text) => el("td", { text })))))) ]);
  return (k) => {
    const facts = columns.flatMap(({ label }, i) => (rows[k][i] === null ? [] : [el("dt", { text: label }), el("dd", { text: sayValue(rows[k][i]) })]));
    const link = about[k].link ? [el("p", {}, el("a", { href: about[k].link, text: "Open its OME-Zarr" }))] : [];
    const bad = about[k].problem ? [el("p", { class: "ct-x-problem", text: about[k].problem })] : [];
    return [...bad, ...link, ...chain(k, "aligned_onto", "aligned onto"), ...chain(k, "derived_from", "derived from"), ...history(k), el("dl", {}, ...facts), el("p", { class: "ct-x-note", text: `id ${ids[k]}` })];
  };
}

async function render({ model, el: host }) {
  const [columns, rows, about, ids] = ["columns", "rows", "about", "ids"].map((key) => model.get(key));
  const set = (key, value) => { model.set(key, value); model.save_changes(); };
  const parts = frame(host, { title: "Catalogue explorer", caption: model.get("caption") });
  parts.root.classList.add("ct-x-catalogue", "ct-x-flat");
  parts.views.remove();
  const state = { hovered: -1, colours: {}, kept: [], places: null };
  const showPicture = pictureOf(parts.stage);
  const setPicks = plotChoices(parts.controls, columns, set);
  const key = el("div", { class: "ct-x-legend" });
  const many = el("output", { class: "ct-x-values" });
  parts.plot.before(el("div", { class: "ct-x-bar" }, many));
  const title = el("h4", { class: "ct-x-heading", id: newId() });
  const details = el("div", { class: "ct-x-details", tabindex: 0, role: "region", "aria-labelledby": title.id });
  parts.readout.append(title, details);
  const choose = (k) => set("chosen", ids[k]);
  const fill = detailsOf(model, choose);
  const indexOf = (name) => columns.findIndex((c) => c.name === name);
  const plot = plotCanvas(parts.plot, "", (context, width, height) => {
    state.places = placesOf(rows, state.kept, [indexOf(model.get("x")), indexOf(model.get("y"))], width, height);
    drawScatter(context, width, height, { places: state.places, colourOf: state.colouring.colourOf, shown: shown(), colours: state.colours });
  });
  const axis = ["", ""].map(() => el("span"));
  parts.plot.after(el("div", { class: "ct-x-axis", "aria-hidden": "true" }, ...axis), key);
  const canvas = parts.plot.querySelector("canvas");
  canvas.tabIndex = 0;
  const shown = () => (state.hovered >= 0 ? state.hovered : ids.indexOf(model.get("chosen")));
  const hover = (k) => { if (k !== state.hovered) { state.hovered = k; preview(); } };
  const place = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
  canvas.addEventListener("pointermove", (event) => { if (event.pointerType === "mouse") hover(nearestTo(state.places.points, place(event))); });
  canvas.addEventListener("pointerleave", () => hover(-1));
  canvas.addEventListener("click", (event) => { const k = nearestTo(state.places.points, place(event)); if (k >= 0) choose(k); });
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    const order = [...state.places.points].sort((a, b) => a[1] - b[1] || b[2] - a[2]).map(([k]) => k);
    const next = order[Math.min(Math.max(order.indexOf(ids.indexOf(model.get("chosen"))) + step, 0), order.length - 1)];
    if (next !== undefined) choose(next);
  });
  const below = el("div", { class: "ct-x-below" });
  parts.root.querySelector(".ct-x-columns").after(below);
  const table = entryTable(below, columns, rows, { choose, hover,
    sort: (name) => { const [by, down] = model.get("sort"); set("sort", by !== name ? [name, false] : down ? ["", false] : [name, true]); table.top(); },
    filter: (name, part, value) => {
      const { [name]: own, ...others } = model.get("filters");
      const now = Object.fromEntries(Object.entries({ ...own, [part]: value }).filter(([, v]) => v !== null));
      set("filters", Object.keys(now).length ? { ...others, [name]: now } : others);
      table.top();
    } });
  parts.reset.addEventListener("click", () => {
    table.clear();
    for (const [name, start] of Object.entries(model.get("start"))) model.set(name, start);
    model.save_changes();
    table.top();
  });

  /** Show the entry under the hand, or the chosen one. */
  function preview() {
    const k = shown();
    const name = k < 0 ? "no entry" : `${rows[k][0] ?? "–"} · ${about[k].title}`;
    title.textContent = name;
    showPicture(k < 0 ? {} : about[k], name);
    parts.legend.textContent = k < 0 ? "" : name;
    details.replaceChildren(...(k < 0 ? [] : fill(k)));
    details.scrollTop = 0;
    if (state.kept.length || state.places) plot.paint();
  }

  function update() {
    const now = Object.fromEntries(["filters", "sort", "x", "y", "colour", "chosen"].map((name) => [name, model.get(name)]));
    state.kept = chosenRows(columns, rows, now.filters, now.sort);
    state.colouring = colouring(columns, rows, now.colour, model.get("series"), model.get("other"));
    state.hovered = -1;
    many.replaceChildren(el("b", { text: String(state.kept.length) }), ` of ${rows.length} entries`);
    const label = (name) => columns.find((c) => c.name === name)?.label ?? "";
    axis[0].textContent = `↑ ${label(now.y)}`;
    axis[1].textContent = `${label(now.x)} →`;
    key.replaceChildren(...state.colouring.entries.map(([colour, text]) => el("span", {}, swatch(colour), text)));
    setPicks(now);
    table.show({ ...now, kept: state.kept, chosen: ids.indexOf(now.chosen) });
    preview();
    plot.paint();
    canvas.setAttribute("aria-label", `${label(now.y)} against ${label(now.x)} of ${state.kept.length} entries; left and right choose one`);
    parts.say(`${state.kept.length} of ${rows.length} entries; ${title.textContent}`);
  }

  const stopTheme = followColours(parts.root, state.colours, () => { if (state.places) plot.paint(); });
  update();
  model.on("change", update);
  return () => { model.off("change", update); stopTheme(); plot.stop(); table.stop(); };
}

export default { render };
