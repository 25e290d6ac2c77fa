"""Interval arithmetic for the papers' own sums.

A printed 24.8 stands for anything from 24.75 to 24.85. What follows from it is an interval too, and it tells
whether a printed result can follow from printed figures. Own lines instead of a library: mpmath's ``iv`` and
its like bring arbitrary precision, which figures of three digits do not need, and overestimate as soon as a
figure occurs twice in a sum; here the box of figures is cut into small boxes, which settles that.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise, product

BOXES = 1024
_SLACK = 1e-9  # binary fractions: 0.485 is not exactly 0.485


@dataclass(frozen=True)
class Interval:
    """All numbers from `low` to `high`.

    Examples
    --------
    >>> from corrtomo.published.intervals import Interval
    >>> Interval(1, 2) - Interval(1, 2)
    Interval(low=-1, high=1)
    >>> Interval(-1, 2) ** 2
    Interval(low=0, high=4)
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise ValueError(
                f"Cannot make an interval from {self.low} to {self.high}: it is empty. "
                "The lower end comes first and neither is NaN. Exchange the ends: Interval(low, high)."
            )

    def __add__(self, other: Interval) -> Interval:
        return Interval(self.low + other.low, self.high + other.high)

    def __sub__(self, other: Interval) -> Interval:
        return Interval(self.low - other.high, self.high - other.low)

    def __neg__(self) -> Interval:
        return Interval(-self.high, -self.low)

    def __mul__(self, other: Interval) -> Interval:
        corners = [a * b for a in (self.low, self.high) for b in (other.low, other.high)]
        return Interval(min(corners), max(corners))

    def __truediv__(self, other: Interval) -> Interval:
        if other.low <= 0 <= other.high:
            raise ZeroDivisionError(
                f"Cannot divide by the interval from {other.low} to {other.high}: it holds zero. "
                "A divisor keeps one sign. Rearrange the expression."
            )
        return self * Interval(1 / other.high, 1 / other.low)

    def __pow__(self, power: int) -> Interval:
        ends = sorted((self.low**power, self.high**power))
        if power % 2 == 0 and self.low <= 0 <= self.high:
            return Interval(0, ends[1])
        return Interval(*ends)

    def rising(self, function: Callable[[float], float]) -> Interval:
        """Apply a function that never falls."""
        return Interval(function(self.low), function(self.high))

    def contains(self, value: float) -> bool:
        """Tell whether a number lies in it; the ends belong to it."""
        return self.overlaps(Interval(value, value))

    def overlaps(self, other: Interval) -> bool:
        """Tell whether the two have a number in common; touching is enough."""
        finite = [abs(x) for x in (self.low, self.high, other.low, other.high) if math.isfinite(x)]
        slack = _SLACK * max(finite, default=0.0)
        return self.low <= other.high + slack and other.low <= self.high + slack


def _normal(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2))


FUNCTIONS: dict[str, Callable[[float], float]] = {
    "exp": math.exp,
    "log": math.log,
    "sqrt": math.sqrt,
    "Phi": _normal,
}
_OPERATORS: dict[type[ast.operator], Callable[[Interval, Interval], Interval]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def names(expression: str) -> set[str]:
    """Return the names of the figures that an expression uses."""
    found = {node.id for node in ast.walk(_parse(expression)) if isinstance(node, ast.Name)}
    return found - set(FUNCTIONS)


def evaluate(expression: str, values: Mapping[str, Interval]) -> Interval:
    """Work out an expression once, by interval arithmetic.

    Numbers, names, ``+ - * /``, ``**`` with a whole power, and ``exp``, ``log``, ``sqrt`` and ``Phi`` (the
    normal distribution) are allowed; nothing else is ever run.

    Raises
    ------
    ValueError
        If the expression holds anything else, or a name without a value.
    """
    return _walk(_parse(expression), values, expression)


def enclose(expression: str, values: Mapping[str, Interval]) -> Interval:
    """Return the range of an expression, tight though a figure may occur in it several times.

    The box of figures is cut into up to 1024 boxes, each is worked out, and their union returned. Every value
    that the expression can take lies inside.

    Examples
    --------
    >>> from corrtomo.published.intervals import Interval, enclose, evaluate
    >>> a = {"a": Interval(1, 2)}
    >>> evaluate("a - a", a), round(enclose("a - a", a).high, 2)
    (Interval(low=-1, high=1), 0.0)
    """
    used = sorted(names(expression) & set(values))
    wide = [name for name in used if values[name].low < values[name].high]
    pieces = int(BOXES ** (1 / len(wide)) + _SLACK) if wide else 1
    tree, box = _parse(expression), dict(values)
    found = []
    for cut in product(*(_cut(values[name], pieces) for name in wide)):
        box.update(zip(wide, cut, strict=True))
        found.append(_walk(tree, box, expression))
    return Interval(min(f.low for f in found), max(f.high for f in found))


def _cut(interval: Interval, pieces: int) -> list[Interval]:
    if not (math.isfinite(interval.low) and math.isfinite(interval.high)):
        return [interval]
    step = (interval.high - interval.low) / pieces
    ends = [interval.low + i * step for i in range(pieces)] + [interval.high]
    return [Interval(a, max(a, b)) for a, b in pairwise(ends)]


def _parse(expression: str) -> ast.expr:
    try:
        return ast.parse(expression, mode="eval").body
    except SyntaxError as error:
        raise ValueError(
            f"Cannot read the expression {expression!r}: {error.msg}. "
            "Numbers, names, + - * / ** and exp, log, sqrt, Phi are allowed. Mend it in the ledger."
        ) from error


def _walk(node: ast.expr, values: Mapping[str, Interval], whole: str) -> Interval:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return Interval(number, number)
        case ast.Name(id=name) if name in values:
            return values[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_walk(operand, values, whole)
        case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=int() as power)) if power > 0:
            return _walk(left, values, whole) ** power
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _OPERATORS[type(op)](_walk(left, values, whole), _walk(right, values, whole))
        case ast.Call(func=ast.Name(id=name), args=[inner], keywords=[]) if name in FUNCTIONS:
            return _walk(inner, values, whole).rising(FUNCTIONS[name])
    raise ValueError(
        f"Cannot work out {ast.unparse(node)!r} in the expression {whole!r}: "
        f"known names are {', '.join(sorted(values)) or 'none'}; allowed are numbers, + - * /, ** with a "
        f"whole power above zero, and {', '.join(FUNCTIONS)}. Mend it in the ledger."
    )
