// The picture of an overlay, pixel by pixel: the same as corrtomo.explore.overlay.paint paints.
import { rgb } from "../explorer.js";

/** Colour of each value of a layer as three numbers, as if it were alone. */
function toneTable(about, shown) {
  if (about.kind === "classes") {
    const table = new Float64Array(3 * 256);
    for (const [code, , colour] of about.table) table.set(rgb(colour), 3 * code);
    return table;
  }
  const [full, many] = about.kind === "counts" ? [about.full, about.most + 1] : [255, 256];
  const colour = rgb(shown.colour);
  const table = new Float64Array(3 * many);
  for (let v = 0; v < many; v += 1) {
    const tone = Math.min(Math.max(shown.gain * (v / full), 0), 1) ** shown.gamma;
    for (let k = 0; k < 3; k += 1) table[3 * v + k] = tone * colour[k];
  }
  return table;
}

/** What one side shows, ready to be painted: the layers that cover each other, and those that are added. */
function sideOf(layers, side) {
  const covers = [];
  const adds = [];
  for (const { about, shown, values, known } of layers) {
    const alone = side === shown.name;
    const opacity = alone ? 1 : shown.opacity * shown.on;
    if (!opacity || !(alone || side === "blend" || (side === "maps" && about.kind === "counts"))) continue;
    const table = toneTable(about, shown);
    if (about.kind === "counts") adds.push({ values, table: table.map((v) => opacity * v) });
    else covers.push({ values, known, table, opacity });
  }
  return { covers, adds };
}

/** Paint what one side shows: an image by its name, all maps alone, or all layers together. */
export function paintSide(pixels, layers, side) {
  const { covers, adds } = sideOf(layers, side);
  for (let i = 0; i < pixels.length; i += 1) {
    let r = 0;
    let g = 0;
    let b = 0;
    for (let k = 0; k < covers.length; k += 1) {
      const { values, known, table, opacity } = covers[k];
      if (!known[i]) continue;
      const at = 3 * values[i];
      r += opacity * (table[at] - r);
      g += opacity * (table[at + 1] - g);
      b += opacity * (table[at + 2] - b);
    }
    for (let k = 0; k < adds.length; k += 1) {
      const { values, table } = adds[k];
      const at = 3 * values[i];
      r += table[at];
      g += table[at + 1];
      b += table[at + 2];
    }
    pixels[i] = (255 << 24) | ((b > 255 ? 255 : b) << 16) | ((g > 255 ? 255 : g) << 8) | (r > 255 ? 255 : r);
  }
}

/** Columns at which a row of squares changes sides. */
function edgesOf(columns, squares) {
  const edge = columns / squares;
  const edges = [0];
  for (let c = 1; c < columns; c += 1) if (Math.floor(c / edge) !== Math.floor((c - 1) / edge)) edges.push(c);
  return [...edges, columns];
}

/** Put two painted sides together: beside a divider, or in squares in turn. */
export function joinSides(pixels, columns, both, { mode, divider, squares }) {
  const edges = mode === "swipe" ? [0, Math.floor(divider * columns + 0.5), columns] : edgesOf(columns, squares);
  const edge = columns / squares;
  for (let r = 0, at = 0; at < pixels.length; r += 1, at += columns) {
    const first = mode === "swipe" ? 0 : Math.floor(r / edge);
    for (let e = 0; e + 1 < edges.length; e += 1) {
      const [from, to] = [at + edges[e], at + edges[e + 1]];
      pixels.set(both[(first + e) % 2].subarray(from, to), from);
    }
  }
}
