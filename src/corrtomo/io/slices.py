"""A folder of slices: numbered images of one size, one file a slice."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import numpy as np
import xarray as xr

from ..volume import CHANNEL, SPATIAL
from . import png, tiff
from .found import Found
from .pages import full, z_chunks
from .record import Record, describe, dump, load

SIDECAR = "corrtomo.json"
_READERS = {".tif": tiff.read, ".tiff": tiff.read, ".png": png.read}
_OWN = re.compile(r"slice_\d+\.tif|corrtomo\.json")


def check(image: xr.DataArray, path: Path) -> None:
    """Refuse an image that TIFF slices cannot hold."""
    tiff.check(image, Path(f"{path}.tif"))


def own(folder: Path) -> set[str]:
    """Name the files of a folder that this module has written: none without its record."""
    if not (folder / SIDECAR).is_file():
        return set()
    return {p.name for p in folder.iterdir() if _OWN.fullmatch(p.name) and p.is_file()}


def write(image: xr.DataArray, path: Path) -> None:
    """Write a TIFF a slice, chunk by chunk, and beside them what they have no field for."""
    (path / SIDECAR).write_text(dump(describe(image)) + "\n", encoding="ascii")
    data = full(image)
    digits = max(4, len(str(data.shape[1] - 1)))
    template = _template(image)
    for first, last in z_chunks(data):
        block = np.asarray(data[:, first:last])
        for z in range(last - first):
            plane = xr.DataArray(block[:, z], dims=(CHANNEL, "y", "x"), coords=template)
            if CHANNEL not in image.dims:
                plane = plane.isel({CHANNEL: 0}, drop=True)
            file = path / f"slice_{first + z:0{digits}d}.tif"
            tiff.write(plane, file, file)


def read(path: Path, dataset: object = None) -> Found:
    """Read the slices of a folder, in the order of their numbers; `dataset` is a pattern of file names."""
    files = _in_order(path, dataset)
    read_one = _READERS[files[0].suffix.lower()]
    first = read_one(files[0])
    if "z" in first.dims or not first.dims:
        raise ValueError(
            f"Cannot read {path} as a folder of slices: {files[0].name} has size {first.data.shape}. "
            "One slice a file is needed. Read such files one by one with ct.read()."
        )
    at = first.dims.index(CHANNEL) + 1 if CHANNEL in first.dims else 0
    data = np.empty((*first.data.shape[:at], len(files), *first.data.shape[at:]), first.data.dtype)
    for i, file in enumerate(files):
        one = first if i == 0 else read_one(file)
        _check_alike(one, first, file, files[0])
        data[(slice(None),) * at + (i,)] = one.data
    return Found(
        data,
        (*first.dims[:at], "z", *first.dims[at:]),
        voxel_um=first.voxel_um,
        origin_um=first.origin_um,
        channels=first.channels,
        record=_record(path / SIDECAR) if dataset is None else None,
        tolerance=first.tolerance,
    )


def _record(sidecar: Path) -> Record | None:
    """Return what corrtomo wrote beside the slices, None if it did not."""
    if not sidecar.is_file():
        return None
    record = load(sidecar.read_text(encoding="ascii", errors="replace").strip())
    if record is None:
        raise ValueError(
            f"Cannot read {sidecar}: it is damaged. The file as corrtomo wrote it is needed. Copy it again, "
            "or move it away and pass voxel_size= in µm."
        )
    return record


def _in_order(folder: Path, pattern: object) -> list[Path]:
    """Return the slices by number, and refuse gaps and mixtures."""
    files = [
        p
        for p in folder.glob("*" if pattern is None else str(pattern))
        if p.suffix.lower() in _READERS and not p.name.startswith(".") and p.is_file()
    ]
    if not files:
        raise ValueError(
            f"Cannot read {folder} as a folder of slices: it holds no image"
            f"{'' if pattern is None else f' that fits {pattern!r}'}. Allowed are {', '.join(_READERS)}. "
            "Check the path, or pass dataset='*.tif' for a pattern of file names."
        )
    series: dict[str, dict[int, Path]] = defaultdict(dict)
    for p in files:
        parts = re.fullmatch(r"(.*?)(\d+)(\D*)", p.stem, re.DOTALL)
        head, number, tail = parts.groups() if parts else (p.stem, "0", "")
        same = series[f"{head}#{tail}{p.suffix}"].setdefault(int(number), p)
        if same != p:
            raise ValueError(
                f"Cannot order the slices in {folder}: {same.name} and {p.name} have one number. "
                "Each slice needs its own. Rename one, or choose with dataset='slice_*.tif'."
            )
    if len(series) > 1:
        raise ValueError(
            f"Cannot read {folder} as a folder of slices: its images are named in {len(series)} ways "
            f"({', '.join(sorted(series)[:5])}; # is a number). One series is needed. "
            "Choose it with dataset=, a pattern of file names, for instance dataset='im[0-9]*.tif'."
        )
    (numbered,) = series.values()
    order = sorted(numbered)
    _check_gaps(order, folder)
    return [numbered[n] for n in order]


def _check_gaps(numbers: list[int], folder: Path) -> None:
    missing = sorted(set(range(numbers[0], numbers[-1] + 1)) - set(numbers))
    if missing:
        listed = ", ".join(map(str, missing[:5])) + (", …" if len(missing) > 5 else "")
        raise ValueError(
            f"Cannot read {folder}: slice {listed} is missing between {numbers[0]} and {numbers[-1]} "
            f"({len(numbers)} files, {len(missing)} missing). Every number in between is needed. "
            "Find the files, or read a part without a gap with dataset=, a pattern of file names."
        )


def _check_alike(one: Found, first: Found, file: Path, first_file: Path) -> None:
    for what, a, b in (
        ("size", one.data.shape, first.data.shape),
        ("dtype", one.data.dtype, first.data.dtype),
        ("voxel size in µm", one.voxel_um, first.voxel_um),
    ):
        if a != b:
            raise ValueError(
                f"Cannot read {file.parent} as a folder of slices: {file.name} has {what} {a}, "
                f"but {first_file.name} has {b}. All slices must be alike. Crop or convert them first."
            )


def _template(image: xr.DataArray) -> dict[str, xr.Variable]:
    """Return the coordinates of one slice; an axis that the image has not is one voxel wide."""
    coords = {
        d: image[d].variable if d in image.dims else xr.Variable(d, np.zeros(1), {"voxel_size_um": 1.0})
        for d in SPATIAL[1:]
    }
    if CHANNEL in image.dims and CHANNEL in image.coords:
        coords[CHANNEL] = image[CHANNEL].variable
    return coords
