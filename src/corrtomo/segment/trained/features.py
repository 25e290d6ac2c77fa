"""The filter bank: what a classifier is told about each pixel, at several scales."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .derived import CELL, KINDS, LANES, MARGIN, cube_cells, square_cells
from .gaussian import Plane, reach, smooth

_WORDS = {
    "intensity": "brightness smoothed over",
    "edges": "steepness of the brightness over",
    "texture": "roughness (local standard deviation) over",
    "hessian largest": "largest curvature (dark lines and spots) over",
    "hessian middle": "middle curvature (dark or bright lines) over",
    "hessian smallest": "smallest curvature (bright lines and spots) over",
}


class Feature(NamedTuple):
    """One column of what the classifier sees."""

    channel: str
    kind: str
    scale_um: float

    @property
    def in_words(self) -> str:
        """What it is, for instance "brightness smoothed over 0.08 µm, CBS"."""
        words = f"{_WORDS[self.kind]} {self.scale_um:.3g} µm"
        return f"{words}, {self.channel}" if self.channel else words


@dataclass(frozen=True)
class FilterBank:
    """Features of images with some channels, at some scales.

    Attributes
    ----------
    ndim : int
        2 or 3.
    channels : tuple of str
        Their names; one empty name where an image has no channels.
    scales_um : tuple of float
        Standard deviations of the Gaussians in µm.
    kinds : tuple of str
        Out of ``intensity, edges, texture, hessian``.
    shift : tuple of float
        Per channel a grey value about which squares are taken, so that single precision does for them.
    """

    ndim: int
    channels: tuple[str, ...]
    scales_um: tuple[float, ...]
    kinds: tuple[str, ...]
    shift: tuple[float, ...] = ()

    def shifted(self, shift: npt.NDArray[np.float64]) -> FilterBank:
        """Return the same bank with another shift, rounded to single precision."""
        with np.errstate(over="ignore"):  # tiles refuse what is too large
            return replace(self, shift=tuple(float(v) for v in shift.astype(np.float32)))

    @property
    def columns(self) -> list[Feature]:
        """The features in the order of their columns.

        Examples
        --------
        >>> bank = FilterBank(2, ("CBS",), (0.04, 0.08), ("intensity", "hessian"))
        >>> [column.kind for column in bank.columns[:3]], bank.columns[3].in_words
        (['intensity', 'hessian largest', 'hessian smallest'], 'brightness smoothed over 0.08 µm, CBS')
        """
        kinds = [kind for chosen in KINDS if chosen in self.kinds for kind in self._parts(chosen)]
        return [Feature(*what) for what in self._ordered(kinds)]

    def _ordered(self, kinds: list[str]) -> Iterator[tuple[str, str, float]]:
        for channel, scale_um in product(self.channels, self.scales_um):
            for kind in kinds:
                yield channel, kind, scale_um

    def _parts(self, kind: str) -> tuple[str, ...]:
        if kind != "hessian":
            return (kind,)
        middle = ("hessian middle",) if self.ndim == 3 else ()
        return ("hessian largest", *middle, "hessian smallest")

    def sigmas(self, voxel_um: tuple[float, ...]) -> list[tuple[float, ...]]:
        """Return the scales in voxels along each axis."""
        return [tuple(scale / edge for edge in voxel_um) for scale in self.scales_um]

    def margin(self, voxel_um: tuple[float, ...]) -> tuple[int, ...]:
        """Return how many voxels a feature takes in to each side, along each axis."""
        widest = max(self.scales_um)
        return tuple(reach(widest / edge) + MARGIN for edge in voxel_um)

    def rows(
        self, block: Plane, voxel_um: tuple[float, ...], wanted: set[tuple[int, ...]] | None = None
    ) -> Iterator[tuple[tuple[int, ...], Plane]]:
        """Walk over the rows of cells of a block: where each begins in cells, and its features.

        Parameters
        ----------
        block : numpy.ndarray
            float32, channel first, with :meth:`margin` voxels all around; whole cells within it.
        voxel_um : tuple of float
            Edges of a voxel.
        wanted : set of tuple of int, optional
            Rows that are needed; by default all.

        Yields
        ------
        tuple
            Place of the row, and float32 with dims cell, column, voxel of the cell; overwritten by the next.
        """
        smoothed = self._smoothed(block, voxel_um)
        cell = CELL[self.ndim]
        margin = self.margin(voxel_um)
        cells = [(n - 2 * m) // c for n, m, c in zip(block.shape[1:], margin, cell, strict=True)]
        out = np.empty((cells[-1], len(self.columns), LANES), np.float32)
        per_step = np.array([min(voxel_um) / edge for edge in voxel_um], np.float32)
        for row in product(*(range(n) for n in cells[:-1])):
            if wanted is None or row in wanted:
                self._fill(smoothed, row, per_step, out)
                yield row, out

    def _smoothed(self, block: Plane, voxel_um: tuple[float, ...]) -> list[tuple[Plane, Plane]]:
        """Smooth each channel at each scale, and its squares where the texture needs them."""
        margin = self.margin(voxel_um)
        planes = []
        for grey, shift in zip(block, self.shift, strict=True):
            centred = grey - np.float32(shift)
            squares = centred * centred if "texture" in self.kinds else None
            for sigma in self.sigmas(voxel_um):
                spare = [m - reach(s) - MARGIN for m, s in zip(margin, sigma, strict=True)]
                part = tuple(slice(n, size - n) for n, size in zip(spare, grey.shape, strict=True))
                mean = smooth(centred[part], sigma)
                planes.append((mean, mean if squares is None else smooth(squares[part], sigma)))
        return planes

    def _fill(self, smoothed: Any, row: tuple[int, ...], per_step: Any, out: Plane) -> None:
        first = 0
        for number, (mean, squares) in enumerate(smoothed):
            places = np.full(len(KINDS), -1)
            for k, kind in enumerate(KINDS):
                if kind in self.kinds:
                    places[k] = first
                    first += len(self._parts(kind))
            shift = np.float32(self.shift[number // len(self.scales_um)])
            if self.ndim == 2:
                square_cells(mean, squares, row[0], shift, per_step, places, out)
            else:
                cube_cells(mean, squares, row, shift, per_step, places, out)
