"""Alignment by mutual information: known poses found, wrong ones refused, the same answer every run."""

import dask.array as da
import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.transform import Rotation

import corrtomo as ct
from corrtomo.datasets import xt_fibsem
from corrtomo.register import AlignmentError, align
from corrtomo.register.pair import prepare
from corrtomo.register.subvolumes import agreement

EDGE = 0.4
TURN_DEG, SHIFT_UM = (4.0, -7.0, 9.0), (2.0, -4.0, 5.0)


def scene(shape=(62, 66, 70), seed=0, sigma=3.0):
    """Smooth blobs on a fine grid of 0.4 µm: what both instruments image."""
    return ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), sigma).astype(np.float32)


def pose(turn_deg, shift_um, centre, target):
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_rotvec(turn_deg, degrees=True).as_matrix()
    matrix[:3, 3] = np.array(target) + shift_um - matrix[:3, :3] @ np.array(centre)
    return matrix


def seen_from(grey, matrix, shape, edge, noise=0.0, seed=1):
    """Image the scene by spline on the grid of another instrument; `matrix` leads from there to the scene."""
    linear = matrix[:3, :3] * edge / EDGE
    image = ndimage.affine_transform(grey, linear, matrix[:3, 3] / EDGE, shape, order=3, mode="nearest")
    image += noise * grey.std() * np.random.default_rng(seed).normal(size=shape)
    return ct.volume(image.astype(np.float32), edge)


def two_images(turn_deg=TURN_DEG, shift_um=SHIFT_UM, scale=1.0):
    """Return a fine image, half as wide as the coarse one that it was cut from, that one, and the pose."""
    grey = scene()
    fixed = ct.volume(grey + 0.3 * grey.std() * np.random.default_rng(9).normal(size=grey.shape), EDGE)
    shape, edge = (60, 65, 70), 0.22
    centre = (np.array(shape) - 1) / 2 * edge
    target = (np.array(grey.shape) - 1) / 2 * EDGE
    matrix = pose(turn_deg, shift_um, centre, target)
    matrix[:3, :3] *= scale
    matrix[:3, 3] += (1 - scale) * matrix[:3, :3] @ centre / scale
    image = seen_from(grey, matrix, shape, edge, noise=0.3)
    return image, fixed, matrix


def farthest(found, matrix, image):
    size = [float(image[d][-1]) for d in image.dims]
    ends = np.array(np.meshgrid(*[(0.0, s) for s in size], indexing="ij")).reshape(3, -1).T
    gaps = found.points(ends) - (ends @ matrix[:3, :3].T + matrix[:3, 3])
    return float(np.linalg.norm(gaps, axis=1).max())


@pytest.fixture(scope="module")
def one():
    moving, fixed, matrix = two_images()
    return moving, fixed, matrix, align(moving, fixed)


def check_found(found, matrix, moving, turn_deg, shift_um):
    assert farthest(found, matrix, moving) < EDGE / 4
    assert found.converged
    assert found.turn_deg == pytest.approx(np.linalg.norm(turn_deg), abs=0.5)
    np.testing.assert_allclose(found.shift_um, shift_um, atol=0.1)
    assert found.scale == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize(
    ("turn_deg", "shift_um"), [((0.0, 0.0, 0.0), (0.0, 0.0, 0.0)), ((-10.0, 10.0, 0.0), (-6.0, 6.0, 0.0))]
)
def test_a_turn_and_shift_are_found_from_nothing(turn_deg, shift_um):
    moving, fixed, matrix = two_images(turn_deg, shift_um)
    check_found(align(moving, fixed), matrix, moving, turn_deg, shift_um)


def test_a_turn_about_all_axes_is_found_from_nothing(one):
    moving, _, matrix, found = one
    check_found(found, matrix, moving, TURN_DEG, SHIFT_UM)


def test_two_runs_give_the_same_bytes_and_another_seed_the_same_pose(one):
    moving, fixed, matrix, found = one
    again = align(moving, fixed)
    assert again.matrix.tobytes() == found.matrix.tobytes()
    assert (again.error_um, again.metric) == (found.error_um, found.metric)
    assert farthest(align(moving, fixed, seed=7), matrix, moving) < EDGE / 4


def test_chunks_of_any_size_change_nothing(one):
    moving, fixed, _, found = one
    lazy = moving.copy(data=da.from_array(moving.data, chunks=(33, 27, 41)))
    np.testing.assert_allclose(align(lazy, fixed).matrix, found.matrix, atol=1e-5)


def test_any_monotone_contrast_will_do(one):
    moving, fixed, matrix, _ = one
    shade = -np.exp(3 * moving / float(moving.std()) / 4)
    assert farthest(align(shade, fixed), matrix, moving) < EDGE / 4


def test_the_way_back_is_the_inverse(one):
    moving, fixed, _, found = one
    np.testing.assert_allclose(found.inverse().matrix @ found.matrix, np.eye(4), atol=1e-12)
    back = align(fixed, moving)
    assert farthest(found, back.inverse().matrix, moving) < EDGE / 4


def test_stated_origins_move_the_answer_and_nothing_else(one):
    moving, fixed, matrix, _ = one
    start = np.array([100.0, -50.0, 7.0])
    there = ct.volume(moving.data, 0.22, origin=start)
    shifted = matrix.copy()
    shifted[:3, 3] -= matrix[:3, :3] @ start
    found = align(there, fixed)
    corner = found.points(start) - matrix[:3, 3]
    assert np.linalg.norm(corner) < EDGE / 4
    with pytest.raises(AlignmentError, match="do not overlap"):
        align(there, fixed, start="coordinates")


def test_a_voxel_size_that_is_not_as_stated_is_told_and_can_be_fitted():
    moving, fixed, matrix = two_images(scale=1.04)
    with pytest.raises(AlignmentError, match="transform='similarity'"):
        align(moving, fixed)
    for transform in ("similarity", "affine"):
        found = align(moving, fixed, transform=transform)
        assert found.scale == pytest.approx(1.04, abs=0.005)
        assert farthest(found, matrix, moving) < EDGE / 3
        assert f"{transform}: turned by" in repr(found)
        assert "scaled by 1.0" in repr(found)
        pair = prepare(moving, fixed, 10.0, "centres", progress=False)
        assert found.error_um == agreement(pair.moving, pair.fixed, found.matrix, transform).error_um


def test_the_digital_twin_is_aligned_in_the_stored_pose():
    """X-ray around the cuboid too; dark greys of FIB-SEM cut away, which pore backs have drawn out."""
    twin = ct.datasets.load("xt-fibsem")
    shape, start = [n + 24 for n in twin.xray.shape], [-12 * 0.438] * 3
    cathode, model = xt_fibsem.specimen(0), xt_fibsem.XRAY_MODEL
    fixed = ct.simulate.xray_tomography(cathode, 0.438, shape=shape, origin=start, model=model, seed=0)
    found = align(twin.fibsem.sel(channel="in-lens", drop=True).clip(min=120), fixed)
    size = [(n - 0.5) * 0.438 for n in twin.xray.shape]
    ends = np.array(np.meshgrid(*[(-0.219, s) for s in size], indexing="ij")).reshape(3, -1).T
    there = ends @ twin.pose[:3, :3].T + twin.pose[:3, 3]
    assert np.linalg.norm(found.points(there) - ends, axis=1).max() < 0.11


def test_flat_images_are_aligned_too():
    grey = scene((1, 200, 220), sigma=(0, 5, 5))[0]
    turn = np.deg2rad(8.0)
    linear = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    centre = (np.array([120, 130]) - 1) / 2
    target = (np.array(grey.shape) - 1) / 2 + [6.0, -9.0]
    offset = target - linear @ centre
    moving = ct.volume(ndimage.affine_transform(grey, linear, offset, (120, 130), order=3), 1.0)
    found = align(moving, ct.volume(-grey, 1.0))
    np.testing.assert_allclose(found.matrix[:2, :2], linear, atol=0.003)
    np.testing.assert_allclose(found.points(centre), target, atol=0.2)
    assert found.turn_deg == pytest.approx(8.0, abs=0.2)


def test_neutrons_and_x_rays_of_one_shell_are_aligned_and_come_back():
    """A real pair, measured; its pixel size is not stated, so one pixel stands for 1 µm."""
    if not ct.datasets.reachable("bimodal-shell"):
        pytest.skip("not here, and not online")
    folder = ct.datasets.fetch("bimodal-shell")
    neutron, xray = (ct.volume(np.load(folder / f"shell{k}.npy"), 1.0) for k in "NX")
    options = {"max_shift_um": 150.0, "max_turn_deg": 40.0, "transform": "similarity"}
    there = align(neutron, xray, **options)
    back = align(xray, neutron, **options)
    ends = np.array([[100.0, 100.0], [100.0, 500.0], [500.0, 100.0], [500.0, 500.0]])
    gaps = back.points(there.points(ends)) - ends
    assert np.linalg.norm(gaps, axis=1).max() < 6.0


def test_a_search_wider_than_the_images_is_no_wider_than_they_overlap():
    rng = np.random.default_rng(0)
    grey = ndimage.gaussian_filter(rng.normal(size=(60, 70)), 3)
    fixed, moving = ct.volume(grey, 0.5), ct.volume(-grey[8:, 4:], 0.5)
    found = align(moving, fixed, max_shift_um=1e9)
    np.testing.assert_allclose(found.points([0.0, 0.0]), [4.0, 2.0], atol=0.1)
