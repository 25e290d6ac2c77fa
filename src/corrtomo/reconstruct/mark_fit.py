"""From where marks are seen to where slices lie: one least-squares fit over all marks and slices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
_LIMIT = 5.0
"""Standard deviations beyond which a mark contradicts the others."""
_AT_LEAST = 0.2
"""Pixels within which marks never contradict each other: they are milled, not drawn."""
_FLOOR = 0.01
"""Pixels that the error of a mark has at least: its shape changes a little from slice to slice."""
_SAME = 0.01
"""Share within which two contradictions are alike, so that none of them tells which mark is wrong."""
_ROUNDS = 4


@dataclass(frozen=True)
class Seen:
    """Marks as they were seen along one or two axes of the image.

    A mark at `place` has its own centre, the drift of the image and, where `design` has a second column, its
    slope times the depth of the slice: ``place = centre + design @ (drift, depth)``.

    Attributes
    ----------
    place, error : numpy.ndarray
        µm, axes slice, mark; what was not found has any value.
    design : numpy.ndarray
        A row for each mark.
    pixel : float
        µm.
    """

    place: Floats
    error: Floats
    design: Floats
    pixel: float

    def weights(self, used: Mask) -> Floats:
        """Return one over the variance; 0 for what is not used."""
        variance = np.where(used, self.error, 1.0) ** 2 + (_FLOOR * self.pixel) ** 2
        return np.where(used, 1.0 / variance, 0.0)

    def of(self, k: int, marks: Mask) -> Seen:
        """Return some marks of one slice."""
        return Seen(
            self.place[k : k + 1, marks], self.error[k : k + 1, marks], self.design[marks], self.pixel
        )


@dataclass(frozen=True)
class Fitted:
    """Drift and depth of each slice, with their covariance; `known` where the marks tell them."""

    value: Floats
    covariance: Floats
    known: Mask


def agreeing(first: Seen, second: Seen, found: Mask) -> Mask:
    """Return which marks agree with the others in their slice, along both axes.

    The mark that contradicts most is dropped, until the rest agrees. Where two marks merely contradict each
    other, neither is kept.
    """
    used = found
    # The reader pointed at the marks in the first image: their centres there are the safest start.
    centres = [seen.place[0] for seen in (first, second)]
    for _ in range(_ROUNDS):
        kept = found.copy()
        for k in range(len(found)):
            _drop(kept, k, (first, second), centres)
        if (kept == used).all():
            break
        used = kept
        centres = [_centres(seen, used) for seen in (first, second)]
    return used


def fit(seen: Seen, used: Mask) -> Fitted:
    """Fit drift (and depth) of all slices and the centres of all marks, and scale errors by the misfit."""
    centres = _centres(seen, used)
    weights = seen.weights(used)
    inverse, known = _inverse(seen.design, weights)
    rest = np.where(used, seen.place - centres, 0.0)
    value = np.einsum("kab,nb,kn,kn->ka", inverse, seen.design, weights, rest)
    misfit = np.where(used, rest - value @ seen.design.T, 0.0)
    columns = seen.design.shape[1]
    free = int(used.sum()) - columns * int(known.sum()) - (len(centres) - columns)
    scale = float((weights * misfit**2).sum()) / free if free > 0 else 1.0
    return Fitted(value, inverse * max(1.0, scale), known)


def bridge(fitted: npt.NDArray[Any], error: Floats, known: Mask) -> tuple[Floats, Floats]:
    """Fill what is not known between slices that are, as a random walk goes: straight, and less surely.

    Parameters
    ----------
    fitted, error : numpy.ndarray
        A value for each slice, and its standard error; µm.
    known : numpy.ndarray
        Where they are known: in the first slice, in the last, and in others.
    """
    at = np.flatnonzero(known)
    number = np.arange(len(known))
    value = np.interp(number, at, fitted[at])
    if known.all():
        return value, error
    gaps = np.diff(at)
    steps = np.diff(fitted[at]) / gaps
    # A step of many slices is the mean of as many: it spreads less by the root of their number.
    walk = float(np.sqrt(np.median((steps - np.median(steps)) ** 2 * gaps))) * 1.4826
    behind = np.searchsorted(at, number).clip(1, len(at) - 1)
    left, right = at[behind - 1], at[behind]
    part = (number - left) / (right - left)
    measured = ((1 - part) * error[left]) ** 2 + (part * error[right]) ** 2
    between = walk**2 * (number - left) * (right - number) / (right - left)
    return value, np.where(known, error, np.sqrt(measured + between))


def _inverse(design: Floats, weights: Floats) -> tuple[Floats, Mask]:
    """Return the covariance of each slice's unknowns, and whether its marks tell all of them."""
    normal = np.einsum("na,kn,nb->kab", design, weights, design)
    inverse = np.linalg.pinv(normal, rcond=1e-10, hermitian=True)
    rank = np.linalg.matrix_rank(normal, tol=1e-10 * np.abs(normal).max(axis=(1, 2)), hermitian=True)
    return inverse, rank == design.shape[1]


def _centres(seen: Seen, used: Mask) -> Floats:
    """Fit the centres of the marks over all slices, whatever the drift of each."""
    weights = seen.weights(used)
    inverse, _ = _inverse(seen.design, weights)
    hat = np.einsum("na,kab,mb,km->knm", seen.design, inverse, seen.design, weights)
    rest = weights[:, :, None] * (np.eye(len(seen.design)) - hat)  # of what no drift explains
    right = np.einsum("knm,km->n", rest, np.where(used, seen.place, 0.0))
    found: Floats = np.linalg.lstsq(rest.sum(axis=0), right, rcond=1e-10)[0]
    return found


def _drop(kept: Mask, k: int, axes: tuple[Seen, Seen], centres: list[Floats]) -> None:
    """Drop marks of one slice, worst first, until the others agree."""
    while kept[k].sum() > 1:
        worst = np.zeros(kept.shape[1])
        for seen, centre in zip(axes, centres, strict=True):
            here = kept[k]
            worst[here] = np.maximum(worst[here], _contradiction(seen.of(k, here), centre[here]))
        most = worst.max()
        if most <= 1.0:
            return
        kept[k, worst >= (1.0 - _SAME) * most] = False


def _contradiction(seen: Seen, centre: Floats) -> Floats:
    """Return by how many times what is allowed each mark of a slice is off the others'."""
    weights = seen.weights(np.ones_like(seen.place, bool))[0]
    inverse, _ = _inverse(seen.design, weights[None])
    hat = seen.design @ inverse[0] @ seen.design.T * weights
    rest = seen.place[0] - centre
    off = np.abs(rest - hat @ rest)
    # A mark that alone tells an unknown fits whatever it says: it cannot be checked.
    free = np.maximum(1.0 - np.diag(hat), 0.0)
    checked = free > 1e-6
    free = np.where(checked, free, 1.0)
    from_others = off / free
    deviations = off * np.sqrt(weights / free)
    out: Floats = np.where(checked & (from_others > _AT_LEAST * seen.pixel), deviations / _LIMIT, 0.0)
    return out
