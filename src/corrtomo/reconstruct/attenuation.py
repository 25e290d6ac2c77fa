"""From counts to line integrals: what was lost on the way from the source, per ray."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy import ndimage

from ..checks import check_finite, check_same_grid
from ..volume import PROJECTIONS
from .count_checks import Tally, check_beam, warn_of_counts
from .projections import Floats, check_flag, check_projections, frames

_DOING = "compute attenuation"
_LEAST = 0.5
"""Counts that stand for none: the middle between none and one."""
_FAR, _NOISE = 0.5, 8.0
"""A pixel is far from its neighbours if it differs by more than this share of them, and by this many times
the noise of counts."""
_AROUND = 11
"""Pixels along z and x whose median a pixel is held against."""
_WIDEST = 16
"""Pixels side by side that may be filled: the gap between two chips of a detector, not a lost one."""
_SHINES = 2.0
"""Mean counts behind a sample, as a multiple of those without it, beyond which a pixel is hot."""


def attenuation(
    counts: xr.DataArray,
    flat: xr.DataArray,
    dark: xr.DataArray | None = None,
    *,
    repair: bool = False,
    progress: bool = True,
) -> xr.DataArray:
    """Turn counts into line integrals of attenuation: what a reconstruction starts from.

    A ray that loses nothing arrives with the counts of the flat, the beam without a sample. The logarithm of
    their ratio adds up along the ray what the nanoCT and SIMS paper reconstructs (Materials and Methods,
    nanoCT). The gain of each pixel and the profile of the beam cancel.

    Parameters
    ----------
    counts : xarray.DataArray
        What the detector recorded, dims angle, z, x, at 0 or above. NumPy or Dask, read a few at a time.
    flat : xarray.DataArray
        The same without a sample, dims z, x, or angle, z, x for several, which are averaged.
    dark : xarray.DataArray, optional
        The same without X-rays. Leave it out for a detector that counts photons, whose dark is 0.
    repair : bool
        Fill dead and hot pixels from the nearest live ones on both sides along x, instead of refusing them.
    progress : bool
        Show a bar where it takes longer than a second.

    Returns
    -------
    xarray.DataArray
        Line integrals without unit, ``float32``, dims angle, z, x, in memory. ``attrs["starved_pixels"]``
        says how many pixels of single projections held no count, and ``attrs["repaired_pixels"]`` which
        pixels were filled, as [row, column] from 0.

    Raises
    ------
    TypeError
        If counts, flat or dark are plain arrays, the flat is missing, or `repair` is neither True nor False.
    ValueError
        If dims or grids differ, values are NaN or negative, counts or the flat are shares and no counts, a
        projection was recorded without a beam, or pixels are dead or hot and `repair` is off, or too many to
        fill.

    Warns
    -----
    UserWarning
        If counts are saturated, more than a tenth are 0, or the border shows no air, as with a flat of
        another exposure.

    Notes
    -----
    Where noise makes more counts than the flat has, in air, the result is negative, and is kept: clipped, air
    would be too dense. A pixel with no count in one projection would be infinitely dense: half a count is put
    there, which is too little attenuation where a sample is opaque. Watch ``starved_pixels``: more than a few
    in a thousand show in the reconstruction, as streaks.

    Dead is a pixel with no count in the flat, or in no projection, or the same in all while those around it
    change; hot is one whose flat or dark is far from the median of its surroundings, or that counts more than
    twice as much with a sample as without. Single flashes (cosmic rays) are neither, and stay. The source is
    taken to be as bright as in the flat, and the dark to be in the counts: where it is not, nothing shows it
    until counts fall below it.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> dims = ("angle", "z", "x")
    >>> counts = ct.volume(np.array([[[800, 400, 200]]]), 0.05, dims=dims)
    >>> flat = ct.volume(np.full((1, 1, 3), 800), 0.05, dims=dims)
    >>> ct.reconstruct.attenuation(counts, flat).values.astype(float).round(3).tolist()
    [[[0.0, 0.693, 1.386]]]
    """
    check_projections(counts, doing=_DOING)
    if flat is None:
        raise TypeError(
            f"Cannot {_DOING} without a flat: how bright the beam is in each pixel is not known. Pass frames "
            "that were recorded without the sample, dims z, x or angle, z, x. Projections that are divided "
            "by one already need none: take -np.log(projections)."
        )
    check_flag(repair, "repair", doing=_DOING, usual=False)
    offset = np.zeros(counts.shape[1:]) if dark is None else _frame(dark, counts, "dark")
    bright = _frame(flat, counts, "flat") - offset
    if float(np.median(bright)) <= 1.0:
        raise ValueError(
            f"Cannot {_DOING}: the flat, less the dark, has a median of {np.median(bright):.4g}, but counts "
            "are needed, far more than 1 a pixel. If projections are divided by a flat already, take "
            "-np.log(projections); if flat and dark are swapped, swap them."
        )
    dead = (bright <= 0) | _stands_out(bright) | _stands_out(offset)
    if not repair:
        _refuse(dead)
    bright[dead] = 1.0  # filled later, and no warning before
    out, tally = _integrate(counts, bright, offset, progress)
    check_beam(tally, bright, doing=_DOING)
    behind = tally.total / len(counts)
    dead |= (behind <= 0) | (behind > _SHINES * bright) | tally.stuck()
    if repair:
        _fill(out, dead)
    else:
        _refuse(dead)
    warn_of_counts(tally, out, dead)
    return xr.DataArray(out, coords=counts.coords, dims=counts.dims, attrs=counts.attrs).assign_attrs(
        starved_pixels=int(tally.starved[~dead].sum()), repaired_pixels=np.argwhere(dead).tolist()
    )


def _frame(image: Any, counts: xr.DataArray, what: str) -> Floats:
    """Return the mean of flats or darks; refuse what is not on the grid of the projections."""
    if not isinstance(image, xr.DataArray):
        raise TypeError(
            f"Cannot {_DOING}: the {what} is of type {type(image).__name__}, but an xarray.DataArray with "
            "dims z, x or angle, z, x is needed, on the grid of the projections. Make it with "
            f'ct.volume({what}, pixel_um, dims=("angle", "z", "x")).'
        )
    several = image.expand_dims("angle") if image.dims == PROJECTIONS[1:] else image
    check_projections(several, doing=f"use the {what}")
    if several.shape[1:] != counts.shape[1:]:
        raise ValueError(
            f"Cannot {_DOING}: the {what} has {several.shape[1:]} rows and columns, the projections "
            f"{counts.shape[1:]}. One pixel for each is needed. Crop both alike, for instance with "
            "image.isel(x=slice(20, 420))."
        )
    check_same_grid(several[0], counts[0], doing=f"divide by the {what}")
    check_finite(several, doing=f"use the {what}")
    return np.asarray(several.mean("angle", dtype=np.float64).values)


def _stands_out(frame: Floats) -> npt.NDArray[np.bool_]:
    """Mark pixels far from their neighbours."""
    usual = ndimage.median_filter(frame, size=_AROUND, mode="nearest")
    far = np.maximum(_FAR * np.abs(usual), _NOISE * np.sqrt(np.maximum(usual, 1.0)))
    return np.asarray(np.abs(frame - usual) > far)


def _integrate(
    counts: xr.DataArray, bright: Floats, offset: Floats, progress: bool
) -> tuple[npt.NDArray[np.float32], Tally]:
    """Return line integrals, and what the counts were."""
    out, tally = np.empty(counts.shape, np.float32), Tally.of(bright.shape)
    scale, zero = bright.astype(np.float32), offset.astype(np.float32)
    for start, some in frames(counts, doing=_DOING, progress=progress):
        if some.min() < 0:
            raise ValueError(
                f"Cannot {_DOING}: projections from {start} on hold values down to {some.min():.4g}, but "
                "counts are 0 or above. Pass what the detector recorded, and the dark as dark=."
            )
        part = np.subtract(some, zero, out=out[start : start + len(some)], dtype=np.float32)
        low = part < _LEAST
        tally.add(some, part, low)
        part[low] = _LEAST
        np.divide(scale, part, out=part)
        np.log(part, out=part)
    return out, tally


def _refuse(dead: npt.NDArray[np.bool_]) -> None:
    """Refuse dead pixels: say how many and where."""
    count = int(dead.sum())
    if not count:
        return
    columns = np.flatnonzero(dead.all(axis=0)) if len(dead) > 1 else np.empty(0, int)
    single = dead.copy()
    single[:, columns] = False
    places = [f"column {column}" for column in columns[:5]]
    places += [f"row {row} column {column}" for row, column in np.argwhere(single)[:5].tolist()]
    left = len(columns) + int(single.sum()) - len(places)
    raise ValueError(
        f"Cannot {_DOING}: {count} of {dead.size} pixels are dead or hot: {', '.join(places)}"
        + (f", and {left} more" if left else "")
        + ". Every pixel must count. Fill them from their neighbours along x with repair=True, or crop them "
        "away."
    )


def _fill(out: npt.NDArray[np.float32], dead: npt.NDArray[np.bool_]) -> None:
    """Interpolate dead pixels along x, in place."""
    for row in np.flatnonzero(dead.any(axis=1)):
        live = np.flatnonzero(~dead[row])
        gap = _widest_gap(dead[row])
        if gap > _WIDEST or 2 * len(live) < dead.shape[1]:
            raise ValueError(
                f"Cannot {_DOING} with repair=True: in row {row}, {dead.shape[1] - len(live)} of "
                f"{dead.shape[1]} pixels are dead or hot, up to {gap} side by side. Half of a row must be "
                f"live, and gaps at most {_WIDEST} pixels wide, to be filled. Crop it away, for instance "
                f"with counts.drop_isel(z={row}) at a border."
            )
        for column in np.flatnonzero(dead[row]):
            after = int(np.searchsorted(live, column))
            left, right = live[max(after - 1, 0)], live[min(after, len(live) - 1)]
            share = np.float32((column - left) / (right - left) if right > left else 0.0)
            out[:, row, column] = (1 - share) * out[:, row, left] + share * out[:, row, right]


def _widest_gap(dead: npt.NDArray[np.bool_]) -> int:
    ends = np.flatnonzero(np.diff(np.concatenate([[False], dead, [False]]).astype(np.int8)))
    return int((ends[1::2] - ends[::2]).max(initial=0))
