"""Discharge curves: against a stand-in for PyBaMM, and with PyBaMM where it is installed."""

import importlib
import inspect

import numpy as np
import pandas as pd
import pytest

import corrtomo as ct

from . import fake_pybamm


def structure(count=50, *, spread=0.02, seed=0):
    """Numbers of an electrode, and draws that scatter by a share."""
    values = pd.Series(
        {
            "porosity": 0.35,
            "active_fraction": 0.5,
            "tortuosity_factor": 2.0,
            "surface_per_um": 0.3,
            "surface_radius_um": 5.0,
        }
    )
    factors = 1 + spread * np.random.default_rng(seed).normal(size=(count, len(values)))
    return ct.model.Microstructure(
        values, pd.DataFrame(factors * values.to_numpy(), columns=values.index), 12
    )


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch):
    real = importlib.import_module
    monkeypatch.setattr(
        importlib, "import_module", lambda name, *more: fake_pybamm if name == "pybamm" else real(name, *more)
    )
    monkeypatch.setattr(fake_pybamm.Simulation, "seen", [])
    return fake_pybamm


def test_the_cell_is_that_of_the_set_with_the_electrode_of_the_picture(fake) -> None:
    found = ct.model.discharge(structure(), (0.5, 1.0), samples=10, thickness_um=40.0)
    first = fake.Simulation.seen[0]
    assert first["Positive electrode thickness [m]"] == pytest.approx(40e-6)
    # Balance: 0.5 × 40 of active material for 0.6 × 80, so the other side is as much thinner.
    assert first["Negative electrode thickness [m]"] == pytest.approx(90e-6 * 0.5 * 40 / (0.6 * 80))
    assert len(fake.Simulation.seen) == 11
    one_c = 4.8 * 0.5 * 40 / (0.6 * 80)
    row = found.capacities.iloc[1]
    assert row.current_mA_per_cm2 == pytest.approx(1e3 * one_c / 1000)
    assert row.capacity_mAh_per_cm2 == pytest.approx(one_c / (1 + 0.01 * one_c))
    assert found.about == "DFN of PyBaMM 0.0 with Chen2020, positive electrode from the picture"


def test_the_picture_is_carried_into_the_curves(fake) -> None:
    several = [ct.model.discharge(structure(spread=s), (1.0,), samples=40) for s in (0.01, 0.04)]
    widths = [float((d.capacities.high - d.capacities.low).iloc[0]) for d in several]
    assert widths[1] == pytest.approx(4 * widths[0], rel=1e-6)
    curves = several[1].curves
    assert list(curves) == ["c_rate", "capacity_mAh_per_cm2", "voltage_V", "low_V", "high_V"]
    assert (curves.low_V <= curves.high_V).all()
    assert curves.voltage_V.iloc[-1] == 2.5
    row = several[1].capacities.iloc[0]
    assert row.low < row.capacity_mAh_per_cm2 < row.high
    again = ct.model.discharge(structure(spread=0.04), (1.0,), samples=40)
    assert again.curves.equals(curves)
    other = ct.model.discharge(structure(spread=0.04), (1.0,), samples=30, seed=1)
    assert not other.capacities.equals(several[1].capacities)


def failing(fake, monkeypatch, fails) -> None:
    monkeypatch.setattr(fake.Simulation, "fails", staticmethod(fails))


def test_a_draw_that_fails_at_one_rate_is_kept_at_the_others(fake, monkeypatch: pytest.MonkeyPatch) -> None:
    made = structure()
    whole = ct.model.discharge(made, (1.0, 4.0), samples=50)
    fifth = made.draws.porosity.sort_values().iloc[9]
    worst = made.draws.index[made.draws.porosity <= fifth]
    failing(fake, monkeypatch, lambda v, amps, _: amps > 10 and v["Positive electrode porosity"] <= fifth)
    with pytest.warns(UserWarning, match="Of 50 draws some have no curve: 10 at 4 C"):
        found = ct.model.discharge(made, (1.0, 4.0), samples=50)
    assert found.capacities.iloc[0].equals(whole.capacities.iloc[0])  # 1 C has lost nothing
    assert found.capacities.samples.tolist() == [50, 40]
    assert found.capacities.failed.tolist() == [0, 10]
    missing = found.draws[found.draws.capacity_mAh_per_cm2.isna()]
    assert set(missing.draw) == set(worst)
    assert set(missing.c_rate) == {4.0}
    assert missing.failed.str.contains("at 4 C: PyBaMM finds no solution").all()
    assert (found.draws.failed == "").sum() == len(found.draws) - 10 == 90
    for table in (found.curves, found.capacities):
        assert len(table.attrs["failed"]) == 10
        assert table.attrs["failed"][0].startswith(f"draw {worst[0]}: Cannot discharge a cell at 4 C")
    kept = made.draws.index.difference(worst)
    last = whole.draws[(whole.draws.c_rate == 4) & whole.draws.draw.isin(kept)].capacity_mAh_per_cm2
    ends = np.quantile(last, [0.05, 0.95])
    assert found.capacities[["low", "high"]].iloc[1].tolist() == pytest.approx(ends)


def test_without_failures_nothing_is_said(fake) -> None:
    found = ct.model.discharge(structure(), (1.0, 2.0), samples=5)
    assert found.capacities.attrs["failed"] == found.curves.attrs["failed"] == []
    assert (found.draws.groupby("c_rate").size() == 5).all()
    assert (found.draws.failed == "").all()
    ends = np.quantile(found.draws[found.draws.c_rate == 2.0].capacity_mAh_per_cm2, [0.05, 0.95])
    assert found.capacities[["low", "high"]].iloc[1].tolist() == pytest.approx(ends)


def test_where_most_fail_there_are_no_ends(fake, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(fake, monkeypatch, lambda v, *_: v["Positive electrode porosity"] != 0.35)
    with pytest.warns(UserWarning, match="50 at 1 C"):
        found = ct.model.discharge(structure(), (1.0,), samples=50)
    row = found.capacities.iloc[0]
    assert row[["low", "high"]].isna().all()
    assert np.isfinite(row.capacity_mAh_per_cm2)
    assert found.curves[["low_V", "high_V"]].isna().all(axis=None)
    assert found.curves.voltage_V.notna().all()


def test_what_fails_is_solved_once_more_with_finer_tolerances(fake, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = ct.model.discharge(structure(), (1.0,), samples=5)
    failing(fake, monkeypatch, lambda values, amps, tolerances: tolerances.get("rtol", 1e-4) > 1e-5)
    again = ct.model.discharge(structure(), (1.0,), samples=5)
    assert again.capacities.equals(whole.capacities)


def test_a_picture_without_a_curve_is_refused(fake, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(fake, monkeypatch, lambda values, amps, _: amps > 10)
    with pytest.raises(RuntimeError, match=r"at 4 C: PyBaMM finds no solution \(IDA_CONV_FAIL\)"):
        ct.model.discharge(structure(), (1.0, 4.0), samples=5)


def test_a_cell_that_does_not_come_to_its_end_is_refused(fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(fake.SET, "Lower voltage cut-off [V]", 2.0)
    with pytest.raises(RuntimeError, match="the cut-off 2 V is not reached"):
        ct.model.discharge(structure(), (1.0,), samples=5)


@pytest.mark.parametrize(
    ("words", "match"),
    [
        ({"c_rates": 1.0}, "a sequence of rates"),
        ({"c_rates": ()}, "a sequence of rates"),
        ({"c_rates": (0.0,)}, "from 0.01 to 20"),
        ({"c_rates": (1.0, 1.0)}, "different rates"),
        ({"c_rates": (np.nan,)}, "from 0.01 to 20"),
        ({"c_rates": ("1",)}, "rates are numbers"),
        ({"c_rates": (None, True)}, "rates are numbers"),
        ({"electrode": "both"}, "electrode 'both'"),
        ({"model": "P2D"}, "model 'P2D'"),
        ({"samples": 1}, "samples=1"),
        ({"samples": 51}, "samples=51"),
        ({"level": 95}, "level 95"),
        ({"seed": -1}, "seed=-1"),
        ({"parameter_set": "Chen"}, "parameter_set 'Chen'.*Chen2020, Marquis2019"),
        ({"radius": "particles"}, "without particle_radius_um"),
    ],
)
def test_refusals(fake, words, match) -> None:
    with pytest.raises((ValueError, TypeError), match=match):
        ct.model.discharge(structure(), **words)


def test_what_has_no_draws_is_refused(fake) -> None:
    with pytest.raises(TypeError, match="from a Series"):
        ct.model.discharge(structure().values)


def test_pybamm_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(ImportError, match=r"pip install \"corrtomo\[model\]\""):
        ct.model.discharge(structure())


def test_the_set_itself_is_found_again_with_pybamm() -> None:
    """Where PyBaMM is installed: the numbers of a set give the curve of that set."""
    pybamm = pytest.importorskip("pybamm")
    known = pybamm.ParameterValues("Chen2020")
    side = "Positive electrode"
    porosity = known[f"{side} porosity"]
    values = pd.Series(
        {
            "porosity": porosity,
            "active_fraction": known[f"{side} active material volume fraction"],
            "tortuosity_factor": porosity ** (1 - known[f"{side} Bruggeman coefficient (electrolyte)"]),
            "surface_radius_um": 1e6 * known["Positive particle radius [m]"],
        }
    )
    same = ct.model.Microstructure(values, pd.DataFrame([values, values]), 12)
    found = ct.model.discharge(same, (1.0,), samples=2, model="SPMe").capacities.iloc[0]
    simulation = pybamm.Simulation(pybamm.lithium_ion.SPMe(), parameter_values=known, C_rate=1)
    charge = simulation.solve([0, 7200])["Discharge capacity [A.h]"].entries[-1]
    area = 1e4 * known["Electrode height [m]"] * known["Electrode width [m]"]
    assert found.capacity_mAh_per_cm2 == pytest.approx(1e3 * charge / area, rel=1e-4)
    assert found.high == pytest.approx(found.low)


def test_a_thicker_electrode_gives_more_with_pybamm() -> None:
    """Where PyBaMM is installed: all rates and draws are there, and slow discharge uses the material."""
    pytest.importorskip("pybamm")
    made = structure(spread=0.01)
    thin, thick = (
        ct.model.discharge(made, (0.2, 1.0), samples=2, model="SPMe", thickness_um=um, progress=False)
        for um in (40.0, 80.0)
    )
    capacities = [found.capacities.capacity_mAh_per_cm2 for found in (thin, thick)]
    assert capacities[1][0] == pytest.approx(2 * capacities[0][0], rel=0.02)
    assert (thick.capacities.low <= thick.capacities.high).all()
    assert thick.draws.capacity_mAh_per_cm2.notna().all()
    assert thick.curves.voltage_V.between(2.49, 4.4).all()


def test_the_stand_in_asks_nothing_that_pybamm_lacks() -> None:
    """Where PyBaMM is installed: what the stand-in answers to, PyBaMM answers to as well."""
    pybamm = pytest.importorskip("pybamm")
    assert set(fake_pybamm.SET) <= set(pybamm.ParameterValues("Chen2020").keys())
    assert "Chen2020" in list(pybamm.parameter_sets)
    assert issubclass(pybamm.SolverError, Exception)
    for made, names in (
        (pybamm.Simulation, {"parameter_values", "solver"}),
        (pybamm.Simulation.solve, {"t_eval", "inputs"}),
        (pybamm.IDAKLUSolver, {"rtol", "atol"}),
    ):
        assert names <= set(inspect.signature(made).parameters)
    assert all(hasattr(pybamm.lithium_ion, name) for name in vars(fake_pybamm.lithium_ion))
    variables = pybamm.lithium_ion.SPM().variables
    assert {"Discharge capacity [A.h]", "Voltage [V]"} <= set(variables.keys())
