// Mutual information along one slider of the pose: a curve, a ring at its best place, and where the section is held.
import { bestOf } from "./section.js";

const FOOT = 18; // room below the curve, where the knob of the handle stands
const HEAD = 12; // and above it
const EDGE = 0.03; // share of the width left of the first place and right of the last

export const curvePlace = (i, many) => EDGE + (1 - 2 * EDGE) * (i / (many - 1));
export const curveIndex = (share, many) => Math.round(((share - EDGE) / (1 - 2 * EDGE)) * (many - 1));

/** The range of the scale: what was found, and at least a tenth of its highest. */
export function spanOf(fits) {
  const known = fits.filter(Number.isFinite);
  if (!known.length) return [0, 1];
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const room = Math.max(high - low, Math.abs(high) / 10, 1e-6);
  return [high - room, high];
}

/** Draw it; `state` has the fits, one a place, the present place and fit, where it was found, and the page's colours. */
export function drawCurve(context, { fits, at, now, foundAt, colours }, width, height) {
  const [low, high] = spanOf([...fits, now]);
  const x = (i) => curvePlace(i, fits.length) * width;
  const y = (fit) => height - FOOT - 4 - ((fit - low) / (high - low)) * (height - FOOT - HEAD - 4);
  context.lineWidth = 1;
  context.strokeStyle = colours.line;
  context.strokeRect(0, height - FOOT + 0.5, width, 0);
  context.setLineDash([4, 4]);
  context.strokeStyle = colours.muted;
  context.beginPath();
  context.moveTo(x(foundAt), HEAD);
  context.lineTo(x(foundAt), height - FOOT);
  context.stroke();
  context.setLineDash([]);
  [context.lineWidth, context.lineJoin, context.strokeStyle] = [2.25, "round", colours.accent];
  context.beginPath();
  let drawing = false;
  fits.forEach((fit, i) => {
    if (!Number.isFinite(fit)) { drawing = false; return; }
    if (drawing) context.lineTo(x(i), y(fit));
    else context.moveTo(x(i), y(fit));
    drawing = true;
  });
  context.stroke();
  const best = bestOf(fits);
  if (best >= 0) {
    [context.strokeStyle, context.lineWidth] = [colours.ink, 2];
    context.beginPath();
    context.arc(x(best), y(fits[best]), 8, 0, 2 * Math.PI);
    context.stroke();
  }
  if (!Number.isFinite(now)) return;
  [context.fillStyle, context.strokeStyle, context.lineWidth] = [colours.accent, colours.paper, 1.5];
  context.beginPath();
  context.arc(x(at), y(now), 5, 0, 2 * Math.PI);
  context.fill();
  context.stroke();
}
