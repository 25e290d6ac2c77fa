"""Drift and thickness of slices from fiducial marks: lines milled into the coating above the region."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from ..checks import check_length
from .mark_fit import Fitted, Mask, Seen, agreeing, bridge, fit
from .mark_template import Floats
from .mark_tracking import Tracker
from .planes import check_stack, planes
from .positions import table
from .tables import check_columns

_DOING = "find drift from marks"
_SLOPES = "marks of two slopes"
_FAR = 5.0
"""Standard errors beyond which a depth is not believed."""
_ROUNDING = 1e-6
_COLUMNS = ("y_um", "x_um", "slope")
_ADVICE = "Without marks call ct.reconstruct.drift_from_neighbours()."


def drift_from_marks(
    stack: xr.DataArray,
    marks: pd.DataFrame,
    *,
    search_um: float = 0.5,
    mark_um: float = 0.3,
    repeats: bool = False,
    progress: bool = True,
) -> pd.DataFrame:
    """Find where each slice lies from marks that are milled into the coating above it.

    Images shift as the section moves away from the beam; the cycling paper corrects that by reference markers
    (section 2.2). A mark along the milling direction shows the shift of each image, whatever the
    microstructure does. Two that run sideways, one to the left and one to the right (a chevron), are farther
    apart the more was milled: they show how thick each slice was.

    Parameters
    ----------
    stack : xarray.DataArray
        Grey values with dims z, y, x: z the nominal position of each slice, y and x as on the screen, in µm.
        NumPy or Dask; one slice is read at a time.
    marks : pandas.DataFrame
        A row for each mark, a dark spot on bright: ``y_um`` and ``x_um``, about where its centre is in the
        first image, in the image's own coordinates, to within its diameter; ``slope``, the µm that it runs
        along x for each µm milled, 0 along the milling direction.
    search_um : float
        How far a mark may be, in µm on the screen, from where it is expected: where it was in the slice
        before, and as far on as its slope says.
    mark_um : float
        Diameter of a mark, in µm on the screen, along y and x alike: not the milled one, for a round hole
        looks lower by cos(tilt) along y where the microscope has not corrected the tilt. Less than half the
        image.
    repeats : bool
        Allow an image that equals the one before it.
    progress : bool
        Show a bar where it takes longer than a second.

    Returns
    -------
    pandas.DataFrame
        A row for each slice: ``slice``; ``z_um``, its milled depth; ``y_um``, ``x_um``, the shift of its
        image on the screen (what is at y in the first image is at y + y_um); ``z_error_um``, ``y_error_um``,
        ``x_error_um``, standard errors; ``marks_found``, the marks that tell. All but the errors are 0 in the
        first slice, whose own error is common to all.

    Raises
    ------
    TypeError
        If the stack is a plain array, or marks are no table.
    ValueError
        If the stack has other dims, fewer than two slices, slices missing, NaN, or an image twice; marks have
        no such columns, no rows, or one place twice; `mark_um` is not less than half the image; no dark spot
        is where a mark should be in the first image; or too few marks are found at an end of the stack or in
        more than half of it.

    Notes
    -----
    Without marks of different slopes depth cannot be told: z is the nominal one, and its error NaN. Depth is
    as right as the slopes: a slope 1 % too small makes all slices 1 % too thick.

    A mark that is out of view, has moved farther than `search_um`, looks different, or contradicts the others
    is left out in that slice; of two that contradict each other both are. A slice with too few marks is
    placed between its neighbours, as a random walk would go: ``marks_found`` says so, and its errors are
    larger. Beyond the last slice with enough of them nothing is known, and the stack is refused. A mark that
    alone tells depth cannot be checked: two straight marks and two chevrons check each other.

    Each mark is found by correlation with the first image, and then its mean over all slices is fitted to
    each image. Errors come from the noise, scaled up where marks agree less well than that. A mark that bends
    or changes its width while it is milled is not known for what it is, unless others contradict it.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> import corrtomo as ct
    >>> y, x = np.mgrid[:40, :60]
    >>> spot = [np.exp(-((y - 20) ** 2 + (x - 30 - s) ** 2) / 16) for s in (0, 1, 2.5)]
    >>> stack = ct.volume(200 - 150 * np.array(spot), (0.05, 0.025, 0.025))
    >>> marks = pd.DataFrame({"y_um": [0.5], "x_um": [0.75], "slope": [0.0]})
    >>> ct.reconstruct.drift_from_marks(stack, marks).x_um.round(4).tolist()
    [0.0, 0.025, 0.0625]
    """
    z_step, y_pixel, x_pixel = check_stack(stack, doing=_DOING, slices=2)
    check_length(search_um, "search_um", doing=_DOING)
    check_length(mark_um, "mark_um", doing=_DOING)
    _check_fits(mark_um, stack, (y_pixel, x_pixel))
    where = _check_marks(marks, mark_um)
    pixel = np.array([y_pixel, x_pixel])
    first = np.array([float(stack["y"][0]), float(stack["x"][0])])
    start = (where[["y_um", "x_um"]].to_numpy(float) - first) / pixel
    _check_in_view(start, stack)
    slope = where["slope"].to_numpy(float)
    nominal = stack["z"].values.astype(float) - float(stack["z"][0])
    tracker = Tracker(start, slope * z_step / x_pixel, mark_um / pixel, search_um / pixel, _DOING)
    tracks = tracker.follow(planes(stack, doing=_DOING, progress=progress, repeats=repeats))
    return _table(tracks.place * pixel, tracks.error * pixel, tracks.found, slope, nominal, pixel)


def _check_fits(mark_um: float, stack: xr.DataArray, pixel: tuple[float, float]) -> None:
    """Refuse marks that no image could show with as much again around them, as they are looked for."""
    most = min((stack.sizes[dim] - 1) / 2 * edge for dim, edge in zip(("y", "x"), pixel, strict=True))
    if mark_um > most * (1 + _ROUNDING):
        raise ValueError(
            f"Cannot {_DOING} with mark_um {mark_um!r} µm: up to {most:.4g} µm, half the image, is allowed, "
            "for as much again around a mark must be in view. Give the diameter of a mark in µm on the "
            "screen; without marks call ct.reconstruct.drift_from_neighbours()."
        )


def _check_marks(marks: Any, mark_um: float) -> pd.DataFrame:
    if not isinstance(marks, pd.DataFrame):
        raise TypeError(
            f"Cannot {_DOING} given as {type(marks).__name__}: a pandas.DataFrame is needed, with columns "
            f"{', '.join(_COLUMNS)}. Without marks call ct.reconstruct.drift_from_neighbours()."
        )
    if marks.empty:
        raise ValueError(f"Cannot {_DOING}: the table has no rows. A row for each mark is needed. {_ADVICE}")
    check_columns(marks, _COLUMNS, doing=_DOING, advice=_ADVICE)
    places = marks[["y_um", "x_um"]].to_numpy(float)
    apart = np.hypot(*(places[:, None] - places[None]).T) + np.where(np.eye(len(places)), np.inf, 0.0)
    if apart.min() < mark_um:
        i, j = np.unravel_index(int(apart.argmin()), apart.shape)
        raise ValueError(
            f"Cannot {_DOING}: marks {i} and {j} are {apart.min():.3g} µm apart, less than their diameter "
            f"mark_um={mark_um:g}. Give each mark once."
        )
    return marks


def _check_in_view(start: Floats, stack: xr.DataArray) -> None:
    outside = ((start < 0) | (start > np.array(stack.shape[1:]) - 1)).any(axis=1)
    if outside.any():
        ends = [f"{dim} {float(stack[dim][0]):.4g} to {float(stack[dim][-1]):.4g} µm" for dim in ("y", "x")]
        raise ValueError(
            f"Cannot {_DOING}: mark {int(outside.argmax())} lies outside the first image, which spans "
            f"{ends[0]}, {ends[1]}. Give its place in the coordinates of the image."
        )


def _table(
    place: Floats, error: Floats, found: Mask, slope: Floats, nominal: Floats, pixel: Floats
) -> pd.DataFrame:
    """Fit drift and depth to the marks that agree, and fill the slices between."""
    one = np.ones((len(slope), 1))
    depth = bool(np.ptp(slope) > 0)
    along_y = Seen(place[:, :, 0], error[:, :, 0], one, pixel[0])
    # Depth as a deviation from the nominal one: where it is not known, only that is filled in.
    ahead = place[:, :, 1] - slope * nominal[:, None]
    design = np.column_stack([one, slope]) if depth else one
    along_x = Seen(ahead, error[:, :, 1], design, pixel[1])
    used = agreeing(along_y, along_x, found)
    more, z_error = np.zeros(len(nominal)), np.full(len(nominal), np.nan)
    if depth:
        used, more, z_error = _depth(along_x, used, nominal)
        along_x = Seen(ahead - slope * more[:, None], error[:, :, 1], one, pixel[1])
    y, x = fit(along_y, used), fit(along_x, used)
    _check_known(y.known, "a mark")
    y_um, y_error = bridge(y.value[:, 0], _error(y, 0), y.known)
    x_um, x_error = bridge(x.value[:, 0], _error(x, 0), x.known)
    if depth:
        lever = np.average(np.broadcast_to(slope, used.shape), axis=1, weights=used + 1e-12)
        x_error = np.hypot(x_error, lever * z_error)
    shift, errors = np.stack([y_um, x_um], axis=1), np.stack([z_error, y_error, x_error], axis=1)
    return table(nominal + more, shift, errors, used.sum(axis=1))


def _depth(along_x: Seen, used: Mask, nominal: Floats) -> tuple[Mask, Floats, Floats]:
    """Return the marks that hold, and by how much each slice is deeper than the nominal depth."""
    fitted = fit(along_x, used)
    _check_known(fitted.known, _SLOPES)
    slope = along_x.design[:, 1]
    # One mark of its slope alone tells the depth: no other one would contradict it if it were wrong.
    alone = fitted.known & (used.sum(axis=1) == 2)
    alone |= fitted.known & np.array([_one_differs(slope[here]) for here in used])
    sure = fitted.known & ~alone
    if alone.any() and sure[0] and sure[-1]:
        likely, its_error = bridge(fitted.value[:, 1], _error(fitted, 1), sure)
        off = np.abs(fitted.value[:, 1] - likely) > _FAR * np.hypot(its_error, _error(fitted, 1))
        used = np.where((alone & off)[:, None] & (slope != 0), False, used)
        fitted = fit(along_x, used)
    more, error = bridge(fitted.value[:, 1], _error(fitted, 1), fitted.known)
    step = np.diff(nominal + more)
    back = np.flatnonzero(step < -_FAR * np.hypot(error[1:], error[:-1]))
    if len(back):
        k = int(back[0])
        raise ValueError(
            f"Cannot {_DOING}: slice {k + 1} would lie {-step[k]:.4g} µm before slice {k}, and so do "
            f"{len(back)} slices in all. Milling never goes back: the slopes have the wrong sign, or marks "
            "were taken for each other. Give slopes in µm along x for each µm milled, above zero where x "
            "grows; lower search_um where marks come close."
        )
    return used, more, error


def _one_differs(slope: Floats) -> bool:
    """Tell whether all marks but one have the same slope."""
    return len(slope) > 1 and int(np.max(np.unique(slope, return_counts=True)[1])) == len(slope) - 1


def _error(fitted: Fitted, unknown: int) -> Floats:
    return np.sqrt(np.maximum(fitted.covariance[:, unknown, unknown], 0.0))


def _check_known(known: Mask, needed: str) -> None:
    if known[0] and known[-1] and known.mean() >= 0.5:
        return
    at = np.flatnonzero(known)
    first, last = (int(at[0]), int(at[-1])) if len(at) else (0, 0)
    raise ValueError(
        f"Cannot {_DOING}: {needed} must be found in the first slice, the last, and half of all; found in "
        f"{known.sum()} of {len(known)} slices, the first of them {first}, the last {last}. Reconstruct what "
        f"lies between, with stack.isel(z=slice({first}, {last + 1})) and marks as in its first image; "
        "give more marks; or raise search_um where they jump."
    )
