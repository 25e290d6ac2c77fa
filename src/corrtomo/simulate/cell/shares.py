"""What share of each voxel of a coarse image the layers of a wound cell fill."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..limits import as_array, check_edge, check_origin, check_pose, check_shape
from ..raster import View
from .layers import LAYERS, OPEN
from .roll import JellyRoll
from .winding import fill_codes, fill_shares

Array = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]
POINTS = 8
_FINE = 8
_MOST_PIXELS = 3e7
_MOST_SAMPLES = 2e8
_NO_TEXTURES = (np.zeros((1, 1, 1), np.uint8), np.zeros((1, 1, 1), np.uint8))


@dataclass(frozen=True, eq=False)
class Shares:
    """Shares of voxels, as what is the same in all slices and what is not.

    Attributes
    ----------
    plane : numpy.ndarray
        Share of each pixel that each layer fills, far below all tops; dims code, y, x.
    heights : numpy.ndarray
        Share of each slice below the top of each layer; dims code, z.
    patches : list of tuple
        First voxel z, y, x of a block around an outgrowth, and what it adds to the shares; dims code, z, y,
        x.
    """

    plane: Floats
    heights: Array
    patches: list[tuple[tuple[int, int, int], Floats]]

    def weighted(self, by_code: Array) -> Floats:
        """Return the sum of the shares of each voxel times a number for each layer; dims z, y, x."""
        factors = (self.heights * by_code[:, None]).astype(np.float32)
        codes, rows, columns = self.plane.shape
        out = factors.T @ self.plane.reshape(codes, -1)
        out = out.reshape(-1, rows, columns)
        for (z, y, x), added in self.patches:
            block = np.tensordot(by_code.astype(np.float32), added, 1)
            out[z : z + block.shape[0], y : y + block.shape[1], x : x + block.shape[2]] += block
        return np.asarray(out, np.float32)


def shares(
    specimen: JellyRoll,
    voxel_um: float | tuple[float, float],
    *,
    shape: tuple[int, int, int],
    origin: float | tuple[float, float, float],
    pose: npt.ArrayLike | None = None,
    points: int = POINTS,
) -> Shares:
    """Find what share of each voxel of an upright window each layer fills.

    Foils are far thinner than a voxel of an overview, and still dim a ray by what they are: their shares are
    kept. Layers do not change along z below their tops, so each pixel is sampled in its plane once, at
    `points` × `points` places, and heights are exact; around outgrowths voxels are sampled at 8 × 8 × 8.

    Parameters
    ----------
    specimen : JellyRoll
        From :func:`jelly_roll`.
    voxel_um : float or tuple of float
        Edge of a voxel, or that along z, and that along y and x.
    shape, origin : tuple
        Number of voxels along z, y, x, and centre of the first in µm.
    pose : array_like, optional
        4 × 4 from the frame of the cell to that of the window; it may turn about z, and shift.
    points : int
        Samples along an edge.

    Raises
    ------
    ValueError
        If the pose leans, or the window has too many pixels.
    """
    check_shape(shape)
    start, frame = check_origin(origin), check_pose(pose)
    edges = edges_of(voxel_um)
    if abs(frame[0, 0] - 1) > 1e-9:
        raise ValueError(
            "Cannot find shares in a window that leans against the cell: its z must be that of the cell. Use "
            "a pose that turns about z and shifts, or JellyRoll.layers()."
        )
    if shape[1] * shape[2] > _MOST_PIXELS:
        raise ValueError(
            f"Cannot find shares in slices of {shape[1]} × {shape[2]} pixels: {_MOST_PIXELS:.0e} at most fit "
            "into memory. Give larger voxels, or fewer."
        )
    turn, shift = np.ascontiguousarray(frame[1:3, 1:3]), frame[1:3, 3].copy()
    plane = np.zeros((len(LAYERS), *shape[1:]), np.float32)
    fill_shares(plane, specimen.winding, points, float(edges[1]), start[1:], turn, shift)
    low = start[0] - frame[0, 3] + edges[0] * (np.arange(shape[0]) - 0.5)
    tops = specimen.winding.tops[:, None]
    heights = np.clip((low + edges[0] - tops) / edges[0], 0.0, 1.0)
    heights[OPEN] = 1.0
    patches = _patches(specimen, View(edges, start, shape, frame))
    return Shares(plane, heights, patches)


def edges_of(voxel_um: Any) -> Array:
    """Return the edges of a voxel along z, y and x, from one or from that along z and that in the plane."""
    given = as_array(voxel_um)
    if given.shape not in ((), (2,)):
        raise ValueError(
            f"Cannot image with voxel_um {voxel_um!r}: one edge in µm is needed, or two, along z and along y "
            "and x. Pass for instance (34.0, 26.0)."
        )
    up, across = (check_edge(edge, "voxel_um") for edge in np.broadcast_to(given, 2))
    return np.array([up, across, across])


def _patches(specimen: JellyRoll, view: View) -> list[tuple[tuple[int, int, int], Floats]]:
    """Return what each outgrowth changes."""
    patches = []
    for bump in specimen.bumps:
        centre = view.pose[:3, :3] @ bump[:3] + view.pose[:3, 3]
        reach = max(bump[6], bump[7])
        at = (centre - view.origin_um) / view.voxel_um
        first = np.maximum(np.floor(at - reach / view.voxel_um), 0).astype(int)
        last = np.minimum(np.ceil(at + reach / view.voxel_um) + 1, view.shape).astype(int)
        if (last <= first).any():
            continue
        n = last - first
        if float(np.prod(n * float(_FINE))) > _MOST_SAMPLES:
            raise ValueError(
                f"Cannot find shares in voxels of {view.voxel_um[1]:g} µm around an outgrowth of {reach:.3g} "
                "µm: too many samples are needed. Voxels so fine show it: take JellyRoll.layers()."
            )
        fine = view.voxel_um / _FINE
        origin = view.origin_um + (first - 0.5) * view.voxel_um + fine / 2
        some = View(fine, origin, (int(n[0]) * _FINE, int(n[1]) * _FINE, int(n[2]) * _FINE), view.pose)
        grown, bare = (_counted(specimen, some, one) for one in (bump[None], np.empty((0, len(bump)))))
        patches.append(((int(first[0]), int(first[1]), int(first[2])), grown - bare))
    return patches


def _counted(specimen: JellyRoll, fine: View, bumps: Array) -> Floats:
    """Return the share of each layer in blocks of samples, with some outgrowths."""
    codes = np.empty(fine.shape, np.uint8)
    fill_codes(
        codes, specimen.winding, bumps, _NO_TEXTURES, False, fine.voxel_um, fine.origin_um,
        np.ascontiguousarray(fine.pose[:3, :3]), fine.pose[:3, 3].copy(),
    )  # fmt: skip
    z, y, x = (n // _FINE for n in fine.shape)
    blocks = codes.reshape(z, _FINE, y, _FINE, x, _FINE)
    found = [(blocks == code).mean(axis=(1, 3, 5), dtype=np.float32) for code in range(len(LAYERS))]
    return np.stack(found)
