// What every explorer shares: its frame, its sliders, its handles, its colours, its words for screen readers.
// An explorer is this file and its own, joined into one ES module (see explorer.py), so that the same bytes
// run in Jupyter, where the model is a kernel's, and on the static page, where it is a plain object.

/** Create an element: el("button", {type: "button", text: "reset"}, child, ...). */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "text") node.textContent = value;
    else if (value !== undefined && value !== false) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

/** Bytes that Python packed with gzip. */
export async function unpack(packed) {
  const bytes = packed instanceof Uint8Array ? packed : new Uint8Array(packed.buffer, packed.byteOffset, packed.byteLength);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** A number as Python's f"{value:.nf}" prints it: toFixed, but an exact tie goes to the even digit. */
export function fixed(value, digits) {
  const text = value.toFixed(digits);
  const tie = Number.isInteger(value * 2 ** (digits + 1)) && !Number.isInteger(value * 2 ** digits);
  if (!tie || Number(text.at(-1)) % 2 === 0) return text;
  return (Number(text) - Math.sign(value) * 10 ** -digits).toFixed(digits); // toFixed went away from zero
}

/** A count with its thousands apart. */
export const count = (value) => String(value).replace(/\B(?=(\d{3})+$)/g, "\u202f");

/** A length of 1, 2 or 5 times a power of ten, at most the one given. */
export function roundLength(length) {
  const decade = 10 ** Math.floor(Math.log10(length));
  return decade * [5, 2, 1].find((step) => step * decade <= length * (1 + 1e-9));
}

export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/** "#rrggbb" as [r, g, b]. */
export const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));

let unique = 0;
/** An id that no other explorer on the page has. */
export const newId = () => `ct-x-${(unique += 1)}`;

/** Build the frame that all explorers have: picture left, plot and read-outs right, reset last. */
export function frame(host, { title, caption }) {
  const parts = {
    views: el("div", { class: "ct-x-views" }),
    stage: el("div", { class: "ct-x-stage" }),
    legend: el("div", { class: "ct-x-legend" }),
    controls: el("div", { class: "ct-x-controls" }),
    plot: el("div", { class: "ct-x-plot" }),
    readout: el("div", { class: "ct-x-readout" }),
    foot: el("div", { class: "ct-x-foot" }),
    live: el("p", { class: "ct-x-live", "aria-live": "polite" }),
    buttons: el("div", { class: "ct-x-buttons" }),
    reset: el("button", { type: "button", class: "ct-x-reset", text: "Reset" }),
  };
  parts.buttons.append(parts.reset);
  parts.foot.append(parts.buttons);
  const caption_ = el("p", { class: "ct-x-caption", text: caption });
  parts.root = el("div", { class: "ct-x", role: "group", "aria-label": title },
    el("div", { class: "ct-x-columns" },
      el("div", { class: "ct-x-picture" }, parts.views, parts.stage, parts.legend, parts.controls),
      el("div", { class: "ct-x-panel" }, parts.plot, parts.readout, parts.foot)),
    ...(caption ? [caption_] : []), parts.live);
  host.replaceChildren(parts.root);
  let timer;
  parts.say = (text) => { clearTimeout(timer); timer = setTimeout(() => { parts.live.textContent = text; }, 500); };
  return parts;
}

/** A labelled slider. `text(value)` is shown beside it and read aloud. */
export function slider(parent, { label, min, max, step, text, input }) {
  const id = newId();
  const range = el("input", { type: "range", id, min, max, step, "data-lm-suppress-shortcuts": "true" });
  const value = el("output", { for: id });
  parent.append(el("div", { class: "ct-x-slider" }, el("label", { for: id, text: label }), range, value));
  range.addEventListener("input", () => input(Number(range.value)));
  return (now) => {
    range.value = now;
    value.textContent = text(now);
    range.setAttribute("aria-valuetext", text(now));
    range.style.setProperty("--done", `${(100 * (now - min)) / (max - min || 1)}%`);
  };
}

/** A row of choices of which one is on. */
export function choice(parent, { label, options, input }) {
  const name = newId();
  const group = el("div", { class: "ct-x-choice", role: "radiogroup", "aria-label": label });
  const radios = Object.entries(options).map(([key, text]) => {
    const radio = el("input", { type: "radio", name, value: key, "data-lm-suppress-shortcuts": "true" });
    radio.addEventListener("change", () => input(key));
    group.append(el("label", {}, radio, el("span", { text })));
    return radio;
  });
  parent.append(group);
  return (now) => radios.forEach((radio) => { radio.checked = radio.value === now; });
}

/**
 * Handles that are dragged along the plot: mouse, touch and pen; arrows, PageUp/Down, Home and End.
 * `at(value)` and `value(fraction)` map between values and places; `range(i)` is what handle i may take.
 */
export function handles(plot, { labels, at, value, range, move }) {
  const surface = plot.querySelector("canvas");
  let now = [];
  const knobs = labels.map((label, i) => {
    const knob = el("div", { class: "ct-x-handle", role: "slider", tabindex: 0, "aria-label": label,
      "aria-orientation": "horizontal", "data-lm-suppress-shortcuts": "true" }, el("span"));
    knob.addEventListener("keydown", (event) => {
      const [low, high] = range(i);
      const to = { ArrowRight: now[i] + 1, ArrowUp: now[i] + 1, ArrowLeft: now[i] - 1, ArrowDown: now[i] - 1,
        PageUp: now[i] + 10, PageDown: now[i] - 10, Home: low, End: high }[event.key];
      if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      event.stopPropagation();
      move(i, clamp(to, low, high));
    });
    plot.append(knob);
    return knob;
  });
  let held = -1;
  let grip = 0; // where on its knob the handle is held, so that it does not jump
  const drag = (event) => {
    const box = surface.getBoundingClientRect();
    move(held, clamp(value((event.clientX - grip - box.left) / box.width), ...range(held)));
  };
  const nearest = (event) => {
    const box = surface.getBoundingClientRect();
    const gaps = now.map((v) => box.left + at(v) * box.width - event.clientX);
    const best = Math.min(...gaps.map(Math.abs));
    const same = gaps.flatMap((gap, i) => (Math.abs(gap) === best ? [i] : []));
    return gaps[same[0]] < 0 ? same.at(-1) : same[0]; // of two in one place, the one that can follow
  };
  plot.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    const box = surface.getBoundingClientRect();
    const onKnob = knobs.some((knob) => knob.contains(event.target));
    held = nearest(event); // not the knob on top: two may overlap
    grip = onKnob ? event.clientX - box.left - at(now[held]) * box.width : 0;
    plot.setPointerCapture(event.pointerId);
    knobs[held].focus({ preventScroll: true });
    event.preventDefault();
    if (!onKnob) drag(event);
  });
  plot.addEventListener("pointermove", (event) => { if (held >= 0) drag(event); });
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"])
    plot.addEventListener(end, () => { held = -1; });
  return (values, text) => {
    now = values;
    knobs.forEach((knob, i) => {
      const [low, high] = range(i);
      knob.style.left = `${100 * at(values[i])}%`;
      const state = { valuenow: values[i], valuemin: low, valuemax: high, valuetext: text(values[i]) };
      for (const [key, v] of Object.entries(state)) knob.setAttribute(`aria-${key}`, v);
    });
  };
}

/** A picture laid out at its physical shape, with a scale bar in µm. */
export function picture(stage, { columns, rows, voxel }) {
  const canvas = el("canvas", { width: columns, height: rows, role: "img" });
  const width = columns * voxel[1];
  const height = rows * voxel[0];
  canvas.style.aspectRatio = `${width} / ${height}`;
  const bar = roundLength(width / 3);
  const text = `${Number(bar.toPrecision(3))} µm`;
  stage.append(canvas, el("div", { class: "ct-x-scale", style: `width:${(100 * bar) / width}%` }, el("span", { text })));
  stage.style.setProperty("--ratio", width / height);
  for (const name of ["ct-x-wide", "ct-x-flat"]) stage.closest(".ct-x").classList.toggle(name, width > 1.9 * height);
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, rows);
  const pixels = new Uint32Array(image.data.buffer);
  return { canvas, pixels, show: () => context.putImageData(image, 0, 0) };
}

/** A canvas as crisp as the screen; `draw(context, width, height)` runs at once when its size changes. */
export function plotCanvas(parent, label, draw) {
  const canvas = el("canvas", { role: "img", "aria-label": label });
  parent.prepend(canvas);
  const context = canvas.getContext("2d");
  const paint = () => {
    const { width, height } = canvas.getBoundingClientRect();
    if (!width || !height) return;
    const scale = window.devicePixelRatio || 1;
    const [columns, rows] = [Math.round(width * scale), Math.round(height * scale)];
    if (canvas.width !== columns || canvas.height !== rows) [canvas.width, canvas.height] = [columns, rows];
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    draw(context, width, height);
  };
  const watcher = new ResizeObserver(paint);
  watcher.observe(canvas);
  return { paint, stop: () => watcher.disconnect() };
}

/** Follow the light or dark mode of the book, of JupyterLab, or else of the system. */
export function followTheme(root, changed) {
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const dark = () => {
    const book = document.documentElement.dataset.theme;
    const lab = document.body.dataset.jpThemeLight;
    if (book) return book === "dark";
    return lab ? lab === "false" : system.matches;
  };
  const apply = () => { root.toggleAttribute("data-dark", dark()); changed(); };
  const watcher = new MutationObserver(apply);
  watcher.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  watcher.observe(document.body, { attributeFilter: ["data-jp-theme-light"] });
  system.addEventListener("change", apply);
  apply();
  return () => { watcher.disconnect(); system.removeEventListener("change", apply); };
}
