// The contact explorer: scroll through depth, and see on each plane where binder touches active material and where it has let go.
import { clamp, el, fixed, frame, handles, picture, plotCanvas, slider, unpack } from "../explorer.js";
import { followColours, swatch } from "../comparison.js";
import { countFaces, shareOf, sumFaces } from "./count.js";
import { packed, paintPlane } from "./paint.js";
import { drawProfiles, placeOf, planeAt } from "./profile.js";

const FINE = 900; // pixels across a plane, about: room for a border that is thinner than a voxel
const THICK = 2; // px of the screen that a border is thick
const CHECKS = { borders: "Borders", fills: "Phases", neighbours: "What else it touches" };

const HEADS = { "this plane": "the plane that is shown", whole: "the whole volume", change: "of the whole volume, against the first one" };

const say = (share) => (Number.isNaN(share) ? "–" : fixed(share, 4));
const change = (share, first) => (share / first - 1) * 100;
const sayChange = (percent) => (Number.isFinite(percent) ? `${percent > 0 ? "+" : ""}${fixed(percent, 1)} %`.replace("-", "−") : "–");
const line = (colour) => el("i", { class: "ct-x-line", style: `border-color:${colour}` });

/** Cut the labels into planes, and count all faces of each of them once. */
function measured(labels, [many, depth, rows, columns], of) {
  const size = rows * columns;
  return Array.from({ length: many }, (_, v) => {
    const planes = Array.from({ length: depth }, (_plane, i) => labels.subarray((v * depth + i) * size, (v * depth + i + 1) * size));
    const faces = planes.map((plane) => countFaces(plane, columns, of));
    return { planes, faces, whole: sumFaces(faces) };
  });
}

/** One panel a volume: its name in its colour, PBA of the plane, and the plane itself. */
function panelsOf(model, stage) {
  const [many, , rows, columns] = model.get("shape");
  const fine = clamp(Math.round(FINE / Math.max(rows, columns)), 1, 24);
  const voxel = model.get("voxel_um").slice(1).map((size) => size / fine);
  const panels = el("div", { class: "ct-x-panels", style: `--many:${many};--across:${many === 4 ? 2 : many}` });
  stage.replaceWith(panels);
  return model.get("names").map((name, v) => {
    const value = el("output");
    const own = el("div", { class: "ct-x-stage" });
    panels.append(el("div", { class: "ct-x-volume" }, el("p", { class: "ct-x-name" }, line(model.get("series")[v]), el("span", { text: name }), value), own));
    return { name, value, fine, ...picture(own, { columns: columns * fine, rows: rows * fine, voxel }) };
  });
}

/** A row a volume: PBA of the plane, of the whole volume, and against the first; below it, what the rest of the border touches. */
function shares(parent, model, others) {
  const names = model.get("names");
  const row = (head, many, kind) => {
    const cells = Array.from({ length: many }, () => el("td"));
    return { cells, node: el("tr", { class: kind }, el("th", { scope: "row" }, ...head), ...cells) };
  };
  const rows = names.map((name, v) => ({ ...row([line(model.get("series")[v]), name], 3), others: others.map((phase) => row([`touches ${phase.name}`], 3, "ct-x-else")) }));
  const heads = Object.keys(HEADS).slice(0, names.length > 1 ? 3 : 2);
  if (heads.length < 3) rows.forEach((r) => [r, ...r.others].forEach(({ node }) => node.lastChild.remove()));
  parent.append(el("table", { "aria-label": "Probability of binder adjacency (PBA) of each volume" },
    el("thead", {}, el("tr", {}, el("td", { text: "PBA" }), ...heads.map((text) => el("th", { scope: "col" }, el("abbr", { text, title: HEADS[text] }))))),
    el("tbody", {}, ...rows.flatMap((r) => [r.node, ...r.others.map(({ node }) => node)]))));
  return rows;
}

function legendOf(model, { fills, borders }) {
  const touching = model.get("phases").find((p) => p.code === model.get("touching"));
  const phases = fills ? model.get("phases").map((p) => el("span", {}, swatch(p.colour), p.name)) : [];
  const edges = [[model.get("colours").contact, `contact with ${touching.name}`], [model.get("colours").lost, "lost contact"]];
  return [...phases, ...(borders ? edges.map(([colour, text]) => el("span", {}, line(colour), text)) : [])];
}

function checkboxes(foot, set) {
  const boxes = Object.entries(CHECKS).map(([key, text]) => {
    const box = el("input", { type: "checkbox", "data-lm-suppress-shortcuts": "true" });
    box.addEventListener("change", () => set(key, box.checked));
    return { key, box, label: el("label", { class: "ct-x-check" }, box, text) };
  });
  foot.prepend(el("div", { class: "ct-x-checks" }, ...boxes.map(({ label }) => label)));
  return (state) => boxes.forEach(({ key, box }) => { box.checked = state[key]; });
}

async function render({ model, el: host }) {
  const labels = await unpack(model.get("labels"));
  const [shape, names, positions] = [model.get("shape"), model.get("names"), model.get("positions_um")];
  const [of, touching, areas] = [model.get("of"), model.get("touching"), model.get("areas_um2")];
  const [, depth, rows, columns] = shape;
  const volumes = measured(labels, shape, of);
  const parts = frame(host, { title: "Contact explorer", caption: model.get("caption") });
  const set = (key, value) => { model.set(key, value); model.save_changes(); };
  const panels = panelsOf(model, parts.stage);
  parts.root.classList.add("ct-x-wide", "ct-x-flat", "ct-x-contact"); // the panels have the whole width, whatever their shape
  parts.views.remove();
  const where = (i) => `${model.get("axes")[0]} ${fixed(positions[i], 2)} µm`;

  const others = model.get("phases").filter(({ code }) => code !== of && code !== touching && volumes.some(({ whole }) => whole.down[code] + whole.across[code] > 0));
  const table = shares(parts.readout, model, others);
  const profiles = volumes.map(({ faces }) => faces.map((plane) => shareOf(plane, touching, areas)));
  const means = volumes.map(({ whole }) => shareOf(whole, touching, areas));
  table.forEach((row, v) => {
    row.cells[1].textContent = say(means[v]);
    row.cells[2].textContent = v ? sayChange(change(means[v], means[0])) : "–";
    row.others.forEach(({ cells }, i) => { cells[1].textContent = say(shareOf(volumes[v].whole, others[i].code, areas)); });
  });

  const value = el("output", { class: "ct-x-values" });
  parts.plot.before(el("div", { class: "ct-x-bar" }, value, el("span", { class: "ct-x-key" }, el("b", { class: "ct-x-dashed" }), "whole volume")));
  parts.plot.after(el("div", { class: "ct-x-axis", "aria-hidden": "true" }, el("span", { text: fixed(positions[0], 2) }),
    el("span", { text: `depth ${model.get("axes")[0]} (µm)` }), el("span", { text: fixed(positions[depth - 1], 2) })));
  const state = { plane: 0, colours: {} };
  const setSlider = slider(parts.controls, { label: "Depth", min: 0, max: depth - 1, step: 1, text: (i) => `${i + 1} of ${depth}`, input: (i) => set("plane", i) });
  const setChecks = checkboxes(parts.foot, set);
  const plot = plotCanvas(parts.plot, `PBA of each plane against depth: ${names.map((name, v) => `${name} ${say(means[v])} on the whole`).join(", ")}`,
    (context, width, height) => drawProfiles(context, { ...state, profiles, means, series: model.get("series") }, width, height));
  const setHandle = handles(parts.plot, { labels: ["Depth of the plane"], at: (i) => placeOf(i, depth), value: (share) => planeAt(share, depth),
    range: () => [0, depth - 1], move: (_, i) => { if (i !== state.plane) set("plane", i); } });
  parts.reset.addEventListener("click", () => {
    for (const [key, start] of Object.entries(model.get("start"))) model.set(key, start);
    model.save_changes();
  });

  function paint() {
    const own = new Map(model.get("phases").map(({ code, colour }) => [code, packed(colour)]));
    const colours = Uint32Array.from({ length: 256 }, (_, code) => (state.fills ? own.get(code) : packed(model.get("colours").plain)));
    const [contact, lost] = ["contact", "lost"].map((name) => packed(model.get("colours")[name]));
    panels.forEach((panel, v) => {
      const box = panel.canvas.getBoundingClientRect();
      const across = (pixels, shown) => Math.max(1, Math.round((THICK * pixels) / (shown || pixels)));
      const thick = state.borders && [across(rows * panel.fine, box.height), across(columns * panel.fine, box.width)];
      paintPlane(panel.pixels, volumes[v].planes[state.plane], { columns, fine: panel.fine, colours, of, touching, thick, contact, lost });
      panel.show();
      panel.value.textContent = `PBA ${say(profiles[v][state.plane])}`;
      panel.canvas.setAttribute("aria-label", `${panel.name}: the plane at ${where(state.plane)}, PBA ${say(profiles[v][state.plane])}`);
    });
  }

  function update() {
    for (const name of ["plane", ...Object.keys(CHECKS)]) state[name] = model.get(name);
    paint();
    table.forEach((row, v) => {
      row.cells[0].textContent = say(profiles[v][state.plane]);
      row.others.forEach(({ node, cells }, i) => {
        cells[0].textContent = say(shareOf(volumes[v].faces[state.plane], others[i].code, areas));
        node.hidden = !state.neighbours;
      });
    });
    parts.legend.replaceChildren(...legendOf(model, state));
    value.replaceChildren("PBA at ", el("b", { text: where(state.plane) }));
    const words = names.map((name, v) => `${name} ${say(profiles[v][state.plane])}`).join(", ");
    plot.paint();
    setSlider(state.plane);
    setChecks(state);
    setHandle([state.plane], (i) => `${where(i)}, PBA ${words}`);
    parts.say(`Depth ${where(state.plane)}: PBA ${words}.`);
  }

  const stopTheme = followColours(parts.root, state.colours, () => { if (state.borders !== undefined) plot.paint(); });
  update();
  const sizes = new ResizeObserver(() => paint()); // a border is as thick on a phone as on a screen
  sizes.observe(panels[0].canvas);
  model.on("change", update);
  return () => { model.off("change", update); stopTheme(); plot.stop(); sizes.disconnect(); };
}

export default { render };
