"""What goes into a scribble explorer: image, crop, scribbles and truth, refused where they do not fit."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from ...checks import check_same_grid
from ...io import read, write
from ...phases import check_integer
from ...volume import CHANNEL, check_image, origin, spacing, voxel_size
from ..explorer import pack, unpack
from .discriminant import FEATURES, LEFT_OUT, MARGIN

WIDEST, HIGHEST = 256, 200
"""Pixels of the crop that is taken where none is given."""
_SMALLEST = 16
"""Pixels of an image along each side."""
MOST_BYTES = 1_000_000
"""Most filtered values that go into a page, before they are packed to about a half."""
Window = tuple[slice, slice]


def check_scribbled(image: Any) -> xr.DataArray:
    """Refuse what cannot be painted on; return the image with a leading channel dim, in memory."""
    check_image(image, ndim=(2,))
    if image.dtype != np.uint8:
        raise TypeError(
            f"Cannot paint on an image of dtype {image.dtype}: 8-bit grey values (uint8) are needed, so that "
            "the page computes as Python does. Convert it first over limits you choose, for instance "
            "((image - low) / (high - low) * 255).clip(0, 255).round().astype('uint8')."
        )
    if min(image.shape[-2:]) < _SMALLEST:
        raise ValueError(
            f"Cannot paint on an image of {image.shape[-1]} × {image.shape[-2]} pixels: {_SMALLEST} or more "
            "are needed on each side, or filters see little but its mirrored border. Take a larger crop."
        )
    whole: xr.DataArray = image if CHANNEL in image.dims else image.expand_dims(CHANNEL)
    return whole.compute()


def channel_names(image: xr.DataArray) -> list[str]:
    """Return what the channels are called."""
    if CHANNEL not in image.coords:
        return [f"channel {i + 1}" for i in range(image.sizes[CHANNEL])]
    return [str(name) for name in image[CHANNEL].values]


def check_crop(image: xr.DataArray, crop: Any) -> Window:
    """Refuse a crop that lies outside or is too large for a page; return its rows and columns."""
    channels, rows, columns = image.shape
    most = MOST_BYTES // (FEATURES * channels)
    if crop is None:
        shrink = min(1.0, (most / (min(rows, HIGHEST) * min(columns, WIDEST))) ** 0.5)
        high, wide = int(min(rows, HIGHEST) * shrink), int(min(columns, WIDEST) * shrink)
        top, left = (rows - high) // 2, (columns - wide) // 2
        return slice(top, top + high), slice(left, left + wide)
    if not isinstance(crop, Mapping) or not set(crop) <= {"y", "x"}:
        raise TypeError(
            f"Cannot crop to {crop!r}: a mapping of y and x to ranges in µm is needed. Pass for instance "
            "crop={'y': (2.0, 6.0), 'x': (1.0, 6.0)}."
        )
    window = tuple(_range(image, dim, crop.get(dim)) for dim in ("y", "x"))
    high, wide = (part.stop - part.start for part in window)
    if high * wide > most:
        raise ValueError(
            f"Cannot explore a crop of {wide} × {high} pixels with {channels} channel(s): a page holds "
            f"{most} pixels of them. Pass a smaller crop, for instance {WIDEST} × {HIGHEST} pixels, or none."
        )
    return window[0], window[1]


def _range(image: xr.DataArray, dim: str, given: Any) -> slice:
    at = image[dim].values
    if given is None:
        return slice(0, at.size)
    pair = isinstance(given, Sequence) and len(given) == 2 and all(isinstance(v, Real) for v in given)
    spare = 1e-6 * spacing(image, dim)  # coordinates are sums of floats
    low, high = (given[0] - spare, given[1] + spare) if pair else (np.inf, -np.inf)
    inside = np.flatnonzero((at >= low) & (at <= high))
    if inside.size < 8:
        raise ValueError(
            f"Cannot crop {dim} to {given!r} µm: 8 pixels or more are needed, and the image has "
            f"{inside.size} there; it reaches from {at[0]:.4g} to {at[-1]:.4g} µm. Pass (low, high) "
            "within it."
        )
    return slice(int(inside[0]), int(inside[-1]) + 1)


def check_scribbles(scribbles: Any, image: xr.DataArray, names: Sequence[str]) -> np.ndarray:
    """Refuse scribbles of another grid, of other classes or with codes that are none; return a copy."""
    doing = "paint on with these scribbles"
    check_same_grid(scribbles, image.isel({CHANNEL: 0}, drop=True), doing=doing)
    check_integer(scribbles, doing=doing)
    check_codes(scribbles, names)
    return np.asarray(scribbles.values, np.uint8).copy()


def check_codes(scribbles: xr.DataArray, names: Sequence[str]) -> None:
    """Refuse scribbles with codes that are no class, or that say they are of other classes."""
    count = len(names)
    codes = np.unique(scribbles.values).tolist()
    wrong = [code for code in codes if code not in range(count) and code != LEFT_OUT]
    if wrong:
        raise ValueError(
            f"Cannot paint on with scribbles of codes {wrong}: {count} classes have codes 0 to {count - 1}, "
            "and 255 is not painted. Relabel them first, for instance with scribbles.where(scribbles < "
            f"{count}, 255)."
        )
    said = scribbles.attrs.get("classes")
    if isinstance(said, Mapping) and dict(said) != {name: code for code, name in enumerate(names)}:
        raise ValueError(
            f"Cannot paint on with scribbles that say what their codes mean, {dict(said)}: the classes are "
            f"{list(names)}, counted from 0. Pass the same classes in the same order."
        )


def check_truth(truth: Any, image: xr.DataArray, codes: Mapping[str, int]) -> np.ndarray:
    """Refuse a truth of another grid or with other codes; return which result each pixel is, by number."""
    check_same_grid(truth, image.isel({CHANNEL: 0}, drop=True), doing="compare with the truth")
    check_integer(truth, doing="compare with the truth")
    known = np.unique(truth.values).tolist()
    wrong = [code for code in known if code not in codes.values() and code != LEFT_OUT]
    if wrong:
        raise ValueError(
            f"Cannot compare with a truth of codes {wrong}: the classes and what they are merged into have "
            f"codes {dict(codes)}, and 255 is left out. Relabel it first, or name its phases in merge=."
        )
    table = np.full(LEFT_OUT + 1, LEFT_OUT, np.uint8)
    for i, code in enumerate(codes.values()):
        table[code] = i
    return np.asarray(table[truth.values.astype(np.uint8)])


def margin_of(image: xr.DataArray, window: Window, margin: int = MARGIN) -> tuple[xr.DataArray, Window]:
    """Return a crop with all that its filtered values depend on, and where it lies in that."""
    cut, inner = [], []
    for part, size in zip(window, image.shape[-2:], strict=True):
        start = max(0, part.start - margin)
        cut.append(slice(start, min(size, part.stop + margin)))
        inner.append(slice(part.start - start, part.stop - start))
    return image.isel(y=cut[0], x=cut[1]), (inner[0], inner[1])


def saved(path: str | os.PathLike[str] | None, image: xr.DataArray) -> xr.DataArray | None:
    """Read the scribbles of an earlier session; None if there are none yet."""
    if path is None or not Path(path).exists():
        return None
    return read(path, voxel_size(image), origin=origin(image))


def png_head(scribbles: xr.DataArray) -> bytes:
    """Return how a PNG of scribbles begins: all that Python writes before the pixels, which the page adds."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scribbles.png"
        write(scribbles, path)
        content = path.read_bytes()
    return content[: content.index(b"IDAT") - 4]


def split_scribbles(codes: np.ndarray, window: Window) -> tuple[bytes, bytes]:
    """Pack scribbles as the page holds them: those beyond the crop, and those on it."""
    beyond = codes.copy()
    beyond[window] = LEFT_OUT
    return pack(beyond), pack(codes[window])


def pack_features(features: np.ndarray) -> bytes:
    """Pack filtered values, each as what differs from the pixel before: smooth planes pack far smaller."""
    rows = features.reshape(len(features), -1)
    return pack(np.diff(rows, axis=1, prepend=np.uint8(0)))


def unpack_features(packed: bytes, shape: tuple[int, ...]) -> np.ndarray:
    """Return the filtered values that :func:`pack_features` packed; dims feature, y, x."""
    rows = unpack(packed).reshape(shape[0], -1)
    return np.add.accumulate(rows, axis=1, dtype=np.uint8).reshape(shape)
