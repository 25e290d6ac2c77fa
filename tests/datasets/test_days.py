"""Sections on several days: each of its own cathode, as unlike as said, and nobody's to spoil."""

import numpy as np
import pytest

import corrtomo as ct
from corrtomo.datasets.days import DAYS


def test_four_days_and_more_to_train_on() -> None:
    days = ct.datasets.load_days(2)
    assert list(days) == ["A", "B", "C", "D", "extra 1", "extra 2"]
    names = ["active material", "carbon binder domain", "platinum edge", "platinum depth"]
    for day in days.values():
        assert day.image.channel.values.tolist() == ["CBS", "TLD"]
        assert day.image.dtype == np.uint8
        assert ct.voxel_size(day.image) == pytest.approx((0.04, 0.04))
        assert list(day.classes.attrs["classes"]) == names
        assert np.unique(day.classes).tolist() == [0, 1, 2, 3]
        assert day.source == "digital twin"
        phases = day.classes.copy(data=np.uint8([2, 1, 0, 0])[day.classes.values])
        assert (phases == day.truth).all()
    truths = [day.truth.values.tobytes() for day in days.values()]
    assert len(set(truths)) == len(truths)
    other = ct.datasets.load_days(seed=1)
    assert not {day.truth.values.tobytes() for day in other.values()} & set(truths)


def test_days_differ_as_they_say() -> None:
    """Contrast: particle against platinum. Noise: within particles of one grey. Focus: the steepest edges."""
    days = ct.datasets.load_days()
    grey = {name: day.image.sel(channel="TLD") for name, day in days.items()}
    mean = {n: [float(grey[n].where(days[n].truth == p).mean()) for p in (0, 2)] for n in days}
    contrast = {n: pore - particle for n, (pore, particle) in mean.items()}
    noise = {n: float(grey[n].where(days[n].truth == 2).std()) for n in days}
    steep = {n: float(np.abs(grey[n].astype(float).diff("x")).quantile(0.995)) / contrast[n] for n in days}
    assert contrast["D"] < contrast["A"] < contrast["B"]
    assert noise["C"] > 1.5 * noise["A"]
    assert steep["D"] < steep["A"]


def test_day_c_has_a_tenth_of_the_electrons() -> None:
    """Noise is that of counted electrons, so nothing but their number tells how much there is."""
    days = {name: DAYS[name].dwell_us for name in "AC"}
    assert days["C"] == pytest.approx(days["A"] / 10)
    assert ct.simulate.ElectronModel().dwell_us == days["A"], "day A is that of the paper"


def test_what_a_caller_writes_stays_his() -> None:
    first = ct.datasets.load_days()["A"]
    before = first.image.values.copy()
    first.image[...] = 0
    first.truth[...] = 0
    again = ct.datasets.load_days()["A"]
    assert (again.image.values == before).all()
    assert again.truth.values.any()


@pytest.mark.parametrize(
    "words", [{"extra": -1}, {"extra": 21}, {"extra": 1.5}, {"seed": -1}, {"seed": True}]
)
def test_refusals(words) -> None:
    with pytest.raises(ValueError, match="Cannot make sections with"):
        ct.datasets.load_days(**words)
