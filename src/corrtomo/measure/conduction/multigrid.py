"""Multigrid on a graph of conductances, by aggregation: what makes conjugate gradients quick at any contrast.

Pairs of nodes that conduct well between them become one node, some times over for each level, until few are
left that are solved directly. Each level is solved by two steps of conjugate gradients, whose error the next
level reduces (a K-cycle): the number of steps then hardly grows with the size or the contrast.

After Notay, Electron. Trans. Numer. Anal. 37, 123 (2010), and Notay and Vassilevski, Numer. Linear Algebra
Appl. 15, 473 (2008), doi:10.1002/nla.542.
"""

from __future__ import annotations

from itertools import count
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve

from .graph import (
    Graph,
    Values,
    backward,
    combine,
    diagonal_of,
    forward,
    product,
    residual,
    subtract,
    threads_for,
)
from .pairs import BAD, contract, follow, gather, pair_up, scatter

_FEW = 100
"""Nodes that are solved directly."""
_PASSES, _FEWER, _STALLED = 5, 8, 0.75
"""Passes for a level, how many times fewer nodes are enough, and what share of them is no progress."""
_ENOUGH = 0.25
"""What the first step may leave of the residual for a second not to be worth its time."""
_LESS = 3
"""A level that has not so many times fewer nodes than the one before is not worth a second step."""


class Level(NamedTuple):
    """A graph, the diagonal of its matrix, and the node of the next level that each node belongs to."""

    graph: Graph
    diagonal: Values
    parents: npt.NDArray[np.int32]


class Levels(NamedTuple):
    """From the finest graph to the coarsest, and the factors of the matrix of the last."""

    graphs: list[Level]
    last: Any

    @property
    def size(self) -> int:
        """How many nodes the finest has."""
        return self.size_of(0)

    def size_of(self, depth: int) -> int:
        """Return how many nodes a level has."""
        return self.graphs[depth].graph.size if depth < len(self.graphs) else len(self.last[0])


def levels_of(graph: Graph) -> Levels:
    """Coarsen a graph until few nodes are left."""
    graphs = []
    while graph.size > _FEW:
        diagonal = diagonal_of(*graph)
        parents, coarser = _coarser(graph, diagonal)
        graphs.append(Level(graph, diagonal, parents))
        graph = coarser
    return Levels(graphs, _factors(graph))


def _coarser(graph: Graph, diagonal: Values) -> tuple[npt.NDArray[np.int32], Graph]:
    """Pair nodes, and pairs, until there are some times fewer; return which became which, and their graph."""
    parents, coarser, stiffness, bad = np.arange(graph.size, dtype=np.int32), graph, diagonal, BAD
    for turn in count():
        pairs, found = pair_up(*coarser, stiffness, bad)
        if turn + 1 >= _PASSES:  # rather bad pairs than none
            bad *= 2
        coarser = contract(coarser, pairs, found)
        parents, stiffness = follow(parents, pairs), gather(pairs, stiffness, found)
        enough = coarser.size * _FEWER <= graph.size or turn + 1 >= _PASSES
        if enough and coarser.size <= _STALLED * graph.size:
            break
    return parents, coarser


def improve(levels: Levels, right: Values, depth: int = 0) -> Values:
    """Solve one level nearly: two steps of conjugate gradients, or one where the first is good enough."""
    if depth == len(levels.graphs):
        return _solve_last(levels.last, right)
    with threads_for(len(right)):
        return _two_steps(levels, right, depth)


def _two_steps(levels: Levels, right: Values, depth: int) -> Values:
    graph, diagonal, _ = levels.graphs[depth]
    first = _cycle(levels, right, depth)
    along, energy, gain, _ = product(*graph, diagonal, first, right, right)
    if not energy > 0:  # nothing to do: right is zero
        return first
    length = float(gain / energy)
    left, share = subtract(right, along, length)
    few_fewer = depth > 0 and graph.size * _LESS > levels.size_of(depth - 1)
    if few_fewer or share <= _ENOUGH:
        return np.asarray(length * first)
    second = _cycle(levels, left, depth)
    _, energy_second, gain_second, shared = product(*graph, diagonal, second, left, along)
    own = energy_second - shared**2 / energy
    if not own > 0:  # the same direction again
        return np.asarray(length * first)
    step = gain_second / own
    return np.asarray(combine(first, (gain - shared * step) / energy, second, step))


def _cycle(levels: Levels, right: Values, depth: int) -> Values:
    """Relax, correct by the next level, relax in the opposite order: conjugate gradients need symmetry."""
    graph, diagonal, parents = levels.graphs[depth]
    x: Values = forward(*graph, diagonal, right)
    left = residual(*graph, diagonal, right, x)
    coarse = gather(parents, left, levels.size_of(depth + 1))
    scatter(parents, improve(levels, coarse, depth + 1), x)
    backward(*graph, diagonal, right, x, x.copy())
    return x


def _factors(graph: Graph) -> Any:
    links = np.zeros((graph.size, graph.size))
    rows = np.repeat(np.arange(graph.size), np.diff(graph.starts))
    links[rows, graph.ends] = graph.weights
    links = (links + links.T) / 2  # each was summed twice, with its own rounding
    matrix = np.diag(links.sum(axis=0) + graph.grounds) - links
    return cho_factor(matrix) if graph.size else (matrix, False)


def _solve_last(factors: Any, right: Values) -> Values:
    return np.asarray(cho_solve(factors, right)) if len(right) else right
