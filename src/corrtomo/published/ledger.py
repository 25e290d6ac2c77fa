"""Reading the ledger, and refusing one that leaves something unsaid."""

from __future__ import annotations

import math
import os
import re
import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from .intervals import Interval, names

KINDS = ("calibrated", "predicted", "arithmetic", "not checkable")
_ALWAYS = {"printed", "what", "where", "kind"}
_NEEDED: dict[str, set[str]] = {
    "calibrated": {"uses"},
    "predicted": {"tolerance", "reason", "chapter"},
    "arithmetic": {"follows"},
    "not checkable": {"why"},
}
_OPTIONAL = {"unit", "decimals", "exact", "follows"}
_CHECKED = {"tolerance", "reason", "chapter"}
_ALSO = {"calibrated": _CHECKED, "arithmetic": {"chapter"}}
_NUMBER = r"-?\d[\d,]*(?:\.\d+)?"
_PRINTED = re.compile(
    rf"(?P<about>~)?(?:(?P<relation>[<>≤≥]) )?(?P<first>{_NUMBER})"
    rf"(?: ± (?P<plus>{_NUMBER})|–(?P<last>{_NUMBER})|[:/](?P<below>{_NUMBER}))?"
)
_HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Row:
    """One printed number, and what it is to us.

    Attributes
    ----------
    key : str
        Paper and name, for instance ``xt-fibsem.kappa_binary``.
    printed, unit : str
        The number as the paper prints it, and its unit.
    value : float
        The number; the middle of a range.
    interval : Interval
        What the printed figure can stand for: its rounding, its ±, its range, or all below "< 2".
    decimals : int
        To how many decimals it is rounded.
    exact : bool
        Whether it is a count or a setting, with no rounding.
    what, where : str
        What it is, in our words, and its place in the paper.
    kind : str
        calibrated, predicted, arithmetic or not checkable.
    tolerance : float or None
        How far beyond `interval` ours may lie, in `unit`.
    reason : str
        Why this tolerance, what a calibrated figure is used for, or why it is not checkable.
    chapter : str
        The chapter that checks it, for instance ``xt-fibsem/binary``; empty where none does.
    follows : tuple of str
        Expressions over other rows of the paper that should give it.
    """

    key: str
    printed: str
    unit: str
    value: float
    interval: Interval
    decimals: int
    exact: bool
    what: str
    where: str
    kind: str
    tolerance: float | None
    reason: str
    uses: str
    chapter: str
    follows: tuple[str, ...]

    @property
    def paper(self) -> str:
        """The paper's name in the ledger."""
        return self.key.split(".")[0]

    @property
    def text(self) -> str:
        """The printed figure with its unit."""
        gap = "" if self.unit in ("", "°") else "\u00a0"
        return f"{self.printed}{gap}{self.unit}"

    @property
    def allowed(self) -> Interval:
        """Where ours may lie: the printed figure with its rounding, and the tolerance on either side."""
        margin = self.tolerance or 0.0
        return Interval(self.interval.low - margin, self.interval.high + margin)

    @property
    def is_input(self) -> bool:
        """Whether it is an input of the twin or of a method: a run can confirm only that it was put in."""
        return self.uses.startswith("input: ")


@dataclass(frozen=True)
class Ledger:
    """The rows by key, the papers by name, and the file they are from."""

    path: Path
    papers: dict[str, dict[str, str]]
    rows: dict[str, Row]


def rows() -> dict[str, Row]:
    """Return all rows of the ledger by key, in the order of the papers."""
    return dict(ledger().rows)


def row(key: str) -> Row:
    """Return one row of the ledger.

    Raises
    ------
    KeyError
        If there is no such row; the nearest keys are named.

    Examples
    --------
    >>> from corrtomo import published
    >>> published.row("xt-fibsem.voxel_xray_nm").value
    438.0
    """
    known = ledger().rows
    if key in known:
        return known[key]
    near = get_close_matches(str(key), known, n=3, cutoff=0.4) or list(ledger().papers)
    raise KeyError(
        f"Cannot find {key!r} in the ledger: it has {len(known)} rows, keys are 'paper.name'. "
        f"Nearest: {', '.join(near)}. List them with ct.published.table()."
    )


def ledger() -> Ledger:
    """Return the ledger, read once: the one that CORRTOMO_LEDGER names, else the project's own."""
    return _load(find())


def find() -> Path:
    """Find the ledger: CORRTOMO_LEDGER, else the book beside the source, else the copy in the package."""
    named = os.environ.get("CORRTOMO_LEDGER")
    places = (
        [Path(named)] if named else [_HERE.parents[2] / "book" / "published.toml", _HERE / "published.toml"]
    )
    for place in places:
        if place.is_file():
            return place.absolute()
    raise FileNotFoundError(
        f"Cannot find the ledger: no file at {' or '.join(map(str, places))}. It is book/published.toml of "
        "the project. Name it with the environment variable CORRTOMO_LEDGER."
    )


@cache
def _load(path: Path) -> Ledger:
    with path.open("rb") as file:
        data = tomllib.load(file)
    reasons = data.pop("reasons", {})
    papers, found = {}, {}
    for paper, entries in data.items():
        papers[paper] = entries.pop("paper", None)
        if not isinstance(papers[paper], dict) or not papers[paper].get("title"):
            raise ValueError(
                f"Cannot read the ledger: the paper {paper!r} has no title. "
                f"Every paper needs one. Add a table [{paper}.paper] with title, authors, citation, doi."
            )
        for name, entry in entries.items():
            found[f"{paper}.{name}"] = _row(f"{paper}.{name}", entry, reasons)
    for item in found.values():
        _check_names(item, found)
    return Ledger(path, papers, found)


def _row(key: str, entry: dict[str, Any], reasons: dict[str, str]) -> Row:
    _check_fields(key, entry)
    given = entry.get("decimals")
    value, interval, decimals = read_printed(
        entry["printed"], decimals=given, exact=entry.get("exact", False), key=key
    )
    reason = entry.get("reason") or entry.get("why") or ""
    if reason and " " not in reason:
        if reason not in reasons:
            _refuse(key, f"its reason {reason!r} is not in [reasons]", f"Known: {', '.join(sorted(reasons))}")
        reason = reasons[reason]
    return Row(
        key=key,
        printed=entry["printed"],
        unit=entry.get("unit", ""),
        value=value,
        interval=interval,
        decimals=decimals,
        exact=entry.get("exact", False),
        what=entry["what"],
        where=entry["where"],
        kind=entry["kind"],
        tolerance=entry.get("tolerance"),
        reason=reason,
        uses=entry.get("uses", ""),
        chapter=entry.get("chapter", ""),
        follows=tuple(entry.get("follows", ())),
    )


def read_printed(
    printed: str, *, decimals: int | None = None, exact: bool = False, key: str = "?"
) -> tuple[float, Interval, int]:
    """Read a number as a paper prints it: its value, what it can stand for, and its decimals.

    Examples
    --------
    >>> from corrtomo.published.ledger import read_printed
    >>> read_printed("0.60")
    (0.6, Interval(low=0.595, high=0.605), 2)
    >>> read_printed("~5100", decimals=-2)[1], read_printed("224 ± 23")[1], read_printed("81", exact=True)[1]
    (Interval(low=5050.0, high=5150.0), Interval(low=201.0, high=247.0), Interval(low=81.0, high=81.0))
    """
    match = _PRINTED.fullmatch(printed)
    if match is None:
        _refuse(
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


def _check_fields(key: str, entry: dict[str, Any]) -> None:
    kind = entry.get("kind")
    if kind not in KINDS:
        _refuse(key, f"its kind is {kind!r}", f"Allowed are {', '.join(KINDS)}")
    needed = _ALWAYS | _NEEDED[kind]
    allowed = needed | _OPTIONAL | _ALSO.get(kind, set())
    if kind == "calibrated" and _CHECKED & set(entry):
        needed |= _CHECKED
    missing = sorted(name for name in needed if entry.get(name) in (None, "", []))
    unknown = sorted(set(entry) - allowed)
    if missing:
        _refuse(
            key, f"it lacks {', '.join(missing)}", f"A row that is {kind} needs {', '.join(sorted(needed))}"
        )
    if unknown:
        _refuse(
            key, f"it has {', '.join(unknown)}", f"A row that is {kind} may have {', '.join(sorted(allowed))}"
        )
    if kind == "calibrated" and not entry["uses"].startswith(("input: ", "calibration: ")):
        _refuse(key, f"its use is {entry['uses']!r}", "It begins with 'input: ' or 'calibration: '")
    if entry.get("tolerance", 0) < 0:
        _refuse(key, f"its tolerance is {entry['tolerance']}", "It is zero or more")


def _check_names(item: Row, found: dict[str, Row]) -> None:
    for expression in item.follows:
        for name in sorted(names(expression)):
            if f"{item.paper}.{name}" not in found or f"{item.paper}.{name}" == item.key:
                _refuse(item.key, f"its expression uses {name!r}", "Names are other rows of the same paper")


def _refuse(key: str, what: str, allowed: str) -> NoReturn:
    raise ValueError(
        f"Cannot read row {key!r} of the ledger: {what}. {allowed}. Mend it in book/published.toml."
    )
