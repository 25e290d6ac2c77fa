"""A damaged TIFF is refused: tifffile gives what it finds, and a line in its log that would pass unseen."""

from __future__ import annotations

import logging
import math
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import tifffile


class _Heard(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@contextmanager
def checked(path: Path) -> Iterator[tifffile.TiffFile]:
    """Open a TIFF file; what tifffile raises or logs meanwhile becomes an error that names the file."""
    heard = _Heard()
    logger = logging.getLogger("tifffile")
    propagate, logger.propagate = logger.propagate, False
    logger.addHandler(heard)
    try:
        with _opened(path) as tif:
            _find_series(tif, path)
            _refuse_heard(heard, tif, path)
            yield tif
            _refuse_heard(heard, tif, path)
    except tifffile.TiffFileError as error:  # a later page, found broken when it is asked for
        raise _damaged(path, str(error), "") from error
    finally:
        logger.removeHandler(heard)
        logger.propagate = propagate


def values(series: tifffile.TiffPageSeries, tif: tifffile.TiffFile, path: Path) -> np.ndarray:
    """Read the values of a series, whole."""
    if max(_bytes_expected(tif), _end(series)) > path.stat().st_size:
        raise _damaged(path, "it ends too early", _count(tif))
    try:
        return series.asarray()
    except (RuntimeError, ValueError) as error:  # codecs raise the first, short reads the second
        raise _damaged(path, str(error), _count(tif)) from error


def _opened(path: Path) -> tifffile.TiffFile:
    try:
        return tifffile.TiffFile(path)
    except (tifffile.TiffFileError, ValueError, struct.error) as error:
        raise _damaged(path, str(error), "") from error


def _find_series(tif: tifffile.TiffFile, path: Path) -> None:
    try:
        count = len(tif.series)
    except (tifffile.TiffFileError, ValueError, RuntimeError, struct.error) as error:
        raise _damaged(path, str(error), "") from error
    if not count:
        raise _damaged(path, "it holds no image", "")


def _refuse_heard(heard: _Heard, tif: tifffile.TiffFile, path: Path) -> None:
    if heard.lines:
        raise _damaged(path, heard.lines[-1], _count(tif))


def _pages_expected(tif: tifffile.TiffFile) -> int | None:
    """Return how many pages the metadata states; None where it states none."""
    page = tif.pages.first
    text = page.description
    if tif.is_imagej:
        stated = re.search(r"^images=(\d+)", text, re.MULTILINE)
        return int(stated.group(1)) if stated else 1
    if tif.is_ome:
        sizes = [re.search(rf'\bSize{a}="(\d+)"', text) for a in "ZCT"]
        return math.prod(int(s.group(1)) for s in sizes if s) // page.samplesperpixel or 1
    if tif.is_shaped:
        return math.prod(tif.shaped_metadata[0]["shape"]) // page.size if tif.shaped_metadata else None
    return None


def _bytes_expected(tif: tifffile.TiffFile) -> int:
    """Return where the last byte of the pages must be, as far as they are known."""
    page = tif.pages.first
    ends = [_end(s) for s in tif.series]
    pages = _pages_expected(tif)
    if pages is not None and (tif.is_imagej or tif.is_shaped) and page.is_contiguous:
        ends.append(page.dataoffsets[0] + pages * page.nbytes)
    return max(ends)


def _end(series: tifffile.TiffPageSeries) -> int:
    parts = [zip(p.dataoffsets, p.databytecounts, strict=True) for p in series.pages if p is not None]
    return max((offset + count for part in parts for offset, count in part), default=0)


def _count(tif: tifffile.TiffFile) -> str:
    pages = _pages_expected(tif)
    return (
        f" Expected {'1 page or more' if pages is None else f'{pages} pages'} and "
        f"{_bytes_expected(tif)} bytes or more; found {len(tif.pages)} pages and {tif.filehandle.size} bytes."
    )


def _damaged(path: Path, why: str, count: str) -> ValueError:
    return ValueError(
        f"Cannot read {path} of {path.stat().st_size} bytes: the TIFF is truncated or damaged ({why})."
        f"{count} A whole file is needed. Copy or download it again."
    )
