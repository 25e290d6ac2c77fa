"""Several maps of one place in one picture, each in a colour of its own."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import xarray as xr
from matplotlib.patches import Patch

from ..measure.options import check_between, check_named
from ..volume import check_image
from .figure import Figure, Source, check_words, describe
from .layout import row
from .style import MUTED, house_style, rgb

ELEMENTS = {"Al": "#b35a1f", "Ni": "#d9d9d9", "Pt": "#2f6fb5", "C": "#e69f00", "F": "#cc79a7"}
"""Colours of elements: those of the phases that they stand for, but for platinum, which must shine."""


def composite(
    maps: xr.DataArray,
    *,
    caption: str,
    source: Source,
    notice: str,
    alt: str,
    colours: Mapping[str, str] | None = None,
    brightest: float = 99.5,
    apart: bool = False,
) -> Figure:
    """Show count maps in one picture by adding their colours, and side by side if wished.

    Parameters
    ----------
    maps : xarray.DataArray
        Counts, dims channel, y, x.
    caption, notice, alt : str
        What it shows, the one thing to notice, and what a reader hears who does not see it.
    source : {"measured", "digital twin", "schematic"}
        What kind of data it is.
    colours : mapping of str to str, optional
        Channel and colour as hex; by default those of `ELEMENTS`. Channels that are not named are left out.
    brightest : float
        Percentile of a channel that is shown in its full colour; black is no count.
    apart : bool
        A panel for each channel as well.

    Returns
    -------
    Figure
        The sum of the colours, and each channel if `apart`.

    Raises
    ------
    ValueError
        If there is no channel to show, or it is not a stack of 2D maps.
    """
    check_words(alt=alt, notice=notice)
    check_image(maps, ndim=(2,))
    doing = "show a composite"
    chosen = check_named(
        ELEMENTS if colours is None else colours, "colours", doing=doing, like="{'Ni': '#d9d9d9'}"
    )
    check_between(brightest, "brightest", 0, 100, doing=doing)
    names = [str(c) for c in maps.channel.values if str(c) in chosen] if "channel" in maps.coords else []
    if not names:
        raise ValueError(
            f"Cannot show a composite of dims {maps.dims}: none of its channels is among {list(chosen)}. "
            "Pass maps with a channel dim, and colours={name: colour} for its channels."
        )
    layers = {name: _layer(maps.sel(channel=name).values, chosen[name], brightest) for name in names}
    total = np.clip(np.sum(list(layers.values()), axis=0), 0, 255).astype(np.uint8)
    painted = {"together": total}
    if apart:
        painted |= {name: np.clip(layer, 0, 255).astype(np.uint8) for name, layer in layers.items()}
    flat = maps.isel(channel=0, drop=True)
    with house_style():
        legend = [Patch(facecolor=chosen[name], edgecolor=MUTED, label=name) for name in names]
        drawing = row(painted, [flat] * len(painted), legend)
    return Figure(drawing, alt, describe(caption, [maps], source=source, notice=notice))


def _layer(counts: npt.NDArray[np.generic], colour: str, brightest: float) -> npt.NDArray[np.float64]:
    values = counts.astype(float)
    full = max(float(np.percentile(values, brightest)), 1.0)
    out: npt.NDArray[np.float64] = np.clip(values / full, 0, 1)[..., None] * np.array(rgb(colour), float)
    return out
