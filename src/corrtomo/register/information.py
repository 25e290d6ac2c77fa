"""Mutual information: how well the grey values of one image tell those of another, and its maximum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import SimpleITK
import xarray as xr

from ..volume import origin, voxel_size
from .frames import Floats, Grey, move

sitk: Any = SimpleITK  # its functions carry no types
Kind = Literal["rigid", "similarity", "affine"]
_BINS = 32
SAMPLES = 60_000
_ITERATIONS = 200
_LEAST_SMOOTHED = 4
"""Voxels along each axis that SimpleITK's smoothing needs; a section of one slice is smoothed beforehand."""
# Sums over threads depend on which ends first: with one the last digit is the same on every run.
_THREADS = 1


@dataclass(frozen=True)
class Maximum:
    """Where the mutual information of two images has a maximum; `matrix` goes from the first to the other."""

    matrix: Floats
    metric: float
    iterations: int
    stop: str
    converged: bool


def maximise(
    first: xr.DataArray,
    other: xr.DataArray,
    start: Floats,
    *,
    kind: Kind,
    samples: int = SAMPLES,
    seed: int = 0,
) -> Maximum:
    """Find the transform from `first` to `other` of largest mutual information near `start`.

    Mattes' estimate with 32 bins at up to `samples` points of `first`, on an even lattice with a seeded
    jitter; regular-step gradient descent whose steps are scaled by how far they move the image.
    """
    # Both frames are centred: far from its origin, a turn is hard to tell from a shift in floats.
    here = np.array([(float(first[d][0]) + float(first[d][-1])) / 2 for d in first.dims])
    there = move(start, here)
    begin = _shift(-there) @ start @ _shift(here)
    images = _to_sitk(first, here), _to_sitk(other, there)
    ndim, edge = first.ndim, float(np.mean(voxel_size(first)))
    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(_THREADS)  # read when the method is made
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(_BINS)
    share = min(1.0, samples / first.size)
    if share < 1.0:
        method.SetMetricSamplingStrategy(method.REGULAR)
        method.SetMetricSamplingPercentage(share, seed + 1)  # a seed of 0 would mean the clock
    method.SetInterpolator(sitk.sitkLinear)
    method.SetShrinkFactorsPerLevel([1])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    method.SetSmoothingSigmasPerLevel([0.7 * edge if min(first.shape) >= _LEAST_SMOOTHED else 0.0])
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=edge,
        minStep=2e-4 * edge,
        numberOfIterations=_ITERATIONS,
        relaxationFactor=0.75,
        gradientMagnitudeTolerance=1e-9,
    )
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetMovingInitialTransform(_affine(begin))
    change = _change(kind, ndim)
    method.SetInitialTransform(change, inPlace=True)
    try:
        method.Execute(*images)
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)
    stop = str(method.GetOptimizerStopConditionDescription()).split(": ", 1)[-1]
    return Maximum(
        matrix=_shift(there) @ begin @ _matrix(change, ndim) @ _shift(-here),
        metric=-float(method.GetMetricValue()),
        iterations=int(method.GetOptimizerIteration()),
        stop=stop.strip(),
        converged="Maximum number of iterations" not in stop,
    )


def mutual_information(first: Grey, other: Grey, bins: int = 12) -> float:
    """Return the mutual information of paired grey values in nats, from a joint histogram.

    What a histogram of so few pairs shows by chance (Miller and Madow's term) is taken off, so that poses of
    small and of large overlap compare.
    """
    joint, _, _ = np.histogram2d(first, other, bins)
    share = joint / joint.sum()
    alone = share.sum(axis=1, keepdims=True) * share.sum(axis=0, keepdims=True)
    seen = share > 0
    used = int(seen.sum()) - int(seen.any(axis=0).sum()) - int(seen.any(axis=1).sum()) + 1
    chance = used / (2.0 * joint.sum())
    return float((share[seen] * np.log(share[seen] / alone[seen])).sum() - chance)


def _shift(by: Floats) -> Floats:
    out = np.eye(len(by) + 1)
    out[:-1, -1] = by
    return out


def _to_sitk(image: xr.DataArray, middle: Floats) -> Any:
    out = sitk.GetImageFromArray(np.ascontiguousarray(image.data, np.float32))
    out.SetSpacing([float(v) for v in voxel_size(image)[::-1]])
    out.SetOrigin([float(v) for v in (np.array(origin(image)) - middle)[::-1]])
    return out


def _change(kind: Kind, ndim: int) -> Any:
    if kind == "rigid":
        return sitk.Euler3DTransform() if ndim == 3 else sitk.Euler2DTransform()
    if kind == "similarity":
        return sitk.Similarity3DTransform() if ndim == 3 else sitk.Similarity2DTransform()
    return sitk.AffineTransform(ndim)


def _affine(matrix: Floats) -> Any:
    """Turn a matrix over (z, y, x, 1) into a transform over (x, y, z)."""
    ndim = len(matrix) - 1
    out = sitk.AffineTransform(ndim)
    out.SetMatrix(matrix[:ndim, :ndim][::-1, ::-1].ravel().tolist())
    out.SetTranslation(matrix[:ndim, ndim][::-1].tolist())
    return out


def _matrix(transform: Any, ndim: int) -> Floats:
    points = np.vstack([np.zeros(ndim), np.eye(ndim)])
    moved = np.array([transform.TransformPoint(p.tolist()) for p in points])
    out = np.eye(ndim + 1)
    out[:ndim, :ndim] = (moved[1:] - moved[0]).T[::-1, ::-1]
    out[:ndim, ndim] = moved[0][::-1]
    return out
