"""Stripes that pixels leave in all projections, which become rings around the axis."""

from __future__ import annotations

import warnings
from itertools import pairwise
from typing import Any

import dask.array as da
import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy import ndimage

from ..checks import check_length
from .geometry import check_integrals
from .projections import Floats, check_projections, frames

_DOING = "remove rings"
_WIDTH = 5.0
"""Pixels that a stripe may be wide by default."""
_WIDEST = 101
"""Pixels of a window along x at most."""
_ROWS = 5
"""Rows of a window: a pixel errs alone, the sample goes on above and below."""
_SMOOTHING = 2.0
"""Pixels over which the brightness of the sample is smoothed: a median alone follows a slope, stripes and "
"all."""
_ROUNDS = 3
_LEAST = 8
"""Projections of a part at least: of fewer, the mean still shows the sample."""


def remove_rings(
    projections: xr.DataArray, *, width_um: float | None = None, parts: int = 1, progress: bool = True
) -> xr.DataArray:
    """Take out of projections what each pixel adds to all of them: in a reconstruction it is a ring.

    A pixel whose gain is not that of the flat by 1 % adds 0.01 to each of its line integrals. It stands still
    while the sample turns, so that it is a stripe in the sinogram, and a ring around the axis.

    Parameters
    ----------
    projections : xarray.DataArray
        Line integrals, dims angle, z, x, for instance from :func:`attenuation`. NumPy or Dask.
    width_um : float, optional
        Width up to which a stripe is removed, in µm; 5 pixels by default, and 50 at most.
    parts : int
        Into how many parts, one after the other, the scan is divided, each with stripes of its own: for
        pixels that change on the way. Each needs 8 projections or more, better half a turn.
    progress : bool
        Show a bar where it takes longer than a second.

    Returns
    -------
    xarray.DataArray
        Line integrals, ``float32``, same grid; lazy if the projections are. ``attrs["stripes_rms"]`` is the
        root mean square of what was taken out.

    Raises
    ------
    TypeError
        If the projections are a plain array, or counts, the width is no number, or `parts` no whole number.
    ValueError
        If dims differ, values are NaN, the width is above 50 pixels, or a part has less than 8 projections.

    Warns
    -----
    UserWarning
        If twice the width is more than half of the view.

    Notes
    -----
    The sample blurs in the mean of all projections, stripes do not. What is smooth in that mean, found as a
    running median over 5 rows and twice the width, smoothed, and three times over so that slopes are
    followed, is the sample; the rest is taken away. Structure of the sample that is narrow, and round about
    the axis, fades with the rings: nothing in the projections tells them apart. That is little outside the
    innermost few pixels.

    On made-up pillars 440 pixels wide, with errors of 0.5 to 3 %, one to five pixels wide, some 40 % of them
    are left, and the power of rings falls to a third; sorting (Vo et al. 2018) leaves a half of it and more,
    and does more harm where there is none: ``benchmarks/projection_repairs.py``. Where particles are but 10
    pixels wide, more of both is left. So is more of errors of whole detector columns than of single pixels,
    and within 2 rows of a top that is flat and sharp the sample is changed. A pixel that does not respond at
    all is for :func:`attenuation` to fill. At the border the window repeats the outermost pixels.

    References
    ----------
    Vo et al., Opt. Express 26, 28396 (2018), doi:10.1364/OE.26.028396: what it is compared with.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> grey = np.ones((90, 4, 40))
    >>> grey[:, 2, 17] += 0.02
    >>> striped = ct.volume(grey, 0.05, dims=("angle", "z", "x"))
    >>> bool(abs(ct.reconstruct.remove_rings(striped) - 1).max() < 1e-6)
    True
    """
    _, pixel = check_projections(projections, doing=_DOING)
    check_integrals(projections, doing=_DOING)
    window = _window(width_um, pixel)
    _warn_of_width(width_um, window, projections.sizes["x"])
    ends = _ends(parts, len(projections))
    stripes = [stripe - _smooth(stripe, window) for stripe in _means(projections, ends, progress)]
    share = np.diff(ends) / len(projections)
    rms = np.sqrt(sum(s * float(np.mean(stripe**2)) for s, stripe in zip(share, stripes, strict=True)))
    return projections.copy(data=_subtract(projections.data, stripes, ends)).assign_attrs(
        stripes_rms=float(rms)
    )


def _window(width_um: Any, pixel: float) -> int:
    """Return how many pixels the median spans: more than twice a stripe, so that it never follows one."""
    if width_um is None:
        width_um = _WIDTH * pixel
    check_length(width_um, "width_um", doing=_DOING)
    half = np.ceil(width_um / pixel - 1e-6)
    if 2 * half + 1 > _WIDEST:
        raise ValueError(
            f"Cannot {_DOING} with width_um {width_um!r} µm: that is {half:.4g} pixels, and up to "
            f"{_WIDEST // 2} are allowed, {_WIDEST // 2 * pixel:.4g} µm. Fill wider gaps of the detector "
            "with ct.reconstruct.attenuation(..., repair=True)."
        )
    return int(2 * half + 1)


def _warn_of_width(width_um: Any, window: int, columns: int) -> None:
    """Warn of a width that was asked for, and takes the sample for stripes."""
    if width_um is not None and 2 * window > columns:
        warnings.warn(
            f"Stripes of up to width_um={width_um:g} are looked for in a window of {window} columns, and the "
            f"projections have {columns}. Structure of the sample that is as wide is taken out as well. Pass "
            "the width of the widest stripe, or leave it out for 5 pixels.",
            stacklevel=3,
        )


def _ends(parts: Any, count: int) -> npt.NDArray[np.int64]:
    """Return where each part of the scan starts, and the last ends."""
    if isinstance(parts, bool | np.bool_) or not isinstance(parts, int | np.integer):
        raise TypeError(
            f"Cannot {_DOING} with parts={parts!r}: a whole number is needed. Pass for instance 1."
        )
    if not 1 <= parts <= count // _LEAST:
        raise ValueError(
            f"Cannot {_DOING} with parts={parts!r}: each needs {_LEAST} projections or more, for the sample "
            f"to blur in their mean, and there are {count}. Up to {count // _LEAST} parts are allowed. Pass "
            "all projections at once."
        )
    return np.linspace(0, count, int(parts) + 1).round().astype(np.int64)


def _means(projections: xr.DataArray, ends: npt.NDArray[np.int64], progress: bool) -> list[Floats]:
    """Return the mean projection of each part, in one pass."""
    means = np.zeros((len(ends) - 1, *projections.shape[1:]))
    for start, some in frames(projections, doing=_DOING, progress=progress):
        for part, (first, last) in enumerate(pairwise(ends.tolist())):
            inside = some[max(first - start, 0) : max(last - start, 0)]
            means[part] += inside.sum(axis=0, dtype=np.float64)
    return list(means / np.diff(ends)[:, None, None])


def _smooth(mean: Floats, window: int) -> Floats:
    """Return what the sample is in a mean projection."""
    smooth = np.zeros_like(mean)
    for _ in range(_ROUNDS):  # what is left of a slope is found in the rounds that follow
        smooth += ndimage.gaussian_filter1d(_median(mean - smooth, window), _SMOOTHING, mode="nearest")
    return np.asarray(smooth + _median(mean - smooth, window))


def _median(image: Floats, window: int) -> Floats:
    return np.asarray(ndimage.median_filter(image, size=(_ROWS, window), mode="nearest"))


def _subtract(data: Any, stripes: list[Floats], ends: npt.NDArray[np.int64]) -> Any:
    thin = [stripe.astype(np.float32) for stripe in stripes]
    between = [slice(first, last) for first, last in pairwise(ends.tolist())]
    if isinstance(data, da.Array):
        lazy: Any = da  # its functions carry no types
        whole = data.astype(np.float32)
        return lazy.concatenate([whole[part] - one for part, one in zip(between, thin, strict=True)])
    out = np.empty(data.shape, np.float32)
    for part, one in zip(between, thin, strict=True):
        np.subtract(data[part], one, out=out[part], casting="same_kind", dtype=np.float32)
    return out
