"""The pillar by name: what lies in the folder data, what is made when asked for, and a reader's own."""

import numpy as np
import pandas as pd
import pytest
import tifffile

import corrtomo as ct
from corrtomo.datasets import pillar
from corrtomo.datasets.pillar import SECTION, SETUPS


@pytest.fixture(scope="module")
def twin():
    return ct.datasets.load_pillar()


def test_the_stored_section_is_what_the_simulator_makes(twin):
    for key, make in pillar.section_makers("small", 0).items():
        assert (make().values == getattr(twin, key).values).all(), key


def test_section_and_scan_are_of_one_pillar(twin):
    """What the section shows lies, by the true pose, in the volume that was scanned."""
    rng = np.random.default_rng(1)
    seen = twin.materials
    for j, i in rng.integers(100, 780, (40, 2)):
        at = twin.pose @ [0.0, float(seen.y[j]), float(seen.x[i]), 1.0]
        voxel = ct.volume(np.zeros((1, 1, 1)), 0.05, origin=at[:3].tolist())
        assert twin.truth(voxel).item() == seen.values[j, i]


def test_maps_lie_where_their_poses_say(twin):
    """Counts of lithium are where the section has active material, once brought there."""
    here = np.stack(np.meshgrid(twin.sims.y, twin.sims.x, indexing="ij"), -1).reshape(-1, 2)
    back = np.linalg.inv(twin.sims_pose)
    at = here @ back[:2, :2].T + back[:2, 2]
    j, i = (np.rint((at[:, k] - float(twin.se[d][0])) / pillar.SE_UM).astype(int) for k, d in enumerate("yx"))
    active = twin.materials.values[j, i] >= 2
    counts = twin.sims.sel(channel="7Li").values.ravel()
    assert counts[active].mean() > 10
    assert counts[~active].mean() < 0.5
    ends = twin.eds_pose @ [0.0, 0.0, 1.0]
    assert np.abs(ends[:2] - (np.array(twin.eds.shape[1:]) - 1) / 2 * pillar.EDS_UM).max() < 1.0


def test_what_was_put_in(twin):
    assert np.abs(twin.pose[0, 3] - 1.5) < 0.2
    assert twin.source_um == 400.0
    assert len(twin.drift) == len(twin.angles_deg) == SETUPS["small"].projections
    assert twin.boundaries.dtype == bool
    assert set(np.unique(twin.particles)) >= {0}
    assert "digital twin" in twin.about.lower()


def test_another_seed_is_another_pillar():
    poses = [pillar.poses(seed).section_in_scan() for seed in (0, 1)]
    assert not np.allclose(*poses)


def test_settings_are_those_of_the_paper():
    settings = ct.datasets.twin_settings("nanoct-sims")
    assert settings["angle_step_deg"] == 0.3
    assert settings["sims_field_um"] == 20.7
    assert ct.datasets.twin_settings("nanoct-sims", "small")["sims_field_um"] == 11.8
    for key, value in settings.items():
        assert ct.published.check(f"nanoct-sims.{key}", value).verdict == "agrees"
    for size in ("large", ["small"], None):
        with pytest.raises(ValueError, match="small, full"):
            ct.datasets.twin_settings("nanoct-sims", size)
    with pytest.raises(ValueError, match="Cannot list the settings of array"):
        ct.datasets.twin_settings(np.array(["kintsugi", "nanoct-sims"]))


@pytest.fixture
def folder(tmp_path):
    """A reader's folder: ten radiographs and a section."""
    rng = np.random.default_rng(1)
    counts = ct.volume(rng.poisson(500, (10, 6, 20)).astype(np.uint16), (1.0, 0.1, 0.1))
    flat = ct.volume(rng.poisson(900, (6, 20)).astype(np.uint16), 0.1)
    ct.write(counts, tmp_path / "counts.tif")
    ct.write(flat, tmp_path / "flat.tif")
    pd.DataFrame({"angle_deg": np.arange(10) * 18.0}).to_csv(tmp_path / "angles.csv", index=False)
    ct.write(ct.volume(rng.integers(0, 255, (30, 30), dtype=np.uint8), 0.05), tmp_path / "se.tif")
    return tmp_path


def test_a_readers_folder(folder):
    mine = ct.datasets.load_pillar(folder, source_um=300.0)
    assert mine.source == "measured"
    assert mine.counts.dims == ("angle", "z", "x")
    assert mine.counts.shape == (10, 6, 20)
    assert float(mine.counts.x[1] - mine.counts.x[0]) == pytest.approx(0.1)
    assert mine.flat.dims == ("angle", "z", "x")
    assert mine.angles_deg.tolist() == (np.arange(10) * 18.0).tolist()
    assert mine.se.shape == (30, 30)
    assert mine.sims is None
    assert mine.volume is None
    assert mine.pose is None
    assert mine.source_um == 300.0
    with pytest.raises(ValueError, match="nobody knows it"):
        mine.truth(ct.volume(np.zeros((2, 2, 2)), 0.1))


@pytest.mark.parametrize("stated", [{"spacing": 1.0, "zunit": "um"}, {}], ids=["1 um", "none"])
def test_the_step_between_radiographs_means_nothing(folder, stated):
    """By corrtomo, with 1 µm between images; by ImageJ, with the same, or with no step stated."""
    counts = ct.datasets.load_pillar(folder).counts
    assert ct.datasets.load_pillar(folder, pixel_um=0.1).counts.equals(counts)
    tifffile.imwrite(
        folder / "counts.tif", counts.values, imagej=True, metadata={"axes": "ZYX", "unit": "", **stated}
    )
    mine = ct.datasets.load_pillar(folder, pixel_um=0.1)
    assert mine.counts.equals(counts)
    assert mine.angles_deg.shape == (10,)
    tifffile.imwrite(
        folder / "counts.tif",
        counts.values,
        imagej=True,
        resolution=(10.0, 10.0),
        metadata={"axes": "ZYX", "unit": "um", **stated},
    )
    assert ct.datasets.load_pillar(folder).counts.equals(counts)
    with pytest.raises(ValueError, match=r"voxel size 0\.2 µm along y: the file states 0\.1"):
        _ = ct.datasets.load_pillar(folder, pixel_um=0.2).counts


def test_folders_that_do_not_do(folder, tmp_path):
    (folder / "angles.csv").unlink()
    with pytest.raises(ValueError, match="angles"):
        ct.datasets.load_pillar(folder)
    (folder / "angles.csv").write_text("turn\n1\n", encoding="utf-8")
    with pytest.raises(ValueError, match="angle_deg is needed"):
        _ = ct.datasets.load_pillar(folder).angles_deg
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ValueError, match="none of volume, counts and se"):
        ct.datasets.load_pillar(empty)


@pytest.mark.parametrize(
    ("args", "more", "match"),
    [
        (("nanoct",), {}, "known is 'nanoct-sims'"),
        ((3,), {}, "a name or a path"),
        (("nanoct-sims", "huge"), {}, "allowed are small, full"),
        (("nanoct-sims",), {"seed": -1}, "whole number"),
        (("nanoct-sims",), {"pixel_um": 0.1}, "states its own"),
    ],
)
def test_pillars_that_are_not_there(args, more, match):
    with pytest.raises((TypeError, ValueError), match=match):
        ct.datasets.load_pillar(*args, **more)


def test_a_folder_takes_no_size(folder):
    with pytest.raises(ValueError, match="choose a digital twin"):
        ct.datasets.load_pillar(folder, "full")


def test_images_of_the_section_are_all_stored():
    assert sorted(p.name for p in pillar.FOLDER.iterdir()) == sorted(f"{key}.ome.tif" for key in SECTION)


ANGLES = [str(18 * i) for i in range(10)]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("\n".join(["angle_deg,x", *(f"{a},1" for a in ANGLES[:3]), ",1", *(f"{a},1" for a in ANGLES[4:])]),
         "1 of 10 are missing or infinite, the first in line 5"),
        ("\n".join(["angle_deg", *ANGLES[:9], "inf"]), "1 of 10 are missing or infinite"),
        ("\n".join(["angle_deg", *ANGLES[:2]]), "it has 2 angles for 10 radiographs"),
        ("", "No columns to parse"),
        ('angle_deg\n"1\n2,3\n', "Cannot read angles from .*Save it as CSV"),
        ("angle_deg\n" + "True\n" * 10, "angle_deg is needed"),
        ("angle_deg\n" + "\n".join(f"{a},5" for a in ANGLES),
         "Cannot read angles from .*decimal point"),
        ("angle_deg,x\n" + "\n".join(f"{a},1,2" for a in ANGLES),
         "Cannot read angles from .*as many fields in each"),
    ],
)  # fmt: skip
def test_angles_that_do_not_do(folder, text, match):
    (folder / "angles.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=match):
        _ = ct.datasets.load_pillar(folder).angles_deg


def test_angles_that_are_no_text(folder):
    (folder / "angles.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="Cannot read angles from .*A text file is needed"):
        _ = ct.datasets.load_pillar(folder).angles_deg


def test_flats_and_darks_are_of_the_same_detector(folder):
    for name, frames in (("flat", 3), ("dark", 2)):
        path = folder / f"{name}.tif"
        path.unlink(missing_ok=True)
        ct.write(ct.volume(np.ones((frames, 6, 18), np.uint16), (1.0, 0.1, 0.1)), path)
        with pytest.raises(
            ValueError, match=r"have \(6, 18\) rows and columns, and the radiographs \(6, 20\)"
        ):
            getattr(ct.datasets.load_pillar(folder), name)


@pytest.mark.parametrize(
    ("name", "shape", "needed"),
    [
        ("volume", (5, 6), r"\('z', 'y', 'x'\) are needed"),
        ("se", (4, 5, 6), r"\('y', 'x'\) are needed"),
        ("sims", (5, 6), r"\('channel', 'y', 'x'\) are needed"),
        ("eds", (3, 5, 6), r"\('channel', 'y', 'x'\) are needed"),
    ],
)
def test_images_of_other_dims(folder, name, shape, needed):
    (folder / f"{name}.tif").unlink(missing_ok=True)
    ct.write(ct.volume(np.ones(shape, np.uint8), 0.1), folder / f"{name}.tif")
    with pytest.raises(ValueError, match=f"as {name}: its dims are .*{needed}"):
        getattr(ct.datasets.load_pillar(folder), name)


def test_damaged_files_and_two_of_one_name(folder):
    (folder / "counts.tif").write_bytes(b"II*\0junk")
    with pytest.raises(ValueError, match="truncated or damaged"):
        _ = ct.datasets.load_pillar(folder).counts
    (folder / "se.png").write_bytes((folder / "se.tif").read_bytes())
    with pytest.raises(
        ValueError, match=r"2 files are named se\.\* se\.png se\.tif.*and sims, in any format"
    ):
        ct.datasets.load_pillar(folder)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"source_um": "400"}, "source_um '400'"),
        ({"source_um": 0}, "source_um 0 µm"),
        ({"source_um": np.nan}, "source_um nan"),
        ({"source_um": True}, "source_um True"),
        ({"source_z_um": 2.0}, "without source_um: a parallel beam has no source"),
        ({"source_um": 400.0, "source_z_um": "a"}, "source_z_um 'a'"),
        ({"source_um": 400.0, "source_z_um": np.inf}, "source_z_um inf"),
    ],
)
def test_sources_that_cannot_be(folder, options, match):
    with pytest.raises((TypeError, ValueError), match=match):
        ct.datasets.load_pillar(folder, **options)


def test_a_source_may_lie_above_the_first_row(folder):
    mine = ct.datasets.load_pillar(folder, source_um=np.float32(400), source_z_um=-3)
    assert (mine.source_um, mine.source_z_um) == (400.0, -3)
