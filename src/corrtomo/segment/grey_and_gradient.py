"""Three phases of a milled section from grey values and the grooves of milling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from numba import njit, prange

from ..phases import Phase
from .grooves import WINDOW_UM, by_slices, check_grooves, check_number, float_of, groove_row
from .morphology import ball_voxels, opening

_DOING = "segment by grey and gradient"
CBD, AM = int(Phase.CBD), int(Phase.AM)


def grey_and_gradient(
    image: xr.DataArray,
    *,
    cbd_threshold: float,
    am_threshold: float,
    gradient_weight_um: float,
    window_um: Sequence[float] = WINDOW_UM,
    across: str = "x",
    diameter_um: float | None = None,
) -> xr.DataArray:
    """Segment slices that were milled without resin into pores, carbon binder domain and active material.

    Grey values alone fail where shading brings active material down to the grey value of binder, or where a
    bright wall shows at the back of a pore. Milling leaves vertical grooves on active material only, so the
    cycling paper weighs thresholds against a gradient (section 2.3). Here::

        score = grey + gradient_weight_um · G       (G: ct.segment.groove_gradient)

    a pore is where the grey value is not above `cbd_threshold`, active material where the score of the rest
    is above `am_threshold`, and binder what is left.

    Parameters
    ----------
    image : xarray.DataArray
        Grey values, dims z, y, x or y, x; each slice by itself. A Dask image stays lazy, in whole slices.
    cbd_threshold : float
        Grey values above it are no pore.
    am_threshold : float
        Scores above it are active material; above `cbd_threshold`.
    gradient_weight_um : float
        How many grey values a gradient of one grey value a µm is worth, in µm; 0 leaves the thresholds alone.
    window_um, across
        As for :func:`groove_gradient`.
    diameter_um : float, optional
        If given, binder thinner than this, in µm, becomes what it is nearer to in score: blur draws such rims
        of binder around active material. By default nothing is cleaned.

    Returns
    -------
    xarray.DataArray
        Labels with the codes of :class:`corrtomo.Phase` on the grid of `image`.

    Raises
    ------
    TypeError
        If a threshold, weight or length is no number, or the image has no grey values.
    ValueError
        If the thresholds do not ascend, the weight is below zero, the window does not fit the image, or a
        grey value is NaN or infinite.

    Notes
    -----
    Cannot tell a pore from binder where what shows at its back is as grey as binder and has no grooves: train
    :class:`PixelClassifier` for that. Within half a window of active material grooves count for its
    neighbours too: with a large weight particles swell. With `diameter_um`, true bridges of binder go with
    the rims; compare both before counting contacts. Choose the values with :func:`fit_grey_and_gradient`.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> grooved = np.tile([120, 100], 5)
    >>> image = ct.volume(np.tile(np.concatenate([np.full(10, 40), np.full(10, 110), grooved]), (5, 1)), 0.1)
    >>> labels = ct.segment.grey_and_gradient(
    ...     image, cbd_threshold=75, am_threshold=130, gradient_weight_um=0.4, window_um=(0.3, 0.5))
    >>> np.bincount(labels.values[2]).tolist()
    [10, 10, 10]
    """
    reach, step_um = check_grooves(image, window_um, across, doing=_DOING)
    levels = _check_levels(cbd_threshold, am_threshold, gradient_weight_um)
    if diameter_um is not None:
        ball_voxels(image, diameter_um, doing=_DOING)
    options: dict[str, Any] = {"reach": reach, "step_um": step_um, "across": across, "levels": levels}
    labels = by_slices(_segment, image, np.dtype(np.uint8), thin=False, **options)
    if diameter_um is not None:
        rims = (labels == CBD) & ~opening(labels == CBD, diameter_um)
        labels = labels.where(~rims, by_slices(_segment, image, np.dtype(np.uint8), thin=True, **options))
    labels.attrs, labels.name = {"phases": {p.name: int(p) for p in Phase}}, "segmentation"
    return labels


def _check_levels(cbd_threshold: Any, am_threshold: Any, weight: Any) -> tuple[float, float, float]:
    low = check_number(cbd_threshold, "cbd_threshold", doing=_DOING)
    high = check_number(am_threshold, "am_threshold", doing=_DOING)
    if low >= high:
        raise ValueError(
            f"Cannot {_DOING} with cbd_threshold {low:g} and am_threshold {high:g}: the first must be below "
            "the second, for binder lies between. Exchange them, or find them with "
            "ct.segment.fit_grey_and_gradient()."
        )
    return low, high, check_weight(weight, doing=_DOING)


def check_weight(weight: Any, *, doing: str) -> float:
    """Refuse a weight of the gradient that is not a finite number from 0 on, or return it as a float."""
    slope = check_number(weight, "gradient weight", doing=doing)
    if slope < 0:
        raise ValueError(
            f"Cannot {doing} with gradient weight {slope:g} µm: grooves speak for active material, so 0 or "
            "more is needed. Pass 0 to segment by thresholds alone."
        )
    return slope


def _segment(
    grey: npt.NDArray[Any],
    *,
    reach: tuple[int, int],
    step_um: float,
    across: str,
    levels: tuple[float, float, float],
    thin: bool,
) -> npt.NDArray[np.uint8]:
    out = np.empty(grey.shape, np.uint8)
    turned = [a if across == "x" else a.transpose(0, 2, 1) for a in (grey, out)]
    kind = np.zeros(0, float_of(grey.dtype))
    _segment_slices(turned[0], reach, step_um, levels, thin, kind, turned[1])
    return out


@njit(cache=True, parallel=True)
def _segment_slices(
    grey: Any, reach: tuple[int, int], step: float, levels: Any, thin: bool, kind: Any, out: Any
) -> None:
    rows = grey.shape[1]
    for row in prange(grey.shape[0] * rows):
        k, j = row // rows, row % rows
        grooves = np.zeros(grey.shape[2], kind.dtype)
        if levels[2] > 0:
            groove_row(grey[k], j, reach, step, grooves)
        _label_row(grey[k, j], grooves, levels, thin, out[k, j])


@njit(cache=True)
def _label_row(grey: Any, grooves: Any, levels: tuple[float, float, float], thin: bool, out: Any) -> None:
    """Label a row; where binder is too thin to be any, by which of pore and active material is nearer."""
    low, high, weight = levels
    for i in range(len(out)):
        score = grey[i] + weight * grooves[i]
        if thin:
            out[i] = AM if score > (low + high) / 2 else 0
        elif grey[i] <= low:
            out[i] = 0
        else:
            out[i] = AM if score > high else CBD
