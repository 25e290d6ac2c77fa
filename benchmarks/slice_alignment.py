"""Slice alignment: a made-up slice-and-view stack of known drift, and what the common tools make of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy import ndimage
from scipy.special import expit
from skimage.registration import phase_cross_correlation

import corrtomo as ct

from .table import Row
from .timing import Run, ours, theirs

_TILT = 36.0
_PIXEL, _STEP = 0.025, 0.05
_FADING = 0.7  # pixels, at the edge of a mark
_ROOM = 240  # pixels along x that four marks need; with fewer there are two
_PEER_SLICES = 60
_PUBLISHED = (300, 768, 1024)


def rows(size: int) -> Iterator[Row | str]:
    stack, marks, truth = recorded((size, size, size))
    mark_um = 2 * _PIXEL * _radius(size)
    mine = ours(lambda: ct.reconstruct.drift_from_marks(stack, marks, mark_um=mark_um, progress=False))
    least = ours(lambda: ct.reconstruct.drift_from_neighbours(stack, progress=False))
    assert worst(mine.result, truth) < 0.6
    part = stack[: min(size, _PEER_SLICES)].values
    larger = (size - 1) / (len(part) - 1)
    found = {"marks": worst(mine.result, truth), "neighbours": worst(least.result, truth)}
    skimage = theirs(lambda: _by_scikit_image(part))
    found["scikit-image"] = farthest(skimage.result, truth[: len(part)])
    yield Row("drift from marks", size, mine, "scikit-image, neighbours, 1/20 pixel", skimage, larger)
    yield Row("drift from neighbours", size, least, "scikit-image, neighbours, 1/20 pixel", skimage, larger)
    if find_spec("pystackreg") is not None:
        library = import_module("pystackreg")
        stackreg = theirs(lambda: _by_stackreg(library, part))
        found["pystackreg"] = farthest(stackreg.result, truth[: len(part)])
        yield Row("drift from marks", size, mine, "pystackreg, translation", stackreg, larger)
        yield Row("drift from neighbours", size, least, "pystackreg, translation", stackreg, larger)
    yield (
        "Farthest that a slice is put from where it lies, in pixels: "
        + ", ".join(f"{name} {gap:.2f}" for name, gap in found.items())
        + f". Peers on the first {len(part)} slices, their time multiplied; ours on {size}."
    )
    volume = ours(lambda: ct.reconstruct.slices(stack, tilt_deg=_TILT, positions=mine.result, progress=False))
    peer = theirs(lambda: _by_scipy(stack[:16].values, mine.result))
    yield Row("tilt, drift, thickness, cubes", size, volume, "SciPy, affine and interp", peer, size / 16)
    if size >= 512:
        yield _published()


def recorded(shape: tuple[int, int, int]) -> tuple[xr.DataArray, pd.DataFrame, np.ndarray]:
    """Record a periodic texture under a coating with four marks; the truth is drift along y and x, pixels."""
    rng = np.random.default_rng(0)
    texture = ndimage.gaussian_filter(rng.normal(size=(64, 256, 256)), 3, mode="wrap")
    texture = 110 + 40 * texture / texture.std()
    drift = np.cumsum(rng.normal(0, 0.3, (shape[0], 2)), axis=0)
    drift = np.clip(drift - drift[0], -4, 4)
    depth = np.concatenate([[0], np.cumsum(rng.normal(1, 0.1, shape[0] - 1).clip(0.5))])
    slope = 0.12 * min(1.0, shape[2] / shape[0])  # pixels a slice, so that marks stay in view
    few = shape[2] < _ROOM
    columns = np.array([0.33, 0.67] if few else [0.12, 0.4, 0.6, 0.88]) * shape[2]
    slopes = np.array([-slope, slope] if few else [0.0, -slope, slope, 0.0])
    radius = _radius(shape[2])
    images = np.empty(shape, np.uint8)
    for k in range(shape[0]):
        y, x = np.arange(shape[1]) - drift[k, 0], np.arange(shape[2]) - drift[k, 1]
        scene = ndimage.shift(texture[k % 64], drift[k], order=1, mode="grid-wrap")
        grey = np.tile(scene, [-(-n // 256) for n in shape[1:]])[: shape[1], : shape[2]].copy()
        top = y < 40
        off = np.hypot(y[top, None, None] - 20, x[None, :, None] - columns - slopes * depth[k])
        grey[top] = 220 - 150 * expit((radius - off) / _FADING).max(axis=2)
        images[k] = np.clip(grey + rng.normal(0, 8, grey.shape), 0, 255)
    table = pd.DataFrame({"y_um": 20 * _PIXEL, "x_um": columns * _PIXEL, "slope": slopes * _PIXEL / _STEP})
    return ct.volume(images, (_STEP, _PIXEL, _PIXEL)), table, drift


def _radius(pixels: int) -> float:
    return 6.0 if pixels >= 100 else 3.0


def worst(found: pd.DataFrame, truth: np.ndarray) -> float:
    return farthest(found[["y_um", "x_um"]].to_numpy() / _PIXEL, truth)


def farthest(found: np.ndarray, truth: np.ndarray) -> float:
    return float(np.hypot(*(found - truth).T).max())


def _by_scikit_image(images: np.ndarray) -> np.ndarray:
    steps = [-phase_cross_correlation(a, b, upsample_factor=20)[0] for a, b in pairwise(images)]
    return np.cumsum([np.zeros(2), *steps], axis=0)


def _by_stackreg(library: Any, images: np.ndarray) -> np.ndarray:
    method = library.StackReg(library.StackReg.TRANSLATION)
    return method.register_stack(images.astype(float), reference="previous")[:, 1::-1, 2]


def _by_scipy(images: np.ndarray, where: pd.DataFrame) -> np.ndarray:
    """Move and stretch each image, then interpolate between them: two passes over the stack."""
    cosine = np.cos(np.deg2rad(_TILT))
    shift = where[["y_um", "x_um"]].to_numpy() / _PIXEL
    shape = (int(images.shape[1] / cosine), images.shape[2])
    flat = [
        ndimage.affine_transform(image.astype(np.float32), (cosine, 1.0), by, shape, order=1)
        for image, by in zip(images, shift, strict=False)
    ]
    z = where["z_um"].to_numpy()[: len(images)]
    stack = xr.DataArray(np.array(flat), dims=("z", "y", "x"), coords={"z": z})
    return stack.interp(z=np.arange(0, z[-1], _PIXEL)).round().astype(np.uint8).values


def _published() -> str:
    """Time the size of the paper: 300 images of 768 × 1024 pixels."""
    stack, marks, truth = recorded(_PUBLISHED)
    timed: dict[str, Callable[[], Any]] = {
        "drift from marks": lambda: ct.reconstruct.drift_from_marks(stack, marks, progress=False),
        "drift from neighbours": lambda: ct.reconstruct.drift_from_neighbours(stack, progress=False),
        "slices onto cubes of 25 nm": lambda: ct.reconstruct.slices(
            stack, tilt_deg=_TILT, marks=marks, progress=False
        ),
    }
    runs: dict[str, Run] = {name: ours(call) for name, call in timed.items()}
    assert worst(runs["drift from marks"].result, truth) < 0.6
    lines = [f"{name} {one.seconds:.1f} s, {one.peak_mb:.0f} MB added" for name, one in runs.items()]
    volume = runs["slices onto cubes of 25 nm"].result
    return f"Published size {_PUBLISHED}: {'; '.join(lines)} (the volume has {volume.shape} voxels)."
