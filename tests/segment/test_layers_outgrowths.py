"""Outgrowths of known place and size on known spirals, and none where there are none."""

import numpy as np
import pytest
from wound import PIXEL, cell, traced

import corrtomo as ct

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
    hit = away.min(axis=1) < 4 * PIXEL
    return table, table.iloc[away.argmin(axis=1)[hit]], hit.mean()


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


def test_more_is_found_the_larger_it_is_and_the_less_noise_there_is():
    by_size = [grown(size, noise=20.0)[2] for size in (1.0, 1.5, 3.0)]
    by_noise = [grown(2.0, noise=noise)[2] for noise in (60.0, 40.0, 20.0)]
    assert by_size[0] < 0.5 < by_size[1] <= by_size[2] == 1
    assert by_noise[0] <= by_noise[1] <= by_noise[2]
    assert by_noise[0] < 0.5 < by_noise[2]


@pytest.mark.parametrize(("slices", "most"), [(None, 3.0), (8, 3.0)])
def test_false_alarms_are_about_as_many_as_allowed(slices, most):
    counts, strict = [], []
    for seed in range(5 if slices is None else 3):
        image, _ = cell(noise=20.0, seed=seed, slices=slices)
        found = traced(image)
        counts.append(len(ct.segment.outgrowths(image, found, progress=False)))
        few = ct.segment.outgrowths(image, found, false_alarms=0.01, progress=False)
        strict.append(len(few))
        assert few.score.isin(ct.segment.outgrowths(image, found, progress=False).score).all()
    assert np.mean(counts) <= most
    # The tail is heavier than a Gaussian's, as the Notes say: fewer, not a hundred times fewer.
    assert np.mean(strict) < 0.5 * np.mean(counts)


def test_options_out_of_range_are_refused():
    image, _ = cell(noise=5.0)
    found = traced(image)
    for name, value in (("false_alarms", 0.0), ("spread_um", 1.0), ("smooth_um", 1e6)):
        with pytest.raises(ValueError, match=f"{name}="):
            ct.segment.outgrowths(image, found, **{name: value})
    with pytest.raises(TypeError, match="spread_um"):
        ct.segment.outgrowths(image, found, spread_um="wide")
