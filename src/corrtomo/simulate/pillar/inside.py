"""What the particles of a pillar hold inside: which are NCA, and their grains, cracks and pores."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .. import grains
from ..electrode import Electrode
from ..noise import stream
from .blend import BlendModel, draw_pores

Array = npt.NDArray[np.float64]


class Inside(NamedTuple):
    """What particles hold inside, a row each, or listed with where each particle's rows begin."""

    nca: npt.NDArray[np.bool_]
    radii_um: Array
    keys: npt.NDArray[np.uint64]
    cracks: Array
    first_crack: npt.NDArray[np.int64]
    pores: Array
    first_pore: npt.NDArray[np.int64]


def draw_inside(cathode: Electrode, model: BlendModel, seed: int) -> Inside:
    """Draw what each particle of a cathode holds inside."""
    _, matrices = cathode.solids
    radii = np.linalg.det(matrices) ** (-1 / 6)
    count = len(radii)
    rng = np.random.default_rng(np.random.SeedSequence([seed, 20]))
    nca = rng.uniform(size=count) >= model.lco_share
    numbers = np.arange(count, dtype=np.int64)
    cracked = grains.CrackModel(
        mean=model.cracks,
        width_um=model.crack_um,
        width_sd=model.crack_sd,
        filled_share=0.0,
        partly_share=0.0,
    )
    cracks = grains.draw_cracks(radii, numbers, cracked, seed)
    pores = draw_pores(radii, nca, model, seed)
    ends = np.arange(count + 1)
    keys = stream(seed, "grains") + numbers.astype(np.uint64)
    begins = [np.searchsorted(table[:, 0], ends).astype(np.int64) for table in (cracks, pores)]
    return Inside(nca, radii, keys, cracks, begins[0], pores, begins[1])
