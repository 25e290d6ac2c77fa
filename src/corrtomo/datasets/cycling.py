"""Digital twins of the NMC and HE-NMC cathodes that the cycling paper mills, in each state of cycling."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from ..io import write
from ..phases import as_labels
from ..simulate import packing
from ..simulate.calendered import Calendered, calendered
from ..simulate.electrode import Electrode
from ..simulate.milling import MillingModel
from ..simulate.polished import polished_section
from ..simulate.scene import CalenderedModel
from ..simulate.shares import Progress
from ..simulate.slice_view import TOP_PIXELS, SliceStack, slice_and_view, truth_on
from ..volume import volume

NAME = "cycling-contact"
FOLDER = Path(__file__).parents[3] / "data" / NAME
COATING_UM = 50.0
SECTION_PIXEL_UM, SECTION_UM, PLACES = 0.05, 60.0, 3
SECTION_WIDTHS_UM = {"small": (320.0, 50.0), "full": (1000.0, 300.0)}
"""Width of the polished section, and of each of the places imaged on it."""
STORED = (0, 20)
"""States whose small polished sections lie in the folder data: those that the paper polished."""
_MARGIN_UM = 1.0
SMALL = (60, 320, 400)
_COLUMNS = [*packing.CENTRE, *packing.AXES, *packing.TURN]


@dataclass(frozen=True)
class Cathode:
    """What is milled: pixels of the screen, slices, and what the cathode is made of.

    Sizes, and for NMC the fractions, are the paper's. HE-NMC is 80 % active material, 10 % carbon and 10 %
    PVDF by weight; with 4.3, 2.0 and 1.78 g/cm³ that is 64 : 36 by volume, and 15 % pores are an assumption.
    Particle sizes are assumptions, and so is by how much fewer particles are whole after cycling.
    `states` has contact and share of broken particles by number of cycles.
    """

    pixel_um: float
    slice_um: float
    shape: tuple[int, int, int]
    states: Mapping[int, tuple[float, float]]
    am_fraction: float
    cbd_fraction: float
    diameter_um: float
    geometric_sd: float
    model: CalenderedModel = field(default_factory=CalenderedModel)

    def size_um(self, shape: tuple[int, int, int]) -> tuple[float, float, float]:
        """Return how deep is milled, and height and width of the specimen's face in the first image."""
        milling = MillingModel()
        cos = float(np.cos(np.radians(milling.tilt_deg)))
        face = (shape[1] - TOP_PIXELS) * self.pixel_um / cos - milling.coating_um
        return shape[0] * self.slice_um, face, shape[2] * self.pixel_um


CATHODES = {
    "nmc": Cathode(
        0.025, 0.05, (300, 768, 1024), {0: (0.54, 0.10), 20: (0.48, 0.12), 50: (0.43, 0.14)},
        0.69, 0.24, 6.0, 1.8,
    ),
    "he-nmc": Cathode(
        0.035, 0.07, (280, 768, 1024), {1: (0.60, 0.10), 50: (0.46, 0.16)},
        0.54, 0.31, 5.0, 2.2, CalenderedModel(inner_porosity=0.05),
    ),
}  # fmt: skip


def number(name: str, cycles: int, seed: int) -> int:
    """Return the seed of a specimen: as in the paper, each state is another piece of cathode."""
    states = [(cathode, state) for cathode in CATHODES for state in CATHODES[cathode].states]
    return seed * len(states) + states.index((name, cycles))


@lru_cache(maxsize=2)
def specimen(name: str, cycles: int, seed: int) -> Calendered:
    """Return a piece of cathode: read from the folder data where it lies there, else drawn."""
    path = FOLDER / f"{name}-{cycles}.csv"
    if seed == 0 and path.is_file():
        return read_specimen(path, name, cycles)
    return draw(name, cycles, seed)


def draw(name: str, cycles: int, seed: int) -> Calendered:
    """Draw a piece of cathode, wider than the stack; contact holds in what the stack shows."""
    cathode = CATHODES[name]
    contact, fractured = cathode.states[cycles]
    low, high = _window(cathode)
    z, _, x = high + _MARGIN_UM
    return calendered(
        (max(z, 3.0 * cathode.diameter_um), COATING_UM, x),
        am_fraction=cathode.am_fraction,
        cbd_fraction=cathode.cbd_fraction,
        contact=contact,
        fractured=fractured,
        diameter_um=cathode.diameter_um,
        geometric_sd=cathode.geometric_sd,
        model=cathode.model,
        within_um=(low.tolist(), high.tolist()),
        seed=number(name, cycles, seed),
    )


def _window(cathode: Cathode) -> tuple[Any, Any]:
    low = np.array([_MARGIN_UM, 0.0, _MARGIN_UM])
    return low, low + np.array(cathode.size_um(cathode.shape))


def write_specimen(made: Calendered, path: Path) -> None:
    """Write a piece of cathode as a table of its particles, under a line with its levels."""
    levels = {
        "cbd_threshold": made.cbd_threshold,
        "let_go": made.let_go,
        "pore_threshold": made.pore_threshold,
        "seed": made.seed,
    } | {f"size_{d}_um": edge for d, edge in zip("zyx", made.size_um, strict=True)}
    head = "# digital twin, simulated; " + ", ".join(f"{k} = {v!r}" for k, v in levels.items())
    body = made.pressed.particles[_COLUMNS].to_csv(index=False, float_format="%.12g", lineterminator="\n")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{head}\n{body}", encoding="utf-8", newline="\n")


def read_specimen(path: Path, name: str, cycles: int) -> Calendered:
    """Read what :func:`write_specimen` wrote."""
    head, _, body = path.read_text(encoding="utf-8").partition("\n")
    pairs = (item.split(" = ") for item in head.partition("; ")[2].split(", "))
    levels = {key: float(value) for key, value in pairs}
    cathode = CATHODES[name]
    contact, fractured = cathode.states[cycles]
    size = (levels["size_z_um"], levels["size_y_um"], levels["size_x_um"])
    pressed = Electrode(
        size,
        pd.read_csv(StringIO(body)),
        cathode.am_fraction,
        cathode.cbd_fraction,
        0.4,
        np.inf,
        levels["pore_threshold"],
        int(levels["seed"]),
        film=True,
    )
    return Calendered(
        pressed,
        cathode.model,
        levels["cbd_threshold"],
        levels["let_go"],
        fractured,
        contact,
        _window(cathode),
    )


def write_all(folder: Path, progress: Callable[[Any], Any] = iter) -> None:
    """Write pieces of cathode as tables, and the small polished sections as OME-TIFF files."""
    for name, cycles in progress([(key, c) for key, cathode in CATHODES.items() for c in cathode.states]):
        write_specimen(draw(name, cycles, 0), folder / f"{name}-{cycles}.csv")
    for cycles, place in progress([(c, p) for c in STORED for p in range(PLACES)]):
        for key, image in polished(cycles, place, "small", 0).items():
            path = folder / f"polished-{cycles}-{place}" / f"{key}.ome.tif"
            path.parent.mkdir(parents=True, exist_ok=True)
            write(image, path, overwrite=True)


def stack(name: str, cycles: int, size: str, seed: int, progress: Progress = iter) -> SliceStack:
    """Mill a piece of cathode."""
    cathode = CATHODES[name]
    return slice_and_view(
        specimen(name, cycles, seed),
        cathode.pixel_um,
        cathode.slice_um,
        shape=cathode.shape if size == "full" else SMALL,
        origin_um=(_MARGIN_UM, 0.0, _MARGIN_UM),
        seed=number(name, cycles, seed),
        progress=progress,
    )


def layout(name: str) -> tuple[float, float, float]:
    """Return width of the image, how deep is milled, and where the specimen begins on the screen, in µm."""
    cathode, milling = CATHODES[name], MillingModel()
    top = TOP_PIXELS * cathode.pixel_um + milling.coating_um * float(np.cos(np.radians(milling.tilt_deg)))
    return cathode.shape[2] * cathode.pixel_um, cathode.shape[0] * cathode.slice_um, top


def truth(name: str, cycles: int, seed: int, like: xr.DataArray) -> xr.DataArray:
    """Return the true phases on the grid of a volume in the frame of the first image."""
    _, _, top = layout(name)
    cos = float(np.cos(np.radians(MillingModel().tilt_deg)))
    place = (_MARGIN_UM, -top / cos, _MARGIN_UM)
    return truth_on(specimen(name, cycles, seed), place, like)


def phases(name: str, cycles: int, seed: int) -> xr.DataArray:
    """Return the true phases of what the paper's stack covers, in voxels as long as a slice is thick."""
    cathode = CATHODES[name]
    edge = cathode.slice_um
    shape = [int(length / edge) for length in cathode.size_um(cathode.shape)]
    start = np.array([_MARGIN_UM, 0.0, _MARGIN_UM]) + edge / 2
    labels = specimen(name, cycles, seed).labels(edge, origin=start.tolist(), shape=shape)
    return as_labels(volume(labels.data, edge, origin=edge / 2, name="phases"))


@lru_cache(maxsize=2)
def wide(cycles: int, size: str, seed: int) -> Calendered:
    """Draw a piece of NMC cathode for a polished section.

    Binder bridges and lets go of particles at the levels of the piece that was milled, so that contact is not
    set again: what it is here follows.
    """
    cathode = CATHODES["nmc"]
    contact, fractured = cathode.states[cycles]
    milled = specimen("nmc", cycles, seed)
    drawn = calendered(
        (3.0 * cathode.diameter_um, SECTION_UM, SECTION_WIDTHS_UM[size][0]),
        am_fraction=cathode.am_fraction,
        cbd_fraction=cathode.cbd_fraction,
        contact=contact,
        fractured=fractured,
        diameter_um=cathode.diameter_um,
        geometric_sd=cathode.geometric_sd,
        model=cathode.model,
        seed=1000 + number("nmc", cycles, seed),
    )
    return replace(drawn, cbd_threshold=milled.cbd_threshold, let_go=milled.let_go)


def polished(cycles: int, place: int, size: str, seed: int) -> dict[str, xr.DataArray]:
    """Image one of the places on a polished section, through the whole coating; with its truth."""
    whole, width = SECTION_WIDTHS_UM[size]
    edge = SECTION_PIXEL_UM
    shape = (round(SECTION_UM / edge), round(width / edge))
    x = place * whole / PLACES + edge / 2
    start = (SECTION_UM / 10.0, edge / 2, x)
    cathode = wide(cycles, size, seed)
    image = polished_section(
        cathode, edge, shape=shape, origin_um=start, seed=PLACES * number("nmc", cycles, seed) + place
    )
    truth = cathode.labels(edge, origin=start, shape=(1, *shape)).isel(z=0, drop=True)
    return {"image": image, "truth": truth}
