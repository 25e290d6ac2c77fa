"""The images of a zoom explorer as the page takes them: bytes, and what must be known of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...phases import check_integer
from ...show.classes import class_colours, class_names
from ...show.style import SERIES
from ...volume import CHANNEL
from ..explorer import pack
from ..overlay.layers import eight_bit
from .inputs import DOING, Plane

MOST_SIDE = 768
LEAST_SIDE = 64
MOST_BYTES = 1_750_000
"""Most bytes of packed images: a page carries a third more."""
Known = np.ndarray[Any, np.dtype[np.bool_]]


def packed_planes(planes: Sequence[Plane]) -> tuple[bytes, bytes, list[dict[str, Any]], str]:
    """Pack all planes for the page, coarser where they are too large; say what was averaged.

    Returns
    -------
    pixels, known : bytes
        Planes one after the other: one byte a pixel, or three in colours; and where they are known.
    about : list of dict
        Of each: what it is, its size, and where it lies.
    note : str
        What is averaged, in words; empty where nothing is.
    """
    side = MOST_SIDE
    while True:
        parts = [_bytes(plane, side) for plane in planes]
        pixels = pack(np.concatenate([values.ravel() for values, _, _ in parts]))
        known = pack(np.concatenate([known.ravel() for _, known, _ in parts]))
        size = len(pixels) + len(known)
        if size <= MOST_BYTES:
            about = [part[2] for part in parts]
            return pixels, known, about, _note(about)
        if side <= LEAST_SIDE:
            raise ValueError(
                f"Cannot {DOING} on a page: the images weigh {size / 1e6:.2f} MB packed, "
                f"{MOST_BYTES / 1e6:g} MB is the most. Show fewer images."
            )
        side = max(LEAST_SIDE, min(side - 20, int(side * (MOST_BYTES / size) ** 0.5)))


def _bytes(plane: Plane, side: int) -> tuple[np.ndarray, Known, dict[str, Any]]:
    """Return bytes and known pixels of a plane with at most `side` pixels across, and what it is."""
    image = plane.image
    block = -(-max(image.sizes["y"], image.sizes["x"]) // side)
    more: dict[str, Any] = {}
    if image.attrs.get("classes") or image.attrs.get("phases"):
        check_integer(image, doing=f"{DOING} with {plane.name!r}")
        values, known, more["table"] = _classes(plane, block)
        kind = "classes"
    elif CHANNEL in image.dims:
        colours = np.stack([_averaged(part.values, block) for part in image], axis=-1)
        values, known, kind = np.rint(colours).astype(np.uint8), np.ones(colours.shape[:2], bool), "colour"
    else:
        values, known, more["low"], more["high"] = _greys(plane, block)
        more["unit"], kind = str(image.attrs.get("units", "")), "grey"
    rows, columns = known.shape
    matrix = plane.matrix.copy()
    matrix[:, 2] += plane.matrix[:, :2].sum(axis=1) * (block - 1) / 2
    matrix[:, :2] *= block
    about = {
        "name": plane.name,
        "kind": kind,
        "shape": [rows, columns],
        "matrix": matrix.tolist(),
        "pixel_um": plane.pixel_um * block,
        "block": block,
        **more,
    }
    return values, known, about


def _greys(plane: Plane, block: int) -> tuple[np.ndarray, Known, float, float]:
    values = plane.image.values
    if values.dtype == bool:
        values = values.astype(np.uint8) * np.uint8(255)
    if np.issubdtype(values.dtype, np.floating) and not np.isfinite(values).any():
        raise ValueError(
            f"Cannot {DOING} with {plane.name!r}: no grey value of the plane is finite. Check the alignment "
            "that brought it here, and which slice is shown."
        )
    if block > 1:
        mean = _averaged(values, block)
        values = np.rint(mean).astype(np.uint8) if values.dtype == np.uint8 else mean
    return eight_bit(values)


def _averaged(values: np.ndarray, block: int) -> np.ndarray:
    """Average what is finite in blocks of pixels; NaN where nothing is. What fills no block is left."""
    if block == 1:
        return values
    blocks = _blocks(values, block).astype(np.float64)
    known = np.isfinite(blocks)
    number = known.sum(axis=(1, 3))
    total = np.where(known, blocks, 0.0).sum(axis=(1, 3))
    return np.asarray(np.where(number > 0, total / np.maximum(number, 1), np.nan))


def _classes(plane: Plane, block: int) -> tuple[np.ndarray, Known, list[list[Any]]]:
    """Return codes, in blocks the most frequent one, which are of a class, and a table of what they mean."""
    codes = plane.image.values
    if codes.min() < 0 or codes.max() > np.iinfo(np.uint8).max:
        raise ValueError(
            f"Cannot {DOING} with {plane.name!r} of codes {codes.min()} to {codes.max()}: 0 to 255 are "
            "allowed. Number them anew first."
        )
    names = class_names(plane.image, plane.name)
    if block > 1:
        blocks = _blocks(codes, block)
        present = np.unique(codes)
        counts = np.stack([(blocks == code).sum(axis=(1, 3)) for code in present])
        codes = present[counts.argmax(axis=0)]
    colours = class_colours(list(names)) if len(names) > 1 else dict.fromkeys(names, SERIES[0])
    table = [[code, name, colours[name]] for name, code in names.items()]
    return codes.astype(np.uint8), np.isin(codes, list(names.values())), table


def _blocks(values: np.ndarray, block: int) -> np.ndarray:
    rows, columns = (max(1, n // block) for n in values.shape)
    high, wide = (min(block, n) for n in values.shape)
    return values[: rows * high, : columns * wide].reshape(rows, high, columns, wide)


def _note(about: Sequence[dict[str, Any]]) -> str:
    parts = [f"{a['name']} by {a['block']} × {a['block']}" for a in about if a["block"] > 1]
    return f"Pixels are averaged for the page: {', '.join(parts)}." if parts else ""
