// The overlay explorer: images, maps and classes of one section over each other, and the section moved through a volume.
import { choice, el, fixed, frame, handles, picture, plotCanvas, slider, unpack } from "../explorer.js";
import { followColours, swatch } from "../comparison.js";
import { bestOf, blockGreys, coarserPlane, cutPlane, mutualInformation } from "./section.js";
import { curveIndex, curvePlace, drawCurve, spanOf } from "./curve.js";
import { joinSides, paintSide } from "./paint.js";
import { layerSliders, layerTable, pointer, savePng, sideChoices } from "./tools.js";

const STEPS = 40; // of a slider of the pose, to either side of where the section was found
const SLICE = 7; // ms of a frame in which a curve is computed
const PARTS = { depth_um: ["Depth", "µm", 2], tilt_y_deg: ["Tilt y", "°", 2], tilt_x_deg: ["Tilt x", "°", 2],
  turn_deg: ["Turn", "°", 2], shift_y_um: ["Shift y", "µm", 2], shift_x_um: ["Shift x", "µm", 2] };
const PAINTED = ["mode", "sides", "layers", "pose", "divider", "squares"]; // with the last two, sides are only joined anew

const sayPart = (name, value) => `${fixed(value, PARTS[name][2]).replace("-", "−")} ${PARTS[name][1]}`;
const sayFit = (fit) => (Number.isFinite(fit) ? fixed(fit, 4) : "–");

/** All layers, with their values on the grid: bytes of grey values, counts, codes. */
async function load(model) {
  const [rows, columns] = model.get("shape");
  const size = rows * columns;
  const names = ["greys", "known", "counts", "classes", "stack"];
  const packed = await Promise.all(names.map((name) => (model.get(name).byteLength ? unpack(model.get(name)) : new Uint8Array())));
  const [greys, known, counts, classes, stack] = packed;
  const many = counts.length / size / 2;
  const plane = (bytes, i) => bytes.subarray(i * size, (i + 1) * size);
  let [image, map] = [0, 0];
  const layers = model.get("about").map((about) => {
    if (about.kind === "counts") {
      const [low, high] = [plane(counts, map), plane(counts, many + map)];
      map += 1;
      return { about, values: Uint16Array.from(low, (v, i) => v + 256 * high[i]) };
    }
    if (about.kind === "classes") {
      const codes = new Set(about.table.map(([code]) => code));
      return { about, values: classes, known: classes.map((code) => Number(codes.has(code))) };
    }
    if (about.cut) return { about, values: new Uint8Array(size), known: new Uint8Array(size) };
    image += 1;
    return { about, values: plane(greys, image - 1), known: plane(known, image - 1) };
  });
  return { rows, columns, layers, stack };
}

/** What is read of a layer at a pixel. */
function readLayer({ about, values, known }, i) {
  if (about.kind === "counts") return String(values[i]);
  if (!known[i]) return "–";
  if (about.kind === "classes") return about.table.find(([code]) => code === values[i])[1];
  const grey = about.low + (values[i] * (about.high - about.low)) / 255;
  return about.low === 0 && about.high === 255 ? String(values[i]) : `${Number(grey.toPrecision(3))} ${about.unit}`.trim();
}

/** Whether the layer that is cut from the volume is seen on a side. */
const showsCut = ({ shown }, side) => side === shown.name || (side === "blend" && shown.on && shown.opacity > 0);

/** The section in the volume: the layer that it cuts, how well it fits, and the fits along one part of its pose. */
function holder(model, { rows, columns, layers, stack }) {
  const section = model.get("section");
  const plane = { origin: model.get("origin_um"), step: model.get("voxel_um"), rows, columns, centre: section.centre_um, scale: section.scale };
  const coarse = coarserPlane(plane, section.block);
  const source = { values: stack, shape: section.shape, origin: section.origin_um, step: section.voxel_um };
  const still = blockGreys(layers.find(({ about }) => about.kind === "grey" && !about.cut), columns, section.block);
  const scratch = { values: new Uint8Array(still.values.length), known: new Uint8Array(still.values.length) };
  return { cut: (pose) => cutPlane(source, plane, pose, layers[0]), fit: (pose) => mutualInformation(still, cutPlane(source, coarse, pose, scratch)) };
}

/** The sliders of the pose, the curve of mutual information along one of them, and its buttons. */
function poseTools(model, parts, held, { set, colours }) {
  const [found, { reach }] = [model.get("found"), model.get("section")];
  const many = 2 * STEPS + 1;
  const valueAt = (name, i) => found[name] + (reach[name] * (i - STEPS)) / STEPS;
  const indexOf = (name, value) => STEPS + (STEPS * (value - found[name])) / reach[name];
  const curve = { fits: new Array(many).fill(NaN), at: STEPS, now: NaN, foundAt: STEPS, colours };
  const state = { key: "", timer: 0, scanned: "", pose: null, words: "" };
  const hold = (name, value) => {
    model.set("scanned", name);
    set("pose", { ...model.get("pose"), [name]: value });
  };
  const group = el("div", { class: "ct-x-pose", role: "group", "aria-label": "Where the section is held in the volume" });
  parts.controls.append(group);
  const sliders = Object.entries(PARTS).map(([name, [label]]) => [name, slider(group, { label, min: 0, max: many - 1, step: 1,
    text: (i) => sayPart(name, valueAt(name, i)), input: (i) => hold(name, valueAt(name, i)) })]);
  const value = el("output", { class: "ct-x-kappa" });
  const best = el("output", { class: "ct-x-word" });
  parts.plot.before(el("p", { class: "ct-x-headline" }, el("span", { class: "ct-x-symbol", text: "I", title: "Mutual information of section and volume, nat" }), value, best));
  const ends = ["", "", ""].map(() => el("span"));
  parts.plot.after(el("div", { class: "ct-x-axis", "aria-hidden": "true" }, ...ends));
  const plot = plotCanvas(parts.plot, "Mutual information along the slider that was moved last", (context, width, height) => drawCurve(context, curve, width, height));
  const setHandle = handles(parts.plot, { labels: ["Section along this slider"], at: (i) => curvePlace(i, many), value: (share) => curveIndex(share, many),
    range: () => [0, many - 1], move: (_, i) => hold(state.scanned, valueAt(state.scanned, Math.round(i))) });
  const buttons = el("div", { class: "ct-x-jumps" });
  parts.controls.append(buttons);
  const button = (text, act) => {
    const node = el("button", { type: "button", class: "ct-x-reset", text });
    node.addEventListener("click", act);
    buttons.append(node);
    return node;
  };
  button("Found pose", () => set("pose", { ...found }));
  const jump = button("Best on the curve", () => { const i = bestOf(curve.fits); if (i >= 0) hold(state.scanned, valueAt(state.scanned, i)); });

  const sayBest = (done) => {
    const i = bestOf(curve.fits);
    const [low, high] = spanOf([...curve.fits, curve.now]);
    ends[1].textContent = `${PARTS[state.scanned][0].toLowerCase()} (${PARTS[state.scanned][1]})${done ? `, I from ${fixed(low, 3)} to ${fixed(high, 3)}` : ""}`;
    best.textContent = done && i >= 0 ? `nat, best at ${sayPart(state.scanned, valueAt(state.scanned, i))}` : "nat";
    jump.disabled = !done || i < 0;
  };
  /** Compute the curve, from the present place outwards, while nothing else waits. */
  function scan() {
    clearTimeout(state.timer);
    const from = Math.round(curve.at);
    const order = Array.from({ length: many }, (_, i) => i).sort((a, b) => Math.abs(a - from) - Math.abs(b - from));
    curve.fits = new Array(many).fill(NaN);
    sayBest(false);
    const work = () => {
      const end = performance.now() + SLICE;
      while (order.length && performance.now() < end) {
        const i = order.shift();
        curve.fits[i] = held.fit({ ...state.pose, [state.scanned]: valueAt(state.scanned, i) });
      }
      plot.paint();
      if (order.length) state.timer = setTimeout(work, 0);
      else sayBest(true);
    };
    state.timer = setTimeout(work, 60);
  }
  return { plot, stop: () => { clearTimeout(state.timer); plot.stop(); },
    show: () => {
      if (state.pose === model.get("pose") && state.scanned === model.get("scanned")) return state.words;
      [state.pose, state.scanned] = [model.get("pose"), model.get("scanned")];
      const name = state.scanned;
      curve.now = held.fit(state.pose);
      curve.at = indexOf(name, state.pose[name]);
      curve.foundAt = STEPS;
      sliders.forEach(([part, show]) => show(indexOf(part, state.pose[part])));
      [0, many - 1].forEach((i) => { ends[i && 2].textContent = fixed(valueAt(name, i), 2).replace("-", "−"); });
      const key = JSON.stringify({ ...state.pose, [name]: name }); // the curve is of all other parts
      if (key !== state.key) { state.key = key; scan(); }
      value.textContent = sayFit(curve.now);
      state.words = `${PARTS[name][0]} ${sayPart(name, state.pose[name])}, mutual information ${sayFit(curve.now)} nat`;
      setHandle([curve.at], () => state.words);
      plot.paint();
      return state.words;
    } };
}

async function render({ model, el: host }) {
  const data = await load(model);
  const { rows, columns, layers } = data;
  const [[high, wide], [top, left], about] = [model.get("voxel_um"), model.get("origin_um"), model.get("about")];
  const set = (key, value) => { model.set(key, value); model.save_changes(); };
  const state = { chosen: about.length - 1, painted: [], cursor: null, kept: null, legend: null, colours: {} };
  const parts = frame(host, { title: "Overlay explorer", caption: model.get("caption") });
  parts.root.classList.add("ct-x-overlay");
  const setMode = choice(parts.views, { label: "How layers are compared", options: { blend: "Blend", swipe: "Swipe", checkerboard: "Checkerboard" }, input: (mode) => set("mode", mode) });
  const canvas = picture(parts.stage, { columns, rows, voxel: [high, wide] });
  const setSides = sideChoices(parts.controls, model.get("choices"), { squares: (n) => set("squares", n),
    set: (i, name) => set("sides", model.get("sides").map((side, k) => (k === i ? name : side))), squareText: (n) => `${fixed((columns * wide) / n, 2)} µm` });
  const change = (i, changes) => set("layers", model.get("layers").map((layer, k) => (k === i ? { ...layer, ...changes } : layer)));
  const held = data.stack.length ? holder(model, data) : null;
  const poseShown = held ? poseTools(model, parts, held, { set, colours: state.colours }) : null;
  if (!held) parts.plot.remove();
  const palettes = model.get("palettes");
  const maps = about.flatMap(({ kind }, i) => (kind === "counts" ? [i] : []));
  const setPalette = maps.length ? choice(parts.readout, { label: "Colours of the maps", options: { paper: "As in the paper", safe: "Colour-blind safe" },
    input: (key) => set("layers", model.get("layers").map((layer, i) => (maps.includes(i) ? { ...layer, colour: palettes[key][maps.indexOf(i)] } : layer))) }) : () => {};
  const [spot, index] = [el("b"), el("span")];
  parts.readout.append(el("p", { class: "ct-x-place" }, spot, index));
  const table = layerTable(parts.readout, about, { change, choose: (i) => { state.chosen = i; update(); } });
  const setLayer = layerSliders(parts.readout, (changes) => change(state.chosen, changes));
  if (model.get("note")) parts.readout.append(el("p", { class: "ct-x-note", text: model.get("note") }));
  const button = el("button", { type: "button", class: "ct-x-reset", text: "PNG", "aria-label": "Save the picture as PNG" });
  button.addEventListener("click", () => savePng(canvas.canvas, [high, wide], legendOf(), "overlay.png"));
  parts.reset.before(button);
  parts.reset.addEventListener("click", () => {
    for (const [key, value] of Object.entries(model.get("start"))) model.set(key, value);
    model.save_changes();
  });

  /** Colour and words of each map that is shown, and of each class; which image stands where. */
  function legendOf() {
    const [now, mode, sides] = ["layers", "mode", "sides"].map((key) => model.get(key));
    const shown = mode === "blend" ? ["blend"] : sides;
    const words = mode === "swipe" ? [`left ${sides[0]}`, `right ${sides[1]}`] : sides;
    if (!shown.some((side) => side === "maps" || side === "blend")) return words.map((text) => [null, text]);
    return about.flatMap((layer, i) => {
      if (!now[i].on || layer.kind === "grey" || (layer.kind === "classes" && !shown.includes("blend"))) return [];
      if (layer.kind === "classes") return layer.table.map(([, name, colour]) => [colour, name]);
      return [[now[i].colour, `${layer.label} 0–${Number((layer.full / now[i].gain).toPrecision(2))}`]];
    });
  }

  /** Read out what lies under the cursor. */
  function read(at) {
    state.cursor = at;
    const [r, c] = at;
    const texts = layers.map((layer) => readLayer(layer, r * columns + c));
    const where = `y ${fixed(top + r * high, 2)}, x ${fixed(left + c * wide, 2)} µm`.replaceAll("-", "−");
    spot.textContent = where;
    index.textContent = ` · row ${r + 1}, column ${c + 1}`;
    table.read(texts);
    setPointer(at, model.get("mode"), model.get("divider"));
    return `${where}: ${about.map(({ label }, i) => `${label} ${texts[i]}`).join(", ")}`;
  }
  const setPointer = pointer(parts.stage, { rows, columns, hover: read, divide: (share) => set("divider", share),
    press: (at) => { set("cursor", at); parts.say(read(at)); } });

  const both = [0, 1].map(() => new Uint32Array(rows * columns));
  function paint() {
    const now = PAINTED.map((name) => model.get(name));
    const same = now.map((value, i) => value === state.painted[i]);
    if (same.every(Boolean)) return;
    const view = Object.fromEntries(PAINTED.map((name, i) => [name, now[i]]));
    if (held && !same[PAINTED.indexOf("pose")]) held.cut(view.pose);
    state.painted = now;
    const shown = layers.map((layer, i) => ({ ...layer, shown: view.layers[i] }));
    const posed = same.every((value, i) => value || PAINTED[i] === "pose"); // only what is cut looks different
    const stale = (side) => !same.slice(0, 4).every(Boolean) && (!posed || showsCut(shown[0], side));
    if (view.mode === "blend") { if (stale("blend")) paintSide(canvas.pixels, shown, "blend"); } else {
      view.sides.forEach((side, i) => { if (stale(side)) paintSide(both[i], shown, side); });
      joinSides(canvas.pixels, columns, both, view);
    }
    canvas.show();
    const [one, other] = view.sides;
    const words = { blend: "All layers over each other", swipe: `${one} left of the divider, ${other} right of it`, checkerboard: `${one} and ${other} in squares in turn` };
    canvas.canvas.setAttribute("aria-label", words[view.mode]);
  }

  function update() {
    paint();
    const [mode, now] = [model.get("mode"), model.get("layers")];
    const cursor = model.get("cursor");
    const moved = cursor !== state.kept;
    state.kept = cursor;
    read(moved ? cursor : state.cursor);
    setMode(mode);
    setSides({ mode, sides: model.get("sides"), squares: model.get("squares") });
    setPalette(Object.keys(palettes).find((key) => maps.every((i, k) => now[i].colour === palettes[key][k])));
    table.show(now, state.chosen);
    setLayer(now[state.chosen], about[state.chosen]);
    const legend = legendOf();
    if (String(legend) !== state.legend) { // what has not changed is not laid out anew
      state.legend = String(legend);
      parts.legend.replaceChildren(...legend.map(([colour, text]) => el("span", {}, ...(colour ? [swatch(colour)] : []), text)));
    }
    const words = poseShown?.show();
    if (words && !moved) parts.say(words);
  }

  const stopTheme = followColours(parts.root, state.colours, () => { if (state.painted.length) poseShown?.plot.paint(); });
  update();
  model.on("change", update);
  return () => { model.off("change", update); stopTheme(); poseShown?.stop(); };
}

export default { render };
