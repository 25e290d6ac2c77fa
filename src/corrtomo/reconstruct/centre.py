"""The axis of rotation, found from the projections themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from numbers import Real
from typing import Any

import numpy as np
import xarray as xr

from .mirrored import Floats, half_turn, opposite_rays, unwound
from .projections import check_angles, check_projections, check_source, frames

_DOING = "find the centre of rotation"
_BLOCKS, _FEW = 8, 4
"""Blocks of rows at most; and at least, by comparing every second, third, … projection where rows are few."""
_FEWEST = 8
"""Columns of a projection, and projections of a block, at least."""
_NARROWEST = 4
"""Columns that a search must span."""
_LACKING_DEG = 6.0
"""Degrees that a turn, or half of one, may lack."""
_COARSEST_DEG = 30.0
"""Degrees between neighbouring projections beyond which they have little in common."""
_SHARE = 0.25
"""Share of the width on each side of its middle where the axis is looked for by default."""
_ROUNDS = 3
_REACH = 2
"""Half columns on each side of the lowest that a parabola is fitted to."""
_CLEAR, _ALIKE = 0.1, 0.05
"""Depth of a minimum, as a share of the curve, and spread of the blocks, as a share of the search range, that
tell a centre from noise."""


@dataclass(frozen=True)
class Centre:
    """Where the axis of rotation lies, as :func:`centre_of_rotation` finds it.

    Attributes
    ----------
    x_um : float
        Position along x in the projections, in µm.
    error_um : float
        Its standard error in µm, from the agreement of `blocks`.
    score : float
        How much better opposite rays agree there than elsewhere: 1 in full, 0 not at all.
    method : str
        "opposite rays" for a full turn, "half turn".
    blocks : tuple of float
        The same position from each block of rows alone, in µm, from the first row to the last; where rows are
        less than four, from every second, third, … projection of each.
    """

    x_um: float
    error_um: float
    score: float
    method: str
    blocks: tuple[float, ...]

    def __repr__(self) -> str:
        return (
            f"Centre(x = {self.x_um:.4g} ± {self.error_um:.2g} µm, from {self.method} in {len(self.blocks)} "
            f"blocks; score {self.score:.2f} of 1)"
        )


def centre_of_rotation(
    projections: xr.DataArray,
    angles_deg: Any,
    *,
    source_um: float | None = None,
    search_um: Sequence[float] | None = None,
    progress: bool = True,
) -> Centre:
    """Find where the axis of rotation is projected to.

    An axis that is wrong by a pixel doubles every edge in the reconstruction, or makes it a half moon. It is
    found from what must agree: a ray and the one in the opposite direction cross the same matter.

    Parameters
    ----------
    projections : xarray.DataArray
        Line integrals, dims angle, z, x, for instance from :func:`attenuation`. NumPy or Dask.
    angles_deg : array_like
        The angle of each in degrees, of a full turn, or of half of one for a parallel beam.
    source_um : float, optional
        Distance from the source to the axis in µm; by default the beam is parallel. A cone needs a full turn.
    search_um : (float, float), optional
        From where to where along x to look, in µm; by default the middle half of the projections.
    progress : bool
        Show a bar where it takes longer than a second.

    Returns
    -------
    Centre
        With ``x_um``, for ``centre_um=`` of a reconstruction, and ``error_um``.

    Raises
    ------
    TypeError
        If projections are a plain array, or angles or lengths are no numbers.
    ValueError
        If dims differ, values are NaN, angles do not match or cover less than half a turn (a cone: a full
        turn), the projections are constant, the best place is at the border of the search range, or no place
        is clearly better than others.

    Notes
    -----
    With a full turn, opposite rays are compared directly; in a cone, those of one height at the axis, which
    is exact in the plane of the source and near enough for a cone of a few degrees. The central ray is taken
    to hit the axis. Half a turn has no opposite rays: it is put together with its mirror image, and the axis
    is where both make a turn of a sample that could be (Vo et al. 2014, here in closed form for all places
    at once, and in power). The sample must be within the view for that.

    `error_um` is noise, and an axis that leans: look whether ``blocks`` go up or down with the rows. It does
    not hold a drift of the sample along x, nor does the score: see :func:`drift_from_projections`. A drift of
    8 pixels moved the axis by 4, at a score of 0.98. So does a step in all rows between two halves of the
    detector, or another border that stands still: :func:`remove_rings` takes narrow stripes only.

    References
    ----------
    Vo et al., Opt. Express 22, 19078 (2014), doi:10.1364/OE.22.019078.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> angles = np.arange(0, 360, 4)
    >>> spot = 3.2 + 2 * np.cos(np.deg2rad(angles))  # a rod, 2 µm from an axis at 3.2 µm
    >>> grey = np.exp(-((np.arange(64) * 0.1 - spot[:, None]) ** 2) / 0.1)[:, None]
    >>> found = ct.reconstruct.centre_of_rotation(ct.volume(grey, 0.1, dims=("angle", "z", "x")), angles)
    >>> round(found.x_um, 2)
    3.2
    """
    _, pixel = check_projections(projections, doing=_DOING)
    angles = check_angles(angles_deg, len(projections), doing=_DOING)
    source = check_source(source_um, projections, doing=_DOING)
    halves = _range(search_um, projections, pixel)
    full = _check_turn(angles, source)
    rows = _block_means(projections, progress)

    def curve(row: Floats, some: slice) -> Floats:
        if full:
            return _rays(row, angles, source and source / pixel, halves, some)
        return half_turn(row[some], angles[some])[halves]

    curves = np.array([curve(row, slice(None)) for row in rows])
    best, score = _clearest(curves)
    apart = max(1, min(-(-_FEW // len(rows)), len(projections) // _FEWEST))
    if apart > 1:
        curves = np.array([curve(row, slice(k, None, apart)) for row in rows for k in range(apart)])
    places, spread, error = _agreement(curves)
    if spread > _ALIKE * curves.shape[1]:
        raise ValueError(
            f"Cannot {_DOING}: blocks of rows disagree by {spread * pixel / 2:.3g} µm (standard deviation), "
            f"from a search over {curves.shape[1] * pixel / 2:.3g} µm. The projections show too little, or "
            "move. Pass rows with structure, for instance projections.isel(z=slice(20, 100)), or narrow "
            "search_um."
        )
    start = float(projections["x"][0]) + halves.start * pixel / 2
    return Centre(
        x_um=start + best * pixel / 2,
        error_um=error * pixel / 2,
        score=score,
        method="opposite rays" if full else "half turn",
        blocks=tuple((start + places * pixel / 2).tolist()),
    )


def _range(search_um: Any, projections: xr.DataArray, pixel: float) -> slice:
    """Return where to look for the axis, in half columns from the first on."""
    x, columns = projections["x"].values.astype(float), projections.sizes["x"]
    if columns < _FEWEST:
        raise ValueError(
            f"Cannot {_DOING}: projections are {columns} columns wide, but {_FEWEST} or more are needed, "
            "with the whole sample in view, or most of it."
        )
    if search_um is None:
        low, high = x[0] + _SHARE * np.ptp(x), x[-1] - _SHARE * np.ptp(x)
    else:
        low, high = _pair(search_um)
    if not x[0] <= low < high <= x[-1] or high - low < _NARROWEST * pixel:
        raise ValueError(
            f"Cannot {_DOING} with search_um={search_um!r}: two places between {x[0]:.4g} and {x[-1]:.4g} "
            f"µm, where the projections are, and {_NARROWEST * pixel:.4g} µm or more apart, are needed. "
            "Leave it out to look in their middle half."
        )
    ends = 2.0 * (np.array([low, high]) - x[0]) / pixel
    return slice(int(np.ceil(ends[0] - 1e-6)), int(np.floor(ends[1] + 1e-6)) + 1)


def _pair(search_um: Any) -> tuple[float, float]:
    values = list(search_um) if isinstance(search_um, Sequence | np.ndarray) else []
    real = [isinstance(v, Real) and not isinstance(v, bool | np.bool_) for v in values]
    if len(values) != 2 or not all(real):
        raise TypeError(
            f"Cannot {_DOING} with search_um={search_um!r}: two numbers in µm are needed, from where to "
            "where along x to look. Pass for instance (-1.0, 1.0)."
        )
    return float(values[0]), float(values[1])


def _check_turn(angles: Floats, source: float | None) -> bool:
    """Tell whether angles cover a full turn; refuse them if they cover less than half of one."""
    turned, _ = unwound(angles)
    step = float(np.median(np.diff(turned)))
    widest = float(np.diff(turned).max())
    if widest > _COARSEST_DEG:
        raise ValueError(
            f"Cannot {_DOING}: {len(angles)} angles leave gaps of up to {widest:.4g} degrees, and up to "
            f"{_COARSEST_DEG:g} are allowed. Pass more projections, evenly over the turn."
        )
    span = float(np.ptp(turned)) + step
    if span >= 360.0 - _LACKING_DEG:
        return True
    if source is None and span >= 180.0 - _LACKING_DEG:
        return False
    needed = "half a turn (180 degrees)" if source is None else "for a cone, a full turn (360 degrees)"
    raise ValueError(
        f"Cannot {_DOING}: angles cover {span:.4g} degrees, but {needed} is needed, {_LACKING_DEG:g} less at "
        "most: no ray has its opposite. Are they in radians? Convert them with np.rad2deg(angles). Otherwise "
        "give the axis of rotation as it was calibrated."
        + ("" if source is None else " Without source_um, half a turn of a narrow cone is taken as parallel.")
    )


def _block_means(projections: xr.DataArray, progress: bool) -> Floats:
    """Return the mean sinograms of blocks of neighbouring rows, axes block, angle, x."""
    rows = projections.sizes["z"]
    ends = np.linspace(0, rows, min(rows, _BLOCKS) + 1).round().astype(int)
    means = np.empty((len(ends) - 1, len(projections), projections.sizes["x"]))
    for start, some in frames(projections, doing=_DOING, progress=progress):
        for k, (first, last) in enumerate(pairwise(ends.tolist())):
            means[k, start : start + len(some)] = some[:, first:last].mean(axis=1, dtype=np.float64)
    if np.ptp(means) == 0:
        raise ValueError(
            f"Cannot {_DOING}: the projections are constant, {means.flat[0]:.4g} everywhere, and show no "
            "sample. Pass line integrals, for instance from ct.reconstruct.attenuation()."
        )
    return means


def _rays(sinogram: Floats, angles: Floats, source: float | None, halves: slice, some: slice) -> Floats:
    """Compare opposite rays; where those of a cone are depends on the axis a little: look again."""
    axis = (halves.start + halves.stop - 1) / 4.0
    for _ in range(1 if source is None else _ROUNDS):
        curve = opposite_rays(sinogram, angles, source, axis, some)[halves]
        axis = (halves.start + int(curve.argmin())) / 2.0
    return curve


def _lowest(curve: Floats) -> float:
    """Return where a curve is lowest, between its points: the vertex of a parabola around it."""
    k = int(curve.argmin())
    reach = min(_REACH, k, len(curve) - 1 - k)
    if reach == 0:
        return float(k)
    steps = np.arange(-reach, reach + 1.0)
    curvature, slope, _ = np.polyfit(steps, curve[k - reach : k + reach + 1], 2)
    return k + float(np.clip(-slope / (2.0 * curvature), -1.0, 1.0)) if curvature > 0 else float(k)


def _clearest(curves: Floats) -> tuple[float, float]:
    """Return where all curves together are lowest, and how clearly; refuse a border, and noise."""
    whole = curves.mean(axis=0)
    usual = float(np.median(whole))
    score = 1.0 - float(whole.min()) / usual if usual > 0 else 0.0
    if score < _CLEAR:
        raise ValueError(
            f"Cannot {_DOING}: no place is clearly better than others (score {score:.2f}, {_CLEAR:g} or more "
            "is needed). The projections show noise, or a sample that looks alike everywhere. Pass line "
            "integrals of rows with structure, for instance projections.isel(z=slice(20, 100)), or widen "
            "search_um."
        )
    if whole.argmin() in (0, len(whole) - 1):
        raise ValueError(
            f"Cannot {_DOING}: the best place is at the border of the search range, and may lie beyond it. "
            "Widen search_um."
        )
    return _lowest(whole), score


def _agreement(curves: Floats) -> tuple[Floats, float, float]:
    """Return where each curve is lowest; their spread, and the standard error of the mean.

    What shows nothing, such as air above a pillar, has a flat curve, and counts little.
    """
    places = np.array([_lowest(curve) for curve in curves])
    weight = np.median(curves, axis=1) - curves.min(axis=1)
    weight = weight / max(float(weight.sum()), 1e-300)
    many = 1.0 / max(float((weight**2).sum()), 1e-300)
    if many < 1.5:
        return places, 0.0, float("nan")
    variance = float((weight * (places - (weight * places).sum()) ** 2).sum()) * many / (many - 1.0)
    return places, float(np.sqrt(variance)), float(np.sqrt(variance / many))
