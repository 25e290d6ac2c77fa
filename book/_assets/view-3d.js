// Brings the 3D views of a page to life with plotly.js, once they come near the screen. Where that fails the
// picture stays: it is the same view.
const STEP = Math.PI / 24;

let library;
function plotly() {
  library ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL("./plotly.min.js", import.meta.url);
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => reject(new Error("plotly.min.js is missing"));
    document.head.append(script);
  });
  return library;
}

const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

/** Read rows of integers as Python packed them: gzip, bytes by rank, differences. */
async function reader(text) {
  const stream = new Blob([bytes(text)]).stream().pipeThrough(new DecompressionStream("gzip"));
  const packed = new Uint8Array(await new Response(stream).arrayBuffer());
  let at = 0;
  return (length) => {
    const row = new Int32Array(length);
    for (let i = 0, sum = 0; i < length; i++) {
      const [a, b, c, d] = [0, 1, 2, 3].map((rank) => packed[at + rank * length + i]);
      row[i] = sum = (sum + (a | (b << 8) | (c << 16) | (d << 24))) | 0;
    }
    at += 4 * length;
    return row;
  };
}

async function traces({ looks, origin, quantum, packed }) {
  const row = await reader(packed);
  return looks.map(({ corners, triangles, values, ...look }) => {
    const trace = { ...look };
    ["x", "y", "z"].forEach((name, axis) => {
      trace[name] = Float32Array.from(row(corners), (step) => origin[axis] + step * quantum[axis]);
    });
    const all = row(3 * triangles);
    ["i", "j", "k"].forEach((name, n) => { trace[name] = Int32Array.from({ length: triangles }, (_, t) => all[3 * t + n]); });
    if (values) trace.intensity = Float32Array.from(row(corners), (v) => values[0] + (v / 255) * (values[1] - values[0]));
    return trace;
  });
}

/** Ink and lines of the page's mode, light or dark. */
function inks() {
  const dark = document.documentElement.dataset.theme === "dark";
  return dark ? { ink: "#e8eaed", line: "#4a535c" } : { ink: "#1f2328", line: "#d5dae0" };
}

function dressed(layout) {
  const { ink, line } = inks();
  const scene = { ...layout.scene };
  for (const axis of ["xaxis", "yaxis", "zaxis"]) scene[axis] = { ...scene[axis], color: ink, gridcolor: line, zerolinecolor: line, linecolor: line };
  return { ...layout, scene, height: undefined, autosize: true, font: { color: ink, size: 12, family: "system-ui, sans-serif" } };
}

/** Arrow keys turn the view, plus and minus bring it nearer or farther. */
function turn(plot, event) {
  const turns = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP] }[event.key] ?? [0, 0];
  const zoom = { "+": 0.9, "=": 0.9, "-": 1 / 0.9 }[event.key] ?? 1;
  if (zoom === 1 && !turns.some(Boolean)) return;
  event.preventDefault();
  const camera = plot._fullLayout.scene._scene.getCamera();
  const { eye: from, center } = camera;
  const [x, y, z] = ["x", "y", "z"].map((axis) => from[axis] - center[axis]);
  const far = Math.hypot(x, y, z) * zoom;
  const around = Math.atan2(y, x) + turns[0];
  const above = Math.max(-1.5, Math.min(1.5, Math.asin(z / Math.hypot(x, y, z)) + turns[1]));
  const eye = {
    x: center.x + far * Math.cos(above) * Math.cos(around),
    y: center.y + far * Math.cos(above) * Math.sin(around),
    z: center.z + far * Math.sin(above),
  };
  window.Plotly.relayout(plot, { "scene.camera": { ...camera, eye } });
}

function listen(figure, plot, layout) {
  // A wheel over the view scrolls the page until the view has been pressed.
  let held = false;
  plot.addEventListener("pointerdown", () => { held = true; plot.focus({ preventScroll: true }); }, true);
  plot.addEventListener("pointerleave", () => { held = false; });
  plot.addEventListener("wheel", (event) => { if (!held) event.stopPropagation(); }, { capture: true, passive: true });
  plot.addEventListener("keydown", (event) => turn(plot, event));
  new MutationObserver(() => {
    const { ink, line } = inks();
    const change = { "font.color": ink };
    for (const axis of ["xaxis", "yaxis", "zaxis"]) {
      for (const name of ["gridcolor", "zerolinecolor", "linecolor"]) change[`scene.${axis}.${name}`] = line;
      change[`scene.${axis}.color`] = ink;
    }
    window.Plotly.relayout(plot, change);
  }).observe(document.documentElement, { attributeFilter: ["data-theme"] });
}

async function mount(figure) {
  const image = figure.querySelector("img");
  const plot = document.createElement("div");
  plot.className = "ct-view3d-plot";
  plot.tabIndex = 0;
  plot.setAttribute("role", "application");
  plot.setAttribute("aria-label", `${image.alt} Arrow keys turn the view, plus and minus zoom.`);
  plot.style.aspectRatio = figure.dataset.aspect;
  try {
    if (!document.createElement("canvas").getContext("webgl")) throw new Error("no WebGL");
    const view = JSON.parse(figure.querySelector('script[type="application/json"]').textContent);
    const [Plotly, data] = await Promise.all([plotly(), traces(view)]);
    image.after(plot);
    figure.dataset.mounted = "ok"; // hides the picture, so that the view has its room when it is measured
    await Plotly.newPlot(plot, data, dressed(view.layout), {
      responsive: true, displaylogo: false, modeBarButtonsToRemove: ["tableRotation", "resetCameraLastSave3d", "hoverClosest3d", "orbitRotation"],
    });
    listen(figure, plot);
  } catch (error) {
    plot.remove();
    figure.dataset.mounted = "error";
    console.warn("3D view", error.message);
  }
}

const watcher = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) { watcher.unobserve(entry.target); mount(entry.target); }
}, { rootMargin: "400px" });
document.querySelectorAll(".ct-view3d").forEach((figure) => watcher.observe(figure));
