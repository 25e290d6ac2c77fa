"""Composites of count maps: over an image, in the colours of the paper and in colours that are told apart."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest
import xarray as xr
from skimage.color import deltaE_ciede2000, rgb2lab

import corrtomo as ct
import corrtomo.show
from corrtomo.show.classes import class_colours
from corrtomo.show.composite import COLOURS, ELEMENTS, ISOTOPES, PAPER, SAFE, isotope
from corrtomo.show.style import MATERIALS, SERIES, rgb

WORDS: dict[str, Any] = {"caption": "Counts", "source": "digital twin", "notice": "lithium", "alt": "Maps."}
NAMES = ["7Li", "27Al", "59Co"]
COUNTS = np.random.default_rng(0).poisson([[[9.0]], [[2.0]], [[4.0]]], (3, 20, 30))
MAPS = ct.volume(COUNTS, 0.04, dims=("channel", "y", "x")).assign_coords(channel=NAMES)
BASE = ct.volume(np.arange(600, dtype=np.uint16).reshape(20, 30), 0.04, name="SE")
# Machado, Oliveira and Fernandes, IEEE Trans. Vis. Comput. Graph. 15, 1291 (2009), severity 1, linear RGB.
VISION = {
    "normal": np.eye(3),
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.01182, 0.04294, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.3039],
    ],
}


def pixels(figure: ct.show.Figure, panel: int = 0) -> np.ndarray:
    return np.asarray(figure.drawing.axes[panel].images[0].get_array())


def seen(colours: Any, matrix: Any) -> np.ndarray:
    """Colours (0 to 255) as one with this vision sees them, in CIELAB."""
    srgb = np.clip(np.array(colours, float) / 255, 0, 1)
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4) @ np.array(matrix).T
    linear = np.clip(linear, 0, 1)
    return rgb2lab(np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055))


def nearest(colours: Any) -> float:
    """The least difference (CIEDE2000) between any two colours, with any vision."""
    pairs = np.array(list(combinations(range(len(colours)), 2))).T
    labs = [seen(colours, matrix) for matrix in VISION.values()]
    return min(float(deltaE_ciede2000(lab[pairs[0]], lab[pairs[1]]).min()) for lab in labs)


def expected(gain: float = 1.0, gamma: float = 1.0) -> np.ndarray:
    total = np.zeros((20, 30, 3))
    for name, counts in zip(NAMES, COUNTS, strict=True):
        full = max(float(np.percentile(counts.astype(float), 99.5)), 1.0)
        share = np.clip(gain * (counts / full), 0, 1) ** gamma
        total += share[..., None] * np.array(rgb(PAPER[name]))
    return total


def test_maps_are_added_to_the_base() -> None:
    alone = pixels(ct.show.composite(MAPS, colours="paper", **WORDS))
    np.testing.assert_array_equal(alone, np.clip(expected(), 0, 255).astype(np.uint8))
    over = ct.show.composite(MAPS, base=BASE, opacity=0.4, colours="paper", apart=True, **WORDS)
    low, high = np.percentile(BASE.values, [0.5, 99.5])
    grey = np.rint(255 * np.clip((BASE.values - low) / (high - low), 0, 1))
    np.testing.assert_array_equal(
        pixels(over), np.clip(expected() + 0.4 * grey[..., None], 0, 255).astype(np.uint8)
    )
    np.testing.assert_array_equal(pixels(over, 1)[..., 0], grey)
    titles = [axes.get_title(loc="left") for axes in over.drawing.axes]
    assert [title.split("  ")[1] for title in titles] == ["together", "SE", "⁷Li", "²⁷Al", "⁵⁹Co"]
    np.testing.assert_array_equal(pixels(ct.show.composite(MAPS, base=BASE, opacity=0, **WORDS)), alone)


def test_gain_and_gamma() -> None:
    shown = pixels(ct.show.composite(MAPS, gain=2.0, gamma=0.5, **WORDS))
    np.testing.assert_array_equal(shown, np.clip(expected(2.0, 0.5), 0, 255).astype(np.uint8))
    one = ct.show.composite(MAPS, gain={"7Li": 2.0}, apart=True, **WORDS)
    plain = ct.show.composite(MAPS, apart=True, **WORDS)
    assert pixels(one, 1).sum() > pixels(plain, 1).sum()
    np.testing.assert_array_equal(pixels(one, 2), pixels(plain, 2))


def test_legend_raises_mass_numbers() -> None:
    legend = ct.show.composite(MAPS, **WORDS).drawing.legends[0]
    assert [text.get_text() for text in legend.get_texts()] == ["⁷Li", "²⁷Al", "⁵⁹Co"]
    assert [isotope(name) for name in ("58Ni", "Ni", "235U", "7li", "channel 1")] == [
        "⁵⁸Ni",
        "Ni",
        "²³⁵U",
        "7li",
        "channel 1",
    ]


def test_the_paper_has_its_colours_and_the_kintsugi_part_keeps_its_own() -> None:
    assert [PAPER[name] for name in NAMES] == ["#00ff00", "#0000ff", "#ff0000"]
    assert ELEMENTS == ELEMENTS | {
        "Al": "#b35a1f",
        "Ni": "#d9d9d9",
        "Pt": "#2f6fb5",
        "C": "#e69f00",
        "F": "#cc79a7",
    }


def test_the_safe_set_is_told_apart_with_any_colour_vision() -> None:
    """Every isotope, and lithium's colour added to each other one's: in the paper's, that is nickel's."""
    distance = {}
    for key, colours in COLOURS.items():
        own = np.array([rgb(colours[name]) for name in ISOTOPES])
        distance[key] = nearest(np.vstack([[[0, 0, 0]], own, np.minimum(own[0] + own[1:], 255)]))
    assert distance["safe"] > 15
    assert distance["paper"] == pytest.approx(0.0, abs=1e-9)
    assert nearest([rgb(SAFE[name]) for name in ("C", "Co", "Ni")]) > 15


def test_lco_and_nca_are_told_apart_from_all_beside_them() -> None:
    known = [phase.colour for phase in (ct.Phase.PORE, ct.Phase.CBD, ct.Phase.AM)]
    colours = [rgb(colour) for colour in (*MATERIALS.values(), *known)]
    assert nearest(colours) > 15
    greys = np.sort(seen(colours, np.eye(3))[:, 0])
    assert np.diff(greys).min() > 10, "lightness"
    names = ("pore", "LCO", "cathode", "NCA")
    assert class_colours(names) == {
        "pore": known[0],
        "LCO": "#1890d8",
        "cathode": SERIES[0],
        "NCA": "#a82418",
    }


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"base": BASE[1:]}, ValueError, "add maps to a base: sizes"),
        ({"base": BASE.values}, TypeError, r"ct\.volume"),
        ({"base": MAPS}, ValueError, "one channel is needed"),
        ({"maps": MAPS.where(MAPS > 0)}, ValueError, "grey values are NaN"),
        ({"opacity": 2}, ValueError, "opacity 2: a number from 0 to 1"),
        ({"gain": 0}, ValueError, r"gain 0: a number from 0\.01 to 100"),
        ({"gamma": "1"}, TypeError, "gamma '1'"),
        ({"gain": {"Li": 2.0}}, ValueError, r"gain of 'Li': the channels that are shown are \['7Li'"),
        ({"colours": "rainbow"}, TypeError, "colours of type str.*'paper' or 'safe'"),
        ({"colours": {"7Li": "green"}}, ValueError, "7Li in the colour 'green': a hex colour"),
        ({"colours": {"7Li": 3}}, ValueError, "in the colour 3"),
        ({"maps": MAPS.assign_coords(channel=["7Li", "7Li", "C"])}, ValueError, "a name of its own"),
        ({"maps": MAPS[0]}, ValueError, "maps with a channel dim are needed"),
        ({"maps": MAPS.drop_vars("channel")}, ValueError, r"channels \[\]: maps with a channel dim"),
        ({"base": BASE.expand_dims(z=[0.0])}, ValueError, "2D is needed|voxel size along z"),
        ({"base": BASE.rename("together"), "apart": True}, ValueError, "'together': that is the title"),
        ({"base": BASE.rename("⁷Li"), "apart": True}, ValueError, "title of another panel.*rename"),
        ({"maps": MAPS.astype(str)}, TypeError, "dtype <U"),
        ({"maps": MAPS + 1j}, TypeError, "dtype complex128"),
        ({"apart": "no"}, TypeError, "apart='no': True or False"),
        ({"caption": None}, ValueError, "caption=None"),
    ],
)
def test_composites_refuse_what_cannot_be(options, error, said) -> None:
    with pytest.raises(error, match=said):
        ct.show.composite(**{"maps": MAPS, **WORDS, **options})


def test_channels_may_be_numbers() -> None:
    numbered = pixels(
        ct.show.composite(MAPS.assign_coords(channel=[1, 2, 3]), colours={"2": "#0000ff"}, **WORDS)
    )
    named = pixels(ct.show.composite(MAPS, colours={"27Al": "#0000ff"}, **WORDS))
    np.testing.assert_array_equal(numbered, named)
    full = float(np.percentile(COUNTS[1], 99.5))
    np.testing.assert_array_equal(
        named[..., 2], np.clip(255 * np.clip(COUNTS[1] / full, 0, 1), 0, 255).astype(np.uint8)
    )


def test_maps_too_large_to_be_drawn_are_refused_unread() -> None:
    coords = {"channel": ["7Li"], "y": 0.1 * np.arange(20_000), "x": 0.1 * np.arange(30_000)}
    data = np.broadcast_to(np.uint8(2), (1, 20_000, 30_000))
    huge = xr.DataArray(data, dims=("channel", "y", "x"), coords=coords)
    with pytest.raises(ValueError, match=r"of 30000 × 20000 pixels: 3e\+07 are the most.*isel"):
        ct.show.composite(huge, **WORDS)


def test_what_is_no_count_is_said_and_fractions_are_not_black() -> None:
    assert "below zero" not in ct.show.composite(MAPS, **WORDS).caption
    less = ct.show.composite(MAPS - 5, **WORDS)
    share = 100 * float((MAPS < 5).mean())
    assert f"{share:.0f} % of the values are below zero and black" in less.caption
    faint = ct.show.composite(MAPS * 0.001, **WORDS)
    np.testing.assert_array_equal(pixels(faint), pixels(ct.show.composite(MAPS, **WORDS)))
    assert "no whole counts" in faint.caption
