"""X-rays from a tungsten target, and how far they go: lines and bremsstrahlung, attenuation by element."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.constants import elementary_charge

from .. import materials
from ..materials import Material

Array = npt.NDArray[np.float64]
_KRAMERS = 1.1e-9  # radiated share of an electron's energy, by atomic number and volt
_TUNGSTEN = 74
LINES_KEV = {8.40: 1.0, 9.67: 0.7, 9.96: 0.2, 11.29: 0.1}
"""L lines of tungsten and how strong they are beside Lα (X-ray Data Booklet, rounded)."""
# Borders of energy bins: the K edges of Co and Ni are two of them, as LCO and NCA differ in between alone.
_EDGES_KEV = np.array([5.0, 6.3, 7.709, 8.333, 9.5, 11.0, 13.0, 15.0, 18.0, 21.0, 25.0, 30.0])

LCO = materials.compound({"Li": 1, "Co": 1, "O": 2}, 5.05)
NCA = materials.compound({"Li": 1, "Ni": 0.8, "Co": 0.15, "Al": 0.05, "O": 2}, 4.75)
BINDER = materials.blend(materials.CARBON, materials.PVDF, materials.BINDER_PVDF)

# Mass attenuation in cm²/g at energies in keV (NIST XCOM, rounded); an energy twice is an edge.
_ATTENUATION: dict[str, tuple[list[float], list[float]]] = {
    "H": ([5, 30], [0.42, 0.36]),
    "Li": ([5, 8, 10, 15, 30], [1.6, 0.51, 0.34, 0.21, 0.17]),
    "C": ([5, 6, 8, 10, 15, 20, 30], [19.1, 11.0, 4.58, 2.37, 0.807, 0.442, 0.256]),
    "O": ([5, 6, 8, 10, 15, 20, 30], [47.9, 27.7, 11.6, 5.95, 1.84, 0.865, 0.378]),
    "F": ([5, 6, 8, 10, 15, 20, 30], [65.7, 38.0, 16.0, 8.21, 2.49, 1.13, 0.449]),
    "Al": ([5, 6, 8, 10, 15, 20, 30], [193.0, 115.0, 50.3, 26.2, 7.96, 3.44, 1.13]),
    "Si": ([5, 6, 8, 10, 15, 20, 30], [245.0, 147.0, 64.7, 33.9, 10.3, 4.46, 1.44]),
    "Co": (
        [5, 6, 7.709, 7.709, 8, 10, 15, 20, 30],
        [155.0, 93.7, 47.1, 356.0, 325.0, 184.0, 62.0, 28.0, 8.96],
    ),
    "Ni": (
        [5, 6, 8, 8.333, 8.333, 10, 15, 20, 30],
        [179.0, 109.0, 49.5, 44.3, 329.0, 209.0, 70.8, 32.2, 10.3],
    ),
}
_SILICON = 2.33


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Photons that a pixel would count with nothing in the beam, by energy in keV."""

    energies_kev: Array
    photons: Array


def attenuation_per_um(material: Material, energies_kev: npt.ArrayLike) -> Array:
    """Return the attenuation of a material in 1/µm: mass fractions, tabulated attenuation, and density."""
    mass = sum(f * _mass_attenuation(e, energies_kev) for e, f in material.mass_fractions.items())
    return np.asarray(mass * material.density * 1e-4, float)


def tungsten(
    voltage_kv: float,
    current_na: float,
    exposure_s: float,
    solid_angle: float,
    *,
    line_share: float,
    sensor_um: float,
) -> Spectrum:
    """Return what a silicon sensor counts of the X-rays of a thick tungsten target.

    An electron makes dN/dE = 2 · 1.1e-9 Z (E₀ − E) / E photons per eV of bremsstrahlung, into all directions
    (Kramers); `line_share` of what is counted are L lines. Counted is the share 1 − exp(−µ t) that stops in a
    sensor of `sensor_um`, above the threshold of 5 keV.
    """
    edges = _EDGES_KEV[voltage_kv > _EDGES_KEV]
    edges = np.append(edges, voltage_kv)
    energies = (edges[1:] + edges[:-1]) / 2
    made = 2 * _KRAMERS * _TUNGSTEN * (voltage_kv - energies) / energies * np.diff(edges) * 1e3
    electrons = current_na * 1e-9 * exposure_s / elementary_charge
    counted = made * electrons * solid_angle / (4 * np.pi) * _stopped(energies, sensor_um)
    lines = np.array([e for e in LINES_KEV if e < voltage_kv])
    strength = np.array([LINES_KEV[e] for e in lines.tolist()]) * _stopped(lines, sensor_um)
    if len(lines):
        strength *= counted.sum() * line_share / (1 - line_share) / strength.sum()
    return Spectrum(np.append(energies, lines), np.append(counted, strength))


def _stopped(energies_kev: Array, sensor_um: float) -> Array:
    return np.asarray(1 - np.exp(-_mass_attenuation("Si", energies_kev) * _SILICON * 1e-4 * sensor_um), float)


def _mass_attenuation(element: str, energies_kev: npt.ArrayLike) -> Array:
    known, values = (np.log(np.array(v, float)) for v in _ATTENUATION[element])
    # At an edge, which stands twice, the higher energy counts.
    known = known + 1e-9 * np.arange(len(known))
    return np.asarray(np.exp(np.interp(np.log(np.asarray(energies_kev, float)), known, values)))
