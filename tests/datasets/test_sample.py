"""A sample of the reader's own files: what belongs together must lie on one grid."""

import numpy as np
import pytest

import corrtomo as ct


@pytest.fixture(scope="module")
def twin():
    return ct.datasets.load("xt-fibsem")


def test_the_spot_is_the_whole_cuboid_of_the_small_twin(twin):
    assert twin.spot.identical(twin.xray)


def test_all_four_files_come_back(twin, tmp_path):
    names = {"xray": "x.tif", "truth": "t.nrrd", "fibsem": "f.tif", "fibsem_truth": "l.nrrd"}
    for key, name in names.items():
        ct.write(getattr(twin, key), tmp_path / name)
    mine = ct.datasets.from_files(
        tmp_path / "x.tif", tmp_path / "t.nrrd", fibsem=tmp_path / "f.tif", fibsem_truth=tmp_path / "l.nrrd"
    )
    assert (mine.source, mine.pose) == ("measured", None)
    for key in names:
        np.testing.assert_array_equal(getattr(mine, key), getattr(twin, key))


def test_a_truth_of_a_part_is_cut_out_of_the_whole(twin, tmp_path):
    ct.write(twin.xray, tmp_path / "x.tif")
    part = twin.truth.isel(z=slice(3, 9), x=slice(20, 40))
    ct.write(part, tmp_path / "t.ome.zarr")
    mine = ct.datasets.from_files(tmp_path / "x.tif", tmp_path / "t.ome.zarr")
    np.testing.assert_array_equal(mine.spot, twin.xray.isel(z=slice(3, 9), x=slice(20, 40)))


def test_a_truth_on_another_grid_is_refused(twin, tmp_path):
    ct.write(twin.xray, tmp_path / "x.tif")
    ct.write(twin.truth.assign_coords(x=twin.truth.x + 0.2), tmp_path / "t.ome.zarr")
    with pytest.raises(ValueError, match="Cannot cut the X-ray image to its truth: .* differ"):
        ct.datasets.from_files(tmp_path / "x.tif", tmp_path / "t.ome.zarr")


def test_fib_sem_labels_on_another_grid_are_refused(twin, tmp_path):
    for key in ("xray", "fibsem"):
        ct.write(getattr(twin, key), tmp_path / f"{key}.tif")
    ct.write(twin.fibsem_truth.isel(z=slice(0, 20)), tmp_path / "l.nrrd")
    with pytest.raises(ValueError, match="Cannot compare FIB-SEM grey values with their labels: sizes"):
        ct.datasets.from_files(
            tmp_path / "xray.tif", fibsem=tmp_path / "fibsem.tif", fibsem_truth=tmp_path / "l.nrrd"
        )


def test_without_a_truth_there_is_no_spot(twin, tmp_path):
    ct.write(twin.xray, tmp_path / "x.tif")
    with pytest.raises(ValueError, match="this sample has none"):
        _ = ct.datasets.from_files(tmp_path / "x.tif").spot


def test_a_folder_of_ones_own_is_a_sample(twin, tmp_path):
    ct.write(twin.xray, tmp_path / "xray.ome.zarr")
    ct.write(twin.truth, tmp_path / "truth.nrrd")
    (tmp_path / "notes.txt").write_text("kept apart")
    mine = ct.datasets.load(tmp_path)
    np.testing.assert_array_equal(mine.spot, twin.spot)
    assert mine.fibsem is None
    assert ct.datasets.load(str(tmp_path)).about == "Measured: xray.ome.zarr."


def test_a_folder_without_or_with_two_x_ray_images_is_refused(twin, tmp_path):
    with pytest.raises(ValueError, match="0 files are named xray"):
        ct.datasets.load(tmp_path)
    ct.write(twin.xray, tmp_path / "xray.tif")
    ct.write(twin.xray, tmp_path / "xray.nrrd")
    with pytest.raises(ValueError, match=r"2 files are named xray.* xray\.nrrd xray\.tif"):
        ct.datasets.load(tmp_path)


def test_the_voxel_size_of_a_named_data_set_is_its_own():
    with pytest.raises(ValueError, match="it states its own"):
        ct.datasets.load("xt-fibsem", voxel_size_um=0.4)
