"""Primary grains of secondary particles on one section, and the cracks that run between them.

Grains are Voronoi cells of a lattice whose nodes are moved at random; each particle has a lattice of its own.
A crack divides the grains of a particle by the side of a plane on which their nodes lie, so that it follows
grain boundaries, and opens there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from .limits import check_positive
from .noise import mix, normal, stream, uniform

Array = npt.NDArray[np.float64]
NONE, EMPTY, FILLED = 0, 1, 2
_ONE, _TWO = np.uint64(1), np.uint64(2)


@dataclass(frozen=True)
class CrackModel:
    """How particles are cracked. All values are assumptions, after the look of the paper's Figs 4 and 5.

    A crack ends at a plane through the middle of its particle, runs from the depth `reach` (a share of the
    radius) out to the surface and widens in proportion, or is closed inside and widest at the middle.

    Attributes
    ----------
    mean : float
        Mean number of cracks of a particle (Poisson).
    smallest_um : float
        Particles of a smaller radius do not crack.
    width_um : float
        Median of the greatest opening (log-normal).
    width_sd : float
        Geometric standard deviation of the opening.
    open_share : float
        Share of cracks that reach the surface.
    filled_share, partly_share : float
        Share of cracks that are filled with binder, and that are filled inside and empty outside.
    depth_um : float
        How far behind the plane an empty crack is closed.
    """

    mean: float = 1.5
    smallest_um: float = 1.5
    width_um: float = 0.25
    width_sd: float = 1.6
    open_share: float = 0.7
    filled_share: float = 0.35
    partly_share: float = 0.2
    depth_um: float = 1.5

    def __post_init__(self) -> None:
        check_positive(self, ("smallest_um", "width_um", "depth_um"), or_zero=("mean",))
        shares = (self.open_share, self.filled_share, self.partly_share)
        if not all(0 <= s <= 1 for s in shares) or sum(shares[1:]) > 1 or not 1 <= self.width_sd <= 5:
            raise ValueError(
                f"Cannot use CrackModel with shares {shares} and width_sd {self.width_sd!r}: shares from 0 "
                "to 1 are needed, filled and partly together at most 1, and a ratio from 1 to 5."
            )


def draw_cracks(radii_um: Array, identities: npt.NDArray[np.int64], model: CrackModel, seed: int) -> Array:
    """Draw the cracks of particles, the same for a particle whatever else is in view.

    Returns
    -------
    numpy.ndarray
        A crack a row: row of its particle; unit normal (3) and offset (share of the radius) of its surface;
        unit direction (3) to which it is confined; opening in µm; depth of its inner end (share of the
        radius), or -1 for a closed one; the radius (share) inside which it is filled.
    """
    rows = []
    for row, (radius, identity) in enumerate(zip(radii_um, identities, strict=True)):
        rng = np.random.default_rng(np.random.SeedSequence([seed, 6, int(identity)]))
        count = rng.poisson(model.mean) if radius >= model.smallest_um else 0
        for _ in range(count):
            normal_, side = rng.standard_normal((2, 3))
            normal_ /= np.linalg.norm(normal_)
            side -= (side @ normal_) * normal_
            offset, reach = rng.uniform(-0.5, 0.5), rng.uniform(0.1, 0.5)
            width = model.width_um * model.width_sd ** rng.standard_normal()
            open_ = rng.uniform() < model.open_share
            kind = rng.uniform()
            filled = 2.0 if kind < model.filled_share else 0.0
            if kind >= 1.0 - model.partly_share:
                filled = rng.uniform(0.6, 0.9)
            side /= np.linalg.norm(side)
            rows.append([row, *normal_, offset, *side, width, reach if open_ else -1.0, filled])
    return np.array(rows, float).reshape(-1, 11)


def mark(
    owner: npt.NDArray[np.int32],
    particles: tuple[Array, Array, npt.NDArray[np.int64]],
    cracks: Array,
    pixel_um: float,
    origin_um: Array,
    grain_um: float,
    seed: int,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.uint8]]:
    """Mark grains and cracks on a section.

    Parameters
    ----------
    owner : numpy.ndarray
        The row of the particle that each pixel lies in, -1 for none; dims y, x.
    particles : tuple of numpy.ndarray
        Centres z, y, x in µm, mean radii in µm, and identities of the particles.
    cracks : numpy.ndarray
        From :func:`draw_cracks`.
    pixel_um, origin_um : float, numpy.ndarray
        Edge of a pixel, and z, y, x of the centre of the first one.
    grain_um : float
        Spacing of the grains.
    seed : int
        Seed of the grains.

    Returns
    -------
    shade : numpy.ndarray
        A number of mean 0 and variance 1 for the orientation of each pixel's grain.
    crack : numpy.ndarray
        0 none, 1 empty, 2 filled.
    """
    centres, radii, identities = particles
    shade = np.zeros(owner.shape, np.float32)
    crack = np.zeros(owner.shape, np.uint8)
    first = np.searchsorted(cracks[:, 0], np.arange(len(radii) + 1)).astype(np.int64)
    keys = stream(seed, "grains") + identities.astype(np.uint64)
    _mark(shade, crack, owner, centres, radii, keys, cracks, first, pixel_um, origin_um, grain_um)
    return shade, crack


@njit(cache=True)
def _node(key: Any, cell: Any, spacing: float, out: Any) -> Any:
    """Write the node of a lattice cell, moved at random within it; return the cell's own random bits."""
    bits = mix(mix(mix(mix(key) + np.uint64(cell[0])) + np.uint64(cell[1])) + np.uint64(cell[2]))
    for axis in range(3):
        bits = mix(bits + _ONE)
        out[axis] = (cell[axis] + uniform(bits)) * spacing
    return mix(bits + _TWO)


@njit(cache=True)
def two_nearest(key: Any, at: Any, spacing: float, near: Any, next_: Any) -> Any:
    """Write the two nodes nearest to a point; return the random bits of the nearest."""
    cell, middle, node = np.empty(3, np.int64), np.empty(3, np.int64), np.empty(3)
    best, second = np.inf, np.inf
    chosen = np.uint64(0)
    for axis in range(3):
        middle[axis] = np.int64(np.floor(at[axis] / spacing))
    for step in range(27):
        cell[0], cell[1] = middle[0] + step // 9 - 1, middle[1] + step // 3 % 3 - 1
        cell[2] = middle[2] + step % 3 - 1
        bits = _node(key, cell, spacing, node)
        far = (node[0] - at[0]) ** 2 + (node[1] - at[1]) ** 2 + (node[2] - at[2]) ** 2
        if far < best:
            second, best, chosen = best, far, bits
            next_[:] = near
            near[:] = node
        elif far < second:
            second = far
            next_[:] = node
    return chosen


@njit(cache=True)
def opened(crack: Any, at: Any, near: Any, next_: Any, radius: float) -> int:
    """Tell whether a point, given from the middle of its particle, lies in a crack, and what fills it."""
    side_near, side_next, inside, square, gap, apart = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for axis in range(3):
        side_near += crack[1 + axis] * near[axis]
        side_next += crack[1 + axis] * next_[axis]
        inside += crack[5 + axis] * at[axis]
        square += at[axis] ** 2
        gap += (next_[axis] - at[axis]) ** 2 - (near[axis] - at[axis]) ** 2
        apart += (next_[axis] - near[axis]) ** 2
    offset = crack[4] * radius
    if (side_near > offset) == (side_next > offset) or inside < 0.0:
        return NONE
    share = np.sqrt(square) / radius
    if crack[9] < 0.0:
        width = crack[8] * max(0.0, 1.0 - (share / 0.8) ** 2)
    else:
        width = crack[8] * max(0.0, (share - crack[9]) / (1.0 - crack[9]))
    # The two nodes' common face lies half their difference of squares, by their distance, from the point.
    if gap / (2.0 * np.sqrt(apart)) > width / 2.0:
        return NONE
    return FILLED if share < crack[10] else EMPTY


@njit(cache=True, parallel=True)
def _mark(
    shade: Any, crack: Any, owner: Any, centres: Any, radii: Any, keys: Any, cracks: Any, first: Any,
    pixel: float, origin: Any, spacing: float,
) -> None:  # fmt: skip
    for j in prange(owner.shape[0]):
        at, near, next_ = np.empty(3), np.empty(3), np.empty(3)
        for i in range(owner.shape[1]):
            p = owner[j, i]
            if p < 0:
                continue
            at[0] = origin[0] - centres[p, 0]
            at[1] = origin[1] + j * pixel - centres[p, 1]
            at[2] = origin[2] + i * pixel - centres[p, 2]
            shade[j, i] = normal(two_nearest(keys[p], at, spacing, near, next_))
            for c in range(first[p], first[p + 1]):
                if crack[j, i] == NONE:
                    crack[j, i] = opened(cracks[c], at, near, next_, radii[p])
