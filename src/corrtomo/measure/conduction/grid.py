"""Conduction on a grid of voxels: the equations of the finest level, read from the codes as they are needed.

Each voxel that conducts has one potential, at its centre. Between two neighbours lie two half voxels in
series, so the conductance of their face is the harmonic mean; plates lie on the end faces of the first axis,
half a voxel away. No matrix is held: a table has the conductance for each axis and pair of codes.

Around the volume is a rim of one voxel, so that no loop asks where the volume ends: of code 0, which conducts
nothing, and at both ends of the first axis of the code of the plate. An axis with one voxel has no rim, as it
has no faces along it; the first always has. Fields have the same rim, with the potential of the plates in it.

Sums are taken plane by plane and then over planes: the same for any number of threads.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from .fields import total

Codes = npt.NDArray[np.uint8]
Field = npt.NDArray[np.floating]
Table = npt.NDArray[np.float64]


class Grid(NamedTuple):
    """Codes with their rim, and what conducts between two of them."""

    codes: Codes
    faces: Table
    """Conductance of a face, by axis and the codes on both sides; the last code is that of the plates."""

    @property
    def inner(self) -> tuple[slice, ...]:
        """The volume without the rim."""
        return tuple(slice(1, -1) if n > 1 else slice(None) for n in self.codes.shape)

    def field(self, dtype: Any = np.float32) -> Any:
        """Return a field of zeros, with its rim."""
        return np.zeros(self.codes.shape, dtype)


class Balance(NamedTuple):
    """What a potential does: the power that it turns into heat, and the currents through both plates."""

    power: float
    inflow: float
    outflow: float


def grid_of(codes: Codes, conductivities: npt.NDArray[np.float64], edges: tuple[float, float, float]) -> Grid:
    """Set up the equations of codes with three axes; conductivities are by code, and that of code 0 is 0.

    With conductivities in S/m and edges in µm, conductances are in S/m · µm.

    Examples
    --------
    >>> grid = grid_of(np.ones((1, 1, 1), np.uint8), np.array([0.0, 1.0, 3.0]), (1.0, 1.0, 2.0))
    >>> grid.codes.ravel().tolist()
    [3, 1, 3]
    >>> grid.faces[0, :3, :3].tolist()
    [[0.0, 0.0, 0.0], [0.0, 2.0, 3.0], [0.0, 3.0, 6.0]]
    >>> grid.faces[0, 3].tolist()
    [0.0, 4.0, 12.0, 0.0]
    """
    plate = len(conductivities)
    one, other = conductivities[:, None], conductivities[None]
    total = np.where(one + other > 0, one + other, 1.0)
    faces = np.zeros((3, plate + 1, plate + 1))
    for axis, edge in enumerate(edges):
        if axis == 0 or codes.shape[axis] > 1:  # without a rim a voxel would be its own neighbour
            faces[axis, :plate, :plate] = np.prod(edges) / edge**2 * (2 * one * other / total)
    faces[0, plate, :plate] = faces[0, :plate, plate] = 2 * np.prod(edges) / edges[0] ** 2 * conductivities
    rim = [(1, 1), *((int(n > 1), int(n > 1)) for n in codes.shape[1:])]
    padded = np.pad(codes, rim)
    padded[0] = padded[-1] = plate
    return Grid(padded, faces)


@njit(cache=True)
def strides(codes: Any) -> Any:
    """Return how far neighbours along each axis are apart in memory; 0 along an axis with one voxel."""
    steps = np.zeros(3, np.uintp)
    steps[0] = codes.shape[1] * codes.shape[2]
    steps[1] = codes.shape[2] if codes.shape[1] > 1 else 0
    steps[2] = 1 if codes.shape[2] > 1 else 0
    return steps


@njit(cache=True)
def _rows(codes: Any) -> tuple[int, int, int, int]:
    """Return the first row and column within the rim, and those behind the last."""
    rim_1, rim_2 = int(codes.shape[1] > 1), int(codes.shape[2] > 1)
    return rim_1, codes.shape[1] - rim_1, rim_2, codes.shape[2] - rim_2


@njit(cache=True)
def _drawn(codes: Any, faces: Any, field: Any, n: Any, own: Any, steps: Any) -> tuple[float, float]:
    """Return what a voxel would draw from its neighbours, were it at potential 0, and its conductance."""
    a, b = n - steps[0], n + steps[0]
    ga, gb = faces[0, own, codes[a]], faces[0, own, codes[b]]
    c, d = n - steps[1], n + steps[1]
    gc, gd = faces[1, own, codes[c]], faces[1, own, codes[d]]
    e, f = n - steps[2], n + steps[2]
    ge, gf = faces[2, own, codes[e]], faces[2, own, codes[f]]
    drawn = (
        (ga * field[a] + gb * field[b]) + (gc * field[c] + gd * field[d]) + (ge * field[e] + gf * field[f])
    )
    return drawn, (ga + gb) + (gc + gd) + (ge + gf)


@njit(cache=True)
def _product_plane(codes: Any, faces: Any, p: Any, q: Any, k: int) -> float:
    first_j, stop_j, first_i, stop_i = _rows(codes)
    steps, flat, ps, qs = strides(codes), codes.ravel(), p.ravel(), q.ravel()
    energy = 0.0
    for j in range(first_j, stop_j):
        row = (k * codes.shape[1] + j) * codes.shape[2]
        for n in range(np.uintp(row + first_i), np.uintp(row + stop_i)):
            own = flat[n]
            if own != 0:
                drawn, total = _drawn(flat, faces, ps, n, own, steps)
                value = total * ps[n] - drawn
                qs[n] = value
                energy += value * ps[n]
    return energy


@njit(cache=True, parallel=True)
def product(codes: Any, faces: Any, p: Any, q: Any) -> float:
    """Write the matrix times `p` into `q`, and return p · q."""
    energies = np.zeros(p.shape[0])
    for k in prange(1, p.shape[0] - 1):
        energies[k] = _product_plane(codes, faces, p, q, k)
    return total(energies)


@njit(cache=True)
def _residual_plane(codes: Any, faces: Any, x: Any, r: Any, k: int) -> None:
    first_j, stop_j, first_i, stop_i = _rows(codes)
    steps, flat, xs, rs = strides(codes), codes.ravel(), x.ravel(), r.ravel()
    for j in range(first_j, stop_j):
        row = (k * codes.shape[1] + j) * codes.shape[2]
        for n in range(np.uintp(row + first_i), np.uintp(row + stop_i)):
            own = flat[n]
            if own != 0:
                drawn, total = _drawn(flat, faces, xs, n, own, steps)
                rs[n] = drawn - total * xs[n]


@njit(cache=True, parallel=True)
def residual(codes: Any, faces: Any, x: Any, r: Any) -> None:
    """Write into `r` the current that each voxel gains, for the potential of the plates in the rim of `x`."""
    for k in prange(1, x.shape[0] - 1):
        _residual_plane(codes, faces, x, r, k)


@njit(cache=True)
def _power_plane(codes: Any, faces: Any, x: Any, k: int) -> tuple[float, float]:
    """Return the power of all faces behind a plane and in it, and the current through those behind it."""
    first_j, stop_j, first_i, stop_i = _rows(codes)
    steps, flat, xs = strides(codes), codes.ravel(), x.ravel()
    power, current = 0.0, 0.0
    for j in range(first_j, stop_j):
        row = (k * codes.shape[1] + j) * codes.shape[2]
        for n in range(np.uintp(row + first_i), np.uintp(row + stop_i)):
            own = flat[n]
            if own != 0:
                behind = n + steps[0]
                through = faces[0, own, flat[behind]] * (xs[n] - xs[behind])
                current += through
                power += through * (xs[n] - xs[behind])
                if k > 0:
                    down, right = n + steps[1], n + steps[2]
                    power += faces[1, own, flat[down]] * (xs[n] - xs[down]) ** 2
                    power += faces[2, own, flat[right]] * (xs[n] - xs[right]) ** 2
    return power, current


@njit(cache=True, parallel=True)
def _powers(codes: Any, faces: Any, x: Any) -> Any:
    parts = np.zeros((x.shape[0] - 1, 2))
    for k in prange(x.shape[0] - 1):
        parts[k] = _power_plane(codes, faces, x, k)
    return parts


def balance(grid: Grid, x: npt.NDArray[np.float64]) -> Balance:
    """Return power and currents at potentials `x`, with 1 at the first plate and 0 at the last.

    At the solution all three are the conductance. At any other potential the power is larger, by the square
    of its error.
    """
    parts = _powers(*grid, x)
    return Balance(float(parts[:, 0].sum()), float(parts[0, 1]), float(parts[-1, 1]))


@njit(cache=True)
def _density_plane(codes: Any, faces: Any, x: Any, factors: Any, out: Any, k: int) -> None:
    first_j, stop_j, first_i, stop_i = _rows(codes)
    steps, flat, xs, found = strides(codes), codes.ravel(), x.ravel(), out.ravel()
    for j in range(first_j, stop_j):
        row = (k * codes.shape[1] + j) * codes.shape[2]
        for n in range(np.uintp(row + first_i), np.uintp(row + stop_i)):
            own = flat[n]
            if own != 0:
                square = 0.0
                for axis in range(3):
                    before, behind = n - steps[axis], n + steps[axis]
                    through = faces[axis, own, flat[before]] * (xs[before] - xs[n])
                    through += faces[axis, own, flat[behind]] * (xs[n] - xs[behind])
                    square += (0.5 * factors[axis] * through) ** 2
                found[n] = np.sqrt(square)


@njit(cache=True, parallel=True)
def density(codes: Any, faces: Any, x: Any, factors: Any, out: Any) -> None:
    """Write the length of the current through each voxel, the mean of both faces along each axis.

    `factors` turn the current through a face into its density, by axis.
    """
    for k in prange(1, x.shape[0] - 1):
        _density_plane(codes, faces, x, factors, out, k)


@njit(cache=True)
def _relax_plane(codes: Any, faces: Any, z: Any, r: Any, k: int, colour: int, alone: bool) -> None:
    """Solve the equations of one colour of voxels; `alone` where all of the other colour are 0."""
    first_j, stop_j, first_i, stop_i = _rows(codes)
    steps, flat, zs, rs = strides(codes), codes.ravel(), z.ravel(), r.ravel()
    for j in range(first_j, stop_j):
        row = (k * codes.shape[1] + j) * codes.shape[2]
        start = first_i + ((k + j + first_i + colour) & 1)
        for n in range(np.uintp(row + start), np.uintp(row + stop_i), np.uintp(2)):
            own = flat[n]
            if own != 0:
                drawn, total = _drawn(flat, faces, zs, n, own, steps)
                zs[n] = (rs[n] if alone else rs[n] + drawn) / total


@njit(cache=True, parallel=True)
def relax(codes: Any, faces: Any, z: Any, r: Any, colour: int, alone: bool) -> None:
    """Relax the voxels of one colour of a chessboard: they do not see each other, so no order matters."""
    for k in prange(1, z.shape[0] - 1):
        _relax_plane(codes, faces, z, r, k, colour, alone)


@njit(cache=True)
def _collect_planes(
    codes: Any, faces: Any, z: Any, parents: Any, coarse: Any, pair: int, colour: int
) -> None:
    first_j, stop_j, first_i, stop_i = _rows(codes)
    steps, flat, zs, of = strides(codes), codes.ravel(), z.ravel(), parents.ravel()
    for k in range(1 + 2 * pair, min(3 + 2 * pair, z.shape[0] - 1)):
        for j in range(first_j, stop_j):
            row = (k * codes.shape[1] + j) * codes.shape[2]
            start = first_i + ((k + j + first_i + colour) & 1)
            for n in range(np.uintp(row + start), np.uintp(row + stop_i), np.uintp(2)):
                own = flat[n]
                if own != 0:
                    coarse[of[n]] += _drawn(flat, faces, zs, n, own, steps)[0]


@njit(cache=True, parallel=True)
def collect(codes: Any, faces: Any, z: Any, parents: Any, coarse: Any, colour: int) -> None:
    """Add what is left of each equation to that of its aggregate.

    After both colours were relaxed from 0, nothing is left in the second; in the first, which solved its own
    equation with zeros around it, what the second now gives.
    """
    for pair in prange((z.shape[0] - 1) // 2):
        _collect_planes(codes, faces, z, parents, coarse, pair, colour)


@njit(cache=True)
def _spread_plane(codes: Any, z: Any, parents: Any, coarse: Any, k: int, colour: int) -> None:
    first_j, stop_j, first_i, stop_i = _rows(codes)
    for j in range(first_j, stop_j):
        for i in range(first_i + ((k + j + first_i + colour) & 1), stop_i, 2):
            if codes[k, j, i] != 0:
                z[k, j, i] += coarse[parents[k, j, i]]


@njit(cache=True, parallel=True)
def spread(codes: Any, z: Any, parents: Any, coarse: Any, colour: int) -> None:
    """Add the correction of each aggregate to its voxels of one colour; the other is relaxed next."""
    for k in prange(1, z.shape[0] - 1):
        _spread_plane(codes, z, parents, coarse, k, colour)
