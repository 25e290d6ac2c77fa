// The threshold explorer: drag one or two thresholds on the histogram; segmentation, κ, counts and fractions follow.
import { clamp, el, plotCanvas } from "../explorer.js";
import { agreement, followColours } from "../comparison.js";
import { GREYS, at, bounds, confusion, drawHistogram, thresholded } from "./thresholded.js";

const ROW = 17; // height of a mark's name

function drawCurve(context, state, width, base) {
  const { curve, colours, held, thresholds } = state;
  const y = (kappa) => base - (base - state.top) * clamp(kappa, 0, 1);
  const path = () => {
    context.beginPath();
    curve.forEach((kappa, t) => { if (kappa !== null) context.lineTo(at(t) * width, y(kappa)); });
    context.stroke();
  };
  context.lineJoin = "round";
  for (const [style, line] of [[colours.paper, 4.5], [colours.accent, 2]]) { // light edge: seen over any phase
    context.strokeStyle = style;
    context.lineWidth = line;
    path();
  }
  context.fillStyle = colours.accent;
  context.strokeStyle = colours.paper;
  context.lineWidth = 1.5;
  context.beginPath();
  context.arc(at(thresholds[held]) * width, y(curve[thresholds[held]]), 5, 0, 2 * Math.PI);
  context.fill();
  context.stroke();
}

function drawMarks(context, state, width, base) {
  context.font = "12.5px system-ui, sans-serif";
  context.textBaseline = "top";
  Object.entries(state.marks).forEach(([name, value], i) => {
    const x = at(value) * width;
    const left = x + context.measureText(name).width + 8 > width;
    context.strokeStyle = state.colours.muted;
    context.lineWidth = 1;
    context.setLineDash([3, 3]);
    context.beginPath();
    context.moveTo(x, 4 + ROW * i);
    context.lineTo(x, base);
    context.stroke();
    context.setLineDash([]);
    context.textAlign = left ? "right" : "left";
    context.lineWidth = 3;
    context.strokeStyle = state.colours.paper;
    context.strokeText(name, left ? x - 4 : x + 4, 3 + ROW * i);
    context.fillStyle = state.colours.ink;
    context.fillText(name, left ? x - 4 : x + 4, 3 + ROW * i);
  });
}

/** κ at every value of the handle that was moved last, the other one left where it is. */
function curveOf({ cumulated, thresholds, held }) {
  const [low, high] = bounds(thresholds, held);
  return Array.from({ length: GREYS }, (_, t) => {
    if (t < low || t > high) return null;
    return agreement(confusion(cumulated, thresholds.with(held, t))).kappa;
  });
}

async function render({ model, el: host }) {
  const { parts, state, show, thresholdHandles } = await thresholded(model, host,
    { title: "Threshold explorer", key: [el("b"), "κ, 0 to 1"] });
  state.top = 10 + ROW * Object.keys(state.marks).length;
  const plot = plotCanvas(parts.plot, "Histogram of the grey values, by true phase, with κ at every threshold",
    (context, width, height) => drawHistogram(context, state, width, height, (_context, _width, base) => {
      drawCurve(context, state, width, base);
      drawMarks(context, state, width, base);
    }));
  const setHandles = thresholdHandles(() => update());

  function update() {
    const result = show();
    state.curve = curveOf(state);
    plot.paint();
    setHandles(result);
  }

  const stopTheme = followColours(parts.root, state.colours, () => { if (state.curve) plot.paint(); });
  update();
  model.on("change", update);
  return () => { model.off("change", update); stopTheme(); plot.stop(); };
}

export default { render };
