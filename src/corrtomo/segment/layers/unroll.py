"""A wound layer laid flat."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy import ndimage
from tqdm.auto import tqdm

from ...checks import check_length
from ...volume import origin, volume, voxel_size
from .checks import slices_of
from .traced import Course, check_belongs, check_layer, check_layers, course_of

_DOING = "unroll a layer"
_LARGEST = 1 << 30
SMOOTH = 2.0
"""Pitches over which the course of a layer is smoothed."""


def unroll(
    image: xr.DataArray,
    layers: xr.Dataset,
    *,
    layer: int = 0,
    across_um: float | None = None,
    step_um: float | None = None,
    progress: bool = True,
) -> xr.DataArray:
    """Lay a wound layer flat, with what is on either side of it.

    Parameters
    ----------
    image : xarray.DataArray
        Grey values, dims y, x or z, y, x: those that were traced, or others on the same slices.
    layers : xarray.Dataset
        From :func:`layers`.
    layer : int
        Number of the layer.
    across_um : float, optional
        How far to look on either side of its middle in µm; by default half a pitch.
    step_um : float, optional
        Edge of a pixel along and across in µm; by default that of the image.
    progress : bool
        Show a bar where it takes more than a second.

    Returns
    -------
    xarray.DataArray
        ``float32``, dims (z,) y, x: x is the length along the winding from the inner end in µm, y the
        distance from the middle of the layer in µm, negative towards the centre, z the height as in `image`.
        NaN where the layer is missing or the image ends. Attributes ``layer`` and ``smooth_um``.

    Raises
    ------
    TypeError
        If these are no image and no traced layers, or a length is no number.
    ValueError
        If the image is not on the slices of the layers, the layer is unknown, or the result is too large.

    Notes
    -----
    The middle is smoothed by a running median over two pitches, so that a bump in the layer stays one. Across
    is along the radius. The length is that of the mean over all slices: of a roll whose layers lean along z,
    one x is one place on the foil only to the mean.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> y, x = np.mgrid[-60:61, -60:61] * 1.0
    >>> radius, turn = np.hypot(y, x), np.arctan2(y, x) / (2 * np.pi)
    >>> wave = np.cos(2 * np.pi * (radius / 8 - turn)) * ((radius > 16) & (radius < 52))
    >>> cell = ct.volume(wave, 20.0)
    >>> flat = ct.segment.unroll(cell, ct.segment.layers(cell))
    >>> flat.dims, bool((flat.mean("x").idxmax("y") == 0).all())
    (('y', 'x'), True)
    """
    layers = check_layers(layers, doing=_DOING)
    check_belongs(image, layers, doing=_DOING)
    number = check_layer(layers, layer, doing=_DOING)
    step = layers.attrs["voxel_size_um"] if step_um is None else step_um
    side = layers.attrs["pitch_um"] / 2 if across_um is None else across_um
    for value, what in ((step, "step_um"), (side, "across_um")):
        check_length(value, what, doing=_DOING)
    if step > side * (1 + 1e-6):
        raise ValueError(
            f"Cannot {_DOING} in steps of {step:g} µm with {side:g} µm on either side: one row or more "
            "beside the middle is needed. Lower step_um, or raise across_um."
        )
    smooth = SMOOTH * layers.attrs["pitch_um"]
    length = float(np.nanmax(layers["length_um"])) if "length_um" in layers else 0.0
    check_unrolled(length / step * (2 * side / step + 1) * layers.sizes["z"])
    course = course_of(layers, number, float(step), smooth, doing=_DOING)
    reach = np.arange(-round(side / step), round(side / step) + 1) * float(step)
    flat = unrolled(image, layers, course, reach, progress)
    sizes, start = [float(step), float(step)], [float(reach[0]), 0.0]
    if image.ndim == 3:
        sizes, start = [voxel_size(image)[0], *sizes], [origin(image)[0], *start]
    out = volume(flat if image.ndim == 3 else flat[0], sizes, origin=start, name="unrolled layer")
    out.attrs = {"layer": number, "smooth_um": smooth}
    return out


def check_unrolled(count: float) -> None:
    """Refuse a result that is too large for memory."""
    if not count * 4 <= _LARGEST:
        raise ValueError(
            f"Cannot {_DOING}: the result has {count * 4 / 2**20:.0f} MB, {_LARGEST / 2**20:.0f} are "
            "possible. Raise step_um, or take fewer slices of image and layers, for instance with "
            "isel(z=slice(0, None, 4))."
        )


def unrolled(
    image: xr.DataArray,
    layers: xr.Dataset,
    course: Course,
    reach: npt.NDArray[np.float64],
    progress: bool,
    spread_um: float = 0.0,
) -> npt.NDArray[np.float32]:
    """Return grey values along a course, dims z, across, along; each slice is averaged first if asked to.

    Noise between pixels is less than on them: only an averaged image, and cubic splines, have the same
    everywhere. A line between two pixels of an image averaged over one has 21 % less in the middle of four.
    """
    greys: Any = slices_of(image)
    pixel = layers.attrs["voxel_size_um"]
    y0, x0 = origin(image)[-2:]
    angle = layers.attrs["sense"] * course.winding
    out = np.empty((greys.slices, len(reach), len(course.winding)), np.float32)
    bar = tqdm(range(greys.slices), _DOING, unit="slice", delay=1, leave=False, disable=not progress)
    for k in bar:
        grey = ndimage.gaussian_filter(greys(k), spread_um / pixel, mode="nearest")
        order = 3 if spread_um else 1
        grey = ndimage.spline_filter(grey, order) if spread_um else grey
        radius = course.radius_um[k]
        down = (layers.attrs["centre_y_um"] - y0 + np.sin(angle) * radius) / pixel
        right = (layers.attrs["centre_x_um"] - x0 + np.cos(angle) * radius) / pixel
        for row, off in enumerate(reach / pixel):
            at = [down + np.sin(angle) * off, right + np.cos(angle) * off]
            at = [np.where(np.isfinite(radius), axis, -9.0) for axis in at]
            ndimage.map_coordinates(grey, at, out[k, row], order, cval=np.nan, prefilter=False)
    return out
