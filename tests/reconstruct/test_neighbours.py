"""Drift from neighbours: known shifts found, the known bias shown, refusals."""

import dask.array as da
import numpy as np
import pytest
from scipy import ndimage

import corrtomo as ct
from corrtomo.reconstruct.neighbours import _chain

from .conftest import PIXEL, STEP

SHAPE = (120, 150)


def scene(seed=0, size=(200, 240), smooth=2.0):
    field = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=size), smooth)
    return 120 + 40 * field / field.std()


def stack_of(images, noise=0.0, seed=0):
    grey = np.array(images) + noise * np.random.default_rng(seed).normal(size=np.shape(images))
    return ct.volume(np.rint(grey).clip(0, 255).astype(np.uint8), (STEP, PIXEL, PIXEL))


def moved(drift, seed=0, noise=5.0):
    """One scene, seen through a window that drifts."""
    rows, columns = np.indices(SHAPE)
    images = [
        ndimage.map_coordinates(scene(seed), [rows + 30 - dy, columns + 30 - dx], order=3) for dy, dx in drift
    ]
    return stack_of(images, noise)


def pixels(found):
    return found[["y_um", "x_um"]].to_numpy() / PIXEL


def test_a_scene_that_only_drifts_is_placed_to_a_twentieth_of_a_pixel():
    drift = np.cumsum(np.random.default_rng(3).normal(0, 1.2, (15, 2)), axis=0)
    drift -= drift[0]
    for neighbours in (1, 2, 4):
        found = ct.reconstruct.drift_from_neighbours(moved(drift), neighbours=neighbours)
        assert np.abs(pixels(found) - drift).max() < 0.05 * np.sqrt(15)
        np.testing.assert_allclose(found.z_um, STEP * np.arange(15))
        assert found.z_error_um.isna().all()
        assert found.y_error_um.isna().all() == (neighbours == 1)
        assert (found.marks_found == 0).all()
    assert found.y_error_um.is_monotonic_increasing


def rods(lean, slices=25):
    """A texture that leans by `lean` pixels a slice: nothing drifts."""
    return stack_of([leaning(lean * k) for k in range(slices)], 3.0)


def leaning(by):
    rows, columns = np.indices(SHAPE)
    return ndimage.map_coordinates(scene(7), [rows + 30, columns + 45 - by], order=3)


def test_what_leans_is_made_upright_the_known_bias():
    """Rods that lean by 0.4 pixels a slice, and no drift: all of their lean is taken for drift."""
    found = ct.reconstruct.drift_from_neighbours(rods(0.4))
    np.testing.assert_allclose(pixels(found)[:, 1], 0.4 * np.arange(25), atol=0.2)
    assert found.x_error_um.iloc[-1] < 0.1 * found.x_um.iloc[-1]  # and the stated error does not show it
    upright = ct.reconstruct.slices(rods(0.4), tilt_deg=0, positions=found, voxel_um="recorded")
    first, last = upright.values[0].astype(float), upright.values[-1].astype(float)
    assert np.corrcoef(first.ravel(), last.ravel())[0, 1] > 0.95


def test_stripes_that_stand_still_and_shading_do_not_hold_images_back():
    drift = np.stack([np.zeros(8), 1.5 * np.arange(8)], axis=1)
    stripes = 25 * np.random.default_rng(2).normal(size=SHAPE[1])
    shading = np.linspace(-30, 30, SHAPE[0])[:, None]
    striped = stack_of(moved(drift).values + stripes + shading)
    assert np.abs(pixels(ct.reconstruct.drift_from_neighbours(striped)) - drift).max() < 0.3


def test_lazy_equals_eager():
    stack = moved(np.cumsum(np.ones((9, 2)), axis=0))
    lazy = stack.copy(data=da.from_array(stack.values, chunks=(4, 70, 50)))
    assert ct.reconstruct.drift_from_neighbours(lazy).equals(ct.reconstruct.drift_from_neighbours(stack))


def test_the_chain_is_the_least_squares_solution():
    rng = np.random.default_rng(1)
    steps = rng.normal(size=(7, 3, 2))
    for k in range(7):
        steps[k, k:] = np.nan
    steps[5, 1] = np.nan
    place, error = _chain(steps)
    rows, right = [], []
    for k in range(7):
        for apart in range(3):
            if np.isfinite(steps[k, apart, 0]):
                rows.append(np.eye(7)[k] - np.eye(7)[k - apart - 1])
                right.append(steps[k, apart])
    wanted = np.linalg.lstsq(np.array(rows)[:, 1:], np.array(right), rcond=None)[0]
    np.testing.assert_allclose(place[1:], wanted, atol=1e-10)
    assert (place[0] == 0).all()
    assert (error[1:] > error[:-1]).all()


def jump():
    drift = np.zeros((8, 2))
    drift[4:, 0] = 25
    return moved(drift)


def even_along(axis):
    """Images that drift along y and x, which shows along one of them alone."""
    images = moved(np.cumsum(np.ones((4, 2)), axis=0)).values
    return stack_of([np.broadcast_to(image.take([30], axis), SHAPE) for image in images])


REFUSED = [
    (jump, {"search_um": 0.3}, ValueError, "images 3 and 4 are not alike"),
    (lambda: stack_of([scene(k)[:120, :150] for k in range(4)]), {}, ValueError, "images 0 and 1 are not"),
    (lambda: stack_of([np.full(SHAPE, k) for k in range(4)]), {}, ValueError, "hold nothing to compare"),
    (lambda: stack_of(np.arange(12.0).reshape(3, 2, 2)), {}, ValueError, "hold nothing to compare"),
    (lambda: even_along(0), {}, ValueError, "image 0 does not vary along y"),
    (lambda: even_along(1), {}, ValueError, "image 0 does not vary along x"),
    (lambda: even_along(1) * 257.0 + 0.1, {}, ValueError, "image 0 does not vary along x"),
    (jump, {"neighbours": 0}, ValueError, "1 or more"),
    (jump, {"neighbours": 1.5}, TypeError, "a whole number"),
    (jump, {"neighbours": True}, TypeError, "a whole number"),
    (jump, {"search_um": 0}, ValueError, "search_um"),
    (jump, {"search_um": None}, TypeError, "search_um"),
    (jump, {"finest_um": -1}, ValueError, "finest_um"),
    (jump, {"finest_um": 1e6}, ValueError, "hold nothing to compare"),
]


@pytest.mark.parametrize(("make", "options", "error", "match"), REFUSED)
def test_what_cannot_be_compared_is_refused(make, options, error, match):
    with pytest.raises(error, match=match):
        ct.reconstruct.drift_from_neighbours(make(), **options)


def test_more_neighbours_than_slices_are_all_slices():
    stack = moved(np.array([(0, 0), (1, 0), (1, 1.0)]))
    many = ct.reconstruct.drift_from_neighbours(stack, neighbours=50)
    assert many.equals(ct.reconstruct.drift_from_neighbours(stack, neighbours=2))
