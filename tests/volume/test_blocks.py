"""Volumes read block by block: each voxel once, images in step, nothing held whole."""

import dask.array as da
import numpy as np
import pytest

import corrtomo as ct
from corrtomo.blocks import blocks


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch):
    # By name in its globals: corrtomo.volume is the function of that name as well as the module.
    monkeypatch.setitem(blocks.__globals__, "_BLOCK", 10)


def numbered(shape):
    return ct.volume(np.arange(np.prod(shape)).reshape(shape), 1.0)


@pytest.mark.parametrize("shape", [(37,), (5, 7), (3, 4, 5), (2, 30), (1, 1, 1)])
def test_each_voxel_once_and_images_in_step(shape):
    image = numbered(shape)
    seen = []
    for first, second in blocks(image, image * 2):
        assert first.ndim == 1
        assert np.array_equal(2 * first, second)
        assert first.size <= max(10, np.prod(shape[1:]))
        seen.append(first)
    assert np.array_equal(np.sort(np.concatenate(seen)), np.arange(image.size))


@pytest.mark.parametrize("crop", [np.s_[::2], np.s_[:, 1:], np.s_[::-1, :, ::2]])
def test_views_are_read_like_their_copies(crop):
    values = numbered((4, 5, 6)).values[crop]
    seen = np.concatenate([part for (part,) in blocks(ct.volume(values, 1.0))])
    assert np.array_equal(np.sort(seen), np.sort(values.ravel()))


@pytest.mark.parametrize("together", [1, 2, 4])
def test_chunks_are_read_once_each_and_a_few_at_a_time(together, monkeypatch):
    monkeypatch.setattr("corrtomo.blocks._TOGETHER", together * 60 * 16)  # bytes of a chunk of both images
    read = []

    def note(block):
        read.append(block.shape)
        return block

    image = numbered((4, 6, 8))
    lazy = da.from_array(image.data, chunks=(4, 3, 5)).map_blocks(note, meta=np.empty((0, 0, 0), int))
    seen = []
    for part, alike in blocks(image, image.copy(data=lazy)):
        assert np.array_equal(part, alike)
        seen.append((len(read), part))
    assert sorted(read) == sorted([(4, 3, 5), (4, 3, 3)] * 2)
    assert {count for count, _ in seen} == set(range(together, 5, together))
    assert np.array_equal(np.sort(np.concatenate([part for _, part in seen])), np.arange(image.size))
