"""Nothing on disk is lost: an interrupted write leaves the old file, and no half one."""

import errno
import os
import shutil
from pathlib import Path

import dask.array
import h5py
import numpy as np
import pytest

from corrtomo.io import read, write
from corrtomo.volume import volume

NAMES = ["a.tif", "a.ome.tif", "a.nrrd", "a.nii.gz", "a.h5", "a.png", "folder", "a.ome.zarr"]
OLD = volume(np.ones((1, 40, 50), np.uint8), 0.5)


def contents(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def broken(error):
    """An image whose second half cannot be computed."""

    def fail(block, block_info=None):
        if block_info[0]["chunk-location"][1] == 1:
            raise error
        return block

    data = dask.array.zeros((1, 40, 50), chunks=(1, 20, 50), dtype=np.uint8)
    return volume(data.map_blocks(fail, dtype=np.uint8, meta=np.empty((0, 0, 0), np.uint8)), 0.5)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("error", [RuntimeError("the disk is gone"), KeyboardInterrupt()])
def test_an_interrupted_write_leaves_the_old_one(name, error, tmp_path):
    write(OLD, tmp_path / name)
    before = contents(tmp_path)
    with pytest.raises(type(error)):
        write(broken(error), tmp_path / name, overwrite=True)
    assert contents(tmp_path) == before
    assert [p.name for p in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", NAMES)
def test_an_interrupted_first_write_leaves_nothing(name, tmp_path):
    with pytest.raises(RuntimeError):
        write(broken(RuntimeError("the disk is gone")), tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["folder", "a.ome.zarr"])
def test_a_folder_that_cannot_be_moved_into_place_gives_way_to_the_old_one(name, tmp_path, monkeypatch):
    write(OLD, tmp_path / name)
    before = contents(tmp_path)
    rename = Path.rename

    def refuse(self, target):
        if self.name.startswith(".part-"):
            raise OSError(errno.EBUSY, "busy")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(OSError, match="busy"):
        write(OLD + 1, tmp_path / name, overwrite=True)
    assert contents(tmp_path) == before
    assert [p.name for p in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", NAMES)
def test_an_existing_target_is_refused_unless_it_may_be_replaced(name, tmp_path):
    write(OLD, tmp_path / name)
    before = contents(tmp_path)
    with pytest.raises(FileExistsError, match=r"it exists.*overwrite=True"):
        write(OLD + 1, tmp_path / name)
    assert contents(tmp_path) == before
    write(OLD + 1, tmp_path / name, overwrite=True)
    assert int(read(tmp_path / name).max()) == 2
    assert [p.name for p in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["folder", "a.ome.zarr"])
def test_other_files_in_a_folder_are_not_thrown_away(name, tmp_path):
    write(OLD, tmp_path / name)
    (tmp_path / name / "notes.txt").write_text("seen by nobody else")
    with pytest.raises(FileExistsError, match=r"holds 1 entries not known .* instance 'notes.txt'"):
        write(OLD, tmp_path / name, overwrite=True)
    assert (tmp_path / name / "notes.txt").exists()


def test_a_file_is_not_replaced_by_a_folder_nor_the_other_way_round(tmp_path):
    (tmp_path / "folder").write_text("a file")
    with pytest.raises(FileExistsError, match="it is a file, but a folder of slices is a folder"):
        write(OLD, tmp_path / "folder", overwrite=True)
    (tmp_path / "a.tif").mkdir()
    with pytest.raises(IsADirectoryError, match="it is a folder, and would be lost"):
        write(OLD, tmp_path / "a.tif", overwrite=True)


def test_other_datasets_of_a_file_are_kept(tmp_path):
    path = tmp_path / "a.h5"
    write(OLD, path)
    write(OLD + 1, path, dataset="group/second")
    assert int(read(path, dataset="image").max()) == 1
    assert int(read(path, dataset="group/second").max()) == 2
    with pytest.raises(FileExistsError, match=r"dataset 'image' into .*overwrite=True"):
        write(OLD + 2, path)
    write(OLD + 2, path, overwrite=True)
    with h5py.File(path) as file:
        assert (file["image"][0, 0, 0], file["group/second"][0, 0, 0]) == (3, 2)
    with pytest.raises(FileExistsError, match=r"it is a group of \['second'\]"):
        write(OLD, path, dataset="group", overwrite=True)


def test_a_file_that_is_not_hdf5_is_not_written_into(tmp_path):
    (tmp_path / "a.h5").write_text("a diary")
    with pytest.raises(FileExistsError, match="exists and is not an HDF5 file"):
        write(OLD, tmp_path / "a.h5", overwrite=True)
    assert (tmp_path / "a.h5").read_text() == "a diary"


@pytest.mark.parametrize("name", NAMES)
def test_no_folder_to_write_to(name, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*nowhere.*mkdir"):
        write(OLD, tmp_path / "nowhere" / name)


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_that_is_not_writable(name, tmp_path, monkeypatch):
    # The tests may run as root, whom no mode of a folder stops.
    def refuse(self, *args, **kwargs):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "touch", refuse)
    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(PermissionError, match=r"its folder is not writable \(Permission denied\)"):
        write(OLD, tmp_path / name)


def test_a_link_stays_a_link(tmp_path):
    write(OLD, tmp_path / "real.tif")
    (tmp_path / "link.tif").symlink_to(tmp_path / "real.tif")
    write(OLD + 1, tmp_path / "link.tif", overwrite=True)
    assert (tmp_path / "link.tif").is_symlink()
    assert int(read(tmp_path / "real.tif").max()) == 2


def test_an_image_read_lazily_may_be_written_back(tmp_path):
    write(OLD, tmp_path / "a.ome.zarr")
    write(read(tmp_path / "a.ome.zarr") + 1, tmp_path / "a.ome.zarr", overwrite=True)
    assert int(read(tmp_path / "a.ome.zarr").max()) == 2


def test_slices_of_others_are_not_thrown_away(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "slice_0001.tif").write_bytes(b"theirs")
    with pytest.raises(FileExistsError, match="instance 'slice_0001.tif', and they would be lost"):
        write(OLD, tmp_path / "folder", overwrite=True)


def test_arrays_beside_the_scales_are_not_thrown_away(tmp_path):
    write(OLD, tmp_path / "a.ome.zarr")
    shutil.copytree(tmp_path / "a.ome.zarr" / "0", tmp_path / "a.ome.zarr" / "2024")
    with pytest.raises(FileExistsError, match="instance '2024', and they would be lost"):
        write(OLD, tmp_path / "a.ome.zarr", overwrite=True)


def test_the_longest_name_is_written_and_a_longer_one_refused(tmp_path):
    name = "a" * 251 + ".tif"
    write(OLD, tmp_path / name)
    assert [p.name for p in tmp_path.iterdir()] == [name]
    with pytest.raises(ValueError, match="its name has 256 bytes, or a zero in it. A name of at most 255"):
        write(OLD, tmp_path / f"a{name}")


def test_without_hard_links_files_are_moved(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(95, "not supported")

    monkeypatch.setattr("os.link", refuse)
    write(OLD, tmp_path / "a.tif")
    assert [p.name for p in tmp_path.iterdir()] == ["a.tif"]


def test_a_name_taken_at_the_last_moment_is_not_replaced(tmp_path, monkeypatch):
    link = os.link

    def late(part, target):
        target.write_text("theirs")
        link(part, target)

    monkeypatch.setattr("os.link", late)
    with pytest.raises(FileExistsError, match="it exists"):
        write(OLD, tmp_path / "a.tif")
    assert (tmp_path / "a.tif").read_text() == "theirs"
    assert [p.name for p in tmp_path.iterdir()] == ["a.tif"]


@pytest.mark.parametrize("dataset", ["", "/", 5, "../x", "a//b"])
def test_paths_inside_hdf5(dataset, tmp_path):
    with pytest.raises(ValueError, match="it is not a path inside a file"):
        write(OLD, tmp_path / "a.h5", dataset=dataset)
    assert not contents(tmp_path)


def test_a_dataset_is_no_group(tmp_path):
    write(OLD, tmp_path / "a.h5", dataset="g/a")
    with pytest.raises(FileExistsError, match="'g/a' is a dataset, not a group"):
        write(OLD, tmp_path / "a.h5", dataset="g/a/b")


def test_a_truncated_hdf5_file_is_not_written_into(tmp_path):
    path = tmp_path / "a.h5"
    write(OLD, path)
    path.write_bytes(path.read_bytes()[:-50])
    before = path.read_bytes()
    with pytest.raises(ValueError, match="the HDF5 file is truncated or damaged"):
        write(OLD, path, dataset="b")
    assert path.read_bytes() == before


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes on this system")
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_pipe_is_not_replaced(tmp_path, overwrite):
    """As root, a device would be too."""
    os.mkfifo(tmp_path / "pipe.tif")
    with pytest.raises(FileExistsError, match="a device or a pipe"):
        write(OLD, tmp_path / "pipe.tif", overwrite=overwrite)
    assert (tmp_path / "pipe.tif").is_fifo()
