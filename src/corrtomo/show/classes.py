"""Pictures of classes that are no phases, or finer than phases: scribbles, cracks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib.patches import Patch

from ..checks import check_same_grid
from ..measure.options import check_between, check_named
from ..phases import Phase, check_integer
from ..segment.trained.classes import Classes, phase_of
from .composite import check_colour
from .figure import Figure, Source, check_words, describe
from .layout import row
from .panels import cut, mix, paint, shared_limits
from .style import MATERIALS, MUTED, SERIES, house_style, rgb

_NONE = 255


def class_colours(names: Sequence[str], merge: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return a colour for each class.

    A phase has its own colour, and so have LCO and NCA; classes that are merged have tints of their result's,
    the first the lightest; others take the colours of the house in turn.

    Parameters
    ----------
    names : sequence of str
        Classes, in the order of their codes.
    merge : mapping of str to str, optional
        What classes become in the result, as :class:`corrtomo.segment.PixelClassifier` has it.

    Returns
    -------
    dict of str to str
        Name and colour as hex.

    Examples
    --------
    >>> class_colours(("binder", "edge", "depth"), {"edge": "pore", "depth": "pore"})
    {'binder': '#e69f00', 'edge': '#98a6b6', 'depth': '#1b3a5c'}
    >>> class_colours(("pore", "LCO", "NCA"))
    {'pore': '#1b3a5c', 'LCO': '#1890d8', 'NCA': '#a82418'}
    """
    classes = Classes.of(names, merge)
    results = classes.results(merged=True)
    known = [_own(name) for name in results]
    free = [colour for colour in SERIES if colour not in known]
    spare = iter(free * len(results))
    colours = [next(spare) if colour is None else colour for colour in known]
    places = classes.places(merged=True).tolist()
    out = {}
    for i, (name, place) in enumerate(zip(classes.names, places, strict=True)):
        family = [j for j, other in enumerate(places) if other == place]
        share = 0.55 * (1 - family.index(i) / (len(family) - 1)) if len(family) > 1 else 0.0
        out[name] = tint(colours[place], share)
    return out


def _own(name: str) -> str | None:
    """Return the colour that belongs to a phase or a material, wherever it is shown."""
    phase = phase_of(name)
    return MATERIALS.get(name.strip().upper()) if phase is None else phase.colour


def tint(colour: str, share: float) -> str:
    """Mix a hex colour with a share of white."""
    return "#" + "".join(f"{round(part + share * (255 - part)):02x}" for part in rgb(colour))


def classes(
    image: xr.DataArray,
    panels: Mapping[str, xr.DataArray],
    *,
    caption: str,
    source: Source,
    notice: str,
    alt: str,
    merge: Mapping[str, str] | None = None,
    colours: Mapping[str, str] | None = None,
    opacity: float = 0.6,
) -> Figure:
    """Paint classes over an image, for instance scribbles, what was made of them, and the truth.

    Parameters
    ----------
    image : xarray.DataArray
        Grey values, dims y, x.
    panels : mapping of str to xarray.DataArray
        Title and codes on the grid of `image`; ``attrs["classes"]`` maps names to codes, the same in all.
        Codes without a name, for instance 255, show the image alone; names that occur nowhere are not in the
        legend.
    caption, notice, alt : str
        What it shows, the one thing to notice, and what a reader hears who does not see it.
    source : {"measured", "digital twin", "schematic"}
        What kind of data it is.
    merge : mapping of str to str, optional
        What classes become in the result: those that become one have tints of one colour.
    colours : mapping of str to str, optional
        Class and colour as hex, where another figure has set it; the others are those of `class_colours`.
    opacity : float
        0 shows the grey values alone, 1 the classes alone.

    Returns
    -------
    Figure
        One lettered panel for each of `panels`, painted over the image.

    Raises
    ------
    ValueError
        If there is no panel, a grid differs, codes have no names, a colour is of no class or not hex, or the
        opacity is not from 0 to 1.
    """
    check_words(caption=caption, alt=alt, notice=notice)
    if not check_named(panels, "panels", doing="show classes", like="{'scribbles': painted}"):
        raise ValueError("Cannot show classes: no panel is given. Pass for instance {'scribbles': painted}.")
    doing = "show classes"
    share = check_between(opacity, "opacity", 0, 1, doing=doing)
    merged = check_named(
        {} if merge is None else merge, "merge", doing=doing, like="{'platinum depth': 'pore'}"
    )
    grey = cut(image)
    names: dict[str, int] = {}
    for title, codes in panels.items():
        check_integer(codes, doing="show classes")
        check_same_grid(image, codes, doing=f"paint {title} over an image")
        given = class_names(codes, title)
        if any(names.get(name, code) != code for name, code in given.items()):
            raise ValueError(
                f"Cannot show the classes of {title!r} beside the others: one name has two codes, in {names} "
                f"and {given}. Bring them to the same codes first."
            )
        names |= given
    if len(set(names.values())) < len(names) or not all(0 <= code < _NONE for code in names.values()):
        raise ValueError(
            f"Cannot show the classes {names}: each needs a code of its own, from 0 to {_NONE - 1}. "
            f"{_NONE} stands for none."
        )
    shades = class_colours(list(names), {a: b for a, b in merged.items() if a in names}) | _given(
        colours, names
    )
    with house_style():
        base = paint(grey, *shared_limits([grey]))
        painted, present = {}, np.zeros(256, bool)
        for title, labels in panels.items():
            codes = labels.where((labels >= 0) & (labels < _NONE), _NONE).astype(np.uint8)
            table, known = np.zeros((256, 3), np.uint8), np.zeros(256, bool)
            for name, code in names.items():
                table[code], known[code] = rgb(shades[name]), True
            present[np.unique(codes.values)] = True
            over = mix(base, table[codes.values], share)
            painted[title] = np.where(known[codes.values][..., None], over, base)
        shown = [name for name, code in names.items() if present[code]]
        legend = [Patch(facecolor=shades[name], edgecolor=MUTED, label=name) for name in shown]
        drawing = row(painted, [grey] * len(painted), legend)
    return Figure(drawing, alt, describe(caption, [image], source=source, notice=notice))


def _given(colours: Mapping[str, str] | None, names: Mapping[str, int]) -> dict[str, str]:
    """Return the colours that were given; refuse those of no class."""
    doing = "show classes"
    given = (
        {} if colours is None else check_named(colours, "colours", doing=doing, like="{'cracks': '#d55e00'}")
    )
    for name, colour in given.items():
        if name not in names:
            raise ValueError(
                f"Cannot {doing} with a colour for {name!r}: the classes are {', '.join(names)}. Name one of "
                "them, or leave colours out."
            )
        check_colour(colour, str(name), doing=doing)
    return dict(given)


def class_names(codes: xr.DataArray, title: str) -> dict[str, int]:
    """Return the code of each class that codes say they hold; refuse codes without names."""
    given = codes.attrs.get("classes") or codes.attrs.get("phases")
    if not given:
        raise ValueError(
            f"Cannot show the classes of {title!r}: its codes have no names. Name them with "
            "codes.assign_attrs(classes={'empty': 1, 'filled': 2})."
        )
    present = set(np.unique(codes.values).tolist())
    if codes.attrs.get("classes"):
        return {str(name): int(code) for name, code in given.items()}
    return {p.label: int(p) for p in Phase if int(p) in present and p != Phase.LEFT_OUT}
