"""The grid of an image of a scene: where its voxels lie, without the voxels."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import xarray as xr

from ...checks import is_finite
from ...volume import SPATIAL, check_image, origin, volume, voxel_size
from ..frames import Floats, inverse, move

_LATTICE = 9
"""Points along an axis at which two images are compared: corners, and some between them."""
_TOUCH = 1e-9
_MOST = 10**8
FARTHEST_UM = 1e12
"""A thousand km: what is farther is no place in a sample, and its square is lost to rounding."""
_LEAST_UM = 1e-9


@dataclass(frozen=True)
class Grid:
    """Where the voxels of an image lie in its own frame.

    Attributes
    ----------
    dims : tuple of str
        z, y, x of a volume, or y, x of a section, which lies at z = 0 of its own frame.
    shape : tuple of int
        Voxels along each of them.
    voxel_um, origin_um : tuple of float
        Edge length of a voxel, and position of the centre of the first one, in µm.
    """

    dims: tuple[str, ...]
    shape: tuple[int, ...]
    voxel_um: tuple[float, ...]
    origin_um: tuple[float, ...]

    def __post_init__(self) -> None:
        if self.dims not in (SPATIAL, SPATIAL[1:]):
            raise ValueError(
                f"Cannot place an image with dims {self.dims} in a scene: z, y, x or y, x are needed. "
                "Select a slice first, for instance with image.isel(z=0)."
            )

        n = len(self.dims)
        for what in ("shape", "voxel_um", "origin_um"):
            if not isinstance(getattr(self, what), tuple):
                raise TypeError(
                    f"Cannot make a grid with {what} {getattr(self, what)!r}: a tuple of {n} numbers is "
                    "needed. Read it from an image with Grid.of(image)."
                )
        counts = [isinstance(v, int) and not isinstance(v, bool) and 0 < v <= _MOST for v in self.shape]
        if len(counts) != n or not all(counts):
            raise ValueError(
                f"Cannot make a grid of shape {self.shape}: {n} whole numbers from 1 to {_MOST} are needed. "
                "Read it from an image with Grid.of(image)."
            )
        checked: list[tuple[str, tuple[Any, ...], float]] = [
            ("voxel_um", self.voxel_um, _LEAST_UM),
            ("origin_um", self.origin_um, -FARTHEST_UM),
        ]
        for what, values, least in checked:
            real = [isinstance(v, Real) and is_finite(v) and least <= float(v) <= FARTHEST_UM for v in values]
            if len(real) != n or not all(real):
                raise ValueError(
                    f"Cannot make a grid with {what} {values}: {n} finite numbers in µm are needed, a voxel "
                    f"size above zero, from {_LEAST_UM:g} on, none beyond {FARTHEST_UM:g}. Read it from an "
                    "image with Grid.of(image)."
                )

    @classmethod
    def of(cls, image: xr.DataArray) -> Grid:
        """Read the grid of an image, with channels or without; its values are not touched."""
        dims = tuple(check_image(image))
        if dims not in (SPATIAL, SPATIAL[1:]):
            raise ValueError(
                f"Cannot place an image with dims {image.dims} in a scene: z, y, x or y, x are needed. "
                "Select a slice first, for instance with image.isel(z=0)."
            )
        shape = tuple(int(image.sizes[d]) for d in dims)
        return cls(dims, shape, voxel_size(image), origin(image))

    @property
    def flat(self) -> bool:
        """Whether it is that of a section."""
        return len(self.dims) == 2

    @property
    def size_um(self) -> tuple[float, ...]:
        """Edge lengths in µm, from face to face."""
        return tuple(n * v for n, v in zip(self.shape, self.voxel_um, strict=True))

    def image(self) -> xr.DataArray:
        """Return an image of zeros on this grid that takes no memory."""
        nothing = np.broadcast_to(np.uint8(0), self.shape)
        return volume(nothing, self.voxel_um, origin=self.origin_um, dims=self.dims)

    def corners(self) -> Floats:
        """Return the outer corners, (z, y, x) in µm, one a row; z of a section is 0."""
        return self._points(2)

    def lattice(self) -> Floats:
        """Return points from face to face, (z, y, x) in µm, one a row; z of a section is 0."""
        return self._points(_LATTICE)

    def middle(self) -> Floats:
        """Return the middle, (z, y, x) in µm; z of a section is 0."""
        return np.asarray(self.corners().mean(axis=0))

    def holds(self, points: Floats) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Tell which points, (z, y, x) in µm, lie in it; of a section, in front of it or behind it too."""
        ends = self.corners()
        low, high = ends.min(axis=0), ends.max(axis=0)
        touch = _TOUCH * (high - low)
        inside = (points >= low - touch) & (points <= high + touch)
        return np.asarray(inside[:, int(self.flat) :].all(axis=1))

    def same(self, grid: Grid) -> bool:
        """Tell whether two grids are one, to a thousandth of a voxel, as a file may round."""
        if (self.dims, self.shape) != (grid.dims, grid.shape):
            return False
        ends = np.abs(self.corners() - grid.corners())[:, -len(self.dims) :]
        return bool((ends <= 1e-3 * np.array(self.voxel_um)).all())

    def _points(self, number: int) -> Floats:
        axes = [
            np.linspace(o - v / 2, o + (n - 0.5) * v, number)
            for o, v, n in zip(self.origin_um, self.voxel_um, self.shape, strict=True)
        ]
        mesh = np.meshgrid(*([np.zeros(1)] if self.flat else []), *axes, indexing="ij")
        return np.stack(mesh, axis=-1).reshape(-1, 3)


def common_points(first: Grid, second: Grid, matrix: Floats) -> Floats:
    """Return points that two images share, in the frame of the second; those of the first if there are none.

    `matrix` leads from the frame of the first to that of the second, over (z, y, x, 1).
    """
    mine = move(matrix, first.lattice())
    parts = []
    if first.flat >= second.flat:  # of a section and a volume, the points of the section
        parts.append(mine[second.holds(mine)])
    if second.flat >= first.flat:
        theirs = second.lattice()
        parts.append(theirs[first.holds(move(inverse(matrix), theirs))])
    found = np.concatenate(parts)
    return found if len(found) else mine


def grid_and_image(name: str, given: Any) -> tuple[Grid, xr.DataArray | None]:
    """Return the grid of what is placed in a scene, and the image if there is one."""
    if not name.isascii() and name != name.encode(errors="ignore").decode():  # half a character
        raise ValueError(
            f"Cannot add an image named {name!r} to the scene: no file can keep that name. Letters of UTF-8 "
            "are needed. Pass for instance 'nanoCT'."
        )
    if isinstance(given, Grid):
        return given, None
    try:
        return Grid.of(given), given
    except (TypeError, ValueError) as error:
        raise type(error)(f"Cannot add {name!r} to the scene: {error}") from error
