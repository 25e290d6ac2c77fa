"""The particles that a digital twin was drawn with."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..simulate import packing
from . import cycling


def drawn_particles(name: str, cycles: int, *, seed: int = 0) -> pd.DataFrame:
    """List the particles of a cycled cathode, as drawn and pressed: the truth of a size distribution.

    Parameters
    ----------
    name : {"nmc", "he-nmc"}
        The digital twin.
    cycles : int
        Its state: 0, 20 or 50 for NMC, 1 or 50 for HE-NMC.
    seed : int
        Which pieces of cathode.

    Returns
    -------
    pandas.DataFrame
        An ellipsoid a row: centre ``z_um, y_um, x_um``, semi-axes ``a_um, b_um, c_um``, ``volume_um3``, where
        two overlap counted twice; ``attrs["piece_um3"]`` is the volume of the piece that they lie in.

    Raises
    ------
    ValueError
        If there is no such cathode or state.

    Examples
    --------
    >>> import corrtomo as ct
    >>> table = ct.datasets.drawn_particles("nmc", 0)
    >>> len(table) > 500, round(table.attrs["piece_um3"])
    (True, 24840)
    """
    if name not in cycling.CATHODES or cycles not in cycling.CATHODES[name].states:
        states = {key: list(cathode.states) for key, cathode in cycling.CATHODES.items()}
        raise ValueError(
            f"Cannot list the particles of {name!r} after {cycles!r} cycles: the digital twins are {states}. "
            "Those of a cathode of your own stand in its pressed.particles."
        )
    cathode = cycling.specimen(name, cycles, seed)
    table = cathode.pressed.particles[[*packing.CENTRE, *packing.AXES]].copy()
    table["volume_um3"] = 4.0 / 3.0 * np.pi * table[packing.AXES].prod(axis=1)
    table.attrs["piece_um3"] = float(np.prod(cathode.size_um))
    return table
