"""Active-material particles: log-normal sizes, packed so that solids overlap at their contacts only."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from numba import njit
from scipy.spatial.transform import Rotation

from .noise import mix, stream, uniform

Array = npt.NDArray[np.float64]
CENTRE = ["z_um", "y_um", "x_um"]
AXES = ["a_um", "b_um", "c_um"]
TURN = ["turn_z", "turn_y", "turn_x", "turn_w"]
ASPECT = 0.7
ATTEMPTS = 20_000
SIZE_RANGE = (0.1, 3.0)


def draw_particles(
    volume_um3: float,
    diameter_um: float,
    geometric_sd: float,
    rng: np.random.Generator,
    aspect: float = ASPECT,
) -> pd.DataFrame:
    """Draw ellipsoids from a log-normal size distribution until they fill a volume.

    Parameters
    ----------
    volume_um3 : float
        Volume that the particles have together, overlaps counted twice, in µm³.
    diameter_um : float
        Median of the diameter of the ball of equal volume, weighted by volume (the d50 of laser diffraction),
        in µm.
    geometric_sd : float
        Geometric standard deviation of the diameter.
    rng : numpy.random.Generator
        Source of the random numbers.
    aspect : float
        The shorter axes are this share of the longest, or more.

    Returns
    -------
    pandas.DataFrame
        Semi-axes ``a_um >= b_um >= c_um`` and a unit quaternion ``turn_*`` a particle, largest particle
        first.

    Notes
    -----
    A log-normal by volume is one by number with the median divided by exp(3 ln² s). Diameters
    below a tenth of the median or above three times the median are drawn again.
    """
    log_sd = float(np.log(geometric_sd))
    median = diameter_um * np.exp(-3.0 * log_sd**2)
    diameters = np.empty(0)
    while np.pi / 6.0 * np.sum(diameters**3) < volume_um3:
        more = median * np.exp(log_sd * rng.standard_normal(4096))
        keep = (more >= SIZE_RANGE[0] * diameter_um) & (more <= SIZE_RANGE[1] * diameter_um)
        diameters = np.concatenate([diameters, more[keep]])
    count = int(np.searchsorted(np.pi / 6.0 * np.cumsum(diameters**3), volume_um3)) + 1
    diameters = np.sort(diameters[:count])[::-1]
    ratio = np.ones((count, 3))
    ratio[:, 1:] = rng.uniform(aspect, 1.0, (count, 2))
    ratio = np.sort(ratio, axis=1)[:, ::-1] / np.cbrt(ratio.prod(axis=1))[:, None]
    table = pd.DataFrame(diameters[:, None] / 2.0 * ratio, columns=AXES)
    table[TURN] = Rotation.random(count, rng=rng).as_quat()
    return table


def quadrics(particles: pd.DataFrame) -> Array:
    """Return the matrix M (1/µm²) of each ellipsoid: a point r from its centre is inside where r·M·r <= 1."""
    turn = Rotation.from_quat(particles[TURN].to_numpy()).as_matrix()
    inverse = 1.0 / particles[AXES].to_numpy() ** 2
    return np.ascontiguousarray(np.einsum("nij,nj,nkj->nik", turn, inverse, turn))


def pack(
    particles: pd.DataFrame,
    size_um: tuple[float, float, float],
    overlap: float,
    seed: int,
    *,
    film: bool = False,
) -> Array:
    """Place particles in a periodic box, the largest first, each where it first fits.

    Parameters
    ----------
    particles : pandas.DataFrame
        From :func:`draw_particles`.
    size_um : tuple of float
        Edges of the box in µm.
    overlap : float
        Share of their contact distance by which two particles may reach into each other.
    seed : int
        Seed of the positions.
    film : bool
        No particle crosses the faces of the box along y: a coating between two planes.

    Returns
    -------
    numpy.ndarray
        Centres (n, 3) in µm, inside the box.

    Raises
    ------
    ValueError
        If a particle finds no place.

    Notes
    -----
    Random sequential addition. Two ellipsoids touch where the distance of their centres is the
    sum of their radii along the line that joins them; for axes this alike the error is a few per cent of the
    radius.
    """
    axes = particles[AXES].to_numpy()
    level = np.floor(np.log2(axes[0, 0] / axes[:, 0])).astype(np.int64)
    level = np.maximum.accumulate(np.maximum(level, 0))
    reach = np.array([axes[level >= k, 0].max() for k in range(level[-1] + 1)])
    cells = np.array([[max(1, int(s // r)) for s in size_um] for r in reach])
    # One short row a particle, so that a neighbour costs one memory access: centre, longest axis, matrix.
    rows = np.empty((len(axes), 10), np.float32)
    rows[:, 3] = axes[:, 0]
    matrices = quadrics(particles)
    rows[:, 4:] = matrices[:, [0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]]
    walls = np.zeros((len(axes), 3))
    if film:
        walls[:, 1] = np.sqrt(np.linalg.inv(matrices)[:, 1, 1])
    key = stream(seed, "places")
    placed = _place(rows, reach, level, cells, np.array(size_um), walls, 1.0 - overlap, key)
    if placed < len(axes):
        raise ValueError(
            f"Cannot pack {len(axes)} particles into a box of {size_um} µm: number {placed + 1} found no "
            f"place in {ATTEMPTS} attempts. Random packings of solids reach an am_fraction of about 0.5. "
            "Lower am_fraction, or raise overlap."
        )
    return rows[:, :3].astype(float)


@njit(cache=True)
def _place(
    rows: Any, reach: Any, level: Any, cells: Any, size: Any, walls: Any, shrink: float, key: Any
) -> int:
    """Place one particle after the other; return how many found a place."""
    offset = np.zeros(len(cells) + 1, np.int64)
    for k in range(len(cells)):
        offset[k + 1] = offset[k] + cells[k, 0] * cells[k, 1] * cells[k, 2]
    head = np.full(offset[len(cells)], -1, np.int32)
    link = np.full(len(rows), -1, np.int32)
    counter = np.uint64(0)
    for p in range(len(rows)):
        found = False
        for _ in range(ATTEMPTS):
            for axis in range(3):
                room = size[axis] - 2.0 * walls[p, axis]
                rows[p, axis] = walls[p, axis] + room * uniform(mix(key + counter))
                counter += np.uint64(1)
            if _is_free(p, rows, reach, level[p], cells, offset, head, link, size, shrink):
                found = True
                break
        if not found:
            return p
        n = cells[level[p]]
        cell = 0
        for axis in range(3):
            cell = cell * n[axis] + _cell(rows[p, axis], n[axis], size[axis]) % n[axis]
        cell += offset[level[p]]
        link[p] = head[cell]
        head[cell] = p
    return len(rows)


@njit(cache=True, inline="always")
def _cell(position: float, cells: int, size: float) -> int:
    return int(np.floor(position / size * cells))


@njit(cache=True)
def _is_free(
    p: int,
    rows: Any,
    reach: Any,
    level: int,
    cells: Any,
    offset: Any,
    head: Any,
    link: Any,
    size: Any,
    shrink: float,
) -> bool:
    """Tell whether a particle keeps its distance from all placed ones, size class by size class."""
    first, last = np.empty(3, np.int64), np.empty(3, np.int64)
    for k in range(level + 1):
        n, far = cells[k], shrink * (rows[p, 3] + reach[k])
        for axis in range(3):
            first[axis] = _cell(rows[p, axis] - far, n[axis], size[axis])
            last[axis] = _cell(rows[p, axis] + far, n[axis], size[axis])
        for z in range(first[0], last[0] + 1):
            for y in range(first[1], last[1] + 1):
                row = offset[k] + (z % n[0] * n[1] + y % n[1]) * n[2]
                for x in range(first[2], last[2] + 1):
                    q = head[row + x % n[2]]
                    while q >= 0:
                        if _overlaps(rows[p], rows[q], size, shrink):
                            return False
                        q = link[q]
    return True


@njit(cache=True, inline="always")
def _overlaps(a: Any, b: Any, size: Any, shrink: float) -> bool:
    dz, dy, dx = a[0] - b[0], a[1] - b[1], a[2] - b[2]
    dz -= size[0] * np.floor(dz / size[0] + 0.5)
    dy -= size[1] * np.floor(dy / size[1] + 0.5)
    dx -= size[2] * np.floor(dx / size[2] + 0.5)
    square = dz * dz + dy * dy + dx * dx
    far = shrink * (a[3] + b[3])
    if square >= far * far:
        return False
    if square == 0.0:
        return True
    # Along the joining line the ellipsoid r·M·r = 1 has the radius |d| / sqrt(d·M·d).
    contact = 1.0 / np.sqrt(_form(a, dz, dy, dx)) + 1.0 / np.sqrt(_form(b, dz, dy, dx))
    return bool(shrink * contact > 1.0)


@njit(cache=True, inline="always")
def _form(row: Any, dz: float, dy: float, dx: float) -> float:
    square: float = row[4] * dz * dz + row[5] * dy * dy + row[6] * dx * dx
    square += 2.0 * (row[7] * dz * dy + row[8] * dz * dx + row[9] * dy * dx)
    return square
