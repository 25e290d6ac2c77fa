"""Digital twin of the pillar that the nanoCT and SIMS paper scans, sections and maps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from scipy.spatial.transform import Rotation

from ..io import read, write
from ..reconstruct import attenuation, centre_of_rotation, fbp, remove_rings
from ..reconstruct.projection_drift import drift_from_projections
from ..simulate.eds import eds_pose
from ..simulate.pillar import (
    MilledPlane,
    Pillar,
    Scan,
    ScanModel,
    SimsModel,
    element_maps,
    mill,
    pillar,
    radiographs,
    se_image,
    section_pose,
    sims_maps,
)
from ..simulate.pillar.radiographs import source_height, spot_drift
from ..simulate.pillar.sims import FIELD_PIXELS
from ..simulate.pillar.specimen import as_materials
from ..simulate.shares import Progress
from ..volume import volume, voxel_size

NAME = "nanoct-sims"
FOLDER = Path(__file__).parents[3] / "data" / NAME
Matrix = npt.NDArray[np.float64]
SECTION = ("se", "eds", "sims", "materials", "boundaries", "particles")
_LARGEST_UM, _TURN_DEG, _TILT_DEG = 0.4, 8.0, 2.0
"""How far off, turned and tilted a section may be, at most: assumptions."""
_MOUNT_UM, _MOUNT_DEG = 0.8, 0.5
"""How far the pillar may stand from the axis of rotation, and lean against it: assumptions."""


@dataclass(frozen=True)
class Setup:
    """What is scanned and mapped: sizes in pixels, fields in µm, times.

    Of the small twin a projection takes so long that the scan has the dose of the full one.
    """

    diameter_um: float
    rows: int
    columns: int
    projections: int
    exposure_s: float
    section: int
    maps: int
    field_um: float
    dwell_ms: float

    @property
    def angles_deg(self) -> Matrix:
        """Turns of a full circle."""
        return np.arange(self.projections) * 360.0 / self.projections

    @property
    def scan(self) -> ScanModel:
        """Physics of the scan."""
        return replace(ScanModel(), exposure_s=self.exposure_s)


CT_UM, SE_UM, EDS_UM, DEPTH_UM = 0.05, 0.025, 0.15, 1.5
HEIGHT_UM = 175.0
"""Down to the pedestal: the middle of the 150 to 200 µm that the paper mills."""
SETUPS = {
    "small": Setup(20.0, 128, 480, 360, 300.0, 880, 140, 11.8, 0.55),
    "full": Setup(30.0, 400, 680, 1200, 90.0, 1280, 208, 20.7, 1.20),
}


@dataclass(frozen=True)
class Poses:
    """Where things lie: what registrations must find.

    Attributes
    ----------
    mount, section : numpy.ndarray
        4 × 4, from the frame of the pillar to that of the scan, and to that of the section.
    eds, sims : tuple
        Middle of the maps on the section, y and x in µm, and their turn in degrees.
    """

    mount: Matrix
    section: Matrix
    eds: tuple[tuple[float, float], float]
    sims: tuple[tuple[float, float], float]

    def section_in_scan(self) -> Matrix:
        """Return the 4 × 4 matrix from the frame of the section to that of the scan."""
        return np.asarray(self.mount @ np.linalg.inv(self.section), np.float64)


def poses(seed: int) -> Poses:
    """Draw how the pillar stands, and how section and maps lie."""
    rng = np.random.default_rng(np.random.SeedSequence([seed, 50]))
    mount = np.eye(4)
    lean = rng.uniform(-_MOUNT_DEG, _MOUNT_DEG, 2)
    mount[:3, :3] = Rotation.from_euler("YZ", lean, degrees=True).as_matrix()  # axes y and x
    mount[1:3, 3] = rng.uniform(-_MOUNT_UM, _MOUNT_UM, 2)
    tilt, turn = rng.uniform(-_TILT_DEG, _TILT_DEG, 2), rng.uniform(-_TURN_DEG, _TURN_DEG)
    depth = DEPTH_UM + rng.uniform(-0.1, 0.1)
    section = section_pose(
        depth,
        tilt_deg=tilt.tolist(),
        turn_deg=turn,
        centre_um=rng.uniform(-_LARGEST_UM, _LARGEST_UM, 2).tolist(),
    )
    maps = []
    for most in (1.5, 3.0):
        y, x = rng.uniform(-_LARGEST_UM, _LARGEST_UM, 2)
        maps.append(((float(y), float(x)), float(rng.uniform(-most, most))))
    return Poses(mount, section, maps[0], maps[1])


@lru_cache(maxsize=2)
def specimen(size: str, seed: int) -> Pillar:
    """Return the pillar."""
    return pillar(SETUPS[size].diameter_um, height_um=HEIGHT_UM, seed=seed)


@lru_cache(maxsize=1)
def scan(size: str, seed: int, progress: Progress = iter) -> Scan:
    """Return its radiographs."""
    setup = SETUPS[size]
    return radiographs(
        specimen(size, seed),
        setup.angles_deg,
        CT_UM,
        shape=(setup.rows, setup.columns),
        pose=poses(seed).mount,
        model=setup.scan,
        seed=seed,
        progress=progress,
    )


def scan_truth(size: str, seed: int) -> tuple[pd.DataFrame, float]:
    """Return the drift of the scan, and the height of its source, without scanning."""
    setup = SETUPS[size]
    return spot_drift(setup.angles_deg, setup.scan.drift_um, seed), source_height(setup.rows, CT_UM)


@lru_cache(maxsize=2)
def plane(size: str, seed: int) -> MilledPlane:
    """Return the milled section."""
    pixels = SETUPS[size].section
    return mill(specimen(size, seed), SE_UM, shape=(pixels, pixels), pose=poses(seed).section)


def section_makers(size: str, seed: int) -> dict[str, Callable[[], xr.DataArray]]:
    """Return what makes each image of the section."""
    setup, where = SETUPS[size], poses(seed)

    def here() -> MilledPlane:
        return plane(size, seed)

    return {
        "se": lambda: se_image(here(), seed=seed),
        "eds": lambda: element_maps(
            here(), EDS_UM, shape=(setup.maps,) * 2, centre_um=where.eds[0], turn_deg=where.eds[1], seed=seed
        ),
        "sims": lambda: sims_maps(
            here(),
            setup.field_um,
            centre_um=where.sims[0],
            turn_deg=where.sims[1],
            model=SimsModel(dwell_ms=setup.dwell_ms),
            seed=seed,
        ),
        "materials": lambda: here().materials(),
        "boundaries": lambda: here().grain_boundaries().astype(np.uint8),
        "particles": lambda: here().particles().astype(np.uint16),
    }


def map_pose(size: str, seed: int, kind: str) -> Matrix:
    """Return the 3 × 3 matrix from the frame of the section to that of its EDS or SIMS maps."""
    setup, where = SETUPS[size], poses(seed)
    if kind == "eds":
        return eds_pose((setup.maps,) * 2, EDS_UM, *where.eds)
    return eds_pose((FIELD_PIXELS,) * 2, setup.field_um / FIELD_PIXELS, *where.sims)


def read_section(folder: Path, suffix: str) -> dict[str, xr.DataArray]:
    """Read the images of a section into memory."""
    images: dict[str, Any] = {key: read(folder / f"{key}{suffix}").load() for key in SECTION}
    images["materials"] = as_materials(images["materials"])
    images["boundaries"] = images["boundaries"].astype(bool)
    images["particles"] = images["particles"].astype(np.int32)
    return images


def write_small(folder: Path = FOLDER, seed: int = 0) -> None:
    """Write the section of the small twin as OME-TIFF files."""
    folder.mkdir(parents=True, exist_ok=True)
    for key, make in section_makers("small", seed).items():
        write(make(), folder / f"{key}.ome.tif", overwrite=True)


def as_stack(projections: xr.DataArray) -> xr.DataArray:
    """Return projections as a stack that files can hold, an image for each angle."""
    pixel = voxel_size(projections.isel(angle=0))
    start = [0.0, *(float(projections[d][0]) for d in ("z", "x"))]
    return volume(projections.data, [1.0, *pixel], origin=start, name=str(projections.name))


def as_projections(stack: xr.DataArray) -> xr.DataArray:
    """Return a stack of radiographs, z, y, x in its file, as projections: angle, z, x."""
    _, row, column = voxel_size(stack)
    start = (float(stack["y"][0]), float(stack["x"][0]))
    return volume(stack.data, (row, column), origin=start, dims=("angle", "z", "x"), name=str(stack.name))


def reconstructed(counts: xr.DataArray, flat: xr.DataArray, size: str) -> xr.DataArray:
    """Return the volume that the other chapters work on, made as the first chapter makes it."""
    setup = SETUPS[size]
    scan_um, height_um = setup.scan.source_um, source_height(setup.rows, CT_UM)
    integrals = remove_rings(attenuation(counts, flat, repair=True))
    drift = drift_from_projections(integrals, setup.angles_deg, search_um=0.8)
    axis = centre_of_rotation(integrals, setup.angles_deg, source_um=scan_um)
    found = fbp(
        integrals,
        setup.angles_deg,
        centre_um=axis.x_um,
        source_um=scan_um,
        source_z_um=height_um,
        filter="hann",
        drift=drift,
    )
    return found.drop_attrs().rename("attenuation")
