"""Cross-sections by name: the twin as stored, as simulated, and a reader's own."""

import numpy as np
import pytest

import corrtomo as ct
from corrtomo.datasets import kintsugi
from corrtomo.simulate.cross_section import CLASSES, PHASE_OF_CLASS


@pytest.fixture(scope="module")
def stored():
    return ct.datasets.load_section("kintsugi")


def test_the_stored_twin_is_what_the_simulation_gives(stored):
    for key, make in kintsugi.makers(0, "small").items():
        again = make()
        np.testing.assert_array_equal(getattr(stored, key), again)
        for dim in ("y", "x"):
            np.testing.assert_allclose(getattr(stored, key)[dim], again[dim], atol=1e-9)


def test_all_phases_and_both_kinds_of_cracks_are_there(stored):
    assert set(np.unique(stored.truth)) == {0, 1, 2, 3}
    assert set(np.unique(stored.classes)) == {0, 1, 2, 3, 4}
    assert set(np.unique(stored.cracks)) == {0, 1, 2}


def test_boxes_lie_in_their_classes(stored):
    painted = ct.segment.boxes(stored.boxes, stored.image, list(stored.classes.attrs["classes"]))
    where = (painted != 255).values
    np.testing.assert_array_equal(painted.values[where], stored.classes.values[where])


def test_the_maps_lie_on_the_section(stored):
    middle = [(n - 1) / 2 * 0.054 for n in stored.eds.shape[1:]]
    y, x, _ = np.linalg.inv(stored.pose) @ [*middle, 1.0]
    assert stored.image.y[0] < y < stored.image.y[-1]
    assert stored.image.x[0] < x < stored.image.x[-1]


def test_another_seed_is_another_specimen(stored):
    other = ct.datasets.load_section("kintsugi", seed=7)
    assert other.image.shape == stored.image.shape
    assert not np.array_equal(other.truth, stored.truth)


def test_settings_are_those_of_the_simulators():
    settings = ct.datasets.twin_settings()
    assert settings["dwell_time_us"] == ct.simulate.ElectronModel().dwell_us
    with pytest.raises(ValueError, match="allowed are"):
        ct.datasets.twin_settings("xt-fibsem")


def test_fields_of_view_of_both_twins():
    full = ct.datasets.fields_of_view("kintsugi").loc[("SEM", "full")]
    assert (full.x, full.y, full.voxel_nm) == (4096, 3816, 20.0)
    with pytest.raises(ValueError, match="digital twins are"):
        ct.datasets.fields_of_view("kintsugy")
    with pytest.raises(ValueError, match="digital twins are"):
        ct.datasets.fields_of_view(["kintsugi"])


def test_a_folder_of_files(stored, tmp_path):
    small = {d: slice(0, 40) for d in ("y", "x")}
    ct.write(stored.image.isel(small), tmp_path / "image.tif")
    ct.write(stored.truth.isel(small), tmp_path / "truth.tif")
    own = ct.datasets.load_section(tmp_path)
    assert own.source == "measured"
    np.testing.assert_array_equal(own.truth, stored.truth.isel(small))
    ct.write(stored.truth.isel(y=slice(1, 41), x=slice(0, 40)), tmp_path / "cracks.tif")
    with pytest.raises(ValueError, match="cracks beside the image"):
        ct.datasets.load_section(tmp_path)


def test_a_detector_alone_has_a_channel(stored, tmp_path):
    small = {d: slice(0, 40) for d in ("y", "x")}
    ct.write(stored.image.isel({**small, "channel": 0}, drop=True), tmp_path / "image.tif")
    ct.write(stored.bare.isel({**small, "channel": 0}, drop=True), tmp_path / "bare.tif")
    own = ct.datasets.load_section(tmp_path)
    assert own.image.channel.values.tolist() == own.bare.channel.values.tolist() == ["detector"]
    np.testing.assert_array_equal(own.image[0], stored.image.isel(small)[0])


def test_where_a_class_lies(stored, tmp_path):
    for name, code in stored.classes.attrs["classes"].items():
        np.testing.assert_array_equal(stored.of_class(name), stored.classes == code)
    assert stored.merge == dict.fromkeys(("platinum edge", "platinum depth"), "pore")
    assert not stored.of_class("pore").any()  # a class of other sections
    ct.write(stored.image.isel(y=slice(0, 40), x=slice(0, 40)), tmp_path / "image.tif")
    without = ct.datasets.load_section(tmp_path).of_class("platinum depth")
    assert (without.dims, without.shape, without.dtype) == (("y", "x"), (40, 40), bool)
    assert not without.any()
    with pytest.raises(ValueError, match="no class has that name. Known are current collector, active"):
        stored.of_class("platinum")
    with pytest.raises(ValueError, match=r"Cannot tell where \['pore'\] lies"):
        stored.of_class(["pore"])


def test_one_table_tells_the_phase_of_each_class(stored):
    assert tuple(PHASE_OF_CLASS) == CLASSES == tuple(stored.classes.attrs["classes"])
    for code, phase in enumerate(PHASE_OF_CLASS.values()):
        assert np.unique(stored.truth.values[stored.classes.values == code]).tolist() == [phase]


def test_folders_that_are_no_section(tmp_path):
    with pytest.raises(ValueError, match=r"0 files are named image"):
        ct.datasets.load_section(tmp_path)
    for suffix in ("tif", "png"):
        ct.write(ct.volume(np.zeros((3, 3), np.uint8), 0.1), tmp_path / f"image.{suffix}")
    with pytest.raises(ValueError, match=r"2 files are named image"):
        ct.datasets.load_section(tmp_path)


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"name": "kintsugy"}, "Did you mean 'kintsugi'"),
        ({"name": "kintsugi", "size": "medium"}, "allowed are small, full"),
        ({"name": "kintsugi", "seed": -1}, "whole number from 0"),
        ({"name": "kintsugi", "seed": True}, "whole number from 0"),
        ({"name": "kintsugi", "pixel_um": 0.1}, "states its own"),
    ],
)
def test_what_cannot_be_loaded(given, match):
    with pytest.raises(ValueError, match=match):
        ct.datasets.load_section(**given)
