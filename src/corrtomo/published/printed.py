"""Numbers as papers print them."""

from __future__ import annotations

import math
import re
from typing import NoReturn

from .intervals import Interval

_NUMBER = r"-?\d[\d,]*(?:\.\d+)?"
_PRINTED = re.compile(
    rf"(?P<about>~)?(?:(?P<relation>[<>≤≥]) )?(?P<first>{_NUMBER})"
    rf"(?: ± (?P<plus>{_NUMBER})|–(?P<last>{_NUMBER})|[:/](?P<below>{_NUMBER}))?"
)


def read_printed(
    printed: str, *, decimals: int | None = None, exact: bool = False, key: str = "?"
) -> tuple[float, Interval, int]:
    """Read a number as a paper prints it: its value, what it can stand for, and its decimals.

    Examples
    --------
    >>> from corrtomo.published.printed import read_printed
    >>> read_printed("0.60")
    (0.6, Interval(low=0.595, high=0.605), 2)
    >>> read_printed("~5100", decimals=-2)[1], read_printed("224 ± 23")[1], read_printed("81", exact=True)[1]
    (Interval(low=5050.0, high=5150.0), Interval(low=201.0, high=247.0), Interval(low=81.0, high=81.0))
    """
    match = _PRINTED.fullmatch(printed)
    if match is None:
        refuse(
            key, f"{printed!r} is not a printed number", "Like '0.79', '~5100', '< 2', '0–15' or '224 ± 23'"
        )
    first, last = _number(match["first"]), _number(match["last"] or match["first"])
    if decimals is None:
        decimals = max(len((match[end] or "").partition(".")[2]) for end in ("first", "last"))
    half = 0.0 if exact else 0.5 * 10.0**-decimals
    if match["below"]:
        first = last = first / _number(match["below"])
        half, decimals = 0.0, 2
    if match["plus"]:
        half = max(half, _number(match["plus"]))
    value = (first + last) / 2
    if match["relation"]:
        below = match["relation"] in "<≤"
        return value, Interval(-math.inf, value) if below else Interval(value, math.inf), decimals
    return value, Interval(round(first - half, 12), round(last + half, 12)), decimals


def _number(text: str) -> float:
    return float(text.replace(",", ""))


def refuse(key: str, what: str, allowed: str) -> NoReturn:
    """Raise the error of a row that leaves something unsaid."""
    raise ValueError(
        f"Cannot read row {key!r} of the ledger: {what}. {allowed}. Mend it in book/published.toml."
    )
