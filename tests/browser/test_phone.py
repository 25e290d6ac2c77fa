"""Explorers on a phone: what is moved and what comes of it are seen together; captions are whole."""

import numpy as np
import pytest
from looks import HEADER, SMALLEST, smallest_letters

import corrtomo as ct
import corrtomo.explore
from corrtomo.phases import as_labels


@pytest.fixture(scope="module")
def explorers() -> dict[str, ct.explore.Explorer]:
    rng = np.random.default_rng(2)
    codes = np.kron(rng.integers(0, 3, (2, 8, 10)), np.ones((3, 6, 6), int)).astype(np.uint8)
    grey = np.clip(60 + 60 * codes + rng.normal(0, 18, codes.shape), 0, 255).astype(np.uint8)
    codes[:, :4, :5] = ct.Phase.LEFT_OUT
    image, truth = ct.volume(grey, 0.438), as_labels(ct.volume(codes, 0.438))
    words = {"caption": "A test", "source": "digital twin"}
    sweep = {"windows_um": (3.0, 6.0), "thresholds": (90, 120), "diameters_um": (0.438, 0.876)}
    return {
        "threshold": ct.explore.threshold(image, truth, thresholds=(90, 140), ignore=255, **words),
        "kappa_map": ct.explore.kappa_map(image, truth, **words),
        "equalised": ct.explore.equalised(image, truth, am_threshold=150, **sweep, **words),
    }


@pytest.mark.parametrize("name", ["threshold", "kappa_map", "equalised"])
def test_picture_handles_and_kappa_share_one_screen(show, explorers, name: str) -> None:
    page = show(explorers[name], viewport={"width": 390, "height": 844}, has_touch=True)
    parts = [".ct-x-stage", *[".ct-x-handle >> nth=0"], ".ct-x-kappa", ".ct-x-slider >> nth=-1"]
    boxes = [page.locator(part).bounding_box() for part in parts]
    first, last = min(b["y"] for b in boxes), max(b["y"] + b["height"] for b in boxes)
    assert last - first <= 844 - HEADER
    assert smallest_letters(page) >= SMALLEST


@pytest.mark.parametrize("width", [320, 390, 700, 1280])
def test_captions_of_the_steps_are_whole(show, explorers, width: int) -> None:
    page = show(explorers["equalised"], viewport={"width": width, "height": 844})
    for tile in page.locator(".ct-x-tile").all():
        tile.click()
        cut = "e => e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1"
        assert not tile.locator("span").evaluate(cut)
        title, root = (page.locator(s).bounding_box() for s in (".ct-x-title", ".ct-x"))
        assert title["x"] + title["width"] <= root["x"] + root["width"]


def test_the_kappa_map_leaves_no_empty_field(show, explorers) -> None:
    page = show(explorers["kappa_map"], viewport={"width": 720, "height": 900})
    picture, table = (page.locator(s).bounding_box() for s in (".ct-x-controls", ".ct-x-readout table"))
    legend = page.locator(".ct-x-legend").bounding_box()
    assert picture["y"] - legend["y"] - legend["height"] < 90
    assert 0 <= table["y"] - picture["y"] - picture["height"] < 40
    assert not page.locator(".ct-x output:empty").count()
