"""A round trip loses nothing: values, dtype, dims, coordinates to the last bit, name, attributes."""

import string
import tempfile
from pathlib import Path

import dask.array
import numpy as np
import pytest
import xarray as xr
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from corrtomo.io import read, write
from corrtomo.phases import as_labels
from corrtomo.volume import volume, voxel_size

INTS = ["uint8", "int8", "uint16", "int16", "uint32", "int32"]
ALL = ["bool", *INTS, "uint64", "int64", "float32", "float64"]
FORMATS = {
    "a.tif": [*ALL, "float16", ">u2"],
    "a.ome.tif": ["bool", *INTS, "float32", "float64"],
    "folder": [*ALL, "float16"],
    "a.ome.zarr": [*ALL, "float16", ">u2"],
    "a.nrrd": [*ALL, ">i4"],
    "a.mha": ALL,
    "a.nii": ALL,
    "a.nii.gz": ALL,
    "a.h5": [*ALL, "float16", ">u2"],
    "a.png": ["bool", "uint8", "uint16"],
}
number = st.floats(1e-3, 1e3, allow_nan=False)
text = st.text(string.printable + "µÅ漢<&", max_size=12)


@st.composite
def images(draw, dtypes, most_channels=5, most_slices=4):
    dims = [d for d in "zyx" if draw(st.booleans())] or ["x"]
    shape = [draw(st.integers(1, most_slices if d == "z" else 9)) for d in dims]
    names = list(dims)
    channels = draw(st.one_of(st.none(), st.integers(1, most_channels)))
    if channels is not None:
        names, shape = ["channel", *dims], [channels, *shape]
    dtype = np.dtype(draw(st.sampled_from(dtypes)))
    bits = np.random.default_rng(draw(st.integers(0, 2**32 - 1))).bytes(int(np.prod(shape)) * dtype.itemsize)
    values = np.frombuffer(bits, "u1") > 127 if dtype.kind == "b" else np.frombuffer(bits, dtype)
    image = volume(
        values.reshape(shape),
        [draw(number) for _ in dims],
        origin=[draw(st.floats(-1e4, 1e4)) for _ in dims],
        dims=names,
        name=draw(st.one_of(st.none(), text)),
    )
    if channels is not None and draw(st.booleans()):
        image = image.assign_coords(
            channel=draw(st.lists(text.filter(str.strip), min_size=channels, max_size=channels, unique=True))
        )
    image.attrs |= draw(st.dictionaries(text, st.one_of(text, st.integers(-9, 9), number), max_size=2))
    if draw(
        st.booleans()
    ):  # a crop: its coordinates are not evenly counted from its own origin to the last bit
        image = image.isel({dims[-1]: slice(image.sizes[dims[-1]] // 2, None)})
    return image


def assert_same(back: xr.DataArray, image: xr.DataArray) -> None:
    assert back.dtype == image.dtype
    np.testing.assert_array_equal(np.asarray(back.data), np.asarray(image.data))
    xr.testing.assert_identical(
        back.drop_vars(image.coords), image.drop_vars(image.coords).copy(data=back.data)
    )
    assert set(back.coords) == set(image.coords)
    for d in image.coords:
        assert back[d].dtype == image[d].dtype
        np.testing.assert_array_equal(back[d].values, image[d].values)
    assert voxel_size(back) == voxel_size(image)


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_is_lost(name):
    few = {"most_channels": 4, "most_slices": 1} if name == "a.png" else {}

    @settings(max_examples=25, deadline=None, derandomize=True)
    @given(images(FORMATS[name], **few))
    def round_trip(image):
        lines = image.sizes.get("y", 1) == image.sizes.get("z", 1) == 1
        assume(not (".nii" in name and lines and image.sizes.get("channel", 1) > 1))  # refused, see below
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            write(image, path)
            assert_same(read(path).compute(), image)
            assert [p.name for p in Path(folder).iterdir()] == [name]

    round_trip()


@pytest.mark.parametrize("name", ["a.tif", "a.ome.tif", "folder", "a.ome.zarr", "a.h5", "a.nrrd"])
def test_a_lazy_image_is_written_as_one_in_memory(name, tmp_path):
    values = np.random.default_rng(0).integers(0, 2**16, (2, 9, 20, 30)).astype(np.uint16)
    image = volume(
        dask.array.from_array(values, chunks=(1, 4, 7, 30)),
        (0.3, 0.2, 0.1),
        dims=("channel", "z", "y", "x"),
        name="lazy",
    )
    write(image, tmp_path / name)
    assert_same(read(tmp_path / name).compute(), image.compute())


@pytest.mark.parametrize("name", [n for n in FORMATS if n != "a.png"])
def test_labels_keep_their_phases(name, tmp_path):
    labels = as_labels(volume(np.arange(24).reshape(2, 3, 4) % 4, 0.438, origin=(1.0, 2.0, 3.0)))
    write(labels, tmp_path / name)
    back = read(tmp_path / name)
    assert back.attrs["phases"]["CBD"] == 1
    assert_same(back.compute(), labels)


@pytest.mark.parametrize("name", FORMATS)
def test_a_slice_remembers_where_it_was_cut(name, tmp_path):
    cut = volume(np.arange(24, dtype=np.uint8).reshape(2, 3, 4), 0.5, origin=(10.0, 0.0, 0.0)).isel(z=1)
    write(cut, tmp_path / name)
    assert read(tmp_path / name).z.item() == 10.5


@pytest.mark.parametrize("name", ["a.tif", "a.mha", "a.nii.gz", "a.h5", "folder"])
def test_many_channels_with_long_names(name, tmp_path):
    image = volume(np.zeros((40, 2, 3), np.uint8), 1.0, dims=("channel", "y", "x"))
    image = image.assign_coords(channel=[f"{i} " + "x" * 300 for i in range(40)])
    write(image, tmp_path / name)
    assert_same(read(tmp_path / name), image)


@pytest.mark.parametrize("name", FORMATS)
def test_coordinates_that_were_not_counted_from_their_origin(name, tmp_path):
    cut = volume(np.zeros((3, 40), np.uint8), 0.1, origin=0.7).isel(x=slice(3, None))
    recounted = volume(cut.data, voxel_size(cut), origin=(0.7, float(cut.x[0])))
    assert (cut.x.values != recounted.x.values).any()  # by the last bit
    write(cut, tmp_path / name)
    assert_same(read(tmp_path / name).compute(), cut)


@pytest.mark.parametrize(
    ("value", "kind"),
    [(np.zeros(3), "ndarray"), ({1: 2}, "dict"), ((1, 2), "tuple"), (float("nan"), "float")],
)
def test_refuses_attributes_that_no_file_gives_back(value, kind, tmp_path):
    image = volume(np.zeros((2, 3)), 1.0).assign_attrs(scan=value)
    with pytest.raises(TypeError, match=f"attribute or coordinate 'scan' of type {kind}.*Convert it"):
        write(image, tmp_path / "a.tif")
    assert not list(tmp_path.iterdir())


def test_refuses_coordinates_that_run_along_another_axis(tmp_path):
    image = volume(np.zeros((2, 3)), 1.0).assign_coords(angle=("y", [0.0, 1.0]))
    with pytest.raises(ValueError, match=r"coordinate 'angle'.*drop_vars\('angle'\)"):
        write(image, tmp_path / "a.tif")


@pytest.mark.parametrize(
    ("name", "dtype", "instead"),
    [
        ("a.ome.tif", "int64", "plain TIFF"),
        ("a.nrrd", "float16", "OME-Zarr"),
        ("a.png", "float32", "TIFF"),
        ("a.ome.zarr", "longdouble", "HDF5"),
    ],
)
def test_refuses_what_a_format_cannot_hold(name, dtype, instead, tmp_path):
    with pytest.raises(TypeError, match=f"cannot hold that dtype. Allowed are .*write {instead}"):
        write(volume(np.zeros((2, 3), dtype), 1.0), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_png_holds_one_slice_of_up_to_four_channels(tmp_path):
    with pytest.raises(ValueError, match=r"a PNG holds one slice, and the image has 3\..*isel\(z=0\)"):
        write(volume(np.zeros((3, 2, 2), np.uint8), 1.0), tmp_path / "a.png")
    with pytest.raises(ValueError, match="1 to 4 channels, and the image has 5"):
        write(volume(np.zeros((5, 2, 2), np.uint8), 1.0, dims=("channel", "y", "x")), tmp_path / "a.png")


def test_nifti_refuses_what_does_not_come_back(tmp_path):
    image = volume(np.zeros((2, 5)), 1.0, dims=("channel", "x"))
    with pytest.raises(ValueError, match=r"a line of voxels with channels.*Write NRRD"):
        write(image, tmp_path / "a.nii")


def test_a_nifti_file_is_not_taken_for_its_packed_namesake(tmp_path):
    for i, name in enumerate(["a.nii", "a.nii.gz"]):
        write(volume(np.full((2, 3, 4), i, np.uint8), 1.0), tmp_path / name)
    assert [int(read(tmp_path / n).max()) for n in ("a.nii", "a.nii.gz")] == [0, 1]
