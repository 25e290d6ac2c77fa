"""Purity and completeness: by hand, against scipy, whatever the numbers of particles."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats
from sklearn.metrics import precision_score, recall_score

import corrtomo as ct

repeatable = settings(deadline=None, derandomize=True, max_examples=30)
CLASSES = {"LCO": 2, "NCA": 3}


def blocks(classes, size=10):
    """Return particles of equal size in a row, and their classes."""
    numbers = np.repeat(np.arange(1, len(classes) + 1), size)[None]
    return np.repeat(np.array(classes, np.uint8), size)[None], numbers


def judge(found, truth, numbers, **options):
    return ct.measure.purity(
        ct.volume(found, 0.1),
        ct.volume(truth, 0.1),
        ct.volume(numbers, 0.1),
        **{"classes": CLASSES} | options,
    )


def test_by_hand():
    truth, numbers = blocks([2, 2, 2, 3, 3])
    found = truth.copy()
    found[0, :10] = 3  # one of three LCO taken for NCA
    found[0, 40:46] = 255  # most of an NCA left undecided
    table = judge(found, truth, numbers)
    assert table.loc[("LCO", "area"), ["found", "true", "right"]].tolist() == [20, 30, 20]
    assert table.loc[("NCA", "area"), ["found", "true", "right"]].tolist() == [24, 20, 14]
    assert table.loc[("NCA", "area"), "purity"] == pytest.approx(14 / 24)
    assert table.loc[("NCA", "area"), "completeness"] == pytest.approx(14 / 20)
    assert table.loc[("LCO", "particle"), ["found", "true", "right"]].tolist() == [2, 3, 2]
    assert table.loc[("NCA", "particle"), ["found", "true", "right"]].tolist() == [2, 2, 1]


def test_the_interval_by_particle_is_clopper_and_pearsons():
    truth, numbers = blocks([2] * 12 + [3] * 5)
    found = truth.copy()
    found[0, :30] = 3
    row = judge(found, truth, numbers, level=0.9).loc[("LCO", "particle")]
    exact = stats.binomtest(9, 12).proportion_ci(0.9, "exact")
    assert (row.completeness_low, row.completeness_high) == pytest.approx((exact.low, exact.high))
    assert (row.purity, row.purity_high) == (1, 1)
    assert row.purity_low == pytest.approx(stats.binomtest(9, 9).proportion_ci(0.9, "exact").low)


def test_the_interval_by_area_covers_as_often_as_stated():
    hits = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        truth, numbers = blocks([2] * 60 + [3] * 60)
        found = truth.copy()
        for wrong in np.flatnonzero(rng.random(120) < 0.2):
            found[numbers == wrong + 1] = 5 - found[numbers == wrong + 1]
        row = judge(found, truth, numbers, resamples=400, seed=seed).loc[("LCO", "area")]
        hits += row.completeness_low <= 0.8 <= row.completeness_high
    assert 50 <= hits <= 60


def test_what_is_outside_or_unknown_counts_neither_way():
    truth, numbers = blocks([2, 2, 3, 3])
    found = truth.copy()
    first = judge(found, truth, numbers)
    found[0, 5], truth[0, 5] = 3, 255
    numbers[0, 12], found[0, 12] = 0, 3
    table = judge(found, truth, numbers)
    assert (table.purity == 1).all()
    assert table.loc[("LCO", "area"), "true"] == first.loc[("LCO", "area"), "true"] - 2


def test_a_class_that_is_never_found_has_no_purity():
    truth, numbers = blocks([2, 2, 3])
    table = judge(np.full_like(truth, 2), truth, numbers)
    row = table.loc[("NCA", "area")]
    assert np.isnan(row.purity)
    assert (row.found, row.completeness) == (0, 0)
    assert table.loc[("NCA", "particle"), ["purity_low", "purity_high"]].tolist() == [0, 1]


def test_names_come_from_the_truth():
    truth, numbers = blocks([2, 3, 2])
    labels = ct.volume(truth, 0.1).assign_attrs(classes={"pore": 0, "LCO": 2, "NCA": 3})
    table = ct.measure.purity(labels, labels, ct.volume(numbers, 0.1))
    assert table.index.tolist() == [
        ("LCO", "area"), ("LCO", "particle"), ("NCA", "area"), ("NCA", "particle")
    ]  # fmt: skip


@repeatable
@given(hnp.arrays(np.uint8, (2, 30), elements=st.sampled_from([2, 3])), st.integers(0, 2**31))
def test_by_area_it_is_precision_and_recall(pair, seed):
    found, truth = pair
    if len(np.unique(truth)) < 2:
        return
    numbers = np.random.default_rng(seed).integers(1, 6, 30) * 1000
    table = judge(found[None], truth[None], numbers[None], resamples=100)
    for name, code in CLASSES.items():
        row = table.loc[(name, "area")]
        assert row.completeness == pytest.approx(recall_score(truth, found, pos_label=code))
        assert row.completeness_low <= row.completeness_high
        if (found == code).any():
            assert row.purity == pytest.approx(precision_score(truth, found, pos_label=code))
    again = judge(found[None], truth[None], numbers[None] // 1000, resamples=100)
    assert again.equals(table)


TRUTH, NUMBERS = (ct.volume(a, 0.1) for a in blocks([2, 3]))


@pytest.mark.parametrize(
    ("found", "truth", "particles", "options", "error", "match"),
    [
        (TRUTH.values, TRUTH, NUMBERS, {}, TypeError, r"ct\.volume"),
        (TRUTH * 1.0, TRUTH, NUMBERS, {}, TypeError, "dtype is float64"),
        (TRUTH[:, :-1], TRUTH, NUMBERS, {}, ValueError, "sizes .* differ"),
        (TRUTH, TRUTH, NUMBERS > 0, {}, ValueError, "numbers from 1 are needed"),
        (TRUTH, TRUTH, -NUMBERS, {}, ValueError, "numbers from 1 are needed"),
        (TRUTH, TRUTH, NUMBERS * 0, {}, ValueError, "there is no particle"),
        (TRUTH, TRUTH, NUMBERS, {"classes": None}, ValueError, r"the codes \[2, 3\]"),
        (TRUTH, TRUTH, NUMBERS, {"classes": {"pore": 0}}, ValueError, "one or more of them must have a name"),
        (TRUTH, TRUTH, NUMBERS, {"classes": ["LCO"]}, TypeError, "names and what belongs to each"),
        (TRUTH, TRUTH, NUMBERS, {"classes": {"LCO": 255}}, ValueError, "0 to 254"),
        (TRUTH, TRUTH, NUMBERS, {"classes": {"LCO": 2, "also": 2}}, ValueError, "each once"),
        (TRUTH, TRUTH, NUMBERS, {"level": 2}, ValueError, "between 0 and 1"),
        (TRUTH, TRUTH, NUMBERS, {"resamples": 5}, ValueError, "from 100"),
        (TRUTH, TRUTH, NUMBERS, {"seed": -1}, ValueError, "from 0"),
        (TRUTH, TRUTH, NUMBERS, {"resamples": 10**7}, ValueError, "from 100 to 100000"),
        (
            TRUTH.assign_attrs(classes={"LCO": 3, "NCA": 2}),
            TRUTH.assign_attrs(classes={"LCO": 2, "NCA": 3}),
            NUMBERS,
            {"classes": None},
            ValueError,
            "'LCO' is 3 in what was found and 2 in the truth",
        ),
    ],
)
def test_what_cannot_be_judged_is_refused(found, truth, particles, options, error, match):
    with pytest.raises(error, match=match):
        ct.measure.purity(found, truth, particles, **{"classes": CLASSES} | options)


def test_other_words_for_the_same_codes_are_no_contradiction():
    found = TRUTH.assign_attrs(classes={"pore": 0, "oxide": 2, "NCA": 3})
    table = ct.measure.purity(found, TRUTH.assign_attrs(classes=CLASSES), NUMBERS)
    assert (table.purity == 1).all()
