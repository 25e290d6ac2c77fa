"""Names, units and refusals of what is handed to PyBaMM; and PyBaMM itself, where it is installed."""

import numpy as np
import pandas as pd
import pytest

import corrtomo as ct

NUMBERS = {
    "porosity": 0.36,
    "active_fraction": 0.55,
    "tortuosity_factor": 1.9,
    "surface_radius_um": 4.0,
    "particle_radius_um": 5.0,
    "conductivity_S_per_m": 0.2,
}


def test_bruggeman_gives_back_the_tortuosity_factor() -> None:
    made = ct.model.pybamm_parameters(NUMBERS)
    power = made["Positive electrode Bruggeman coefficient (electrolyte)"]
    assert 0.36**power == pytest.approx(0.36 / 1.9)
    assert ct.model.pybamm_parameters(NUMBERS | {"tortuosity_factor": 1.0})[
        "Positive electrode Bruggeman coefficient (electrolyte)"
    ] == pytest.approx(1.0)


def test_units_sides_and_radii() -> None:
    made = ct.model.pybamm_parameters(
        pd.Series(NUMBERS), electrode="negative", radius="particles", thickness_um=80.0
    )
    assert made["Negative particle radius [m]"] == pytest.approx(5e-6)
    assert made["Negative electrode thickness [m]"] == pytest.approx(80e-6)
    assert made["Negative electrode conductivity [S.m-1]"] == 0.2
    assert made["Negative electrode Bruggeman coefficient (electrode)"] == 0.0
    assert all(name.startswith("Negative") for name in made)
    plain = {name: value for name, value in NUMBERS.items() if name != "conductivity_S_per_m"}
    assert "Positive electrode conductivity [S.m-1]" not in ct.model.pybamm_parameters(plain)


@pytest.mark.parametrize(
    ("change", "words", "match"),
    [
        ({"porosity": 36.0}, {}, "not in percent"),
        ({"porosity": 0.5}, {}, "together at most 1"),
        ({"porosity": np.nan}, {}, "finite"),
        ({"tortuosity_factor": 0.8}, {}, "tortuosity factor is 1 or more"),
        ({"tortuosity_factor": np.inf}, {}, "finite"),
        ({"surface_radius_um": 0.0}, {}, "above zero"),
        ({"porosity": "much"}, {}, "porosity 'much'"),
        ({}, {"electrode": "cathode"}, "electrode 'cathode'"),
        ({}, {"radius": "mean"}, "radius 'mean'"),
        ({}, {"thickness_um": -1.0}, "thickness_um"),
    ],
)
def test_refusals(change, words, match) -> None:
    with pytest.raises((ValueError, TypeError), match=match):
        ct.model.pybamm_parameters(NUMBERS | change, **words)


def test_what_is_missing_is_named() -> None:
    with pytest.raises(ValueError, match="without tortuosity_factor, particle_radius_um: .* Pass depth_um"):
        ct.model.pybamm_parameters({"porosity": 0.3, "active_fraction": 0.5}, radius="particles")
    with pytest.raises(TypeError, match=r"ct.model.microstructure\(labels"):
        ct.model.pybamm_parameters(ct.volume(np.zeros((2, 2, 2), np.uint8), 1.0))


@pytest.mark.parametrize("electrode", ["positive", "negative"])
def test_names_are_pybamms(electrode) -> None:
    """Where PyBaMM is installed: each name is in its set, and it computes from them what was measured."""
    pybamm = pytest.importorskip("pybamm")
    made = ct.model.pybamm_parameters(NUMBERS, electrode=electrode, thickness_um=70.0)
    known = pybamm.ParameterValues("Chen2020")
    assert set(made) <= set(known.keys())
    known.update(made)
    assert {name: known[name] for name in made} == made
    solved = pybamm.Simulation(pybamm.lithium_ion.DFN(), parameter_values=known).solve([0, 1])
    side = f"{electrode.capitalize()} electrode"
    for name, value in {
        f"{side} porosity": 0.36,
        f"{side} active material volume fraction": 0.55,
        f"{electrode.capitalize()} electrolyte transport efficiency": 0.36 / 1.9,
        f"{side} transport efficiency": 1.0,
        f"{side} surface area to volume ratio [m-1]": 3 * 0.55 / 4e-6,
    }.items():
        assert solved[name].entries == pytest.approx(value, rel=1e-6), name


@pytest.mark.parametrize("radius", [0.004, 4000.0])
def test_lengths_of_another_unit_and_text_are_refused(radius) -> None:
    with pytest.raises(ValueError, match="Check the voxel size"):
        ct.model.pybamm_parameters(NUMBERS | {"surface_radius_um": radius})
    for thick in (75.6e-6, 75_600.0):
        with pytest.raises(ValueError, match="State it in µm"):
            ct.model.pybamm_parameters(NUMBERS, thickness_um=thick)
    for wrong in ("0.3", True):
        with pytest.raises(TypeError, match="a number is needed"):
            ct.model.pybamm_parameters(NUMBERS | {"porosity": wrong})
