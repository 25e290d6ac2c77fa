"""Fractions from the scales: the paper's own numbers, closed forms, refusals."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import corrtomo as ct

FILM = (121.1, 21.1)
MASS = {"LMO": 90.0, "carbon and binder": 10.0}


def test_the_densities_that_reproduce_the_paper():
    implied = ct.measure.implied_densities(
        *FILM, mass_percent=MASS, volume_percent={"LMO": 35.6, "carbon and binder": 11.2}
    )
    assert implied.to_dict() == pytest.approx({"LMO": 4.405, "carbon and binder": 1.556}, abs=1e-3)
    table = ct.measure.fractions_from_loading(*FILM, mass_percent=MASS, density_g_per_cm3=implied.to_dict())
    assert table.volume_percent["LMO"] == pytest.approx(35.6)
    # 35.6 + 11.2 leave 53.2: the three printed figures add up to 100.1.
    assert table.volume_percent["pore"] == pytest.approx(53.2)


def test_densities_of_the_textbook_leave_half_a_point_less_room():
    table = ct.measure.fractions_from_loading(
        *FILM,
        mass_percent={"LMO": 90.0, "carbon black": 7.0, "CMC": 2.0, "SBR": 1.0},
        density_g_per_cm3={"LMO": 4.28, "carbon black": 1.8, "CMC": 1.6, "SBR": 1.0},
    )
    binder = table.volume_percent[["carbon black", "CMC", "SBR"]].sum()
    found = table.volume_percent["LMO"], binder, table.volume_percent["pore"]
    assert found == pytest.approx((36.6, 10.7, 52.7), abs=0.05)
    assert table.index.tolist() == ["LMO", "carbon black", "CMC", "SBR", "pore"]


@settings(derandomize=True)
@given(st.floats(10, 500), st.floats(1, 50), st.floats(1, 99), st.floats(1, 9), st.floats(1, 9))
def test_masses_come_back_from_the_volumes(thickness, loading, share, first, second):
    density = {"a": first, "b": second}
    mass = {"a": share, "b": 100 - share}
    film = loading / 1000 / (thickness / 1e4)
    if film * (share / first + (100 - share) / second) > 99.9:
        return
    table = ct.measure.fractions_from_loading(
        thickness, loading, mass_percent=mass, density_g_per_cm3=density
    )
    assert table.volume_percent.sum() == pytest.approx(100)
    for name in mass:
        grams = table.volume_percent[name] / 100 * thickness / 1e4 * density[name]
        assert grams == pytest.approx(mass[name] / 100 * loading / 1000)


def test_the_arithmetic_of_the_paper():
    assert ct.measure.cbd_porosity(36.9, expected_percent=53.3, measured_percent=24.8) == pytest.approx(
        77.24, abs=0.01
    )
    assert ct.measure.sub_resolution_share(53.3, measured_percent=24.8) == pytest.approx(53.47, abs=0.01)


def test_the_porosity_at_the_resolution_of_fib_sem_has_several_readings():
    left = 1 - 0.185
    pores = 24.8 / left
    domain = 36.9 - (pores - 24.8)
    readings = {
        77.0 * left: 62.8,
        100 * (1 - 11.2 / (36.9 * left)): 62.8,
        ct.measure.cbd_porosity(domain, expected_percent=53.3, measured_percent=pores): 73.1,
        100 * (1 - 11.2 / domain): 64.2,
    }
    assert list(readings) == pytest.approx(list(readings.values()), abs=0.05)


@settings(derandomize=True)
@given(st.floats(1, 99), st.floats(0, 1), st.floats(0.01, 0.99))
def test_the_pores_of_the_domain_are_those_that_are_missed(domain, share, porosity):
    measured = share * (99.9 - domain) + 0.05
    expected = measured + domain * porosity
    found = ct.measure.cbd_porosity(domain, expected_percent=expected, measured_percent=measured)
    assert found == pytest.approx(100 * porosity)
    unseen = ct.measure.sub_resolution_share(expected, measured_percent=measured)
    assert unseen / 100 * expected == pytest.approx(domain * porosity)


def loading(**change):
    given = {"thickness_um": 100.0, "loading_mg_per_cm2": 20.0, "mass_percent": MASS}
    given |= {"density_g_per_cm3": {"LMO": 4.3, "carbon and binder": 1.6}} | change
    return ct.measure.fractions_from_loading(
        given.pop("thickness_um"), given.pop("loading_mg_per_cm2"), **given
    )


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"thickness_um": 0}, ValueError, "film thickness_um 0: it must be finite and above zero"),
        ({"thickness_um": float("nan")}, ValueError, "thickness_um nan"),
        ({"thickness_um": "100"}, TypeError, "thickness_um '100': a number is needed"),
        ({"thickness_um": True}, TypeError, "thickness_um True"),
        ({"loading_mg_per_cm2": -1}, ValueError, "loading_mg_per_cm2 -1"),
        ({"thickness_um": 20.0}, ValueError, "the solids fill .* % of the film, and at most 100 % fit"),
        ({"mass_percent": {"LMO": 90.0, "carbon and binder": 7.0}}, ValueError, "add up to 97 %"),
        ({"mass_percent": {"LMO": 90.0, "carbon and binder": -10.0}}, ValueError, "above zero"),
        ({"density_g_per_cm3": {"LMO": 4.3}}, ValueError, "The same names are needed in both"),
        ({"density_g_per_cm3": {"LMO": 4.3, "carbon and binder": 0}}, ValueError, "carbon and binder 0"),
        ({"mass_percent": {}}, ValueError, "add up to 0 %"),
        ({"mass_percent": [90.0, 10.0]}, TypeError, "a number for each component, by its name"),
        ({"density_g_per_cm3": 4.3}, TypeError, "density_g_per_cm3 4.3: a number for each component"),
        ({"mass_percent": {"LMO": 90.0, "pore": 10.0}}, ValueError, "a pore has no mass"),
    ],
)
def test_what_does_not_add_up_is_refused(change, error, match):
    with pytest.raises(error, match=match):
        loading(**change)


@pytest.mark.parametrize(
    ("domain", "given", "match"),
    [
        (10.0, {"expected_percent": 50.0, "measured_percent": 20.0}, "the pores that are missed, 30 vol%"),
        (30.0, {"expected_percent": 20.0, "measured_percent": 50.0}, "missed, -30 vol%"),
        (90.0, {"expected_percent": 50.0, "measured_percent": 20.0}, "into 100 vol%"),
        (0, {"expected_percent": 50.0, "measured_percent": 20.0}, "domain_percent 0"),
    ],
)
def test_porosities_that_cannot_be_are_refused(domain, given, match):
    with pytest.raises(ValueError, match=match):
        ct.measure.cbd_porosity(domain, **given)


def test_a_porosity_above_everything_is_refused():
    with pytest.raises(ValueError, match="a porosity is at most 100 vol%"):
        ct.measure.sub_resolution_share(533.0, measured_percent=24.8)


@pytest.mark.parametrize(
    ("volume", "error", "match"),
    [
        ({"LMO": 95.0, "carbon and binder": 11.2}, ValueError, "the volumes add up to 106.2 %"),
        ({"LMO": 35.6}, ValueError, "The same names are needed in both"),
        ({"LMO": 35.6, "carbon and binder": 0.0}, ValueError, "above zero"),
        (46.8, TypeError, "volume_percent 46.8: a number for each component"),
    ],
)
def test_volumes_that_imply_no_density_are_refused(volume, error, match):
    with pytest.raises(error, match=match):
        ct.measure.implied_densities(*FILM, mass_percent=MASS, volume_percent=volume)


def test_densities_that_no_matter_has_are_refused():
    with pytest.raises(ValueError, match=r"a would weigh 4200 g/cm³.*not kg/m³"):
        ct.measure.fractions_from_loading(
            100.0, 20.0, mass_percent={"a": 100.0}, density_g_per_cm3={"a": 4200.0}
        )
    shares = {"mass_percent": {"a": 90.0, "b": 10.0}, "volume_percent": {"a": 0.356, "b": 0.112}}
    with pytest.raises(ValueError, match=r"not as shares"):
        ct.measure.implied_densities(121.1, 21.1, **shares)


@pytest.mark.parametrize("volumes", [(88.4, 11.2, 0.4), (10.1, 20.2, 69.7), (33.3, 33.3, 33.4)])
def test_percentages_that_add_up_to_100_do_so_in_floats_too(volumes):
    names = ("a", "b", "c")
    masses = dict(zip(names, (30.0, 30.0, 40.0), strict=True))
    given = dict(zip(names, volumes, strict=True))
    found = ct.measure.implied_densities(100.0, 2.0, mass_percent=masses, volume_percent=given)
    assert (found > 0).all()
    assert ct.measure.cbd_porosity(99.8, expected_percent=99.9, measured_percent=0.1) == pytest.approx(100)
