"""Densities of sizes, their peaks, log-normal fits, grain distances, growing volumes."""

import dask.array as da
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import corrtomo as ct


def sizes(values):
    return ct.volume(np.asarray(values, np.float32), 0.5)


def quartic(at, values, bandwidth):
    u = (at[:, None] - np.asarray(values)) / bandwidth
    return np.where(np.abs(u) < 1, 15 / 16 * (1 - u**2) ** 2, 0).mean(axis=1) / bandwidth


def test_a_summary_counts_each_voxel_once():
    table = ct.measure.size_summary(sizes([0, 1, 1, 2, 8, np.nan]))
    wanted = {"mean_um": 3.0, "median_um": 1.0, "sd_um": np.std([1, 1, 2, 8]), "max_um": 8.0, "voxels": 4.0}
    assert table.to_dict() == pytest.approx(wanted)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(st.lists(st.floats(0.1, 20), min_size=1, max_size=30), st.floats(0.05, 3))
def test_a_density_integrates_to_one_and_is_never_negative(values, bandwidth):
    density = ct.measure.size_density(sizes(values), bandwidth)
    assert density.min() >= 0
    assert float(density.integrate("diameter_um")) == pytest.approx(1, abs=5e-3)


def test_a_density_is_the_sum_of_kernels():
    values = [3.0, 3.5, 3.5, 7.0]
    density = ct.measure.size_density(sizes([0, *values, np.nan]), 0.8)
    np.testing.assert_allclose(density, quartic(density.diameter_um.values, values, 0.8), atol=1e-9)
    assert density.attrs["mean_um"] == pytest.approx(4.25)
    assert density.attrs["max_um"] == 7.0


def test_what_falls_below_zero_is_mirrored():
    density = ct.measure.size_density(sizes([0.2]), 1.0)
    at = density.diameter_um.values
    np.testing.assert_allclose(density, quartic(at, [0.2], 1.0) + quartic(at, [-0.2], 1.0), atol=1e-9)


def test_dask_gives_the_same_density():
    values = np.random.default_rng(0).choice([0, 1, 1.5, 4], (20, 20, 20)).astype(np.float32)
    whole = ct.measure.size_density(ct.volume(values, 1.0), 0.5)
    lazy = ct.measure.size_density(ct.volume(da.from_array(values, chunks=7), 1.0), 0.5)
    xr.testing.assert_identical(whole, lazy)


def test_two_heaps_have_two_modes_until_the_bandwidth_joins_them():
    rng = np.random.default_rng(1)
    values = np.concatenate([rng.normal(2, 0.2, 3000), rng.normal(5, 0.4, 2000)])
    table = ct.measure.modes(ct.measure.size_density(sizes(values), 0.8))
    np.testing.assert_allclose(table.diameter_um, [2, 5], atol=0.15)
    assert table.prominence.max() == pytest.approx(1)
    assert len(ct.measure.modes(ct.measure.size_density(sizes(values), 8.0))) == 1


def test_a_peak_at_the_lower_end_is_one():
    at = np.linspace(0, 5, 101)
    density = xr.DataArray(np.exp(-at), dims="diameter_um", coords={"diameter_um": at})
    assert ct.measure.modes(density).diameter_um.tolist() == [0.0]


@settings(deadline=None, derandomize=True, max_examples=25)
@given(st.floats(-0.5, 2.0), st.floats(0.15, 1.0))
def test_a_log_normal_is_found_again(location, scale):
    at = np.linspace(0.005, 60, 6000)
    law = ct.measure.LognormalFit(location, scale, 1.0)
    density = law.density(xr.DataArray(at, dims="diameter_um", coords={"diameter_um": at}))
    fit = ct.measure.fit_lognormal(density)
    assert (fit.location, fit.scale, fit.r2) == pytest.approx((location, scale, 1.0), abs=1e-3)


def test_a_log_normal_is_found_from_samples():
    values = np.random.default_rng(2).lognormal(1.22, 0.5, 200_000)
    fit = ct.measure.fit_lognormal(ct.measure.size_density(sizes(values), 0.2))
    assert (fit.location, fit.scale) == pytest.approx((1.22, 0.5), abs=0.02)
    assert fit.r2 > 0.99
    assert fit.mean_um == pytest.approx(np.exp(1.22 + 0.125), rel=0.02)


def test_two_heaps_are_no_log_normal():
    values = np.concatenate([np.full(100, 2.0), np.full(100, 9.0)])
    assert ct.measure.fit_lognormal(ct.measure.size_density(sizes(values), 0.5)).r2 < 0.7


@pytest.mark.parametrize(("period", "thick"), [(5, 2), (8, 3), (12, 6)])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_distance_of_layers_is_their_period(period, thick, axis):
    n = 20 * period
    line = (np.arange(n) % period) < thick
    shape = [1, 1, 1]
    shape[axis] = n
    mask = ct.volume(np.broadcast_to(line.reshape(shape), shape), 0.2)
    # The first layer begins at the border: 19 entries on a line that is one step shorter than its voxels.
    assert ct.measure.grain_distance(mask) == pytest.approx(0.2 * (n - 1) / 19)


def test_lines_of_all_axes_count_by_their_length():
    mask = np.zeros((40, 40, 40), bool)
    mask[::8, ::8, ::8] = True
    lines = 3 * 39 * 1600
    entries = 3 * (5 * 5 * 5) - 3 * 25  # on the first face of each axis a grain has not been entered
    assert ct.measure.grain_distance(ct.volume(mask, 1.0)) == pytest.approx(lines / entries)


def test_where_a_volume_is_cut_changes_nothing():
    mask = ct.volume((np.arange(1000) % 10) < 4, 1.0)
    found = [ct.measure.grain_distance(mask[start : start + 901]) for start in range(10)]
    np.testing.assert_allclose(found, 10)


def test_growing_volumes_cover_what_they_say():
    labels = ct.volume(np.random.default_rng(0).integers(0, 2, (20, 30, 40)), 0.5)
    table = ct.measure.growing_volumes(labels, lambda part: float(part.mean()), [2.0, 5.0, 10.0], most=20)
    assert table.groupby("edge_um").size().to_dict() == {2.0: 20, 5.0: 20, 10.0: 2}
    for _, row in table.iterrows():
        n = int(row.edge_um / 0.5)
        corner = [round(row[f"{d}_um"] / 0.5) for d in "zyx"]
        part = labels.values[tuple(slice(c, c + n) for c in corner)]
        assert part.shape == (n, n, n)
        assert row.value == pytest.approx(part.mean())
        assert row.volume_um3 == pytest.approx(row.edge_um**3)
    spread = table.groupby("edge_um").value.std()
    assert spread[2.0] > spread[5.0] > spread[10.0]


def test_the_places_are_those_of_the_seed():
    image = ct.volume(np.random.default_rng(0).random((32, 32, 32)), 1.0)
    tables = [
        ct.measure.growing_volumes(image, lambda part: float(part.mean()), [4.0], most=9, seed=seed)
        for seed in (0, 0, 1)
    ]
    assert tables[0].equals(tables[1])
    assert not tables[0].equals(tables[2])


IMAGE = ct.volume(np.zeros((8, 8, 8), np.float32), 1.0)
FLAT = xr.DataArray(np.zeros(9), dims="diameter_um", coords={"diameter_um": np.arange(9.0)})


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: ct.measure.size_density(IMAGE, 1.0), ValueError, "the sizes are none above 0"),
        (lambda: ct.measure.size_density(sizes([-1, 2]), 1.0), ValueError, "from -1 to 2 µm"),
        (lambda: ct.measure.size_density(sizes([1, np.inf]), 1.0), ValueError, "from 1 to inf µm"),
        (lambda: ct.measure.size_density(sizes([1]), 0.0), ValueError, "bandwidth 0.0 µm"),
        (lambda: ct.measure.size_density(sizes([1e6]), 1e-3), ValueError, "100000 are allowed"),
        (lambda: ct.measure.size_density(ct.volume([1, 2], 1.0), 1.0), TypeError, "dtype int64"),
        (lambda: ct.measure.size_density(np.ones(3), 1.0), TypeError, r"ct\.volume"),
        (lambda: ct.measure.size_summary(IMAGE), ValueError, "Cannot summarise sizes"),
        (lambda: ct.measure.modes(IMAGE), ValueError, "a density with dim 'diameter_um'"),
        (lambda: ct.measure.modes(FLAT), ValueError, "not all zero"),
        (lambda: ct.measure.modes(FLAT + 1, least_prominence=2), ValueError, "from 0 to 1"),
        (lambda: ct.measure.fit_lognormal(FLAT), ValueError, "Cannot fit a log-normal law"),
        (lambda: ct.measure.fit_lognormal([1, 2]), ValueError, "of list: a density"),
        (lambda: ct.measure.grain_distance(IMAGE > 1), ValueError, "no line along an axis enters one, 0%"),
        (lambda: ct.measure.grain_distance(IMAGE == 0), ValueError, "100% of the voxels"),
        (lambda: ct.measure.grain_distance(IMAGE), TypeError, "the mask has dtype float32"),
        (lambda: ct.measure.growing_volumes(IMAGE, float, [1.0]), ValueError, "edge 1 µm: 2 voxels or more"),
        (
            lambda: ct.measure.growing_volumes(IMAGE, float, [9.0]),
            ValueError,
            "the volume, 8 µm",
        ),
        (lambda: ct.measure.growing_volumes(IMAGE, lambda p: np.nan, [4.0]), ValueError, "gives nan"),
        (lambda: ct.measure.growing_volumes(IMAGE, float, [4.0], most=0), ValueError, "most=0"),
    ],
)
def test_what_has_no_answer_is_refused(call, error, match):
    with pytest.raises(error, match=match):
        call()
