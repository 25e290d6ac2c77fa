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
    if not isinstance(dataset, str) or {"", ".", ".."} & set(dataset.strip("/").split("/")):
        raise ValueError(
            f"Cannot write dataset {dataset!r} into {path}: it is not a path inside a file. "
            "Names with / between them are needed. Pass for instance dataset='image'."
        )
    if not path.exists():
        return
    if not h5py.is_hdf5(path):
        raise FileExistsError(
            f"Cannot write into {path}: it exists and is not an HDF5 file. "
            "An HDF5 file, or a new name, is needed. Choose another name."
        )
    with _opened(path) as file:
        parts = dataset.strip("/").split("/")
        for i in range(1, len(parts)):
            if isinstance(file.get("/".join(parts[:i])), h5py.Dataset):
                raise FileExistsError(
                    f"Cannot write dataset {dataset!r} into {path}: {'/'.join(parts[:i])!r} is a dataset, "
                    "not a group. A path through groups is needed. Pass another one with dataset=."
                )
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
        stated = found.attrs.get(KEY)
        record = load(stated) if isinstance(stated, str) else None
        names = _names(found, path)
        data = _values(found, path)
        if names is None:
            dims = SPATIAL[-data.ndim :] if data.ndim <= len(SPATIAL) else ()
            return Found(data, dims, voxel_um=_voxel(found, dims), record=record)
        data, dims = _in_order(data, names)
        return Found(data, dims, voxel_um=_voxel(found, names), record=record, stated_dims=bool(dims))


def _opened(path: Path) -> h5py.File:
    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise _damaged(path, str(error)) from error


def _damaged(path: Path, why: str) -> ValueError:
    return ValueError(
        f"Cannot read {path} of {path.stat().st_size} bytes: the HDF5 file is truncated or damaged ({why}). "
        "A whole file is needed. Copy or download it again."
    )


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


def _names(dataset: Any, path: Path) -> tuple[str, ...] | None:
    """Return the names that the file gives to its axes; None if it gives none."""
    labels = [d.label for d in dataset.dims]
    tags = dataset.attrs.get("axistags")
    if not all(labels) and isinstance(tags, str):
        try:
            labels = [_TAGS.get(a["key"], str(a["key"])) for a in json.loads(tags)["axes"]]
        except (ValueError, KeyError, TypeError) as error:
            raise _damaged(path, f"its axistags {tags[:40]!r} name no axes") from error
        if len(labels) != dataset.ndim:
            raise _damaged(path, f"its axistags name {len(labels)} axes, and it has {dataset.ndim}")
    return tuple(labels) if all(labels) else None


def _in_order(data: np.ndarray, names: tuple[str, ...]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Bring the axes into the order channel, z, y, x; leave them unnamed where one is another (time)."""
    single = tuple(i for i, n in enumerate(names) if n not in (CHANNEL, *SPATIAL) and data.shape[i] == 1)
    rest = [n for i, n in enumerate(names) if i not in single]
    order = tuple(d for d in (CHANNEL, *SPATIAL) if d in rest)
    if sorted(order) != sorted(rest):
        return data, ()
    return np.squeeze(data, axis=single).transpose([rest.index(d) for d in order]), order


def _values(dataset: Any, path: Path) -> np.ndarray:
    try:
        return np.asarray(dataset[()])
    except OSError as error:  # a chunk that does not unpack
        raise _damaged(path, str(error)) from error


def _voxel(dataset: Any, names: tuple[str, ...]) -> dict[str, float]:
    stated = np.atleast_1d(dataset.attrs.get(_SIZE, []))
    dims = [d for d in names if d in SPATIAL]
    if stated.dtype.kind not in "fiu" or not dims or len(stated) < len(dims):
        return {}
    # Fiji's plugin states z, y, x for a single slice, too. Axes in another order: whose size is whose?
    stated = stated[-len(dims) :]
    if dims != [d for d in SPATIAL if d in dims] and len(set(stated.tolist())) > 1:
        return {}
    return {d: float(s) for d, s in zip(dims, stated, strict=True) if s > 0 and np.isfinite(s)}


def _axistags(dims: list[str]) -> str:
    """Name the axes as ilastik reads them."""
    short = {name: key for key, name in _TAGS.items()}
    kinds = {CHANNEL: 1}
    axes = [{"key": short[d], "typeFlags": kinds.get(d, 2), "resolution": 0, "description": ""} for d in dims]
    return json.dumps({"axes": axes})
