"""The curves shown where PyBaMM is missing: they belong together, and it is said where they are from."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import corrtomo as ct

STORE = Path(ct.__file__).parents[2] / "data" / "cell-to-particle"


@pytest.fixture(scope="module")
def stored() -> dict[str, pd.DataFrame]:
    return {path.stem: pd.read_csv(path) for path in STORE.glob("*.csv")}


def test_capacities_are_those_of_the_draws_and_the_curves(stored) -> None:
    draws, capacities = stored["draws"], stored["capacities"].set_index("c_rate")
    assert list(capacities.index) == [0.5, 1.0, 2.0, 4.0]
    for rate, row in capacities.iterrows():
        of_rate = draws[draws.c_rate == rate]
        good = of_rate.capacity_mAh_per_cm2.dropna()
        assert (row.samples, row.failed) == (len(good), len(of_rate) - len(good))
        assert (row.low, row.high) == pytest.approx(np.quantile(good, [0.05, 0.95]), rel=1e-4)
        curve = stored["curves"][stored["curves"].c_rate == rate]
        assert (
            np.interp(row.capacity_mAh_per_cm2, *curve[["capacity_mAh_per_cm2", "voltage_V"]].T.values) < 2.6
        )
        assert (curve.low_V <= curve.high_V + 1e-6).all()
        assert (curve.voltage_V.diff().dropna() <= 1e-6).all()


def test_a_faster_discharge_gives_less(stored) -> None:
    assert (stored["capacities"].capacity_mAh_per_cm2.diff().dropna() < 0).all()


def test_parameters_can_be_and_have_pybamms_names(stored) -> None:
    values = stored["parameters"].set_index(stored["parameters"].columns[0])["value"]
    shares = values.filter(regex="porosity|volume fraction")
    assert len(shares) == 2
    assert 0.5 < shares.sum() <= 1
    numbers = {"porosity": 0.4, "active_fraction": 0.5, "tortuosity_factor": 2.0, "surface_radius_um": 5.0}
    known = ct.model.pybamm_parameters(numbers | {"conductivity_S_per_m": 1.0})
    assert set(values.index) == set(known)


def test_it_is_said_how_they_were_made() -> None:
    about = (STORE / "about.txt").read_text()
    readme = (STORE.parent / "README.md").read_text()
    version = about.split("PyBaMM ")[1].split()[0]
    assert f"PyBaMM {version}" in readme
    for path in STORE.iterdir():
        assert f"`{path.name}`" in readme
