"""Local thickness: brute force, closed forms, borders, refusals."""

import dask.array as da
import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

import corrtomo as ct


def brute_force(mask):
    """Try the ball around every voxel; its squared radius is the distance to the nearest voxel outside."""
    if mask.all():
        raise ValueError("no outside")
    outside = np.argwhere(~mask)
    every = np.indices(mask.shape).reshape(mask.ndim, -1).T
    apart = ((every[:, None, :] - outside[None]) ** 2).sum(-1).min(1).reshape(mask.shape)
    size, cut = np.zeros(mask.shape, int), np.zeros(mask.shape, bool)
    for at in sorted(map(tuple, np.argwhere(mask)), key=lambda at: -apart[at]):
        r2 = apart[at]
        away = ((every - at) ** 2).sum(1).reshape(mask.shape)
        reach = int(np.sqrt(r2 - 1))
        beyond = any(p < reach or p + reach >= n for p, n in zip(at, mask.shape, strict=True))
        ball = away < r2
        better = ball & (r2 > size)
        cut[better] = beyond
        cut[ball & (r2 == size)] &= beyond
        size[better] = r2
    return 2 * np.sqrt(size), cut


def blobs(shape, seed=0, smooth=1.0, share=0.5):
    field = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), smooth)
    return field > np.quantile(field, 1 - share)


@settings(deadline=None, derandomize=True, max_examples=50)
@given(
    shape=st.one_of(st.tuples(*[st.integers(1, 10)] * 3), st.tuples(*[st.integers(1, 16)] * 2)),
    seed=st.integers(0, 999),
    smooth=st.sampled_from([0.0, 0.8, 1.6]),
    share=st.floats(0.2, 0.97),
)
def test_it_equals_brute_force(shape, seed, smooth, share):
    mask = blobs(shape, seed, smooth, share)
    if not mask.any() or mask.all():
        return
    size, cut = brute_force(mask)
    image = ct.volume(mask, 0.5)
    np.testing.assert_allclose(ct.measure.local_thickness(image), 0.5 * size, rtol=1e-6)
    if (cut & mask).sum() < mask.sum():
        left = ct.measure.local_thickness(image, border="leave out")
        np.testing.assert_array_equal(np.isnan(left), cut & mask)
        np.testing.assert_allclose(left.values[~cut], 0.5 * size[~cut], rtol=1e-6)


@pytest.mark.parametrize("n", range(1, 12))
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_slab_has_its_thickness_to_a_voxel(n, axis):
    mask = np.zeros((n + 6,) * 3, bool)
    np.moveaxis(mask, axis, 0)[3 : 3 + n] = True
    size = ct.measure.local_thickness(ct.volume(mask, 0.2)).values[mask]
    np.testing.assert_allclose(size, 0.2 * (n + n % 2), rtol=1e-6)


@pytest.mark.parametrize("radius", [4.0, 6.5, 9.0])
def test_a_ball_has_its_diameter_within_a_voxel(radius):
    at = np.indices((25, 25, 25)) - 12
    size = ct.measure.local_thickness(ct.volume((at**2).sum(0) < radius**2, 1.0))
    inner = (at**2).sum(0) < (radius - 1) ** 2
    np.testing.assert_allclose(size.values[inner], 2 * radius, atol=1.0)


def test_a_cylinder_has_its_diameter_everywhere():
    at = np.indices((20, 31, 31))[1:] - 15
    mask = (at**2).sum(0) < 100
    size = ct.measure.local_thickness(ct.volume(mask, 1.0)).values[mask]
    assert np.abs(np.median(size) - 20) <= 1
    assert size.max() <= 21


def test_axes_padding_and_place_do_not_matter():
    mask = blobs((18, 20, 22), smooth=1.5)
    size = ct.measure.local_thickness(ct.volume(mask, 1.0)).values
    np.testing.assert_array_equal(ct.measure.local_thickness(ct.volume(mask.T.copy(), 1.0)).values, size.T)
    turned = ct.measure.local_thickness(ct.volume(mask[::-1, :, ::-1].copy(), 1.0)).values
    np.testing.assert_array_equal(turned, size[::-1, :, ::-1])
    closed = np.pad(mask, 1)
    wide = np.pad(mask, 5)
    np.testing.assert_array_equal(
        ct.measure.local_thickness(ct.volume(wide, 1.0)).values[4:-4, 4:-4, 4:-4],
        ct.measure.local_thickness(ct.volume(closed, 1.0)).values,
    )


def by_distances(mask):
    """Open by each radius, with SciPy: a voxel is as thick if the centre of such a ball is that near."""
    depth = np.rint(ndimage.distance_transform_edt(mask) ** 2)
    size = np.zeros(mask.shape)
    for r2 in np.unique(depth[mask]):
        near = np.rint(ndimage.distance_transform_edt(depth < r2) ** 2) < r2
        size[near] = 2 * np.sqrt(r2)
    return size


@pytest.mark.parametrize("shape", [(70, 12, 140), (9, 135, 66)])
def test_balls_reach_across_bricks(shape):
    mask = blobs(shape, smooth=5.0, share=0.7)
    np.testing.assert_allclose(
        ct.measure.local_thickness(ct.volume(mask, 1.0)), by_distances(mask), rtol=1e-6
    )


def test_very_large_balls():
    mask = np.ones((2, 600), bool)
    mask[0, 0] = False
    size = ct.measure.local_thickness(ct.volume(mask, 1.0))
    np.testing.assert_allclose(size, brute_force(mask)[0], rtol=1e-6)


@settings(deadline=None, derandomize=True, max_examples=15)
@given(seed=st.integers(0, 999), low=st.integers(0, 9), high=st.integers(18, 30), flat=st.booleans())
def test_what_the_border_does_not_cut_is_never_too_large_for_a_larger_volume(seed, low, high, flat):
    mask = blobs((30,) * (2 if flat else 3), seed, share=0.4)
    part = (slice(low, high),) * mask.ndim
    whole = ct.measure.local_thickness(ct.volume(mask, 1.0)).values[part]
    if not 0 < mask[part].mean() < 1:
        return
    left = ct.measure.local_thickness(ct.volume(mask[part], 1.0), border="leave out").values
    known = ~np.isnan(left)
    assert (left[known] <= whole[known]).all()
    seen = ct.measure.local_thickness(ct.volume(mask[part], 1.0)).values
    np.testing.assert_array_equal(left[known], seen[known])


def test_the_stated_bias_on_balls_and_oblique_slabs():
    rng = np.random.default_rng(0)
    at = np.indices((41,) * 3) - 20.0
    balls, slabs = [], []
    for half in rng.uniform(2, 8, 24):
        ball = ((at - rng.uniform(-0.5, 0.5, (3, 1, 1, 1))) ** 2).sum(0) < half**2
        balls.append(float(ct.measure.local_thickness(ct.volume(ball, 1.0)).max()) - 2 * half)
        normal = rng.normal(size=3)
        normal /= np.linalg.norm(normal)
        slab = np.abs(np.tensordot(normal, at, 1) - rng.uniform(-0.5, 0.5)) < half
        middle = ct.measure.local_thickness(ct.volume(slab, 1.0)).values[16:25, 16:25, 16:25]
        slabs.append(float(np.median(middle[middle > 0])) - 2 * half)
    assert -1.0 < np.mean(balls) < -0.4
    assert 0.2 < np.mean(slabs) < 0.7
    assert max(map(abs, balls + slabs)) < np.sqrt(3)


@pytest.mark.parametrize("progress", [True, False])
def test_a_bar_is_shown_on_long_work_unless_it_is_not_wanted(monkeypatch, progress):
    said = []

    def bar(steps, **options):
        said.append((options["disable"], options["delay"] > 0, len(steps)))
        return steps

    monkeypatch.setattr("corrtomo.measure.inscribed_balls.tqdm", bar)
    ct.measure.local_thickness(ct.volume(blobs((130, 4, 4)), 1.0), progress=progress)
    assert said == [(not progress, True, 3)]


def test_the_number_of_threads_does_not_matter():
    mask = ct.volume(blobs((30, 70, 140), smooth=2.0), 1.0)
    size = ct.measure.local_thickness(mask, border="leave out")
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        alone = ct.measure.local_thickness(mask, border="leave out")
    finally:
        numba.set_num_threads(before)
    np.testing.assert_array_equal(alone, size)


def test_an_opening_with_the_ball_keeps_exactly_what_is_as_thick():
    """An independent way: what is at least as thick as a ball is the opening of the mask by that ball."""
    mask = np.pad(blobs((30, 30, 30), smooth=2.0), 8)
    size = ct.measure.local_thickness(ct.volume(mask, 1.0)).values
    at = np.indices((17, 17, 17)) - 8
    apart = ndimage.distance_transform_edt(mask)
    for r2 in (2, 5, 9, 14, 20):
        seeds = apart**2 > r2 - 0.5
        ball = (at**2).sum(0) < r2
        opened = ndimage.binary_dilation(seeds, ball)
        smaller = size >= 2 * np.sqrt(r2) - 1e-5
        assert not (opened & ~smaller).any()
        assert smaller[seeds].all()


def test_dask_and_views_give_the_same():
    mask = blobs((20, 22, 24))
    size = ct.measure.local_thickness(ct.volume(mask, 1.0))
    lazy = ct.volume(da.from_array(mask, chunks=(7, 22, 9)), 1.0)
    np.testing.assert_array_equal(ct.measure.local_thickness(lazy), size)
    view = ct.volume(np.asfortranarray(mask), 1.0)
    np.testing.assert_array_equal(ct.measure.local_thickness(view), size)


def touching():
    return ct.volume(np.indices((6, 6, 6))[0] < 3, 1.0)


@pytest.mark.parametrize(
    ("mask", "options", "error", "match"),
    [
        (ct.volume(np.zeros((4, 4, 4), bool), 1.0), {}, ValueError, "0 of 64 voxels are in the mask"),
        (ct.volume(np.ones((4, 4, 4), bool), 1.0), {}, ValueError, "64 of 64 voxels"),
        (ct.volume(np.eye(4) > 0, (1.0, 2.0)), {}, ValueError, "a ball needs voxels that are cubes"),
        (ct.volume(np.eye(4), 1.0), {}, TypeError, "the mask has dtype float64"),
        (np.eye(4) > 0, {}, TypeError, r"ct\.volume"),
        (ct.volume(np.ones(4, bool), 1.0), {}, ValueError, "2D or 3D is needed"),
        (
            ct.volume(np.eye(4) > 0, 1.0),
            {"border": "mirror"},
            ValueError,
            "allowed are 'as seen', 'leave out'",
        ),
        (touching(), {"border": "leave out"}, ValueError, "nothing is left"),
    ],
)
def test_what_has_no_thickness_is_refused(mask, options, error, match):
    with pytest.raises(error, match=match):
        ct.measure.local_thickness(mask, **options)


def test_booleans_of_any_byte_are_one_phase():
    mask = np.random.default_rng(0).random((12, 12, 12)) < 0.4
    odd = (mask * np.random.default_rng(1).integers(1, 255, mask.shape)).astype(np.uint8).view(bool)
    plain = ct.measure.local_thickness(ct.volume(mask, 0.5))
    np.testing.assert_array_equal(ct.measure.local_thickness(ct.volume(odd, 0.5)), plain)
