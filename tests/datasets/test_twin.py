"""The digital twin "xt-fibsem": its files are repeated from the seed, its pose and truth hold together."""

import importlib.util
import json
import sys
from pathlib import Path

import dask.array as da
import numpy as np
import pytest
import tifffile
from scipy import ndimage

import corrtomo as ct
from corrtomo.datasets import load, twin_files, xt_fibsem
from corrtomo.datasets.xt_fibsem import BIN, PAPER, Scene

ROOT = Path(__file__).parents[2]
SMALL_SCENE = Scene(cuboid=(8, 10, 12), large=(36, 38, 40), corner=(10, 12, 14), fibsem=(160, 220, 240))


@pytest.fixture(scope="module")
def twin():
    return load("xt-fibsem")


def same(found, kept, *, step):
    """Tell equal up to what another processor may round differently: `step`, on one voxel in ten thousand."""
    found, kept = np.asarray(found).astype(int), np.asarray(kept).astype(int)
    return found.shape == kept.shape and np.abs(found - kept).max() <= step and (found != kept).mean() < 1e-4


def test_the_small_twin_has_the_sizes_of_the_paper(twin):
    assert twin.xray.shape == twin.truth.shape == (24, 55, 65)
    assert ct.voxel_size(twin.xray) == ct.voxel_size(twin.truth) == (0.438, 0.438, 0.438)
    assert [n * 0.438 for n in twin.xray.shape[::-1]] == pytest.approx([28.5, 24.1, 10.5], abs=0.05)
    assert twin.fibsem.dims == ("channel", "z", "y", "x")
    assert twin.fibsem.channel.values.tolist() == ["SESI", "in-lens"]
    assert ct.voxel_size(twin.fibsem) == pytest.approx((0.2016,) * 3)
    assert twin.fibsem.shape[1:] == twin.fibsem_truth.shape == (83, 171, 155)
    assert {i.dtype for i in (twin.xray, twin.truth, twin.fibsem, twin.fibsem_truth)} == {np.dtype("uint8")}
    assert set(np.unique(twin.truth)) == {0, 1, 2, 255}
    assert set(np.unique(twin.fibsem_truth)) == {0, 1, 2}
    assert twin.truth.attrs["phases"]["CBD"] == 1
    assert "Digital twin" in twin.about
    assert "fibsem_truth {'z': 83, 'y': 171, 'x': 155}" in repr(twin)


def test_the_seed_repeats_the_x_ray_image_and_the_truth(twin):
    assert same(xt_fibsem.xray(0).data, twin.xray.data, step=1)
    assert (xt_fibsem.truth(0).data != twin.truth.data).mean() < 1e-4


def test_the_seed_repeats_the_fib_sem_slices(twin):
    slab = xt_fibsem.fibsem_slab(0, 0, 2 * BIN, BIN)
    assert same(slab, twin.fibsem.data[:, :2], step=1)
    labels = xt_fibsem.fibsem_truth_slab(0, 40 * BIN, 41 * BIN, BIN)
    assert (labels != twin.fibsem_truth.data[40:41]).mean() < 1e-4


def test_it_is_simulated_where_the_folder_data_is_missing(monkeypatch, twin):
    monkeypatch.setattr(twin_files, "small_folder", lambda seed: None)
    again = load("xt-fibsem")
    assert same(again.xray.data, twin.xray.data, step=1)
    assert isinstance(again.fibsem.data, da.Array)


def test_the_pose_is_that_of_the_seed(twin):
    np.testing.assert_allclose(twin.pose, xt_fibsem.pose(0))
    np.testing.assert_allclose(np.loadtxt(ROOT / "data" / "xt-fibsem" / "pose.txt"), twin.pose)


def through_pose(twin, pose):
    """Look up the FIB-SEM truth at the X-ray voxels."""
    grid = np.stack(np.meshgrid(*(twin.truth[d].values for d in "zyx"), indexing="ij"), -1)
    there = grid @ pose[:3, :3].T + pose[:3, 3]
    start, step = [twin.fibsem_truth[d].values[0] for d in "zyx"], ct.voxel_size(twin.fibsem_truth)
    index = np.moveaxis((there - start) / step, -1, 0)
    return ndimage.map_coordinates(twin.fibsem_truth.data, index, order=0, cval=99)


def test_the_pose_brings_the_fib_sem_truth_onto_the_x_ray_truth(twin):
    known = twin.truth.data != 255
    found = through_pose(twin, twin.pose)
    assert (found != 99).all()
    agreement = (found == twin.truth.data)[known].mean()
    assert agreement > 0.95
    for axis in range(3):
        for change in (np.eye(4) + 0.5 * np.outer(np.eye(4)[axis], np.eye(4)[3]), turn(axis, 3.0)):
            assert (through_pose(twin, change @ twin.pose) == twin.truth.data)[
                known
            ].mean() < agreement - 0.02
    assert (through_pose(twin, np.eye(4)) == twin.truth.data)[known].mean() < 0.6


def turn(axis, degrees):
    matrix, (a, b) = np.eye(4), [i for i in range(3) if i != axis]
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    matrix[a, a], matrix[a, b], matrix[b, a], matrix[b, b] = c, -s, s, c
    return matrix


@pytest.mark.parametrize("seed", range(12))
def test_every_pose_keeps_the_cuboid_inside(seed):
    pose = xt_fibsem.pose(seed)
    np.testing.assert_allclose(pose[:3, :3] @ pose[:3, :3].T, np.eye(3), atol=1e-12)
    angle = np.degrees(np.arccos((np.trace(pose[:3, :3]) - 1) / 2))
    assert 0 < angle < 3.0 * np.sqrt(3)
    assert np.linalg.norm(pose[:3, 3]) > 2.0
    corners = np.array(
        [[z, y, x] for z in (-0.219, 10.293) for y in (-0.219, 23.871) for x in (-0.219, 28.251)]
    )
    there = corners @ pose[:3, :3].T + pose[:3, 3]
    assert (there > -0.0168 - 1e-9).all()
    assert (there < (np.array([500, 1027, 932]) - 0.5) * 0.0336 + 1e-9).all()


def test_a_pose_beyond_the_volume_is_seen():
    pose = xt_fibsem.pose(0)
    pose[2, 3] += 4.0
    assert not xt_fibsem.covers(pose)
    with pytest.raises(ValueError, match="none of 10 000 poses did"):
        xt_fibsem.pose(0, Scene((24, 55, 65), PAPER.large, PAPER.corner, (500, 1027, 800)))


def test_the_files_open_with_their_voxel_size_in_any_program():
    folder = ROOT / "data" / "xt-fibsem"
    for name, edge in (("xray", 0.438), ("truth", 0.438), ("fibsem", 0.2016), ("fibsem-truth", 0.2016)):
        with tifffile.TiffFile(folder / f"{name}.ome.tif") as file:
            assert file.is_ome
            pixels = tifffile.xml2dict(file.ome_metadata)["OME"]["Image"]["Pixels"]
        for axis in "XYZ":
            assert pixels[f"PhysicalSize{axis}"] == pytest.approx(edge)
            assert pixels[f"PhysicalSize{axis}Unit"] == "µm"
    assert sum(f.stat().st_size for f in (ROOT / "data").rglob("*")) <= 15e6


@pytest.fixture(scope="module")
def calibration():
    spec = importlib.util.spec_from_file_location("calibrate", ROOT / "tools" / "calibrate_xt_fibsem.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


def test_the_stored_pieces_meet_the_calibration_on_average(calibration):
    pieces = [load("xt-fibsem", seed=seed) for seed in (twin_files.SEED, *twin_files.PIECES)]
    found = [calibration.agreement(piece.xray.data, piece.truth.data) for piece in pieces]
    for name, target in calibration.TARGETS.items():
        values = np.array([each[name] for each in found])
        error = values.std(ddof=1) / np.sqrt(len(values))
        assert abs(values.mean() - target) < 3 * error
    stored = {twin_files.SEED, *twin_files.PIECES}
    assert not stored & ({*calibration.CALIBRATION} | {*calibration.CHECK})


@pytest.mark.parametrize("seed", twin_files.PIECES)
def test_the_stored_pieces_are_those_of_their_seeds(seed):
    piece = load("xt-fibsem", seed=seed)
    assert same(xt_fibsem.xray(seed).data, piece.xray.data, step=1)
    assert (xt_fibsem.truth(seed).data != piece.truth.data).mean() < 1e-4


def test_another_seed_is_another_specimen_and_lazy_where_it_is_large(twin):
    other = load("xt-fibsem", seed=3)
    assert other.xray.shape == twin.xray.shape
    assert (other.truth.data != twin.truth.data).mean() > 0.3
    assert not np.allclose(other.pose, twin.pose)
    assert isinstance(other.fibsem.data, da.Array)
    assert isinstance(other.fibsem_truth.data, da.Array)
    assert other.fibsem.shape == twin.fibsem.shape
    assert "seed 3" in other.about


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("CORRTOMO_CACHE", str(tmp_path))
    return tmp_path


def test_the_full_twin_is_made_once_and_its_fibsem_images_stay_on_disk(cache, monkeypatch):
    folder = twin_files.make_full(1, SMALL_SCENE)
    images = twin_files.open_full(folder)
    assert {key: image.shape for key, image in images.items()} == {
        "xray": (36, 38, 40),
        "truth": (8, 10, 12),
        "fibsem": (2, 160, 220, 240),
        "fibsem_truth": (160, 220, 240),
    }
    lazy = {key for key, image in images.items() if isinstance(image.data, da.Array)}
    assert lazy == {"fibsem", "fibsem_truth"}
    inside = images["xray"].reindex_like(images["truth"], method="nearest", tolerance=1e-6)
    assert np.abs(inside.values.astype(int) - xt_fibsem.xray(1, SMALL_SCENE).values).max() <= 2
    np.testing.assert_array_equal(images["truth"], xt_fibsem.truth(1, SMALL_SCENE))
    np.testing.assert_array_equal(images["fibsem"], xt_fibsem.fibsem(1, 1, SMALL_SCENE))
    np.testing.assert_array_equal(images["fibsem_truth"], xt_fibsem.fibsem_truth(1, 1, SMALL_SCENE))
    monkeypatch.setattr(xt_fibsem, "xray_large", None)  # would fail if it were made again
    assert twin_files.make_full(1, SMALL_SCENE) == folder
    assert [p.name for p in cache.iterdir()] == [folder.name]


def test_the_cached_files_are_ome_zarr(cache):
    folder = twin_files.make_full(1, SMALL_SCENE)
    ome = json.loads((folder / "fibsem.ome.zarr" / "zarr.json").read_text())["attributes"]["ome"]
    assert ome["version"] == "0.5"
    scales = ome["multiscales"][0]
    assert [axis["name"] for axis in scales["axes"]] == ["channel", "z", "y", "x"]
    assert scales["datasets"][0]["coordinateTransformations"][0]["scale"] == [1.0, 0.0336, 0.0336, 0.0336]


def test_an_interrupted_run_is_gone_on_with_image_by_image(cache, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as interrupted:
        interrupted.setattr(xt_fibsem, "fibsem_truth_slab", stop)
        with pytest.raises(KeyboardInterrupt):
            twin_files.make_full(1, SMALL_SCENE)
    folder = twin_files.cache_folder(1, "full", SMALL_SCENE)
    there = {"xray.ome.zarr", "truth.ome.zarr", "fibsem.ome.zarr"}
    assert {path.name for path in folder.iterdir()} == there
    monkeypatch.setattr(xt_fibsem, "xray_large", None)  # would fail if it were made again
    assert twin_files.make_full(1, SMALL_SCENE) == folder
    assert {path.name for path in folder.iterdir()} == there | {"fibsem_truth.ome.zarr"}


def test_what_another_process_made_meanwhile_is_taken(cache, monkeypatch):
    made = xt_fibsem.truth

    def slow(seed, scene):
        image = made(seed, scene)
        ct.write(image, twin_files.cache_folder(seed, "full", scene) / "truth.ome.zarr")
        return image

    monkeypatch.setattr(xt_fibsem, "truth", slow)
    images = twin_files.open_full(twin_files.make_full(1, SMALL_SCENE))
    np.testing.assert_array_equal(images["truth"], made(1, SMALL_SCENE))


def test_another_model_is_another_folder(cache, monkeypatch):
    before = twin_files.cache_folder(0, "full")
    monkeypatch.setattr(xt_fibsem, "XRAY_MODEL", type(xt_fibsem.XRAY_MODEL)(noise=0.2))
    assert twin_files.cache_folder(0, "full") != before
    assert before.parent == cache


def test_the_binned_fib_sem_volume_is_the_average_of_the_fine_one():
    fine = xt_fibsem.fibsem(1, 1, SMALL_SCENE).values[:, :12]
    coarse = xt_fibsem.fibsem(1, BIN, SMALL_SCENE).values[:, :2]
    count = [n // BIN for n in SMALL_SCENE.fibsem[1:]]
    blocks = fine[..., : count[0] * BIN, : count[1] * BIN].reshape(2, 2, BIN, count[0], BIN, count[1], BIN)
    np.testing.assert_allclose(coarse, blocks.mean(axis=(2, 4, 6)), atol=0.5)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"name": "xt-fib"}, "'xt-fib': not a known sample.*Did you mean 'xt-fibsem'.*fetch"),
        ({"name": "xt-fibsem", "size": "large"}, "size 'large': allowed are small, medium, full"),
        ({"name": "xt-fibsem", "seed": -1}, "seed -1: a whole number from 0"),
        ({"name": "xt-fibsem", "seed": 0.5}, "seed 0.5: a whole number from 0"),
    ],
)
def test_what_is_not_known_is_refused(arguments, match):
    with pytest.raises(ValueError, match=match):
        load(**arguments)


def test_the_medium_twin_holds_the_small_one_and_is_made_once(cache, monkeypatch):
    medium = load("xt-fibsem", "medium", seed=1)
    assert medium.xray.shape == xt_fibsem.MEDIUM
    small = load("xt-fibsem", seed=1)
    assert medium.spot.shape == small.truth.shape
    assert (medium.spot + medium.truth).shape == medium.truth.shape  # the same coordinates, to the last digit
    assert np.abs(medium.spot.values.astype(int) - small.xray.values).max() <= 2
    np.testing.assert_array_equal(medium.truth, small.truth)
    monkeypatch.setattr(xt_fibsem, "xray_medium", None)  # would fail if it were made again
    np.testing.assert_array_equal(load("xt-fibsem", "medium", seed=1).xray, medium.xray)
