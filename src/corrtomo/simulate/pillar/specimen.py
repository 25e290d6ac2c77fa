"""A pillar of a blended LCO and NCA cathode, as a focused ion beam leaves it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from ...checks import check_length
from ...volume import volume
from .. import raster
from ..electrode import Electrode, electrode
from ..limits import check_model, check_origin, check_pose, check_shape, check_voxel_size, is_number
from ..packing import SIZE_RANGE
from ..raster import View
from .blend import FAR_UM, MATERIALS, BlendModel, cut_pillar, fill_inside
from .checks import check_span
from .inside import Inside, draw_inside

Array = npt.NDArray[np.float64]
Codes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
_SLAB_VOXELS = 8_000_000
_MARGIN_UM = 3.0
_MOST_PORES = 1e5
_DEEP_UM = 16.0
"""So far below its top a pillar is drawn; there the cathode begins anew."""


@dataclass(frozen=True, eq=False)
class Pillar:
    """A pillar of blended cathode, known at every point; made by :func:`pillar`.

    Its frame has z down from its top, and y and x from its axis, all in µm.

    Attributes
    ----------
    cathode : Electrode
        What it is cut out of.
    diameter_um, height_um, taper_deg : float
        Across its top, down to the pedestal, and by how much its wall leans outwards.
    roughness_um : float
        Standard deviation of its top and wall from flat, over a quarter of a µm and more.
    model : BlendModel
        What its particles hold inside.
    seed : int
        Seed that it was drawn from.
    """

    cathode: Electrode
    diameter_um: float
    height_um: float
    taper_deg: float
    roughness_um: float
    model: BlendModel
    seed: int

    @cached_property
    def offset_um(self) -> Array:
        """Where the middle of the top lies in the box of the cathode, z, y, x."""
        return np.array(self.cathode.size_um) * [0.0, 0.5, 0.5] + [_MARGIN_UM, 0.0, 0.0]

    @cached_property
    def inside(self) -> Inside:
        """What each particle of the cathode holds inside."""
        return draw_inside(self.cathode, self.model, self.seed)

    def codes(self, view: View) -> Codes:
        """Return what lies at the voxels of a view, by the codes of `MATERIALS`."""
        return self.look(view)[0]

    def look(
        self, view: View, *, grains_too: bool = False
    ) -> tuple[Codes, Floats, Floats, npt.NDArray[np.int32]]:
        """Return what lies at the voxels of a view; of grains a shade and the distance from their boundary.

        Returns
        -------
        codes : numpy.ndarray
            ``uint8``, by `MATERIALS`.
        shade, edge_um : numpy.ndarray
            ``float32``; without `grains_too` they have no voxels.
        particle : numpy.ndarray
            ``int32``: the row of the particle in the cathode, from 0; -1 where there is none. Without
            `grains_too` it has no voxels.
        """
        out = np.empty(view.shape, np.uint8)
        wide = view.shape if grains_too else (0, 0, 0)
        shade, edge = np.zeros(wide, np.float32), np.full(wide, FAR_UM, np.float32)
        particle = np.full(wide, -1, np.int32)
        step = max(1, _SLAB_VOXELS // int(np.prod(view.shape[1:])))
        for a in range(0, view.shape[0], step):
            b = min(a + step, view.shape[0])
            rows = slice(a, b) if grains_too else slice(0, 0)
            self._fill(view.part(a, b), out[a:b], shade[rows], edge[rows], particle[rows])
        return out, shade, edge, particle

    def _fill(
        self, view: View, out: Codes, shade: Floats, edge: Floats, particle: npt.NDArray[np.int32]
    ) -> None:
        turn, shift = view.pose[:3, :3], view.pose[:3, 3]
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = turn, shift - turn @ self.offset_um
        within = replace(view, pose=pose)  # from the frame of the cathode's box
        box, reach = np.array(self.cathode.size_um), float(self.cathode.particles["a_um"].max())
        check_span(within, box, reach)
        out[:] = self.cathode.codes(within)
        centres, matrices = self.cathode.solids
        found = raster.rows_in_view(centres, matrices, reach, box, within)
        owner = np.full(view.shape, -1, np.int32)
        raster.own_ellipsoids(owner, *found[1:], view.voxel_um, view.origin_um)
        of = self.inside
        spacing = np.where(of.nca, self.model.nca_grain_um, self.model.lco_grain_um)
        row = np.asarray(found[0], np.int64)
        fill_inside(
            out, shade, edge, owner, row, found[1], of.radii_um, of.nca, of.keys, of.cracks, of.first_crack,
            of.pores, of.first_pore, spacing, view.voxel_um, view.origin_um, np.ascontiguousarray(turn.T),
        )  # fmt: skip
        if particle.size:
            known = out >= MATERIALS["LCO"]
            particle[known] = row[owner[known]]
        self._cut(view, out)
        if particle.size:
            particle[out < MATERIALS["LCO"]] = -1

    def _cut(self, view: View, out: Codes) -> None:
        """Leave nothing above the top, beyond the wall and below the foot."""
        turn, shift = view.pose[:3, :3], view.pose[:3, 3]
        lean = float(np.tan(np.radians(self.taper_deg)))
        shape = np.array([self.diameter_um / 2, lean, self.height_um, self.roughness_um])
        cut_pillar(
            out, view.voxel_um, view.origin_um, np.ascontiguousarray(turn.T), shift, shape, _waves(self.seed)
        )

    def materials(
        self,
        voxel_size: float | Sequence[float],
        *,
        shape: Sequence[int],
        origin: float | Sequence[float],
        pose: npt.ArrayLike | None = None,
    ) -> xr.DataArray:
        """Raster a window of the pillar: pore, carbon binder domain, LCO, NCA.

        Parameters
        ----------
        voxel_size : float or sequence of float
            Edge of a voxel in µm.
        shape, origin : sequence
            Number of voxels along z, y, x, and centre of the first in µm.
        pose : array_like, optional
            4 × 4 matrix from the frame of the pillar to that of the window.

        Returns
        -------
        xarray.DataArray
            ``uint8``, dims z, y, x; ``attrs["classes"]`` has the codes. What is beyond the pillar is "pore".

        Raises
        ------
        ValueError
            If a size is not above zero, or `pose` does more than turn and shift.

        Examples
        --------
        >>> import corrtomo as ct
        >>> cut = ct.simulate.pillar(6.0, seed=1).materials(0.2, shape=(10, 20, 20), origin=(0.1, -1.9, -1.9))
        >>> sorted(cut.attrs["classes"].values())
        [0, 1, 2, 3]
        """
        edge, start = check_voxel_size(voxel_size), check_origin(origin)
        check_shape(shape)
        n = (int(shape[0]), int(shape[1]), int(shape[2]))
        codes = self.codes(View(edge, start, n, check_pose(pose)))
        return as_materials(volume(codes, edge.tolist(), origin=start.tolist()))


def as_materials(codes: xr.DataArray) -> xr.DataArray:
    """List the materials in the attributes of their codes."""
    return codes.assign_attrs(phases={}, classes=dict(MATERIALS)).rename("materials")


def pillar(
    diameter_um: float = 20.0,
    *,
    height_um: float = 175.0,
    taper_deg: float = 1.0,
    roughness_um: float = 0.02,
    am_fraction: float = 0.6,
    cbd_fraction: float = 0.2,
    cbd_porosity: float = 0.5,
    particle_um: float = 6.0,
    geometric_sd: float = 1.5,
    model: BlendModel | None = None,
    seed: int = 0,
) -> Pillar:
    """Draw a pillar of a blended LCO and NCA cathode, as a focused ion beam leaves it.

    The nanoCT and SIMS paper mills a pillar 150 to 200 µm high out of a commercial cathode (Microsc.
    Microanal. 2022, "Sample Preparation"); nanoCT, electrons and ions look at one and the same piece.

    Parameters
    ----------
    diameter_um, height_um : float
        Across the top, and down to the pedestal. The height is what the paper aims at; its width it does not
        print: wide enough for its SIMS fields.
    taper_deg, roughness_um : float
        By how much the wall leans outwards, and how rough faces are: less than the resolution, as the paper
        says of its edge.
    am_fraction, cbd_fraction, cbd_porosity : float
        Volume fractions of active material and of the carbon binder domain, and share of nanopores in it.
        Assumptions: the paper prints none.
    particle_um, geometric_sd : float
        Median diameter of the particles by volume, and its geometric standard deviation. Assumptions after
        the paper's figures.
    model : BlendModel, optional
        What the particles hold inside.
    seed : int
        The same seed gives the same pillar.

    Returns
    -------
    Pillar
        Scan it with :func:`radiographs`, and section it with :func:`mill`.

    Raises
    ------
    ValueError
        If a length is not above zero, or fractions leave no pores.

    Notes
    -----
    The cathode goes on as a periodic box a little wider than the pillar and 16 µm deep: below that the same
    particles come again. Implanted gallium and redeposited material are left out.

    References
    ----------
    Microsc. Microanal. (2022), doi:10.1017/S1431927622012405.

    Examples
    --------
    >>> import corrtomo as ct
    >>> ct.simulate.pillar(6.0, seed=1).height_um
    175.0
    """
    lengths: dict[str, Any] = {"diameter_um": diameter_um, "height_um": height_um, "particle_um": particle_um}
    for name, value in lengths.items():
        check_length(value, name, doing="draw a pillar")
    known = is_number(taper_deg) and is_number(roughness_um)
    if not (known and 0 <= taper_deg <= 10 and 0 <= roughness_um <= 0.05 * diameter_um):
        raise ValueError(
            f"Cannot draw a pillar with taper_deg {taper_deg!r} and roughness_um {roughness_um!r}: 0 to 10°, "
            "and up to a twentieth of the diameter are allowed. Leave them out for the default."
        )
    check_model(model, BlendModel, "model")
    wide = max(diameter_um + 2 * _MARGIN_UM, SIZE_RANGE[1] * particle_um)
    deep = max(_DEEP_UM + _MARGIN_UM, SIZE_RANGE[1] * particle_um)
    cathode = electrode(
        (deep, wide, wide),
        am_fraction=am_fraction,
        cbd_fraction=cbd_fraction,
        cbd_porosity=cbd_porosity,
        diameter_um=particle_um,
        geometric_sd=geometric_sd,
        seed=seed,
    )
    chosen = BlendModel() if model is None else model
    pores = chosen.pores_per_um3 * am_fraction * deep * wide**2
    if not pores <= _MOST_PORES:
        raise ValueError(
            f"Cannot draw a pillar whose particles hold {pores:.3g} pores: {_MOST_PORES:.0e} are the most. "
            "Raise pore_um of the model, or lower its pore_share."
        )
    return Pillar(
        cathode,
        float(diameter_um),
        float(height_um),
        float(taper_deg),
        float(roughness_um),
        chosen,
        int(seed),
    )


def _waves(seed: int) -> Array:
    """Draw waves that make a face rough: wave vector along z, y, x in 1/µm, and phase."""
    rng = np.random.default_rng(np.random.SeedSequence([seed, 22]))
    ways = rng.standard_normal((12, 3))
    ways *= (2 * np.pi / rng.uniform(0.25, 4.0, 12) / np.linalg.norm(ways, axis=1))[:, None]
    return np.column_stack([ways, rng.uniform(0, 2 * np.pi, 12)])
