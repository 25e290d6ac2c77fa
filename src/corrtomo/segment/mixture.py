"""Two classes that differ in the share of one element: learned from counts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import betaln, expit, logit, logsumexp

Floats = npt.NDArray[np.float64]
_SPREAD = (1e-8, 0.5)
"""Least and greatest spread of the share within a class: binomial, and nearly none or all."""
_EDGE = 1e-6
_CLOSEST = 1e-4


class Mixture(NamedTuple):
    """Two classes: the share of the first element in each, how common the second is, and their spread.

    `spread` is the ρ of the beta-binomial law: shares vary within a class with variance ρ p (1 − p).
    """

    shares: tuple[float, float]
    weight: float
    spread: float
    likelihood: float

    def second(self, some: Floats, rest: Floats) -> Floats:
        """Return the probability of the second class, given counts of both elements."""
        parts = _parts(some, rest, self.shares, self.weight, self.spread)
        return np.asarray(expit(parts[1] - parts[0]))


def learn(some: Floats, rest: Floats, shares: tuple[float, float] | None = None) -> Mixture:
    """Find the mixture of two beta-binomial laws of greatest likelihood, the class of lower share first.

    Parameters
    ----------
    some, rest : numpy.ndarray
        Counts of the two elements in each particle, with one or more in all.
    shares : tuple of float, optional
        The shares of the classes, where they are known.

    Examples
    --------
    >>> found = learn(np.array([1.0, 0, 2, 80, 79, 82]), np.array([99.0, 100, 98, 20, 21, 18]))
    >>> [round(share, 2) for share in found.shares], round(found.weight, 2)
    ([0.01, 0.8], 0.5)
    """
    low, high = shares if shares is not None else _start(some, rest)
    held = None if shares is None else (low, high)
    start = [] if held else [logit(low), logit(high)]
    best: Mixture | None = None
    for spread in (1e-5, 1e-2):  # from both ends: one of them may be a local peak
        found = minimize(
            lambda at: -_at(at, some, rest, held).likelihood,
            [*start, 0.0, np.log(spread)],
            method="L-BFGS-B",
            bounds=[(-14, 14)] * len(start) + [(-8, 8), tuple(np.log(_SPREAD))],
        )
        one = _at(found.x, some, rest, held)
        best = one if best is None or one.likelihood > best.likelihood else best
    assert best is not None
    if best.shares[0] > best.shares[1]:
        return best._replace(shares=best.shares[::-1], weight=1 - best.weight)
    return best


def needs_two(found: Mixture, some: Floats, rest: Floats) -> bool:
    """Tell whether two classes explain the counts better than one that varies, by Schwarz's criterion."""

    def alone(at: Floats) -> float:
        share = (float(expit(at[0])),) * 2
        return -float(logsumexp(_parts(some, rest, share, 0.5, float(np.exp(at[1]))), axis=0).sum())

    mean = float(np.clip(some.sum() / (some + rest).sum(), _EDGE, 1 - _EDGE))
    one = min(
        minimize(
            alone, [logit(mean), np.log(s)], method="L-BFGS-B", bounds=[(-14, 14), tuple(np.log(_SPREAD))]
        ).fun
        for s in (1e-5, 1e-2, 0.2)
    )
    return bool(2 * (found.likelihood + one) > 2 * np.log(len(some)))


def _at(at: Floats, some: Floats, rest: Floats, held: tuple[float, float] | None) -> Mixture:
    shares = held if held is not None else (float(expit(at[0])), float(expit(at[1])))
    weight, spread = float(expit(at[-2])), float(np.exp(at[-1]))
    likelihood = float(logsumexp(_parts(some, rest, shares, weight, spread), axis=0).sum())
    return Mixture(shares, weight, spread, likelihood)


def _parts(
    some: Floats, rest: Floats, shares: tuple[float, ...], weight: float, spread: float
) -> npt.NDArray[np.float64]:
    """Return the log likelihood of each count in each class, but for what both have alike."""
    out = []
    for share, common in zip(shares, (1 - weight, weight), strict=True):
        p = min(max(share, _EDGE), 1 - _EDGE)
        a, b = p * (1 - spread) / spread, (1 - p) * (1 - spread) / spread
        out.append(np.log(common) + betaln(some + a, rest + b) - betaln(a, b))
    return np.array(out)


def _start(some: Floats, rest: Floats) -> tuple[float, float]:
    """Return two shares to begin with: on either side of the cut that parts particles best."""
    share = some / (some + rest)
    order = np.argsort(share)
    above, all_ = np.cumsum(some[order]), np.cumsum((some + rest)[order])
    low, high = above[:-1] / all_[:-1], (above[-1] - above[:-1]) / (all_[-1] - all_[:-1])
    between = all_[:-1] * (all_[-1] - all_[:-1]) * (high - low) ** 2
    cut = int(between.argmax())
    first = float(np.clip(low[cut], _CLOSEST, 1 - 2 * _CLOSEST))
    return first, float(np.clip(high[cut], first + _CLOSEST, 1 - _CLOSEST))
