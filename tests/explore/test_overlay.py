"""The overlay explorer as Python sees it."""

import base64
import json
import re
from typing import Any, NamedTuple

import numpy as np
import pytest
import xarray as xr
from scipy import ndimage

import corrtomo as ct
import corrtomo.explore
from corrtomo.explore import explorer as shared
from corrtomo.explore.overlay import inputs as overlay_inputs
from corrtomo.explore.overlay import layers as overlay_layers
from corrtomo.explore.overlay import stack as overlay_stack
from corrtomo.explore.overlay.paint import Layer, paint_overlay, paint_side, right_side
from corrtomo.explore.overlay.section import POSE, Plane, matrix_of

WORDS: dict[str, Any] = {"caption": "A test", "source": "digital twin"}
CHANNELS = ["7Li", "27Al", "58Ni", "59Co"]
SHOWN = {"on": True, "opacity": 1.0, "gain": 1.0, "gamma": 1.0, "colour": "#ffffff"}


class Pose(NamedTuple):
    """What the explorer reads of an alignment."""

    matrix: Any


def grid(values: Any, **options: Any) -> xr.DataArray:
    return ct.volume(values, 0.05, origin=(2.0, 3.0), **options)


@pytest.fixture(scope="module")
def sample() -> dict[str, Any]:
    """Blurred balls; an oblique section through them, with grey values of its own; counts in discs."""
    rng = np.random.default_rng(5)
    pose = dict(zip(POSE, (2.0, 1.5, -1.0, 2.0, 0.1, -0.2), strict=True))
    shape = (48, 64)
    here = Plane(
        np.array([2.0, 3.0]), np.full(2, 0.05), np.array([2.0 + 23.5 * 0.05, 3.0 + 31.5 * 0.05]), 1.0
    )
    z, y, x = (0.1 * a for a in np.indices((40, 60, 80)))
    rows, columns = (o + 0.05 * a for o, a in zip((2.0, 3.0), np.indices(shape), strict=True))
    flat = np.stack([0 * rows, rows, columns], axis=-1)
    matrix = matrix_of(pose, here)
    places = flat @ matrix[:3, :3].T + matrix[:3, 3]
    solid, cut = np.zeros(z.shape, bool), np.zeros(shape, bool)
    for centre in rng.uniform((0, 0, 0), (4, 6, 8), (60, 3)):
        solid |= (z - centre[0]) ** 2 + (y - centre[1]) ** 2 + (x - centre[2]) ** 2 < 0.36
        cut |= ((places - centre) ** 2).sum(axis=-1) < 0.36
    grey = ndimage.gaussian_filter(0.1 * solid, 1.0) + rng.normal(0, 0.005, solid.shape)
    counts = rng.poisson(np.where(cut, [[[9.0]], [[1.0]], [[6.0]], [[300.0]]], 0.1))
    classes = grid(np.where(cut, 2, 1).astype(np.uint8))
    return {
        "images": {"SE": grid(np.where(cut, 90, 160).astype(np.uint8))},
        "maps": grid(counts, dims=("channel", "y", "x")).assign_coords(channel=CHANNELS),
        "volume": ct.volume(grey.astype(np.float32), 0.1).assign_attrs(units="1/µm"),
        "alignment": Pose(matrix),
        "classes": classes.assign_attrs(classes={"carbon binder domain": 1, "LCO": 2}),
        "pose": pose,
    }


@pytest.fixture
def explorer(sample: dict[str, Any]) -> ct.explore.OverlayExplorer:
    return made(sample)


def made(sample: dict[str, Any], **changes: Any) -> ct.explore.OverlayExplorer:
    options = {name: part for name, part in sample.items() if name != "pose"}
    return ct.explore.overlay(**{**options, **WORDS, **changes})


def test_it_starts_where_the_section_was_found(explorer, sample) -> None:
    assert explorer.mode == "swipe"
    assert explorer.sides == ["CT", "SE"]
    np.testing.assert_allclose(
        [explorer.pose[name] for name in POSE], list(sample["pose"].values()), atol=1e-9
    )


def test_mutual_information_is_largest_where_the_section_came_from(explorer) -> None:
    for name in POSE:
        curve = explorer.scan(name)
        assert len(curve) == 81
        off = abs(curve.idxmax() - explorer.found[name])
        edge = np.deg2rad(off) * 2.0 if name.endswith("deg") else off  # µm by which a corner is off
        assert edge < 0.1, (name, "a voxel of the volume")
    assert explorer.scan().loc[explorer.found["depth_um"]] == explorer.mutual_information
    best = explorer.mutual_information
    explorer.pose = {"depth_um": explorer.found["depth_um"] + 0.5}
    assert explorer.mutual_information < 0.8 * best


def test_a_pose_keeps_what_is_not_named(explorer) -> None:
    before = dict(explorer.pose)
    explorer.pose = {"turn_deg": 3}
    assert explorer.pose == before | {"turn_deg": 3.0}
    for wrong, words in [
        ({"depth": 1.0}, "by 'depth': a pose has depth_um"),
        ({"depth_um": 3.1}, r"depth_um 3\.1: numbers from 1 to 3 are within reach.*reach_um"),
        ({"turn_deg": float("nan")}, "turn_deg nan"),
        ({"turn_deg": "2"}, "turn_deg '2'"),
        ({"turn_deg": 10**400}, "are within reach"),
        ({"tilt_y_deg": True}, "tilt_y_deg True.*reach_deg"),
    ]:
        with pytest.raises(ValueError, match=words):
            explorer.pose = wrong
    with pytest.raises(ValueError, match=r"Cannot scan 'depth'.*a pose has"):
        explorer.scan("depth")
    with pytest.raises(ValueError, match=r"Cannot scan \['depth_um'\]"):
        explorer.scan(["depth_um"])


def test_values_at_the_cursor_are_exact(explorer, sample) -> None:
    for row, column in [(0, 0), (47, 63), (20, 33)]:
        explorer.cursor = [row, column]
        read = explorer.values
        assert read.y_um == pytest.approx(2.0 + 0.05 * row)
        assert read.x_um == pytest.approx(3.0 + 0.05 * column)
        assert sample["images"]["SE"].values[row, column] == read.SE
        for name in CHANNELS:
            assert read[name] == int(sample["maps"].sel(channel=name).values[row, column])
        assert (
            read.classes == {1: "carbon binder domain", 2: "LCO"}[int(sample["classes"].values[row, column])]
        )
        assert -0.02 < read.CT < 0.12
    for wrong in ([48, 0], [-1, 0], [0], [0.5, 1], [True, False]):
        with pytest.raises(ValueError, match="a row and a column inside the 48 rows and 64 columns"):
            explorer.cursor = wrong


def test_counts_above_a_byte_are_whole(sample) -> None:
    maps = sample["maps"].copy(data=np.full((4, 48, 64), 65_535)).assign_coords(channel=CHANNELS)
    assert made(sample, maps=maps).values["59Co"] == 65_535


def test_grey_values_of_other_types_come_back_in_their_unit(sample) -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(5.0, 1.0, (48, 64))
    values[3, 4] = np.nan
    image = grid(values).assign_attrs(units="1/µm")
    explorer = made(sample, images={"SE": sample["images"]["SE"], "other": image})
    span = np.subtract(*np.nanpercentile(values, [99.5, 0.5]))
    inside = np.argwhere(np.abs(values - 5.0) < 1.5)
    for row, column in inside[::300]:
        explorer.cursor = [int(row), int(column)]
        assert explorer.values.other == pytest.approx(values[row, column], abs=span / 255)
    explorer.cursor = [3, 4]
    assert explorer.values.other is None


def test_adjusting_a_layer(explorer) -> None:
    heard: list[Any] = []
    explorer.observe(lambda change: heard.append(change.new), "layers")
    explorer.adjust("7Li", gain=2.0, on=False, colour="#123456")
    assert heard[-1][3] == {**SHOWN, "name": "7Li", "gain": 2.0, "on": False, "colour": "#123456"}
    for changes, error, words in [
        ({"gain": 0}, ValueError, r"show layer '7Li' with gain 0: a number from 0\.01 to 100"),
        ({"opacity": "half"}, TypeError, "opacity 'half'"),
        ({"colour": "green"}, ValueError, "in the colour 'green'.*'#00ff00'"),
        ({"on": 1}, ValueError, r"on \(True or False\)"),
        ({"size": 2}, ValueError, "on.*opacity, gain, gamma and colour are needed"),
    ]:
        with pytest.raises(error, match=words):
            explorer.adjust("7Li", **changes)
    with pytest.raises(
        ValueError, match=r"Cannot adjust 'Li': the layers are \['CT', 'SE', 'classes', '7Li'"
    ):
        explorer.adjust("Li", on=False)
    with pytest.raises(ValueError, match=r"Cannot adjust array"):
        explorer.adjust(np.array(["7Li", "SE"]), on=False)
    with pytest.raises(ValueError, match=r"Cannot show the layers \[\]"):
        explorer.layers = []
    with pytest.raises(ValueError, match=r"sides \['CT', 'TEM'\]: two are needed"):
        explorer.sides = ["CT", "TEM"]


def test_four_maps_start_as_in_the_paper(explorer, sample) -> None:
    on = {layer["name"]: layer["on"] for layer in explorer.layers}
    assert on == {
        "CT": False,
        "SE": True,
        "classes": False,
        "7Li": True,
        "27Al": True,
        "58Ni": False,
        "59Co": True,
    }
    colours = [layer["colour"] for layer in explorer.layers if layer["name"] in CHANNELS]
    assert colours == explorer.palettes["paper"] == ["#00ff00", "#0000ff", "#ffff00", "#ff0000"]
    safe = made(sample, colours="safe")
    assert [layer["colour"] for layer in safe.layers[3:]] == safe.palettes["safe"]


def test_channels_that_no_set_knows_have_colours_of_their_own() -> None:
    for names in (["a", "b", "c", "d"], ["7Li", "C", "H", "Co"], ["Ni", "59Co"]):
        for colours in overlay_inputs.map_colours(names).values():
            assert len(set(colours)) == len(names)


def test_a_layer_is_painted_by_hand() -> None:
    image = Layer(
        np.array([[0, 128, 255]], np.uint8), None, {"kind": "grey"}, {**SHOWN, "name": "SE", "opacity": 0.5}
    )
    counts = {"kind": "counts", "full": 4.0}
    lithium = Layer(
        np.array([[0, 1, 9]]), None, counts, {**SHOWN, "name": "7Li", "gamma": 0.5, "colour": "#00ff00"}
    )
    np.testing.assert_array_equal(paint_side([image, lithium], "SE")[0], [[0] * 3, [128] * 3, [255] * 3])
    np.testing.assert_array_equal(
        paint_side([image, lithium], "maps")[0], [[0] * 3, [0, 127, 0], [0, 255, 0]]
    )
    blend = [[0, 0, 0], [64, 191, 64], [127, 255, 127]]
    np.testing.assert_array_equal(paint_side([image, lithium], "blend")[0], blend)
    hidden = Layer(lithium.values, None, counts, {**lithium.shown, "on": False})
    np.testing.assert_array_equal(paint_side([image, hidden], "maps"), np.zeros((1, 3, 3)))


def test_what_is_not_known_lets_see_what_lies_below() -> None:
    low = Layer(np.array([[200, 200]], np.uint8), None, {"kind": "grey"}, {**SHOWN, "name": "a"})
    high = Layer(
        np.array([[50, 50]], np.uint8), np.array([[True, False]]), {"kind": "grey"}, {**SHOWN, "name": "b"}
    )
    classes = {"kind": "classes", "table": [[7, "LCO", "#102030"]]}
    painted = Layer(np.array([[7, 255]], np.uint8), None, classes, {**SHOWN, "name": "classes"})
    np.testing.assert_array_equal(paint_side([low, high], "blend")[0], [[50] * 3, [200] * 3])
    np.testing.assert_array_equal(paint_side([low, painted], "blend")[0], [[16, 32, 48], [200] * 3])


def test_sides_of_a_divider_and_of_squares() -> None:
    assert right_side((1, 4), "swipe", 0.5, 2)[0].tolist() == [False, False, True, True]
    assert right_side((1, 4), "swipe", 0.0, 2).all()
    assert not right_side((1, 4), "swipe", 1.0, 2).any()
    board = right_side((4, 4), "checkerboard", 0.5, 2)
    np.testing.assert_array_equal(board, np.kron([[0, 1], [1, 0]], np.ones((2, 2))).astype(bool))
    layers = [
        Layer(np.full((4, 4), v, np.uint8), None, {"kind": "grey"}, {**SHOWN, "name": n})
        for n, v in (("a", 10), ("b", 20))
    ]
    shown = paint_overlay(layers, "checkerboard", ["a", "b"], 0.5, 2)[..., 0]
    np.testing.assert_array_equal(shown, np.where(board, 20, 10))


def test_static_page_gets_everything(explorer, sample, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORRTOMO_STATIC", "1")
    page = explorer._repr_mimebundle_()["text/html"]
    state = json.loads(re.search(r'<script type="application/json">(.*)</script>', page)[1])
    held = {
        name: shared.unpack(base64.b64decode(state[name]["base64"])) for name in ("greys", "counts", "stack")
    }
    np.testing.assert_array_equal(held["greys"].reshape(48, 64), sample["images"]["SE"])
    low, high = np.split(held["counts"].astype(int).reshape(8, 48, 64), 2)
    np.testing.assert_array_equal(low + 256 * high, sample["maps"])
    assert held["stack"].size == np.prod(state["section"]["shape"])
    assert state["start"]["pose"] == state["found"] == state["pose"]
    assert "http" not in page.replace("http://www.w3.org", "")
    assert "voxel size 0.05 µm and 0.1 µm" in page


def test_the_page_holds_what_the_sliders_reach(sample) -> None:
    whole = made(sample, reach_um=0.4, reach_deg=1.0)
    step = np.array(whole.section["voxel_um"])
    assert step.tolist() == [0.1] * 3
    low = np.array(whole.section["origin_um"])
    high = low + (np.array(whole.section["shape"]) - 1) * step
    for name, sign in [(n, s) for n in ("depth_um", "shift_y_um", "shift_x_um") for s in (-1, 1)]:
        whole.pose = whole.found | {name: whole.found[name] + sign * 0.4}
        assert np.isfinite(whole.mutual_information)
        assert whole._painted()[0].known.all(), (name, sign)
    assert (low > 0).any() or (high < [3.9, 5.9, 7.9]).any(), "no more than that"


def test_large_volumes_are_averaged_for_the_page(sample, monkeypatch: pytest.MonkeyPatch) -> None:
    full = made(sample)
    voxels = np.prod(full.section["shape"])
    monkeypatch.setattr(overlay_stack, "MOST_VOXELS", voxels // 6)
    less = made(sample)
    assert less.section["voxel_um"] == pytest.approx([0.2, 0.2, 0.2])
    assert "means of 2 × 2 × 2 voxels" in less.note
    assert np.prod(less.section["shape"]) <= voxels // 6
    assert less.scan().idxmax() == pytest.approx(full.scan().idxmax(), abs=0.1)
    monkeypatch.setattr(overlay_stack, "MOST_VOXELS", voxels // 3)
    assert made(sample).section["voxel_um"] == pytest.approx([0.1, 0.2, 0.2]), "the depth is kept"


def test_lazy_data_is_read(sample) -> None:
    lazy = {"SE": sample["images"]["SE"].chunk()}
    volume, maps = sample["volume"].chunk(z=7), sample["maps"].chunk(channel=1)
    assert made(sample, images=lazy, volume=volume, maps=maps).state() == made(sample).state()


def test_a_section_lies_flat_in_the_middle_without_an_alignment(sample) -> None:
    explorer = made(sample, alignment=None)
    assert explorer.pose == pytest.approx(dict.fromkeys(POSE, 0.0) | {"depth_um": 1.95})


def test_an_alignment_may_be_its_matrix(sample) -> None:
    assert made(sample, alignment=sample["alignment"].matrix).state() == made(sample).state()


def test_without_a_volume_there_is_nothing_to_move(sample) -> None:
    explorer = made(sample, volume=None, alignment=None)
    assert explorer.mode == "blend"
    assert explorer.choices == ["SE", "maps", "blend"]
    assert np.isnan(explorer.mutual_information)
    assert "mutual_information" not in repr(explorer)
    with pytest.raises(ValueError, match="the explorer holds no volume"):
        explorer.pose = {"depth_um": 1.0}
    with pytest.raises(ValueError, match=r"the explorer holds no volume.*volume="):
        explorer.scan()


def test_pictures_say_what_they_show(explorer) -> None:
    for mode, words in [
        ("swipe", "CT | SE"),
        ("blend", "SE at 50 %, ⁷Li at 100 %"),
        ("checkerboard", "CT and SE in turn"),
    ]:
        explorer.mode = mode
        figure = explorer.picture()
        assert words in figure.alt
        assert f"{explorer.mutual_information:.4f} nat, at a depth of 2.00 µm" in figure.alt
        legend = [text.get_text() for legend in figure.drawing.legends for text in legend.get_texts()]
        assert legend == (["⁷Li", "²⁷Al", "⁵⁹Co"] if mode == "blend" else [])
        assert figure.png(40)[:4] == b"\x89PNG"
    assert repr(explorer).startswith(
        "OverlayExplorer(CT, SE, classes, 7Li, 27Al, 58Ni, 59Co; mode='checkerboard'"
    )


def test_joined_module_has_no_import_left() -> None:
    module = shared.bundle("overlay")
    assert not re.search(r"^(import|export (?!default))", module, re.MULTILINE)
    assert module.count("export default") == 1
    names = re.findall(r"^(?:async )?(?:function|const|let) (\w+)", module, re.MULTILINE)
    assert len(names) == len(set(names)), "two modules that are joined use one name"


SE = grid(np.arange(64, dtype=np.uint8).reshape(8, 8))
MAPS = grid(np.ones((2, 8, 8), int), dims=("channel", "y", "x")).assign_coords(channel=["7Li", "59Co"])
VOLUME = ct.volume(np.arange(6 * 40 * 40, dtype=np.float32).reshape(6, 40, 40), 0.1, origin=(0.0, 1.0, 1.0))
REFUSED: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "an image": ({"images": SE}, TypeError, r"of a DataArray: images with their names.*images=\{'SE': se\}"),
    "None": ({"images": None}, TypeError, "of a NoneType"),
    "nothing": ({"images": {}}, ValueError, "of 0 images"),
    "four": ({"images": dict.fromkeys("abcd", SE)}, ValueError, "one to 3 are allowed"),
    "three and a volume": ({"images": dict.fromkeys("abc", SE), "volume": VOLUME}, ValueError, "one to 2"),
    "no name": ({"images": {" ": SE}}, ValueError, "each with a name"),
    "CT twice": ({"images": {"CT": SE}, "volume": VOLUME}, ValueError, "named 'CT'.*cut from the volume"),
    "reserved": ({"images": {"blend": SE}}, ValueError, "named 'blend': that is the name of another layer"),
    "plain array": ({"images": {"SE": SE.values}}, TypeError, r"ct\.volume"),
    "3D": ({"images": {"SE": VOLUME}}, ValueError, "2D is needed"),
    "channels": ({"images": {"SE": MAPS}}, ValueError, "2 channels, one is needed"),
    "other grid": (
        {"images": {"SE": SE, "b": ct.volume(SE.values, 0.1)}},
        ValueError,
        "lay 'b' over 'SE': their",
    ),
    "small": ({"images": {"SE": SE[:7]}, "maps": MAPS[:, :7]}, ValueError, "of 8 × 7 pixels: 8 or more"),
    "all NaN": ({"images": {"SE": SE * np.nan}}, ValueError, "no grey value is finite"),
    "alone": ({"maps": None}, ValueError, "of one image: there is nothing to lay over it"),
    "maps of text": ({"maps": "7Li"}, TypeError, r"ct\.volume"),
    "one map": ({"maps": MAPS[0]}, ValueError, r"channels \[\], dims \('y', 'x'\)"),
    "nameless": ({"maps": MAPS.drop_vars("channel")}, ValueError, r"channels \[\]"),
    "twice": (
        {"maps": MAPS.assign_coords(channel=["7Li", "7Li"])},
        ValueError,
        "each with a name of its own",
    ),
    "named SE": (
        {"maps": MAPS.assign_coords(channel=["SE", "7Li"])},
        ValueError,
        "each with a name of its own",
    ),
    "five maps": (
        {"maps": xr.concat([MAPS, MAPS, MAPS[:1]], "channel").assign_coords(channel=list("abcde"))},
        ValueError,
        r"one to 4 channels.*maps\.sel\(channel=",
    ),
    "map grid": ({"maps": MAPS[:, 1:]}, ValueError, "lay maps over an image: sizes"),
    "negative": ({"maps": MAPS - 2}, ValueError, r"counts such as -1: 128 of 128 are no whole numbers"),
    "fractional": (
        {"maps": MAPS * 0.5},
        ValueError,
        r"such as 0\.5.*bring the images onto the grid of the maps",
    ),
    "NaN": ({"maps": MAPS.where(MAPS.x > 3.1)}, ValueError, "such as nan: 48 of 128"),
    "too many": ({"maps": MAPS * 70_000}, ValueError, "from 0 to 65535"),
    "class names": ({"classes": SE}, ValueError, "its codes have no names"),
    "class type": ({"classes": SE.astype(float)}, TypeError, "integer codes"),
    "class grid": ({"classes": SE[1:]}, ValueError, "lay classes over an image"),
    "class codes": (
        {"classes": (SE.astype(int) - 9).assign_attrs(classes={"LCO": 1})},
        ValueError,
        "codes -9 to 54",
    ),
    "flat volume": ({"volume": SE}, ValueError, "3D is needed"),
    "volume of text": ({"volume": "CT"}, TypeError, r"ct\.volume"),
    "NaN in the volume": ({"volume": VOLUME.where(VOLUME > 9)}, ValueError, "NaN or infinite"),
    "outside": (
        {"volume": VOLUME.assign_coords(y=VOLUME.y + 50)},
        ValueError,
        "the section lies outside the volume",
    ),
    "nowhere to lie": ({"alignment": Pose(np.eye(4))}, ValueError, "an alignment and no volume"),
    "no alignment": ({"volume": VOLUME, "alignment": "found"}, TypeError, "type str.*locate_section"),
    "a matrix of text": (
        {"volume": VOLUME, "alignment": np.full((4, 4), "a")},
        TypeError,
        "whose matrix holds 'a': numbers are needed",
    ),
    "in 2D": ({"volume": VOLUME, "alignment": Pose(np.eye(3))}, TypeError, "one of a section with a volume"),
    "mirrored": (
        {"volume": VOLUME, "alignment": Pose(np.diag([1, 1, -1, 1]))},
        ValueError,
        "stretches or mirrors",
    ),
    "stretched": (
        {"volume": VOLUME, "alignment": Pose(np.diag([1, 1.1, 1, 1]))},
        ValueError,
        "stretches or mirrors",
    ),
    "a scale of 1000": (
        {"volume": VOLUME, "alignment": Pose(np.diag([1000.0, 1000, 1000, 1]))},
        ValueError,
        "a scale of 1000: from 0.8 to 1.25",
    ),
    "an image of text": ({"images": {"SE": SE.astype(str)}}, TypeError, "'SE' of dtype <U"),
    "an infinite pixel": (
        {"images": {"SE": SE.astype(float).where(SE > 0, np.inf)}},
        ValueError,
        "'SE': 1 of 64 grey values are infinite",
    ),
    "NaN pose": ({"volume": VOLUME, "alignment": Pose(np.full((4, 4), np.nan))}, ValueError, "stretches"),
    "last row": (
        {"volume": VOLUME, "alignment": np.vstack([np.eye(4)[:3], [[1, 2, 3, 4]]])},
        ValueError,
        "whose last row is not 0, 0, 0, 1",
    ),
    "booleans": (
        {"volume": VOLUME, "alignment": np.eye(4, dtype=bool)},
        TypeError,
        "matrix holds True: numbers are needed",
    ),
    "image named y_um": ({"images": {"y_um": SE}}, ValueError, "another layer or of a place"),
    "image named classes": ({"images": {"classes": SE}}, ValueError, "named 'classes'"),
    "channel named classes": (
        {"maps": MAPS.assign_coords(channel=["classes", "7Li"])},
        ValueError,
        "each with a name of its own",
    ),
    "channel without name": (
        {"maps": MAPS.assign_coords(channel=["", "7Li"])},
        ValueError,
        "each with a name of its own",
    ),
    "names and codes swapped": (
        {"classes": SE.assign_attrs(classes={1: "LCO"})},
        ValueError,
        r"attrs\['classes'\] \{1: 'LCO'\}: names are needed",
    ),
    "a list of classes": ({"classes": SE.assign_attrs(classes=["LCO"])}, ValueError, r"\['LCO'\]: names"),
    "one code twice": (
        {"classes": SE.assign_attrs(classes={"LCO": 1, "NCA": 1})},
        ValueError,
        "each with a code of its own",
    ),
    "a code too large": (
        {"classes": SE.assign_attrs(classes={"LCO": 300})},
        ValueError,
        "its own from 0 to 255",
    ),
    "grey values beyond floats": (
        {"images": {"SE": (SE.astype(float) - 32) * 5e306}},
        ValueError,
        "range is more than floats hold",
    ),
    "reach": ({"reach_um": -1.0}, ValueError, "reach_um -1.0 µm"),
    "reach of text": ({"reach_um": "1"}, TypeError, "reach_um '1'"),
    "turn": ({"reach_deg": 90}, ValueError, r"reach_deg 90: a number from 0\.1 to 45"),
    "colours": ({"colours": "rainbow"}, ValueError, "colours='rainbow': 'paper' or 'safe' is needed"),
    "source": ({"source": "real"}, ValueError, "'measured', 'digital twin', 'schematic'"),
    "caption": ({"caption": " "}, ValueError, "caption"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refuses(case: str) -> None:
    wrong, error, words = REFUSED[case]
    with pytest.raises(error, match=words):
        ct.explore.overlay(**{"images": {"SE": SE}, "maps": MAPS, **WORDS, **wrong})


def test_what_a_page_cannot_hold_is_refused_with_a_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    coords = {d: 0.025 * np.arange(n) for d, n in (("y", 40_000), ("x", 50_000))}
    huge = xr.DataArray(np.broadcast_to(np.uint8(2), (40_000, 50_000)), dims=("y", "x"), coords=coords)
    with pytest.raises(
        ValueError, match=r"of 50000 × 40000 pixels on a page: 1\.05 million are the most.*isel"
    ):
        ct.explore.overlay({"SE": huge}, MAPS, **WORDS)
    monkeypatch.setattr(overlay_layers, "MOST_BYTES", 50)
    with pytest.raises(ValueError, match=r"weigh 0\.00 MB packed, 5e-05 MB is the most"):
        ct.explore.overlay({"SE": SE}, MAPS, **WORDS)


@pytest.mark.parametrize("level", [np.uint64(2**63), 1e300, -1e300, 0.0])
def test_an_even_image_is_black_however_large_its_value(level: Any) -> None:
    even = SE.copy(data=np.full((8, 8), level))
    explorer = ct.explore.overlay({"SE": even}, MAPS, **WORDS)
    assert not shared.unpack(explorer.greys).any()
    assert float(level) == explorer.values.SE


def test_a_volume_too_large_to_read_is_refused_unread() -> None:
    shape = (5000, 20_000, 30_000)
    coords = {d: 1e-4 * np.arange(n) + o for d, n, o in zip("zyx", shape, (0.0, 2.0, 3.0), strict=True)}
    fine = xr.DataArray(np.broadcast_to(np.uint8(2), shape), dims=("z", "y", "x"), coords=coords)
    with pytest.raises(
        ValueError, match=r"voxels of the volume within reach.*2e\+09 at most.*Lower reach_um"
    ):
        ct.explore.overlay({"SE": SE}, MAPS, volume=fine, **WORDS)
