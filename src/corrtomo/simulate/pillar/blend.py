"""What a blended particle holds inside: grains, their boundaries, cracks and pores, at every point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from ..grains import NONE, opened, two_nearest
from ..limits import check_positive
from ..noise import normal
from ..raster import AM

Array = npt.NDArray[np.float64]
PORE, CBD, LCO, NCA = 0, 1, 2, 3
MATERIALS = {"pore": PORE, "carbon binder domain": CBD, "LCO": LCO, "NCA": NCA}
"""Codes of what a blended cathode is made of; LCO and NCA are both active material."""
FAR_UM = 1e3
"""Distance from a grain boundary where there is none."""
_FINEST_UM, _MOST_CRACKS = 1e-3, 100.0


@dataclass(frozen=True)
class BlendModel:
    """What particles of LCO and NCA hold inside. All is assumed, after the look of the paper's Figs 2 to 4.

    Attributes
    ----------
    lco_share : float
        Share of the particles that are LCO.
    nca_grain_um : float
        Spacing of the primary grains of NCA.
    lco_grain_um : float
        Spacing of the few grains of an LCO particle, along whose boundaries it cracks.
    pore_share : float
        Volume share of pores inside NCA; LCO is dense.
    pore_um, pore_sd : float
        Median and geometric standard deviation of their diameters (log-normal).
    cracks : float
        Mean number of cracks of a particle (Poisson).
    crack_um, crack_sd : float
        Median and geometric standard deviation of their greatest openings.
    """

    lco_share: float = 0.4
    nca_grain_um: float = 0.6
    lco_grain_um: float = 1.5
    pore_share: float = 0.015
    pore_um: float = 0.5
    pore_sd: float = 1.4
    cracks: float = 0.7
    crack_um: float = 0.3
    crack_sd: float = 1.5

    def __post_init__(self) -> None:
        above = ("nca_grain_um", "lco_grain_um", "pore_um", "crack_um", "pore_sd", "crack_sd")
        check_positive(self, above, or_zero=("lco_share", "pore_share", "cracks"))
        if (
            self.lco_share > 1
            or self.pore_share > 0.2
            or not all(1 <= sd <= 3 for sd in (self.pore_sd, self.crack_sd))
        ):
            raise ValueError(
                f"Cannot use BlendModel with lco_share {self.lco_share!r}, pore_share {self.pore_share!r}, "
                f"pore_sd {self.pore_sd!r} and crack_sd {self.crack_sd!r}: shares up to 1 and up to 0.2, and "
                "ratios from 1 to 3 are needed."
            )
        if min(self.nca_grain_um, self.lco_grain_um) < _FINEST_UM or self.cracks > _MOST_CRACKS:
            raise ValueError(
                f"Cannot use BlendModel with nca_grain_um {self.nca_grain_um!r}, lco_grain_um "
                f"{self.lco_grain_um!r} and cracks {self.cracks!r}: grains of {_FINEST_UM:g} µm or more, and "
                f"up to {_MOST_CRACKS:g} cracks a particle, are allowed. Lengths are in µm."
            )

    @property
    def pores_per_um3(self) -> float:
        """How many pores a cubic µm of NCA holds: their share by the mean volume of one."""
        mean = np.pi / 6 * self.pore_um**3 * np.exp(4.5 * np.log(self.pore_sd) ** 2)
        return float(self.pore_share / mean)


def draw_pores(radii_um: Array, nca: npt.NDArray[np.bool_], model: BlendModel, seed: int) -> Array:
    """Draw the pores of each particle: its row, centre z, y, x from its middle, and radius, in µm."""
    rows = []
    for row in np.flatnonzero(nca):
        rng = np.random.default_rng(np.random.SeedSequence([seed, 21, int(row)]))
        radius = float(radii_um[row])
        for _ in range(rng.poisson(model.pores_per_um3 * 4 / 3 * np.pi * radius**3)):
            pore = model.pore_um / 2 * model.pore_sd ** rng.standard_normal()
            way = rng.standard_normal(3)
            room = 0.9 * radius - pore
            if room > 0:  # else the particle is smaller than the pore
                far = room * rng.uniform() ** (1 / 3)
                rows.append([row, *(far * way / np.linalg.norm(way)), pore])
    return np.array(rows, float).reshape(-1, 5)


@njit(cache=True)
def _in_pore(pores: Any, first: int, last: int, at: Any) -> bool:
    for q in range(first, last):
        square = 0.0
        for axis in range(3):
            square += (at[axis] - pores[q, 1 + axis]) ** 2
        if square < pores[q, 4] ** 2:
            return True
    return False


@njit(cache=True)
def _near_crack(cracks: Any, first: int, last: int, at: Any, radius: float, spacing: float) -> bool:
    """Tell whether a crack may pass: it runs between two grains on both sides of its plane."""
    for c in range(first, last):
        away, inside = -cracks[c, 4] * radius, 0.0
        for axis in range(3):
            away += cracks[c, 1 + axis] * at[axis]
            inside += cracks[c, 5 + axis] * at[axis]
        if inside >= 0.0 and abs(away) < 1.8 * spacing:
            return True
    return False


@njit(cache=True, parallel=True)
def fill_inside(
    out: Any, shade: Any, edge: Any, owner: Any, row: Any, centres: Any, radii: Any, nca: Any, keys: Any,
    cracks: Any, first_crack: Any, pores: Any, first_pore: Any, spacing: Any, voxel: Any, origin: Any,
    turn: Any,
) -> None:  # fmt: skip
    """Write LCO or NCA where there is active material, and nothing in its cracks and pores.

    `owner` has the image of a particle at each voxel, `row` the particle of each image; `turn` leads from the
    frame of the view to that of the specimen. `shade` gets a number of mean 0 and variance 1 for each grain,
    `edge` the distance from the nearest grain boundary of NCA in µm; either may have no voxels.
    """
    wanted = shade.size > 0
    for k in prange(out.shape[0]):
        at, near, next_, here = np.empty(3), np.empty(3), np.empty(3), np.empty(3)
        for j in range(out.shape[1]):
            for i in range(out.shape[2]):
                if out[k, j, i] != AM:
                    continue
                image = owner[k, j, i]
                p = row[image]
                here[0] = origin[0] + k * voxel[0] - centres[image, 0]
                here[1] = origin[1] + j * voxel[1] - centres[image, 1]
                here[2] = origin[2] + i * voxel[2] - centres[image, 2]
                for axis in range(3):
                    at[axis] = turn[axis, 0] * here[0] + turn[axis, 1] * here[1] + turn[axis, 2] * here[2]
                grained = nca[p]
                out[k, j, i] = NCA if grained else LCO
                if wanted or _near_crack(
                    cracks, first_crack[p], first_crack[p + 1], at, radii[p], spacing[p]
                ):
                    bits = two_nearest(keys[p], at, spacing[p], near, next_)
                    if wanted:
                        shade[k, j, i] = normal(bits)
                        if grained:
                            gap, apart = 0.0, 0.0
                            for axis in range(3):
                                gap += (next_[axis] - at[axis]) ** 2 - (near[axis] - at[axis]) ** 2
                                apart += (next_[axis] - near[axis]) ** 2
                            edge[k, j, i] = gap / (2.0 * np.sqrt(apart))
                    for c in range(first_crack[p], first_crack[p + 1]):
                        if opened(cracks[c], at, near, next_, radii[p]) != NONE:
                            out[k, j, i] = PORE
                if grained and _in_pore(pores, first_pore[p], first_pore[p + 1], at):
                    out[k, j, i] = PORE


@njit(cache=True, parallel=True)
def cut_pillar(out: Any, voxel: Any, origin: Any, turn: Any, shift: Any, shape: Any, waves: Any) -> None:
    """Leave nothing above the top of a pillar, beyond its wall and below its foot.

    `shape` has its radius at the top, the slope of its wall, its height and its roughness; `waves` are wave
    vectors along z, y, x and phases, whose sum of variance 1 makes top and wall rough.
    """
    radius, lean, height, rough = shape
    for k in prange(out.shape[0]):
        at, here = np.empty(3), np.empty(3)
        for j in range(out.shape[1]):
            for i in range(out.shape[2]):
                if out[k, j, i] == PORE:
                    continue
                here[0] = origin[0] + k * voxel[0] - shift[0]
                here[1] = origin[1] + j * voxel[1] - shift[1]
                here[2] = origin[2] + i * voxel[2] - shift[2]
                for axis in range(3):
                    at[axis] = turn[axis, 0] * here[0] + turn[axis, 1] * here[1] + turn[axis, 2] * here[2]
                beyond = np.sqrt(at[1] ** 2 + at[2] ** 2) - radius - lean * at[0]
                level = max(-at[0], beyond)
                if level > -5.0 * rough and level < 5.0 * rough:  # roughness matters at a face alone
                    wave = 0.0
                    for w in range(len(waves)):
                        way = waves[w]
                        wave += np.cos(way[0] * at[0] + way[1] * at[1] + way[2] * at[2] + way[3])
                    level += rough * wave / np.sqrt(len(waves) / 2.0)
                if level > 0.0 or at[0] > height:
                    out[k, j, i] = PORE
