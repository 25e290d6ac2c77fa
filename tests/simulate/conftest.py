"""Specimens that are known in closed form."""

import numpy as np
import pandas as pd
import pytest

from corrtomo.simulate import Electrode, electrode, packing

BOX = (16.0, 17.0, 18.0)


@pytest.fixture(scope="session")
def cathode():
    return electrode(20.0, seed=1)


@pytest.fixture(scope="session")
def make_solids():
    """Build an electrode of given ellipsoids, with no binder."""

    def make(centres, axes, turns=None, size_um=BOX):
        table = pd.DataFrame(np.atleast_2d(centres), columns=packing.CENTRE)
        table[packing.AXES] = np.atleast_2d(axes)
        table[packing.TURN] = np.atleast_2d([0.0, 0.0, 0.0, 1.0] if turns is None else turns)
        return Electrode(size_um, table, 0.1, 0.1, 0.5, np.inf, 0.0, 0)

    return make
