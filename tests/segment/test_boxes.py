"""Scribbles from rectangles."""

import numpy as np
import pandas as pd
import pytest

import corrtomo as ct

IMAGE = ct.volume(np.zeros((2, 6, 8), np.uint8), (0.02, 0.02), dims=("channel", "y", "x"), origin=3.0)
CLASSES = (ct.Phase.AM, "platinum", "binder")


def table(*rows):
    return pd.DataFrame(rows, columns=["class", "y", "x", "height", "width"])


def test_boxes_are_painted_where_they_are():
    found = ct.segment.boxes(table(("binder", 0, 0, 2, 3), (ct.Phase.AM, 3, 4, 3, 4)), IMAGE, CLASSES)
    want = np.full((6, 8), 255)
    want[:2, :3], want[3:, 4:] = 2, 0
    np.testing.assert_array_equal(found, want)
    assert found.dtype == np.uint8
    assert found.dims == ("y", "x")
    assert ct.volume(want, 0.02, origin=3.0).coords.equals(found.coords)
    assert found.attrs["classes"] == {"active material": 0, "platinum": 1, "binder": 2}


def test_boxes_of_one_class_may_overlap():
    found = ct.segment.boxes(table(("binder", 0, 0, 3, 3), ("binder", 1, 1, 3, 3)), IMAGE, CLASSES)
    assert (found == 2).sum() == 9 + 9 - 4


def test_they_train_a_classifier():
    grey = np.zeros((20, 20), np.uint8)
    grey[:, 10:] = 100
    image = ct.volume(grey, 1.0)
    painted = ct.segment.boxes(
        table(("pore", 2, 2, 5, 6), ("binder", 2, 12, 5, 6)), image, ("pore", "binder")
    )
    model = ct.segment.PixelClassifier(("pore", "binder"), scales_um=0.3, features="intensity", trees=5)
    np.testing.assert_array_equal(model.fit(image, painted).predict(image), grey > 0)


def test_what_is_no_table():
    with pytest.raises(TypeError, match=r"Cannot paint boxes from a list: a pandas\.DataFrame"):
        ct.segment.boxes([("binder", 0, 0, 1, 1)], IMAGE, CLASSES)
    with pytest.raises(ValueError, match=r"a table of 1 rows.*Missing are \['width'\]"):
        ct.segment.boxes(table(("binder", 0, 0, 1, 1)).drop(columns="width"), IMAGE, CLASSES)
    with pytest.raises(ValueError, match="a table of 0 rows"):
        ct.segment.boxes(table(), IMAGE, CLASSES)


@pytest.mark.parametrize(
    "box", [(-1, 0, 2, 2), (0, 0, 0, 2), (5, 0, 2, 2), (0, 7, 1, 2), (0.5, 0, 1, 1), (0, 0, np.nan, 1)]
)
def test_boxes_that_are_not_in_the_image(box):
    with pytest.raises(ValueError, match="box in row 1.*not whole pixels within the image of 6 × 8"):
        ct.segment.boxes(table(("binder", 0, 0, 1, 1), ("binder", *box)), IMAGE, CLASSES)


def test_boxes_that_are_no_numbers():
    with pytest.raises(ValueError, match="box in row 0: y, x, height, width .* are not numbers"):
        ct.segment.boxes(table(("binder", 0, "left", 1, 1)), IMAGE, CLASSES)


def test_classes_that_are_unknown_and_pixels_with_two():
    with pytest.raises(ValueError, match="box in row 0: its class 'pore' is none of"):
        ct.segment.boxes(table(("pore", 0, 0, 1, 1)), IMAGE, CLASSES)
    with pytest.raises(ValueError, match="box in row 1: it overlaps a box of another class than 'platinum'"):
        ct.segment.boxes(table(("binder", 0, 0, 3, 3), ("platinum", 2, 2, 3, 3)), IMAGE, CLASSES)


def test_volumes_have_no_boxes():
    with pytest.raises(ValueError, match="2D is needed"):
        ct.segment.boxes(table(("binder", 0, 0, 1, 1)), ct.volume(np.zeros((3, 3, 3)), 1.0), CLASSES)
