"""Grain distances: layers, lattices, random structures, the border."""

import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

import corrtomo as ct

repeatable = settings(deadline=None, derandomize=True, max_examples=40)


@pytest.mark.parametrize(("period", "thick"), [(5, 2), (8, 3), (12, 6)])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_distance_of_layers_is_their_period(period, thick, axis):
    n = 20 * period
    line = (np.arange(n) % period) < thick
    shape = [1, 1, 1]
    shape[axis] = n
    mask = ct.volume(np.broadcast_to(line.reshape(shape), shape), 0.2)
    # The first layer begins at the border: 19 entries on a line that is one step shorter than its voxels.
    assert ct.measure.grain_distance(mask) == pytest.approx(0.2 * (n - 1) / 19)


def test_each_axis_counts_with_its_own_voxel_size():
    layers = np.broadcast_to((np.arange(901) % 10 < 4)[:, None], (901, 2))
    # 90 entries on each of 2 lines of 900 steps of 0.3; 901 lines across enter nothing and are 0.7 long.
    found = ct.measure.grain_distance(ct.volume(layers, (0.3, 0.7)))
    assert found == pytest.approx((2 * 900 * 0.3 + 901 * 0.7) / (2 * 90))


def test_lines_of_all_axes_count_by_their_length():
    mask = np.zeros((40, 40, 40), bool)
    mask[::8, ::8, ::8] = True
    lines = 3 * 39 * 1600
    entries = 3 * (5 * 5 * 5) - 3 * 25  # on the first face of each axis a grain has not been entered
    assert ct.measure.grain_distance(ct.volume(mask, 1.0)) == pytest.approx(lines / entries)


def test_where_a_volume_is_cut_changes_nothing():
    mask = ct.volume((np.arange(1000) % 10) < 4, 1.0)
    found = [ct.measure.grain_distance(mask[start : start + 901]) for start in range(10)]
    np.testing.assert_allclose(found, 10)


def test_boxes_on_a_lattice_are_as_far_as_the_lattice_along_the_lines_that_meet_them():
    line = np.arange(601) % 12 < 5
    mask = line[:241, None, None] & line[None, :241, None] & line[None, None, :241]
    share = line[:241].mean() ** 2  # of the lines meet boxes, one every 12 voxels
    assert ct.measure.grain_distance(ct.volume(mask, 0.5)) == pytest.approx(6.0 / share)


def test_random_chords_add_up():
    rng = np.random.default_rng(4)
    inside, outside = rng.geometric(1 / 7, 20_000), rng.geometric(1 / 13, 20_000)
    chords = np.stack([outside, inside], axis=1).ravel()
    line = np.repeat(np.arange(chords.size) % 2 == 1, chords)
    found = ct.measure.grain_distance(ct.volume(line, 0.1))
    assert found == pytest.approx(0.1 * (inside.mean() + outside.mean()), rel=1e-3)


def test_without_a_preferred_direction_it_is_four_volumes_over_the_surface():
    field = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(96, 96, 96)), 4, mode="wrap")
    mask = ct.volume(field > 0.02, 0.5)
    volume = mask.size * 0.5**3
    assert ct.measure.grain_distance(mask) == pytest.approx(
        4 * volume / ct.measure.surface_area(mask), rel=0.05
    )


@repeatable
@given(hnp.arrays(bool, hnp.array_shapes(min_dims=1, max_dims=3, max_side=9)), st.permutations([0, 1, 2]))
def test_it_is_what_counting_by_hand_gives(values, order):
    entries = sum(
        int(np.count_nonzero(np.diff(values.astype(int), axis=axis) == 1)) for axis in range(values.ndim)
    )
    length = sum(values.size // n * (n - 1) for n in values.shape)
    if entries == 0:
        return
    turned = values.transpose([axis for axis in order if axis < values.ndim])
    for data in (values, turned, da.from_array(values, chunks=4)):
        assert ct.measure.grain_distance(ct.volume(data, 2.0)) == pytest.approx(2 * length / entries)


IMAGE = ct.volume(np.zeros((8, 8, 8), np.float32), 1.0)


@pytest.mark.parametrize(
    ("mask", "error", "match"),
    [
        (IMAGE > 1, ValueError, "no line along an axis enters one, 0% of the voxels"),
        (IMAGE == 0, ValueError, "100% of the voxels"),
        (ct.volume(np.array([True, False]), 1.0), ValueError, "50% of the voxels"),
        (IMAGE, TypeError, "the mask has dtype float32"),
        (np.ones(3, bool), TypeError, r"ct\.volume"),
        (ct.volume(np.ones((2, 3), bool), 1.0, dims=("channel", "x")), ValueError, "has 2 channels"),
    ],
)
def test_what_has_no_distance_is_refused(mask, error, match):
    with pytest.raises(error, match=match):
        ct.measure.grain_distance(mask)
