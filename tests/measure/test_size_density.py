"""Densities of sizes, their summaries and their peaks."""

import dask.array as da
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import gaussian_kde

import corrtomo as ct
from corrtomo.measure.distinct import distinct_values

repeatable = settings(deadline=None, derandomize=True, max_examples=40)


def sizes(values, dtype=np.float32):
    return ct.volume(np.asarray(values, dtype), 0.5)


def quartic(at, values, bandwidth):
    u = (at[:, None] - np.asarray(values)) / bandwidth
    return np.where(np.abs(u) < 1, 15 / 16 * (1 - u**2) ** 2, 0).mean(axis=1) / bandwidth


def test_a_summary_counts_each_voxel_once():
    table = ct.measure.size_summary(sizes([0, 1, 1, 2, 8, np.nan]))
    wanted = {"mean_um": 3.0, "median_um": 1.0, "sd_um": np.std([1, 1, 2, 8]), "max_um": 8.0, "voxels": 4.0}
    assert table.to_dict() == pytest.approx(wanted)


@repeatable
@given(st.lists(st.floats(0.1, 20), min_size=1, max_size=30), st.floats(0.05, 30))
def test_a_density_integrates_to_one_and_is_never_negative(values, bandwidth):
    density = ct.measure.size_density(sizes(values), bandwidth)
    assert density.min() >= 0
    assert float(density.integrate("diameter_um")) == pytest.approx(1, abs=1e-5)


@repeatable
@given(st.lists(st.floats(0.1, 20), min_size=1, max_size=30), st.floats(0.05, 3))
def test_a_density_is_the_sum_of_kernels_and_of_their_mirror_images(values, bandwidth):
    density = ct.measure.size_density(sizes(values, float), bandwidth)
    at = density.diameter_um.values
    wanted = quartic(at, values, bandwidth) + quartic(at, -np.array(values), bandwidth)
    np.testing.assert_allclose(density, wanted, atol=1e-9 / bandwidth)


def test_what_stands_beside_a_density_is_of_the_sizes():
    density = ct.measure.size_density(sizes([0, 3.0, 3.5, 3.5, 7.0, np.nan]), 0.8)
    assert density.attrs == pytest.approx({"mean_um": 4.25, "max_um": 7.0, "voxels": 4, "bandwidth_um": 0.8})


def test_the_kernel_spreads_a_size_by_the_bandwidth_over_root_seven():
    density = ct.measure.size_density(sizes([5.0]), 2.0)
    at = density.diameter_um
    assert float(((at - 5) ** 2 * density).integrate("diameter_um")) == pytest.approx(4 / 7, rel=1e-4)
    assert (density.where((at < 3.0) | (at > 7.0), 0) == 0).all()


def test_a_smooth_density_is_that_of_another_kernel_of_the_same_spread():
    values = np.random.default_rng(5).normal(10, 2, 4000)
    density = ct.measure.size_density(sizes(values), 0.5 * np.sqrt(7))
    peer = gaussian_kde(values, 0.5 / values.std(ddof=1))(density.diameter_um.values)
    np.testing.assert_allclose(density, peer, atol=0.01 * float(density.max()))


def test_sizes_in_another_unit_are_another_density():
    values = np.random.default_rng(3).random(50) + 0.1
    one = ct.measure.size_density(sizes(values, float), 0.3)
    other = ct.measure.size_density(sizes(1000 * values, float), 300)
    np.testing.assert_allclose(other * 1000, one, rtol=1e-9, atol=1e-12)


@repeatable
@given(
    hnp.arrays(
        st.sampled_from([np.float32, np.float64, ">f4"]),
        hnp.array_shapes(max_dims=3, max_side=8),
        elements=st.sampled_from([0.0, -0.0, 1.0, 1.5, 7.0, np.nan, np.inf]),
    )
)
def test_every_distinct_value_is_counted(values):
    found, counts = distinct_values(ct.volume(values, 1.0))
    wanted = np.unique(values[~np.isnan(values)], return_counts=True)
    np.testing.assert_array_equal(found, wanted[0])
    np.testing.assert_array_equal(counts, wanted[1])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_as_many_values_as_voxels_are_counted_too(dtype):
    values = np.random.default_rng(0).random(300_001).astype(dtype)
    found, counts = distinct_values(ct.volume(values, 1.0))
    wanted = np.unique(values, return_counts=True)
    np.testing.assert_array_equal(found, wanted[0])
    np.testing.assert_array_equal(counts, wanted[1])


def test_dask_and_views_give_the_same_density():
    values = np.random.default_rng(0).choice([0, 1, 1.5, 4], (20, 20, 20)).astype(np.float32)
    whole = ct.measure.size_density(ct.volume(values, 1.0), 0.5)
    lazy = ct.measure.size_density(ct.volume(da.from_array(values, chunks=7), 1.0), 0.5)
    turned = ct.measure.size_density(ct.volume(values.transpose(2, 0, 1)[::-1], (3.0, 1.0, 2.0)), 0.5)
    xr.testing.assert_identical(whole, lazy)
    xr.testing.assert_identical(whole, turned)


def test_two_heaps_have_two_modes_until_the_bandwidth_joins_them():
    rng = np.random.default_rng(1)
    values = np.concatenate([rng.normal(2, 0.2, 3000), rng.normal(5, 0.4, 2000)])
    table = ct.measure.modes(ct.measure.size_density(sizes(values), 0.8))
    np.testing.assert_allclose(table.diameter_um, [2, 5], atol=0.15)
    assert table.prominence.max() == pytest.approx(1)
    assert len(ct.measure.modes(ct.measure.size_density(sizes(values), 8.0))) == 1


def test_prominence_is_the_height_above_the_higher_valley():
    values = np.array([0, 10, 4, 6, 1, 2, 0], float)
    density = xr.DataArray(values, dims="diameter_um", coords={"diameter_um": np.arange(7.0)})
    assert ct.measure.modes(density).prominence.tolist() == pytest.approx([1.0, 0.2, 0.1])
    assert ct.measure.modes(density, least_prominence=0.15).diameter_um.tolist() == [1.0, 3.0]
    assert ct.measure.modes(density).density_per_um.tolist() == [10.0, 6.0, 2.0]


def test_a_peak_at_the_lower_end_is_one():
    at = np.linspace(0, 5, 101)
    density = xr.DataArray(np.exp(-at), dims="diameter_um", coords={"diameter_um": at})
    assert ct.measure.modes(density).diameter_um.tolist() == [0.0]


def test_a_ball_has_the_size_of_its_diameter():
    z, y, x = np.ogrid[-12:13, -12:13, -12:13]
    local = ct.measure.local_thickness(ct.volume(z**2 + y**2 + x**2 < 100, 0.5))
    density = ct.measure.size_density(local, 0.5)
    assert ct.measure.modes(density).diameter_um.tolist() == pytest.approx([10.0], abs=0.1)
    assert ct.measure.size_summary(local).voxels == int((local > 0).sum())


IMAGE = ct.volume(np.zeros((8, 8, 8), np.float32), 1.0)
FLAT = xr.DataArray(np.zeros(9), dims="diameter_um", coords={"diameter_um": np.arange(9.0)})


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: ct.measure.size_density(IMAGE, 1.0), ValueError, "the sizes are none above 0"),
        (lambda: ct.measure.size_density(IMAGE * np.nan, 1.0), ValueError, "the sizes are none above 0"),
        (lambda: ct.measure.size_density(sizes([-1, 2]), 1.0), ValueError, "from -1 to 2 µm"),
        (lambda: ct.measure.size_density(sizes([1, np.inf]), 1.0), ValueError, "from 1 to inf µm"),
        (lambda: ct.measure.size_density(sizes([1]), 0.0), ValueError, "bandwidth 0.0 µm"),
        (lambda: ct.measure.size_density(sizes([1]), np.nan), ValueError, "bandwidth nan µm"),
        (lambda: ct.measure.size_density(sizes([1]), True), TypeError, "bandwidth True"),
        (lambda: ct.measure.size_density(sizes([1]), "1"), TypeError, "bandwidth '1'"),
        (lambda: ct.measure.size_density(sizes([1e6]), 1e-3), ValueError, "100000 are allowed"),
        (lambda: ct.measure.size_density(ct.volume([1, 2], 1.0), 1.0), TypeError, "dtype int64"),
        (lambda: ct.measure.size_density(IMAGE > 1, 1.0), TypeError, "dtype bool"),
        (lambda: ct.measure.size_density(np.ones(3), 1.0), TypeError, r"ct\.volume"),
        (lambda: ct.measure.size_summary(IMAGE), ValueError, "Cannot summarise sizes"),
        (lambda: ct.measure.modes(IMAGE), ValueError, "a density with dim 'diameter_um'"),
        (lambda: ct.measure.modes(FLAT), ValueError, "not all zero"),
        (lambda: ct.measure.modes(FLAT - 1), ValueError, "not negative"),
        (lambda: ct.measure.modes(FLAT[::-1]), ValueError, "ascending diameters"),
        (lambda: ct.measure.modes(FLAT.drop_vars("diameter_um")), ValueError, "ascending diameters"),
        (lambda: ct.measure.modes(FLAT + 1, least_prominence=2), ValueError, "from 0 to 1"),
        (lambda: ct.measure.modes(FLAT + 1, least_prominence=np.nan), ValueError, "prominence nan"),
    ],
)
def test_what_has_no_answer_is_refused(call, error, match):
    with pytest.raises(error, match=match):
        call()
