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
    tile : int
        Voxels of a tile; the first one begins at the first voxel.
    source : numpy.ndarray
        Voxel at each place of the tiles; what the last tile lacks is mirrored at the last voxel.
    lower, upper : numpy.ndarray
        For each voxel the tile whose middle lies before it, and the next; the same one near the ends.
    weight : numpy.ndarray
        Weight of the upper one.
    """

    tile: int
    source: Ints
    lower: Ints
    upper: Ints
    weight: npt.NDArray[np.float32]

    @classmethod
    def of(cls, voxels: int, tile: int) -> Axis:
        """Cut an axis into tiles, and place their middles as scikit-image does.

        Examples
        --------
        >>> axis = Axis.of(7, 4)
        >>> axis.source.tolist(), axis.lower.tolist(), axis.upper.tolist()
        ([0, 1, 2, 3, 4, 5, 6, 5], [0, 0, 0, 0, 0, 0, 1], [0, 0, 1, 1, 1, 1, 1])
        """
        count = -(-voxels // tile)
        source = np.pad(np.arange(voxels), (0, count * tile - voxels), mode="reflect")
        upper, past = np.divmod(np.arange(voxels) + tile // 2, tile)
        lower = np.clip(upper - 1, 0, count - 1)
        return cls(tile, source, lower, np.clip(upper, 0, count - 1), (past / tile).astype(np.float32))

    def places(self, tiles: range) -> Ints:
        """Return the voxels of consecutive tiles, in the order of their places."""
        return self.source[tiles.start * self.tile : tiles.stop * self.tile]

    def tiles(self, part: slice) -> range:
        """Return the tiles that a part of the axis needs."""
        return range(int(self.lower[part.start]), int(self.upper[part.stop - 1]) + 1)

    def needed(self, part: slice) -> slice:
        """Return the voxels of all tiles that a part of the axis needs."""
        voxels = self.places(self.tiles(part))
        return slice(int(voxels.min()), int(voxels.max()) + 1)


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
    spans = [axis.tiles(part) for axis, part in zip(axes, inner, strict=True)]
    out = np.empty([part.stop - part.start for part in inner], np.uint8)
    z = axes[0]
    y, x = (axis.places(span) - n for axis, span, n in zip(axes[1:], spans[1:], first[1:], strict=True))
    rows, columns = (
        (axis.lower[p] - span.start, axis.upper[p] - span.start, axis.weight[p])
        for axis, p, span in zip(axes[1:], inner[1:], spans[1:], strict=True)
    )
    plane = tuple(slice(p.start - n, p.stop - n) for p, n in zip(inner[1:], first[1:], strict=True))
    layers: dict[int, Any] = {}
    planes = np.arange(inner[0].start, inner[0].stop)
    for pair in sorted({(int(z.lower[k]), int(z.upper[k])) for k in planes}):
        layers = {t: layers[t] for t in pair if t in layers}  # two layers of tiles at a time
        for t in pair:
            if t not in layers:
                deep = z.places(range(t, t + 1)) - first[0]
                layers[t] = _layer(grey, deep, y, x, (axes[1].tile, axes[2].tile), clip)
        here = planes[(z.lower[planes] == pair[0]) & (z.upper[planes] == pair[1])]
        part = grey[here[0] - first[0] : here[-1] + 1 - first[0], *plane]
        into = out[here[0] - inner[0].start : here[-1] + 1 - inner[0].start]
        _blend(part, layers[pair[0]], layers[pair[1]], z.weight[here], rows, columns, into)
    return out


@njit(cache=True, parallel=True)
def _layer(grey: Any, z: Any, y: Any, x: Any, size: tuple[int, int], clip: float) -> Any:
    """Return the rank, 0 to 255, of each grey value in each tile of a layer: the share not brighter."""
    rows, columns = len(y) // size[0], len(x) // size[1]
    ranks = np.empty((rows, columns, GREYS), np.float32)
    for tile in prange(rows * columns):
        j, i = tile // columns, tile % columns
        ys, xs = y[j * size[0] : (j + 1) * size[0]], x[i * size[1] : (i + 1) * size[1]]
        counts = _count(grey, z, ys, xs)
        voxels = len(z) * len(ys) * len(xs)
        if clip < 1.0:
            spread(counts, np.floor(clip * voxels))
        total = 0.0
        for g in range(GREYS):
            total += counts[g]
            ranks[j, i, g] = (GREYS - 1) * total / voxels
    return ranks


@njit(cache=True)
def _count(grey: Any, z: Any, y: Any, x: Any) -> Any:
    counts = np.zeros(GREYS)
    for k in z:
        for j in y:
            for i in x:
                counts[grey[k, j, i]] += 1.0
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
