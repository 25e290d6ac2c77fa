"""What a digital twin was set up with, by the names that the ledger has for the paper's numbers."""

from __future__ import annotations

import pandas as pd

from ..simulate.eds import EdsModel
from ..simulate.electron_images import ElectronModel
from ..simulate.pillar import SimsModel
from ..simulate.pillar.sims import CHANNELS, FIELD_PIXELS
from ..simulate.pillar.spectrum import LINES_KEV
from . import kintsugi, pillar


def twin_settings(name: str = kintsugi.NAME, size: str = "full") -> pd.Series[float]:
    """List the settings of a digital twin that the paper prints, to hold them against the ledger.

    Parameters
    ----------
    name : {"kintsugi", "nanoct-sims"}
        The twin.
    size : {"small", "full"}
        Of the twin of nanoCT and SIMS, whose two sizes take the two ends of the paper's ranges.

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
    if not isinstance(name, str) or name not in (kintsugi.NAME, pillar.NAME):
        raise ValueError(
            f"Cannot list the settings of {name!r}: allowed are {kintsugi.NAME!r} and {pillar.NAME!r}. Sizes "
            "of the images of other twins stand in ct.datasets.fields_of_view()."
        )
    if not isinstance(size, str) or size not in pillar.SETUPS:
        raise ValueError(f"Cannot list settings of size {size!r}: allowed are {', '.join(pillar.SETUPS)}.")
    return _pillar(size) if name == pillar.NAME else _kintsugi()


def _pillar(size: str) -> pd.Series[float]:
    setup, beam = pillar.SETUPS[size], SimsModel()
    masses = {channel.lstrip("0123456789"): int(channel.rstrip("ACLNilo")) for channel in CHANNELS}
    return pd.Series(
        {
            "pillar_height_um": pillar.HEIGHT_UM,
            "tungsten_line_kev": max(LINES_KEV, key=lambda energy: LINES_KEV[energy]),
            "ct_energy_kev": setup.scan.voltage_kv,
            "ct_current_na": setup.scan.current_na,
            "source_distance_um": setup.scan.source_um,
            "angle_step_deg": 360.0 / setup.projections,
            "exposure_s": setup.exposure_s,
            "ct_voxel_nm": 1000.0 * pillar.CT_UM,
            "section_depth_um": pillar.DEPTH_UM,
            "mass_lithium": masses["Li"],
            "mass_aluminium": masses["Al"],
            "mass_nickel": masses["Ni"],
            "mass_cobalt": masses["Co"],
            "sims_current_pa": beam.current_pa,
            "sims_dwell_ms": setup.dwell_ms,
            "sims_width_px": FIELD_PIXELS,
            "sims_height_px": FIELD_PIXELS,
            "sims_field_um": setup.field_um,
        }
    )


def _kintsugi() -> pd.Series[float]:
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
