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
    number = is_real(value)
    if not (number and low <= as_float(value) <= high):
        raise (ValueError if number else TypeError)(
            f"Cannot {doing} with {what} {value!r}: a number from {low:g} to {high:g} is needed. "
            f"Pass for instance {what}={_example(low, high):g}."
        )
    return float(value)


def check_whole(value: Any, what: str, least: int, *, doing: str, most: float = np.inf) -> int:
    """Refuse what is no whole number from `least` to `most`, or return it.

    Examples
    --------
    >>> check_whole(3, "seed", 0, doing="draw blocks")
    3
    """
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or not least <= value <= most:
        range_ = f"from {least}" + (f" to {most}" if np.isfinite(most) else "")
        raise ValueError(
            f"Cannot {doing} with {what}={value!r}: a whole number {range_} is needed. Leave it out."
        )
    return int(value)


def check_real(image: Any, *, doing: str) -> None:
    """Refuse an image of text, of complex numbers or of anything else that is no real number.

    Examples
    --------
    >>> check_real(np.zeros((2, 2)), doing="measure an edge")
    """
    kind = image.dtype
    if not any(np.issubdtype(kind, real) for real in (np.integer, np.floating, np.bool_)):
        raise TypeError(
            f"Cannot {doing} of dtype {kind}: real numbers are needed. Convert the image first, for instance "
            "with image.astype('float32')."
        )


def is_real(value: Any) -> bool:
    """Say whether this is a real number; booleans and text are none.

    Examples
    --------
    >>> is_real(0.5), is_real(True), is_real("0.5")
    (True, False, False)
    """
    return isinstance(value, Real) and not isinstance(value, bool | np.bool_)


def check_total(total: float, *, doing: str) -> None:
    """Refuse counts whose sum is beyond what floats hold as whole numbers.

    Examples
    --------
    >>> check_total(2500.0, doing="count by class")
    """
    if total > 2.0**53:
        raise ValueError(
            f"Cannot {doing}: the counts sum to {total:.2g}, and above 2⁵³ (9e15) sums are no longer whole. "
            "No instrument counts so many: check how the map was read, and what fills its empty pixels."
        )


def check_named(value: Any, what: str, *, doing: str, like: str) -> dict[Any, Any]:
    """Refuse what is no mapping, or return it as a dict; `like` is an example of one."""
    if not isinstance(value, Mapping):
        raise TypeError(
            f"Cannot {doing} with {what} of type {type(value).__name__}: names and what belongs to each are "
            f"needed. Pass for instance {what}={like}."
        )
    return dict(value)


def as_float(value: Any) -> float:
    """Return a real number as a float; one too large for it as infinite.

    Examples
    --------
    >>> as_float(1), as_float(-(10**400))
    (1.0, -inf)
    """
    try:
        return float(value)
    except OverflowError:
        return float(np.copysign(np.inf, 1 if value > 0 else -1))


def is_flat(values: Any) -> bool:
    """Say whether this is a sequence of one or more, none of them a sequence itself.

    Examples
    --------
    >>> is_flat([1, 2]), is_flat([1, [2, 3]]), is_flat("12"), is_flat([])
    (True, False, False, False)
    """
    if isinstance(values, str):
        return False
    try:
        return bool(np.ndim(values) == 1 and len(values) > 0)
    except (TypeError, ValueError):  # parts of different lengths
        return False


def _example(low: float, high: float) -> float:
    return (low + high) / 2 if np.isfinite(low + high) else max(low, 0.0)
