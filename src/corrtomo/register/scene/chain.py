"""The alignment that a chain of alignments makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
import xarray as xr

from ..alignment import Alignment
from ..frames import Floats, inverse, move, named, turn_deg
from ..section_alignment import SectionAlignment
from ..section_pair import tilt_and_turn
from .edges import Step, scale_of
from .error import SceneError
from .grid import Grid, common_points
from .paths import chain_error, compose

_MOST_VOXELS = 1 << 30
KINDS = ("rigid", "similarity", "affine")


@dataclass(frozen=True, eq=False, repr=False)
class ChainedAlignment(Alignment):
    """An alignment of two images through others, as :meth:`Scene.between` composes it.

    Beside what an :class:`Alignment` knows; `metric` is NaN, as nothing was searched for.

    Attributes
    ----------
    path : tuple of str
        The images that it leads through, from the moving one to the fixed one.
    """

    path: tuple[str, ...] = ()

    def inverse(self) -> Self:
        """Return the alignment back along the same path."""
        return replace(super().inverse(), path=self.path[::-1])

    def __repr__(self) -> str:
        return f"ChainedAlignment({_told(self)})"


@dataclass(frozen=True, eq=False, repr=False)
class ChainedSection(SectionAlignment):
    """A :class:`ChainedAlignment` of a section and a volume: it cuts and lays, as the section's own does.

    Depth and tilt are those of the section in the volume; `depth_error_um` is the whole error, of which the
    depth may be all, `tilt_error_deg` what that makes over half the section, and `correlation` and `chance`
    are NaN.
    """

    path: tuple[str, ...] = ()

    def inverse(self) -> Self:
        """Return the alignment back along the same path; depth and tilt stay those in the volume."""
        return replace(super().inverse(), path=self.path[::-1])

    def __repr__(self) -> str:
        tilts = named(self.tilt_deg, unit="°")
        return f"ChainedSection({_told(self)}; section at z {self.depth_um:.4g} µm, tilted about {tilts})"


def _told(found: ChainedAlignment | ChainedSection) -> str:
    return (
        f"{' → '.join(found.path)}; {found.transform}, turned by {found.turn_deg:.2f}°, scaled by "
        f"{found.scale:.4f}; expected error {found.error_um:.4g} µm"
    )


def chained(
    names: tuple[str, str],
    chain: Sequence[Step],
    grids: Mapping[str, Grid],
    known: Mapping[frozenset[str], Alignment],
) -> Alignment:
    """Return the alignment from the first image to the second along a chain."""
    source, target = names
    first, second = grids[source], grids[target]
    matrix = compose(chain)
    path = (source, *(step.target for step in chain))
    parts = [known[frozenset((step.source, step.target))] for step in chain]
    points = common_points(first, second, matrix)
    flat = all(grids[name].flat for name in path)
    own = {
        **_stated(matrix[1:, 1:] if flat else matrix, first, second),
        "error_um": chain_error(chain, points),
        "metric": float("nan"),
        "converged": all(part.converged for part in parts),
        "iterations": sum(part.iterations for part in parts),
        "stop": f"composed of {len(chain)} alignment{'s' if len(chain) != 1 else ''}: {' → '.join(path)}",
        "transform": max((part.transform for part in parts), key=KINDS.index, default="rigid"),
    }
    if first.flat == second.flat:
        return ChainedAlignment(**own, path=path)
    return ChainedSection(**own, **_plane(matrix, own["error_um"], first, second), path=path)


def _stated(matrix: Floats, first: Grid, second: Grid) -> dict[str, Any]:
    """Return what an alignment says of its own matrix."""
    values = np.array(matrix)
    values.flags.writeable = False
    n = len(values) - 1
    shift = move(values, first.middle()[-n:]) - second.middle()[-n:]
    return {
        "matrix": values,
        "turn_deg": float(np.linalg.norm(turn_deg(values))),
        "shift_um": tuple(float(v) for v in shift),
        "scale": scale_of(values),
    }


def _plane(matrix: Floats, error_um: float, first: Grid, second: Grid) -> dict[str, Any]:
    """Return depth and tilt of a section in a volume, whichever way the matrix leads."""
    there, section = (matrix, first) if first.flat else (inverse(matrix), second)
    error = error_um if first.flat else error_um * scale_of(there)
    half = scale_of(there) * float(np.linalg.norm(section.size_um)) / 2
    return {
        "depth_um": float(move(there, section.middle())[0]),
        "depth_error_um": error,
        "tilt_deg": tilt_and_turn(there)[0],
        "tilt_error_deg": float(np.rad2deg(np.arctan2(error, half))),
        "correlation": float("nan"),
        "chance": float("nan"),
        "from_section": first.flat,
    }


def resample(
    found: Alignment,
    image: xr.DataArray,
    names: tuple[str, str],
    grids: tuple[Grid, Grid],
    *,
    fill: float | None,
    labels: bool | None,
) -> xr.DataArray:
    """Bring an image along an alignment onto the grid of another; refuse two planes, and too many voxels."""
    moving, onto = names
    first, second = grids
    if np.prod(second.shape, dtype=float) > _MOST_VOXELS:
        raise ValueError(
            f"Cannot resample {moving!r} onto {onto!r}: {second.shape} voxels are more than memory should "
            "hold. Add a crop of the grid, for instance scene.add('crop', image.isel(z=slice(0, 64)))."
        )
    if first.flat and second.flat and len(found.matrix) == 4:
        found = in_plane(found, moving, onto, first, second)
    return found.resample(image, second.image(), fill=fill, labels=labels)


def in_plane(found: Alignment, moving: str, onto: str, first: Grid, second: Grid) -> Alignment:
    """Return the alignment of two sections, joined through a volume, in their plane; refuse two planes."""
    points: Floats = common_points(first, second, found.matrix)
    apart = float(np.abs(points[:, 0]).max())
    allowed = max(found.error_um, max(*first.voxel_um, *second.voxel_um) / 2)
    if apart > allowed:
        raise SceneError(
            f"Cannot resample {moving!r} onto {onto!r}: the sections lie up to {apart:.4g} µm apart, and "
            f"{allowed:.4g} µm is what the error or half a pixel allows. Resample the volume that "
            f"joins them onto both instead, for instance with scene.resample('nanoCT', onto={onto!r})."
        )
    known: Mapping[str, Any] = {name: getattr(found, name) for name in Alignment.__dataclass_fields__}
    return Alignment(**{**known, "matrix": found.matrix[1:, 1:]})


def as_record(found: Alignment) -> dict[str, Any]:
    """Return what an alignment knows beside its matrix, as plain numbers and words; NaN as None."""
    out: dict[str, Any] = {"kind": "section" if isinstance(found, SectionAlignment) else "image"}
    for field in fields(SectionAlignment if isinstance(found, SectionAlignment) else Alignment):
        value = getattr(found, field.name)
        if field.name != "matrix":
            out[field.name] = _plain(value)
    return out


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    return str(value)
