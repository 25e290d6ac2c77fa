// The table of a catalogue: sorted by its heads, filtered below them; only the rows in sight are elements.
import { clamp, el } from "../explorer.js";
import { sayValue, typed } from "./rows.js";

const ROW = 36; // px, as in catalogue.css
const MORE = 5; // rows above and below those in sight
const WIDEST = 22; // letters of a column
const KEYS = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8, Home: -Infinity, End: Infinity };

const quiet = { "data-lm-suppress-shortcuts": "true", autocomplete: "off", spellcheck: "false" };

/** The fields of one filter: a text, or the two ends of a range. */
function filterFields(column, change) {
  const field = (label, hint, key, read) => {
    const input = el("input", { type: "text", ...quiet, inputmode: key === "text" ? "search" : "decimal", "aria-label": `${label} ${column.label}`, placeholder: hint });
    input.addEventListener("input", () => {
      const value = read(input.value);
      input.toggleAttribute("data-bad", value === null && input.value.trim() !== "");
      change(key, value);
    });
    return [key, input];
  };
  return column.kind === "text" ? [field("Filter", "contains", "text", (text) => text.trim() || null)]
    : [field("Least", "from", "low", typed), field("Greatest", "to", "high", typed)];
}

function widthOf(column, rows, i) {
  const longest = rows.reduce((most, row) => Math.max(most, sayValue(row[i]).length), column.label.length + 2);
  return `${clamp(longest + 2, column.kind === "text" ? 9 : 12, WIDEST)}ch`;
}

export function entryTable(parent, columns, rows, { sort, filter, choose, hover }) {
  const shown = columns.flatMap((column, i) => (column.shown ? [{ ...column, i }] : []));
  const heads = shown.map((column) => {
    const button = el("button", { type: "button", ...quiet, class: "ct-x-sort" }, el("span", { text: column.label }), el("i", { "aria-hidden": "true" }));
    button.addEventListener("click", () => sort(column.name));
    const fields = filterFields(column, (key, value) => filter(column.name, key, value));
    return { column, button, fields, node: el("th", { scope: "col" }, button, el("div", { class: "ct-x-filter" }, ...fields.map(([, input]) => input))) };
  });
  const body = el("tbody");
  const table = el("table", { "aria-label": "Entries of the catalogue" },
    el("colgroup", {}, ...shown.map((c) => el("col", { style: `width:${widthOf(c, rows, c.i)}` }))),
    el("thead", {}, el("tr", {}, ...heads.map(({ node }) => node))), body);
  const box = el("div", { class: "ct-x-entries", ...quiet, role: "region", "aria-label": "Entries: arrow keys move through them", tabindex: 0 }, table);
  parent.append(box);
  let [kept, chosen, first, last] = [[], -1, -1, -1];

  function rowOf(k, place) {
    const node = el("tr", { "aria-rowindex": place + 2, "aria-selected": String(k === chosen), "data-row": k, class: k === chosen && "ct-x-chosen" },
      ...shown.map(({ i, kind }, c) => el(c ? "td" : "th", { scope: !c && "row", class: kind === "number" && "ct-x-number", title: kind === "text" && rows[k][i] !== null && rows[k][i], text: sayValue(rows[k][i]) })));
    return node;
  }
  function draw(anew = true) {
    const top = Math.floor(box.scrollTop / ROW);
    const many = Math.ceil((box.clientHeight || 12 * ROW) / ROW);
    const [from, to] = [Math.max(0, top - MORE), Math.min(kept.length, top + many + MORE)];
    if (!anew && from === first && to === last) return;
    [first, last] = [from, to];
    const space = (n) => el("tr", { class: "ct-x-space", "aria-hidden": "true", style: `height:${n * ROW}px` });
    body.replaceChildren(space(from), ...kept.slice(from, to).map((k, i) => rowOf(k, from + i)), space(kept.length - to));
  }
  const under = (event) => Number(event.target.closest("tr[data-row]")?.dataset.row ?? -1);
  body.addEventListener("pointermove", (event) => { if (event.pointerType === "mouse") hover(under(event)); });
  body.addEventListener("pointerleave", () => hover(-1));
  body.addEventListener("click", (event) => { if (under(event) >= 0) choose(under(event)); });
  box.addEventListener("scroll", () => draw(false));
  box.addEventListener("keydown", (event) => {
    if (event.target !== box || !(event.key in KEYS) || event.ctrlKey || event.metaKey || event.altKey || !kept.length) return;
    event.preventDefault();
    event.stopPropagation();
    const now = kept.indexOf(chosen);
    const to = clamp(now < 0 ? 0 : now + KEYS[event.key], 0, kept.length - 1);
    choose(kept[to]);
  });
  function reveal(place) {
    const head = table.tHead.offsetHeight;
    const [top, room] = [place * ROW, box.clientHeight - head];
    if (top < box.scrollTop) box.scrollTop = top;
    else if (top + ROW > box.scrollTop + room) box.scrollTop = top + ROW - room;
    draw(false);
  }
  const sizes = new ResizeObserver(() => draw(false));
  sizes.observe(box);
  return { stop: () => sizes.disconnect(), show: (state) => {
    const moved = state.chosen !== chosen && chosen >= 0;
    [kept, chosen] = [state.kept, state.chosen];
    table.setAttribute("aria-rowcount", kept.length + 1);
    for (const { column, button, fields, node } of heads) {
      const sorted = state.sort[0] === column.name;
      node.setAttribute("aria-sort", sorted ? (state.sort[1] ? "descending" : "ascending") : "none");
      button.lastChild.textContent = sorted ? (state.sort[1] ? "↓" : "↑") : "";
      for (const [key, input] of fields) {
        const value = state.filters[column.name]?.[key] ?? null;
        if (input === document.activeElement && (key === "text" ? input.value.trim() || null : typed(input.value)) === value) continue;
        if (document.activeElement !== input || value !== null) input.value = value === null ? "" : String(value);
        if (value !== null) input.removeAttribute("data-bad");
      }
    }
    draw();
    if (moved && kept.includes(chosen)) reveal(kept.indexOf(chosen)); // chosen on the plot, perhaps
  }, top: () => { box.scrollTop = 0; },
  clear: () => { for (const { fields } of heads) for (const [, input] of fields) { input.value = ""; input.removeAttribute("data-bad"); } } };
}
