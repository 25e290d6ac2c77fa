"""Pores and cracks seen through their particles, and the plane that is milled to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from matplotlib.patches import Patch

from ..blocks import blocks
from ..checks import check_same_grid
from ..phases import Phase, check_integer
from ..volume import origin, voxel_size
from .camera import Camera, plain, still
from .checks_3d import check_3d, check_budget
from .figure import Figure, Source, check_words, describe
from .figure_3d import Figure3D
from .style import ACCENT, MUTED, SERIES, house_style
from .surfaces import Grid, Surface, average, smoothed, surface
from .view_3d import LIGHT, fitted, told

KINDS = {"pore": ACCENT, "crack": SERIES[1]}
"""Colours of defects, as of two series."""
_PARTICLE, _FIRST = 1, 2
_GLASS, _SHEET = 0.15, 0.35
_NEARER = 0.05
"""Share of their distance at which defects are drawn, so that they lie before the walls of particles."""
_FLAT = 1e-6
_FARTHEST = 10.0
"""Diagonals of the volume within which the corners of a section lie."""
_DOING = "show defects in 3D"


def defects_3d(
    numbers: xr.DataArray,
    particles: xr.DataArray,
    table: pd.DataFrame,
    *,
    caption: str,
    source: Source,
    notice: str,
    alt: str,
    plane_um: Sequence[Sequence[float]] | None = None,
    most_triangles: int = 60_000,
) -> Figure3D:
    """Show the defects of a pillar through its particles as they can be turned, coloured by kind.

    The nanoCT and SIMS paper marks pores and cracks with arrows on slices of its volume (Fig. 2,
    doi:10.1017/S1431927622012405); where they lie beneath the surface is seen in 3D.

    Parameters
    ----------
    numbers, particles : xarray.DataArray
        Numbers of defects and of particles, dims z, y, x, from :func:`corrtomo.measure.defect_labels` and
        :func:`corrtomo.measure.whole_particles`; lazily loaded is fine.
    table : pandas.DataFrame
        From :func:`corrtomo.measure.defects`: the rows that are shown. Pass ``table.head(5)`` for the five
        best.
    caption, notice, alt : str
        What it shows, the one thing to notice, and what a reader hears who does not see it.
    source : {"measured", "digital twin", "schematic"}
        What kind of data it is.
    plane_um : sequence, optional
        Corners of the milled section, each z, y, x in µm, in order around it: three or more.
    most_triangles : int
        What the view may weigh.

    Returns
    -------
    Figure3D
        The view, and a picture of it.

    Raises
    ------
    TypeError
        If numbers are not integers, or there is no table.
    ValueError
        If the images are not 3D or not on one grid, the table is of other defects or empty, most of its
        defects lie in no particle, or the corners of the plane are none, on one line or far outside.

    Notes
    -----
    Coarsened as :func:`volume_3d`: of small pores and thin cracks something can be missing, and the caption
    says so. In the picture that stands for the view, defects are drawn before all particles, and of particles
    the far walls.
    """
    check_words(caption=caption, alt=alt, notice=notice)
    for image in (numbers, particles):
        check_integer(image, doing=_DOING)
        check_3d(image, _DOING)
    check_same_grid(numbers, particles, doing=_DOING)
    kinds = _kinds(table)
    budget, corners = check_budget(most_triangles), _corners(plane_um, numbers)
    shown = [name for name in KINDS if name in kinds.values()]
    marked = _marked(numbers, particles, kinds, shown)

    def build(grid: Grid) -> list[Surface]:
        parts = [_at_least(_PARTICLE), *(_is(_FIRST + i) for i in range(len(shown)))]
        shares = average(marked, grid, *parts)
        if grid.shape != marked.shape:
            shares = [smoothed(share)[0] if share.any() else share for share in shares]
        return [surface(share, grid) for share in shares]

    surfaces, grid, thinned = fitted(build, marked, budget)
    colours = [Phase.AM.colour, *(KINDS[name] for name in shown)]
    names = ["particles", *(f"{name}s" for name in shown)]
    clear = [_GLASS, *(1.0 for _ in shown)]
    camera = Camera.on(grid.start_um[::-1], grid.end_um[::-1])
    with house_style():
        behind = [_turned(surfaces[0]), *(_nearer(s, camera) for s in surfaces[1:])]
        drawing = still(behind, [plain(c, s) for c, s in zip(colours, surfaces, strict=True)], camera)
        handles = [Patch(facecolor=c, edgecolor=MUTED, label=n) for c, n in zip(colours, names, strict=True)]
        if corners is not None:
            seen = camera.project(corners)[0]
            drawing.axes[0].fill(*seen.T, facecolor=SERIES[2], edgecolor=SERIES[2], alpha=_SHEET, zorder=3)
            handles.append(Patch(facecolor=SERIES[2], alpha=_SHEET, label="section"))
        drawing.legend(handles=handles, loc="lower left", ncols=4, handlelength=1.0, columnspacing=1.2)
    drawn = list(surfaces)
    if corners is not None:
        drawn.append(_sheet(corners))
        colours, names, clear = [*colours, SERIES[2]], [*names, "section"], [*clear, _SHEET]
    looks = [
        {"type": "mesh3d", "name": n, "color": c, "opacity": o, "showlegend": True, "hoverinfo": "skip"}
        | LIGHT
        for n, c, o in zip(names, colours, clear, strict=True)
    ]
    words = describe(told(caption, numbers, grid, thinned), [numbers], source=source, notice=notice)
    return Figure3D(drawn, looks, camera, grid.step_um[::-1], Figure(drawing, alt, words))


def _kinds(table: Any) -> dict[int, str]:
    """Return the kind of each defect that is shown; refuse what is no table of defects."""
    if not isinstance(table, pd.DataFrame):
        raise TypeError(
            f"Cannot {_DOING} of a {type(table).__name__}: a table is needed. Make it with "
            "ct.measure.defects()."
        )
    if "kind" not in table or table.empty or not set(table.kind) <= set(KINDS):
        raise ValueError(
            f"Cannot {_DOING} of a table with {len(table)} rows and columns {list(table)}: one row or more "
            f"of kind {' or '.join(KINDS)} is needed. Make it with ct.measure.defects()."
        )
    numbers: list[Any] = table.index.tolist()
    if not all(isinstance(number, int) for number in numbers):
        raise ValueError(
            f"Cannot {_DOING} of a table with rows {numbers[:3]}: its index is the number of each defect. "
            "Make it with ct.measure.defects(), and keep its index."
        )
    return dict(zip(numbers, table.kind.tolist(), strict=True))


def _marked(
    numbers: xr.DataArray, particles: xr.DataArray, kinds: dict[int, str], shown: list[str]
) -> xr.DataArray:
    """Return 0 outside, 1 in particles, and from 2 on the kinds of defects that are shown."""
    highest = int(numbers.max())
    missing = [number for number in kinds if not 0 < number <= highest]
    if missing:
        raise ValueError(
            f"Cannot {_DOING}: the table names defect {missing[0]}, and the image has 1 to {highest}. Pass "
            "the numbers that the table was made of."
        )
    code = np.full(highest + 1, _PARTICLE, np.uint8)
    code[0] = 0
    for number, kind in kinds.items():
        code[number] = _FIRST + shown.index(kind)
    _check_inside(numbers, particles, code > _PARTICLE)
    filled = xr.apply_ufunc(
        lambda found, owner: np.maximum(code[found], (owner > 0).astype(np.uint8)),
        numbers,
        particles,
        dask="parallelized",
        output_dtypes=[np.uint8],
        join="override",
    )
    return numbers.copy(data=filled.data)


def _check_inside(numbers: xr.DataArray, particles: xr.DataArray, shown: npt.NDArray[np.bool_]) -> None:
    """Refuse particles that do not hold the defects that are shown: swapped, or of another image."""
    total = outside = 0
    for found, owner in blocks(numbers, particles):
        inside = shown[found]
        total += int(inside.sum())
        outside += int((inside & (owner == 0)).sum())
    if 2 * outside > total:
        raise ValueError(
            f"Cannot {_DOING}: {outside / total:.0%} of the voxels of these defects lie in no particle. Pass "
            "the numbers of defects first, then those of the particles that hold them."
        )


def _corners(plane_um: Any, image: xr.DataArray) -> npt.NDArray[np.float64] | None:
    """Return the corners of the section as x, y, z."""
    if plane_um is None:
        return None
    try:
        corners = np.asarray(plane_um, float)
    except (TypeError, ValueError):  # text, or rows of different lengths
        corners = np.empty(0)
    if corners.ndim != 2 or len(corners) < 3 or corners.shape[1] != 3 or not np.isfinite(corners).all():
        raise ValueError(
            f"Cannot {_DOING} with plane_um {plane_um!r}: three corners or more are needed, each z, y, x in "
            "µm. Pass for instance [(1.5, 0, 0), (1.5, 0, 9), (1.7, 9, 9), (1.7, 9, 0)]."
        )
    sizes = np.array(image.shape) * voxel_size(image)
    far = np.linalg.norm(corners - (np.array(origin(image)) + sizes / 2), axis=1).max()
    if far > _FARTHEST * np.linalg.norm(sizes):
        raise ValueError(
            f"Cannot {_DOING} with a corner of plane_um {far:.4g} µm from the middle of the volume, which is "
            f"{' × '.join(f'{size:.4g}' for size in sizes)} µm large: that is far outside. State them in µm."
        )
    if np.linalg.matrix_rank(corners - corners[0], tol=_FLAT * np.linalg.norm(sizes)) < 2:
        raise ValueError(
            f"Cannot {_DOING} with corners of plane_um on one line: a section has an area. Pass for instance "
            "[(1.5, 0, 0), (1.5, 0, 9), (1.7, 9, 9), (1.7, 9, 0)]."
        )
    return np.ascontiguousarray(corners[:, ::-1])


def _sheet(corners: npt.NDArray[np.float64]) -> Surface:
    """Return a polygon as triangles around its first corner."""
    fan = [(0, i, i + 1) for i in range(1, len(corners) - 1)]
    return Surface(np.asarray(corners, np.float32), np.array(fan, np.int32))


def _turned(one: Surface) -> Surface:
    """Return a surface inside out: of it the far walls are seen."""
    return Surface(one.corners, np.ascontiguousarray(one.triangles[:, ::-1]))


def _nearer(one: Surface, camera: Camera) -> Surface:
    """Return a surface nearer to the eye and as much smaller, so that it looks the same."""
    scale = np.prod(camera.high_um - camera.low_um) ** (1 / 3)
    eye = camera.eye * scale + (camera.low_um + camera.high_um) / 2
    moved = eye + _NEARER * (one.corners.astype(float) - eye)
    return Surface(np.asarray(moved, np.float32), one.triangles)


def _is(code: int) -> Callable[[npt.NDArray[Any]], Any]:
    return lambda slab: slab == code


def _at_least(code: int) -> Callable[[npt.NDArray[Any]], Any]:
    return lambda slab: slab >= code
