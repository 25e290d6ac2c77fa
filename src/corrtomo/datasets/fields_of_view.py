"""What each instrument of a digital twin shows."""

from __future__ import annotations

import pandas as pd

from ..simulate.eds import FIELD_STEP_UM, LINES
from ..simulate.electron_images import DETECTORS as ELECTRON_DETECTORS
from ..simulate.fibsem import DETECTORS
from ..simulate.pillar.electrons import ElementModel
from ..simulate.pillar.sims import CHANNELS, FIELD_PIXELS
from . import cycling, kintsugi, pillar, xt_fibsem
from .xt_fibsem import BIN, FIBSEM_UM, MEDIUM, PAPER, XRAY_UM


def fields_of_view(name: str = xt_fibsem.NAME) -> pd.DataFrame:
    """List the images of a digital twin: voxel, extent and channels of each instrument at each size.

    Parameters
    ----------
    name : {"xt-fibsem", "kintsugi", "cycling-contact", "nanoct-sims"}
        The twin.

    Returns
    -------
    pandas.DataFrame
        By instrument and size (of stacks, cathode and size); columns ``voxel_nm`` (along x), ``x_um``,
        ``y_um``, ``z_um`` (of volumes), ``x`` and ``y`` in pixels, and ``channels``.

    Raises
    ------
    ValueError
        If there is no such twin.

    Notes
    -----
    Extents are whole voxels, so they differ from the printed ones by less than one. Full sizes are those of
    the papers (Sci. Rep. 6, 30109, "Image Acquisition"; J. Electrochem. Soc. 169, 070512, "Imaging").

    Examples
    --------
    >>> import corrtomo as ct
    >>> ct.datasets.fields_of_view().loc[("X-ray", "small"), "x_um"].round(1)
    np.float64(28.5)
    """
    tables = {
        xt_fibsem.NAME: _volumes,
        kintsugi.NAME: _sections,
        cycling.NAME: _stacks,
        pillar.NAME: _pillars,
    }
    if not isinstance(name, str) or name not in tables:
        raise ValueError(
            f"Cannot list the fields of view of {name!r}: the digital twins are {list(tables)}. Those of "
            "other images stand in their coordinates."
        )
    table = {
        key: {"voxel_nm": 1000 * edges[-1]}
        | {f"{d}_um": n * edge for d, n, edge in zip("xyz", shape[::-1], edges[::-1], strict=False)}
        | dict(zip("xy", shape[::-1], strict=False))
        | {"channels": channels}
        for key, (edges, shape, channels) in tables[name]().items()
    }
    return pd.DataFrame.from_dict(table, orient="index").rename_axis(["instrument", "size"])


_Row = tuple[tuple[float, ...], tuple[int, ...], int]


def _volumes() -> dict[tuple[str, str], _Row]:
    small_fibsem = tuple(n // BIN for n in PAPER.fibsem)
    return {
        ("X-ray", "small"): ((XRAY_UM,) * 3, PAPER.cuboid, 1),
        ("X-ray", "medium"): ((XRAY_UM,) * 3, MEDIUM, 1),
        ("X-ray", "full"): ((XRAY_UM,) * 3, PAPER.large, 1),
        ("FIB-SEM", "small"): ((BIN * FIBSEM_UM,) * 3, small_fibsem, len(DETECTORS)),
        ("FIB-SEM", "full"): ((FIBSEM_UM,) * 3, PAPER.fibsem, len(DETECTORS)),
    }


def _sections() -> dict[tuple[str, str], _Row]:
    electrons, rays = len(ELECTRON_DETECTORS), len(LINES)
    rows: dict[tuple[str, str], _Row] = {}
    for size, window in kintsugi.WINDOWS.items():
        rows["SEM", size] = ((kintsugi.PIXEL_UM,) * 2, window.shape, electrons)
        rows["EDS", size] = ((FIELD_STEP_UM,) * 2, window.maps, rays)
    return rows


def _stacks() -> dict[tuple[str, str], _Row]:
    rows: dict[tuple[str, str], _Row] = {}
    for name, cathode in cycling.CATHODES.items():
        edges = (cathode.slice_um, cathode.pixel_um, cathode.pixel_um)
        for size, shape in (("small", cycling.SMALL), ("full", cathode.shape)):
            rows[name, size] = (edges, shape, 1)
    return rows


def _pillars() -> dict[tuple[str, str], _Row]:
    rows: dict[tuple[str, str], _Row] = {}
    elements, isotopes = len(ElementModel().sensitivity), len(CHANNELS)
    for size, setup in pillar.SETUPS.items():
        rows["nanoCT", size] = ((pillar.CT_UM,) * 2, (setup.rows, setup.columns), 1)
        rows["SEM", size] = ((pillar.SE_UM,) * 2, (setup.section,) * 2, 1)
        rows["EDS", size] = ((pillar.EDS_UM,) * 2, (setup.maps,) * 2, elements)
        rows["SIMS", size] = ((setup.field_um / FIELD_PIXELS,) * 2, (FIELD_PIXELS,) * 2, isotopes)
    return rows
