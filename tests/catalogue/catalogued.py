"""A small catalogue: an image, one aligned onto it, and a segmentation of it."""

import datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from corrtomo.register import Alignment
from corrtomo.volume import volume

FACTS: dict[str, Any] = {
    "sample": "LCO 1",
    "instrument": "nanoCT",
    "who": "A. Reader",
    "how": "as in the test",
    "source": "digital twin",
}


class Filled(NamedTuple):
    folder: Path
    image: xr.DataArray
    first: str
    labels: str
    moved: str
    made: tuple[datetime.datetime, datetime.datetime]


def drawn(seed: int = 0, size: int = 12) -> xr.DataArray:
    rng = np.random.default_rng(seed)
    return volume(rng.integers(0, 256, (3, size, size + 1)).astype(np.uint8), (0.2, 0.1, 0.1), name="grey")


def shift(by_um: float = 1.0) -> Alignment:
    matrix = np.eye(4)
    matrix[2, 3] = by_um
    return Alignment(matrix, 0.25, 1.5, True, 12, "it ended", "rigid", 0.0, (0.0, 0.0, by_um), 1.0)
