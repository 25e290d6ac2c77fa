// What stands around the picture of an overlay: its layers and how each is shown, the divider, the cursor, and a PNG.
import { choice, clamp, el, newId, roundLength, slider } from "../explorer.js";

const DECADE = 20; // steps of a slider a decade of gain or gamma
const PNG_WIDTH = 1200; // pixels across, at least
const HEADINGS = ["show", "", "adjust", "at the cursor"];

const stepOf = (value) => Math.round(DECADE * Math.log10(value));
const factorOf = (step) => 10 ** (step / DECADE);
const sayFactor = (step) => `× ${Number(factorOf(step).toPrecision(2))}`;

/** The layers as a table: shown or not, colour, which one the sliders adjust, and its value at the cursor. */
export function layerTable(parent, about, { change, choose }) {
  const name = newId();
  const rows = about.map((layer, i) => {
    const box = el("input", { type: "checkbox", "aria-label": `show ${layer.label}`, "data-lm-suppress-shortcuts": "true" });
    box.addEventListener("change", () => change(i, { on: box.checked }));
    const colour = el("input", { type: "color", "aria-label": `colour of ${layer.label}` });
    colour.addEventListener("input", () => change(i, { colour: colour.value }));
    const radio = el("input", { type: "radio", name, value: layer.name, "data-lm-suppress-shortcuts": "true" });
    radio.addEventListener("change", () => choose(i));
    const value = el("td");
    const own = layer.kind === "classes" ? [] : [colour];
    return { box, colour, radio, value, node: el("tr", {}, el("td", {}, box), el("td", {}, ...own), el("th", { scope: "row" }, el("label", {}, radio, el("span", { text: layer.label }))), value) };
  });
  parent.append(el("table", { class: "ct-x-layers", "aria-label": "Layers, and their values at the cursor" },
    el("thead", {}, el("tr", {}, ...HEADINGS.map((text) => el(text ? "th" : "td", { scope: text && "col", text })))),
    el("tbody", {}, ...rows.map(({ node }) => node))));
  return { show: (layers, chosen) => rows.forEach(({ box, colour, radio, node }, i) => {
    box.checked = layers[i].on;
    colour.value = layers[i].colour;
    radio.checked = i === chosen;
    node.toggleAttribute("data-chosen", i === chosen);
  }),
  read: (texts) => rows.forEach(({ value }, i) => { value.textContent = texts[i]; }) };
}

/** The sliders of one layer: opacity, gain and gamma. */
export function layerSliders(parent, change) {
  const group = el("div", { class: "ct-x-dials", role: "group" });
  parent.append(group);
  const opacity = slider(group, { label: "Opacity", min: 0, max: 100, step: 5, text: (v) => `${v} %`, input: (v) => change({ opacity: v / 100 }) });
  const gain = slider(group, { label: "Gain", min: -DECADE, max: DECADE, step: 1, text: sayFactor, input: (v) => change({ gain: factorOf(v) }) });
  const gamma = slider(group, { label: "Gamma", min: -DECADE / 2, max: DECADE / 2, step: 1, text: (v) => String(Number(factorOf(v).toPrecision(2))), input: (v) => change({ gamma: factorOf(v) }) });
  return (layer, about) => {
    group.setAttribute("aria-label", `How ${about.label} is shown`);
    group.toggleAttribute("data-plain", about.kind === "classes");
    opacity(Math.round(100 * layer.opacity));
    gain(stepOf(layer.gain));
    gamma(stepOf(layer.gamma));
  };
}

/** Which layer stands on each side, and how large the squares are. */
export function sideChoices(parent, choices, { set, squares, squareText }) {
  const labels = Object.fromEntries(choices.map((name) => [name, { maps: "Maps", blend: "Blend" }[name] ?? name]));
  const groups = ["Left", "Right"].map((side, i) => {
    const group = el("div", { class: "ct-x-side" }, el("span", { text: side, "aria-hidden": "true" }));
    const show = choice(group, { label: `${side} side`, options: labels, input: (name) => set(i, name) });
    parent.append(group);
    return { group, show };
  });
  const box = el("div");
  parent.append(box);
  const setSquares = slider(box, { label: "Squares", min: 2, max: 40, step: 1, text: squareText, input: squares });
  return ({ mode, sides, squares: now }) => {
    groups.forEach(({ group, show }, i) => {
      group.hidden = mode === "blend";
      group.firstChild.textContent = mode === "swipe" ? ["Left", "Right"][i] : ["One", "Other"][i];
      show(sides[i]);
    });
    box.hidden = mode !== "checkerboard";
    setSquares(now);
  };
}

/** A cursor on the picture by pointer and keys, and a divider that is dragged; `hover` hears where the pointer is. */
export function pointer(stage, { rows, columns, hover, press, divide }) {
  const cross = el("div", { class: "ct-x-cross", "aria-hidden": "true" });
  const surface = el("div", { class: "ct-x-over", tabindex: 0, role: "application", "data-lm-suppress-shortcuts": "true",
    "aria-label": "Picture: arrows move the cursor by a pixel, with Shift by ten; what lies under it is read out" }, cross);
  const divider = el("div", { class: "ct-x-divider", role: "slider", tabindex: 0, "aria-label": "Divider between left and right", "aria-orientation": "horizontal",
    "aria-valuemin": 0, "aria-valuemax": 100, "data-lm-suppress-shortcuts": "true" }, el("span"));
  stage.append(surface, divider);
  let at = [0, 0];
  let share = 0.5;
  let held = null;
  let swiping = false;
  let grip = 0; // where on its knob the divider is held, so that it does not jump
  const place = (event) => {
    const box = surface.getBoundingClientRect();
    return [(event.clientY - box.top) / box.height, (event.clientX - box.left) / box.width];
  };
  const pixel = ([y, x]) => [clamp(Math.floor(y * rows), 0, rows - 1), clamp(Math.floor(x * columns), 0, columns - 1)];
  const down = (event) => {
    if (held !== null || event.button !== 0) return;
    held = event.pointerId;
    event.currentTarget.setPointerCapture(held);
    const here = place(event);
    grip = event.currentTarget === divider ? here[1] - share : 0;
    event.currentTarget.focus({ preventScroll: true });
    event.preventDefault();
    if (event.currentTarget === surface) press(pixel(here));
    if (swiping && !grip) divide(clamp(here[1], 0, 1));
  };
  const move = (event) => {
    if (held !== null && event.pointerId !== held) return;
    const here = place(event);
    if (swiping && held !== null) divide(clamp(here[1] - grip, 0, 1));
    if (event.currentTarget === surface) hover(pixel(here));
  };
  const release = (event) => { if (event.pointerId === held) held = null; };
  for (const node of [surface, divider]) {
    node.addEventListener("pointerdown", down);
    node.addEventListener("pointermove", move);
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) node.addEventListener(end, release);
  }
  const take = (event, act) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  };
  surface.addEventListener("keydown", (event) => {
    const far = event.shiftKey ? 10 : 1;
    const by = { ArrowUp: [-far, 0], ArrowDown: [far, 0], ArrowLeft: [0, -far], ArrowRight: [0, far] }[event.key];
    take(event, by && (() => press([clamp(at[0] + by[0], 0, rows - 1), clamp(at[1] + by[1], 0, columns - 1)])));
  });
  divider.addEventListener("keydown", (event) => {
    const to = { ArrowRight: share + 0.01, ArrowUp: share + 0.01, ArrowLeft: share - 0.01, ArrowDown: share - 0.01, PageUp: share + 0.1, PageDown: share - 0.1, Home: 0, End: 1 }[event.key];
    take(event, to !== undefined && (() => divide(clamp(to, 0, 1))));
  });
  return (now, mode, where) => {
    [at, share, swiping] = [now, where, mode === "swipe"];
    cross.style.top = `${(100 * (at[0] + 0.5)) / rows}%`;
    cross.style.left = `${(100 * (at[1] + 0.5)) / columns}%`;
    divider.hidden = !swiping;
    divider.style.left = `${100 * share}%`;
    divider.setAttribute("aria-valuenow", Math.round(100 * share));
    divider.setAttribute("aria-valuetext", `${Math.round(100 * share)} % from the left`);
    stage.toggleAttribute("data-swipe", swiping);
  };
}

/** Save the picture with a scale bar and a legend, [colour or none, text] each, as PNG. */
export function savePng(canvas, [high, wide], legend, name) {
  const many = Math.max(1, Math.ceil(PNG_WIDTH / canvas.width));
  const width = canvas.width * many;
  const height = Math.round((width * canvas.height * high) / (canvas.width * wide));
  const type = Math.round(width / 40);
  const strip = legend.length ? 2 * type : 0;
  const out = el("canvas", { width, height: height + strip });
  const context = out.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(canvas, 0, 0, width, height);
  const across = canvas.width * wide; // µm
  const bar = roundLength(across / 3);
  const [left, thick] = [0.045 * width, Math.max(4, width / 160)];
  const length = (bar / across) * width;
  context.font = `600 ${type}px system-ui, sans-serif`;
  [context.textAlign, context.fillStyle, context.strokeStyle, context.lineWidth, context.lineJoin] = ["center", "#ffffff", "#000000", type / 5, "round"];
  const base = height - 0.05 * width;
  const text = `${Number(bar.toPrecision(3))} µm`;
  context.strokeText(text, left + length / 2, base - 0.4 * type);
  context.fillText(text, left + length / 2, base - 0.4 * type);
  context.strokeRect(left, base, length, thick);
  context.fillRect(left, base, length, thick);
  context.fillRect(0, height, width, strip);
  context.textAlign = "left";
  let at = 0.6 * type;
  for (const [colour, words] of legend) {
    if (colour) {
      context.fillStyle = colour;
      context.fillRect(at, height + 0.6 * type, 0.8 * type, 0.8 * type);
      at += 1.1 * type;
    }
    context.fillStyle = "#1f2328";
    context.fillText(words, at, height + 1.35 * type);
    at += 1.1 * type + context.measureText(words).width;
  }
  out.toBlob((blob) => {
    const link = el("a", { href: URL.createObjectURL(blob), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }, "image/png");
}
