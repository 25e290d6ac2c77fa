"""Checks of projections and angles, and reading them a few at a time."""

import dask.array as da
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import corrtomo as ct
from corrtomo.reconstruct.projections import check_angles, check_projections, check_source, frames

DIMS = ("angle", "z", "x")
DOING = "test"


def image(shape=(4, 3, 5), pixel=(0.1, 0.05), dtype=np.float32):
    values = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    return ct.volume(values, pixel, dims=DIMS)


def test_edges_of_a_pixel_are_returned():
    assert check_projections(image(), doing=DOING) == (0.1, 0.05)


@pytest.mark.parametrize("wrong", [None, "text", np.zeros((4, 3, 5)), [1, 2]])
def test_what_has_no_coordinates_is_refused(wrong):
    with pytest.raises(TypeError, match=f"Cannot test: projections are of type {type(wrong).__name__}"):
        check_projections(wrong, doing=DOING)


def test_other_dims_types_and_sizes_are_refused():
    with pytest.raises(ValueError, match="have dims .'z', 'y', 'x'.*angle, z, x are needed"):
        check_projections(ct.volume(np.zeros((4, 3, 5)), 0.1), doing=DOING)
    with pytest.raises(ValueError, match="have dims .'z', 'angle', 'x'"):
        check_projections(image().transpose("z", "angle", "x"), doing=DOING)
    with pytest.raises(ValueError, match="have dims .'z', 'x'"):
        check_projections(image()[0], doing=DOING)
    with pytest.raises(ValueError, match="shape .4, 0, 5. hold no pixel"):
        check_projections(image()[:, :0], doing=DOING)
    with pytest.raises(TypeError, match="dtype bool, but real numbers"):
        check_projections(image() > 3, doing=DOING)
    with pytest.raises(TypeError, match="dtype complex64"):
        check_projections(image().astype(np.complex64), doing=DOING)
    with pytest.raises(ValueError, match="without z coordinates"):
        check_projections(xr.DataArray(np.zeros((2, 3, 4)), dims=DIMS), doing=DOING)


@pytest.mark.parametrize("kind", [list, tuple, np.array, pd.Series, xr.DataArray, da.from_array])
def test_angles_of_any_kind_of_sequence_are_taken(kind):
    given_angles = np.array([0.0, 0.5, 7]) if kind is da.from_array else [0, 0.5, 7]
    assert check_angles(kind(given_angles), 3, doing=DOING).tolist() == [0.0, 0.5, 7.0]


@pytest.mark.parametrize(
    ("angles", "error", "message"),
    [
        (None, TypeError, "angles_deg of type NoneType"),
        ("0 1 2", TypeError, "angles_deg of type str"),
        (["0", "1", "2"], TypeError, "one number in degrees for each of 3"),
        (1.0, TypeError, "angles_deg of type float"),
        ({"a": 1}, TypeError, "angles_deg of type dict"),
        ([[0, 1], [2]], TypeError, "angles_deg of type list"),
        ([True, False, True], TypeError, "angles_deg of type list"),
        ([0, 1j, 2], TypeError, "angles_deg of type list"),
        ([], ValueError, "0 angles for 3 projections"),
        ([0, 1], ValueError, "2 angles for 3 projections"),
        ([[0, 1, 2]], ValueError, r"angles of shape \(1, 3\)"),
        ([0, np.nan, 1], ValueError, "angle 1 is nan, and 1 of 3"),
        ([0, 1, np.inf], ValueError, "angle 2 is inf"),
        ([0, 1, 1e300], ValueError, "beyond 36000"),
        ([4, 4, 4], ValueError, "all 3 angles are 4 degrees"),
    ],
)
def test_what_are_no_angles_is_refused(angles, error, message):
    with pytest.raises(error, match=message):
        check_angles(angles, 3, doing=DOING)


def test_one_projection_is_refused():
    with pytest.raises(ValueError, match="1 projection shows no depth"):
        check_angles([0.0], 1, doing=DOING)


@settings(deadline=None, derandomize=True)
@given(st.lists(st.floats(width=32), max_size=6), st.integers(0, 6))
def test_angles_are_returned_as_they_are_or_refused(angles, count):
    fine = len(angles) == count > 1 and (np.abs(angles) <= 36_000).all() and np.ptp(angles) > 0
    if fine:
        np.testing.assert_array_equal(check_angles(angles, count, doing=DOING), angles)
    else:
        with pytest.raises(ValueError, match="Cannot test"):
            check_angles(angles, count, doing=DOING)


def test_a_source_stands_outside_the_view():
    assert check_source(None, image(), doing=DOING) is None
    assert check_source(0.2, image(), doing=DOING) == 0.2
    with pytest.raises(ValueError, match="source_um=0.125: projections are 0.25 µm wide"):
        check_source(0.125, image(), doing=DOING)
    with pytest.raises(TypeError, match="source_um 'far'"):
        check_source("far", image(), doing=DOING)


@pytest.mark.parametrize("chunks", [(1, -1, -1), (3, 2, 2), (-1, -1, -1)])
def test_lazy_projections_come_by_once_and_equal(chunks):
    seen = []
    whole = image((7, 3, 5))
    lazy = whole.copy(data=da.from_array(whole.values, chunks=chunks).map_blocks(noted, seen, dtype="f4"))
    parts = list(frames(lazy, doing=DOING, progress=False))
    assert [start for start, _ in parts] == [0, *np.cumsum(lazy.chunks[0])[:-1]]
    np.testing.assert_array_equal(np.concatenate([some for _, some in parts]), whole)
    assert sum(seen) == whole.size


def noted(chunk, seen, block_info=None):
    if block_info:
        seen.append(chunk.size)
    return chunk


def test_a_projection_with_nan_is_named():
    spoilt = image()
    spoilt[2, 0, 1] = np.nan
    with pytest.raises(ValueError, match=r"projection 2 holds NaN.*drop_isel\(angle=2\)"):
        list(frames(spoilt, doing=DOING, progress=False))
