"""Means over blocks: brute force, whatever the chunks cut, and where a block is not full."""

from itertools import product

import dask.array as da
import numpy as np
import pytest

import corrtomo as ct
from corrtomo.register.averaging import block_means, near_voxel
from corrtomo.volume import origin


def brute_force(data, counts, whole):
    size = [n // k if whole else -(-n // k) for n, k in zip(data.shape, counts, strict=True)]
    out = np.zeros(size)
    for block in product(*map(range, size)):
        out[block] = data[tuple(slice(b * k, b * k + k) for b, k in zip(block, counts, strict=True))].mean()
    return out


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("counts", [(3, 2, 4), (1, 9, 5), (4, 1, 1)])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
def test_chunks_that_cut_blocks_give_the_means_of_whole_ones(counts, whole, dtype):
    data = np.random.default_rng(0).integers(0, 200, (7, 9, 11)).astype(dtype)
    wanted = brute_force(data, counts, whole)
    for chunks in ((1, 5, 7), (4, 2, 11), ((1, 5, 1), (8, 1), (2, 2, 7))):
        image = ct.volume(da.from_array(data, chunks=chunks), 0.1)
        np.testing.assert_allclose(block_means(image, counts, whole=whole), wanted, rtol=1e-6)
    np.testing.assert_allclose(block_means(ct.volume(data, 0.1), counts, whole=whole), wanted, rtol=1e-6)


def test_a_block_lies_at_its_middle():
    image = ct.volume(np.zeros((6, 8)), (0.1, 0.2), origin=(1.0, 2.0))
    means = block_means(image, (3, 4))
    assert ct.voxel_size(means) == pytest.approx((0.3, 0.8))
    assert origin(means) == pytest.approx((1.1, 2.3))
    assert means.dtype == np.float32


def test_an_image_in_memory_is_summed_piece_by_piece(monkeypatch):
    data = np.random.default_rng(0).normal(size=(11, 6, 7))
    monkeypatch.setattr("corrtomo.register.averaging._PIECE", 4 * 6 * 7)  # four rows: blocks of 3 are cut
    np.testing.assert_allclose(
        block_means(ct.volume(data, 0.1), (3, 2, 2)), brute_force(data, (3, 2, 2), True), atol=1e-6
    )


def test_blocks_near_a_voxel():
    image = ct.volume(np.zeros((5, 40)), (0.5, 0.1))
    assert near_voxel(image, 1.04) == [2, 10]
    assert near_voxel(image, 0.01) == [1, 1]
    assert near_voxel(image, 99.0) == [5, 40]


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", ">u2", "i4", "u8", "i8", "f2", ">f4", "?"])
def test_block_means_of_any_number(dtype):
    image = ct.volume(np.arange(24).reshape(4, 6).astype(dtype), 1.0)
    expected = image.data.astype(float).reshape(2, 2, 3, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(block_means(image, (2, 2)), expected)
