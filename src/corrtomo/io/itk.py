"""NRRD, MetaImage and NIfTI, by SimpleITK.

These formats were made for medicine: where a file says no unit, millimetres are usual but not certain, so
the voxel size is asked for. corrtomo writes micrometres and says so: as "space units" in NRRD, as xyzt_units
in NIfTI, and as a key of its own in MetaImage, which has no field for a unit.
"""

from __future__ import annotations

import gzip
import math
import re
import shutil
import struct
import tempfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK
import xarray as xr

from ..volume import CHANNEL, SPATIAL, origin, voxel_size
from .found import Found
from .itk_checks import check_nifti_size, check_nifti_values, check_packed, damaged
from .pages import check_dtype, full
from .record import KEY, describe, dump, load
from .units import in_um

_SITK: Any = SimpleITK  # its functions carry no types
_DTYPES = "bool uint8 int8 uint16 int16 uint32 int32 uint64 int64 float32 float64"
_LINE = 2000  # MetaImage loses its header when a line is much longer
_WIDEST = 2**15 - 1  # NIfTI-1 keeps sizes in 16 bits
_XYZT = {1: "mm", 2: "mm", 3: "mm"}  # ITK turns metres and micrometres into millimetres


def check(image: xr.DataArray, path: Path) -> None:
    """Refuse an image that these formats cannot hold."""
    suffix = path.suffix.lower()
    what = suffix.lstrip(".") if suffix != ".gz" else "nii.gz"
    check_dtype(image, _DTYPES, what, "OME-Zarr (.ome.zarr) or HDF5 (.h5)")
    line = image.sizes.get("y", 1) == image.sizes.get("z", 1) == 1
    if what.startswith("nii") and line and image.sizes.get(CHANNEL, 1) > 1:
        raise ValueError(
            f"Cannot write {path}: SimpleITK does not read a line of voxels with channels back from NIfTI. "
            "More than one voxel along y or z, or one channel, is needed. Write NRRD (.nrrd) or TIFF (.tif)."
        )
    longest = max(image.shape)
    if what.startswith("nii") and longest > _WIDEST:
        raise ValueError(
            f"Cannot write {path}: an axis has {longest} voxels, and NIfTI counts up to {_WIDEST}. "
            "A smaller image is needed. Write NRRD (.nrrd) or TIFF (.tif)."
        )


def write(image: xr.DataArray, path: Path, target: Path) -> None:
    """Write one file; channels become the components of a vector image."""
    values = np.asarray(full(image))
    name = target.name.lower()
    if name.endswith((".nii", ".nii.gz")) and values.dtype.kind == "f" and not np.isfinite(values).all():
        raise ValueError(
            f"Cannot write {target}: {int((~np.isfinite(values)).sum())} values are NaN or infinite, which "
            "the NIfTI library turns into 0. Finite values are needed. Write NRRD (.nrrd) or TIFF (.tif)."
        )
    values = (
        values.astype(np.uint8) if values.dtype == bool else values.astype(values.dtype.newbyteorder("="))
    )
    if "z" not in image.dims:
        values = values[:, 0]
    if len(values) > 1:
        itk = _SITK.GetImageFromArray(np.ascontiguousarray(np.moveaxis(values, 0, -1)), isVector=True)
    else:
        itk = _SITK.GetImageFromArray(values[0])
    dims = [str(d) for d in image.dims if d in SPATIAL]
    sizes, starts = (dict(zip(dims, f(image), strict=True)) for f in (voxel_size, origin))
    axes = "xyz"[: itk.GetDimension()]
    itk.SetSpacing([sizes.get(d, 1.0) for d in axes])
    itk.SetOrigin([starts.get(d, 0.0) for d in axes])
    text = dump(describe(image))
    if name.endswith((".nii", ".nii.gz")):
        _write_nifti(itk, path, text, packed=name.endswith(".gz"))
    else:
        for i, part in enumerate(text[k : k + _LINE] for k in range(0, len(text), _LINE)):
            itk.SetMetaData(f"{KEY}_{i:04d}", part)
        _SITK.WriteImage(itk, str(path), useCompression=True)
        if name.endswith(".nrrd"):
            _state_nrrd_units(path, len(axes))


def _state_nrrd_units(path: Path, ndim: int) -> None:
    """Add the field for the unit, which SimpleITK does not write, to the header."""
    head, blank, data = path.read_bytes().partition(b"\n\n")
    units = " ".join(['"um"'] * ndim).encode()
    fields = re.sub(rb"(?m)^(space directions: )", b"space units: " + units + rb"\n\1", head, count=1)
    path.write_bytes(fields + blank + data)


def _write_nifti(itk: Any, path: Path, text: str, *, packed: bool) -> None:
    """Write NIfTI-1 with micrometres as its unit, and the record as a comment in its header."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".part-") as folder:
        plain = Path(folder) / "image.nii"
        _SITK.WriteImage(itk, str(plain))
        content = plain.read_bytes()
    head, values = bytearray(content[:348]), content[int(struct.unpack("<f", content[108:112])[0]) :]
    comment = text.encode("ascii")
    comment += b"\0" * (-(len(comment) + 8) % 16)
    head[123] = 3  # micrometres
    head[108:112] = struct.pack("<f", 352 + 8 + len(comment))
    extension = b"\1\0\0\0" + struct.pack("<ii", 8 + len(comment), 6) + comment
    with gzip.open(path, "wb", compresslevel=6) if packed else path.open("wb") as file:
        file.write(bytes(head) + extension + values)


def read(path: Path) -> Found:
    """Read an image with its spacing where the unit is stated."""
    name = path.name.lower()
    if name.endswith((".nii", ".nii.gz")):
        itk, unit, text = _read_nifti(path)
    else:
        if name.endswith((".mha", ".mhd")):
            check_packed(path)
        itk = _load(path, path)
        unit, text = _keys(itk, path)
    _check_direction(itk, path)
    data = _SITK.GetArrayFromImage(itk)
    dims = SPATIAL[-itk.GetDimension() :] if itk.GetDimension() <= 3 else ()
    if itk.GetNumberOfComponentsPerPixel() > 1:
        data, dims = np.moveaxis(data, -1, 0), ((CHANNEL, *dims) if dims else ())
    found = Found(data, dims, record=load(text))
    for d, size, start in zip("xyz", itk.GetSpacing(), itk.GetOrigin(), strict=False):
        edge, position = in_um(size, unit), in_um(start, unit)
        if edge is not None and position is not None:
            found.voxel_um[d], found.origin_um[d] = edge, position
    return found


def _load(path: Path, named: Path) -> Any:
    try:
        with tempfile.TemporaryDirectory() as folder:
            # ITK knows its formats by suffixes in lower case only.
            lower = Path(folder) / f"image{path.suffix.lower()}"
            small = path.suffix == path.suffix.lower()
            if not small:
                lower.symlink_to(path.resolve())
            return _SITK.ReadImage(str(path if small else lower))
    except RuntimeError as error:
        raise damaged(named, str(error).strip().splitlines()[-1]) from error


def _keys(itk: Any, path: Path) -> tuple[str | None, str]:
    """Return the unit and the record of a NRRD or MetaImage file."""
    parts = sorted(k for k in itk.GetMetaDataKeys() if k.startswith(f"{KEY}_"))
    text = "".join(itk.GetMetaData(k) for k in parts)
    unit = "um" if text else None
    if path.suffix.lower() in (".nrrd", ".nhdr"):
        with path.open("rb") as file:  # SimpleITK does not hand the field on
            head = file.read(1 << 16).split(b"\n\n")[0].decode("latin-1")
        stated = set(re.findall(r'"([^"]*)"', "".join(re.findall(r"(?m)^(?:space )?units: *(.*)$", head))))
        scaled = re.search(r"(?m)^(spacings|space directions): *(.*)$", head)
        known = scaled is not None and "nan" not in scaled[2].lower()
        unit = stated.pop() if len(stated) == 1 and known else None
    return unit, text


def _read_nifti(path: Path) -> tuple[Any, str | None, str | None]:
    """Return image, unit and record. It is read from a folder of its own.

    The NIfTI library takes image.nii when asked for image.nii.gz beside it.
    """
    try:
        with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as file:
            content: Any = file
            with tempfile.TemporaryDirectory() as folder:
                alone = Path(folder) / "image.nii"
                with alone.open("wb") as copy:
                    shutil.copyfileobj(content, copy)
                check_nifti_size(alone, path)
                check_nifti_values(alone, path)
                return _load(alone, path), *_nifti_header(alone)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise damaged(path, str(error)) from error


def _nifti_header(path: Path) -> tuple[str | None, str | None]:
    with path.open("rb") as file:
        head = file.read(352)
        order = "<" if head[:4] == struct.pack("<i", 348) else ">"
        unit = _XYZT.get(head[123] & 7)
        count = struct.unpack(f"{order}h", head[40:42])[0]
        sizes = struct.unpack(f"{order}{max(0, min(count, 3))}f", head[80 : 80 + 4 * max(0, min(count, 3))])
        if not all(0 < abs(size) < math.inf for size in sizes):
            unit = None  # no voxel size is stated, though the library makes it 1
        (end,) = struct.unpack(f"{order}f", head[108:112])
        while head[348] and file.tell() + 8 <= end:
            size, code = struct.unpack(f"{order}ii", file.read(8))
            content = file.read(max(size - 8, 0))
            text = content.rstrip(b"\0").decode("latin-1")
            if code == 6 and load(text):
                return unit, text
            if size < 16:
                break
    return unit, None


def _check_direction(itk: Any, path: Path) -> None:
    direction = np.reshape(itk.GetDirection(), (itk.GetDimension(),) * 2)
    if not np.allclose(direction, np.eye(len(direction)), atol=1e-6):
        raise ValueError(
            f"Cannot read {path}: its axes are turned or mirrored in space (direction "
            f"{direction.round(4).tolist()}), which an image with z, y, x coordinates cannot keep. "
            "Axes along x, y, z are needed. Turn it first with SimpleITK.DICOMOrient(image, 'LPS') or "
            "SimpleITK.Resample."
        )
