"""Our number beside the published one."""

from __future__ import annotations

import json
import math
import os
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from numbers import Real
from pathlib import Path

from .ledger import Row, row
from .markup import html_row, html_table, html_verdict

_PROCESS = uuid.uuid4().hex
_MOST_DECIMALS = 15


@dataclass(frozen=True, repr=False)
class Check:
    """A published number and ours.

    Attributes
    ----------
    key : str
        The row of the ledger.
    published : str
        The figure as printed, with its unit; of a statement, our reading of it, for instance "> 0".
    ours : float
        Our number, in the same unit.
    interval : tuple of float or None
        Our 95 % interval.
    verdict : str
        "agrees" or "misses".
    row : Row
        The row itself: kind, place in the paper, tolerance and its reason.
    """

    key: str
    published: str
    ours: float
    interval: tuple[float, float] | None
    verdict: str
    row: Row = field(compare=False)

    def __repr__(self) -> str:
        said = f"published {self.published}"
        if self.row.states:
            said = f"stated: {self.row.states}, read as {self.published}"
        found = f"{self.key}: {said}, ours {self.ours_text}"
        between = f" [{self.interval_text}]" if self.interval else ""
        return f"{found}{between}, {self.verdict} ({self.row.kind})".replace("\u00a0", " ")

    def _repr_html_(self) -> str:
        return Comparison((self,))._repr_html_()

    @property
    def ours_text(self) -> str:
        """Our number, to one decimal more than the published one, or to as many as show the verdict."""
        return _round(self.ours, self.row)

    @property
    def interval_text(self) -> str:
        """Our interval, to as many decimals, or nothing."""
        return " to ".join(_round(end, self.row) for end in self.interval) if self.interval else ""


@dataclass(frozen=True)
class Comparison:
    """Several published numbers beside ours; shows itself as one table."""

    checks: tuple[Check, ...]

    def __repr__(self) -> str:
        return "\n".join(map(repr, self.checks))

    def _repr_html_(self) -> str:
        return html_table("Published beside ours", map(_html_row, self.checks))


def check(key: str, value: float, *, interval: tuple[float, float] | None = None) -> Check:
    """Put a number of ours beside the published one.

    Every chapter ends with it, so that the book cannot drift from the papers unseen. While the book is built
    (the variable CORRTOMO_CHECKS names a folder) the result is kept there for the validation page.

    Parameters
    ----------
    key : str
        Paper and name, for instance ``"xt-fibsem.kappa_binary"``.
    value : float
        Our number, in the unit of the row.
    interval : tuple of float, optional
        Our 95 % interval, lower end first.

    Returns
    -------
    Check
        With the verdict "agrees" or "misses"; a miss is shown, never raised.

    Raises
    ------
    KeyError
        If the ledger has no such row.
    ValueError
        If a number is not finite, the interval is the wrong way round, or the row is not one that a run can
        check (arithmetic, not checkable).
    TypeError
        If `value` is not a number.

    Notes
    -----
    Ours agrees if it lies within the rounding of the printed figure widened by the row's tolerance. Our own
    interval has no say in it: a wide interval must not hide a miss. For a range, a single number agrees if it
    lies in the range. A statement in words is read as a bound, which the row states: "> 0" is missed by 0
    itself. For a calibrated row, agreement proves nothing but the setting.

    Examples
    --------
    >>> import corrtomo as ct
    >>> ct.published.check("xt-fibsem.grains_fibsem", 74)
    xt-fibsem.grains_fibsem: published 81 grains, ours 74, agrees (predicted)
    >>> ct.published.check("xt-fibsem.threshold_best_binary", 120, interval=(118, 122.4))
    xt-fibsem.threshold_best_binary: published 113 grey value, ours 120 [118 to 122.4], misses (predicted)
    """
    made = _compare(key, value, interval)
    folder = os.environ.get("CORRTOMO_CHECKS")
    if folder:
        _keep(made, Path(folder))
    return made


def checks(
    values: Mapping[str, float], *, intervals: Mapping[str, tuple[float, float]] | None = None
) -> Comparison:
    """Put several numbers beside the published ones, in one table.

    Parameters
    ----------
    values : mapping of str to float
        Our numbers by key, each in the unit of its row.
    intervals : mapping of str to tuple of float, optional
        95 % intervals for some of them, by key.

    Returns
    -------
    Comparison
        One :class:`Check` for each, in the given order.

    Raises
    ------
    ValueError
        If there is nothing to compare, an interval has no number, or :func:`check` refuses one.

    Examples
    --------
    >>> import corrtomo as ct
    >>> ct.published.checks({"xt-fibsem.kappa_binary": 0.801, "xt-fibsem.grains_xray": 30})
    xt-fibsem.kappa_binary: published 0.79, ours 0.801, agrees (calibrated)
    xt-fibsem.grains_xray: published 17 grains, ours 30, misses (predicted)
    """
    between = dict(intervals or {})
    stray = sorted(set(between) - set(values))
    if stray or not values:
        raise ValueError(
            f"Cannot compare {len(values)} numbers with intervals for {', '.join(stray) or 'none'} besides: "
            "one number or more is needed, and every interval belongs to one. Give both under the same key."
        )
    for key, value in values.items():
        _compare(key, value, between.get(key))  # refuse all before one is kept
    return Comparison(tuple(check(key, value, interval=between.get(key)) for key, value in values.items()))


def read_checks(folder: str | Path) -> dict[str, Check]:
    """Return what chapters have checked, by key; the latest where one was checked twice.

    Verdicts are made anew from the ledger as it stands.
    """
    kept = []
    for file in sorted(Path(folder).glob("*.jsonl")):
        kept += [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return {
        each["key"]: _compare(each["key"], each["ours"], each["interval"])
        for each in sorted(kept, key=lambda each: each["time"])
    }


def _html_row(made: Check) -> str:
    return html_row(made.row, [ours_html(made)], [html_verdict(made.verdict)])


def ours_html(made: Check) -> str:
    """Return our number, and our 95 % interval below it."""
    between = f"<small>95 %: {escape(made.interval_text)}</small>" if made.interval else ""
    return made.ours_text + between


def _compare(key: str, value: float, interval: Sequence[float] | None) -> Check:
    item = row(key)
    if item.kind == "arithmetic":
        raise ValueError(
            f"Cannot check {key!r} against a run: it is arithmetic, it follows from other figures of "
            "the paper. Calibrated and predicted rows are checked. Work it out with "
            "ct.published.arithmetic()."
        )
    if item.kind == "not checkable":
        raise ValueError(
            f"Cannot check {key!r}: it is not checkable. {item.reason} Calibrated and predicted rows are "
            "checked. If a run can find it after all, change its kind in book/published.toml."
        )
    ours = _finite(value, key)
    between = None
    if interval is not None:
        ends = tuple(_finite(end, key) for end in interval)
        if len(ends) != 2 or ends[0] > ends[1]:
            raise ValueError(
                f"Cannot check {key!r} with the interval {tuple(interval)}: two numbers are needed, the "
                "lower first. Pass interval=(low, high)."
            )
        between = (ends[0], ends[1])
    verdict = "agrees" if item.agrees(ours) else "misses"
    return Check(key, item.text, ours, between, verdict, item)


def _finite(value: float, key: str) -> float:
    number: object = value
    if hasattr(number, "item") and getattr(number, "ndim", 0) == 0:
        number = number.item()
    if isinstance(number, bool) or not isinstance(number, Real):
        raise TypeError(
            f"Cannot check {key!r} with {value!r}: a number is needed, in {row(key).unit or 'no unit'}. "
            "Reduce an array first, for instance with float(array.max())."
        )
    if not math.isfinite(number):
        raise ValueError(
            f"Cannot check {key!r} with {number}: it is not finite. A finite number is needed. "
            "Find out first where it was lost, for instance with array.isnull().sum()."
        )
    return float(number)


def _round(number: float, item: Row) -> str:
    if item.exact and number == int(number):
        return f"{number:.0f}"
    decimals = max(item.decimals + 1, 0)
    # Near the bound of a verdict, as many more as show on which side of it the number lies.
    while decimals < _MOST_DECIMALS and item.agrees(round(number, decimals)) != item.agrees(number):
        decimals += 1
    return f"{round(number, decimals) + 0.0:.{decimals}f}"


def _keep(made: Check, folder: Path) -> None:
    """Add one line to this process's own file: chapters run side by side and must not meet in one."""
    line = {
        "key": made.key,
        "ours": made.ours,
        "interval": made.interval,
        "verdict": made.verdict,
        "time": time.time_ns(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{_PROCESS}.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
