"""How alike neighbours are, what they are worth, and how large a volume shows a drop."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats
from scipy.signal import lfilter

import corrtomo as ct

repeatable = settings(deadline=None, derandomize=True, max_examples=50)
EFFECTIVE = ct.measure.effective_sample_size


def series(phi, n, rng):
    """Return a series of unit variance whose correlation is phi to the power of the lag."""
    noise = rng.normal(size=n + 400)
    return lfilter([np.sqrt(1 - phi**2)], [1, -phi], noise)[400:]


def blocks(values, step=1.0):
    """Return a table of blocks on a grid, all of the same surface."""
    names = ["z_um", "y_um", "x_um"][-values.ndim :]
    where = np.meshgrid(*(step * np.arange(n) for n in values.shape), indexing="ij")
    columns = dict(zip(names, map(np.ravel, where), strict=True))
    solid = values.ndim == 3
    columns["volume_um3" if solid else "area_um2"] = step**values.ndim
    columns["contact_um2" if solid else "contact_um"] = values.ravel()
    columns["surface_um2" if solid else "outline_um"] = 1.0
    return pd.DataFrame(columns)


@repeatable
@given(hnp.arrays(float, st.integers(8, 30), elements=st.floats(0, 1, width=16)), st.data())
def test_a_profile_is_compared_pair_by_pair(values, data):
    unknown = data.draw(st.lists(st.integers(0, len(values) - 1), max_size=len(values) - 8, unique=True))
    values[unknown] = np.nan
    table = ct.measure.variogram(ct.volume(values, 0.5), longest_um=0.5 * len(values))
    expected = []
    for lag in range(1, len(values)):
        both = values[lag:] - values[:-lag]
        both = both[~np.isnan(both)]
        if both.size:
            expected.append((0.5 * lag, np.mean(both**2) / 2, both.size))
    np.testing.assert_allclose(table.to_numpy(), expected, atol=1e-9)


def test_blocks_are_compared_by_distance_in_all_directions():
    values = np.random.default_rng(0).random((4, 5, 6))
    table = ct.measure.variogram(blocks(values, 2.0), longest_um=6.0)
    where = np.argwhere(np.ones(values.shape)) * 2.0
    flat = values.ravel()
    found = {}
    for i in range(len(flat)):
        for j in range(i):
            lag = np.linalg.norm(where[i] - where[j])
            if lag <= 6.0 + 1e-9:
                found.setdefault(round(lag / 2), []).append((lag, (flat[i] - flat[j]) ** 2 / 2))
    expected = [(*np.mean(found[k], axis=0), len(found[k])) for k in sorted(found)]
    np.testing.assert_allclose(table.to_numpy(), expected)


def test_a_profile_with_its_surface_weighs_planes_by_it():
    share = np.array([0.5, 0.7, 0.2, np.nan, 0.9, 0.4, 0.6, 0.5, 0.1, 0.3])
    surface = np.array([1.0, 2, 3, 0, 4, 5, 1, 2, 3, 4])
    profile = ct.volume(share, 1.0).assign_coords(surface_um2=("x", surface))
    mean = np.nansum(share * surface) / surface.sum()
    deviation = ((share - mean) * surface)[surface > 0] / surface[surface > 0].mean()
    found = EFFECTIVE(profile)
    assert found.mean == pytest.approx(mean)
    assert deviation.mean() == pytest.approx(0)
    assert found.values == 9
    gap = deviation[[0, 1, 3, 4, 5, 6, 7]] - deviation[[1, 2, 4, 5, 6, 7, 8]]
    table = ct.measure.variogram(profile)
    assert table.semivariance[0] == pytest.approx(np.mean(gap**2) / 2)
    assert table.pairs[0] == 7


def test_places_are_not_compared_with_each_other():
    rng = np.random.default_rng(1)
    parts = [blocks(rng.random((5, 6))).assign(place=name) for name in "ab"]
    both = ct.measure.variogram(pd.concat(parts), longest_um=3.0)
    alone = [ct.measure.variogram(part, longest_um=3.0) for part in parts]
    assert both.pairs.tolist() == (alone[0].pairs + alone[1].pairs).tolist()
    with pytest.raises(ValueError, match="two blocks are at one place"):
        ct.measure.variogram(pd.concat(parts).drop(columns="place"))


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.9])
def test_a_series_of_known_correlation_is_worth_what_theory_says(phi):
    n, rng = 2000, np.random.default_rng(2)
    found = [EFFECTIVE(ct.volume(0.5 + 0.01 * series(phi, n, rng), 1.0)) for _ in range(60)]
    exact = n / (1 + 2 * sum((1 - k / n) * phi**k for k in range(1, n)))
    assert exact == pytest.approx(n * (1 - phi) / (1 + phi), rel=0.01)
    assert np.mean([f.effective for f in found]) == pytest.approx(exact, rel=0.1)
    # The standard error is how much means of such series really scatter: their sd / √m.
    assert np.mean([f.standard_error for f in found]) == pytest.approx(0.01 / np.sqrt(exact), rel=0.1)
    scatter = np.std([f.mean for f in found])
    assert scatter == pytest.approx(0.01 / np.sqrt(exact), rel=0.3)


def correlated(rho, shape, step, times, rng):
    """Return fields of a known correlation on a grid, and the true variance of their mean."""
    where = np.stack(np.meshgrid(*(step * np.arange(n) for n in shape), indexing="ij"), -1)
    where = where.reshape(-1, len(shape))
    known = rho(np.linalg.norm(where[:, None] - where, axis=-1))
    root = np.linalg.cholesky(known + 1e-9 * np.eye(len(known)))
    return (rng.normal(size=(times, len(known))) @ root.T).reshape(times, *shape), known.mean()


def spherical(far):
    return np.where(far < 1, 1 - 1.5 * far + 0.5 * far**3, 0.0)


@pytest.mark.parametrize(("shape", "times"), [((3, 4, 5), 150), ((6, 8, 10), 30)])
def test_blocks_of_known_correlation_say_how_much_their_mean_scatters(shape, times):
    """Few blocks scatter much: each model and range within a third, the mean of them within a quarter."""
    rng = np.random.default_rng(12)
    ratios = []
    for rho in (spherical, lambda far: np.exp(-3 * far)):
        for reach in (8.0, 10.0, 12.0):
            fields, true = correlated(lambda far: rho(far / reach), shape, 6.0, times, rng)  # noqa: B023
            found = [EFFECTIVE(blocks(0.5 + 0.01 * field, 6.0)) for field in fields]
            ratios.append(np.mean([f.standard_error**2 for f in found]) / 1e-4 / true)
            assert np.mean([f.effective for f in found]) < 0.95 * fields[0].size
    assert min(ratios) > 0.7
    assert max(ratios) < 1.4
    assert 0.8 < np.mean(ratios) < 1.25


def test_the_variance_is_put_right_for_the_few_values_that_it_is_worth():
    values = 0.5 + 0.01 * series(0.8, 80, np.random.default_rng(11))
    found = EFFECTIVE(ct.volume(values, 1.0))
    assert found.effective < 30
    variance = found.standard_error**2 * found.effective
    assert variance * (1 - 1 / found.effective) == pytest.approx(values.var())


def test_independent_blocks_are_worth_their_number():
    found = [EFFECTIVE(blocks(np.random.default_rng(k).random((8, 9, 10)))) for k in range(20)]
    assert {f.values for f in found} == {720}
    # A model finds some likeness by chance, and never less than none: a few percent on the safe side.
    assert 650 < np.median([f.effective for f in found]) <= 720
    assert min(f.effective for f in found) > 400
    np.testing.assert_allclose([f.standard_error for f in found], np.sqrt(1 / 12 / 720), rtol=0.35)
    assert np.median([f.range_um for f in found]) < 2


def test_repeated_blocks_are_worth_those_that_differ():
    values = np.random.default_rng(4).random((10, 10, 10))
    fine = EFFECTIVE(blocks(values.repeat(2, 0).repeat(2, 1).repeat(2, 2)))
    assert fine.values == 8000
    assert fine.effective == pytest.approx(1000, rel=0.25)
    assert fine.standard_error == pytest.approx(np.sqrt(1 / 12 / 1000), rel=0.15)
    assert fine.range_um <= 6


def test_a_second_standard_error_agrees_with_the_bootstrap_where_blocks_are_independent():
    rng = np.random.default_rng(5)
    every = rng.uniform(1, 3, (10, 20))
    table = blocks(every * rng.uniform(0.4, 0.6, every.shape)).assign(outline_um=every.ravel())
    low, high, *_ = ct.measure.contact_interval(table)
    assert EFFECTIVE(table).standard_error * 2 * 1.97 == pytest.approx(high - low, rel=0.15)


def test_correlated_blocks_make_the_bootstrap_too_sure_and_the_variogram_says_so():
    rng = np.random.default_rng(6)
    hits = np.zeros(2)
    for k in range(60):
        values = 0.5 + 0.05 * series(0.8, 600, rng)
        table = blocks(values[None])
        low, high, *_ = ct.measure.contact_interval(table, seed=k, resamples=200)
        found = EFFECTIVE(table)
        hits += [low <= 0.5 <= high, abs(found.mean - 0.5) <= 1.96 * found.standard_error]
    assert hits[0] < 48
    assert hits[1] >= 51  # 57 expected


FINE = blocks(np.random.default_rng(0).random((3, 4, 4)), 2.0)
JITTER = np.random.default_rng(1).normal(0, 1e-3, len(FINE))


def test_longer_than_the_blocks_is_their_whole_extent():
    far, all_ = (ct.measure.variogram(FINE, longest_um=longest) for longest in (1e9, 20.0))
    pd.testing.assert_frame_equal(far, all_)


@pytest.mark.parametrize(
    ("values", "options", "error", "match"),
    [
        ([1.0, 2.0], {}, TypeError, "of a list: a profile or a table of blocks"),
        (ct.volume(np.ones((3, 3)), 1.0), {}, TypeError, "of a DataArray"),
        (pd.DataFrame({"a": [1.0]}), {}, TypeError, "a table of blocks is needed"),
        (ct.volume(np.arange(7.0) / 8, 1.0), {}, ValueError, "of 7 known values: 8 or more"),
        (ct.volume(np.array([np.inf] * 9), 1.0), {}, ValueError, "9 values are infinite"),
        (ct.volume(np.full(9, np.nan), 1.0), {}, ValueError, "of 0 known values"),
        (ct.volume(np.arange(9.0) / 8, 1.0), {"longest_um": 0.4}, ValueError, "no two values are so near"),
        (ct.volume(np.arange(9.0) / 8, 1.0), {"longest_um": "1"}, TypeError, "with longest_um '1'"),
        (ct.volume(np.arange(9.0) / 8, 1.0).drop_vars("x"), {}, ValueError, "without x coordinates"),
        (ct.volume(np.arange(9.0) * 1e200, 1.0), {}, ValueError, "8 of 9 values are outside 0 to 1"),
        (ct.volume(np.linspace(-1, 1, 9), 1.0), {}, ValueError, "4 of 9 values are outside 0 to 1"),
        (ct.volume(np.zeros(9), 1.0).astype(complex), {}, TypeError, "of a profile of complex128"),
        (ct.volume(np.zeros(9), 1.0).astype(str), {}, TypeError, "of a profile of <U32"),
        (FINE.assign(x_um=[1e9, *FINE.x_um[1:]]), {}, ValueError, "Check x_um for a wrong"),
        (FINE.assign(x_um=[1e300, *FINE.x_um[1:]]), {}, ValueError, "Check x_um for a wrong"),
        (FINE.assign(x_um=FINE.x_um + JITTER), {}, ValueError, "(Check|steps in) x_um"),
        (FINE.assign(x_um="a"), {}, TypeError, "column x_um holds (object|str)"),
    ],
)
def test_refusals(values, options, error, match):
    for function in (ct.measure.variogram, EFFECTIVE):
        with pytest.raises(error, match=match):
            function(values, **options)


def test_what_does_not_vary_or_varies_as_one_is_refused():
    with pytest.raises(ValueError, match="all 9 values are the same"):
        EFFECTIVE(ct.volume(np.full(9, 0.5), 1.0))
    with pytest.raises(ValueError, match="worth fewer than 2"):
        EFFECTIVE(ct.volume(np.linspace(0, 1, 100), 1.0))
    table = blocks(np.random.default_rng(0).random((1, 12)))
    with pytest.raises(ValueError, match="where the blocks are is not known"):
        EFFECTIVE(table.drop(columns=["y_um", "x_um"]))
    table.loc[3, "x_um"] += 0.3
    with pytest.raises(ValueError, match="blocks are not on an even grid"):
        EFFECTIVE(table)


def test_power_is_that_of_the_normal_test():
    rng = np.random.default_rng(7)
    table = blocks(0.5 + 0.05 * rng.normal(size=(10, 10, 10)), 2.0)
    measured = EFFECTIVE(table)
    found = ct.measure.contact_power(table, 10.0, extents=[8000.0])
    row = found.table.iloc[0]
    assert row.standard_error == pytest.approx(measured.standard_error)
    drop = 0.1 * measured.mean
    assert found.needed == pytest.approx(
        2 * (1.959964 + 0.841621) ** 2 * measured.standard_error**2 * 8000 / drop**2, rel=1e-5
    )
    assert ct.measure.contact_power(table, extents=[found.needed]).table.power[0] == pytest.approx(
        0.8, abs=1e-5
    )
    again = ct.measure.contact_power(table, power=0.95, extents=[1.0])
    assert again.needed > found.needed
    assert ct.measure.contact_power(table, 5.0).needed == pytest.approx(4 * found.needed)


def test_a_volume_of_the_needed_size_shows_the_drop_as_often_as_it_says():
    """Draw pairs of volumes of the needed size, and count in how many the drop is told from chance."""
    rng = np.random.default_rng(8)
    needed = ct.measure.contact_power(blocks(0.5 + 0.1 * rng.normal(size=(100, 200))), 10.0).needed
    n = round(needed)
    seen = 0
    for _ in range(400):
        first, second = (rng.normal(mean, 0.1, n).mean() for mean in (0.5, 0.45))
        seen += abs(first - second) > stats.norm.ppf(0.975) * 0.1 * np.sqrt(2 / n)
    assert seen / 400 == pytest.approx(0.8, abs=0.065)


def test_the_range_of_the_needed_volume_holds_the_true_one():
    fields, true = correlated(lambda far: spherical(far / 10), (3, 4, 5), 6.0, 100, np.random.default_rng(13))
    exact = 2 * (1.959964 + 0.841621) ** 2 * true * 0.01**2 * 60 * 216 / (0.1 * 0.5) ** 2
    held = []
    for field in fields:
        found = ct.measure.contact_power(blocks(0.5 + 0.01 * field, 6.0))
        low, high = found.needed_range
        assert low < found.needed < high
        held.append(low < exact < high)
    assert np.mean(held) > 0.85


def test_the_table_of_power_rises_from_chance_to_certainty():
    found = ct.measure.contact_power(blocks(np.random.default_rng(9).uniform(0.4, 0.6, (20, 20))))
    assert found.table.columns.tolist() == ["area_um2", "standard_error", "power"]
    assert found.table.power.is_monotonic_increasing
    assert 0.05 < found.table.power.iloc[0] < 0.25
    assert found.table.power.iloc[-1] > 0.99


GRID = blocks(np.random.default_rng(10).uniform(0.4, 0.6, (5, 5)))


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"blocks": None}, TypeError, "of a NoneType: a table of blocks"),
        ({"drop_percent": 0}, ValueError, "of 0 %: above 0 is needed"),
        ({"drop_percent": 101.0}, ValueError, "drop_percent 101.0: a number from 0 to 100"),
        ({"drop_percent": "10"}, TypeError, "with drop_percent '10'"),
        ({"power": 1.0}, ValueError, "with power 1.0: a share between 0.05"),
        ({"power": 0.04}, ValueError, "with power 0.04"),
        ({"power": None}, TypeError, "with power None"),
        ({"level": 95}, ValueError, "at level 95"),
        ({"extents": 100.0}, TypeError, "extents 100.0: a sequence"),
        ({"extents": []}, TypeError, "extents"),
        ({"extents": ["a"]}, TypeError, "a sequence of volumes"),
        ({"extents": [1.0, [2.0]]}, TypeError, "a sequence of volumes"),
        ({"drop_percent": 1e-160}, ValueError, "of 1e-160 %: 1e-06 % or more"),
        ({"drop_percent": 10**400}, ValueError, "a number from 0 to 100"),
        ({"blocks": GRID.assign(contact_um="1")}, TypeError, "column contact_um holds"),
        ({"blocks": pd.concat([GRID, GRID[["outline_um"]]], axis=1)}, ValueError, "2 columns outline_um"),
        ({"blocks": GRID.assign(place=[[1]] * len(GRID))}, TypeError, r"with place \[1\]: a name"),
        ({"extents": [-1.0]}, ValueError, "finite and above zero"),
        ({"blocks": GRID.assign(contact_um=0.0)}, ValueError, "all 25 values are the same"),
    ],
)
def test_power_refuses(change, error, match):
    with pytest.raises(error, match=match):
        ct.measure.contact_power(**{"blocks": GRID} | change)
