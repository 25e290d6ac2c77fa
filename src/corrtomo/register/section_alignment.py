"""The alignment of a section: a plane in a volume, and images brought from one to the other."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
import xarray as xr

from ..volume import CHANNEL, SPATIAL, check_image, origin, volume, voxel_size
from .alignment import Alignment, fill_value, takes_nearest
from .frames import Floats, corners, inverse, move, named

_PLANE = SPATIAL[1:]


@dataclass(frozen=True, eq=False)
class SectionAlignment(Alignment):
    """Where a section lies in a volume, as :func:`locate_section` finds it.

    An :class:`Alignment` in 3D: the section lies at z = 0 of its own frame. Beside what that knows:

    Attributes
    ----------
    depth_um : float
        z of the middle of the section in the volume.
    depth_error_um : float
        Its expected error.
    tilt_deg : tuple of float
        Angles by which the section is tilted about y and x of the volume, after its turn in the plane.
    tilt_error_deg : float
        Expected error of the larger of them.
    correlation, chance : float
        Best correlation of the coarse search, and what mirror images of the section reach.
    from_section : bool
        Whether the matrix leads from the section to the volume, or, of an inverse, back.
    """

    depth_um: float
    depth_error_um: float
    tilt_deg: tuple[float, float]
    tilt_error_deg: float
    correlation: float
    chance: float
    from_section: bool = True

    def __repr__(self) -> str:
        return (
            f"Section{super().__repr__()[:-1]}; section at z {self.depth_um:.3f} ± {self.depth_error_um:.3f} "
            f"µm, tilted about {named(self.tilt_deg, unit='°')} ± {self.tilt_error_deg:.2f}°; "
            f"correlation {self.correlation:.2f}, mirror images {self.chance:.2f})"
        )

    def inverse(self) -> Self:
        """Return the alignment from the volume to the section; depth and tilt stay those in the volume."""
        return replace(super().inverse(), from_section=not self.from_section)

    def resample(
        self,
        image: xr.DataArray,
        onto: xr.DataArray,
        *,
        fill: float | None = None,
        labels: bool | None = None,
    ) -> xr.DataArray:
        """Cut a volume along the section, or lay the section into the volume.

        The dims say which: an alignment and its inverse do the same.

        Parameters
        ----------
        image : xarray.DataArray
            In the frame of the volume (dims z, y, x) or of the section (dims y, x), with channels or without.
        onto : xarray.DataArray
            Any image on the wanted grid, in the other frame; only its coordinates are used.
        fill, labels
            As in :meth:`Alignment.resample`.

        Returns
        -------
        xarray.DataArray
            On the grid of `onto`, as :meth:`Alignment.resample` has it. A section in a volume takes, of the
            voxels along the axis that its normal is nearest to, those whose centre lies within half a voxel
            of the plane: a sheet one voxel thick. All others hold `fill`.

        Raises
        ------
        ValueError
            If not one of both is a section and the other a volume.

        Notes
        -----
        A virtual section has no thickness: along its normal the volume is interpolated, not averaged, however
        large the pixels of the section are.
        """
        dims = [tuple(check_image(what)) for what in (image, onto)]
        if sorted(dims, key=len) != [_PLANE, SPATIAL]:
            raise ValueError(
                f"Cannot resample an image with dims {image.dims} onto one with dims {onto.dims} by the "
                "alignment of a section: one must have dims y, x and the other z, y, x. Align images of the "
                "same dims with ct.register.align()."
            )
        grid = onto.isel({CHANNEL: 0}, drop=True) if CHANNEL in onto.dims else onto
        if dims[0] == _PLANE:
            return self._lay(image, grid, fill, labels)
        return self._cut(image, grid, fill, labels)

    def _to_volume(self) -> Floats:
        return self.matrix if self.from_section else inverse(self.matrix)

    def _cut(self, image: xr.DataArray, section: xr.DataArray, fill: Any, labels: Any) -> xr.DataArray:
        """Sample a volume at the pixels of a section; only what lies around it is read."""
        there = self._to_volume()
        plane = as_slice(section, min(voxel_size(image)))
        near = image.isel(_around(plane, image, there))
        out = self._plain(inverse(there)).resample(near, plane, fill=fill, labels=labels)
        return out.isel(z=0, drop=True).assign_coords({d: section[d] for d in _PLANE})

    def _lay(self, image: xr.DataArray, grid: xr.DataArray, fill: Any, labels: Any) -> xr.DataArray:
        """Write a section into the voxels of a volume that it passes through; the others are not visited."""
        there = self._to_volume()
        thick = float((np.abs(inverse(there)[0, :3]) * voxel_size(grid)).max())
        plane = as_slice(image, thick)
        box = _around(plane, grid, there)
        part = self._plain(there).resample(plane, grid.isel(box), fill=fill, labels=labels)
        sides = [(0, 0)] * (part.ndim - 3) + [
            (box[d].start, n - box[d].stop) for d, n in zip(SPATIAL, grid.shape, strict=True)
        ]
        value = fill_value(image, fill, takes_nearest(image, labels))
        whole = np.pad(part.data, sides, constant_values=value)
        coords = {d: grid[d] for d in SPATIAL} | {c: part[c] for c in part.coords if c == CHANNEL}
        return xr.DataArray(whole, dims=part.dims, coords=coords, attrs=part.attrs, name=part.name)

    def _plain(self, matrix: Floats) -> Alignment:
        known = {field.name: getattr(self, field.name) for field in fields(Alignment)}
        return Alignment(**(known | {"matrix": matrix}))


def as_slice(section: xr.DataArray, thick_um: float) -> xr.DataArray:
    """Make a section a volume of one slice at z = 0."""
    start = [0.0, *origin(section)]
    dims = [str(d) for d in section.dims if d == CHANNEL] + list(SPATIAL)
    out = volume(section.data[..., None, :, :], (thick_um, *voxel_size(section)), origin=start, dims=dims)
    out.attrs = dict(section.attrs)
    return out.assign_coords({CHANNEL: section[CHANNEL]} if CHANNEL in section.coords else {}).rename(
        section.name
    )


def _around(plane: xr.DataArray, image: xr.DataArray, there: Floats) -> dict[str, slice]:
    """Return the part of an image that holds a plane, with a margin; one voxel where it holds nothing."""
    half, edge = np.array(voxel_size(plane)) / 2, np.array(voxel_size(image))
    low = np.array(origin(plane))
    high = low + (np.array([plane.sizes[d] for d in SPATIAL]) - 1) * voxel_size(plane)
    ends = (move(there, corners(low - half, high + half)) - origin(image)) / edge
    margin = 2 + np.ceil(2 * half.max() / edge)
    sizes = [image.sizes[d] for d in SPATIAL]
    first = np.clip(np.floor(ends.min(axis=0)) - margin, 0, np.array(sizes) - 1).astype(int)
    last = np.clip(np.ceil(ends.max(axis=0)) + margin, first, np.array(sizes) - 1).astype(int)
    return {d: slice(int(a), int(b) + 1) for d, a, b in zip(SPATIAL, first, last, strict=True)}
