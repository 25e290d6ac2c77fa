"""Numbers of a model from labels: closed forms, draws that hang together, refusals."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage, stats

import corrtomo as ct
from corrtomo.model import columns

PORE, CBD, AM = ct.Phase.PORE, ct.Phase.CBD, ct.Phase.AM


def blobs(shape=(24, 48, 48), *, share=0.5, seed=0, voxel=0.5, sigma=2.0, exact=True):
    """Smooth active material in pores: this share of the specimen, or on average over specimens."""
    field = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), sigma, mode="wrap")
    level = np.quantile(field, 1 - share) if exact else stats.norm.ppf(1 - share)
    return ct.volume(np.where(field > level, AM, PORE).astype(np.uint8), voxel)


def test_plates_along_the_current_are_closed_forms() -> None:
    labels = ct.volume(np.tile(np.uint8([PORE, CBD, AM, AM]), (8, 8, 4)), 0.5)
    found = ct.model.microstructure(
        labels,
        axis="z",
        column_um=2.0,
        cbd_porosity=0.4,
        conductivities={PORE: 0.0, CBD: 100.0, AM: 1.0},
        resamples=200,
    )
    assert found.columns == 8
    porosity = 0.25 * 1.4
    assert found.values.porosity == pytest.approx(porosity)
    assert found.values.active_fraction == pytest.approx(0.5)
    # Plates side by side: 1/4 of pores, and 1/4 of binder with 0.4^1.5 of their conductivity.
    assert found.values.tortuosity_factor == pytest.approx(porosity / (0.25 * (1 + 0.4**1.5)), rel=1e-3)
    assert found.values.conductivity_S_per_m == pytest.approx(0.25 * 100 + 0.5 * 1, rel=1e-3)
    radius = 3 * found.values.active_fraction / found.values.surface_per_um
    assert found.values.surface_radius_um == pytest.approx(radius)
    # All columns are alike: nothing scatters.
    table = found.intervals()
    assert ((table.high - table.low) < 1e-2 * table.value).all()


def test_values_are_those_of_measure_on_the_whole_volume() -> None:
    labels = blobs()
    found = ct.model.microstructure(labels, axis="z", column_um=8.0, resamples=200)
    factor = ct.measure.tortuosity_factor(labels, PORE, axis="z")
    assert found.values.tortuosity_factor == pytest.approx(factor, rel=1e-3)
    volume = labels.size * 0.5**3
    assert found.values.surface_per_um == pytest.approx(ct.measure.surface_area(labels == AM) / volume)
    assert found.values.porosity == pytest.approx(float((labels == PORE).mean()))


def test_draws_keep_what_hangs_together_and_seeds_repeat() -> None:
    labels = blobs(share=0.45)
    words = {"axis": "z", "column_um": 6.0, "resamples": 400}
    found = ct.model.microstructure(labels, **words)
    sums = found.draws.porosity + found.draws.active_fraction
    assert np.allclose(sums, 1.0)
    assert found.draws.porosity.corr(found.draws.tortuosity_factor) < -0.3
    assert (found.draws.tortuosity_factor >= 1).all()
    again = ct.model.microstructure(labels, **words)
    assert again.draws.equals(found.draws)
    assert not ct.model.microstructure(labels, seed=1, **words).draws.equals(found.draws)


def test_interval_of_porosity_is_that_of_student_over_columns() -> None:
    labels = blobs()
    found = ct.model.microstructure(labels, axis="z", column_um=6.0, resamples=20_000)
    means = (labels == PORE).values.reshape(24, 4, 12, 4, 12).mean(axis=(0, 2, 4)).ravel()
    assert found.columns == len(means) == 16
    for level in (0.5, 0.95):
        half = stats.t.ppf((1 + level) / 2, 15) * means.std(ddof=1) / 4
        row = found.intervals(level).loc["porosity"]
        assert row.high - row.value == pytest.approx(half, rel=0.03)
        assert row.value - row.low == pytest.approx(half, rel=0.03)


def channels(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return columns walled off from each other, a channel in each, some layers of which are binder."""
    layers = rng.integers(0, 5, (5, 5))
    codes = np.full((8, 20, 20), AM, np.uint8)
    for (y, x), count in np.ndenumerate(layers):
        codes[:, 4 * y : 4 * y + 2, 4 * x : 4 * x + 2] = PORE
        codes[:count, 4 * y : 4 * y + 2, 4 * x : 4 * x + 2] = CBD
    return codes, layers


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    # 25 channels of 4 voxels across, with 0 to 4 of 8 layers of binder: means over the five are the truth.
    count, share = np.arange(5), 0.4
    porosity = float(np.mean(0.25 * ((8 - count) + share * count) / 8))
    conducts = float(np.mean(0.25 * 8 / ((8 - count) + count / share**1.5)))
    truth = {"porosity": porosity, "tortuosity_factor": porosity / conducts}
    rng, level, specimens = np.random.default_rng(0), 0.68, 150
    held = dict.fromkeys(truth, 0)
    words = {"axis": "z", "column_um": 2.0, "cbd_porosity": share, "resamples": 300, "progress": False}
    for _ in range(specimens):
        codes, layers = channels(rng)
        found = ct.model.microstructure(ct.volume(codes, 0.5), **words)
        own = 0.25 * 8 / ((8 - layers) + layers / share**1.5)
        assert found.values.porosity / found.values.tortuosity_factor == pytest.approx(own.mean(), rel=1e-3)
        table = found.intervals(level)
        for name, value in truth.items():
            held[name] += table.low[name] <= value <= table.high[name]
    least, most = stats.binom.ppf([5e-4, 1 - 5e-4], specimens, level)
    assert all(least <= number <= most for number in held.values()), held
    # Intervals that are half as wide again, or two thirds as wide, would lie beyond.
    for factor in (1.5, 1 / 1.5):
        wrong = 2 * stats.t.cdf(factor * stats.t.ppf((1 + level) / 2, 24), 24) - 1
        assert not least <= specimens * wrong <= most


def test_spread_of_draws_is_nearly_that_of_specimens() -> None:
    """Neighbouring columns are alike: draws scatter somewhat less than specimens, as the notes say."""
    found = [
        ct.model.microstructure(
            blobs((16, 36, 36), sigma=1.5, seed=seed, exact=False), axis="z", column_um=4.5, resamples=200
        )
        for seed in range(50)
    ]
    values = pd.DataFrame([each.values for each in found])
    said = pd.DataFrame([each.draws.std() for each in found]).mean()
    ratio = said / values.std()
    assert ratio.between(0.67, 1.2).all(), ratio


def test_lines_add_up_to_the_conductivity_and_are_closed_forms() -> None:
    labels = blobs((12, 24, 24))
    ask = columns.Ask("y", 0.0, {PORE: 0.0, AM: 2.0}, None, "test")
    for name, line in columns.flows(labels, ask, progress=False).items():
        values = ask.ionic if name == "ions" else ask.conductivities
        whole = ct.measure.effective_conductivity(labels, values, axis="y")
        assert line.dims == ("z", "x")
        assert float(line.sum()) / (12 * 24 * 0.25) == pytest.approx(whole, rel=2e-4)
    plates = ct.volume(np.tile(np.uint8([PORE, AM, PORE, CBD]), (6, 5, 1)), 0.5)
    line = columns.flows(
        plates, ask._replace(axis="z", cbd_porosity=0.25, conductivities=None), progress=False
    )
    across = line["ions"].values / 0.25
    assert across == pytest.approx(np.tile([1.0, 0.0, 1.0, 0.125], (5, 1)), abs=1e-4)


def test_conduction_is_solved_once_for_ions_and_once_for_electrons(monkeypatch) -> None:
    sizes, solved = [], columns.solved
    monkeypatch.setattr(
        columns, "solved", lambda p, **words: sizes.append(p.codes.size) or solved(p, **words)
    )
    labels = blobs((12, 24, 24))
    ct.model.microstructure(labels, axis="z", column_um=4.0, conductivities={PORE: 0.0, AM: 1.0})
    assert sizes == [labels.size, labels.size]


def test_particles_have_their_radius() -> None:
    z, y, x = np.indices((24, 80, 80))
    ball = ((z - 11.5) ** 2 + (y % 20 - 9.5) ** 2 + (x % 20 - 9.5) ** 2) < 7.0**2
    labels = ct.volume(np.where(ball, AM, PORE).astype(np.uint8), 0.5)
    found = ct.model.microstructure(labels, axis="z", column_um=10.0, depth_um=0.5, resamples=200)
    assert found.values.particle_radius_um == pytest.approx(3.5, rel=0.03)
    assert found.values.surface_radius_um == pytest.approx(3.5, rel=0.05)


def test_particles_count_by_volume_and_by_how_rarely_they_are_whole() -> None:
    z, y, x = np.indices((24, 80, 80))
    off = (z - 11.5) ** 2 + (y % 20 - 9.5) ** 2 + (x % 20 - 9.5) ** 2
    ball = off < np.where((y // 20 + x // 20) % 2 == 0, 4.0, 7.0) ** 2
    ball |= y < 2  # at the border: how large it is, nobody sees
    labels = ct.volume(np.where(ball, AM, PORE).astype(np.uint8), 0.5)
    found = ct.model.microstructure(labels, axis="z", column_um=10.0, depth_um=0.5, resamples=100)
    # Balls of 4 and 7 voxels, as many of each; of places in 24 × 80 × 80 so few have one whole within.
    radius = np.array([2.0, 3.5])
    whole = np.prod([[n / 2 - 2 * r + 0.5 for n in (24, 80, 80)] for r in radius], axis=1)
    assert found.values.particle_radius_um == pytest.approx(
        np.average(radius, weights=radius**3 / whole), rel=0.015
    )


def test_draws_of_straight_pores_are_not_below_a_tortuosity_factor_of_one() -> None:
    codes = np.full((8, 16, 16), AM, np.uint8)
    codes[:, 1::4, 1::4] = PORE
    codes[4, 1, 1] = AM  # one of 16 is closed
    found = ct.model.microstructure(ct.volume(codes, 0.5), axis="z", column_um=2.0, resamples=200)
    assert found.values.tortuosity_factor == pytest.approx(16 / 15, rel=0.01)
    assert found.draws.tortuosity_factor.min() == 1.0
    for _, draw in found.draws.iterrows():
        ct.model.pybamm_parameters(draw)


@pytest.mark.parametrize(
    ("change", "words", "match"),
    [
        (lambda a: a.isel(z=0), {}, "1D|2D|3"),
        (lambda a: a == AM, {}, "booleans"),
        (lambda a: a.where(a != PORE, AM).astype(np.uint8), {}, r"pore \(0\) does not occur"),
        (lambda a: a.where(a.x > 1, 3).astype(np.uint8), {}, r"current collector \(3\) occurs"),
        (lambda a: a.where(a.x > 1, 255).astype(np.uint8), {}, r"left out \(255\) occurs"),
        (lambda a: a.where(a.z != 4, AM).astype(np.uint8), {}, "no way leads through it for ions"),
        (lambda a: a, {"axis": "t"}, "along axis 't'"),
        (lambda a: a, {"column_um": 20.0}, "from 1 columns"),
        (lambda a: a, {"column_um": -1.0}, "column_um -1.0"),
        (lambda a: a, {"cbd_porosity": 47.0}, "cbd_porosity 47.0"),
        (lambda a: a, {"depth_um": 0.0}, "depth_um 0.0"),
        (lambda a: a, {"resamples": 3}, "resamples=3"),
        (lambda a: a, {"seed": -1}, "seed=-1"),
        (lambda a: a, {"conductivities": {AM: 1.0}}, "has no conductivity"),
    ],
)
def test_refusals(change, words, match) -> None:
    labels = change(blobs())
    with pytest.raises((ValueError, TypeError), match=match):
        ct.model.microstructure(labels, **({"axis": "z", "column_um": 6.0} | words))


def test_columns_that_carry_nothing_are_said() -> None:
    values = np.full((16, 18, 18), AM, np.uint8)
    values[:, 1:5, 1:5] = PORE
    values[:8, 13:17, 13:17] = PORE  # a channel that ends
    with pytest.raises(ValueError, match="tortuosity_factor is not finite in some draws of 9 columns"):
        ct.model.microstructure(ct.volume(values, 0.5), axis="z", column_um=3.0)


@pytest.mark.parametrize("level", [0.2, 1.0, "high"])
def test_levels_out_of_range_are_refused(level) -> None:
    labels = ct.volume(np.tile(np.uint8([0, 0, 2, 2]), (4, 8, 4)), 0.5)
    found = ct.model.microstructure(labels, axis="z", column_um=2.0, resamples=100)
    with pytest.raises((ValueError, TypeError), match="level"):
        found.intervals(level)


@pytest.mark.parametrize(
    ("size", "width", "match"),
    [
        ((1, 32, 32), 4.0, "one voxel along z"),
        ((8, 1, 64), 4.0, "one voxel along y"),
        ((8, 32, 32), 0.9, "two voxels are 1 µm wide"),
    ],
)
def test_sections_and_columns_narrower_than_two_voxels_are_refused(size, width, match) -> None:
    with pytest.raises(ValueError, match=match):
        ct.model.microstructure(blobs(size), axis="z", column_um=width)


def test_no_interval_goes_where_its_number_cannot_be() -> None:
    """Few and unlike columns: Student's t reaches beyond a share of 1, and below the shortest way."""
    names = ["porosity", "active_fraction", "tortuosity_factor", "surface_per_um"]
    values = pd.Series([0.9, 0.08, 1.1, 0.02], names)
    draws = pd.DataFrame([values * 0.5, values * 1.5])
    known = {f.name: None for f in dataclasses.fields(ct.model.Microstructure)}
    found = ct.model.Microstructure(**known | {"values": values, "draws": draws, "columns": 2})
    table = found.intervals()
    assert table.low.to_dict() == {**dict.fromkeys(names, 0.0), "tortuosity_factor": 1.0}
    assert table.high["porosity"] == 1.0
    assert 0.08 < table.high["active_fraction"] < 1.0
    assert table.high["tortuosity_factor"] > 1.1
