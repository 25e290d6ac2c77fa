// The zoom explorer: images of all scales in one frame, in one view from a whole cell to a grain.
import { clamp, el, fixed, followTheme, frame, plotCanvas, slider, unpack } from "../explorer.js";
import { swatch } from "../comparison.js";
import { camera, depthAt, drawView, makeLayers, readLayer, sayLength, scaleBar } from "./view.js";
import { flyer, imageTable, moveSurface } from "./tools.js";

const GRADES = 400; // of the slider, from the whole to the finest pixels

/** A place in µm, with as many digits as the picture shows. */
function sayPlace([y, x], z, pixel) {
  const digits = clamp(Math.ceil(-Math.log10(pixel)), 0, 4);
  const depth = z === null ? "" : `z ${fixed(z, digits)}, `;
  return `${depth}y ${fixed(y, digits)}, x ${fixed(x, digits)} µm`.replaceAll("-", "−");
}

async function render({ model, el: host }) {
  const [pixels, known] = await Promise.all(["pixels", "known"].map((name) => unpack(model.get(name))));
  const layers = makeLayers(model.get("about"), pixels, known);
  const goals = model.get("goals");
  const [finest, widest] = model.get("limits");
  const deep = layers.some(({ about }) => about.matrix[0].some(Boolean)); // else all lie at one z
  const state = { chosen: layers.length - 1, hover: null, kept: null, legend: null };
  const set = (key, value) => { model.set(key, value); model.save_changes(); };
  const parts = frame(host, { title: "Zoom explorer", caption: model.get("caption") });
  parts.root.classList.add("ct-x-zoom");
  parts.plot.remove();
  const now = () => ({ view: model.get("view"), shown: model.get("layers"), frames: model.get("frames"), cursor: model.get("cursor_um") });
  const canvas = plotCanvas(parts.stage, "Images over each other", (context, width, height) => drawView(context, layers, goals, now(), width, height));
  const setBar = scaleBar(parts.stage);
  const box = () => parts.stage.getBoundingClientRect();
  const eye = () => camera(model.get("view"), box().width, box().height);

  /** Show a view, within the limits; the kernel hears of it once it is reached. */
  function look(view) {
    const place = Object.fromEntries([["y_um", 0], ["x_um", 1]].map(([key, i]) => [key, clamp(view[key], ...model.get("bounds")[i])]));
    model.set("view", { ...place, field_um: clamp(view.field_um, finest, widest) });
  }
  const reached = () => { model.save_changes(); parts.say(words()); };
  const flights = flyer(look, reached);
  const pan = (dy, dx) => {
    flights.stop();
    const [view, { scale }] = [model.get("view"), eye()];
    look({ ...view, y_um: view.y_um - dy / scale, x_um: view.x_um - dx / scale });
  };
  /** The view that is so many times closer, with what lies at [top, left] kept there. */
  const closer = (factor, at) => {
    const view = model.get("view");
    const field = clamp(view.field_um / factor, finest, widest);
    const [y, x] = eye().place(at);
    const keep = field / view.field_um;
    return { y_um: y + (view.y_um - y) * keep, x_um: x + (view.x_um - x) * keep, field_um: field };
  };
  const cursorTo = (place) => model.set("cursor_um", place.map((v, i) => clamp(v, ...model.get("bounds")[i])));
  const goTo = (i) => {
    if (!goals[i]) return;
    state.chosen = i;
    cursorTo([goals[i].view.y_um, goals[i].view.x_um]);
    flights.fly(model.get("view"), goals[i].view);
  };
  const whole = () => flights.fly(model.get("view"), model.get("start").view);
  const stopSurface = moveSurface(parts.stage, { pan, go: goTo, whole, done: reached,
    zoom: (factor, at) => { flights.stop(); look(closer(factor, at)); },
    hover: (at) => { state.hover = eye().place(at); read(state.hover); },
    tap: (at) => { state.hover = null; cursorTo(eye().place(at)); reached(); },
    closer: (at, factor) => flights.fly(model.get("view"), closer(factor, at)) });

  const whereOn = (field) => (GRADES * Math.log(widest / field)) / Math.log(widest / finest);
  const setZoom = slider(parts.controls, { label: "Zoom", min: 0, max: GRADES, step: 1, text: () => `${sayLength(model.get("view").field_um)} across`,
    input: (i) => { flights.stop(); look({ ...model.get("view"), field_um: widest * (finest / widest) ** (i / GRADES) }); reached(); } });
  const buttons = el("div", { class: "ct-x-jumps", role: "group", "aria-label": "Go to an image" });
  parts.controls.append(buttons);
  const button = (text, label, act) => {
    const node = el("button", { type: "button", class: "ct-x-reset", text, "aria-label": label });
    node.addEventListener("click", act);
    buttons.append(node);
  };
  button("All", "Go to the whole picture", whole);
  goals.forEach(({ name }, i) => button(name, `Go to ${name}`, () => goTo(i)));

  const field = el("output", { class: "ct-x-kappa" });
  parts.readout.append(el("p", { class: "ct-x-headline" }, field, el("span", { class: "ct-x-word", text: "across" })));
  const [spot, sure] = [el("b"), el("span")];
  parts.readout.append(el("p", { class: "ct-x-place" }, spot, sure));
  const change = (i, changes) => set("layers", model.get("layers").map((layer, k) => (k === i ? { ...layer, ...changes } : layer)));
  const between = model.get("between_um");
  const table = imageTable(parts.readout, goals, { change, choose: (i) => { state.chosen = i; update(); }, errors: between.length > 0 });
  const dials = el("div", { class: "ct-x-dials", role: "group" });
  parts.readout.append(dials);
  const setOpacity = slider(dials, { label: "Opacity", min: 0, max: 100, step: 5, text: (v) => `${v} %`, input: (v) => change(state.chosen, { opacity: v / 100 }) });
  if (model.get("note")) parts.readout.append(el("p", { class: "ct-x-note", text: model.get("note") }));
  const check = el("input", { type: "checkbox", "data-lm-suppress-shortcuts": "true" });
  check.addEventListener("change", () => set("frames", check.checked));
  parts.foot.prepend(el("label", { class: "ct-x-check" }, check, "Frames"));
  parts.reset.addEventListener("click", () => {
    flights.stop();
    [state.chosen, state.hover] = [layers.length - 1, null];
    for (const [key, value] of Object.entries(model.get("start"))) model.set(key, value);
    model.save_changes();
    update();
  });

  /** Read out what lies at a place: the images there, and depth and error of the finest that is shown. */
  function read(place) {
    const shown = model.get("layers");
    const texts = layers.map((layer) => readLayer(layer, place));
    const top = layers.findLastIndex((_, i) => shown[i].on && texts[i] !== "–");
    const errors = layers.map((_, i) => (between.length && top >= 0 && i !== top ? `± ${sayLength(between[top][i])}` : ""));
    spot.textContent = sayPlace(place, deep && top >= 0 ? depthAt(layers[top], place) : null, 1 / eye().scale);
    const root = model.get("root");
    sure.textContent = errors[root] ? ` ${errors[root]}` : "";
    table.read(texts, errors);
    return texts;
  }
  function words() {
    const place = model.get("cursor_um");
    const texts = read(place);
    const there = goals.flatMap(({ name }, i) => (texts[i] === "–" ? [] : [`${name} ${texts[i]}`]));
    return `${sayLength(model.get("view").field_um)} across; ${spot.textContent}${sure.textContent}: ${there.join(", ") || "no image"}`;
  }

  function update() {
    const { view, shown, frames } = now();
    canvas.paint();
    setBar(view.field_um);
    field.textContent = sayLength(view.field_um);
    setZoom(Math.round(whereOn(view.field_um)));
    table.show(shown, state.chosen);
    dials.setAttribute("aria-label", `How ${goals[state.chosen].name} is shown`);
    setOpacity(Math.round(100 * shown[state.chosen].opacity));
    check.checked = frames;
    const cursor = model.get("cursor_um");
    if (cursor !== state.kept) [state.kept, state.hover] = [cursor, null];
    read(state.hover ?? cursor);
    const legend = layers.flatMap(({ about }, i) => (shown[i].on ? (about.table ?? []).map(([, name, colour]) => [colour, name]) : []));
    if (String(legend) !== state.legend) { // what has not changed is not laid out anew
      state.legend = String(legend);
      parts.legend.replaceChildren(...legend.map(([colour, text]) => el("span", {}, swatch(colour), text)));
    }
  }

  const stopTheme = followTheme(parts.root, () => {});
  update();
  model.on("change", update);
  return () => { model.off("change", update); flights.stop(); stopSurface(); stopTheme(); canvas.stop(); };
}

export default { render };
