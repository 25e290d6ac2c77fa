"""Pictures of slices in rows: lettered, at their physical shape, each with a scale bar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.figure
import numpy as np
import xarray as xr
from matplotlib.patches import Patch

from ..volume import voxel_size
from .style import DPI, WIDTH, letter, scale_bar

_LEGEND_COLUMNS = 3
_NARROW, _SWATCH = 45, 5
"""Letters of a legend that stand side by side under a single panel, and those that a patch takes."""
_TITLE, _GAP, _LINE = 0.32, 0.12, 0.26  # inches


def row(
    painted: Mapping[str, np.ndarray], cuts: Sequence[xr.DataArray], legend: list[Patch], below: float = 0.0
) -> matplotlib.figure.Figure:
    """Lay painted slices out in rows of up to three, each at its physical shape with a scale bar.

    `below` leaves inches for more under the pictures. Places are computed in inches: matplotlib's own
    layouts cut titles of pictures whose shape is fixed.
    """
    sizes = [_extent(image) for image in cuts]
    columns = 2 if len(painted) == 4 else min(len(painted), 3)
    in_a_line = _legend_columns(legend, columns)
    rows, lines = -(-len(painted) // columns), -(-len(legend) // in_a_line)
    width = (WIDTH - _GAP * (columns - 1)) / columns if columns > 1 else 0.7 * WIDTH
    row_height = _TITLE + width * max(h / w for w, h in sizes) + _GAP
    full = columns * (width + _GAP) - _GAP, rows * row_height + _LINE * lines + below
    drawing = matplotlib.figure.Figure(figsize=full, dpi=DPI)
    for i, ((title, pixels), (w, h)) in enumerate(zip(painted.items(), sizes, strict=True)):
        left, top = i % columns * (width + _GAP), i // columns * row_height + _TITLE
        height = width * h / w
        bottom = full[1] - top - height
        axes = drawing.add_axes((left / full[0], bottom / full[1], width / full[0], height / full[1]))
        axes.imshow(pixels, extent=(0, w, h, 0), aspect="auto")
        axes.set_axis_off()
        letter(axes, i, title) if len(painted) > 1 else axes.set_title(title)
        scale_bar(axes, w, h)
    if legend:
        corner = (0.06 / full[0], 0.02 / full[1])
        drawing.legend(
            handles=legend,
            loc="lower left",
            bbox_to_anchor=corner,
            borderaxespad=0.0,
            borderpad=0.0,
            ncols=in_a_line,
            handlelength=1.0,
            columnspacing=1.4,
        )
    return drawing


def _legend_columns(legend: list[Patch], panels: int) -> int:
    """Return how many names stand side by side: few under a single panel, which is narrow."""
    letters = sum(len(str(patch.get_label())) + _SWATCH for patch in legend)
    if panels == 1 and letters > _NARROW:
        return 2
    return 4 if len(legend) <= 4 else _LEGEND_COLUMNS


def _extent(image: xr.DataArray) -> tuple[float, float]:
    """Return width and height of a slice in µm."""
    down, across = voxel_size(image)
    rows, columns = image.shape
    return columns * across, rows * down
