"""A wound cell, known at every point: can, layers, tab, and copper that has grown where it should not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from ...phases import Phase, as_labels
from ...volume import volume
from ..limits import (
    check_origin,
    check_pose,
    check_shape,
    check_voxel_size,
    is_number,
)
from ..raster import View
from .coatings import Coatings, coatings
from .layers import (
    ALUMINIUM,
    CATHODE,
    COPPER,
    LAYERS,
    ORDER,
    OUTGROWTH,
    SEPARATOR,
    TAB,
    RollModel,
)
from .winding import Winding, fill_codes, radius_um

Array = npt.NDArray[np.float64]
Codes = npt.NDArray[np.uint8]
_NO_TEXTURES = (np.zeros((1, 1, 1), np.uint8), np.zeros((1, 1, 1), np.uint8))


@dataclass(frozen=True, eq=False)
class JellyRoll:
    """The end of a wound cell, known at every point; made by :func:`corrtomo.simulate.jelly_roll`.

    Its frame has z down from the top of the separator, and y and x from the axis of the can, all in µm.
    Windings count in turns from the inner end of the anode, with the angle from x to y.

    Attributes
    ----------
    diameter_um : float
        Outside of the can.
    model : RollModel
        Layers, and how they are wound.
    winding : Winding
        The same as the kernels read it.
    outgrowths : pandas.DataFrame
        The truth, a row each: ``outgrowth``, ``turn``, ``winding_deg`` and ``length_um`` (position along the
        unrolled copper), ``z_um, y_um, x_um`` (middle of its base, on the face of the copper), ``outward``
        (grown away from the axis), ``height_um``, ``radius_um`` (of its base) and ``volume_um3``.
    bumps : numpy.ndarray
        The same as the kernels read it.
    seed : int
        Seed that it was drawn from.
    """

    diameter_um: float
    model: RollModel
    winding: Winding
    outgrowths: pd.DataFrame
    bumps: Array
    seed: int

    @cached_property
    def coatings(self) -> Coatings:
        """What the coatings hold: particles, binder and pores."""
        return coatings(self.model, self.seed)

    def codes(self, view: View, *, inside: bool = False) -> Codes:
        """Return the layer at the voxel centres of a view, by the codes of `LAYERS`.

        With `inside`, what a coating holds is added: 16 for a particle, 32 for its binder.
        """
        out = np.empty(view.shape, np.uint8)
        low, high = view.bounds_um()
        reach = np.maximum(self.bumps[:, 6], self.bumps[:, 7])[:, None]
        near = ((self.bumps[:, :3] > low - reach) & (self.bumps[:, :3] < high + reach)).all(axis=1)
        textures = self.coatings.textures if inside else _NO_TEXTURES
        fill_codes(
            out, self.winding, self.bumps[near], textures, inside, view.voxel_um, view.origin_um,
            np.ascontiguousarray(view.pose[:3, :3]), view.pose[:3, 3].copy(),
        )  # fmt: skip
        return out

    def layers(
        self,
        voxel_size: float | Sequence[float],
        *,
        shape: Sequence[int],
        origin: float | Sequence[float],
        pose: npt.ArrayLike | None = None,
    ) -> xr.DataArray:
        """Raster a window of the cell: which layer lies at each voxel centre.

        Parameters
        ----------
        voxel_size : float or sequence of float
            Edge of a voxel in µm.
        shape, origin : sequence
            Number of voxels along z, y, x, and centre of the first in µm.
        pose : array_like, optional
            4 × 4 matrix from the frame of the cell to that of the window.

        Returns
        -------
        xarray.DataArray
            ``uint8``, dims z, y, x; ``attrs["classes"]`` has the codes.

        Raises
        ------
        ValueError
            If a size is not above zero, or `pose` does more than turn and shift.

        Notes
        -----
        A layer thinner than a voxel is met by chance: see :func:`shares` for what share of a voxel it fills.

        Examples
        --------
        >>> import corrtomo as ct
        >>> roll = ct.simulate.jelly_roll(outgrowths=0)
        >>> cut = roll.layers(1.0, shape=(1, 1, 400), origin=(2000, 0, 5000))
        >>> int((cut == cut.attrs["classes"]["copper"]).sum())
        12
        """
        view = _view(voxel_size, shape, origin, pose)
        return as_layers(volume(self.codes(view), view.voxel_um.tolist(), origin=view.origin_um.tolist()))

    def phases(
        self,
        voxel_size: float | Sequence[float],
        *,
        shape: Sequence[int],
        origin: float | Sequence[float],
        pose: npt.ArrayLike | None = None,
    ) -> xr.DataArray:
        """Raster a window of the cell by :class:`corrtomo.Phase`, with the particles in the coatings.

        Parameters and errors are those of :meth:`layers`. Can, tab and outgrowths count as collector, gas as
        pore.

        Returns
        -------
        xarray.DataArray
            ``uint8`` labels, dims z, y, x.
        """
        view = _view(voxel_size, shape, origin, pose)
        labels = _PHASES[self.codes(view, inside=True)]
        return as_labels(
            volume(labels, view.voxel_um.tolist(), origin=view.origin_um.tolist(), name="phases")
        )

    def spiral(self, layer: str = "copper", *, step_deg: float = 1.0) -> pd.DataFrame:
        """Return where the middle of a collector runs: the truth of a traced spiral.

        Parameters
        ----------
        layer : {"copper", "aluminium"}
            Which collector.
        step_deg : float
            From row to row.

        Returns
        -------
        pandas.DataFrame
            ``winding_deg`` and ``turn``, ``y_um``, ``x_um``, ``radius_um`` from the axis of the can, and
            ``thickness_um`` along the radius.

        Raises
        ------
        ValueError
            If there is no such layer, or a step is not above 0 and up to 90.
        """
        if layer not in ("copper", "aluminium"):
            raise ValueError(f"Cannot follow {layer!r}: the collectors are copper and aluminium.")
        if not (is_number(step_deg) and 0.01 <= step_deg <= 90):
            raise ValueError(f"Cannot follow a spiral in steps of {step_deg!r}: 0.01 to 90° are allowed.")
        of, k = self.winding, ORDER.index(LAYERS[layer])
        first, last = (0.0, of.turns) if layer == "copper" else of.cathode
        turn = np.arange(first, last, step_deg / 360.0)
        inner, outer = (radius_um(of, turn, float(edge)) for edge in of.edges[k : k + 2])
        # The tab lifts what lies on the aluminium, not its outer face.
        middle = radius_um(of, turn, float(of.edges[k] + of.edges[k + 1]) / 2)
        angle = of.start + 2 * np.pi * turn
        thick = outer - inner if layer == "copper" else 2 * (middle - inner)
        return pd.DataFrame(
            {
                "winding_deg": 360.0 * turn,
                "turn": turn,
                "y_um": middle * np.sin(angle),
                "x_um": middle * np.cos(angle),
                "radius_um": middle,
                "thickness_um": thick,
            }
        )

    def __repr__(self) -> str:
        return (
            f"JellyRoll({self.diameter_um:g} µm wide, {self.winding.turns:.2f} turns of "
            f"{self.winding.pitch:g} µm, {len(self.outgrowths)} outgrowths, seed {self.seed})"
        )


def _view(voxel_size: Any, shape: Any, origin: Any, pose: Any) -> View:
    edge, start = check_voxel_size(voxel_size), check_origin(origin)
    check_shape(shape)
    return View(edge, start, (int(shape[0]), int(shape[1]), int(shape[2])), check_pose(pose))


def as_layers(codes: xr.DataArray) -> xr.DataArray:
    """List the layers in the attributes of their codes."""
    return codes.assign_attrs(phases={}, classes=dict(LAYERS)).rename("layers")


def _phase_table() -> Codes:
    table = np.full(64, Phase.PORE, np.uint8)
    table[[COPPER, ALUMINIUM, LAYERS["can"], TAB, OUTGROWTH]] = Phase.COLLECTOR
    table[SEPARATOR] = Phase.SEPARATOR
    for code in (LAYERS["anode"], CATHODE):
        table[code + 16], table[code + 32] = Phase.AM, Phase.CBD
    return table


_PHASES = _phase_table()
