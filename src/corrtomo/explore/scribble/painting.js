// What is painted: a label image of one byte a pixel, strokes that can be undone, and the brush by mouse, pen, touch and keys.
import { clamp, el } from "../explorer.js";

export const BLANK = 255;

/** Pixels within a disc around a point, the pixel under the point always. */
function disc(x, y, size, columns, rows, visit) {
  const radius = size / 2;
  const under = [Math.floor(x), Math.floor(y)];
  for (let r = Math.max(0, Math.floor(y - radius)); r <= Math.min(rows - 1, Math.ceil(y + radius)); r += 1)
    for (let c = Math.max(0, Math.floor(x - radius)); c <= Math.min(columns - 1, Math.ceil(x + radius)); c += 1)
      if ((c + 0.5 - x) ** 2 + (r + 0.5 - y) ** 2 <= radius ** 2 || (c === under[0] && r === under[1])) visit(r * columns + c);
}

/** Labels that can be painted, and every stroke taken back; `changed(pixel, before, after)` hears of each pixel. */
export const Painting = class {
  constructor(columns, rows, changed) {
    Object.assign(this, { columns, rows, changed, codes: new Uint8Array(columns * rows).fill(BLANK), done: [], undone: [], stroke: null });
  }

  begin() { this.stroke = new Map(); }

  /** Paint one pixel as part of the stroke. */
  put(pixel, code) {
    const before = this.codes[pixel];
    if (before === code) return;
    if (!this.stroke.has(pixel)) this.stroke.set(pixel, before);
    this.codes[pixel] = code;
    this.changed(pixel, before, code);
  }

  /** Draw with the brush from one point to another. */
  line([x0, y0], [x1, y1], size, code) {
    const steps = Math.max(1, Math.ceil(Math.hypot(x1 - x0, y1 - y0) / Math.max(0.5, size / 4)));
    for (let i = 0; i <= steps; i += 1)
      disc(x0 + ((x1 - x0) * i) / steps, y0 + ((y1 - y0) * i) / steps, size, this.columns, this.rows, (pixel) => this.put(pixel, code));
  }

  /** End the stroke; returns whether it changed anything. */
  end() {
    const before = this.stroke;
    this.stroke = null;
    if (!before?.size) return false;
    this.done.push([...before].map(([pixel, code]) => [pixel, code, this.codes[pixel]]));
    this.undone = [];
    return true;
  }

  undo() { return this.move(this.done, this.undone, 1); }

  redo() { return this.move(this.undone, this.done, 2); }

  move(from, to, which) {
    const stroke = from.pop();
    if (!stroke) return false;
    for (const entry of stroke) {
      const before = this.codes[entry[0]];
      this.codes[entry[0]] = entry[which];
      this.changed(entry[0], before, entry[which]);
    }
    to.push(stroke);
    return true;
  }

  /** Replace all labels, as one stroke. */
  replace(codes) {
    this.begin();
    codes.forEach((code, pixel) => this.put(pixel, code));
    return this.end();
  }
};

/**
 * The brush on a picture. `tool()` is { size, code }; `draw(from, to)`, `begin()` and `end()` paint; `moved(x, y)` hears
 * where the keyboard takes the brush. Arrows move it, with Shift they paint; Space dabs.
 */
export function brush(stage, { columns, rows, label, tool, begin, draw, end, moved }) {
  const ring = el("div", { class: "ct-x-ring", "aria-hidden": "true" });
  const surface = el("div", { class: "ct-x-surface", tabindex: 0, role: "application", "aria-label": label, "data-lm-suppress-shortcuts": "true" }, ring);
  stage.append(surface);
  let at = [columns / 2, rows / 2];
  let held = null;
  const follow = () => {
    ring.style.left = `${(100 * at[0]) / columns}%`;
    ring.style.top = `${(100 * at[1]) / rows}%`;
    ring.style.width = `${(100 * tool().size) / columns}%`;
    ring.style.borderColor = tool().colour;
  };
  const place = (event) => {
    const box = surface.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * columns, ((event.clientY - box.top) / box.height) * rows];
  };
  const erases = (event) => (event.buttons & 32) !== 0; // the far end of a pen
  surface.addEventListener("pointerdown", (event) => {
    if (held !== null || (event.button !== 0 && !erases(event))) return;
    held = event.pointerId;
    surface.setPointerCapture(held);
    surface.focus({ preventScroll: true });
    event.preventDefault();
    at = place(event);
    begin();
    draw(at, at, erases(event));
    follow();
  });
  surface.addEventListener("pointermove", (event) => {
    if (held !== null && event.pointerId !== held) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const step of held !== null && events.length ? events : [event]) {
      const next = place(step);
      if (held !== null) draw(at, next, erases(event));
      at = next;
    }
    follow();
  });
  const release = (event) => {
    if (event.pointerId !== held) return;
    held = null;
    end();
  };
  for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) surface.addEventListener(name, release);
  surface.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || held !== null) return;
    const step = Math.max(1, Math.round(tool().size / 2));
    const by = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
    if (!by && event.key !== " ") return;
    event.preventDefault();
    event.stopPropagation();
    const from = at.map((v, i) => clamp(Math.floor(v), 0, [columns, rows][i] - 1) + 0.5);
    at = by ? from.map((v, i) => clamp(v + by[i], 0.5, [columns, rows][i] - 0.5)) : from;
    if (!by || event.shiftKey) {
      begin();
      draw(by ? from : at, at, false);
      end();
    }
    surface.toggleAttribute("data-keys", true);
    follow();
    moved(...at.map(Math.floor));
  });
  surface.addEventListener("pointerenter", () => surface.removeAttribute("data-keys"));
  return { surface, follow };
}
