"""Rings: known stripes taken out, the sample kept, parts of a scan, chunks, refusals."""

import dask.array as da
import numpy as np
import pytest
from benchmarks.projection_repairs import pillar, rms, stripes
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage.transform import iradon

import corrtomo as ct

DIMS = ("angle", "z", "x")
PIXEL = 0.05
ANGLES = np.arange(180.0)
SHAPE = (16, 440)


def image(values):
    return ct.volume(values, PIXEL, dims=DIMS)


def removed(values, **options):
    return ct.reconstruct.remove_rings(image(values), progress=False, **options).values


@pytest.fixture(scope="module")
def plain():
    return pillar(ANGLES, SHAPE, PIXEL, centre_um=0.37).values


def test_less_than_half_of_the_stripes_is_left_and_little_harm_is_done(plain):
    bad = stripes(SHAPE)
    found = ct.reconstruct.remove_rings(image(plain + bad), progress=False)
    assert rms(found.values - plain) < 0.45 * rms(bad)
    assert rms(removed(plain) - plain) < 0.3 * rms(bad)
    assert found.attrs["stripes_rms"] == pytest.approx(rms(plain + bad - found.values), rel=1e-3)


def test_noise_hardly_changes_that_and_sorting_does_worse(plain):
    bad = stripes(SHAPE, seed=2)
    noisy = plain + np.random.default_rng(0).normal(0, 0.03, plain.shape).astype(np.float32)
    left = rms(removed(noisy + bad) - noisy)
    assert left < 0.6 * rms(bad)  # the mean of the noise over the angles is taken for stripes as well
    assert left < 0.8 * rms(sorted_out(noisy + bad) - noisy)


def sorted_out(projections, window=21):
    """Smooth along x what is sorted along the angle, and sort back (Vo et al. 2018)."""
    order = np.argsort(projections, axis=0)
    smooth = ndimage.median_filter(np.take_along_axis(projections, order, 0), (1, 1, window), mode="nearest")
    out = np.empty_like(smooth)
    np.put_along_axis(out, order, smooth, 0)
    return out


def ring_power(sinogram, truth):
    """Power of what is the same all around the axis, in the difference of two reconstructions."""
    apart = iradon((sinogram - truth).T, ANGLES, filter_name="hann", circle=True)
    middle = (len(apart) - 1) / 2
    radius = np.hypot(*(np.indices(apart.shape) - middle)).round().astype(int)
    kept = (radius > 4) & (radius < middle)  # on the axis everything is a ring
    mean = np.bincount(radius[kept], apart[kept]) / np.maximum(np.bincount(radius[kept]), 1)
    return float((mean[5:] ** 2).mean())


def test_the_power_of_rings_falls_below_a_half_and_sorting_leaves_more():
    centred = pillar(ANGLES, SHAPE, PIXEL, centre_um=PIXEL / 2).values
    bad = stripes(SHAPE, seed=3)
    rows = (4, 8, 12)

    def power(projections):
        return np.mean([ring_power(projections[:, row], centred[:, row]) for row in rows])

    before, after = power(centred + bad), power(removed(centred + bad))
    assert after < 0.5 * before
    assert after < 0.85 * power(sorted_out(centred + bad))


@pytest.mark.parametrize("wide", [1, 2, 5])
def test_a_stripe_on_even_ground_is_taken_out_in_full(wide):
    grey = 0.5 + np.zeros((20, 9, 60))
    striped = grey.copy()
    striped[:, 4, 30 : 30 + wide] += 0.02
    np.testing.assert_allclose(removed(striped), grey, atol=1e-6)
    striped[:, :, 12 : 12 + wide] -= 0.01  # a column of the detector
    np.testing.assert_allclose(removed(striped), grey, atol=1e-6)


def test_what_is_wider_stays_unless_asked_for():
    grey = np.zeros((20, 9, 120))
    grey[:, :, 50:62] = 0.02
    assert removed(grey)[0, 4, 56] > 0.015
    assert abs(removed(grey, width_um=12 * PIXEL)[0, 4, 56]) < 1e-3


def test_what_moves_or_is_smooth_stays():
    x = np.arange(200) * PIXEL
    wave = np.broadcast_to(np.cos(x)[None, None], (40, 8, 200))
    np.testing.assert_allclose(removed(wave), wave, atol=0.01)
    dot = np.zeros((200, 5, 200))
    dot[np.arange(200), :, np.arange(200)] = 1.0
    assert np.abs(removed(dot) - dot).max() < 0.01


def test_the_top_and_the_edge_of_a_pillar_stay():
    x = (np.arange(440) - 219.5) * PIXEL
    grey = np.zeros((40, 440))
    grey[17:] = 0.1 * np.sqrt(np.maximum(81 - x**2, 0))  # round about the axis: the worst there is
    grey = np.broadcast_to(ndimage.gaussian_filter(grey, 2), (8, 40, 440))
    assert np.abs(removed(grey) - grey).max() < 0.01 * grey.max()


def test_stripes_that_change_need_parts(plain):
    first, second = stripes(SHAPE, seed=4), stripes(SHAPE, seed=5)
    bad = np.concatenate([np.broadcast_to(half, (90, *SHAPE)) for half in (first, second)])
    one, two = (rms(removed(plain + bad, parts=parts) - plain) for parts in (1, 2))
    assert two < 0.5 * rms(bad) < 0.7 * one


def test_parts_are_as_if_each_were_a_scan(plain):
    some = plain[:91]
    alone = [removed(part) for part in (some[:30], some[30:61], some[61:])]
    np.testing.assert_allclose(removed(some, parts=3), np.concatenate(alone), atol=1e-6)


@pytest.mark.parametrize("chunks", [(7, -1, -1), (20, 3, 30)])
@pytest.mark.parametrize("parts", [1, 2])
def test_a_lazy_scan_stays_lazy_and_equals(plain, chunks, parts):
    values = plain[:40, :6, :90] + stripes((6, 90))
    lazy = image(values).copy(data=da.from_array(values, chunks=chunks))
    found = ct.reconstruct.remove_rings(lazy, parts=parts, progress=False)
    assert isinstance(found.data, da.Array)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, removed(values, parts=parts), atol=1e-6)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(
    seed=st.integers(0, 99),
    shape=st.tuples(st.integers(8, 12), st.integers(1, 7), st.integers(1, 30)),
    more=st.floats(-2, 2),
    times=st.floats(0.1, 10),
)
def test_brightness_and_contrast_change_nothing_and_one_constant_a_pixel_is_taken(seed, shape, more, times):
    values = np.random.default_rng(seed).normal(size=shape)
    found = removed(values)
    np.testing.assert_allclose(
        removed(times * values + more), times * found + more, atol=2e-5 * max(times, 1)
    )
    np.testing.assert_allclose(removed(values[..., ::-1]), found[..., ::-1], atol=1e-5)
    taken = values - found
    np.testing.assert_allclose(taken, np.broadcast_to(taken[0], shape), atol=1e-5)


def test_coordinates_are_kept_and_counts_refused():
    lines = image(np.full((9, 4, 20), 7.0))
    found = ct.reconstruct.remove_rings(lines)
    assert found.dtype == np.float32
    assert (found == 7).all()
    xr_coords = found.coords.to_dataset()
    assert xr_coords.identical(lines.coords.to_dataset())
    with pytest.raises(TypeError, match="remove rings from projections of dtype uint16: they are counts"):
        ct.reconstruct.remove_rings(lines.astype(np.uint16))


def test_a_width_of_a_good_part_of_the_view_is_told():
    grey = np.zeros((16, 4, 120))
    with pytest.warns(UserWarning, match=r"width_um=2.4.* 97 columns, .* 120.*Structure of the sample"):
        removed(grey, width_um=2.4)
    assert (removed(grey, width_um=1.4) == 0).all()
    assert (removed(grey[..., :9]) == 0).all()  # what is the default is not asked for


def test_refusals():
    good = np.ones((16, 4, 20))
    with pytest.raises(TypeError, match="remove rings: projections are of type ndarray"):
        ct.reconstruct.remove_rings(good)
    with pytest.raises(ValueError, match="projection 3 holds NaN"):
        removed(np.where(np.arange(16)[:, None, None] == 3, np.nan, good))
    with pytest.raises(TypeError, match="parts=1.5: a whole number"):
        removed(good, parts=1.5)
    with pytest.raises(ValueError, match="parts=3: each needs 8 projections or more.*Up to 2 parts"):
        removed(good, parts=3)
    with pytest.raises(ValueError, match="parts=0"):
        removed(good, parts=0)
    with pytest.raises(ValueError, match="parts=1: each needs 8.*there are 7"):
        removed(good[:7])
    with pytest.raises(TypeError, match="width_um 'wide'"):
        removed(good, width_um="wide")
    with pytest.raises(ValueError, match="width_um 2.6 µm: that is 52 pixels, and up to 50"):
        removed(good, width_um=2.6)
    with pytest.raises(ValueError, match="width_um 0 µm: it must be finite and above zero"):
        removed(good, width_um=0)
