"""Ranks within fixed tiles, and their blend: the fast way to equalise a histogram adaptively."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit, prange

GREYS = 256
Grey = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Axis:
    """Tiles along one axis, and for each voxel the two whose ranks are blended.

    Attributes
    ----------
    edges : numpy.ndarray
        First voxel of each tile, and the end of the last one.
    lower, upper : numpy.ndarray
        For each voxel the tile whose middle lies before it, and the next; the same one near the ends.
    weight : numpy.ndarray
        Weight of the upper one.
    """

    edges: Ints
    lower: Ints
    upper: Ints
    weight: npt.NDArray[np.float32]

    @classmethod
    def of(cls, voxels: int, tile: float) -> Axis:
        """Cut an axis into even tiles, as near to a size as whole numbers of tiles allow.

        Examples
        --------
        >>> axis = Axis.of(10, 4.0)
        >>> axis.edges.tolist(), axis.lower.tolist(), axis.upper.tolist()
        ([0, 5, 10], [0, 0, 0, 0, 0, 0, 0, 1, 1, 1], [0, 0, 1, 1, 1, 1, 1, 1, 1, 1])
        """
        edges = np.rint(np.linspace(0, voxels, max(1, round(voxels / tile)) + 1)).astype(np.int64)
        middle = (edges[:-1] + edges[1:] - 1) / 2
        at = np.arange(voxels)
        before = np.searchsorted(middle, at, side="right") - 1
        lower = np.clip(before, 0, len(middle) - 1)
        upper = np.clip(before + 1, 0, len(middle) - 1)
        apart = np.where(upper > lower, middle[upper] - middle[lower], 1.0)
        weight = ((at - middle[lower]) / apart).astype(np.float32)
        return cls(edges, lower, upper, np.where(upper > lower, weight, np.float32(0.0)))

    def needed(self, part: slice) -> slice:
        """Return the voxels of all tiles that a part of the axis needs."""
        first, last = self.lower[part.start], self.upper[part.stop - 1]
        return slice(int(self.edges[first]), int(self.edges[last + 1]))


def blend_tiles(grey: Grey, axes: tuple[Axis, Axis, Axis], inner: tuple[slice, ...], clip: float) -> Grey:
    """Equalise a part of a volume.

    Parameters
    ----------
    grey : numpy.ndarray
        The voxels that the part needs, :meth:`Axis.needed` of each axis.
    axes : tuple of Axis
        Tiles of the whole volume.
    inner : tuple of slice
        The part, in voxels of the whole volume.
    clip : float
        Largest share of a tile's voxels that one grey value may have.
    """
    first = [axis.needed(part).start for axis, part in zip(axes, inner, strict=True)]
    out = np.empty([part.stop - part.start for part in inner], np.uint8)
    z, y, x = axes
    tiles = [
        range(int(a.lower[p.start]), int(a.upper[p.stop - 1]) + 1) for a, p in zip(axes, inner, strict=True)
    ]
    ends_y, ends_x = (
        axis.edges[span.start : span.stop + 1] - start
        for axis, span, start in zip((y, x), tiles[1:], first[1:], strict=True)
    )
    layers: dict[int, Any] = {}
    planes = np.arange(inner[0].start, inner[0].stop)
    for pair in sorted({(int(z.lower[i]), int(z.upper[i])) for i in planes}):
        layers = {t: layers[t] for t in pair if t in layers}  # two layers of tiles at a time
        for t in pair:
            if t not in layers:
                slab = grey[z.edges[t] - first[0] : z.edges[t + 1] - first[0]]
                layers[t] = _layer(slab, ends_y, ends_x, clip)
        here = planes[(z.lower[planes] == pair[0]) & (z.upper[planes] == pair[1])]
        part = slice(int(here[0]) - first[0], int(here[-1]) + 1 - first[0])
        into = slice(int(here[0]) - inner[0].start, int(here[-1]) + 1 - inner[0].start)
        window = tuple(slice(p.start - f, p.stop - f) for p, f in zip(inner[1:], first[1:], strict=True))
        rows, columns = (
            (axis.lower[p] - span.start, axis.upper[p] - span.start, axis.weight[p])
            for axis, p, span in zip((y, x), inner[1:], tiles[1:], strict=True)
        )
        near, far = layers[pair[0]], layers[pair[1]]
        _blend(grey[part, *window], near, far, z.weight[here], rows, columns, out[into])
    return out


@njit(cache=True, parallel=True)
def _layer(slab: Any, ends_y: Any, ends_x: Any, clip: float) -> Any:
    """Return the rank, 0 to 255, of each grey value in each tile of a layer."""
    rows, columns = len(ends_y) - 1, len(ends_x) - 1
    ranks = np.empty((rows, columns, GREYS), np.float32)
    for tile in prange(rows * columns):
        j, i = tile // columns, tile % columns
        part = slab[:, ends_y[j] : ends_y[j + 1], ends_x[i] : ends_x[i + 1]]
        counts = _count(part)
        if clip < 1.0:
            spread(counts, clip * part.size)
        below = 0.0
        for g in range(GREYS):
            ranks[j, i, g] = (GREYS - 1) * (below + 0.5 * counts[g]) / part.size
            below += counts[g]
    return ranks


@njit(cache=True)
def _count(part: Any) -> Any:
    counts = np.zeros(GREYS)
    for k in range(part.shape[0]):
        for j in range(part.shape[1]):
            for i in range(part.shape[2]):
                counts[part[k, j, i]] += 1.0
    return counts


@njit(cache=True)
def spread(counts: Any, limit: float) -> None:
    """Cut a histogram at a limit and give what is above, in even parts, to all that stay below it."""
    limit = max(limit, counts.sum() / counts.size)
    excess = np.maximum(counts - limit, 0.0).sum()
    np.minimum(counts, limit, counts)
    while excess > 1e-6:
        room = counts < limit
        share = excess / max(1, room.sum())
        excess = 0.0
        for g in range(counts.size):
            if room[g]:
                counts[g] += share
                excess += max(0.0, counts[g] - limit)
                counts[g] = min(counts[g], limit)
        if not room.any():
            break


@njit(cache=True, parallel=True)
def _blend(grey: Any, low: Any, high: Any, weight_z: Any, y: Any, x: Any, out: Any) -> None:
    rows = grey.shape[1]
    for row in prange(grey.shape[0] * rows):
        k, j = row // rows, row % rows
        wz, wy = weight_z[k], y[2][j]
        a, b = y[0][j], y[1][j]
        for i in range(grey.shape[2]):
            g, c, d, wx = grey[k, j, i], x[0][i], x[1][i], x[2][i]
            near = (1 - wy) * ((1 - wx) * low[a, c, g] + wx * low[a, d, g])
            near += wy * ((1 - wx) * low[b, c, g] + wx * low[b, d, g])
            far = (1 - wy) * ((1 - wx) * high[a, c, g] + wx * high[a, d, g])
            far += wy * ((1 - wx) * high[b, c, g] + wx * high[b, d, g])
            out[k, j, i] = np.uint8((1 - wz) * near + wz * far + np.float32(0.5))
