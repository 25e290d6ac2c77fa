"""Painting in napari: a stand-in for it shows what it is given and gives it back."""
# ruff: noqa: F811 - fixtures are imported, and then named again by the tests that take them

import importlib
import types
from typing import Any

import numpy as np
import pytest
import xarray as xr
from test_scribble import CLASSES, MERGE, WORDS, image, scribbles, section, strokes  # noqa: F401 - fixtures

import corrtomo as ct
import corrtomo.explore


class FakeLayer:
    def __init__(self, data: np.ndarray, **words: Any) -> None:
        self.data, self.words, self.metadata, self.colormap = data, words, {}, None


class FakeViewer:
    def __init__(self, title: str) -> None:
        self.title, self.images = title, []
        self.scale_bar = types.SimpleNamespace(visible=False, unit=None)

    def add_image(self, data: np.ndarray, **words: Any) -> None:
        self.images.append((data, words))

    def add_labels(self, data: np.ndarray, **words: Any) -> FakeLayer:
        return FakeLayer(data, **words)


@pytest.fixture
def desktop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in for napari, which is not among the requirements."""
    real = importlib.import_module
    fake = types.SimpleNamespace(Viewer=FakeViewer)
    monkeypatch.setattr(
        importlib, "import_module", lambda name, *more: fake if name == "napari" else real(name, *more)
    )


@pytest.mark.usefixtures("desktop")
def test_napari_shows_channels_and_scribbles_and_gives_them_back() -> None:
    image, classes = section(origin=5.0)
    given = strokes(classes, image)
    session = ct.explore.napari(image, given, classes=CLASSES, merge=MERGE)
    assert [words["name"] for _, words in session.viewer.images] == ["CBS", "TLD"]
    for (data, words), channel in zip(session.viewer.images, image.values, strict=True):
        np.testing.assert_array_equal(data, channel)
        assert (words["scale"], words["translate"]) == ((0.02, 0.02), (5.0, 5.0))
    np.testing.assert_array_equal(session.layer.data == 0, given.values == 255)
    np.testing.assert_array_equal(session.layer.data[given.values == 4], 5)
    assert session.layer.colormap[1] == ct.Phase.COLLECTOR.colour
    np.testing.assert_array_equal(session.scribbles, given)
    session.layer.data[0, :3] = 1, 5, 0
    assert session.scribbles.values[0, :3].tolist() == [0, 4, 255]
    assert session.scribbles.x.equals(image.x)
    explorer = ct.explore.scribble(image, CLASSES, merge=MERGE, scribbles=session.scribbles, **WORDS)
    np.testing.assert_array_equal(explorer.scribbles, session.scribbles)
    session.layer.data[0, 0] = 6
    with pytest.raises(ValueError, match=r"labels \[6\] out of napari: 5 classes have labels 1 to 5"):
        _ = session.scribbles


@pytest.mark.usefixtures("desktop")
def test_napari_begins_empty_and_takes_stacks() -> None:
    stack = ct.volume(np.zeros((3, 4, 5), np.uint16), (0.1, 0.02, 0.02))
    session = ct.explore.napari(stack, classes=("a", "b"))
    assert (session.scribbles == 255).all()
    assert session.scribbles.dims == ("z", "y", "x")
    assert (session.viewer.scale_bar.visible, session.viewer.scale_bar.unit) == (True, "um")


@pytest.mark.usefixtures("desktop")
def test_napari_refuses_scribbles_that_do_not_fit(image: xr.DataArray, scribbles: xr.DataArray) -> None:
    with pytest.raises(ValueError, match="sizes"):
        ct.explore.napari(image, scribbles[1:], classes=CLASSES)
    with pytest.raises(ValueError, match=r"codes \[3, 4\]"):
        ct.explore.napari(image, scribbles, classes=CLASSES[:3])


def test_napari_says_how_to_install_it(image: xr.DataArray, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(ImportError, match=r"pip install \"corrtomo\[desktop\]\""):
        ct.explore.napari(image, classes=CLASSES)
