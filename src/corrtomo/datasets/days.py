"""Digital twins of sections from several cathodes, each imaged on another day with other settings."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from ..measure.options import check_whole
from ..simulate.cross_section import cross_section
from ..simulate.deposit import platinum
from ..simulate.electrode import electrode
from ..simulate.electron_images import ElectronModel, electron_images
from .section import Section

PIXEL_UM, PIXELS = 0.04, 256
DAYS = {
    "A": ElectronModel(),
    "B": ElectronModel(window=((0.0, 0.42), (-0.02, 0.5))),
    "C": ElectronModel(dwell_us=0.3),
    "D": ElectronModel(spot_um=0.06, window=((-0.06, 0.56), (-0.06, 0.7))),
}
_EDGE_UM, _SIDE_UM, _MOST = 14.0, 2.0, 20
_ABOUT = "Digital twin of a platinum-filled cathode, as on day {day}; specimen {seed}. Licence: CC0."


def load_days(extra: int = 0, *, seed: int = 0) -> dict[str, Section]:
    """Make four sections of four cathodes, each imaged with other settings: digital twins.

    What a catalogue holds after some months: the same question, the same material, and another brightness,
    contrast, noise and focus each time. A segmenter that learnt on three of them must do on the fourth.

    Parameters
    ----------
    extra : int
        How many more, at the settings of the paper, to train on; up to 20.
    seed : int
        Which cathodes.

    Returns
    -------
    dict of str to Section
        ``"A"`` as in the paper, ``"B"`` with more contrast, ``"C"`` with a tenth of the electrons, ``"D"``
        out of focus, with less contrast; then ``"extra 1"``, and so on. Each is of a cathode of its own, and
        has 256 × 256 pixels of 40 nm, the channels CBS and TLD, `classes` and `truth`.

    Raises
    ------
    ValueError
        If `extra` is no whole number from 0 to 20, or `seed` none from 0.

    Notes
    -----
    Grey values differ from day to day, and so do the cathodes, but all come from one generator: electrodes of
    another maker differ in more than that. What is lost here is the least that one has to expect.

    References
    ----------
    Cooper et al., J. Electrochem. Soc. 169, 070512 (2022), doi:10.1149/1945-7111/ac7a68.

    Examples
    --------
    >>> import corrtomo as ct
    >>> {name: day.image.shape for name, day in ct.datasets.load_days().items()}["D"]
    (2, 256, 256)
    """
    count = check_whole(extra, "extra", 0, doing="make sections", most=_MOST)
    first = check_whole(seed, "seed", 0, doing="make sections") * (len(DAYS) + _MOST)
    made = {name: _section(first + k, name) for k, name in enumerate(DAYS)}
    made |= {f"extra {k + 1}": _section(first + len(DAYS) + k, "A") for k in range(count)}
    return {name: _copied(section) for name, section in made.items()}


def _copied(section: Section) -> Section:
    """Return what a caller may write to."""
    names = ("image", "truth", "classes")
    return replace(section, **{name: getattr(section, name).copy(deep=True) for name in names})


@lru_cache(maxsize=32)
def _section(seed: int, day: str) -> Section:
    cathode = electrode(
        (_EDGE_UM,) * 3,
        am_fraction=0.6,
        cbd_fraction=0.16,
        cbd_porosity=0.4,
        diameter_um=4.0,
        geometric_sd=1.5,
        film=True,
        seed=seed,
    )
    origin = (_EDGE_UM / 2, _SIDE_UM, _SIDE_UM)
    plane = cross_section(cathode, PIXEL_UM, shape=(PIXELS, PIXELS), origin_um=origin, seed=seed)
    filled = platinum(plane, 2.0)
    classes = filled.classes()
    names = {name: code for name, code in classes.attrs["classes"].items() if code > 0}
    renumbered = (classes - 1).astype("uint8")  # no collector is in view
    renumbered.attrs = {"phases": {}, "classes": {name: code - 1 for name, code in names.items()}}
    image = electron_images(filled, model=DAYS[day], seed=seed)
    return Section(
        image,
        "digital twin",
        _ABOUT.format(day=day, seed=seed),
        truth=filled.labels(),
        classes=renumbered.rename("classes"),
    )
