"""Means of repeats: by hand, and by how often the interval holds the truth."""

import numpy as np
import pandas as pd
import pytest

import corrtomo as ct

INDEX = pd.MultiIndex.from_product([[1, 2], [0, 1, 2]], names=["strokes", "operator"])


def test_by_hand():
    found = ct.measure.mean_interval(pd.Series([1.0, 2.0, 3.0, 4.0, 4.0, 4.0], INDEX), by="strokes")
    assert found.loc[1, "mean"] == 2.0
    # t of 2 degrees of freedom at 97.5 % is 4.3027; the standard error 1 / √3.
    assert found.loc[1, "high"] - 2.0 == pytest.approx(4.30265 / np.sqrt(3), rel=1e-5)
    assert found.loc[2, ["low", "mean", "high"]].tolist() == [4.0, 4.0, 4.0]


def test_one_repeat_has_no_interval():
    found = ct.measure.mean_interval(pd.Series([3.0]))
    assert found.loc["all", "mean"] == 3.0
    assert np.isnan(found.loc["all", "low"])


def test_intervals_hold_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(1000):
        row = ct.measure.mean_interval(pd.Series(rng.normal(7.0, 2.0, 5)), level=0.9).iloc[0]
        held += row["low"] <= 7.0 <= row["high"]
    assert 0.87 < held / 1000 < 0.93


@pytest.mark.parametrize(
    ("values", "options", "error", "match"),
    [
        ([1, 2], {}, TypeError, "Series"),
        (pd.Series(["a"]), {}, TypeError, "Series"),
        (pd.Series([], dtype=float), {}, ValueError, "one or more"),
        (pd.Series([1.0, np.nan]), {}, ValueError, "missing"),
        (pd.Series([1.0, 2.0]), {"by": "strokes"}, ValueError, "Cannot group"),
        (pd.Series([1.0, 2.0]), {"level": 95}, ValueError, "level"),
    ],
)
def test_what_cannot_be_averaged(values, options, error, match):
    with pytest.raises(error, match=match):
        ct.measure.mean_interval(values, **options)
