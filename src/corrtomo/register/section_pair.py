"""A section and a volume: checked, cropped to what can meet, and averaged near the coarse pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal

import numpy as np
import xarray as xr

from ..checks import check_length, check_spatial
from ..volume import SPATIAL, check_image, voxel_size
from .alignment import AlignmentError
from .frames import Floats, extent, middle, named, turn, turn_deg
from .pair import LEAST_VOXELS, average, check_grey
from .section_alignment import as_slice
from .section_search import SectionRange, search_pixel

SectionKind = Literal["rigid", "similarity"]
_PLANE = SPATIAL[1:]
_MOST_TILT_DEG = 60.0
_LARGEST = 1.1
"""By how much a section can be scaled, at most."""


@dataclass(frozen=True)
class SectionPair:
    """The section (one slice) and the volume at coarse voxels, the section as it is, and where to look.

    `edge` is the coarser of their own voxels, in µm.
    """

    section: xr.DataArray
    volume: xr.DataArray
    whole: xr.DataArray
    where: SectionRange
    edge: float


def check_images(section: Any, volume: Any) -> None:
    """Refuse what is not one section and one volume, of one channel each."""
    for image, name, dims in ((section, "section", _PLANE), (volume, "volume", SPATIAL)):
        check_image(image)
        check_spatial(image, doing=f"locate a section, given the {name}")
        if image.dims != dims:
            raise ValueError(
                f"Cannot locate a section with a {name} of dims {image.dims}: dims {', '.join(dims)} are "
                "needed, the section first. Align images of the same dims with ct.register.align()."
            )
        if min(image.shape) < LEAST_VOXELS:
            raise ValueError(
                f"Cannot locate a section with a {name} of {dict(image.sizes)} voxels: {LEAST_VOXELS} or "
                "more are needed along y and x. Take a larger image."
            )


def check_limits(max_shift_um: Any, depth_range_um: Any, max_tilt_deg: Any) -> None:
    """Refuse a range that is none."""
    check_length(max_shift_um, "max_shift_um", doing="locate a section")
    check_length(max_tilt_deg, "max_tilt_deg", doing="locate a section")
    if float(max_tilt_deg) > _MOST_TILT_DEG:
        raise ValueError(
            f"Cannot locate a section with max_tilt_deg {max_tilt_deg!r}: degrees above 0 and up to "
            f"{_MOST_TILT_DEG:g} are needed. A section across another axis is found in a volume whose axes "
            "were swapped first."
        )
    if depth_range_um is None:
        return
    if (
        not isinstance(depth_range_um, Sequence | np.ndarray)
        or isinstance(depth_range_um, str)
        or len(depth_range_um) != 2
    ):
        raise TypeError(
            f"Cannot locate a section with depth_range_um {depth_range_um!r}: lowest and highest z in µm are "
            "needed, for instance (0.5, 3.0). Leave it out for the whole volume."
        )
    strange = [v for v in depth_range_um if isinstance(v, bool | np.bool_) or not isinstance(v, Real)]
    if strange or not -np.inf < float(depth_range_um[0]) < float(depth_range_um[1]) < np.inf:
        raise ValueError(
            f"Cannot locate a section with depth_range_um {depth_range_um!r}: two finite numbers in µm are "
            "needed, the lower first. Leave it out for the whole volume."
        )


def section_range(
    section: xr.DataArray, volume: xr.DataArray, start: str, depth_range_um: Any, limits: dict[str, float]
) -> SectionRange:
    """Say where to look; refuse depths at which there is no volume."""
    centre = np.array([0.0, *middle(section)])
    target = middle(volume) if start == "centres" else centre
    first = float(volume.z[0])
    whole = first, first + (volume.sizes["z"] - 1) * voxel_size(volume)[0]
    wanted = whole if depth_range_um is None else (float(depth_range_um[0]), float(depth_range_um[1]))
    depth = max(wanted[0], whole[0]), min(wanted[1], whole[1])
    if depth[0] > depth[1]:
        raise AlignmentError(
            f"Cannot locate the section: it is looked for at z {wanted[0]:g} to {wanted[1]:g} µm, and the "
            f"volume reaches from {whole[0]:g} to {whole[1]:g} µm. State depth_range_um in the frame of the "
            "volume."
        )
    return SectionRange(centre, np.array([sum(depth) / 2, *target[1:]]), depth, **limits)


def prepare_section(
    section: xr.DataArray, volume: xr.DataArray, where: SectionRange, progress: bool
) -> SectionPair:
    """Crop what no pose reaches, and average both near the coarse pixel; refuse bad greys."""
    half = float(np.linalg.norm(extent(section))) / 2 * _LARGEST
    flat = half + where.shift_um
    deep = flat * float(np.sin(np.deg2rad(min(90.0, np.sqrt(2) * where.tilt_deg))))
    whole = as_slice(section, min(voxel_size(volume)))
    edge = max(float(np.prod(voxel_size(i)) ** (1 / i.ndim)) for i in (section, volume))
    reach = np.array([deep, flat, flat]) + 2 * search_pixel(whole, volume)
    low = np.array([where.depth_um[0], *where.target[1:]]) - reach
    high = np.array([where.depth_um[1], *where.target[1:]]) + reach
    part = volume.sel({d: slice(a, b) for d, a, b in zip(SPATIAL, low, high, strict=True)})
    if min(part.shape) == 0 or min(part.shape[1:]) < LEAST_VOXELS:
        raise AlignmentError(
            f"Cannot locate the section: it lies outside the volume. It may lie between {named(low)} "
            f"and {named(high)} µm, and the volume has {dict(part.sizes)} voxels there. Look where the "
            "centres coincide with start='centres', or enlarge max_shift_um."
        )
    coarse = search_pixel(whole, part) / 1.5
    near = average(whole, coarse, progress=False), average(part, coarse, progress)
    for image, name in zip(near, ("section", "volume"), strict=True):
        check_grey(image, name)
    return SectionPair(*near, whole, where, edge)


def tilt_and_turn(matrix: Floats) -> tuple[tuple[float, float], float]:
    """Split the turn of a matrix: tilts about y and x in degrees, after a turn in the plane."""
    rigid = turn(turn_deg(matrix))
    normal = rigid[:, 0]
    across = np.hypot(normal[1], normal[2])
    angle = float(np.rad2deg(np.arctan2(across, normal[0])))
    # The normal is tilted about z × normal.
    axis = np.array([0.0, -normal[2], normal[1]]) / across if across > 0 else np.zeros(3)
    flat = turn(-angle * axis) @ rigid
    return (angle * float(axis[1]), angle * float(axis[2])), float(
        np.rad2deg(np.arctan2(flat[2, 1], flat[1, 1]))
    )
