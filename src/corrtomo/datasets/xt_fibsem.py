"""Digital twin of the LiMn2O4 cathode that Sci. Rep. 6, 30109 images by X-ray and FIB-SEM tomography."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

import dask
import dask.array
import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy.spatial.transform import Rotation

from ..phases import Phase
from ..register import coarsen
from ..segment import remove_small_features
from ..simulate.electrode import Electrode, electrode
from ..simulate.fibsem import DETECTORS, fibsem_tomography
from ..simulate.shares import Progress
from ..simulate.xray import XrayModel, xray_tomography
from ..volume import volume

Grey = npt.NDArray[np.uint8]
Matrix = npt.NDArray[np.float64]
Shape = tuple[int, int, int]

NAME = "xt-fibsem"
XRAY_UM, FIBSEM_UM = 0.438, 0.0336
# Blur, noise and window are calibrated by tools/calibrate_xt_fibsem.py over the seeds 101 to 108, with the
# Otsu threshold 110, binary kappa 0.79 and ternary threshold kappa 0.57 of the paper. The rest is assumed.
XRAY_MODEL = XrayModel(blur_um=0.56, noise=0.135, window=(-0.26, 1.34))
# Sub-voxels an edge for the majority rule: 33.7 nm, next to the FIB-SEM voxel.
TRUTH_RATIO = 13
# Two X-ray voxels: what the paper takes for the resolution limit.
SMALLEST_UM = 2 * XRAY_UM
BIN = 6
SLAB = 72
TURN_DEG = 3.0
SHIFT_UM = (2.0, 3.5, 0.8)


@dataclass(frozen=True)
class Scene:
    """What is imaged, in voxels along z, y, x: the sizes, and where the cuboid begins in the large volume."""

    cuboid: Shape
    large: Shape
    corner: Shape
    fibsem: Shape


# Sizes of the paper. Where the cuboid lies in the large volume it does not say: about the middle.
PAPER = Scene(cuboid=(24, 55, 65), large=(571, 251, 1142), corner=(270, 100, 540), fibsem=(500, 1027, 932))


# What of the large volume the size "medium" shows, in voxels along z, y, x: its shape, and where the cuboid
# begins in it. 75 × 110 × 100 µm, the whole film thick, in a few seconds.
MEDIUM, MEDIUM_CORNER = (171, 251, 228), (70, 100, 80)


@lru_cache(maxsize=2)
def specimen(seed: int, scene: Scene = PAPER) -> Electrode:
    """Return the electrode, as large as the large X-ray volume; its frame is that of the X-ray cuboid."""
    return electrode([n * XRAY_UM for n in scene.large], seed=seed)


def pose(seed: int, scene: Scene = PAPER) -> Matrix:
    """Draw how the FIB-SEM frame lies against the X-ray frame, so that it holds the whole cuboid.

    Turns of up to 3° about each axis, and shifts of the two centres against each other by up to 2.0, 3.5 and
    0.8 µm along z, y, x, uniform; drawn again until the cuboid lies inside the FIB-SEM volume.
    """
    rng = np.random.default_rng(np.random.SeedSequence([seed, 4]))
    middle = (np.array(scene.cuboid) - 1) / 2 * XRAY_UM
    target = (np.array(scene.fibsem) - 1) / 2 * FIBSEM_UM
    for _ in range(10_000):
        matrix = np.eye(4)
        turn = Rotation.from_euler("xyz", rng.uniform(-TURN_DEG, TURN_DEG, 3), degrees=True).as_matrix()
        matrix[:3, :3] = turn
        matrix[:3, 3] = target + rng.uniform(-1.0, 1.0, 3) * SHIFT_UM - turn @ middle
        if covers(matrix, scene):
            return matrix
    raise ValueError(
        f"Cannot place a FIB-SEM volume of {scene.fibsem} voxels so that it holds the X-ray cuboid of "
        f"{scene.cuboid} voxels: none of 10 000 poses did. Use a larger FIB-SEM volume."
    )


def covers(matrix: Matrix, scene: Scene = PAPER) -> bool:
    """Tell whether all corners of the X-ray cuboid lie inside the FIB-SEM volume."""
    edges = [(-XRAY_UM / 2, (n - 0.5) * XRAY_UM) for n in scene.cuboid]
    corners = np.array(list(product(*edges))) @ matrix[:3, :3].T + matrix[:3, 3]
    upper = (np.array(scene.fibsem) - 0.5) * FIBSEM_UM
    return bool((corners >= -FIBSEM_UM / 2).all() and (corners <= upper).all())


def xray(seed: int, scene: Scene = PAPER) -> xr.DataArray:
    """Simulate the X-ray tomogram of the cuboid."""
    return xray_tomography(specimen(seed, scene), XRAY_UM, shape=scene.cuboid, model=XRAY_MODEL, seed=seed)


def xray_large(seed: int, scene: Scene = PAPER, progress: Progress = iter) -> xr.DataArray:
    """Simulate the large X-ray tomogram; the cuboid begins at 0 µm in it."""
    start = [-c * XRAY_UM for c in scene.corner]
    cathode = specimen(seed, scene)
    return xray_tomography(
        cathode, XRAY_UM, shape=scene.large, origin=start, model=XRAY_MODEL, seed=seed, progress=progress
    )


def xray_medium(seed: int, scene: Scene = PAPER, progress: Progress = iter) -> xr.DataArray:
    """Simulate the part of the large X-ray tomogram that the size "medium" shows."""
    start = [-c * XRAY_UM for c in MEDIUM_CORNER]
    cathode = specimen(seed, scene)
    return xray_tomography(
        cathode, XRAY_UM, shape=MEDIUM, origin=start, model=XRAY_MODEL, seed=seed, progress=progress
    )


def truth(seed: int, scene: Scene = PAPER) -> xr.DataArray:
    """Return the labels of the cuboid on the X-ray grid: majority of fine labels, small features left out."""
    fine = XRAY_UM / TRUTH_RATIO
    shape = [n * TRUTH_RATIO for n in scene.cuboid]
    labels = specimen(seed, scene).labels(fine, origin=(fine - XRAY_UM) / 2, shape=shape)
    return remove_small_features(coarsen(labels, grid(scene.cuboid, XRAY_UM)), SMALLEST_UM)


def fibsem_slab(seed: int, first: int, last: int, ratio: int = 1, scene: Scene = PAPER) -> Grey:
    """Simulate slices of the FIB-SEM tomogram, `first` to `last` at full resolution, and bin them."""
    cathode, where = specimen(seed, scene), pose(seed, scene)
    image = fibsem_tomography(
        cathode, FIBSEM_UM, shape=scene.fibsem, slices=(first, last), pose=where, seed=seed
    )
    return np.asarray(image.data) if ratio == 1 else bin_grey(image.data, ratio)


def fibsem_truth_slab(seed: int, first: int, last: int, ratio: int = 1, scene: Scene = PAPER) -> Grey:
    """Raster the labels of the same slices, without drift, and coarsen them by the majority rule."""
    shape = (last - first, *(n // ratio * ratio for n in scene.fibsem[1:]))
    start = (first * FIBSEM_UM, 0.0, 0.0)
    labels = specimen(seed, scene).labels(FIBSEM_UM, origin=start, shape=shape, pose=pose(seed, scene))
    if ratio == 1:
        return np.asarray(labels.data)
    coarse = [n // ratio for n in shape]
    start_coarse = [s + (ratio - 1) / 2 * FIBSEM_UM for s in start]
    return np.asarray(coarsen(labels, grid(coarse, FIBSEM_UM * ratio, start_coarse)).data)


def fibsem(seed: int, ratio: int = 1, scene: Scene = PAPER) -> xr.DataArray:
    """Return the FIB-SEM tomogram, lazy: a slab is simulated when its values are asked for."""
    return fibsem_image(_lazy(fibsem_slab, (2,), seed, ratio, scene), ratio)


def fibsem_truth(seed: int, ratio: int = 1, scene: Scene = PAPER) -> xr.DataArray:
    """Return the labels on the grid of the FIB-SEM tomogram, lazy."""
    return fibsem_labels(_lazy(fibsem_truth_slab, (), seed, ratio, scene), ratio)


def slabs(ratio: int, scene: Scene = PAPER) -> list[tuple[int, int]]:
    """Return first and last slice of the pieces of the FIB-SEM volume; a rest below `ratio` is cut."""
    end = scene.fibsem[0] // ratio * ratio
    return [(first, min(first + SLAB, end)) for first in range(0, end, SLAB)]


def grid(shape: Sequence[int], size_um: float, start_um: Sequence[float] = (0.0, 0.0, 0.0)) -> xr.DataArray:
    """Return an image of a grid that takes no memory."""
    return volume(np.broadcast_to(np.uint8(0), tuple(shape)), size_um, origin=start_um)


def fibsem_image(data: Any, ratio: int = 1) -> xr.DataArray:
    """Give FIB-SEM grey values their coordinates."""
    start, dims = (ratio - 1) / 2 * FIBSEM_UM, ("channel", "z", "y", "x")
    image = volume(data, FIBSEM_UM * ratio, origin=start, dims=dims, name="FIB-SEM tomogram")
    return image.assign_coords(channel=list(DETECTORS))


def fibsem_labels(data: Any, ratio: int = 1) -> xr.DataArray:
    """Give labels on the FIB-SEM grid their coordinates."""
    return as_phases(volume(data, FIBSEM_UM * ratio, origin=(ratio - 1) / 2 * FIBSEM_UM))


def as_phases(labels: xr.DataArray) -> xr.DataArray:
    """List the phases in the attributes of labels; unlike ``as_labels`` it reads no values of lazy ones."""
    return labels.assign_attrs(phases={p.name: int(p) for p in Phase})


def bin_grey(image: Grey, ratio: int) -> Grey:
    """Average blocks of the last three axes, rounded; what does not fill a block at the far ends is cut."""
    cut: npt.NDArray[Any] = image
    for axis in (-1, -2, -3):
        count = cut.shape[axis] // ratio
        cut = np.moveaxis(cut, axis, -1)[..., : count * ratio]
        cut = np.moveaxis(cut.reshape(*cut.shape[:-1], count, ratio).sum(-1, dtype=np.uint32), -1, axis)
    return ((cut + ratio**3 // 2) // ratio**3).astype(np.uint8)


# Numba's threads do not like to be started from two threads at once.
_ONE_AT_A_TIME = threading.Lock()


def _lazy(make: Callable[..., Grey], lead: tuple[int, ...], seed: int, ratio: int, scene: Scene) -> Any:
    def one(first: int, last: int) -> Grey:
        with _ONE_AT_A_TIME:
            return make(seed, first, last, ratio, scene)

    lazy: Any = dask  # its functions carry no types
    blocks = [
        lazy.array.from_delayed(
            lazy.delayed(one)(first, last),
            (*lead, (last - first) // ratio, *(n // ratio for n in scene.fibsem[1:])),
            np.uint8,
        )
        for first, last in slabs(ratio, scene)
    ]
    return lazy.array.concatenate(blocks, axis=len(lead))
