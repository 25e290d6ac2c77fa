"""Compositions, and what electrons do in them."""

import pytest

from corrtomo.simulate.materials import ALUMINIUM, CARBON, NMC, PLATINUM, PVDF, blend, compound


@pytest.mark.parametrize("material", [NMC, ALUMINIUM, PLATINUM, CARBON, PVDF])
def test_mass_fractions_add_to_one(material):
    assert sum(material.mass_fractions.values()) == pytest.approx(1.0)


def test_a_compound_by_hand():
    water = compound({"H": 2, "O": 1}, 1.0)
    assert water.mass_fractions["H"] == pytest.approx(2 * 1.008 / 18.015)


def test_a_blend_keeps_mass_and_adds_volumes():
    half = blend(CARBON, PVDF, 0.5)
    assert sum(half.mass_fractions.values()) == pytest.approx(1.0)
    assert 1 / half.density == pytest.approx(0.5 / CARBON.density + 0.5 / PVDF.density)
    assert blend(CARBON, PVDF, 0.0).mass_fractions["C"] == 1.0


def test_backscattering_of_pure_elements_is_near_the_tables():
    """Bishop's measurements, as in Reimer, Scanning Electron Microscopy, 2nd ed., Fig. 4.6."""
    assert ALUMINIUM.backscattered(30.0) == pytest.approx(0.155, abs=0.02)
    assert compound({"Pt": 1}, 21.4).backscattered(30.0) == pytest.approx(0.50, abs=0.03)
    assert CARBON.backscattered(30.0) == pytest.approx(0.06, abs=0.02)


def test_phases_are_told_apart_in_the_order_of_the_paper():
    greys = [m.backscattered(5.0) for m in (PLATINUM, NMC, ALUMINIUM, blend(CARBON, PVDF, 0.5))]
    assert greys == sorted(greys, reverse=True)


def test_the_range_is_that_of_kanaya_and_okayama():
    assert ALUMINIUM.range_um(10.0) == pytest.approx(0.0276 * 26.982 * 10**1.67 / (13**0.889 * 2.70))
    assert PLATINUM.range_um(10.0) < NMC.range_um(10.0) < ALUMINIUM.range_um(10.0)
