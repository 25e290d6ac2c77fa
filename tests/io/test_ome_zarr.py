"""OME-Zarr 0.5 as others read it: valid metadata, all scales, lazy and chunk by chunk."""

import tracemalloc

import dask.array
import numpy as np
import pytest
import zarr
from ome_zarr.io import parse_url
from ome_zarr.reader import Reader
from ome_zarr_models.v05 import Image

from corrtomo.io import read, write
from corrtomo.io.coarser import coarsen_block
from corrtomo.phases import as_labels
from corrtomo.volume import origin, volume, voxel_size


@pytest.fixture
def image():
    grey = np.random.default_rng(0).integers(0, 2**16, (2, 5, 301, 600)).astype(np.uint16)
    made = volume(grey, (0.3, 0.2, 0.1), origin=(3.0, 2.0, 1.0), dims=("channel", "z", "y", "x"), name="SEM")
    return made.assign_coords(channel=["SESI", "in-lens"])


def test_the_metadata_are_valid(image, tmp_path):
    write(image, tmp_path / "a.ome.zarr")
    model = Image.from_zarr(zarr.open_group(tmp_path / "a.ome.zarr", mode="r"))
    assert model.ome_attributes.version == "0.5"
    assert [a.name for a in model.ome_attributes.multiscales[0].axes] == ["channel", "z", "y", "x"]


def test_the_reader_of_ome_zarr_finds_all_scales(image, tmp_path):
    write(image, tmp_path / "a.ome.zarr")
    (node,) = Reader(parse_url(tmp_path / "a.ome.zarr"))()
    assert [d.shape for d in node.data] == [(2, 5, 301, 600), (2, 5, 151, 300), (2, 5, 76, 150)]
    assert node.metadata["channel_names"] == ["SESI", "in-lens"]
    np.testing.assert_array_equal(node.data[0].compute(), image.values)


def test_each_scale_lies_where_it_belongs(image, tmp_path):
    write(image, tmp_path / "a.ome.zarr")
    coarse = read(tmp_path / "a.ome.zarr", level=2)
    assert voxel_size(coarse) == pytest.approx((0.3, 0.8, 0.4))
    # The centre of the first coarse voxel is the mean of 4 x 4 fine ones.
    assert origin(coarse) == pytest.approx((3.0, 2.3, 1.15))
    assert coarse.channel.values.tolist() == ["SESI", "in-lens"]
    mean = image[:, :, :300].coarsen(y=4, x=4).mean()
    np.testing.assert_allclose(coarse[:, :, :75], mean, atol=1.01)  # rounded at each scale
    with pytest.raises(ValueError, match="at level 3: it has the levels 0 to 2"):
        read(tmp_path / "a.ome.zarr", level=3)


def test_labels_stay_labels(tmp_path):
    codes = np.where(np.random.default_rng(0).random((600, 300)) < 0.5, 0, 2)
    write(as_labels(volume(codes, 1.0)), tmp_path / "a.zarr")
    assert set(np.unique(read(tmp_path / "a.zarr", level=1))) == {0, 2}
    write(volume(codes == 2, 1.0), tmp_path / "mask.zarr")
    assert read(tmp_path / "mask.zarr", level=1).dtype == bool


def test_the_majority_by_counting():
    block = np.random.default_rng(1).integers(0, 3, (7, 5, 4)).astype(np.uint8)
    coarse = coarsen_block(block, (2, 2, 2), majority=True)
    for i in np.ndindex(coarse.shape):
        part = block[tuple(slice(2 * n, 2 * n + 2) for n in i)]
        counts = np.bincount(part.ravel())
        assert counts[coarse[i]] == counts.max()


@pytest.mark.parametrize("dtype", ["uint64", "int64"])
def test_the_mean_of_the_largest_numbers_does_not_overflow(dtype):
    largest = np.iinfo(dtype).max
    mean = coarsen_block(np.full(4, largest, dtype), (2,), majority=False)
    assert mean.dtype == dtype
    assert (mean > largest * 0.999).all()


@pytest.mark.parametrize("name", ["a.ome.zarr", "folder", "a.tif", "a.ome.tif", "a.h5"])
def test_a_large_volume_is_never_held_whole(name, tmp_path):
    size = (128, 512, 512)
    lazy = volume(dask.array.ones(size, chunks=(4, 128, 512), dtype=np.uint8), 1.0)
    tracemalloc.start()
    write(lazy, tmp_path / name)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < np.prod(size) / 2


def test_opening_is_lazy(image, tmp_path):
    write(image.chunk(z=2, y=100), tmp_path / "a.zarr")
    back = read(tmp_path / "a.zarr")
    assert isinstance(back.data, dask.array.Array)
    assert back.data.chunksize == (2, 2, 100, 600)
