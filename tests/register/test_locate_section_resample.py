"""What the alignment of a section does to images: closed forms."""

import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

import corrtomo as ct
from corrtomo.register import SectionAlignment


def placed(matrix, scale=1.0):
    known = {"depth_um": 1.0, "depth_error_um": 0.01, "tilt_deg": (0.0, 0.0), "tilt_error_deg": 0.1}
    return SectionAlignment(
        np.asarray(matrix, float), 0.01, 1.0, True, 9, "", "rigid", 0.0, (0.0,) * 3, scale,
        **known, correlation=0.9, chance=0.3,
    )  # fmt: skip


def shifted(*by):
    matrix = np.eye(4)
    matrix[:3, 3] = by
    return placed(matrix)


def ramp(shape=(6, 7, 8)):
    """Grey values that are z + 10 y + 100 x, in µm."""
    z, y, x = np.indices(shape)
    return ct.volume((z + 10.0 * y + 100.0 * x).astype(np.float32), 1.0)


FLAT = ct.volume(np.arange(12.0).reshape(3, 4), 1.0)


def test_a_volume_is_cut_where_the_section_lies():
    cut = shifted(2.0, 1.0, 3.0).resample(ramp(), FLAT)
    assert cut.dims == ("y", "x")
    np.testing.assert_array_equal(cut, ramp()[2, 1:4, 3:7])
    half = shifted(2.5, 1.0, 3.0).resample(ramp(), FLAT)
    np.testing.assert_allclose(half, ramp()[2, 1:4, 3:7] + 0.5)
    assert half.y.identical(FLAT.y)


def test_an_oblique_cut_of_a_ramp_is_that_ramp():
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_rotvec([5.0, 10.0, -8.0], degrees=True).as_matrix()
    matrix[:3, 3] = (2.4, 1.3, 1.6)
    y, x = np.meshgrid(FLAT.y, FLAT.x, indexing="ij")
    points = np.stack([0 * y, y, x], -1) @ matrix[:3, :3].T + matrix[:3, 3]
    np.testing.assert_allclose(placed(matrix).resample(ramp(), FLAT), points @ [1, 10, 100], rtol=1e-5)


def test_an_alignment_and_its_inverse_do_the_same():
    found = shifted(2.0, 1.0, 3.0)
    back = found.inverse()
    assert not back.from_section
    np.testing.assert_array_equal(back.points([2.0, 1.0, 3.0]), [0.0, 0.0, 0.0])
    assert back.inverse().from_section
    for images in ((ramp(), FLAT), (FLAT, ramp())):
        np.testing.assert_array_equal(back.resample(*images), found.resample(*images))


def test_what_lies_outside_is_not_known():
    cut = shifted(2.0, 5.0, 3.0).resample(ramp(), FLAT)
    assert np.isfinite(cut).any(axis=1).values.tolist() == [True, True, False]
    assert np.isnan(shifted(-3.0, 1.0, 1.0).resample(ramp(), FLAT)).all()
    assert np.isnan(shifted(-3.0, 1.0, 1.0).resample(FLAT, ramp())).all()
    filled = shifted(2.0, 5.0, 3.0).resample(ramp(), FLAT, fill=-1.0)
    assert (filled[2] == -1.0).all()


def test_a_section_is_a_sheet_one_voxel_thick():
    laid = shifted(2.3, 1.0, 3.0).resample(FLAT, ramp())
    assert laid.dims == ("z", "y", "x")
    np.testing.assert_array_equal(laid[2, 1:4, 3:7], FLAT)
    assert int(np.isfinite(laid).sum()) == FLAT.size
    assert laid.x.identical(ramp().x)


@settings(max_examples=40, deadline=None)
@given(st.floats(-25, 25), st.floats(-25, 25), st.floats(-60, 60), st.floats(0.05, 0.95))
def test_at_any_tilt_each_column_holds_one_voxel(about_y, about_x, turn, part):
    matrix = np.eye(4)
    turns = Rotation.from_rotvec([0.0, about_y, about_x], degrees=True)
    turns = turns * Rotation.from_rotvec([turn, 0.0, 0.0], degrees=True)
    matrix[:3, :3] = turns.as_matrix()
    flat = ct.volume(np.ones((61, 61)), 0.5)
    grid = ct.volume(np.zeros((12, 9, 10)), (1.0, 0.8, 0.7))
    matrix[:3, 3] = [5.0 + part, 3.2, 3.15] - matrix[:3, :3] @ [0.0, 15.0, 15.0]
    laid = np.isfinite(placed(matrix).resample(flat, grid))
    assert (laid.sum("z") == 1).all()
    z, y, x = np.nonzero(laid.values)
    points = np.column_stack([z * 1.0, y * 0.8, x * 0.7])
    away = (points - matrix[:3, 3]) @ matrix[:3, 0] / matrix[0, 0]  # along z
    assert np.abs(away).max() <= 0.5 + 1e-6


def test_labels_and_masks_are_not_mixed():
    labels = ct.phases.as_labels(ct.volume(np.array([[0, 2, 1, 2]] * 3, np.uint8), 1.0))
    laid = shifted(2.3, 1.0, 3.4).resample(labels, ramp())
    assert laid.dtype == np.uint8
    assert laid[2, 1].values.tolist() == [255, 255, 255, 0, 2, 1, 2, 255]
    assert laid.attrs["phases"] == labels.attrs["phases"]
    solid = ct.phases.as_labels(ct.volume(np.full((6, 7, 8), 2, np.uint8), 1.0))
    cut = shifted(2.0, 1.0, 6.0).resample(solid, FLAT)
    assert cut[0].values.tolist() == [2, 2, 255, 255]
    mask = ct.volume(np.ones((3, 4), bool), 1.0)
    assert shifted(2.0, 1.0, 3.0).resample(mask, ramp()).values[2, 1].tolist() == [255] * 3 + [1] * 4 + [255]


def test_finer_voxels_are_averaged_in_the_plane_and_never_along_the_normal():
    fine = np.random.default_rng(0).normal(size=(9, 40, 40)).astype(np.float32)
    volume = ct.volume(fine, (0.5, 0.1, 0.1))
    onto = ct.volume(np.zeros((10, 10)), 0.4, origin=0.15)
    cut = shifted(2.0, 0.0, 0.0).resample(volume, onto)
    np.testing.assert_allclose(cut, fine[4].reshape(10, 4, 10, 4).mean((1, 3)), atol=1e-5)
    section = ct.volume(fine[0], 0.1)
    laid = shifted(2.0, 0.0, 0.0).resample(
        section, ct.volume(np.zeros((9, 10, 10)), 0.4, origin=(0.4, 0.15, 0.15))
    )
    np.testing.assert_allclose(laid[4], fine[0].reshape(10, 4, 10, 4).mean((1, 3)), atol=1e-5)


def test_channels_and_chunks():
    maps = np.random.default_rng(0).poisson(3.0, (2, 3, 4)).astype(np.uint16)
    image = ct.volume(maps, 1.0, dims=("channel", "y", "x")).assign_coords(channel=["7Li", "27Al"])
    found = shifted(2.3, 1.0, 3.0)
    laid = found.resample(image, ramp())
    assert laid.dims == ("channel", "z", "y", "x")
    np.testing.assert_array_equal(laid.sel(channel="27Al")[2, 1:4, 3:7], maps[1])
    lazy = ramp().copy(data=da.from_array(ramp().data, chunks=(2, 3, 5)))
    np.testing.assert_array_equal(found.resample(lazy, image), found.resample(ramp(), FLAT))


def test_of_a_dask_volume_only_the_plane_is_read():
    seen = []

    def read(block_info=None):
        seen.append(block_info[None]["chunk-location"])
        return np.ones((2, 100, 100), np.float32)

    data = da.map_blocks(read, chunks=((2,) * 50, (100,), (100,)), dtype=np.float32)
    section = ct.volume(np.zeros((20, 20)), 0.2)
    cut = shifted(5.0, 1.0, 1.0).resample(ct.volume(data, 0.1), section)
    assert (cut == 1.0).all()
    assert {place[0] for place in seen if place} <= set(range(21, 30))


def test_what_does_not_fit_is_refused():
    found = shifted(2.0, 1.0, 3.0)
    for images in ((ramp(), ramp()), (FLAT, FLAT), (FLAT.rename(y="z"), ramp())):
        with pytest.raises(ValueError, match=r"one must have dims y, x and the other z, y, x"):
            found.resample(*images)
    with pytest.raises(TypeError, match=r"ct\.volume"):
        found.resample(np.zeros((3, 4)), ramp())
    with pytest.raises(TypeError, match="a number is needed"):
        found.resample(FLAT, ramp(), fill="nan")
    with pytest.raises(ValueError, match="from 0 to 255"):
        found.resample(ct.phases.as_labels(FLAT.astype(np.uint8) % 3), ramp(), fill=-1)
