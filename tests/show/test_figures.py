"""Figures show what the data is, and carry the words that belong to them."""

import re
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

import corrtomo as ct
import corrtomo.show
from corrtomo.phases import as_labels
from corrtomo.show import Figure
from corrtomo.show.panels import cut
from corrtomo.show.style import HIT, TOO_BRIGHT, TOO_DARK, rgb, round_length

WORDS: dict[str, Any] = {
    "caption": "A slice",
    "source": "digital twin",
    "notice": "the edges",
    "alt": "Two slices.",
}


@pytest.fixture
def image() -> xr.DataArray:
    return ct.volume(np.arange(4 * 6 * 8, dtype=np.uint8).reshape(4, 6, 8), (1.0, 0.5, 0.5))


@pytest.fixture
def truth(image: xr.DataArray) -> xr.DataArray:
    codes = np.random.default_rng(0).choice([0, 1, 2, 255], image.shape).astype(np.uint8)
    return as_labels(image.copy(data=codes))


@pytest.fixture(
    params=["slices", "overlay", "agreement", "histogram", "phase_histogram", "kappa_map", "spread"]
)
def draw(request: pytest.FixtureRequest, image: xr.DataArray, truth: xr.DataArray) -> Callable[..., Figure]:
    pairs = xr.DataArray(np.triu(np.full((256, 256), 0.5)), dims=("lower", "upper"))
    pairs = pairs.assign_coords(lower=np.arange(256), upper=np.arange(256))
    calls: dict[str, Callable[..., Figure]] = {
        "slices": lambda **k: ct.show.slices({"X-ray": image, "truth": truth}, **k),
        "overlay": lambda **k: ct.show.overlay(image, truth, **k),
        "agreement": lambda **k: ct.show.agreement(truth == 2, image > 99, **k),
        "histogram": lambda **k: ct.show.histogram(image, thresholds={"Otsu": 99}, **k),
        "phase_histogram": lambda **k: ct.show.phase_histogram(
            ct.measure.joint_histogram(image, truth, ignore=255), **k
        ),
        "kappa_map": lambda **k: ct.show.kappa_map(pairs, **k),
        "spread": lambda **k: ct.show.spread({"kappa": [0.7, 0.8]}, label="kappa", **k),
    }
    return calls[request.param]


def panels(figure: Figure) -> list[np.ndarray]:
    return [np.asarray(a.images[0].get_array()) for a in figure.drawing.axes if a.images]


def test_every_figure_carries_alt_source_and_notice(draw: Callable[..., Figure]) -> None:
    figure = draw(**WORDS)
    page = figure._repr_mimebundle_()["text/html"]
    assert page.startswith('<figure class="ct-figure"><img alt="Two slices."')
    caption = re.search("<figcaption>(.*)</figcaption>", page)[1]
    assert caption.startswith("A slice. Digital twin")
    assert caption.endswith("Notice: the edges.")
    assert figure._repr_mimebundle_()["text/plain"] == f"Figure({figure.caption!r})"
    assert "http" not in page


@pytest.mark.parametrize("word", ["caption", "notice", "alt"])
def test_every_figure_refuses_to_be_silent(draw: Callable[..., Figure], word: str) -> None:
    with pytest.raises(ValueError, match=f"with {word}=' '.*Say it with {word}="):
        draw(**{**WORDS, word: " "})


def test_every_figure_says_what_is_real(draw: Callable[..., Figure]) -> None:
    with pytest.raises(ValueError, match="source 'simulated'.*'measured', 'digital twin', 'schematic'"):
        draw(**{**WORDS, "source": "simulated"})


def test_every_figure_is_the_same_each_time_and_leaves_no_trace(draw: Callable[..., Figure]) -> None:
    settings = dict(mpl.rcParams)
    assert draw(**WORDS).png() == draw(**WORDS).png()
    assert dict(mpl.rcParams) == settings
    assert plt.get_fignums() == []


def test_the_readers_own_settings_do_not_change_it(draw: Callable[..., Figure]) -> None:
    plain = draw(**WORDS).png()
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red", "image.cmap": "jet"}):
        assert draw(**WORDS).png() == plain


def test_pictures_are_saved(image: xr.DataArray, tmp_path: Any) -> None:
    figure = ct.show.slices({"X-ray": image}, **WORDS)
    for suffix, start in {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}.items():
        assert figure.save(tmp_path / f"a.{suffix}").read_bytes().startswith(start)


def test_grey_panels_share_their_limits(image: xr.DataArray) -> None:
    dark, bright = panels(ct.show.slices({"a": image, "b": image + np.uint8(40)}, index=0, **WORDS))
    np.testing.assert_array_equal(dark[1:3, :, 0] < bright[1:3, :, 0], True)
    limited = panels(ct.show.slices({"a": image}, index=0, limits=(0, 255), **WORDS))[0]
    np.testing.assert_array_equal(limited[..., 0], image[0])


def test_phases_are_painted_in_their_colours(image: xr.DataArray, truth: xr.DataArray) -> None:
    figure = ct.show.slices({"truth": truth, "mask": truth == ct.Phase.AM}, index=1, **WORDS)
    labels, mask = panels(figure)
    for phase in (ct.Phase.PORE, ct.Phase.CBD, ct.Phase.AM, ct.Phase.LEFT_OUT):
        painted = labels[truth.values[1] == phase]
        assert painted.size
        np.testing.assert_array_equal(painted - rgb(phase.colour), 0)
    np.testing.assert_array_equal(mask[..., 0], 255 * (truth.values[1] == 2))
    legend = {text.get_text() for text in figure.drawing.legends[0].get_texts()}
    assert legend == {"pore", "carbon binder domain", "active material", "left out"}


def test_overlay_keeps_both_visible(image: xr.DataArray, truth: xr.DataArray) -> None:
    grey, over = panels(ct.show.overlay(image, truth, index=2, opacity=0.25, **WORDS))
    pore = truth.values[2] == 0
    want = np.rint(0.75 * grey[pore] + 0.25 * np.array(rgb(ct.Phase.PORE.colour)))
    np.testing.assert_array_equal(over[pore], want)
    grey, over = panels(ct.show.overlay(image, truth == 2, index=2, **WORDS))
    np.testing.assert_array_equal((grey == over).all(axis=-1), truth.values[2] != 2)


def test_what_is_painted_and_what_a_dot_is_can_be_said(image: xr.DataArray, truth: xr.DataArray) -> None:
    titles = lambda figure: [axes.get_title(loc="left") for axes in figure.drawing.axes]  # noqa: E731
    assert titles(ct.show.overlay(image, truth, **WORDS))[1].endswith("segmentation")
    assert titles(ct.show.overlay(image, truth, painted="the field", **WORDS))[1].endswith("the field")
    figure = ct.show.spread({"kappa": [0.78]}, label="κ", each="one sample each", **WORDS)
    assert [line.get_label() for line in figure.drawing.axes[0].lines] == ["one sample each"]
    with pytest.raises(ValueError, match="painted=''"):
        ct.show.overlay(image, truth, painted="", **WORDS)


def test_agreement_tells_misses_from_false_alarms() -> None:
    truth = ct.volume(np.array([[True, True, False, False]]), 1.0)
    found = ct.volume(np.array([[True, False, True, False]]), 1.0)
    both = panels(ct.show.agreement(truth, found, **WORDS))[2][0]
    assert [tuple(c) for c in both] == [rgb(HIT), rgb(TOO_DARK), rgb(TOO_BRIGHT), (40, 40, 40)]


def test_agreement_of_phases_says_too_dark_and_too_bright() -> None:
    truth = as_labels(ct.volume(np.array([[0, 1, 2, 1, 255]]), 1.0))
    found = as_labels(ct.volume(np.array([[0, 2, 1, 1, 2]]), 1.0))
    figure = ct.show.agreement(truth, found, ignore=255, **WORDS)
    want = [rgb(HIT), rgb(TOO_BRIGHT), rgb(TOO_DARK), rgb(HIT), rgb(ct.Phase.LEFT_OUT.colour)]
    assert [tuple(c) for c in panels(figure)[2][0]] == want
    words = [text.get_text() for text in figure.drawing.legends[0].get_texts()]
    assert words[-4:] == ["as in truth", "called too dark", "called too bright", "left out"]


def test_slices_are_found_by_position(image: xr.DataArray) -> None:
    assert float(cut(image, at_um=1.9).z) == 2.0
    assert float(cut(image, index=0).z) == 0.0
    assert float(cut(image).z) == 2.0
    assert cut(image[0]) is not None
    with pytest.raises(ValueError, match=r"at at_um=9.*4 slices, from 0 to 3 µm"):
        cut(image, at_um=9)
    with pytest.raises(ValueError, match="index=-1"):
        cut(image, index=-1)
    with pytest.raises(ValueError, match="at once"):
        cut(image, at_um=1, index=1)


def test_scale_bars_and_voxel_sizes_are_physical(image: xr.DataArray) -> None:
    figure = ct.show.slices({"a": image}, **WORDS)
    bar = figure.drawing.axes[0].patches[0]
    assert bar.get_width() == 1.0, "a third of 4 µm, rounded down"
    assert figure.drawing.axes[0].texts[0].get_text() == "1 µm"
    box = figure.drawing.axes[0].get_position()
    width, height = figure.drawing.get_size_inches()
    assert box.width * width / (box.height * height) == pytest.approx(8 / 6)
    assert "voxel size 1 × 0.5 × 0.5 µm." in figure.caption
    assert [round_length(v) for v in (0.7, 1, 1.99, 2, 4.9, 5, 99)] == [0.5, 1, 1, 2, 2, 5, 50]


def test_histogram_counts_all_voxels(image: xr.DataArray) -> None:
    kappa = xr.DataArray(np.linspace(0, 1, 256), dims="threshold", coords={"threshold": np.arange(256)})
    figure = ct.show.histogram(image, thresholds={"Otsu": 117, "best": 120}, kappa=kappa, **WORDS)
    bars, curve = figure.drawing.axes
    share, edges, _ = bars.patches[0].get_data()
    assert share.sum() == pytest.approx(100)
    np.testing.assert_allclose(share[:192], 100 / 192)
    assert edges[0] == -0.5
    assert [line.get_xdata()[0] for line in bars.lines] == [117.5, 120.5], "between two grey values"
    np.testing.assert_allclose(curve.lines[0].get_xdata(), np.arange(256) + 0.5)
    assert {text.get_text().strip() for text in bars.texts} == {"Otsu 117", "best 120"}


def test_the_histogram_by_phase_gives_every_phase_the_same_area(image, truth) -> None:
    joint = ct.measure.joint_histogram(image, truth, ignore=255)
    axes = ct.show.phase_histogram(joint, thresholds={"lower": 60}, **WORDS).drawing.axes[0]
    outlines = [patch for patch in axes.patches if not patch.get_fill()]
    assert [patch.get_label() for patch in outlines] == ["pore", "carbon binder domain", "active material"]
    for code, patch in enumerate(outlines):
        share, edges, _ = patch.get_data()
        assert share.sum() == pytest.approx(100)
        assert edges[0] == -0.5
        assert share[7] == pytest.approx(100 * joint.values[code, 7] / joint.values[code].sum())


def test_kappa_map_marks_the_best_pair() -> None:
    values = np.full((256, 256), np.nan)
    upper = np.triu_indices(256, 1)
    values[upper] = 0.5 - 1e-5 * ((upper[0] - 90) ** 2 + (upper[1] - 140) ** 2)
    pairs = xr.DataArray(values, dims=("lower", "upper"))
    pairs = pairs.assign_coords(lower=np.arange(256), upper=np.arange(256))
    axes = ct.show.kappa_map(pairs, pairs={"Otsu": (80, 150)}, **WORDS).drawing.axes[0]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in axes.lines] == [(140, 90), (150, 80)]
    assert axes.lines[0].get_label() == "best, κ 0.50"


def test_spread_shows_every_value_and_the_published_one() -> None:
    figure = ct.show.spread(
        {"kappa": [0.78, 0.8]},
        label="κ",
        intervals={"kappa": (0.77, 0.81)},
        published={"kappa": (0.79, 0.005)},
        **WORDS,
    )
    lines = {line.get_label(): line.get_xdata() for line in figure.drawing.axes[0].lines}
    np.testing.assert_array_equal(lines["one run each"], [0.78, 0.8])
    np.testing.assert_array_equal(lines["interval"], [0.77, 0.81])
    np.testing.assert_array_equal(lines["published, with its rounding"], [0.79, 0.79])
    band = figure.drawing.axes[0].collections[0].get_paths()[0].vertices[:, 0]
    assert (band.min(), band.max()) == pytest.approx((0.785, 0.795))


def test_refusals(image: xr.DataArray, truth: xr.DataArray) -> None:
    with pytest.raises(ValueError, match="holds no image"):
        ct.show.slices({}, **WORDS)
    with pytest.raises(TypeError, match=r"ct\.volume"):
        ct.show.slices({"a": np.zeros((3, 3))}, **WORDS)
    with pytest.raises(ValueError, match="differ"):
        ct.show.overlay(image, truth[1:], **WORDS)
    with pytest.raises(TypeError, match="dtype is float64"):
        ct.show.agreement(truth, image.astype(float), **WORDS)
    with pytest.raises(ValueError, match="one channel is needed"):
        ct.show.slices({"a": ct.volume(np.zeros((2, 3, 3)), 1.0, dims=("channel", "y", "x"))}, **WORDS)
    with pytest.raises(ValueError, match="NaN or infinite"):
        ct.show.histogram(image.astype(float) / 0.0, **WORDS)
    with pytest.raises(ValueError, match=r"kappa_by_threshold_pair"):
        ct.show.kappa_map(image, **WORDS)
    with pytest.raises(ValueError, match=r"joint_histogram"):
        ct.show.phase_histogram(image, **WORDS)
    with pytest.raises(ValueError, match="one value or more"):
        ct.show.spread({"a": []}, label="κ", **WORDS)
    with pytest.raises(ValueError, match=r"\['b'\] have an interval"):
        ct.show.spread({"a": [1.0]}, label="κ", published={"b": (1, 1)}, **WORDS)
