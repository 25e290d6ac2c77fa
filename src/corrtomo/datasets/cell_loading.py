"""Wound cells by name: the digital twin, published measurements, and a reader's own."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import xarray as xr
from tqdm import tqdm

from ..io import read
from ..volume import volume, voxel_size
from . import cache, cell
from .cell_images import Cell
from .choice import check_choice, check_name, is_there
from .folder import files_named
from .real import fetch, sources

Size = Literal["small", "full"]
STACK, COLLECTORS = "cell-xct", "cell-collectors"
FILES = ("overview", "detail", "overview-truth", "detail-truth")
_STACK_UM, _COLLECTORS_UM = 33.97, 10.4
_SLICES = "im[0-9][0-9][0-9].tif"


def load_cell(
    name: str | Path = cell.NAME,
    size: Size = "small",
    *,
    seed: int = 0,
    overview_voxel_um: float | None = None,
    detail_voxel_um: float | None = None,
) -> Cell:
    """Load a wound cell for a chapter: a digital twin, a published measurement, or a folder of your own.

    Parameters
    ----------
    name : str or path
        ``"cell-to-particle"``, the digital twin of an 18650 cell with copper outgrowths; ``"cell-xct"``, 100
        slices of a real cell and one slice of a winding with its mask; ``"cell-collectors"``, the published
        labels of the collectors of an 18650 cell; or a folder of yours that holds ``overview``, ``detail`` or
        both, and, if you have them, ``overview-truth`` and ``detail-truth``, in any format of
        :func:`corrtomo.read`.
    size : {"small", "full"}
        Of the twin. ``"small"`` has an overview of 50 × 560 × 560 voxels of 34 µm, and a detail of 200 × 480
        × 480 voxels of 0.5 µm; ``"full"`` 100 × 736 × 736 of 26 µm, and 300 × 600 × 600 of 0.5 µm. Both are
        of one and the same cell. They are made once, in under a minute or in some minutes, and kept in the
        cache (``CORRTOMO_CACHE``, or the cache folder of the user).
    seed : int
        Which cell.
    overview_voxel_um, detail_voxel_um : float, optional
        Of the files in a folder of yours, where they do not state their own.

    Returns
    -------
    Cell
        Images are made, or read, when they are asked for.

    Raises
    ------
    ValueError
        If name or size is not known, the seed is not a whole number from 0, a folder holds neither image, or
        a voxel size is given for data that states its own.
    TypeError
        If the name is neither text nor a path.

    Notes
    -----
    Of the winding slice of ``"cell-xct"`` no pixel size is stated: 1 µm stands for a pixel, and
    ``attrs["pixel_stated"]`` is False. The twin's overview is scanned in a parallel beam, of which each slice
    is reconstructed with its beam hardening, rings and noise; its detail is not reconstructed from
    projections, see :class:`corrtomo.simulate.DetailModel`.

    Examples
    --------
    >>> import corrtomo as ct
    >>> twin = ct.datasets.load_cell()
    >>> twin.outgrowths.shape, int(twin.outgrowths.in_detail.sum())
    ((24, 12), 1)
    """
    check_name(name, f"{cell.NAME!r}, or a folder that holds overview.tif")
    check_choice(name, size, seed, sizes=get_args(Size), crop="cell.overview")
    given = {"overview_voxel_um": overview_voxel_um, "detail_voxel_um": detail_voxel_um}
    known = (cell.NAME, STACK, COLLECTORS)
    own = name not in known
    if own and not (is_there(name) and Path(name).is_dir()):
        raise ValueError(
            f"Cannot load {name!r}: known are {', '.join(known)}, or a folder that holds overview.tif or "
            "detail.tif. Pillars come from ct.datasets.load_pillar(), sections from "
            "ct.datasets.load_section()."
        )
    if name != cell.NAME and (size, seed) != ("small", 0):
        raise ValueError(
            f"Cannot load {name!r} at size {size!r} with seed {seed!r}: these choose a digital twin. Leave "
            "them out for measured data."
        )
    if own:
        return _from_folder(Path(name), given)
    if any(value is not None for value in given.values()):
        wrong = ", ".join(key for key, value in given.items() if value is not None)
        raise ValueError(f"Cannot load {name!r} with {wrong}: it states its own. Leave it out.")
    return _twin(size, int(seed)) if name == cell.NAME else _measured(str(name))


def _twin(size: Size, seed: int) -> Cell:
    where = cell.poses(seed)

    def layers_on(like: xr.DataArray, frame: str, phases: bool) -> xr.DataArray:
        roll = cell.specimen(seed)
        found = (roll.phases if phases else roll.layers)(
            [float(v) for v in voxel_size(like)],
            shape=like.shape,
            origin=[float(like[d][0]) for d in like.dims],
            pose=where.overview if frame == "overview" else where.detail,
        )
        return found.assign_coords({d: like[d] for d in like.dims})

    return Cell(
        source="digital twin",
        about=_ABOUT.format(seed=seed),
        makers={key: partial(_made, key, size, seed) for key in ("overview", "detail")},
        outgrowths=cell.grown_in_overview(seed),
        pose=where.detail_in_overview(),
        centre_um=(float(where.overview[1, 3]), float(where.overview[2, 3])),
        layers_on=layers_on,
        spiral_of=partial(cell.spiral_in_overview, seed),
    )


def _made(key: str, size: Size, seed: int) -> xr.DataArray:
    """Return an image of the twin from the cache, which it is made for if it is not there."""
    code = [Path(cell.__file__)]
    if key == "overview":  # the detail is not reconstructed
        code += sorted((Path(__file__).parents[1] / "reconstruct").glob("*.py"))
    place = cache.folder(f"{cell.NAME}-{key}", size, seed, parameters=cell.SETTINGS, code=code)
    bar = partial(tqdm, desc="digital twin: detail", unit="slab", delay=1)
    make = partial(cell.overview, size, seed) if key == "overview" else partial(cell.detail, size, seed, bar)
    image = read(cache.make(place, {key: make}) / f"{key}.ome.zarr").load()
    low, high = cell.OVERVIEW_PER_UM if key == "overview" else cell.DETAIL_PER_UM
    return image.assign_attrs(grey_0_per_um=low, grey_65535_per_um=high).rename(key)


def _measured(name: str) -> Cell:
    row = sources().loc[name]
    about = f"Measured: {row['about']} {row['credit']}; licence {row['licence']}."
    if name == COLLECTORS:
        return Cell("measured", about, {"collectors": _collectors})
    makers = {"overview": _stack, "winding": _winding, "winding-mask": _winding_mask}
    return Cell(
        "measured", f"{about} The pixel size of the winding is not stated: 1 µm stands for it.", makers
    )


def _stack() -> xr.DataArray:
    return read(fetch(STACK), _STACK_UM, dataset=_SLICES).load().rename("overview")


def _winding() -> xr.DataArray:
    return read(fetch(STACK) / "im_1.tif", 1.0).load().rename("winding").assign_attrs(pixel_stated=False)


def _winding_mask() -> xr.DataArray:
    mask = read(fetch(STACK) / "mask_1.tif", 1.0).load() > 0
    return mask.rename("winding mask").assign_attrs(pixel_stated=False)


def _collectors() -> xr.DataArray:
    with np.load(fetch(COLLECTORS) / "cc_im.npz", allow_pickle=False) as archive:
        labels = archive["arr_0"]
    return volume(labels.astype(np.uint8), _COLLECTORS_UM, name="collectors")


def _from_folder(folder: Path, given: Mapping[str, float | None]) -> Cell:
    """Take a reader's files; one of overview and detail must be there."""
    there = {path.name.split(".")[0] for path in folder.iterdir()}
    names = sorted(FILES, key=lambda name: name not in there)
    if not there & {"overview", "detail"}:
        raise ValueError(
            f"Cannot take {folder} as a cell: it holds neither overview nor detail, in any format of "
            f"ct.read(). Known names are {', '.join(FILES)}. Rename your files."
        )
    found = files_named(folder, names, kind="cell")
    makers = {name: partial(_image, path, name, given) for name, path in found.items()}
    return Cell("measured", f"Measured: {', '.join(path.name for path in found.values())}.", makers)


def _image(path: Path, name: str, given: Mapping[str, float | None]) -> xr.DataArray:
    """Read an image of a folder; refuse one that is no volume, and a truth on another grid."""
    which = name.split("-")[0]
    image = read(path, given[f"{which}_voxel_um"])
    if image.dims != ("z", "y", "x"):
        raise ValueError(
            f"Cannot use {path} as {name}: its dims are {image.dims}, and z, y, x are needed. Save it so "
            "first, with ct.write(image, path)."
        )
    return image.rename(name)


_ABOUT = (
    "Digital twin (simulated, seed {seed}) of an 18650 cell with copper outgrowths, after Fraunhofer IKTS' "
    "workflow from cell to particle: not measured data. Layers have the thickness and porosity of a teardown "
    "(doi:10.1149/1945-7111/ab9050); how they are wound, the outgrowths and the instruments are assumed."
)
