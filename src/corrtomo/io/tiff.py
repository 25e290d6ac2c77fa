"""TIFF, ImageJ hyperstacks and OME-TIFF, by tifffile."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import tifffile
import xarray as xr

from ..volume import CHANNEL, SPATIAL, origin, voxel_size
from .found import Found, squeeze_to
from .pages import as_stored, check_dtype, full, pages, stored_dtype
from .record import channel_names, describe, dump, load
from .tiff_checks import checked, values
from .units import PRINT_UM, um

_IMAGEJ = "bool uint8 uint16 float32"
_OME = f"{_IMAGEJ} int8 int16 int32 uint32 float64"
_PLAIN = f"{_OME} int64 uint64 float16"
_CLASSIC = 2**32 - 2**25  # bytes; a larger TIFF needs 64-bit offsets, which ImageJ's own format has not
_DIMS = {"C": CHANNEL, "S": CHANNEL, "Z": "z", "Q": "z", "I": "z", "Y": "y", "X": "x"}
_RGBA = ["red", "green", "blue", "alpha"]


def is_ome(path: Path) -> bool:
    """Say whether a name asks for OME-TIFF."""
    return path.name.lower().endswith((".ome.tif", ".ome.tiff"))


def check(image: xr.DataArray, path: Path) -> None:
    """Refuse an image that TIFF, or OME-TIFF, cannot hold."""
    if is_ome(path):
        check_dtype(image, _OME, "OME-TIFF", "plain TIFF (.tif) or OME-Zarr (.ome.zarr)")
    else:
        check_dtype(image, _PLAIN, "TIFF", "OME-Zarr (.ome.zarr) or HDF5 (.h5)")


def write(image: xr.DataArray, path: Path, target: Path) -> None:
    """Write OME-TIFF for its suffix; else an ImageJ hyperstack, or plain TIFF for what ImageJ cannot hold."""
    if is_ome(target):
        _write_ome(image, path)
    elif _fits_imagej(image):
        _write_imagej(image, path)
    else:
        _write_plain(image, path)


def _fits_imagej(image: xr.DataArray) -> bool:
    # One voxel along x would be taken for the samples of a colour.
    small = image.size * stored_dtype(image).itemsize < _CLASSIC
    return image.dtype.name in _IMAGEJ.split() and small and image.sizes.get("x", 1) > 1


def _geometry(image: xr.DataArray) -> tuple[dict[str, float], dict[str, float]]:
    dims = [str(d) for d in image.dims if d in SPATIAL]
    return dict(zip(dims, voxel_size(image), strict=True)), dict(zip(dims, origin(image), strict=True))


def _write_imagej(image: xr.DataArray, path: Path) -> None:
    sizes, starts = _geometry(image)
    channels, slices, *plane = full(image).shape
    metadata: dict[str, Any] = {"axes": "ZCYX", "unit": "micron", "Info": dump(describe(image))}
    if "z" in sizes:
        metadata["spacing"] = sizes["z"]
    # ImageJ counts its origin in pixels.
    metadata |= {f"{d}origin": -start / sizes[d] for d, start in starts.items() if start}
    names = channel_names(image)
    if names:
        metadata["Labels"] = names * slices
    tifffile.imwrite(
        path,
        pages(image, channels_first=False),
        shape=(slices, channels, *plane),
        dtype=stored_dtype(image),
        imagej=True,
        photometric="minisblack",
        resolution=(1 / sizes.get("x", 1.0), 1 / sizes.get("y", 1.0)),
        metadata=metadata,
    )


def _write_plain(image: xr.DataArray, path: Path) -> None:
    sizes, _ = _geometry(image)
    data = full(image)
    tifffile.imwrite(
        path,
        pages(image),
        shape=data.shape,
        dtype=stored_dtype(image),
        bigtiff=image.size * stored_dtype(image).itemsize >= _CLASSIC,
        photometric="minisblack",
        resolution=(1e4 / sizes.get("x", 1.0), 1e4 / sizes.get("y", 1.0)),
        resolutionunit="CENTIMETER",
        description=dump(describe(image)),
        metadata=None,
    )


def _write_ome(image: xr.DataArray, path: Path) -> None:
    sizes, starts = _geometry(image)
    shape = full(image).shape
    metadata: dict[str, Any] = {"axes": "CZYX", "Name": _printable(str(image.name or "image"))}
    planes = {
        f"Position{d.upper()}": [start] * (shape[0] * shape[1]) for d, start in starts.items() if d != "z"
    }
    if "z" in starts:
        planes["PositionZ"] = [starts["z"] + sizes["z"] * i for i in range(shape[1])] * shape[0]
    units = {f"{key}Unit": ["µm"] * (shape[0] * shape[1]) for key in planes}
    metadata["Plane"] = planes | units
    for d, size in sizes.items():
        metadata |= {f"PhysicalSize{d.upper()}": size, f"PhysicalSize{d.upper()}Unit": "µm"}
    names = channel_names(image)
    if names:
        metadata["Channel"] = {"Name": [_printable(n) for n in names]}
    metadata["MapAnnotation"] = {"Namespace": "corrtomo", "record": dump(describe(image))}
    tifffile.imwrite(
        path,
        pages(image),
        shape=shape,
        dtype=stored_dtype(image),
        ome=True,
        photometric="minisblack",
        compression="zlib",
        metadata=metadata,
    )


def _printable(text: str) -> str:
    """Replace what XML cannot hold; the record keeps it."""
    return "".join(c if c.isprintable() else " " for c in text)


def read(path: Path, dataset: object = None) -> Found:
    """Read one series of a TIFF file with what its metadata says."""
    with checked(path) as tif:
        index = _series(tif, path, dataset)
        series = tif.series[index]
        data, axes = squeeze_to(as_stored(values(series, tif, path)), series.axes, "ZQICSYX")
        found = Found(*_in_order(data, axes))
        page = series.keyframe
        _check_photometric(page, path)
        if tif.is_ome:
            _ome_metadata(tif.ome_metadata or "", index, found)
        elif tif.is_imagej:
            _imagej_metadata(tif.imagej_metadata or {}, page, found)
        else:
            found.record = load(page.description)
            _unfold(found)
            _plain_metadata(page, found)
        if "S" in axes and page.photometric == tifffile.PHOTOMETRIC.RGB and found.channels is None:
            found.channels = _RGBA[: page.samplesperpixel]
    return found


def _check_photometric(page: Any, path: Path) -> None:
    """Refuse numbers that are no grey values as they stand."""
    if page.photometric in (tifffile.PHOTOMETRIC.PALETTE, tifffile.PHOTOMETRIC.MINISWHITE):
        raise ValueError(
            f"Cannot read {path}: its numbers are {page.photometric.name.lower()}, colours of a palette or "
            "dark for bright, not grey values. Grey or RGB is needed. Convert it first, in Fiji with Image "
            "> Type > 8-bit."
        )


def _series(tif: tifffile.TiffFile, path: Path, dataset: object) -> int:
    every = list(tif.series)
    if dataset is None and len(every) == 1:
        return 0
    if isinstance(dataset, int) and not isinstance(dataset, bool) and 0 <= dataset < len(every):
        return dataset
    raise ValueError(
        f"Cannot read {path} with dataset={dataset!r}: it holds {len(every)} images of size "
        f"{[s.shape for s in every]}. Allowed are 0 to {len(every) - 1}. Pass dataset=0 for the first."
    )


def _in_order(data: np.ndarray, axes: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Bring the axes into the order channel, z, y, x; leave them unnamed where two would have one name."""
    dims = [_DIMS.get(a, "?") for a in axes]
    if "?" in dims or len(set(dims)) < len(dims):
        return data, ()
    names = tuple(d for d in (CHANNEL, *SPATIAL) if d in dims)
    return data.transpose([dims.index(d) for d in names]), names


def _unfold(found: Found) -> None:
    """Give plain TIFF, which has no names for axes, those of the record, if the size still fits."""
    record = found.record
    if record is None:
        return
    size = dict(zip(record["dims"], record["shape"], strict=True))
    plane = (size.get("y", 1), size.get("x", 1))
    if found.data.shape[-2:] == plane and found.data.size == math.prod(record["shape"]):
        found.data, found.dims = found.data.reshape(record["shape"]), tuple(record["dims"])


def _number(value: object) -> float | None:
    try:
        return float(value) if isinstance(value, str | int | float) else None
    except ValueError:
        return None


def _per_pixel(page: Any, tag: str) -> tuple[float, float] | None:
    """Return units per pixel of a resolution tag, and how far it is rounded; None if there is none."""
    if tag not in page.tags:
        return None
    count, unit = (int(n) for n in page.tags[tag].value)
    if not count or not unit:
        return None
    # ImageJ writes millionths: a coarse pixel has few digits there.
    return unit / count, (0.6 / count if unit >= 1000 else 0.0)


def _take_resolution(page: Any, found: Found, units: dict[str, Any], coarsest_um: float) -> None:
    for d, tag in (("x", "XResolution"), ("y", "YResolution")):
        pixel = _per_pixel(page, tag)
        size = None if pixel is None else um(pixel[0], units[d])
        if pixel is not None and size is not None and size <= coarsest_um:
            found.voxel_um[d] = size
            found.tolerance = max(found.tolerance, pixel[1])


def _plain_metadata(page: Any, found: Found) -> None:
    # Dots per inch are meant for paper. Centimetres may be, too: only a pixel that is fine enough is a voxel.
    if "ResolutionUnit" in page.tags and page.tags["ResolutionUnit"].value == tifffile.RESUNIT.CENTIMETER:
        _take_resolution(page, found, {"x": "cm", "y": "cm"}, PRINT_UM)


def _imagej_metadata(metadata: dict[str, Any], page: Any, found: Found) -> None:
    found.record = load(metadata.get("Info"))
    unit = str(metadata.get("unit", ""))
    units = {"x": unit, "y": str(metadata.get("yunit", unit)), "z": str(metadata.get("zunit", unit))}
    _take_resolution(page, found, units, float("inf"))
    depth = um(_number(metadata.get("spacing")), units["z"])
    if depth is not None:
        found.voxel_um["z"] = depth
    for d, size in found.voxel_um.items():
        start = metadata.get(f"{d}origin")
        if isinstance(start, int | float):
            found.origin_um[d] = -float(start) * size


def _ome_metadata(xml: str, index: int, found: Found) -> None:

    root = ElementTree.fromstring(xml)
    space = re.match(r"\{.*\}", root.tag)
    ns = space.group() if space else ""
    image = root.findall(f"{ns}Image")[index]
    pixels = image.find(f"{ns}Pixels")
    assert pixels is not None  # the schema asks for it, and tifffile has read it
    for d in SPATIAL:
        key = f"PhysicalSize{d.upper()}"
        size = um(_number(pixels.get(key)), pixels.get(f"{key}Unit", "µm"))
        if size is not None:
            found.voxel_um[d] = size
    names = [c.get("Name") for c in pixels.findall(f"{ns}Channel")]
    if all(names) and len(set(names)) == len(names):
        found.channels = names
    found.name = image.get("Name")
    for entry in root.iter(f"{ns}M"):
        if entry.get("K") == "record":
            found.record = load(entry.text) or found.record
