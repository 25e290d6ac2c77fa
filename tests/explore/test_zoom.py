"""The zoom explorer as Python sees it."""

import base64
import gzip
import json
import re
from typing import Any

import dask.array as da
import numpy as np
import pytest

import corrtomo as ct
import corrtomo.explore
from corrtomo.explore.zoom import layers as zoom_layers
from corrtomo.explore.zoom.view import paint_view
from corrtomo.register import Grid, Scene, SceneError, stated
from corrtomo.show.style import say_length

WORDS: dict[str, Any] = {"caption": "A test", "source": "digital twin"}


def turned(deg: float, y: float, x: float) -> np.ndarray:
    a = np.deg2rad(deg)
    return np.array([[np.cos(a), -np.sin(a), y], [np.sin(a), np.cos(a), x], [0.0, 0.0, 1.0]])


def greys(rows: int, columns: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (rows, columns), dtype=np.uint8)


@pytest.fixture
def scene() -> Scene:
    """An overview, a volume of which the section cuts a corner, and phases on the section."""
    out = Scene()
    out.add("overview", ct.volume(greys(60, 60), 100.0))
    z = np.arange(20.0)[:, None, None] * np.ones((20, 30, 30))
    out.add("CT", ct.volume(z, 2.0).assign_attrs(units="1/µm"))
    out.add("section", ct.volume(greys(40, 50, 1), 0.5))
    out.add("phases", ct.phases.as_labels(ct.volume(greys(20, 20, 2) % 3, 0.5)))
    matrix = np.eye(4)
    matrix[1:, 1:] = turned(10, 2000.0, 3000.0)
    lifted = np.eye(4)
    lifted[0, 3] = 9.0
    lifted[1:, 1:] = turned(-5, 20.0, 15.0)
    out.align("section", "CT", stated(lifted, error_um=0.5))
    out.align("CT", "overview", stated(matrix, error_um=20.0))
    out.align("phases", "section", stated(turned(0, 3.0, 4.0), error_um=0.1))
    return out


def test_images_lie_where_the_scene_says(scene: Scene) -> None:
    explorer = ct.explore.zoom(scene, **WORDS)
    assert [layer["name"] for layer in explorer.about] == ["overview", "CT", "section", "phases"]
    for name in ("section", "phases"):
        found = scene.between(name, "overview")
        place = found.points([0.0, 4.0, 6.5])
        explorer.cursor_um = place[1:].tolist()
        image = scene.images[name]
        value = int(image.sel(y=4.0, x=6.5))
        names = ("pore", "carbon binder domain", "active material")
        wanted = value if name == "section" else names[value]
        assert explorer.values[name] == wanted
        assert explorer.values["y_um"] == pytest.approx(place[1])
    explorer.cursor_um = [5950.0, 0.0]
    assert explorer.values[["CT", "section", "phases"]].tolist() == [None] * 3


def test_it_says_how_sure_the_finest_image_at_the_cursor_lies_in_the_others(scene: Scene) -> None:
    explorer = ct.explore.zoom(scene, **WORDS)
    explorer.go_to("phases")
    others = ["overview", "CT", "section"]
    wanted = {name: scene.between("phases", name).error_um for name in others}
    assert wanted["overview"] > 20.0 > wanted["CT"] > 0.5 > wanted["section"]
    assert explorer.errors_um.to_dict() == wanted
    assert "Known to: expected error of the finest image" in explorer.note
    explorer.adjust("phases", on=False)
    assert explorer.errors_um["overview"] == scene.between("section", "overview").error_um
    assert list(explorer.errors_um.index) == ["overview", "CT", "phases"]
    explorer.cursor_um = [5940.0, -40.0]
    assert explorer.errors_um.to_dict() == {
        n: scene.between("overview", n).error_um for n in scene.grids if n != "overview"
    }
    explorer.cursor_um = [-2000.0, 0.0]
    assert explorer.errors_um.empty, "no image lies there"
    explorer = ct.explore.zoom(
        {"one": ct.volume(greys(4, 4), 1.0), "two": ct.volume(greys(4, 4), 0.5)}, **WORDS
    )
    assert explorer.errors_um.empty, "nobody has stated how sure they lie"


def test_a_volume_is_cut_where_the_finest_image_lies(scene: Scene) -> None:
    at = scene.between("phases", "CT").points([0.0, 4.75, 4.75])
    place = scene.between("CT", "overview").points(at)[1:].tolist()
    explorer = ct.explore.zoom(scene, **WORDS)
    explorer.cursor_um = place
    step = 19 / 255
    assert abs(explorer.values["CT"] - round(at[0] / 2.0)) < step
    explorer = ct.explore.zoom(scene, slices_um={"CT": 30.0}, **WORDS)
    explorer.cursor_um = place
    assert abs(explorer.values["CT"] - 15.0) < step


def test_the_picture_shows_the_view(scene: Scene) -> None:
    """Painted pixel by pixel from the images themselves."""
    explorer = ct.explore.zoom(scene, **WORDS)
    explorer.go_to("phases")
    explorer.adjust("phases", opacity=0.25)
    side = 32
    drawn = paint_view(explorer._layers, explorer.layers, explorer.view, side)
    back = {n: scene.between("overview", n) for n in ("section", "phases")}
    colours = {int(p): np.array(ct.show.style.rgb(p.colour), float) for p in list(ct.Phase)[:3]}
    depth, seen = scene.between("section", "overview").points([0.0, 5.0, 5.0])[0], 0
    for row, column in np.ndindex(side, side):
        step = explorer.view["field_um"] / side
        y = explorer.view["y_um"] + (row + 0.5 - side / 2) * step
        x = explorer.view["x_um"] + (column + 0.5 - side / 2) * step
        at = {n: back[n].points([depth, y, x])[1:] for n in back}
        index = {n: np.floor(p / 0.5 + 0.5).astype(int) for n, p in at.items()}
        if not (0 <= index["section"][0] < 40 and 0 <= index["section"][1] < 50):
            continue
        wanted = np.full(3, float(scene.images["section"].values[*index["section"]]))
        if (index["phases"] >= 0).all() and (index["phases"] < 20).all():
            wanted += 0.25 * (colours[int(scene.images["phases"].values[*index["phases"]])] - wanted)
        np.testing.assert_allclose(drawn[row, column], wanted, atol=0.51)
        seen += 1
    assert seen > 0.9 * side**2


def test_colours_masks_and_what_is_not_known() -> None:
    grey = ct.volume(np.array([[0.0, np.nan], [5.0, 10.0]] * 4), 1.0)
    colours = ct.volume(np.stack([greys(4, 4, k) for k in range(3)]), 0.5, dims=("channel", "y", "x"))
    colours = colours.assign_coords(channel=["red", "green", "blue"])
    mask = ct.volume(np.eye(4, dtype=bool), 0.25, origin=5.0)
    explorer = ct.explore.zoom({"grey": grey, "colours": colours, "mask": mask}, **WORDS)
    explorer.cursor_um = [0.0, 1.0]
    assert explorer.values["grey"] is None
    assert explorer.values["colours"] == tuple(int(v) for v in colours.values[:, 0, 2])
    explorer.cursor_um = [5.25, 5.25]
    assert explorer.values["mask"] == 255
    explorer.cursor_um = [7.0, 1.0]
    assert explorer.values["grey"] == pytest.approx(9.8, abs=0.3), "of the 0.5 to 99.5 percentile"


def test_large_images_are_averaged_and_said_so() -> None:
    values = np.random.default_rng(0).normal(size=(1600, 1200))
    values[:3, :3] = np.nan
    labels = ct.phases.as_labels(ct.volume(np.kron(greys(200, 200) % 3, np.ones((8, 8), np.uint8)), 0.1))
    lazy = ct.volume(da.from_array(values, chunks=400), 1.0, origin=3.0)
    explorer = ct.explore.zoom({"large": lazy, "labels": labels}, **WORDS)
    assert "large by 3 × 3" in explorer.note
    large = explorer.about[0]
    assert large["shape"] == [533, 400]
    assert np.array(large["matrix"])[1:].tolist() == [[3.0, 0.0, 4.0], [0.0, 3.0, 4.0]]
    explorer.cursor_um = [4.0, 4.0]
    assert explorer.values["large"] is None
    explorer.cursor_um = [3.0 + 30.9, 3.0 + 60.2]
    assert explorer.values["large"] == pytest.approx(values[30:33, 60:63].mean(), abs=0.01)
    block = explorer.about[1]["block"]
    middle = (block * 20 + (block - 1) / 2) * 0.1
    explorer.cursor_um = [middle, middle]
    assert explorer.values["labels"] in {"pore", "carbon binder domain", "active material"}


def test_what_is_too_heavy_for_a_page_is_made_coarser(monkeypatch: pytest.MonkeyPatch) -> None:
    images = {str(k): ct.volume(greys(300, 300, k), 0.5**k) for k in range(4)}
    assert ct.explore.zoom(images, **WORDS).note == ""
    monkeypatch.setattr(zoom_layers, "MOST_BYTES", 120_000)
    explorer = ct.explore.zoom(images, **WORDS)
    assert len(explorer.pixels) + len(explorer.known) <= 120_000
    assert "by 2 × 2" in explorer.note
    monkeypatch.setattr(zoom_layers, "MOST_BYTES", 1000)
    with pytest.raises(ValueError, match="Show fewer images"):
        ct.explore.zoom(images, **WORDS)


def test_five_scales_of_noise_fit_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORRTOMO_STATIC", "1")
    images = {str(k): ct.volume(greys(700, 700, k), 25.0 * 0.2**k, origin=9000.0) for k in range(5)}
    explorer = ct.explore.zoom(images, **WORDS)
    page = explorer._repr_mimebundle_()["text/html"]
    assert len(page) < 3_000_000
    state = json.loads(re.search(r'<script type="application/json">(.*?)</script>', page)[1])
    assert gzip.decompress(base64.b64decode(state["pixels"]["base64"]))
    assert explorer.limits[1] / explorer.limits[0] > 1e4


def test_one_moves_it_from_python(scene: Scene) -> None:
    explorer = ct.explore.zoom(scene, **WORDS)
    explorer.view = {"field_um": 100.0}
    assert explorer.view["field_um"] == 100.0
    assert explorer.view["y_um"] == explorer.start["view"]["y_um"], "what is left out stays"
    explorer.go_to("section")
    assert explorer.view["field_um"] == pytest.approx(1.08 * 25.0, rel=0.35)
    assert "ZoomExplorer(overview, CT, section, phases; " in repr(explorer)
    explorer.adjust("CT", on=False)
    explorer.frames = False
    assert "CT" not in explorer.picture().alt
    assert len(explorer.picture().drawing.axes[0].patches) == 1, "the scale bar alone"
    explorer.frames = True
    assert len(explorer.picture().drawing.axes[0].patches) == 3, "and the frames of section and phases"


def test_lengths_are_said_in_their_unit() -> None:
    assert [say_length(v) for v in (0.0005, 0.9996, 1.0, 999.4, 1234.0)] == [
        "0.5 nm",
        "1 µm",
        "1 µm",
        "999 µm",
        "1.23 mm",
    ]


IMAGE = ct.volume(np.zeros((8, 8), np.uint8), 1.0)


@pytest.mark.parametrize(
    ("images", "options", "kind", "words"),
    [
        (None, {}, TypeError, "a scene, or images with their names"),
        (IMAGE, {}, TypeError, "DataArray: a scene, or images"),
        ({}, {}, ValueError, "of 0 images"),
        (Scene(), {}, ValueError, "of 0 images"),
        ({"": IMAGE}, {}, ValueError, "each with a name"),
        ({"y_um": IMAGE}, {}, ValueError, "a name that is no place"),
        ({str(k): IMAGE for k in range(13)}, {}, ValueError, "one to 12"),
        ({"a": None}, {}, TypeError, "with 'a': Cannot use a NoneType"),
        ({"a": "image.png"}, {}, TypeError, "with 'a': Cannot use a str"),
        ({"a": IMAGE[:0]}, {}, ValueError, "with 'a': .* holds no voxel"),
        ({"a": IMAGE.isel(y=0)}, {}, ValueError, "z, y, x or y, x are needed"),
        ({"a": IMAGE.expand_dims(channel=["7Li", "27Al"])}, {}, ValueError, "channels red, green and blue"),
        ({"a": IMAGE.astype(float) * np.nan}, {}, ValueError, "no grey value of the plane is finite"),
        ({"a": IMAGE.assign_attrs(classes={"x": 1}).astype(float)}, {}, TypeError, "with 'a'"),
        ({"a": IMAGE}, {"root": "b"}, ValueError, "in the frame of 'b': the images are 'a'"),
        ({"a": IMAGE}, {"root": 3}, ValueError, "in the frame of 3"),
        ({"a": IMAGE}, {"slices_um": {"a": 1.0}}, ValueError, "volumes and their z are none"),
        ({"a": IMAGE}, {"slices_um": 3.0}, TypeError, "with slices_um of type float"),
        ({"a": IMAGE.expand_dims(z=[0.0, 1.0])}, {"slices_um": {"a": 9.0}}, ValueError, "from -0.5 to 1.5"),
        ({"a": IMAGE.expand_dims(z=[0.0, 1.0])}, {"slices_um": {"a": "1"}}, ValueError, "'a' at '1'"),
        ({"a": IMAGE}, {"source": "photo"}, ValueError, "a reader must know what is real"),
    ],
)
def test_refusals(images: Any, options: dict[str, Any], kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        ct.explore.zoom(images, **{**WORDS, **options})


def test_a_huge_image_is_refused_before_it_is_read() -> None:
    lazy = da.zeros((10**5, 10**5), chunks=10**4, dtype=np.uint8)
    with pytest.raises(ValueError, match="100000 × 100000 pixels are more than"):
        ct.explore.zoom({"a": ct.volume(lazy, 1.0)}, **WORDS)


def test_scenes_that_cannot_be_shown(scene: Scene) -> None:
    scene.add("alone", IMAGE)
    with pytest.raises(SceneError, match="no chain of alignments joins them"):
        ct.explore.zoom(scene, **WORDS)
    upright = np.eye(4)
    upright[:3, :3] = [[0, 1, 0], [-1, 0, 0], [0, 0, 1]]
    scene.align("alone", "CT", stated(upright, error_um=0.1))
    with pytest.raises(ValueError, match="'alone': it stands at 90° to the picture, 60° is the most"):
        ct.explore.zoom(scene, **WORDS)
    scene.add("grid", Grid.of(IMAGE))
    with pytest.raises(ValueError, match=r"scene.add\('grid', image\)"):
        ct.explore.zoom(scene, **WORDS)


@pytest.mark.parametrize(
    ("trait", "value", "words"),
    [
        ("view", {"field_um": 1e-6}, "Cannot show a field of 1e-06 µm"),
        ("view", {"field_um": 1e9}, "µm are shown"),
        ("view", {"field_um": float("nan")}, "numbers in µm"),
        ("view", {"z_um": 1.0}, "are needed"),
        ("view", {"y_um": 1e7}, "Cannot look at y 1e[+]07 µm"),
        ("cursor_um", [1.0], "y and x in µm"),
        ("cursor_um", [0.0, 1e9], "Cannot look at x"),
        ("cursor_um", ["a", 0.0], "y and x in µm"),
        ("layers", [], "Cannot show the layers"),
    ],
)
def test_what_cannot_be_set(scene: Scene, trait: str, value: Any, words: str) -> None:
    explorer = ct.explore.zoom(scene, **WORDS)
    with pytest.raises(ValueError, match=words):
        setattr(explorer, trait, value)
    for changes in ({"opacity": 2.0}, {"opacity": None}, {"on": 1}, {"gain": 2.0}):
        with pytest.raises(ValueError, match="Cannot show layer 'CT'"):
            explorer.adjust("CT", **changes)
    with pytest.raises(ValueError, match="Cannot go to 'no'"):
        explorer.go_to("no")
