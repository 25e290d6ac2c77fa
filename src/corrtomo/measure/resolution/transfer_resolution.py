"""The width of the point spread from the spectrum of a whole image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy import stats

from ...checks import check_same_grid
from ..options import check_between
from ..spectra import check_level
from .edge_fit import FWHM
from .shells import SAME, Floats, Shells, Window, check_twice, sum_shells

_DOING = "measure the transfer of an image"
_SEEN = 0.2
"""Correlation below which a shell is more noise than image."""
_FEWEST_SHELLS = 5
_UNSURE_POWER = 0.5
"""By how much the power of frequency with which an unknown object falls may be off: rough borders."""


@dataclass(frozen=True, eq=False)
class TransferResolution:
    """The full width at half maximum of a Gaussian point spread, as :func:`transfer_resolution` finds it.

    Attributes
    ----------
    fwhm_um, low_um, high_um : float
        The width in µm, and the ends of its confidence interval.
    level : float
        Confidence of the interval.
    from_per_um, to_per_um : float
        Frequencies between which the fall of the spectrum was fitted, in 1/µm.
    object_known : bool
        Whether the spectrum of the object was given, or taken for that of sharp interfaces.
    table : pandas.DataFrame
        A row for each shell: ``frequency_per_um``, ``independent`` voxels, ``correlation``,
        ``transfer_squared`` (up to a factor: what the images share over the object), ``fit`` and ``used``.
    """

    fwhm_um: float
    low_um: float
    high_um: float
    level: float
    from_per_um: float
    to_per_um: float
    object_known: bool
    table: pd.DataFrame

    def __repr__(self) -> str:
        known = "the object known" if self.object_known else "an object of sharp interfaces"
        return (
            f"TransferResolution({self.fwhm_um:.3f} µm full width at half maximum, {self.low_um:.3f} to "
            f"{self.high_um:.3f} at {self.level:.0%}; from {self.from_per_um:.2f} to {self.to_per_um:.2f} "
            f"per µm, {known})"
        )


def transfer_resolution(
    first: xr.DataArray,
    second: xr.DataArray,
    *,
    truth: xr.DataArray | None = None,
    from_per_um: float | None = None,
    to_per_um: float | None = None,
    window: Window = "hann",
    level: float = 0.95,
) -> TransferResolution:
    """Measure the width of a Gaussian point spread from what two independent images share.

    :func:`fourier_shell_correlation` knows only where signal sinks into noise. Up to there the product of
    both spectra is free of noise on average, and falls as the object's own spectrum does, times the squared
    transfer of the instrument: with the object known, the transfer follows, and from it the width.

    Parameters
    ----------
    first, second : xarray.DataArray
        Grey values with independent noise on one grid, dims y, x or z, y, x: for instance reconstructed from
        the odd and from the even projections.
    truth : xarray.DataArray, optional
        The object, on the same grid, as a digital twin knows it; grey values up to a factor. By default it is
        taken for grains with sharp and smooth borders.
    from_per_um, to_per_um : float, optional
        Frequencies to fit between, in 1/µm; by default from the first shell (with `truth`), or from where the
        product times the falling power of an object of sharp interfaces is largest, to where the correlation
        falls below 0.2.
    window : {"hann", "tapered", "none"}
        What images are multiplied with.
    level : float
        Confidence of the interval, between 0 and 1.

    Returns
    -------
    TransferResolution
        The full width at half maximum in µm, with its interval and the table of shells.

    Raises
    ------
    TypeError
        If a frequency is no number.
    ValueError
        If grids differ, an image is too small or has no structure, the truth is one of the images, or without
        one both are the same, fewer than 5 shells are left, or the spectrum falls no faster than that of the
        object, or, without `truth`, hardly faster.

    Notes
    -----
    A straight line through the logarithm of the transfer against the squared frequency; its slope is 2 π² s²,
    of the Gaussian with standard deviation s. Sharp smooth interfaces have a power that falls with frequency
    to the power of 4 in a volume and 3 in a section (Porod), at frequencies above one over the size of the
    grains and below one over the roughness of their borders. That is an assumption: on simulated pillars of
    smooth particles it found widths of 0.15 to 0.4 µm within 2 %, on particles rough over 0.1 µm 2 to 17 %
    too small, and grains or pores near the resolution are not told from sharpness. A point spread other
    than a Gaussian is fitted by one where the signal is, at low frequencies. A reconstruction filter is part
    of the transfer.

    The interval is that of the scatter of shells around the line. Without `truth` it is wider by what a power
    of frequency off by 0.5 would change, as of rough borders; where that is half of the slope or more, as of
    a scan with few projections, whose streaks are taken for sharpness, the width is refused.

    References
    ----------
    Porod, Kolloid-Z. 124, 83 (1951), doi:10.1007/BF01512792.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import ndimage
    >>> import corrtomo as ct
    >>> rng = np.random.default_rng(0)
    >>> truth = rng.normal(size=(128, 128))
    >>> seen = ndimage.gaussian_filter(truth, 2.0, mode="wrap")  # 2 voxels of 0.05 µm: FWHM 0.235 µm
    >>> odd, even = (ct.volume(seen + 0.05 * rng.normal(size=seen.shape), 0.05) for _ in range(2))
    >>> found = ct.measure.transfer_resolution(odd, even, truth=ct.volume(truth, 0.05))
    >>> abs(found.fwhm_um - 0.235) < 0.02
    True
    """
    check_twice(first, second, window, doing=_DOING)
    check_level(level, doing=_DOING)
    limits = [
        None if value is None else check_between(value, name, 0, np.inf, doing=_DOING)
        for value, name in ((from_per_um, "from_per_um"), (to_per_um, "to_per_um"))
    ]
    both = sum_shells(first, second, window, doing=_DOING)
    if truth is None:
        if both.correlation.min() > SAME:
            raise ValueError(
                f"Cannot {_DOING}: both are the same image, up to contrast. Noise must be independent: "
                "reconstruct the odd and the even projections apart."
            )
        squared, seen, weight = _against_interfaces(both, first.ndim)
        start = limits[0] if limits[0] is not None else float(both.frequency[_top(squared, seen)])
    else:
        check_twice(first, truth, window, doing=_DOING)
        check_same_grid(first, truth, doing=_DOING)
        squared, seen, weight = _against_truth(first, second, truth, window)
        start = limits[0] if limits[0] is not None else 0.0
    frequency = both.frequency
    lost = frequency[(frequency > start) & ((seen < _SEEN) | (squared <= 0))]
    end = limits[1] if limits[1] is not None else float(lost[0]) if lost.size else np.inf
    used = (frequency >= start) & (frequency < end) & (squared > 0)
    if used.sum() < _FEWEST_SHELLS:
        raise ValueError(
            f"Cannot {_DOING}: {int(used.sum())} shells lie between {start:.3g} and {end:.3g} per µm, where "
            f"the correlation falls below {_SEEN}, and {_FEWEST_SHELLS} or more are needed. Take a larger "
            "crop, less noisy images, or another from_per_um."
        )
    slope, error, fit = _line(frequency, squared, weight, used)
    steep = 0.0 if truth is not None else abs(_line(frequency, frequency, weight, used)[0])
    if slope <= 0:
        raise ValueError(
            f"Cannot {_DOING}: it falls no faster with frequency than the object does, so there is no width "
            "to be seen. Pass the object as truth=, or another from_per_um; for a bound see "
            "ct.measure.edge_resolution()."
        )
    ends = float(frequency[used][0]), float(frequency[used][-1])
    if slope < 2 * _UNSURE_POWER * steep:
        raise ValueError(
            f"Cannot {_DOING}: from {ends[0]:.3g} to {ends[1]:.3g} per µm what both images share falls so "
            f"little that an object whose power is off by a factor f^{_UNSURE_POWER:g} explains "
            f"{_UNSURE_POWER * steep / slope:.0%} of it. Take images of less noise, which show higher "
            "frequencies, pass the object as truth=, or see ct.measure.edge_resolution()."
        )
    wide = float(stats.t.ppf((1 + level) / 2, int(used.sum()) - 2)) * error + _UNSURE_POWER * steep
    width, low, high = (
        float(FWHM / (2 * np.pi) * np.sqrt(max(s, 0.0))) for s in (slope, slope - wide, slope + wide)
    )
    table = pd.DataFrame({"frequency_per_um": frequency, "independent": both.independent})
    table["correlation"], table["transfer_squared"], table["fit"], table["used"] = (
        *(both.correlation, squared, fit, used),
    )
    return TransferResolution(width, low, high, float(level), *ends, truth is not None, table)


def _against_interfaces(both: Shells, ndim: int) -> tuple[Floats, Floats, Floats]:
    """Return what the images share over the power of sharp interfaces, its correlation, and weights."""
    squared = both.cross * both.frequency ** (ndim + 1)
    seen = both.correlation
    # The object's own power scatters from voxel to voxel of a shell, and the noise comes on top.
    return np.asarray(squared / np.abs(squared).max()), seen, both.independent * seen**2 / (1 + seen**2)


def _against_truth(
    first: xr.DataArray, second: xr.DataArray, truth: xr.DataArray, window: Window
) -> tuple[Floats, Floats, Floats]:
    """Return the squared transfer from the object to the images, its correlation, and weights."""
    parts: list[Any] = [sum_shells(image, truth, window, doing=_DOING) for image in (first, second)]
    if max(part.correlation.min() for part in parts) > SAME:
        raise ValueError(
            f"Cannot {_DOING}: the truth is one of the images, up to contrast. Pass the object itself, as a "
            "digital twin knows it, or leave truth= out."
        )
    transfer = sum(part.cross for part in parts) / (2 * parts[0].second)
    seen = np.asarray(sum(part.correlation for part in parts) / 2)
    weight = parts[0].independent * seen**2 / np.maximum(1 - seen**2, 1e-6)
    return np.where(transfer > 0, transfer**2, 0.0), seen, weight


def _top(squared: Floats, seen: Floats) -> int:
    """Return the shell after which the fall begins, among those that are seen without a gap."""
    lost = np.flatnonzero((seen < _SEEN) & (np.arange(seen.size) > seen.argmax()))
    return int(squared[: lost[0] if lost.size else None].argmax())


def _line(frequency: Floats, squared: Floats, weight: Floats, used: Any) -> tuple[float, float, Floats]:
    """Return slope 4 π² s², its standard error from the scatter, and the fitted line at every shell."""
    root = np.sqrt(weight[used])[:, None]
    design = np.column_stack([np.ones(frequency.size), -(frequency**2)])
    columns, values = design[used] * root, np.log(squared[used]) * root[:, 0]
    found = np.linalg.lstsq(columns, values, rcond=None)[0]
    rest = values - columns @ found
    covariance = np.linalg.inv(columns.T @ columns) * (rest @ rest) / (rest.size - 2)
    return float(found[1]), float(np.sqrt(covariance[1, 1])), np.asarray(np.exp(design @ found))
