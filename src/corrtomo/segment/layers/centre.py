"""The centre of a winding: where the normals of its layers meet."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Floats = npt.NDArray[np.float64]
_SPREAD = 1.5
"""Pixels over which grey values are averaged before their slope is taken."""
_STEEPEST = 0.7
"""Only the steepest 30 % of pixels have a normal that means something."""
_PIXELS = 12_000
"""So many normals are enough for a centre within a tenth of a pixel."""
_CELLS = 48
"""The image is divided into so many cells along its longer edge, in which normals are counted."""
_VOTERS = 4000
_NEAR = 0.03
"""A normal meets a centre if it passes within this share of the longer edge of the image."""


class Centre(NamedTuple):
    """A place in pixels, the share of normals that meet there, and of the others that meet elsewhere."""

    y: float
    x: float
    share: float
    other: float


def find_centre(grey: Floats) -> Centre:
    """Return where the normals of edges meet, in pixels.

    Normals of an out-of-round roll pass its middle on either side: least squares that forget what is far off.
    The place is the same on each run: pixels are drawn with a fixed seed.
    """
    places, normals = _normals(grey)
    if len(places) < 100:
        return Centre(np.nan, np.nan, 0.0, 0.0)
    longest = float(max(grey.shape))
    start = _votes(places, normals, grey.shape)
    y, x = _meeting(places, normals, start, longest)
    near = np.abs(_passing(places, normals, y, x)) < _NEAR * longest
    other = 0.0
    rest = ~near
    if rest.sum() > 100:
        # Another roll lies beside this one; what an oval roll has are two middles within it.
        away = _votes(places[rest], normals[rest], grey.shape)
        again = _meeting(places[rest], normals[rest], away, longest)
        radius = np.median(np.hypot(places[near, 0] - y, places[near, 1] - x))
        if np.hypot(again[0] - y, again[1] - x) > max(radius, 4 * _NEAR * longest):
            meet = np.abs(_passing(places[rest], normals[rest], *again)) < _NEAR * longest
            other = float(meet.mean())
    return Centre(y, x, float(near.mean()), other)


def _normals(grey: Floats) -> tuple[Floats, Floats]:
    """Return places of steep pixels and the unit vectors across their edges, as rows of y and x."""
    smooth = ndimage.gaussian_filter(grey, _SPREAD)
    down, across = np.gradient(smooth)
    steep = np.hypot(down, across)
    least = max(float(np.quantile(steep, _STEEPEST)), 1e-6 * float(np.ptp(grey)), 1e-300)
    y, x = np.nonzero(steep > least)
    if len(y) > _PIXELS:
        some = np.random.default_rng(0).choice(len(y), _PIXELS, replace=False)
        y, x = y[some], x[some]
    normals = np.stack([down[y, x], across[y, x]], axis=1) / steep[y, x][:, None]
    return np.stack([y, x], axis=1).astype(float), normals


def _votes(places: Floats, normals: Floats, shape: tuple[int, ...]) -> tuple[float, float]:
    """Return the middle of the cell through which most normals pass."""
    cell = max(shape) / _CELLS
    along = np.arange(-max(shape), max(shape), cell)
    some = slice(None, None, max(1, len(places) // _VOTERS))
    cells = ((places[some, None] + normals[some, None] * along[:, None]) / cell).reshape(-1, 2)
    inside = ((cells >= 0) & (cells * cell < np.array(shape))).all(axis=1)
    size = int(np.ceil(_CELLS)) + 1
    index = np.ravel_multi_index(tuple(cells[inside].astype(int).T), (size, size))
    votes = np.bincount(index, minlength=size * size).reshape(size, size)
    best = np.unravel_index(int(ndimage.gaussian_filter(votes.astype(float), 1).argmax()), votes.shape)
    return (float(best[0]) + 0.5) * cell, (float(best[1]) + 0.5) * cell


def _passing(places: Floats, normals: Floats, y: float, x: float) -> Floats:
    """Return how far off a place each normal passes, in pixels."""
    return np.asarray(normals[:, 0] * (places[:, 1] - x) - normals[:, 1] * (places[:, 0] - y))


def _meeting(
    places: Floats, normals: Floats, start: tuple[float, float], longest: float
) -> tuple[float, float]:
    """Return the place that normals pass nearest, least squares with weights that fall with distance."""
    y, x = start
    matrix = np.stack([normals[:, 1], -normals[:, 0]], axis=1)
    known = normals[:, 1] * places[:, 0] - normals[:, 0] * places[:, 1]
    for scale in (0.06, 0.06, 0.04, 0.04, 0.02, 0.02, 0.02, 0.02):
        off = _passing(places, normals, y, x) / max(scale * longest, 1.0)
        weighted = matrix / (1 + off**2)[:, None] ** 2
        y, x = np.linalg.lstsq(weighted.T @ matrix, weighted.T @ known, rcond=None)[0]
    return float(y), float(x)
