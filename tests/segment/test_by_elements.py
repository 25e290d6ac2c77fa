"""LCO or NCA: shares learned and given, intervals, refusals where one material explains all."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import expit

import corrtomo as ct
from corrtomo.segment.mixture import Mixture, learn, needs_two

repeatable = settings(deadline=None, derandomize=True, max_examples=4)


def maps_of(some, rest, names=("Ni", "Co"), pixel=0.1):
    counts = np.stack([np.atleast_2d(some), np.atleast_2d(rest)])
    return ct.volume(counts, pixel, dims=("channel", "y", "x")).assign_coords(channel=list(names))


def specimen(kinds, shares, *, counts=100, spread=0.0, seed=0, side=6):
    """Return maps of particles in a row, square ones of `side` pixels, and their numbers."""
    rng = np.random.default_rng(seed)
    p = np.array(shares)[kinds]
    if spread > 0:
        p = rng.beta(p * (1 - spread) / spread, (1 - p) * (1 - spread) / spread)
    each = np.repeat(np.repeat(p[None], side, 0), side, 1)
    both = rng.poisson(counts / side**2, each.shape)
    some = rng.binomial(both, each)
    numbers = np.repeat(np.repeat(np.arange(1, len(p) + 1)[None], side, 0), side, 1)
    return maps_of(some, both - some), ct.volume(numbers, 0.1)


KINDS = np.array([0, 1, 1, 0, 1, 0, 0, 1, 1, 1])


@pytest.mark.parametrize(
    ("counts", "spread"), [(30, 0.0), (100, 0.0), (3000, 0.0), (100, 0.01), (3000, 0.02)]
)
def test_shares_and_names_are_learned(counts, spread):
    maps, numbers = specimen(KINDS, (0.03, 0.8), counts=counts, spread=spread)
    found = ct.segment.by_elements(maps, numbers)
    assert found.shares == pytest.approx((0.03, 0.8), abs=0.06)
    assert found.table["class"].tolist() == ["NCA" if k else "LCO" for k in KINDS]
    assert (found.labels.values == (2 + KINDS)[numbers.values - 1]).all()
    assert found.labels.attrs["classes"] == {"pore": 0, "carbon binder domain": 1, "LCO": 2, "NCA": 3}
    assert found.labels.dtype == np.uint8


def test_the_table_by_hand():
    maps = maps_of([3, 0, 0, 40], [7, 0, 90, 10])
    numbers = ct.volume([[4, 9, 7, 5]], 0.1)
    table = ct.segment.by_elements(maps, numbers, shares=(0.02, 0.8), level=0.9).table
    assert table.index.tolist() == [4, 5, 7, 9]
    assert table[["pixels", "Ni", "Co"]].to_numpy().tolist() == [
        [1, 3, 7],
        [1, 40, 10],
        [1, 0, 90],
        [1, 0, 0],
    ]
    for number, (k, n) in {4: (3, 10), 5: (40, 50), 7: (0, 90)}.items():
        exact = stats.binomtest(k, n).proportion_ci(0.9, "exact")
        assert table.loc[number, ["low", "high"]].tolist() == pytest.approx([exact.low, exact.high])
        assert table.share[number] == k / n
    assert np.isnan(table.share[9])
    assert table.loc[9, ["low", "high", "class"]].tolist() == [0, 1, "undecided"]


def test_the_probability_is_bayes():
    some, rest = np.array([2.0, 0, 5, 40]), np.array([3.0, 0, 0, 10])
    odds = some * np.log(0.9 / 0.05) + rest * np.log(0.1 / 0.95) + np.log(0.4 / 0.6)
    sharp = Mixture((0.05, 0.9), 0.4, 1e-8, 0.0)
    assert sharp.second(some, rest) == pytest.approx(expit(odds), abs=1e-5)
    # With spread it is that of the beta-binomial law.
    wide = Mixture((0.05, 0.9), 0.4, 0.05, 0.0)
    laws = [stats.betabinom(some + rest, p * 19, (1 - p) * 19).pmf(some) for p in (0.05, 0.9)]
    assert wide.second(some, rest) == pytest.approx(0.4 * laws[1] / (0.6 * laws[0] + 0.4 * laws[1]))


def test_what_is_not_sure_is_undecided():
    some, rest = [0, 1, 0, 90, 88, 92, 2], [99, 99, 98, 10, 12, 8, 3]
    maps, numbers = maps_of(some, rest), ct.volume([np.arange(1, 8)], 0.1)
    found = ct.segment.by_elements(maps, numbers, sure=0.99999)
    last = found.table.loc[7]
    assert (last["class"], found.labels.values[0, 6]) == ("undecided", 255)
    assert 0.5 < last.probability < 0.99999
    bold = ct.segment.by_elements(maps, numbers, sure=0.51)
    assert bold.table["class"][7] == last.likelier


def test_a_given_share_decides_about_a_single_particle():
    maps, numbers = specimen(np.array([1]), (0.03, 0.8), counts=40)
    found = ct.segment.by_elements(maps, numbers, shares=(0.03, 0.8))
    assert found.table["class"].tolist() == ["NCA"]
    assert found.shares == (0.03, 0.8)


def test_other_isotopes_names_and_phases():
    maps, numbers = specimen(KINDS, (0.03, 0.8))
    maps = maps.assign_coords(channel=["58Ni", "59Co"])
    inside = numbers.where(numbers != 4, 0)
    phases = ct.volume(np.where(inside.values == 0, 1, 2), 0.1)
    found = ct.segment.by_elements(maps, inside, of="58Ni", to="59Co", names=("oxide", "NMC"), phases=phases)
    assert set(np.unique(found.labels)) == {1, 2, 3}
    assert (found.labels.values[numbers.values == 4] == 1).all()
    assert found.labels.attrs["classes"]["NMC"] == 3
    without = ct.segment.by_elements(maps, inside, of="58Ni", to="59Co")
    assert (without.labels.values[numbers.values == 4] == 255).all()


@pytest.mark.parametrize("spread", [0.0, 0.02])
@pytest.mark.parametrize("counts", [50, 2000])
def test_one_material_is_not_parted(counts, spread):
    refused = 0
    for seed in range(4):
        maps, numbers = specimen(np.zeros(25, int), (0.2, 0.8), counts=counts, spread=spread, seed=seed)
        try:
            ct.segment.by_elements(maps, numbers)
        except ValueError as error:
            refused += "one material explains all" in str(error)
    assert refused == 4


def test_a_particle_is_wrong_no_more_often_than_its_probability_says():
    wrong = sure = total = 0
    for seed in range(10):
        kinds = np.random.default_rng(seed).integers(0, 2, 60)
        maps, numbers = specimen(kinds, (0.1, 0.6), counts=20, seed=seed)
        found = ct.segment.by_elements(maps, numbers)
        named = found.table["class"] != "undecided"
        truth = np.where(kinds, "NCA", "LCO")
        wrong += int((found.table["class"] != truth)[named].sum())
        sure += int(named.sum())
        total += len(kinds)
    assert 0.5 < sure / total < 1
    assert wrong / sure < 0.03


@repeatable
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 0.3), st.floats(0.6, 0.99))
def test_swapping_the_elements_swaps_the_materials(seed, low, high):
    maps, numbers = specimen(KINDS, (low, high), counts=200, seed=seed)
    found = ct.segment.by_elements(maps, numbers)
    other = ct.segment.by_elements(maps, numbers, of="Co", to="Ni", names=("NCA", "LCO"))
    assert other.table["class"].tolist() == found.table["class"].tolist()
    assert other.shares == pytest.approx([1 - s for s in found.shares[::-1]], abs=0.01)
    shuffled = numbers.copy(data=(11 - numbers.values) * 1000)
    again = ct.segment.by_elements(maps, shuffled)
    assert (again.labels.values == found.labels.values).all()


def test_the_mixture_without_spread_is_that_of_binomials():
    rng = np.random.default_rng(0)
    kinds = rng.random(400) < 0.3
    n = rng.poisson(60, 400) + 1
    some = rng.binomial(n, np.where(kinds, 0.7, 0.1)).astype(float)
    found = learn(some, n - some)
    # By expectation and maximisation, as for binomials.
    p, w = np.array([0.3, 0.6]), 0.5
    for _ in range(300):
        odds = np.log(w / (1 - w)) + some * np.log(p[1] / p[0]) + (n - some) * np.log((1 - p[1]) / (1 - p[0]))
        q = expit(odds)
        p, w = (
            np.array([((1 - q) * some).sum() / ((1 - q) * n).sum(), (q * some).sum() / (q * n).sum()]),
            q.mean(),
        )
    assert found.shares == pytest.approx(tuple(p), abs=0.004)
    assert found.weight == pytest.approx(w, abs=0.01)
    assert found.spread < 0.005
    assert needs_two(found, some, n - some)


MAPS, NUMBERS = specimen(KINDS, (0.03, 0.8))


@pytest.mark.parametrize(
    ("maps", "particles", "options", "error", "match"),
    [
        (MAPS.values, NUMBERS, {}, TypeError, r"ct\.volume"),
        (MAPS * 1.0, NUMBERS, {}, TypeError, "whole counts are needed"),
        (MAPS.astype(int) - 9, NUMBERS, {}, ValueError, "a count is -"),
        (MAPS.drop_vars("channel"), NUMBERS, {}, ValueError, "named along channel"),
        (MAPS.isel(channel=0), NUMBERS, {}, ValueError, "named along channel"),
        (MAPS, NUMBERS[:, :-1], {}, ValueError, "sizes .* differ"),
        (MAPS, NUMBERS > 0, {}, ValueError, r"pixels_by_elements\(maps, mask\)"),
        (MAPS, NUMBERS * 0, {}, ValueError, "numbers from 1 are needed"),
        (MAPS, -NUMBERS, {}, ValueError, "numbers from 1 are needed"),
        (MAPS, NUMBERS, {"of": "Mn"}, ValueError, "two different ones of the channels Ni, Co"),
        (MAPS, NUMBERS, {"of": "Co"}, ValueError, "two different ones"),
        (MAPS, NUMBERS.where(NUMBERS < 4, 0), {}, ValueError, "3 of 3 particles have counts, and 4"),
        (MAPS * 0, NUMBERS, {}, ValueError, "0 of 10 particles have counts"),
        (MAPS, NUMBERS, {"shares": (0.8, 0.1)}, ValueError, "the lower one first"),
        (MAPS, NUMBERS, {"shares": (0.1, 1.5)}, ValueError, "two from 0 to 1"),
        (MAPS, NUMBERS, {"shares": 0.5}, TypeError, "two numbers are needed"),
        (MAPS, NUMBERS, {"shares": ("a", "b")}, TypeError, "two numbers are needed"),
        (MAPS, NUMBERS, {"names": ("LCO",)}, ValueError, "two different names"),
        (MAPS, NUMBERS, {"names": "LCO"}, ValueError, "two different names"),
        (MAPS, NUMBERS, {"names": ("pore", "NCA")}, ValueError, "something else is called"),
        (MAPS, NUMBERS, {"sure": 0.4}, ValueError, "sure 0.4"),
        (MAPS, NUMBERS, {"of": "Co", "to": "Ni"}, ValueError, "by 'Co' and 'Ni' without names"),
        (
            MAPS.assign_coords(channel=["55Mn", "59Co"]),
            NUMBERS,
            {"of": "55Mn", "to": "59Co"},
            ValueError,
            "names=",
        ),
        (MAPS, NUMBERS, {"level": None}, ValueError, "level None"),
        (MAPS, NUMBERS, {"phases": NUMBERS}, ValueError, "not a known phase code"),
        (MAPS.assign_coords(channel=["share", "Co"]), NUMBERS, {"of": "share"}, ValueError, "of that name"),
    ],
)
def test_what_cannot_be_told_apart_is_refused(maps, particles, options, error, match):
    with pytest.raises(error, match=match):
        ct.segment.by_elements(maps, particles, **options)


def test_channels_of_any_spelling_keep_the_default_names():
    for first, second in (("58Ni", "59Co"), ("Ni K", "Co K"), ("nickel", "cobalt"), ("Ni", "Co")):
        maps = MAPS.assign_coords(channel=[first, second])
        found = ct.segment.by_elements(maps, NUMBERS, of=first, to=second)
        assert list(found.labels.attrs["classes"])[2:] == ["LCO", "NCA"]


def test_shares_that_the_particles_contradict_are_warned_of():
    with pytest.warns(UserWarning, match=r"shares \(0\.9, 0\.95\).*no particle is like"):
        ct.segment.by_elements(MAPS, NUMBERS, shares=(0.9, 0.95))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for shares in ((0.03, 0.8), (0.0, 1.0), (0.1, 0.7)):
            ct.segment.by_elements(MAPS, NUMBERS, shares=shares)
        ct.segment.by_elements(MAPS, NUMBERS.where(NUMBERS == 1, 0), shares=(0.03, 0.8))
