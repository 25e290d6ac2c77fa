"""Adaptive equalisation: ranks by brute force, scikit-image, chunks, borders."""

import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage.exposure import equalize_adapthist, rescale_intensity

import corrtomo as ct
from corrtomo.segment.local_rank import local_rank
from corrtomo.segment.tiles import Axis, spread


def greys(shape, seed=0, smooth=2.0, noise=12.0):
    rng = np.random.default_rng(seed)
    field = ndimage.gaussian_filter(rng.normal(size=shape), smooth)
    field = 110 + 40 * field / field.std() + noise * rng.normal(size=shape)
    return field.clip(0, 255).astype(np.uint8)


def brute_force(grey, radius):
    out = np.empty(grey.shape)
    for at in np.ndindex(grey.shape):
        box = grey[tuple(slice(max(0, i - r), i + r + 1) for i, r in zip(at, radius, strict=True))]
        out[at] = 255 * (box <= grey[at]).sum() / box.size
    return np.floor(out + 0.5)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(
    shape=st.tuples(*[st.integers(1, 9)] * 3),
    radius=st.tuples(*[st.integers(1, 5)] * 3),
    seed=st.integers(0, 99),
    levels=st.sampled_from([2, 5, 256]),
)
def test_exact_ranks_equal_counting(shape, radius, seed, levels):
    grey = np.random.default_rng(seed).integers(0, levels, shape).astype(np.uint8)
    np.testing.assert_array_equal(local_rank(grey, radius), brute_force(grey, radius))


def test_exact_ranks_in_two_dimensions():
    grey = greys((20, 25))
    out = ct.segment.equalise(ct.volume(grey, 0.5), 3.5, exact=True)
    np.testing.assert_array_equal(out, brute_force(grey, (3, 3)))


def test_one_tile_is_the_rank_in_the_whole_volume():
    grey = greys((10, 10, 10))
    out = ct.segment.equalise(ct.volume(grey, 1.0), 10.0)
    rank = [255 * (grey <= g).sum() / grey.size for g in grey.ravel()]
    np.testing.assert_allclose(out.values.ravel(), rank, atol=0.51)


def gap_to_scikit_image(grey, window, out, clip=None):
    """Its tiles, blend and clipping; it has 253 bins, and stretches the result to full range."""
    peer = equalize_adapthist(grey, kernel_size=window, clip_limit=clip or 0)
    return np.abs(rescale_intensity(out.values.astype(float), out_range=(0, 255)) - 255 * peer)


SHAPES = [((96, 96, 96), 24), ((70, 75, 83), 25), ((50, 60, 64), 9), ((10, 60, 50), 25), ((200, 230), 31)]


@pytest.mark.parametrize(("shape", "window"), SHAPES)
def test_it_is_scikit_image(shape, window):
    """Windows that divide the volume, that do not, that are wider than an axis; even and odd."""
    grey = greys(shape, smooth=3.0) // 2 + 60  # fewer grey values than its bins, so that none are merged
    out = ct.segment.equalise(ct.volume(grey, 0.438), window * 0.438)
    assert gap_to_scikit_image(grey, window, out).max() <= 1


@pytest.mark.parametrize(("shape", "window"), SHAPES)
def test_at_full_range_it_is_scikit_image_nearly_everywhere(shape, window):
    grey = greys(shape, smooth=3.0)
    gap = gap_to_scikit_image(grey, window, ct.segment.equalise(ct.volume(grey, 0.438), window * 0.438))
    assert gap.max() < 7
    assert (gap <= 1).mean() > 0.98


@pytest.mark.parametrize("clip", [0.01, 0.02, 0.1])
def test_with_a_clip_limit_too_where_windows_hold_many_voxels(clip):
    """In small ones scikit-image hands out up to 255 voxels more than it cut off, ours keeps their number."""
    grey = greys((96, 90, 90), smooth=3.0)
    out = ct.segment.equalise(ct.volume(grey, 0.438), 24 * 0.438, clip_limit=clip)
    gap = gap_to_scikit_image(grey, 24, out, clip)
    assert gap.max() < 7
    assert (gap <= 2).mean() > 0.98
    if clip < 0.1:  # the limit must have been at work
        assert not out.equals(ct.segment.equalise(ct.volume(grey, 0.438), 24 * 0.438))


def test_voxels_that_are_no_cubes_have_tiles_of_their_own_size_along_each_axis():
    grey = greys((24, 50, 50), smooth=(1.5, 3, 3)) // 2 + 60
    out = ct.segment.equalise(ct.volume(grey, (0.4, 0.2, 0.2)), 2.8)
    assert gap_to_scikit_image(grey, (7, 14, 14), out).max() <= 1


@pytest.mark.parametrize("exact", [False, True])
def test_brightness_and_contrast_of_the_image_do_not_matter(exact):
    grey = greys((30, 31, 32)) // 4
    plain = ct.segment.equalise(ct.volume(grey, 1.0), 10.0, exact=exact)
    brighter = ct.segment.equalise(ct.volume(3 * grey + 20, 1.0), 10.0, exact=exact)
    np.testing.assert_array_equal(plain, brighter)


@pytest.mark.parametrize("exact", [False, True])
def test_axes_may_be_swapped_and_with_exact_ranks_turned_round(exact):
    grey = greys((24, 31, 36))
    plain = ct.segment.equalise(ct.volume(grey, 1.0), 9.0, exact=exact).values
    upright = ct.segment.equalise(ct.volume(grey.T.copy(), 1.0), 9.0, exact=exact).values
    assert np.abs(plain.T.astype(int) - upright).max() <= 1
    turned = ct.segment.equalise(ct.volume(grey[::-1, :, ::-1], 1.0), 9.0, exact=exact).values
    assert np.array_equal(plain[::-1, :, ::-1], turned) == exact  # tiles begin at the first voxel


def test_a_slow_background_goes():
    grey = greys((40, 40, 80)).astype(float) * 0.4
    slope = np.linspace(0, 120, 80)
    flat = ct.segment.equalise(ct.volume(grey.astype(np.uint8), 1.0), 12.0, exact=True).values.astype(float)
    tilted = ct.segment.equalise(ct.volume((grey + slope).astype(np.uint8), 1.0), 12.0, exact=True).values
    assert np.corrcoef(flat.ravel(), tilted.ravel())[0, 1] > 0.9
    assert np.corrcoef(grey.ravel(), (grey + slope).ravel())[0, 1] < 0.5


def test_one_grey_value_becomes_the_brightest():
    for exact in (False, True):
        out = ct.segment.equalise(ct.volume(np.full((8, 8, 8), 77, np.uint8), 1.0), 4.0, exact=exact)
        assert np.unique(out).tolist() == [255]


@pytest.mark.parametrize("chunks", [(7, 50, 33), (30, 30, 30), (64, 9, 66)])
@pytest.mark.parametrize("options", [{}, {"clip_limit": 0.02}, {"exact": True}])
def test_chunks_change_nothing(chunks, options):
    grey = greys((64, 65, 66))
    lazy = ct.segment.equalise(ct.volume(da.from_array(grey, chunks=chunks), 1.0), 13.0, **options)
    assert isinstance(lazy.data, da.Array)
    assert lazy.dtype == np.uint8
    np.testing.assert_array_equal(lazy, ct.segment.equalise(ct.volume(grey, 1.0), 13.0, **options))


def test_the_window_is_a_length_not_a_number_of_voxels():
    grey = greys((16, 32, 32), smooth=(1, 2, 2))
    out = ct.segment.equalise(ct.volume(grey, (0.4, 0.2, 0.2)), 1.4, exact=True)
    np.testing.assert_array_equal(out, local_rank(grey, (1, 3, 3)))


@settings(deadline=None, derandomize=True, max_examples=60)
@given(voxels=st.integers(1, 60), tile=st.integers(1, 70), data=st.data())
def test_a_part_gets_every_voxel_that_its_tiles_need(voxels, tile, data):
    axis = Axis.of(voxels, tile)
    assert len(axis.source) % tile == 0
    assert axis.source[:voxels].tolist() == list(range(voxels))
    start = data.draw(st.integers(0, voxels - 1))
    part = slice(start, data.draw(st.integers(start + 1, voxels)))
    needed = axis.needed(part)
    assert needed.start <= part.start < part.stop <= needed.stop
    for v in range(part.start, part.stop):
        assert axis.lower[v] <= v // tile <= axis.upper[v] <= axis.lower[v] + 1
        for t in (axis.lower[v], axis.upper[v]):
            assert all(needed.start <= s < needed.stop for s in axis.source[t * tile : (t + 1) * tile])


@pytest.mark.parametrize(("window", "radius"), [(2.0, 1), (3.0, 1), (3.9, 1), (4.0, 2), (4.8, 2), (7.0, 3)])
def test_the_exact_window_is_the_nearest_odd_number_of_voxels(window, radius):
    grey = greys((12, 13, 14))
    out = ct.segment.equalise(ct.volume(grey, 0.438), window * 0.438, exact=True)
    np.testing.assert_array_equal(out, local_rank(grey, (radius,) * 3))


@settings(deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 50), min_size=256, max_size=256), st.floats(0.001, 1.0))
def test_clipping_keeps_the_number_of_voxels_and_the_limit(counts, share):
    counts = np.array(counts, float)
    total = counts.sum()
    limit = max(share * total, total / 256)
    spread(counts, share * total)
    assert counts.sum() == pytest.approx(total, abs=1e-3)
    assert counts.max() <= limit + 1e-6


IMAGE = ct.volume(greys((10, 10, 10)), 0.5)


@pytest.mark.parametrize(
    ("image", "window", "options", "error", "match"),
    [
        (IMAGE.astype(float), 3.0, {}, TypeError, "dtype float64: 8 bits are needed"),
        (IMAGE > 99, 3.0, {}, TypeError, "dtype bool"),
        (IMAGE, 0.9, {}, ValueError, r"2 voxels \(1 µm\) or more"),
        (IMAGE, 5.1, {}, ValueError, r"at most the longest edge of the volume \(5 µm\)"),
        (IMAGE, -1.0, {}, ValueError, "above zero"),
        (IMAGE, np.nan, {}, ValueError, "finite"),
        (IMAGE, "3", {}, TypeError, "a number in µm"),
        (IMAGE, 3.0, {"clip_limit": 0}, ValueError, "clip_limit 0: a share of the window above 0"),
        (IMAGE, 3.0, {"clip_limit": 1.5}, ValueError, "up to 1"),
        (IMAGE, 3.0, {"clip_limit": np.nan}, ValueError, "up to 1"),
        (IMAGE, 3.0, {"clip_limit": 0.1, "exact": True}, ValueError, "ranks are counted, not clipped"),
        (IMAGE.values, 3.0, {}, TypeError, r"ct\.volume"),
    ],
)
def test_what_cannot_be_equalised_is_refused(image, window, options, error, match):
    with pytest.raises(error, match=match):
        ct.segment.equalise(image, window, **options)
