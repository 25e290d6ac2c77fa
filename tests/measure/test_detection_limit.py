"""Currie's critical level and detection limit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

import corrtomo as ct

LIMIT = ct.measure.detection_limit


def blank(total, size):
    """Return a map with so many counts in so many pixels, as even as it can be."""
    counts = np.full(size, total // size)
    counts[: total % size] += 1
    return ct.volume(counts[None], 0.03)


def test_without_a_count_in_the_blank_the_limit_is_that_of_no_background():
    limit = LIMIT(blank(0, 10_000))
    assert limit.critical_counts == 1
    assert limit.critical_net == 1
    assert limit.detection_net == pytest.approx(-np.log(0.05))
    assert limit.currie_critical_net == 0
    assert limit.currie_detection_net == pytest.approx(stats.norm.ppf(0.95) ** 2)
    assert np.isnan(limit.dispersion)
    # One pixel against one pixel: (1/2)^y must be 0.05 at most, so five counts.
    assert LIMIT(blank(0, 1)).critical_counts == 5


def test_of_many_counts_both_are_curries():
    paired = LIMIT(blank(10_000, 100), pixels=100)
    assert paired.currie_critical_net == pytest.approx(2.326 * 100, rel=1e-3)
    assert paired.currie_detection_net == pytest.approx(2.706 + 4.652 * 100, rel=1e-3)
    assert paired.critical_net == pytest.approx(paired.currie_critical_net, rel=0.02)
    known = LIMIT(blank(10_000, 100), pixels=100, well_known=True)
    assert known.critical_net == pytest.approx(1.645 * 100, rel=0.02)
    assert known.detection_net == pytest.approx(2.706 + 3.29 * 100, rel=0.02)
    assert known.detection_per_pixel == known.detection_net / 100


@settings(deadline=None, derandomize=True, max_examples=60)
@given(
    st.integers(0, 400),
    st.integers(1, 300),
    st.integers(1, 300),
    st.floats(0.001, 0.4),
    st.floats(0.001, 0.4),
)
def test_the_critical_count_is_the_least_that_chance_does_not_explain(total, size, pixels, alpha, beta):
    limit = LIMIT(blank(total, size), pixels=pixels, alpha=alpha, beta=beta)

    def chance(count):  # the conditional binomial test, by another route
        return stats.binomtest(count, count + total, pixels / (pixels + size), "greater").pvalue

    assert chance(limit.critical_counts) <= alpha * (1 + 1e-9)
    if limit.critical_counts > 1:
        assert chance(limit.critical_counts - 1) > alpha * (1 - 1e-9)
    there = limit.detection_net + total * pixels / size
    assert stats.poisson.sf(limit.critical_counts - 1, there) == pytest.approx(1 - beta)
    known = LIMIT(blank(total, size), pixels=pixels, alpha=alpha, beta=beta, well_known=True)
    background = total * pixels / size
    assert stats.poisson.sf(known.critical_counts - 1, background) <= alpha * (1 + 1e-9)
    if known.critical_counts > 1:
        assert stats.poisson.sf(known.critical_counts - 2, background) > alpha * (1 - 1e-9)
    assert known.critical_counts <= limit.critical_counts


def test_false_alarms_and_misses_are_as_rare_as_it_says():
    rng = np.random.default_rng(0)
    area, size, mean = 40, 100, 0.2
    alarms = misses = 0
    for total in rng.poisson(mean * size, 1000):
        limit = LIMIT(blank(int(total), size), pixels=area)
        alarms += rng.poisson(mean * area) >= limit.critical_counts
        misses += rng.poisson(total / size * area + limit.detection_net) < limit.critical_counts
    assert alarms <= 0.05 * 1000
    assert 0.03 * 1000 < misses < 0.07 * 1000


def test_a_mask_chooses_the_blank_and_dask_is_the_same():
    counts = np.arange(24).reshape(4, 6)
    image, mask = ct.volume(counts, 0.03), ct.volume(counts < 3, 0.03)
    limit = LIMIT(image, mask=mask, pixels=2)
    assert (limit.blank_counts, limit.blank_pixels) == (3, 3)
    assert LIMIT(image.chunk({"y": 2}), mask=mask, pixels=2) == limit
    assert limit == LIMIT(ct.volume([[0, 1, 2]], 0.03), pixels=2)
    assert "detected from" in repr(limit)


def test_uneven_and_small_blanks_are_said():
    uneven = LIMIT(ct.volume([[0] * 50 + [20] * 50], 0.03))
    assert uneven.dispersion == pytest.approx(10 * 100 / 99)
    assert any("not uniform" in warning for warning in uneven.warnings)
    assert any("smaller than the area" in warning for warning in LIMIT(blank(10, 10), pixels=11).warnings)
    rng = np.random.default_rng(0)
    assert LIMIT(ct.volume(rng.poisson(3, (50, 50)), 0.03)).warnings == ()
    assert LIMIT(ct.volume([[3]], 0.03), well_known=True, pixels=9).warnings == ()


@settings(deadline=None, derandomize=True, max_examples=40)
@given(
    hnp.arrays(
        st.sampled_from([np.uint8, np.int32, np.uint16]),
        hnp.array_shapes(max_dims=3),
        elements=st.integers(0, 200),
    )
)
def test_maps_of_any_shape(counts):
    limit = LIMIT(ct.volume(counts, 0.1))
    assert limit.blank_counts == counts.sum(dtype=int)
    assert limit.critical_counts >= 1
    assert limit.detection_net > limit.critical_net - 1


@pytest.mark.parametrize(
    ("image", "options", "error", "match"),
    [
        (np.zeros((3, 3), int), {}, TypeError, "Cannot use a ndarray"),
        (None, {}, TypeError, "Cannot use a NoneType"),
        (ct.volume([[0.5, 1]], 0.1), {}, TypeError, "dtype is float64, and whole counts"),
        (ct.volume([[True]], 0.1), {}, TypeError, "dtype is bool"),
        (ct.volume([[-1, 1]], 0.1), {}, ValueError, "a count is -1"),
        (ct.volume([[[1]]], 0.1, dims=("channel", "y", "x")), {}, ValueError, "has 1 channels"),
        (ct.volume([[1, 1]], 0.1), {"pixels": 0}, ValueError, "pixels=0"),
        (ct.volume([[1, 1]], 0.1), {"pixels": 1.5}, ValueError, "pixels=1.5"),
        (ct.volume([[1, 1]], 0.1), {"alpha": 0}, ValueError, "alpha 0: a probability"),
        (ct.volume([[1, 1]], 0.1), {"beta": 1.0}, ValueError, "beta 1.0: a probability"),
        (
            ct.volume([[1, 1]], 0.1),
            {"alpha": 0.95},
            ValueError,
            "alpha 0.95: a probability of error.*0.05 for 5",
        ),
        (ct.volume([[1, 1]], 0.1), {"beta": 1e-300}, ValueError, "beta 1e-300: a probability of error"),
        (ct.volume([[2**62] * 4], 0.1), {}, ValueError, r"sum to 1\.8e\+19, and above 2⁵³"),
        (ct.volume(np.full((1, 4), 2**64 - 1, np.uint64), 0.1), {}, ValueError, "no longer whole"),
        (ct.volume([[1, 1]], 0.1), {"alpha": "5 %"}, TypeError, "alpha '5 %'"),
        (ct.volume([[1, 1]], 0.1), {"well_known": 1}, TypeError, "well_known=1"),
        (ct.volume([[1, 1]], 0.1), {"mask": ct.volume([[0, 1]], 0.1)}, TypeError, "mask has dtype int64"),
        (ct.volume([[1, 1]], 0.1), {"mask": ct.volume([[True]], 0.1)}, ValueError, "sizes"),
        (ct.volume([[1, 1]], 0.1), {"mask": ct.volume([[False, False]], 0.1)}, ValueError, "no pixel is in"),
    ],
)
def test_it_refuses(image, options, error, match):
    with pytest.raises(error, match=match):
        LIMIT(image, **options)
