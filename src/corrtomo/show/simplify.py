"""Fewer triangles where a surface is flat: edges collapse in the order of what is lost by them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from .surfaces import Surface

_FIRST, _GROWTH = 1e-3, 2.0
"""Squared error allowed in the first pass, in steps of the grid, and its growth from pass to pass."""
_MOST_PASSES = 60
_TURN = 0.3
"""Cosine of the largest angle by which a triangle may turn."""
_COLOUR = 3.0
"""Steps of the grid that weigh as much as a change of colour over all of its range."""


def simplify(surfaces: Sequence[Surface], budget: int, step_um: float) -> list[Surface]:
    """Thin out closed surfaces together until they keep to a number of triangles.

    Two corners become one where the sum of squared distances from the planes around them is smallest (quadric
    error), so volumes and flat faces are kept. Flat parts go first, and small features last.

    Parameters
    ----------
    surfaces : sequence of Surface
        Closed surfaces; each stays closed.
    budget : int
        Most triangles of all of them together.
    step_um : float
        Step of the grid that they were found on.

    Returns
    -------
    list of Surface
        As many as before; with more triangles than the budget where no more can be removed without a fold.

    References
    ----------
    Garland and Heckbert, Surface simplification using quadric error metrics, 1997, doi 10.1145/258734.258849.
    """
    corners = np.concatenate([s.corners for s in surfaces]).astype(np.float64) / step_um
    starts = np.cumsum([0, *(len(s.corners) for s in surfaces)])
    triangles = np.concatenate([s.triangles + at for s, at in zip(surfaces, starts, strict=False)])
    colours = np.concatenate([_colour(s) for s in surfaces])
    quadrics = _quadrics(corners, triangles)
    allowed = _FIRST
    for _ in range(_MOST_PASSES):
        if len(triangles) <= budget:
            break
        first, around = _around(triangles, len(corners))
        _collapse(corners, triangles, colours, quadrics, first, around, allowed, len(triangles) - budget)
        triangles = triangles[triangles[:, 0] >= 0]
        allowed *= _GROWTH
    return [
        _part(surface, corners[low:high] * step_um, colours[low:high], triangles, int(low))
        for surface, low, high in zip(surfaces, starts[:-1], starts[1:], strict=True)
    ]


def _part(
    surface: Surface,
    corners: npt.NDArray[Any],
    colours: npt.NDArray[Any],
    triangles: npt.NDArray[Any],
    low: int,
) -> Surface:
    own = triangles[(triangles[:, 0] >= low) & (triangles[:, 0] < low + len(corners))] - low
    used, renamed = np.unique(own, return_inverse=True)
    values = None if surface.values is None else (colours[used] / _weight(surface)).astype(np.float32)
    return Surface(corners[used].astype(np.float32), renamed.reshape(-1, 3).astype(np.int32), values)


def _colour(surface: Surface) -> npt.NDArray[np.float64]:
    if surface.values is None:
        return np.zeros(len(surface.corners))
    return surface.values.astype(float) * _weight(surface)


def _weight(surface: Surface) -> float:
    """Return by what a value becomes a length, in steps of the grid."""
    spread = 0.0 if surface.values is None or surface.values.size == 0 else float(np.ptp(surface.values))
    return _COLOUR / spread if spread > 0 else 1.0


def _quadrics(corners: npt.NDArray[Any], triangles: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return for every corner the squared distance from its planes, each weighed by a third of its area."""
    a, b, c = corners[triangles].swapaxes(0, 1)
    normal = np.cross(b - a, c - a)
    twice = np.linalg.norm(normal, axis=1, keepdims=True)
    normal /= np.maximum(twice, 1e-30)
    plane = np.concatenate([normal, -np.einsum("ij,ij->i", normal, a)[:, None]], axis=1)
    rows, columns = np.triu_indices(4)
    own = plane[:, rows] * plane[:, columns] * (twice / 6)
    out = np.empty((len(corners), 10))
    for k in range(10):
        out[:, k] = np.bincount(triangles.ravel(), np.repeat(own[:, k], 3), len(corners))
    return out


def _around(triangles: npt.NDArray[Any], n: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the triangles around every corner, in one row, and where those of each corner start."""
    flat = triangles.ravel()
    first = np.concatenate([[0], np.cumsum(np.bincount(flat, minlength=n))])
    return first, np.argsort(flat, kind="stable") // 3


@njit(cache=True)
def _collapse(corners, triangles, colours, quadrics, first, around, allowed, surplus):  # type: ignore[no-untyped-def]
    """Collapse edges that cost less than allowed; what lies around one then waits for the next pass."""
    n = len(corners)
    touched = np.zeros(n, np.bool_)
    stride = 7919 if n % 7919 else 7907  # all over the surface, so that none of its parts is favoured
    v = 0
    for _ in range(n):
        v = (v + stride) % n
        own = around[first[v] : first[v + 1]]
        if touched[v] or len(own) == 0:
            continue
        target, least, place = -1, allowed, corners[v]
        for t in own:
            u, _ = _others(triangles[t], v)
            if not touched[u]:
                at = _best(quadrics, corners, v, u)
                cost = _cost(quadrics, colours, at, v, u)
                if cost < least and _may(corners, triangles, first, around, v, u, at):
                    target, least, place = u, cost, at
        if target < 0:
            continue
        for t in own:
            for u in triangles[t]:
                touched[u] = True
        surplus = surplus - _move(triangles, own, v, target)
        quadrics[target] += quadrics[v]
        colours[target] = (colours[target] + colours[v]) / 2
        corners[target] = place
        if surplus <= 0:
            return


@njit(cache=True)
def _best(quadrics, corners, v, u):  # type: ignore[no-untyped-def]
    """Return where the quadric of two corners is smallest; where that is open, near the middle of them."""
    q = quadrics[v] + quadrics[u]
    middle = (corners[v] + corners[u]) / 2
    hold = 1e-3 * (q[0] + q[4] + q[7]) + 1e-12
    a, b, c, d, e, f = q[0] + hold, q[1], q[2], q[4] + hold, q[5], q[7] + hold
    x, y, z = -q[3] + hold * middle[0], -q[6] + hold * middle[1], -q[8] + hold * middle[2]
    p, r, s = d * f - e * e, c * e - b * f, b * e - c * d
    det = a * p + b * r + c * s
    at = np.empty(3)
    at[0] = (p * x + r * y + s * z) / det
    at[1] = (r * x + (a * f - c * c) * y + (b * c - a * e) * z) / det
    at[2] = (s * x + (b * c - a * e) * y + (a * d - b * b) * z) / det
    return at


@njit(cache=True)
def _cost(quadrics, colours, at, v, u):  # type: ignore[no-untyped-def]
    q = quadrics[v] + quadrics[u]
    x, y, z = at
    gap = q[0] * x * x + q[4] * y * y + q[7] * z * z + 2 * (q[1] * x * y + q[2] * x * z + q[5] * y * z)
    gap += 2 * (q[3] * x + q[6] * y + q[8] * z) + q[9]
    change = colours[v] - colours[u]
    return max(gap, 0.0) + change * change * (q[0] + q[4] + q[7])


@njit(cache=True)
def _may(corners, triangles, first, around, v, u, at):  # type: ignore[no-untyped-def]
    """Whether corners v and u may become one: the surface stays closed, and no triangle folds over."""
    shared = 0
    for t in around[first[v] : first[v + 1]]:
        a, b = _others(triangles[t], v)
        if u in (a, b):
            shared += 1
            continue
        for s in around[first[u] : first[u + 1]]:
            c, d = _others(triangles[s], u)
            if (c == a and d == b) or (c == b and d == a):
                return False  # the two would lie on each other
        if _turns(corners, corners[v], at, a, b):
            return False
    for t in around[first[u] : first[u + 1]]:
        a, b = _others(triangles[t], u)
        if a != v and b != v and _turns(corners, corners[u], at, a, b):
            return False
    return shared == 2 and _common(triangles, first, around, v, u) == 2


@njit(cache=True)
def _others(triangle, v):  # type: ignore[no-untyped-def]
    a, b, c = triangle
    if a == v:
        return b, c
    return (c, a) if b == v else (a, b)


@njit(cache=True)
def _common(triangles, first, around, v, u):  # type: ignore[no-untyped-def]
    """Return how many neighbours two corners share; each is the first of two others in one triangle."""
    count = 0
    for t in around[first[v] : first[v + 1]]:
        a, _ = _others(triangles[t], v)
        for s in around[first[u] : first[u + 1]]:
            c, _ = _others(triangles[s], u)
            if a == c:
                count += 1
    return count


@njit(cache=True)
def _turns(corners, old, new, a, b):  # type: ignore[no-untyped-def]
    """Whether the triangle of a, b and a third corner turns too far when that corner moves."""
    x, y, z = corners[b] - corners[a]
    k, n, m = old - corners[a]
    before = (y * m - z * n, z * k - x * m, x * n - y * k)
    k, n, m = new - corners[a]
    after = (y * m - z * n, z * k - x * m, x * n - y * k)
    dot, one, two = 0.0, 0.0, 0.0
    for i in range(3):
        dot += before[i] * after[i]
        one += before[i] * before[i]
        two += after[i] * after[i]
    return dot <= _TURN * np.sqrt(one * two)


@njit(cache=True)
def _move(triangles, own, v, u):  # type: ignore[no-untyped-def]
    """Put u in the place of v in its triangles; those that held both are gone. Return how many."""
    gone = 0
    for t in own:
        a, b = _others(triangles[t], v)
        if u in (a, b):
            triangles[t] = -1
            gone += 1
        else:
            for k in range(3):
                if triangles[t, k] == v:
                    triangles[t, k] = u
    return gone
