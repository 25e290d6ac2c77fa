"""Fine labels onto a coarse grid: the majority by exact volume share."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import SimpleITK
from scipy import ndimage
from scipy.spatial.transform import Rotation

import corrtomo as ct

from .data import phases_and_grey
from .table import Row
from .timing import ours, run, theirs

_RATIO = 0.438 / 0.0336
_PHASES = 3


def rows(size: int) -> Iterator[Row | str]:
    labels, _ = phases_and_grey(size)
    fine = ct.volume(labels.values, 0.0336)
    shape = tuple(int(n / _RATIO) for n in fine.shape)
    middle = (0.438 - 0.0336) / 2
    grid = ct.volume(np.broadcast_to(np.uint8(0), shape), 0.438, origin=middle)

    mine = ours(lambda: ct.register.coarsen(fine, grid))
    step = f"majority on {shape[0]}³ voxels, ratio {_RATIO:.2f}"
    shares = run(lambda: _by_shares(fine.values, shape))
    assert (mine.result.values == shares.result).mean() > 0.999  # it rounds shares to 32 bits
    yield Row(step, size, mine, "NumPy, one share a phase", shares)
    peer = theirs(lambda: _by_itk(fine.values, shape))
    agree = float((peer.result == mine.result.values).mean())
    yield Row(step, size, mine, f"SimpleITK, label Gaussian ({100 * agree:.0f} % the same)", peer)
    peer = theirs(
        lambda: ndimage.zoom(fine.values, [m / n for m, n in zip(shape, fine.shape, strict=True)], order=0)
    )
    agree = float((peer.result == mine.result.values).mean())
    yield Row(step, size, mine, f"SciPy, nearest ({100 * agree:.0f} % the same)", peer)

    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", (3, -4, 5), degrees=True).as_matrix()
    pose = SimpleNamespace(matrix=matrix)
    turned = ours(lambda: ct.register.coarsen(fine, grid, alignment=pose))
    yield Row("the same through a rotation", size, turned, "NumPy, one share a phase, not turned", shares)


def _by_shares(fine: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Overlap of each fine voxel with each coarse one, an axis at a time, for each phase."""
    best, winner = np.full(shape, -1.0), np.zeros(shape, np.uint8)
    for code in range(_PHASES):
        share = (fine == code).astype(np.float32)
        for axis, count in enumerate(shape):
            low = _RATIO * np.arange(count)[:, None]
            at = np.arange(share.shape[axis])
            both = (np.minimum(low + _RATIO, at + 1) - np.maximum(low, at)).clip(0).astype(np.float32)
            share = np.moveaxis(np.tensordot(both, share, (1, axis)), 0, axis)
        more = share > best + 1e-3
        winner[more], best[more] = code, share[more]
    return winner


def _by_itk(fine: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    start, along = [(_RATIO - 1) / 2] * 3, np.eye(3).ravel()
    grid = ([int(n) for n in reversed(shape)], SimpleITK.Transform(), SimpleITK.sitkLabelGaussian, start)
    return SimpleITK.GetArrayFromImage(
        SimpleITK.Resample(SimpleITK.GetImageFromArray(fine), *grid, [_RATIO] * 3, along)
    )
