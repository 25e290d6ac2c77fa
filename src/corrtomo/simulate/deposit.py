"""Platinum in the pores of a cross-section: the kintsugi method."""

from __future__ import annotations

from dataclasses import replace

import edt
import numpy as np

from .cross_section import PLATINUM, CrossSection
from .limits import check_platinum
from .raster import PORE


def platinum(section: CrossSection, thickness_um: float = 2.0, *, coverage: float = 0.2) -> CrossSection:
    """Fill the pores of a section with platinum, and polish back to the plane: the kintsugi method.

    About 2 µm of platinum are deposited on the block face and milled away again until the plane is back
    (J. Electrochem. Soc. 169, 070512, "Kintsugi method"). It stays in the pores: flush with the plane along
    their edges, where it grew from the walls too, and deeper in the middle of those too wide and deep.

    Parameters
    ----------
    section : CrossSection
        From :func:`cross_section`.
    thickness_um : float
        Thickness t of the deposit on a face that looks at the beam, in µm.
    coverage : float
        Thickness on a wall, as a share of `thickness_um`: an assumption, for a deposit that a beam drives.

    Returns
    -------
    CrossSection
        With platinum in its pores; its phases are the same.

    Raises
    ------
    ValueError
        If the thickness or the coverage is out of range.

    Notes
    -----
    A pixel at a distance r from the nearest solid of the plane is filled to the plane where r <= coverage t;
    elsewhere the surface lies at the depth of what closes the pore, less t. Where nothing does within
    `look_um`, none is deposited. One round stands for the paper's several.

    Examples
    --------
    >>> import corrtomo as ct
    >>> coating = ct.simulate.electrode((12.0, 12.0, 12.0), diameter_um=4.0, film=True, seed=1)
    >>> section = ct.simulate.cross_section(coating, 0.1, shape=(60, 80), origin_um=(0, 6, 0))
    >>> filled = ct.simulate.platinum(section)
    >>> bool(filled.depth_um.mean() < section.depth_um.mean())
    True
    """
    check_platinum(thickness_um, coverage)
    pore = section.phases == PORE
    if not pore.any():
        return section
    away = edt.edt(pore) * section.pixel_um
    flush = pore & (away <= coverage * thickness_um)
    depth = np.maximum(section.depth_um - np.float32(thickness_um), 0.0)
    seen = section.seen.copy()
    closed = pore & (section.seen != PORE)
    seen[closed | flush] = PLATINUM
    depth[flush] = 0.0
    depth[pore & ~closed & ~flush] = section.look_um
    depth[~pore] = 0.0
    return replace(section, seen=seen, depth_um=depth.astype(np.float32))
