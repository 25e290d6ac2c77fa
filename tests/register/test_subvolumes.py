"""The stated error of an alignment: closed forms of its parts, and against the true error."""

from functools import cache

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.transform import Rotation

import corrtomo as ct
from corrtomo.register.frames import corners, move
from corrtomo.register.information import maximise
from corrtomo.register.subvolumes import agreement, fit_motion, motion_terms, vertex

KINDS = ("rigid", "similarity", "affine")
PLACES = np.stack(np.meshgrid([-4.0, 4.0], [-5.0, 0.0, 5.0], [-3.0, 3.0]), -1).reshape(-1, 3)
ENDS = corners(np.array([-8.0, -7.5, -6.0]), np.array([8.0, 7.5, 6.0]))


@pytest.mark.parametrize("top", [(0.0, 0.0, 0.0), (0.3, -0.4, 0.1), (-0.49, 0.49, 0.2), (0.25, -0.1)])
def test_the_vertex_of_a_quadratic_is_exact(top):
    n = len(top)
    curve = np.diag([-1.0, -2.0, -0.7][:n]) + 0.2 * (np.ones((n, n)) - np.eye(n))
    gap = np.stack(np.meshgrid(*[[-1.0, 0.0, 1.0]] * n, indexing="ij"), -1) - top
    values = 0.8 + np.einsum("...a,ab,...b", gap, curve, gap)
    np.testing.assert_allclose(vertex(values), top, atol=1e-12)


def test_a_ridge_has_no_vertex_and_none_is_farther_than_a_voxel():
    z, y = np.meshgrid([-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0], indexing="ij")
    np.testing.assert_array_equal(vertex(-(z**2) + 0.1 * y**2), [0.0, 0.0])
    np.testing.assert_allclose(vertex(-((z - 3) ** 2) - y**2), [1.0, 0.0], atol=1e-12)


MOTIONS = {
    "rigid": np.array([[0.0, -0.01, 0.02], [0.01, 0.0, -0.03], [-0.02, 0.03, 0.0]]),
    "similarity": 0.02 * np.eye(3),
    "affine": np.array([[0.01, 0.0, 0.04], [0.0, -0.02, 0.0], [0.0, 0.01, 0.0]]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_motion_of_its_kind_is_fitted_exactly(kind):
    """The stated error is then what the motion moves the farthest corner by."""
    shift = np.array([0.1, -0.2, 0.3])
    fit = fit_motion(PLACES, PLACES @ MOTIONS[kind].T + shift, kind)
    assert fit.spread == pytest.approx(0.0, abs=1e-12)
    assert fit.error(ENDS) == pytest.approx(np.linalg.norm(ENDS @ MOTIONS[kind].T + shift, axis=1).max())
    np.testing.assert_allclose(fit.found[:3], shift, atol=1e-12)
    if kind == "similarity":
        assert fit.found[-1] == pytest.approx(0.02)


def test_a_motion_of_another_kind_is_spread():
    """Of a scale of 2 % a rigid fit sees nothing but residuals, as long as the places are far out."""
    fit = fit_motion(PLACES, 0.02 * PLACES, "rigid")
    np.testing.assert_allclose(fit.found, 0.0, atol=1e-12)
    wanted = 0.02 * np.sqrt((PLACES**2).sum() / (PLACES.size - 6) * 3)
    assert fit.spread == pytest.approx(wanted)


@pytest.mark.parametrize("kind", KINDS)
def test_over_many_draws_the_stated_error_covers_the_true_one(kind):
    """Of an alignment as uncertain as the sub-volumes, they state its error and their own: √3 of it."""
    rng = np.random.default_rng(0)
    corner = ENDS[:1]
    true, stated = [], []
    for _ in range(400):
        off = fit_motion(PLACES, rng.normal(0, 0.1, PLACES.shape), kind)
        gaps = np.array([motion_terms(place, kind) @ off.found for place in PLACES])
        true.append(np.sum((motion_terms(corner[0], kind) @ off.found) ** 2))
        stated.append(fit_motion(PLACES, gaps + rng.normal(0, 0.1, PLACES.shape), kind).error(corner) ** 2)
    assert np.sqrt(np.mean(stated) / np.mean(true)) == pytest.approx(np.sqrt(3), rel=0.1)


@cache
def pair(seed, noise):
    """Two noisy images of one specimen, one turned by 6°, at one voxel; and the pose between them."""
    rng = np.random.default_rng(seed)
    grey = ndimage.gaussian_filter(rng.normal(size=(50, 54, 58)), 3.0)
    shape, matrix = (30, 33, 36), np.eye(4)
    matrix[:3, :3] = Rotation.from_rotvec([3.0, 2.0, -5.0], degrees=True).as_matrix()
    matrix[:3, 3] = (4.1, 3.3, 4.7)
    turned = ndimage.affine_transform(grey, matrix[:3, :3], matrix[:3, 3] / 0.4, shape)
    images = [i + noise * grey.std() * rng.normal(size=i.shape) for i in (turned, grey)]
    return *(ct.volume(i.astype(np.float32), 0.4) for i in images), matrix


def errors(kind, noise, seeds):
    """Root mean squares, over specimens, of the true error at the farthest corner and of the stated."""
    true, stated = [], []
    for seed in seeds:
        moving, fixed, matrix = pair(seed, noise)
        found = maximise(moving, fixed, matrix, kind=kind, seed=seed).matrix
        ends = corners(np.zeros(3), (np.array(moving.shape) - 1) * 0.4)
        true.append(np.linalg.norm(move(found, ends) - move(matrix, ends), axis=1).max())
        stated.append(agreement(moving, fixed, found, kind).error_um)
    return np.sqrt(np.mean(np.square([true, stated]), axis=1))


@pytest.mark.parametrize("kind", KINDS)
def test_the_stated_error_is_that_of_the_alignment_and_grows_with_noise(kind):
    """Not less than the true one but for chance, as of three specimens, and not 2.5 times as much."""
    before = 0.0
    for noise in (0.1, 0.5):
        true, stated = errors(kind, noise, range(3))
        assert 0.8 < stated / true < 2.5
        assert stated > before
        before = stated
