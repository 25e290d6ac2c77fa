"""Slice-and-view stacks by name, and what they show: digital twins of cycled cathodes, and a reader's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

import xarray as xr
from tqdm import tqdm

from ..io import read
from ..phases import as_labels
from ..simulate import MillingModel
from ..simulate.milling import mark_table, slice_table
from . import cache, cycling
from .choice import check_choice, check_name, is_one_of, is_there
from .section import Section, classes_of_phases
from .stack import Stack, check_tilt, stack_from_folder

Size = Literal["small", "full"]


def load_stack(
    name: str | Path,
    cycles: int | None = None,
    size: Size = "small",
    *,
    seed: int = 0,
    tilt_deg: float = 36.0,
    voxel_size_um: float | Sequence[float] | None = None,
) -> Stack:
    """Load a slice-and-view stack for a chapter: a digital twin, or a folder of your own.

    Parameters
    ----------
    name : str or path
        ``"nmc"`` or ``"he-nmc"``, the digital twins of the cathodes of the cycling paper; or a folder of
        yours that holds ``stack.tif``, or any format of :func:`corrtomo.read`, and, if you have them, the
        marks in ``marks.csv`` with the columns ``y_um``, ``x_um``, ``slope``.
    cycles : int, optional
        State of the twin: 0, 20 or 50 for NMC, 1 or 50 for HE-NMC; by default the first.
    size : {"small", "full"}
        Of the twin. ``"small"`` is 60 images of 320 × 400 pixels, simulated in seconds. ``"full"`` has the
        paper's size, 300 or 280 images of 768 × 1024; it is made once, and kept in the cache
        (``CORRTOMO_CACHE``, or the cache folder of the user).
    seed : int
        Which pieces of cathode. Each state is another piece, as in the paper.
    tilt_deg : float
        Under which angle your microscope saw the face. The twin has the paper's 36°.
    voxel_size_um : float or sequence of float, optional
        Of your stack, where it does not state its own: thickness of a slice, and edges of a pixel on the
        screen along y and x.

    Returns
    -------
    Stack
        Raw images and marks; for the twin also the truth.

    Raises
    ------
    ValueError
        If name, state or size is not known, the seed is not a whole number from 0, the tilt is not from 0 to
        80 degrees, or the folder does not hold one stack.
    TypeError
        If the name is neither text nor a path, or the tilt is no number.

    Examples
    --------
    >>> import corrtomo as ct
    >>> stack = ct.datasets.load_stack("nmc", 20)
    >>> stack.image.shape, stack.tilt_deg, len(stack.marks)
    ((60, 320, 400), 36.0, 4)
    """
    check_name(name, "'nmc', or a folder that holds stack.tif")
    check_choice(name, size, seed, sizes=get_args(Size), crop="stack.image")
    check_tilt(tilt_deg)
    if name not in cycling.CATHODES and is_there(name) and Path(name).is_dir():
        _check_plain(name, cycles, size, seed)
        return stack_from_folder(Path(name), tilt_deg=tilt_deg, voxel_size_um=voxel_size_um)
    which, state = _piece(name, cycles, "a folder that holds stack.tif")
    if voxel_size_um is not None or tilt_deg != MillingModel().tilt_deg:
        raise ValueError(
            f"Cannot load {name!r} with tilt_deg {tilt_deg!r} and voxel_size_um {voxel_size_um!r}: the "
            "digital twin states its own. Leave both out."
        )
    bar = partial(tqdm, desc="digital twin: milling", unit="slab", delay=1)
    if size == "small":
        made = cycling.stack(which, state, size, int(seed), bar)
        return _stack(which, state, seed, made.image, made.marks, made.slices)
    place = _folder(f"{which}-{state}", size, int(seed))
    cache.make(place, {"stack": lambda: cycling.stack(which, state, size, int(seed), bar).image})
    image = read(place / "stack.ome.zarr")
    cathode, mill, count = cycling.CATHODES[which], MillingModel(), image.sizes["z"]
    marks = mark_table(*cycling.layout(which), mill)
    slices = slice_table(count, cathode.slice_um, mill, cycling.number(which, state, int(seed)))
    return _stack(which, state, seed, image, marks, slices)


def _stack(name: str, cycles: int, seed: int, image: xr.DataArray, marks: Any, slices: Any) -> Stack:
    about = _ABOUT.format(cathode=name.upper(), cycles=cycles, seed=seed)

    def truth_on(like: xr.DataArray) -> xr.DataArray:
        return cycling.truth(name, cycles, int(seed), like)

    return Stack(image, MillingModel().tilt_deg, "digital twin", about, marks, slices, truth_on)


def load_phases(
    name: str | Path,
    cycles: int | None = None,
    *,
    seed: int = 0,
    voxel_size_um: float | Sequence[float] | None = None,
) -> xr.DataArray:
    """Load the phases of a cycled cathode: the truth of a digital twin at the published size, or a file.

    Parameters
    ----------
    name : str or path
        ``"nmc"`` or ``"he-nmc"``, or a file of yours with codes of :class:`corrtomo.Phase`, in any format of
        :func:`corrtomo.read`.
    cycles : int, optional
        State of the twin: 0, 20 or 50 for NMC, 1 or 50 for HE-NMC; by default the first.
    seed : int
        Which pieces of cathode. Each state is another piece, as in the paper.
    voxel_size_um : float or sequence of float, optional
        Edge of a voxel in your file, where it does not state its own.

    Returns
    -------
    xarray.DataArray
        Labels, dims z, y, x: y is the depth below the surface of the cathode. The twin covers what the
        paper's stack shows, in cubic voxels of 50 nm (NMC) or 70 nm (HE-NMC); it is made once and kept in
        the cache.

    Raises
    ------
    ValueError
        If name or state is not known, or the seed is not a whole number from 0.
    TypeError
        If the name is neither text nor a path.

    Examples
    --------
    >>> import corrtomo as ct
    >>> ct.datasets.load_phases("nmc", 20).shape  # doctest: +SKIP
    (300, 447, 512)
    """
    check_name(name, "'nmc', or a file of labels")
    check_choice(name, "full", seed, sizes=("full",), crop="phases")
    if name not in cycling.CATHODES and is_there(name):
        _check_plain(name, cycles, "small", seed)
        return as_labels(read(name, voxel_size_um))
    which, state = _piece(name, cycles, "a file of labels")
    if voxel_size_um is not None:
        raise ValueError(
            f"Cannot load {name!r} with voxel_size_um {voxel_size_um!r}: the digital twin states its own. "
            "Leave it out."
        )
    place = _folder(f"{which}-{state}", "full", int(seed))
    cache.make(place, {"phases": lambda: cycling.phases(which, state, int(seed))})
    return as_labels(read(place / "phases.ome.zarr").load())


def load_states(
    samples: Mapping[str, tuple[str, int] | str | Path],
    *,
    seed: int = 0,
    voxel_size_um: float | Sequence[float] | None = None,
) -> dict[str, xr.DataArray]:
    """Load the phases of several pieces of cathode, to compare them.

    Parameters
    ----------
    samples : mapping of str to (str, int) or path
        By the name that each is given: cathode and cycles of the digital twin, as ``("nmc", 20)``, or a file
        of labels.
    seed, voxel_size_um
        As for :func:`load_phases`.

    Returns
    -------
    dict of str to xarray.DataArray
        Labels by name.

    Raises
    ------
    TypeError
        If `samples` is no mapping.
    ValueError
        As :func:`load_phases`.

    Examples
    --------
    >>> import corrtomo as ct
    >>> ct.datasets.load_states({})
    {}
    """
    if not isinstance(samples, Mapping):
        raise TypeError(
            f"Cannot load a {type(samples).__name__} of samples: names and what they stand for are needed. "
            "Pass for instance {'pristine': ('nmc', 0), 'mine': 'labels.tif'}."
        )
    loaded = {}
    for name, which in samples.items():
        piece = which if isinstance(which, tuple | list) else (which,)
        own = len(piece) == 1 and str(piece[0]) not in cycling.CATHODES
        edge = voxel_size_um if own else None
        loaded[name] = load_phases(*piece, seed=0 if own else seed, voxel_size_um=edge)
    return loaded


def load_polished(cycles: int = 0, place: int = 0, size: Size = "small", *, seed: int = 0) -> Section:
    """Load one of the places on a polished cross-section of the NMC cathode: a digital twin.

    Parameters
    ----------
    cycles : {0, 20, 50}
        State of the cathode.
    place : {0, 1, 2}
        Which of three places, evenly along the section.
    size : {"small", "full"}
        ``"small"`` shows 50 µm of a section 320 µm wide at each place, ``"full"`` 300 µm of 1 mm; both
        through the whole coating of 60 µm, in pixels of 50 nm. Small ones of seed 0 after 0 and 20 cycles
        lie in the folder ``data``; others are made once and kept in the cache.
    seed : int
        Which pieces of cathode.

    Returns
    -------
    Section
        Image, truth, and the phases of the truth as classes.

    Raises
    ------
    ValueError
        If there is no such state, place or size.
    """
    check_choice("polished", size, seed, sizes=get_args(Size), crop="section.image")
    _, state = _piece("nmc", cycles, "a folder, by ct.datasets.load_section()")
    if not is_one_of(place, range(cycling.PLACES)):
        raise ValueError(
            f"Cannot load place {place!r} of a polished section: allowed are 0 to {cycling.PLACES - 1}. "
            "Image a section of your own with ct.simulate.polished_section()."
        )
    place = int(place)
    folder, suffix = cycling.FOLDER / f"polished-{state}-{place}", ".ome.tif"
    if (size, seed) != ("small", 0) or not folder.is_dir():
        folder, suffix = _folder(f"polished-{state}-{place}", size, int(seed)), ".ome.zarr"
        if not folder.is_dir():
            images = cycling.polished(state, place, size, int(seed))
            cache.make(folder, {key: partial(images.__getitem__, key) for key in images})
    image, truth = (read(folder / f"{key}{suffix}").load() for key in ("image", "truth"))
    about = _ABOUT.format(cathode="NMC", cycles=state, seed=seed)
    truth = as_labels(truth)
    classes = classes_of_phases(truth)
    return Section(image=image, truth=truth, classes=classes, source="digital twin", about=about)


def _check_plain(name: str | Path, cycles: Any, size: Any, seed: Any) -> None:
    """Refuse to choose a state of a reader's own file."""
    if (cycles, size, seed) != (None, "small", 0):
        raise ValueError(
            f"Cannot load {name!r} with cycles {cycles!r}, size {size!r} and seed {seed!r}: these choose a "
            "digital twin. Leave them out for files of your own."
        )


def _piece(name: str | Path, cycles: int | None, other: str) -> tuple[str, int]:
    """Refuse a cathode or a state that there is not; return both."""
    if name not in cycling.CATHODES:
        raise ValueError(
            f"Cannot load {name!r}: known are {' and '.join(cycling.CATHODES)}, or {other}. Sections come "
            "from ct.datasets.load_section(), X-ray volumes from ct.datasets.load()."
        )
    states = list(cycling.CATHODES[str(name)].states)
    state = states[0] if cycles is None else cycles
    if not is_one_of(state, states):
        raise ValueError(
            f"Cannot load {name!r} after {cycles!r} cycles: the paper has {', '.join(map(str, states))}. "
            "Cycle a cathode of your own with ct.simulate.cycled()."
        )
    return str(name), int(state)


def _folder(name: str, size: str, seed: int) -> Path:
    code = [Path(cycling.__file__)]
    return cache.folder(name, size, seed, parameters=cycling.CATHODES, code=code)


_ABOUT = (
    "Digital twin (simulated, seed {seed}) of the {cathode} cathode of the cycling paper after {cycles} "
    "cycles: not measured data. Sizes of the images, fractions of NMC and contact with binder are the "
    "paper's; particle sizes, cracks, gaps and how the microscope sees are assumptions."
)
