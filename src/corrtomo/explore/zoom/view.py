"""The picture of a zoom explorer: ``zoom/view.js`` paints the same pixels where they are magnified."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ...show.style import rgb

Places = npt.NDArray[np.float64]


class Layer:
    """Pixels of one image, where they are known, what it is, and how it is shown."""

    def __init__(self, values: np.ndarray, known: np.ndarray, about: Mapping[str, Any]) -> None:
        self.about = about
        self._values, self._known = values, known
        matrix = np.array(about["matrix"])
        self._start, self._back = matrix[1:, 2], np.linalg.inv(matrix[1:, :2])

    def pixels_at(self, places: Places) -> tuple[np.ndarray, np.ndarray]:
        """Return row and column at places (…, 2) of y and x in µm, and which of these are known."""
        at = np.floor((places - self._start) @ self._back.T + 0.5)
        inside = ((at >= 0) & (at < self._known.shape)).all(axis=-1)
        index = np.where(inside[..., None], at, 0).astype(int)
        return index, inside & self._known[index[..., 0], index[..., 1]]

    def painted(self, index: np.ndarray) -> np.ndarray:
        """Return the colours of pixels, RGB from 0 to 255."""
        values = self._values[index[..., 0], index[..., 1]]
        if self.about["kind"] == "colour":
            return np.asarray(values, float)
        table = np.repeat(np.arange(256.0)[:, None], 3, axis=1)
        for code, _, colour in self.about.get("table", ()):
            table[code] = rgb(colour)
        return np.asarray(table[values])

    def value_at(self, place: Sequence[float]) -> Any:
        """Return a grey value in its own unit, the name of a class, or a colour; None where there is none."""
        index, known = self.pixels_at(np.array(place, float))
        if not known:
            return None
        value = self._values[index[0], index[1]]
        if self.about["kind"] == "colour":
            return tuple(int(v) for v in value)
        if self.about["kind"] == "classes":
            return next(name for code, name, _ in self.about["table"] if code == value)
        return self.about["low"] + int(value) * (self.about["high"] - self.about["low"]) / 255


def unpack_layers(pixels: np.ndarray, known: np.ndarray, about: Sequence[Mapping[str, Any]]) -> list[Layer]:
    """Cut the bytes of a page into its layers."""
    out, at, seen = [], 0, 0
    for layer in about:
        rows, columns = layer["shape"]
        size, depth = rows * columns, 3 if layer["kind"] == "colour" else 1
        values = pixels[at : at + depth * size].reshape((rows, columns, 3) if depth == 3 else (rows, columns))
        out.append(Layer(values, known[seen : seen + size].reshape(rows, columns).astype(bool), layer))
        at, seen = at + depth * size, seen + size
    return out


def paint_view(
    layers: Sequence[Layer],
    shown: Sequence[Mapping[str, Any]],
    view: Mapping[str, float],
    side: int,
) -> npt.NDArray[np.uint8]:
    """Return the view as RGB bytes, `side` pixels along each edge: layers over each other by opacity."""
    step = view["field_um"] / side
    along = (np.arange(side) + 0.5 - side / 2) * step
    y, x = np.meshgrid(view["y_um"] + along, view["x_um"] + along, indexing="ij")
    places = np.stack([y, x], axis=-1)
    out = np.zeros((side, side, 3))
    for layer, how in zip(layers, shown, strict=True):
        if how["on"] and how["opacity"] > 0:
            index, known = layer.pixels_at(places)
            out += how["opacity"] * known[..., None] * (layer.painted(index) - out)
    return np.rint(out).astype(np.uint8)
