"""Numbers of a microstructure under the names that PyBaMM gives them."""

from __future__ import annotations

from collections.abc import Mapping
from math import log
from typing import Any, Literal, get_args

import pandas as pd

from ..checks import check_length, is_finite
from ..measure.options import as_float, is_real
from .microstructure import Microstructure

Electrode = Literal["positive", "negative"]
Radius = Literal["surface", "particles"]
RADII = {"surface": "surface_radius_um", "particles": "particle_radius_um"}
_DOING = "make parameters for PyBaMM"
_RADIUS_UM, _THICK_UM = (0.01, 500.0), (1.0, 5000.0)
"""Beyond these lengths a voxel size, or a thickness, is in another unit."""
_NEEDED = ("porosity", "active_fraction", "tortuosity_factor")


def pybamm_parameters(
    structure: Microstructure | Mapping[str, float] | pd.Series[float],
    *,
    electrode: Electrode = "positive",
    radius: Radius = "surface",
    thickness_um: float | None = None,
) -> dict[str, float]:
    """Give the numbers of a microstructure the names and units of PyBaMM.

    Parameters
    ----------
    structure : Microstructure, mapping or pandas.Series
        From :func:`microstructure`; or one of its draws, or numbers from elsewhere under the same names.
    electrode : {"positive", "negative"}
        Which one was imaged.
    radius : {"surface", "particles"}
        That of the balls that stand for particles: ``"surface"``, with the surface per volume of the picture,
        or ``"particles"``, the mean of whole particles by volume.
    thickness_um : float, optional
        Of the electrode, where it is to be changed too.

    Returns
    -------
    dict of str to float
        In SI units, for ``pybamm.ParameterValues("Chen2020").update(...)``. Without ``conductivity_S_per_m``
        the conductivity for electrons is not among them.

    Raises
    ------
    TypeError
        If `structure` holds no numbers.
    ValueError
        If a number is missing, not finite, or cannot be; or an option is not known.

    Notes
    -----
    PyBaMM takes the effective conductivity of the electrolyte as the intrinsic one times ε^b. With
    D_eff = D ε / τ this is b = 1 - ln τ / ln ε, exact at this porosity. (Its option ``"transport efficiency":
    "tortuosity factor"`` takes τ itself, but for all parts of a cell, and published sets have none.)
    Its conductivity for electrons is multiplied by a share to a power b too; here b is 0, and the effective
    one is given. Its surface per volume is 3 times the active fraction over the radius, so that only one of
    radius and surface can be that of the picture: kinetics ask for the surface, diffusion in particles for
    their size. Names are those of PyBaMM 26.10.

    Examples
    --------
    >>> import corrtomo as ct
    >>> numbers = {"porosity": 0.25, "active_fraction": 0.6, "tortuosity_factor": 2.0,
    ...            "surface_radius_um": 5.0}
    >>> for name, value in ct.model.pybamm_parameters(numbers).items():
    ...     print(name, round(value, 9))
    Positive electrode porosity 0.25
    Positive electrode active material volume fraction 0.6
    Positive electrode Bruggeman coefficient (electrolyte) 1.5
    Positive particle radius [m] 5e-06
    """
    check_choice(electrode, "electrode", Electrode)
    check_choice(radius, "radius", Radius)
    numbers = _checked(structure, RADII[radius])
    side = electrode.capitalize()
    porosity = numbers["porosity"]
    found = {
        f"{side} electrode porosity": porosity,
        f"{side} electrode active material volume fraction": numbers["active_fraction"],
        f"{side} electrode Bruggeman coefficient (electrolyte)": 1
        - log(numbers["tortuosity_factor"]) / log(porosity),
        f"{side} particle radius [m]": 1e-6 * numbers[RADII[radius]],
    }
    if "conductivity_S_per_m" in numbers:
        found[f"{side} electrode conductivity [S.m-1]"] = numbers["conductivity_S_per_m"]
        found[f"{side} electrode Bruggeman coefficient (electrode)"] = 0.0
    if thickness_um is not None:
        check_length(thickness_um, "thickness_um", doing=_DOING)
        if not _THICK_UM[0] <= thickness_um <= _THICK_UM[1]:
            raise ValueError(
                f"Cannot {_DOING} with thickness_um {thickness_um!r}: electrodes have {_THICK_UM[0]:g} to "
                f"{_THICK_UM[1]:g} µm. State it in µm, for instance 75.6."
            )
        found[f"{side} electrode thickness [m]"] = 1e-6 * float(thickness_um)
    return found


def check_choice(value: Any, name: str, known: Any, *, doing: str = _DOING) -> None:
    """Refuse what is none of the known names."""
    if value not in get_args(known):
        allowed = " and ".join(map(repr, get_args(known)))
        raise ValueError(f"Cannot {doing} with {name} {value!r}: allowed are {allowed}. Choose one of them.")


def _checked(structure: Any, radius: str) -> dict[str, float]:
    """Return numbers that a porous electrode can have."""
    given = structure.values if isinstance(structure, Microstructure) else structure
    if not isinstance(given, Mapping | pd.Series):
        raise TypeError(
            f"Cannot {_DOING} from a {type(structure).__name__}: the result of ct.model.microstructure(), "
            "one of its draws, or a mapping of names to numbers is needed. Labels are measured first, with "
            "ct.model.microstructure(labels, axis='z', column_um=10.0)."
        )
    missing = [name for name in (*_NEEDED, radius) if name not in given]
    if missing:
        how = "Pass depth_um to ct.model.microstructure()." if "particle_radius_um" in missing else "Add it."
        raise ValueError(
            f"Cannot {_DOING} without {', '.join(missing)}: {', '.join((*_NEEDED, radius))} are needed. {how}"
        )
    numbers = {}
    for name in [n for n in (*_NEEDED, radius, "conductivity_S_per_m") if n in given]:
        if not is_real(given[name]):
            raise TypeError(f"Cannot {_DOING} with {name} {given[name]!r}: a number is needed. Convert it.")
        numbers[name] = as_float(given[name])
    shares = numbers["porosity"], numbers["active_fraction"]
    bad = [name for name, number in numbers.items() if not (is_finite(number) and number > 0)]
    if bad or sum(shares) > 1 + 1e-9 or max(shares) >= 1 or numbers["tortuosity_factor"] < 1 - 1e-6:
        said = ", ".join(f"{name} {number:.4g}" for name, number in numbers.items())
        raise ValueError(
            f"Cannot {_DOING} from {said}: all must be finite and above zero, porosity and active fraction "
            "together at most 1, and a tortuosity factor is 1 or more. Fractions are not in percent."
        )
    if not _RADIUS_UM[0] <= numbers[radius] <= _RADIUS_UM[1]:
        raise ValueError(
            f"Cannot {_DOING} with {radius} {numbers[radius]:.4g} µm: particles of a battery have radii from "
            f"{_RADIUS_UM[0]:g} to {_RADIUS_UM[1]:g} µm. Check the voxel size of the labels: is it in µm?"
        )
    return numbers
