"""The ledger's rows as HTML: tables that screen readers can follow, on any width."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from .ledger import Row

HEAD = ("Quantity", "Published", "Ours", "Verdict")
SYMBOLS = {"agrees": "✓", "holds": "✓", "holds within rounding": "≈", "misses": "✗", "open": "○"}


def html_table(caption: str, body: Iterable[str]) -> str:
    """Return an HTML table that screen readers can follow: caption, scoped heads, and roles.

    The roles keep it a table where the style sheet stacks its cells on narrow screens.
    """
    columns = "".join(f'<th role="columnheader" scope="col">{escape(name)}</th>' for name in HEAD)
    return (
        f'<table class="ct-published" role="table"><caption>{escape(caption)}</caption>'
        f'<thead role="rowgroup"><tr role="row">{columns}</tr></thead>'
        f'<tbody role="rowgroup">{"".join(body)}</tbody></table>'
    )


def html_row(item: Row, ours: Iterable[str], verdicts: Iterable[str]) -> str:
    """Return a row: what it is, with its key, place, kind and reason; the figures; the verdicts."""
    why = item.reason or item.uses.partition(": ")[2]
    about = " · ".join(escape(part) for part in (item.where, tolerance_text(item), why) if part)
    cells = (_published(item), "<br>".join(ours) or "–", "<br>".join(verdicts))
    figures = [
        f'<td role="cell" data-label="{name}">{cell}</td>' for name, cell in zip(HEAD[1:], cells, strict=True)
    ]
    return (
        f'<tr role="row"><th role="rowheader" scope="row">{escape(item.what)} <code>{escape(item.key)}</code>'
        f"<small>{about}</small></th>"
        f"{''.join(figures)}</tr>"
    )


def _published(item: Row) -> str:
    """Return the figure as printed; of a statement its words, and below them how we read it."""
    if not item.states:
        return escape(item.text)
    return f"{escape(item.states)}<small>read as {escape(item.text)}</small>"


def html_verdict(verdict: str) -> str:
    """Return a verdict as a sign and a word; its colour, if any, comes from its class alone."""
    sign = SYMBOLS.get(verdict, "–")
    name = verdict.replace(" ", "-")
    return (
        f'<span class="ct-verdict ct-{name}"><span aria-hidden="true">{sign}</span> {escape(verdict)}</span>'
    )


def tolerance_text(item: Row) -> str:
    """Return the kind of a row with its tolerance, for instance "predicted ± 3"."""
    if item.is_input:
        return "calibrated (input)"
    margin = f" ± {item.tolerance:g}" if item.tolerance else ""
    return f"{item.kind}{margin}"
