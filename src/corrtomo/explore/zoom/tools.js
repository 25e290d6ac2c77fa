// How a zoom explorer is moved: pointer, wheel, pinch, double tap and keys; flights to an image; the table of images.
import { clamp, el, newId } from "../explorer.js";
import { swatch } from "../comparison.js";

const TAP = { time: 350, far: 24, still: 5 }; // ms and px of a double tap, px that a tap may wander
const STEP = 1.25; // of a key
const CLOSER = 3; // of a double tap
const SWERVE = 1.4; // how far a flight rises (rho of van Wijk and Nuij)
const PACE = 330; // ms a unit of its path

/**
 * A smooth way from one view to another: out, across and in, at an even perceived speed (van Wijk and Nuij, Smooth and
 * efficient zooming and panning, doi:10.1109/INFVIS.2003.1249004). `at(t)` is the view after a share t of `length`.
 */
export function flightPath(from, to) {
  const [dy, dx] = [to.y_um - from.y_um, to.x_um - from.x_um];
  const [w0, w1, far] = [from.field_um, to.field_um, Math.hypot(dy, dx)];
  const end = (t, view) => (t >= 1 ? { ...to } : view);
  if (far < 1e-9 * Math.max(w0, w1)) {
    const length = Math.abs(Math.log(w1 / w0)) / SWERVE;
    return { length, at: (t) => end(t, { ...from, field_um: w0 * (w1 / w0) ** t }) };
  }
  const r2 = SWERVE ** 2;
  const rise = (sign, w) => -Math.asinh((w1 ** 2 - w0 ** 2 + sign * r2 ** 2 * far ** 2) / (2 * w * r2 * far));
  const [r0, r1] = [rise(1, w0), rise(-1, w1)];
  const length = (r1 - r0) / SWERVE;
  return { length, at: (t) => {
    const s = SWERVE * t * length + r0;
    const share = (w0 / (r2 * far)) * (Math.cosh(r0) * Math.tanh(s) - Math.sinh(r0));
    return end(t, { y_um: from.y_um + share * dy, x_um: from.x_um + share * dx, field_um: (w0 * Math.cosh(r0)) / Math.cosh(s) });
  } };
}

/** Fly from view to view; `move` hears each, `arrive` the last. Who asked for less motion is there at once. */
export function flyer(move, arrive) {
  let frame = 0;
  const stop = () => { cancelAnimationFrame(frame); frame = 0; };
  return { stop, fly: (from, to) => {
    stop();
    const path = flightPath(from, to);
    const time = clamp(PACE * path.length, 250, 2200);
    if (!(path.length > 0) || window.matchMedia("(prefers-reduced-motion: reduce)").matches) { move({ ...to }); arrive(); return; }
    const begin = performance.now();
    const step = (now) => {
      const t = clamp((now - begin) / time, 0, 1);
      move(path.at(t * t * (3 - 2 * t)));
      if (t < 1) frame = requestAnimationFrame(step); else { frame = 0; arrive(); }
    };
    frame = requestAnimationFrame(step);
  } };
}

/**
 * The surface on the picture. `pan(dy, dx)` and `zoom(factor, [top, left])` are in px of the picture, `hover(at)` and
 * `tap(at)` too; `closer(at, factor)` is a double tap, `go(i)` a number key, `whole()` Home, `done()` the end of a move.
 */
export function moveSurface(stage, { pan, zoom, hover, tap, closer, go, whole, done }) {
  const surface = el("div", { class: "ct-x-zooming", tabindex: 0, role: "application", "data-lm-suppress-shortcuts": "true",
    "aria-label": "Picture: arrows move it, plus and minus zoom, Home shows all, number keys go to an image; what lies in the middle is read out" });
  const hint = el("div", { class: "ct-x-wheel", "aria-hidden": "true", text: "Click the picture, then scroll to zoom; or Ctrl and scroll" });
  stage.append(surface, hint);
  const held = new Map(); // pointers on the surface, px
  let [start, moved, last] = [null, false, { time: -Infinity, at: [0, 0] }];
  const place = (event) => {
    const box = surface.getBoundingClientRect();
    return [event.clientY - box.top, event.clientX - box.left];
  };
  const middle = (points) => [0, 1].map((k) => points.reduce((sum, p) => sum + p[k], 0) / points.length);
  const spread = (points) => (points.length > 1 ? Math.hypot(points[0][0] - points[1][0], points[0][1] - points[1][1]) : 0);
  surface.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    if (!held.size) [start, moved] = [place(event), false];
    else moved = true;
    held.set(event.pointerId, place(event));
    surface.setPointerCapture(event.pointerId);
    surface.focus({ preventScroll: true });
    surface.toggleAttribute("data-held", true);
    event.preventDefault();
  });
  surface.addEventListener("pointermove", (event) => {
    const at = place(event);
    if (!held.has(event.pointerId)) { hover(at); return; }
    const before = [...held.values()].slice(0, 2);
    held.set(event.pointerId, at);
    const after = [...held.values()].slice(0, 2);
    if (!moved && Math.hypot(at[0] - start[0], at[1] - start[1]) <= TAP.still) return;
    const from = moved ? middle(before) : start; // what a tap may wander is not lost
    moved = true;
    const to = middle(after);
    pan(to[0] - from[0], to[1] - from[1]);
    if (after.length > 1 && spread(before) > 0) zoom(spread(after) / spread(before), to);
  });
  const release = (event) => {
    if (!held.delete(event.pointerId)) return;
    if (held.size) return;
    surface.toggleAttribute("data-held", false);
    if (event.type !== "pointerup" || moved) { if (moved) done(); return; }
    const now = { time: event.timeStamp, at: place(event) };
    const twice = now.time - last.time < TAP.time && Math.hypot(now.at[0] - last.at[0], now.at[1] - last.at[1]) < TAP.far;
    last = twice ? { time: -Infinity, at: now.at } : now;
    if (twice) closer(now.at, event.shiftKey ? 1 / CLOSER : CLOSER); else tap(now.at);
  };
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) surface.addEventListener(end, release);
  let timer = 0;
  surface.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && document.activeElement !== surface) { // the page scrolls on
      hint.toggleAttribute("data-on", true);
      clearTimeout(timer);
      timer = setTimeout(() => hint.toggleAttribute("data-on", false), 1200);
      return;
    }
    event.preventDefault();
    hint.toggleAttribute("data-on", false);
    const lines = event.deltaMode === 1 ? 24 : event.deltaMode === 2 ? 240 : 1;
    zoom(Math.exp(-clamp(event.deltaY * lines, -240, 240) * (event.ctrlKey && Math.abs(event.deltaY) < 50 ? 0.01 : 0.0022)), place(event));
    clearTimeout(timer);
    timer = setTimeout(done, 150);
  }, { passive: false });
  surface.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { height, width } = surface.getBoundingClientRect();
    const far = (event.shiftKey ? 0.5 : 0.1) * Math.min(height, width);
    const by = { ArrowUp: [far, 0], ArrowDown: [-far, 0], ArrowLeft: [0, far], ArrowRight: [0, -far] }[event.key];
    const factor = { "+": STEP, "=": STEP, "-": 1 / STEP, _: 1 / STEP, PageUp: CLOSER, PageDown: 1 / CLOSER }[event.key];
    const centre = [height / 2, width / 2];
    const act = (by && (() => pan(...by))) ?? (factor && (() => zoom(factor, centre))) ?? (event.key === "Home" ? whole : null)
      ?? (/^[1-9]$/.test(event.key) ? () => go(Number(event.key) - 1) : null);
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
    if (by || factor) { tap(centre); done(); }
  });
  return () => clearTimeout(timer);
}

/**
 * The images as a table: shown or not, which one the slider adjusts, the colour of its frame, its value at the cursor, and
 * where `errors` are known, that of the finest image there in the frame of each.
 */
export function imageTable(parent, goals, { change, choose, errors }) {
  const name = newId();
  const rows = goals.map((goal, i) => {
    const box = el("input", { type: "checkbox", "aria-label": `show ${goal.name}`, "data-lm-suppress-shortcuts": "true" });
    box.addEventListener("change", () => change(i, { on: box.checked }));
    const radio = el("input", { type: "radio", name, value: goal.name, "data-lm-suppress-shortcuts": "true" });
    radio.addEventListener("change", () => choose(i));
    const [value, error] = [el("span", { class: "ct-x-value" }), el("span", { class: "ct-x-error" })];
    const words = el("label", {}, radio, ...(i ? [swatch(goal.colour)] : []), el("span", { text: goal.name }));
    return { box, radio, value, error, node: el("tr", {}, el("td", {}, box), el("th", { scope: "row" }, words), el("td", {}, value, ...(errors ? [error] : []))) };
  });
  parent.append(el("table", { class: "ct-x-layers", "aria-label": "Images, and their values at the cursor" },
    el("thead", {}, el("tr", {}, ...["show", "adjust"].map((text) => el("th", { scope: "col", text })),
      el("th", { scope: "col" }, "at the cursor", ...(errors ? [el("span", { text: "known to" })] : [])))),
    el("tbody", {}, ...rows.map(({ node }) => node))));
  return { show: (layers, chosen) => rows.forEach(({ box, radio, node }, i) => {
    box.checked = layers[i].on;
    radio.checked = i === chosen;
    node.toggleAttribute("data-chosen", i === chosen);
  }),
  read: (texts, sure) => rows.forEach(({ value, error }, i) => { [value.textContent, error.textContent] = [texts[i], sure[i]]; }) };
}
