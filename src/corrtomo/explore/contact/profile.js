// Profiles along the depth: a line and a dashed mean for each volume, and a dot where the cursor stands.
import { clamp } from "../explorer.js";

const FOOT = 16; // room below the lines, where the knob of the cursor stands
const HEAD = 20; // and above them, for the number of the top

export const placeOf = (plane, depth) => (plane + 0.5) / depth;
export const planeAt = (share, depth) => clamp(Math.floor(share * depth), 0, depth - 1);

/** The tenth at which the scale ends: above all that is drawn. */
const ceiling = (profiles) => clamp(Math.ceil(10 * Math.max(0, ...profiles.flat().filter(Number.isFinite)) + 1e-9), 1, 10) / 10;

const stepOf = (top) => (top > 0.5 ? 0.2 : 0.1);

function drawScale(context, { colours }, top, y, width) {
  const step = stepOf(top);
  context.lineWidth = 1;
  for (let i = 0; i * step <= top + 1e-9; i += 1) {
    context.strokeStyle = colours.line;
    context.beginPath();
    context.moveTo(0, Math.round(y(i * step)) + 0.5);
    context.lineTo(width, Math.round(y(i * step)) + 0.5);
    context.stroke();
  }
}

/** Numbers of the scale, over the lines, with an edge that keeps them apart. */
function drawNumbers(context, { colours }, top, y) {
  const step = stepOf(top);
  context.font = "12.5px system-ui, sans-serif";
  [context.textAlign, context.textBaseline] = ["left", "bottom"];
  [context.lineWidth, context.strokeStyle, context.fillStyle] = [4, colours.card, colours.muted];
  for (let i = 1; i * step <= top + 1e-9; i += 1) {
    context.strokeText((i * step).toFixed(1), 4, y(i * step) - 1);
    context.fillText((i * step).toFixed(1), 4, y(i * step) - 1);
  }
}

/** A line through all planes that have a number; broken where one has none. */
function drawLine(context, profile, x, y) {
  let drawing = false;
  context.beginPath();
  profile.forEach((share, i) => {
    if (Number.isNaN(share)) { drawing = false; return; }
    if (drawing) context.lineTo(x(i), y(share));
    else { context.moveTo(x(i) - 0.5, y(share)); context.lineTo(x(i), y(share)); } // a plane alone is a dot
    drawing = true;
  });
  context.stroke();
}

/** Draw all of it; `state` has the plane, the colours of the page's mode, profiles, means and a colour for each. */
export function drawProfiles(context, state, width, height) {
  const { profiles, means, series, plane, colours } = state;
  const top = ceiling(profiles);
  const y = (share) => height - FOOT - (share / top) * (height - FOOT - HEAD);
  const x = (i) => placeOf(i, profiles[0].length) * width;
  drawScale(context, state, top, y, width);
  [context.lineJoin, context.lineCap] = ["round", "round"];
  profiles.forEach((profile, v) => {
    context.strokeStyle = series[v];
    context.lineWidth = 1.25;
    context.setLineDash([6, 4]);
    context.beginPath();
    context.moveTo(0, y(means[v]));
    context.lineTo(width, y(means[v]));
    context.stroke();
    context.setLineDash([]);
    context.lineWidth = 2;
    drawLine(context, profile, x, y);
  });
  drawNumbers(context, state, top, y);
  profiles.forEach((profile, v) => {
    if (Number.isNaN(profile[plane])) return;
    [context.fillStyle, context.strokeStyle, context.lineWidth] = [series[v], colours.paper, 1.5];
    context.beginPath();
    context.arc(x(plane), y(profile[plane]), 5, 0, 2 * Math.PI);
    context.fill();
    context.stroke();
  });
}
