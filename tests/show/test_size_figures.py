"""Figures of sizes: curves, maps and growth show the numbers that they were given."""

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import corrtomo as ct
from corrtomo.show import Figure

WORDS: dict[str, Any] = {
    "caption": "Sizes",
    "source": "digital twin",
    "notice": "the peak",
    "alt": "A curve.",
}


def density(peak: float, width: float = 0.5) -> xr.DataArray:
    x = np.linspace(0, 12, 241)
    y = np.exp(-(((x - peak) / width) ** 2) / 2) / width / np.sqrt(2 * np.pi)
    return xr.DataArray(y, dims="diameter_um", coords={"diameter_um": x})


def local_sizes(scale: float = 1.0) -> xr.DataArray:
    sizes = np.zeros((3, 8, 10))
    sizes[:, 2:6, 3:9] = 2.0 * scale
    sizes[1, 3, 4] = 4.0 * scale
    return ct.volume(sizes, (1.0, 0.5, 0.5))


def table() -> pd.DataFrame:
    return pd.DataFrame({"edge_um": [5, 5, 10, 10, 20], "value": [0.2, 0.4, 0.28, 0.32, 0.31]})


def lines(figure: Figure) -> dict[str, Any]:
    return {str(line.get_label()): line for line in figure.drawing.axes[0].lines}


def panels(figure: Figure) -> list[np.ndarray]:
    return [np.asarray(a.images[0].get_array()) for a in figure.drawing.axes if a.images]


def test_curves_are_the_densities_and_fits_are_dashed_in_their_colour() -> None:
    grains, fit = density(4.0), density(4.1)
    figure = ct.show.sizes({"grains": grains, "pores": density(1.0)}, fits={"grains": fit}, **WORDS)
    drawn = lines(figure)
    np.testing.assert_array_equal(drawn["grains"].get_xydata().T, [grains.diameter_um, grains])
    np.testing.assert_array_equal(drawn["grains, fit"].get_ydata(), fit)
    assert drawn["grains, fit"].get_color() == drawn["grains"].get_color() != drawn["pores"].get_color()
    assert drawn["grains, fit"].is_dashed()
    axes = figure.drawing.axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("local diameter (µm)", "density (1/µm)")
    assert axes.get_xlim()[0] == 0
    assert 4 + 3 * 0.5 < axes.get_xlim()[1] < 7, "the axis ends where the curves do"


def test_published_sizes_are_bands_and_what_is_finer_than_a_voxel_is_shaded() -> None:
    figure = ct.show.sizes(
        {"pores": density(1.0)},
        published={"mean": (4.0, 0.05)},
        marks={"mean of ours": 3.9},
        resolution_um=0.438,
        **WORDS,
    )
    spans = {str(patch.get_label()): patch for patch in figure.drawing.axes[0].patches}
    assert (
        spans["below the resolution, 0.438 µm"].get_x() + spans["below the resolution, 0.438 µm"].get_width()
        == 0.438
    )
    (band,) = (patch for name, patch in spans.items() if "resolution" not in name)
    assert (band.get_x(), band.get_width()) == (pytest.approx(3.95), pytest.approx(0.1))
    np.testing.assert_array_equal(lines(figure)["mean, 4 µm"].get_xdata(), 4.0)
    np.testing.assert_array_equal(lines(figure)["mean of ours, 3.9 µm"].get_xdata(), 3.9)
    assert figure.drawing.axes[0].get_xlim()[1] > 4, "a published size is never off the axis"
    assert ct.show.sizes({"a": density(1)}, limit_um=9, **WORDS).drawing.axes[0].get_xlim() == (0, 9)


def test_maps_share_their_colours_and_one_bar() -> None:
    figure = ct.show.thickness({"a": local_sizes(), "b": local_sizes(2.0)}, **WORDS)
    a, b = panels(figure)
    inside = local_sizes().values[1] > 0
    assert (a[~inside] == a[0, 0]).all()
    assert (a[0, 0] > 230).all(), "outside is pale"
    np.testing.assert_array_equal(a[3, 4], b[2, 3], err_msg="4 µm has one colour")
    assert not np.array_equal(a[2, 3], b[2, 3])
    largest = np.rint(255 * np.array(mpl.colormaps["viridis"](1.0)[:3]))
    np.testing.assert_allclose(b[3, 4], largest, atol=1)
    bar = figure.drawing.axes[-1]
    assert bar.get_xlim() == (0, 8)
    assert figure.drawing.texts[0].get_text() == "local diameter (µm)"
    assert [axes.patches[0].get_width() for axes in figure.drawing.axes[:2]] == [1.0, 1.0]
    assert "voxel size 1 × 0.5 × 0.5 µm" in figure.caption


def test_limits_of_maps_can_be_shared_between_figures() -> None:
    figure = ct.show.thickness({"a": local_sizes()}, limits_um=(0, 16), index=1, **WORDS)
    assert figure.drawing.axes[-1].get_xlim() == (0, 16)
    wide, own = panels(figure)[0], panels(ct.show.thickness({"a": local_sizes()}, **WORDS))[0]
    assert not np.array_equal(wide[3, 4], own[3, 4])
    empty = ct.show.thickness({"a": local_sizes().where(local_sizes().z == 1, 0.0)}, index=0, **WORDS)
    assert np.ptp(panels(empty)[0]) <= 5, "a slice without a grain is pale all over"


def test_what_has_no_number_is_said_not_drawn() -> None:
    refused = pd.DataFrame({"edge_um": [5.0, 10.0], "value": [np.nan, np.nan]})
    figure = ct.show.growth(pd.concat([table(), refused]), label="share", **WORDS)
    np.testing.assert_array_equal(lines(figure)["one sub-volume each"].get_xydata(), table().to_numpy())
    assert "2 sub-volumes have no such number" in figure.caption


def test_what_is_left_out_has_its_colour() -> None:
    sizes = local_sizes()
    figure = ct.show.thickness({"a": sizes.where(sizes.x > float(sizes.x[2]))}, **WORDS)
    painted = figure.drawing.axes[0].images[0].get_array()
    expected = np.rint(255 * np.array(mpl.colors.to_rgb(ct.Phase.LEFT_OUT.colour)))
    assert (np.asarray(painted)[..., :3] == expected).all(axis=-1).any()


def test_growth_shows_every_sub_volume_its_mean_and_its_spread() -> None:
    figure = ct.show.growth(table(), label="share", whole=0.31, published=(0.356, 0.0005), **WORDS)
    drawn = lines(figure)
    np.testing.assert_array_equal(drawn["one sub-volume each"].get_xydata(), table().to_numpy())
    np.testing.assert_allclose(drawn["mean"].get_xydata(), [(5, 0.3), (10, 0.3), (20, 0.31)])
    np.testing.assert_array_equal(drawn["whole volume"].get_ydata(), 0.31)
    np.testing.assert_array_equal(drawn["published, with its rounding"].get_ydata(), 0.356)
    (band,) = figure.drawing.axes[0].collections
    ends = band.get_paths()[0].vertices
    np.testing.assert_allclose(np.ptp(ends[ends[:, 0] == 5, 1]), 2 * np.std([0.2, 0.4], ddof=1))
    assert 20 not in ends[:, 0], "of one value: its spread is not known"
    assert figure.drawing.axes[0].get_ylabel() == "share"


@pytest.mark.parametrize(
    "draw",
    [
        lambda **k: ct.show.sizes({"a": density(2)}, fits={"a": density(2.2)}, resolution_um=0.4, **k),
        lambda **k: ct.show.thickness({"a": local_sizes()}, **k),
        lambda **k: ct.show.growth(table(), label="share", **k),
    ],
)
def test_words_and_looks(draw: Any) -> None:
    settings = dict(mpl.rcParams)
    assert draw(**WORDS).png() == draw(**WORDS).png()
    assert dict(mpl.rcParams) == settings
    assert draw(**WORDS).caption.startswith("Sizes. Digital twin")
    assert draw(**WORDS).caption.endswith("Notice: the peak.")
    for word in ("caption", "notice", "alt"):
        with pytest.raises(ValueError, match=f"with {word}=' '.*Say it with {word}="):
            draw(**{**WORDS, word: " "})
    with pytest.raises(ValueError, match="source 'simulated'"):
        draw(**{**WORDS, "source": "simulated"})


def test_labels_and_legends_lie_within_the_picture() -> None:
    many = {
        f"{name} segmentation": density(i + 1) for i, name in enumerate(("X-ray", "FIB-SEM", "coarsened"))
    }
    wide = ct.show.sizes(many, fits=many, published={"mean": (2, 0.1)}, resolution_um=0.4, **WORDS)
    for figure in (wide, ct.show.growth(table(), label="share", whole=0.3, published=(0.3, 0.01), **WORDS)):
        figure.drawing.draw_without_rendering()
        box = figure.drawing.bbox
        for artist in (figure.drawing.legends[0], figure.drawing.axes[0].yaxis.label):
            extent = artist.get_window_extent()
            assert box.x0 <= extent.x0 <= extent.x1 <= box.x1
            assert box.y0 <= extent.y0 <= extent.y1 <= box.y1
        assert (
            not figure.drawing.legends[0]
            .get_window_extent()
            .overlaps(figure.drawing.axes[0].get_window_extent())
        )


def test_refusals() -> None:
    with pytest.raises(ValueError, match="holds no density"):
        ct.show.sizes({}, **WORDS)
    for bad in (np.ones(3), density(1).rename(diameter_um="x"), density(1)[:1]):
        with pytest.raises(ValueError, match=r"sizes of 'a'.*diameter_um.*ct.measure.size_density"):
            ct.show.sizes({"a": bad}, **WORDS)
    for values in (-density(1), density(1) * np.nan):
        with pytest.raises(ValueError, match="finite and not below 0"):
            ct.show.sizes({"a": values}, **WORDS)
    with pytest.raises(ValueError, match="diameters must ascend"):
        ct.show.sizes({"a": density(1)[::-1]}, **WORDS)
    with pytest.raises(ValueError, match=r"\['b'\] have a fit, but no density"):
        ct.show.sizes({"a": density(1)}, fits={"b": density(1)}, **WORDS)
    for name in ("resolution_um", "limit_um"):
        with pytest.raises(ValueError, match=f"with {name} at -1"):
            ct.show.sizes({"a": density(1)}, **WORDS, **{name: -1})
    with pytest.raises(ValueError, match="with mode at nan µm"):
        ct.show.sizes({"a": density(1)}, marks={"mode": np.nan}, **WORDS)
    with pytest.raises(ValueError, match="holds no map"):
        ct.show.thickness({}, **WORDS)
    with pytest.raises(TypeError, match="dtype is bool"):
        ct.show.thickness({"a": local_sizes() > 0}, **WORDS)
    with pytest.raises(ValueError, match="limits must be finite, ascending"):
        ct.show.thickness({"a": local_sizes()}, limits_um=(2, 1), **WORDS)
    with pytest.raises(ValueError, match=r"\['edge_um'\] missing.*growing_volumes"):
        ct.show.growth(table().rename(columns={"edge_um": "edge"}), label="share", **WORDS)
    with pytest.raises(ValueError, match="missing in dict"):
        ct.show.growth({}, label="share", **WORDS)
    for bad_table in (table()[:0], table().assign(value=np.nan), table().assign(edge_um=0)):
        with pytest.raises(ValueError, match="one or more with a number are needed, none infinite"):
            ct.show.growth(bad_table, label="share", **WORDS)


def test_the_colours_of_a_map_say_what_they_mean():
    for more, said in (({}, "local diameter (µm)"), ({"label": "gap (µm)"}, "gap (µm)")):
        figure = ct.show.thickness({"a": local_sizes()}, **more, **WORDS)
        assert said in [text.get_text() for text in figure.drawing.texts]
    with pytest.raises((TypeError, ValueError), match="label"):
        ct.show.thickness({"a": local_sizes()}, label="", **WORDS)
