"""OME-Zarr 0.5: a volume in chunks, at several scales, opened lazily.

Written by zarr itself. ome-zarr-py (0.18) writes 0.5 too, but an origin only through an argument that it
calls deprecated, all scales in one Dask graph, and coarser labels by resizing, not by the majority.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dask.array
import numpy as np
import xarray as xr
import zarr

from ..volume import CHANNEL, SPATIAL, origin, voxel_size
from .chunks import store
from .coarser import coarser
from .found import Found, squeeze_to
from .pages import check_dtype, full
from .record import KEY, channel_names, check_record, describe, dump, load
from .units import in_um, um

_DTYPES = "bool uint8 int8 uint16 int16 uint32 int32 uint64 int64 float16 float32 float64"
_CHUNK = {CHANNEL: 1, "z": 64, "y": 256, "x": 256}
_TOP = 256  # the coarsest scale is no larger than this along any axis
_BIGGEST = 2**26  # bytes of a chunk that is taken over from Dask
_lazy: Any = dask.array  # its functions carry no types
_OWN = frozenset({"zarr.json", ".zgroup", ".zattrs", ".zmetadata"})


def check(image: xr.DataArray, path: Path) -> None:
    """Refuse an image that Zarr cannot hold."""
    check_dtype(image, _DTYPES, "OME-Zarr", "HDF5 (.h5)")


def own(folder: Path) -> set[str]:
    """Name what in a folder is the image itself: the scales that it states. Labels are somebody's work."""
    try:
        ome = _metadata_of(_group(folder), folder)
    except ValueError:  # not an image, or a damaged one: nothing in it is known to be replaceable
        return set()
    paths = {str(level["path"]) for scales in ome["multiscales"] for level in scales["datasets"]}
    return {n for n in _OWN if (folder / n).is_file()} | {n for n in paths if (folder / n).is_dir()}


def write(image: xr.DataArray, path: Path, done: Path | None = None) -> None:
    """Write all scales, each from the one before it on disk, so that few chunks are in memory at a time.

    With a folder `done`, the finest scale goes on where an earlier run of the same image was interrupted.
    """
    record = describe(image)
    axes = tuple(d for d in (CHANNEL, *SPATIAL) if d in image.dims or d in SPATIAL[1:])
    data = full(image, axes)
    data = data.astype(data.dtype.newbyteorder("="))
    chunks = _chunks(data, axes)
    lazy = _lazy.from_array(data, chunks=chunks) if isinstance(data, np.ndarray) else data.rechunk(chunks)
    begun = done is not None and (path / "0" / "zarr.json").is_file()
    if done is not None and not begun:
        for mark in done.iterdir():
            mark.unlink()
    group = zarr.open_group(path, mode="r+") if begun else zarr.create_group(path, overwrite=True)
    majority = data.dtype == bool or "phases" in image.attrs
    factors = _factors(lazy.shape, axes)
    for level in range(len(factors)):
        finest = level == 0
        array = _begun(group, lazy, path) if begun and finest else _create(group, level, lazy, chunks, axes)
        store(lazy, array, done if finest else None)
        if level + 1 < len(factors):
            step = tuple(b // a for a, b in zip(factors[level], factors[level + 1], strict=True))
            twice = tuple(c * s for c, s in zip(chunks, step, strict=True))
            before = _lazy.from_zarr(array, chunks=tuple(map(min, twice, lazy.shape)))
            lazy = coarser(before, step, majority=majority).rechunk(chunks)
    # Through text, as in the other formats: numbers of NumPy become plain ones.
    group.attrs.update({"ome": _metadata(image, axes, factors), KEY: load(dump(record))})


def _create(
    group: zarr.Group, level: int, lazy: Any, chunks: tuple[int, ...], axes: tuple[str, ...]
) -> zarr.Array[Any]:
    return group.create_array(
        str(level),
        shape=lazy.shape,
        dtype=lazy.dtype,
        chunks=_fit(chunks, lazy.shape),
        dimension_names=axes,
        overwrite=True,
        # So that a chunk that is missing is a loss, never a chunk of zeros.
        config={"write_empty_chunks": True},
    )


def _begun(group: zarr.Group, lazy: Any, path: Path) -> Any:
    """Return the finest scale that an interrupted run left, if it is of such an image."""
    array = _array(group, "0", path)
    here = (lazy.shape, lazy.dtype, _fit(lazy.chunksize, lazy.shape))
    there = (array.shape, array.dtype, array.chunks)
    if here != there:
        raise ValueError(
            f"Cannot go on with {path}: the unfinished image has shape, dtype and chunks {there}, this one "
            f"{here}. They must be the same. Delete the unfinished folder, or write with resume=False."
        )
    return array.with_config({"write_empty_chunks": True})


def _chunks(data: Any, axes: tuple[str, ...]) -> tuple[int, ...]:
    """Keep even chunks of Dask, so that each is computed once and written once; else the usual ones."""
    usual = tuple(min(_CHUNK[d], n) for d, n in zip(axes, data.shape, strict=True))
    if not hasattr(data, "chunks"):
        return usual
    even = all(len({*c[:-1]}) <= 1 and c[-1] <= c[0] for c in data.chunks)
    size = int(np.prod(data.chunksize)) * data.dtype.itemsize
    return tuple(data.chunksize) if even and 2**14 <= size <= _BIGGEST else usual


def _fit(chunks: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(map(min, chunks, shape))


def _factors(shape: tuple[int, ...], axes: tuple[str, ...]) -> list[tuple[int, ...]]:
    """Return the factors of each scale: axes that are still long are halved, until none is above the top."""
    factors = [(1,) * len(axes)]
    size = list(shape)
    while max(n for n, d in zip(size, axes, strict=True) if d != CHANNEL) > _TOP:
        step = [2 if d != CHANNEL and 2 * n > _TOP else 1 for n, d in zip(size, axes, strict=True)]
        size = [-(-n // s) for n, s in zip(size, step, strict=True)]
        factors.append(tuple(a * s for a, s in zip(factors[-1], step, strict=True)))
    return factors


def _metadata(image: xr.DataArray, axes: tuple[str, ...], factors: list[tuple[int, ...]]) -> dict[str, Any]:
    dims = [str(d) for d in image.dims if d in SPATIAL]
    sizes, starts = (dict(zip(dims, f(image), strict=True)) for f in (voxel_size, origin))
    datasets = []
    for level, factor in enumerate(factors):
        scale = [sizes.get(d, 1.0) * f for d, f in zip(axes, factor, strict=True)]
        # The centre of a coarse voxel is the mean of the centres in it.
        middle = [
            starts.get(d, 0.0) + (f - 1) / 2 * sizes.get(d, 1.0) for d, f in zip(axes, factor, strict=True)
        ]
        steps = [{"type": "scale", "scale": scale}, {"type": "translation", "translation": middle}]
        datasets.append({"path": str(level), "coordinateTransformations": steps})
    kinds = [
        {"name": CHANNEL, "type": "channel"}
        if d == CHANNEL
        else {"name": d, "type": "space", "unit": "micrometer"}
        for d in axes
    ]
    ome: dict[str, Any] = {
        "version": "0.5",
        "multiscales": [{"name": str(image.name or "image"), "axes": kinds, "datasets": datasets}],
    }
    names = channel_names(image)
    if names and image.dtype.kind in "ui":
        bounds = np.iinfo(image.dtype)
        window = {"min": int(bounds.min), "max": int(bounds.max), "start": 0, "end": int(bounds.max)}
        ome["omero"] = {
            "channels": [{"label": n, "color": "FFFFFF", "active": True, "window": window} for n in names]
        }
    return ome


def read(path: Path, level: int = 0) -> Found:
    """Open one scale lazily, with the coordinates of its transformations."""
    group = _group(path)
    ome = _metadata_of(group, path)
    attrs: Any = group.attrs.asdict()
    if len(ome["multiscales"]) > 1:
        raise _unfit(path, f"it holds {len(ome['multiscales'])} multiscale images, and one is needed")
    scales = ome["multiscales"][0]
    levels = scales["datasets"]
    if not isinstance(level, int) or isinstance(level, bool) or not 0 <= level < len(levels):
        raise ValueError(
            f"Cannot read {path} at level {level!r}: it has the levels 0 to {len(levels) - 1}. "
            "0 is the finest. Pass level= as one of them."
        )
    array = _array(group, levels[level]["path"], path)
    if KEY in attrs and array.nchunks_initialized != array.nchunks:
        raise ValueError(
            f"Cannot read {path} at level {level}: it holds {array.nchunks_initialized} of {array.nchunks} "
            "chunks, and the rest would read as zeros. A whole copy is needed. Copy the folder again."
        )
    names = [a["name"] for a in scales["axes"]]
    data, kept = squeeze_to(_lazy.from_zarr(array), "".join(n[0] for n in names), "czyx")
    dims = tuple({"c": CHANNEL}.get(a, a) for a in kept)
    in_order = tuple(d for d in (CHANNEL, *SPATIAL) if d in dims)
    if dims != in_order:
        if set(dims) == set(in_order) or len(set(dims)) < len(dims):
            raise _unfit(path, f"its axes are {names}, and channel, z, y, x are needed in this order")
        dims = ()
    found = Found(data, dims, name=scales.get("name"))
    _coordinates(found, scales, level, path)
    _labels(found, ome, attrs, level)
    return found


def _group(path: Path) -> zarr.Group:
    try:
        return zarr.open_group(path, mode="r")
    except (FileNotFoundError, zarr.errors.GroupNotFoundError) as error:
        raise _unfit(path, "it has no Zarr group") from error
    except (ValueError, KeyError, TypeError) as error:  # JSON that is cut off, or is not of Zarr
        raise _unfit(path, f"its zarr.json is damaged ({error})") from error


def _metadata_of(group: zarr.Group, path: Path) -> dict[str, Any]:
    """Return what the group says of itself, once it is known to be of the form that is read."""
    attrs: Any = group.attrs.asdict()
    ome: Any = attrs.get("ome", attrs)  # version 0.4 keeps it one floor higher
    images = ome.get("multiscales") if isinstance(ome, dict) else None
    if not images or not isinstance(images, list):
        raise _unfit(path, "its metadata names no multiscales")
    for scales in images:
        named = isinstance(scales, dict) and all(
            isinstance(scales.get(key), list)
            and scales[key]
            and all(isinstance(part, dict) and isinstance(part.get(field), str) for part in scales[key])
            for key, field in (("axes", "name"), ("datasets", "path"))
        )
        if not named:
            raise _unfit(path, "its multiscales has no axes with names, or no datasets with paths")
    return dict(ome)


def _array(group: zarr.Group, name: str, path: Path) -> Any:
    try:
        array = group[name]
    except (KeyError, ValueError, TypeError) as error:
        raise _unfit(path, f"its level {name!r} is missing or damaged ({error})") from error
    if not isinstance(array, zarr.Array):
        raise _unfit(path, f"its level {name!r} is not an array")
    return array


def _coordinates(found: Found, scales: dict[str, Any], level: int, path: Path) -> None:
    """Add up the transformations of the level and of all levels, in µm where the unit is stated."""
    axes = scales["axes"]
    steps = scales["datasets"][level].get("coordinateTransformations", [])
    steps = [*steps, *scales.get("coordinateTransformations", [])]
    if not any(s.get("type") == "scale" for s in steps):
        return  # no voxel size is stated
    size, start = np.ones(len(axes)), np.zeros(len(axes))
    for step in steps:
        kind = step.get("type")
        if kind not in ("scale", "translation", "identity"):
            raise _unfit(path, f"its transformation {kind!r} is not a scale or a translation")
        numbers = step.get(kind)
        if kind == "identity":
            continue
        if np.shape(numbers) != (len(axes),) or np.asarray(numbers).dtype.kind not in "iuf":
            raise _unfit(path, f"its {kind} {numbers!r} is not one number for each of {len(axes)} axes")
        if kind == "scale":
            size, start = size * numbers, start * numbers
        else:
            start = start + numbers
    for axis, s, t in zip(axes, size.tolist(), start.tolist(), strict=True):
        edge, position = um(s, axis.get("unit")), in_um(t, axis.get("unit"))
        if axis["name"] in SPATIAL and edge is not None and position is not None:
            found.voxel_um[axis["name"]] = edge
            found.origin_um[axis["name"]] = position


def _labels(found: Found, ome: dict[str, Any], attrs: dict[str, Any], level: int) -> None:
    """Take over the record, moved to the scale that was asked for, and the names of channels."""
    record = attrs.get(KEY)
    if record is not None:
        record = check_record(record)
        dims = [d for d in record["dims"] if d in SPATIAL]
        if level and all(d in found.voxel_um and d in found.dims for d in dims):
            shape = [found.data.shape[found.dims.index(d)] for d in record["dims"]]
            coords = {k: c for k, c in record["coords"].items() if k not in dims}
            record = record | {
                "shape": shape,
                "voxel_size_um": [found.voxel_um[d] for d in dims],
                "origin_um": [found.origin_um[d] for d in dims],
                "coords": coords,
            }
        found.record = record
    labels = [c.get("label") for c in ome.get("omero", {}).get("channels", [])]
    if labels and all(labels):
        found.channels = labels


def _unfit(path: Path, why: str) -> ValueError:
    return ValueError(
        f"Cannot read {path} as OME-Zarr: {why}. "
        "The folder of a multiscale image, version 0.4 or 0.5, is needed. "
        "Check the path; a plain Zarr array can be read with zarr.open and ct.volume()."
    )
