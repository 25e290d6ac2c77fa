"""What an adversary found: every one of these once lost data, or gave other values, without a word."""

import numpy as np
import pytest
import tifffile

import corrtomo as ct

IMAGE = ct.volume(np.arange(1, 121, dtype=np.uint8).reshape(4, 5, 6), 0.5)


@pytest.mark.parametrize("name", ["up.MHA", "up.Mha", "up.NII", "up.NRRD", "up.TIF"])
def test_suffixes_in_capitals_are_written_whole(tmp_path, name):
    ct.write(IMAGE, tmp_path / name)
    assert [p.name for p in tmp_path.iterdir()] == [name]
    assert ct.read(tmp_path / name).identical(IMAGE)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.NII"])
def test_nifti_refuses_what_its_library_turns_into_zeros(tmp_path, name):
    with pytest.raises(ValueError, match=r"2 values are NaN or infinite.*Write NRRD"):
        ct.write(ct.volume([[1.0, np.nan], [np.inf, 2.0]], 1.0), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_file_converted_elsewhere_is_not_cast_back(tmp_path):
    ct.write(IMAGE, tmp_path / "mine.tif")
    with tifffile.TiffFile(tmp_path / "mine.tif") as tif:
        info = tif.imagej_metadata["Info"]
    metadata = {"axes": "ZYX", "unit": "micron", "spacing": 0.5, "Info": info}
    brighter = IMAGE.values.astype(np.uint16) * 10
    tifffile.imwrite(tmp_path / "new.tif", brighter, imagej=True, resolution=(2, 2), metadata=metadata)
    with pytest.raises(ValueError, match="its values were uint8 and are uint16"):
        ct.read(tmp_path / "new.tif")
    found = ct.read(tmp_path / "new.tif", voxel_size=0.5, origin=0.0, override=True)
    assert np.array_equal(found, brighter)


def test_a_mask_painted_over_elsewhere_is_no_mask_any_more(tmp_path):
    ct.write(IMAGE > 60, tmp_path / "mask.tif")
    with tifffile.TiffFile(tmp_path / "mask.tif") as tif:
        info = tif.imagej_metadata["Info"]
    metadata = {"axes": "ZYX", "unit": "micron", "spacing": 0.5, "Info": info}
    tifffile.imwrite(tmp_path / "new.tif", IMAGE.values, imagej=True, resolution=(2, 2), metadata=metadata)
    with pytest.raises(ValueError, match="its values were bool and are uint8"):
        ct.read(tmp_path / "new.tif")


def test_a_missing_chunk_is_no_pore(tmp_path):
    # Zeros are written as chunks too, so that a chunk that is not there is always a loss.
    ct.write(ct.volume(np.zeros((130, 10, 10), np.uint8), 0.5), tmp_path / "a.ome.zarr")
    assert ct.read(tmp_path / "a.ome.zarr").sum() == 0
    chunk = next(p for p in sorted((tmp_path / "a.ome.zarr" / "0" / "c").rglob("*")) if p.is_file())
    chunk.unlink()
    with pytest.raises(ValueError, match="2 of 3 chunks, and the rest would read as zeros"):
        ct.read(tmp_path / "a.ome.zarr")


def keep(path):
    path.parent.mkdir(parents=True)
    path.write_text("the work of a week")
    return path


@pytest.mark.parametrize(
    ("target", "inside"),
    [
        ("d.zarr", "2024/important.txt"),
        ("l.ome.zarr", "labels/manual/0/c0"),
        ("folder", "slice_0001.tif/notes.txt"),
    ],
)
def test_work_beside_an_image_is_never_overwritten(tmp_path, target, inside):
    if target == "l.ome.zarr":
        ct.write(IMAGE, tmp_path / target)
    work = keep(tmp_path / target / inside)
    with pytest.raises(FileExistsError, match="they would be lost"):
        ct.write(IMAGE, tmp_path / target, overwrite=True)
    assert work.read_text() == "the work of a week"


def test_the_working_folder_is_never_replaced(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("", "."):
        with pytest.raises(ValueError, match="the folder in which you work"):
            ct.write(IMAGE, name, overwrite=True)
    assert tmp_path.is_dir()


class Late:
    """Values that take long: meanwhile `then` happens."""

    def __init__(self, then):
        self.then = then

    def __call__(self, block):
        self.then()
        return block


def late(then):
    import dask.array as da

    lazy = da.from_array(IMAGE.values, chunks=-1).map_blocks(Late(then), dtype=np.uint8, meta=IMAGE.values)
    return ct.volume(lazy, 0.5)


def test_what_appears_while_writing_is_not_replaced(tmp_path):
    other = tmp_path / "a.tif"
    with pytest.raises(FileExistsError, match="it exists"):
        ct.write(late(lambda: other.write_text("theirs")), other)
    assert other.read_text() == "theirs"


def test_two_writers_of_one_hdf5_file_lose_nothing(tmp_path):
    path = tmp_path / "a.h5"
    ct.write(IMAGE, path, dataset="a")
    with pytest.raises(OSError, match="another program has changed it meanwhile"):
        ct.write(late(lambda: ct.write(IMAGE, path, dataset="b", overwrite=True)), path, dataset="c")
    assert ct.read(path, dataset="b").identical(ct.read(path, dataset="a").rename(None))


@pytest.mark.parametrize("wrong", [{"attrs": {1: 2}}, {"name": 5}])
def test_names_that_are_not_text_are_refused(tmp_path, wrong):
    image = IMAGE.copy()
    image.attrs, image.name = wrong.get("attrs", {}), wrong.get("name")
    with pytest.raises(TypeError, match="that (are|is) text"):
        ct.write(image, tmp_path / "a.tif")


def test_palettes_and_inverted_grey_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "white.tif", IMAGE.values[0], photometric="miniswhite")
    with pytest.raises(ValueError, match="its numbers are miniswhite"):
        ct.read(tmp_path / "white.tif", 0.5)
    colours = np.zeros((3, 256), np.uint16)
    tifffile.imwrite(tmp_path / "map.tif", IMAGE.values[0], photometric="palette", colormap=colours)
    with pytest.raises(ValueError, match="its numbers are palette"):
        ct.read(tmp_path / "map.tif", 0.5)


def test_a_damaged_packed_nifti_says_so(tmp_path):
    ct.write(IMAGE, tmp_path / "a.nii.gz")
    content = bytearray((tmp_path / "a.nii.gz").read_bytes())
    content[60:80] = bytes(20)
    (tmp_path / "a.nii.gz").write_bytes(content)
    with pytest.raises(ValueError, match="truncated or damaged"):
        ct.read(tmp_path / "a.nii.gz")
