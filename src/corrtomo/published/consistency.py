"""What follows from the papers' own numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd

from .intervals import Interval, enclose, evaluate
from .ledger import find, row, rows


@dataclass(frozen=True)
class Arithmetic:
    """What a paper's own figures give for one of them.

    Attributes
    ----------
    key, printed : str
        The row, and its figure as printed, with its unit.
    expression : str
        Over other rows of the paper.
    value : float
        The expression worked out with the figures as printed.
    interval : Interval
        Its range when each figure stands for all that it can be rounded from.
    verdict : str
        "holds" (the printed figures give the printed result), "holds within rounding" (figures that round to
        the printed ones do) or "misses" (none do).
    """

    key: str
    printed: str
    expression: str
    value: float
    interval: Interval
    verdict: str

    def __repr__(self) -> str:
        low, high = self.interval.low, self.interval.high
        follows = f"{self.value:.5g} [{low:.5g}, {high:.5g}]"
        return f"{self.key}: printed {self.printed}, follows {follows}, {self.verdict}"


def arithmetic(key: str) -> tuple[Arithmetic, ...]:
    """Work a printed figure out from others of the same paper.

    A result that even rounding cannot explain is a misprint, a step that the paper leaves out, or our
    misreading; a chapter that leans on it has to say which.

    Parameters
    ----------
    key : str
        A row with one or more expressions, each of them one reading of how the paper came to its figure.

    Returns
    -------
    tuple of Arithmetic
        One for each expression, in the order of the ledger.

    Raises
    ------
    KeyError
        If there is no such row.
    ValueError
        If nothing is known from which it follows.

    Notes
    -----
    That an expression holds does not prove that the paper used it: wide rounding lets much pass.

    Examples
    --------
    >>> from corrtomo import published
    >>> published.arithmetic("xt-fibsem.am_excess_percent")
    (xt-fibsem.am_excess_percent: printed 7.6 %, follows 7.5843 [7.2931, 7.8762], holds,)
    """
    item = row(key)
    if not item.follows:
        raise ValueError(
            f"Cannot work out {key!r}: the ledger has no expression for it, it is {item.kind}. "
            "Rows with 'follows' are allowed. List them with ct.published.table()."
        )
    return _follow(key, find())


def arithmetic_table(keys: Sequence[str]) -> pd.DataFrame:
    """Work out several printed figures, as a table for a chapter.

    Parameters
    ----------
    keys : sequence of str
        Rows with expressions.

    Returns
    -------
    pandas.DataFrame
        A line for each expression, by key; columns ``printed``, ``expression``, ``follows`` and ``verdict``.

    Raises
    ------
    KeyError, ValueError
        As :func:`arithmetic`.

    Examples
    --------
    >>> import corrtomo as ct
    >>> ct.published.arithmetic_table(["xt-fibsem.cbd_porosity_xray"]).verdict.tolist()
    ['holds within rounding', 'misses']
    """
    found = [each for key in keys for each in arithmetic(key)]
    table = {
        "printed": [each.printed for each in found],
        "expression": [each.expression for each in found],
        "follows": [each.value for each in found],
        "verdict": [each.verdict for each in found],
    }
    return pd.DataFrame(table, index=pd.Index([each.key for each in found], name="key"))


@cache
def _follow(key: str, _ledger: Path) -> tuple[Arithmetic, ...]:
    item = row(key)
    peers = {other.key.split(".")[1]: other for other in rows().values() if other.paper == item.paper}
    ranges = {name: peer.interval for name, peer in peers.items()}
    points = {name: Interval(peer.value, peer.value) for name, peer in peers.items()}
    found = []
    for expression in item.follows:
        value = evaluate(expression, points).low
        reach = enclose(expression, ranges)
        if item.interval.contains(value):
            verdict = "holds"
        else:
            verdict = "holds within rounding" if item.interval.overlaps(reach) else "misses"
        found.append(Arithmetic(key, item.text.replace("\u00a0", " "), expression, value, reach, verdict))
    return tuple(found)
