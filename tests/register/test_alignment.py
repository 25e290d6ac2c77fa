"""What an alignment does to images and points: closed forms."""

import dask.array as da
import numpy as np
import pytest

import corrtomo as ct
from corrtomo.register import Alignment


def alignment(matrix):
    n = len(matrix) - 1
    return Alignment(np.asarray(matrix, float), 0.01, 1.0, True, 9, "", "rigid", 0.0, (0.0,) * n, 1.0)


def shifted(*by):
    matrix = np.eye(len(by) + 1)
    matrix[:-1, -1] = by
    return alignment(matrix)


def test_the_identity_changes_nothing():
    image = ct.volume(np.arange(60, dtype=np.uint8).reshape(3, 4, 5), 0.1, origin=0.7)
    np.testing.assert_array_equal(shifted(0, 0, 0).resample(image, image), image)


def test_a_shift_by_whole_and_half_voxels():
    image = ct.volume(np.array([[0.0, 10.0, 20.0, 30.0]] * 2), 1.0)
    whole = shifted(0.0, 1.0).resample(image, image)
    np.testing.assert_array_equal(whole[0], [np.nan, 0.0, 10.0, 20.0])
    half = shifted(0.0, -0.5).resample(image, image, fill=-1.0)
    np.testing.assert_array_equal(half[0], [5.0, 15.0, 25.0, 30.0])  # known up to the face of the last voxel


def test_labels_and_masks_are_not_mixed_and_outside_is_left_out():
    labels = ct.phases.as_labels(ct.volume(np.array([[0, 2, 1, 2]] * 2), 1.0))
    out = shifted(0.0, 0.6).resample(labels, labels)
    assert out.dtype == np.uint8
    assert out[0].values.tolist() == [255, 0, 2, 1]
    assert out.attrs["phases"] == labels.attrs["phases"]
    mask = ct.volume(np.array([[True, False, True, True]] * 2), 1.0)
    assert shifted(0.0, 1.0).resample(mask, mask)[0].values.tolist() == [255, 1, 0, 1]


def test_a_quarter_turn_in_the_plane():
    image = ct.volume(np.arange(9.0).reshape(3, 3), 1.0, origin=-1.0)
    turn = alignment([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    wanted = [[float(image.sel(y=x, x=-y)) for x in (-1, 0, 1)] for y in (-1, 0, 1)]
    np.testing.assert_allclose(turn.resample(image, image), wanted, atol=1e-5)
    np.testing.assert_allclose(turn.points([1.0, 0.0]), [0.0, 1.0])
    np.testing.assert_allclose(turn.inverse().points(turn.points([[3.0, 4.0]])), [[3.0, 4.0]])


def test_a_finer_image_is_averaged_not_picked():
    fine = np.random.default_rng(0).normal(size=(40, 40, 40)).astype(np.float32)
    onto = ct.volume(np.zeros((10, 10, 10)), 0.4, origin=0.15)
    out = shifted(0, 0, 0).resample(ct.volume(fine, 0.1), onto)
    np.testing.assert_allclose(out, fine.reshape(10, 4, 10, 4, 10, 4).mean((1, 3, 5)), atol=1e-5)


def test_what_does_not_fill_a_block_is_known_up_to_its_face():
    """25 voxels are 1.9 blocks of 13: the second is the mean of 12, at the middle of those."""
    edge, coarse = 0.0336, 0.438
    image = ct.volume(np.random.default_rng(0).normal(size=(25, 25, 25)).astype(np.float32), edge)
    out = shifted(0, 0, 0).resample(image, ct.volume(np.zeros((2, 2, 2)), coarse, origin=6 * edge))
    assert np.isfinite(out).all()
    assert out[0, 0, 0].item() == pytest.approx(image[:13, :13, :13].mean().item(), abs=1e-4)
    last = ct.volume(np.zeros((1, 1, 1)), coarse, origin=18.5 * edge)
    assert shifted(0, 0, 0).resample(image, last).item() == pytest.approx(
        image[13:, 13:, 13:].mean().item(), abs=1e-4
    )
    for far, known in ((24.49, True), (24.51, False)):
        there = ct.volume(np.zeros((1, 1, 1)), coarse, origin=(far * edge, 0.3, 0.3))
        assert np.isfinite(shifted(0, 0, 0).resample(image, there).item()) == known


@pytest.mark.parametrize("size", [27, 30, 38])
def test_a_ramp_is_kept_whatever_does_not_fill_a_block(size):
    ramp = np.arange(size) * np.ones((3, 1))
    image = ct.volume(ramp, (1.0, 0.1))  # blocks of 13 along x; their last middle lies at rest
    rest = (size - size % 13 + size - 1) / 2 if size % 13 else size - 7
    for place in np.linspace(6, rest, 9):
        onto = ct.volume(np.zeros((1, 1)), 1.3, origin=(1.0, place / 10))
        assert shifted(0, 0).resample(image, onto).item() == pytest.approx(place, abs=1e-4)


def test_the_inverse_swaps_the_frames():
    """Shift and error are the same lengths in the units of the other frame; the middle moves back."""
    linear = 1.25 * np.array([[0.0, -1.0], [1.0, 0.0]])
    matrix = np.eye(3)
    matrix[:2, :2], matrix[:2, 2] = linear, (3.0, 4.0)
    middle, target = np.array([2.0, 1.0]), np.array([1.0, 5.0])
    there = linear @ middle + (3.0, 4.0) - target
    found = Alignment(matrix, 0.5, 1.0, True, 9, "", "similarity", 90.0, tuple(there), 1.25)
    back = found.inverse()
    np.testing.assert_allclose(back.matrix @ matrix, np.eye(3), atol=1e-15)
    np.testing.assert_allclose(back.shift_um, back.points(target) - middle, atol=1e-12)
    assert (back.scale, back.error_um, back.turn_deg) == pytest.approx((0.8, 0.4, 90.0))
    again = back.inverse()
    np.testing.assert_allclose(again.shift_um, found.shift_um)
    assert again.error_um == pytest.approx(found.error_um)


def test_chunks_and_channels():
    data = np.random.default_rng(0).integers(0, 255, (2, 7, 8, 9)).astype(np.uint8)
    image = ct.volume(data, 0.2, dims=("channel", "z", "y", "x")).assign_coords(channel=["a", "b"])
    where, grid = shifted(0.13, -0.2, 0.31), image.isel(channel=0, drop=True)
    lazy = image.copy(data=da.from_array(data, chunks=(1, 3, 3, 4)))
    out = where.resample(lazy, grid)
    np.testing.assert_array_equal(out, where.resample(image, grid))
    np.testing.assert_array_equal(
        out.sel(channel="b", drop=True), where.resample(image[1].drop_vars("channel"), grid)
    )


def test_what_does_not_fit_is_refused():
    flat, deep = ct.volume(np.zeros((4, 5)), 1.0), ct.volume(np.zeros((3, 4, 5)), 1.0)
    with pytest.raises(ValueError, match="alignment in 3D"):
        shifted(0, 0, 0).resample(flat, deep)
    with pytest.raises(ValueError, match="3 numbers a point"):
        shifted(0, 0, 0).points([1.0, 2.0])
    with pytest.raises(ValueError, match="from 0 to 255"):
        shifted(0, 0, 0).resample(ct.phases.as_labels(deep.astype(int)), deep, fill=-1)
    with pytest.raises(TypeError, match="a number is needed"):
        shifted(0, 0, 0).resample(deep, deep, fill="nan")


def test_each_axis_is_averaged_by_its_own_step_of_the_grid():
    noise = np.random.default_rng(0).normal(size=(128, 16, 16))
    image = ct.volume(noise, (0.5, 0.5, 0.5))
    grid = ct.volume(np.zeros((8, 14, 14)), (8.0, 0.5, 0.5), origin=(3.75, 0.5, 0.5))
    found = shifted(0, 0, 0).resample(image, grid)
    means = noise.reshape(8, 16, 16, 16).mean(axis=1)[:, 1:15, 1:15]
    np.testing.assert_allclose(found, means, atol=1e-5)
