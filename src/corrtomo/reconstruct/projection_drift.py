"""Drift of a sample, or of the focal spot, during a scan: found from the projections."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from numba import get_num_threads
from scipy import ndimage

from ..checks import check_length
from .angular_steps import check_radians
from .drift_trust import check_model, warn_of_angles, warn_of_model, without_turn
from .projections import Floats, check_angles, check_projections, frames

_DOING = "find drift from projections"
_SCALES = (4.0, 1.0)
"""Pixels over which images are smoothed, first to find a shift, then to refine it."""
_STEPS, _MEANS = 3, 3
"""Steps of the search at each scale, and times that the mean of all is taken anew."""
_INSIDE = 8
"""Rows or columns that must be left when those that drift are left aside."""
_BORDER = 0.02
"""Share of the columns on each side that must show air."""
_EMPTY = 0.03
"""Mean attenuation at the border, as a share of that of the whole, up to which it is air."""
_FLAT = 1e-6
"""Changes along an axis, as a share of the values, below which an image is even."""
_PALEST = 0.05
"""Contrast against the image it is compared with at which one shows nothing of it."""
_FEWEST = 8
"""Projections that tell a drift from the sample's own way around the axis."""


def drift_from_projections(
    projections: xr.DataArray,
    angles_deg: Any,
    *,
    model: xr.DataArray | None = None,
    search_um: float = 0.5,
    progress: bool = True,
) -> pd.DataFrame:
    """Find by how much each projection is shifted, for a scan of many hours.

    The paper's scan takes 1200 × 90 s, 30 hours, at pixels of 50 nm. What drifts meanwhile smears the
    reconstruction, and along z nothing averages it out.

    Parameters
    ----------
    projections : xarray.DataArray
        Line integrals without rings, dims angle, z, x, in the order in which they were recorded: from
        :func:`remove_rings`. NumPy or Dask.
    angles_deg : array_like
        The angle of each in degrees.
    model : xarray.DataArray, optional
        What each projection should show, on the same grid: a first reconstruction, projected with
        ``ct.reconstruct.project``. By default no model is used: read the Notes.
    search_um : float
        How far a projection may be shifted, in µm.
    progress : bool
        Show a bar where it takes longer than a second.

    Returns
    -------
    pandas.DataFrame
        A row for each projection: ``angle_deg``; ``z_um`` and ``x_um``, by how much its image is shifted, in
        µm at the axis; and their standard errors ``z_error_um``, ``x_error_um``. It is what ``drift=`` of a
        reconstruction takes.

    Raises
    ------
    TypeError
        If projections or model are plain arrays, or angles or lengths are no numbers.
    ValueError
        If dims or grids differ, values are NaN, angles do not match, rows or columns are too few, or show
        nothing that could be followed; if a shift is beyond `search_um`; or, without a model, if projections
        are less than 8, angles are in radians or the sample reaches out of view.

    Warns
    -----
    UserWarning
        If angles, or the model, seem to be others than those of the projections.

    Notes
    -----
    Without a model, z is found from the sums of the rows: in a parallel beam they stay the same as the
    sample turns, and move with it. x is found from the centre of mass, which goes around as a sinusoid; what
    is left of it is drift. The constant and the sinusoid cannot be told from where the axis is and where the
    sample stands, and are taken out: the reconstruction is shifted by them as a whole, which harms nothing.
    So ``x_um`` has no mean and no wave of one turn, and goes with the axis that
    :func:`centre_of_rotation` finds in the same projections. ``z_um`` has no mean.

    In a cone, and where the beam hardens, the centre of mass has a wave of its own: on the digital twin of
    the pillar it was 9 nm off, and z 3 nm; against a model they were 7 and 2 nm off, at a drift of 150 nm.
    Make a model once z is about right, of a reconstruction with ``drift=`` this table, by
    ``ct.reconstruct.project(volume, angles_deg, like=projections)``, with the same axis and source. With a
    model, the table holds all there is between the two, and one round is enough where the first table was
    good: each follows the reconstruction before.

    Errors are those of noise, one for all, from how much neighbouring projections jump: they hold nothing
    that is smooth. Rows and columns at the border, as many as `search_um` spans, are left aside.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> angles = np.arange(0, 360, 10.0)
    >>> z, x = np.arange(60)[None, :, None] * 0.1, np.arange(80)[None, None] * 0.1 - 4
    >>> down = np.linspace(-0.1, 0.1, 36)[:, None, None]  # a ball of 1 µm sinks by 0.2 µm
    >>> grey = np.exp(-((z - 3 - down) ** 2 + x**2))
    >>> recorded = ct.volume(grey, 0.1, origin=(0, -4), dims=("angle", "z", "x"))
    >>> found = ct.reconstruct.drift_from_projections(recorded, angles)
    >>> found.z_um.iloc[[0, -1]].round(3).tolist(), bool(found.x_um.abs().max() < 1e-6)
    ([-0.1, 0.1], True)
    """
    pixels = check_projections(projections, doing=_DOING)
    angles = check_angles(angles_deg, len(projections), doing=_DOING)
    check_length(search_um, "search_um", doing=_DOING)
    margin = _margin(search_um, projections, pixels, whole=model is None)
    if model is None:
        check_radians(angles, doing=_DOING)
        shift = _by_sums(projections, angles, margin[0], progress)
    else:
        check_model(model, projections, doing=_DOING)
        shift = _by_model(projections, model, margin, progress)
        _check_alike(shift)
        warn_of_model(projections, model, shift, margin)
    shift *= pixels
    _check_search(shift, search_um)
    error = [_jumps(way) for way in shift.T]
    return pd.DataFrame(
        {
            "angle_deg": angles,
            "z_um": shift[:, 0],
            "x_um": shift[:, 1],
            "z_error_um": error[0],
            "x_error_um": error[1],
        }
    )


def _margin(
    search_um: float, projections: xr.DataArray, pixels: tuple[float, float], *, whole: bool
) -> tuple[int, int]:
    """Return rows and columns at the border that a drift may bring in; refuse if few are left between."""
    found = []
    for dim, pixel in zip("zx", pixels, strict=True):
        margin, count = np.ceil(search_um / pixel - 1e-6), projections.sizes[dim]
        if count < 2 * margin + _INSIDE and not (whole and dim == "x"):
            raise ValueError(
                f"Cannot {_DOING} with search_um={search_um!r}: that is {margin:.4g} pixels of {count} on "
                f"each side along {dim}, and {_INSIDE} or more must be left between. Lower search_um, or "
                "pass more rows and columns."
            )
        found.append(int(min(margin, count)))
    return found[0], found[1]


def _check_alike(shift: Floats) -> None:
    unlike = np.flatnonzero(np.isnan(shift).any(axis=1))
    if len(unlike):
        k = int(unlike[0])
        raise ValueError(
            f"Cannot {_DOING}: projection {k} is not like what it is compared with, and {len(unlike)} in all "
            f"are not. Leave a spoilt one out with projections.drop_isel(angle={k}), and its angle; pass a "
            "model of the same sample, axis and angles."
        )


def _check_search(shift: Floats, search_um: float) -> None:
    beyond = np.flatnonzero((np.abs(shift) > search_um).any(axis=1))
    if len(beyond):
        k = int(beyond[0])
        raise ValueError(
            f"Cannot {_DOING}: projection {k} seems to be shifted by {shift[k, 0]:.3g} µm along z and "
            f"{shift[k, 1]:.3g} µm along x, beyond search_um={search_um:g}; so do {len(beyond)} in all. "
            f"Raise search_um, or leave a spoilt one out with projections.drop_isel(angle={k}), and its "
            "angle."
        )


def _by_sums(projections: xr.DataArray, angles: Floats, margin: int, progress: bool) -> Floats:
    """Return shifts along z and x in pixels, from sums of rows and of columns."""
    if len(projections) < _FEWEST:
        raise ValueError(
            f"Cannot {_DOING} without a model: {len(projections)} projections, and {_FEWEST} or more are "
            "needed to tell a drift from the sample's way around the axis. Pass all, or a model."
        )
    sums = np.empty((4, len(projections), projections.sizes["z"]))
    for start, some in frames(projections, doing=_DOING, progress=progress):
        sums[:, start : start + len(some)] = _row_sums(some)
    z = np.zeros(len(projections))
    for _ in range(_MEANS):
        mean = _moved_back(sums[0], z).mean(axis=0)
        z = np.array([_shift(row, mean, (margin,))[0] for row in sums[0]])
        _check_alike(z[:, None])
        z -= z.mean()
    # Only rows that are in view in all projections: what comes in from below has a centre of mass of its own.
    total, moment, left, right = (
        _moved_back(part, z)[:, margin : len(mean) - margin].sum(axis=1) for part in sums
    )
    columns = projections.sizes["x"]
    mass = total - columns * (left + right) / 2
    _check_in_view(mass, total.mean() / columns, max(abs(left.mean()), abs(right.mean())))
    way = moment / mass
    warn_of_angles(way, angles, _jumps(without_turn(way, angles)))
    return np.column_stack([z, without_turn(way, angles)])


def _row_sums(some: npt.NDArray[Any]) -> tuple[Floats, Floats, Floats, Floats]:
    """Return sums of rows, their first moments about the middle, and their means at both borders."""
    columns = some.shape[2]
    border = max(1, round(_BORDER * columns))
    left, right = (some[..., ends].mean(axis=2, dtype=np.float64) for ends in np.s_[:border, -border:])
    total = some.sum(axis=2, dtype=np.float64)
    return total, some @ (np.arange(columns) - (columns - 1) / 2), left, right


def _moved_back(rows: Floats, z: Floats) -> Floats:
    """Return rows of sums where they would be without a drift."""
    pairs = zip(rows, z, strict=True)
    return np.array([ndimage.shift(row, -by, order=1, mode="nearest") for row, by in pairs])


def _check_in_view(mass: Floats, usual: float, outside: float) -> None:
    """Refuse a sample that reaches out of view."""
    if (mass > 0).all() and outside <= _EMPTY * usual:
        return
    raise ValueError(
        f"Cannot {_DOING} without a model: attenuation at the left or right border is "
        f"{outside / max(abs(usual), 1e-300):.2g} of the mean, and up to {_EMPTY:g} is allowed. The sample "
        "must be in view as a whole, with air on both sides, for its centre of mass to be known. Pass line "
        "integrals from ct.reconstruct.attenuation(), or a model."
    )


def _by_model(
    projections: xr.DataArray, model: xr.DataArray, margin: tuple[int, int], progress: bool
) -> Floats:
    """Return shifts along z and x in pixels, of each projection against its model."""
    found = np.empty((len(projections), 2))
    for start, some in frames(projections, doing=_DOING, progress=progress):
        expected = np.asarray(model.data[start : start + len(some)])
        with ThreadPoolExecutor(get_num_threads()) as pool:
            shifts = pool.map(partial(_shift, margin=margin), some, expected)
            found[start : start + len(some)] = list(shifts)
    return found


def _shift(image: npt.NDArray[Any], template: npt.NDArray[Any], margin: tuple[int, ...]) -> Floats:
    """Return by how many pixels along each axis an image is shifted, by least squares; NaN if not alike.

    Brightness and contrast are fitted along with the shift, for the beam may fade, and a model be paler.
    """
    at = np.zeros(image.ndim)
    inside = tuple(slice(m, n - m) for m, n in zip(margin, image.shape, strict=True))
    for scale in _SCALES:
        moving, still = (
            ndimage.gaussian_filter(part.astype(np.float64), scale) for part in (image, template)
        )
        slopes = [-np.gradient(still, axis=axis)[inside].ravel() for axis in range(still.ndim)]
        _check_slopes(slopes, still[inside])
        known = np.stack([np.ones(slopes[0].size), still[inside].ravel(), *slopes])
        normal = np.linalg.pinv(known @ known.T, hermitian=True)
        for _ in range(_STEPS):
            back = ndimage.shift(moving, -at, order=1, mode="nearest")[inside]
            step = normal @ (known @ (back - still[inside]).ravel())
            if step[1] <= _PALEST - 1.0:
                return np.full(image.ndim, np.nan)
            at = np.clip(at + step[2:] / (1.0 + step[1]), -np.array(margin) - 1.0, np.array(margin) + 1.0)
    return at


def _check_slopes(slopes: list[Floats], still: Floats) -> None:
    """Refuse an image that is even along an axis."""
    for dim, slope in zip("zx", slopes, strict=False):
        if float(np.abs(slope).max()) <= _FLAT * float(np.abs(still).max()):
            raise ValueError(
                f"Cannot {_DOING}: the projections are even along {dim}, and show nothing that a drift would "
                "move. Pass rows with structure, such as the top of the pillar."
            )


def _jumps(way: Floats) -> float:
    """Return the standard error of each position, from how far it lies off the middle of its neighbours."""
    if len(way) < _FEWEST:
        return float("nan")
    off = way[1:-1] - (way[:-2] + way[2:]) / 2
    return 1.4826 * float(np.median(np.abs(off))) / float(np.sqrt(1.5))
