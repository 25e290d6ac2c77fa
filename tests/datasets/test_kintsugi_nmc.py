"""The measured platinum-filled cathode: its boxes lie where they should, or are refused."""

import os

import numpy as np
import pytest

import corrtomo as ct
from corrtomo.datasets.kintsugi_nmc import kintsugi_figure, kintsugi_nmc, read_boxes

needs_data = pytest.mark.skipif(
    not os.environ.get("CORRTOMO_DATA"), reason="CORRTOMO_DATA names no folder with the published data"
)
ONE = "# PT\n710\n346\n207\n200\n1\nNL\n"


@needs_data
def test_the_image_and_its_boxes():
    image, boxes = kintsugi_nmc()
    assert (image.shape, image.dtype, ct.voxel_size(image)) == ((682, 1024), np.uint8, (0.02, 0.02))
    assert ct.voxel_size(kintsugi_nmc(pixel_um=0.03)[0]) == (0.03, 0.03)
    assert list(boxes.columns) == ["class", "y", "x", "height", "width"]
    assert boxes["class"].tolist() == ["active material", "platinum", "carbon binder domain", "void"]


@needs_data
def test_each_box_holds_the_grey_of_its_class():
    """x, y, width, height: with the axes exchanged, the box of binder would hold active material."""
    image, boxes = kintsugi_nmc()
    grey = {}
    for box in boxes.itertuples():
        part = image.values[box.y : box.y + box.height, box.x : box.x + box.width]
        assert part.shape == (box.height, box.width)
        grey[box[1]] = np.median(part)
    assert grey["void"] < 50 < grey["carbon binder domain"] < 120 < grey["active material"] < 150
    assert grey["platinum"] > 240


@needs_data
def test_boxes_are_painted_as_scribbles():
    image, boxes = kintsugi_nmc()
    names = ("active material", "carbon binder domain", "platinum", "void")
    painted = ct.segment.boxes(boxes, image, names)
    found = np.bincount(painted.values.ravel(), minlength=256)
    assert found[:4].tolist() == [174 * 102, 52 * 145, 200 * 207, 44 * 24]


@needs_data
def test_the_figure_s_panels():
    section = kintsugi_figure()
    assert section.shape == (3, 357, 526)
    assert (section[0] == section[2]).mean() > 0.99  # grey
    assert float((section[0] > 240).mean()) == pytest.approx(0.06, abs=0.04)  # platinum
    composite = kintsugi_figure("EDS composite", pixel_um=0.5)
    assert composite.shape == (3, 246, 843)
    assert ct.voxel_size(composite) == (0.5, 0.5)
    blue = composite.sel(channel="blue")[20:60, 100:700].mean()
    assert blue > 2 * composite.sel(channel="green")[20:60, 100:700].mean()


def test_there_are_two_panels():
    with pytest.raises(ValueError, match="has 'backscattered electrons', 'EDS composite'"):
        kintsugi_figure("scale bar")


def test_boxes_are_read(tmp_path):
    path = tmp_path / "boxes.txt"
    path.write_text(ONE + "# VOID \n344\n524\n24\n44\n3\nNL\n", encoding="utf-8")
    assert read_boxes(path).to_numpy().tolist() == [
        ["platinum", 346, 710, 200, 207],
        ["void", 524, 344, 44, 24],
    ]


@pytest.mark.parametrize(
    "text",
    [
        ONE.replace("# PT", "# GOLD"),
        ONE.replace("# PT", "PT"),
        ONE.replace("710", "71.5"),
        ONE.replace("710", "-3"),
        ONE.replace("NL", "710"),
        ONE + "# VOID\n344\n",
    ],
)
def test_boxes_written_otherwise_are_refused(tmp_path, text):
    path = tmp_path / "boxes.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"Cannot read boxes from .*a line each"):
        read_boxes(path)
