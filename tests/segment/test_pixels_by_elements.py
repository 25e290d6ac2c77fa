"""Materials pixel by pixel: two halves that touch, neighbours, refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

import corrtomo as ct

repeatable = settings(deadline=None, derandomize=True, max_examples=8)


def halves(mean=(9.0, 6.0), shares=(0.005, 0.78), seed=0, n=80):
    """Return maps of a disc, half of it of one material and half of the other, its mask and its truth."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:n, :n]
    second = x + 0.3 * y > 0.65 * n
    mask = (y - n / 2) ** 2 + (x - n / 2) ** 2 < (0.45 * n) ** 2
    both = rng.poisson(np.where(mask, np.where(second, mean[1], mean[0]), 0.02))
    some = rng.binomial(both, np.where(second, shares[1], shares[0]))
    counts = ct.volume(np.stack([some, both - some]), 0.04, dims=("channel", "y", "x"))
    return counts.assign_coords(channel=["Ni", "Co"]), ct.volume(mask, 0.04), np.where(second, 3, 2)


@pytest.mark.parametrize(("mean", "least"), [((9.0, 6.0), 0.995), ((1.5, 1.0), 0.97), ((0.5, 0.4), 0.95)])
def test_particles_that_touch_are_told_apart(mean, least):
    maps, mask, truth = halves(mean)
    labels = ct.segment.pixels_by_elements(maps, mask)
    inside = mask.values
    right = (labels.values == truth)[inside].mean()
    assert right > least
    assert labels.attrs["shares"] == pytest.approx((0.005, 0.78), abs=0.06)
    assert (labels.values[~inside] == 255).all()
    assert ((labels.values != truth) & (labels.values != 255))[inside].mean() < 0.005


def test_neighbours_help_where_counts_are_few():
    maps, mask, truth = halves((1.5, 1.0))
    right = {
        c: (ct.segment.pixels_by_elements(maps, mask, coupling=c).values == truth)[mask.values].mean()
        for c in (0.0, 1.5)
    }
    assert right[0.0] < 0.5 < 0.97 < right[1.5]


def test_without_coupling_it_is_bayes():
    maps, mask, _ = halves()
    shares = (0.1, 0.8)
    labels = ct.segment.pixels_by_elements(maps, mask, shares=shares, coupling=0, sure=0.9)
    some, rest = maps.values.astype(float)
    plain = ct.segment.pixels_by_elements(maps, mask, shares=shares, coupling=0, sure=0.500001)
    # The prior moves the odds by the same for all: find it from where the name changes.
    odds = some * np.log(0.8 / 0.1) + rest * np.log(0.2 / 0.9)
    inside = mask.values
    second = odds[inside & (plain.values == 3)].min()
    first = odds[inside & (plain.values == 2)].max()
    assert first < second
    named = labels.values[inside]
    probability = expit(odds[inside] - (first + second) / 2)
    assert probability[named == 3].min() > 0.75
    assert probability[named == 2].max() < 0.25


def test_pore_and_binder_are_taken_over():
    maps, mask, _ = halves()
    phases = ct.volume(np.where(mask.values, 2, np.where(np.indices(mask.shape)[0] % 2, 1, 0)), 0.04)
    labels = ct.segment.pixels_by_elements(maps, mask, phases=phases)
    assert (labels.values[~mask.values] == phases.values[~mask.values]).all()
    assert labels.attrs["classes"] == {"pore": 0, "carbon binder domain": 1, "LCO": 2, "NCA": 3}


@repeatable
@given(st.integers(0, 2**32 - 1))
def test_turning_the_maps_turns_the_labels(seed):
    maps, mask, _ = halves(seed=seed, n=40)
    options = {"shares": (0.005, 0.78)}
    labels = ct.segment.pixels_by_elements(maps, mask, **options).values
    turned = ct.volume(np.rot90(maps.values, axes=(1, 2)).copy(), 0.04, dims=("channel", "y", "x"))
    turned = turned.assign_coords(channel=["Ni", "Co"])
    other = ct.segment.pixels_by_elements(
        turned, ct.volume(np.rot90(mask.values).copy(), 0.04), **options
    ).values
    differ = np.rot90(labels) != other
    assert differ.mean() < 0.01  # tiles of the prior begin at another corner


MAPS, MASK, _ = halves(n=40)


@pytest.mark.parametrize(
    ("maps", "mask", "options", "error", "match"),
    [
        (MAPS, MASK.astype(int), {}, TypeError, "booleans are needed"),
        (MAPS, MASK.values, {}, TypeError, r"ct\.volume"),
        (MAPS, MASK & False, {}, ValueError, "the mask is empty"),
        (MAPS, MASK[1:], {}, ValueError, "sizes .* differ"),
        (MAPS, MASK, {"coupling": -1}, ValueError, "from 0 to 10"),
        (MAPS, MASK, {"coupling": "1"}, TypeError, "a number is needed"),
        (MAPS, MASK, {"coupling": np.nan}, ValueError, "finite"),
        (MAPS, MASK, {"sure": 1.0}, ValueError, "sure 1.0"),
        (MAPS * 0, MASK, {}, ValueError, "0 of .* tiles of pixels have counts"),
        (MAPS / 2, MASK, {}, TypeError, "whole counts are needed"),
        (None, MASK, {}, TypeError, r"ct\.volume"),
    ],
)
def test_what_cannot_be_told_apart_is_refused(maps, mask, options, error, match):
    with pytest.raises(error, match=match):
        ct.segment.pixels_by_elements(maps, mask, **options)
