"""Fractions from the scales: what mass loading, thickness and densities say without a microscope."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

PORE = "pore"
_UM_PER_CM = 1e4
_MG_PER_G = 1e3
_WHOLE = 0.5
_ROUNDING = 1e-9
_DENSEST = 23.0
"""g/cm³: osmium, the densest of all elements, has 22.6."""


def fractions_from_loading(
    thickness_um: float,
    loading_mg_per_cm2: float,
    *,
    mass_percent: Mapping[str, float],
    density_g_per_cm3: Mapping[str, float],
) -> pd.DataFrame:
    """Compute volume fractions and porosity of an electrode from its mass and thickness.

    The X-ray and FIB-SEM paper holds the segmented fractions against these (Sci. Rep. 6, 30109, "Sample
    Preparation" and "Ternary Segmentation of a Representative Xt Dataset").

    Parameters
    ----------
    thickness_um : float
        Thickness of the dry film without collector, in µm.
    loading_mg_per_cm2 : float
        Mass of the dry film by area of the electrode.
    mass_percent : mapping of str to float
        Share of each component in the mass; together 100.
    density_g_per_cm3 : mapping of str to float
        Density of each component, by the same names.

    Returns
    -------
    pandas.DataFrame
        A row for each component and one for ``"pore"``: ``mass_percent``, ``density_g_per_cm3`` and
        ``volume_percent``.

    Raises
    ------
    TypeError, ValueError
        If a number is not finite and above zero, names do not agree, the masses do not add up to 100 within
        half a percent, or the solids need more room than there is.

    Notes
    -----
    The porosity is what is left: 1 % of thickness is 1 % of the solid, and about half a point of a porosity
    of 50 %. A density that is assumed is an uncertainty of the same kind. The paper prints no densities:
    its 35.6 and 11.2 vol% need 4.40 and 1.56 g/cm³ (:func:`implied_densities`). With a crystal of LiMn2O4,
    4.28, carbon black, 1.8, carboxymethyl cellulose, 1.6, and rubber, 1.0 g/cm³, they are 36.6 and 10.7 vol%
    and the porosity 52.7 instead of 53.3 vol%.

    Examples
    --------
    >>> import corrtomo as ct
    >>> table = ct.measure.fractions_from_loading(
    ...     100.0, 20.0, mass_percent={"solid": 100.0}, density_g_per_cm3={"solid": 4.0}
    ... )
    >>> table.volume_percent.to_dict()
    {'solid': 50.0, 'pore': 50.0}
    """
    doing = "compute fractions from the mass loading"
    _check_film(thickness_um, loading_mg_per_cm2, mass_percent, doing)
    _check_numbers(density_g_per_cm3, "density_g_per_cm3", doing)
    if set(density_g_per_cm3) != set(mass_percent):
        raise ValueError(
            f"Cannot {doing}: masses are given of {sorted(mass_percent)} and densities of "
            f"{sorted(density_g_per_cm3)}. The same names are needed in both."
        )
    _check_densities(density_g_per_cm3, "density_g_per_cm3 is given in g/cm³, not kg/m³", doing)
    film = _film_density(thickness_um, loading_mg_per_cm2)
    table = pd.DataFrame(
        {"mass_percent": pd.Series(mass_percent), "density_g_per_cm3": pd.Series(density_g_per_cm3)}
    ).loc[list(mass_percent)]
    table["volume_percent"] = table.mass_percent * film / table.density_g_per_cm3
    solid = float(table.volume_percent.sum())
    if solid > 100:
        raise ValueError(
            f"Cannot {doing}: the solids fill {solid:.1f} % of the film, and at most 100 % fit. Check the "
            "unit of the thickness (µm), of the loading (mg/cm²) and of the densities (g/cm³)."
        )
    table.loc[PORE] = [0.0, np.nan, 100.0 - solid]
    return table.rename_axis("component")


def implied_densities(
    thickness_um: float,
    loading_mg_per_cm2: float,
    *,
    mass_percent: Mapping[str, float],
    volume_percent: Mapping[str, float],
) -> pd.Series[float]:
    """Compute the densities that stated volume fractions imply: what a paper assumed and did not print.

    Parameters
    ----------
    thickness_um, loading_mg_per_cm2, mass_percent
        As for :func:`fractions_from_loading`.
    volume_percent : mapping of str to float
        Stated volume fraction of each component.

    Returns
    -------
    pandas.Series
        Density in g/cm³ by component.

    Raises
    ------
    TypeError, ValueError
        As for :func:`fractions_from_loading`; also if the volumes add up to more than 100 %.

    Notes
    -----
    As rounded as what is printed: half a digit of 11.2 vol% is 0.007 g/cm³ of its 1.556. All densities scale
    with loading over thickness, so that an error of either moves them together; their ratio stays.

    Examples
    --------
    >>> import corrtomo as ct
    >>> shares = {"mass_percent": {"solid": 100.0}, "volume_percent": {"solid": 50.0}}
    >>> float(ct.measure.implied_densities(100.0, 20.0, **shares)["solid"])
    4.0
    """
    doing = "compute implied densities"
    _check_film(thickness_um, loading_mg_per_cm2, mass_percent, doing)
    _check_numbers(volume_percent, "volume_percent", doing)
    if set(volume_percent) != set(mass_percent):
        raise ValueError(
            f"Cannot {doing}: masses are given of {sorted(mass_percent)} and volumes of "
            f"{sorted(volume_percent)}. The same names are needed in both."
        )
    if sum(volume_percent.values()) > 100 + _ROUNDING:
        raise ValueError(
            f"Cannot {doing}: the volumes add up to {sum(volume_percent.values()):g} %, and 100 % at most "
            "fit. Give the volume percent of the whole film, pores included in the 100."
        )
    film = _film_density(thickness_um, loading_mg_per_cm2)
    found = {name: mass * film / volume_percent[name] for name, mass in mass_percent.items()}
    _check_densities(found, "volumes are given in percent, not as shares", doing)
    return pd.Series(found, name="density (g/cm³)")


def cbd_porosity(domain_percent: float, *, expected_percent: float, measured_percent: float) -> float:
    """Compute how porous the carbon binder domain must be, if the porosity of the electrode is known.

    X-ray tomography cannot see the pores inside the domain, so what it calls domain holds those that it
    misses (Sci. Rep. 6, 30109, "Ternary Segmentation of a Representative Xt Dataset").

    Parameters
    ----------
    domain_percent : float
        Volume fraction of what is segmented as carbon binder domain, in vol%.
    expected_percent : float
        Porosity of the electrode from the scales, in vol%, from :func:`fractions_from_loading`.
    measured_percent : float
        Volume fraction of what is segmented as pore, in vol%.

    Returns
    -------
    float
        Porosity of the domain in %: 100 (expected - measured) / domain.

    Raises
    ------
    TypeError, ValueError
        If a number is not finite and above zero, the fractions add up to more than 100 vol%, or the pores
        that are missed are none or do not fit into the domain.

    Notes
    -----
    Holds where the active material is measured as the scales say: an excess of it is taken from pores and
    binder together. With the paper's numbers this is 77.2 %, between 76.9 and 77.6 % for what they may have
    been before they were rounded: the printed 77.0 %. The solid over the domain, 1 - 11.2 / 36.9, would leave
    69.6 %; the two differ by the 2.7 vol% of active material that is measured too much, and by the 0.1 that
    the expected fractions have above 100.

    The printed 62.7 % for the resolution of FIB-SEM is not determined by the text. "18.5 % of the pore volume
    not detected" can be taken off the porosity, 77.0 (1 - 0.185) = 62.8 %, or off the domain,
    1 - 11.2 / (36.9 (1 - 0.185)) = 62.8 %: both are 62.7 % within rounding. Taken as it is worded, FIB-SEM
    sees 24.8 / (1 - 0.185) = 30.4 vol% pores and a domain of 31.3 vol%, whose porosity is 73.1 % from what is
    still missed, or 64.2 % from its solid. What is missing is of which volume 18.5 % is a share, and whether
    the solid is that of the scales.

    Examples
    --------
    >>> import corrtomo as ct
    >>> round(ct.measure.cbd_porosity(36.9, expected_percent=53.3, measured_percent=24.8), 1)
    77.2
    """
    doing = "compute the porosity of the binder"
    given = {
        "domain_percent": domain_percent,
        "expected_percent": expected_percent,
        "measured_percent": measured_percent,
    }
    _check_numbers(given, "fraction", doing)
    missed = expected_percent - measured_percent
    too_much = domain_percent + measured_percent > 100 + _ROUNDING or missed > domain_percent + _ROUNDING
    if too_much or missed < 0:
        raise ValueError(
            f"Cannot {doing} from {given}: the pores that are missed, {missed:g} vol%, must be none or more "
            "and fit into the domain, and domain and pores into 100 vol%. Check which phase was measured."
        )
    return 100 * missed / domain_percent


def sub_resolution_share(expected_percent: float, *, measured_percent: float) -> float:
    """Compute what share of the pore volume a segmentation does not see.

    Parameters
    ----------
    expected_percent : float
        Porosity from the scales, in vol%.
    measured_percent : float
        Porosity of the segmentation, in vol%.

    Returns
    -------
    float
        100 (expected - measured) / expected, in %; negative where more is measured than there is.

    Raises
    ------
    TypeError, ValueError
        If a number is not finite and above zero, or above 100.

    Examples
    --------
    >>> import corrtomo as ct
    >>> round(ct.measure.sub_resolution_share(53.3, measured_percent=24.8), 1)
    53.5
    """
    doing = "compute the unseen share of the pores"
    both = {"expected_percent": expected_percent, "measured_percent": measured_percent}
    _check_numbers(both, "porosity", doing)
    if max(both.values()) > 100:
        raise ValueError(f"Cannot {doing} from {both}: a porosity is at most 100 vol%. Is one a thickness?")
    return 100 * (expected_percent - measured_percent) / expected_percent


def _film_density(thickness_um: float, loading_mg_per_cm2: float) -> float:
    """Return the mass of the film by its volume, pores included, in g/cm³."""
    return (loading_mg_per_cm2 / _MG_PER_G) / (thickness_um / _UM_PER_CM)


def _check_film(thickness_um: Any, loading: Any, mass_percent: Any, doing: str) -> None:
    _check_numbers({"thickness_um": thickness_um, "loading_mg_per_cm2": loading}, "film", doing)
    _check_numbers(mass_percent, "mass_percent", doing)
    total = sum(mass_percent.values())
    if abs(total - 100) > _WHOLE:
        raise ValueError(
            f"Cannot {doing}: the masses add up to {total:g} %, and 100 % are needed. Name every component "
            "of the dry film."
        )
    if PORE in mass_percent:
        raise ValueError(f"Cannot {doing}: a pore has no mass. Leave {PORE!r} out; it is what remains.")


def _check_densities(densities: Mapping[str, float], hint: str, doing: str) -> None:
    for name, density in densities.items():
        if density > _DENSEST:
            raise ValueError(
                f"Cannot {doing}: {name} would weigh {density:.4g} g/cm³, and no matter is denser than "
                f"{_DENSEST:g}. Check that {hint}."
            )


def _check_numbers(values: Any, what: str, doing: str) -> None:
    if not isinstance(values, Mapping):
        raise TypeError(
            f"Cannot {doing} with {what} {values!r}: a number for each component, by its name, is needed. "
            "Pass for instance {'AM': 90.0, 'CBD': 10.0}."
        )
    for name, value in values.items():
        if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
            raise TypeError(f"Cannot {doing} with {what} {name} {value!r}: a number is needed.")
        if not 0 < float(value) < np.inf:
            raise ValueError(
                f"Cannot {doing} with {what} {name} {value!r}: it must be finite and above zero. Check its "
                "unit."
            )
