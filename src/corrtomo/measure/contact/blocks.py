"""Contact of one phase with another, block by block: one table from which it follows how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from ...checks import check_length
from ...phases import Phase
from ...volume import voxel_size
from .faces import count_faces
from .pair import check_axes, pair_of

Floats = npt.NDArray[np.float64]
PLACE = "place"
CORNER = ("z_um", "y_um", "x_um")
"""Where the first voxel of a block is."""
_DOING = "count contact in blocks"
_MOST = 1 << 22
_NAMES = (("contact_um2", "surface_um2", "volume_um3"), ("contact_um", "outline_um", "area_um2"))


class Blocks(NamedTuple):
    """What a table of blocks holds."""

    contact: Floats
    every: Floats
    extent: Floats
    places: npt.NDArray[np.int64]


def contact_blocks(
    labels: xr.DataArray,
    *,
    block_um: float,
    axes: str | Sequence[str] = ("y", "x"),
    of: int = Phase.AM,
    touching: int = Phase.CBD,
    ignore: int | Sequence[int] | None = None,
) -> pd.DataFrame:
    """Count the faces of one phase, and those that border another, in each block of a volume.

    The cycling paper calls its comparison semi-quantitative, and warns that "local variations needs to be
    considered" (section 3.1). How much blocks differ is that variation: the volume is read once, and
    intervals, variograms and power follow from this table.

    Parameters
    ----------
    labels : xarray.DataArray
        Codes of :class:`corrtomo.Phase`, 3D or 2D, NumPy or Dask; voxels need not be cubes.
    block_um : float
        Edge of a block in µm, rounded to whole voxels along each axis; wider than the particles.
    axes, of, touching, ignore
        As in :func:`contact_fraction`.

    Returns
    -------
    pandas.DataFrame
        A row for each block: its first voxel ``z_um, y_um, x_um``, its ``volume_um3``, the area of faces in
        contact ``contact_um2`` and of all faces of `of` ``surface_um2``; in 2D ``area_um2``, ``contact_um``
        and ``outline_um``. The sums over blocks are those of the volume.

    Raises
    ------
    TypeError
        If labels are not integer codes of phases, or the edge is no number.
    ValueError
        If the edge is below a voxel or makes too many blocks, or :func:`contact_fraction` would refuse.

    Notes
    -----
    A face between two blocks is in the one of lower coordinates. Blocks at the far border are cut by it, and
    their volume says so; an edge above the size of the volume gives one block along that axis. For several
    places of a sample, name each in a column: ``pd.concat([one.assign(place=1), other.assign(place=2)])``.

    Examples
    --------
    >>> import corrtomo as ct
    >>> labels = ct.volume([[0, 2, 1, 1, 2, 2]] * 2, 0.5)
    >>> table = ct.measure.contact_blocks(labels, block_um=1.5, axes="x")
    >>> table[["y_um", "x_um", "contact_um", "outline_um"]].values.tolist()
    [[0.0, 0.0, 1.0, 2.0], [0.0, 1.5, 1.0, 1.0]]
    """
    pair = pair_of(labels, of, touching, ignore, doing=_DOING)
    along = check_axes(labels, axes, doing=_DOING)
    check_length(block_um, "block_um", doing=_DOING)
    edges = _edges(labels, float(block_um))
    dims = [str(dim) for dim in labels.dims]
    bins = {dim: np.arange(n) // edge for dim, n, edge in zip(dims, labels.shape, edges, strict=True)}
    faces = count_faces(labels, pair, along, bins, doing=_DOING)
    starts = [np.arange(0, n, edge) for n, edge in zip(labels.shape, edges, strict=True)]
    table = pd.DataFrame(
        {
            f"{dim}_um": part.ravel()
            for dim, part in zip(
                dims,
                np.meshgrid(*(labels[d].values[s] for d, s in zip(dims, starts, strict=True)), indexing="ij"),
                strict=True,
            )
        }
    )
    contact, surface, extent = _NAMES[labels.ndim == 2]
    lengths = [size * np.bincount(part) for size, part in zip(voxel_size(labels), bins.values(), strict=True)]
    table[extent] = np.prod(np.meshgrid(*lengths, indexing="ij"), axis=0).ravel()
    table[contact], table[surface] = faces.contact.ravel(), faces.every.ravel()
    return table


def read_blocks(blocks: Any, *, doing: str) -> Blocks:
    """Refuse what is no table of blocks; return those that have a face, and the extent of all."""
    columns = set(getattr(blocks, "columns", ()))
    names = next((some for some in _NAMES if columns.issuperset(some)), None)
    if not isinstance(blocks, pd.DataFrame) or names is None:
        raise TypeError(
            f"Cannot {doing} of a {type(blocks).__name__}: a table of blocks is needed, with columns "
            f"{', '.join(_NAMES[0])}, or in 2D {', '.join(_NAMES[1])}. Make it with "
            "ct.measure.contact_blocks()."
        )
    contact, every, extent = (_numbers(blocks, name, doing=doing) for name in names)
    good = (contact >= 0) & (contact <= every * (1 + 1e-9)) & np.isfinite(every) & (extent > 0)
    if not good.all() or not (every > 0).any():
        raise ValueError(
            f"Cannot {doing}: {int((~good).sum())} of {len(blocks)} blocks have no finite areas, or more "
            f"contact than surface, and {int((every > 0).sum())} have a face. One or more with a face is "
            "needed. Make the table with ct.measure.contact_blocks()."
        )
    places = np.zeros(len(blocks), np.int64)
    if PLACE in columns:
        _refuse_doubled(blocks, PLACE, doing=doing)
        if blocks[PLACE].isna().any():
            raise ValueError(
                f"Cannot {doing}: {int(blocks[PLACE].isna().sum())} blocks have no {PLACE}. Name the "
                f"{PLACE} of each, for instance with table.assign({PLACE}=1)."
            )
        try:
            places = np.asarray(pd.factorize(blocks[PLACE])[0], np.int64)
        except TypeError as error:
            raise TypeError(
                f"Cannot {doing} with {PLACE} {blocks[PLACE].iloc[0]!r}: a name or a number is needed for "
                f"each block. Pass for instance table.assign({PLACE}=1)."
            ) from error
    return Blocks(contact, every, extent, places)


def corners_of(blocks: pd.DataFrame, *, doing: str) -> Floats:
    """Return where blocks are in µm, a column for each axis that is known; refuse what is no place."""
    names = [name for name in CORNER if name in blocks]
    columns = [_numbers(blocks, name, doing=doing) for name in names]
    for name, column in zip(names, columns, strict=True):
        if not np.isfinite(column).all():
            raise ValueError(
                f"Cannot {doing}: where the blocks are is not known, {int((~np.isfinite(column)).sum())} of "
                f"{len(blocks)} have no finite {name}. It is needed in µm. Make the table with "
                "ct.measure.contact_blocks()."
            )
    return np.stack(columns, axis=1) if columns else np.empty((len(blocks), 0))


def check_apart(corners: Floats, places: npt.NDArray[np.int64], *, doing: str) -> None:
    """Refuse two blocks at one place: the same ones twice, or those of several places without a name."""
    # Coordinates carry rounding: what differs by less than a picometre is one position.
    where = np.column_stack([places, np.round(corners, 6)])
    if len(np.unique(where, axis=0)) < len(where):
        raise ValueError(
            f"Cannot {doing}: two blocks are at one place. Name the place of each table in a column, for "
            "instance with table.assign(place=1)."
        )


def _refuse_doubled(blocks: pd.DataFrame, name: str, *, doing: str) -> None:
    if isinstance(blocks[name], pd.DataFrame):
        raise ValueError(
            f"Cannot {doing}: the table has {blocks[name].shape[1]} columns {name}, and one is needed. Make "
            "the table with ct.measure.contact_blocks()."
        )


def _numbers(blocks: pd.DataFrame, name: str, *, doing: str) -> Floats:
    """Return a column as floats; text that looks like numbers is none."""
    _refuse_doubled(blocks, name, doing=doing)
    column = blocks[name]
    kind = getattr(column.dtype, "kind", "O")
    if kind not in "iuf" and not (kind == "O" and all(_is_number(value) for value in column)):
        raise TypeError(
            f"Cannot {doing}: column {name} holds {column.dtype}, and numbers are needed. Make the table "
            "with ct.measure.contact_blocks()."
        )
    return column.to_numpy(float, na_value=np.nan)


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, Real) and not isinstance(value, bool | np.bool_))


def _edges(labels: xr.DataArray, block_um: float) -> list[int]:
    """Return the voxels along each edge of a block."""
    sizes = voxel_size(labels)
    if block_um < max(sizes) * (1 - 1e-6):
        raise ValueError(
            f"Cannot {_DOING} of {block_um:g} µm: that is less than the longest edge of a voxel, "
            f"{max(sizes):g} µm. Take about twice the width of a particle."
        )
    edges = [max(1, round(min(block_um / size, n))) for size, n in zip(sizes, labels.shape, strict=True)]
    blocks = int(np.prod([-(-n // edge) for n, edge in zip(labels.shape, edges, strict=True)]))
    if blocks > _MOST:
        raise ValueError(
            f"Cannot {_DOING} of {block_um:g} µm: there are {blocks}, and {_MOST} at most are held. Raise "
            "block_um: it should be wider than a particle."
        )
    return edges
