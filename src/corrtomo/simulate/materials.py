"""What an electron beam meets: compositions, backscattered electrons, and how far the beam spreads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

# Atomic number and atomic mass (g/mol).
ELEMENTS = {
    "H": (1, 1.008),
    "Li": (3, 6.94),
    "C": (6, 12.011),
    "O": (8, 15.999),
    "F": (9, 18.998),
    "Al": (13, 26.982),
    "Mn": (25, 54.938),
    "Co": (27, 58.933),
    "Ni": (28, 58.693),
    "Pt": (78, 195.084),
}


@dataclass(frozen=True)
class Material:
    """A material by the mass fractions of its elements and its density in g/cm³."""

    mass_fractions: Mapping[str, float]
    density: float

    def backscattered(self, energy_kev: float) -> float:
        """Return how many electrons come back for each that hits a flat surface at a right angle.

        For an element η = E^m C with m = 0.1382 − 0.9211 / √Z and C = 0.1904 − 0.2235 ln Z + 0.1292 ln² Z −
        0.01491 ln³ Z (Hunger and Küchler, Phys. Status Solidi A 56, K45 (1979), 10.1002/pssa.2210560157);
        E in keV. Elements of a compound add by mass (Castaing).
        """
        total = 0.0
        for element, fraction in self.mass_fractions.items():
            z = ELEMENTS[element][0]
            ln = np.log(z)
            exponent = 0.1382 - 0.9211 / np.sqrt(z)
            factor = 0.1904 - 0.2235 * ln + 0.1292 * ln**2 - 0.01491 * ln**3
            total += fraction * energy_kev**exponent * factor
        return float(total)

    @property
    def atomic_number(self) -> float:
        """Mean atomic number, by mass."""
        return float(sum(f * ELEMENTS[e][0] for e, f in self.mass_fractions.items()))

    def range_um(self, energy_kev: float) -> float:
        """Return how far electrons travel in it, in µm.

        0.0276 A E^1.67 / (Z^0.889 ρ), E in keV, A in g/mol, ρ in g/cm³ (Kanaya and Okayama, J. Phys. D 5, 43
        (1972), 10.1088/0022-3727/5/1/308); of a compound by the mean of A / Z^0.889 by mass.
        """
        ratio = sum(f * ELEMENTS[e][1] / ELEMENTS[e][0] ** 0.889 for e, f in self.mass_fractions.items())
        return float(0.0276 * ratio * energy_kev**1.67 / self.density)


def compound(formula: Mapping[str, float], density: float) -> Material:
    """Make a material from how many atoms of each element it holds."""
    masses = {element: count * ELEMENTS[element][1] for element, count in formula.items()}
    total = sum(masses.values())
    return Material({element: mass / total for element, mass in masses.items()}, density)


def blend(first: Material, second: Material, share: float) -> Material:
    """Mix two materials, the second with a share of the mass; volumes add."""
    elements = {*first.mass_fractions, *second.mass_fractions}
    fractions = {
        e: (1.0 - share) * first.mass_fractions.get(e, 0.0) + share * second.mass_fractions.get(e, 0.0)
        for e in sorted(elements)
    }
    return Material(fractions, 1.0 / ((1.0 - share) / first.density + share / second.density))


# The paper names NMC without its proportions: 6:2:2 is assumed. Of the atoms of platinum deposited from a
# gaseous precursor about half are carbon; densities are those of the compounds, of the deposit by volume.
NMC = compound({"Li": 1, "Ni": 0.6, "Mn": 0.2, "Co": 0.2, "O": 2}, 4.7)
ALUMINIUM = compound({"Al": 1}, 2.70)
PLATINUM = compound({"Pt": 1, "C": 1}, 13.0)
CARBON = compound({"C": 1}, 1.9)
PVDF = compound({"C": 2, "H": 2, "F": 2}, 1.78)
BINDER_PVDF = 0.4
"""Share of PVDF in the mass of binder, far from the collector: an assumption."""
