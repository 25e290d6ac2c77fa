"""Images with physical coordinates."""

import dask.array as da
import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

import corrtomo as ct
from corrtomo.checks import check_finite, check_same_grid
from corrtomo.volume import check_image, origin

size = st.floats(1e-4, 1e4)
FOUR = da.from_array(np.arange(4))
UNKNOWN = FOUR[FOUR > 1]


def test_coordinates_are_voxel_centres_in_um():
    image = ct.volume(np.zeros((2, 3)), 0.5, origin=(10.0, -1.0))
    assert image.y.values.tolist() == [10.0, 10.5]
    assert image.x.values.tolist() == [-1.0, -0.5, 0.0]
    assert image.x.attrs["units"] == "µm"


@pytest.mark.parametrize(
    ("shape", "dims"), [((4,), ("x",)), ((4, 5), ("y", "x")), ((4, 5, 6), ("z", "y", "x"))]
)
def test_dims_default_to_the_last_of_zyx(shape, dims):
    assert ct.volume(np.zeros(shape), 1).dims == dims


def test_channels_have_no_coordinates_of_length():
    image = ct.volume(np.zeros((2, 3, 4)), (0.1, 0.2), dims=("channel", "y", "x"))
    assert ct.voxel_size(image) == (0.1, 0.2)
    assert "channel" not in image.coords


@given(st.lists(size, min_size=3, max_size=3), st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=3))
def test_voxel_size_and_origin_come_back_exactly(sizes, starts):
    image = ct.volume(np.zeros((1, 2, 3)), sizes, origin=starts)
    assert ct.voxel_size(image) == tuple(sizes)
    assert origin(image) == tuple(starts)


def test_voxel_size_follows_cropping_and_striding():
    image = ct.volume(np.zeros((8, 8, 8)), 0.438)
    assert ct.voxel_size(image[:1, 2:5, ::2]) == pytest.approx((0.438, 0.438, 0.876))


def test_values_are_not_copied_and_lazy_stays_lazy():
    values = np.zeros((2, 2))
    assert np.shares_memory(ct.volume(values, 1).data, values)
    lazy = da.zeros((4, 4), chunks=2)
    assert isinstance(ct.volume(lazy, 1).data, da.Array)


@pytest.mark.parametrize(
    ("voxel_size", "match"),
    [
        (0, "Cannot use voxel size 0 µm: it must be above zero"),
        (-1, "must be above zero"),
        (np.nan, "must be finite"),
        (np.inf, "must be finite"),
        ((1, 2), r"2 numbers for the 3 axes \('z', 'y', 'x'\)"),
        ((1, 1, 0), "must be above zero"),
        ([], "0 numbers for the 3 axes"),
    ],
)
def test_impossible_voxel_sizes_are_refused(voxel_size, match):
    with pytest.raises(ValueError, match=match):
        ct.volume(np.zeros((2, 2, 2)), voxel_size)


@pytest.mark.parametrize("voxel_size", ["0.5", None, True, 1j, "123"])
def test_a_voxel_size_that_is_no_number_is_refused(voxel_size):
    with pytest.raises(TypeError, match="a number in µm is needed"):
        ct.volume(np.zeros((2, 2, 2)), voxel_size)


@pytest.mark.parametrize(
    ("array", "kwargs", "error", "match"),
    [
        (np.zeros((0, 2)), {}, ValueError, "holds no voxel"),
        (np.zeros((2, 2, 2, 2)), {}, ValueError, "Name them with dims="),
        (np.float64(3), {}, ValueError, "Cannot name the axes of a 0D array"),
        (np.zeros((2, 2)), {"dims": ("x", "y")}, ValueError, "in this order"),
        (np.zeros((2, 2)), {"dims": ("a", "x")}, ValueError, "out of channel, z, y, x"),
        (np.zeros(2), {"dims": ("channel",)}, ValueError, "out of channel, z, y, x"),
        (np.zeros((2, 2)), {"origin": np.nan}, ValueError, "origin nan: it must be finite"),
        (np.array(["a"]), {}, TypeError, "grey values and labels are real numbers"),
        (np.array([{}]), {}, TypeError, "grey values and labels are real numbers"),
        (xr.DataArray([1]), {}, TypeError, "it may have its own"),
        (np.ma.masked_array([1, 2], [0, 1]), {}, TypeError, "what is masked would count"),
        (np.ones(2, complex), {}, TypeError, "real numbers or booleans"),
        (np.zeros(3), {"origin": 1e20}, ValueError, "must"),
        (UNKNOWN, {}, ValueError, "chunks are not known"),
    ],
)
def test_arrays_that_are_no_image_are_refused(array, kwargs, error, match):
    with pytest.raises(error, match=match):
        ct.volume(array, 1, **kwargs)


@pytest.mark.parametrize(
    ("image", "error", "match"),
    [
        (np.zeros(3), TypeError, r"Cannot use a ndarray.*ct\.volume"),
        (xr.DataArray(np.zeros(3), dims="x"), ValueError, "without x coordinates"),
        (xr.DataArray(np.zeros(3), dims="time"), ValueError, "allowed are channel, z, y, x"),
        (ct.volume(np.zeros((3, 3)), 1)[:0], ValueError, "holds no voxel"),
        (ct.volume(np.zeros(3), 1)[::-1], ValueError, "must ascend"),
        (ct.volume(np.zeros(4), 1)[[0, 1, 3]], ValueError, "must be even"),
        (xr.DataArray(np.zeros(1), dims="x", coords={"x": [0.0]}), ValueError, "no stated size"),
    ],
)
def test_images_without_a_scale_are_refused(image, error, match):
    with pytest.raises(error, match=match):
        ct.voxel_size(image)


def test_dims_out_of_order_are_refused():
    image = ct.volume(np.zeros((2, 3)), 1).transpose("x", "y")
    with pytest.raises(ValueError, match="in this order"):
        check_image(image)


def test_the_wrong_number_of_dims_is_refused():
    with pytest.raises(ValueError, match="2D image .* 3D is needed"):
        check_image(ct.volume(np.zeros((2, 2)), 1), ndim=(3,))


def test_grids_that_differ_are_refused():
    image = ct.volume(np.zeros((2, 2)), 1)
    check_same_grid(image, ct.volume(np.ones((2, 2)), 1.0001), doing="compare")
    with pytest.raises(ValueError, match=r"Cannot compare: sizes \(2, 2\) and \(3, 2\) differ"):
        check_same_grid(image, ct.volume(np.zeros((3, 2)), 1), doing="compare")
    with pytest.raises(ValueError, match="y coordinates differ by up to 0.5 µm"):
        check_same_grid(image, ct.volume(np.zeros((2, 2)), 1, origin=0.5), doing="compare")
    with pytest.raises(ValueError, match="dims .* differ"):
        check_same_grid(image, ct.volume(np.zeros((1, 2, 2)), 1), doing="compare")


def test_values_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match="2 of 3 grey values are NaN or infinite"):
        check_finite(ct.volume([1.0, np.nan, np.inf], 1), doing="threshold")


def test_a_lazy_image_has_the_given_name_or_none():
    lazy = da.zeros((4, 4), chunks=2)
    assert ct.volume(lazy, 1).name is None
    assert ct.volume(lazy, 1, name="grey").name == "grey"


@pytest.mark.parametrize(
    "values", [np.array([0, 1, 2], "datetime64[s]"), np.array([False, True]), np.array([1j, 2j])]
)
def test_positions_that_are_no_lengths_are_refused(values):
    with pytest.raises(ValueError, match="positions are numbers in µm"):
        ct.voxel_size(xr.DataArray(np.zeros(len(values)), dims="x", coords={"x": values}))


def test_positions_in_another_unit_are_refused():
    coord = xr.Variable("x", [0.0, 10.0], {"units": "nm"})
    with pytest.raises(ValueError, match="in 'nm': positions are numbers in µm"):
        ct.voxel_size(xr.DataArray(np.zeros(2), dims="x", coords={"x": coord}))


@pytest.mark.parametrize("stated", [-3.0, np.nan, "1"])
def test_a_stated_size_that_is_none_is_refused(stated):
    image = ct.volume(np.zeros(1), 1)
    image.x.attrs["voxel_size_um"] = stated
    with pytest.raises(ValueError, match="one voxel and no stated size"):
        ct.voxel_size(image)


def test_grids_are_compared_on_both_sides():
    image, thin = ct.volume(np.zeros(3), 1), ct.volume(np.zeros(1), 1)
    broken = image.assign_coords(x=[0.0, np.nan, 2.0])
    for pair in ((image, broken), (broken, image)):
        with pytest.raises(ValueError, match="must ascend"):
            check_same_grid(*pair, doing="compare")
    with pytest.raises(ValueError, match="voxel sizes 1 and 9 µm"):
        check_same_grid(thin, ct.volume(np.zeros(1), 9), doing="compare")
    two = ct.volume(np.zeros((2, 3)), 1, dims=("channel", "x"))
    names = two.assign_coords(channel=["a", "b"]), two.assign_coords(channel=["b", "a"])
    with pytest.raises(ValueError, match="channels .* differ"):
        check_same_grid(*names, doing="compare")
