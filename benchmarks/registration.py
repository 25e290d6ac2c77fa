"""Alignment of FIB-SEM on X-ray: 20 poses of the digital twin, the published size, and peers."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
import SimpleITK
import xarray as xr
from scipy.spatial.transform import Rotation
from skimage.registration import phase_cross_correlation

import corrtomo as ct
from corrtomo.datasets import xt_fibsem
from corrtomo.simulate import FibsemModel, fibsem_tomography, xray_tomography

from .table import Row
from .timing import run

sitk = SimpleITK
_MARGIN = 34
_EDGE, _SHAPE = 0.2016, (83, 171, 155)
_HALF_VOXEL = 0.219  # µm of X-ray: beyond it an alignment has failed
_AM_EDGE = 120  # grey values of the in-lens detector below it are pores, their backs and binder


def rows(size: int) -> Iterator[Row | str]:
    fixed = large_xray()
    poses = 20 if size >= 384 else 2
    lines, true, stated = [], [], []
    for k in range(poses):
        moving, pose = posed_fibsem(k)
        mine = run(lambda moving=moving: ct.register.align(moving, fixed, progress=False))
        true.append(corner_error(mine.result.matrix, pose))
        assert true[-1] < _HALF_VOXEL
        stated.append(mine.result.error_um)
        lines.append(f"pose {k}: error {true[-1]:.3f} µm, stated {stated[-1]:.3f} µm, {mine.seconds:.1f} s")
        if k == 0:
            first = mine
            peer = run(lambda moving=moving: native(moving, fixed))
            lines.append(f"SimpleITK alone, from centre on centre: {corner_error(peer.result, pose):.2f} µm")
            start = phase_start(moving, fixed)
            lines.append(f"phase_cross_correlation, no turn: {corner_error(start, pose):.2f} µm")
    yield Row("alignment, small twin", fixed.shape[0], first, "SimpleITK, native voxels", peer)
    yield "\n".join(lines)
    yield (
        f"Error at the corners of the X-ray cuboid over {poses} poses: at most {max(true):.3f} µm, "
        f"{sum(e >= 0.11 for e in true)} of them not below 0.11 µm; root mean square "
        f"{rms(true):.3f} µm, stated {rms(stated):.3f} µm. Simulated at 0.2016 µm, up to ±10° and ±8 µm."
    )
    if size >= 512:
        moving, _ = posed_fibsem(0)
        times = (6, 6, 6)
        fine = np.kron(moving.data.astype(np.uint8), np.ones(times, np.uint8))
        fine = ct.volume(fine, _EDGE / 6, origin=-_EDGE / 2 + _EDGE / 12)
        full = run(lambda: ct.register.align(fine, fixed, progress=False))
        yield (
            f"Full size {fine.shape} (the small one, each voxel repeated: no noise of its own) "
            f"takes {full.seconds:.1f} s, {full.peak_mb:.0f} MB added."
        )


def large_xray() -> xr.DataArray:
    """Simulate the X-ray image of the cuboid with a margin, so that a shift by 8 µm keeps the overlap."""
    shape = [n + 2 * _MARGIN for n in xt_fibsem.PAPER.cuboid]
    start = [-_MARGIN * xt_fibsem.XRAY_UM] * 3
    model = xt_fibsem.XRAY_MODEL
    return xray_tomography(
        xt_fibsem.specimen(0), xt_fibsem.XRAY_UM, shape=shape, origin=start, model=model, seed=0
    )


def posed_fibsem(k: int) -> tuple[xr.DataArray, np.ndarray]:
    """Simulate the in-lens image in the k-th random pose, cut at the edge of active material."""
    rng = np.random.default_rng([1, k])
    middle = (np.array(xt_fibsem.PAPER.cuboid) - 1) / 2 * xt_fibsem.XRAY_UM
    turn = Rotation.from_euler("xyz", rng.uniform(-10, 10, 3), degrees=True).as_matrix()
    pose = np.eye(4)
    pose[:3, :3] = turn
    pose[:3, 3] = (np.array(_SHAPE) - 1) / 2 * _EDGE - turn @ (middle + rng.uniform(-8, 8, 3))
    model = FibsemModel(drift_slices=10.0)  # 60 slices of 33.6 nm
    image = fibsem_tomography(xt_fibsem.specimen(0), _EDGE, shape=_SHAPE, pose=pose, seed=k, model=model)
    return image.sel(channel="in-lens", drop=True).clip(min=_AM_EDGE), pose


def corner_error(matrix: np.ndarray, pose: np.ndarray) -> float:
    """Return the error in µm at the farthest corner of the X-ray cuboid."""
    edge = xt_fibsem.XRAY_UM
    ends = np.array(list(product(*[(-edge / 2, (n - 0.5) * edge) for n in xt_fibsem.PAPER.cuboid])))
    ends = np.c_[ends, np.ones(8)]
    return float(np.linalg.norm((ends @ pose.T @ matrix.T - ends)[:, :3], axis=1).max())


def rms(values: list[float]) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def centred(moving: xr.DataArray, fixed: xr.DataArray) -> np.ndarray:
    """Return the matrix that puts the centre of one image on that of the other."""
    out = np.eye(4)
    out[:3, 3] = [float(fixed[d].mean() - moving[d].mean()) for d in moving.dims]
    return out


def native(moving: xr.DataArray, fixed: xr.DataArray) -> np.ndarray:
    """Run SimpleITK's registration on the voxels as they are, from centre on centre."""
    images = []
    for image in (moving, fixed):
        out = sitk.GetImageFromArray(image.data.astype(np.float32))
        out.SetSpacing(list(ct.voxel_size(image)[::-1]))
        out.SetOrigin([float(image[d][0]) for d in reversed(image.dims)])
        images.append(out)
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(32)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetShrinkFactorsPerLevel([4, 2, 1])
    method.SetSmoothingSigmasPerLevel([2, 1, 0])
    method.SetOptimizerAsRegularStepGradientDescent(1.0, 1e-4, 200)
    method.SetOptimizerScalesFromPhysicalShift()
    change = sitk.CenteredTransformInitializer(
        images[0], images[1], sitk.Euler3DTransform(), sitk.CenteredTransformInitializerFilter.GEOMETRY
    )
    method.SetInitialTransform(change, inPlace=True)
    method.Execute(*images)
    origin = np.array(change.TransformPoint([0.0, 0.0, 0.0]))
    matrix = np.eye(4)
    columns = [np.array(change.TransformPoint(e)) - origin for e in np.eye(3).tolist()]
    matrix[:3, :3] = np.array(columns).T[::-1, ::-1]
    matrix[:3, 3] = origin[::-1]
    return matrix


def phase_start(moving: xr.DataArray, fixed: xr.DataArray) -> np.ndarray:
    """Let scikit-image find the shift, on one grid, with no turn."""
    start = centred(moving, fixed)
    shifted = {d: moving[d] + start[k, 3] for k, d in enumerate(moving.dims)}
    near = moving.astype(float).assign_coords(shifted).interp({d: fixed[d] for d in fixed.dims})
    grey = near.fillna(float(near.mean())).data
    found = phase_cross_correlation(fixed.data.astype(float), grey, upsample_factor=4)[0]
    start[:3, 3] += found * np.array(ct.voxel_size(fixed))
    return start
