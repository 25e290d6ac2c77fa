"""Outgrowths of known place and size on known spirals, and none where there are none."""

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage, stats
from wound import PIXEL, cell, traced

import corrtomo as ct
from corrtomo.segment.layers.outgrowths import _once

AT = np.arange(1.2, 7.5, 0.73)
"""Windings in turns at which balls are put on the outer edge of the band."""


def grown(size, *, noise, seed=0, slices=None, sense=1):
    balls = [(w, 2.5, size, 4) for w in AT] if slices else [(w, 2.5, size, 0) for w in AT]
    image, middle = cell(noise=noise, seed=seed, slices=slices, balls=balls, sense=sense)
    table = ct.segment.outgrowths(image, traced(image), progress=False)
    radius, turn = middle(AT) + 2.5, 2 * np.pi * AT
    centre = (image.sizes["x"] - 1) / 2
    true = np.stack([centre + radius * np.sin(turn) * sense, centre + radius * np.cos(turn)], axis=1) * PIXEL
    away = np.linalg.norm(true[:, None] - table[["y_um", "x_um"]].to_numpy(float), axis=2)
    hit = away.min(axis=1, initial=np.inf) < 4 * PIXEL
    return table, table.iloc[away.argmin(axis=1)[hit] if len(table) else []], hit.mean()


@pytest.mark.parametrize("sense", [1, -1])
def test_what_stands_out_is_found_where_it_is_and_as_large_as_it_is(sense):
    table, found, rate = grown(3.0, noise=5.0, sense=sense)
    assert rate == 1
    assert len(table) < len(AT) + 6
    assert (found.side == "outer").all()
    assert np.median(found.height_um) == pytest.approx(3 * PIXEL, rel=0.15)
    assert np.median(found.area_um2) == pytest.approx(np.pi * 9 / 2 * PIXEL**2, rel=0.2)


def test_in_3d_it_has_a_volume_and_a_height_z():
    table, found, rate = grown(3.0, noise=10.0, slices=9)
    assert rate == 1
    assert np.median(found.volume_um3) == pytest.approx(2 / 3 * np.pi * 27 * PIXEL**3, rel=0.2)
    assert np.abs(found.z_um - 4 * PIXEL).max() < PIXEL
    assert "area_um2" not in table


def test_what_lies_where_a_slice_was_not_traced_has_a_place_all_the_same():
    image, _ = cell(noise=5.0, slices=9, balls=[(w, 2.5, 3.0, 4) for w in AT])
    found = traced(image)
    for name in ("radius_um", "inner_um", "outer_um"):
        found[name][4] = np.nan
    table = ct.segment.outgrowths(image, found, progress=False)
    assert len(table) >= len(AT)
    assert np.isfinite(table[["z_um", "y_um", "x_um"]].to_numpy(float)).all()


def test_more_is_found_the_larger_it_is_and_the_less_noise_there_is():
    by_size = [
        np.mean([grown(size, noise=20.0, seed=seed)[2] for seed in range(4)]) for size in (1.0, 1.5, 3.0)
    ]
    by_noise = [
        np.mean([grown(2.0, noise=noise, seed=seed)[2] for seed in range(4)]) for noise in (60.0, 40.0, 20.0)
    ]
    assert by_size[0] < 0.5 < by_size[1] <= by_size[2] == 1
    assert by_noise[0] <= by_noise[1] <= by_noise[2]
    assert by_noise[0] < 0.5 < by_noise[2]


COUNTS = {}


def alarms(slices, images, allowed):
    """Return how many are found in so many images with none, and which scores at 1 and at 0.1 allowed."""
    if slices not in COUNTS:
        COUNTS[slices] = {1.0: [], 0.1: []}
        for seed in range(images):
            image, _ = cell(noise=20.0, seed=seed, slices=slices)
            found = traced(image)
            for each, tables in COUNTS[slices].items():
                tables.append(ct.segment.outgrowths(image, found, false_alarms=each, progress=False))
    return COUNTS[slices][allowed]


@pytest.mark.parametrize(("slices", "images"), [(None, 24), (8, 9)])
def test_false_alarms_are_as_many_as_allowed(slices, images):
    counts = [len(table) for table in alarms(slices, images, 1.0)]
    low, high = stats.poisson.interval(0.99, len(counts))
    assert low <= sum(counts) <= high
    # Some in each and none in each are as unlikely as too many.
    assert np.var(counts) < 3


def test_a_tenth_is_a_tenth_and_those_are_among_the_others():
    few = alarms(None, 24, 0.1) + alarms(8, 9, 0.1)
    low, high = stats.poisson.interval(0.99, 0.1 * len(few))
    assert low <= sum(len(table) for table in few) <= high
    for some, more in zip(few, alarms(None, 24, 1.0) + alarms(8, 9, 1.0), strict=True):
        assert some.score.isin(more.score).all()


def test_noise_that_is_alike_from_pixel_to_pixel_makes_no_more_of_them():
    counts = []
    for seed in range(12):
        image, _ = cell()
        noise = ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal(image.shape), 1.5)
        image = image + 20 * noise / noise.std()
        counts.append(len(ct.segment.outgrowths(image, traced(image), progress=False)))
    low, high = stats.poisson.interval(0.99, len(counts))
    assert low <= sum(counts) <= high


def test_what_crosses_to_the_next_layer_is_one_with_its_whole_size():
    """Parts of one outgrowth, by score; the third is farther from the first than from the second."""
    table = pd.DataFrame(
        {
            "layer": [0, 1, 0, 1],
            "y_um": [0.0, 0.0, 900.0, 0.0],
            "x_um": [0.0, 40.0, 0.0, 55.0],
            "area_um2": [10.0, 3.0, 5.0, 0.5],
            "score": [9.0, 8.0, 7.0, 6.0],
        },
        index=[4, 2, 0, 3],
    )
    whole = _once(table, 60.0)
    assert whole.layer.tolist() == [0, 0]
    assert whole.y_um.tolist() == [0.0, 900.0]
    assert whole.area_um2.tolist() == [13.5, 5.0]
    assert whole.index.tolist() == [0, 1]
    apart = _once(table, 20.0)
    assert apart.area_um2.tolist() == [10.0, 3.5, 5.0]


def test_options_out_of_range_are_refused():
    image, _ = cell(noise=5.0)
    found = traced(image)
    for name, value in (("false_alarms", 0.0), ("spread_um", 1.0), ("smooth_um", 1e6)):
        with pytest.raises(ValueError, match=f"{name}="):
            ct.segment.outgrowths(image, found, **{name: value})
    with pytest.raises(TypeError, match="spread_um"):
        ct.segment.outgrowths(image, found, spread_um="wide")


def test_an_image_in_which_the_layers_are_not_is_refused():
    """Mirrored, or noise alone: what stands out from a course that is none would be told with confidence."""
    image, _ = cell(noise=5.0)
    layers = traced(image)
    mirrored, turned = image.values[:, ::-1].copy(), np.rot90(image.values).copy()
    for other in (image.copy(data=mirrored), image.copy(data=turned)):
        with pytest.raises(ValueError, match="along layer 0 the image is brighter than beside it by"):
            ct.segment.outgrowths(other, layers)
    noise = image.copy(data=np.random.default_rng(0).normal(0, 1, image.shape))
    with pytest.raises(ValueError, match="image that was traced is needed"):
        ct.segment.outgrowths(noise, layers)
