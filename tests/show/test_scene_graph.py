"""A scene as a graph: rows are images, lines are alignments at their errors."""

from typing import Any

import numpy as np
import pytest

import corrtomo as ct
import corrtomo.show
from corrtomo.register import Scene, stated
from corrtomo.show.style import ACCENT, TOO_DARK

WORDS: dict[str, Any] = {
    "caption": "A scene",
    "source": "schematic",
    "notice": "the step at the right",
    "alt": "Three bars, joined by two lines.",
}


def at(y: float, x: float) -> list[list[float]]:
    return [[1, 0, y], [0, 1, x], [0, 0, 1]]


def sample(*, errors: tuple[float, ...] = (30.0, 4.0), back: float | None = None) -> Scene:
    scene = Scene()
    for name, size, voxel in [("cell", 60, 100.0), ("detail", 50, 10.0), ("SEM", 40, 1.0)]:
        scene.add(name, ct.volume(np.zeros((size, size), np.uint8), voxel))
    scene.align("detail", "cell", stated(at(3000.0, 2000.0), error_um=errors[0]))
    scene.align("SEM", "detail", stated(at(200.0, 100.0), error_um=errors[1]))
    if back is not None:
        scene.align("SEM", "cell", stated(at(3200.0 + back, 2100.0), error_um=5.0))
    return scene


def lines(figure: ct.show.Figure) -> list[tuple[float, list[int], str]]:
    """Where each alignment stands, which rows it joins, and its colour."""
    found = [line for line in figure.drawing.axes[0].lines if line.get_marker() == "o"]
    return [(line.get_xdata()[0], list(line.get_ydata()), line.get_color()) for line in found]


def words(figure: ct.show.Figure) -> list[str]:
    return [text.get_text() for text in figure.drawing.axes[0].texts]


def test_images_are_bars_from_their_voxel_to_their_width() -> None:
    axes = ct.show.scene(sample(), **WORDS).drawing.axes[0]
    bars = [(p.get_x(), p.get_x() + p.get_width()) for p in axes.patches]
    assert bars == [(100.0, 6000.0), (10.0, 500.0), (1.0, 40.0)]
    said = [label.get_text() for label in axes.get_yticklabels()]
    assert said == ["cell\n100 µm to 6 mm", "detail\n10 µm to 500 µm", "SEM\n1 µm to 40 µm"]
    assert axes.get_xscale() == "log"
    low, high = axes.get_xlim()
    assert low < 1.0
    assert high > 6000.0


def test_alignments_stand_at_their_errors() -> None:
    figure = ct.show.scene(sample(), **WORDS)
    assert lines(figure) == [(pytest.approx(30.0), [0, 1], ACCENT), (pytest.approx(4.0), [1, 2], ACCENT)]
    assert words(figure) == ["30 µm", "4 µm"]
    assert figure.alt == WORDS["alt"]
    assert figure.caption.startswith("A scene. Schematic. Notice: the step")


def test_a_contradiction_is_seen() -> None:
    honest = lines(ct.show.scene(sample(back=5.0), **WORDS))
    assert [colour for _, _, colour in honest] == [ACCENT] * 3
    figure = ct.show.scene(sample(errors=(3.0, 0.4), back=60.0), **WORDS)
    assert [colour for _, _, colour in lines(figure)] == [TOO_DARK] * 3
    assert lines(figure)[2][1] == [0, 2], "past the row between"
    said = [text.get_text() for text in figure.drawing.legends[0].get_texts()]
    assert said == ["image: voxel to width", "in a loop that contradicts itself"]


def test_texts_do_not_lie_on_each_other() -> None:
    """Four images that are all joined with each other, with nearly the same errors."""
    scene = Scene()
    names = ["a", "b", "c", "d"]
    for name in names:
        scene.add(name, ct.volume(np.zeros((40, 40), np.uint8), 1.0))
    for i, name in enumerate(names):
        for k, other in enumerate(names[:i]):
            scene.align(name, other, stated(np.eye(3), error_um=1.0 + 0.1 * (i + k)))
    drawing = ct.show.scene(scene, **WORDS).drawing
    drawing.canvas.draw()
    boxes = [text.get_window_extent() for text in drawing.axes[0].texts]
    assert len(boxes) == 6
    share = [a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i]]
    assert sum(share) == 0


def test_what_is_exact_or_alone_is_shown_too() -> None:
    scene = sample(errors=(0.0, 4.0))
    scene.add("alone", ct.volume(np.zeros((4, 4), np.uint8), 1.0))
    figure = ct.show.scene(scene, **WORDS)
    axes = figure.drawing.axes[0]
    assert words(figure) == ["0 nm", "4 µm"]
    assert axes.get_xlim()[0] < lines(figure)[0][0] < 1.0
    assert len(axes.patches) == 4
    one = Scene()
    one.add("alone", ct.volume(np.zeros((4, 4), np.uint8), 1.0))
    assert words(ct.show.scene(one, **WORDS)) == []


def test_refusals() -> None:
    with pytest.raises(ValueError, match="Cannot show a scene without images as a graph"):
        ct.show.scene(Scene(), **WORDS)
    with pytest.raises(TypeError, match=r"Cannot show a dict as a graph: a ct\.register\.Scene"):
        ct.show.scene({}, **WORDS)
    with pytest.raises(ValueError, match="alt"):
        ct.show.scene(sample(), **WORDS | {"alt": " "})
