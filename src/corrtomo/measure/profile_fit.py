"""How wide, and how strong, an excess near a structure is."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import OptimizeWarning, curve_fit

Floats = npt.NDArray[np.float64]
Law = Literal["exponential", "gaussian"]
_DOING = "fit a profile"
_COLUMNS = ("from_um", "to_um", "distance_um", "voxels", "counts_per_voxel", "dispersion")
_LEAST = 4
_ROUNDS = 5
_MISFIT, _GLANCE = 10.0, 0.1
"""Misfit, and residuals over the range of the profile, from which on the law is another."""
_NODES = 5
"""Places in a bin at which the law is averaged: exact for polynomials of degree nine."""


@dataclass(frozen=True)
class ProfileFit:
    """An excess of counts near a structure.

    Attributes
    ----------
    law : {"exponential", "gaussian"}
        How it fades: by exp(−d / width), or by exp(−d² / 2 width²).
    excess, excess_error : float
        Counts a voxel at distance 0 above the background, and the standard error.
    width_um, width_error_um : float
        Decay length, or standard deviation, and its standard error.
    background, background_error : float
        Counts a voxel far away, and the standard error.
    misfit : float
        Sum of squares over degrees of freedom, in units of the noise: about 1 where the law holds.
    warnings : tuple of str
        Why the numbers may mean nothing.
    """

    law: str
    excess: float
    excess_error: float
    width_um: float
    width_error_um: float
    background: float
    background_error: float
    misfit: float
    warnings: tuple[str, ...] = ()


def fit_profile(profile: pd.DataFrame, *, law: Law = "exponential") -> ProfileFit:
    """Fit how an excess of counts fades with distance: its width and its strength, with errors.

    Parameters
    ----------
    profile : pandas.DataFrame
        From :func:`distance_profile`; empty bins are left out.
    law : {"exponential", "gaussian"}
        background + excess · exp(−d / width), as diffusion into a sink leaves it, or
        background + excess · exp(−d² / 2 width²), as a thin layer seen by a beam. d is taken positive.

    Returns
    -------
    ProfileFit
        Excess, width and background, with standard errors.

    Raises
    ------
    TypeError
        If `profile` is no table, or of text.
    ValueError
        If it is no profile, bins end before they begin, fewer than four bins hold voxels, all counts are
        zero, or no width fits: there is no excess within the bins, or it does not end within them.

    Notes
    -----
    Least squares, weighted by the noise that the fitted curve predicts: its mean over the voxels of a bin,
    times the dispersion where that is above 1. The law is averaged over each bin. Errors are those of the
    linearised fit, and grow by the root of the misfit where that is above 1; they know nothing of voxels that
    vary together.

    The width is that of what was seen, wider than what is there. A Gaussian beam of standard deviation s adds
    in squares to a Gaussian width, √(w² − s²), with s the full width at half maximum over 2.355; a width near
    s says that the layer is thinner than the beam, and the excess is then too small. On an exponential the
    beam rounds the first 2 s: leave those bins out, and the decay length is as it was. A boundary drawn a
    pixel off widens both the same way.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> far = np.arange(400) * 0.01
    >>> counts = np.rint(1000 + 4000 * np.exp(-far / 0.5)).astype(int)
    >>> structure = ct.volume([far == 0], 0.01)
    >>> table = ct.measure.distance_profile(
    ...     ct.volume([counts], 0.01), structure, edges_um=np.arange(-0.005, 4, 0.1)
    ... )
    >>> fit = ct.measure.fit_profile(table)
    >>> round(fit.width_um, 2), round(fit.excess, -2), round(fit.background, -2)
    (0.5, 4000.0, 1000.0)
    """
    table = _check(profile, law)
    edges = table[["from_um", "to_um"]].to_numpy(float)
    seen, voxels = table.counts_per_voxel.to_numpy(float), table.voxels.to_numpy(float)
    scatter = np.maximum(np.nan_to_num(table.dispersion.to_numpy(float), nan=1.0), 1.0)
    model = _averaged(edges, table.distance_um.to_numpy(float), law)
    found, errors = _fitted(model, seen, voxels, scatter, edges)
    rest = seen - model(None, *found)
    noise = _noise(model(None, *found), voxels, scatter)
    free = len(seen) - 3
    misfit = float(((rest / noise) ** 2).sum() / free)
    errors = errors * np.sqrt(max(misfit, 1.0))
    longest = float(np.abs(edges).max())
    if not (np.isfinite(errors).all() and found[2] < 2 * longest and errors[2] < found[2]):
        raise ValueError(
            f"Cannot {_DOING}: an excess of {found[1]:.3g} ± {errors[1]:.2g} counts a voxel that fades over "
            f"{found[2]:.3g} ± {errors[2]:.2g} µm is none that bins up to {longest:g} µm tell from the "
            "background. Pass finer or longer edges_um= to ct.measure.distance_profile(), or report the "
            "profile without a width."
        )
    background, excess, width = map(float, found)
    of_background, of_excess, of_width = map(float, errors)
    said = _warnings(float(np.sqrt((rest**2).sum() / free)), float(np.ptp(seen)), misfit, law)
    return ProfileFit(law, excess, of_excess, width, of_width, background, of_background, misfit, said)


def _warnings(rest: float, fall: float, misfit: float, law: str) -> tuple[str, ...]:
    """Say that a profile has another shape: off by more than its noise, and by what is seen at a glance."""
    if misfit < _MISFIT or rest < _GLANCE * fall:
        return ()
    return (
        f"the profile does not follow the {law} law: bins are off by {rest / fall:.0%} of its fall, "
        f"{np.sqrt(misfit):.0f} times their noise, so that width and excess are no measure of it",
    )


def _check(profile: Any, law: Any) -> pd.DataFrame:
    """Refuse what is no profile with four bins or more; return the bins that hold voxels."""
    if not isinstance(profile, pd.DataFrame):
        raise TypeError(
            f"Cannot {_DOING} of a {type(profile).__name__}: a table is needed. Make it with "
            "ct.measure.distance_profile()."
        )
    missing = [name for name in _COLUMNS if name not in profile]
    if missing:
        raise ValueError(
            f"Cannot {_DOING} of a table without {', '.join(missing)}: it is no profile. Make it with "
            "ct.measure.distance_profile()."
        )
    if law not in get_args(Law):
        raise ValueError(
            f"Cannot {_DOING} by law {law!r}: allowed are {', '.join(map(repr, get_args(Law)))}."
        )
    _check_columns(profile)
    table = profile[profile.voxels > 0]
    if len(table) < _LEAST:
        raise ValueError(
            f"Cannot {_DOING} of {len(table)} bins with voxels: {_LEAST} or more are needed. Pass finer "
            "edges_um= to ct.measure.distance_profile()."
        )
    if not np.isfinite(table[list(_COLUMNS[:-1])].to_numpy(float)).all():
        raise ValueError(
            f"Cannot {_DOING}: a bin has no finite counts or borders. Make it with "
            "ct.measure.distance_profile()."
        )
    if not (table.from_um < table.to_um).all():
        raise ValueError(
            f"Cannot {_DOING}: a bin ends before it begins. Make it with ct.measure.distance_profile()."
        )
    if not (table.counts_per_voxel > 0).any():
        raise ValueError(f"Cannot {_DOING}: there is no count in any bin. Check the channel and within=.")
    return table


def _check_columns(profile: pd.DataFrame) -> None:
    """Refuse columns that are there twice, or hold no numbers."""
    for name in _COLUMNS:
        if (profile.columns == name).sum() > 1:
            raise ValueError(
                f"Cannot {_DOING} of a table with {name} twice: one profile is needed. Fit each by itself."
            )
        numbers = pd.api.types.is_numeric_dtype(profile[name])
        if not numbers and not all(isinstance(value, Real) for value in profile[name]):
            raise TypeError(
                f"Cannot {_DOING}: {name} holds {profile[name].dtype}, no numbers. Make it with "
                "ct.measure.distance_profile(), or read it with pandas.read_csv()."
            )


def _averaged(edges: Floats, centre: Floats, law: str) -> Any:
    """Return the law averaged over each bin, around the mean distance of its voxels."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    half = np.minimum(centre - edges[:, 0], edges[:, 1] - centre)
    places = np.abs(centre[:, None] + np.maximum(half, 0.0)[:, None] * nodes)

    def model(_: Any, background: float, excess: float, width: float) -> Floats:
        scaled = places / width
        fading = np.exp(-scaled) if law == "exponential" else np.exp(-(scaled**2) / 2)
        return np.asarray(background + excess * (fading @ weights) / 2)

    return model


def _noise(expected: Floats, voxels: Floats, scatter: Floats) -> Floats:
    """Return the standard error of each bin; one count in it at least."""
    return np.sqrt(scatter * np.maximum(expected, 1 / voxels) / voxels)


def _fitted(
    model: Any, seen: Floats, voxels: Floats, scatter: Floats, edges: Floats
) -> tuple[Floats, Floats]:
    """Return background, excess and width, and their errors: weights and curve found in turn."""
    far = np.abs(edges).mean(axis=1)
    longest, finest = float(np.abs(edges).max()), float(np.diff(edges).min())
    last = float(seen[far.argmax()])
    start = [last, float(seen[far.argmin()]) - last or 1.0, longest / 4]
    noise = _noise(seen, voxels, scatter)
    bounds = ([-np.inf, -np.inf, finest / 20], [np.inf, np.inf, 20 * longest])
    for _ in range(_ROUNDS):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", OptimizeWarning)  # no covariance: refused by its infinite errors
            found, covariance = curve_fit(
                model, far, seen, start, sigma=noise, absolute_sigma=True, bounds=bounds, x_scale="jac"
            )
        noise, start = _noise(model(None, *found), voxels, scatter), found
    return np.asarray(found), np.sqrt(np.diag(covariance))
