"""What a digital twin was set up with, by the names that the ledger has for the paper's numbers."""

from __future__ import annotations

import pandas as pd

from ..simulate.eds import EdsModel
from ..simulate.electron_images import ElectronModel
from . import kintsugi


def twin_settings(name: str = kintsugi.NAME) -> pd.Series[float]:
    """List the settings of a digital twin that the paper prints, to hold them against the ledger.

    Parameters
    ----------
    name : {"kintsugi"}
        The twin.

    Returns
    -------
    pandas.Series
        By name, with the unit in the name. Sizes of images stand in :func:`fields_of_view`.

    Raises
    ------
    ValueError
        If there is no such list.

    Examples
    --------
    >>> import corrtomo as ct
    >>> float(ct.datasets.twin_settings("kintsugi")["platinum_thickness_um"])
    2.0
    """
    if name != kintsugi.NAME:
        raise ValueError(
            f"Cannot list the settings of {name!r}: allowed is {kintsugi.NAME!r}. Sizes of the images of "
            "other twins stand in ct.datasets.fields_of_view()."
        )
    beam, rays = ElectronModel(), EdsModel()
    return pd.Series(
        {
            "cathode_thickness_um": kintsugi.COATING_UM,
            "platinum_thickness_um": kintsugi.PLATINUM_UM,
            "sem_voltage_kv": beam.energy_kev,
            "sem_current_na": beam.current_na,
            "dwell_time_us": beam.dwell_us,
            "eds_landing_energy_kev": rays.energy_kev,
            "eds_counts": rays.counts,
        }
    )
