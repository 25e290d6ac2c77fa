"""A section of a pillar, exposed by a focused ion beam: what lies in the plane, and behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy.spatial.transform import Rotation

from ...checks import check_length
from ...volume import volume
from ..behind import BEHIND, look_behind
from ..limits import (
    FARTHEST_UM,
    as_array,
    check_edge,
    check_look,
    check_pose,
    check_progress,
    check_window,
    is_number,
)
from ..raster import View
from ..shares import Progress
from .blend import NCA
from .checks import check_section
from .specimen import Pillar, as_materials

Array = npt.NDArray[np.float64]
Codes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
_STEEPEST_DEG = 20.0


@dataclass(frozen=True, eq=False)
class MilledPlane:
    """A section of a pillar, as electrons and ions meet it; dims of all arrays y, x.

    Its frame has z = 0 in the plane and down into the pillar, y and x from the middle, all in µm.

    Attributes
    ----------
    pillar : Pillar
        What was milled.
    pose : numpy.ndarray
        4 × 4, takes (z, y, x, 1) in µm from the frame of the pillar to that of the section.
    codes : numpy.ndarray
        ``uint8``: what lies in the plane, by the codes of materials; 0 beyond the pillar too.
    seen, depth_um : numpy.ndarray
        What is seen there, through open pores behind the plane, and how far behind, in µm.
    shade : numpy.ndarray
        Mean 0 and variance 1: orientation of the grain in the plane.
    edge_um : numpy.ndarray
        Distance from the nearest grain boundary of NCA.
    particle : numpy.ndarray
        ``int32``: row of the particle in the cathode; -1 where there is none.
    pixel_um : float
        Edge of a pixel.
    """

    pillar: Pillar
    pose: Array
    codes: Codes
    seen: Codes
    depth_um: Floats
    shade: Floats
    edge_um: Floats
    particle: npt.NDArray[np.int32]
    pixel_um: float

    @property
    def origin_um(self) -> tuple[float, float]:
        """y, x of the centre of the first pixel: the middle of the section is at 0."""
        rows, columns = self.codes.shape
        return -(rows - 1) / 2 * self.pixel_um, -(columns - 1) / 2 * self.pixel_um

    def image(self, values: npt.NDArray[Any], name: str | None = None) -> xr.DataArray:
        """Give an array on the grid of the section its coordinates."""
        return volume(values, self.pixel_um, origin=self.origin_um, name=name)

    def materials(self) -> xr.DataArray:
        """Return what lies in the plane: pore, carbon binder domain, LCO, NCA."""
        return as_materials(self.image(self.codes))

    def grain_boundaries(self) -> xr.DataArray:
        """Return where grain boundaries of NCA are: nearer than half a pixel's diagonal; booleans."""
        near = (self.edge_um < self.pixel_um / np.sqrt(2)) & (self.codes == NCA)
        return self.image(near, "grain boundaries")

    def particles(self) -> xr.DataArray:
        """Return which particle lies in the plane, numbered from 1; 0 where there is none."""
        return self.image(self.particle + 1, "particles")


def check_plane(plane: Any, doing: str) -> None:
    """Refuse what is no milled section."""
    if not isinstance(plane, MilledPlane):
        raise TypeError(
            f"Cannot {doing} of a {type(plane).__name__}: a milled section is needed. Make one with "
            "ct.simulate.mill(pillar, shape=...)."
        )


def section_pose(
    depth_um: float = 1.5,
    *,
    tilt_deg: Sequence[float] = (0.0, 0.0),
    turn_deg: float = 0.0,
    centre_um: Sequence[float] = (0.0, 0.0),
) -> Array:
    """Return how a section lies in a pillar: 4 × 4, from the frame of the pillar to that of the section.

    Parameters
    ----------
    depth_um : float
        Of the middle of the section below the top.
    tilt_deg : sequence of float
        By how much it leans, about y and about x.
    turn_deg : float
        By how much its image is turned in the plane.
    centre_um : sequence of float
        y, x of its middle in the frame of the pillar.

    Raises
    ------
    ValueError
        If a number is missing, or the section leans by more than 20°.

    Examples
    --------
    >>> from corrtomo.simulate.pillar import section_pose
    >>> (section_pose(2.0) @ [2.0, 0.0, 0.0, 1.0]).tolist()
    [0.0, 0.0, 0.0, 1.0]
    """
    given = [depth_um, tilt_deg, turn_deg, centre_um]
    pairs = all(as_array(pair).shape == (2,) for pair in (tilt_deg, centre_um))
    if not pairs or not all(
        is_number(n) and abs(n) <= FARTHEST_UM for n in (depth_um, *tilt_deg, turn_deg, *centre_um)
    ):
        raise ValueError(
            f"Cannot place a section with {given!r}: depth, two tilts, a turn, and y, x of its middle are "
            "needed, in µm and degrees."
        )
    if max(abs(t) for t in tilt_deg) > _STEEPEST_DEG:
        raise ValueError(
            f"Cannot place a section with tilt_deg {tuple(tilt_deg)!r}: up to {_STEEPEST_DEG:g}° are allowed."
        )
    turned = Rotation.from_euler("XYZ", [turn_deg, *tilt_deg], degrees=True).as_matrix()  # axes z, y, x
    pose = np.eye(4)
    pose[:3, :3] = turned
    pose[:3, 3] = -turned @ np.array([depth_um, *centre_um], float)
    return pose


def mill(
    specimen: Pillar,
    pixel_um: float = 0.025,
    *,
    shape: Sequence[int],
    pose: npt.ArrayLike | None = None,
    look_um: float = 2.0,
    progress: Progress = iter,
) -> MilledPlane:
    """Mill a pillar down to a plane: a digital twin, not a measurement.

    The nanoCT and SIMS paper exposes what nanoCT has shown inside by milling from the top, and analyses it
    about 1.5 µm below (Microsc. Microanal. 2022, Fig. 4).

    Parameters
    ----------
    specimen : Pillar
        From :func:`pillar`.
    pixel_um : float
        Edge of a pixel of the section.
    shape : sequence of int
        Number of pixels along y, x.
    pose : array_like, optional
        From :func:`section_pose`; by default a section 1.5 µm below the top, not tilted.
    look_um : float
        How far behind the plane is looked for what closes a pore.
    progress : callable, optional
        Wraps the loop over slabs behind the plane.

    Returns
    -------
    MilledPlane
        Image it with :func:`se_image`, and map it with :func:`element_maps` and :func:`sims_maps`.

    Raises
    ------
    ValueError
        If a size is not above zero, or `pose` does more than turn and shift.
    TypeError
        If `specimen` is no pillar.

    Notes
    -----
    The beam leaves neither curtains nor redeposited material.

    Examples
    --------
    >>> import corrtomo as ct
    >>> plane = ct.simulate.mill(ct.simulate.pillar(6.0, seed=1), 0.1, shape=(60, 60))
    >>> plane.materials().shape
    (60, 60)
    """
    if not isinstance(specimen, Pillar):
        raise TypeError(
            f"Cannot mill a {type(specimen).__name__}: a pillar is needed. Draw one with "
            "ct.simulate.pillar()."
        )
    check_progress(progress)
    pixel_um = check_edge(pixel_um, "pixel_um")
    rows, columns = check_window(shape, pixel_um)
    check_section(rows, columns)
    check_length(look_um, "look_um", doing="mill a pillar")
    check_look(
        look_um, BEHIND * pixel_um, 1, rows / BEHIND**2, columns,
        advice="Lower look_um, or give coarser or fewer pixels.",
    )  # fmt: skip
    matrix = section_pose() if pose is None else check_pose(pose)
    start = np.array([0.0, -(rows - 1) / 2 * pixel_um, -(columns - 1) / 2 * pixel_um])
    plane = View(np.full(3, pixel_um), start, (1, rows, columns), matrix)
    codes, shade, edge, particle = specimen.look(plane, grains_too=True)
    seen, depth = look_behind(specimen.codes, plane, look_um, codes[0], progress)
    return MilledPlane(specimen, matrix, codes[0], seen, depth, shade[0], edge[0], particle[0], pixel_um)
