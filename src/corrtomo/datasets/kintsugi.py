"""Digital twin of the cross-section whose pores J. Electrochem. Soc. 169, 070512 fills with platinum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from scipy import ndimage

from ..io import read, write
from ..phases import as_labels
from ..simulate.cross_section import PHASE_OF_CLASS, CrossSection, cross_section
from ..simulate.deposit import platinum
from ..simulate.eds import FIELD_STEP_UM, eds_maps, eds_pose
from ..simulate.electrode import Electrode, electrode
from ..simulate.electron_images import electron_images
from ..simulate.shares import Progress

NAME = "kintsugi"
PIXEL_UM = 0.02
COATING_UM = 80.0
PLATINUM_UM = 2.0
IMAGES = ("image", "bare", "classes", "cracks", "eds")
_TURN_DEG, _SHIFT_UM = 2.0, 0.4


@dataclass(frozen=True)
class Window:
    """What is imaged: pixels along y, x of images and maps, and how much of the foil is in view."""

    shape: tuple[int, int]
    maps: tuple[int, int]
    foil_um: float
    start_um: float


# Sizes of the paper. Where its image lies in the coating it does not say: with some µm of foil at its end.
WINDOWS = {
    "small": Window((954, 1024), (242, 340), 3.0, 30.0),
    "full": Window((3816, 4096), (970, 1358), 6.0, 0.0),
}


@lru_cache(maxsize=2)
def coating(seed: int) -> Electrode:
    """Return the coating, wider than the full image. Fractions and sizes are assumptions after Fig. 3."""
    return electrode(
        (36.0, COATING_UM, 84.0),
        am_fraction=0.62,
        cbd_fraction=0.13,
        cbd_porosity=0.4,
        diameter_um=9.0,
        geometric_sd=1.7,
        overlap=0.15,
        aspect=0.88,
        film=True,
        seed=seed,
    )


@lru_cache(maxsize=2)
def surface(seed: int, size: str, progress: Progress = iter) -> CrossSection:
    """Return the polished plane without platinum."""
    window = WINDOWS[size]
    top = COATING_UM + window.foil_um - window.shape[0] * PIXEL_UM
    origin = (0.0, top + PIXEL_UM / 2, window.start_um + PIXEL_UM / 2)
    return cross_section(
        coating(seed), PIXEL_UM, shape=window.shape, origin_um=origin, seed=seed, progress=progress
    )


def _maps(seed: int, size: str) -> tuple[tuple[float, float], float]:
    """Draw where the maps lie on the plane: centre in µm, turn in degrees."""
    window = WINDOWS[size]
    rng = np.random.default_rng(np.random.SeedSequence([seed, 10]))
    middle = np.array([COATING_UM + window.foil_um, window.start_um])
    middle += np.array([-window.shape[0], window.shape[1]]) * PIXEL_UM / 2
    middle[0] += (window.shape[0] * PIXEL_UM - window.maps[0] * FIELD_STEP_UM) / 4  # the foil is in view
    y, x = middle + rng.uniform(-_SHIFT_UM, _SHIFT_UM, 2)
    return (float(y), float(x)), float(rng.uniform(-_TURN_DEG, _TURN_DEG))


def pose(seed: int, size: str) -> npt.NDArray[np.float64]:
    """Return where the maps lie: 3 × 3, from the frame of the image to that of the maps."""
    centre, turn = _maps(seed, size)
    return eds_pose(WINDOWS[size].maps, FIELD_STEP_UM, centre, turn)


def makers(seed: int, size: str, progress: Progress = iter) -> dict[str, Callable[[], xr.DataArray]]:
    """Return what makes each image of the twin."""
    centre, turn = _maps(seed, size)

    def filled() -> CrossSection:
        return platinum(surface(seed, size, progress), PLATINUM_UM)

    return {
        "image": lambda: electron_images(filled(), seed=seed),
        "bare": lambda: electron_images(surface(seed, size, progress), seed=seed),
        "classes": lambda: filled().classes(),
        "cracks": lambda: filled().crack_labels(),
        "eds": lambda: eds_maps(
            filled(), shape=WINDOWS[size].maps, centre_um=centre, turn_deg=turn, seed=seed
        ),
    }


def phases(classes: xr.DataArray) -> xr.DataArray:
    """Return the phases that the classes are part of: the truth."""
    codes = np.array([int(p) for p in PHASE_OF_CLASS.values()], np.uint8)
    return as_labels(classes.drop_attrs().copy(data=codes[classes.data]).rename("phases"))


def boxes(classes: xr.DataArray) -> pd.DataFrame:
    """Draw a box for each class, as an operator would who paints no strokes: the largest square in it."""
    rows = []
    for name, code in classes.attrs["classes"].items():
        inside = np.pad(classes.data == code, 1)
        room = ndimage.distance_transform_cdt(inside, metric="chessboard")[1:-1, 1:-1]
        y, x = np.unravel_index(int(room.argmax()), room.shape)
        reach = int(room[y, x]) - 1
        edge = 2 * reach + 1
        rows.append({"class": name, "y": int(y) - reach, "x": int(x) - reach, "height": edge, "width": edge})
    return pd.DataFrame(rows)


def write_small(folder: Path, seed: int = 0) -> None:
    """Write the small twin as OME-TIFF files."""
    folder.mkdir(parents=True, exist_ok=True)
    for key, make in makers(seed, "small").items():
        write(make(), folder / f"{key}.ome.tif", overwrite=True)
    np.savetxt(folder / "pose.txt", pose(seed, "small"), fmt="%.17g")


def read_images(folder: Path, suffix: str) -> dict[str, xr.DataArray]:
    """Read the images of a twin into memory."""
    return {key: read(folder / f"{key}{suffix}").load() for key in IMAGES}
