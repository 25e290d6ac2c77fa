"""Colocalisation: Pearson, Manders, Costes, and what makes them mislead."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import corrtomo as ct
from corrtomo.measure.counting.costes import costes_thresholds

FIND = ct.measure.colocalisation


def grains(seed, low, high, n=24, edge=6):
    """Return the mean counts of square grains."""
    rng = np.random.default_rng(seed)
    return np.kron(rng.uniform(low, high, (n, n)), np.ones((edge, edge)))


def counted(rate, seed):
    return ct.volume(np.random.default_rng(seed).poisson(rate), 0.03)


def test_by_hand():
    first, second = ct.volume([[0, 1, 2, 3, 4]], 0.1), ct.volume([[0, 2, 1, 3, 4]], 0.1)
    found = FIND(first, second, thresholds=(1, 2), block_um=0.1)
    assert found.pearson == pytest.approx(np.corrcoef(first.values[0], second.values[0])[0, 1])
    assert found.m1 == (3 + 4) / 10
    assert found.m2 == (1 + 3 + 4) / 10
    assert (found.blocks, found.pixels, found.threshold_method) == (5, 5, "given")
    assert np.isnan([found.pearson_low, found.p_value, found.corrected]).all()  # variance and mean are both 2
    assert any("too few for an interval" in warning for warning in found.warnings)
    assert any("scatters no more than noise" in warning for warning in found.warnings)


@pytest.mark.parametrize(("low", "high"), [(0.5, 3.5), (4, 20)])
def test_noise_hides_a_correlation_that_the_correction_finds(low, high):
    rate = grains(0, low, high)
    rng = np.random.default_rng(1)
    other = 0.7 * rate + 0.3 * rng.permuted(grains(2, low, high))
    truth = np.corrcoef(rate.ravel(), other.ravel())[0, 1]
    found = [FIND(counted(rate, 2 * i), counted(other, 2 * i + 1), randomisations=19) for i in range(10)]
    assert max(one.pearson for one in found) < truth - 0.1
    assert np.mean([one.corrected for one in found]) == pytest.approx(truth, abs=0.03)
    assert all(one.p_value == 0.05 for one in found)


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    hits = 0
    for i in range(40):
        own, shared, other = grains(3 * i, 2, 12), grains(3 * i + 1, 2, 12), grains(3 * i + 2, 2, 12)
        found = FIND(
            counted(own + shared, 3 * i), counted(shared + other, 3 * i + 1), thresholds=(10, 10),
            block_um=0.18, resamples=400, randomisations=19,
        )  # fmt: skip
        hits += found.corrected_low <= 0.5 <= found.corrected_high
    assert 34 <= hits <= 40


def test_channels_that_know_nothing_of_each_other():
    p_values = [
        FIND(
            counted(grains(2 * i, 1, 9), i), counted(grains(2 * i + 1, 1, 9), i + 500), randomisations=39
        ).p_value
        for i in range(40)
    ]
    # As likely anywhere from 0 to 1; scrambled pixel by pixel, four of ten would be below 0.05.
    assert sum(p <= 0.05 for p in p_values) <= 9
    assert 0.3 < np.mean(p_values) < 0.7


def test_blocks_are_as_wide_as_the_grains():
    found = FIND(counted(grains(0, 1, 9), 0), counted(grains(1, 1, 9), 1))
    assert 6 * 0.03 <= found.block_um <= 4 * 6 * 0.03
    white = FIND(counted(np.full((64, 64), 5.0), 0), counted(np.full((64, 64), 5.0), 1), thresholds="otsu")
    assert white.block_um <= 4 * 0.03


def test_background_raises_pearson_and_is_said():
    rate = np.zeros((96, 96))
    rate[24:72, 24:72] = 6.0
    first, second = counted(rate, 0), counted(rate, 1)
    everywhere = FIND(first, second)
    assert everywhere.pearson > 0.6
    assert any(w.startswith("no mask: ") for w in everywhere.warnings)
    inside = FIND(first, second, mask=ct.volume(rate > 0, 0.03), thresholds="otsu")
    assert abs(inside.pearson) < 0.1
    assert inside.pixels == 48 * 48
    assert not any("no mask" in w for w in inside.warnings)


def test_few_counts_and_saturation_are_said():
    rate = grains(0, 20, 200)
    full = np.minimum(np.random.default_rng(0).poisson(rate), 120).astype(np.uint8)
    found = FIND(ct.volume(full, 0.03), counted(rate, 1))
    assert [w for w in found.warnings if "saturated" in w] == [
        f"the first channel is saturated: {(full == 120).sum()} pixels have 120 counts, the most"
    ]
    assert FIND(counted(rate, 2), counted(rate, 1)).warnings == ()
    few = FIND(counted(rate / 100, 2), counted(rate / 100, 1))
    assert any(w.startswith("few counts") for w in few.warnings)


@settings(deadline=None, derandomize=True, max_examples=80)
@given(hnp.arrays(np.int64, st.tuples(st.just(2), st.integers(3, 40)), elements=st.integers(0, 9)))
def test_costes_thresholds_are_those_of_a_search_from_above(counts):
    a, b = counts.astype(float)
    (found, other), _, warnings = costes_thresholds(a, b)
    covariance = np.cov(a, b)
    if covariance[0, 1] <= 0:
        assert np.isnan(found)
        assert "do not correlate" in warnings[0]
        return
    gap = covariance[1, 1] - covariance[0, 0]
    slope = (gap + np.sqrt(gap**2 + 4 * covariance[0, 1] ** 2)) / (2 * covariance[0, 1])
    rest = b.mean() - slope * a.mean()
    least = np.minimum(a, (b - rest) / slope)
    for limit in np.unique(least)[::-1]:
        below = least <= limit
        if below.sum() * np.cov(a[below], b[below], bias=True)[0, 1] <= 1e-9:
            assert found == pytest.approx(limit)
            assert other == pytest.approx(slope * limit + rest)
            return
    assert np.isnan(found)


def test_costes_finds_the_background():
    rate = np.full((120, 120), 2.0)
    rate[20:80, 20:80] = grains(0, 20, 60, n=15, edge=4)
    found = FIND(counted(rate, 0), counted(rate, 1), block_um=0.36)
    assert 3 < found.thresholds[0] < 15
    assert found.m1 > 0.7
    against = FIND(counted(rate, 0), counted(70 - rate, 1), block_um=0.36)
    assert np.isnan([against.m1, against.m1_low, *against.thresholds]).all()
    assert against.pearson < -0.5
    assert against.p_value == 1
    assert any("pass 'otsu'" in w for w in against.warnings)


def test_swapping_the_channels_swaps_the_shares_and_seeds_repeat():
    first, second = counted(grains(0, 1, 9), 0), counted(grains(0, 1, 9) ** 1.5, 1)
    found, swapped = (FIND(*pair, thresholds="otsu") for pair in ((first, second), (second, first)))
    assert (found.m1, found.m2) == pytest.approx((swapped.m2, swapped.m1))
    assert found.pearson == pytest.approx(swapped.pearson)
    assert found == FIND(first, second, thresholds="otsu")
    assert found.pearson_low != FIND(first, second, thresholds="otsu", seed=1).pearson_low
    assert "Colocalisation(Pearson" in repr(found)


def test_volumes_work_and_their_lazy_form():
    rate = np.repeat(grains(0, 1, 20, n=4)[None], 5, axis=0)
    first, second = counted(rate, 0), counted(rate, 1)
    found = FIND(first, second, block_um=0.15)
    assert found.blocks == 1 * 5 * 5
    assert found == FIND(first.chunk({"z": 2}), second, block_um=0.15)


PAIR = ct.volume([[1, 2]], 0.1)


@pytest.mark.parametrize(
    ("second", "options", "error", "match"),
    [
        (np.ones((1, 2), int), {}, TypeError, "ndarray"),
        (None, {}, TypeError, "NoneType"),
        (ct.volume([[0.5, 1]], 0.1), {}, TypeError, "whole counts"),
        (ct.volume([[1, -2]], 0.1), {}, ValueError, "a count is -2"),
        (ct.volume([[1]], 0.1), {}, ValueError, "sizes"),
        (ct.volume([[1, 2]], 0.2), {}, ValueError, "coordinates differ"),
        (ct.volume([1, 2], 0.1), {}, ValueError, "2D or 3D is needed"),
        (ct.volume([[3, 3]], 0.1), {}, ValueError, "second channel is 3 in every one of 2"),
        (PAIR, {"thresholds": "mean"}, ValueError, "thresholds 'mean'"),
        (PAIR, {"thresholds": (1,)}, ValueError, "two finite counts"),
        (PAIR, {"thresholds": (1, np.nan)}, ValueError, "two finite counts"),
        (PAIR, {"thresholds": (1, "2")}, ValueError, "two finite counts"),
        (PAIR, {"thresholds": None}, ValueError, "two finite counts"),
        (PAIR, {"block_um": -1}, ValueError, "block_um -1"),
        (PAIR, {"resamples": 3}, ValueError, "resamples=3"),
        (PAIR, {"randomisations": 1}, ValueError, "randomisations=1"),
        (PAIR, {"level": 2}, ValueError, "level 2"),
        (PAIR, {"seed": -1}, ValueError, "seed=-1"),
        (PAIR, {"mask": ct.volume([[True, False]], 0.1)}, ValueError, "in every one of 1 pixels"),
        (PAIR, {"mask": ct.volume([[False, False]], 0.1)}, ValueError, "no pixel is in the mask"),
    ],
)
def test_it_refuses(second, options, error, match):
    with pytest.raises(error, match=match):
        FIND(PAIR, second, **options)
