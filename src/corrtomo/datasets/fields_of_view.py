"""What each instrument of a digital twin shows."""

from __future__ import annotations

import pandas as pd

from ..simulate.fibsem import DETECTORS
from . import xt_fibsem
from .xt_fibsem import BIN, FIBSEM_UM, MEDIUM, PAPER, XRAY_UM


def fields_of_view(name: str = xt_fibsem.NAME) -> pd.DataFrame:
    """List the volumes of a digital twin: voxel, extent and channels of each instrument at each size.

    Parameters
    ----------
    name : str
        The twin.

    Returns
    -------
    pandas.DataFrame
        By instrument and size; columns ``voxel_nm``, ``x_um``, ``y_um``, ``z_um`` and ``channels``.

    Raises
    ------
    ValueError
        If there is no such twin.

    Notes
    -----
    Extents are whole voxels, so they differ from the printed ones by less than one. Sizes are those of the
    X-ray and FIB-SEM paper (Sci. Rep. 6, 30109, "Image Acquisition").

    Examples
    --------
    >>> import corrtomo as ct
    >>> ct.datasets.fields_of_view().loc[("X-ray", "small"), "x_um"].round(1)
    np.float64(28.5)
    """
    if name != xt_fibsem.NAME:
        raise ValueError(
            f"Cannot list the fields of view of {name!r}: the digital twin is {xt_fibsem.NAME!r}. Those of "
            "other images stand in their coordinates."
        )
    small_fibsem = tuple(n // BIN for n in PAPER.fibsem)
    rows = {
        ("X-ray", "small"): (XRAY_UM, PAPER.cuboid, 1),
        ("X-ray", "medium"): (XRAY_UM, MEDIUM, 1),
        ("X-ray", "full"): (XRAY_UM, PAPER.large, 1),
        ("FIB-SEM", "small"): (BIN * FIBSEM_UM, small_fibsem, len(DETECTORS)),
        ("FIB-SEM", "full"): (FIBSEM_UM, PAPER.fibsem, len(DETECTORS)),
    }
    table = {
        key: {"voxel_nm": 1000 * edge}
        | {f"{d}_um": n * edge for d, n in zip("xyz", reversed(shape), strict=True)}
        | {"channels": channels}
        for key, (edge, shape, channels) in rows.items()
    }
    return pd.DataFrame.from_dict(table, orient="index").rename_axis(["instrument", "size"])
