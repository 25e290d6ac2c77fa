"""Samples by name: digital twins, and published measurements."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Literal, get_args

from . import twin_files, xt_fibsem
from .choice import check_choice
from .measured import SLICES, load_slice
from .sample import Sample, from_folder

Size = Literal["small", "medium", "full"]


def load(
    name: str | Path,
    size: Size = "small",
    *,
    seed: int = 0,
    voxel_size_um: float | None = None,
    fibsem_voxel_size_um: float | None = None,
) -> Sample:
    """Load a sample for a chapter: a digital twin, a published measurement, or a folder of your own.

    Parameters
    ----------
    name : str or path
        ``"xt-fibsem"``, the digital twin of the LiMn2O4 cathode of the X-ray and FIB-SEM paper; or the
        published X-ray slices ``"nmc-xt-slice"`` and ``"nmc-nanoct"``, which :func:`fetch` downloads once;
        or a folder of yours that holds ``xray.tif`` and, if you have them, ``truth.tif``, ``fibsem.tif`` and
        ``fibsem-truth.tif``, in any format of :func:`corrtomo.read` (see :func:`from_files` for what they
        are).
    size : {"small", "medium", "full"}
        Of a digital twin. ``"small"`` is the cuboid that both instruments imaged, with the FIB-SEM volume
        binned by 6; it is read from the folder ``data`` where it lies there. ``"medium"`` has a larger X-ray
        volume around the cuboid, 171 × 251 × 228 voxels, made once in seconds. ``"full"`` has the volumes of
        the paper: 571 × 251 × 1142 X-ray voxels, and 500 × 1027 × 932 FIB-SEM voxels that stay on disk; it
        is made once, in minutes. What is made is kept in the cache (``CORRTOMO_CACHE``, or the cache folder
        of the user). Other samples have one size.
    seed : int
        Which specimen of a digital twin. Every seed is another piece of the same kind of electrode, imaged
        with other noise. Other samples have one specimen.
    voxel_size_um, fibsem_voxel_size_um : float, optional
        Of the files in a folder of yours, where they do not state their own.

    Returns
    -------
    Sample
        X-ray image; for a digital twin also the FIB-SEM image, the truth of both, and the pose between them.

    Raises
    ------
    ValueError
        If the name or the size is not known, the seed is not a whole number from 0, the folder does not hold
        one X-ray image, or a voxel size is given for data that states its own.

    Notes
    -----
    The small twin is a cut-out of the full one. Seeds 0 to 5 lie in the folder ``data`` (FIB-SEM images of
    seed 0 only); of others the X-ray cuboid and its truth are simulated at once, in seconds. FIB-SEM images
    that are not in the folder are lazy, and simulated when their values are first asked for.

    Examples
    --------
    >>> import corrtomo as ct
    >>> twin = ct.datasets.load("xt-fibsem")
    >>> twin.xray.shape, twin.truth.shape, twin.fibsem.dims
    ((24, 55, 65), (24, 55, 65), ('channel', 'z', 'y', 'x'))
    """
    known = [xt_fibsem.NAME, *SLICES]
    check_choice(name, size, seed, sizes=get_args(Size), crop="twin.xray")
    if name not in known and Path(name).is_dir():
        return from_folder(Path(name), voxel_size_um=voxel_size_um, fibsem_voxel_size_um=fibsem_voxel_size_um)
    if name not in known:
        near = get_close_matches(str(name), known, n=1)
        raise ValueError(
            f"Cannot load {name!r}: not a known sample. Known are {', '.join(known)}, or a folder that holds "
            f"xray.tif.{f' Did you mean {near[0]!r}?' if near else ''} Other published data comes from "
            "ct.datasets.fetch(), files with other names from ct.datasets.from_files()."
        )
    if (voxel_size_um, fibsem_voxel_size_um) != (None, None):
        raise ValueError(
            f"Cannot load {name!r} with voxel size {voxel_size_um!r}, {fibsem_voxel_size_um!r} µm: it states "
            "its own. Leave them out; they are for a folder of your own files."
        )
    if name in SLICES:
        return load_slice(name)
    if size == "full":
        images = twin_files.open_full(twin_files.make_full(int(seed)))
    elif (folder := twin_files.small_folder(int(seed))) is not None:
        images = twin_files.read_small(folder, int(seed))
    else:
        images = twin_files.make_small(int(seed))
    if size == "medium":
        images["xray"] = twin_files.medium_xray(int(seed))
    about = _ABOUT.format(seed=seed)
    return Sample(**images, source="digital twin", pose=xt_fibsem.pose(int(seed)), about=about)


_ABOUT = (
    "Digital twin (simulated, seed {seed}) of the LiMn2O4 cathode of Sci. Rep. 6, 30109: not measured data. "
    "The specimen has the paper's phase fractions and its 62.7 % porosity of the carbon binder domain. Blur, "
    "noise and grey window of the X-ray model were calibrated with the paper's Otsu threshold and its best "
    "kappas of one and of two thresholds; nothing else was fitted."
)
