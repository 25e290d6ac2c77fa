// What stands beside the picture of the scribble explorer: classes to paint with, what was found, files, and keys.
import { choice, count, el, fixed, newId } from "../explorer.js";
import { agreement, swatch, word } from "../comparison.js";
import { BLANK } from "./painting.js";

/** The classes as a row of choices, each with its key, its colour and how much of it is painted; last the eraser. */
export function classChooser(parent, classes, choose) {
  const name = newId();
  const entries = [...classes.map((c, i) => [String(i + 1), swatch(c.colour), c.name, i]), ["E", el("i", { class: "ct-x-swatch ct-x-eraser" }), "eraser", -1]];
  const group = el("div", { class: "ct-x-classes", role: "radiogroup", "aria-label": "What to paint" });
  const rows = entries.map(([key, mark, text, code]) => {
    const radio = el("input", { type: "radio", name, value: code, "aria-keyshortcuts": key, "data-lm-suppress-shortcuts": "true" });
    const painted = el("output", { "aria-label": `painted pixels of ${text}` });
    radio.addEventListener("change", () => choose(code));
    group.append(el("label", {}, radio, el("kbd", { text: key, "aria-hidden": "true" }), mark, el("span", { text }), ...(code < 0 ? [] : [painted])));
    return { radio, painted, code };
  });
  parent.append(group);
  return (chosen, counts) => {
    for (const { radio, painted, code } of rows) {
      radio.checked = code === chosen;
      if (code >= 0) painted.textContent = counts[code] ? `${count(counts[code])} px` : "–";
    }
  };
}

/** κ where there is a truth, and the share of each result. */
export function resultTable(parent, phases, truth, words) {
  const kappa = el("output", { class: "ct-x-kappa" });
  const level = el("span", { class: "ct-x-word" });
  const cells = phases.map(() => [el("td"), el("td")]);
  if (truth) parent.append(el("p", { class: "ct-x-headline" }, el("span", { class: "ct-x-symbol", text: "κ", title: "Cohen's kappa, on pixels that are not painted" }), kappa, level));
  const head = (text) => el("th", { scope: "col", text });
  parent.append(el("table", { "aria-label": "Share of each result in the crop" },
    el("thead", {}, el("tr", {}, el("td", { text: "of the crop" }), head("found"), ...(truth ? [head("truth")] : []))),
    el("tbody", {}, ...phases.map((p, i) => el("tr", {}, el("th", { scope: "row" }, swatch(p.colour), p.name), ...cells[i].slice(0, truth ? 2 : 1))))));
  const share = (n, all) => (all ? `${fixed((100 * n) / all, 2)} %` : "–");
  const total = truth ? Array.from(truth).filter((p) => p !== BLANK).length : 0;
  phases.forEach((_, p) => { cells[p][1].textContent = truth ? share(truth.reduce((n, v) => n + (v === p), 0), total) : ""; });
  return (shares, pixels, table) => {
    phases.forEach((_, p) => { cells[p][0].textContent = share(shares ? shares[p] : 0, shares ? pixels : 0); });
    const value = table && table.flat().some(Boolean) ? agreement(table).kappa : NaN;
    const known = Number.isFinite(value);
    kappa.textContent = known ? fixed(value, 4) : "–";
    level.textContent = known ? word(words, value) : "";
    return known ? `kappa ${fixed(value, 4)}, ${level.textContent}` : "";
  };
}

/** Undo and redo beside the hint, save and load left of Reset. */
export function buttons(strokes, files, { undo, redo, save, load }) {
  const make = (text, act, keys) => {
    const button = el("button", { type: "button", class: "ct-x-reset", text, "aria-keyshortcuts": keys });
    button.addEventListener("click", act);
    return button;
  };
  const file = el("input", { type: "file", accept: ".png,image/png", hidden: true, "aria-label": "Scribbles to load, PNG" });
  file.addEventListener("change", () => {
    if (file.files.length) load(file.files[0]);
    file.value = "";
  });
  const [back, forth] = [make("Undo", undo, "Control+Z"), make("Redo", redo, "Control+Shift+Z")];
  strokes.append(back, forth);
  files.prepend(make("Save", save), make("Load", () => file.click()), file);
  return ({ done, undone }) => {
    back.disabled = !done.length;
    forth.disabled = !undone.length;
  };
}

/** With a kernel: which classifier is shown, and a button that trains the random forest. */
export function forestControls(parent, { pick, train }) {
  const row = el("div", { class: "ct-x-forest" });
  const setChoice = choice(row, { label: "Classifier", options: { discriminant: "Discriminant", forest: "Random forest" }, input: pick });
  const button = el("button", { type: "button", class: "ct-x-reset", text: "Train forest" });
  button.addEventListener("click", train);
  row.append(button);
  parent.append(row);
  return (now, training) => {
    setChoice(now);
    button.disabled = training;
  };
}

/** Keys that work wherever the focus is in the explorer. */
export function keys(root, { choose, classes, erase, grow, undo, redo }) {
  root.addEventListener("keydown", (event) => {
    const key = event.key.toLowerCase();
    let act = null;
    if (event.ctrlKey || event.metaKey) {
      if (key === "z") act = event.shiftKey ? redo : undo;
      if (key === "y") act = redo;
    } else if (!event.altKey) {
      if (/^[1-9]$/.test(key) && Number(key) <= classes) act = () => choose(Number(key) - 1);
      act ??= { e: erase, "[": () => grow(-2), "]": () => grow(2) }[key];
    }
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  });
}
