"""Algebraic reconstruction by subsets of projections, with total variation held small."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from numba import njit, prange
from tqdm.auto import tqdm

from ..checks import check_finite, check_same_grid
from .angular_steps import check_turn
from .geometry import (
    Geometry,
    Grid,
    as_volume,
    check_bytes,
    check_integrals,
    check_size,
    geometry_of,
    grid_of,
)
from .plausible import ColumnSums
from .project import line_integrals
from .projections import check_flag, frames
from .ray_kernels import correct, threads_for, tile_edge
from .total_variation import smooth

Images = npt.NDArray[np.float32]
_DOING = "reconstruct"
_STARTING = "start a reconstruction from this volume"
_CORRECTIONS, _FEWEST, _MOST = 50, 4, 20
"""Corrections in a pass, unless their number is given, and projections for each of them."""
_SHORT = 0.05
"""Share of the diameter that a ray counts as its length at least: shorter ones hold nearly all noise."""
_MOST_PASSES, _MOST_WEIGHT = 1000, 10.0
_GOLDEN = (np.sqrt(5.0) - 1.0) / 2.0


def sart(
    projections: xr.DataArray,
    angles_deg: Any,
    *,
    centre_um: float | None = None,
    source_um: float | None = None,
    source_z_um: float | None = None,
    iterations: int = 5,
    subsets: int | None = None,
    relaxation: float = 1.0,
    tv_weight: float = 0.0,
    nonnegative: bool = True,
    start: xr.DataArray | None = None,
    width_um: float | None = None,
    voxel_um: float | None = None,
    drift: Any = None,
    progress: bool = True,
) -> xr.DataArray:
    """Reconstruct a volume by algebra: correct it by what its projections miss, some of them at a time.

    The paper reconstructs its pillar by regularised simultaneous algebraic reconstruction (section "NanoCT
    Analysis"). It takes several times as long as :func:`fbp`, and pays where projections are few, angles are
    missing or counts are low: attenuation is not negative, and total variation holds the noise down while
    edges stay.

    Parameters
    ----------
    projections, angles_deg, centre_um, source_um, source_z_um, width_um, voxel_um, drift
        The scan and the grid of the volume, as in :func:`fbp`. Any angles will do.
    iterations : int
        Passes over all projections.
    subsets : int, optional
        Parts into which the projections are shared out, each spread over the turn; the volume is corrected
        after each part. By default 50, or as many as have 4 to 20 projections each. More subsets converge in
        fewer passes, and noise comes in sooner.
    relaxation : float
        Share of the correction that is made, above 0 and below 2. Lower it for noisy projections.
    tv_weight : float
        Strength of the total variation after each pass, 0 for none: in voxels, at the contrast of the sample
        (its mean attenuation, weighted by itself). A ball of radius r voxels loses a share 3 tv_weight / r of
        its contrast in a pass, of which the next one restores the most. Take 0.01 to 0.05, more for few
        counts.
    nonnegative : bool
        Set attenuation below 0 to 0 after each correction.
    start : xarray.DataArray, optional
        Volume to begin with, on the same grid, for instance from :func:`fbp`; by default 0.
    progress : bool
        Show a bar where it takes longer than a second.

    Returns
    -------
    xarray.DataArray
        Attenuation coefficients in 1/µm, ``float32``, dims z, y, x, on the grid of :func:`fbp`. The attribute
        ``residual`` lists for each pass what was unexplained when each projection came: its root mean square
        as a share of that of the projections.

    Raises
    ------
    TypeError
        If projections are a plain array, or counts; if the drift is no table.
    ValueError
        If :func:`fbp` would refuse them, but for gaps in a turn; if a number is out of range; or if `start`
        is on another grid.

    Warns
    -----
    UserWarning
        As :func:`fbp`.

    Notes
    -----
    It does not converge to one answer: each pass fits the noise somewhat better. Stop when ``residual`` falls
    no more, or compare with the noise. What lies beyond the circle that all projections see is 0, and its
    attenuation is laid onto the border within: the sample must be in view. Each correction is divided by the
    length of the ray in that circle, but no less than 5 % of its diameter, so that noise in short rays stays
    small. With `nonnegative` the mean of empty places is above 0.

    The pair of projectors is not matched (:func:`project` says how far). Memory is the projections, the
    volume twice, and with `tv_weight` the volume six times.

    References
    ----------
    Andersen and Kak, Ultrason. Imaging 6, 81 (1984), doi:10.1177/016173468400600107.
    Total variation: Chambolle, J. Math. Imaging Vis. 20, 89 (2004), doi:10.1023/B:JMIV.0000011325.36760.1e.
    The paper: doi:10.1017/S1431927622012405.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> block = np.zeros((1, 20, 20), np.float32)
    >>> block[:, 8:12, 10:16] = 0.5
    >>> angles = np.arange(40) * 4.5
    >>> scan = ct.reconstruct.project(ct.volume(block, 1.0, origin=(0, -9.5, -9.5)), angles)
    >>> found = ct.reconstruct.sart(scan, angles, iterations=20)
    >>> bool(abs(found.values - block).max() < 0.1), len(found.residual)
    (True, 20)
    """
    geometry = geometry_of(projections, angles_deg, centre_um, source_um, source_z_um, drift, doing=_DOING)
    check_turn(geometry.angles_deg, doing=_DOING)
    check_integrals(projections, doing=_DOING)
    _check_options(iterations, relaxation, tv_weight, nonnegative)
    grid, shape = grid_of(geometry, width_um, voxel_um, doing=_DOING)
    check_bytes(projections.size, doing=_DOING, what=f"{projections.shape} pixels of projections")
    parts = _subsets(geometry.angles_deg, subsets)
    columns = _start(start, geometry, grid, shape)
    measured = _in_memory(projections, progress)
    sums = ColumnSums(geometry.columns)
    sums.add(measured)
    sums.warn()
    lengths = _lengths(geometry, grid, shape)
    edge, residuals = tile_edge(shape[0]), []
    bar = tqdm(
        total=iterations * len(parts), desc=_DOING, unit="subset", delay=1, leave=False, disable=not progress
    )
    with bar, threads_for(columns.size * len(parts[0])):
        for _ in range(iterations):
            left = 0.0
            for part in parts:
                beam = geometry.some(part)
                images = line_integrals(columns, beam, grid, geometry.columns, geometry.rows)
                left += _compare(measured, part, lengths[part], images)
                correct(images, beam, grid, edge, np.float32(relaxation / len(part)), nonnegative, columns)
                bar.update()
            residuals.append(left)
            if tv_weight:
                _smooth(columns, tv_weight, nonnegative)
    total = sum(float(np.vdot(image, image)) for image in measured)
    history = [float(np.sqrt(left / total)) if total else 0.0 for left in residuals]
    out = np.ascontiguousarray(columns.transpose(2, 0, 1))
    return as_volume(out, geometry, grid, method="sart", tv_weight=float(tv_weight), residual=history)


def _check_options(iterations: Any, relaxation: Any, tv_weight: Any, nonnegative: Any) -> None:
    _whole(iterations, "iterations", _MOST_PASSES)
    if not (_is_number(relaxation) and 0 < relaxation < 2):
        raise ValueError(
            f"Cannot {_DOING} with relaxation={relaxation!r}: a number above 0 and below 2 is needed. Leave "
            "it out."
        )
    if not (_is_number(tv_weight) and 0 <= tv_weight <= _MOST_WEIGHT):
        raise ValueError(
            f"Cannot {_DOING} with tv_weight={tv_weight!r}: a number of voxels from 0 to {_MOST_WEIGHT:g} is "
            "needed. Take 0.02, or leave it out."
        )
    check_flag(nonnegative, "nonnegative", doing=_DOING, usual=True)


def _whole(value: Any, what: str, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not 1 <= value <= most:
        raise ValueError(
            f"Cannot {_DOING} with {what}={value!r}: a whole number from 1 to {most} is needed. Leave it out."
        )
    return int(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool | np.bool_)


def _in_memory(projections: xr.DataArray, progress: bool) -> Images:
    if projections.dtype == np.float32 and projections.chunks is None:
        for first, some in frames(projections, doing=_DOING, progress=False):
            check_size(some, first, doing=_DOING)
        return np.asarray(projections.data)
    out = np.empty(projections.shape, np.float32)
    for first, some in frames(projections, doing=_DOING, progress=progress):
        check_size(some, first, doing=_DOING)
        out[first : first + len(some)] = some
    return out


def _subsets(angles_deg: npt.NDArray[np.float64], subsets: Any) -> list[npt.NDArray[np.int64]]:
    """Share out projections, each subset over the whole turn, and one subset far from the one before."""
    count = len(angles_deg)
    usual = max(1, count // _MOST, min(count // _FEWEST, _CORRECTIONS))
    number = usual if subsets is None else _whole(subsets, "subsets", count)
    order = np.argsort(angles_deg % 360.0, kind="stable")
    turn = np.argsort(np.arange(number) * _GOLDEN % 1.0)
    return [order[k::number] for k in turn]


def _start(start: Any, geometry: Geometry, grid: Grid, shape: tuple[int, int, int]) -> Images:
    """Return the volume that the first correction is made to, with z last."""
    if start is None:
        return np.zeros((*shape[1:], shape[0]), np.float32)
    empty = as_volume(np.broadcast_to(np.float32(0), shape), geometry, grid)
    check_same_grid(start, empty, doing=_STARTING)
    check_finite(start, doing=_STARTING)
    return np.ascontiguousarray(start.values.astype(np.float32, copy=False).transpose(1, 2, 0)).copy()


def _lengths(geometry: Geometry, grid: Grid, shape: tuple[int, int, int]) -> Images:
    """Return how far each ray runs within what is reconstructed, in µm: by angle and column."""
    y = grid.y + grid.edge * np.arange(shape[1])
    x = grid.x + grid.edge * np.arange(shape[2])
    inside = (y[:, None] ** 2 + x**2 <= grid.radius**2).astype(np.float32)[..., None]
    flat = geometry.beam._replace(source=0.0, shift=np.zeros_like(geometry.beam.shift))
    sums = line_integrals(inside, flat, grid, geometry.columns, 1)[..., 0]
    return np.where(sums > 0, np.maximum(sums, _SHORT * 2 * grid.radius), np.float32(np.inf))


def _smooth(columns: Images, tv_weight: float, nonnegative: bool) -> None:
    """Lower total variation by a weight in shares of the grey value of what there is."""
    total = float(np.abs(columns).sum(dtype=np.float64))
    if total:
        smooth(columns, tv_weight * float(np.vdot(columns, columns)) / total)


def _compare(measured: Images, part: npt.NDArray[np.int64], lengths: Images, images: Images) -> float:
    """Turn line integrals into what is missing a µm of ray; return the sum of squares of what is missing."""
    return float(_missing(measured, part, lengths, images).sum())


@njit(cache=True, nogil=True, parallel=True)
def _missing(measured: Any, part: Any, lengths: Any, images: Any) -> Any:
    squares = np.zeros(len(part))
    for a in prange(len(part)):
        squares[a] = _missing_in(measured[part[a]], lengths[a], images[a])
    return squares


@njit(cache=True, nogil=True)
def _missing_in(measured: Any, lengths: Any, image: Any) -> float:
    left = 0.0
    for c in range(image.shape[0]):
        for k in range(image.shape[1]):
            gap = measured[k, c] - image[c, k]
            left += gap * gap
            image[c, k] = gap / lengths[c]
    return left
