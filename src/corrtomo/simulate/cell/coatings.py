"""What the coatings of a wound cell hold: particles, binder and pores, as a texture that repeats."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..electrode import electrode
from ..raster import AM, CBD, View
from .layers import RollModel
from .winding import TEXTURE_UM

Codes = npt.NDArray[np.uint8]
PERIOD_UM = 80.0
PARTICLE, BINDER = 1, 2
# Active material and binder with its nanopores, by volume: porosities are those of the teardown (Chen et al.
# 2020, 0.25 and 0.335), how solids divide and the sizes of particles are assumed.
BINDER_POROSITY = 0.5
ANODE_SHARES, CATHODE_SHARES = (0.70, 0.10), (0.62, 0.09)
_ANODE_PARTICLE_UM, _CATHODE_PARTICLE_UM = 12.0, 8.0


@dataclass(frozen=True, eq=False)
class Coatings:
    """Particles and binder in a piece of anode and of cathode.

    Attributes
    ----------
    textures : tuple of numpy.ndarray
        Of anode and cathode, ``uint8``: 0 pore, 1 particle, 2 binder and carbon with their nanopores; dims z,
        depth towards the collector, and along the foil.
    """

    textures: tuple[Codes, Codes]


def coatings(model: RollModel, seed: int) -> Coatings:
    """Draw a piece of each coating, 80 µm wide; it repeats along z and along the foil."""
    anode = _texture(model.anode_um, ANODE_SHARES, _ANODE_PARTICLE_UM, seed)
    cathode = _texture(model.cathode_um, CATHODE_SHARES, _CATHODE_PARTICLE_UM, seed + 1)
    return Coatings((anode, cathode))


def _texture(thickness_um: float, shares: tuple[float, float], particle_um: float, seed: int) -> Codes:
    # A thin coating of thin particles: none is thicker than a quarter of it.
    diameter = min(particle_um, 0.25 * thickness_um)
    piece = electrode(
        (PERIOD_UM, thickness_um, PERIOD_UM),
        am_fraction=shares[0],
        cbd_fraction=shares[1],
        cbd_porosity=BINDER_POROSITY,
        diameter_um=diameter,
        geometric_sd=1.4,
        film=True,
        seed=seed,
    )
    wide, deep = round(PERIOD_UM / TEXTURE_UM), max(1, round(thickness_um / TEXTURE_UM))
    edge = np.array([TEXTURE_UM, thickness_um / deep, TEXTURE_UM])
    codes = piece.codes(View(edge, edge / 2, (wide, deep, wide)))
    out = np.zeros(codes.shape, np.uint8)
    out[codes == AM], out[codes == CBD] = PARTICLE, BINDER
    return out
