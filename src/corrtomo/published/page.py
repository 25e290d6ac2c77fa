"""The ledger as a table: for pandas, for the validation page, and for the test that nothing is left out."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Mapping
from html import escape
from pathlib import Path

import pandas as pd

from .compare import Check, ours_html, read_checks
from .consistency import arithmetic
from .ledger import Row, ledger, rows
from .markup import html_row, html_table, html_verdict

_ORDER = ("agrees", "misses", "open", "not run", "input", "not checkable")


def table() -> pd.DataFrame:
    """Return every row of the ledger as a table.

    Returns
    -------
    pandas.DataFrame
        Indexed by key: paper, what, printed, unit, states and claim (of a statement in words), low and high
        (what the printed figure can stand for), kind, tolerance, chapter, arithmetic (verdicts, one
        per expression), where and reason.

    Examples
    --------
    >>> import corrtomo as ct
    >>> ct.published.table().loc["xt-fibsem.kappa_binary", ["printed", "kind"]].tolist()
    ['0.79', 'calibrated']
    """
    return pd.DataFrame.from_records(
        [
            {
                "key": item.key,
                "paper": item.paper,
                "what": item.what,
                "printed": item.printed,
                "unit": item.unit,
                "states": item.states,
                "claim": item.claim,
                "low": item.interval.low,
                "high": item.interval.high,
                "kind": item.kind,
                "tolerance": item.tolerance,
                "chapter": item.chapter,
                "arithmetic": ", ".join(a.verdict for a in arithmetic(item.key)) if item.follows else "",
                "where": item.where,
                "reason": item.reason or item.uses,
            }
            for item in rows().values()
        ],
        index="key",
    )


def unchecked(chapters: Mapping[str, Collection[str]]) -> list[str]:
    """Return the rows that their chapter ought to check and does not.

    Parameters
    ----------
    chapters : mapping of str to collection of str
        For each chapter that is written, like ``"xt-fibsem/binary"``, the keys that its cells check.

    Returns
    -------
    list of str
        Keys in the order of the ledger; rows of chapters that are not written are not among them.

    Examples
    --------
    >>> import corrtomo as ct
    >>> ct.published.unchecked({"nanoct-sims/resolution": ["nanoct-sims.ct_resolution_nominal_nm"]})
    ['nanoct-sims.ct_resolution_nm']
    """
    return [
        item.key
        for item in rows().values()
        if item.chapter in chapters and item.key not in chapters[item.chapter]
    ]


def as_html(records: str | Path | None = None) -> str:
    """Return the whole ledger as HTML: counts for each paper, what is tested, and all else to unfold.

    Parameters
    ----------
    records : path, optional
        The folder in which chapters left what they checked; by default the one that CORRTOMO_CHECKS names.
        With neither, no row has a number of ours.

    Returns
    -------
    str
        Tables with captions and scoped heads. Verdicts are words with a sign and a class of their own.

    Notes
    -----
    A row whose chapter has no notebook beside the ledger is "open"; one whose notebook is there but left no
    number is "not run".
    """
    folder = records or os.environ.get("CORRTOMO_CHECKS")
    found = read_checks(folder) if folder else {}
    parts = []
    for paper, about in ledger().papers.items():
        items = [item for item in rows().values() if item.paper == paper]
        parts.append(_summary(paper, about, items, found))
        tested = [item for item in items if item.chapter or item.follows or item.key in found]
        if tested:
            parts.append(_html_rows(f"{paper}: checked by runs and by arithmetic", tested, found))
        rest = [item for item in items if item not in tested]
        if rest:
            caption = f"{paper}: inputs, and what cannot be checked"
            unfolded = _html_rows(caption, rest, found)
            parts.append(
                f"<details><summary>{escape(caption)} ({len(rest)} rows)</summary>{unfolded}</details>"
            )
    return f'<div class="ct-ledger">{"".join(parts)}</div>'


def _verdicts(item: Row, made: Check | None) -> list[str]:
    """Say of a row what there is to say: one verdict, or one for each reading of the arithmetic."""
    if item.kind == "arithmetic":
        return [a.verdict for a in arithmetic(item.key)]
    if made is not None:
        return [made.verdict]
    if item.kind == "not checkable" or item.is_input:
        return ["input" if item.is_input else item.kind]
    return ["not run" if (ledger().path.parent / f"{item.chapter}.ipynb").is_file() else "open"]


def _summary(paper: str, about: dict[str, str], items: list[Row], found: dict[str, Check]) -> str:
    plain, sums = Counter[str](), Counter[str]()
    for item in items:
        if item.kind != "arithmetic":
            plain.update(_verdicts(item, found.get(item.key)))
        if item.follows:
            sums.update(a.verdict for a in arithmetic(item.key))
    said = [f"{plain[name]} {name}" for name in _ORDER if plain[name]]
    said += [f"{count} arithmetic {name}" for name, count in sorted(sums.items())]
    doi = about.get("doi", "")
    link = f', <a href="https://doi.org/{escape(doi)}">doi {escape(doi)}</a>' if doi else ""
    who = ", ".join(escape(about[name]) for name in ("authors", "citation") if about.get(name))
    return (
        f'<h2 id="{escape(paper)}">{escape(about["title"])}</h2><p>{who}{link}.</p>'
        f'<p class="ct-counts">{escape(" · ".join(said))}</p>'
    )


def _html_rows(caption: str, items: list[Row], found: dict[str, Check]) -> str:
    return html_table(caption, [_html_row(item, found.get(item.key)) for item in items])


def _html_row(item: Row, made: Check | None) -> str:
    ours = [ours_html(made)] if made else []
    verdicts = [html_verdict(v) for v in _verdicts(item, made)]
    if item.follows:
        for each in arithmetic(item.key):
            low, high = each.interval.low, each.interval.high
            source = f"{low:.4g} to {high:.4g}, from <code>{escape(each.expression)}</code>"
            ours.append(f"{each.value:.4g}<small>{source}</small>")
            if item.kind != "arithmetic":
                verdicts.append(f"arithmetic {html_verdict(each.verdict)}")
    return html_row(item, ours, verdicts)
