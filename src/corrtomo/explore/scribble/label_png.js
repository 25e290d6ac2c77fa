// Scribbles as a file: 8-bit grey PNG, written and read here byte by byte, as a canvas would mix colours and transparency
// into labels. Its head, with pixel size and classes, is Python's own, so that `ct.read` has all of it back.

const MAGIC = [137, 80, 78, 71, 13, 10, 26, 10];

const CRC = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k += 1) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

function crc(bytes) {
  let c = 0xffffffff;
  for (const byte of bytes) c = CRC[(c ^ byte) & 255] ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

const through = async (bytes, stream) => new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());

/** Bytes as Python's gzip packs them. */
export const gzip = (bytes) => through(bytes, new CompressionStream("gzip"));

function chunk(kind, data) {
  const bytes = new Uint8Array(12 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set([...kind].map((letter) => letter.charCodeAt(0)), 4);
  bytes.set(data, 8);
  view.setUint32(8 + data.length, crc(bytes.subarray(4, 8 + data.length)));
  return bytes;
}

/** Write labels as PNG, behind the head that Python has made for them. */
export async function writePng(head, labels, columns) {
  const rows = labels.length / columns;
  const lines = new Uint8Array(rows * (columns + 1)); // each begins with its filter: none
  for (let r = 0; r < rows; r += 1) lines.set(labels.subarray(r * columns, (r + 1) * columns), r * (columns + 1) + 1);
  return new Blob([head, chunk("IDAT", await through(lines, new CompressionStream("deflate"))), chunk("IEND", [])], { type: "image/png" });
}

/** The predictor of PNG's fourth filter. */
function paeth(left, up, corner) {
  const [a, b, c] = [left, up, corner].map((v) => Math.abs(left + up - corner - v));
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}

function unfilter(lines, rows, columns) {
  const out = new Uint8Array(rows * columns);
  for (let r = 0; r < rows; r += 1) {
    const kind = lines[r * (columns + 1)];
    for (let x = 0, at = r * columns; x < columns; x += 1, at += 1) {
      const left = x ? out[at - 1] : 0;
      const up = r ? out[at - columns] : 0;
      const add = [0, left, up, (left + up) >> 1, paeth(left, up, x && r ? out[at - columns - 1] : 0)][kind];
      out[at] = lines[r * (columns + 1) + 1 + x] + add;
    }
  }
  return out;
}

/** Read labels from an 8-bit grey PNG; what is refused is said in words that a reader can act on. */
export async function readPng(bytes, { rows, columns }) {
  if (!MAGIC.every((byte, i) => bytes[i] === byte)) throw new Error("it is not a PNG. An 8-bit grey PNG is needed, for instance one that was saved here");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const packed = [];
  for (let at = 8; at + 12 <= bytes.length;) {
    const size = view.getUint32(at);
    const kind = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (kind === "IDAT") packed.push(bytes.subarray(at + 8, at + 8 + size));
    at += 12 + size;
  }
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  if (width !== columns || height !== rows) throw new Error(`it has ${width} × ${height} pixels, and the image has ${columns} × ${rows}. Take scribbles of this image`);
  if (bytes[24] !== 8 || bytes[25] !== 0 || bytes[28] !== 0) throw new Error("its pixels are not plain 8-bit grey. Save it so first, for instance in Fiji");
  const lines = await through(new Blob(packed), new DecompressionStream("deflate")).catch(() => new Uint8Array());
  if (lines.length !== rows * (columns + 1)) throw new Error("it is truncated or damaged. Take a whole file");
  return unfilter(lines, rows, columns);
}
