"""What an adversary found: every one of these once lost data, or gave other values, without a word."""

import json
import struct

import h5py
import numpy as np
import pytest
import SimpleITK
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


def test_a_mask_of_two_other_values_is_no_mask_any_more(tmp_path):
    ct.write(IMAGE > 60, tmp_path / "mask.tif")
    with tifffile.TiffFile(tmp_path / "mask.tif") as tif:
        info = tif.imagej_metadata["Info"]
    metadata = {"axes": "ZYX", "unit": "micron", "spacing": 0.5, "Info": info}
    for top, stays in ((1, True), (255, True), (128, False)):
        values = (IMAGE.values > 60) * np.uint8(top)
        tifffile.imwrite(tmp_path / "new.tif", values, imagej=True, resolution=(2, 2), metadata=metadata)
        if stays:
            assert ct.read(tmp_path / "new.tif").identical(IMAGE > 60)
        else:
            with pytest.raises(ValueError, match="its values were bool and are uint8"):
                ct.read(tmp_path / "new.tif")


def test_an_origin_moved_elsewhere_is_not_ours(tmp_path):
    ct.write(IMAGE, tmp_path / "mine.tif")
    with tifffile.TiffFile(tmp_path / "mine.tif") as tif:
        info = tif.imagej_metadata["Info"]
    moved = {"axes": "ZYX", "unit": "micron", "spacing": 0.5, "Info": info, "xorigin": -100}
    tifffile.imwrite(tmp_path / "new.tif", IMAGE.values, imagej=True, resolution=(2, 2), metadata=moved)
    with pytest.raises(ValueError, match="its origin along x was 0 µm and is 50 µm"):
        ct.read(tmp_path / "new.tif")
    assert ct.read(tmp_path / "new.tif", override=True).x[0] == 50


def edit_zarr(folder, change):
    path = folder / "zarr.json"
    whole = json.loads(path.read_text())
    change(whole["attributes"])
    path.write_text(json.dumps(whole))


def test_a_translation_changed_elsewhere_is_not_ours(tmp_path):
    ct.write(IMAGE, tmp_path / "a.ome.zarr")

    def move(attrs):
        attrs["ome"]["multiscales"][0]["datasets"][0]["coordinateTransformations"][1]["translation"] = [
            9,
            0,
            0,
        ]

    edit_zarr(tmp_path / "a.ome.zarr", move)
    with pytest.raises(ValueError, match="its origin along z was 0 µm and is 9 µm"):
        ct.read(tmp_path / "a.ome.zarr")


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_nan_in_a_nifti_of_others_is_not_read_as_zero(tmp_path, kind):
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(IMAGE.values.astype(kind)), str(tmp_path / "a.nii"))
    assert np.array_equal(ct.read(tmp_path / "a.nii"), IMAGE)
    content = bytearray((tmp_path / "a.nii").read_bytes())
    last = np.dtype(kind).itemsize
    content[-last:] = np.array(np.nan, kind).tobytes()
    (tmp_path / "a.nii").write_bytes(content)
    with pytest.raises(ValueError, match="1 of its values are NaN or infinite"):
        ct.read(tmp_path / "a.nii")


@pytest.mark.parametrize(
    ("name", "ours"), [("a.mha", True), ("a.MHA", True), ("a.mha", False), ("a.MHA", False), ("a.mhd", False)]
)
def test_a_damaged_packed_metaimage_is_refused(tmp_path, name, ours):
    if ours:
        ct.write(IMAGE, tmp_path / name)
    else:
        SimpleITK.WriteImage(
            SimpleITK.GetImageFromArray(IMAGE.values), str(tmp_path / name.lower()), useCompression=True
        )
        (tmp_path / name.lower()).rename(tmp_path / name)
    assert np.array_equal(ct.read(tmp_path / name, 0.5), IMAGE)
    packed = tmp_path / ("a.zraw" if name == "a.mhd" else name)
    whole = packed.read_bytes()
    for at in (-30, -4):  # in the values, and in the checksum alone
        content = bytearray(whole)
        content[at] ^= 0xFF
        packed.write_bytes(content)
        with pytest.raises(ValueError, match=r"the file is truncated or damaged \(Error -3"):
            ct.read(tmp_path / name, 0.5)
    packed.write_bytes(whole[:-6])
    with pytest.raises(ValueError, match="truncated or damaged"):
        ct.read(tmp_path / name, 0.5)


def test_nifti_refuses_what_it_cannot_count(tmp_path):
    with pytest.raises(ValueError, match=r"has 40000 voxels, and NIfTI counts up to 32767.*Write NRRD"):
        ct.write(ct.volume(np.zeros((2, 40000), np.uint8), 1.0), tmp_path / "a.nii.gz")


@pytest.mark.parametrize("fields", ["", "spacings: nan 0.5 0.5\n"])
def test_nrrd_with_a_unit_but_no_spacing_asks_for_it(tmp_path, fields):
    head = (
        f'NRRD0004\ntype: uint8\ndimension: 3\nsizes: 6 5 4\nencoding: raw\n{fields}units: "um" "um" "um"\n\n'
    )
    (tmp_path / "a.nrrd").write_bytes(head.encode() + IMAGE.values.tobytes())
    with pytest.raises(ValueError, match="does not state its voxel size along z, y, x"):
        ct.read(tmp_path / "a.nrrd")
    assert ct.voxel_size(ct.read(tmp_path / "a.nrrd", 0.5)) == (0.5, 0.5, 0.5)


@pytest.mark.parametrize("stated", [0.0, float("nan")])
def test_nifti_with_a_unit_but_no_spacing_asks_for_it(tmp_path, stated):
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(IMAGE.values), str(tmp_path / "a.nii"))
    content = bytearray((tmp_path / "a.nii").read_bytes())
    content[123] = 3
    (tmp_path / "a.nii").write_bytes(content)
    assert ct.voxel_size(ct.read(tmp_path / "a.nii")) == (1.0, 1.0, 1.0)  # stated: ones, in micrometres
    content[80:84] = struct.pack("<f", stated)
    (tmp_path / "a.nii").write_bytes(content)
    with pytest.raises(ValueError, match="does not state its voxel size along z, y, x"):
        ct.read(tmp_path / "a.nii")


def test_zarr_without_a_scale_asks_for_it(tmp_path):
    ct.write(IMAGE, tmp_path / "a.ome.zarr")

    def forget(attrs):
        del attrs["corrtomo"]
        attrs["ome"]["multiscales"][0]["datasets"][0]["coordinateTransformations"] = []

    edit_zarr(tmp_path / "a.ome.zarr", forget)
    with pytest.raises(ValueError, match="does not state its voxel size along z, y, x"):
        ct.read(tmp_path / "a.ome.zarr")


def hdf5_with(path, axes, values=IMAGE.values, sizes=(1.0, 0.5, 0.25)):
    with h5py.File(path, "w") as file:
        data = file.create_dataset("a", data=values)
        data.attrs["axistags"] = json.dumps({"axes": [{"key": k} for k in axes]})
        data.attrs["element_size_um"] = sizes
    return path


def test_time_is_not_read_as_depth(tmp_path):
    path = hdf5_with(tmp_path / "a.h5", "tyx")
    with pytest.raises(ValueError, match="Cannot name the 3 axes"):
        ct.read(path)
    with h5py.File(path, "a") as file:
        del file["a"].attrs["axistags"]
        for dim, label in zip(file["a"].dims, ("time", "y", "x"), strict=True):
            dim.label = label
    with pytest.raises(ValueError, match="Cannot name the 3 axes"):
        ct.read(path)


def test_named_axes_of_hdf5_are_brought_into_order(tmp_path):
    last = hdf5_with(
        tmp_path / "a.h5", "tzyxc", np.moveaxis(np.stack([IMAGE.values, IMAGE.values]), 0, -1)[None]
    )
    found = ct.read(last)
    assert found.dims == ("channel", "z", "y", "x")
    assert np.array_equal(found[0], IMAGE)
    assert ct.voxel_size(found) == (1.0, 0.5, 0.25)
    turned = hdf5_with(tmp_path / "b.h5", "xyz", IMAGE.values.T)
    with pytest.raises(ValueError, match="does not state its voxel size"):  # in which order are the sizes?
        ct.read(turned)
    assert np.array_equal(ct.read(turned, 0.5), IMAGE)


def test_dims_that_contradict_the_file_are_refused(tmp_path):
    path = hdf5_with(tmp_path / "a.h5", "cyx")
    with pytest.raises(ValueError, match=r"the file states \('channel', 'y', 'x'\). They must agree"):
        ct.read(path, dims=("z", "y", "x"))
    assert ct.read(path, 0.5, dims=("z", "y", "x"), override=True).dims == ("z", "y", "x")


def test_true_is_no_number_of_an_image(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as tif:
        tif.write(IMAGE.values[0], metadata=None)
        tif.write(IMAGE.values[0, :2], metadata=None)
    with pytest.raises(ValueError, match="with dataset=True: it holds 2 images"):
        ct.read(tmp_path / "a.tif", 0.5, dataset=True)
    ct.write(IMAGE, tmp_path / "a.ome.zarr")
    with pytest.raises(ValueError, match="at level True"):
        ct.read(tmp_path / "a.ome.zarr", level=True)


@pytest.mark.parametrize("name", ["a.tif", "a.ome.zarr"])
def test_numbers_of_numpy_among_the_attributes(tmp_path, name):
    image = IMAGE.assign_attrs(dose=np.float32(0.5), counts=np.int64(3))
    ct.write(image, tmp_path / name)
    assert ct.read(tmp_path / name).attrs == {"dose": 0.5, "counts": 3}
