// Counting the faces between a phase and what touches it, plane by plane, by the definition of corrtomo.measure.contact_profile.

const LEFT_OUT = 255; // says nothing: its faces never count

/** The other phase at the face between two voxels; -1 where there is no face of `of`, or nothing is known beyond it. */
export function otherSide(a, b, of) {
  if (a === b || (a !== of && b !== of)) return -1;
  const other = a === of ? b : a;
  return other === LEFT_OUT ? -1 : other;
}

/** Visit every face of a plane as (row, column, down, other phase): below its voxel where `down`, else to the right of it. */
export function eachFace(plane, columns, of, visit) {
  const rows = plane.length / columns;
  for (let r = 0, at = 0; r < rows; r += 1) {
    for (let c = 0; c < columns; c += 1, at += 1) {
      if (c + 1 < columns) {
        const other = otherSide(plane[at], plane[at + 1], of);
        if (other >= 0) visit(r, c, false, other);
      }
      if (r + 1 < rows) {
        const other = otherSide(plane[at], plane[at + columns], of);
        if (other >= 0) visit(r, c, true, other);
      }
    }
  }
}

/** Faces of a plane by the phase beyond them: how many lie across the rows, and how many across the columns. */
export function countFaces(plane, columns, of) {
  const counts = { down: new Float64Array(LEFT_OUT), across: new Float64Array(LEFT_OUT) };
  eachFace(plane, columns, of, (_row, _column, down, other) => { counts[down ? "down" : "across"][other] += 1; });
  return counts;
}

/** Faces of several planes together. */
export function sumFaces(planes) {
  const sum = (key) => planes.reduce((total, plane) => total.map((n, code) => n + plane[key][code]), new Float64Array(LEFT_OUT));
  return { down: sum("down"), across: sum("across") };
}

/** The share of the faces that borders one phase, each face weighed by its area; NaN where there is none. */
export function shareOf({ down, across }, phase, [areaDown, areaAcross]) {
  const total = (counts) => counts.reduce((a, b) => a + b);
  return (areaDown * down[phase] + areaAcross * across[phase]) / (areaDown * total(down) + areaAcross * total(across));
}
