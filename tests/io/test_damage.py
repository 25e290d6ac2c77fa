"""A file that is not whole, or not there, gives an error that names it: never a part of an image."""

import gzip
import json
import os

import h5py
import numpy as np
import pytest
import tifffile
import zarr

from corrtomo.io import read, write
from corrtomo.volume import volume

IMAGE = volume(np.random.default_rng(0).integers(0, 255, (20, 50, 60)).astype(np.uint8), 0.5)


@pytest.mark.parametrize("share", [0.0, 0.002, 0.01, 0.3, 0.7, 0.95, 0.999])
@pytest.mark.parametrize("kind", ["imagej", "ome", "plain", "packed", "ours", "pages"])
def test_truncated_tiff(kind, share, tmp_path):
    path = tmp_path / "volume.tif"
    options = {"imagej": {"imagej": True}, "ome": {"ome": True}, "packed": {"compression": "zlib"}}
    if kind == "ours":
        write(IMAGE, path)
    elif kind == "pages":  # one page after the other, with nothing that says how many
        with tifffile.TiffWriter(path) as tif:
            for page in IMAGE.values:
                tif.write(page, metadata=None, contiguous=False)
    else:
        tifffile.imwrite(path, IMAGE.values, photometric="minisblack", **options.get(kind, {}))
    content = path.read_bytes()
    assert read(path, 0.5).shape in (IMAGE.shape, IMAGE.shape[1:]) if kind != "pages" else True
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(
        ValueError, match=r"volume.tif of \d+ bytes: the TIFF is truncated or damaged.*Copy or download"
    ):
        read(path, 0.5)


def test_a_truncated_tiff_says_what_was_expected_and_found(tmp_path):
    path = tmp_path / "a.tif"
    write(IMAGE, path)
    content = path.read_bytes()
    path.write_bytes(content[:30_000])
    with pytest.raises(
        ValueError, match=r"Expected 20 pages and 6\d{4} bytes or more; found 1 pages and 30000 bytes"
    ):
        read(path)


@pytest.mark.parametrize("name", ["a.nrrd", "a.mha", "a.nii", "a.nii.gz", "a.h5", "a.png"])
@pytest.mark.parametrize("share", [0.01, 0.5, 0.95])
def test_truncated_files_of_other_formats(name, share, tmp_path):
    path = tmp_path / name
    write(IMAGE.isel(z=0) if name == "a.png" else IMAGE, path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ValueError, match=rf"{name}.*truncated|{name}.*damaged"):
        read(path, 0.5)


def test_a_packed_nifti_of_rubbish(tmp_path):
    (tmp_path / "a.nii.gz").write_bytes(gzip.compress(b"no header " * 100))
    with pytest.raises(ValueError, match=r"a.nii.gz.*truncated"):
        read(tmp_path / "a.nii.gz", 1.0)


def test_zarr_without_an_image(tmp_path):
    (tmp_path / "a.zarr").mkdir()
    with pytest.raises(ValueError, match="as OME-Zarr: it has no Zarr group"):
        read(tmp_path / "a.zarr")
    zarr.create_group(tmp_path / "b.zarr")
    with pytest.raises(ValueError, match="its metadata names no multiscales.*zarr.open"):
        read(tmp_path / "b.zarr")


def test_no_such_file(tmp_path):
    write(IMAGE, tmp_path / "volume.tif")
    with pytest.raises(FileNotFoundError, match=r"no such file or folder. Near it are volume.tif"):
        read(tmp_path / "volumes.tif")


@pytest.mark.parametrize("name", ["a.xyz", "a.tar.gz", "a.2"])
def test_unknown_suffix(name, tmp_path):
    known = r"is not a known format. Known are .tif, .tiff, .*a folder of slices"
    with pytest.raises(ValueError, match=f"Cannot write .*{known}"):
        write(IMAGE, tmp_path / name)
    (tmp_path / name).write_bytes(b"?")
    with pytest.raises(ValueError, match=f"Cannot read .*{known}"):
        read(tmp_path / name)


@pytest.mark.parametrize(("name", "instead"), [("a.nhdr", ".nrrd"), ("a.mhd", ".mha")])
def test_two_files_are_not_written(name, instead, tmp_path):
    with pytest.raises(ValueError, match=f"is two files.*Write {instead} instead"):
        write(IMAGE, tmp_path / name)


def test_options_of_other_formats_are_refused(tmp_path):
    write(IMAGE, tmp_path / "a.nrrd")
    with pytest.raises(ValueError, match="with dataset='b': it holds one image"):
        read(tmp_path / "a.nrrd", dataset="b")
    with pytest.raises(ValueError, match="at level 1: only OME-Zarr has levels"):
        read(tmp_path / "a.nrrd", level=1)


def test_a_plain_array_is_refused(tmp_path):
    with pytest.raises(TypeError, match=r"ndarray.*ct.volume"):
        write(IMAGE.values, tmp_path / "a.tif")


def test_a_damaged_chunk_of_hdf5(tmp_path):
    path = tmp_path / "a.h5"
    write(IMAGE, path)
    with h5py.File(path) as file:
        chunk = file["image"].id.get_chunk_info(0)
    content = bytearray(path.read_bytes())
    content[chunk.byte_offset + 20 : chunk.byte_offset + 40] = b"\xff" * 20
    path.write_bytes(content)
    with pytest.raises(ValueError, match="a.h5 of .* the HDF5 file is truncated or damaged"):
        read(path)


@pytest.mark.parametrize("tags", ["{", "{}", '{"axes": [{"key": "x"}]}'])
def test_damaged_axistags(tags, tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("a", data=IMAGE.values).attrs["axistags"] = tags
    with pytest.raises(ValueError, match="its axistags .*name"):
        read(tmp_path / "a.h5", 0.5)


def edited(folder, change):
    """Write an OME-Zarr, and change what it says of itself."""
    write(IMAGE, folder)
    whole = json.loads((folder / "zarr.json").read_text())
    change(whole["attributes"], whole["attributes"]["ome"]["multiscales"][0])
    (folder / "zarr.json").write_text(json.dumps(whole))
    return folder


def scale(numbers):
    def change(_, scales):
        scales["datasets"][0]["coordinateTransformations"][0]["scale"] = numbers

    return change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (scale([1.0, 1.0]), r"its scale \[1.0, 1.0\] is not one number for each of 3 axes"),
        (scale([2.0]), r"its scale \[2.0\] is not one number"),
        (scale(["a", 1, 1]), "its scale .* is not one number"),
        (lambda _, scales: scales.pop("axes"), "has no axes with names"),
        (lambda _, scales: scales.update(axes=["z", "y", "x"]), "has no axes with names"),
        (lambda _, scales: scales.pop("datasets"), "or no datasets with paths"),
        (lambda _, scales: scales["datasets"][0].update(path="9"), "its level '9' is missing"),
        (lambda _, scales: scales["axes"].reverse(), "channel, z, y, x are needed in this order"),
        (lambda attrs, _: attrs["ome"].update(multiscales="x"), "names no multiscales"),
        (lambda attrs, scales: attrs["ome"]["multiscales"].append(scales), "it holds 2 multiscale images"),
        (lambda attrs, _: attrs.update(corrtomo="x"), "record .* is damaged .it names no format"),
        (lambda attrs, _: attrs["corrtomo"].pop("shape"), r"is damaged \(shape missing"),
        (lambda attrs, _: attrs["corrtomo"].update(origin_um=[1]), "do not fit together"),
        (lambda attrs, _: attrs["corrtomo"].update(dtype="nonsense"), "is damaged .*nonsense"),
        (lambda attrs, _: attrs["corrtomo"].update(format=2), "record is of format 2.*Upgrade corrtomo"),
    ],
)
def test_an_ome_zarr_that_says_nonsense(change, says, tmp_path):
    with pytest.raises(ValueError, match=says):
        read(edited(tmp_path / "a.ome.zarr", change))


def test_a_zarr_whose_metadata_are_cut_off(tmp_path):
    write(IMAGE, tmp_path / "a.ome.zarr")
    (tmp_path / "a.ome.zarr" / "zarr.json").write_text("{")
    with pytest.raises(ValueError, match="its zarr.json is damaged"):
        read(tmp_path / "a.ome.zarr")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\xff\xfe", "corrtomo.json: it is damaged"),
        (b"corrtomo {", "is damaged .Expecting"),
        (b"corrtomo [1]", "it names no format"),
        (b'corrtomo {"format": 1}', "dims, shape.* missing"),
        (b'corrtomo {"format": 99}', "format 99.*Upgrade corrtomo"),
    ],
)
def test_a_damaged_record_beside_slices(content, says, tmp_path):
    write(IMAGE, tmp_path / "folder")
    (tmp_path / "folder" / "corrtomo.json").write_bytes(content)
    with pytest.raises(ValueError, match=says):
        read(tmp_path / "folder")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes on this system")
def test_a_pipe_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "a.tif")
    with pytest.raises(ValueError, match="it is neither a file nor a folder"):
        read(tmp_path / "a.tif")
