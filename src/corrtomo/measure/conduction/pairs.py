"""Which nodes of a graph of conductances become one on the next level."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from .graph import Graph

BAD = 8.0
"""A pair is good enough where it is not so bad."""
_HANGS = 0.25
"""A node hangs on a neighbour with which it has this share of all its links."""
_GROUNDED = 0.8
"""A node that hangs by this share on the plates needs no coarser level."""


@njit(cache=True)
def _badness(link: float, stiff: float, ground: float, other_stiff: float, other_ground: float) -> float:
    """Return the worst that joining two nodes can do: 1 is perfect.

    Napov and Notay, SIAM J. Sci. Comput. 34, A1079 (2012), doi:10.1137/100818509.
    """
    through = ground * other_ground / (ground + other_ground) if ground + other_ground > 0 else 0.0
    return 2 * stiff * other_stiff / (stiff + other_stiff) / (link + through)


@njit(cache=True)
def pair_up(
    starts: Any, ends: Any, weights: Any, grounds: Any, stiffness: Any, bad: float
) -> tuple[Any, int]:
    """Join nodes in pairs; return the pair of each (-1 where it needs none) and how many pairs there are.

    First each with its best partner that is free and less than `bad`. Of what is left over, that which hangs
    mostly on one neighbour joins it; nothing joins what itself has joined, so that no chains form. The rest
    stay alone.

    `stiffness` is the diagonal of the level itself, summed over what is one node by now: its relaxation is to
    smooth what is joined, which for two stiff pairs with a weak link it cannot.
    """
    size = len(grounds)
    pairs = np.full(size, -2, np.int32)
    for n in range(size):
        if grounds[n] >= _GROUNDED * stiffness[n]:
            pairs[n] = -1
    count = 0
    for n in range(size):
        if pairs[n] != -2:
            continue
        best, least = -1, bad
        for at in range(starts[n], starts[n + 1]):
            m = ends[at]
            if pairs[m] == -2:
                badness = _badness(weights[at], stiffness[n], grounds[n], stiffness[m], grounds[m])
                if badness < least:
                    best, least = m, badness
        if best >= 0:
            pairs[n] = pairs[best] = count
            count += 1
    joined = np.zeros(size, np.bool_)
    for n in range(size):
        if pairs[n] != -2:
            continue
        best, most = -1, _HANGS * stiffness[n]
        for at in range(starts[n], starts[n + 1]):
            m = ends[at]
            if pairs[m] >= 0 and not joined[m] and weights[at] > most:
                best, most = m, weights[at]
        if best >= 0:
            pairs[n] = pairs[best]
            joined[n] = True
        else:
            pairs[n] = count
            count += 1
    return pairs, count


def contract(graph: Graph, pairs: npt.NDArray[np.int32], count: int) -> Graph:
    """Return the graph of pairs; what a pair has with a node that needs none is grounded."""
    starts, ends, weights, grounds, used = _merge(*graph, pairs, count)
    return Graph(starts, ends[:used].copy(), weights[:used].copy(), grounds)


@njit(cache=True)
def _merge(
    starts: Any, ends: Any, weights: Any, grounds: Any, pairs: Any, count: int
) -> tuple[Any, Any, Any, Any, int]:
    firsts = np.full(count, -1, np.int32)
    nexts = np.full(len(pairs), -1, np.int32)
    for n in range(len(pairs) - 1, -1, -1):
        if pairs[n] >= 0:
            nexts[n] = firsts[pairs[n]]
            firsts[pairs[n]] = n
    new_starts = np.zeros(count + 1, np.int64)
    new_ends = np.empty(len(ends), np.int32)
    new_weights = np.empty(len(ends), np.float32)
    new_grounds = np.zeros(count)
    place = np.full(count, -1, np.int64)
    used = 0
    for pair in range(count):
        begin, ground = used, 0.0
        n = firsts[pair]
        while n >= 0:
            ground += grounds[n]
            for at in range(starts[n], starts[n + 1]):
                other = pairs[ends[at]]
                if other < 0:
                    ground += weights[at]
                elif other != pair:
                    if place[other] < begin:
                        place[other] = used
                        new_ends[used] = other
                        new_weights[used] = np.float32(0.0)
                        used += 1
                    new_weights[place[other]] += weights[at]
            n = nexts[n]
        new_grounds[pair] = ground
        new_starts[pair + 1] = used
    return new_starts, new_ends, new_weights, new_grounds, used


@njit(cache=True)
def follow(parents: Any, pairs: Any) -> Any:
    """Return the pairs of parents."""
    further = np.empty_like(parents)
    for n in range(len(parents)):
        further[n] = pairs[parents[n]] if parents[n] >= 0 else -1
    return further


@njit(cache=True)
def gather(parents: Any, values: Any, size: int) -> Any:
    """Sum the values of nodes that have one parent."""
    sums = np.zeros(size)
    for n in range(len(parents)):
        if parents[n] >= 0:
            sums[parents[n]] += values[n]
    return sums


@njit(cache=True, parallel=True)
def scatter(parents: Any, coarse: Any, x: Any) -> None:
    """Add to nodes the value of their parent."""
    for n in prange(len(parents)):
        if parents[n] >= 0:
            x[n] += coarse[parents[n]]
