"""Where a ray runs: the axis of rotation, the source, the detector, and the grid of the volume.

The axis is parallel to z. A voxel at (y, x) from the axis is, at turn θ, at u = x cos θ + y sin θ across the
beam and w = y cos θ − x sin θ towards the source. Projections are stated at the axis: a source `source_um`
away magnifies by m = source_um / (source_um − w), and a parallel beam is one with m = 1. Rows of the detector
and rows of the volume are the same, so all rows of a voxel's column share u and m, and along z a ray's height
is linear in m. The kernels therefore work column by column, with z as the innermost axis.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from ..checks import check_length, is_finite
from ..volume import volume
from .projections import check_angles, check_projections, check_source
from .tables import check_columns

Floats = npt.NDArray[np.float64]
_MOST_BYTES = 4e9
_MOST = 1e9
"""Line integral beyond which it is none: single precision would not hold sums of squares."""
_APART_DEG = 1e-3
"""Degrees by which the angles of a table may differ from those that are given."""


class Beam(NamedTuple):
    """Rays as the kernels read them; positions on the detector are in columns and rows, from 0."""

    cos: Floats
    sin: Floats
    axis: Floats
    """Column that the axis is projected to, by projection."""
    shift: Floats
    """Rows by which the image is shifted, by projection."""
    per_um: float
    """Columns in a µm."""
    row_um: float
    bend: float
    """1 / distance from the source to the axis in 1/µm; 0 in a parallel beam."""
    source: float
    """Row at the height of the source."""


class Grid(NamedTuple):
    """Voxels as the kernels read them: positions from the axis in µm; what is beyond the radius is empty."""

    y: float
    x: float
    edge: float
    radius: float
    row: float
    """Row of the detector at the first row of the volume."""


@dataclass(frozen=True)
class Geometry:
    """A scan: rays, and what the detector saw.

    Attributes
    ----------
    angles_deg : numpy.ndarray
        Turn at each projection.
    beam : Beam
        Rays, for the kernels.
    columns, rows : int
        Pixels of the detector along x and z.
    z_um : float
        Height of the first row.
    """

    angles_deg: Floats
    beam: Beam
    columns: int
    rows: int
    z_um: float
    centre_um: float
    source_um: float | None

    @property
    def pixel_um(self) -> float:
        """Edge of a pixel along x."""
        return 1.0 / self.beam.per_um

    @property
    def radius_um(self) -> float:
        """Radius around the axis of what all projections see."""
        left, right = self.beam.axis.min() + 0.5, self.columns - 0.5 - self.beam.axis.max()
        half = min(left, right) * self.pixel_um
        return float(half / np.hypot(1.0, half * self.beam.bend))

    def some(self, chosen: Any) -> Beam:
        """Return the rays of some projections."""
        beam = self.beam
        return beam._replace(
            cos=beam.cos[chosen], sin=beam.sin[chosen], axis=beam.axis[chosen], shift=beam.shift[chosen]
        )


def geometry_of(
    projections: Any,
    angles_deg: Any,
    centre_um: Any,
    source_um: Any,
    source_z_um: Any,
    drift: Any,
    *,
    doing: str,
) -> Geometry:
    """Refuse a scan that makes no sense; return its geometry."""
    row_um, pixel_um = check_projections(projections, doing=doing)
    count, rows, columns = projections.shape
    angles = check_angles(angles_deg, count, doing=doing)
    if columns < 2:
        raise ValueError(
            f"Cannot {doing} from projections of shape {projections.shape}: they are {columns} pixel wide, "
            "but 2 or more along x are needed. Pass projections with dims angle, z, x."
        )
    first, last = (float(projections["x"][k]) for k in (0, -1))
    centre = _centre(centre_um, first, last, doing)
    source = check_source(source_um, projections, doing=doing)
    z_um = float(projections["z"][0])
    height = _height(source_z_um, source, z_um + (rows - 1) / 2 * row_um, doing)
    shift_z, shift_x = _shifts(drift, angles, (columns * pixel_um, rows * row_um), doing)
    turn = np.deg2rad(angles)
    beam = Beam(
        cos=np.cos(turn),
        sin=np.sin(turn),
        axis=(centre - first + shift_x) / pixel_um,
        shift=shift_z / row_um,
        per_um=1.0 / pixel_um,
        row_um=row_um,
        bend=0.0 if source is None else 1.0 / source,
        source=(height - z_um) / row_um,
    )
    return Geometry(angles, beam, columns, rows, z_um, centre, source)


def grid_of(
    geometry: Geometry, width_um: Any, voxel_um: Any, *, doing: str
) -> tuple[Grid, tuple[int, int, int]]:
    """Return a square grid around the axis, and its number of voxels along z, y, x."""
    radius = geometry.radius_um
    edge = geometry.pixel_um if voxel_um is None else _length(voxel_um, "voxel_um", doing)
    width = 2.0 * radius if width_um is None else _length(width_um, "width_um", doing)
    if radius <= 0 or width > 2.0 * radius * (1 + 1e-6) + edge:
        raise ValueError(
            f"Cannot {doing} over {width:.4g} µm: all projections see {max(2 * radius, 0.0):.4g} µm around "
            f"the axis at {geometry.centre_um:.4g} µm. Give a width_um up to that, or another centre_um, "
            "from ct.reconstruct.centre_of_rotation()."
        )
    if width < edge:
        raise ValueError(
            f"Cannot {doing} over {width:.4g} µm with voxels of {edge:.4g} µm: not one fits. Give a larger "
            "width_um, or a smaller voxel_um."
        )
    n = float(np.ceil(width / edge - 1e-6))
    check_bytes(n * n * geometry.rows, doing=doing, what=f"{geometry.rows} × {n:.0f} × {n:.0f} voxels")
    start = -(n - 1) / 2 * edge
    return Grid(start, start, edge, radius, 0.0), (geometry.rows, int(n), int(n))


def check_integrals(projections: xr.DataArray, *, doing: str) -> None:
    """Refuse counts, which are whole numbers."""
    if projections.dtype.kind != "f":
        raise TypeError(
            f"Cannot {doing} from projections of dtype {projections.dtype}: they are counts, and line "
            "integrals are needed. Make them with ct.reconstruct.attenuation(counts, flat, dark)."
        )


def check_size(some: npt.NDArray[Any], first: int, *, doing: str) -> None:
    """Refuse line integrals of some projections, from number `first` on, that no sample has."""
    most = np.abs(some).max(axis=(1, 2), initial=0).astype(np.float64)  # half precision ends before the limit
    if most.max(initial=0) > _MOST:
        k = int(np.argmax(most))
        raise ValueError(
            f"Cannot {doing}: projection {first + k} holds a line integral of {float(most[k]):.3g}, and up "
            f"to {_MOST:g} is allowed. Make them with ct.reconstruct.attenuation(counts, flat, dark)."
        )


def check_bytes(count: float, *, doing: str, what: str) -> None:
    """Refuse what would not fit into the memory of a usual machine."""
    if 4.0 * count > _MOST_BYTES:
        raise ValueError(
            f"Cannot {doing} with {what}: they need {4e-9 * count:.3g} GB, and {1e-9 * _MOST_BYTES:.0f} GB "
            "at most are allowed. Work on a part of the rows, for instance projections.isel(z=slice(0, "
            "200)), on a smaller width_um, or with a larger voxel_um."
        )


def as_volume(values: npt.NDArray[np.float32], geometry: Geometry, grid: Grid, **notes: Any) -> xr.DataArray:
    """Give a volume its coordinates, and note how it was made."""
    row_um = geometry.beam.row_um
    out = volume(
        values,
        (row_um, grid.edge, grid.edge),
        origin=(geometry.z_um, grid.y, grid.x),
        name="attenuation coefficient",
    )
    out.attrs = {"units": "1/µm", "centre_um": geometry.centre_um, **notes}
    if geometry.source_um is not None:
        out.attrs["source_um"] = geometry.source_um
    return out


def _centre(centre_um: Any, first: float, last: float, doing: str) -> float:
    if centre_um is None:
        return (first + last) / 2
    if not _is_number(centre_um):
        raise TypeError(
            f"Cannot {doing} with centre_um {centre_um!r}: a position along x in µm is needed. Pass for "
            "instance ct.reconstruct.centre_of_rotation(projections, angles_deg).x_um."
        )
    if not is_finite(centre_um) or not first < float(centre_um) < last:
        raise ValueError(
            f"Cannot {doing} with centre_um={centre_um!r}: the axis must be in view, and projections reach "
            f"from {first:.4g} to {last:.4g} µm along x. Find it with ct.reconstruct.centre_of_rotation()."
        )
    return float(centre_um)


def _height(source_z_um: Any, source: float | None, middle: float, doing: str) -> float:
    if source_z_um is None:
        return middle
    if source is None:
        raise ValueError(
            f"Cannot {doing} with source_z_um={source_z_um!r} and no source_um: a parallel beam has no "
            "source. Give its distance from the axis in µm as well, or leave out both."
        )
    if not (_is_number(source_z_um) and is_finite(source_z_um)):
        raise TypeError(
            f"Cannot {doing} with source_z_um {source_z_um!r}: a height in µm is needed. Leave it out for a "
            "source at the middle of the rows."
        )
    if abs(float(source_z_um) - middle) > source:
        raise ValueError(
            f"Cannot {doing} with source_z_um={source_z_um!r}: the rows have their middle at {middle:.4g} "
            f"µm, and from a source {source:g} µm away rays would run at more than 45 degrees to the plane "
            "of rotation. State the height of the source in µm, in the z of the projections."
        )
    return float(source_z_um)


def _shifts(drift: Any, angles: Floats, view: tuple[float, float], doing: str) -> tuple[Floats, Floats]:
    """Return the shifts of each projection along z and x in µm."""
    if drift is None:
        return np.zeros(len(angles)), np.zeros(len(angles))
    if not isinstance(drift, pd.DataFrame):
        raise TypeError(
            f"Cannot {doing} with a drift of type {type(drift).__name__}: a pandas.DataFrame with columns "
            "z_um, x_um and one row a projection is needed, from ct.reconstruct.drift_from_projections()."
        )
    check_columns(
        drift,
        ("angle_deg", "z_um", "x_um") if "angle_deg" in drift else ("z_um", "x_um"),
        doing=f"{doing} with this drift",
        advice="Make it with ct.reconstruct.drift_from_projections().",
    )
    if len(drift) != len(angles):
        raise ValueError(
            f"Cannot {doing} with this drift: {len(drift)} rows for {len(angles)} projections. One row for "
            "each is needed, in their order."
        )
    if "angle_deg" in drift:
        apart = np.abs(drift["angle_deg"].to_numpy(float) - angles)
        if not (apart <= _APART_DEG).all():
            raise ValueError(
                f"Cannot {doing} with this drift: its angle_deg differs from angles_deg, by "
                f"{apart.max():.4g} degrees. Bring its rows into the order of the projections."
            )
    z, x = drift["z_um"].to_numpy(float), drift["x_um"].to_numpy(float)
    if np.abs(x).max() >= view[0] / 2 or np.abs(z).max() >= max(view[1], view[0]):
        raise ValueError(
            f"Cannot {doing} with this drift: shifts of up to {np.abs(x).max():.4g} µm along x and "
            f"{np.abs(z).max():.4g} µm along z lead out of projections of {view[1]:.4g} × {view[0]:.4g} µm. "
            "Shifts are in µm at the axis."
        )
    return z, x


def _length(value: Any, what: str, doing: str) -> float:
    check_length(value, what, doing=doing)
    return float(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool | np.bool_)
