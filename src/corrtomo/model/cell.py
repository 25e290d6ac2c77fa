"""A cell of a published set, whose imaged electrode is another one, in PyBaMM."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

_DOING = "discharge a cell"
_OTHER = {"positive": "Negative", "negative": "Positive"}
# For cells whose electrolyte runs out of salt; PyBaMM's own are 1e-4 and 1e-6.
_FINER = {"rtol": 1e-6, "atol": 1e-8}


class Curve(NamedTuple):
    """One discharge: charge drawn in mAh/cm², and voltage, until the lower cut-off."""

    charge: npt.NDArray[np.float64]
    voltage: npt.NDArray[np.float64]


class Cell:
    """A cell of a published set, whose imaged electrode is another one."""

    def __init__(
        self, library: Any, parameter_set: str, model: str, electrode: str, numbers: dict[str, float]
    ) -> None:
        self._library, self._set, self._model = library, parameter_set, model
        known = _parameter_set(library, parameter_set)
        side, other = electrode.capitalize(), _OTHER[electrode]
        material = f"{side} electrode active material volume fraction"
        thick = f"{side} electrode thickness [m]"
        scale = numbers[material] / known[material] * numbers.get(thick, known[thick]) / known[thick]
        self._balance = {
            f"{other} electrode thickness [m]": scale * known[f"{other} electrode thickness [m]"]
        }
        pairs = known["Number of electrodes connected in parallel to make a cell"]
        self.area_cm2 = 1e4 * known["Electrode height [m]"] * known["Electrode width [m]"] * pairs
        self.one_c = scale * known["Nominal cell capacity [A.h]"]
        self.cut_off = float(known["Lower voltage cut-off [V]"])

    def curves(self, numbers: dict[str, float], rates: list[float]) -> list[Curve | RuntimeError]:
        """Return, for each rate, a curve or why there is none."""
        values = _parameter_set(self._library, self._set)
        values.update({**numbers, **self._balance, "Current function [A]": "[input]"})
        first = self._simulation(values, {})
        return [self._curve(first, values, rate) for rate in rates]

    def _simulation(self, values: Any, tolerances: dict[str, float]) -> Any:
        built = getattr(self._library.lithium_ion, self._model)()
        solver = self._library.IDAKLUSolver(**tolerances)
        return self._library.Simulation(built, parameter_values=values, solver=solver)

    def _curve(self, first: Any, values: Any, rate: float) -> Curve | RuntimeError:
        words = {"inputs": {"Current function [A]": rate * self.one_c}}
        try:
            try:
                solution = first.solve([0, 2 * 3600 / rate], **words)
            except self._library.SolverError:
                solution = self._simulation(values, _FINER).solve([0, 2 * 3600 / rate], **words)
        except self._library.SolverError as error:
            return RuntimeError(
                f"Cannot {_DOING} at {rate:g} C: PyBaMM finds no solution ({str(error)[:120]}). Lower the "
                "rate, or check the numbers with ct.model.pybamm_parameters()."
            )
        return self._read(solution, rate)

    def _read(self, solution: Any, rate: float) -> Curve | RuntimeError:
        charge = np.asarray(solution["Discharge capacity [A.h]"].entries, float) * 1e3 / self.area_cm2
        voltage = np.asarray(solution["Voltage [V]"].entries, float)
        if not voltage[-1] <= self.cut_off + 0.01:
            return RuntimeError(
                f"Cannot {_DOING} at {rate:g} C: after twice the time it should take, the voltage is "
                f"{voltage[-1]:.3g} V, and the cut-off {self.cut_off:g} V is not reached. Check the numbers."
            )
        return Curve(charge, voltage)


def _parameter_set(library: Any, name: str) -> Any:
    known = sorted(library.parameter_sets)
    if name not in known:
        raise ValueError(
            f"Cannot {_DOING} with parameter_set {name!r}: PyBaMM has no set of that name. It has "
            f"{', '.join(known)}. Choose one of a lithium-ion cell, for instance 'Chen2020'."
        )
    return library.ParameterValues(name)
