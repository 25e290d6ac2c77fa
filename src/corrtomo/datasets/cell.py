"""Digital twin of a wound cell, imaged as an overview and in detail."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from scipy.spatial.transform import Rotation

from ..reconstruct import attenuation, fbp, project
from ..simulate.cell import (
    CellScanModel,
    DetailModel,
    JellyRoll,
    cell_detail,
    count_photons,
    jelly_roll,
    two_parts,
)
from ..simulate.shares import Progress
from ..volume import volume

NAME = "cell-to-particle"
Matrix = npt.NDArray[np.float64]
OVERVIEW_PER_UM = (-5e-5, 7e-4)
"""Attenuation that becomes grey 0 and grey 65535 of an overview."""
DETAIL_UM = 0.5
_SHOWN_UM = 60.0
"""Height of the outgrowth that the detail is of, as nearly as there is one."""
_ABOVE_UM = 150.0
_MOUNT_UM, _HEIGHT_UM = 120.0, 40.0
"""How far the cell may stand from the axis of rotation, and up or down: assumptions."""
_ASIDE_UM, _TURN_DEG, _TILT_DEG = 15.0, 5.0, 1.5
"""How far off, turned and tilted the detail may be against the overview: assumptions."""


@dataclass(frozen=True)
class Setup:
    """What is scanned: voxels of the overview, projections, and voxels of the detail.

    The cell is projected from a raster of other, finer voxels than the overview is reconstructed in.
    """

    voxel_um: float
    rows: int
    columns: int
    projections: int
    raster_um: float
    detail: tuple[int, int, int]

    @property
    def angles_deg(self) -> Matrix:
        """Turns of half a circle: the beam is parallel."""
        return np.arange(self.projections) * 180.0 / self.projections


SETUPS = {
    "small": Setup(34.0, 50, 560, 500, 26.0, (200, 480, 480)),
    "full": Setup(26.0, 100, 736, 1000, 20.0, (300, 600, 600)),
}
DETAIL_PER_UM = DetailModel().window_per_um
SETTINGS = (SETUPS, OVERVIEW_PER_UM, CellScanModel(), DetailModel())
"""What an image kept in the cache depends on, beside the code."""


@dataclass(frozen=True)
class Poses:
    """Where things lie: what registrations must find.

    Attributes
    ----------
    overview, detail : numpy.ndarray
        4 × 4, take (z, y, x, 1) in µm from the frame of the cell to those of the images.
    shown : int
        Row of the outgrowth that the detail is of.
    """

    overview: Matrix
    detail: Matrix
    shown: int

    def detail_in_overview(self) -> Matrix:
        """Return the 4 × 4 matrix from the frame of the detail to that of the overview."""
        return np.asarray(self.overview @ np.linalg.inv(self.detail), np.float64)


@lru_cache(maxsize=2)
def specimen(seed: int) -> JellyRoll:
    """Return the cell."""
    return jelly_roll(seed=seed)


@lru_cache(maxsize=4)
def poses(seed: int) -> Poses:
    """Draw how the cell stands on the stage, and how the detail lies around one of its outgrowths."""
    rng = np.random.default_rng(np.random.SeedSequence([seed, 63]))
    overview = np.eye(4)
    overview[:3, :3] = _about_z(rng.uniform(-180, 180))
    overview[:3, 3] = rng.uniform(-1, 1, 3) * [_HEIGHT_UM, _MOUNT_UM, _MOUNT_UM]
    shown = _shown(specimen(seed))
    lean = Rotation.from_euler("YZ", rng.uniform(-_TILT_DEG, _TILT_DEG, 2), degrees=True).as_matrix()
    detail = np.eye(4)
    detail[:3, :3] = lean @ _about_z(rng.uniform(-_TURN_DEG, _TURN_DEG)) @ overview[:3, :3]
    place = specimen(seed).outgrowths.loc[shown, ["z_um", "y_um", "x_um"]].to_numpy(float)
    detail[:3, 3] = rng.uniform(-_ASIDE_UM, _ASIDE_UM, 3) - detail[:3, :3] @ place
    return Poses(overview, detail, shown)


def _shown(roll: JellyRoll) -> int:
    """Choose an outgrowth of about 60 µm that faces cathode, not the overhang of the anode."""
    table = roll.outgrowths
    facing = table["z_um"] > roll.model.cathode_below_um + table["radius_um"]
    misses = (table["height_um"] - _SHOWN_UM).abs()
    return int(np.flatnonzero(facing)[np.argmin(misses[facing])])


def _about_z(turn_deg: float) -> Matrix:
    """Return the 3 × 3 matrix that turns (z, y, x) about z."""
    return np.asarray(Rotation.from_euler("X", turn_deg, degrees=True).as_matrix(), np.float64)


def overview(size: str, seed: int, *, progress: bool = True) -> xr.DataArray:
    """Scan the cell and reconstruct it: beam hardening, rings and noise stay in, as they do in practice."""
    setup, edge = SETUPS[size], SETUPS[size].voxel_um
    # A little wider than the can, wherever it stands.
    wide = int(np.ceil((specimen(seed).diameter_um + 2.5 * _MOUNT_UM) / setup.raster_um))
    start = -(wide - 1) / 2 * setup.raster_um
    parts = two_parts(
        specimen(seed),
        (edge, setup.raster_um),
        shape=(setup.rows, wide, wide),
        origin=(-_ABOVE_UM, start, start),
        pose=poses(seed).overview,
    )
    like = _detector(setup)
    integrals = (project(part, setup.angles_deg, like=like, progress=progress) for part in parts)
    counts, flat = count_photons(*integrals, seed=seed)
    lines = attenuation(counts, flat, repair=True, progress=progress)
    found = fbp(lines, setup.angles_deg, filter="hann", progress=progress)
    low, high = OVERVIEW_PER_UM
    grey = np.rint(np.clip((found.values - low) / (high - low), 0, 1) * 65535.0).astype(np.uint16)
    origin = [float(found[d][0]) for d in found.dims]
    return volume(grey, edge, origin=origin, name="overview")


def _detector(setup: Setup) -> xr.DataArray:
    """Return projections without values, for their grid."""
    shape = (setup.projections, setup.rows, setup.columns)
    empty = np.broadcast_to(np.float32(0.0), shape)
    start = -(setup.columns - 1) / 2 * setup.voxel_um
    return volume(empty, setup.voxel_um, origin=(-_ABOVE_UM, start), dims=("angle", "z", "x"))


def detail(size: str, seed: int, progress: Progress = iter) -> xr.DataArray:
    """Image the surroundings of one outgrowth; 0 is in the middle of the field."""
    shape = SETUPS[size].detail
    start = [-(n - 1) / 2 * DETAIL_UM for n in shape]
    pose = poses(seed).detail
    return cell_detail(
        specimen(seed), DETAIL_UM, shape=shape, origin=start, pose=pose, seed=seed, progress=progress
    )


def grown_in_overview(seed: int) -> pd.DataFrame:
    """Return the table of outgrowths with places in the frame of the overview."""
    where = poses(seed)
    table = specimen(seed).outgrowths.copy()
    names = ["z_um", "y_um", "x_um"]
    table[names] = table[names].to_numpy() @ where.overview[:3, :3].T + where.overview[:3, 3]
    table["in_detail"] = table.index == where.shown
    return table


def spiral_in_overview(seed: int, layer: str) -> pd.DataFrame:
    """Return the middle of a collector in the frame of the overview, radius from the axis of the can."""
    table, pose = specimen(seed).spiral(layer), poses(seed).overview
    names = ["y_um", "x_um"]
    table[names] = table[names].to_numpy() @ pose[1:3, 1:3].T + pose[1:3, 3]
    return table
