"""Grain boundaries: a step, a line, Voronoi grains as the twin draws them, nothing in nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage.morphology import skeletonize

import corrtomo as ct
from corrtomo.segment.grain_boundaries import _noise
from corrtomo.simulate.grains import mark

repeatable = settings(deadline=None, derandomize=True, max_examples=10)
PIXEL = 0.025


def find(grey, mask=None, **options):
    image = ct.volume(grey, PIXEL)
    inside = image > -np.inf if mask is None else ct.volume(mask, PIXEL)
    return ct.segment.grain_boundaries(image, inside, **options).values


def noisy(grey, noise=5.0, seed=0):
    return grey + noise * np.random.default_rng(seed).standard_normal(grey.shape)


def grains(seed, n=300):
    """Return shades of Voronoi grains of 0.6 µm in a round particle, its mask, and their boundaries."""
    y, x = np.mgrid[:n, :n]
    mask = (y - n / 2) ** 2 + (x - n / 2) ** 2 < (0.42 * n) ** 2
    owner = np.where(mask, 0, -1).astype(np.int32)
    middle = n / 2 * PIXEL
    one = np.array([[0.3, middle, middle]]), np.array([middle]), np.array([5])
    shade, _ = mark(owner, one, np.zeros((0, 11)), PIXEL, np.zeros(3), 0.6, seed)
    border = np.zeros_like(mask)
    for axis in (0, 1):
        after = np.roll(shade, -1, axis)
        border |= mask & np.roll(mask, -1, axis) & (shade != after)
    return shade, mask, border


def seen(shade, mask, border, steps, lines, noise, seed):
    grey = 60 + mask * (90 + steps * shade) - lines * skeletonize(border)
    grey = noisy(ndimage.gaussian_filter(grey, 0.8), noise, seed)
    return np.clip(grey, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("steps", "lines", "noise", "precision", "recall"),
    [(12, 15, 6, 0.92, 0.90), (12, 15, 12, 0.90, 0.65), (12, 0, 8, 0.90, 0.70), (3, 20, 8, 0.88, 0.70)],
)
def test_voronoi_grains(steps, lines, noise, precision, recall):
    right = []
    for seed in range(2):
        shade, mask, border = grains(seed)
        found = find(seen(shade, mask, border, steps, lines, noise, seed), mask)
        inner = ndimage.binary_erosion(mask, iterations=6)
        near_true = ndimage.distance_transform_edt(~border) <= 2
        near_found = ndimage.distance_transform_edt(~found) <= 2
        right.append([near_true[found & inner].mean(), near_found[skeletonize(border) & inner].mean()])
    assert (np.mean(right, axis=0) > (precision, recall)).all()


@pytest.mark.parametrize("axis", [0, 1])
def test_a_step_and_a_dark_line_are_two_pixels_wide_where_they_are(axis):
    step = np.where(np.arange(80) < 40, 100.0, 140.0)
    line = np.where(np.abs(np.arange(80) - 40) < 1, 100.0, 140.0)
    for row, places in ((step, [39, 40]), (line, [39, 40, 41])):
        grey = np.broadcast_to(row if axis else row[:, None], (80, 80))
        found = find(noisy(grey, 3.0))
        across = found.any(axis=1 - axis)
        assert set(np.flatnonzero(across)) <= {38, 39, 40, 41, 42}
        middle = found[40] if axis else found[:, 40]
        assert middle.sum() == 2
        assert set(np.flatnonzero(middle)) <= set(places)
        assert found.any(axis=axis).all()


@pytest.mark.parametrize(
    ("step", "deep", "least", "most"),
    [(12, 0, -0.3, 0.3), (24, 0, -0.3, 0.3), (0, 20, -0.3, 0.3), (12, 15, 0.5, 1.2), (24, 30, 0.5, 1.2)],
)
def test_a_line_beside_a_step_is_put_to_its_bright_side_by_what_the_notes_say(step, deep, least, most):
    fine = (np.arange(640) + 0.5) / 8
    row = np.where(fine < 40, 100.0, 100.0 + step)
    row[np.abs(fine - 40) < 1] -= deep
    row = ndimage.gaussian_filter1d(row, 0.8 * 8).reshape(80, 8).mean(axis=1)
    places = []
    for seed in range(3):
        found = find(noisy(np.broadcast_to(row, (80, 80)), 4.0, seed))[10:70]
        places += [np.flatnonzero(line).mean() + 0.5 - 40 for line in found if line.sum() == 2]
    assert len(places) > 100
    assert least < np.mean(places) < most


def test_a_bright_line_and_a_slope_are_none():
    bright = np.where(np.abs(np.arange(120) - 60) < 1, 150.0, 140.0)
    assert find(noisy(np.broadcast_to(np.linspace(0, 12, 120), (120, 120)), 4.0)).mean() < 0.002
    dark = 290 - bright
    ways = [
        find(noisy(np.broadcast_to(row, (120, 120)), 3.0)).any(axis=0)[55:66].sum() for row in (dark, bright)
    ]
    assert ways[0] > 0


@pytest.mark.parametrize("seed", range(4))
def test_there_is_nothing_in_noise(seed):
    assert find(noisy(np.full((200, 200), 150.0), 8.0, seed)).mean() < 0.002


def test_nothing_is_found_outside_of_the_mask_nor_at_its_outline():
    shade, mask, border = grains(0)
    found = find(seen(np.zeros_like(shade), mask, np.zeros_like(border), 0, 0, 5, 0), mask)
    assert found.mean() < 0.001
    found = find(seen(shade, mask, border, 15, 15, 5, 0), mask)
    assert not found[~mask].any()


def test_a_lower_least_finds_more_and_grey_values_may_be_scaled():
    shade, mask, border = grains(1)
    grey = seen(shade, mask, border, 12, 15, 10, 1)
    shares = [find(grey, mask, least=least).mean() for least in (2.5, 3.5, 5.0)]
    assert shares[0] > shares[1] > shares[2] > 0
    assert (find(grey.astype(float) * 1e4, mask) == find(grey.astype(float), mask)).all()


def test_the_noise_is_estimated_blind_to_steps():
    grey = noisy(np.where(np.arange(200) % 20 < 10, 100.0, 130.0) * np.ones((200, 1)), 7.0)
    assert _noise(grey, np.full(grey.shape, True)) == pytest.approx(7.0, rel=0.08)


@repeatable
@given(st.integers(0, 2**32 - 1), st.integers(3, 30), st.integers(3, 30))
def test_mirrored_images_have_mirrored_boundaries(seed, ny, nx):
    grey = ndimage.gaussian_filter(np.random.default_rng(seed).normal(100, 50, (ny, nx)), 1.0)
    spread = min(0.05, PIXEL * min(ny, nx) / 4)
    found = find(grey, spread_um=spread)
    assert (find(grey[::-1].copy(), spread_um=spread)[::-1] == found).mean() > 0.97
    assert found.dtype == bool
    assert found.shape == grey.shape


IMAGE = ct.volume(noisy(np.full((40, 40), 150.0)), PIXEL)


@pytest.mark.parametrize(
    ("image", "mask", "options", "error", "match"),
    [
        (IMAGE.values, IMAGE > 0, {}, TypeError, r"ct\.volume"),
        (IMAGE > 0, IMAGE > 0, {}, TypeError, "grey values are needed"),
        (IMAGE, IMAGE, {}, TypeError, "booleans are needed"),
        (IMAGE, IMAGE < 0, {}, ValueError, "the mask is empty"),
        (IMAGE, (IMAGE > 0)[1:], {}, ValueError, "sizes .* differ"),
        (IMAGE.where(IMAGE > 150), IMAGE > 0, {}, ValueError, "NaN or infinite"),
        (IMAGE.expand_dims(z=1), IMAGE > 0, {}, ValueError, "z coordinates"),
        (ct.volume(IMAGE.values, (0.05, 0.025)), ct.volume(IMAGE.values > 0, (0.05, 0.025)), {}, ValueError,
         "square ones are needed"),
        (IMAGE, IMAGE > 0, {"spread_um": 0.01}, ValueError, "0.7 pixels"),
        (IMAGE, IMAGE > 0, {"spread_um": 50.0}, ValueError, "a quarter of the image"),
        (IMAGE, IMAGE > 0, {"spread_um": "2 px"}, TypeError, "a number in µm"),
        (IMAGE, IMAGE > 0, {"least": 0}, ValueError, "above zero"),
        (IMAGE, IMAGE > 0, {"least": None}, TypeError, "a number is needed"),
        (ct.volume(np.zeros((3, 9, 9)), PIXEL), IMAGE > 0, {}, ValueError, "2D is needed"),
    ],
)  # fmt: skip
def test_what_has_no_grains_is_refused(image, mask, options, error, match):
    with pytest.raises(error, match=match):
        ct.segment.grain_boundaries(image, mask, **options)


def test_noise_that_is_not_white_is_said():
    rng = np.random.default_rng(0)
    coarse = rng.normal(100, 5, (100, 100))
    said = []
    for grey in (
        rng.normal(100, 5, (200, 200)),
        ndimage.zoom(coarse, 2, order=1),
        ndimage.gaussian_filter(coarse, 1),
    ):
        image = ct.volume(grey, PIXEL)
        said.append(ct.segment.grain_boundaries(image, image > 0).attrs["noise_from_afar"])
    assert said[0] == pytest.approx(1, abs=0.1)
    assert min(said[1:]) > 2
