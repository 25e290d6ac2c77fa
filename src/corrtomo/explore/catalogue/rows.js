// Which entries of a catalogue are left by its filters, and in which order: the same as Python's.

/** Whether a value is within what one filter asks for; what is not stated is in no range and has no text. */
export function passes(value, filter) {
  if (filter.text) return value !== null && String(value).toLowerCase().includes(filter.text.toLowerCase());
  const [low, high] = [filter.low ?? null, filter.high ?? null];
  if (low === null && high === null) return true;
  return value !== null && (low === null || value >= low) && (high === null || value <= high);
}

/** The numbers of the rows that pass all filters, sorted by one column; what is not stated comes last. */
export function chosenRows(columns, rows, filters, [by, descending]) {
  const asked = columns.flatMap(({ name }, i) => (filters[name] ? [[i, filters[name]]] : []));
  const left = rows.flatMap((row, k) => (asked.every(([i, filter]) => passes(row[i], filter)) ? [k] : []));
  const at = columns.findIndex(({ name }) => name === by);
  if (at < 0) return left;
  const key = (k) => (typeof rows[k][at] === "string" ? rows[k][at].toLowerCase() : rows[k][at]);
  const [stated, not] = [left.filter((k) => rows[k][at] !== null), left.filter((k) => rows[k][at] === null)];
  const sign = descending ? -1 : 1;
  stated.sort((a, b) => { const [p, q] = [key(a), key(b)]; return p < q ? -sign : p > q ? sign : a - b; });
  return [...stated, ...not];
}

/** A number of a filter as it was typed; null where it is none. */
export const typed = (text) => { const value = Number(text.trim().replace(",", ".").replace("−", "-")); return text.trim() && Number.isFinite(value) ? value : null; };

/** A value as it is shown: four digits, a minus that is one. */
export function sayValue(value) {
  if (value === null || value === undefined) return "–";
  if (typeof value !== "number") return String(value);
  const size = Math.abs(value);
  const text = Number.isInteger(value) && size < 1e7 ? String(value) : size && (size < 1e-3 || size >= 1e7) ? value.toExponential(2) : String(Number(value.toPrecision(4)));
  return text.replace("-", "−");
}
