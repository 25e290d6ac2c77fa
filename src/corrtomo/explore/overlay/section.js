// A section moved by hand through a volume, and how well that fits: in the same steps as corrtomo.explore.overlay.section.

export const BIN_SHIFT = 3; // 32 bins of 8-bit grey values
const BINS = 256 >> BIN_SHIFT;
const LEAST = 0.1; // share of the section that must lie in the volume
const TOUCH = 1e-6; // voxels: what lies on the last voxel is inside, however floats round

/** Turn about a vector over (z, y, x), its length in degrees. */
function turnAbout(vector) {
  const angle = (Math.hypot(...vector) * Math.PI) / 180;
  const [a, b, c] = angle ? vector.map((v) => (v * Math.PI) / 180 / angle) : [0, 0, 0];
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const cross = [[0, -c, b], [c, 0, -a], [-b, a, 0]];
  const axis = [a, b, c];
  return cross.map((row, i) => row.map((v, j) => (i === j ? cos : 0) + sin * v + (1 - cos) * axis[i] * axis[j]));
}

/** Where a pose leads: place = linear · (0, y, x) + shift, over (z, y, x) in µm. */
function leadsTo(pose, { centre, scale }) {
  const [tilt, turned] = [[0, pose.tilt_y_deg, pose.tilt_x_deg], [pose.turn_deg, 0, 0]].map(turnAbout);
  const linear = tilt.map((row) => [0, 1, 2].map((j) => scale * row.reduce((sum, v, k) => sum + v * turned[k][j], 0)));
  const target = [pose.depth_um, centre[0] + pose.shift_y_um, centre[1] + pose.shift_x_um];
  return { linear, shift: target.map((v, i) => v - linear[i][1] * centre[0] - linear[i][2] * centre[1]) };
}

/** The grid of blocks of so many pixels along each axis. */
export const coarserPlane = (plane, block) => ({ ...plane, rows: Math.floor(plane.rows / block), columns: Math.floor(plane.columns / block),
  origin: plane.origin.map((v, i) => v + ((block - 1) / 2) * plane.step[i]), step: plane.step.map((v) => block * v) });

/** The mean of four voxels of a slice, by how near they are. */
function mixed4(values, a, right, below, fx, fy) {
  const top = values[a] + fx * (values[a + right] - values[a]);
  const b = a + below;
  return top + fy * (values[b] + fx * (values[b + right] - values[b]) - top);
}

/** Sample a stack on a plane, linearly, to whole grey values; `out` is { values, known }, bytes of each pixel. */
export function cutPlane(stack, plane, pose, out) {
  const { linear, shift } = leadsTo(pose, plane);
  const [deep, high, wide] = stack.shape;
  const { values } = stack;
  const last = stack.shape.map((n) => n - 1);
  const [from, down, across] = [(i) => linear[i][1] * plane.origin[0] + linear[i][2] * plane.origin[1] + shift[i] - stack.origin[i],
    (i) => linear[i][1] * plane.step[0], (i) => linear[i][2] * plane.step[1]].map((f) => [0, 1, 2].map((i) => f(i) / stack.step[i]));
  const layer = high * wide;
  const [zEnd, yEnd, xEnd] = last;
  const [dz, dy, dx] = across;
  for (let r = 0, at = 0; r < plane.rows; r += 1) {
    const z0 = from[0] + r * down[0];
    const y0 = from[1] + r * down[1];
    const x0 = from[2] + r * down[2];
    for (let c = 0; c < plane.columns; c += 1, at += 1) {
      let z = z0 + c * dz;
      let y = y0 + c * dy;
      let x = x0 + c * dx;
      if (!(z >= -TOUCH && z <= zEnd + TOUCH && y >= -TOUCH && y <= yEnd + TOUCH && x >= -TOUCH && x <= xEnd + TOUCH)) {
        out.values[at] = 0;
        out.known[at] = 0;
        continue;
      }
      z = z < 0 ? 0 : z > zEnd ? zEnd : z;
      y = y < 0 ? 0 : y > yEnd ? yEnd : y;
      x = x < 0 ? 0 : x > xEnd ? xEnd : x;
      const k = z | 0;
      const j = y | 0;
      const i = x | 0;
      const fx = x - i;
      const fy = y - j;
      const a = k * layer + j * wide + i;
      const right = i < xEnd ? 1 : 0;
      const below = j < yEnd ? wide : 0;
      const under = k < zEnd ? layer : 0;
      const upper = mixed4(values, a, right, below, fx, fy);
      out.values[at] = upper + (z - k) * (mixed4(values, a + under, right, below, fx, fy) - upper) + 0.5 + TOUCH; // cut to a whole number
      out.known[at] = 1;
    }
  }
  return out;
}

/** Average blocks of pixels to whole grey values; one is known if all of its pixels are. */
export function blockGreys({ values, known }, columns, block) {
  const wide = Math.floor(columns / block);
  const high = Math.floor(values.length / columns / block);
  const out = { values: new Uint8Array(wide * high), known: new Uint8Array(wide * high) };
  const number = block * block;
  for (let r = 0, at = 0; r < high; r += 1) {
    for (let c = 0; c < wide; c += 1, at += 1) {
      let sum = 0;
      let seen = 0;
      for (let i = 0; i < number; i += 1) {
        const place = (r * block + Math.floor(i / block)) * columns + c * block + (i % block);
        sum += values[place];
        seen += known[place];
      }
      out.values[at] = Math.floor((2 * sum + number) / (2 * number));
      out.known[at] = Number(seen === number);
    }
  }
  return out;
}

/** Mutual information of 8-bit grey values in nats, less what so few pairs show by chance; NaN of too few pixels. */
export function mutualInformation(first, other) {
  const joint = new Uint32Array(BINS * BINS);
  let number = 0;
  for (let i = 0; i < first.values.length; i += 1) {
    if (!(first.known[i] && other.known[i])) continue;
    joint[(first.values[i] >> BIN_SHIFT) * BINS + (other.values[i] >> BIN_SHIFT)] += 1;
    number += 1;
  }
  if (number < LEAST * first.values.length) return NaN;
  const [rows, columns] = [new Float64Array(BINS), new Float64Array(BINS)];
  joint.forEach((n, i) => { rows[Math.floor(i / BINS)] += n; columns[i % BINS] += n; });
  let [sum, used] = [0, 1 - rows.filter(Boolean).length - columns.filter(Boolean).length];
  joint.forEach((n, i) => {
    if (!n) return;
    sum += (n / number) * Math.log((n * number) / (rows[Math.floor(i / BINS)] * columns[i % BINS]));
    used += 1;
  });
  return sum - used / (2 * number);
}

/** Which value is largest; -1 where none is a number. */
export const bestOf = (values) => values.reduce((best, v, i) => (Number.isFinite(v) && !(v <= values[best]) ? i : best), -1);
