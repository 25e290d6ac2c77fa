"""What a file holds, and what it says of itself: from there to an image, and nothing guessed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from ..volume import CHANNEL, SPATIAL, _per_axis, volume, voxel_size
from ..volume import origin as origin_of
from .record import Record, restore


@dataclass
class Found:
    """What a reader found in a file.

    `dims` names the axes of `data`, or is empty where they are not known; `stated_dims` says that they are
    those of the file, and not the usual ones.
    """

    data: Any
    dims: tuple[str, ...]
    voxel_um: dict[str, float] = field(default_factory=dict)
    origin_um: dict[str, float] = field(default_factory=dict)
    channels: list[Any] | None = None
    name: str | None = None
    record: Record | None = None
    tolerance: float = 1e-6
    stated_dims: bool = False


@dataclass
class Asked:
    """What the caller of ``ct.read`` said of the image."""

    voxel_size: float | Sequence[float] | None = None
    origin: float | Sequence[float] | None = None
    dims: Sequence[str] | None = None
    name: str | None = None
    override: bool = False


def to_image(found: Found, asked: Asked, path: Path) -> xr.DataArray:
    """Give the data of a file its coordinates: those of the file, or the caller's where the file has none."""
    if found.record is not None and not (asked.override and _stale(found)):
        image = _from_record(found, asked, path)
    else:
        image = _from_metadata(found, asked, path)
    if asked.name is not None:
        image.name = asked.name
    return image


def _stale(found: Found) -> str | None:
    """Say how a file was changed after corrtomo wrote it; None if it was not."""
    record = found.record
    assert record is not None
    now, then = (tuple(n for n in shape if n > 1) for shape in (found.data.shape, record["shape"]))
    if now != then:
        return f"its size was {tuple(record['shape'])} and is {found.data.shape}"
    if not _holds(found.data, np.dtype(record["dtype"])):
        return f"its values were {np.dtype(record['dtype'])} and are {found.data.dtype}"
    sizes = dict(zip((d for d in record["dims"] if d in SPATIAL), record["voxel_size_um"], strict=True))
    for d, size in found.voxel_um.items():
        if d in sizes and not math.isclose(size, sizes[d], rel_tol=found.tolerance):
            return f"its voxel size along {d} was {sizes[d]:.6g} µm and is {size:.6g} µm"
    starts = dict(zip(sizes, record["origin_um"], strict=True))
    for d, start in found.origin_um.items():
        # A thousandth of a voxel: formats count origins in voxels, or keep few digits.
        near = 1e-3 * sizes.get(d, 0.0)
        if d in starts and not math.isclose(start, starts[d], rel_tol=found.tolerance, abs_tol=near):
            return f"its origin along {d} was {starts[d]:.6g} µm and is {start:.6g} µm"
    return None


def _holds(data: Any, kept: np.dtype[Any]) -> bool:
    """Say whether stored values are of the dtype that was written; a mask may be 0 and 1, or 0 and 255."""
    if kept.kind != "b":
        return bool(data.dtype.newbyteorder("=") == kept.newbyteorder("="))
    if data.dtype != np.uint8 or not isinstance(data, np.ndarray):
        return bool(data.dtype == bool)
    top = data.max()
    return int(top) in (0, 1, 255) and bool(((data == 0) | (data == top)).all())


def _from_record(found: Found, asked: Asked, path: Path) -> xr.DataArray:
    change = _stale(found)
    if change:
        raise ValueError(
            f"Cannot read {path}: it was changed after corrtomo wrote it; {change}, so its position is not "
            "known any more. A file as it was written, or a new statement, is needed. Pass voxel_size= and "
            "origin= in µm, and override=True."
        )
    assert found.record is not None
    image = restore(found.data, found.record)
    if asked.dims is not None and tuple(asked.dims) != image.dims:
        raise ValueError(
            f"Cannot read {path} with dims {tuple(asked.dims)}: the file states {image.dims}. "
            "Leave dims out, and bring the image into another order with image.transpose(...)."
        )
    dims = [str(d) for d in image.dims if d in SPATIAL]
    sizes = dict(zip(dims, voxel_size(image), strict=True))
    starts = dict(zip(dims, origin_of(image), strict=True))
    chosen = _agree(asked.voxel_size, sizes, dims, "voxel size", found, asked, path)
    begun = _agree(asked.origin, starts, dims, "origin", found, asked, path)
    if asked.override and (chosen, begun) != (sizes, starts):
        size, start = [chosen[d] for d in dims], [begun[d] for d in dims]
        moved = volume(image.data, size, origin=start, dims=[str(d) for d in image.dims])
        moved.name = image.name
        image = moved.assign_attrs(image.attrs).assign_coords(
            {k: v for k, v in image.coords.items() if k not in dims}
        )
    return image


def _from_metadata(found: Found, asked: Asked, path: Path) -> xr.DataArray:
    names = found.dims if asked.dims is None else tuple(asked.dims)
    if found.stated_dims and names != found.dims and not asked.override:
        raise ValueError(
            f"Cannot read {path} with dims {names}: the file states {found.dims}. They must agree. Leave "
            "dims out to take those of the file, or pass override=True to take yours."
        )
    if len(names) != found.data.ndim:
        raise ValueError(
            f"Cannot name the {found.data.ndim} axes of {path}, of size {found.data.shape}: "
            f"{names or 'no names'} given. One name per axis is needed, out of channel, z, y, x. "
            "Pass for instance dims=('channel', 'z', 'y', 'x')."
        )
    dims = [d for d in names if d in SPATIAL]
    sizes = _agree(asked.voxel_size, found.voxel_um, dims, "voxel size", found, asked, path)
    missing = [d for d in dims if d not in sizes]
    if missing:
        stated = ", ".join(f"{d} {s:.6g} µm" for d, s in found.voxel_um.items()) or "none at all"
        raise ValueError(
            f"Cannot read {path}: it does not state its voxel size along {', '.join(missing)} "
            f"(stated: {stated}). It is needed in µm, one number or one per axis {tuple(dims)}. "
            "Pass it with ct.read(path, voxel_size=...)."
        )
    starts = _agree(asked.origin, found.origin_um, dims, "origin", found, asked, path)
    image = volume(
        found.data,
        [sizes[d] for d in dims],
        origin=[starts.get(d, 0.0) for d in dims],
        dims=list(names),
        name=found.name,
    )
    image.name = found.name  # else xarray takes the one that Dask has made up
    if found.channels is not None and CHANNEL in names and len(found.channels) == image.sizes[CHANNEL]:
        image = image.assign_coords({CHANNEL: found.channels})
    return image


def _agree(
    given: float | Sequence[float] | None,
    stated: dict[str, float],
    dims: list[str],
    what: str,
    found: Found,
    asked: Asked,
    path: Path,
) -> dict[str, float]:
    """Bring the caller's numbers and those of the file together: silence on either side, or agreement."""
    if given is None:
        return {d: stated[d] for d in dims if d in stated}
    numbers = dict(zip(dims, _per_axis(given, dims, what), strict=True))
    for d in dims:
        if d not in stated or asked.override:
            continue
        scale = found.voxel_um.get(d, 0.0) if what == "origin" else 0.0
        near = math.isclose(numbers[d], stated[d], rel_tol=found.tolerance, abs_tol=1e-6 * scale)
        if not near:
            raise ValueError(
                f"Cannot read {path} with {what} {numbers[d]:.9g} µm along {d}: "
                f"the file states {stated[d]:.9g} µm. They must agree. "
                f"Leave {what.replace(' ', '_')}= out to take that of the file, "
                "or pass override=True to take yours."
            )
    return numbers


def squeeze_to(data: Any, axes: str, keep: str) -> tuple[Any, str]:
    """Drop axes of length one that are not in `keep`, such as a single time point."""
    drop = tuple(i for i, a in enumerate(axes) if a not in keep and data.shape[i] == 1)
    rest = "".join(a for i, a in enumerate(axes) if i not in drop)
    return (np.squeeze(data, axis=drop) if drop else data), rest
