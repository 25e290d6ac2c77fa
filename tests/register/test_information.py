"""Mutual information: closed forms."""

import numpy as np
import pytest

from corrtomo.register.information import mutual_information


def test_independent_greys_share_nothing():
    """Also of few pairs, where a histogram shows some by chance: that is taken off."""
    for seed in range(3):
        for number, most in ((500, 0.05), (50_000, 0.002)):
            first, other = np.random.default_rng(seed).random((2, number))
            assert abs(mutual_information(first, other)) < most


def test_the_same_greys_share_their_entropy():
    """Here 1.5 bits; Miller and Madow's term for three values out of N is 1 / N."""
    grey = np.repeat([0.0, 5.0, 11.0], [400, 200, 200])
    assert mutual_information(grey, grey) == pytest.approx(1.5 * np.log(2) + 1 / 800, abs=1e-12)


def test_it_is_symmetric_and_any_one_to_one_contrast_will_do():
    rng = np.random.default_rng(0)
    first = rng.integers(0, 12, 5000).astype(float)
    other = (first + rng.integers(0, 4, 5000)) % 12
    wanted = mutual_information(first, other)
    assert mutual_information(other, first) == pytest.approx(wanted, abs=1e-12)
    shuffled = rng.permutation(12)[first.astype(int)].astype(float)
    assert mutual_information(shuffled, other) == pytest.approx(wanted, abs=1e-12)
    # One of four equal steps: log 12 - log 4; what chance adds lies well below the tolerance.
    assert wanted == pytest.approx(np.log(3), abs=0.02)
