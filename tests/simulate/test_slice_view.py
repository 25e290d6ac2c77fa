"""Slice-and-view stacks: the geometry of the beams, and images that show it."""

import numpy as np
import pytest
from scipy import ndimage

import corrtomo as ct
from corrtomo.simulate import face_image
from corrtomo.simulate.milling import MillingModel, mark_table, slice_table

CLEAN = ct.simulate.FaceModel(
    orientation=0, groove=0, carbon=0, curtain=0, shadow=0, shot=0, readout=0, look_um=0.1, back_um=1e-6
)


@pytest.fixture(scope="module")
def cathode():
    return ct.simulate.calendered((18.0, 20.0, 20.0), seed=1)


@pytest.fixture(scope="module")
def clean(cathode):
    return ct.simulate.slice_and_view(
        cathode, 0.05, 0.1, shape=(12, 200, 240), origin_um=(2, 0, 3), face=CLEAN, seed=4
    )


def test_slices_lie_one_behind_the_other_and_the_first_at_zero():
    table = slice_table(400, 0.05, MillingModel(thickness_sd=0.3), 1)
    assert (np.diff(table["z_um"]) > 0).all()
    assert (table.iloc[0] == 0).all()
    assert np.diff(table["z_um"]).mean() == pytest.approx(0.05, rel=0.1)


def test_an_even_slice_that_is_not_followed_rises_by_the_sine_of_the_tilt():
    model = MillingModel(thickness_sd=0, followed=0, drift_um=0)
    table = slice_table(50, 0.05, model, 1)
    np.testing.assert_allclose(table["y_um"], -table["z_um"] * np.sin(np.radians(36)), atol=1e-12)
    followed = slice_table(50, 0.05, MillingModel(thickness_sd=0, followed=1, drift_um=0), 1)
    np.testing.assert_allclose(followed["y_um"], 0.0, atol=1e-12)


def test_the_marks_stay_inside_the_image_to_the_last_slice():
    for width, depth in ((25.6, 15.0), (35.84, 19.6), (8.0, 3.0), (4.0, 30.0)):
        marks = mark_table(width, depth, 1.1, MillingModel())
        end = marks["x_um"] + marks["slope"] * depth
        assert end.between(0.0, width).all()
        assert (np.diff(end) > 0.3).all()


def test_each_image_shows_the_specimen_where_the_table_says(cathode, clean):
    """A pixel of a clean image is its phase: read back through the table of slices."""
    greys = CLEAN.greys()
    cos = np.cos(np.radians(clean.tilt_deg))
    for k in (0, 7, 11):
        row = clean.slices.iloc[k]
        z = 2.0 + row["z_um"]
        y = clean.place_um[1] + (clean.image.y.values - row["y_um"]) / cos
        x = clean.place_um[2] + clean.image.x.values - row["x_um"]
        below = y > 0
        codes = cathode.labels(
            (0.1, 0.05 / cos, 0.05), origin=(z, y[below][0], x[0]), shape=(1, below.sum(), len(x))
        ).values[0]
        seen = clean.image.values[k][below].astype(float)
        # The blur of the image reaches one pixel far.
        inner = ndimage.minimum_filter(codes, 3) == ndimage.maximum_filter(codes, 3)
        inner[:2] = inner[-2:] = inner[:, :2] = inner[:, -2:] = False
        solid = inner & (codes != 0)
        assert np.abs(seen[solid] - greys[codes[solid]]).max() <= 1.0


def test_the_truth_is_on_the_grid_that_is_asked_for(cathode, clean):
    like = ct.volume(np.zeros((5, 120, 100), np.uint8), 0.05, origin=(0.3, 2.0, 1.0))
    truth = clean.truth(like)
    where = [0.3 + 2.0, 2.0 + clean.place_um[1], 1.0 + 3.0]
    plain = cathode.labels(0.05, origin=where, shape=(5, 120, 100)).values
    depth = where[1] + 0.05 * np.arange(120)
    np.testing.assert_array_equal(truth.values[:, depth >= 0], plain[:, depth >= 0])
    assert (truth.values[:, depth < 0] == ct.Phase.LEFT_OUT).all()
    assert (truth.y == like.y).all()


def test_the_marks_are_dark_spots_where_the_table_says(clean):
    coating, mark = CLEAN.grey_coating, CLEAN.grey_mark
    pixel = 0.05
    for k in (0, 11):
        row = clean.slices.iloc[k]
        for m in clean.marks.itertuples():
            j = round((m.y_um + row["y_um"]) / pixel)
            i = round((m.x_um + m.slope * row["z_um"] + row["x_um"]) / pixel)
            assert clean.image.values[k, j, i] == mark
            assert clean.image.values[k, j, i + 9] == coating


def test_through_a_pore_the_beam_sees_down_and_behind():
    """A wall two slices behind a pore is met lower in the image, by the tangent of the tilt."""
    codes = np.full((4, 60, 20), 1, np.uint8)
    codes[0, 10:50, 5:15] = 0
    codes[1, 10:50, 5:15] = 0
    codes[2] = 2
    codes[2, 30:, :] = 1
    z = np.array([0.0, 0.5, 1.0, 1.5])
    shift = np.stack([z * 10.0, np.zeros(4)], axis=1)  # ten rows lower for each µm
    seen, depth = face_image.look_back(codes, 1, z, shift, 2.0)
    assert seen[0, 15, 10] == 2  # row 15 meets row 25 of the third face
    assert depth[0, 15, 10] == pytest.approx(1.0)
    assert seen[0, 21, 10] == 1  # row 21 meets row 31
    assert seen[0, 46, 10] == 1  # row 46 meets row 51 of the second face: the pore's floor
    assert depth[0, 46, 10] == pytest.approx(0.5)
    assert seen[0, 5, 10] == 0  # the face itself is seen there, no pore


def test_pores_are_as_grey_at_the_lower_edge_as_above(cathode):
    """What shows behind them lies below the image there."""
    model = ct.simulate.FaceModel(**{**vars(CLEAN), "look_um": 1.5, "back_um": 5.0})
    stack = ct.simulate.slice_and_view(cathode, 0.05, 0.1, shape=(6, 180, 240), face=model, seed=4)
    tall = ct.simulate.slice_and_view(cathode, 0.05, 0.1, shape=(6, 240, 240), face=model, seed=4)
    np.testing.assert_array_equal(stack.image.values[:, 60:178], tall.image.values[:, 60:178])


def test_noise_curtains_and_grooves_are_on_what_they_should_be_on(cathode):
    def image(**on):
        model = ct.simulate.FaceModel(**{**vars(CLEAN), **on})
        return ct.simulate.slice_and_view(cathode, 0.05, 0.1, shape=(2, 200, 240), face=model, seed=4)

    bare = image()
    phase = np.searchsorted([65.0, 130.0, 195.0], bare.image.values.astype(float))
    grooved = image(groove=10.0).image.values.astype(float) - bare.image.values
    assert grooved[phase == 2].std() == pytest.approx(10.0 * 0.6, rel=0.5)
    assert grooved[phase == 1].std() < 2.0
    noisy = image(shot=0.4, readout=3.0).image.values.astype(float) - bare.image.values
    flat = phase == 2
    assert noisy[flat].var() == pytest.approx(0.4 * 165 + 9, rel=0.1)


def test_a_longer_stack_begins_like_a_shorter_one(cathode):
    short, long = (
        ct.simulate.slice_and_view(cathode, 0.1, 0.1, shape=(n, 90, 80), seed=2).image.values for n in (3, 40)
    )
    # Marks are laid out for the depth of the whole stack, so below the coating.
    np.testing.assert_array_equal(short[:, 50:], long[:3, 50:])


def test_a_polished_section_shows_the_plane(cathode):
    image = ct.simulate.polished_section(cathode, 0.1, shape=(210, 150), origin_um=(4, 0, 2), face=CLEAN)
    truth = cathode.labels(0.1, origin=(4, 0, 2), shape=(1, 210, 150)).values[0]
    assert image.values[205:].mean() == pytest.approx(CLEAN.grey_collector, abs=2)
    for code, grey in ((1, CLEAN.grey_cbd), (2, CLEAN.grey_am)):
        assert np.median(image.values[truth == code]) == grey


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"shape": (3, 10, 40)}, ValueError, "the coating alone takes"),
        ({"shape": (3, 40)}, ValueError, "three whole numbers of voxels"),
        ({"pixel_um": 0.0}, ValueError, "pixel_um 0.0"),
        ({"slice_um": "thin"}, ValueError, "slice_um 'thin'"),
        ({"seed": 1.5}, ValueError, "seed 1.5"),
        ({"specimen": ct.volume(np.zeros((3, 3, 3)), 1.0)}, TypeError, "a calendered cathode is needed"),
        ({"milling": "x"}, TypeError, "with milling 'x': a MillingModel is needed"),
        ({"milling": 0}, TypeError, "with milling 0"),
        ({"face": 0}, TypeError, "with face 0: a FaceModel is needed"),
        ({"face": MillingModel()}, TypeError, "a FaceModel is needed"),
        ({"progress": None}, TypeError, "Cannot show progress with None"),
        ({"slice_um": 1e-6}, ValueError, "Cannot look 1.5 µm deep behind a face, in planes 1e-06 µm apart"),
        ({"slice_um": 1e4}, ValueError, "Cannot simulate a window of .* nodes"),
        ({"milling": MillingModel(drift_um=1e300)}, ValueError, "less drift"),
    ],
)
def test_what_cannot_be_milled_is_refused(cathode, change, error, message):
    given = {"specimen": cathode, "pixel_um": 0.05, "slice_um": 0.1, "shape": (3, 100, 100), **change}
    with pytest.raises(error, match=message):
        ct.simulate.slice_and_view(
            given.pop("specimen"), given.pop("pixel_um"), given.pop("slice_um"), **given
        )


@pytest.mark.parametrize(
    ("pixel_um", "face", "error", "message"),
    [
        (1e-6, None, ValueError, "Cannot look 1.5 µm deep"),
        (0.2, ct.simulate.FaceModel(look_um=1e6), ValueError, "Lower look_um"),
        (0.2, MillingModel(), TypeError, "a FaceModel is needed"),
    ],
)
def test_what_cannot_be_polished_is_refused(cathode, pixel_um, face, error, message):
    with pytest.raises(error, match=message):
        ct.simulate.polished_section(cathode, pixel_um, shape=(100, 80), face=face)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MillingModel(tilt_deg=90), "Cannot look at a face under tilt_deg 90"),
        (lambda: MillingModel(thickness_sd=0.9), "thickness_sd 0.9"),
        (lambda: MillingModel(drift_um=-1), "drift_um -1"),
        (lambda: MillingModel(mark_um=0), "mark_um 0"),
        (lambda: ct.simulate.FaceModel(groove=-1), "groove -1"),
        (lambda: MillingModel(tilt_deg="36"), "tilt_deg '36'"),
        (lambda: MillingModel(tilt_deg=True), "tilt_deg True"),
        (lambda: MillingModel(followed=None), "followed None"),
        (lambda: MillingModel(coating_um="1"), "coating_um '1'"),
        (lambda: MillingModel(drift_um=None), "drift_um None"),
        (lambda: ct.simulate.FaceModel(back_um=0), "back_um 0: a finite length above zero"),
        (lambda: ct.simulate.FaceModel(look_um=np.inf), "look_um inf"),
        (lambda: ct.simulate.FaceModel(shadow=5), "shadow 5: a number from 0 to 1 is needed"),
        (lambda: ct.simulate.FaceModel(groove=1e30), "groove 1e.30: a number from 0 to 255"),
        (lambda: ct.simulate.FaceModel(grey_am=True), "grey_am True"),
        (lambda: ct.simulate.FaceModel(grey_am=None), "grey_am None"),
    ],
)
def test_models_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_the_truth_is_told_on_volumes_only(clean):
    with pytest.raises(ValueError, match="3D"):
        clean.truth(clean.image.isel(z=0))
