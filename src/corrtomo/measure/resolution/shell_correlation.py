"""Up to which frequency two images of the same thing agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
import xarray as xr
from scipy import stats

from ..spectra import check_level
from .shells import SAME, Floats, Shells, Window, check_twice, sum_shells

Criterion = Literal["half-bit", "one-bit", "1/7", "1/2", "3-sigma"]
_DOING = "correlate shells"
_CLOSE_TO_ONE = 0.9


@dataclass(frozen=True, eq=False)
class ShellCorrelation:
    """The resolution at which two images stop to agree, as :func:`fourier_shell_correlation` finds it.

    Attributes
    ----------
    resolution_um, low_um, high_um : float
        One over the frequency at which the correlation falls below the threshold, and the ends of its
        interval.
    level : float
        Confidence of the interval.
    criterion, window : str
        As asked for.
    bound : bool
        True if the correlation stays above the threshold: the resolution is at most two voxels.
    table : pandas.DataFrame
        A row for each shell: ``frequency_per_um``, ``voxels``, ``independent`` ones, ``correlation``, ``low``
        and ``high`` of its interval, and the thresholds ``half_bit``, ``one_bit``, ``one_seventh``, ``half``
        and ``three_sigma``.
    """

    resolution_um: float
    low_um: float
    high_um: float
    level: float
    criterion: str
    window: str
    bound: bool
    table: pd.DataFrame

    def __repr__(self) -> str:
        least = "at most " if self.bound else ""
        return (
            f"ShellCorrelation({least}{self.resolution_um:.3f} µm, {self.low_um:.3f} to {self.high_um:.3f} "
            f"at {self.level:.0%}; criterion {self.criterion}, window {self.window})"
        )


_COLUMN_OF: dict[Criterion, str] = {
    "half-bit": "half_bit",
    "one-bit": "one_bit",
    "1/7": "one_seventh",
    "1/2": "half",
    "3-sigma": "three_sigma",
}


def fourier_shell_correlation(
    first: xr.DataArray,
    second: xr.DataArray,
    *,
    criterion: Criterion = "half-bit",
    window: Window = "hann",
    level: float = 0.95,
) -> ShellCorrelation:
    """Find up to which spatial frequency two independent images of the same sample agree.

    A second opinion to :func:`edge_resolution`, from the whole image and not its edge: reconstruct the odd
    and the even projections apart. What both show alike is signal, the rest is noise.

    Parameters
    ----------
    first, second : xarray.DataArray
        Grey values on one grid, dims y, x (rings) or z, y, x (shells), 16 voxels or more along each axis;
        voxels need not be cubes.
    criterion : {"half-bit", "one-bit", "1/7", "1/2", "3-sigma"}
        Threshold that the correlation must not fall below. "half-bit" and "one-bit": information a voxel of
        the sum of both images; "1/7", 0.143: where that sum correlates by a half with the truth; "3-sigma":
        what noise alone hardly reaches.
    window : {"hann", "tapered", "none"}
        What images are multiplied with. "tapered" rises and falls over a quarter of each axis.
    level : float
        Confidence of the interval, between 0 and 1.

    Returns
    -------
    ShellCorrelation
        The resolution in µm with its interval, and the table of shells.

    Raises
    ------
    ValueError
        If grids differ, an image is too small or has no structure, voxels are so long along one axis that no
        shell is left, both are the same image, or they do not agree at any frequency.

    Notes
    -----
    It measures where signal sinks into noise, not how wide the point spread is: more projections or a
    longer exposure move it, and a sharpening filter, which acts on both alike, does not. A wide
    point spread shows only as the frequency from which its transfer is below the noise; for the spread
    itself see :func:`transfer_resolution`. Whatever both images share counts as signal: rings, the mask of
    the reconstructed circle, a common flat field. Each half has half of the dose: the correlation of the
    full image with itself would be 2 c / (1 + c).

    Shells are as wide as the coarsest step of frequency, and end at the coarsest voxels' limit. "none" lets
    borders that do not match leak along the axes into all frequencies, where both images agree, so that the
    resolution seems too good. "hann" leaves a quarter of the independent voxels of a slice and an eighth of
    those of a volume, for which the thresholds and the interval (Fisher's z) are corrected, and blurs the
    spectrum by two steps: a sharp cut-off is found two steps too late, 10 % for one at 20 steps. Where a
    criterion asks for 0.9 or more, in shells of a few voxels, nothing is looked for. Too good as well:
    images that were smoothed or interpolated together.

    A curve can cross the threshold more than once: an object with little power at one frequency dips there,
    and noise comes back over it. Of all crossings that one counts that has the most shells on its right side,
    above before it and below after it; of two alike, the finer. The first crossing ends at every dip, and the
    last one at every shell of noise. Streaks that differ between halves of few projections are no dip: there
    the images do disagree.

    References
    ----------
    Van Heel and Schatz, J. Struct. Biol. 151, 250 (2005), doi:10.1016/j.jsb.2005.05.009. Rosenthal and
    Henderson, J. Mol. Biol. 333, 721 (2003), doi:10.1016/j.jmb.2003.07.013.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import ndimage
    >>> import corrtomo as ct
    >>> rng = np.random.default_rng(0)
    >>> truth = ndimage.gaussian_filter(rng.normal(size=(64, 64)), 2.0)
    >>> odd, even = (ct.volume(truth + 0.01 * rng.normal(size=(64, 64)), 0.05) for _ in range(2))
    >>> 0.15 < ct.measure.fourier_shell_correlation(odd, even).resolution_um < 0.25
    True
    """
    check_twice(first, second, window, doing=_DOING)
    check_level(level, doing=_DOING)
    if criterion not in get_args(Criterion):
        raise ValueError(
            f"Cannot {_DOING} by criterion {criterion!r}: known are {', '.join(get_args(Criterion))}. "
            "Leave it out for 'half-bit'."
        )
    shells = sum_shells(first, second, window, doing=_DOING)
    if shells.correlation.min() > SAME:
        raise ValueError(
            f"Cannot {_DOING}: both are the same image, up to contrast. Noise must be independent: "
            "reconstruct the odd and the even projections apart."
        )
    table = _table(shells, float(level))
    threshold = table[_COLUMN_OF[criterion]].to_numpy()
    # In shells of a few voxels the threshold is close to one, and a single correlation anywhere.
    looked = threshold < _CLOSE_TO_ONE
    above = np.flatnonzero((shells.correlation >= threshold) & looked)
    if not above.size:
        raise ValueError(
            f"Cannot {_DOING}: the two images agree at no frequency, the correlation is at most "
            f"{shells.correlation[looked].max(initial=0):.2f} where {criterion} can be looked for. Check "
            "that both show the same place on the same grid, and that neither is noise alone."
        )
    frequency, fastest, slowest = (
        _crossing(table[name].to_numpy() - threshold, int(above[0]), shells.frequency)
        for name in ("correlation", "high", "low")
    )
    last = float(shells.frequency[-1])
    return ShellCorrelation(
        1 / frequency,
        1 / fastest,
        1 / slowest if slowest == slowest else float("inf"),
        level=float(level),
        criterion=criterion,
        window=window,
        bound=frequency >= last,
        table=table,
    )


def _table(shells: Shells, level: float) -> pd.DataFrame:
    correlation = shells.correlation
    pairs = np.maximum(shells.independent / 2, 1.0)  # a voxel and its mirror image are one
    root = 1 / np.sqrt(np.maximum(shells.independent, 1.0))
    wide = float(stats.norm.ppf((1 + level) / 2)) / np.sqrt(2 * pairs)
    middle = np.arctanh(np.clip(correlation, -SAME, SAME))
    return pd.DataFrame(
        {
            "frequency_per_um": shells.frequency,
            "voxels": shells.voxels.astype(np.int64),
            "independent": shells.independent,
            "correlation": correlation,
            "low": np.tanh(middle - wide),
            "high": np.tanh(middle + wide),
            "half_bit": _bits(0.5, root),
            "one_bit": _bits(1.0, root),
            "one_seventh": np.full(root.size, 1 / 7),
            "half": np.full(root.size, 0.5),
            "three_sigma": np.minimum(3 / np.sqrt(pairs), 1.0),
        }
    )


def _bits(bits: float, root: Floats) -> Floats:
    """Return the correlation of halves whose sum holds so much information a voxel (van Heel and Schatz)."""
    ratio = (2.0**bits - 1) / 2  # signal to noise of a half: the sum has twice as much
    above = ratio + (2 * np.sqrt(ratio) + 1) * root
    return np.asarray(above / (ratio + 1 + 2 * np.sqrt(ratio) * root))


def _crossing(gap: Floats, first: int, frequency: Floats) -> float:
    """Return the frequency at which agreement ends: the crossing with the most shells on its right side.

    From the `first` shell on, those before it are to lie above the threshold and those after it below: one
    that dips, or comes back by chance, is outvoted. NaN if it is below throughout, the last frequency if it
    never falls.
    """
    votes = np.cumsum(np.where(gap[first:] >= 0, 1, -1))
    last = first + int(np.flatnonzero(votes == votes.max())[-1])
    if gap[last] < 0:
        return float("nan")
    if last + 1 == gap.size:
        return float(frequency[-1])
    along = gap[last] / (gap[last] - gap[last + 1])
    return float(frequency[last] + along * (frequency[last + 1] - frequency[last]))
