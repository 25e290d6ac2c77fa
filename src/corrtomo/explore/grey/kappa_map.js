// The explorer of the κ map: choose a pair of thresholds where κ is high; the slice, its counts and fractions follow.
import { clamp, el, fixed, plotCanvas } from "../explorer.js";
import { followColours } from "../comparison.js";
import { GREYS, at, drawHistogram, thresholdAt, thresholded } from "./thresholded.js";

const LIGHT = "#ffffff";
const DARK = "rgb(0 0 0 / 0.55)"; // edge of what is drawn on the map, so that it is seen over any colour

/** κ of every pair, [lower * GREYS + upper]; NaN where there is no such pair. */
function kappaOfPairs(cumulated) {
  const [a, b, c] = cumulated;
  const total = a.map((value, g) => value + b[g] + c[g]);
  const [ends, n] = [cumulated.map((row) => row[GREYS - 1]), total[GREYS - 1]];
  const map = new Float64Array(GREYS * GREYS).fill(NaN);
  for (let l = 0; l < GREYS; l += 1) {
    for (let u = l + 1; u < GREYS; u += 1) {
      const right = a[l] + (b[u] - b[l]) + (ends[2] - c[u]);
      const byChance = (ends[0] * (n - total[l]) + ends[1] * (n - (total[u] - total[l])) + ends[2] * total[u]) / (n * n);
      map[l * GREYS + u] = 1 - (n - right) / n / byChance;
    }
  }
  return map;
}

/** The colour of a share from 0 to 1 between the stops that Python sent. */
function colourOf(ramp, share) {
  const place = clamp(share, 0, 1) * (ramp.length - 1);
  const i = Math.min(Math.floor(place), ramp.length - 2);
  return ramp[i].map((from, k) => Math.round(from + (place - i) * (ramp[i + 1][k] - from)));
}

/** The map as a picture of one pixel a pair: upper threshold to the right, lower one up. */
function paintMap(map, ramp, top) {
  const canvas = el("canvas", { width: GREYS, height: GREYS });
  const context = canvas.getContext("2d");
  const image = context.createImageData(GREYS, GREYS);
  for (let l = 0; l < GREYS; l += 1) {
    for (let u = l + 1; u < GREYS; u += 1) image.data.set([...colourOf(ramp, map[l * GREYS + u] / top), 255], 4 * ((GREYS - 1 - l) * GREYS + u));
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

/** Lines of equal κ, in units of the map's edge: each triangle of neighbouring pairs is crossed once at most. */
function isolines(map, levels) {
  const path = new Path2D();
  const end = (p, q, level) => {
    const share = (level - map[p]) / (map[q] - map[p]);
    const place = (i) => [at(i % GREYS), 1 - at(Math.floor(i / GREYS))];
    return place(p).map((v, k) => v + share * (place(q)[k] - v));
  };
  const cross = (corners, level) => {
    const ends = corners.map((p, i) => [p, corners[(i + 1) % 3]]).filter(([p, q]) => map[p] < level !== map[q] < level);
    if (ends.length !== 2) return;
    path.moveTo(...end(...ends[0], level));
    path.lineTo(...end(...ends[1], level));
  };
  for (let l = 0; l < GREYS - 1; l += 1) {
    for (let u = l + 1; u < GREYS - 1; u += 1) {
      const [p, right, above, far] = [l * GREYS + u, l * GREYS + u + 1, (l + 1) * GREYS + u, (l + 1) * GREYS + u + 1];
      const [low, high] = [Math.min(map[p], map[right], map[far]), Math.max(map[p], map[right], map[far], map[above] || 0)];
      for (const level of levels) {
        if (level > high || level < Math.min(low, map[above] || 0)) continue;
        cross([p, right, far], level);
        if (u > l + 1) cross([p, above, far], level);
      }
    }
  }
  return path;
}

/** A line or a text with an edge of the other shade. */
function edged(context, draw, colour = LIGHT, edge = DARK, width = 1.5) {
  for (const [style, line] of [[edge, width + 2.5], [colour, width]]) {
    [context.strokeStyle, context.fillStyle, context.lineWidth] = [style, style, line];
    draw(style === edge);
  }
}

function star(context, x, y, radius) {
  context.beginPath();
  for (let i = 0; i < 10; i += 1) {
    const [r, angle] = [i % 2 ? 0.42 * radius : radius, (Math.PI * (i - 2.5)) / 5];
    context.lineTo(x + r * Math.cos(angle), y + r * Math.sin(angle));
  }
  context.closePath();
}

/** The best pair and the named ones, each with its name beside it; names that would meet go one below the other. */
function drawMarks(context, state, width) {
  context.font = "600 13px system-ui, sans-serif";
  context.textBaseline = "middle";
  context.lineJoin = "round";
  const taken = [];
  const marks = [["best", state.best], ...Object.entries(state.marks)].map(([name, [lower, upper]]) => [name, at(upper) * width, (1 - at(lower)) * width]);
  marks.toReversed().forEach(([, x, y], i) => edged(context, (edge) => { // the star on top
    if (i === marks.length - 1) star(context, x, y, 9);
    else { context.beginPath(); context.rect(x - 4, y - 4, 8, 8); }
    if (edge) context.stroke();
    else context.fill();
  }));
  marks.forEach(([name, x, y], i) => {
    const long = context.measureText(name).width;
    const left = x + long + 20 > width ? x - long - 12 : x + 12;
    let middle = clamp(i === 0 ? y - 15 : y + 17, 8, width - 8);
    while (taken.some(([a, b, c]) => Math.abs(c - middle) < 15 && left < b && left + long > a)) middle += 15;
    taken.push([left, left + long, middle]);
    context.textAlign = "left";
    edged(context, (edge) => (edge ? context.strokeText(name, left, middle) : context.fillText(name, left, middle)), LIGHT, DARK, 1);
  });
}

/** From each handle to the point: the lower threshold up to the diagonal and across, the upper one straight up. */
function drawPair(context, [lower, upper], width) {
  const [low, high] = [at(lower) * width, at(upper) * width];
  edged(context, () => {
    context.beginPath();
    context.moveTo(low, width);
    context.lineTo(low, width - low);
    context.lineTo(high, width - low);
    context.lineTo(high, width);
    context.stroke();
  });
}

/** Scale of the lower threshold and of the colours, in the corner that holds no pair. */
function drawScales(context, state, width) {
  const { colours, ramp, levels, ends } = state;
  const grey = context.createLinearGradient(0, width, 0, 0);
  grey.addColorStop(0, "#000");
  grey.addColorStop(1, "#fff");
  context.fillStyle = grey;
  context.fillRect(0, 0, 6, width);
  context.strokeStyle = colours.muted;
  context.lineWidth = 0.75;
  context.strokeRect(0.4, 0.4, 6, width - 0.8);
  context.font = "12.5px system-ui, sans-serif";
  context.fillStyle = colours.muted;
  [context.textAlign, context.textBaseline] = ["left", "middle"];
  for (const value of [50, 100, 150, 200]) context.fillText(String(value), 11, (1 - at(value)) * width);
  context.save();
  context.translate(48, 0.56 * width);
  context.rotate(-Math.PI / 2);
  context.textAlign = "left";
  context.fillText("lower threshold", 0, 0);
  context.restore();
  const [left, top, long] = [66, 28, 0.42 * width];
  const bar = context.createLinearGradient(left, 0, left + long, 0);
  ramp.forEach((colour, i) => bar.addColorStop(i / (ramp.length - 1), `rgb(${colour})`));
  context.fillStyle = bar;
  context.fillRect(left, top, long, 10);
  context.strokeRect(left, top, long, 10);
  [context.textBaseline, context.fillStyle] = ["alphabetic", colours.ink];
  context.fillText("Cohen’s κ", left, top - 7);
  [context.textAlign, context.textBaseline] = ["center", "top"];
  for (const level of [0, ...levels, ends]) {
    const x = left + (level / ends) * long;
    context.fillStyle = LIGHT;
    if (level > 0 && level < ends) context.fillRect(x - 0.5, top, 1, 10);
    context.fillStyle = colours.muted;
    if (Math.round(10 * level) % (ends > 0.4 ? 2 : 1) === 0) context.fillText(level.toFixed(1), x, top + 15);
  }
}

function drawMap(context, state, width) {
  const half = (0.5 / GREYS) * width; // a pair stands where its two handles stand: at the edges of grey values
  context.drawImage(state.picture, half, -half, width, width);
  context.lineWidth = 1;
  context.strokeStyle = "rgb(255 255 255 / 0.6)";
  const lines = new Path2D();
  lines.addPath(state.lines, new DOMMatrix().scale(width, width));
  context.stroke(lines);
  drawScales(context, state, width);
  drawPair(context, state.thresholds, width);
  drawMarks(context, state, width);
}

/** The pair nearest to any two values: the lower one below the upper. */
function nearestPair(lower, upper) {
  if (lower < upper) return [clamp(lower, 0, GREYS - 2), clamp(upper, 1, GREYS - 1)];
  const low = clamp(Math.floor((lower + upper) / 2), 0, GREYS - 2);
  return [low, low + 1];
}

/** The point on the map: pressed, dragged or touched anywhere on it, and moved by the arrow keys. */
function pointOn(map, { thresholds, move }) {
  const area = el("div", { class: "ct-x-area" });
  const point = el("div", { class: "ct-x-point", role: "application", tabindex: 0, "aria-roledescription": "pair of thresholds",
    "data-lm-suppress-shortcuts": "true", title: "Left and right move the upper threshold, up and down the lower one; with Shift by ten" });
  map.append(area, point);
  point.addEventListener("keydown", (event) => {
    const [lower, upper] = thresholds();
    const step = event.shiftKey ? 10 : 1;
    const to = { ArrowRight: [lower, upper + step], ArrowLeft: [lower, Math.max(upper - step, lower + 1)], ArrowUp: [Math.min(lower + step, upper - 1), upper],
      ArrowDown: [lower - step, upper], PageUp: [Math.min(lower + 10, upper - 1), upper], PageDown: [lower - 10, upper],
      Home: [lower, lower + 1], End: [lower, GREYS - 1] }[event.key];
    if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    move(nearestPair(...to));
  });
  let grip = null; // where on the point it is held, so that it does not jump
  const drag = (event) => {
    const box = map.getBoundingClientRect();
    const [x, y] = [(event.clientX - grip[0] - box.left) / box.width, (event.clientY - grip[1] - box.top) / box.height];
    move(nearestPair(thresholdAt(1 - y), thresholdAt(x)));
  };
  map.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || ![area, point].includes(event.target)) return;
    const box = map.getBoundingClientRect();
    const [lower, upper] = thresholds();
    grip = event.target === point ? [event.clientX - box.left - at(upper) * box.width, event.clientY - box.top - (1 - at(lower)) * box.height] : [0, 0];
    map.setPointerCapture(event.pointerId);
    point.focus({ preventScroll: true });
    event.preventDefault();
    if (event.target === area) drag(event);
  });
  map.addEventListener("pointermove", (event) => { if (grip) drag(event); });
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) map.addEventListener(end, () => { grip = null; });
  return ([lower, upper], text) => {
    [point.style.left, point.style.top] = [`${100 * at(upper)}%`, `${100 * (1 - at(lower))}%`];
    point.setAttribute("aria-label", text);
  };
}

async function render({ model, el: host }) {
  const best = model.get("best");
  const { parts, state, set, show, thresholdHandles } = await thresholded(model, host,
    { title: "Explorer of the κ map", key: [el("i", { class: "ct-x-star", text: "★" }), "best ", el("span", { class: "ct-x-best" })] });
  const tenths = clamp(Math.floor(10 * model.get("highest")) + 1, 1, 10); // the colours end at the tenth above the highest κ
  const levels = Array.from({ length: tenths - 1 }, (_, i) => (i + 1) / 10);
  Object.assign(state, { best, ramp: model.get("ramp"), levels, ends: tenths / 10 });
  const kappas = kappaOfPairs(state.cumulated);
  state.picture = paintMap(kappas, state.ramp, state.ends);
  state.lines = isolines(kappas, levels);
  const highest = fixed(model.get("highest"), 4);
  parts.bar.querySelector(".ct-x-best").textContent = `κ ${highest}`;

  const chart = el("div", { class: "ct-x-chart" });
  parts.bar.before(chart);
  parts.map = el("div", { class: "ct-x-map" });
  parts.root.classList.add("ct-x-mapped");
  chart.append(parts.bar, parts.map, parts.plot, parts.plot.nextElementSibling ?? "");
  const map = plotCanvas(parts.map, `Map of Cohen’s κ over every pair of thresholds, highest (${highest}) at ${best.join(" and ")}`,
    (context, width) => drawMap(context, state, width));
  const strip = plotCanvas(parts.plot, "Histogram of the grey values, by true phase, with both thresholds",
    (context, width, height) => drawHistogram(context, state, width, height));
  const move = (pair) => { if (pair.some((value, i) => value !== state.thresholds[i])) set("thresholds", pair); };
  const setPoint = pointOn(parts.map, { thresholds: () => state.thresholds, move });
  const setHandles = thresholdHandles(() => update());
  const jump = el("button", { type: "button", class: "ct-x-reset", text: "Best pair" });
  jump.addEventListener("click", () => move(best));
  parts.buttons.prepend(jump);

  function update() {
    const result = show();
    map.paint();
    strip.paint();
    setHandles(result);
    setPoint(state.thresholds, `Pair of thresholds ${state.thresholds.join(" and ")}: kappa ${fixed(result.kappa, 4)}, ${result.text}`);
  }

  const stopTheme = followColours(parts.root, state.colours, () => { if (state.thresholds) { map.paint(); strip.paint(); } });
  update();
  model.on("change", update);
  return () => { model.off("change", update); stopTheme(); map.stop(); strip.stop(); };
}

export default { render };
