"""Filtered back-projection: in a parallel beam, and in a cone (Feldkamp)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import xarray as xr
from numba import get_num_threads
from scipy import fft
from tqdm.auto import tqdm

from .angular_steps import angular_steps, check_turn
from .geometry import Beam, Geometry, Grid, as_volume, check_integrals, check_size, geometry_of, grid_of
from .plausible import ColumnSums
from .projections import check_values
from .ray_kernels import fill, threads_for, tile_edge

Filter = Literal["ramp", "shepp-logan", "cosine", "hamming", "hann"]
_FILTERS = ("ramp", "shepp-logan", "cosine", "hamming", "hann")
_DOING = "reconstruct"
_HELD = 1 << 28
"""Bytes of filtered projections that are held at a time."""
_TOGETHER = 1 << 24
"""Bytes of projections that are filtered at a time."""
_MOST_ROWS, _LEAST_ROWS = 128, 8
_TILES = 16
"""Tiles that threads share out at a time."""
_GAP_DEG = 20.0
"""Gap between angles up to which they are a full turn."""


def fbp(
    projections: xr.DataArray,
    angles_deg: Any,
    *,
    centre_um: float | None = None,
    source_um: float | None = None,
    source_z_um: float | None = None,
    filter: Filter = "ramp",
    width_um: float | None = None,
    voxel_um: float | None = None,
    drift: Any = None,
    progress: bool = True,
) -> xr.DataArray:
    """Reconstruct a volume from projections by filtered back-projection; a cone as Feldkamp does.

    Quick, linear and without a choice to make, so it is where to begin: the paper's 1200 projections take
    half a minute on two cores, or a minute and a half as a cone. The paper itself takes a regularised
    algebraic method (section "NanoCT Analysis"), which is :func:`sart`.

    Parameters
    ----------
    projections : xarray.DataArray
        Line integrals, dims angle, z, x, from :func:`attenuation`; z and x in µm at the axis of rotation,
        which is parallel to z. NumPy, or Dask, which is computed some rows at a time: chunk it along z.
    angles_deg : array_like
        Turn at each projection, in degrees: at turn θ a point (y, x) is seen at x cos θ + y sin θ from the
        axis. In any order, with any steps.
    centre_um : float, optional
        Position of the axis along x in µm, from :func:`centre_of_rotation`; by default the middle of the
        columns.
    source_um : float, optional
        Distance from the source to the axis in µm; by default the beam is parallel. The paper has 400.
    source_z_um : float, optional
        Height of the source in µm; by default the middle of the rows. State it for a part of the rows.
    filter : str
        ``"ramp"``, or, with less noise and less resolution, ``"shepp-logan"``, ``"cosine"``, ``"hamming"`` or
        ``"hann"``.
    width_um : float, optional
        Extent along y and x in µm; by default as wide as what all projections see.
    voxel_um : float, optional
        Edge of a voxel along y and x in µm; by default that of a pixel. Along z there is a slice for each
        row.
    drift : pandas.DataFrame, optional
        Shift of the image at each projection, columns z_um and x_um, from :func:`drift_from_projections`:
        what belongs at x is found at x + x_um. It is taken into the geometry, so nothing is interpolated
        twice.
    progress : bool
        Show a bar where it takes longer than a second.

    Returns
    -------
    xarray.DataArray
        Attenuation coefficients in 1/µm, ``float32``, dims z, y, x; y and x are 0 at the axis, z is that of
        the rows. The attribute ``gap_deg`` is the widest gap between angles, 0 if there is none.

    Raises
    ------
    TypeError
        If projections are a plain array, or counts; if the drift is no table.
    ValueError
        If dims, angles or drift do not match the projections, or hold NaN; if angles are in radians; if the
        axis is out of view, or the source within it; if a cone was not measured over a full turn; or if the
        volume is larger than 4 GB.

    Warns
    -----
    UserWarning
        If more than 120 of 180 degrees were not seen, or values look like counts or shares of the flat.

    Notes
    -----
    Each projection counts for the halves of the steps to its neighbours, after all angles are folded into a
    half turn (a cone: a full turn). So half and full turns, doubled angles and uneven steps are right. A
    wedge that is missing stays missing: what is upright to it is smeared, and ``gap_deg`` says how wide it
    is.

    The sample must be in view at each turn: what juts out brightens the border. Beyond the circle that all
    projections see, the volume is 0. In a cone only the plane at the height of the source is exact, and rays
    to the first and last slices miss the detector at the far turns: there its last row is taken again. With a
    source 400 µm from a pillar of 20 µm, that is 3 % of the rows. From few projections, streaks are left: see
    :func:`sart`.

    What all projections see depends on their drift: volumes of the odd and of the even projections of one
    scan may differ by a voxel along y and x. State `width_um` where two volumes are compared voxel by voxel.

    Memory is the volume and about 0.4 GB. A parallel beam may be reconstructed a part of the rows at a time,
    with the same result.

    References
    ----------
    Kak and Slaney, Principles of Computerized Tomographic Imaging (1988), doi:10.1137/1.9780898719277.
    Feldkamp et al., J. Opt. Soc. Am. A 1, 612 (1984), doi:10.1364/JOSAA.1.000612.
    The paper: doi:10.1017/S1431927622012405.

    Examples
    --------
    A wire of radius 2 µm at y = 0, x = 3 µm, with 0.5 / µm:

    >>> import numpy as np
    >>> import corrtomo as ct
    >>> angles = np.arange(90) * 2.0
    >>> x = np.arange(-10, 10.25, 0.25)
    >>> away = x - 3 * np.cos(np.deg2rad(angles))[:, None]
    >>> seen = np.sqrt(np.maximum(4 - away**2, 0))[:, None]
    >>> scan = ct.volume(seen, 0.25, origin=(0, -10), dims=("angle", "z", "x"))
    >>> found = ct.reconstruct.fbp(scan, angles)
    >>> found.dims, found.shape
    (('z', 'y', 'x'), (1, 81, 81))
    >>> round(float(found.sel(y=0, x=3).item()), 2), abs(round(float(found.sel(y=0, x=-3).item()), 2))
    (0.5, 0.02)
    """
    geometry = geometry_of(projections, angles_deg, centre_um, source_um, source_z_um, drift, doing=_DOING)
    check_turn(geometry.angles_deg, doing=_DOING)
    check_integrals(projections, doing=_DOING)
    grid, shape = grid_of(geometry, width_um, voxel_um, doing=_DOING)
    response = _response(filter, geometry)
    steps, gap = _steps(geometry)
    sums = ColumnSums(geometry.columns)
    out = np.empty(shape, np.float32)
    edge = tile_edge(_MOST_ROWS)
    deep = max(1, _TILES * edge // shape[2])
    blocks = list(_blocks(geometry, grid, shape[0]))
    strips = range(0, shape[1], edge * deep)
    bar = tqdm(
        total=len(blocks) * len(strips), desc=_DOING, unit="strip", delay=1, leave=False, disable=not progress
    )
    with bar, threads_for(np.prod(shape) * len(steps) / bar.total):
        for rows, seen in blocks:
            filtered = _filtered(projections, seen, response, steps, geometry, sums)
            beam, part = _at_rows(geometry.beam, grid, rows, seen)
            for y in strips:
                fill(filtered, beam, part, edge, y, deep, out[rows])
                bar.update()
    sums.warn()
    return as_volume(out, geometry, grid, method="fbp", filter=filter, gap_deg=gap)


def _response(name: Any, geometry: Geometry) -> npt.NDArray[np.float32]:
    """Return the filter by frequency, in 1/µm: a ramp limited to the band of the pixels (Kak and Slaney)."""
    if name not in _FILTERS:
        raise ValueError(
            f"Cannot {_DOING} with filter {name!r}: there are {', '.join(_FILTERS)}. Take 'ramp', or 'hann' "
            "where noise is strong."
        )
    size = fft.next_fast_len(2 * geometry.columns, real=True)
    away = np.minimum(np.arange(size), size - np.arange(size))
    kernel = np.zeros(size)
    odd = away % 2 == 1
    kernel[odd] = -1.0 / (np.pi * away[odd]) ** 2
    kernel[0] = 0.25
    ramp = fft.rfft(kernel).real
    share = np.linspace(0.0, 1.0, len(ramp)) if size % 2 == 0 else np.arange(len(ramp)) * 2 / size
    window = {
        "ramp": np.ones_like(share),
        "shepp-logan": np.sinc(share / 2),
        "cosine": np.cos(np.pi / 2 * share),
        "hamming": 0.54 + 0.46 * np.cos(np.pi * share),
        "hann": 0.5 + 0.5 * np.cos(np.pi * share),
    }[name]
    return np.asarray(ramp * window * geometry.beam.per_um, np.float32)


def _steps(geometry: Geometry) -> tuple[npt.NDArray[np.float64], float]:
    """Return the weight of each projection, and the widest gap between angles in degrees."""
    if geometry.source_um is None:
        return angular_steps(geometry.angles_deg, 180.0)
    steps, gap = angular_steps(geometry.angles_deg, 360.0)
    if gap > _GAP_DEG:
        raise ValueError(
            f"Cannot {_DOING} a cone from angles with a gap of {gap:.4g} degrees: a full turn is needed, "
            f"with gaps up to {_GAP_DEG:g}. Use ct.reconstruct.sart(), or leave out source_um where the cone "
            "is narrow."
        )
    return steps / 2, gap  # each ray is measured from both ends


def _blocks(geometry: Geometry, grid: Grid, rows: int) -> Iterator[tuple[slice, slice]]:
    """Yield some rows of the volume, and the rows of the detector on which they are seen."""
    size = 4 * len(geometry.angles_deg) * geometry.columns
    step = int(np.clip(_HELD // size, _LEAST_ROWS, _MOST_ROWS))
    beam = geometry.beam
    scale = 1.0 / (1.0 + np.array([-1.0, 1.0]) * grid.radius * beam.bend)
    shift = np.array([beam.shift.min(), beam.shift.max()])
    for first in range(0, rows, step):
        last = min(first + step, rows) - 1
        ends = np.array([first, last]) - beam.source
        seen = beam.source + (ends[:, None] * scale).ravel()[:, None] + shift
        low, high = (int(v) for v in np.clip([np.floor(seen.min()), np.ceil(seen.max())], 0, rows - 1))
        yield slice(first, last + 1), slice(low, high + 1)


def _at_rows(beam: Beam, grid: Grid, rows: slice, seen: slice) -> tuple[Beam, Grid]:
    """Return rays and grid with rows counted from the first ones of a block."""
    return beam._replace(source=beam.source - seen.start), grid._replace(row=float(rows.start - seen.start))


def _filtered(
    projections: xr.DataArray,
    seen: slice,
    response: npt.NDArray[np.float32],
    steps: npt.NDArray[np.float64],
    geometry: Geometry,
    sums: ColumnSums,
) -> npt.NDArray[np.float32]:
    """Filter some rows of all projections along x; return them by angle, column, row; add them to sums."""
    block = projections.data[:, seen]
    if projections.chunks is not None:
        block = np.asarray(block)  # once, not for each group of angles
    count, rows, columns = block.shape
    size = fft.next_fast_len(2 * columns, real=True)
    oblique = _oblique(geometry, seen)
    out = np.empty((count, columns, rows), np.float32)
    together = max(1, _TOGETHER // (4 * rows * size))
    for a in range(0, count, together):
        some = np.asarray(block[a : a + together])
        check_values(some, a, doing=_DOING)
        check_size(some, a, doing=_DOING)
        sums.add(some)
        weight = oblique * steps[a : a + together, None, None]
        spectrum = fft.rfft(np.multiply(some, weight, dtype=np.float32), size, workers=get_num_threads())
        spectrum *= response
        values = fft.irfft(spectrum, size, overwrite_x=True, workers=get_num_threads())
        out[a : a + together] = values[..., :columns].transpose(0, 2, 1)
    return out


def _oblique(geometry: Geometry, seen: slice) -> npt.NDArray[np.float64]:
    """Return the cosine between each ray and the central one, by row and column."""
    beam = geometry.beam
    x = (np.arange(geometry.columns) - float(np.mean(beam.axis))) / beam.per_um
    z = (np.arange(seen.start, seen.stop) - beam.source) * beam.row_um
    return np.asarray(1.0 / np.sqrt(1.0 + (x**2 + z[:, None] ** 2) * beam.bend**2))
