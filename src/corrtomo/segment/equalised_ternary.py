"""The AHE-based segmentation: three phases from what is bright for its place."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np
import xarray as xr

from ..phases import Phase
from ..volume import check_image, voxel_size
from .equalise import equalise
from .morphology import closing, opening

STEPS = {
    "image": "X-ray image",
    "am": "active material, by threshold",
    "equalised": "equalised",
    "cbd_thresholded": "carbon binder domain, by threshold",
    "cbd": "opened, and closed with the active material",
    "labels": "the three phases",
}
"""The steps of the segmentation, in their order, and what each is."""
_TOP = 255


def equalised_ternary(
    image: xr.DataArray,
    *,
    am_threshold: float,
    cbd_threshold: float,
    window_um: float,
    diameter_um: float | None = None,
    clip_limit: float | None = None,
    exact: bool = False,
) -> xr.DataArray:
    """Segment an X-ray image into pores, carbon binder domain and active material by local contrast.

    No pair of global thresholds parts binder from pores where the grey value of both depends on what is
    around them. This is the method that the X-ray and FIB-SEM paper puts in their place (Sci. Rep. 6, 30109,
    "Complete Ternary Xt Segmentation" and Figure 4).

    Parameters
    ----------
    image : xarray.DataArray
        8-bit grey values, dims z, y, x or y, x; a Dask image stays lazy, and gives the same labels.
    am_threshold : float
        Grey values of `image` above it are active material.
    cbd_threshold : float
        Grey values of the equalised image above it are carbon binder domain, where there is no active
        material.
    window_um : float
        Edge of the window of the equalisation in µm: about the distance from grain to grain, which
        :func:`corrtomo.measure.grain_distance` measures.
    diameter_um : float, optional
        Diameter in µm of the ball that opens and closes; by default two voxels, the assumed resolution.
    clip_limit, exact : optional
        As for :func:`equalise`.

    Returns
    -------
    xarray.DataArray
        Labels with the codes of :class:`corrtomo.Phase`.

    Raises
    ------
    TypeError
        If the grey values are not ``uint8``.
    ValueError
        If a threshold is not from 0 to 254, or a length does not fit the volume.

    Notes
    -----
    What the paper leaves open is read so: both thresholds bound the binder, the lower one on the equalised
    image, the upper one, that of the active material, on the image itself; the opening comes before the
    closing; what the closing adds is binder; features below two voxels are those that the opening removes.
    Opening trusts that binder is thick: on a noisy image it removes true bridges with the specks. See
    :func:`equalised_steps` for every step.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> grey = np.full((6, 12), 40, np.uint8)
    >>> grey[:, 4:8], grey[:, 8:] = 90, 200
    >>> image = ct.volume(grey, 0.5)
    >>> ct.segment.equalised_ternary(image, am_threshold=120, cbd_threshold=100, window_um=6.0).values[0]
    array([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2], dtype=uint8)
    """
    steps = equalised_steps(
        image,
        am_threshold=am_threshold,
        cbd_threshold=cbd_threshold,
        window_um=window_um,
        diameter_um=diameter_um,
        clip_limit=clip_limit,
        exact=exact,
    )
    return steps["labels"]


def equalised_steps(
    image: xr.DataArray,
    *,
    am_threshold: float,
    cbd_threshold: float,
    window_um: float,
    diameter_um: float | None = None,
    clip_limit: float | None = None,
    exact: bool = False,
) -> dict[str, xr.DataArray]:
    """Return every step of the AHE-based segmentation, as in Figure 4 of the X-ray and FIB-SEM paper.

    Parameters
    ----------
    image, am_threshold, cbd_threshold, window_um, diameter_um, clip_limit, exact
        As for :func:`equalised_ternary`.

    Returns
    -------
    dict of str to xarray.DataArray
        The steps a to f: ``image``; ``am``, a mask; ``equalised``; ``cbd_thresholded`` and ``cbd``, masks of
        the binder before and after opening and closing; ``labels``.

    Raises
    ------
    TypeError, ValueError
        As for :func:`equalised_ternary`.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> image = ct.volume(np.arange(64, dtype=np.uint8).reshape(8, 8), 0.5)
    >>> list(ct.segment.equalised_steps(image, am_threshold=50, cbd_threshold=128, window_um=2.0))
    ['image', 'am', 'equalised', 'cbd_thresholded', 'cbd', 'labels']
    """
    check_image(image, ndim=(2, 3))
    _check_thresholds({"am_threshold": am_threshold, "cbd_threshold": cbd_threshold})
    ball_um = 2 * max(voxel_size(image)) if diameter_um is None else diameter_um
    equalised = equalise(image, window_um, clip_limit=clip_limit, exact=exact)
    return finish(image, equalised, am_threshold, cbd_threshold, ball_um)


def finish(
    image: xr.DataArray, equalised: xr.DataArray, am_threshold: float, cbd_threshold: float, ball_um: float
) -> dict[str, xr.DataArray]:
    """Do the steps after the equalisation, which needs to be done once for all thresholds and balls."""
    am = image > am_threshold
    thresholded = (equalised > cbd_threshold) & ~am
    cbd = closing(opening(thresholded, ball_um) | am, ball_um) & ~am
    labels = cbd.astype(np.uint8) * np.uint8(Phase.CBD) + am.astype(np.uint8) * np.uint8(Phase.AM)
    labels.attrs = {"phases": {p.name: int(p) for p in Phase}}
    steps = (image, am, equalised, thresholded, cbd, labels.rename("segmentation"))
    return dict(zip(STEPS, steps, strict=True))


def _check_thresholds(thresholds: Mapping[str, Any]) -> None:
    for name, value in thresholds.items():
        number = isinstance(value, Real) and not isinstance(value, bool | np.bool_)
        if not number or not 0 <= float(value) < _TOP:
            raise ValueError(
                f"Cannot segment with {name} {value!r}: a grey value from 0 to 254 is needed, so that both "
                "sides of it can occur. Find that of the active material with ct.segment.threshold_otsu()."
            )
