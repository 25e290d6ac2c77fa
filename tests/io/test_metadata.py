"""The scale that other programmes state is read; where none is stated it is asked for, and never guessed."""

import json

import h5py
import imagecodecs
import numpy as np
import pytest
import SimpleITK
import tifffile
import zarr

from corrtomo.io import read, write
from corrtomo.volume import origin, volume, voxel_size

STACK = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
SLICE = STACK[0]


@pytest.mark.parametrize(
    ("unit", "um"),
    [
        ("micron", 1),
        ("um", 1),
        ("µm", 1),
        ("\\u00B5m", 1),
        ("nm", 1e-3),
        ("mm", 1e3),
        ("cm", 1e4),
        ("inch", 25400),
    ],
)
def test_imagej_states_its_unit(unit, um, tmp_path):
    path = tmp_path / "a.tif"
    written = unit if unit.isascii() else "XX"  # ImageJ's description is Latin-1, tifffile writes ASCII
    meta = {"axes": "ZYX", "spacing": 0.3, "unit": written}
    tifffile.imwrite(path, STACK, imagej=True, resolution=(4, 2), metadata=meta)
    path.write_bytes(path.read_bytes().replace(b"unit=XX", b"unit=" + unit.encode("latin-1")))
    assert voxel_size(read(path)) == pytest.approx((0.3 * um, 0.5 * um, 0.25 * um), rel=1e-12)


def test_imagej_counts_its_origin_in_pixels(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(
        path, SLICE, imagej=True, resolution=(4, 4), metadata={"unit": "um", "xorigin": 8, "yorigin": -2}
    )
    assert origin(read(path)) == (0.5, -2.0)


@pytest.mark.parametrize(
    "resolution", [(72, "INCH"), (191.999, "INCH"), (300, "INCH"), (28.35, "CENTIMETER"), (3, "NONE")]
)
def test_a_print_size_is_no_voxel_size(resolution, tmp_path):
    count, unit = resolution
    tifffile.imwrite(tmp_path / "a.tif", SLICE, resolution=(count, count), resolutionunit=unit)
    with pytest.raises(ValueError, match=r"does not state its voxel size along y, x \(stated: none at all\)"):
        read(tmp_path / "a.tif")


def test_centimetres_are_a_voxel_size_where_they_are_fine_enough(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", SLICE, resolution=(20_000, 40_000), resolutionunit="CENTIMETER")
    assert voxel_size(read(tmp_path / "a.tif")) == (0.25, 0.5)


def test_the_missing_axis_is_asked_for(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, STACK, imagej=True, resolution=(4, 2), metadata={"axes": "ZYX", "unit": "um"})
    with pytest.raises(ValueError, match=r"along z \(stated: x 0.25 µm, y 0.5 µm\).*Pass it with ct.read"):
        read(path)
    assert voxel_size(read(path, (3.0, 0.5, 0.25))) == (3.0, 0.5, 0.25)


def test_a_number_that_contradicts_the_file_is_refused_unless_it_overrides(tmp_path):
    path = tmp_path / "a.tif"
    write(volume(SLICE, 0.5, origin=1.0, name="kept"), path)
    with pytest.raises(ValueError, match=r"voxel size 0.6 µm along y: the file states 0.5 µm.*override=True"):
        read(path, 0.6)
    with pytest.raises(ValueError, match=r"origin 2 µm along y: the file states 1 µm"):
        read(path, origin=2.0)
    forced = read(path, 0.6, override=True)
    assert (voxel_size(forced), origin(forced), forced.name) == ((0.6, 0.6), (1.0, 1.0), "kept")


def test_rounding_in_the_file_is_no_contradiction(tmp_path):
    # 33.97 µm has five digits in the millionths that ImageJ writes.
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, SLICE, imagej=True, resolution=((29438, 10**6),) * 2, metadata={"unit": "um"})
    assert voxel_size(read(path, 33.97)) == (33.97, 33.97)
    with pytest.raises(ValueError, match="the file states 33.969699 µm"):
        read(path, 33.98)


def test_ome_units(tmp_path):
    sizes = {
        "PhysicalSizeX": 33.6,
        "PhysicalSizeXUnit": "nm",
        "PhysicalSizeY": 2,
        "PhysicalSizeZ": 1e-3,
        "PhysicalSizeZUnit": "mm",
    }
    path = tmp_path / "a.ome.tif"
    tifffile.imwrite(path, STACK, ome=True, photometric="minisblack", metadata={"axes": "ZYX"} | sizes)
    assert voxel_size(read(path)) == (1.0, 2.0, 0.0336)


def test_ome_channels_have_names(tmp_path):
    path = tmp_path / "a.ome.tif"
    names = {"Channel": {"Name": ["SESI", "in-lens"]}}
    tifffile.imwrite(path, STACK, ome=True, photometric="minisblack", metadata={"axes": "CYX"} | names)
    assert read(path, 1.0).channel.values.tolist() == ["SESI", "in-lens"]


def test_what_we_write_is_what_others_read(tmp_path):
    image = volume(np.zeros((2, 3, 4, 5), np.uint16), (0.3, 0.2, 0.1), dims=("channel", "z", "y", "x"))
    image = image.assign_coords(channel=["BSE", "SE"])
    write(image, tmp_path / "a.tif")
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        meta = tif.imagej_metadata
        assert (meta["channels"], meta["slices"], meta["spacing"], meta["unit"]) == (2, 3, 0.3, "micron")
        assert np.divide(*tif.pages[0].tags["XResolution"].value) == pytest.approx(10)
    write(image, tmp_path / "a.ome.tif")
    with tifffile.TiffFile(tmp_path / "a.ome.tif") as tif:
        assert tif.series[0].axes == "CZYX"
        assert 'PhysicalSizeZ="0.3" PhysicalSizeZUnit="µm"' in tif.ome_metadata
        assert 'Name="BSE"' in tif.ome_metadata
    write(image, tmp_path / "a.nrrd")
    header = (tmp_path / "a.nrrd").read_bytes().split(b"\n\n")[0]
    assert b'\nspace units: "um" "um" "um"\n' in header
    assert SimpleITK.ReadImage(str(tmp_path / "a.nrrd")).GetSpacing() == pytest.approx((0.1, 0.2, 0.3))
    write(image, tmp_path / "a.nii")
    # ITK gives millimetres when the file says micrometres.
    assert SimpleITK.ReadImage(str(tmp_path / "a.nii")).GetSpacing() == pytest.approx((1e-4, 2e-4, 3e-4))
    write(image, tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5") as file:
        assert file["image"].attrs["element_size_um"].tolist() == [0.3, 0.2, 0.1]
        assert [a["key"] for a in json.loads(file["image"].attrs["axistags"])["axes"]] == list("czyx")


def test_masks_and_origins_are_those_of_imagej(tmp_path):
    mask = volume(np.array([[False, True, True]]), 0.5, origin=(0.0, 2.0))
    write(mask, tmp_path / "a.tif")
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        assert tif.asarray().tolist() == [[0, 255, 255]]
        assert tif.imagej_metadata["xorigin"] == -4


def test_a_file_changed_elsewhere_is_not_taken_for_ours(tmp_path):
    # Fiji keeps the text of a cropped or rescaled image.
    path = tmp_path / "a.tif"
    write(volume(STACK, 0.5, origin=9.0), path)
    with tifffile.TiffFile(path) as tif:
        text = tif.imagej_metadata["Info"]
    meta = {"axes": "ZYX", "unit": "um", "spacing": 0.5, "Info": text}
    tifffile.imwrite(path, STACK[:, 1:], imagej=True, resolution=(2, 2), metadata=meta)
    with pytest.raises(
        ValueError, match=r"changed after corrtomo wrote it; its size was \(2, 3, 4\).*override=True"
    ):
        read(path)
    tifffile.imwrite(path, STACK, imagej=True, resolution=(4, 4), metadata=meta)
    with pytest.raises(ValueError, match="its voxel size along x was 0.5 µm and is 0.25 µm"):
        read(path)
    assert origin(read(path, 0.25, origin=1.0, override=True)) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize("samples", [3, 4])
def test_colours_are_channels(samples, tmp_path):
    colours = np.random.default_rng(0).integers(0, 255, (5, 6, samples)).astype(np.uint8)
    extra = {"extrasamples": ["unassalpha"]} if samples == 4 else {}
    tifffile.imwrite(tmp_path / "a.tif", colours, photometric="rgb", **extra)
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(colours))
    for name in ("a.tif", "a.png"):
        image = read(tmp_path / name, 1.0)
        assert image.dims == ("channel", "y", "x")
        assert image.channel.values.tolist() == ["red", "green", "blue", "alpha"][:samples]
        np.testing.assert_array_equal(image.values, np.moveaxis(colours, -1, 0))


def test_axes_without_names_are_asked_for(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", STACK[:, None].repeat(2, 1), imagej=True, metadata={"axes": "TZYX"})
    with pytest.raises(ValueError, match=r"Cannot name the 4 axes of .*size \(2, 2, 3, 4\).*dims="):
        read(tmp_path / "a.tif", 1.0)
    assert read(tmp_path / "a.tif", 1.0, dims=("channel", "z", "y", "x")).sizes["channel"] == 2


def test_several_images_in_one_file(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as tif:
        tif.write(SLICE)
        tif.write(np.zeros((7, 8), np.uint8))
    with pytest.raises(ValueError, match=r"holds 2 images of size \[\(3, 4\), \(7, 8\)\].*dataset=0"):
        read(tmp_path / "a.tif", 1.0)
    assert read(tmp_path / "a.tif", 1.0, dataset=1).shape == (7, 8)


@pytest.mark.parametrize("name", ["a.nrrd", "a.mha", "a.nii", "a.mhd", "a.nhdr"])
def test_medical_files_do_not_state_their_unit(name, tmp_path):
    itk = SimpleITK.GetImageFromArray(STACK)
    itk.SetSpacing((0.5, 0.5, 0.5))
    SimpleITK.WriteImage(itk, str(tmp_path / name))
    if name == "a.nii":  # SimpleITK states millimetres there
        assert voxel_size(read(tmp_path / name)) == (500.0,) * 3
    else:
        with pytest.raises(ValueError, match="does not state its voxel size along z, y, x"):
            read(tmp_path / name)
        assert voxel_size(read(tmp_path / name, 0.5)) == (0.5,) * 3


def test_turned_axes_are_refused(tmp_path):
    itk = SimpleITK.GetImageFromArray(STACK)
    itk.SetDirection((-1, 0, 0, 0, -1, 0, 0, 0, 1))
    SimpleITK.WriteImage(itk, str(tmp_path / "a.nrrd"))
    with pytest.raises(ValueError, match="its axes are turned or mirrored.*DICOMOrient"):
        read(tmp_path / "a.nrrd", 1.0)


def test_hdf5_asks_which_dataset(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["entry/data"] = STACK
        file["entry/data"].attrs["element_size_um"] = [3.0, 2.0, 1.0]
        file["flat"] = SLICE
        file["text"] = "not an image"
    with pytest.raises(ValueError, match=r"it holds 'entry/data' \(2, 3, 4\), 'flat' \(3, 4\). .*dataset="):
        read(tmp_path / "a.h5")
    assert voxel_size(read(tmp_path / "a.h5", dataset="/entry/data")) == (3.0, 2.0, 1.0)
    with pytest.raises(ValueError, match="does not state its voxel size"):
        read(tmp_path / "a.h5", dataset="flat")


def test_png_states_its_pixel_where_it_is_fine_enough(tmp_path):
    write(volume(SLICE, (0.5, 0.25)), tmp_path / "a.png")
    content = (tmp_path / "a.png").read_bytes()
    at, end = content.index(b"tEXt") - 4, content.index(b"IDAT") - 4
    (tmp_path / "a.png").write_bytes(content[:at] + content[end:])  # as another programme would write it
    assert voxel_size(read(tmp_path / "a.png")) == (0.5, 0.25)
    write(volume(SLICE, 25_400 / 72), tmp_path / "b.png")  # as a picture for a screen
    content = (tmp_path / "b.png").read_bytes()
    (tmp_path / "b.png").write_bytes(
        content[: content.index(b"tEXt") - 4] + content[content.index(b"IDAT") - 4 :]
    )
    with pytest.raises(ValueError, match="does not state its voxel size"):
        read(tmp_path / "b.png")


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_png_of_few_bits_is_refused(bits, tmp_path):
    content = bytearray(imagecodecs.png_encode(SLICE))
    content[24] = bits
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(ValueError, match=f"{bits} bits deep.*8 or 16 bits"):
        read(tmp_path / "a.png", 1.0)


def test_png_palette_is_refused(tmp_path):
    content = bytearray(imagecodecs.png_encode(SLICE))
    content[25] = 3
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(ValueError, match="of a palette.*colours, labels or grey"):
        read(tmp_path / "a.png", 1.0)


def test_zarr_transformations_add_up(tmp_path):
    group = zarr.create_group(tmp_path / "a.zarr")
    group.create_array("s0", data=STACK)
    axes = [{"name": d, "type": "space", "unit": "nanometer"} for d in "zyx"]
    steps = [{"type": "scale", "scale": [30, 20, 10]}, {"type": "translation", "translation": [3, 2, 1]}]
    every = [{"type": "scale", "scale": [2, 2, 2]}]
    scales = {
        "axes": axes,
        "datasets": [{"path": "s0", "coordinateTransformations": steps}],
        "coordinateTransformations": every,
    }
    group.attrs["ome"] = {"version": "0.5", "multiscales": [scales]}
    image = read(tmp_path / "a.zarr")
    assert (voxel_size(image), origin(image)) == ((0.06, 0.04, 0.02), (0.006, 0.004, 0.002))
    for axis in axes:
        del axis["unit"]
    group.attrs["ome"] = {"version": "0.5", "multiscales": [scales]}
    with pytest.raises(ValueError, match="does not state its voxel size"):
        read(tmp_path / "a.zarr")


def test_zarr_of_version_0_4(tmp_path):
    group = zarr.create_group(tmp_path / "a.zarr", zarr_format=2)
    group.create_array("0", data=STACK[None])
    axes = [
        {"name": "t", "type": "time"},
        *({"name": d, "type": "space", "unit": "micrometer"} for d in "zyx"),
    ]
    steps = [{"type": "scale", "scale": [1, 3, 2, 1]}]
    group.attrs["multiscales"] = [
        {"version": "0.4", "axes": axes, "datasets": [{"path": "0", "coordinateTransformations": steps}]}
    ]
    image = read(tmp_path / "a.zarr")
    assert image.dims == ("z", "y", "x")
    assert voxel_size(image) == (3.0, 2.0, 1.0)
