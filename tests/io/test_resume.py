"""An interrupted run on OME-Zarr: a rerun computes what is missing, and mixes no two images."""

import shutil

import dask
import dask.array as da
import numpy as np
import pytest

import corrtomo as ct
from corrtomo.io import atomic

SHAPE, CHUNKS = (40, 300, 64), (20, 100, 64)


class Work:
    """Doubles a volume chunk by chunk, counts the chunks, and is interrupted after some of them."""

    def __init__(self, stop_after=None, factor=2, empty=0):
        self.stop_after, self.factor, self.chunks = stop_after, factor, 0
        self.grey = np.random.default_rng(0).integers(0, 100, SHAPE, np.uint8)
        self.grey[:empty] = 0

    def image(self):
        meta = np.empty((0,) * 3, np.uint8)
        grey = da.from_array(self.grey, chunks=CHUNKS)
        plan = (
            f"times-{self.factor}-{grey.name}"  # the same for a run that is interrupted and one that is not
        )
        data = grey.map_blocks(self.double, dtype=np.uint8, meta=meta, name=plan)
        return ct.volume(data, 0.438)

    def double(self, block):
        if self.stop_after is not None and self.chunks >= self.stop_after:
            raise KeyboardInterrupt
        self.chunks += 1
        return block * np.uint8(self.factor)


def interrupted(path, **work):
    first = Work(**work)
    with pytest.raises(KeyboardInterrupt):
        ct.write(first.image(), path, resume=True)
    return first


@pytest.mark.parametrize("stop_after", [0, 1, 3, 5])
def test_a_rerun_completes_an_interrupted_run(stop_after, tmp_path):
    path = tmp_path / "labels.ome.zarr"
    interrupted(path, stop_after=stop_after)
    assert not path.exists()
    again = Work()
    ct.write(again.image(), path, resume=True)
    np.testing.assert_array_equal(ct.read(path), 2 * again.grey)
    np.testing.assert_array_equal(ct.read(path, level=1), ct.read(_whole(tmp_path), level=1))
    assert {p.name for p in tmp_path.iterdir()} == {"labels.ome.zarr", "whole.ome.zarr"}


def _whole(folder):
    ct.write(Work().image(), folder / "whole.ome.zarr")
    return folder / "whole.ome.zarr"


def test_what_was_done_is_not_computed_again_but_for_one_chunk(tmp_path):
    path = tmp_path / "labels.ome.zarr"
    with dask.config.set(scheduler="synchronous"):
        first = interrupted(path, stop_after=4)
        again = Work()
        ct.write(again.image(), path, resume=True)
    assert (first.chunks, again.chunks) == (4, 6 - 4 + 1)


def test_another_image_is_not_mixed_with_what_is_there(tmp_path):
    path = tmp_path / "labels.ome.zarr"
    interrupted(path, stop_after=3)
    with pytest.raises(ValueError, match="differs from what this image gives"):
        ct.write(Work(factor=1).image(), path, resume=True)
    ct.write(Work(factor=1).image(), path)
    np.testing.assert_array_equal(ct.read(path), Work().grey)


@pytest.mark.parametrize("interruptions", [1, 2])
def test_other_parameters_are_not_mixed_where_the_first_chunks_are_equal(interruptions, tmp_path):
    path = tmp_path / "labels.ome.zarr"
    with dask.config.set(scheduler="synchronous"):
        interrupted(path, stop_after=5, empty=20)
        for _ in range(interruptions - 1):
            interrupted(path, factor=1, stop_after=2, empty=20)
        ct.write(Work(factor=1, empty=20).image(), path, resume=True)
    np.testing.assert_array_equal(ct.read(path), Work(empty=20).grey)


def test_another_shape_is_refused(tmp_path):
    path = tmp_path / "labels.ome.zarr"
    interrupted(path, stop_after=3)
    with pytest.raises(ValueError, match=r"shape, dtype and chunks \(\(40, 300, 64\)"):
        ct.write(Work().image()[:20], path, resume=True)


def test_an_existing_file_stays_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "labels.ome.zarr"
    old = Work(factor=1)
    ct.write(old.image(), path)
    first = Work(stop_after=2)
    with pytest.raises(KeyboardInterrupt):
        ct.write(first.image(), path, overwrite=True, resume=True)
    np.testing.assert_array_equal(ct.read(path), old.grey)
    ct.write(Work().image(), path, overwrite=True, resume=True)
    np.testing.assert_array_equal(ct.read(path), 2 * old.grey)


def test_only_ome_zarr_is_resumed(tmp_path):
    with pytest.raises(ValueError, match=r"only OME-Zarr is written in parts"):
        ct.write(Work().image(), tmp_path / "labels.tif", resume=True)


def test_marks_without_their_image_are_not_believed(tmp_path, monkeypatch):
    path = tmp_path / "labels.ome.zarr"
    work = Work(empty=20)
    interrupted(path, stop_after=3, empty=20)
    (unfinished,) = tmp_path.glob(".unfinished-*")
    shutil.rmtree(unfinished / "image")
    ct.write(work.image(), path, resume=True)
    np.testing.assert_array_equal(ct.read(path), 2 * work.grey)


def test_a_death_between_move_and_cleaning_leaves_no_marks(tmp_path, monkeypatch):
    path = tmp_path / "labels.ome.zarr"
    remove = atomic._remove

    def dies(part):
        if part.name.startswith(".unfinished"):
            raise KeyboardInterrupt
        remove(part)

    monkeypatch.setattr(atomic, "_remove", dies)
    work = Work(empty=20)
    with pytest.raises(KeyboardInterrupt):
        ct.write(work.image(), path, resume=True)
    monkeypatch.setattr(atomic, "_remove", remove)
    ct.write(work.image(), path, resume=True, overwrite=True)
    np.testing.assert_array_equal(ct.read(path), 2 * work.grey)


def test_a_chunk_that_was_lost_is_never_moved_into_place(tmp_path):
    path = tmp_path / "labels.ome.zarr"
    with dask.config.set(scheduler="synchronous"):
        interrupted(path, stop_after=4)
        (unfinished,) = tmp_path.glob(".unfinished-*")
        marks = sorted(p.name for p in (unfinished / "done").iterdir() if p.name != "plan")
        (unfinished / "image" / "0" / "c" / marks[-1].replace(".", "/")).unlink()
        with pytest.raises(ValueError, match="1 of 6 chunks that an earlier run had written are gone"):
            ct.write(Work().image(), path, resume=True)
    assert not path.exists()
