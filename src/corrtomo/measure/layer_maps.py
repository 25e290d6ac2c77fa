"""Thickness of wound layers and gaps between them, place by place."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy.special import ndtri

from ..checks import check_turns
from .options import is_real
from .spectra import check_level

Floats = npt.NDArray[np.float64]
_NEEDED = ("radius_um", "inner_um", "outer_um", "inner_se_um", "outer_se_um")
_DIMS = ("layer", "turn", "angle")


def layer_thickness(layers: xr.Dataset, *, level: float = 0.95) -> xr.Dataset:
    """Map the thickness of wound layers, with its interval.

    The paper lists layer thickness among what microscopy gives "with a high degree of statistical certainty"
    (section "Cryo-vacuum preparation"): here each place along the winding has its own.

    Parameters
    ----------
    layers : xarray.Dataset
        From :func:`corrtomo.segment.layers`, dims (z,) layer, turn, angle.
    level : float
        Share of intervals that hold the thickness, noise alone at work.

    Returns
    -------
    xarray.Dataset
        ``thickness_um``, ``low_um``, ``high_um`` with the dims of `layers`, across the layer, in µm. NaN
        where an edge is missing.

    Raises
    ------
    TypeError
        If this is no Dataset.
    ValueError
        If it is not of traced layers, or `level` is not between 0 and 1.

    Notes
    -----
    Edges are measured along the radius; times the cosine of the angle between layer and circle this is the
    thickness across. The interval is that of a place: neighbours share noise over the length that was
    averaged, ``averaged_um``. It knows nothing of blur, which widens a layer that is thin or whose edges are
    at half of a wrong height, nor of the voxel size.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> y, x = np.mgrid[-60:61, -60:61] * 1.0
    >>> radius, turn = np.hypot(y, x), np.arctan2(y, x) / (2 * np.pi)
    >>> wave = np.cos(2 * np.pi * (radius / 8 - turn)) * ((radius > 16) & (radius < 52))
    >>> found = ct.segment.layers(ct.volume(wave, 20.0))
    >>> round(float(ct.measure.layer_thickness(found).thickness_um.median()), -1)
    80.0
    """
    doing = "measure the thickness of layers"
    _check(layers, doing)
    upright = _cosine(layers)
    wide = (layers["outer_um"] - layers["inner_um"]) * upright
    error = np.hypot(layers["outer_se_um"], layers["inner_se_um"]) * upright
    return _mapped(wide, error, level, "thickness_um", doing)


def layer_gaps(
    layers: xr.Dataset, *, between: tuple[int, int] | None = None, level: float = 0.95
) -> xr.Dataset:
    """Map the gap from one wound layer to the next outside of it, with its interval.

    Parameters
    ----------
    layers : xarray.Dataset
        From :func:`corrtomo.segment.layers`, dims (z,) layer, turn, angle.
    between : tuple of int, optional
        Numbers of two layers: from the outer edge of the first to the inner edge of the nearest second
        outside of it. By default each layer and its own next turn.
    level : float
        Share of intervals that hold the gap, noise alone at work.

    Returns
    -------
    xarray.Dataset
        ``gap_um``, ``low_um``, ``high_um`` with dims (z,) layer, turn, angle, in µm, at the place of the
        inner layer; with `between`, without layer. NaN where there is none outside, or an edge is missing.

    Raises
    ------
    TypeError
        If this is no Dataset.
    ValueError
        If it is not of traced layers, a layer is unknown, or `level` is not between 0 and 1.

    Notes
    -----
    As in :func:`layer_thickness`: across the layer, noise alone. A gap below 0 says that two edges overlap:
    the layers touch, and half of the contrast is not their border.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> y, x = np.mgrid[-60:61, -60:61] * 1.0
    >>> radius, turn = np.hypot(y, x), np.arctan2(y, x) / (2 * np.pi)
    >>> wave = np.cos(2 * np.pi * (radius / 8 - turn)) * ((radius > 16) & (radius < 52))
    >>> found = ct.segment.layers(ct.volume(wave, 20.0))
    >>> round(float(ct.measure.layer_gaps(found).gap_um.median()), -1)
    80.0
    """
    doing = "measure gaps between layers"
    _check(layers, doing)
    upright = _cosine(layers)
    if between is None:
        gap, error = _gap(layers, layers.shift(turn=-1))
        return _mapped(gap * upright, error * upright, level, "gap_um", doing)
    first, second = _pair(layers, between, doing)
    within, outside = layers.isel(layer=first, drop=True), layers.isel(layer=second, drop=True)
    nearest: Any = None
    for turn in (1, 0, -1, -2):
        shifted = outside.shift(turn=turn)
        gap, error = _gap(within, shifted)
        gap = gap.where(shifted["radius_um"] > within["radius_um"])
        if nearest is None:
            nearest = gap, error
        else:
            closer = gap.notnull() & (nearest[0].isnull() | (gap < nearest[0]))
            nearest = gap.where(closer, nearest[0]), error.where(closer, nearest[1])
    cosine = upright.isel(layer=first, drop=True)
    return _mapped(nearest[0] * cosine, nearest[1] * cosine, level, "gap_um", doing)


def _check(layers: Any, doing: str) -> None:
    if not isinstance(layers, xr.Dataset):
        raise TypeError(
            f"Cannot {doing} of a {type(layers).__name__}: a Dataset of traced layers is needed. Make it "
            "with ct.segment.layers(image)."
        )
    missing = [name for name in _NEEDED if name not in layers]
    dims = () if missing else layers["radius_um"].dims
    if missing or dims not in (_DIMS, ("z", *_DIMS)) or layers.sizes["angle"] < 8:
        raise ValueError(
            f"Cannot {doing}: the Dataset lacks {', '.join(missing) or f'dims {_DIMS} of full turns'}. Take "
            "it as ct.segment.layers(image) gives it."
        )
    pitch = layers.attrs.get("pitch_um", 0.0)
    numbers = all(layers[name].dtype.kind == "f" for name in _NEEDED)
    if not layers["radius_um"].size or not numbers or not (is_real(pitch) and 0 <= pitch < np.inf):
        raise ValueError(
            f"Cannot {doing}: the Dataset has sizes {dict(layers.sizes)}, a pitch of {pitch!r} µm and values "
            f"of {layers['radius_um'].dtype}. Some places, numbers, and a pitch are needed. Take it as "
            "ct.segment.layers(image) gives it, and choose slices, layers or turns that it has."
        )
    check_turns(layers, doing=doing)
    crossed = int((layers["outer_um"] < layers["inner_um"]).sum())
    if crossed:
        raise ValueError(
            f"Cannot {doing}: at {crossed} places the outer edge is nearer to the centre than the inner one. "
            "Take inner_um and outer_um as ct.segment.layers(image) gives them."
        )


def _pair(layers: xr.Dataset, between: Any, doing: str) -> tuple[int, int]:
    count = layers.sizes["layer"]
    whole = isinstance(between, tuple | list) and len(between) == 2
    if not whole or any(
        isinstance(n, bool) or not isinstance(n, int | np.integer) or not 0 <= n < count for n in between
    ):
        raise ValueError(
            f"Cannot {doing} between {between!r}: two numbers of layers, from 0 to {count - 1}, are needed. "
            "Pass for instance between=(0, 0)."
        )
    return int(between[0]), int(between[1])


def _gap(within: xr.Dataset, outside: xr.Dataset) -> tuple[Any, Any]:
    gap = outside["inner_um"] - within["outer_um"]
    return gap, np.hypot(outside["inner_se_um"], within["outer_se_um"])


def _cosine(layers: xr.Dataset) -> xr.DataArray:
    """Return the cosine of the angle between layer and circle, from radii half a pitch apart or more."""
    radius = layers["radius_um"]
    values = radius.to_numpy().astype(float)
    flat = values.reshape(*values.shape[:-2], -1)
    count = values.shape[-1]
    typical = float(np.nanmedian(flat)) if np.isfinite(flat).any() else 1.0
    pitch = float(layers.attrs.get("pitch_um", 0.0))
    lag = int(np.clip(np.ceil(pitch / 2 / (typical * 2 * np.pi / count)), 1, count // 8))
    rise = np.full_like(flat, np.nan)
    rise[..., lag:-lag] = (flat[..., 2 * lag :] - flat[..., : -2 * lag]) / (2 * lag * 2 * np.pi / count)
    # Beside a break the slope is that of a spiral.
    slope = np.where(np.isfinite(rise), rise, pitch / (2 * np.pi)) / flat
    return radius.copy(data=(1 / np.hypot(1.0, slope)).reshape(values.shape))


def _mapped(values: Any, error: Any, level: float, name: str, doing: str) -> xr.Dataset:
    check_level(level, doing=doing)
    wide = float(ndtri((1 + float(level)) / 2))
    out = xr.Dataset({name: values, "low_um": values - wide * error, "high_um": values + wide * error})
    for one in out.data_vars:
        out[one].attrs = {"units": "µm"}
    out.attrs = {"level": float(level)}
    return out
