"""The picture of an overlay explorer, pixel by pixel: ``overlay/paint.js`` paints the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...show.composite import tone
from ...show.style import rgb
from .section import Bytes, Known

Picture = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Layer:
    """Values of one layer on the grid, where they are known, what it is, and how it is shown."""

    values: npt.NDArray[Any]
    known: Known | None
    about: dict[str, Any]
    shown: dict[str, Any]

    def painted(self) -> Picture:
        """Return its own colours, dims y, x, rgb, as if it were alone."""
        kind, shown = self.about["kind"], self.shown
        if kind == "classes":
            table = np.zeros((256, 3))
            for code, _, colour in self.about["table"]:
                table[code] = rgb(colour)
            return np.asarray(table[self.values])
        full = self.about["full"] if kind == "counts" else 255.0
        part = tone(self.values, full, shown["gain"], shown["gamma"])
        out: Picture = part[..., None] * np.array(rgb(shown["colour"]), float)
        return out

    def covers(self) -> npt.NDArray[np.bool_]:
        """Return where it has something to show."""
        if self.about["kind"] == "classes":
            return np.isin(self.values, [code for code, *_ in self.about["table"]])
        return np.ones(self.values.shape, bool) if self.known is None else self.known

    def value_at(self, at: tuple[int, ...]) -> Any:
        """Return a count, a grey value in its own unit, or the name of a class; None where there is none."""
        value, about = int(self.values[at]), self.about
        if about["kind"] == "counts":
            return value
        if about["kind"] == "classes":
            return next((name for code, name, _ in about["table"] if code == value), None)
        if self.known is not None and not self.known[at]:
            return None
        return about["low"] + value * (about["high"] - about["low"]) / 255


def paint_side(layers: Sequence[Layer], side: str) -> Bytes:
    """Return what one side shows, as RGB bytes: an image by its name, all maps alone, or all layers together.

    Together, images and classes that are on cover each other by their opacity, and the colours of maps are
    added. Alone, an image is shown in full, and maps on black.
    """
    out = np.zeros((*layers[0].values.shape, 3))
    for layer in layers:
        kind, shown = layer.about["kind"], layer.shown
        opacity = 1.0 if side == shown["name"] else shown["opacity"] * shown["on"]
        if kind == "counts":
            if side in ("maps", "blend"):
                out += opacity * layer.painted()
        elif side in ("blend", shown["name"]) and opacity:
            cover = opacity * layer.covers()[..., None]
            out += cover * (layer.painted() - out)
    return np.clip(out, 0, 255).astype(np.uint8)


def paint_overlay(
    layers: Sequence[Layer], mode: str, sides: Sequence[str], divider: float, squares: int
) -> Bytes:
    """Return the picture in any mode: one side, two beside a divider, or two in squares in turn."""
    if mode == "blend":
        return paint_side(layers, "blend")
    left, right = (paint_side(layers, side) for side in sides)
    return np.where(right_side(left.shape[:2], mode, divider, squares)[..., None], right, left)


def right_side(shape: tuple[int, ...], mode: str, divider: float, squares: int) -> Known:
    """Return which pixels show the right side, or the other squares."""
    rows, columns = shape
    across = np.arange(columns)
    if mode == "swipe":
        return np.broadcast_to(across >= np.floor(divider * columns + 0.5), (rows, columns))
    edge = columns / squares
    down = np.floor(np.arange(rows) / edge)
    return np.asarray((down[:, None] + np.floor(across / edge)) % 2 == 1)
