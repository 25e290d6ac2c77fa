"""Measured images of platinum-filled NMC cathodes: one with boxes to train from, and a printed figure."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import xarray as xr

from ..io import read
from ..phases import Phase
from ..volume import volume
from .real import fetch

PIXEL_UM = 0.02
"""Not stated for the image: assumed to be the pixel of the kintsugi paper, about 20 nm."""
FIGURE_PIXEL_UM = 0.1
"""Not stated for the figure: assumed, so that its largest particles are 10 to 14 µm across."""
_CLASSES = {
    "AM": Phase.AM.label,
    "CBD": Phase.CBD.label,
    "PT": "platinum",
    "VOID": "void",
}
_FIELDS = ("x", "y", "width", "height", "class", "end")
_PANELS = {
    "backscattered electrons": ((798, 1155), (504, 1030)),
    "EDS composite": ((36, 282), (528, 1371)),
}


def kintsugi_nmc(*, pixel_um: float = PIXEL_UM) -> tuple[xr.DataArray, pd.DataFrame]:
    """Fetch a measured image of a platinum-filled NMC cathode, and the boxes that an operator drew on it.

    Parameters
    ----------
    pixel_um : float
        Edge of a pixel in µm. The publisher does not state it: 0.02 is an assumption (the kintsugi paper's
        pixel). Shapes and classes do not depend on it, lengths do.

    Returns
    -------
    tuple of xarray.DataArray and pandas.DataFrame
        Grey values, ``uint8``, dims y, x; and one box a class: ``class`` ("active material", "carbon binder
        domain", "platinum", "void"), ``y``, ``x``, ``height`` and ``width`` in pixels, as
        :func:`corrtomo.segment.boxes` takes them.

    Raises
    ------
    ConnectionError, FileNotFoundError, ValueError
        As :func:`fetch`; or if the boxes are not written as expected.

    Notes
    -----
    "Void" is a hole that platinum did not reach; with "platinum" it is the pore. The boxes were drawn to
    train, not to be judged by: that of active material holds fine cracks, that of platinum a dark slit in its
    corner. One detector, one box a class: a score on a held-out half of a box says little about the rest.
    """
    folder = fetch("kintsugi-nmc")
    image = read(folder / "4_phase.tif", pixel_um)
    return image.rename("backscattered electrons"), read_boxes(folder / "4_phase_roi_config.txt")


def kintsugi_figure(
    panel: str = "backscattered electrons", *, pixel_um: float = FIGURE_PIXEL_UM
) -> xr.DataArray:
    """Fetch a panel of a printed figure of the kintsugi data, at screen resolution.

    Parameters
    ----------
    panel : {"backscattered electrons", "EDS composite"}
        The platinum-filled section, or false colours of elements in a cathode.
    pixel_um : float
        Edge of a pixel in µm. The figure does not state it: 0.1 is an assumption, good for a scale bar of
        doubtful length and no more. The composite has another scale than the section.

    Returns
    -------
    xarray.DataArray
        ``uint8``, dims channel (red, green, blue), y, x.

    Raises
    ------
    ConnectionError, FileNotFoundError
        As :func:`fetch`.
    ValueError
        If there is no such panel.

    Notes
    -----
    To be shown, not to be measured: it was scaled, compressed and coloured for print.
    """
    if panel not in _PANELS:
        raise ValueError(
            f"Cannot show the panel {panel!r}: the figure has {', '.join(map(repr, _PANELS))}. Pass one "
            "of them."
        )
    rows, columns = _PANELS[panel]
    page = read(fetch("kintsugi-figure") / "fig1.png", pixel_um).sel(channel=["red", "green", "blue"])
    cut = page.isel(y=slice(*rows), x=slice(*columns))
    image = volume(cut.data, pixel_um, dims=("channel", "y", "x"), name=panel)
    return image.assign_coords(channel=cut.channel.values)


def read_boxes(path: Path) -> pd.DataFrame:
    """Read boxes as the publisher writes them: seven lines each, a name, five numbers, and NL.

    Raises
    ------
    ValueError
        If the file is written in another way.
    """
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    size = len(_FIELDS) + 1
    found = []
    for start in range(0, len(lines), size):
        head, *rest = lines[start : start + size]
        name = head.removeprefix("#").split("(")[0].strip()
        whole = [text for text in rest[:4] if text.isdecimal()]
        if not head.startswith("#") or name not in _CLASSES or len(whole) < 4 or rest[5:] != ["NL"]:
            raise ValueError(
                f"Cannot read boxes from {path}: at line {start + 1} stands {head!r}, then {rest}. A box is "
                f"'# ' and one of {', '.join(_CLASSES)}, then x, y, width, height in whole pixels, a number "
                "and NL, a line each. Compare it with the file of ct.datasets.fetch('kintsugi-nmc')."
            )
        x, y, width, height = map(int, whole)
        found.append({"class": _CLASSES[name], "y": y, "x": x, "height": height, "width": width})
    return pd.DataFrame(found)
