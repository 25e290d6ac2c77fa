"""Folders of slices: natural order, no gap, nothing mixed."""

import numpy as np
import pytest
import tifffile

from corrtomo.io import read, write
from corrtomo.volume import volume, voxel_size


def fill(folder, names, shape=(3, 4), dtype=np.uint8):
    folder.mkdir(exist_ok=True)
    for i, name in enumerate(names):
        tifffile.imwrite(folder / name, np.full(shape, i, dtype))
    return folder


def test_numbers_are_ordered_as_numbers(tmp_path):
    folder = fill(tmp_path / "scan", ["s_9.tif", "s_10.tif", "s_11.tif", "s_8.tif"])
    (folder / "notes.txt").write_text("other files are left alone")
    assert read(folder, 0.5)[:, 0, 0].values.tolist() == [3, 0, 1, 2]


def test_the_depth_is_asked_for(tmp_path):
    write(volume(np.zeros((3, 4, 5), np.uint8), (0.3, 0.2, 0.1)), tmp_path / "scan")
    assert sorted(p.name for p in (tmp_path / "scan").iterdir()) == [
        "corrtomo.json",
        *(f"slice_000{i}.tif" for i in range(3)),
    ]
    (tmp_path / "scan" / "corrtomo.json").unlink()
    with pytest.raises(ValueError, match=r"along z \(stated: x 0.1 µm, y 0.2 µm\)"):
        read(tmp_path / "scan")
    assert voxel_size(read(tmp_path / "scan", (0.3, 0.2, 0.1))) == (0.3, 0.2, 0.1)


def test_a_missing_number(tmp_path):
    folder = fill(tmp_path / "scan", ["s_01.tif", "s_02.tif", "s_05.tif"])
    with pytest.raises(ValueError, match=r"slice 3, 4 is missing between 1 and 5 \(3 files, 2 missing\)"):
        read(folder, 1.0)


def test_a_slice_lost_from_a_folder_of_ours(tmp_path):
    write(volume(np.zeros((3, 4, 5), np.uint8), 1.0), tmp_path / "scan")
    (tmp_path / "scan" / "slice_0002.tif").unlink()  # the last one leaves no gap
    with pytest.raises(ValueError, match=r"its size was \(3, 4, 5\) and is \(2, 4, 5\)"):
        read(tmp_path / "scan")


@pytest.mark.parametrize(
    ("shape", "dtype", "what"), [((3, 5), np.uint8, r"size \(3, 5\)"), ((3, 4), np.uint16, "dtype uint16")]
)
def test_slices_unlike_each_other(shape, dtype, what, tmp_path):
    folder = fill(tmp_path / "scan", ["s_1.tif", "s_2.tif"])
    tifffile.imwrite(folder / "s_3.tif", np.zeros(shape, dtype))
    with pytest.raises(ValueError, match=f"s_3.tif has {what}, but s_1.tif has .*must be alike"):
        read(folder, 1.0)


def test_two_series_in_one_folder(tmp_path):
    folder = fill(tmp_path / "scan", ["im001.tif", "im002.tif", "mask_1.tif"])
    with pytest.raises(ValueError, match=r"named in 2 ways \(im#.tif, mask_#.tif.*dataset="):
        read(folder, 1.0)
    assert read(folder, 1.0, dataset="im[0-9]*.tif").sizes["z"] == 2
    fill(folder, ["im1.tif"])
    with pytest.raises(ValueError, match=r"im0*1.tif and im0*1.tif have one number"):
        read(folder, 1.0, dataset="im[0-9]*.tif")


def test_an_empty_folder(tmp_path):
    (tmp_path / "scan").mkdir()
    with pytest.raises(ValueError, match="holds no image. Allowed are .tif, .tiff, .png"):
        read(tmp_path / "scan", 1.0)


def test_a_truncated_slice_is_named(tmp_path):
    folder = fill(tmp_path / "scan", ["s_1.tif", "s_2.tif"], shape=(100, 100))
    content = (folder / "s_2.tif").read_bytes()
    (folder / "s_2.tif").write_bytes(content[:5000])
    with pytest.raises(ValueError, match=r"s_2.tif of 5000 bytes: the TIFF is truncated"):
        read(folder, 1.0)


def test_stacks_are_no_slices(tmp_path):
    folder = fill(tmp_path / "scan", ["s_1.tif"], shape=(2, 3, 5))
    with pytest.raises(ValueError, match=r"s_1.tif has size \(2, 3, 5\).*One slice a file is needed"):
        read(folder, 1.0)
