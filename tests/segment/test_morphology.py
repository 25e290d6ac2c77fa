"""Opening and closing: SciPy with the same ball, closed forms, chunks, borders."""

import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

import corrtomo as ct
from corrtomo.segment.morphology import erode, open_array


def ball(sizes):
    """The ball as an array of booleans, from its definition."""
    centres = [np.arange(n) - (n - 1) / 2 for n in sizes]
    grid = np.meshgrid(*centres, indexing="ij")
    return sum((g / (n / 2)) ** 2 for g, n in zip(grid, sizes, strict=True)) <= 1 + 1e-9


def by_scipy(mask, sizes):
    pad = [(2 * n, 2 * n) for n in sizes]
    wide = ndimage.binary_opening(np.pad(mask, pad, mode="edge"), ball(sizes))
    return wide[tuple(slice(2 * n, -2 * n) for n in sizes)]


def blobs(shape, seed=0, smooth=1.0, share=0.5):
    field = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), smooth)
    return field > np.quantile(field, 1 - share)


@pytest.mark.parametrize("sizes", [(10, 19, 23), (29, 7, 3), (23, 19, 10), (31, 8, 3), (3, 8, 31)])
def test_eroding_by_balls_of_no_common_measure_does_not_overflow(sizes):
    mask = np.ones([n + more for n, more in zip(sizes, (3, 3, 240), strict=True)], bool)
    mask[::5, ::3, 120 + sizes[2] // 2] = False  # far from both ends
    boxes = np.lib.stride_tricks.sliding_window_view(mask, sizes)
    expected = ~(~boxes & ball(sizes)).any(axis=(3, 4, 5))
    assert 0.5 < expected.mean() < 0.99
    np.testing.assert_array_equal(erode(mask, sizes), expected)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(
    sizes=st.tuples(*[st.integers(1, 7)] * 3),
    more=st.tuples(*[st.integers(0, 8)] * 3),
    seed=st.integers(0, 99),
    share=st.sampled_from([0.6, 0.95, 0.99, 1.0]),
)
def test_eroding_is_its_definition(sizes, more, seed, share):
    mask = np.random.default_rng(seed).random([n + m for n, m in zip(sizes, more, strict=True)]) < share
    boxes = np.lib.stride_tricks.sliding_window_view(mask, sizes)
    np.testing.assert_array_equal(erode(mask, sizes), (boxes | ~ball(sizes)).all(axis=(3, 4, 5)))


@settings(deadline=None, derandomize=True, max_examples=60)
@given(
    shape=st.tuples(*[st.integers(1, 12)] * 3),
    sizes=st.tuples(*[st.integers(1, 5)] * 3),
    seed=st.integers(0, 99),
    smooth=st.sampled_from([0.0, 0.7, 1.5]),
)
def test_opening_equals_scipy(shape, sizes, seed, smooth):
    mask = blobs(shape, seed, smooth, 0.6)
    np.testing.assert_array_equal(open_array(mask, sizes), by_scipy(mask, sizes))


@pytest.mark.parametrize("sizes", [(13, 13, 13), (12, 12, 12), (5, 10, 11), (1, 20, 21), (9, 30, 2)])
def test_large_balls_equal_scipy(sizes):
    mask = blobs((24, 30, 34), 1, 4.0, 0.7)
    opened = open_array(mask, sizes)
    np.testing.assert_array_equal(opened, by_scipy(mask, sizes))
    assert 0.1 < opened.mean() < mask.mean()


def test_the_largest_ball_and_an_ellipsoid_of_no_common_measure():
    for sizes in [(1, 1, 255), (1, 255, 1), (41, 1, 44)]:
        mask = np.ones([n + 8 for n in sizes], bool)
        mask[0] = False
        mask[:, :3, :2] = False
        np.testing.assert_array_equal(open_array(mask, sizes), by_scipy(mask, sizes))


@pytest.mark.parametrize("diameter", [1.0, 2.0, 3.0, 4.0, 7.0])
def test_in_two_dimensions_the_ball_is_a_disc(diameter):
    mask = blobs((30, 40), smooth=1.5)
    out = ct.segment.opening(ct.volume(mask, 1.0), diameter)
    np.testing.assert_array_equal(out, by_scipy(mask, (int(diameter),) * 2))


@pytest.mark.parametrize("diameter", [2.0, 3.0, 6.0])
def test_a_ball_stays_as_it_is_and_a_smaller_one_goes(diameter):
    n = int(diameter)
    mask = np.zeros((20, 20, 20), bool)
    mask[5 : 5 + n, 6 : 6 + n, 7 : 7 + n] = ball((n,) * 3)
    image = ct.volume(mask, 0.5)
    assert ct.segment.opening(image, 0.5 * diameter).identical(image)
    assert not ct.segment.opening(image, 0.5 * (diameter + 1)).any()


def test_closing_is_the_opening_of_the_rest():
    mask = ct.volume(blobs((20, 21, 22)), 1.0)
    np.testing.assert_array_equal(ct.segment.closing(mask, 3.0), ~ct.segment.opening(~mask, 3.0))


def test_order_and_idempotence():
    mask = ct.volume(blobs((24, 24, 24), smooth=1.2), 1.0)
    opened, closed = ct.segment.opening(mask, 3.0), ct.segment.closing(mask, 3.0)
    assert not (opened & ~mask).any()
    assert not (mask & ~closed).any()
    inner = {d: slice(3, -3) for d in "zyx"}  # at the border the result goes on otherwise than the mask did
    np.testing.assert_array_equal(ct.segment.opening(opened, 3.0)[inner], opened[inner])
    np.testing.assert_array_equal(ct.segment.closing(closed, 3.0)[inner], closed[inner])
    assert (opened != mask).any()
    assert (closed != mask).any()


def test_axes_may_be_swapped_and_turned_round():
    mask = blobs((18, 20, 22), smooth=1.2)
    once = open_array(mask, (4, 4, 4))
    np.testing.assert_array_equal(open_array(mask.T.copy(), (4, 4, 4)), once.T)
    np.testing.assert_array_equal(open_array(mask[::-1, :, ::-1].copy(), (4, 4, 4)), once[::-1, :, ::-1])


def test_voxels_that_are_no_cubes_make_an_ellipsoid():
    mask = blobs((20, 24, 24), smooth=(0.8, 1.6, 1.6))
    out = ct.segment.opening(ct.volume(mask, (0.2, 0.1, 0.1)), 0.4)
    np.testing.assert_array_equal(out, by_scipy(mask, (2, 4, 4)))


def test_what_the_border_cuts_stays():
    mask = np.zeros((8, 8, 8), bool)
    mask[0] = True
    assert ct.segment.opening(ct.volume(mask, 1.0), 4.0).values[0].all()


@pytest.mark.parametrize("chunks", [(4, 5, 6), (20, 3, 21), (1, 1, 22)])
@pytest.mark.parametrize("diameter", [2.0, 5.0])
@pytest.mark.parametrize("function", [ct.segment.opening, ct.segment.closing])
def test_chunks_change_nothing(chunks, diameter, function):
    mask = blobs((20, 21, 22), smooth=1.2)
    lazy = function(ct.volume(da.from_array(mask, chunks=chunks), 1.0), diameter)
    assert isinstance(lazy.data, da.Array)
    np.testing.assert_array_equal(lazy, function(ct.volume(mask, 1.0), diameter))


@pytest.mark.parametrize(
    ("diameter", "error", "match"),
    [
        (0.0, ValueError, "diameter 0.0 µm: it must be finite and above zero"),
        (-1.0, ValueError, "above zero"),
        (np.nan, ValueError, "finite"),
        (np.inf, ValueError, "finite"),
        ("1", TypeError, "a number in µm is needed"),
        (True, TypeError, "a number in µm"),
        (300.0, ValueError, "300 voxels wide, and at most 255"),
    ],
)
def test_diameters_that_are_none_are_refused(diameter, error, match):
    with pytest.raises(error, match=match):
        ct.segment.opening(ct.volume(np.ones((3, 3, 3), bool), 1.0), diameter)


def test_other_images_are_refused():
    with pytest.raises(TypeError, match="the mask has dtype uint8"):
        ct.segment.opening(ct.volume(np.ones((3, 3, 3), np.uint8), 1.0), 1.0)
    with pytest.raises(TypeError, match=r"ct\.volume"):
        ct.segment.closing(np.ones((3, 3), bool), 1.0)
    with pytest.raises(ValueError, match="channels"):
        ct.segment.closing(ct.volume(np.ones((2, 3, 3), bool), 1.0, dims=("channel", "y", "x")), 1.0)


@pytest.mark.parametrize("shape", [(1, 20, 24), (2, 20, 24), (4, 20, 24), (5, 3, 24)])
@pytest.mark.parametrize("name", ["opening", "closing"])
def test_volumes_thinner_than_the_ball_are_the_same_in_chunks(name, shape):
    work = getattr(ct.segment, name)
    mask = ct.volume(blobs((8, 20, 24))[: shape[0], : shape[1], : shape[2]], 1.0)
    lazy = work(mask.chunk({"z": 1, "y": 7, "x": 9}), 6.0)
    np.testing.assert_array_equal(lazy.compute(), work(mask, 6.0))
