"""Cross-sections by name: digital twins, published measurements, a reader's own."""

from __future__ import annotations

from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

from tqdm import tqdm

from . import cache, kintsugi
from .choice import check_choice
from .kintsugi_nmc import kintsugi_nmc
from .real import sources
from .section import Section, named_classes, section_from_folder

Size = Literal["small", "full"]
MEASURED = "kintsugi-nmc"


def load_section(
    name: str | Path, size: Size = "small", *, seed: int = 0, pixel_um: float | None = None
) -> Section:
    """Load a cross-section for a chapter: a digital twin, a published measurement, or a folder of your own.

    Parameters
    ----------
    name : str or path
        ``"kintsugi"``, the digital twin of the platinum-filled NMC cathode; ``"kintsugi-nmc"``, a measured
        image of such a cathode, with boxes that an operator drew; or a folder of yours that holds
        ``image.tif`` (a channel for each detector) and, if you have them, ``bare.tif`` (the same plane before
        platinum), ``truth.tif`` (codes of :class:`corrtomo.Phase`), ``classes.tif`` (0 to 4:
        collector, active material, binder, platinum at the edge, platinum in depth; else the phases of the
        truth are taken),
        ``cracks.tif`` and ``eds.tif``, in any format of :func:`corrtomo.read`.
    size : {"small", "full"}
        Of the digital twin. ``"small"`` is 954 × 1024 pixels of 20 nm; seed 0 is read from the folder
        ``data`` where it lies there, others are simulated in seconds. ``"full"`` is the paper's 3816 × 4096,
        made once and kept in the cache (``CORRTOMO_CACHE``, or the cache folder of the user).
    seed : int
        Which specimen of the digital twin. Other sections have one.
    pixel_um : float, optional
        Edge of a pixel of the measured image or of your files, where they do not state their own.

    Returns
    -------
    Section
        Image; for the digital twin also the truth, the bare plane, the X-ray count maps and where they lie.

    Raises
    ------
    ValueError
        If the name or the size is not known, the seed is not a whole number from 0, or a pixel size is given
        for the twin.

    Examples
    --------
    >>> import corrtomo as ct
    >>> twin = ct.datasets.load_section("kintsugi")
    >>> twin.image.shape, twin.eds.channel.values.tolist()
    ((2, 954, 1024), ['Al', 'Ni', 'Pt', 'C', 'F'])
    """
    check_choice(name, size, seed, sizes=get_args(Size), crop="section.image")
    if name != kintsugi.NAME and (size, seed) != ("small", 0) and (name == MEASURED or Path(name).is_dir()):
        raise ValueError(
            f"Cannot load {name!r} at size {size!r} with seed {seed!r}: it has one size and one specimen. "
            "Leave both out; they are for the digital twin."
        )
    if name == MEASURED:
        return _measured(pixel_um)
    if name != kintsugi.NAME and Path(name).is_dir():
        return section_from_folder(Path(name), pixel_um=pixel_um)
    if name != kintsugi.NAME:
        near = get_close_matches(str(name), [kintsugi.NAME, MEASURED], n=1)
        raise ValueError(
            f"Cannot load {name!r}: not a known section. Known are {kintsugi.NAME}, {MEASURED}, or a folder "
            f"that holds image.tif.{f' Did you mean {near[0]!r}?' if near else ''} Volumes come from "
            "ct.datasets.load(), other published data from ct.datasets.fetch()."
        )
    if pixel_um is not None:
        raise ValueError(
            f"Cannot load {name!r} with pixel_um {pixel_um!r}: the digital twin states its own. Leave it out."
        )
    return _twin(size, int(seed))


def _twin(size: Size, seed: int) -> Section:
    images: dict[str, Any]
    beside = Path(__file__).parents[3] / "data" / kintsugi.NAME
    if size == "full":
        bar = partial(tqdm, desc="digital twin: behind the plane", unit="slab", delay=1)
        place = cache.folder(
            kintsugi.NAME, size, seed, parameters=kintsugi.WINDOWS, code=[Path(kintsugi.__file__)]
        )
        images = kintsugi.read_images(cache.make(place, kintsugi.makers(seed, size, bar)), ".ome.zarr")
    elif seed == 0 and beside.is_dir():
        images = kintsugi.read_images(beside, ".ome.tif")
    else:
        images = {key: make() for key, make in kintsugi.makers(seed, size).items()}
    images["classes"] = named_classes(images["classes"])
    return Section(
        **images,
        truth=kintsugi.phases(images["classes"]),
        source="digital twin",
        pose=kintsugi.pose(seed, size),
        boxes=kintsugi.boxes(images["classes"]),
        about=_ABOUT.format(seed=seed),
    )


def _measured(pixel_um: float | None) -> Section:
    image, boxes = kintsugi_nmc() if pixel_um is None else kintsugi_nmc(pixel_um=pixel_um)
    row = sources().loc[MEASURED]
    about = f"Measured: {row['about']} {row['credit']}; licence {row['licence']}."
    return Section(image=image, source="measured", about=about, boxes=boxes)


_ABOUT = (
    "Digital twin (simulated, seed {seed}) of the platinum-filled NMC cathode of J. Electrochem. Soc. 169, "
    "070512: not measured data. Sizes, beam, thickness of platinum and total of X-ray counts are the "
    "paper's; fractions, cracks, and how the detectors see are assumptions. Nothing was fitted."
)
