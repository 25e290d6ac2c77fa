// The picture of a zoom explorer: images of all scales under one view, the frames of those that are finer, a scale bar.
import { clamp, el, rgb, roundLength } from "../explorer.js";

const RING = 9; // px: a frame smaller than this is shown by a ring about it
const FONT = "600 13px system-ui, sans-serif";
const LABELLED = 46; // px across from which on a frame has its name at its corner

/** A length in mm, µm or nm, with three digits, as Python says it. */
export function sayLength(um) {
  const rounded = Number(um.toPrecision(3));
  const [factor, unit] = [[1000, "mm"], [1, "µm"], [0.001, "nm"]].find(([f]) => rounded >= f) ?? [0.001, "nm"];
  return `${Number((rounded / factor).toPrecision(3))} ${unit}`;
}

/** The inverse of [[a, b], [c, d]]. */
function inverse2([[a, b], [c, d]]) {
  const det = a * d - b * c;
  return [[d / det, -b / det], [-c / det, a / det]];
}

/** Bytes of one image as RGBA in a canvas, and ever coarser copies of it, each of half the size. */
function pyramid({ about, values, known }) {
  const [rows, columns] = about.shape;
  const image = new ImageData(columns, rows);
  const out = new Uint32Array(image.data.buffer);
  const colours = Uint32Array.from({ length: 256 }, (_, i) => (255 << 24) | (i << 16) | (i << 8) | i);
  for (const [code, , colour] of about.table ?? []) {
    const [r, g, b] = rgb(colour);
    colours[code] = (255 << 24) | (b << 16) | (g << 8) | r;
  }
  for (let i = 0; i < out.length; i += 1) {
    if (!known[i]) continue;
    out[i] = about.kind === "colour" ? (255 << 24) | (values[3 * i + 2] << 16) | (values[3 * i + 1] << 8) | values[3 * i] : colours[values[i]];
  }
  const first = el("canvas", { width: columns, height: rows });
  first.getContext("2d").putImageData(image, 0, 0);
  const levels = [first];
  while (Math.max(levels.at(-1).width, levels.at(-1).height) > 4) {
    const last = levels.at(-1);
    const next = el("canvas", { width: Math.ceil(last.width / 2), height: Math.ceil(last.height / 2) });
    const context = next.getContext("2d");
    context.imageSmoothingEnabled = true;
    context.drawImage(last, 0, 0, next.width, next.height);
    levels.push(next);
  }
  return levels;
}

/** Cut the bytes of the page into layers: what each is, its values, and where a place lies in it. */
export function makeLayers(abouts, pixels, known) {
  let [at, seen] = [0, 0];
  return abouts.map((about) => {
    const [rows, columns] = about.shape;
    const size = rows * columns;
    const deep = about.kind === "colour" ? 3 : 1;
    const layer = { about, values: pixels.subarray(at, at + deep * size), known: known.subarray(seen, seen + size) };
    [at, seen] = [at + deep * size, seen + size];
    const [, [a, b, y0], [c, d, x0]] = about.matrix;
    const back = inverse2([[a, b], [c, d]]);
    const index = ([y, x]) => back.map(([p, q]) => p * (y - y0) + q * (x - x0)); // row and column of a place
    return { ...layer, index, linear: [[a, b], [c, d]], start: [y0, x0], levels: pyramid(layer) };
  });
}

/** What is read of a layer at a place: its value in words, a dash where it has none. */
export function readLayer({ about, values, known, index }, place) {
  const [r, c] = index(place).map((v) => Math.floor(v + 0.5));
  const [rows, columns] = about.shape;
  const i = r * columns + c;
  if (!(r >= 0 && r < rows && c >= 0 && c < columns && known[i])) return "–";
  if (about.kind === "colour") return [0, 1, 2].map((k) => values[3 * i + k]).join(", ");
  if (about.kind === "classes") return about.table.find(([code]) => code === values[i])[1];
  if (about.low === 0 && about.high === 255) return String(values[i]);
  return `${Number((about.low + (values[i] * (about.high - about.low)) / 255).toPrecision(3))} ${about.unit}`.trim();
}

/** Depth of the plane of a layer at a place, z in µm of the picture's frame. */
export function depthAt({ about, index }, place) {
  const [r, c] = index(place);
  const [[a, b, z0]] = about.matrix;
  return a * r + b * c + z0;
}

/** Places on the screen, px, of places in µm, and back. */
export function camera(view, width, height) {
  const scale = Math.min(width, height) / view.field_um; // px a µm
  return { scale, width, height,
    screen: ([y, x]) => [height / 2 + (y - view.y_um) * scale, width / 2 + (x - view.x_um) * scale],
    place: ([top, left]) => [view.y_um + (top - height / 2) / scale, view.x_um + (left - width / 2) / scale] };
}

/** Draw one image: only the pixels in view, so that a transform never holds numbers that floats cannot. */
function drawLayer(context, layer, shown, eye, ratio) {
  const [rows, columns] = layer.about.shape;
  const ends = [[0, 0], [0, eye.width], [eye.height, 0], [eye.height, eye.width]].map((corner) => layer.index(eye.place(corner)));
  const bounds = [0, 1].map((k) => ends.map((end) => end[k] + 0.5)); // in pixels from the first one's edge
  const linear = layer.linear.map((row) => row.map((v) => v * eye.scale * ratio)); // screen px a pixel
  const size = Math.sqrt(Math.abs(linear[0][0] * linear[1][1] - linear[0][1] * linear[1][0]));
  const level = clamp(Math.floor(-Math.log2(size)), 0, layer.levels.length - 1);
  const source = layer.levels[level];
  const [down, across] = [source.height / rows, source.width / columns];
  const [top, bottom] = [Math.floor(Math.min(...bounds[0]) * down) - 1, Math.ceil(Math.max(...bounds[0]) * down) + 1].map((v) => clamp(v, 0, source.height));
  const [left, right] = [Math.floor(Math.min(...bounds[1]) * across) - 1, Math.ceil(Math.max(...bounds[1]) * across) + 1].map((v) => clamp(v, 0, source.width));
  if (bottom <= top || right <= left) return;
  const [r, c] = [top / down - 0.5, left / across - 0.5];
  const [y, x] = eye.screen([0, 1].map((k) => layer.start[k] + layer.linear[k][0] * r + layer.linear[k][1] * c));
  context.globalAlpha = shown.opacity;
  context.imageSmoothingEnabled = size < 1;
  context.setTransform(linear[1][1] / across, linear[0][1] / across, linear[1][0] / down, linear[0][0] / down, x * ratio, y * ratio);
  context.drawImage(source, left, top, right - left, bottom - top, 0, 0, right - left, bottom - top);
}

/** The part of a line that lies in a box about the screen; null where there is none. */
function clipped([y0, x0], [y1, x1], { width, height }) {
  const margin = 50;
  let [from, to] = [0, 1];
  for (const [start, step, end] of [[y0, y1 - y0, height], [x0, x1 - x0, width]]) {
    if (step === 0 && (start < -margin || start > end + margin)) return null;
    if (step === 0) continue;
    const [a, b] = [(-margin - start) / step, (end + margin - start) / step];
    [from, to] = [Math.max(from, Math.min(a, b)), Math.min(to, Math.max(a, b))];
  }
  if (from > to) return null;
  return [from, to].map((t) => [y0 + t * (y1 - y0), x0 + t * (x1 - x0)]);
}

/** Write a name; what would not fit is shifted to the left, to end at `most`. */
function write(context, text, left, top, most) {
  [context.font, context.lineWidth, context.lineJoin] = [FONT, 3, "round"];
  [context.strokeStyle, context.fillStyle] = ["rgb(0 0 0 / 0.8)", "#ffffff"];
  left = Math.max(4, Math.min(left, most - context.measureText(text).width));
  context.strokeText(text, left, top);
  context.fillText(text, left, top);
}

/** Draw the frames of images; those too small to be seen as rings, with the names of all that lie in one. */
function drawFrames(context, goals, eye) {
  const rings = [];
  for (const goal of goals) {
    const points = goal.corners.map(eye.screen);
    const [low, high] = [0, 1].map((k) => points.map((p) => p[k])).reduce(([a, b], v) => [[...a, Math.min(...v)], [...b, Math.max(...v)]], [[], []]);
    if (high[0] < 0 || high[1] < 0 || low[0] > eye.height || low[1] > eye.width) continue;
    if (Math.max(high[0] - low[0], high[1] - low[1]) < 2 * RING) {
      const at = [0, 1].map((k) => (low[k] + high[k]) / 2);
      const near = rings.find((ring) => Math.hypot(ring.at[0] - at[0], ring.at[1] - at[1]) < 2 * RING);
      if (near) near.names.push(goal.name); else rings.push({ at, names: [goal.name], colour: goal.colour });
      continue;
    }
    context.beginPath();
    points.forEach((point, i) => {
      const line = clipped(point, points[(i + 1) % 4], eye);
      if (line) { context.moveTo(line[0][1], line[0][0]); context.lineTo(line[1][1], line[1][0]); }
    });
    stroke(context, goal.colour);
    const [top, left] = points.reduce((best, point) => (point[0] < best[0] ? point : best));
    if (high[1] - low[1] > LABELLED && top > 16 && left > 0 && left < eye.width) write(context, goal.name, left, top - 6, eye.width - 4);
  }
  for (const { at, names, colour } of rings) {
    context.beginPath();
    context.arc(at[1], at[0], RING, 0, 2 * Math.PI);
    stroke(context, colour);
    const text = names.join(", ");
    const right = at[1] + RING + 5;
    context.font = FONT;
    if (right + context.measureText(text).width < eye.width - 4) write(context, text, right, at[0] + 4, eye.width);
    else write(context, text, right, at[0] - RING - 6, eye.width - 4); // above it
  }
}

function stroke(context, colour) {
  [context.strokeStyle, context.lineWidth] = ["rgb(0 0 0 / 0.6)", 4];
  context.stroke();
  [context.strokeStyle, context.lineWidth] = [colour, 2];
  context.stroke();
}

/** Draw all layers that are on, from coarse to fine, and the frames of all but the coarsest. */
export function drawView(context, layers, goals, { view, shown, frames, cursor }, width, height) {
  const ratio = context.canvas.width / width;
  const eye = camera(view, width, height);
  context.save();
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.fillStyle = "#000000";
  context.fillRect(0, 0, context.canvas.width, context.canvas.height);
  layers.forEach((layer, i) => { if (shown[i].on && shown[i].opacity > 0) drawLayer(context, layer, shown[i], eye, ratio); });
  context.restore();
  if (frames) drawFrames(context, goals.filter((_, i) => i && shown[i].on), eye);
  const [y, x] = eye.screen(cursor);
  for (const [colour, thick] of [["rgb(0 0 0 / 0.7)", 3], ["#ffffff", 1.5]]) {
    context.beginPath();
    for (const [dy, dx] of [[0, 1], [0, -1], [1, 0], [-1, 0]]) {
      context.moveTo(x + 3 * dx, y + 3 * dy);
      context.lineTo(x + 9 * dx, y + 9 * dy);
    }
    [context.strokeStyle, context.lineWidth] = [colour, thick];
    context.stroke();
  }
}

/** A scale bar of a round length in mm, µm or nm. */
export function scaleBar(stage) {
  const text = el("span");
  const bar = el("div", { class: "ct-x-scale" }, text);
  stage.append(bar);
  return (field) => {
    const length = roundLength(field / 3);
    bar.style.width = `${(100 * length) / field}%`;
    text.textContent = sayLength(length);
  };
}
