"""X-ray counts by phase and by distance: sums, exact intervals, what is refused."""

import dask.array as da
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage, stats

import corrtomo as ct
from corrtomo.measure.count_ratios import _ratio_interval
from corrtomo.measure.garwood import garwood

repeatable = settings(deadline=None, derandomize=True, max_examples=60)


def maps(values, elements=("F", "C"), size=0.054):
    values = np.asarray(values)
    image = ct.volume(values, size, dims=("channel", *("z", "y", "x")[4 - values.ndim :]))
    return image.assign_coords(channel=list(elements))


@pytest.fixture(scope="module")
def scene():
    rng = np.random.default_rng(3)
    labels = rng.choice(np.array([0, 1, 2, 3, 255], np.uint8), (40, 50))
    counts = rng.poisson(np.array([0.2, 1.5])[:, None, None], (2, 40, 50))
    return counts, labels


def test_sums_by_hand(scene):
    counts, labels = scene
    table = ct.measure.phase_spectra(maps(counts), ct.volume(labels, 0.054))
    assert list(table.columns) == ["phase", "element", "pixels", "counts", "counts_per_pixel", "low", "high"]
    assert len(table) == 8
    assert "left out" not in set(table.phase)
    assert table.attrs["left_out_pixels"] == (labels == 255).sum()
    for row in table.itertuples():
        code = next(p for p in ct.Phase if p.label == row.phase)
        chosen = counts["FC".index(row.element)][labels == code]
        assert (row.pixels, row.counts) == (chosen.size, chosen.sum())
        assert row.low < row.counts_per_pixel == chosen.mean() < row.high


def test_dask_volumes_and_other_dtypes_count_the_same(scene):
    counts, labels = scene
    plain = ct.measure.phase_spectra(maps(counts), ct.volume(labels, 0.054))
    lazy = ct.measure.phase_spectra(
        maps(counts).chunk({"channel": 1, "y": 13, "x": 50}), ct.volume(da.from_array(labels, (7, 9)), 0.054)
    )
    assert lazy.equals(plain)
    deep = ct.measure.phase_spectra(
        maps(counts[:, None].astype(np.uint8)), ct.volume(labels[None].astype(np.int64), 0.054)
    )
    assert deep.equals(plain)


def test_each_chunk_is_computed_once(scene):
    counts, labels = scene
    seen = []

    def look(block):
        seen.append(block.shape)
        return block

    lazy = da.from_array(counts, chunks=(1, 20, 25)).map_blocks(look, dtype=counts.dtype, meta=counts[:0])
    chunked = maps(counts).copy(data=lazy)
    ct.measure.phase_spectra(chunked, ct.volume(labels, 0.054))
    assert seen == [(1, 20, 25)] * 8


@pytest.mark.parametrize("count", [0, 1, 4, 100, 68_519])
def test_garwood_s_ends_are_where_the_tails_begin(count):
    low, high = (float(end) for end in garwood(np.array(count), 0.95))
    assert stats.poisson.cdf(count, high) == pytest.approx(0.025)
    if count:
        assert stats.poisson.sf(count - 1, low) == pytest.approx(0.025)
    else:
        assert (low, high) == (0, pytest.approx(-np.log(0.025)))


@repeatable
@given(st.integers(0, 400), st.integers(0, 400))
def test_clopper_and_pearson_s_ends_are_scipy_s(above, below):
    low, high = (float(end[0]) for end in _ratio_interval(np.array([above]), np.array([below]), 0.95))
    if above + below == 0:
        assert (low, high) == (0, np.inf)
        return
    share = stats.binomtest(above, above + below).proportion_ci(0.95, "exact")
    assert low == pytest.approx(share.low / (1 - share.low), rel=1e-6)
    assert high == (np.inf if share.high == 1 else pytest.approx(share.high / (1 - share.high), rel=1e-6))


@pytest.mark.parametrize("rates", [(3.0, 2.0), (0.4, 5.0)])
def test_intervals_hold_the_truth_as_often_as_they_say(rates):
    rng = np.random.default_rng(11)
    above, below = rng.poisson(rates[0], 4000), rng.poisson(rates[1], 4000)
    low, high = _ratio_interval(above, below, 0.95)
    assert ((low <= rates[0] / rates[1]) & (rates[0] / rates[1] <= high)).mean() >= 0.945
    ends = garwood(above, 0.95)
    assert ((ends[0] <= rates[0]) & (rates[0] <= ends[1])).mean() >= 0.945


def test_classes_that_are_no_phases_are_named(scene):
    counts, labels = scene
    names = {0: "platinum edge", 1: "platinum depth", 2: "particle", 3: "foil"}
    own = ct.volume(labels, 0.054).assign_attrs(phases={})
    table = ct.measure.phase_spectra(maps(counts), own, names=names)
    assert table.phase.unique().tolist() == list(names.values())
    painted = own.assign_attrs(classes={name: code for code, name in names.items()})
    assert ct.measure.phase_spectra(maps(counts), painted).equals(table)
    with pytest.raises(ValueError, match=r"what the codes \[0, 1, 2, 3\] are is not known"):
        ct.measure.phase_spectra(maps(counts), own)
    with pytest.raises(ValueError, match=r"what the codes \[2, 3\] are"):
        ct.measure.phase_spectra(maps(counts), own, names={0: "a", 1: "b"})


@pytest.mark.parametrize(
    ("counts", "labels", "error", "match"),
    [
        (maps(np.ones((2, 2, 2))), [[0, 1], [2, 3]], TypeError, "dtype is float64.*whole counts as integers"),
        (maps([[[1, -1]], [[0, 0]]]), [[0, 1]], ValueError, "Cannot count X-rays by phase: a count is -1"),
        (maps(np.ones((2, 2, 2), int)), [[0, 1]], ValueError, "Cannot count X-rays by phase: sizes"),
        (maps(np.ones((2, 1, 2), int)), [[255, 255]], ValueError, "all 2 pixels are left out"),
        (maps(np.ones((2, 1, 2), int)), [[0, 9]], ValueError, "Cannot find phase 9"),
        (maps(np.ones((2, 1, 2), int), ("Pt", "Pt")), [[0, 1]], ValueError, "occurs twice in Pt, Pt"),
        (ct.volume([[1, 2]], 0.054), [[0, 1]], ValueError, "elements are named along channel"),
    ],
)
def test_spectra_refuse(counts, labels, error, match):
    with pytest.raises(error, match=match):
        ct.measure.phase_spectra(counts, ct.volume(np.asarray(labels), 0.054))


@pytest.mark.parametrize("level", [0, 1, 95, True, "0.95"])
def test_a_level_is_between_0_and_1(scene, level):
    counts, labels = scene
    with pytest.raises(ValueError, match="a number between 0 and 1 is needed"):
        ct.measure.phase_spectra(maps(counts), ct.volume(labels, 0.054), level=level)


@pytest.mark.parametrize("size", [0.5, (0.5, 0.2)])
def test_distances_are_scipy_s(size):
    labels = np.random.default_rng(0).choice(np.array([0, 1, 3], np.uint8), (30, 40), p=[0.5, 0.48, 0.02])
    found = ct.measure.distance_to(ct.volume(labels, size), ct.Phase.COLLECTOR)
    expected = ndimage.distance_transform_edt(labels != 3, sampling=size)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    deep = ct.volume(np.stack([labels, labels]), (3.0, *np.broadcast_to(size, 2)))
    np.testing.assert_allclose(ct.measure.distance_to(deep, ct.Phase.COLLECTOR)[1], expected, rtol=1e-5)


def test_a_phase_that_is_not_there_has_no_distance():
    with pytest.raises(ValueError, match=r"no voxel is current collector \(3\). .*pore \(0\), carbon"):
        ct.measure.distance_to(ct.volume([[0, 1]], 1.0), ct.Phase.COLLECTOR)


def graded(rng, near, far):
    """Binder above a collector; within 2 µm of it the ratio of the rates is `near`, beyond it `far`."""
    labels = np.ones((60, 200), np.uint8)
    labels[:10] = 3
    rates = np.where(np.arange(60)[:, None] < 10 + 20, near, far) * np.ones((60, 200))
    counts = np.stack([rng.poisson(0.5 * rates), rng.poisson(np.full((60, 200), 0.5))])
    return maps(counts, size=0.1), ct.volume(labels, 0.1)


def test_a_profile_finds_the_ratios_that_were_put_in():
    counts, labels = graded(np.random.default_rng(5), 2.0, 0.8)
    distance = ct.measure.distance_to(labels, ct.Phase.COLLECTOR)
    table = ct.measure.ratio_profile(counts, labels, distance, edges_um=[0, 1.05, 2.05, 3.05, 5.05])
    assert table.pixels.tolist() == [2000, 2000, 2000, 4000]
    for row, truth in zip(table.itertuples(), [2.0, 2.0, 0.8, 0.8], strict=True):
        assert row.low < truth < row.high
        assert row.ratio == row.F / row.C
    change = ct.measure.ratio_change(table)
    assert change.low < 2.5 < change.high
    assert change.low > 1
    assert change.value == pytest.approx(table.ratio[0] / table.ratio[3])
    same = ct.measure.ratio_change(table, near=0, far=1)
    assert same.low < 1 < same.high


def test_a_change_holds_the_truth_at_least_as_often_as_it_says():
    rng = np.random.default_rng(2)
    hits = 0
    for _ in range(500):
        table = ct.measure.ratio_profile(
            maps(rng.poisson([[[8.0, 6.0]], [[4.0, 9.0]]]), size=0.1), ct.volume([[1, 1]], 0.1),
            ct.volume([[0.0, 1.0]], 0.1), edges_um=[0, 1, 2],
        )  # fmt: skip
        change = ct.measure.ratio_change(table)
        hits += change.low <= (8 / 4) / (6 / 9) <= change.high
    assert hits >= 0.95 * 500


def test_zeros_empty_bins_and_what_is_beyond_the_edges():
    counts = maps([[[0, 3, 0, 5]], [[0, 0, 4, 5]]])
    labels = ct.volume([[1, 1, 1, 1]], 0.054)
    distance = ct.volume([[0.0, 1.0, 2.0, 9.0]], 0.054)
    table = ct.measure.ratio_profile(counts, labels, distance, edges_um=[0, 1, 2, 3, 4])
    assert table.pixels.tolist() == [1, 1, 1, 0]
    assert table.attrs["beyond_pixels"] == 1
    np.testing.assert_array_equal(table.ratio, [np.nan, np.inf, 0, np.nan])
    np.testing.assert_array_equal(table.low[[0, 2, 3]], 0)
    np.testing.assert_array_equal(table.high[[0, 1, 3]], np.inf)
    assert 0 < table.low[1] < np.inf
    assert 0 < table.high[2] < np.inf
    change = ct.measure.ratio_change(table, near=1, far=2)
    assert (change.value, change.high) == (np.inf, np.inf)
    assert change.low > 0
    assert np.isnan(ct.measure.ratio_change(table, near=0, far=2).value)
    assert ct.measure.ratio_change(table, near=0, far=2)[1:3] == (0, np.inf)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"of": "Ni"}, "of 'Ni' and 'C': two different ones of the channels F, C"),
        ({"edges_um": [0]}, "two or more finite borders"),
        ({"edges_um": [0, 2, 1]}, "ascending"),
        ({"edges_um": [0, np.inf]}, "finite"),
        ({"phase": ct.Phase.AM}, "none of the 0 pixels of code 2"),
        ({"edges_um": [5, 6]}, "none of the 2 pixels of code 1 lies between 5 and 6"),
        ({"distance": ct.volume([[0.0, np.nan]], 0.054)}, "1 of 2 grey values are NaN"),
        ({"distance": ct.volume([[0.0]], 0.054)}, "sizes"),
    ],
)
def test_profiles_refuse(options, match):
    given = {"distance": ct.volume([[0.0, 1.0]], 0.054), "edges_um": [0, 2], **options}
    with pytest.raises(ValueError, match=match):
        ct.measure.ratio_profile(maps(np.ones((2, 1, 2), int)), ct.volume([[1, 1]], 0.054), **given)


def test_changes_refuse(scene):
    counts, labels = scene
    distance = ct.volume(np.zeros(labels.shape), 0.054)
    table = ct.measure.ratio_profile(maps(counts), ct.volume(labels, 0.054), distance, edges_um=[0, 1])
    with pytest.raises(ValueError, match="there is no row 1, the profile has 1"):
        ct.measure.ratio_change(table, far=1)
    with pytest.raises(ValueError, match="it is no profile of counts"):
        ct.measure.ratio_change(table.rename(columns={"F": "fluorine"}))


@pytest.mark.parametrize("pixel", [0.02, 0.05, 0.054, 0.1, 0.438])
def test_a_distance_that_is_an_edge_belongs_to_the_bin_above(pixel):
    labels = ct.volume([[3] + [1] * 29], pixel)
    counts = ct.volume(np.ones((2, 1, 30), int), pixel, dims=("channel", "y", "x"))
    counts = counts.assign_coords(channel=["F", "C"])
    edges = [pixel * k for k in range(0, 30, 2)]
    table = ct.measure.ratio_profile(
        counts, labels, ct.measure.distance_to(labels, ct.Phase.COLLECTOR), edges_um=edges
    )
    assert table.pixels.tolist() == [1] + [2] * 13


def test_counts_that_are_none_are_refused():
    table = pd.DataFrame({"F": [2.5, 3], "C": [1, 2]})
    table.attrs.update(of="F", to="C")
    with pytest.raises(ValueError, match="whole numbers from 0"):
        ct.measure.ratio_change(table)
    large = pd.DataFrame({"F": np.array([200, 30], np.uint8), "C": np.array([20, 200], np.uint8)})
    large.attrs.update(of="F", to="C")
    found = ct.measure.ratio_change(large)
    assert found.value == pytest.approx(200 / 20 / (30 / 200))
    assert found.low < found.value < found.high
