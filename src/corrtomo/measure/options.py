"""Options that are no numbers, or out of range."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np


def check_between(value: Any, what: str, low: float, high: float, *, doing: str) -> float:
    """Refuse what is no number from `low` to `high`, or return it as a float.

    Examples
    --------
    >>> check_between(0.8, "pure", 0, 1, doing="measure cracks")
    0.8
    """
    number = isinstance(value, Real) and not isinstance(value, bool | np.bool_)
    if not (number and low <= float(value) <= high):
        raise (ValueError if number else TypeError)(
            f"Cannot {doing} with {what} {value!r}: a number from {low:g} to {high:g} is needed. "
            f"Pass for instance {what}={_example(low, high):g}."
        )
    return float(value)


def check_whole(value: Any, what: str, least: int, *, doing: str) -> int:
    """Refuse what is no whole number from `least`, or return it.

    Examples
    --------
    >>> check_whole(3, "seed", 0, doing="draw blocks")
    3
    """
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or value < least:
        raise ValueError(
            f"Cannot {doing} with {what}={value!r}: a whole number from {least} is needed. Leave it out."
        )
    return int(value)


def check_named(value: Any, what: str, *, doing: str, like: str) -> dict[Any, Any]:
    """Refuse what is no mapping, or return it as a dict; `like` is an example of one."""
    if not isinstance(value, Mapping):
        raise TypeError(
            f"Cannot {doing} with {what} of type {type(value).__name__}: names and what belongs to each are "
            f"needed. Pass for instance {what}={like}."
        )
    return dict(value)


def _example(low: float, high: float) -> float:
    return (low + high) / 2 if np.isfinite(low + high) else max(low, 0.0)
