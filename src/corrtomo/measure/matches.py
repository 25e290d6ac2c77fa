"""Which feature of one image is which of another."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from ..checks import check_same_grid
from ..phases import check_integer


def matches(numbers: xr.DataArray, others: xr.DataArray) -> pd.DataFrame:
    """Find for each numbered feature the one of another image that it shares most voxels with.

    Cracks that were found are compared with the true ones by it, whatever their numbers.

    Parameters
    ----------
    numbers, others : xarray.DataArray
        Whole numbers on one grid, 0 outside, for instance from :func:`crack_labels`.

    Returns
    -------
    pandas.DataFrame
        A row for each feature of `numbers`, by number: ``match``, the number in `others`, 0 where it meets
        none; ``overlap``, the share of its voxels that are of the match.

    Raises
    ------
    TypeError
        If numbers are not integers.
    ValueError
        If grids differ, or a number is negative.

    Examples
    --------
    >>> import corrtomo as ct
    >>> found, true = ct.volume([1, 1, 1, 0, 2], 0.1), ct.volume([0, 7, 7, 7, 0], 0.1)
    >>> ct.measure.matches(found, true).match.tolist()
    [7, 0]
    """
    doing = "match features"
    for image in (numbers, others):
        check_integer(image, doing=doing)
        if int(image.min()) < 0:
            raise ValueError(f"Cannot {doing}: a number is {int(image.min())}. Numbers are from 0 (outside).")
    check_same_grid(numbers, others, doing=doing)
    first, second = np.asarray(numbers.data).ravel(), np.asarray(others.data).ravel()
    pairs = pd.DataFrame({"feature": first[first > 0], "match": second[first > 0]}).astype(np.int64)
    shared = pairs.value_counts(sort=False).rename("overlap").reset_index()
    total = pairs.feature.value_counts()
    # Most voxels first; outside only where nothing else is met.
    shared = shared.assign(meets=shared.match > 0).sort_values(
        ["feature", "meets", "overlap"], ascending=[True, False, False]
    )
    best = shared.drop_duplicates("feature").set_index("feature")
    best["overlap"] = np.where(best.meets, best.overlap / total.loc[best.index], 0.0)
    return best[["match", "overlap"]]
