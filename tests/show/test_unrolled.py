"""Maps laid flat show the numbers that they were given, where they are."""

from types import SimpleNamespace
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr

import corrtomo as ct
from corrtomo.phases import Phase
from corrtomo.show.volume_3d import SIZES

WORDS: dict[str, Any] = {
    "label": "thickness (µm)",
    "caption": "A layer",
    "source": "digital twin",
    "notice": "the tab",
    "alt": "Two maps.",
}


def layer(*, depth: int = 0) -> xr.DataArray:
    """Thickness that rises with the winding, and one place where it was not measured."""
    angle = (np.arange(12) + 0.5) * np.pi / 6
    values = np.arange(36, dtype=float).reshape(3, 12) + 10
    values[1, 4] = np.nan
    one = xr.DataArray(values, dims=("turn", "angle"), coords={"turn": [0, 1, 2], "angle": angle})
    return one.expand_dims(z=800.0 + 50 * np.arange(depth)) if depth else one


def test_turns_lie_above_one_another():
    figure = ct.show.unrolled({"thickness": layer(), "gap": layer() * 2}, **WORDS)
    first, second, bar = figure.drawing.axes
    (image,) = first.images
    assert image.get_extent() == [0.0, 360.0, -0.5, 2.5]
    np.testing.assert_array_equal(image.get_array().filled(np.nan), layer().values)
    assert image.get_clim() == second.images[0].get_clim() == (0.0, 90.0)
    assert (first.get_xlabel(), first.get_ylabel()) == ("angle (°)", "turn")
    assert first.get_title(loc="left").endswith("thickness")
    assert bar.get_xlabel() == "thickness (µm)"


def test_with_height_the_winding_runs_on():
    figure = ct.show.unrolled({"thickness": layer(depth=4)}, **WORDS, limits_um=(5.0, 60.0))
    axes = figure.drawing.axes[0]
    (image,) = axes.images
    assert image.get_extent() == [0.0, 3.0, 975.0, 775.0]
    assert image.get_array().shape == (4, 36)
    assert image.get_clim() == (5.0, 60.0)
    assert axes.get_ylim() == (975.0, 775.0), "the top of the cell is up"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("winding (turns)", "z (µm)")


@pytest.mark.parametrize("depth", [0, 4])
def test_a_pointer_reads_the_number_of_its_place(depth):
    """Where matplotlib, which knows which way up a picture lies, says that a number is drawn."""
    one = layer(depth=depth)
    if depth:
        one = one + xr.DataArray(100.0 * np.arange(depth), dims="z")
    axes = ct.show.unrolled({"thickness": one}, **WORDS).drawing.axes[0]
    axes.figure.canvas.draw()
    for turn, angle in ((0, 0), (0, 11), (2, 3), (1, 7)):
        for k in range(max(depth, 1)):
            place = (turn + (angle + 0.5) / 12, 800.0 + 50 * k) if depth else (30 * (angle + 0.5), turn)
            x, y = axes.transData.transform(place)
            read = axes.images[0].get_cursor_data(SimpleNamespace(x=x, y=y))
            assert read == float(one.isel({"turn": turn, "angle": angle} | ({"z": k} if depth else {})))


def test_what_was_not_measured_is_told_apart():
    (image,) = ct.show.unrolled({"thickness": layer()}, **WORDS).drawing.axes[0].images
    painted = image.to_rgba(image.get_array())
    assert painted[1, 4] == pytest.approx(mpl.colors.to_rgba(Phase.LEFT_OUT.colour))
    assert painted[2, 11] == pytest.approx(mpl.colormaps[SIZES](1.0))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (layer().T, r"dims are \('angle', 'turn'\)"),
        (layer()[0], r"dims are \('angle',\)"),
        (layer()[:0], "not empty"),
        (layer().values, "dims are ndarray"),
        (layer() * np.inf, "35 infinite"),
        (layer() * np.nan, "0 finite"),
    ],
)
def test_what_is_no_map_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        ct.show.unrolled({"thickness": wrong}, **WORDS)


def test_no_map_and_no_mapping_are_refused():
    with pytest.raises(ValueError, match="Cannot show 0 maps"):
        ct.show.unrolled({}, **WORDS)
    with pytest.raises(TypeError, match="of type DataArray"):
        ct.show.unrolled(layer(), **WORDS)
    with pytest.raises(ValueError, match="limits must be finite, ascending"):
        ct.show.unrolled({"thickness": layer()}, **WORDS, limits_um=(3.0, 3.0))


def test_parts_of_turns_uneven_heights_text_and_wrong_limits_are_refused():
    for spoilt, match in (
        (layer().isel(angle=slice(0, 5)), "those of full turns"),
        (layer().isel(turn=[0, 2]), "each must follow"),
        (layer(depth=3).isel(z=slice(None, None, -1)), "ascend in even steps"),
        (layer(depth=3).assign_coords(z=[0.0, np.nan, 9.0]), "ascend in even steps"),
        (layer().assign_coords(turn=["a", "b", "c"]), "ascend in even steps"),
        (layer().astype(str), "dtype is <U"),
    ):
        with pytest.raises(ValueError, match=match):
            ct.show.unrolled({"map": spoilt}, **WORDS)
    with pytest.raises(ValueError, match="from 1 to 26"):
        ct.show.unrolled({str(k): layer() for k in range(27)}, **WORDS)
    for limits in ((0,), "ab", 5):
        with pytest.raises(ValueError, match="the limits must be"):
            ct.show.unrolled({"map": layer()}, **WORDS, limits_um=limits)
