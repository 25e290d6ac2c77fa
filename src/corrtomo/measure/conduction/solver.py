"""The potential between two plates: conjugate gradients, preconditioned by multigrid."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from tqdm.auto import tqdm

from .blocks import aggregate
from .fields import advance, dot, largest, turn
from .graph import threads_for
from .grid import (
    Balance,
    Codes,
    Field,
    Grid,
    balance,
    collect,
    density,
    grid_of,
    product,
    relax,
    residual,
    spread,
)
from .multigrid import Levels, improve, levels_of

TOLERANCE = 2e-5
"""Error of the potential in the energy norm, as a share of its own; the power errs by the square of it."""
BALANCED = 1e-4
"""By how much power, inflow and outflow may differ, as a share."""
SETTLED = 1e-5
"""By how much a voxel may still change in a step, in units of the potential between the plates."""
_LONGEST = 400
_LOOK_BACK = 3
_RENEW = 8


class Solution(NamedTuple):
    """The potential, 1 and 0 at the plates, and what it amounts to."""

    conductance: float
    found: Balance
    """Power and currents, for a largest conductivity of 1."""
    steps: int
    grid: Grid
    field: npt.NDArray[np.float64]
    scale: float

    @property
    def carrying(self) -> npt.NDArray[np.bool_]:
        """Where current can flow."""
        return np.asarray(self.grid.codes[self.grid.inner] != 0)

    @property
    def potential(self) -> npt.NDArray[np.float64]:
        """V, for 1 V between the plates."""
        return self.field[self.grid.inner]

    def density(self, edges: tuple[float, float, float]) -> npt.NDArray[np.float32]:
        """Return how much current flows through each voxel, in A/m² for 1 V between the plates."""
        out: npt.NDArray[np.float32] = self.grid.field()
        # Conductances are in S/m · µm and areas in µm².
        factors = self.scale * 1e6 * np.array(edges) / np.prod(edges)
        density(*self.grid, self.field, factors, out)
        return out[self.grid.inner]


def solve(
    codes: Codes,
    conductivities: npt.NDArray[np.float64],
    edges: tuple[float, float, float],
    *,
    exact_field: bool = False,
    progress: bool = False,
) -> Solution:
    """Solve for the potential with 1 at the first plane of the first axis and 0 at the last.

    Parameters
    ----------
    codes : numpy.ndarray
        Three axes; code 0 does not conduct, and what is not connected to both plates must have it.
    conductivities : numpy.ndarray
        By code.
    edges : tuple of float
        Edge lengths of a voxel in µm.
    exact_field : bool
        Whether to go on until no voxel changes any more: the power does not see the potential of what
        conducts badly beside what conducts well, a picture does.
    progress : bool
        Whether a bar is shown when it takes longer than some seconds.

    Raises
    ------
    RuntimeError
        If no answer is found that can be trusted.
    """
    scale = float(conductivities.max())
    grid = grid_of(codes, conductivities / scale, edges)
    with threads_for(codes.size):
        parents, graph = aggregate(grid)
        x, steps = _iterate(grid, parents, levels_of(graph), exact_field, progress)
        found = balance(grid, x)
    return Solution(found.power * scale, found, steps, grid, x, scale)


def _iterate(
    grid: Grid, parents: npt.NDArray[np.int32], levels: Levels, exact_field: bool, progress: bool
) -> tuple[npt.NDArray[np.float64], int]:
    """Go on until the energy that the last steps took says that little is left to take.

    Each step lowers the power by what it takes of the squared error: the sum over some steps is what was left
    before them (Strakoš and Tichý, Electron. Trans. Numer. Anal. 13, 56 (2002)). So the error is known in the
    terms of the answer, whatever the contrast; a residual says little where conductivities differ.
    """
    x = _linear(grid)
    r, z, p, q = (grid.field() for _ in range(4))
    residual(*grid, x, r)
    left = balance(grid, x).power
    taken: list[float] = []
    changes: list[float] = []
    gain = 0.0
    with tqdm(desc="solve conduction", unit="step", delay=5, leave=False, disable=not progress) as bar:
        for step in range(_LONGEST):
            _precondition(grid, parents, levels, r, z)
            # What z shares with the last direction is taken out: it is not quite the same operator each time.
            turn(p, z, -dot(z, q) / gain if gain else 0.0)
            gain = product(*grid, p, q)
            along = dot(p, r)
            if not gain > 0:  # nothing is left: the start was the answer
                return x, step
            advance(x, r, p, q, along / gain)
            taken.append(along**2 / gain)
            left -= taken[-1]
            changes.append(largest(p) * abs(along / gain) if exact_field else 0.0)
            bar.update()
            settled = sum(taken[-_LOOK_BACK:]) <= TOLERANCE**2 * left
            if settled and max(changes[-_LOOK_BACK:]) <= SETTLED and _balanced(grid, x):
                return x, step + 1
            if (step + 1) % _RENEW == 0:  # rounding adds up in what was only updated
                residual(*grid, x, r)
    power, inflow, outflow = balance(grid, x)
    raise RuntimeError(
        f"Cannot solve conduction: after {_LONGEST} steps power ({power:.6g}), current in ({inflow:.6g}) "
        f"and current out ({outflow:.6g}) do not agree to {BALANCED:g}, or still change. Conductivities may "
        "be too far apart: take 0 for those that do not matter."
    )


def _balanced(grid: Grid, x: npt.NDArray[np.float64]) -> bool:
    found = balance(grid, x)
    return max(found) - min(found) <= BALANCED * min(found)


def _linear(grid: Grid) -> npt.NDArray[np.float64]:
    """Start from the potential of a uniform conductor; 0 where nothing conducts, 1 and 0 in the plates."""
    count = grid.codes.shape[0] - 2
    x: npt.NDArray[np.float64] = grid.field(np.float64)
    x += (1 - (np.arange(-1, count + 1) + 0.5) / count)[:, None, None]
    x *= grid.codes != 0
    x[0], x[-1] = 1.0, 0.0
    return x


def _precondition(grid: Grid, parents: npt.NDArray[np.int32], levels: Levels, r: Field, z: Field) -> None:
    """Write into z roughly what the inverse of the matrix makes of r: relax, correct, relax."""
    relax(*grid, z, r, 0, True)
    relax(*grid, z, r, 1, False)
    coarse = np.zeros(levels.size)
    collect(*grid, z, parents, coarse, 0)
    spread(grid.codes, z, parents, improve(levels, coarse), 0)
    relax(*grid, z, r, 1, False)
    relax(*grid, z, r, 0, False)
