"""Drift from marks: known drift and thickness found, what is lost or wrong said so, refusals."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import corrtomo as ct

from .conftest import MARKS, PIXEL, STEP, record, walk

PLACES = ["z_um", "y_um", "x_um"]
ERRORS = ["z_error_um", "y_error_um", "x_error_um"]
UNITS = np.array([STEP, PIXEL, PIXEL])


def off(found, truth):
    """Error in slices, pixels and pixels, a row for each slice."""
    return (found[PLACES].to_numpy() - truth[PLACES].to_numpy()) / UNITS


def find(recorded, **options):
    return ct.reconstruct.drift_from_marks(recorded.stack, recorded.marks, progress=False, **options)


def test_clean_images_are_placed_to_a_few_thousandths(clean):
    found = find(clean)
    assert np.abs(off(found, clean.truth)).max() < 0.01
    assert (found.marks_found == 4).all()
    assert found["slice"].tolist() == list(range(30))
    assert found.iloc[0][PLACES].tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(("noise", "most"), [(10.0, 0.05), (20.0, 0.08), (40.0, 0.15)])
def test_noisy_images_are_placed_below_a_tenth_of_a_pixel_and_errors_say_so(noise, most):
    recorded = record(40, noise=noise, seed=5)
    found = find(recorded)
    gap = off(found, recorded.truth)
    gap -= np.median(gap, axis=0)  # the first slice's own error is common to all
    spread = gap.std(axis=0)
    assert (spread[1:] < most).all()
    stated = (found[ERRORS] / UNITS).median().to_numpy()
    assert (stated > 0.7 * spread).all()
    assert (stated < 3.0 * spread).all()


@settings(deadline=None, derandomize=True, max_examples=8)
@given(
    up=st.floats(-1, 3),
    sideways=st.floats(-2, 2),
    thickness=st.floats(0, 0.3),
    seed=st.integers(0, 50),
)
def test_any_drift_and_thickness_is_found(up, sideways, thickness, seed):
    drift, depth = walk(12, seed, up=up, sideways=sideways, thickness=thickness)
    if drift[:, 0].min() < -14:  # beyond it the marks leave the image
        drift[:, 0] *= -14 / drift[:, 0].min()
    recorded = record(12, (120, 240), drift=drift, depth=depth, noise=5.0, seed=seed)
    assert np.abs(off(find(recorded), recorded.truth)).max() < 0.25


def test_slices_twice_as_thick_and_a_missing_one_show_in_z():
    depth = np.array([0, 1, 2, 4, 6, 7, 8.0])
    recorded = record(7, (120, 240), depth=depth, noise=10.0)
    assert np.abs(np.diff(find(recorded).z_um) / STEP - np.diff(depth)).max() < 0.2


def test_without_slopes_z_is_nominal_and_its_error_not_known():
    recorded = record(12, (120, 240), marks=MARKS[MARKS.slope == 0])
    found = find(recorded)
    np.testing.assert_allclose(found.z_um, np.arange(12) * STEP)
    assert found.z_error_um.isna().all()
    assert np.abs(off(found, recorded.truth)[:, 1:]).max() < 0.01
    single = ct.reconstruct.drift_from_marks(recorded.stack, recorded.marks[:1])
    assert np.abs(off(single, recorded.truth)[:, 1:]).max() < 0.01
    assert (single.marks_found == 1).all()


def test_marks_are_read_in_the_coordinates_of_the_image_and_need_not_be_exact():
    recorded = record(8, (120, 240), noise=10.0)
    moved = recorded.stack.assign_coords(y=recorded.stack.y + 7.0, x=recorded.stack.x - 3.0)
    about = recorded.marks.assign(y_um=recorded.marks.y_um + 7.08, x_um=recorded.marks.x_um - 3.1)
    found = ct.reconstruct.drift_from_marks(moved, about)
    # A template that is cut a pixel beside the first one finds the same drift, but for rounding.
    np.testing.assert_allclose(found[PLACES], find(recorded)[PLACES], atol=0.05 * PIXEL)


def painted(recorded, slices, boxes, grey=220):
    """Cover places with the grey of the coating: rows, columns of pixels."""
    stack = recorded.stack.copy(deep=True)
    for k in slices:
        for rows, columns in boxes:
            stack[k, rows, columns] = grey + np.arange(stack[k, rows, columns].size).reshape(
                stack[k, rows, columns].shape
            ) % (3 + k % 5)
    return stack


ALL = [(slice(25, 60), slice(0, 240))]


def test_a_mark_that_is_covered_is_left_out_there_alone():
    recorded = record(20, noise=5.0, seed=2)
    left = [(slice(25, 60), slice(10, 60))]
    found = ct.reconstruct.drift_from_marks(painted(recorded, [7, 8], left), recorded.marks)
    assert found.marks_found.tolist() == [4] * 7 + [3] * 2 + [4] * 11
    assert np.abs(off(found, recorded.truth)).max() < 0.2


def test_slices_without_marks_are_placed_between_their_neighbours_with_a_larger_error():
    recorded = record(20, noise=5.0, seed=2)
    found = ct.reconstruct.drift_from_marks(painted(recorded, [7, 8], ALL), recorded.marks)
    assert found.marks_found.tolist() == [4] * 7 + [0] * 2 + [4] * 11
    for place, error in zip(PLACES, ERRORS, strict=True):
        straight = np.interp([7, 8], [6, 9], found[place][[6, 9]])
        np.testing.assert_allclose(found[place][[7, 8]], straight, atol=1e-9)
        assert found[error][[7, 8]].min() > 3 * found[error][[5, 6, 9, 10]].max()
        assert (np.abs(found[place] - recorded.truth[place])[[7, 8]] < 4 * found[error][[7, 8]]).all()


def test_a_slice_that_lost_its_chevron_keeps_its_own_drift():
    recorded = record(20, noise=5.0, seed=2)
    middle = [(slice(25, 60), slice(60, 190))]
    found = ct.reconstruct.drift_from_marks(painted(recorded, [7, 8], middle), recorded.marks)
    assert found.marks_found[[7, 8]].tolist() == [2, 2]
    gap = off(found, recorded.truth)
    assert np.abs(gap[[7, 8], 1:]).max() < 0.1
    assert found.z_error_um[7] > 3 * found.z_error_um[6]


def test_a_mark_that_jumps_contradicts_the_others_and_is_left_out():
    """One mark is moved by 8 pixels in one slice: well within reach, and wrong."""
    recorded = record(20, noise=5.0, seed=2)
    stack = recorded.stack.copy(deep=True)
    spot = stack.values[9, 25:60, 10:70].copy()
    stack[9, 25:60, 10:70] = np.roll(spot, 8, axis=1)
    found = ct.reconstruct.drift_from_marks(stack, recorded.marks)
    assert found.marks_found[9] == 3
    assert np.abs(off(found, recorded.truth)).max() < 0.2


def test_two_marks_that_contradict_each_other_are_both_left_out():
    straight = MARKS[MARKS.slope == 0]
    recorded = record(20, noise=5.0, seed=2, marks=straight)
    stack = recorded.stack.copy(deep=True)
    stack[9, 25:60, 10:70] = np.roll(stack.values[9, 25:60, 10:70].copy(), 8, axis=1)
    found = ct.reconstruct.drift_from_marks(stack, recorded.marks)
    assert found.marks_found[[8, 9, 10]].tolist() == [2, 0, 2]
    assert found.x_um[9] == pytest.approx((found.x_um[8] + found.x_um[10]) / 2)


def test_marks_that_cross_are_told_apart():
    towards = MARKS.assign(slope=[0.0, 0.5, -0.5, 0.0])
    recorded = record(50, (120, 240), noise=5.0, marks=towards, drift=np.zeros((50, 2)))
    found = find(recorded)
    gap = np.abs(off(found, recorded.truth))
    assert set(found.marks_found) == {2, 4}
    assert (gap[:, 0] < 4 * found.z_error_um / STEP + 0.1).all()
    assert gap[:, 1:].max() < 0.2


def test_marks_out_of_view_at_the_end_are_refused_with_what_can_be_done():
    drift = np.zeros((20, 2))
    drift[:, 0] = -np.linspace(0, 45, 20)
    recorded = record(20, drift=drift, noise=5.0)
    with pytest.raises(ValueError, match=r"found in 12 of 20 slices.*isel\(z=slice\(0, 12\)"):
        find(recorded)


def test_a_jump_beyond_the_search_is_refused_and_found_with_a_wider_one():
    drift = np.zeros((12, 2))
    drift[6:, 1] = 12.0
    recorded = record(12, (120, 240), drift=drift, noise=5.0)
    with pytest.raises(ValueError, match="raise search_um"):
        find(recorded, search_um=0.2)
    assert np.abs(off(find(recorded), recorded.truth)).max() < 0.2


def test_slopes_of_the_wrong_sign_are_refused():
    recorded = record(20, (120, 240), noise=5.0)
    wrong = recorded.marks.assign(slope=-recorded.marks.slope)
    with pytest.raises(ValueError, match="Milling never goes back"):
        ct.reconstruct.drift_from_marks(recorded.stack, wrong)


def table(**columns):
    return pd.DataFrame({"y_um": [0.97], "x_um": [0.8], "slope": [0.0]} | columns)


REFUSED = [
    ([(0.97, 0.8, 0)], TypeError, "given as list"),
    (None, TypeError, "drift_from_neighbours"),
    (table().drop(columns="slope"), ValueError, "has no column slope"),
    (table()[:0], ValueError, "has no rows"),
    (table(slope=["a"]), ValueError, "slope of the table holds no finite"),
    (table(x_um=[np.nan]), ValueError, "holds no finite number"),
    (pd.concat([table(), table(x_um=[0.9])]), ValueError, "marks 0 and 1 are 0.1 µm apart"),
    (pd.concat([table(), table()[["slope"]]], axis=1), ValueError, "more than one column slope"),
    (table(x_um=[9.0]), ValueError, "mark 0 lies outside the first image, which spans y 0 to"),
    (table(y_um=[-0.1]), ValueError, "outside the first image"),
    (table(x_um=[1.7]), ValueError, "no dark spot is to be seen at mark 0"),
    (table(y_um=[0.1]), ValueError, "no dark spot"),
]


@pytest.mark.parametrize(("marks", "error", "match"), REFUSED)
def test_marks_that_cannot_be_are_refused(noisy, marks, error, match):
    with pytest.raises(error, match=match):
        ct.reconstruct.drift_from_marks(noisy.stack, marks)


@pytest.mark.parametrize("name", ["search_um", "mark_um"])
@pytest.mark.parametrize(("value", "error"), [(0, ValueError), (np.inf, ValueError), ("a", TypeError)])
def test_lengths_that_cannot_be_are_refused(noisy, name, value, error):
    with pytest.raises(error, match=name):
        ct.reconstruct.drift_from_marks(noisy.stack, noisy.marks, **{name: value})


def test_constant_images_have_no_marks():
    flat = ct.volume(np.full((5, 80, 240), 100, np.uint8), (STEP, PIXEL, PIXEL))
    with pytest.raises(ValueError, match="no dark spot"):
        ct.reconstruct.drift_from_marks(flat, MARKS)
    late = record(5, (120, 240))
    stack = late.stack.copy(deep=True)
    stack[1:] = np.arange(4, dtype=np.uint8)[:, None, None]
    with pytest.raises(ValueError, match="found in 1 of 5 slices"):
        ct.reconstruct.drift_from_marks(stack, late.marks)


@pytest.mark.parametrize("mark_um", [1e6, 1e300, 2.1])
def test_marks_larger_than_the_image_shows_are_refused_at_once(noisy, mark_um):
    with pytest.raises(ValueError, match="half the image, is allowed"):
        ct.reconstruct.drift_from_marks(noisy.stack, noisy.marks[:1], mark_um=mark_um)


def test_a_search_beyond_the_image_ends_at_its_border():
    recorded = record(3, (120, 240), noise=5.0, marks=MARKS[:1])
    far = find(recorded, search_um=1e300)
    assert far[PLACES].equals(find(recorded, search_um=1e6)[PLACES])
