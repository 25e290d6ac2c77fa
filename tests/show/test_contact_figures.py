"""Figures of contact: borders where neighbours are counted, profiles with means, surfaces in two colours."""

from typing import Any

import dask.array as da
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import corrtomo as ct
import corrtomo.measure
import corrtomo.show
from corrtomo.measure import Interval
from corrtomo.phases import as_labels
from corrtomo.show.contact import NO_FACE, PLAIN, faces_within, paint_contact
from corrtomo.show.contact_3d import tally
from corrtomo.show.contact_profile import weighted_mean
from corrtomo.show.style import CONTACT, LOST, SERIES, rgb

WORDS: dict[str, Any] = {"caption": "A", "source": "digital twin", "notice": "the red", "alt": "Particles."}
AM, CBD, PORE = (rgb(phase.colour) for phase in (ct.Phase.AM, ct.Phase.CBD, ct.Phase.PORE))


def electrode(seed: int = 0, shape: tuple[int, ...] = (6, 7, 8)) -> xr.DataArray:
    codes = np.random.default_rng(seed).choice([0, 1, 2, 255], shape).astype(np.uint8)
    return as_labels(ct.volume(codes, (0.05, 0.035, 0.025)[-len(shape) :]))


def shell(n: int = 40, radius: float = 12.0, coat: int = 3) -> xr.DataArray:
    """A ball of active material whose upper half (high z) is coated with binder, in pores."""
    z, y, x = (axis - (n - 1) / 2 for axis in np.ogrid[:n, :n, :n])
    far = np.sqrt(z**2 + y**2 + x**2)
    coated = (far < radius + coat) & (z > 0)
    return as_labels(ct.volume(np.where(far < radius, 2, np.where(coated, 1, 0)).astype(np.uint8), 0.1))


@settings(deadline=None, derandomize=True, max_examples=30)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 99))
def test_faces_are_those_that_are_counted(rows: int, columns: int, seed: int) -> None:
    codes = np.random.default_rng(seed).choice([0, 1, 2, 3, 255], (rows, columns)).astype(np.uint8)
    for axis, dim in enumerate("yx"):
        other = faces_within(codes, 2, axis)
        pairs = zip(np.moveaxis(codes, axis, 0), np.moveaxis(codes, axis, 0)[1:], strict=False)
        right = [sorted((int(a), int(b))) for p, q in pairs for a, b in zip(p, q, strict=True)]
        met = [p[0] if p[1] == 2 else p[1] for p in right if p.count(2) == 1 and 255 not in p]
        assert sorted(other[other != NO_FACE].tolist()) == sorted(met)
        if {1, 2} <= set(codes.ravel().tolist()) and met:
            share = ct.measure.contact_fraction(as_labels(ct.volume(codes, 1.0)), axes=dim)
            assert share == pytest.approx((other == 1).sum() / len(met))


def test_borders_are_painted_on_the_faces() -> None:
    codes = np.array([[2, 1], [0, 255]], np.uint8)
    picture = paint_contact(codes, 2, 1, fine=4, thick=(2, 2))
    assert picture.shape == (8, 8, 3)
    assert tuple(picture[1, 1]) == AM
    assert tuple(picture[1, 6]) == CBD
    assert tuple(picture[6, 1]) == PORE
    assert {tuple(p) for p in picture[:3, 3:5].reshape(-1, 3)} == {rgb(CONTACT)}, "two pixels about the face"
    assert {tuple(p) for p in picture[3:5, :5].reshape(-1, 3)} == {rgb(LOST)}, "lost contact lies on top"
    assert tuple(picture[6, 6]) == rgb(ct.Phase.LEFT_OUT.colour)
    plain = paint_contact(codes, 2, 1, fine=4, thick=(2, 2), fills=False)
    assert tuple(plain[1, 1]) == tuple(plain[6, 6]) == rgb(PLAIN)
    bare = paint_contact(codes, 2, 1, fine=1, thick=(0, 0))
    assert bare.tolist() == [[list(AM), list(CBD)], [list(PORE), list(rgb(ct.Phase.LEFT_OUT.colour))]]


def test_the_border_of_the_image_and_what_is_left_out_draw_no_line() -> None:
    codes = np.full((3, 3), 2, np.uint8)
    codes[1, 1] = ct.Phase.LEFT_OUT
    seen = {tuple(p) for p in paint_contact(codes, 2, 1, fine=5, thick=(3, 3)).reshape(-1, 3)}
    assert seen == {AM, rgb(ct.Phase.LEFT_OUT.colour)}


def test_planes_across_each_axis() -> None:
    image = electrode()
    for dim in image.dims:
        for at in ({"index": 2}, {"at_um": float(image[dim][2])}):
            figure = ct.show.contact(image, depth=str(dim), **at, **WORDS)
            (axes,) = figure.drawing.axes
            codes = image.isel({dim: 2}).values
            pixels = np.asarray(axes.images[0].get_array())
            fine = pixels.shape[0] // codes.shape[0]
            assert pixels.shape == (fine * codes.shape[0], fine * codes.shape[1], 3)
            middle = pixels[fine // 2 :: fine, fine // 2 :: fine]
            palette = {int(p): rgb(p.colour) for p in ct.Phase}
            assert middle.reshape(-1, 3).tolist() == [list(palette[c]) for c in codes.ravel().tolist()]
            assert f"{dim} {float(image[dim][2]):.2f} µm" in axes.get_title(loc="left")
    assert "voxel size 0.05 × 0.035 × 0.025 µm" in figure.caption


def test_sections_lazy_volumes_and_several_of_them() -> None:
    image = electrode()
    lazy = image.copy(data=da.from_array(image.values, chunks=2))
    pair = ct.show.contact({"eager": image, "lazy": lazy}, **WORDS).drawing.axes
    np.testing.assert_array_equal(*(np.asarray(axes.images[0].get_array()) for axes in pair))
    section = ct.show.contact(electrode(0, (7, 8)), fills=False, **WORDS)
    (legend,) = section.drawing.legends
    assert [text.get_text() for text in legend.get_texts()] == ["contact", "lost contact"]


def test_a_plane_without_binder_is_shown_where_the_volume_has_some() -> None:
    codes = np.full((3, 4, 4), 2, np.uint8)
    codes[0] = 1
    image = as_labels(ct.volume(codes, 0.1))
    assert ct.show.contact(image, depth="z", index=2, **WORDS).drawing.axes
    with pytest.raises(ValueError, match="no voxel is carbon binder domain"):
        ct.show.contact(image[1:], depth="z", index=1, **WORDS)


def profile(shares: Any, counted: Any, start: float = 0.0) -> xr.DataArray:
    at = start + 0.035 * np.arange(len(shares))
    return xr.DataArray(
        np.asarray(shares, float),
        dims="y",
        coords={"y": at, "surface_um2": ("y", np.asarray(counted, float))},
    )


def test_means_are_weighted_by_what_was_counted() -> None:
    assert weighted_mean(profile([0.2, 0.8, np.nan], [3, 1, 0])) == pytest.approx((0.6 + 0.8) / 4)
    assert weighted_mean(profile([0.2, 0.8, np.nan], [3, 1, 9])) == pytest.approx((0.6 + 0.8) / 4)
    image = electrode()
    whole = ct.measure.contact_fraction(image, axes=("z", "x"))
    assert weighted_mean(ct.measure.contact_profile(image, depth="y")) == pytest.approx(whole)
    section = electrode(1, (7, 8))
    whole = ct.measure.contact_fraction(section, axes="x")
    assert weighted_mean(ct.measure.contact_profile(section, depth="y")) == pytest.approx(whole)


def test_profiles_their_means_intervals_and_published_values_are_drawn() -> None:
    profiles = {"pristine": profile([0.5, np.nan, 0.7], [1, 0, 3]), "50 cycles": profile([0.4, 0.3], [1, 1])}
    figure = ct.show.contact_profile(
        profiles,
        interval={"pristine": Interval(0.6, 0.7, 0.95, 12)},
        published={"50 cycles": (0.43, 0.005)},
        **WORDS,
    )
    axes, side = figure.drawing.axes
    lines = axes.get_lines()
    assert [line.get_color() for line in lines] == [SERIES[0], SERIES[0], SERIES[1], SERIES[1]]
    np.testing.assert_array_equal(lines[0].get_xydata(), np.c_[[0, 0.035, 0.07], [0.5, np.nan, 0.7]])
    assert lines[1].get_ydata() == pytest.approx([0.65, 0.65])
    assert lines[3].get_ydata() == pytest.approx([0.35, 0.35])
    drawn = [np.asarray(line.get_ydata(), float).ravel().tolist() for line in side.get_lines()]
    assert [0.6, 0.7] in drawn
    assert [0.43, 0.43] in drawn
    (legend,) = figure.drawing.legends
    words = [text.get_text() for text in legend.get_texts()]
    assert words == ["pristine", "50 cycles", "interval of the mean", "published, with its rounding"]


@settings(deadline=None, derandomize=True, max_examples=30)
@given(st.tuples(*[st.integers(1, 6)] * 3), st.integers(0, 99))
def test_tallies_are_the_faces_of_each_voxel(shape: tuple[int, int, int], seed: int) -> None:
    codes = np.random.default_rng(seed).choice([0, 1, 2, 3, 255], shape).astype(np.uint8)
    bits = tally(codes, of=2, touching=1)
    met, lost = np.zeros(shape, int), np.zeros(shape, int)
    for at in np.ndindex(shape):
        for axis, step in ((a, s) for a in range(3) for s in (-1, 1)):
            beyond = list(at)
            beyond[axis] += step
            if codes[at] == 2 and 0 <= beyond[axis] < shape[axis]:
                other = codes[tuple(beyond)]
                met[at] += other == 1
                lost[at] += other in (0, 3)
    np.testing.assert_array_equal(bits, met + 8 * lost + 64 * (codes == 2))
    lazy = da.from_array(codes, chunks=2).map_overlap(
        tally, depth=1, boundary="none", dtype=np.uint8, of=2, touching=1
    )
    np.testing.assert_array_equal(lazy, bits)


@pytest.mark.parametrize("most", [60_000, 1500])
def test_a_half_coated_ball_has_two_halves(most: int) -> None:
    """Also where the coat is thinner than the voxels of the view: faces are counted on the labels."""
    figure = ct.show.contact_3d(shell(coat=1), most_triangles=most, **WORDS)
    (mesh,) = figure.surfaces
    assert len(mesh.triangles) <= most
    height = mesh.corners[:, 2] - 0.1 * 39 / 2
    assert mesh.values is not None
    assert (mesh.values[height > 0.45] > 2 / 3).all()
    assert (mesh.values[height < -0.45] < 1 / 3).all()
    np.testing.assert_allclose(np.linalg.norm(mesh.corners - 1.95, axis=1), 1.2, atol=0.12)


def test_what_is_cut_is_neither() -> None:
    solid = shell(40, 16.0, 2)
    figure = ct.show.contact_3d(solid.isel(x=slice(0, 20)), cut_um=(1.6, 1.6, 0.8), **WORDS)
    (mesh,) = figure.surfaces
    z, y, x = (mesh.corners[:, i] for i in (2, 1, 0))
    assert mesh.values is not None
    deep = np.hypot(np.hypot(z - 1.95, y - 1.95), x - 1.95) < 1.25
    on_box, on_cut = (x > 1.94) & deep, (np.abs(x - 1.15) < 0.03) & (z < 1.5) & (y > 2.4) & deep
    assert on_box.sum() > 10
    assert on_cut.any()
    np.testing.assert_allclose(mesh.values[on_box | on_cut], 0.5, atol=0.02)


def test_the_view_says_what_its_colours_mean() -> None:
    figure = ct.show.contact_3d(shell(), **WORDS)
    (trace,) = figure.plotly().data
    assert [colour for _, colour in trace.colorscale] == [
        LOST,
        LOST,
        ct.Phase.AM.colour,
        ct.Phase.AM.colour,
        CONTACT,
        CONTACT,
    ]
    assert list(trace.colorbar.ticktext) == ["lost contact", "both, or cut", "contact"]
    assert (trace.cmin, trace.cmax) == (0, 1)
    (legend,) = figure.still.drawing.legends
    faces = {
        t.get_text(): h.get_facecolor() for t, h in zip(legend.texts, legend.legend_handles, strict=True)
    }
    assert [tuple(round(255 * v) for v in faces[w][:3]) for w in ("contact", "lost contact")] == [
        rgb(CONTACT),
        rgb(LOST),
    ]


def test_lazy_volumes_are_shown_alike_in_3d() -> None:
    image = shell()
    lazy = image.copy(data=da.from_array(image.values, chunks=(16, 40, 20)))
    (a,), (b,) = (ct.show.contact_3d(v, **WORDS).surfaces for v in (image, lazy))
    np.testing.assert_array_equal(a.corners, b.corners)
    np.testing.assert_array_equal(a.values, b.values)


def test_the_two_colours_are_told_apart_with_any_colour_vision() -> None:
    """From each other, from active material, binder and pore; CIE Lab distance, vision after Machado 2009."""
    visions = {
        "protanopia": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
        "deuteranopia": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
        "tritanopia": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
        "full": np.eye(3),
    }
    am, cbd, pore = (phase.colour for phase in (ct.Phase.AM, ct.Phase.CBD, ct.Phase.PORE))
    beside = [(CONTACT, LOST), (CONTACT, am), (CONTACT, cbd), (LOST, am), (LOST, pore), (LOST, cbd)]
    for matrix in visions.values():
        for first, second in beside:
            assert np.linalg.norm(_lab(first, matrix) - _lab(second, matrix)) > 30, (first, second)
    for first, second in [*beside, *((c, s) for c in (CONTACT, LOST) for s in SERIES[:4])]:
        assert np.linalg.norm(_lab(first, np.eye(3)) - _lab(second, np.eye(3))) > 30, (first, second)
    assert abs(_lab(CONTACT, np.eye(3))[0] - _lab(LOST, np.eye(3))[0]) > 20, "in grey"


def _lab(colour: str, vision: Any) -> np.ndarray:
    value = np.array(rgb(colour)) / 255
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.asarray(vision) @ linear, 0, 1)
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ seen
    f = [np.cbrt(v) if v > 0.008856 else 7.787 * v + 16 / 116 for v in xyz / [0.9505, 1.0, 1.089]]
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("word", ["caption", "notice", "alt"])
def test_no_figure_is_silent(word: str) -> None:
    for draw in (
        lambda **k: ct.show.contact(electrode(), **k),
        lambda **k: ct.show.contact_profile({"a": profile([0.5], [1])}, **k),
        lambda **k: ct.show.contact_3d(shell(), **k),
    ):
        with pytest.raises(ValueError, match=f"with {word}=' '"):
            draw(**{**WORDS, word: " "})


SHOWN: dict[str, tuple[Any, dict[str, Any], type[Exception], str]] = {
    "plain array": (electrode().values, {}, TypeError, "voxel size is not known"),
    "None": (None, {}, TypeError, "NoneType"),
    "nothing": ({}, {}, ValueError, "holds no labels"),
    "grey values": (electrode().astype(float), {}, TypeError, "integer codes"),
    "unknown code": (electrode().where(electrode() != 255, 9), {}, ValueError, "not a known phase"),
    "no such axis": (electrode(), {"depth": "t"}, ValueError, "z, y, x"),
    "two axes": (electrode(), {"depth": ["y", "x"]}, ValueError, "one axis is needed"),
    "outside": (electrode(), {"at_um": 9.0}, ValueError, r"there are 7 along y, from 0 to 0\.21 µm"),
    "NaN": (electrode(), {"at_um": np.nan}, ValueError, "Choose one inside"),
    "negative": (electrode(), {"index": -1}, ValueError, "Choose one inside"),
    "both": (electrode(), {"index": 1, "at_um": 0.1}, ValueError, "Give one of them"),
    "one phase": (electrode(), {"of": 1}, ValueError, "two different phases"),
    "no collector": (electrode(), {"touching": 3}, ValueError, "no voxel is current collector"),
    "no separator": (electrode(), {"of": 4}, ValueError, "no voxel is separator"),
    "index of a section": (electrode(0, (7, 8)), {"index": 77}, ValueError, "of a section with dims"),
    "place of a section": (electrode(0, (7, 8)), {"at_um": 0.1}, ValueError, "Leave them out"),
    "axis of a section": (electrode(0, (7, 8)), {"depth": "q"}, ValueError, "depth='q'"),
    "text place": (electrode(), {"at_um": "1"}, TypeError, "the plane at at_um='1': a number"),
    "list place": (electrode(), {"at_um": [1]}, TypeError, r"at_um=\[1\]"),
    "flag place": (electrode(), {"at_um": True}, TypeError, "at_um=True"),
    "far place": (electrode(), {"at_um": 1e308}, ValueError, "Choose one inside"),
    "half index": (electrode(), {"index": 1.5}, TypeError, "index=1.5: a number"),
    "text index": (electrode(), {"index": "1"}, TypeError, "index='1'"),
    "flag index": (electrode(), {"index": True}, TypeError, "index=True"),
    "one title": ({None: electrode(), "": electrode()}, {}, ValueError, "two panels would have the title"),
    "no letter": ({str(i): electrode() for i in range(30)}, {}, ValueError, "holds 30 labels.*up to 26"),
}


@pytest.mark.parametrize("case", SHOWN)
def test_planes_refuse(case: str) -> None:
    labels, options, error, words = SHOWN[case]
    with pytest.raises(error, match=words):
        ct.show.contact(labels, **options, **WORDS)


GOOD = profile([0.5, 0.6], [1, 1])
PROFILES: dict[str, tuple[Any, dict[str, Any], type[Exception], str]] = {
    "one profile": (GOOD, {}, ValueError, "of a DataArray: one to 6"),
    "nothing": ({}, {}, ValueError, "of 0 profiles"),
    "numbers": ({"a": [0.5, 0.6]}, {}, TypeError, r"'a', a list.*contact_profile\(labels"),
    "no weights": ({"a": GOOD.drop_vars("surface_um2")}, {}, ValueError, "surface_um2, outline_um"),
    "no depth": ({"a": GOOD.drop_vars("y")}, {}, ValueError, "positions in µm"),
    "percent": ({"a": 100 * GOOD}, {}, ValueError, "shares from 0 to 1"),
    "all NaN": ({"a": np.nan * GOOD}, {}, ValueError, "at one depth or more"),
    "infinite": ({"a": profile([np.inf], [1])}, {}, ValueError, "shares from 0 to 1"),
    "nothing counted": ({"a": profile([0.5], [0])}, {}, ValueError, "surface_um2 above 0"),
    "NaN counted": ({"a": profile([0.5, 0.5], [1, np.nan])}, {}, ValueError, "surface_um2 above 0"),
    "other name": ({"a": GOOD}, {"interval": {"b": (0, 1)}}, ValueError, r"\['b'\] have an interval"),
    "other print": ({"a": GOOD}, {"published": {"b": (0.5, 0.1)}}, ValueError, "have a published value"),
    "one end": ({"a": GOOD}, {"interval": {"a": (0.4,)}}, ValueError, "a lower and an upper end"),
    "crossed": ({"a": GOOD}, {"interval": {"a": (0.6, 0.4)}}, ValueError, "the lower first"),
    "text": ({"a": GOOD}, {"interval": {"a": "04"}}, ValueError, "a lower and an upper end"),
    "NaN end": ({"a": GOOD}, {"interval": {"a": (np.nan, 0.4)}}, ValueError, "both finite"),
    "bare number": ({"a": GOOD}, {"published": {"a": 0.54}}, ValueError, r"\(0\.54, 0\.005\)"),
    "two depths": (
        {"a": GOOD, "b": GOOD.rename(y="z")},
        {},
        ValueError,
        "different axes.*'a': 'y', 'b': 'z'",
    ),
    "as text": ({"a": GOOD.astype(str)}, {}, TypeError, "whose shares have dtype <U"),
    "places as text": ({"a": GOOD.assign_coords(y=["a", "b"])}, {}, TypeError, "positions have dtype"),
    "text published": ({"a": GOOD}, {"published": "a"}, TypeError, "published of type str"),
    "text interval": ({"a": GOOD}, {"interval": "a"}, TypeError, "interval of type str"),
    "as percent": ({"a": GOOD}, {"published": {"a": (54, 0.5)}}, ValueError, "a share from 0 to 1"),
}


@pytest.mark.parametrize("case", PROFILES)
def test_profiles_refuse(case: str) -> None:
    profiles, options, error, words = PROFILES[case]
    with pytest.raises(error, match=words):
        ct.show.contact_profile(profiles, **options, **WORDS)


def test_3d_refuses() -> None:
    with pytest.raises(ValueError, match=r"z, y, x are needed"):
        ct.show.contact_3d(electrode(0, (7, 8)), **WORDS)
    with pytest.raises(TypeError, match="voxel size is not known"):
        ct.show.contact_3d(shell().values, **WORDS)
    with pytest.raises(ValueError, match="two different phases"):
        ct.show.contact_3d(shell(), touching=ct.Phase.AM, **WORDS)
    with pytest.raises(ValueError, match="Cannot show separator in 3D: no voxel"):
        ct.show.contact_3d(shell(), of=ct.Phase.SEPARATOR, **WORDS)
    for touching in (ct.Phase.COLLECTOR, ct.Phase.SEPARATOR):
        with pytest.raises(ValueError, match="Cannot show contact in 3D: no voxel is"):
            ct.show.contact_3d(shell(), touching=touching, **WORDS)
    for cut in ("abc", ("a", 1, 1), (1, (1, 2), 1), True):
        with pytest.raises(TypeError, match="Cannot cut a block .* numbers are needed"):
            ct.show.contact_3d(shell(), cut_um=cut, **WORDS)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="three edges"):
        ct.show.contact_3d(shell(), cut_um=(1, 1), **WORDS)
    with pytest.raises(ValueError, match="100 or more"):
        ct.show.contact_3d(shell(), most_triangles=9, **WORDS)
