"""PNG: one slice, 8 or 16 bits, grey or colour."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import imagecodecs
import numpy as np
import xarray as xr

from ..volume import CHANNEL, voxel_size
from .found import Found
from .pages import as_stored, check_dtype, full
from .record import KEY, describe, dump, load
from .units import PRINT_UM

_MAGIC = b"\x89PNG\r\n\x1a\n"
_NAMES = {1: None, 2: ["grey", "alpha"], 3: ["red", "green", "blue"], 4: ["red", "green", "blue", "alpha"]}


def check(image: xr.DataArray, path: Path) -> None:
    """Refuse an image that PNG cannot hold."""
    check_dtype(image, "bool uint8 uint16", "PNG", "TIFF (.tif)")
    if image.sizes.get("z", 1) > 1:
        raise ValueError(
            f"Cannot write {path}: a PNG holds one slice, and the image has {image.sizes['z']}. "
            "Write one with image.isel(z=0), or all as a folder of slices (a name without suffix) or TIFF."
        )
    if image.sizes.get(CHANNEL, 1) > 4:
        raise ValueError(
            f"Cannot write {path}: a PNG holds 1 to 4 channels, and the image has {image.sizes[CHANNEL]}. "
            "Select some with image.isel(channel=[0, 1, 2]), or write TIFF (.tif)."
        )


def write(image: xr.DataArray, path: Path) -> None:
    """Write the slice, its pixel size where PNG has a field for it, and the record."""
    values = as_stored(np.asarray(full(image)[:, 0]))
    pixels = values[0] if len(values) == 1 else np.moveaxis(values, 0, -1)
    encoded = bytes(imagecodecs.png_encode(pixels.copy()))
    sizes = dict(zip((str(d) for d in image.dims if d != CHANNEL), voxel_size(image), strict=True))
    per_metre = [round(1e6 / sizes.get(d, 1.0)) for d in "xy"]
    head = 8 + 25  # magic and the first chunk
    extra = b""
    if all(0 < n < 2**31 for n in per_metre):
        extra += _chunk(b"pHYs", struct.pack(">IIB", *per_metre, 1))
    extra += _chunk(b"tEXt", KEY.encode() + b"\0" + dump(describe(image)).encode("ascii"))
    path.write_bytes(encoded[:head] + extra + encoded[head:])


def read(path: Path) -> Found:
    """Read a PNG; palettes and less than 8 bits are refused: the numbers may be colours, labels or grey."""
    content = path.read_bytes()
    chunks = _chunks(content, path)
    depth, kind = struct.unpack(">BB", chunks[b"IHDR"][8:10])
    if kind == 3 or depth < 8:
        raise ValueError(
            f"Cannot read {path}: its pixels are {'of a palette' if kind == 3 else f'{depth} bits deep'}, "
            "and may be colours, labels or grey. 8 or 16 bits, grey or colour, are needed. "
            "Save it so first, for instance as 8-bit grey in Fiji."
        )
    try:
        values = imagecodecs.png_decode(content)
    except RuntimeError as error:
        raise _damaged(path, str(error)) from error
    samples = 1 if values.ndim == 2 else values.shape[2]
    data, dims = (values, ("y", "x")) if samples == 1 else (np.moveaxis(values, -1, 0), (CHANNEL, "y", "x"))
    found = Found(data.reshape(data.shape[: len(dims)]), dims, channels=_NAMES[samples])
    key, _, text = chunks.get(b"tEXt", b"").partition(b"\0")
    if key == KEY.encode():
        found.record = load(text.decode("ascii"))
    _pixel_size(chunks.get(b"pHYs"), found)
    return found


def _pixel_size(field: bytes | None, found: Found) -> None:
    if field is None:
        return
    x, y, unit = struct.unpack(">IIB", field)
    for d, count in (("x", x), ("y", y)):
        # Dots per metre are meant for paper: only a pixel that is fine enough is a voxel.
        if unit == 1 and count and 1e6 / count <= PRINT_UM:
            found.voxel_um[d] = 1e6 / count
            found.tolerance = max(found.tolerance, 0.6 / count)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _chunks(content: bytes, path: Path) -> dict[bytes, bytes]:
    """Return the chunks of a PNG by kind; of texts, ours where it is there."""
    if not content.startswith(_MAGIC):
        raise _damaged(path, "no PNG signature")
    chunks: dict[bytes, bytes] = {}
    at = len(_MAGIC)
    while at + 12 <= len(content):
        size, kind = struct.unpack(">I4s", content[at : at + 8])
        data = content[at + 8 : at + 8 + size]
        if kind != b"tEXt" or data.startswith(KEY.encode() + b"\0"):
            chunks[kind] = data
        at += size + 12
    if b"IEND" not in chunks or at != len(content) or b"IHDR" not in chunks:
        raise _damaged(path, f"expected {max(at, 57)} bytes or more, found {len(content)}")
    return chunks


def _damaged(path: Path, why: str) -> ValueError:
    return ValueError(
        f"Cannot read {path}: the PNG is truncated or damaged ({why}). "
        "A whole file is needed. Copy or download it again."
    )
