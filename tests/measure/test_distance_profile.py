"""Counts by distance: bins and sides by hand, intervals against scipy, fits of known laws."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage, stats

import corrtomo as ct

repeatable = settings(deadline=None, derandomize=True, max_examples=30)


def line(counts, structure, pixel=0.1):
    return ct.volume([counts], pixel), ct.volume([np.array(structure, bool)], pixel)


def test_bins_by_hand_on_each_side():
    counts, structure = line([1, 2, 4, 8, 16, 32], [0, 0, 1, 1, 1, 0])
    edges = [0, 0.1, 0.2, 0.3]
    out = ct.measure.distance_profile(counts, structure, edges_um=edges)
    assert out.counts.tolist() == [28, 34, 1]
    assert out.voxels.tolist() == [3, 2, 1]
    assert out.counts_per_voxel.tolist() == pytest.approx([28 / 3, 17, 1])
    assert out.distance_um.tolist() == pytest.approx([0, 0.1, 0.2])
    inside = ct.measure.distance_profile(counts, structure, edges_um=[0.1, 0.2, 0.3], side="inside")
    assert inside.counts.tolist() == [20, 8]
    both = ct.measure.distance_profile(counts, structure, edges_um=[-0.25, -0.15, -0.05, 0.15], side="both")
    assert both.counts.tolist() == [8, 20, 34]
    assert both.attrs["beyond_voxels"] == 1


def test_only_what_is_within_counts():
    counts, structure = line([1, 2, 4, 8, 16, 32], [1, 0, 0, 0, 0, 0])
    within = ct.volume([[True, False, True, True, False, True]], 0.1)
    out = ct.measure.distance_profile(counts, structure, edges_um=[0, 0.25, 0.35], within=within)
    assert out.counts.tolist() == [5, 8]
    assert out.attrs["beyond_voxels"] == 1


def test_an_empty_bin_says_nothing():
    counts, structure = line([5, 1, 1], [1, 0, 0])
    out = ct.measure.distance_profile(counts, structure, edges_um=[0, 0.05, 0.08, 0.3])
    assert out.voxels.tolist() == [1, 0, 2]
    assert out.iloc[1][["counts_per_voxel", "low", "high", "distance_um"]].isna().all()


@pytest.mark.parametrize("total", [0, 1, 7, 300])
def test_the_interval_of_poisson_counts_is_garwoods(total):
    counts, structure = line([total, 0], [1, 0])
    row = ct.measure.distance_profile(counts, structure, edges_um=[0, 0.05], level=0.9).iloc[0]
    exact = stats.chi2.ppf(0.05, 2 * total) / 2 if total else 0.0, stats.chi2.ppf(0.95, 2 * total + 2) / 2
    assert (row.low, row.high) == pytest.approx(exact)


def test_scatter_beyond_poissons_widens_the_interval_by_its_root():
    rng = np.random.default_rng(0)
    pairs = {}
    for name, means in {"even": 20.0, "uneven": 20.0 * rng.gamma(4.0, 0.25, 40_000)}.items():
        counts, structure = line(rng.poisson(means, 40_000), np.arange(40_000) == 0)
        row = ct.measure.distance_profile(counts, structure, edges_um=[0.05, 1e4]).iloc[0]
        pairs[name] = row.dispersion, row.high - row.low
    assert pairs["even"][0] == pytest.approx(1.0, abs=0.03)
    assert pairs["uneven"][0] == pytest.approx(1 + 20 / 4, rel=0.05)
    assert pairs["uneven"][1] / pairs["even"][1] == pytest.approx(np.sqrt(6), rel=0.05)


def test_the_interval_covers_as_often_as_stated():
    rng, hits = np.random.default_rng(1), 0
    for _ in range(400):
        counts, structure = line(rng.poisson(0.7, 41), np.arange(41) == 0)
        row = ct.measure.distance_profile(counts, structure, edges_um=[0.05, 9]).iloc[0]
        hits += row.low <= 0.7 <= row.high
    assert 0.93 <= hits / 400 <= 0.995


def boundaries(shape=(300, 300), pixel=0.025):
    y, x = np.indices(shape)
    return ct.volume((x % 60 == 30) & (y >= 0), pixel)


@pytest.mark.parametrize("law", ["exponential", "gaussian"])
def test_a_fit_finds_width_and_excess_within_its_errors(law):
    structure = boundaries()
    far = ndimage.distance_transform_edt(~structure.values) * 0.025
    fading = np.exp(-far / 0.12) if law == "exponential" else np.exp(-((far / 0.12) ** 2) / 2)
    misses = []
    for seed in range(20):
        counts = ct.volume(np.random.default_rng(seed).poisson(0.5 + 2.0 * fading), 0.025)
        table = ct.measure.distance_profile(counts, structure, edges_um=np.arange(-0.0125, 0.75, 0.025))
        fit = ct.measure.fit_profile(table, law=law)
        misses.append(
            [
                (fit.width_um - 0.12) / fit.width_error_um,
                (fit.excess - 2.0) / fit.excess_error,
                (fit.background - 0.5) / fit.background_error,
            ]
        )
        assert fit.misfit < 2.5
    assert np.abs(np.mean(misses, axis=0)).max() < 0.8
    assert 0.6 < np.std(misses) < 1.3


def test_a_beam_adds_to_a_gaussian_width_in_squares():
    structure = boundaries()
    far = ndimage.distance_transform_edt(~structure.values) * 0.025
    true = 2000 * np.exp(-((far / 0.08) ** 2) / 2)
    seen = ndimage.gaussian_filter(true, 0.06 / 0.025)
    table = ct.measure.distance_profile(
        ct.volume(np.rint(seen + 500).astype(int), 0.025), structure, edges_um=np.arange(-0.0125, 0.75, 0.025)
    )
    assert ct.measure.fit_profile(table, law="gaussian").width_um == pytest.approx(0.1, rel=0.02)


def test_coarse_bins_do_not_widen():
    far = np.arange(0, 4, 0.01)
    counts, structure = line(np.rint(1e4 + 1e5 * np.exp(-far / 0.3)).astype(int), far == 0, 0.01)
    widths = [
        ct.measure.fit_profile(
            ct.measure.distance_profile(counts, structure, edges_um=np.arange(-0.005, 4, step))
        ).width_um
        for step in (0.02, 0.2, 0.4)
    ]
    assert widths == pytest.approx([0.3] * 3, rel=0.02)


def test_depletion_is_a_negative_excess():
    far = np.arange(0, 4, 0.01)
    counts, structure = line(np.rint(5e4 - 2e4 * np.exp(-far / 0.3)).astype(int), far == 0, 0.01)
    table = ct.measure.distance_profile(counts, structure, edges_um=np.arange(-0.005, 4, 0.1))
    fit = ct.measure.fit_profile(table)
    assert (fit.excess, fit.width_um) == pytest.approx((-2e4, 0.3), rel=0.02)


@repeatable
@given(
    hnp.arrays(np.uint16, hnp.array_shapes(min_dims=2, max_dims=3, max_side=7)),
    st.integers(0, 2**32 - 1),
    st.sampled_from(["outside", "inside", "both"]),
)
def test_no_count_is_lost_or_doubled(values, seed, side):
    mask = np.random.default_rng(seed).random(values.shape) < 0.3
    if not mask.any() or mask.all():
        return
    out = ct.measure.distance_profile(
        ct.volume(values, 0.5), ct.volume(mask, 0.5), edges_um=[-50, -1, 0, 0.4, 1, 50], side=side
    )
    chosen = {"outside": np.full(mask.shape, True), "inside": mask, "both": np.full(mask.shape, True)}[side]
    least = {"outside": values.sum(), "inside": values[mask].sum(), "both": values.sum()}[side]
    assert out.counts.sum() == least or side != "both"
    if side == "outside":
        assert out.counts.sum() == values.sum()
    if side == "inside":
        assert out.counts[3:].sum() == values[mask].sum()
    assert out.voxels.sum() <= chosen.size
    some = out[out.voxels > 0]
    assert ((some.low <= some.counts_per_voxel) & (some.counts_per_voxel <= some.high)).all()


COUNTS, EDGE = line([4, 2, 1, 0, 0, 1], [1, 0, 0, 0, 0, 0])
GOOD = {"edges_um": [0, 0.2, 0.4]}


@pytest.mark.parametrize(
    ("counts", "structure", "options", "error", "match"),
    [
        (COUNTS.values, EDGE, GOOD, TypeError, r"ct\.volume"),
        (COUNTS * 0.5, EDGE, GOOD, TypeError, "whole counts"),
        (COUNTS.astype(int) - 1, EDGE, GOOD, ValueError, "a count is -1"),
        (COUNTS, EDGE.astype(int), GOOD, TypeError, "booleans are needed"),
        (COUNTS, EDGE & False, GOOD, ValueError, "no voxel is in the structure"),
        (COUNTS, EDGE | True, GOOD | {"side": "inside"}, ValueError, "no voxel is outside of the structure"),
        (COUNTS, EDGE[:, :-1], GOOD, ValueError, "sizes .* differ"),
        (COUNTS, EDGE, GOOD | {"within": EDGE[:, :-1]}, ValueError, "sizes .* differ"),
        (COUNTS, EDGE, GOOD | {"within": EDGE & False}, ValueError, "none of the 0 voxels"),
        (COUNTS, EDGE, GOOD | {"within": 1}, TypeError, r"ct\.volume"),
        (COUNTS, EDGE, GOOD | {"side": "left"}, ValueError, "allowed are 'outside', 'inside', 'both'"),
        (COUNTS, EDGE, GOOD | {"level": 1.0}, ValueError, "between 0 and 1"),
        (COUNTS, EDGE, {"edges_um": [1, 0]}, ValueError, "ascending"),
        (COUNTS, EDGE, {"edges_um": "0, 1"}, TypeError, "two or more numbers in µm"),
        (COUNTS, EDGE, {"edges_um": [0, np.nan]}, ValueError, "finite"),
        (COUNTS, EDGE, {"edges_um": [7, 9]}, ValueError, "lies between 7 and 9 µm"),
        (COUNTS.astype(int) + 2**61, EDGE, GOOD, ValueError, "above 2⁵³"),
    ],
)
def test_what_has_no_profile_is_refused(counts, structure, options, error, match):
    with pytest.raises(error, match=match):
        ct.measure.distance_profile(counts, structure, **options)


def test_maps_of_several_channels_are_refused():
    maps = ct.volume(np.zeros((2, 3, 3), int), 0.1, dims=("channel", "y", "x"))
    with pytest.raises(ValueError, match="has 2 channels"):
        ct.measure.distance_profile(maps, maps.isel(channel=0) > 0, edges_um=[0, 1])


def flat(seed, mean=1.0):
    counts = np.random.default_rng(seed).poisson(mean, (300, 300))
    return ct.measure.distance_profile(
        ct.volume(counts, 0.025), boundaries(), edges_um=np.arange(-0.0125, 0.75, 0.025)
    )


@pytest.mark.parametrize(
    ("profile", "options", "error", "match"),
    [
        (None, {}, TypeError, "a table is needed"),
        (pd.DataFrame({"counts": [1]}), {}, ValueError, "it is no profile"),
        (flat(0).head(3), {}, ValueError, "3 bins with voxels: 4 or more"),
        (flat(0, 0.0), {}, ValueError, "no count in any bin"),
        (flat(0), {"law": "linear"}, ValueError, "allowed are 'exponential', 'gaussian'"),
        (flat(3), {}, ValueError, "tell from the background"),
        (flat(0).assign(distance_um=np.nan), {}, ValueError, "no finite counts"),
        (flat(0).astype(str), {}, TypeError, "from_um .* no numbers"),
        (pd.concat([flat(0), flat(0)], axis=1), {}, ValueError, "from_um twice"),
        (flat(0).assign(to_um=np.inf), {}, ValueError, "no finite"),
        (
            flat(0).assign(from_um=flat(0).to_um, to_um=flat(0).from_um),
            {},
            ValueError,
            "ends before it begins",
        ),
    ],
)
def test_what_has_no_width_is_refused(profile, options, error, match):
    with pytest.raises(error, match=match):
        ct.measure.fit_profile(profile, **options)


def test_a_step_is_no_fading_excess_and_the_fit_says_so():
    far = np.abs(np.arange(60) - 30) * 0.03
    edge = ct.volume(np.tile(far == 0, (60, 1)), 0.03)
    said = []
    for rate in (5 + 20 * (far < 0.4), 5 + 20 * np.exp(-far / 0.1)):
        counts = ct.volume(np.random.default_rng(1).poisson(np.tile(rate, (60, 1))), 0.03)
        profile = ct.measure.distance_profile(counts, edge, edges_um=np.arange(0, 0.9, 0.06))
        said.append(ct.measure.fit_profile(profile).warnings)
    assert "does not follow" in said[0][0]
    assert said[1] == ()
