"""HDF5: an image is a dataset, found by its path inside the file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr

from ..volume import CHANNEL, SPATIAL, voxel_size
from .found import Found
from .pages import full, z_chunks
from .record import KEY, describe, dump, load

DEFAULT = "image"
_SIZE = "element_size_um"  # as ilastik's and Fiji's HDF5 plugins name it; z, y, x
_TAGS = {"c": CHANNEL, "z": "z", "y": "y", "x": "x"}


def check(image: xr.DataArray, path: Path) -> None:
    """Refuse nothing: HDF5 holds every number."""


def check_dataset(path: Path, dataset: str, *, overwrite: bool) -> None:
    """Refuse a file that is not HDF5, and a dataset that exists, unless it may be overwritten."""
    if not path.exists():
        return
    if not h5py.is_hdf5(path):
        raise FileExistsError(
            f"Cannot write into {path}: it exists and is not an HDF5 file. "
            "An HDF5 file, or a new name, is needed. Choose another name."
        )
    with h5py.File(path, "r") as file:
        old = file.get(dataset)
        if isinstance(old, h5py.Group):
            raise FileExistsError(
                f"Cannot write dataset {dataset!r} into {path}: it is a group of {sorted(old)}. "
                "A path with no group is needed. Pass another one with dataset=."
            )
        if old is not None and not overwrite:
            raise FileExistsError(
                f"Cannot write dataset {dataset!r} into {path}: it exists. "
                "A new path is needed, so that nothing on disk is lost. "
                "Choose another dataset=, or replace it with overwrite=True."
            )


def write(image: xr.DataArray, path: Path, target: Path, dataset: str) -> None:
    """Write one dataset; those that the target holds already are kept."""
    if target.exists():
        shutil.copyfile(target, path)
    else:
        path.unlink()
    with h5py.File(path, "a") as file:
        if dataset in file:
            del file[dataset]
        out = file.create_dataset(
            dataset, shape=image.shape, dtype=image.dtype, chunks=True, compression="gzip"
        )
        _fill(out, image)
        out.attrs[KEY] = dump(describe(image))
        out.attrs[_SIZE] = np.array(voxel_size(image))
        for i, dim in enumerate(image.dims):
            out.dims[i].label = str(dim)
        out.attrs["axistags"] = _axistags([str(d) for d in image.dims])


def _fill(out: Any, image: xr.DataArray) -> None:
    """Write chunk by chunk along the slices."""
    data = full(image)
    at = image.dims.index("z") if "z" in image.dims else None
    for first, last in z_chunks(data):
        block = np.asarray(data[:, first:last])
        where: list[slice] = [slice(None)] * image.ndim
        if at is not None:
            where[at] = slice(first, last)
        size = list(image.shape)
        if at is not None:
            size[at] = last - first
        out[tuple(where)] = block.reshape(size)


def read(path: Path, dataset: object = None) -> Found:
    """Read one dataset; which one must be said where the file holds several."""
    if not h5py.is_hdf5(path):
        raise ValueError(
            f"Cannot read {path} of {path.stat().st_size} bytes: it is not an HDF5 file, or is damaged. "
            "A whole HDF5 file is needed. Copy or download it again."
        )
    with _opened(path) as file:
        found = _dataset(file, path, dataset)
        data = found[()]
        stated = found.attrs.get(KEY)
        return Found(
            data,
            _dims(found),
            voxel_um=_voxel(found),
            record=load(stated) if isinstance(stated, str) else None,
            tolerance=1e-6,
        )


def _opened(path: Path) -> h5py.File:
    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise ValueError(
            f"Cannot read {path} of {path.stat().st_size} bytes: the HDF5 file is truncated or damaged "
            f"({error}). A whole file is needed. Copy or download it again."
        ) from error


def _dataset(file: h5py.File, path: Path, dataset: object) -> Any:
    images: dict[str, tuple[int, ...]] = {}

    def note(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.ndim and item.dtype.kind in "buifc":
            images[name] = item.shape

    file.visititems(note)
    if dataset is None and len(images) == 1:
        return file[next(iter(images))]
    if isinstance(dataset, str) and dataset.strip("/") in images:
        return file[dataset]
    listed = ", ".join(f"{k!r} {v}" for k, v in images.items()) or "no images"
    raise ValueError(
        f"Cannot read {path} with dataset={dataset!r}: it holds {listed}. "
        "One of them is needed. Pass its path inside the file with dataset=."
    )


def _dims(dataset: Any) -> tuple[str, ...]:
    labels = [d.label for d in dataset.dims]
    tags = dataset.attrs.get("axistags")
    if not all(labels) and isinstance(tags, str):
        labels = [_TAGS.get(a["key"], "?") for a in json.loads(tags)["axes"]]
    if all(d in (CHANNEL, *SPATIAL) for d in labels):
        return tuple(labels)
    return SPATIAL[-dataset.ndim :] if dataset.ndim <= len(SPATIAL) else ()


def _voxel(dataset: Any) -> dict[str, float]:
    stated = np.atleast_1d(dataset.attrs.get(_SIZE, []))
    dims = [d for d in _dims(dataset) if d in SPATIAL]
    if stated.dtype.kind not in "fiu" or len(stated) < len(dims):
        return {}
    # Fiji's plugin states z, y, x for a single slice, too.
    return {d: float(s) for d, s in zip(dims, stated[-len(dims) :], strict=True) if s > 0 and np.isfinite(s)}


def _axistags(dims: list[str]) -> str:
    """Name the axes as ilastik reads them."""
    short = {name: key for key, name in _TAGS.items()}
    kinds = {CHANNEL: 1}
    axes = [{"key": short[d], "typeFlags": kinds.get(d, 2), "resolution": 0, "description": ""} for d in dims]
    return json.dumps({"axes": axes})
