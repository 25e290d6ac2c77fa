"""How strongly the materials of a wound cell attenuate X-rays of 30 to 150 keV."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .. import materials
from ..materials import Material
from .coatings import ANODE_SHARES, BINDER_POROSITY, CATHODE_SHARES
from .layers import ALUMINIUM, ANODE, CAN, CATHODE, COPPER, LAYERS, OUTGROWTH, SEPARATOR, TAB

Array = npt.NDArray[np.float64]
ENERGIES_KEV = np.array([30.0, 40.0, 50.0, 60.0, 80.0, 100.0, 150.0])
# Mass attenuation in cm²/g at these energies (NIST, Hubbell and Seltzer 1995, doi:10.18434/T4D01F).
_ATTENUATION = {
    "H": [0.3570, 0.3458, 0.3355, 0.3260, 0.3091, 0.2944, 0.2651],
    "Li": [0.1644, 0.1551, 0.1488, 0.1438, 0.1356, 0.1289, 0.1158],
    "C": [0.2562, 0.2076, 0.1871, 0.1753, 0.1610, 0.1514, 0.1347],
    "O": [0.3779, 0.2585, 0.2132, 0.1907, 0.1678, 0.1551, 0.1361],
    "F": [0.4487, 0.2828, 0.2214, 0.1920, 0.1639, 0.1496, 0.1298],
    "Al": [1.128, 0.5685, 0.3681, 0.2778, 0.2018, 0.1704, 0.1378],
    "Mn": [7.141, 3.169, 1.714, 1.060, 0.5306, 0.3367, 0.1838],
    "Fe": [8.176, 3.629, 1.958, 1.205, 0.5952, 0.3717, 0.1964],
    "Co": [8.962, 3.981, 2.144, 1.314, 0.6414, 0.3949, 0.2023],
    "Ni": [10.34, 4.600, 2.474, 1.512, 0.7306, 0.4440, 0.2208],
    "Cu": [10.92, 4.862, 2.613, 1.593, 0.7630, 0.4584, 0.2217],
}
_FALL = 2.95
_AT_KEV = 60.0
"""Energy at which the two parts of an attenuation are stated."""

# Steel is taken as iron; the electrolyte as its solvent, ethylene and ethyl methyl carbonate alike, without
# its salt; porosities are in the shares of volume below.
STEEL = Material({"Fe": 1.0}, 7.87)
METAL = Material({"Cu": 1.0}, 8.96)
GRAPHITE = materials.compound({"C": 1}, 2.26)
ELECTROLYTE = materials.compound({"C": 7, "H": 12, "O": 6}, 1.15)
POLYETHYLENE = materials.compound({"C": 1, "H": 2}, 0.95)
BINDER = materials.blend(materials.CARBON, materials.PVDF, materials.BINDER_PVDF)
SEPARATOR_POROSITY = 0.47
"""That of the teardown (Chen et al. 2020)."""


def attenuation_per_um(material: Material, energy_kev: npt.ArrayLike) -> Array:
    """Return the attenuation of a material in 1/µm: mass fractions, tabulated attenuation, and density."""
    wanted = np.log(np.asarray(energy_kev, float))
    known = np.log(ENERGIES_KEV)
    mass = sum(
        fraction * np.exp(np.interp(wanted, known, np.log(_ATTENUATION[element])))
        for element, fraction in material.mass_fractions.items()
    )
    return np.asarray(mass * material.density * 1e-4, float)


def of_layers(energy_kev: npt.ArrayLike) -> Array:
    """Return the attenuation of each layer in 1/µm, by code; of coatings and separator by their shares."""
    pores = attenuation_per_um(ELECTROLYTE, energy_kev)
    out = np.zeros((len(LAYERS), *pores.shape))
    out[[COPPER, OUTGROWTH]] = attenuation_per_um(METAL, energy_kev)
    out[[ALUMINIUM, TAB]] = attenuation_per_um(materials.ALUMINIUM, energy_kev)
    out[CAN] = attenuation_per_um(STEEL, energy_kev)
    plastic = attenuation_per_um(POLYETHYLENE, energy_kev)
    out[SEPARATOR] = (1 - SEPARATOR_POROSITY) * plastic + SEPARATOR_POROSITY * pores
    binder = attenuation_per_um(BINDER, energy_kev)
    for code, solid, (active, domain) in (
        (ANODE, GRAPHITE, ANODE_SHARES),
        (CATHODE, materials.NMC, CATHODE_SHARES),
    ):
        carbon = domain * (1 - BINDER_POROSITY)
        out[code] = active * attenuation_per_um(solid, energy_kev) + carbon * binder
        out[code] += (1 - active - carbon) * pores
    return out


def of_contents(energy_kev: float) -> Array:
    """Return the attenuation in 1/µm of layers and of what coatings hold, by codes of `JellyRoll.codes`."""
    layers, pores = of_layers(energy_kev), attenuation_per_um(ELECTROLYTE, energy_kev)
    out = np.zeros(64)
    out[: len(layers)] = layers
    for code, solid in ((ANODE, GRAPHITE), (CATHODE, materials.NMC)):
        out[code] = float(pores)
        out[code + 16] = float(attenuation_per_um(solid, energy_kev))
        binder = float(attenuation_per_um(BINDER, energy_kev))
        out[code + 32] = (1 - BINDER_POROSITY) * binder + BINDER_POROSITY * float(pores)
    return out


def parts(energy_kev: npt.ArrayLike) -> Array:
    """Return how the two parts of an attenuation depend on energy, photoelectric and Compton, 1 at 60 keV.

    µ(E) = a (E / 60 keV)^−2.95 + b K(E) / K(60 keV), with K the cross-section of Klein and Nishina: above the
    K edges of all its elements two numbers stand for a material at every energy (Alvarez and Macovski, Phys.
    Med. Biol. 21, 733 (1976), doi:10.1088/0031-9155/21/5/002). The exponent fits the tabulated values of
    copper, iron and nickel within 2.5 %.
    """
    energy = np.asarray(energy_kev, float)
    return np.stack([(energy / _AT_KEV) ** -_FALL, _klein_nishina(energy) / _klein_nishina(_AT_KEV)])


def parts_of_layers() -> Array:
    """Return the photoelectric and the Compton part of each layer at 60 keV, in 1/µm; dims part, code."""
    known = of_layers(ENERGIES_KEV)
    curves = parts(ENERGIES_KEV).T
    out = np.zeros((2, len(known)))
    for code, values in enumerate(known):
        if values.any():  # relative errors count alike at all energies
            out[:, code] = np.linalg.lstsq(curves / values[:, None], np.ones(len(values)))[0]
    return out


def _klein_nishina(energy_kev: npt.ArrayLike) -> Array:
    a = np.asarray(energy_kev, float) / 510.999
    log = np.log1p(2 * a)
    first = (1 + a) / a**2 * (2 * (1 + a) / (1 + 2 * a) - log / a)
    return np.asarray(first + log / (2 * a) - (1 + 3 * a) / (1 + 2 * a) ** 2)
