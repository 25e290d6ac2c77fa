// The scribble explorer: paint some pixels of each class; a classifier learns from them in the page, stroke by stroke.
import { choice, clamp, el, fixed, followTheme, frame, picture, rgb, slider, unpack } from "../explorer.js";
import { mixed, swatch } from "../comparison.js";
import { Discriminant } from "./discriminant.js";
import { gzip, readPng, writePng } from "./label_png.js";
import { BLANK, Painting, brush } from "./painting.js";
import { buttons, classChooser, forestControls, keys, resultTable } from "./tools.js";

const GREYS = 256;
const BRUSH = [1, 41];
const packed = ([r, g, b]) => (255 << 24) | (b << 16) | (g << 8) | r;
const same = (a, b) => a.length === b.length && a.every((value, i) => value === b[i]);

/** Filtered values, packed as what differs from the pixel before; sums of bytes are bytes. */
function running(bytes, planes) {
  const pixels = bytes.length / planes;
  for (let i = 0; i < bytes.length; i += 1) if (i % pixels) bytes[i] += bytes[i - 1];
  return bytes;
}

/** Colour of each class, or of each agreement, with each grey value. */
const mixTable = (colours, opacity) => colours.map((colour) => Uint32Array.from({ length: GREYS }, (_, g) => mixed(g, colour, opacity)));

/** What each pixel of the picture is painted with. */
function paintPixels(pixels, { grey, channel, found, truth, results, view, opacity, marks }, codes, columns, colours) {
  const many = pixels.length;
  const shift = channel * many;
  const plain = view === "image" || !found || (view === "wrong" && !truth);
  const table = mixTable(plain ? [null] : view === "wrong" ? colours.agreement : colours.classes, opacity);
  const inks = colours.classes.map(packed);
  const edges = colours.classes.map((c) => (c.reduce((a, b) => a + b) > 480 ? packed([31, 35, 40]) : packed([255, 255, 255])));
  const differs = (i, code) => (i % columns && codes[i - 1] !== code) || ((i + 1) % columns && codes[i + 1] !== code)
    || (i >= columns && codes[i - columns] !== code) || (i + columns < many && codes[i + columns] !== code);
  for (let i = 0; i < many; i += 1) {
    const code = codes[i];
    let what = 0;
    if (!plain) what = view === "wrong" ? (truth[i] === BLANK ? 2 : Number(truth[i] !== results[found[i]])) : found[i];
    if (!marks || code === BLANK) pixels[i] = table[what][grey[shift + i]];
    else pixels[i] = differs(i, code) ? edges[code] : inks[code];
  }
}

/** How many pixels were found of each result, and the confusion with the truth where nothing is painted. */
function compare({ found, truth, results }, codes, many) {
  const shares = new Array(many).fill(0);
  const table = truth ? Array.from({ length: many }, () => new Array(many).fill(0)) : null;
  for (let i = 0; i < found.length; i += 1) {
    const result = results[found[i]];
    shares[result] += 1;
    if (truth && truth[i] !== BLANK && codes[i] === BLANK) table[truth[i]][result] += 1;
  }
  return { shares, table };
}

/** What is still to be done, in words. */
function advice({ model, classes, counts, weights, notice }) {
  if (model.get("training")) return "Training the forest…";
  if (notice) return notice;
  if (model.get("trouble")) return model.get("trouble");
  const missing = classes.flatMap((c, i) => (counts[i] ? [] : [`${c.name} (${i + 1})`]));
  if (counts.filter(Boolean).length < 2) return "Choose a class and paint some of its pixels; then those of another.";
  if (!weights) return "Paint a little more: too few pixels, or all alike.";
  return missing.length ? `Not painted yet: ${missing.join(", ")}.` : "";
}

async function load(model) {
  const [channels, rows, columns] = model.get("shape");
  const [grey, features, truth, painted] = await Promise.all([unpack(model.get("image")), unpack(model.get("features")),
    model.get("truth").byteLength ? unpack(model.get("truth")) : null, unpack(model.get("painted"))]);
  const planes = features.length / (rows * columns);
  return { channels, rows, columns, grey, truth, painted, planes, features: running(features, planes) };
}

/** The labels of the whole image: what lies beyond the crop, and what is painted on it. */
async function wholeLabels(model, codes) {
  const [labels, columns, [top, left]] = [await unpack(model.get("beyond")), model.get("whole")[1], model.get("window")];
  const width = model.get("shape")[2];
  for (let i = 0; i < codes.length; i += width) labels.set(codes.subarray(i, i + width), (top + i / width) * columns + left);
  return labels;
}

/** The part of the labels of the whole image that lies on the crop; it is blank there afterwards. */
function cutOut(model, labels) {
  const [[, columns], [top, left], [, rows, width]] = [model.get("whole"), model.get("window"), model.get("shape")];
  const codes = new Uint8Array(rows * width);
  for (let r = 0; r < rows; r += 1) {
    const at = (top + r) * columns + left;
    codes.set(labels.subarray(at, at + width), r * width);
    labels.fill(BLANK, at, at + width);
  }
  return codes;
}

async function render({ model, el: host }) {
  const data = await load(model);
  const { rows, columns, truth } = data;
  const [classes, phases, names] = [model.get("classes"), model.get("phases"), model.get("colours")];
  const set = (key, value) => { model.set(key, value); model.save_changes(); };
  const state = { ...data, results: classes.map((c) => c.result), found: null, weights: null, notice: "", model, classes, counts: classes.map(() => 0) };
  const colours = { classes: classes.map((c) => rgb(c.colour)), agreement: [names.hit, names.too_dark, names.left_out].map(rgb) };
  const learner = new Discriminant(data.features, data.planes, classes.length);
  const scratch = new Uint8Array(rows * columns);
  let forest = null;

  const painting = new Painting(columns, rows, (pixel, before, after) => {
    for (const [code, sign] of [[before, -1], [after, 1]]) {
      if (code === BLANK) continue;
      learner.paint(pixel, code, sign);
      state.counts[code] += sign;
    }
  });

  const parts = frame(host, { title: "Scribble explorer", caption: model.get("caption") });
  parts.root.classList.add("ct-x-painted");
  const setView = choice(parts.views, { label: "What is painted on the picture", input: (view) => set("view", view),
    options: { segmentation: "Segmentation", image: "Image", ...(truth ? { wrong: "Errors" } : {}) } });
  const canvas = picture(parts.stage, { columns, rows, voxel: model.get("voxel_um") });
  const setChannel = data.channels > 1 ? choice(parts.controls, { label: "Channel", input: (i) => set("channel", Number(i)),
    options: Object.fromEntries(model.get("channels").map((name, i) => [i, name])) }) : () => {};
  const um = model.get("voxel_um")[1];
  const setBrush = slider(parts.controls, { label: "Brush", min: BRUSH[0], max: BRUSH[1], step: 2,
    text: (v) => `${v} px · ${Number((v * um).toPrecision(2))} µm`, input: (v) => set("brush", v) });
  const setOpacity = slider(parts.controls, { label: "Colour", min: 0, max: 100, step: 5, text: (v) => `${v} %`, input: (v) => set("opacity", v / 100) });
  if (model.get("note")) parts.controls.append(el("p", { class: "ct-x-note", text: model.get("note") }));

  const tools = el("div", { class: "ct-x-tools" });
  parts.plot.replaceWith(tools);
  const setClasses = classChooser(tools, classes, (code) => set("chosen", code));
  const hint = el("p", { class: "ct-x-hint", role: "status" });
  const strokes = el("div", { class: "ct-x-strokes" }, hint);
  tools.append(strokes);
  const setForest = model.get("live") ? forestControls(tools, { pick: (which) => { set("classifier", which); if (which === "forest" && !forest) train(); }, train: () => train() }) : () => {};
  const setReadout = resultTable(parts.readout, phases, truth, model.get("words"));
  const marks = el("input", { type: "checkbox", "data-lm-suppress-shortcuts": "true" });
  marks.addEventListener("change", () => set("marks", marks.checked));
  parts.foot.prepend(el("label", { class: "ct-x-check" }, marks, "show scribbles"));
  const setButtons = buttons(strokes, parts.buttons, { undo: () => step("undo"), redo: () => step("redo"), save, load: loadFile });

  /** Learn from what is painted now and show it. */
  function learn() {
    state.weights = learner.train();
    if (state.weights) learner.classify(state.weights, scratch);
    show();
  }

  function show() {
    for (const name of ["view", "channel", "opacity", "marks"]) state[name] = model.get(name);
    const byForest = model.get("classifier") === "forest" && forest;
    state.found = byForest ? forest : state.weights && scratch;
    paintPixels(canvas.pixels, state, painting.codes, columns, colours);
    canvas.show();
    const { shares, table } = state.found ? compare(state, painting.codes, phases.length) : {};
    const kappa = setReadout(shares, rows * columns, table);
    setView(state.view);
    setChannel(String(state.channel));
    setBrush(model.get("brush"));
    setOpacity(Math.round(100 * state.opacity));
    setClasses(model.get("chosen"), state.counts);
    setForest(model.get("classifier"), model.get("training"));
    setButtons(painting);
    marks.checked = state.marks;
    hint.textContent = advice(state);
    const wrong = [[names.hit, "as in truth"], [names.too_dark, "wrong"], ...(truth?.includes(BLANK) ? [[names.left_out, "left out"]] : [])];
    parts.legend.replaceChildren(...(state.view === "wrong" && truth ? wrong : []).map(([colour, name]) => el("span", {}, swatch(colour), name)));
    canvas.canvas.setAttribute("aria-label", `Crop of ${columns} × ${rows} pixels, with ${state.found ? "what was found" : "nothing found yet"} and the scribbles painted over it`);
    const said = shares ? phases.map((p, i) => `${p.name} ${fixed((100 * shares[i]) / (rows * columns), 2)} %`).join(", ") : hint.textContent;
    parts.say([kappa, said].filter(Boolean).join(": "));
    pen.follow();
  }

  let frameAsked = 0;
  const soon = () => { frameAsked ||= requestAnimationFrame(() => { frameAsked = 0; learn(); }); };
  const code = (erases) => (erases || model.get("chosen") < 0 ? BLANK : clamp(model.get("chosen"), 0, classes.length - 1));
  const pen = brush(parts.stage, { columns, rows,
    label: "Picture to paint on: arrows move the brush, with Shift they paint, Space dabs, number keys choose a class, E the eraser, brackets the size",
    tool: () => ({ size: model.get("brush"), colour: model.get("chosen") < 0 ? "#ffffff" : classes[code()].colour }),
    begin: () => { forget(); painting.begin(); },
    draw: (from, to, erases) => { painting.line(from, to, model.get("brush"), code(erases)); soon(); },
    end: () => { if (painting.end()) keep(); soon(); },
    moved: (x, y) => {
      const found = state.found ? `, found ${classes[state.found[y * columns + x]].name}` : "";
      parts.say(`Column ${x + 1}, row ${y + 1}${found}`);
    } });

  /** What was refused before is no longer of interest. */
  function forget() {
    state.notice = "";
    if (model.get("trouble")) set("trouble", "");
  }
  let kept = painting.codes.slice();
  let turn = 0;
  let timer;
  /** Tell the model what is painted, once it is packed; the last stroke wins. */
  async function keep() {
    const mine = (turn += 1);
    const bytes = await gzip(painting.codes);
    if (mine !== turn) return;
    kept = painting.codes.slice();
    set("painted", bytes);
    clearTimeout(timer);
    if (model.get("live") && model.get("classifier") === "forest") timer = setTimeout(train, 600);
  }
  function train() {
    state.notice = "";
    if (!model.get("training")) set("request", model.get("request") + 1);
  }
  function step(which) {
    if (painting.stroke || !painting[which]()) return;
    keep();
    learn();
  }
  function take(codes) {
    if (painting.replace(codes)) keep();
    learn();
  }
  async function save() {
    const blob = await writePng(model.get("head"), await wholeLabels(model, painting.codes), model.get("whole")[1]);
    const link = el("a", { href: URL.createObjectURL(blob), download: "scribbles.png" });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }
  async function loadFile(file) {
    const [height, width] = model.get("whole");
    try {
      const labels = await readPng(new Uint8Array(await file.arrayBuffer()), { rows: height, columns: width });
      const wrong = labels.find((label) => label !== BLANK && label >= classes.length);
      if (wrong !== undefined) throw new Error(`it has code ${wrong}, and the classes have codes 0 to ${classes.length - 1}, 255 where nothing is painted`);
      const codes = cutOut(model, labels);
      set("beyond", await gzip(labels));
      state.notice = "";
      take(codes);
    } catch (error) {
      state.notice = `Cannot load ${file.name}: ${error.message}.`;
      show();
    }
  }
  parts.reset.addEventListener("click", async () => {
    state.notice = "";
    for (const [key, value] of Object.entries(model.get("start"))) model.set(key, value);
    model.set("beyond", model.get("begun_beyond"));
    model.save_changes();
    take(await unpack(model.get("begun")));
  });
  keys(parts.root, { classes: classes.length, choose: (i) => set("chosen", i), erase: () => set("chosen", -1),
    grow: (by) => set("brush", clamp(model.get("brush") + by, ...BRUSH)), undo: () => step("undo"), redo: () => step("redo") });

  /** Python has painted. */
  async function hear() {
    const codes = await unpack(model.get("painted"));
    if (same(codes, kept) || painting.stroke) return;
    kept = codes;
    painting.replace(codes);
    learn();
  }
  async function hearForest() {
    forest = model.get("forest").byteLength ? await unpack(model.get("forest")) : null;
    show();
  }

  const stopTheme = followTheme(parts.root, () => {});
  painting.replace(data.painted);
  [painting.done, kept] = [[], painting.codes.slice()];
  learn();
  await hearForest();
  const events = [["change", show], ["change:painted", hear], ["change:forest", hearForest]];
  for (const [event, react] of events) model.on(event, react);
  return () => { for (const [event, react] of events) model.off(event, react); stopTheme(); };
}

export default { render };
