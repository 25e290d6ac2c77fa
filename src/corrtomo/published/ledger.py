"""Reading the ledger, and refusing one that leaves something unsaid."""

from __future__ import annotations

import operator
import os
import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from .intervals import Interval, names
from .printed import read_printed, refuse

KINDS = ("calibrated", "predicted", "arithmetic", "not checkable")
_ALWAYS = {"what", "where", "kind"}
_STATEMENT = {"claim", "states"}
_NEEDED: dict[str, set[str]] = {
    "calibrated": {"uses"},
    "predicted": {"tolerance", "reason", "chapter"},
    "arithmetic": {"follows"},
    "not checkable": {"why"},
}
_OPTIONAL = {"unit", "decimals", "exact", "follows"}
_CHECKED = {"tolerance", "reason", "chapter"}
_ALSO = {"calibrated": _CHECKED, "arithmetic": {"chapter"}}
_RELATIONS = {">": operator.gt, "≥": operator.ge, "<": operator.lt, "≤": operator.le}
_CLAIM_DECIMALS = 2
_HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Row:
    """One printed number, or one statement in words, and what it is to us.

    Attributes
    ----------
    key : str
        Paper and name, for instance ``xt-fibsem.kappa_binary``.
    printed, unit : str
        The number as the paper prints it, and its unit; of a statement the number is empty.
    states, claim : str
        What the paper states, in our words, and the bound on a number of ours that we read it as, for
        instance "> 0"; both empty where the paper prints a number.
    value : float
        The number; the middle of a range; the bound.
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
    states: str
    claim: str
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
        """The printed figure with its unit; of a statement, our reading of it."""
        gap = "" if self.unit in ("", "°") else "\u00a0"
        return f"{self.printed or self.claim}{gap}{self.unit}"

    @property
    def allowed(self) -> Interval:
        """Where ours may lie: the printed figure with its rounding, and the tolerance on either side."""
        margin = self.tolerance or 0.0
        return Interval(self.interval.low - margin, self.interval.high + margin)

    def agrees(self, ours: float) -> bool:
        """Tell whether a number of ours lies where it may; a bound is kept to the last digit."""
        if self.claim:
            return bool(_RELATIONS[self.claim[0]](ours, self.value))
        return self.allowed.contains(ours)

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
    claim = entry.get("claim", "")
    given = entry.get("decimals", _CLAIM_DECIMALS if claim else None)
    value, interval, decimals = read_printed(
        claim or entry["printed"], decimals=given, exact=entry.get("exact", False), key=key
    )
    reason = entry.get("reason") or entry.get("why") or ""
    if reason and " " not in reason:
        if reason not in reasons:
            refuse(key, f"its reason {reason!r} is not in [reasons]", f"Known: {', '.join(sorted(reasons))}")
        reason = reasons[reason]
    return Row(
        key=key,
        printed=entry.get("printed", ""),
        unit=entry.get("unit", ""),
        value=value,
        interval=interval,
        decimals=decimals,
        exact=entry.get("exact", False),
        what=entry["what"],
        where=entry["where"],
        kind=entry["kind"],
        states=entry.get("states", ""),
        claim=claim,
        tolerance=entry.get("tolerance"),
        reason=reason,
        uses=entry.get("uses", ""),
        chapter=entry.get("chapter", ""),
        follows=tuple(entry.get("follows", ())),
    )


def _check_fields(key: str, entry: dict[str, Any]) -> None:
    kind = entry.get("kind")
    if kind not in KINDS:
        refuse(key, f"its kind is {kind!r}", f"Allowed are {', '.join(KINDS)}")
    states = bool(_STATEMENT & set(entry))
    needed = _ALWAYS | _NEEDED[kind] | (_STATEMENT if states else {"printed"})
    allowed = needed | _OPTIONAL | _ALSO.get(kind, set())
    if kind == "calibrated" and _CHECKED & set(entry):
        needed |= _CHECKED
    missing = sorted(name for name in needed if entry.get(name) in (None, "", []))
    unknown = sorted(set(entry) - allowed)
    if missing:
        refuse(
            key, f"it lacks {', '.join(missing)}", f"A row that is {kind} needs {', '.join(sorted(needed))}"
        )
    if unknown:
        refuse(
            key, f"it has {', '.join(unknown)}", f"A row that is {kind} may have {', '.join(sorted(allowed))}"
        )
    if kind == "calibrated" and not entry["uses"].startswith(("input: ", "calibration: ")):
        refuse(key, f"its use is {entry['uses']!r}", "It begins with 'input: ' or 'calibration: '")
    if states:
        _check_statement(key, entry)
    if entry.get("tolerance", 0) < 0:
        refuse(key, f"its tolerance is {entry['tolerance']}", "It is zero or more")


def _check_statement(key: str, entry: dict[str, Any]) -> None:
    """Refuse a statement that is no bound, or that a tolerance would soften."""
    if entry["kind"] not in ("predicted", "calibrated"):
        why = "What a run can test is predicted, or calibrated where the twin was made so"
        refuse(key, f"it states something and is {entry['kind']}", why)
    if not entry["claim"].startswith(tuple(_RELATIONS)):
        refuse(key, f"its claim is {entry['claim']!r}", "It is a bound, like '> 0', '≥ 1' or '< 0.5'")
    if entry["tolerance"] != 0:
        refuse(key, f"its tolerance is {entry['tolerance']}", "A bound is kept or it is not: it is zero")


def _check_names(item: Row, found: dict[str, Row]) -> None:
    for expression in item.follows:
        for name in sorted(names(expression)):
            if f"{item.paper}.{name}" not in found or f"{item.paper}.{name}" == item.key:
                refuse(item.key, f"its expression uses {name!r}", "Names are other rows of the same paper")
