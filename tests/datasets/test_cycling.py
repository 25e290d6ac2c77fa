"""Cycled cathodes: what lies in the folder data is what the generator makes, and has the paper's sizes."""

import numpy as np
import pandas as pd
import pytest

import corrtomo as ct
from corrtomo.datasets import cycling

SMALL = {"am_fraction": 0.6, "cbd_fraction": 0.25, "contact": 0.5, "seed": 3}


def test_a_stored_cathode_comes_back_as_it_was(tmp_path, monkeypatch):
    made = ct.simulate.calendered((18.0, 20.0, 20.0), **SMALL)
    cycling.write_specimen(made, tmp_path / "nmc-0.csv")
    monkeypatch.setitem(cycling.CATHODES, "nmc", cycling.CATHODES["nmc"])
    back = cycling.read_specimen(tmp_path / "nmc-0.csv", "nmc", 0)
    pd.testing.assert_frame_equal(back.pressed.particles, made.pressed.particles, rtol=1e-10)
    assert (back.cbd_threshold, back.let_go, back.seed) == (made.cbd_threshold, made.let_go, made.seed)
    same = back.labels(0.1, shape=(30, 60, 60)).values == made.labels(0.1, shape=(30, 60, 60)).values
    assert same.mean() > 0.9999


def test_the_stored_cathode_is_what_the_generator_draws(tmp_path):
    cycling.write_specimen(cycling.draw("nmc", 50, 0), tmp_path / "again.csv")
    stored = (cycling.FOLDER / "nmc-50.csv").read_text(encoding="utf-8").splitlines()
    again = (tmp_path / "again.csv").read_text(encoding="utf-8").splitlines()
    assert len(stored) == len(again)
    numbers = [np.loadtxt(lines[2:], delimiter=",") for lines in (stored, again)]
    np.testing.assert_allclose(*numbers, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ["nmc", "he-nmc"])
def test_a_full_stack_has_the_size_of_the_paper(name):
    row = {key: r.value for key, r in ct.published.rows().items()}
    short = name.removesuffix("-nmc") if name == "he-nmc" else "nmc"
    cathode = cycling.CATHODES[name]
    assert cathode.shape == (
        row[f"cycling-contact.slices_{short}"],
        row["cycling-contact.image_height_px"],
        row["cycling-contact.image_width_px"],
    )
    assert cathode.pixel_um * 1000 == pytest.approx(row[f"cycling-contact.pixel_{short}_nm"])
    assert cathode.slice_um * 1000 == pytest.approx(row[f"cycling-contact.slice_{short}_nm"])


def test_contact_and_fractions_hold_in_what_the_stack_shows():
    cathode = cycling.specimen("nmc", 20, 0)
    labels = [
        cathode.labels(0.05, origin=(z, 0.025, 1.025), shape=(2, 447, 512)) for z in np.arange(1.5, 16, 1.0)
    ]
    contact = np.mean([ct.measure.contact_fraction(part, axes=("x",)) for part in labels])
    assert contact == pytest.approx(0.48, abs=0.02)
    shares = np.mean([[(part == p).mean() for p in (0, 1, 2)] for part in labels], axis=0)
    np.testing.assert_allclose(shares, [0.07, 0.24, 0.69], atol=0.01)


def test_states_by_name(tmp_path):
    labels = ct.volume(np.array([[[0, 1, 2, 2]]], np.uint8), 0.05)
    ct.write(labels, tmp_path / "mine.tif")
    loaded = ct.datasets.load_states({"mine": str(tmp_path / "mine.tif")})
    np.testing.assert_array_equal(loaded["mine"], labels)
    with pytest.raises(TypeError, match="Cannot load a list of samples"):
        ct.datasets.load_states(["mine.tif"])


def test_a_small_stack_knows_its_truth():
    stack = ct.datasets.load_stack("nmc", 50)
    cos = np.cos(np.radians(stack.tilt_deg))
    like = ct.volume(np.zeros((3, 200, 300), np.uint8), (0.05, 0.025 / cos, 0.025))
    truth = stack.truth(like)
    assert set(np.unique(truth)) <= {0, 1, 2, 255}
    row = 260
    depth = row * 0.025 / cos
    seen = stack.image.values[0, row, :300].astype(float)
    below = truth.sel(z=0, y=depth, method="nearest").values if depth <= float(like.y[-1]) else None
    lower = ct.volume(np.zeros((1, 1, 300), np.uint8), (0.05, 0.025 / cos, 0.025), origin=(0, depth, 0))
    phases = stack.truth(lower).values[0, 0] if below is None else below
    assert seen[phases == 2].mean() > seen[phases == 1].mean() + 40


def test_states_are_different_pieces_unless_they_are_cycled():
    first, second = (cycling.specimen("nmc", c, 0).pressed.particles for c in (0, 20))
    assert len(first) != len(second) or not np.allclose(first["x_um"], second["x_um"])


def test_polished_sections_lie_in_the_folder_data():
    for cycles in cycling.STORED:
        section = ct.datasets.load_polished(cycles, 2)
        assert section.image.shape == section.truth.shape == (1200, 1000)
        assert section.source == "digital twin"
        assert ct.voxel_size(section.image) == (0.05, 0.05)
        for phase in (ct.Phase.AM, ct.Phase.CBD, ct.Phase.PORE):
            np.testing.assert_array_equal(section.of_class(phase.label), section.truth == phase)
        assert not section.of_class("platinum depth").any()
        assert section.merge == {}


def test_a_place_is_a_number(monkeypatch):
    def unpacked(*_):
        raise AssertionError("simulated what lies in the folder data")

    monkeypatch.setattr(cycling, "polished", unpacked)
    image = ct.datasets.load_polished(0, 1.0).image
    np.testing.assert_array_equal(image, ct.datasets.load_polished(0, np.int64(1)).image)


def test_a_folder_of_ones_own(tmp_path):
    stack = ct.datasets.load_stack("nmc")
    ct.write(stack.image.isel(z=slice(5)), tmp_path / "stack.tif")
    stack.marks.to_csv(tmp_path / "marks.csv", index=False)
    mine = ct.datasets.load_stack(tmp_path, tilt_deg=52.0)
    np.testing.assert_array_equal(mine.image, stack.image.isel(z=slice(5)))
    assert (mine.tilt_deg, mine.source, mine.slices) == (52.0, "measured", None)
    pd.testing.assert_frame_equal(mine.marks, stack.marks)
    with pytest.raises(ValueError, match="nobody knows it"):
        mine.truth(mine.image)
    (tmp_path / "marks.csv").write_text("y,x\n1,2\n")
    with pytest.raises(ValueError, match="y_um, x_um and slope are needed"):
        ct.datasets.load_stack(tmp_path)


@pytest.fixture
def folder(tmp_path):
    ct.write(ct.volume(np.zeros((3, 8, 9), np.uint8), (0.05, 0.025, 0.025)), tmp_path / "stack.tif")
    return tmp_path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("y_um,x_um,slope\n1,2,0,7\n", "Cannot read the marks of .*marks.csv"),
        ("y_um,x_um,slope\n1,2,0\n1,2,0,7\n", "Cannot read the marks of .*saw 4"),
        ("y_um,x_um,slope\n1,2\n", "1 rows, and one or more are needed, with finite numbers"),
        ("y_um,x_um,slope\na,b,c\n", "with finite numbers"),
        ("y_um,x_um,slope\n1,nan,0\n", "with finite numbers"),
        ("y_um,x_um,slope\n1,inf,0\n", "with finite numbers"),
        ("y_um,x_um,slope\n", "0 rows"),
        ("", "Cannot read the marks of .*marks.csv: No columns"),
        ("y_um,x_um,slope\n1,2,0\n".encode("utf-16"), "Cannot read the marks of .*marks.csv.*in UTF-8"),
    ],
)
def test_marks_that_are_none_are_refused(folder, text, message):
    (folder / "marks.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ValueError, match=message):
        ct.datasets.load_stack(folder)


@pytest.mark.parametrize("text", ["y_um,x_um,slope\n1,2,0\n", "\ufeffnote,y_um,x_um,slope\na,1,2,0,\n\n"])
def test_marks_are_read_by_their_columns(folder, text):
    (folder / "marks.csv").write_bytes(text.encode())
    marks = ct.datasets.load_stack(folder).marks
    assert marks[["y_um", "x_um", "slope"]].to_numpy().tolist() == [[1, 2, 0]]


@pytest.mark.parametrize(
    ("tilt", "error"),
    [(float("nan"), ValueError), (-400, ValueError), (90, ValueError), ("36", TypeError), (True, TypeError)],
)
def test_angles_that_cannot_be_are_refused(folder, tilt, error):
    with pytest.raises(error, match=f"Cannot load a stack with tilt_deg {tilt!r}: a number from 0 to 80"):
        ct.datasets.load_stack(folder, tilt_deg=tilt)


@pytest.mark.parametrize(
    ("image", "error", "message"),
    [
        (np.zeros((1, 8, 9), np.uint8), ValueError, "one slice, and two or more are needed"),
        (np.zeros((3, 8, 9), bool), TypeError, "a mask of booleans"),
    ],
)
def test_images_that_are_no_stack_are_refused(tmp_path, image, error, message):
    ct.write(ct.volume(image, 0.05), tmp_path / "stack.ome.zarr")
    with pytest.raises(error, match=message):
        ct.datasets.load_stack(tmp_path)


def test_the_truth_is_told_on_volumes():
    stack = ct.datasets.load_stack("nmc")
    with pytest.raises(ValueError, match="Cannot use a 2D image with dims"):
        stack.truth(stack.image.isel(z=0))
    with pytest.raises(ValueError, match="Cannot tell the truth on an image: the image has 2 channels"):
        stack.truth(stack.image.expand_dims(channel=["a", "b"]))


@pytest.mark.parametrize("name", [None, 5, ["nmc"], b"nmc"])
@pytest.mark.parametrize("load", [ct.datasets.load_stack, ct.datasets.load_phases])
def test_names_that_are_none_are_refused(load, name):
    with pytest.raises(TypeError, match="a name or a path is needed"):
        load(name)


def test_labels_of_ones_own(tmp_path):
    labels = ct.volume(np.array([[[0, 1, 2, 2]]], np.uint8), 0.05)
    ct.write(labels, tmp_path / "mine.tif")
    back = ct.datasets.load_phases(tmp_path / "mine.tif")
    np.testing.assert_array_equal(back, labels)
    assert back.attrs["phases"]["AM"] == 2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ct.datasets.load_stack("nmc", 10), "after 10 cycles"),
        (lambda: ct.datasets.load_stack("lfp"), "Cannot load 'lfp'"),
        (lambda: ct.datasets.load_stack("nmc", size="huge"), "at size 'huge'"),
        (lambda: ct.datasets.load_stack("nmc", seed=-1), "with seed -1"),
        (lambda: ct.datasets.load_stack("nmc", tilt_deg=10.0), "Leave both out"),
        (lambda: ct.datasets.load_phases("he-nmc", 20), "after 20 cycles"),
        (lambda: ct.datasets.load_phases("nmc", voxel_size_um=1.0), "states its own"),
        (lambda: ct.datasets.load_polished(0, 3), "Cannot load place 3"),
        (lambda: ct.datasets.load_polished(1), "after 1 cycles"),
        (lambda: ct.datasets.load_polished(0, True), "Cannot load place True"),
        (lambda: ct.datasets.load_polished(0, np.array([0, 1])), "Cannot load place array"),
        (lambda: ct.datasets.load_polished(0, "1"), "Cannot load place '1'"),
        (lambda: ct.datasets.load_stack("he-nmc", True), "after True cycles"),
        (lambda: ct.datasets.load_stack("nmc", np.array([20, 0])), "after array"),
        (lambda: ct.datasets.load_stack("nmc", [20]), r"after \[20\] cycles"),
        (lambda: ct.datasets.load_stack("x" * 5000), "known are nmc and he-nmc"),
        (lambda: ct.datasets.load_phases("x" * 5000), "known are nmc and he-nmc"),
        (lambda: ct.datasets.load_phases(cycling.FOLDER / "nmc-0.csv", 20), "choose a digital twin"),
        (lambda: ct.datasets.load_stack(cycling.FOLDER, seed=2), "choose a digital twin"),
    ],
)
def test_what_there_is_not_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_the_fields_of_view_are_those_of_the_images():
    table = ct.datasets.fields_of_view("cycling-contact")
    image = ct.datasets.load_stack("nmc").image
    row = table.loc[("nmc", "small")]
    assert (row["y"], row["x"]) == image.shape[1:]
    assert row["z_um"] == pytest.approx(image.sizes["z"] * 0.05)
    assert table.loc[("he-nmc", "full"), "x_um"] == pytest.approx(1024 * 0.035)


def test_the_particles_that_were_drawn_fill_their_fraction_but_for_overlaps():
    table = ct.datasets.drawn_particles("nmc", 20)
    assert 0.69 < table.volume_um3.sum() / table.attrs["piece_um3"] < 1.0
    with pytest.raises(ValueError, match="after 10 cycles"):
        ct.datasets.drawn_particles("nmc", 10)


def test_labelled_images_lie_over_the_raw_ones():
    """Grey values of a drifted image sort by its own labels, and less well by those of the first image."""
    stack = ct.datasets.load_stack("nmc")
    labels = stack.labelled([0, 59])
    assert (labels.values[1:59] == 255).all()

    def apart(image, codes):
        solid = [image[codes == p].mean() for p in (1, 2)]
        wrong = np.mean((image > 128)[codes == 1]) + np.mean((image < 112)[codes == 2])
        return solid[1] - solid[0], wrong

    last = stack.image.values[59].astype(float)
    right, shifted = (apart(last, labels.values[k]) for k in (59, 0))
    assert right[0] > 60
    assert right[1] < 0.05 < shifted[1]
    with pytest.raises(ValueError, match="whole numbers from 0 to 59"):
        stack.labelled([60])
