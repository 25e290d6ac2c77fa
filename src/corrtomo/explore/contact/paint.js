// A plane of labels with the border of one phase drawn on it, as packed RGBA: the same pixels as corrtomo.show.contact paints.
import { clamp, rgb } from "../explorer.js";
import { eachFace } from "./count.js";

export const packed = (hex) => { const [r, g, b] = rgb(hex); return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0; };

/** Each voxel becomes `fine` by `fine` pixels. */
function fillVoxels(pixels, plane, columns, fine, colours) {
  const width = columns * fine;
  for (let r = 0; r < plane.length / columns; r += 1) {
    const line = r * fine * width;
    for (let c = 0; c < columns; c += 1) pixels.fill(colours[plane[r * columns + c]], line + c * fine, line + (c + 1) * fine);
    for (let i = 1; i < fine; i += 1) pixels.copyWithin(line + i * width, line, line + width);
  }
}

function fillBox(pixels, width, [top, bottom], [left, right], colour) {
  const height = pixels.length / width;
  const [first, last] = [clamp(left, 0, width), clamp(right, 0, width)];
  for (let y = clamp(top, 0, height); y < clamp(bottom, 0, height); y += 1) pixels.fill(colour, y * width + first, y * width + last);
}

/**
 * Paint a plane: phases by the table `colours`, and over them the border of `of`, [high, wide] pixels thick: where it touches
 * `touching` in `contact`, elsewhere in `lost`. What is lost lies on top, so that a gap of one voxel is seen.
 */
export function paintPlane(pixels, plane, { columns, fine, colours, of, touching, thick, contact, lost }) {
  fillVoxels(pixels, plane, columns, fine, colours);
  if (!thick) return;
  const [high, wide] = thick;
  const [up, left] = [high >> 1, wide >> 1];
  for (const met of [true, false]) {
    const colour = met ? contact : lost;
    eachFace(plane, columns, of, (r, c, down, other) => {
      if ((other === touching) !== met) return;
      const [y, x] = [(r + (down ? 1 : 0)) * fine - up, (c + (down ? 0 : 1)) * fine - left];
      const long = down ? [high, fine + wide] : [fine + high, wide];
      fillBox(pixels, columns * fine, [y, y + long[0]], [x, x + long[1]], colour);
    });
  }
}
