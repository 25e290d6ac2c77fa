"""What noise alone does along an unrolled layer: closed forms, and fields of known smoothness."""

import numpy as np
import pytest
from scipy import ndimage, special, stats
from wound import PIXEL, cell, traced

import corrtomo as ct
from corrtomo.segment.excess import Excess, Side, energy_of, excess_of, peaks_above, threshold_of, usual
from corrtomo.segment.layers.traced import check_layers, course_of
from corrtomo.segment.layers.unroll import unrolled


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("score", [1.0, 3.0, 4.5])
def test_white_noise_has_as_many_peaks_as_its_largest_of_neighbours(dims, score):
    largest = (1 - special.ndtr(score) ** (2 * dims + 1)) / (2 * dims + 1)
    side = Side(1e12, 0.0, 0.0)
    assert peaks_above(score, 10_000, [side] * dims) == pytest.approx(10_000 * largest, rel=1e-6)


def test_along_an_axis_of_two_a_sample_has_one_neighbour():
    pair = (1 - special.ndtr(2.0) ** 2) / 2
    assert peaks_above(2.0, 2, [Side(2.0, 0.0, 0.0)]) == pytest.approx(2 * pair, rel=1e-6)


def test_equal_neighbours_share_one_peak_and_none_counts_all():
    assert peaks_above(3.0, 1000, []) == pytest.approx(1000 * special.ndtr(-3.0), rel=1e-4)
    assert peaks_above(3.0, 1000, [Side(1e12, 1 - 1e-9, 1 - 4e-9)]) < 0.1


def smooth(shape, spread, seed):
    wide = [size + 12 * (size > 1) for size in shape]
    field = np.random.default_rng(seed).standard_normal(wide)
    for axis in range(3):
        if shape[axis] > 1:
            field = ndimage.gaussian_filter1d(field, spread, axis=axis, mode="wrap")
    field = field[tuple(slice(0, size) for size in shape)]
    # The exact sum of squares of the weights, and not the spread of this field.
    weights = ndimage.gaussian_filter1d(np.eye(41)[20], spread)
    return (field / (weights**2).sum() ** (sum(s > 1 for s in shape) / 2)).astype(np.float32)


@pytest.mark.parametrize(("shape", "score"), [((1, 13, 4000), 2.5), ((8, 13, 1500), 3.0)])
@pytest.mark.parametrize("spread", [0.8, 1.0, 2.0])
def test_a_smooth_field_has_as_many_peaks_as_expected(shape, score, spread):
    alike = [float(np.exp(-(apart**2) / (4 * spread**2))) for apart in (1, 2)]
    sides = [Side(float(size), *alike) for size in shape if size > 1]
    expected = peaks_above(score, int(np.prod(shape)), sides)
    counts = []
    for seed in range(12):
        field = smooth(shape, spread, seed)
        near = ndimage.maximum_filter(
            field, footprint=ndimage.generate_binary_structure(3, 1), mode="nearest"
        )
        counts.append(int(((field >= near) & (field > score)).sum()))
    # Peaks of a smooth field are apart: their number is that of Poisson.
    low, high = stats.poisson.interval(0.9999, 12 * expected)
    assert low <= sum(counts) <= high


def test_the_threshold_follows_from_what_is_measured_on_the_field():
    field = smooth((8, 13, 4000), 1.0, 0)
    alike = [float(np.exp(-(apart**2) / 4)) for apart in (1, 2)]
    found = threshold_of(Excess(field, field), 0.1)
    expected = peaks_above(found, field.size, [Side(float(size), *alike) for size in field.shape])
    assert expected == pytest.approx(0.1, rel=0.05)
    assert threshold_of(Excess(field, field), 1.0) < found
    nothing = np.zeros_like(field)
    assert threshold_of(Excess(nothing, nothing), 1.0) > 30


@pytest.mark.parametrize("spread", [0.7, 1.0, 3.0])
def test_near_the_ends_an_average_keeps_less_of_its_noise(spread):
    """Of the weights, their half and the middle one are left at an end: squares of them are its variance."""
    weights = ndimage.gaussian_filter1d(np.eye(81)[40], spread)
    whole = (weights**2).sum()
    energy = energy_of(60, spread)
    assert energy[[0, -1]] == pytest.approx(np.sqrt((whole + weights[40] ** 2) / 2 / whole), rel=1e-6)
    assert energy[20:40] == pytest.approx(1.0, rel=1e-6)
    noise = np.random.default_rng(0).standard_normal((20_000, 60))
    averaged = ndimage.gaussian_filter1d(noise, spread, axis=1, mode="constant") / np.sqrt(whole)
    assert averaged.std(axis=0) == pytest.approx(energy, rel=0.03)


def test_what_is_usual_at_a_place_does_not_hang_on_it_or_its_neighbours():
    flat = np.random.default_rng(0).normal(size=(1, 1, 400)).astype(np.float32)
    changed = flat.copy()
    changed[..., 196:205] = 1000.0
    before, after = usual(flat, 12, 4), usual(changed, 12, 4)
    assert after[0, 0, 200] == before[0, 0, 200]
    assert (after[0, 0, 200 - 40 : 200 - 20] == before[0, 0, 200 - 40 : 200 - 20]).all()
    row = flat[0, 0]
    both = np.concatenate([row[200 - 16 : 200 - 4], row[205:217]])
    assert before[0, 0, 200] == pytest.approx(np.median(both))


def test_usual_is_exact_on_a_slope_and_each_stretch_stands_alone():
    flat = np.arange(300, dtype=np.float32)[None, None]
    assert usual(flat, 8, 3)[0, 0, 20:-20] == pytest.approx(flat[0, 0, 20:-20], abs=1e-3)
    parted = np.where(np.arange(300) < 150, 10.0, 500.0).astype(np.float32)
    parted[145:155] = np.nan
    out = usual(parted[None, None], 8, 3)[0, 0]
    assert (out[:145] == 10).all()
    assert (out[155:] == 500).all()
    assert (out[145:155] == 0).all()
    assert not usual(np.full((1, 2, 30), np.nan, np.float32), 8, 3).any()


@pytest.mark.parametrize("shape", [(1, 13, 4000), (8, 13, 2000)])
def test_noise_less_what_is_usual_has_the_tails_of_a_gaussian(shape):
    curves = []
    for seed in range(4):
        noise = smooth((1, *shape[1:]), 1.0, seed)
        noise = np.concatenate([smooth((1, *shape[1:]), 1.0, 100 * seed + k) for k in range(shape[0])])
        score = excess_of(noise, noise, np.zeros(shape[2]), 24, (1.0, 1.0)).score
        curves.append(float((score**4).mean() / (score**2).mean() ** 2))
        assert score.std() == pytest.approx(1.0, abs=0.03)
    # 3.22 with a median that holds the place itself.
    assert np.mean(curves) == pytest.approx(3.0, abs=0.04)


@pytest.mark.parametrize("spread", [0.7, 1.0])
def test_unrolled_noise_is_the_same_on_pixels_and_between_them(spread):
    clean, _ = cell()
    found = check_layers(traced(clean), doing="test")
    course = course_of(found, 0, PIXEL, 960.0, doing="test")
    parts = [[], []]
    for seed in range(8):
        noise = ct.volume(np.random.default_rng(seed).normal(size=clean.shape), PIXEL)
        flat = unrolled(noise, found, course, np.zeros(1), False, spread * PIXEL)[0, 0]
        angle = found.attrs["sense"] * course.winding
        radius = course.radius_um[0]
        off = np.hypot(
            *[
                np.abs(np.mod((found.attrs[f"centre_{name}_um"] + way(angle) * radius) / PIXEL, 1) - 0.5)
                for name, way in (("y", np.sin), ("x", np.cos))
            ]
        )
        for part, there in zip(parts, (off > 0.5, off < 0.25), strict=True):
            part.append(flat[there])
    on, between = (np.nanstd(np.concatenate(part)) for part in parts)
    # 0.91 and 0.84 on straight lines between pixels.
    assert between / on == pytest.approx(1.0, abs=0.05)
