"""One look for all figures: type that can be read on a phone, one palette, scale bars, panel letters."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from string import ascii_lowercase
from typing import Any

import matplotlib as mpl
import matplotlib.figure
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from ..phases import Phase

DPI = 200
"""Dots per inch of the pictures in the book: twice that of a page laid out at 100 an inch."""
WIDTH = 6.4
"""Width in inches; 12 pt type stays legible when a phone shows it at little more than half size."""

INK, MUTED, ACCENT = "#1f2328", "#667079", "#0072b2"
HIT, TOO_DARK, TOO_BRIGHT = "#7fb8da", "#d55e00", "#f0e442"
"""Agreement: as in truth; missed, or called too dark; false alarm, or called too bright (Okabe-Ito)."""
CONTACT, LOST = "#5c0f8b", "#ff0055"
"""Borders of active material: with binder, and with anything else. Told apart with any colour vision, and in
grey, from each other and from the phases on either side, and not to be taken for one of `SERIES`."""
MATERIALS = {"LCO": "#1890d8", "NCA": "#a82418"}
"""Active materials of a blend, where they are told apart: from each other, pore, binder and active material
with any colour vision, and in grey."""
_UNITS = ((1000.0, "mm"), (1.0, "µm"), (0.001, "nm"))
SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")

_RC: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 12.0,
    "axes.titlesize": 12.0,
    "axes.labelsize": 12.0,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlepad": 7.0,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "text.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 11.0,
    "lines.linewidth": 2.0,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "image.interpolation": "nearest",
    "svg.hashsalt": "corrtomo",
}


@contextmanager
def house_style() -> Iterator[None]:
    """Draw in the house style; the reader's own matplotlib settings are as before afterwards."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_RC)
        yield


def blank(width: float = WIDTH, height: float = 3.6) -> matplotlib.figure.Figure:
    """Return an empty figure that pyplot does not know of."""
    return matplotlib.figure.Figure(figsize=(width, height), dpi=DPI, layout="constrained")


def letter(axes: Axes, index: int, title: str) -> None:
    """Title a panel with its letter, as journals do."""
    axes.set_title(f"$\\bf{{{ascii_lowercase[index]}}}$  {title}")


def scale_bar(axes: Axes, width_um: float, height_um: float) -> None:
    """Draw a bar of a round length in µm over the lower left of a picture laid out in µm from (0, 0)."""
    length = round_length(width_um / 3)
    x, y, thick = 0.045 * width_um, height_um - 0.055 * max(height_um, width_um), 0.014 * width_um
    edge = [withStroke(linewidth=2.5, foreground="black")]
    axes.add_patch(Rectangle((x, y), length, thick, facecolor="white", path_effects=edge, linewidth=0))
    axes.text(
        x,
        y - 0.5 * thick,
        f"{length:g} µm",
        color="white",
        ha="left",  # in a narrow panel the label is wider than the bar
        va="bottom",
        fontsize=11,
        fontweight="bold",
        path_effects=edge,
    )


def round_length(length_um: float) -> float:
    """Round a length down to 1, 2 or 5 times a power of ten.

    Examples
    --------
    >>> [round_length(v) for v in (9.5, 4.2, 30.0)]
    [5.0, 2.0, 20.0]
    """
    decade = 10.0 ** np.floor(np.log10(length_um))
    return float(decade * max(step for step in (1, 2, 5) if step * decade <= length_um * (1 + 1e-9)))


def say_length(um: float) -> str:
    """Return a length in mm, µm or nm, with three digits.

    Examples
    --------
    >>> say_length(18000.0), say_length(2.5), say_length(0.05), say_length(999.96), say_length(0.0)
    ('18 mm', '2.5 µm', '50 nm', '1 mm', '0 nm')
    """
    rounded = float(f"{um:.3g}")
    factor, unit = next(((f, u) for f, u in _UNITS if rounded >= f), _UNITS[-1])
    return f"{float(f'{rounded / factor:.3g}'):g} {unit}"


def rgb(colour: str) -> tuple[int, int, int]:
    """Return a hex colour as three bytes."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def phase_palette() -> np.ndarray:
    """Return the colours of all 256 codes as a uint8 table; codes that are no phase are black."""
    table = np.zeros((256, 3), np.uint8)
    for phase in Phase:
        table[int(phase)] = rgb(phase.colour)
    return table
