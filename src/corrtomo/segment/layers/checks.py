"""What is no slice of a wound cell."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import xarray as xr

from ...checks import check_length, check_spatial
from ...volume import check_image, voxel_size
from ..grooves import check_number

DOING = "trace layers"
_LEAST = 48
_MOST = 8192
_LARGEST = 1 << 30
"""Bytes of the result."""


class Slices(NamedTuple):
    """Slices of an image as plain arrays, one at a time."""

    image: xr.DataArray
    slices: int
    shape: tuple[int, int]

    def __call__(self, k: int) -> npt.NDArray[np.float64]:
        """Return one slice; refuse values that are not finite."""
        part = self.image.data[k] if self.image.ndim == 3 else self.image.data
        grey = np.asarray(part, float)
        bad = int((~np.isfinite(grey)).sum())
        if bad:
            raise ValueError(
                f"Cannot {DOING}: {bad} of {grey.size} grey values of slice {k} are NaN or infinite. Only "
                "finite grey values are allowed. Fill them first, for instance with image.fillna(0)."
            )
        return grey


def slices_of(image: xr.DataArray) -> Slices:
    """Return an image as slices."""
    count = image.sizes["z"] if image.ndim == 3 else 1
    return Slices(image, count, (image.sizes["y"], image.sizes["x"]))


def check_cell(image: Any, least_contrast: Any, along_um: Any) -> tuple[float, float]:
    """Refuse what is no slice across a cell; return the least contrast and the step along in µm."""
    check_image(image, ndim=(2, 3))
    check_spatial(image, doing=DOING)
    if tuple(image.dims)[-2:] != ("y", "x"):
        raise ValueError(
            f"Cannot {DOING} in an image with dims {image.dims}: slices across the winding axis with dims y, "
            "x are needed. Make the image anew with ct.volume(), its winding axis along z."
        )
    if image.dtype.kind not in "biuf":
        raise TypeError(
            f"Cannot {DOING} in an image of dtype {image.dtype}: grey values are real numbers. Convert it "
            "first, for instance with image.astype('float32')."
        )
    *_, height, width = voxel_size(image)
    if abs(height - width) > 1e-3 * width:
        raise ValueError(
            f"Cannot {DOING} in pixels of {height:g} × {width:g} µm: square ones are needed. Resample the "
            "image first, for instance with image.interp()."
        )
    sides = image.sizes["y"], image.sizes["x"]
    if min(sides) < _LEAST or max(sides) > _MOST:
        raise ValueError(
            f"Cannot {DOING} in slices of {sides[0]} × {sides[1]} pixels: from {_LEAST} to {_MOST} along "
            "each edge are possible. Coarsen a larger image first with ct.register.coarsen()."
        )
    contrast = check_number(least_contrast, "least_contrast", doing=DOING)
    if not 0.05 <= contrast <= 1:
        raise ValueError(
            f"Cannot {DOING} with least_contrast {least_contrast!r}: a number from 0.05 to 1 is needed, such "
            "as 0.25."
        )
    if along_um is None:
        return contrast, width
    check_length(along_um, "along_um", doing=DOING)
    if not width / 4 <= along_um <= 16 * width:
        raise ValueError(
            f"Cannot {DOING} with along_um={along_um:g}: from {width / 4:g} to {16 * width:g} µm is possible "
            f"with pixels of {width:g} µm. Leave it out for one pixel."
        )
    return contrast, float(along_um)


def check_size(slices: int, layers: int, turns: int, angles: int) -> None:
    """Refuse a result that is too large for memory."""
    size = slices * layers * turns * angles * 7 * 4
    if size > _LARGEST:
        raise ValueError(
            f"Cannot {DOING}: the result of {slices} slices, {layers} layers, {turns} turns and {angles} "
            f"angles has {size / 2**20:.0f} MB, {_LARGEST / 2**20:.0f} are possible. Raise along_um, or take "
            "fewer slices, for instance image.isel(z=slice(0, None, 4))."
        )
