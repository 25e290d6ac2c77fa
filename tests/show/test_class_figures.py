"""Pictures of classes, count maps and curves."""

import numpy as np
import pandas as pd
import pytest

import corrtomo as ct
from corrtomo.show.classes import class_colours
from corrtomo.show.style import rgb

WORDS = {"caption": "A slice", "source": "digital twin", "notice": "the edges", "alt": "Two slices."}
IMAGE = ct.volume(np.arange(48, dtype=np.uint8).reshape(6, 8), 0.1)
CODES = IMAGE.copy(data=np.where(IMAGE.data < 16, 0, np.where(IMAGE.data < 32, 1, 255)).astype(np.uint8))
NAMED = CODES.assign_attrs(classes={"platinum edge": 0, "carbon binder domain": 1}, phases={})
MAPS = ct.volume(np.stack([np.eye(6), 5 * np.eye(6)[::-1]]).astype(int), 0.1, dims=("channel", "y", "x"))
MAPS = MAPS.assign_coords(channel=["Ni", "Pt"])
TABLE = pd.DataFrame({"n": [1, 2, 4], "k": [0.5, 0.6, 0.7], "low": [0.4, 0.5, 0.7], "high": [0.6, 0.7, 0.7]})


def picture(figure, panel=0):
    return np.asarray(figure.drawing.axes[panel].images[0].get_array())


def test_classes_are_painted_and_what_is_not_stays_grey():
    figure = ct.show.classes(IMAGE, {"painted": NAMED}, opacity=1.0, merge={"platinum edge": "pore"}, **WORDS)
    shown = picture(figure)
    assert tuple(shown[0, 0]) == rgb(
        class_colours(["platinum edge", "binder"], {"platinum edge": "pore"})["platinum edge"]
    )
    assert tuple(shown[2, 0]) == rgb(ct.Phase.CBD.colour)
    assert len(set(shown[5, 5].tolist())) == 1
    assert "0.1 µm" in figure.caption


def test_labels_of_phases_have_their_colours():
    labels = ct.phases.as_labels(CODES)
    shown = picture(ct.show.classes(IMAGE, {"phases": labels}, opacity=1.0, **WORDS))
    assert tuple(shown[0, 0]) == rgb(ct.Phase.PORE.colour)


def test_merged_classes_have_tints_of_one_colour():
    colours = class_colours(("edge", "depth", "binder"), {"edge": "pore", "depth": "pore"})
    assert colours["depth"] == ct.Phase.PORE.colour
    assert colours["edge"] != colours["depth"]
    assert len(set(class_colours([f"class {i}" for i in range(5)]).values())) == 5


def test_a_composite_adds_the_colours():
    figure = ct.show.composite(MAPS, colours={"Ni": "#ff0000", "Pt": "#0000ff"}, apart=True, **WORDS)
    together, nickel, platinum = (picture(figure, k) for k in range(3))
    np.testing.assert_array_equal(together, np.minimum(nickel.astype(int) + platinum, 255))
    assert tuple(nickel[0, 0]) == (255, 0, 0)
    assert tuple(platinum[5, 0]) == (0, 0, 255)


def test_curves_draw_their_intervals():
    figure = ct.show.curves({"one": TABLE, "two": TABLE}, x="n", y="k", scale="log", level=0.5, **WORDS)
    axes = figure.drawing.axes[0]
    assert axes.get_xscale() == "log"
    assert [t.get_text() for t in axes.get_xticklabels()] == ["1", "2", "4"]
    assert len(axes.containers) == 2


def test_curves_of_one_course_stand_beside_one_another():
    """As drawn, in points; the numbers stay those of the table."""
    figure = ct.show.curves({"one": TABLE, "two": TABLE, "three": TABLE}, x="n", y="k", **WORDS)
    axes, drawing = figure.drawing.axes[0], figure.drawing
    drawing.canvas.draw()
    at = []
    for line, caps, bars in axes.containers:
        np.testing.assert_array_equal(line.get_xdata(), TABLE["n"])
        parts = [line.get_transform().transform(line.get_xydata())[0, 0]]
        parts += [cap.get_transform().transform(cap.get_xydata())[0, 0] for cap in caps]
        parts += [bar.get_transform().transform(bar.get_segments()[0])[0, 0] for bar in bars]
        assert parts == pytest.approx([parts[0]] * 4), "a point, the bar through it and both of its ends"
        at.append(72 * parts[0] / drawing.dpi)
    assert np.diff(at) == pytest.approx([6, 6])
    assert at[1] == pytest.approx(72 * axes.transData.transform((TABLE["n"].iloc[0], 0))[0] / drawing.dpi)


def test_curves_whose_intervals_are_none_stand_at_their_places():
    bare = TABLE.assign(low=TABLE["k"], high=TABLE["k"])
    axes = ct.show.curves({"one": bare, "two": bare}, x="n", y="k", **WORDS).drawing.axes[0]
    axes.figure.canvas.draw()
    for line, _, _ in axes.containers:
        np.testing.assert_allclose(
            line.get_transform().transform(line.get_xydata()), axes.transData.transform(line.get_xydata())
        )


def test_names_stand_at_the_axis():
    named = TABLE.assign(n=["cell", "detail", "SEM"])
    axes = ct.show.curves({"one": named}, x="n", y="k", **WORDS).drawing.axes[0]
    axes.figure.canvas.draw()
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["cell", "detail", "SEM"]


def test_curves_without_intervals_are_lines_in_the_legend_too():
    figure = ct.show.curves({"one": TABLE, "two": TABLE}, x="n", y="k", interval=None, **WORDS)
    axes = figure.drawing.axes[0]
    assert axes.containers == []
    assert len(axes.lines) == 2
    assert all(len(line.get_xdata()) == len(TABLE) for line in axes.lines)
    assert [text.get_text() for text in figure.drawing.legends[0].get_texts()] == ["one", "two"]


@pytest.mark.parametrize(
    ("draw", "error", "match"),
    [
        (lambda: ct.show.classes(IMAGE, {}, **WORDS), ValueError, "no panel"),
        (lambda: ct.show.classes(IMAGE, {"a": CODES}, **WORDS), ValueError, "no names"),
        (lambda: ct.show.classes(IMAGE, {"a": NAMED[1:]}, **WORDS), ValueError, "over an image"),
        (lambda: ct.show.classes(IMAGE, {"a": NAMED.astype(float)}, **WORDS), TypeError, "integer"),
        (lambda: ct.show.composite(IMAGE, **WORDS), ValueError, "a channel dim are needed"),
        (
            lambda: ct.show.composite(MAPS, colours={"Al": "#ffffff"}, **WORDS),
            ValueError,
            "none of its channels",
        ),
        (lambda: ct.show.curves({}, x="n", y="k", **WORDS), ValueError, "no table"),
        (lambda: ct.show.curves({"a": TABLE}, x="n", y="q", **WORDS), ValueError, "lacks the columns"),
        (lambda: ct.show.curves({"a": TABLE[:0]}, x="n", y="k", **WORDS), ValueError, "0 rows"),
        (
            lambda: ct.show.curves({"a": TABLE.assign(low=0.9)}, x="n", y="k", **WORDS),
            ValueError,
            "does not hold it",
        ),
    ],
)
def test_what_cannot_be_shown(draw, error, match):
    with pytest.raises(error, match=match):
        draw()


def test_classes_with_two_meanings_are_refused():
    other = CODES.assign_attrs(classes={"carbon binder domain": 0, "platinum edge": 1})
    with pytest.raises(ValueError, match="one name has two codes"):
        ct.show.classes(IMAGE, {"a": NAMED, "b": other}, **WORDS)
    for classes in ({"a": 0, "b": -1}, {"a": 0, "b": 300}, {"a": 0, "b": 0}):
        with pytest.raises(ValueError, match="a code of its own"):
            ct.show.classes(IMAGE, {"a": CODES.assign_attrs(classes=classes)}, **WORDS)


def test_a_single_repeat_is_drawn_without_a_bar():
    alone = TABLE.assign(low=np.nan, high=np.nan)
    assert ct.show.curves({"one": alone}, x="n", y="k", **WORDS).drawing.axes


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"opacity": "half"}, TypeError, "opacity 'half': a number from 0 to 1 is needed"),
        ({"opacity": None}, TypeError, "a number from 0 to 1 is needed"),
        ({"opacity": 1.5}, ValueError, "a number from 0 to 1"),
        ({"opacity": float("nan")}, ValueError, "a number from 0 to 1"),
        ({"merge": ["pore"]}, TypeError, "names and what belongs to each are needed"),
        ({"panels": "painted"}, TypeError, "names and what belongs to each are needed"),
    ],
)
def test_classes_refuse_options_that_cannot_be(options, error, said):
    with pytest.raises(error, match=f"Cannot show classes with .*{said}"):
        ct.show.classes(**{"image": IMAGE, "panels": {"painted": NAMED}, **WORDS, **options})


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"brightest": "99"}, TypeError, "brightest '99': a number from 0 to 100 is needed"),
        ({"brightest": 101}, ValueError, "brightest 101: a number from 0 to 100"),
        ({"colours": "red"}, TypeError, "colours of type str"),
    ],
)
def test_a_composite_refuses_options_that_cannot_be(options, error, said):
    with pytest.raises(error, match=f"Cannot show a composite with {said}"):
        ct.show.composite(MAPS, **WORDS, **options)


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"tables": [TABLE]}, TypeError, "tables of type list"),
        ({"tables": {"one": "text"}}, TypeError, "'one': it is a str, and a pandas DataFrame"),
        ({"interval": 3}, TypeError, "interval 3: two texts are needed"),
        ({"interval": ("low",)}, TypeError, "two texts are needed"),
        ({"labels": "strokes"}, TypeError, "labels 'strokes': two texts are needed"),
        ({"scale": "square"}, ValueError, "scale 'square': allowed are linear, log"),
        ({"level": "half"}, TypeError, "level 'half': a number"),
        ({"level": float("nan")}, ValueError, "level nan"),
        ({"x": ["n"]}, TypeError, "two texts are needed"),
        ({"tables": {"one": TABLE.assign(n=np.nan)}}, ValueError, "'one': n goes from nan to nan"),
        ({"tables": {"one": TABLE.assign(n=np.inf)}, "interval": None}, ValueError, "finite places"),
        (
            {"tables": {"one": TABLE.assign(n=TABLE.n - 1)}, "scale": "log"},
            ValueError,
            "from 0 to 3.*above z",
        ),
        ({"tables": {"one": TABLE.assign(n="a")}, "scale": "log"}, TypeError, "column n has dtype"),
        ({"tables": {"one": TABLE.assign(k="a")}}, TypeError, "column k has dtype"),
    ],
)
def test_curves_refuse_options_that_cannot_be(options, error, said):
    with pytest.raises(error, match=f"Cannot show .*{said}"):
        ct.show.curves(**{"tables": {"one": TABLE}, "x": "n", "y": "k", **WORDS, **options})


def test_a_letter_tells_panels_apart_and_a_single_one_has_none():
    one = ct.show.classes(IMAGE, {"named": NAMED}, **WORDS).drawing.axes[0].get_title(loc="left")
    two = (
        ct.show.classes(IMAGE, {"named": NAMED, "other": NAMED}, **WORDS)
        .drawing.axes[1]
        .get_title(loc="left")
    )
    assert one == "named"
    assert "bf{b}" in two
    assert two.endswith("other")
