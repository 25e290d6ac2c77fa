"""Projections and their angles: what they must be before anything is reconstructed from them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from tqdm.auto import tqdm

from ..checks import check_length
from ..volume import PROJECTIONS, check_image, spacing

Floats = npt.NDArray[np.float64]
_HOW = 'Make them with ct.volume(array, pixel_um, dims=("angle", "z", "x")).'
_LIKE = "np.arange(1200) * 0.3"
_MOST_DEG = 36_000.0
"""A hundred turns: what lies beyond is no angle."""
_TOGETHER = 1 << 22
"""Pixels that are read at a time."""


def check_projections(image: Any, *, doing: str) -> tuple[float, float]:
    """Refuse what are no projections with dims angle, z, x; return their pixel edges along z and x in µm.

    Grey values are not looked at, so that lazy ones are not computed: ``checks.check_finite`` does that.
    """
    if not isinstance(image, xr.DataArray):
        raise TypeError(
            f"Cannot {doing}: projections are of type {type(image).__name__}, but an xarray.DataArray with "
            f"dims angle, z, x is needed. {_HOW}"
        )
    if image.dims != PROJECTIONS:
        raise ValueError(
            f"Cannot {doing}: projections have dims {image.dims}, but {', '.join(PROJECTIONS)} are needed, "
            f"in this order. Bring them into it with image.transpose(...). {_HOW}"
        )
    if image.size == 0:
        raise ValueError(
            f"Cannot {doing}: projections of shape {image.shape} hold no pixel. Check the crop that made "
            "them, for instance image.sel(z=slice(0, 2)) in µm."
        )
    if image.dtype.kind not in "iuf":
        raise TypeError(
            f"Cannot {doing}: projections are of dtype {image.dtype}, but real numbers are needed. {_HOW}"
        )
    check_image(image[0])  # one projection is an image: z and x are positions in µm
    return spacing(image, "z"), spacing(image, "x")


def check_angles(angles_deg: Any, count: int, *, doing: str) -> Floats:
    """Refuse angles that are not one number in degrees for each of `count` projections; return them.

    Examples
    --------
    >>> check_angles([0, 90], 2, doing="reconstruct")
    array([ 0., 90.])
    """
    found = _as_numbers(angles_deg)
    if found is None:
        raise TypeError(
            f"Cannot {doing} with angles_deg of type {type(angles_deg).__name__}: one number in degrees for "
            f"each of {count} projections is needed. Pass for instance {_LIKE}."
        )
    if found.shape != (count,):
        given = f"{len(found)} angles" if found.ndim == 1 else f"angles of shape {found.shape}"
        raise ValueError(
            f"Cannot {doing}: {given} for {count} projections. One angle for each is needed, in their order. "
            "Leave out the angles of the projections that were left out."
        )
    if count < 2:
        raise ValueError(f"Cannot {doing}: {count} projection shows no depth. Two or more are needed.")
    bad = np.flatnonzero(~(np.abs(found) <= _MOST_DEG))
    if len(bad):
        raise ValueError(
            f"Cannot {doing}: angle {bad[0]} is {found[bad[0]]:g}, and {len(bad)} of {count} are NaN, "
            f"infinite or beyond {_MOST_DEG:g}. Finite numbers in degrees are needed. Pass {_LIKE}."
        )
    if np.ptp(found) == 0:
        raise ValueError(
            f"Cannot {doing}: all {count} angles are {found[0]:g} degrees. Projections of a sample that "
            f"turns are needed. Pass the angle of each, for instance {_LIKE}."
        )
    return found


def angle_count(angles_deg: Any, *, doing: str) -> int:
    """Return how many angles there are; refuse what are no numbers.

    Examples
    --------
    >>> angle_count([0, 90], doing="project")
    2
    """
    found = _as_numbers(angles_deg)
    if found is None:
        raise TypeError(
            f"Cannot {doing} with angles_deg of type {type(angles_deg).__name__}: one number in degrees for "
            f"each projection is needed. Pass for instance {_LIKE}."
        )
    if found.size == 0:
        raise ValueError(
            f"Cannot {doing} with no angles: one number in degrees for each projection is needed, and two or "
            f"more. Pass for instance {_LIKE}."
        )
    return found.size


def check_flag(value: Any, what: str, *, doing: str, usual: bool) -> None:
    """Refuse what is neither True nor False."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(
            f"Cannot {doing} with {what}={value!r}: True or False is needed. Leave it out for {usual}."
        )


def check_source(source_um: Any, projections: xr.DataArray, *, doing: str) -> float | None:
    """Refuse a source that stands within the view of the projections; return its distance from the axis.

    None, for a parallel beam, is returned as it is.
    """
    if source_um is None:
        return None
    check_length(source_um, "source_um", doing=doing)
    half = projections.sizes["x"] * spacing(projections, "x") / 2
    if float(source_um) <= half:
        raise ValueError(
            f"Cannot {doing} with source_um={source_um!r}: projections are {2 * half:.4g} µm wide, and a "
            f"source within {half:.4g} µm of the axis would lie in the sample. Give the distance from the "
            "source to the axis of rotation in µm, or leave it out for a parallel beam."
        )
    return float(source_um)


def frames(
    projections: xr.DataArray, *, doing: str, progress: bool
) -> Iterator[tuple[int, npt.NDArray[Any]]]:
    """Yield the number of a first projection, and some projections from it on; refuse NaN in them.

    A Dask image is computed a chunk at a time, each once.
    """
    count, size = len(projections), max(1, projections[0].size)
    step = max(1, _TOGETHER // size)
    lengths = [min(step, count - k) for k in range(0, count, step)]
    if projections.chunks is not None:
        lengths = list(projections.chunks[0])
    bar = tqdm(total=count, desc=doing, unit="projection", delay=1, leave=False, disable=not progress)
    start = 0
    with bar:
        for length in lengths:
            some = np.asarray(projections.data[start : start + length])
            check_values(some, start, doing=doing)
            yield start, some
            start += length
            bar.update(length)


def check_values(some: npt.NDArray[Any], start: int, *, doing: str) -> None:
    """Refuse NaN and infinity in some projections, from number `start` on."""
    if some.dtype.kind != "f":
        return
    bad = np.flatnonzero(~np.isfinite(some).all(axis=(1, 2)))
    if len(bad):
        raise ValueError(
            f"Cannot {doing}: projection {start + bad[0]} holds NaN or infinite values. Only finite ones are "
            f"allowed. Leave it out with projections.drop_isel(angle={start + bad[0]}), and its angle as "
            "well."
        )


def _as_numbers(values: Any) -> Floats | None:
    """Return real numbers as an array, or None for what are none."""
    try:
        array = np.asarray(values)
    except ValueError:  # parts of different lengths
        return None
    if array.dtype.kind not in "iuf" or array.ndim == 0:
        return None
    return np.array(array, np.float64)
