"""Pillars by name: the digital twin of the nanoCT and SIMS paper, and a reader's own."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Literal, get_args

import xarray as xr
from tqdm import tqdm

from ..io import read
from ..volume import voxel_size
from . import cache, pillar
from .choice import check_choice, check_name, is_there
from .correlated import Correlated, correlated_from_folder

Size = Literal["small", "full"]


def load_pillar(
    name: str | Path = pillar.NAME,
    size: Size = "small",
    *,
    seed: int = 0,
    pixel_um: float | None = None,
    source_um: float | None = None,
    source_z_um: float | None = None,
) -> Correlated:
    """Load a pillar for a chapter, scanned, sectioned and mapped: a digital twin, or a folder of your own.

    Parameters
    ----------
    name : str or path
        ``"nanoct-sims"``, or a folder of yours that holds what you have of ``counts``, ``flat``, ``dark``
        (stacks of radiographs) with ``angles.csv`` (a column ``angle_deg``); ``volume`` (reconstructed);
        ``se`` (an image of a section), ``eds`` and ``sims`` (count maps with channels), in any format of
        :func:`corrtomo.read`.
    size : {"small", "full"}
        Of the twin. ``"small"`` is a pillar 20 µm wide, 360 projections of 128 × 480 pixels with the dose of
        1200, and a SIMS field of 11.8 µm; its section lies in the folder ``data``. ``"full"`` is 30 µm wide,
        with the paper's 1200 projections, of 400 × 680 pixels, and a field of 20.7 µm. Scans are simulated
        once, and kept in the cache (``CORRTOMO_CACHE``, or the cache folder of the user).
    seed : int
        Which pillar.
    pixel_um : float, optional
        Edge of a pixel of your radiographs, as seen on the axis of rotation, and of your volume, where files
        do not state it.
    source_um, source_z_um : float, optional
        Of your scan: from the source to the axis, and its height; leave both out for a parallel beam.

    Returns
    -------
    Correlated
        Images are made, or read, when they are asked for.

    Raises
    ------
    ValueError
        If name or size is not known, the seed is not a whole number from 0, or a folder holds none of it.
    TypeError
        If the name is neither text nor a path.

    Examples
    --------
    >>> import corrtomo as ct
    >>> twin = ct.datasets.load_pillar()
    >>> twin.se.shape, twin.sims.channel.values.tolist()
    ((880, 880), ['7Li', '27Al', '58Ni', '59Co'])
    """
    check_name(name, f"{pillar.NAME!r}, or a folder that holds volume.tif")
    check_choice(name, size, seed, sizes=get_args(Size), crop="pillar.volume")
    given = {"pixel_um": pixel_um, "source_um": source_um, "source_z_um": source_z_um}
    if name != pillar.NAME and is_there(name) and Path(name).is_dir():
        if (size, seed) != ("small", 0):
            raise ValueError(
                f"Cannot load {name!r} at size {size!r} with seed {seed!r}: these choose a digital twin. "
                "Leave them out for files of your own."
            )
        return correlated_from_folder(Path(name), **given)
    if name != pillar.NAME:
        raise ValueError(
            f"Cannot load {name!r}: known is {pillar.NAME!r}, or a folder that holds volume.tif, counts.tif "
            "or se.tif. Sections come from ct.datasets.load_section(), stacks from ct.datasets.load_stack()."
        )
    if any(value is not None for value in given.values()):
        wrong = ", ".join(key for key, value in given.items() if value is not None)
        raise ValueError(f"Cannot load {name!r} with {wrong}: the digital twin states its own. Leave it out.")
    return _twin(size, int(seed))


def _twin(size: Size, seed: int) -> Correlated:
    setup, where = pillar.SETUPS[size], pillar.poses(seed)
    drift, source_z_um = pillar.scan_truth(size, seed)

    def materials_on(like: xr.DataArray) -> xr.DataArray:
        edges = [float(v) for v in voxel_size(like)]
        start = [float(like[d][0]) for d in like.dims]
        cut = pillar.specimen(size, seed).materials(edges, shape=like.shape, origin=start, pose=where.mount)
        return cut.assign_coords({d: like[d] for d in like.dims})

    return Correlated(
        source="digital twin",
        about=_ABOUT.format(seed=seed),
        makers=_makers(size, seed),
        source_um=setup.scan.source_um,
        source_z_um=source_z_um,
        centre_um=setup.scan.axis_um,
        drift=drift,
        pose=where.section_in_scan(),
        eds_pose=pillar.map_pose(size, seed, "eds"),
        sims_pose=pillar.map_pose(size, seed, "sims"),
        materials_on=materials_on,
    )


def _makers(size: Size, seed: int) -> dict[str, Callable[[], Any]]:
    setup = pillar.SETUPS[size]
    code = Path(pillar.__file__)
    scans = cache.folder(pillar.NAME, size, seed, parameters=pillar.SETUPS, code=[code])
    room = Path(__file__).parents[1] / "reconstruct"
    reconstructed = cache.folder(
        f"{pillar.NAME}-volume", size, seed, parameters=pillar.SETUPS, code=[code, *sorted(room.glob("*.py"))]
    )
    bar = partial(tqdm, desc="digital twin: radiographs", unit="block", delay=1)

    def stack(name: str) -> xr.DataArray:
        made = {key: partial(_scanned, key, size, seed, bar) for key in ("counts", "flat")}
        return pillar.as_projections(read(cache.make(scans, made) / f"{name}.ome.zarr").load())

    def volume() -> xr.DataArray:
        made = {"volume": lambda: pillar.reconstructed(stack("counts"), stack("flat"), size)}
        return read(cache.make(reconstructed, made) / "volume.ome.zarr").load()

    def section(name: str) -> xr.DataArray:
        return _section(size, seed)[name]

    makers: dict[str, Callable[[], Any]] = {key: partial(stack, key) for key in ("counts", "flat")}
    makers |= {"angles_deg": lambda: setup.angles_deg, "volume": volume}
    return makers | {key: partial(section, key) for key in pillar.SECTION}


def _scanned(key: str, size: Size, seed: int, bar: Any) -> xr.DataArray:
    return pillar.as_stack(getattr(pillar.scan(size, seed, bar), key))


@lru_cache(maxsize=2)
def _section(size: Size, seed: int) -> dict[str, xr.DataArray]:
    if (size, seed) == ("small", 0) and pillar.FOLDER.is_dir():
        return pillar.read_section(pillar.FOLDER, ".ome.tif")
    place = cache.folder(
        f"{pillar.NAME}-section", size, seed, parameters=pillar.SETUPS, code=[Path(pillar.__file__)]
    )
    cache.make(place, pillar.section_makers(size, seed))
    return pillar.read_section(place, ".ome.zarr")


_ABOUT = (
    "Digital twin (simulated, seed {seed}) of the LCO and NCA pillar of Microsc. Microanal. 2022, "
    "doi:10.1017/S1431927622012405: not measured data. Geometry, energies, currents, times and sizes of maps "
    "are the paper's, the focal spot is set by its resolution; all that the cathode is made of is assumed."
)
