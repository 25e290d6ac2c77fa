"""Digital twins by name: a known specimen, and what two instruments record of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import xarray as xr

from . import twin_files, xt_fibsem

Size = Literal["small", "full"]


@dataclass(frozen=True, eq=False, repr=False)
class Twin:
    """A digital twin: simulated images of one specimen, and the truth.

    Attributes
    ----------
    xray : xarray.DataArray
        Grey values of X-ray tomography, ``uint8``, dims z, y, x.
    truth : xarray.DataArray
        Labels on the X-ray grid of the cuboid that both instruments imaged; 255 where a feature is below two
        voxels.
    fibsem : xarray.DataArray
        Grey values of FIB-SEM tomography, ``uint8``, dims channel, z, y, x, in its own frame.
    fibsem_truth : xarray.DataArray
        Labels on the grid of `fibsem`, without the drift of its slices.
    pose : numpy.ndarray
        4 × 4, takes (z, y, x, 1) in µm from the X-ray frame to the FIB-SEM frame. A registration must find
        it.
    about : str
        What this is, in a sentence or two.
    """

    xray: xr.DataArray
    truth: xr.DataArray
    fibsem: xr.DataArray
    fibsem_truth: xr.DataArray
    pose: npt.NDArray[np.float64]
    about: str

    def __repr__(self) -> str:
        images = ("xray", "truth", "fibsem", "fibsem_truth")
        sizes = (f"{name} {dict(getattr(self, name).sizes)}" for name in images)
        return f"Twin({self.about}\n  " + "\n  ".join(sizes) + ")"


def load(name: str, size: Size = "small", *, seed: int = 0) -> Twin:
    """Load a digital twin.

    Parameters
    ----------
    name : str
        Which one: ``"xt-fibsem"``, the LiMn2O4 cathode of the X-ray and FIB-SEM paper.
    size : {"small", "full"}
        ``"small"`` is the cuboid that both instruments imaged, with the FIB-SEM volume binned by 6; seed 0 is
        read from the folder ``data``. ``"full"`` has the volumes of the paper: 571 × 251 × 1142 X-ray voxels,
        500 × 1027 × 932 FIB-SEM voxels; it is made once, in minutes, kept in the cache (``CORRTOMO_CACHE``,
        or the cache folder of the user), and opened lazily.
    seed : int
        Which specimen. Every seed is another piece of the same kind of electrode, imaged with other noise.

    Returns
    -------
    Twin
        X-ray image, FIB-SEM image, the truth of both, and the pose between them.

    Raises
    ------
    ValueError
        If the name or the size is not known, or the seed is not a whole number from 0.

    Notes ----- The small twin is a cut-out of the full one. For a small twin of a seed other than 0 the X-ray
    cuboid and its truth are simulated at once, in seconds; the FIB-SEM images are lazy, and simulated when
    their values are first asked for.

    Examples
    --------
    >>> import corrtomo as ct
    >>> twin = ct.datasets.load("xt-fibsem")
    >>> twin.xray.shape, twin.truth.shape, twin.fibsem.dims
    ((24, 55, 65), (24, 55, 65), ('channel', 'z', 'y', 'x'))
    """
    if name != xt_fibsem.NAME:
        raise ValueError(
            f"Cannot load {name!r}: not a known digital twin. Known is {xt_fibsem.NAME!r}. "
            "Published real data comes from ct.datasets.fetch()."
        )
    if size not in get_args(Size):
        raise ValueError(
            f"Cannot load {name!r} at size {size!r}: allowed are {', '.join(get_args(Size))}. "
            "Crop a twin with twin.xray.isel(x=slice(...))."
        )
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise ValueError(
            f"Cannot load {name!r} with seed {seed!r}: a whole number from 0 is needed. "
            "Leave it out for the twin that lies in the folder data."
        )
    folder = twin_files.small_folder()
    if size == "full":
        images = twin_files.open_full(twin_files.make_full(int(seed)))
    elif seed == twin_files.SEED and folder is not None:
        images = twin_files.read_small(folder)
    else:
        images = twin_files.make_small(int(seed))
    return Twin(**images, pose=xt_fibsem.pose(int(seed)), about=_ABOUT.format(seed=seed))


_ABOUT = (
    "Digital twin (simulated, seed {seed}) of the LiMn2O4 cathode of Sci. Rep. 6, 30109: not measured data. "
    "Blur, noise and grey window of its X-ray model were calibrated with the paper's Otsu threshold and "
    "its two kappas "
    "of thresholds, and the specimen has the paper's phase fractions; nothing else was fitted."
)
