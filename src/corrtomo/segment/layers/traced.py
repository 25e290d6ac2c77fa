"""What is no Dataset of traced layers, and what its places are."""

from __future__ import annotations

from numbers import Real
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy import ndimage

from ...checks import check_spatial, check_turns, is_finite
from ...volume import check_image, origin, voxel_size
from .result import DIMS, PLACES

Floats = npt.NDArray[np.float64]
_ATTRS = ("centre_y_um", "centre_x_um", "pitch_um", "sense", "voxel_size_um")


class Course(NamedTuple):
    """The smooth course of one layer: even places along it, and its radius there in each slice.

    `winding` is the place in radians from angle 0 of turn 0, `along_um` the length to it; radii are dims z,
    place, NaN where the layer is missing in a slice.
    """

    winding: Floats
    along_um: Floats
    radius_um: Floats


def check_layers(layers: Any, *, doing: str) -> xr.Dataset:
    """Refuse what was not made by :func:`corrtomo.segment.layers`; return it with a dim z."""
    if not isinstance(layers, xr.Dataset):
        raise TypeError(
            f"Cannot {doing} with a {type(layers).__name__}: traced layers are needed. Make them with "
            "ct.segment.layers(image)."
        )
    missing = [name for name in PLACES if name not in layers] + [a for a in _ATTRS if a not in layers.attrs]
    dims = () if missing else layers["radius_um"].dims
    if missing or dims not in (DIMS, ("z", *DIMS)):
        raise ValueError(
            f"Cannot {doing}: the Dataset lacks {', '.join(missing) or f'dims {DIMS}'}. Take it as "
            "ct.segment.layers(image) gives it, and choose slices alone, such as layers.isel(z=slice(5))."
        )
    wrong = {name: layers.attrs[name] for name in _ATTRS if not _possible(name, layers.attrs[name])}
    if wrong or not layers["radius_um"].size:
        raise ValueError(
            f"Cannot {doing}: the Dataset has sizes {dict(layers.sizes)}"
            f"{''.join(f', {name} {value!r}' for name, value in wrong.items())}. Places, a sense of 1 or "
            "-1 and finite lengths are needed. Take it as ct.segment.layers(image) gives it."
        )
    check_turns(layers, doing=doing)
    return layers if "z" in layers["radius_um"].dims else layers.expand_dims("z")


def _possible(name: str, value: Any) -> bool:
    """Tell whether a number of the whole winding can be."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real) or not is_finite(value):
        return False
    return value in (1, -1) if name == "sense" else name.startswith("centre") or float(value) > 0


def check_belongs(image: Any, layers: xr.Dataset, *, doing: str) -> None:
    """Refuse an image that is not the one whose layers were traced, or not on its slices."""
    check_image(image, ndim=(2, 3))
    check_spatial(image, doing=doing)
    slices = image.sizes["z"] if image.ndim == 3 else 1
    pixel = layers.attrs["voxel_size_um"]
    same = slices == layers.sizes["z"] and all(abs(v - pixel) < 1e-3 * pixel for v in voxel_size(image)[-2:])
    if same and "z" in image.coords and "z" in layers.coords:  # one slice may know its height, too
        apart = np.abs(np.atleast_1d(image["z"].values) - layers["z"].values).max()
        same = bool(apart < 1e-3 * (voxel_size(image)[0] if image.ndim == 3 else pixel))
    y, x = origin(image)[-2:]
    height, width = image.sizes["y"] * pixel, image.sizes["x"] * pixel
    inside = y < layers.attrs["centre_y_um"] < y + height and x < layers.attrs["centre_x_um"] < x + width
    if not (same and inside):
        raise ValueError(
            f"Cannot {doing}: the image has {slices} slices of {voxel_size(image)[-1]:g} µm pixels, the "
            f"layers {layers.sizes['z']} slices of {pixel:g} µm pixels, or they are elsewhere. Pass the "
            "image that was traced."
        )


def check_layer(layers: xr.Dataset, layer: Any, *, doing: str) -> int:
    """Refuse what is no number of a layer."""
    count = layers.sizes["layer"]
    whole = isinstance(layer, int | np.integer) and not isinstance(layer, bool)
    if not whole or not 0 <= layer < count:
        raise ValueError(
            f"Cannot {doing} of layer {layer!r}: the layers are numbered from 0 to {count - 1}. Pass one of "
            "layers.layer."
        )
    return int(layer)


def course_of(layers: xr.Dataset, layer: int, step_um: float, smooth_um: float, *, doing: str) -> Course:
    """Return the smooth course of a layer at even steps along it.

    The median over `smooth_um` forgets what is short: an outgrowth that bends the traced path.
    """
    radius = layers["radius_um"].isel(layer=layer).to_numpy().astype(float)
    count = radius.shape[-1]
    radius = radius.reshape(len(radius), -1)
    known = np.isfinite(radius)
    if known.sum() < 16:
        raise ValueError(
            f"Cannot {doing} of layer {layer}: it is known at {int(known.sum())} places. Take another layer, "
            "one of layers.layer."
        )
    places = np.flatnonzero(known.any(axis=0))
    span = slice(int(places[0]), int(places[-1]) + 1)
    radius, known = radius[:, span], known[:, span]
    winding = (np.arange(span.start, span.stop) + 0.5) * (2 * np.pi / count)
    near = np.cumsum(known, axis=1)
    index = np.arange(radius.shape[1])
    for row, there in zip(radius, known, strict=True):
        if there.any():
            row[:] = np.interp(index, index[there], row[there])
    # Ends and long breaks of one slice are not the layer's: they have no radius.
    gap = count // 16
    there = near[:, np.minimum(index + gap, index[-1])] > near[:, np.maximum(index - gap, 0)]
    arc = float(np.nanmedian(radius)) * 2 * np.pi / count
    window = max(3, 2 * round(smooth_um / arc / 2) + 1)
    for k, row in enumerate(radius):
        if known[k].any():
            row[:] = ndimage.median_filter(row, window, mode="nearest")
            row[:] = ndimage.gaussian_filter1d(row, window / 6, mode="nearest")
    radius[~there] = np.nan
    used = there & known.any(axis=1)[:, None]
    share = used.sum(axis=0)
    mean = np.where(used, radius, 0.0).sum(axis=0) / np.maximum(share, 1)
    mean = np.interp(index, index[share > 0], mean[share > 0])
    length = np.concatenate([[0], np.cumsum(np.hypot(np.diff(mean), (mean[1:] + mean[:-1]) * np.pi / count))])
    along = np.arange(0.0, length[-1], step_um)
    at = np.interp(along, length, index)
    radii = np.stack([np.interp(at, index, row) for row in radius])
    return Course(np.interp(along, length, winding), along, radii)
