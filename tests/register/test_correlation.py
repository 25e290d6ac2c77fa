"""Correlation at every shift: against the direct sum."""

from itertools import product

import numpy as np
import pytest

from corrtomo.register.correlation import Correlator


def direct(first, other, shift):
    """Correlate what both know where `other` lies `shift` voxels farther along in `first`."""
    pairs = []
    for at in np.ndindex(other.shape):
        there = tuple(np.add(at, shift))
        if all(0 <= t < n for t, n in zip(there, first.shape, strict=True)):
            pairs.append((first[there], other[at]))
    pairs = np.array([p for p in pairs if np.isfinite(p).all()]).reshape(-1, 2)
    return (np.corrcoef(pairs.T)[0, 1] if len(pairs) > 2 else 0.0), len(pairs)


@pytest.mark.parametrize(("shape", "size"), [((9, 8), (5, 6)), ((7, 6, 5), (4, 4, 3)), ((4, 5), (6, 7))])
@pytest.mark.parametrize("start", [0, 2, -3])
def test_each_shift_equals_the_direct_normalised_correlation(shape, size, start):
    rng = np.random.default_rng(0)
    first, other = (rng.normal(3.0, 2.0, n).astype(np.float32) for n in (shape, size))
    first[rng.random(shape) < 0.2] = np.nan
    other[rng.random(size) < 0.2] = np.nan
    reach, offset = (3,) * len(shape), (start,) * len(shape)
    value, count = Correlator(first, size, reach, offset)(other)
    for place in product(range(7), repeat=len(shape)):
        wanted, pairs = direct(first, other, np.array(place) - 3 + start)
        assert count[place] == max(pairs, 1)
        if pairs > 5:
            assert value[place] == pytest.approx(wanted, abs=1e-4)


def test_a_copy_is_found_where_it_was_cut():
    first = np.random.default_rng(1).normal(size=(12, 14)).astype(np.float32)
    value, count = Correlator(first, (5, 6), (4, 4), (3, 4))(-2 * first[4:9, 2:8] + 7)
    assert np.unravel_index(value.argmin(), value.shape) == (4 + 1, 4 - 2)
    assert value.min() == pytest.approx(-1.0, abs=1e-5)
    assert count[5, 2] == 30
