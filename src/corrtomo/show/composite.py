"""Several maps of one place in one picture, each in a colour of its own, over an image if wished."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from matplotlib.patches import Patch

from ..checks import check_finite, check_same_grid
from ..measure.options import check_between, check_named, check_real
from ..volume import CHANNEL, check_image
from .figure import Figure, Source, check_words, describe
from .layout import row
from .panels import cut, paint, shared_limits
from .style import MUTED, house_style, rgb

ELEMENTS = {
    "Al": "#b35a1f",
    "Ni": "#d9d9d9",
    "Pt": "#2f6fb5",
    "C": "#e69f00",
    "F": "#cc79a7",
    "Co": "#52b4fe",
}
"""Colours of elements: those of the phases that they stand for, but for platinum, which must shine, and
cobalt, which marks LCO."""
PAPER = {
    "7Li": "#00ff00",
    "27Al": "#0000ff",
    "59Co": "#ff0000",
    "58Ni": "#ffff00",
    "C": "#00ff00",
    "Co": "#0000ff",
    "Ni": "#ffff00",
}
"""Colours of the paper on nanoCT and SIMS: its Figs. 3 and 4, and yellow for the isotope of nickel too."""
SAFE = {"7Li": "#8f9400", "27Al": "#c3009f", "59Co": "#52b4fe", "58Ni": "#6a5d55", **ELEMENTS}
"""Colours that are told apart with any colour vision, also where lithium's is added to one of the others."""
ISOTOPES = ("7Li", "27Al", "59Co", "58Ni")
"""Those that the paper maps, in the order of its pictures."""
COLOURS = {"paper": PAPER, "safe": SAFE}
_MOST_PIXELS = 3e7
_HEX = re.compile(r"#[0-9a-fA-F]{6}")
_ISOTOPE = re.compile(r"(\d{1,3})([A-Z][a-z]?)")
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def composite(
    maps: xr.DataArray,
    *,
    caption: str,
    source: Source,
    notice: str,
    alt: str,
    base: xr.DataArray | None = None,
    opacity: float = 0.5,
    colours: str | Mapping[str, str] | None = None,
    brightest: float = 99.5,
    gain: float | Mapping[str, float] = 1.0,
    gamma: float | Mapping[str, float] = 1.0,
    apart: bool = False,
) -> Figure:
    """Show count maps in one picture by adding their colours, and side by side if wished.

    Parameters
    ----------
    maps : xarray.DataArray
        Counts, dims channel, y, x. What is below zero, as of a background taken off, is black, and the
        caption says so, as it does of values that are not whole.
    caption, notice, alt : str
        What it shows, the one thing to notice, and what a reader hears who does not see it.
    source : {"measured", "digital twin", "schematic"}
        What kind of data it is.
    base : xarray.DataArray, optional
        Grey values on the grid of the maps, for instance an SE image, to which the colours are added; black
        by default. The legend then shows a colour as it looks on the base where most is counted.
    opacity : float
        How bright the grey values are, from 0 to 1: white ones at 1 leave no room for colours.
    colours : {"paper", "safe"} or mapping of str to str, optional
        Channel and colour as hex, or the name of a set: that of the paper on nanoCT and SIMS, or one that is
        told apart with any colour vision. By default `ELEMENTS`, and isotopes as in the paper. Channels that
        are not named are left out.
    brightest : float
        Percentile of a channel that is shown in its full colour; black is no count.
    gain, gamma : float or mapping of str to float
        The share of that count is multiplied by `gain` and raised to `gamma`: below 1, faint counts are
        lifted. One for all channels, or by name.
    apart : bool
        A panel for each channel as well, and for the base.

    Returns
    -------
    Figure
        The sum of the colours, and each channel if `apart`.

    Raises
    ------
    TypeError
        If an option has the wrong type.
    ValueError
        If there is no channel to show, a count is NaN, it is not a stack of 2D maps, the base lies on another
        grid, or an option is out of range.

    Notes
    -----
    Where colours are added a sum may look like another channel: red and green make the yellow of nickel.
    Show the channels apart too, or compare counts.
    """
    check_words(caption=caption, alt=alt, notice=notice)
    doing = "show a composite"
    _check_maps(maps, doing)
    chosen = _chosen(colours, doing)
    if not isinstance(apart, bool | np.bool_):
        raise TypeError(f"Cannot {doing} with apart={apart!r}: True or False is needed.")
    check_between(brightest, "brightest", 0, 100, doing=doing)
    share = check_between(opacity, "opacity", 0, 1, doing=doing)
    held = [str(c) for c in maps[CHANNEL].values]
    names = [name for name in held if name in chosen]
    if not names:
        raise ValueError(
            f"Cannot show a composite of channels {held}: none of its channels is among {list(chosen)}. "
            "Pass maps with a channel dim, and colours={name: colour} for its channels."
        )
    gains, gammas = (_each(v, what, names, doing) for v, what in ((gain, "gain"), (gamma, "gamma")))
    flat = maps.isel({CHANNEL: 0}, drop=True)
    under = {} if base is None else _under(base, flat)
    ground = share * next(iter(under.values()), np.zeros((*flat.shape, 3))).astype(float)
    layers, swatches = {}, {}
    for name in names:
        values = maps.isel({CHANNEL: held.index(name)}).values.astype(float)
        part = tone(values, full_count(values, brightest), gains[name], gammas[name])
        layers[name] = part[..., None] * np.array(rgb(chosen[name]), float)
        seen = _bytes(rgb(chosen[name]) + ground[part >= part.max()].mean(axis=0))
        swatches[name] = "#" + seen.tobytes().hex()
    total = np.sum([ground, *layers.values()], axis=0)
    painted = {"together": _bytes(total)}
    if apart:
        taken = {*painted, *map(isotope, names)} & set(under)
        if taken:
            raise ValueError(
                f"Cannot {doing} with a base named {next(iter(taken))!r}: that is the title of another panel"
                ". Name it anew, for instance with base.rename('SE')."
            )
        painted |= under | {isotope(name): _bytes(layer) for name, layer in layers.items()}
    with house_style():
        legend = [Patch(facecolor=swatches[name], edgecolor=MUTED, label=isotope(name)) for name in names]
        drawing = row(painted, [flat] * len(painted), legend)
    said = _no_counts(maps.isel({CHANNEL: [held.index(name) for name in names]}).values)
    words = describe(caption, [maps], source=source, notice=notice)
    return Figure(drawing, alt, f"{words} {said}" if said else words)


def _no_counts(values: npt.NDArray[Any]) -> str:
    """Say for the caption what is shown that no detector counts."""
    below = float((values < 0).mean())
    if below:
        return f"{100 * below:.2g} % of the values are below zero and black."
    return "" if _whole(values) else "The values are no whole counts."


def _whole(values: npt.NDArray[Any]) -> bool:
    return not np.issubdtype(values.dtype, np.floating) or bool((values == np.rint(values)).all())


def _check_maps(maps: Any, doing: str) -> None:
    """Refuse what is no stack of named 2D maps, or too large to be drawn."""
    check_image(maps, ndim=(2,))
    names = [str(c) for c in maps[CHANNEL].values] if {CHANNEL} <= {*maps.dims} & {*maps.coords} else []
    if not names or len(set(names)) < len(names):
        raise ValueError(
            f"Cannot {doing} of dims {maps.dims} and channels {names}: maps with a channel dim are needed, "
            "each with a name of its own. Name them with maps.assign_coords(channel=['7Li', '59Co'])."
        )
    rows, columns = maps.shape[1:]
    if rows * columns > _MOST_PIXELS:
        raise ValueError(
            f"Cannot {doing} of {columns} × {rows} pixels: {_MOST_PIXELS:.0e} are the most. Crop them first, "
            "for instance with maps.isel(x=slice(0, 512))."
        )
    check_real(maps, doing=doing)
    check_finite(maps, doing=doing)


def check_colour(colour: Any, what: str, *, doing: str) -> None:
    """Refuse a colour that is not written as hex."""
    if not isinstance(colour, str) or not _HEX.fullmatch(colour):
        raise ValueError(
            f"Cannot {doing} with {what} in the colour {colour!r}: a hex colour is needed. Pass for instance "
            "'#00ff00'."
        )


def isotope(name: str) -> str:
    """Return the name of an isotope with its mass number raised; other names as they are.

    Examples
    --------
    >>> isotope("7Li"), isotope("59Co"), isotope("Ni")
    ('⁷Li', '⁵⁹Co', 'Ni')
    """
    found = _ISOTOPE.fullmatch(name)
    return name if found is None else found[1].translate(_RAISED) + found[2]


def full_count(counts: npt.NDArray[Any], brightest: float) -> float:
    """Return the count that is shown in full colour: a percentile, or 1 where next to nothing was counted.

    Of shares and other fractions, which have no least count, the percentile, or the highest above zero.
    """
    top = float(np.percentile(counts, brightest))
    if _whole(counts):
        return max(top, 1.0)
    return next((value for value in (top, float(counts.max())) if value > 0), 1.0)


def tone(values: npt.NDArray[Any], full: float, gain: float, gamma: float) -> npt.NDArray[np.float64]:
    """Return how bright values are shown, from 0 to 1; `full` is shown brightest at a gain of 1.

    Examples
    --------
    >>> tone(np.array([0, 1, 4, 8]), 4.0, 1.0, 0.5).tolist()
    [0.0, 0.5, 1.0, 1.0]
    """
    out: npt.NDArray[np.float64] = np.clip(gain * (values / full), 0, 1) ** gamma
    return out


def _chosen(colours: Any, doing: str) -> dict[str, str]:
    """Return the colour of each channel."""
    if colours is None:
        return {**PAPER, **ELEMENTS}
    if isinstance(colours, str) and colours in COLOURS:
        return dict(COLOURS[colours])
    given = check_named(colours, "colours", doing=doing, like="{'Ni': '#d9d9d9'}, 'paper' or 'safe'")
    for name, colour in given.items():
        check_colour(colour, str(name), doing=doing)
    return given


def _each(value: Any, what: str, names: list[str], doing: str) -> dict[str, float]:
    """Return a number above zero for each channel; those that a mapping does not name have 1."""
    given = dict(value) if isinstance(value, Mapping) else dict.fromkeys(names, value)
    unknown = sorted(set(map(str, given)) - set(names))
    if unknown:
        raise ValueError(
            f"Cannot {doing} with {what} of {unknown[0]!r}: the channels that are shown are {names}. Pass a "
            "number for all, or a mapping of these."
        )
    return {name: check_between(given.get(name, 1.0), what, 0.01, 100, doing=doing) for name in names}


def _under(base: xr.DataArray, flat: xr.DataArray) -> dict[str, npt.NDArray[np.uint8]]:
    """Return the base by its name, as RGB bytes; refuse one of another grid."""
    check_image(base, ndim=(2,))
    check_same_grid(cut(base), flat, doing="add maps to a base")
    return {str(base.name or "base"): np.asarray(paint(base, *shared_limits([base])), np.uint8)}


def _bytes(layer: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    return np.clip(layer, 0, 255).astype(np.uint8)
