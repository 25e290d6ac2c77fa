"""Discharge curves of a cell with the imaged electrode, and how sure the picture makes them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from tqdm import tqdm

from ..checks import is_finite
from ..measure.options import as_float, check_between, check_whole, is_real
from .cell import Cell, Curve
from .library import pybamm
from .microstructure import Microstructure
from .pybamm_parameters import Electrode, Radius, check_choice, pybamm_parameters

ModelName = Literal["DFN", "SPMe", "SPM"]
_DOING = "discharge a cell"
_POINTS = 200
_RATES = (0.01, 20.0)


class Discharge(NamedTuple):
    """Discharge curves with what the uncertainty of the picture does to them.

    ``curves`` has columns ``c_rate``, ``capacity_mAh_per_cm2`` (drawn so far), ``voltage_V``, ``low_V``,
    ``high_V``; ``capacities`` a row for each rate: ``c_rate``, ``current_mA_per_cm2``,
    ``capacity_mAh_per_cm2``, ``low``, ``high``, ``samples`` (draws with a curve), ``failed`` (without). Draws
    without a curve are named in ``attrs["failed"]`` of both. ``draws`` has a row for each draw and rate:
    ``draw``, its row in the draws of the structure, ``c_rate``, ``capacity_mAh_per_cm2`` (NaN where there is
    no curve) and ``failed``, why not, or "". ``about`` tells model, parameters and versions.
    """

    curves: pd.DataFrame
    capacities: pd.DataFrame
    draws: pd.DataFrame
    about: str


def discharge(
    structure: Microstructure,
    c_rates: Sequence[float] = (0.5, 1.0, 2.0),
    *,
    electrode: Electrode = "positive",
    radius: Radius = "surface",
    thickness_um: float | None = None,
    parameter_set: str = "Chen2020",
    model: ModelName = "DFN",
    samples: int = 20,
    level: float = 0.9,
    seed: int = 0,
    progress: bool = True,
) -> Discharge:
    """Discharge a cell that has the imaged electrode, once for the picture and once for each of some draws.

    What is not in the picture is taken from a published set: the other electrode, the electrolyte, kinetics
    and open-circuit voltages. How far the curves of the draws lie apart is what the picture leaves open.

    Parameters
    ----------
    structure : Microstructure
        From :func:`microstructure`.
    c_rates : sequence of float
        Rates, 0.01 to 20. At 1 C the current is that of the set, over the same area, times the active
        material of the picture over that of the set.
    electrode, radius, thickness_um
        As for :func:`pybamm_parameters`; by default the electrode is as thick as in the set.
    parameter_set : str
        A set of PyBaMM: ``"Chen2020"`` is NMC 811 against graphite with silicon.
    model : {"DFN", "SPMe", "SPM"}
        Porous-electrode model, or a single particle with or without electrolyte.
    samples : int
        How many draws, from 2 to 1000, and no more than `structure` has.
    level : float
        Share of draws between ``low`` and ``high``, from 0.5 to 0.99.
    seed : int
        Of the choice of draws.
    progress : bool
        Whether a bar is shown when it takes longer than some seconds.

    Returns
    -------
    Discharge
        Curves and capacities.

    Raises
    ------
    ImportError
        If PyBaMM is not installed.
    TypeError
        If `structure` is no result of :func:`microstructure`, or an option is no number.
    ValueError
        If an option is out of range, or the set is not known.
    RuntimeError
        If PyBaMM finds no curve for the picture.

    Warns
    -----
    UserWarning
        If there is no curve for some draws at some rates.

    Notes
    -----
    All draws see the current of the picture, as a cell does. The model is not linear: at high rates the curve
    of the picture may lie above most of the draws. The other electrode is made thicker or thinner
    so that the balance of the set is kept. Ends are percentiles of the draws; where a draw has reached the
    cut-off its voltage is that of the cut-off. Where the solver stops, mostly as the electrolyte runs out of
    salt, it is asked once more with finer tolerances. A draw that still has no curve at a rate is left out at
    that rate alone, counted and named: it need not be like the others, so that ends may then be off. Where
    more than half are missing there are no ends (NaN). What the set itself leaves open is in no interval:
    kinetics and diffusivities are often known to a factor, not to percent.

    References
    ----------
    Chen et al., J. Electrochem. Soc. 167, 080534 (2020), doi:10.1149/1945-7111/ab9050. Sulzer et al., J. Open
    Res. Softw. 9, 14 (2021), doi:10.5334/jors.309.
    """
    check_choice(electrode, "electrode", Electrode, doing=_DOING)
    check_choice(model, "model", ModelName, doing=_DOING)
    rates = _check_rates(c_rates)
    if not isinstance(structure, Microstructure):
        raise TypeError(
            f"Cannot {_DOING} from a {type(structure).__name__}: the result of ct.model.microstructure() is "
            "needed, whose draws say how sure the picture is. For numbers alone take "
            "ct.model.pybamm_parameters() and PyBaMM itself."
        )
    count = check_whole(samples, "samples", 2, doing=_DOING, most=min(1000, len(structure.draws)))
    share = check_between(level, "level", 0.5, 0.99, doing=_DOING)
    rng = np.random.default_rng(check_whole(seed, "seed", 0, doing=_DOING))
    library = pybamm(doing=_DOING)
    rows = structure.draws.iloc[np.sort(rng.choice(len(structure.draws), count, replace=False))]
    options: dict[str, Any] = {"electrode": electrode, "radius": radius, "thickness_um": thickness_um}
    numbers = [structure.values, *(row for _, row in rows.iterrows())]
    inputs = [pybamm_parameters(row, **options) for row in numbers]
    cell = Cell(library, parameter_set, model, electrode, inputs[0])
    first = cell.curves(inputs[0], rates)
    own = [curve for curve in first if isinstance(curve, Curve)]
    if len(own) < len(rates):
        raise RuntimeError(" ".join(str(found) for found in first if isinstance(found, RuntimeError)))
    bar = tqdm(inputs[1:], desc="discharge", unit="cell", delay=5, disable=not progress)
    found = [cell.curves(parameters, rates) for parameters in bar]
    draws = _table(rows.index, rates, found)
    _warn(draws, rates)
    curves, capacities = _summary(cell, rates, own, found, share)
    for table in (curves, capacities):
        table.attrs["failed"] = [
            f"draw {draw}: {why}" for draw, why in zip(draws.draw, draws.failed, strict=True) if why
        ]
    version = f"{model} of PyBaMM {library.__version__}"
    about = f"{version} with {parameter_set}, {electrode} electrode from the picture"
    return Discharge(curves, capacities, draws, about)


def _table(draws: pd.Index[Any], rates: list[float], found: list[list[Curve | RuntimeError]]) -> pd.DataFrame:
    """Return a row for each draw and rate: how much it gives, or why there is no curve."""
    rows = []
    for draw, curves in zip(draws, found, strict=True):
        for rate, curve in zip(rates, curves, strict=True):
            good = isinstance(curve, Curve)
            capacity = float(curve.charge[-1]) if isinstance(curve, Curve) else np.nan
            row = {"draw": draw, "c_rate": rate, "capacity_mAh_per_cm2": capacity}
            rows.append(row | {"failed": "" if good else str(curve)})
    return pd.DataFrame(rows)


def _warn(draws: pd.DataFrame, rates: list[float]) -> None:
    missing = draws[draws.failed != ""]
    counts = {rate: int((missing.c_rate == rate).sum()) for rate in rates}
    if len(missing):
        said = ", ".join(f"{count} at {rate:g} C" for rate, count in counts.items() if count)
        warnings.warn(
            f"Of {draws.draw.nunique()} draws some have no curve: {said}. Intervals at that rate are "
            'those of the others. Which ones and why stands in draws, and in attrs["failed"] of both tables.',
            stacklevel=3,
        )


def _summary(
    cell: Cell,
    rates: list[float],
    own: list[Curve],
    found: list[list[Curve | RuntimeError]],
    share: float,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return curves and capacities with their ends; these are NaN where most draws have no curve."""
    ends, curves, capacities = [(1 - share) / 2, (1 + share) / 2], [], []
    for k, rate in enumerate(rates):
        others = [some[k] for some in found]
        good = [curve for curve in others if isinstance(curve, Curve)]
        last = np.array([curve.charge[-1] for curve in good])
        grid = np.linspace(0, max([own[k].charge[-1], *last]), _POINTS)
        low, high, least, most = (*np.full((2, _POINTS), np.nan), np.nan, np.nan)
        if 2 * len(good) >= len(others):
            volts = np.stack([_at(grid, curve, cell.cut_off) for curve in good])
            low, high = np.quantile(volts, ends, axis=0)
            least, most = map(float, np.quantile(last, ends))
        line = {"c_rate": rate, "capacity_mAh_per_cm2": grid, "voltage_V": _at(grid, own[k], cell.cut_off)}
        curves.append(pd.DataFrame(line | {"low_V": low, "high_V": high}))
        row = {"c_rate": rate, "current_mA_per_cm2": 1e3 * rate * cell.one_c / cell.area_cm2}
        row |= {"capacity_mAh_per_cm2": float(own[k].charge[-1]), "low": least, "high": most}
        capacities.append(row | {"samples": len(good), "failed": len(others) - len(good)})
    return pd.concat(curves, ignore_index=True), pd.DataFrame(capacities)


def _at(grid: npt.NDArray[np.float64], curve: Curve, cut_off: float) -> npt.NDArray[np.float64]:
    """Return the voltage at some charges: the cut-off where the cell is empty."""
    return np.interp(grid, curve.charge, curve.voltage, right=cut_off)


def _check_rates(c_rates: Any) -> list[float]:
    if isinstance(c_rates, str) or np.ndim(c_rates) != 1 or len(c_rates) == 0:
        raise TypeError(
            f"Cannot {_DOING} with c_rates {c_rates!r}: a sequence of rates is needed, as (0.5, 1.0)."
        )
    if not all(is_real(rate) for rate in c_rates):
        raise TypeError(f"Cannot {_DOING} with c_rates {c_rates!r}: rates are numbers, as (0.5, 1.0).")
    rates = [as_float(rate) for rate in c_rates]
    if not all(is_finite(r) and _RATES[0] <= r <= _RATES[1] for r in rates) or len(set(rates)) < len(rates):
        raise ValueError(
            f"Cannot {_DOING} with c_rates {c_rates!r}: different rates from {_RATES[0]:g} to {_RATES[1]:g} "
            "are needed. At 1 C the cell is empty in about an hour."
        )
    return rates
