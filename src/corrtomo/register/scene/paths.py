"""Chains of alignments: the one with the least error, and the loops that must close."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..frames import Floats, inverse, move
from .edges import Step, scale_of
from .error import SceneError
from .grid import Grid, common_points

CONTRADICTS = 4.0
"""Times the error that is expected of a loop from which on it contradicts itself."""
_ROUNDING = 1e-9
"""Share of the farthest coordinate that floats may lose around a loop."""

Steps = Sequence[Step]


@dataclass(frozen=True, eq=False)
class Loop:
    """A loop of alignments: how far it is from closing, and what the stated errors allow, in µm."""

    names: tuple[str, ...]
    closure_um: float
    expected_um: float
    z: float

    @property
    def contradicts(self) -> bool:
        """Whether it does not close within what the stated errors allow."""
        return self.z > CONTRADICTS

    def pairs(self) -> set[frozenset[str]]:
        """Return the alignments that it is made of, by the two images that each joins."""
        following = (*self.names[1:], self.names[0])
        return {frozenset(pair) for pair in zip(self.names, following, strict=True)}


def neighbours(steps: Iterable[Step]) -> dict[str, list[Step]]:
    """Return, for each image, the steps that end there."""
    out: dict[str, list[Step]] = {}
    for step in steps:
        out.setdefault(step.target, []).append(step)
        out.setdefault(step.source, []).append(step.reversed())
    return out


def joined_with(name: str, pairs: Iterable[frozenset[str]], names: Iterable[str]) -> list[str]:
    """Return all images that a chain joins with one, in the order of their names."""
    edges, found, waiting = list(pairs), {name}, [name]
    while waiting:
        here = waiting.pop()
        new = {n for pair in edges if here in pair for n in pair} - found
        found |= new
        waiting.extend(new)
    return [n for n in names if n in found and n != name]


def compose(chain: Steps) -> Floats:
    """Return the matrix of a chain, from the source of the first step to the target of the last."""
    out = np.eye(4)
    for step in chain:
        out = step.matrix @ out
    return out


def chain_error(chain: Steps, points: Floats) -> float:
    """Return the error of a chain at points of its last frame, in µm: the root of the sum of squares."""
    total, onwards = 0.0, np.eye(4)
    for step in reversed(chain):
        total += (scale_of(onwards) * step.error_at(move(inverse(onwards), points))) ** 2
        onwards = onwards @ step.matrix
    return float(np.sqrt(total))


def best_chain(steps: Sequence[Step], source: str, target: str, grids: Mapping[str, Grid]) -> Steps | None:
    """Return the chain from one image to another with the least error; None if nothing joins them.

    Where both images meet is known only once there is a chain: the first is chosen by the errors as they were
    stated, and the second by those at what both images show.
    """
    ending = neighbours(steps)
    first = _search(ending, source, target, None)
    if not first:
        return first
    points = common_points(grids[source], grids[target], compose(first))
    return _search(ending, source, target, points)


def _search(
    ending: Mapping[str, Sequence[Step]], source: str, target: str, points: Floats | None
) -> Steps | None:
    """Search from the target outwards (Dijkstra): squares of errors, in its µm, add up."""
    queue: list[tuple[float, int, str]] = [(0.0, 0, target)]
    known: dict[str, tuple[float, int, Floats, Steps]] = {target: (0.0, 0, np.eye(4), [])}
    done: set[str] = set()
    while queue:
        total, hops, name = heapq.heappop(queue)
        if name in done:
            continue
        done.add(name)
        onwards, chain = known[name][2:]
        if name == source:
            return chain
        scale = scale_of(onwards)
        here = None if points is None else move(inverse(onwards), points)
        for step in ending.get(name, ()):
            error = scale * (step.error_um if here is None else step.error_at(here))
            cost, far = total + error**2, hops + 1
            if step.source in done or (step.source in known and known[step.source][:2] <= (cost, far)):
                continue
            known[step.source] = (cost, far, onwards @ step.matrix, [step, *chain])
            heapq.heappush(queue, (cost, far, step.source))
    return None


def find_loops(steps: Sequence[Step], grids: Mapping[str, Grid]) -> list[Loop]:
    """Return the independent loops: each alignment outside a spanning tree of the surest closes one."""
    tree: list[Step] = []
    root: dict[str, str] = {}

    def group(name: str) -> str:
        while root.get(name, name) != name:
            name = root[name]
        return name

    closing = []
    for step in sorted(steps, key=lambda s: (s.error_um, s.source, s.target)):
        one, other = group(step.source), group(step.target)
        if one == other:
            closing.append(step)
        else:
            root[one] = other
            tree.append(step)
    ending = neighbours(tree)
    loops = []
    for step in closing:
        chain = _search(ending, step.source, step.target, None)
        if chain is not None:
            loops.append(_loop(step, chain, grids))
    return loops


def _loop(direct: Step, chain: Steps, grids: Mapping[str, Grid]) -> Loop:
    """Compare one alignment with the chain that leads the other way round."""
    points = common_points(grids[direct.source], grids[direct.target], direct.matrix)
    there = move(compose(chain), move(inverse(direct.matrix), points))
    closure = float(np.linalg.norm(there - points, axis=1).max())
    expected = float(np.hypot(direct.error_at(points), chain_error(chain, points)))
    farthest = max(float(np.abs(grids[s.target].corners()).max()) for s in (direct, *chain))
    names = (direct.source, *(step.target for step in chain))
    return Loop(names, closure, expected, closure / float(np.hypot(expected, _ROUNDING * farthest)))


def weakest(steps: Sequence[Step], grids: Mapping[str, Grid]) -> tuple[Step, bool]:
    """Return the alignment without which the loops contradict themselves least, and whether one alone is it.

    Of several that are as good, it is the one with the largest stated error.
    """
    suspects = set().union(*(loop.pairs() for loop in find_loops(steps, grids) if loop.contradicts))
    left: list[tuple[float, float, str, str, Step]] = []
    for step in steps:
        if frozenset((step.source, step.target)) not in suspects:
            continue
        others = find_loops([s for s in steps if s is not step], grids)
        worst = max((loop.z for loop in others if loop.contradicts), default=0.0)
        left.append((worst, -step.error_um, step.source, step.target, step))
    left.sort(key=lambda entry: entry[:4])
    alone = left[0][0] == 0.0 and (len(left) == 1 or left[1][0] > 0.0)
    return left[0][-1], alone


def check_loops(
    loops: Sequence[Loop], chain: Steps, steps: Steps, grids: Mapping[str, Grid], moving: str, fixed: str
) -> None:
    """Refuse a chain through a loop that contradicts itself; name the alignment to look at first."""
    pairs = {frozenset((step.source, step.target)) for step in chain}
    bad = [loop for loop in loops if loop.contradicts and loop.pairs() & pairs]
    if not bad:
        return
    loop = max(bad, key=lambda one: one.z)
    step, alone = weakest(steps, grids)
    largest = "it has the largest stated error of those that may be wrong"
    raise SceneError(
        f"Cannot find an alignment of {moving!r} with {fixed!r}: the loop "
        f"{' → '.join((*loop.names, loop.names[0]))} is {loop.closure_um:.4g} µm from closing, "
        f"{loop.z:.3g} times the {loop.expected_um:.4g} µm that the stated errors allow; up to "
        f"{CONTRADICTS:g} times are allowed. Check the alignment of {step.source!r} with {step.target!r} "
        f"first: {'without it all loops close' if alone else largest}. Remove it with "
        f"scene.drop({step.source!r}, {step.target!r}), or pass allow=True."
    )
