"""X-ray counts of elements, phase by phase, with exact intervals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from ..blocks import blocks
from ..checks import check_same_grid
from ..phases import Phase, check_integer
from ..volume import CHANNEL, check_image
from .garwood import garwood
from .histogram import CODES, as_codes
from .options import check_named, check_total

Floats = npt.NDArray[np.float64]


def phase_spectra(
    counts: xr.DataArray,
    labels: xr.DataArray,
    *,
    names: Mapping[int, str] | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Count the X-rays of each element in each segmented phase.

    The kintsugi paper validates its segmentation by EDS: nickel marks particles, aluminium the collector,
    platinum the pores, carbon and fluorine the binder (J. Electrochem. Soc. 169, 070512, "Results and
    Discussion" and Fig. 3).

    Parameters
    ----------
    counts : xarray.DataArray
        Whole numbers, dims channel, [z,] y, x, the channels named by element; NumPy or Dask.
    labels : xarray.DataArray
        Codes of :class:`corrtomo.Phase`, or of classes that `names` names, on the same grid.
    names : mapping of int to str, optional
        What the codes are, where they are not those of :class:`corrtomo.Phase`; by default as
        ``labels.attrs["classes"]`` names them, if it does.
    level : float
        Confidence of the intervals, between 0 and 1.

    Returns
    -------
    pandas.DataFrame
        A row for each phase that occurs and each element: ``phase``, ``element``, ``pixels``, ``counts``,
        ``counts_per_pixel`` and the ends ``low`` and ``high`` of its interval. Left-out pixels (255) have
        none; their number is in ``.attrs["left_out_pixels"]``.

    Raises
    ------
    TypeError
        If counts are not integers.
    ValueError
        If grids differ, counts are negative or sum to more than 2⁵³, channels have no names, a code has no
        name (of a mask both need one), or every pixel is left out.

    Notes
    -----
    The interval is Garwood's, exact for a Poisson count, divided by the pixels. It knows the noise of
    counting only: not that one particle differs from the next, nor that X-rays come from a pear of half a
    micrometre or more, so that pixels near an interface count the neighbour's element. Counts per pixel
    compare between phases for one element; between elements they depend on energy and detector.

    References
    ----------
    Garwood, Biometrika 28, 437 (1936), doi:10.1093/biomet/28.3-4.437.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> maps = ct.volume(np.array([[[4, 0, 1]]]), 0.054, dims=("channel", "y", "x"))
    >>> table = ct.measure.phase_spectra(
    ...     maps.assign_coords(channel=["Ni"]), ct.volume([[2, 2, 1]], 0.054)
    ... )
    >>> table[["phase", "counts_per_pixel"]].values.tolist()
    [['carbon binder domain', 1.0], ['active material', 2.0]]
    """
    return count_by_phase(counts, labels, names, level, doing="count X-rays by phase")


def count_by_phase(
    counts: xr.DataArray, labels: xr.DataArray, names: Mapping[int, str] | None, level: float, *, doing: str
) -> pd.DataFrame:
    """Return the table of :func:`phase_spectra`, of X-rays or of what else is counted, as `doing` says."""
    elements = check_counts(counts, labels, doing=doing)
    check_level(level, doing=doing)
    pixels = np.zeros(CODES, np.int64)
    sums = np.zeros((len(elements), CODES))
    for codes, *maps in walk(counts, labels, elements, doing=doing):
        pixels += np.bincount(codes, minlength=CODES)
        for total, values in zip(sums, maps, strict=True):
            total += np.bincount(codes, values, CODES)
    check_total(float(sums.sum()), doing=doing)
    kept = [int(code) for code in np.flatnonzero(pixels) if code != Phase.LEFT_OUT]
    if not kept:
        raise ValueError(
            f"Cannot {doing}: all {int(pixels.sum())} pixels are left out (255). One or more must be left. "
            "Check the crop."
        )
    words = _words(kept, labels, names, doing=doing)
    found = np.rint(sums[:, kept]).astype(np.int64)
    low, high = garwood(found.T, level)
    size = pixels[kept][:, None]
    table = pd.DataFrame(
        {
            "phase": np.repeat(words, len(elements)),
            "element": np.tile(elements, len(kept)),
            "pixels": np.repeat(pixels[kept], len(elements)),
            "counts": found.T.ravel(),
            "counts_per_pixel": (found.T / size).ravel(),
            "low": (low / size).ravel(),
            "high": (high / size).ravel(),
        }
    )
    table.attrs["left_out_pixels"] = int(pixels[Phase.LEFT_OUT])
    return table


def walk(
    counts: xr.DataArray, labels: xr.DataArray, elements: Sequence[str], *others: xr.DataArray, doing: str
) -> Iterator[tuple[npt.NDArray[Any], ...]]:
    """Walk through codes, the maps of some elements, and other images together."""
    names = _channels(counts)
    maps = [counts.isel(channel=names.index(element), drop=True) for element in elements]
    for codes, *values in blocks(labels, *maps, *others):
        for each in values[: len(maps)]:
            if each.size and each.min() < 0:
                raise ValueError(
                    f"Cannot {doing}: a count is {each.min()}. Counts are whole numbers from 0. Take maps "
                    "before a background was subtracted."
                )
        yield as_codes(codes), *values


def _channels(counts: xr.DataArray) -> list[str]:
    return [str(name) for name in counts[CHANNEL].values]


def check_counts(counts: xr.DataArray, labels: xr.DataArray, *, doing: str) -> list[str]:
    """Refuse maps that are not whole counts on the grid of the labels; return the elements."""
    check_image(counts)
    if CHANNEL not in counts.dims or CHANNEL not in counts.coords:
        raise ValueError(
            f"Cannot {doing}: the maps have dims {counts.dims}, and elements are named along channel. Stack "
            "them first, with counts.assign_coords(channel=['Al', 'Ni', ...])."
        )
    if not np.issubdtype(counts.dtype, np.integer):
        raise TypeError(
            f"Cannot {doing}: their dtype is {counts.dtype}, and an exact interval needs whole counts as "
            "integers. Export the maps as counts, not as intensities or percent."
        )
    elements = _channels(counts)
    if len(set(elements)) < len(elements):
        raise ValueError(f"Cannot {doing}: an element occurs twice in {', '.join(elements)}. Name each once.")
    check_integer(labels, doing=doing)
    check_same_grid(counts.isel(channel=0, drop=True), labels, doing=doing)
    return elements


def check_level(level: Any, *, doing: str) -> None:
    """Refuse a confidence that is not between 0 and 1."""
    if isinstance(level, bool) or not isinstance(level, Real) or not 0 < float(level) < 1:
        raise ValueError(
            f"Cannot {doing} at level {level!r}: a number between 0 and 1 is needed. Pass for instance 0.95."
        )


def _words(
    codes: Sequence[int], labels: xr.DataArray, names: Mapping[int, str] | None, *, doing: str
) -> list[str]:
    """Return what each code is called: as given, as the labels name their classes, or as a phase."""
    classes: Mapping[str, int] = labels.attrs.get("classes", {})
    given = check_named({} if names is None else names, "names", doing=doing, like="{0: 'platinum edge'}")
    known = {code: name for name, code in classes.items()} if names is None else given
    if not known and names is None and labels.dtype == bool:
        raise ValueError(
            f"Cannot {doing} of a mask: what True and False stand for is not known. Name them, for instance "
            "with names={0: 'rest', 1: 'particles'}."
        )
    if not known and names is None and labels.attrs.get("phases") != {}:
        return [Phase(code).label for code in codes]
    missing = [code for code in codes if code not in known]
    if missing:
        raise ValueError(
            f"Cannot {doing}: what the codes {missing} are is not known. Name every code, for instance with "
            "names={0: 'platinum edge', 1: 'platinum depth'}."
        )
    return [known[code] for code in codes]
