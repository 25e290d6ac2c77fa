"""Costes' thresholds: down to where two channels are no more correlated."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def costes_thresholds(a: Floats, b: Floats) -> tuple[tuple[float, float], str, list[str]]:
    """Return the thresholds of two channels, "costes", and what is to be said of them.

    Both move down together along the line of orthogonal regression b = slope a + rest, until the pixels that
    are below in the one or the other correlate no more. A pixel is below threshold t if the least of a and
    (b - rest) / slope is at most t: sorted by that, all thresholds are one cumulative sum.
    """
    unknown = float("nan"), float("nan")
    covariance = np.cov(a, b)
    if covariance[0, 1] <= 0:
        return (
            unknown,
            "costes",
            ["the channels do not correlate: Costes' thresholds do not exist, pass 'otsu'"],
        )
    gap = covariance[1, 1] - covariance[0, 0]
    slope = (gap + np.hypot(gap, 2 * covariance[0, 1])) / (2 * covariance[0, 1])
    rest = b.mean() - slope * a.mean()
    least = np.minimum(a, (b - rest) / slope)
    order = np.argsort(least, kind="stable")
    least, a, b = least[order], a[order] - a.mean(), b[order] - b.mean()
    n = np.arange(1, least.size + 1)
    sums = [np.cumsum(values) for values in (a, b, a * b)]
    # Of the correlation only its sign is asked for.
    together = sums[2] - sums[0] * sums[1] / n
    last = np.append(least[1:] > least[:-1], True)  # all that are equal are below together
    free = np.flatnonzero(last & (together <= 1e-9 * np.abs(sums[2])))
    if not free.size:
        return (
            unknown,
            "costes",
            ["the channels correlate down to their darkest pixels: no threshold is found"],
        )
    found = float(least[free[-1]])
    return (found, float(slope * found + rest)), "costes", []
