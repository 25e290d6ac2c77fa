"""What still hangs on an end of the volume: by hand, against a search, refusals."""

from collections import deque
from itertools import product

import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import corrtomo as ct

PORE, CBD, AM, COLLECTOR = ct.Phase.PORE, ct.Phase.CBD, ct.Phase.AM, ct.Phase.COLLECTOR


def part(codes, through, **options):
    return ct.measure.connected_part(ct.volume(codes, 0.1), through, **options).values


def flooded(codes, starts, allowed):
    """Walk from voxel to voxel through faces."""
    found, waiting = set(starts), deque(starts)
    while waiting:
        at = waiting.popleft()
        for axis, step in product(range(codes.ndim), (-1, 1)):
            to = tuple(p + step * (n == axis) for n, p in enumerate(at))
            inside = all(0 <= p < n for p, n in zip(to, codes.shape, strict=True))
            if inside and to not in found and allowed(at, to):
                found.add(to)
                waiting.append(to)
    return found


def by_search(codes, ways, of, axis, end):
    plane = 0 if end == "first" else codes.shape[axis] - 1
    starts = [at for at in np.ndindex(codes.shape) if at[axis] == plane and codes[at] in {*ways, of}]

    def allowed(at, to):
        if codes[at] in ways:
            return codes[to] in ways or codes[to] == of
        return codes[to] == of  # a body is one, but leads to nothing else

    found = np.zeros(codes.shape, bool)
    for at in flooded(codes, starts, allowed):
        found[at] = codes[at] == of
    return found


@settings(deadline=None, derandomize=True, max_examples=80)
@given(
    shape=st.one_of(st.tuples(*[st.integers(1, 6)] * 3), st.tuples(*[st.integers(1, 9)] * 2)),
    seed=st.integers(0, 999),
    ways=st.sampled_from([[1], [1, 2], [0, 1], [3], [1, 3]]),
    last=st.booleans(),
    along_x=st.booleans(),
)
def test_it_equals_a_search(shape, seed, ways, last, along_x):
    codes = np.random.default_rng(seed).choice(4, size=shape, p=[0.2, 0.4, 0.35, 0.05])
    codes.flat[0] = AM
    end, axis = ("last" if last else "first"), ("x" if along_x else "y")
    at = len(shape) - (1 if along_x else 2)
    np.testing.assert_array_equal(part(codes, ways, axis=axis, end=end), by_search(codes, ways, AM, at, end))


def test_a_particle_in_binder_and_one_that_binder_has_let_go():
    codes = np.ones((11, 21), int)
    codes[3:8, 3:8] = codes[3:8, 13:18] = AM
    assert ct.measure.connected_share(ct.volume(codes, 0.1), [CBD]) == 1.0
    codes[2, 12:19] = codes[8, 12:19] = codes[2:9, 12] = codes[2:9, 18] = PORE
    assert ct.measure.connected_share(ct.volume(codes, 0.1), [CBD]) == 0.5
    assert part(codes, [CBD])[5, 5]
    assert not part(codes, [CBD])[5, 15]
    codes[5, 12] = CBD  # one bridge is enough
    assert ct.measure.connected_share(ct.volume(codes, 0.1), [CBD]) == 1.0


def test_particles_lead_on_only_where_they_are_said_to():
    codes = np.array([[2, 0], [1, 0], [2, 0], [1, 0]])
    assert part(codes, [CBD]).ravel().tolist() == [False, False, False, False, True, False, False, False]
    assert part(codes, [CBD, AM]).ravel().tolist() == [True, False, False, False, True, False, False, False]


def test_what_is_at_the_end_is_connected_and_corners_do_not_touch():
    codes = np.array([[2, 0, 2], [0, 1, 0], [2, 1, 0]])
    assert part(codes, [CBD]).astype(int).tolist() == [[0, 0, 0], [0, 0, 0], [1, 0, 0]]
    assert part(codes, [CBD], end="first").astype(int).tolist() == [[1, 0, 1], [0, 0, 0], [0, 0, 0]]


def test_the_way_may_begin_in_the_collector():
    codes = np.array([[0, 2], [1, 1], [3, 3], [0, 0]])
    assert part(codes, [CBD]).sum() == 0
    assert part(codes[:3], [CBD, COLLECTOR]).sum() == 1
    assert part(codes[:3], [CBD]).sum() == 0


def test_grid_dtype_and_dask():
    codes = np.random.default_rng(0).choice(3, size=(7, 8, 9))
    labels = ct.volume(codes, (0.05, 0.025, 0.025))
    found = ct.measure.connected_part(labels, (CBD,))
    assert found.dtype == bool
    assert found.coords.equals(labels.coords)
    lazy = ct.volume(da.from_array(codes, chunks=4), (0.05, 0.025, 0.025))
    np.testing.assert_array_equal(ct.measure.connected_part(lazy, (CBD,)), found)
    assert ct.measure.connected_share(lazy, (CBD,)) == found.values.sum() / (codes == 2).sum()


@pytest.mark.parametrize("measure", ["connected_part", "connected_share"])
def test_refusals(measure):
    labels = ct.volume([[1, 2], [1, 2]], 1.0)

    def call(*given, **options):
        return getattr(ct.measure, measure)(*given, **options)

    for bad in (CBD, "binder", None):
        with pytest.raises(TypeError, match=r"a collection of phases is needed\. Pass for instance"):
            call(labels, bad)
    with pytest.raises(ValueError, match="through no phase: one or more"):
        call(labels, [])
    with pytest.raises(ValueError, match="Cannot find phase 7"):
        call(labels, [7])
    with pytest.raises(ValueError, match=r"of pore \(0\): no voxel is of it\. Phases that occur: carbon"):
        call(labels, [CBD], of=PORE)
    with pytest.raises(ValueError, match="along axis 'z': the labels have y, x"):
        call(labels, [CBD], axis="z")
    with pytest.raises(ValueError, match="with end 'top': allowed are 'first', 'last', where y is"):
        call(labels, [CBD], end="top")
    with pytest.raises(TypeError, match="of a mask of booleans"):
        call(labels == 1, [CBD])
    with pytest.raises(TypeError, match="Cannot use a ndarray"):
        call(labels.values, [CBD])
    with pytest.raises(ValueError, match="Cannot use a 1D image"):
        call(labels[0], [CBD], axis="x")
