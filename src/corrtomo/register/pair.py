"""Both images of an alignment: checked, cropped to what can meet, and averaged near one voxel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal, get_args

import numpy as np
import xarray as xr

from ..checks import check_length, check_spatial
from ..volume import SPATIAL, check_image, voxel_size
from .alignment import AlignmentError
from .averaging import block_means, near_voxel
from .frames import Floats, extent, middle, named
from .information import Kind

Start = Literal["centres", "coordinates"]
_MOST_VOXELS = 4_000_000
LEAST_VOXELS = 8


@dataclass(frozen=True)
class Pair:
    """Both images near one voxel, and the point of each frame that is looked for at the other."""

    moving: xr.DataArray
    fixed: xr.DataArray
    centre: Floats
    target: Floats


def check_pair(
    moving: Any, fixed: Any, transform: str, start: str, min_overlap: Any, max_turn_deg: Any, seed: Any
) -> None:
    """Refuse what cannot be aligned: images of the wrong kind, and options out of range."""
    for image, name in ((moving, "moving"), (fixed, "fixed")):
        check_image(image, ndim=(2, 3))
        check_spatial(image, doing=f"align the {name} image")
        if min(image.shape) < LEAST_VOXELS:
            raise ValueError(
                f"Cannot align the {name} image of {dict(image.sizes)} voxels: {LEAST_VOXELS} or more are "
                "needed along each axis. Align single slices in 2D, with image.isel(z=...)."
            )
    if moving.dims not in (SPATIAL, SPATIAL[1:]):
        raise ValueError(
            f"Cannot align images with dims {moving.dims}: dims z, y, x or y, x are needed. Name the axes of "
            "a section y and x, for instance with image.rename(z='y')."
        )
    if moving.dims != fixed.dims:
        raise ValueError(
            f"Cannot align an image with dims {moving.dims} to one with dims {fixed.dims}: they must be the "
            "same. Select a slice of the larger one first, for instance with image.isel(z=0)."
        )
    check_options(transform, start, min_overlap, max_turn_deg, seed)


def check_options(
    transform: str,
    start: str,
    min_overlap: Any,
    max_turn_deg: Any,
    seed: Any,
    kinds: Sequence[str] = get_args(Kind),
) -> None:
    """Refuse options out of range."""
    for value, name, known in ((transform, "transform", kinds), (start, "start", get_args(Start))):
        if value not in known:
            raise ValueError(
                f"Cannot align with {name} {value!r}: allowed are {', '.join(known)}. "
                f"Leave it out for {known[0]!r}."
            )
    if isinstance(min_overlap, bool) or not isinstance(min_overlap, Real) or not 0 < float(min_overlap) <= 1:
        raise ValueError(
            f"Cannot align with min_overlap {min_overlap!r}: a share above 0 and up to 1 is needed. "
            "Leave it out for 0.3."
        )
    check_length(max_turn_deg, "max_turn_deg", doing="align images")
    if float(max_turn_deg) > 180:
        raise ValueError(
            f"Cannot align with max_turn_deg {max_turn_deg!r}: degrees above 0 and up to 180 are needed. "
            "Leave it out for 12."
        )
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**31 - 1:
        raise ValueError(
            f"Cannot align with seed {seed!r}: a whole number from 0 is needed. Leave it out for 0."
        )


def prepare(
    moving: xr.DataArray, fixed: xr.DataArray, max_shift_um: float, start: str, progress: bool
) -> Pair:
    """Crop what no pose reaches, and average both images near the coarser voxel; refuse bad greys."""
    centre = middle(moving)
    target = middle(fixed) if start == "centres" else centre
    reach = float(np.linalg.norm(extent(moving))) / 2 + max_shift_um
    fixed = _crop(fixed, target - reach, target + reach)
    edge = max(float(np.prod(voxel_size(i)) ** (1 / i.ndim)) for i in (moving, fixed))
    near = [average(image, edge, progress) for image in (moving, fixed)]
    for image, name in zip(near, ("moving", "fixed"), strict=True):
        check_grey(image, name)
    return Pair(near[0], near[1], centre, target)


def _crop(image: xr.DataArray, low: Floats, high: Floats) -> xr.DataArray:
    """Leave out what no allowed pose reaches; refuse if nothing is left."""
    part = image.sel({d: slice(a, b) for d, a, b in zip(image.dims, low, high, strict=True)})
    if min(part.shape) < LEAST_VOXELS:
        raise AlignmentError(
            f"Cannot align the images: they do not overlap. The moving image may lie between "
            f"{named(low)} and {named(high)} µm, and the fixed image has {dict(part.sizes)} voxels there. "
            "Look where the centres coincide with start='centres', or enlarge max_shift_um."
        )
    return part


def average(image: xr.DataArray, edge: float, progress: bool) -> xr.DataArray:
    """Average an image in blocks near `edge`, farther where it would have too many voxels."""
    least = (float(np.prod(extent(image))) / _MOST_VOXELS) ** (1 / image.ndim)
    counts = near_voxel(image, max(edge, least))
    counts = [max(1, min(k, n // LEAST_VOXELS)) for k, n in zip(counts, image.shape, strict=True)]
    return block_means(image, counts, progress=progress)


def check_grey(image: xr.DataArray, name: str) -> None:
    """Refuse grey values that are not finite, or all the same."""
    bad = int((~np.isfinite(image.data)).sum())
    if bad:
        raise ValueError(
            f"Cannot align: NaN or infinite grey values in the {name} image, in {bad} of the {image.size} "
            "blocks it was averaged to. Only finite grey values are allowed. Crop them away or fill them "
            "first, for instance with image.fillna(0)."
        )
    if float(image.max()) == float(image.min()):
        raise ValueError(
            f"Cannot align: the {name} image is constant ({float(image.max()):g}). Grey values that differ "
            "are needed. Check the file, or the crop that made it."
        )
