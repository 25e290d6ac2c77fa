"""What a simulated instrument asks of a specimen, and what all specimens have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import xarray as xr

from ..phases import as_labels
from ..volume import volume
from . import noise, raster
from .limits import check_origin, check_pose, check_shape, check_voxel_size
from .raster import CBD, View

Array = npt.NDArray[np.float64]
PORE_NODE_UM = 0.08
_MOST_NODES = 60_000_000


@runtime_checkable
class Specimen(Protocol):
    """What a simulated instrument looks at: phases that are known at every point.

    Made by :func:`electrode`, or from a segmented volume by :func:`labelled`.
    """

    @property
    def cbd_porosity(self) -> float:
        """Share of nanopores in the carbon binder domain."""

    def check_view(self, view: View) -> None:
        """Refuse a window in which nothing of the specimen is known."""

    def codes(self, view: View, drift_voxels: Array | None = None) -> raster.Labels:
        """Return the phase codes at the voxel centres of a view; a drift moves each slice along y, x."""

    def carve_nanopores(
        self, labels: raster.Labels, view: View, code: int, drift_voxels: Array | None = None
    ) -> None:
        """Write `code` into the voxels of the carbon binder domain that are nanopores."""


class Microstructure(ABC):
    """A specimen that lies in a box, can be rastered, and has a random field of nanopores in its binder.

    A subclass says where its box lies and what is at each point; `pore_threshold` is the level of the
    nanopore field, `seed` its seed.
    """

    pore_threshold: float
    seed: int

    @abstractmethod
    def box_um(self) -> tuple[Array, Array]:
        """Return the low corner of the box and its edges along z, y, x, in µm."""

    @abstractmethod
    def codes(self, view: View, drift_voxels: Array | None = None) -> raster.Labels:
        """Return the phase codes at the voxel centres of a view; a drift moves each slice along y, x."""

    def check_view(self, view: View) -> None:  # noqa: B027
        """Refuse a window in which nothing of the specimen is known; here every window is known."""

    def labels(
        self,
        voxel_size: float | Sequence[float],
        *,
        origin: float | Sequence[float] | None = None,
        shape: Sequence[int] | None = None,
        pose: npt.ArrayLike | None = None,
    ) -> xr.DataArray:
        """Raster a window of the specimen.

        Parameters
        ----------
        voxel_size : float or sequence of float
            Edge of a voxel in µm, one number or one for each of z, y, x.
        origin : float or sequence of float, optional
            Centre of the first voxel in µm; by default the first voxel lies in the corner of the box.
        shape : sequence of int, optional
            Number of voxels along z, y, x; by default as many as fill the box.
        pose : array_like, optional
            4 × 4 matrix from the frame of the specimen to that of the window, (z, y, x, 1) in µm; by default
            the frames are the same.

        Returns
        -------
        xarray.DataArray
            Labels with dims z, y, x: what lies at the centre of each voxel. Nanopores of the carbon binder
            domain are labelled as the domain.

        Raises
        ------
        ValueError
            If a size is not above zero, `pose` does more than turn and shift, or nothing of the specimen is
            known in the window.

        Notes
        -----
        Beyond its box an electrode repeats itself, and a labelled volume is mirrored. The label of a voxel's
        centre misleads where voxels are coarse: raster finer and take the majority.

        Examples
        --------
        >>> import corrtomo as ct
        >>> specimen = ct.simulate.electrode(15.0, seed=1)
        >>> specimen.labels(0.5).shape
        (30, 30, 30)
        """
        edge = check_voxel_size(voxel_size)
        corner, size = self.box_um()
        count = np.maximum(1, np.rint(size / edge)).astype(int).tolist() if shape is None else shape
        check_shape(count)
        start = corner + edge / 2 if origin is None else check_origin(origin)
        n = (int(count[0]), int(count[1]), int(count[2]))
        view = View(edge, start, n, check_pose(pose))
        self.check_view(view)
        return as_labels(volume(self.codes(view), edge.tolist(), origin=start.tolist()))

    def carve_nanopores(
        self, labels: raster.Labels, view: View, code: int, drift_voxels: Array | None = None
    ) -> None:
        """Write `code` into the voxels of the carbon binder domain that are nanopores.

        The field has finer nodes than many a view has voxels: one too large for memory is carved by slices.
        """
        shift = slice_shifts(view, drift_voxels)
        node = np.full(3, PORE_NODE_UM)
        first, shape = nodes_around(*view.bounds_um(), node, furthest_um(view, shift))
        middle = view.shape[0] // 2
        if middle and np.prod(np.array(shape, float)) > _MOST_NODES:
            for a, b in ((0, middle), (middle, view.shape[0])):
                self.carve_nanopores(labels[a:b], view.part(a, b), code, shift[a:b])
            return
        field = -noise.smooth(noise.stream(self.seed, "nanopores"), first, shape, (1.0, 1.0, 1.0))
        start, step = raster.lattice_steps(view, node, np.array(first, float))
        raster.fill_above(labels, CBD, code, field, -self.pore_threshold, start, step, shift)


def check_specimen(specimen: Any) -> None:
    """Refuse what is no specimen, labels above all."""
    if not isinstance(specimen, Specimen):
        raise TypeError(
            f"Cannot image a {type(specimen).__name__}: a specimen is needed, whose phases are known at "
            "every point. Draw one with ct.simulate.electrode(), or make one of labels with "
            "ct.simulate.labelled()."
        )


def slice_shifts(view: View, drift_voxels: Array | None) -> Array:
    """Return the drift of each slice of a view along y, x, in voxels; none is zero."""
    return np.zeros((view.shape[0], 2)) if drift_voxels is None else np.ascontiguousarray(drift_voxels)


def furthest_um(view: View, shift: Array) -> float:
    """Return the largest drift along y or x, in µm."""
    return float(np.abs(shift * view.voxel_um[1:]).max())


def nodes_around(low: Array, high: Array, node: Array, margin_um: float) -> tuple[list[int], list[int]]:
    """Return the first node and the number of nodes of the lattice around a box."""
    first = np.floor((low - margin_um) / node - 1e-6).astype(int)
    last = np.floor((high + margin_um) / node + 1e-6).astype(int) + 1
    return first.tolist(), (last - first + 1).tolist()


@lru_cache(maxsize=16)
def pore_level(porosity: float) -> float:
    """Return the level below which the interpolated nanopore field has the given share."""
    if porosity == 0.0:
        return -np.inf
    field = noise.smooth(noise.stream(0, "reference"), (0, 0, 0), (66, 66, 66), (1.0, 1.0, 1.0))
    values = np.empty((150, 150, 150), np.float32)
    raster.sample(values, field, np.full(3, 0.3), np.eye(3) * 0.42)
    return float(np.quantile(values, porosity))
