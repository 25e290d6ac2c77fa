// The classifier of the scribble explorer: scikit-learn's linear discriminant (lsqr, fixed shrinkage, equal priors) on
// filtered values and their squares. Sums are whole numbers, so that a stroke is added and taken back without error.

const SHRINKAGE = 1e-3;
const FEWEST = 2; // painted pixels from which on a class takes part
const LEVELS = 256;

/** Solve a·x = b for several b by Cholesky; null where a is not positive definite. */
function solve(a, bs) {
  const n = a.length;
  const l = a.map((row) => Float64Array.from(row));
  for (let j = 0; j < n; j += 1) {
    for (let i = j; i < n; i += 1) {
      let sum = a[i][j];
      for (let k = 0; k < j; k += 1) sum -= l[i][k] * l[j][k];
      if (i === j && !(sum > 0)) return null;
      l[i][j] = i === j ? Math.sqrt(sum) : sum / l[j][j];
    }
  }
  return bs.map((b) => {
    const x = Float64Array.from(b);
    for (let i = 0; i < n; i += 1) {
      for (let k = 0; k < i; k += 1) x[i] -= l[i][k] * x[k];
      x[i] /= l[i][i];
    }
    for (let i = n - 1; i >= 0; i -= 1) {
      for (let k = i + 1; k < n; k += 1) x[i] -= l[k][i] * x[k];
      x[i] /= l[i][i];
    }
    return x;
  });
}

/** Sums over the painted pixels of one class: how many, of each value, of each product of two. */
class Sums {
  constructor(size) {
    this.count = 0;
    this.first = new Float64Array(size);
    this.second = new Float64Array(size * size); // the lower half is kept
  }

  /** Add a pixel (sign 1) or take it back (sign -1). */
  add(values, sign) {
    const size = values.length;
    this.count += sign;
    for (let i = 0; i < size; i += 1) {
      const value = sign * values[i];
      this.first[i] += value;
      for (let j = 0, at = i * size; j <= i; j += 1) this.second[at + j] += value * values[j];
    }
  }

  /** The shrunk covariance; numerators are exact, as they are far larger than what is left of them. */
  covariance(scale) {
    const size = this.first.length;
    const n = BigInt(this.count);
    const sums = Array.from(this.first, BigInt);
    const square = this.count ** 2;
    const rows = sums.map((sum, i) => Float64Array.from({ length: size }, (_, j) => (j > i ? 0
      : (Number(n * BigInt(this.second[i * size + j]) - sum * sums[j]) / square) * scale[i] * scale[j])));
    const mean = rows.reduce((trace, row, i) => trace + row[i], 0) / size;
    return rows.map((row, i) => row.map((value, j) => (1 - SHRINKAGE) * value + (i === j ? SHRINKAGE * mean : 0)));
  }
}

/** Train on painted pixels and find the class of each pixel; `features` holds `planes` planes of bytes. */
export const Discriminant = class {
  constructor(features, planes, classes) {
    this.features = features;
    this.planes = planes;
    this.pixels = features.length / planes;
    this.values = new Float64Array(2 * planes);
    this.scale = Float64Array.from(this.values, (_, i) => (i < planes ? 1 : 1 / 255)); // squares are bytes again
    this.sums = Array.from({ length: classes }, () => new Sums(2 * planes));
  }

  /** Paint a pixel (sign 1) with a class, or take it back (sign -1). */
  paint(pixel, code, sign) {
    for (let f = 0; f < this.planes; f += 1) {
      const value = this.features[f * this.pixels + pixel];
      this.values[f] = value;
      this.values[this.planes + f] = value * value;
    }
    this.sums[code].add(this.values, sign);
  }

  /** What each value of each plane adds to the score of each class; null where two classes are not yet told apart. */
  train() {
    const codes = this.sums.flatMap((sum, code) => (sum.count >= FEWEST ? [code] : []));
    if (codes.length < 2) return null;
    const all = codes.map((code) => this.sums[code].covariance(this.scale));
    const pooled = all[0].map((row, i) => row.map((_, j) => all.reduce((sum, one) => sum + one[i][j], 0) / all.length));
    const means = codes.map((code) => this.sums[code].first.map((sum, i) => (sum / this.sums[code].count) * this.scale[i]));
    const weights = solve(pooled, means);
    if (!weights) return null;
    const many = codes.length;
    const table = new Float64Array(this.planes * LEVELS * many);
    for (let f = 0, at = 0; f < this.planes; f += 1)
      for (let v = 0; v < LEVELS; v += 1)
        for (let k = 0; k < many; k += 1, at += 1) table[at] = weights[k][f] * v + weights[k][this.planes + f] * ((v * v) / 255);
    const offsets = weights.map((w, k) => -0.5 * w.reduce((sum, value, i) => sum + value * means[k][i], 0));
    return { codes, table, offsets };
  }

  /** Put the code of the best class of each pixel into `found`; of equals the first. */
  classify({ codes, table, offsets }, found) {
    const { features, planes, pixels } = this;
    const many = codes.length;
    const scores = new Float64Array(many);
    for (let i = 0; i < pixels; i += 1) {
      for (let k = 0; k < many; k += 1) scores[k] = offsets[k];
      for (let f = 0; f < planes; f += 1) {
        const at = (f * LEVELS + features[f * pixels + i]) * many;
        for (let k = 0; k < many; k += 1) scores[k] += table[at + k];
      }
      let best = 0;
      for (let k = 1; k < many; k += 1) if (scores[k] > scores[best]) best = k;
      found[i] = codes[best];
    }
  }
};
