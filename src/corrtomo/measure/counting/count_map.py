"""Maps of counts, one number a pixel."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy import stats

from ...checks import check_same_grid, check_spatial
from ...phases import check_mask
from ...volume import check_image
from ..options import check_total

_UNLIKELY = 1e-3


def counts_within(image: Any, mask: xr.DataArray | None, *, doing: str) -> npt.NDArray[np.int64]:
    """Return the counts of the pixels of a mask, or of all; refuse what are no counts."""
    check_count_map(image, doing=doing)
    values = np.asarray(image.data)
    values = values.ravel() if mask is None else values[check_within(image, mask, doing=doing)]
    check_total(float(values.sum(dtype=np.float64)), doing=doing)
    return values.astype(np.int64)


def check_count_map(image: Any, *, doing: str) -> None:
    """Refuse what is not a map of whole counts from 0, without channels."""
    check_image(image)
    check_spatial(image, doing=doing)
    if not np.issubdtype(image.dtype, np.integer):
        raise TypeError(
            f"Cannot {doing}: their dtype is {image.dtype}, and whole counts as integers are needed. Export "
            "the map as counts, not as intensities or percent."
        )
    least = int(image.min())
    if least < 0:
        raise ValueError(
            f"Cannot {doing}: a count is {least}. Counts are whole numbers from 0. Take maps before a "
            "background was subtracted."
        )


def check_within(image: xr.DataArray, mask: xr.DataArray, *, doing: str) -> npt.NDArray[np.bool_]:
    """Return a mask as an array; refuse one on another grid, or with no pixel in it."""
    check_mask(mask, doing=doing)
    check_same_grid(image, mask, doing=doing)
    inside = np.asarray(mask.data)
    if not inside.any():
        raise ValueError(f"Cannot {doing}: no pixel is in the mask. One or more is needed. Check the mask.")
    return inside


def dispersion_of(pixels: int, total: float, squares: float) -> tuple[float, bool]:
    """Return variance over mean of counts, 1 if Poisson, and whether it is too large to be chance.

    NaN for a single pixel and where nothing was counted.
    """
    if pixels < 2 or total == 0:
        return float("nan"), False
    index = (squares - total**2 / pixels) / (pixels - 1) / (total / pixels)
    return index, bool(stats.chi2.sf((pixels - 1) * index, pixels - 1) < _UNLIKELY)
