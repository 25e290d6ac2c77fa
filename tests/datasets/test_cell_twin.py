"""Wound cells by name: the digital twin on a small scale, published data, and a reader's own."""

import os

import numpy as np
import pytest
import tifffile
from scipy import ndimage

import corrtomo as ct
from corrtomo.datasets import cell
from corrtomo.simulate.cell.layers import LAYERS

needs_data = pytest.mark.skipif(
    not os.environ.get("CORRTOMO_DATA"), reason="CORRTOMO_DATA names no folder with the published data"
)


@pytest.fixture(scope="module")
def coarse():
    """The settings of a twin of fewer, larger voxels."""
    return cell.Setup(102.0, 16, 192, 120, 70.0, (40, 200, 200))


@pytest.fixture(scope="module")
def twin(coarse, tmp_path_factory):
    """The twin of seed 0, as the small one is made, but in seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CORRTOMO_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setitem(cell.SETUPS, "small", coarse)
        found = ct.datasets.load_cell()
        assert found.overview.shape == (16, 192, 192)
        assert found.detail.shape == coarse.detail
        yield found


def test_the_twin_says_what_it_is(twin):
    assert twin.source == "digital twin"
    assert "not measured data" in twin.about
    assert twin.overview.dtype == twin.detail.dtype == np.uint16
    assert ct.voxel_size(twin.overview) == (102.0,) * 3
    assert ct.voxel_size(twin.detail) == (0.5,) * 3
    assert len(twin.outgrowths) == 24
    assert twin.winding is twin.winding_mask is twin.collectors is None


def test_the_can_stands_where_the_truth_says(twin):
    """The middle of the disc within the can is its axis, within a twentieth of a voxel."""
    low, high = twin.overview.attrs["grey_0_per_um"], twin.overview.attrs["grey_65535_per_um"]
    per_um = low + twin.overview.isel(z=1).values / 65535.0 * (high - low)
    centre = ndimage.center_of_mass(ndimage.binary_fill_holes(per_um > 2e-4))
    found = [float(twin.overview[d][0]) + 102.0 * c for d, c in zip("yx", centre, strict=True)]
    assert found == pytest.approx(twin.centre_um, abs=5.0)
    assert np.hypot(*twin.centre_um) > 10.0  # else the middle of the image would do


def test_layers_of_the_overview_are_those_of_the_truth(twin):
    truth = twin.overview_truth
    assert truth.attrs["classes"] == LAYERS
    mean = {
        name: float(twin.overview.values[truth.values == LAYERS[name]].mean())
        for name in ("can", "cathode", "anode", "open")
    }
    assert mean["can"] > 1.5 * mean["cathode"]
    assert mean["cathode"] > mean["anode"] > mean["open"]


def test_detail_and_its_truth_agree(twin):
    """Copper is by far the brightest of what is in the field: a threshold finds it nearly voxel by voxel."""
    truth = np.isin(twin.detail_truth.values, [LAYERS["copper"], LAYERS["outgrowth"]])
    low, high = twin.detail.attrs["grey_0_per_um"], twin.detail.attrs["grey_65535_per_um"]
    bright = low + twin.detail.values / 65535.0 * (high - low) > 1.1e-3
    assert (bright == truth).mean() > 0.99
    assert truth.mean() > 0.05


def test_the_detail_lies_in_the_overview_by_its_pose(twin):
    assert twin.outgrowths["in_detail"].sum() == 1
    row = twin.outgrowths[twin.outgrowths["in_detail"]].iloc[0]
    truth = twin.truth(twin.detail, frame="detail")
    rng = np.random.default_rng(2)
    for k, j, i in rng.integers(0, twin.detail.shape, (60, 3)):
        at = [float(twin.detail[d][n]) for d, n in zip("zyx", (k, j, i), strict=True)]
        there = (twin.pose @ [*at, 1.0])[:3]
        voxel = ct.volume(np.zeros((1, 1, 1)), 0.5, origin=there.tolist())
        assert twin.truth(voxel).item() == truth.values[k, j, i]
    middle = (twin.pose @ [0, 0, 0, 1])[:3] - [row.z_um, row.y_um, row.x_um]
    assert np.abs(middle).max() <= 15.0 * 1.1
    phases = twin.truth(twin.detail.isel(z=slice(0, 2)), frame="detail", phases=True)
    assert set(np.unique(phases)) <= {int(p) for p in ct.Phase}


def test_the_spiral_runs_through_copper(twin):
    table = twin.spiral()
    for row in table.iloc[50::900].itertuples():
        voxel = ct.volume(np.zeros((1, 1, 1)), 0.5, origin=(1500.0, row.y_um, row.x_um))
        assert twin.truth(voxel).item() == LAYERS["copper"]
    away = np.hypot(table["y_um"] - twin.centre_um[0], table["x_um"] - twin.centre_um[1])
    assert away.to_numpy() == pytest.approx(table["radius_um"].to_numpy())


def test_it_is_made_once(twin, coarse, monkeypatch):
    def fail(*_, **__):
        raise AssertionError("made again")

    monkeypatch.setattr(cell, "jelly_roll", fail)
    monkeypatch.setattr(cell, "fbp", fail)
    monkeypatch.setattr(cell, "cell_detail", fail)
    again = ct.datasets.load_cell()
    assert again.overview.identical(twin.overview)
    assert again.detail.equals(twin.detail)
    with pytest.raises(AssertionError, match="made again"):
        _ = ct.datasets.load_cell(seed=1).overview


def test_poses_are_of_their_seed():
    one, again, other = (cell.poses(seed).detail_in_overview() for seed in (0, 0, 1))
    assert np.array_equal(one, again)
    assert np.abs(one - other).max() > 1.0
    assert one[:3, :3] @ one[:3, :3].T == pytest.approx(np.eye(3))
    for seed in range(4):
        facing = cell.specimen(seed).outgrowths.loc[cell.poses(seed).shown]
        assert facing.z_um > cell.specimen(seed).model.cathode_below_um


@needs_data
def test_a_real_cell():
    real = ct.datasets.load_cell("cell-xct")
    assert real.source == "measured"
    assert "MIT" in real.about
    assert real.overview.shape == (100, 728, 728)
    assert ct.voxel_size(real.overview) == (33.97,) * 3
    assert real.winding.shape == real.winding_mask.shape == (576, 576)
    assert real.winding_mask.dtype == bool
    assert not real.winding.attrs["pixel_stated"]
    # The can at the height of the winding is 21 mm wide, within a millimetre.
    wide = np.ptp(np.nonzero(real.overview.isel(z=90).values > 100)[1]) * 33.97
    assert wide == pytest.approx(21_000, abs=1000)
    assert real.detail is real.pose is real.outgrowths is real.overview_truth is None
    for ask in (lambda: real.truth(real.overview), real.spiral):
        with pytest.raises(ValueError, match="nobody knows it"):
            ask()


@needs_data
def test_real_collectors():
    labels = ct.datasets.load_cell("cell-collectors").collectors
    assert labels.dims == ("y", "x")
    assert np.unique(labels).tolist() == [0, 1, 2]
    # The pitch that the twin's layers are held against: from turn to turn along a row.
    row = labels.values[875]
    gaps = np.concatenate([np.diff(np.flatnonzero(row == k)) for k in (1, 2)]) * 10.4
    assert np.median(gaps) == pytest.approx(364.0, abs=0.1)


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(1)
    ct.write(ct.volume(rng.integers(0, 255, (4, 30, 30), dtype=np.uint8), 30.0), tmp_path / "overview.tif")
    ct.write(
        ct.volume(rng.integers(0, 9, (4, 30, 30), dtype=np.uint8), 30.0), tmp_path / "overview-truth.tif"
    )
    return tmp_path


def test_a_readers_folder(folder):
    mine = ct.datasets.load_cell(folder)
    assert mine.source == "measured"
    assert mine.overview.shape == mine.overview_truth.shape == (4, 30, 30)
    assert mine.detail is mine.detail_truth is None
    tifffile.imwrite(folder / "detail.tif", np.zeros((5, 6, 7), np.uint8))
    assert ct.voxel_size(ct.datasets.load_cell(folder, detail_voxel_um=0.7).detail) == (0.7,) * 3
    tifffile.imwrite(folder / "detail.tif", np.zeros((5, 6), np.uint8))
    with pytest.raises(ValueError, match="z, y, x are needed"):
        _ = ct.datasets.load_cell(folder, detail_voxel_um=0.7).detail
    (folder / "overview.png").write_bytes(b"")
    with pytest.raises(ValueError, match=r"2 files are named overview"):
        ct.datasets.load_cell(folder)


def test_a_truth_of_another_grid_is_refused(folder):
    ct.write(ct.volume(np.zeros((4, 30, 29), np.uint8), 30.0), folder / "overview-truth.tif", overwrite=True)
    with pytest.raises(ValueError, match="Cannot use overview-truth"):
        _ = ct.datasets.load_cell(folder).overview_truth


def test_folders_that_do_not_do(folder, tmp_path):
    (folder / "overview.tif").unlink()
    with pytest.raises(ValueError, match="neither overview nor detail"):
        ct.datasets.load_cell(folder)
    with pytest.raises(ValueError, match="Leave them out"):
        ct.datasets.load_cell(tmp_path, seed=1)


@pytest.mark.parametrize(
    ("args", "more", "match"),
    [
        (("cell",), {}, "known are cell-to-particle, cell-xct"),
        (("cell-to-particle", "huge"), {}, "allowed are small, full"),
        (("cell-to-particle", None), {}, "allowed are small, full"),
        (("cell-to-particle",), {"seed": -1}, "whole number"),
        (("cell-to-particle",), {"seed": 0.5}, "whole number"),
        (("cell-to-particle",), {"detail_voxel_um": 0.5}, "states its own"),
        (("cell-xct",), {"overview_voxel_um": 30.0}, "states its own"),
        (("cell-xct", "full"), {}, "these choose a digital twin"),
    ],
)
def test_what_cannot_be_loaded(args, more, match):
    with pytest.raises(ValueError, match=match):
        ct.datasets.load_cell(*args, **more)


def test_what_is_no_name_frame_or_volume(twin):
    for name in (None, 3, np.zeros(2)):
        with pytest.raises(TypeError, match="a name or a path"):
            ct.datasets.load_cell(name)
    for frame in ("cell", None, 1):
        with pytest.raises(ValueError, match="allowed are"):
            twin.truth(twin.overview, frame=frame)
    with pytest.raises(TypeError, match=r"ct\.volume"):
        twin.truth(np.zeros((2, 2, 2)))
    with pytest.raises(ValueError, match="dims"):
        twin.truth(twin.overview.isel(z=0))
    with pytest.raises(ValueError, match="collectors are copper"):
        twin.spiral("can")
