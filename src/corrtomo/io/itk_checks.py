"""A damaged NRRD, MetaImage or NIfTI is refused: their libraries print a line, or fill in zeros."""

from __future__ import annotations

import math
import struct
import zlib
from pathlib import Path

import numpy as np

_BLOCK = 1 << 22  # values that are looked at in one go


def check_packed(path: Path) -> None:
    """Refuse a damaged packed MetaImage: its library prints a line, and gives what it has."""
    with path.open("rb") as file:
        head: dict[str, str] = {}
        for line in file:
            key, _, value = line.decode("latin-1").partition("=")
            head[key.strip()] = value.strip()
            if key.strip() == "ElementDataFile":  # the last line of a header
                break
        name = head.get("ElementDataFile", "LIST")
        data = path if name == "LOCAL" else path.with_name(name)
        if head.get("CompressedData", "").lower() != "true" or not data.is_file():
            return
        with data.open("rb") as packed:
            packed.seek(file.tell() if name == "LOCAL" else 0)
            unpack = zlib.decompressobj(32 + zlib.MAX_WBITS)  # its stream ends with a checksum
            try:
                while not unpack.eof and (block := packed.read(1 << 20)):
                    unpack.decompress(block)
            except zlib.error as error:
                raise damaged(path, str(error)) from error
    if not unpack.eof:
        raise damaged(path, "its packed values end too early")


def check_nifti_size(alone: Path, path: Path) -> None:
    """Refuse a file that ends too early: the NIfTI library would fill the rest with zeros."""
    size = alone.stat().st_size
    with alone.open("rb") as file:
        head = file.read(352)
    expected = 352
    if size >= expected:
        order = "<" if head[:4] == struct.pack("<i", 348) else ">"
        count, *shape = struct.unpack(f"{order}8h", head[40:56])
        (bits,), (start,) = struct.unpack(f"{order}h", head[72:74]), struct.unpack(f"{order}f", head[108:112])
        expected = int(start) + math.prod(max(n, 1) for n in shape[: max(count, 0)]) * bits // 8
    if size < expected:
        raise damaged(path, f"unpacked, expected {expected} bytes or more, found {size}")


def check_nifti_values(alone: Path, path: Path) -> None:
    """Refuse NaN and infinity, which the NIfTI library would turn into 0."""
    with alone.open("rb") as file:
        head = file.read(352)
    order = "<" if head[:4] == struct.pack("<i", 348) else ">"
    (kind,), (start,) = struct.unpack(f"{order}h", head[70:72]), struct.unpack(f"{order}f", head[108:112])
    width = {16: 4, 64: 8}.get(kind)
    if width is None:
        return
    count = (alone.stat().st_size - int(start)) // width
    values = np.memmap(alone, f"{order}f{width}", "r", offset=int(start), shape=(count,))
    bad = sum(int((~np.isfinite(values[i : i + _BLOCK])).sum()) for i in range(0, count, _BLOCK))
    if bad:
        raise ValueError(
            f"Cannot read {path}: {bad} of its values are NaN or infinite, which the NIfTI library turns "
            "into 0. Finite values are needed. Read it otherwise, and pass its values to ct.volume()."
        )


def damaged(path: Path, why: str) -> ValueError:
    """Make the error for a file that is not whole."""
    return ValueError(
        f"Cannot read {path} of {path.stat().st_size} bytes: the file is truncated or damaged ({why}). "
        "A whole file is needed. Copy or download it again."
    )
