"""Maps of wound layers, laid flat: thickness, gaps, heights by winding angle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import xarray as xr
from matplotlib.axes import Axes

from ..checks import check_turns
from ..measure.options import check_named
from ..phases import Phase
from .checks_3d import check_limits
from .figure import Figure, Source, check_words, describe
from .style import WIDTH, blank, house_style, letter
from .volume_3d import SIZES

Floats = npt.NDArray[np.float64]
_DIMS = (("turn", "angle"), ("z", "turn", "angle"))
_MOST = 26
_PANEL, _BAR = 2.0, 0.75  # inches


def unrolled(
    maps: Mapping[str, xr.DataArray],
    *,
    label: str,
    caption: str,
    source: Source,
    notice: str,
    alt: str,
    limits_um: tuple[float, float] | None = None,
) -> Figure:
    """Show maps of a wound layer laid flat, one above the other, in colours that mean the same in each.

    Parameters
    ----------
    maps : mapping of str to xarray.DataArray
        Title, and a length in µm for each place: dims turn, angle (radians), or z (µm), turn, angle, as of
        :func:`corrtomo.measure.layer_thickness` for one layer. NaN where nothing was measured.
    label : str
        What the colours mean, with its unit.
    caption, notice, alt : str
        What it shows, the one thing to notice, and what a reader hears who does not see it.
    source : {"measured", "digital twin", "schematic"}
        What kind of data it is.
    limits_um : tuple of float, optional
        Lengths at the ends of the colour bar; by default 0 and the largest one.

    Returns
    -------
    Figure
        One lettered panel a map: turns by angle, so that what lies above one another in the roll lies above
        one another here; with z, height by winding, from the first turn to the last. What was not measured
        has the colour of left-out voxels.

    Raises
    ------
    ValueError
        If there is no map, or one has other dims, no number at all, or infinite ones.
    """
    check_words(caption=caption, alt=alt, notice=notice, label=label)
    given = check_named(
        maps, "maps", doing="show maps laid flat", like="{'thickness': thick.thickness_um[0]}"
    )
    if not 0 < len(given) <= _MOST:
        raise ValueError(
            f"Cannot show {len(given)} maps laid flat: from 1 to {_MOST} are lettered. Pass "
            "{'thickness': map}."
        )
    values = {title: _flat(title, one) for title, one in given.items()}
    low, high = check_limits(limits_um, max(float(np.nanmax(v)) for v in values.values()) or 1.0)
    with house_style():
        norm = mpl.colors.Normalize(low, high)
        drawing = blank(WIDTH, _PANEL * len(values) + _BAR)
        panels = np.atleast_1d(drawing.subplots(len(values)))
        for i, (axes, title) in enumerate(zip(panels, values, strict=True)):
            _draw(axes, values[title], given[title], norm)
            letter(axes, i, title)
        scale = mpl.cm.ScalarMappable(norm, SIZES)
        drawing.colorbar(scale, ax=drawing.axes, location="bottom", label=label, shrink=0.6, aspect=30)
    return Figure(drawing, alt, describe(caption, source=source, notice=notice))


def _flat(title: str, one: Any) -> Floats:
    """Return a map as rows and columns: turn by angle, or z by winding."""
    dims = one.dims if isinstance(one, xr.DataArray) else type(one).__name__
    if dims not in _DIMS or one.size == 0:
        raise ValueError(
            f"Cannot show the map {title!r} laid flat: dims are {dims}, and ('turn', 'angle') or ('z', "
            "'turn', 'angle') are needed, not empty. Choose one layer: thick.thickness_um.isel(layer=0)."
        )
    if one.dtype.kind not in "iuf":
        raise ValueError(
            f"Cannot show the map {title!r} laid flat: its dtype is {one.dtype}, and lengths in µm are "
            "needed. Convert it with map.astype(float)."
        )
    _check_places(title, one)
    values = np.asarray(one.values, float)
    if np.isinf(values).any() or np.isnan(values).all():
        raise ValueError(
            f"Cannot show the map {title!r} laid flat: it has {int(np.isinf(values).sum())} infinite numbers "
            f"and {int(np.isfinite(values).sum())} finite ones. Some finite ones are needed, and NaN "
            "elsewhere: pass map.where(np.isfinite(map))."
        )
    return values.reshape(len(values), -1)


def _check_places(title: str, one: xr.DataArray) -> None:
    """Refuse places that are not at even steps upwards, for so they are drawn, and a part of a turn."""
    doing = f"show the map {title!r} laid flat"
    for dim in (str(dim) for dim in one.dims if dim != "angle"):
        places = one[dim].values
        steps = np.diff(places.astype(float)) if places.dtype.kind in "iuf" else np.array([np.nan])
        if len(steps) and not ((steps > 0).all() and np.ptp(steps) <= 1e-3 * steps.mean()):
            raise ValueError(
                f"Cannot {doing}: its {dim} are not numbers that ascend in even steps. Take the map as "
                "ct.measure.layer_thickness() gives it, and choose runs of it."
            )
    check_turns(one.to_dataset(name="map"), doing=doing)


def _draw(axes: Axes, values: Floats, one: xr.DataArray, norm: mpl.colors.Normalize) -> None:
    turns = one.turn.values
    if "z" in one.dims:
        step = float(np.diff(one.z.values).mean()) if one.sizes["z"] > 1 else 1.0
        across, up = (turns[0], turns[-1] + 1), (one.z.values[0] - step / 2, one.z.values[-1] + step / 2)
        names = ("winding (turns)", "z (µm)")
    else:
        across, up = (0.0, 360.0), (turns[0] - 0.5, turns[-1] + 0.5)
        names = ("angle (°)", "turn")
        axes.set_xticks(range(0, 361, 60))
    colours = mpl.colormaps[SIZES].with_extremes(bad=Phase.LEFT_OUT.colour)
    axes.imshow(
        np.ma.masked_invalid(values),
        cmap=colours,
        norm=norm,
        aspect="auto",
        interpolation="nearest",
        origin="upper" if "z" in one.dims else "lower",
        extent=(*across, *(up[::-1] if "z" in one.dims else up)),
    )
    axes.set(xlabel=names[0], ylabel=names[1])
