"""Legends of composites and classes: colours as they look, and only what is there."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb

import corrtomo as ct
from corrtomo.show.style import rgb

WORDS = {"caption": "Counts", "source": "digital twin", "notice": "lithium", "alt": "Maps."}
NAMES = ["7Li", "27Al", "59Co"]
COUNTS = np.random.default_rng(0).poisson([[[9.0]], [[2.0]], [[4.0]]], (3, 20, 30))
MAPS = ct.volume(COUNTS, 0.04, dims=("channel", "y", "x")).assign_coords(channel=NAMES)
BASE = ct.volume(np.arange(600, dtype=np.uint16).reshape(20, 30), 0.04, name="SE")


def test_legend_shows_colours_as_they_look_on_the_base() -> None:
    white = BASE.copy(data=np.where(BASE.values < 300, 0, 100).astype(np.uint16))
    on_white = MAPS.copy(data=np.where(white.values > 0, COUNTS + 9, 0))
    plain, over = (
        [to_rgb(patch.get_facecolor()) for patch in figure.drawing.legends[0].get_patches()]
        for figure in (
            ct.show.composite(on_white, colours="paper", **WORDS),
            ct.show.composite(on_white, colours="paper", base=white, opacity=0.4, **WORDS),
        )
    )
    np.testing.assert_allclose(plain, [(0, 1, 0), (0, 0, 1), (1, 0, 0)])
    np.testing.assert_allclose(over, [(0.4, 1, 0.4), (0.4, 0.4, 1), (1, 0.4, 0.4)], atol=0.003)


def test_legend_of_classes_names_what_is_there_in_given_colours() -> None:
    codes = BASE.copy(data=np.where(BASE.values < 300, 1, 255).astype(np.uint8))
    named = codes.assign_attrs(classes={"pores": 0, "cracks": 1})
    figure = ct.show.classes(BASE, {"found": named}, colours={"cracks": "#d55e00"}, opacity=1.0, **WORDS)
    legend = figure.drawing.legends[0]
    assert [text.get_text() for text in legend.get_texts()] == ["cracks"]
    assert tuple(figure.drawing.axes[0].images[0].get_array()[0, 0]) == rgb("#d55e00")
    for wrong, match in ({"gaps": "#d55e00"}, "the classes are pores, cracks"), ({"cracks": "red"}, "hex"):
        with pytest.raises(ValueError, match=match):
            ct.show.classes(BASE, {"found": named}, colours=wrong, **WORDS)
