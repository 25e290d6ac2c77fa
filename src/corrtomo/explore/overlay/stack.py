"""The part of a volume around a section that an overlay explorer takes onto its page."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from numbers import Real
from typing import Any

import numpy as np
import xarray as xr

from ...checks import check_finite, check_length, check_spatial
from ...measure.options import check_between
from ...register.averaging import block_means
from ...register.frames import Floats, extent, middle, move
from ...volume import check_image, origin, voxel_size
from ..explorer import pack
from .inputs import CUT, DOING
from .layers import Greys, eight_bit
from .section import POSE, Plane, Stack, block_side, matrix_of, pose_of

MOST_VOXELS = 3_000_000
"""Most voxels of a volume on a page, a byte each before they are packed."""
MOST_READ = 2e9
"""Most voxels of a volume that are averaged for the page."""
_RIGID = 1e-6
_SCALE = 1.25


def check_alignment(alignment: Any) -> Floats | None:
    """Refuse what is no alignment of a section with a volume; return its matrix."""
    if alignment is None:
        return None
    matrix = np.asarray(getattr(alignment, "matrix", alignment), dtype=object)
    if matrix.shape != (4, 4):
        raise TypeError(
            f"Cannot {DOING} with an alignment of type {type(alignment).__name__}: one of a section with a "
            "volume is needed. Pass what ct.register.locate_section(section, volume) returns."
        )
    if not all(isinstance(v, Real) and not isinstance(v, bool) for v in matrix.flat):
        raise TypeError(
            f"Cannot {DOING} with an alignment whose matrix holds {matrix.flat[0]!r}: numbers are needed, "
            "from (z, y, x, 1) of the section to the volume in µm."
        )
    out = matrix.astype(np.float64)
    if not (np.isfinite(out).all() and _is_stiff(out[:3, :3]) and np.allclose(out[3], (0, 0, 0, 1))):
        raise ValueError(
            f"Cannot {DOING} with an alignment that stretches or mirrors, or whose last row is not "
            "0, 0, 0, 1: a section is moved by hand as one stiff piece. Pass one found with "
            "transform='rigid' or 'similarity'."
        )
    scale = float(np.cbrt(np.linalg.det(out[:3, :3])))
    if not 1 / _SCALE <= scale <= _SCALE:
        raise ValueError(
            f"Cannot {DOING} with an alignment that has a scale of {scale:.4g}: from {1 / _SCALE:g} to "
            f"{_SCALE:g} is what pixel sizes are off by. State them in µm with ct.volume(array, voxel_size), "
            "and align anew."
        )
    return out


def _is_stiff(linear: Floats) -> bool:
    """Say whether a matrix turns and scales, and does nothing else."""
    size = float(np.linalg.det(linear))
    square = linear @ linear.T
    return size > 0 and np.allclose(square, np.eye(3) * size ** (2 / 3), atol=_RIGID * np.abs(square).max())


def check_reach(reach_um: Any, reach_deg: Any) -> dict[str, float]:
    """Refuse ranges of the sliders that cannot be; return how far each goes to either side."""
    check_length(reach_um, "reach_um", doing=DOING)
    check_between(reach_deg, "reach_deg", 0.1, 45, doing=DOING)
    return {name: float(reach_deg if name.endswith("deg") else reach_um) for name in POSE}


@dataclass(frozen=True)
class Cut:
    """What the page needs of a volume: its state, and the grey layer that it becomes."""

    state: dict[str, Any]
    greys: Greys


def cut_state(volume: Any, section: xr.DataArray, matrix: Floats | None, reach: dict[str, float]) -> Cut:
    """Return what lets the page move a section through a volume."""
    plane, pose = plane_of(section, volume, matrix)
    rows, columns = section.shape
    stack, low, high, note = stack_of(volume, plane, (rows, columns), pose, reach)
    about = {
        "shape": list(stack.values.shape),
        "origin_um": stack.origin.tolist(),
        "voxel_um": stack.step.tolist(),
        "centre_um": plane.centre.tolist(),
        "scale": plane.scale,
        "block": block_side((rows, columns)),
        "reach": reach,
    }
    state = {"stack": pack(stack.values), "section": about, "found": pose, "note": note}
    return Cut(state, {CUT: (low, high, str(volume.attrs.get("units", "")), True)})


def plane_of(section: xr.DataArray, volume: Any, matrix: Floats | None) -> tuple[Plane, dict[str, float]]:
    """Return the grid of the section, and the pose it was found in; without one, flat in the middle."""
    check_image(volume, ndim=(3,))
    check_spatial(volume, doing=f"{DOING} with a volume")
    centre = middle(section)
    if matrix is None:
        matrix = np.eye(4)
        matrix[0, 3] = middle(volume)[0]
    pose, scale = pose_of(matrix, centre)
    return Plane(np.array(origin(section)), np.array(voxel_size(section)), centre, scale), pose


def stack_of(
    volume: xr.DataArray,
    plane: Plane,
    shape: tuple[int, int],
    pose: dict[str, float],
    reach: dict[str, float],
) -> tuple[Stack, float, float, str]:
    """Cut out of a volume what the sliders can reach, averaged until it fits on the page, as bytes.

    Returns the stack, what the bytes 0 and 255 stand for, and in words what was done.
    """
    low, high = _box(plane, shape, pose, reach)
    window, size = {}, dict(zip("zyx", voxel_size(volume), strict=True))
    for dim, first, bottom, top in zip("zyx", origin(volume), low, high, strict=True):
        start, stop = (round((v - first) / size[dim]) for v in (bottom, top))
        window[dim] = slice(max(0, start - 1), max(0, min(volume.sizes[dim], stop + 2)))
    part = volume.isel(window)
    if 0 in part.shape:
        there = ", ".join(f"{d} {a:.4g} to {b:.4g}" for d, a, b in zip("zyx", low, high, strict=True))
        raise ValueError(
            f"Cannot {DOING}: the section lies outside the volume, at {there} µm; the volume has its middle "
            f"at {_text(middle(volume))} and is {_text(extent(volume))} µm long along z, y, x. Pass the "
            "alignment of this section with this volume."
        )
    if part.size > MOST_READ:
        raise ValueError(
            f"Cannot {DOING} with {part.size:.3g} voxels of the volume within reach of the section: "
            f"{MOST_READ:.0e} at most are read. Lower reach_um and reach_deg, or give a coarser volume."
        )
    factors = _factors(part.shape)
    part = block_means(part, factors) if max(factors) > 1 else part.compute()
    check_finite(part, doing=f"{DOING} with a volume")
    values, _, dark, bright = eight_bit(part.values)
    edges = np.array(voxel_size(part))
    blocks = " × ".join(map(str, factors))
    averaged = f"means of {blocks} voxels" if max(factors) > 1 else "all voxels"
    note = f"The page holds {averaged} of the volume near the section, {_text(edges)} µm, in 8 bits."
    return Stack(np.ascontiguousarray(values), np.array(origin(part)), edges), dark, bright, note


def _box(
    plane: Plane, shape: tuple[int, int], pose: dict[str, float], reach: dict[str, float]
) -> tuple[Floats, Floats]:
    """Return the lowest and highest place, (z, y, x) in µm, that the section can be moved to."""
    last = plane.origin + (np.array(shape) - 1) * plane.step
    corners = np.array([[0.0, *at] for at in product(*zip(plane.origin, last, strict=True))])
    found = []
    tilts = ("tilt_y_deg", "tilt_x_deg", "turn_deg")
    for signs in product((-1, 0, 1), repeat=3):
        moved = {name: pose[name] + sign * reach[name] for name, sign in zip(tilts, signs, strict=True)}
        found.append(move(matrix_of({**pose, **moved}, plane), corners))
    places = np.concatenate(found)
    by = np.array([reach["depth_um"], reach["shift_y_um"], reach["shift_x_um"]])
    return places.min(axis=0) - by, places.max(axis=0) + by


def _factors(shape: tuple[int, ...]) -> list[int]:
    """Return the least blocks that fit the page; along the depth, which is searched, the smaller ones."""
    deep, wide = 1, 1
    while np.prod([max(1, n // k) for n, k in zip(shape, (deep, wide, wide), strict=True)]) > MOST_VOXELS:
        deep, wide = (deep + 1, wide) if deep < wide else (deep, wide + 1)
    return [min(k, n) for k, n in zip((deep, wide, wide), shape, strict=True)]


def _text(lengths: Floats) -> str:
    return " × ".join(f"{v:.3g}" for v in lengths)
