"""Planes of an electrode with the border of one phase: where another touches it, and where it lets go."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from string import ascii_lowercase
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from matplotlib.patches import Patch

from ..measure.contact.pair import Pair, check_axes, check_present, pair_of
from ..phases import Phase, check_codes
from ..volume import SPATIAL, spacing
from .figure import Figure, Source, check_words, describe
from .layout import row
from .style import CONTACT, LOST, MUTED, house_style, phase_palette, rgb

NO_FACE = -1
PLAIN = "#f1f1f1"
"""What voxels are painted where phases are not shown."""
_THICK = 2.0
"""Thickness of a border in pixels of the screen."""
_PANEL = {1: 448, 2: 314, 4: 314}
"""Width of a picture on the screen where there are so many; of three and more than four 205."""
_FINE = 900
"""Pixels along the longer side of a plane, about: room for a border that is thinner than a voxel."""

Pixels = npt.NDArray[np.uint8]


def contact(
    labels: xr.DataArray | Mapping[str, xr.DataArray],
    *,
    caption: str,
    source: Source,
    notice: str,
    alt: str,
    depth: str = "y",
    of: int = Phase.AM,
    touching: int = Phase.CBD,
    at_um: float | None = None,
    index: int | None = None,
    fills: bool = True,
) -> Figure:
    """Show a plane of labels with the border of one phase, in one colour where another phase touches it.

    What neighbour counting counts (cycling paper, section 2.4) seen in place: which sides of which particles
    have let go of the binder.

    Parameters
    ----------
    labels : xarray.DataArray or mapping of str to xarray.DataArray
        Codes of :class:`corrtomo.Phase`, 3D or 2D; one volume, or several with their titles.
    caption, notice, alt : str
        What it shows, the one thing to notice, and what a reader hears who does not see it.
    source : {"measured", "digital twin", "schematic"}
        What kind of data it is.
    depth : str
        The axis across which a volume is cut: ``"y"`` shows planes parallel to the collector of a
        slice-and-view stack, ``"z"`` its sections.
    of : Phase
        Whose border is drawn.
    touching : Phase
        What it is in contact with.
    at_um, index : optional
        The plane, by its position along `depth` in µm or by its number; the middle one by default.
    fills : bool
        Whether the phases are painted; without them the borders stand alone.

    Returns
    -------
    Figure
        One lettered panel a volume, each with a scale bar in µm.

    Raises
    ------
    TypeError
        If labels are not integer codes of phases, or `at_um` or `index` is no number.
    ValueError
        If there is no volume or there are more than letters, two panels have one title, a phase does not
        occur, `depth` is not one of the axes, the plane lies outside, or a code is not a phase.

    Notes
    -----
    A border is drawn thicker than it is, and lost contact on top: a gap of one voxel between particle and
    binder is seen. Share of lengths in the picture is not the share of faces; measure that with
    :func:`corrtomo.measure.contact_profile`. What is left out (255) and the border of the image draw no line.
    """
    doing = "show contact"
    check_words(caption=caption, alt=alt, notice=notice)
    volumes = labels if isinstance(labels, Mapping) else {"": labels}
    if not 1 <= len(volumes) <= len(ascii_lowercase):
        raise ValueError(
            f"Cannot {doing}: the mapping holds {len(volumes) or 'no'} labels. One volume or more is needed, "
            f"up to {len(ascii_lowercase)}, for each panel has a letter. Pass {{'pristine': labels}}."
        )
    planes: dict[str, xr.DataArray] = {}
    for name, image in volumes.items():
        pair = pair_of(image, of, touching, None, doing=doing)
        plane, place = plane_at(image, depth, at_um=at_um, index=index)
        check_occur(image, plane, pair, doing=doing)
        title = name or place
        if title in planes:
            raise ValueError(
                f"Cannot {doing}: two panels would have the title {title!r}. Each needs its own. Name each "
                "volume in the mapping."
            )
        planes[title] = plane
    cuts = list(planes.values())
    with house_style():
        painted = {name: paint_panel(cut, of, touching, len(cuts), fills) for name, cut in planes.items()}
        drawing = row(painted, cuts, contact_legend(cuts, fills))
    return Figure(drawing, alt, describe(caption, list(volumes.values()), source=source, notice=notice))


def plane_at(
    labels: xr.DataArray, depth: str, *, at_um: float | None = None, index: int | None = None
) -> tuple[xr.DataArray, str]:
    """Return one plane across an axis, the middle one by default, and where it lies in words; 2D as it is."""
    if labels.ndim == 2:
        if at_um is not None or index is not None or depth not in SPATIAL:
            raise ValueError(
                f"Cannot choose a plane by depth={depth!r}, at_um={at_um!r} and index={index!r} of a section "
                f"with dims {labels.dims}: it is one. Leave them out, or pass a volume."
            )
        return labels, "section"
    _check_place(at_um, index)
    (dim, *more) = check_axes(labels, depth, doing="show a plane")
    if more:
        raise ValueError(f"Cannot show a plane across {depth!r}: one axis is needed. Pass depth={dim!r}.")
    if at_um is not None and index is not None:
        raise ValueError(
            f"Cannot choose a plane by at_um={at_um} and index={index} at once. Give one of them, or neither."
        )
    count, positions = labels.sizes[dim], labels[dim].values
    number = count // 2 if index is None else index
    if at_um is not None:
        place = (at_um - float(positions[0])) / spacing(labels, dim)
        number = round(place) if abs(place) <= count else -1
    if not 0 <= number < count:
        given = f"index={index}" if at_um is None else f"at_um={at_um}"
        raise ValueError(
            f"Cannot show the plane at {given}: there are {count} along {dim}, from {positions[0]:.4g} to "
            f"{positions[-1]:.4g} µm. Choose one inside."
        )
    return labels.isel({dim: number}).compute(), f"{dim} {positions[number]:.2f} µm"


def check_occur(labels: xr.DataArray, plane: xr.DataArray, pair: Pair, *, doing: str) -> None:
    """Refuse codes that are no phases, and a pair of phases that occurs neither in a plane nor around."""
    for image in (plane, labels):
        found = check_codes(image)
        if pair.of in found and pair.touching in found:
            return
    seen = np.bitwise_or.reduce(pair.kinds[[int(phase) for phase in found]])
    check_present(labels, pair, int(seen), doing=doing)


def _check_place(at_um: Any, index: Any) -> None:
    """Refuse a position that is no number, and an index that is no whole one."""
    for name, value, kind in (("at_um", at_um, Real), ("index", index, int | np.integer)):
        if value is not None and (isinstance(value, bool | np.bool_) or not isinstance(value, kind)):
            raise TypeError(
                f"Cannot show the plane at {name}={value!r}: a number is needed, a position in µm as at_um "
                "or a whole number as index. Leave both out for the middle."
            )


def faces_within(codes: Pixels, of: int, axis: int) -> npt.NDArray[np.int16]:
    """Return the phase on the other side of each face of `of` between neighbours along an axis.

    `NO_FACE` where there is no such face, or where what lies beyond is left out.
    """
    first, second = np.moveaxis(codes, axis, 0)[:-1], np.moveaxis(codes, axis, 0)[1:]
    other = np.where(first == of, second, first).astype(np.int16)
    other[((first == of) == (second == of)) | (other == Phase.LEFT_OUT)] = NO_FACE
    return np.moveaxis(other, 0, axis)


def paint_contact(
    codes: Pixels, of: int, touching: int, *, fine: int, thick: tuple[int, int], fills: bool = True
) -> Pixels:
    """Paint a plane at `fine` × `fine` pixels a voxel, and its borders over it, `thick` pixels high and wide.

    The explorer paints the same pixels (``explore/contact/paint.js``).
    """
    palette = phase_palette() if fills else np.full((256, 3), rgb(PLAIN), np.uint8)
    out = palette[codes].repeat(fine, axis=0).repeat(fine, axis=1)
    high, wide = thick
    beyond = [faces_within(codes, of, axis) for axis in (0, 1)]
    for met, colour in ((True, rgb(CONTACT)), (False, rgb(LOST))):
        for axis, other in enumerate(beyond):
            rows, columns = np.nonzero((other != NO_FACE) & ((other == touching) == met))
            top = (rows + (axis == 0)) * fine - high // 2
            left = (columns + (axis == 1)) * fine - wide // 2
            tall, broad = (high, fine + wide) if axis == 0 else (fine + high, wide)
            for y, x in zip(top.tolist(), left.tolist(), strict=True):
                out[max(y, 0) : y + tall, max(x, 0) : x + broad] = colour
    return out


def paint_panel(plane: xr.DataArray, of: int, touching: int, panels: int, fills: bool = True) -> Pixels:
    """Paint a plane as one of several panels, with borders of about two pixels of the screen."""
    codes = np.asarray(plane.values, np.uint8)
    fine = int(np.clip(round(_FINE / max(codes.shape)), 1, 24))
    width = _PANEL.get(panels, 205)
    rows, columns = codes.shape
    down, across = (spacing(plane, str(dim)) for dim in plane.dims)
    height = width * rows * down / (columns * across)
    thick = tuple(max(1, round(_THICK * fine * n / shown)) for n, shown in ((rows, height), (columns, width)))
    return paint_contact(codes, of, touching, fine=fine, thick=(thick[0], thick[1]), fills=fills)


def contact_legend(planes: list[xr.DataArray], fills: bool = True) -> list[Patch]:
    """Return the legend of phases and borders."""
    present = sorted({phase for plane in planes for phase in check_codes(plane)}) if fills else []
    legend = [Patch(facecolor=phase.colour, edgecolor=MUTED, label=phase.label) for phase in present]
    return legend + [Patch(facecolor=c, label=w) for c, w in ((CONTACT, "contact"), (LOST, "lost contact"))]
