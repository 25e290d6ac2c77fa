"""What a chapter works on: images of one specimen, and the truth where it is known."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import xarray as xr

from ..io import read
from ..phases import as_labels
from ..volume import check_same_grid

Source = Literal["measured", "digital twin"]


@dataclass(frozen=True, eq=False)
class Sample:
    """Images of one specimen; what is not known or was not imaged is None.

    Attributes
    ----------
    xray : xarray.DataArray
        Grey values of X-ray tomography, ``uint8``, dims z, y, x (or y, x for a slice).
    source : {"measured", "digital twin"}
        What kind of data it is: for captions.
    about : str
        What it is, where it is from, and its licence, in a sentence or two.
    truth : xarray.DataArray or None
        Labels on the X-ray grid of the cuboid that both instruments imaged; 255 where a feature is below two
        voxels.
    fibsem : xarray.DataArray or None
        Grey values of FIB-SEM tomography, ``uint8``, dims channel, z, y, x, in its own frame.
    fibsem_truth : xarray.DataArray or None
        Labels on the grid of `fibsem`, without the drift of its slices.
    pose : numpy.ndarray or None
        4 × 4, takes (z, y, x, 1) in µm from the X-ray frame to the FIB-SEM frame. A registration must find
        it.
    """

    xray: xr.DataArray
    source: Source
    about: str
    truth: xr.DataArray | None = None
    fibsem: xr.DataArray | None = None
    fibsem_truth: xr.DataArray | None = None
    pose: npt.NDArray[np.float64] | None = None

    def __repr__(self) -> str:
        images = {name: getattr(self, name) for name in ("xray", "truth", "fibsem", "fibsem_truth")}
        sizes = (f"{name} {dict(image.sizes)}" for name, image in images.items() if image is not None)
        return f"Sample({self.about}\n  " + "\n  ".join(sizes) + ")"


def from_files(
    image: str | Path, truth: str | Path | None = None, *, voxel_size_um: float | None = None
) -> Sample:
    """Take your own files for a chapter.

    Parameters
    ----------
    image : path
        Grey values of X-ray tomography, in any format of :func:`corrtomo.read`.
    truth : path, optional
        Labels with codes of :class:`corrtomo.Phase` on the same grid.
    voxel_size_um : float, optional
        Edge length of a voxel in µm, where the files do not state it.

    Returns
    -------
    Sample
        Marked as measured.

    Raises
    ------
    ValueError
        If the grids differ, or a voxel size is neither in the file nor given.

    Examples
    --------
    >>> import corrtomo as ct
    >>> ct.datasets.from_files("data/xt-fibsem/xray.ome.tif").source  # doctest: +SKIP
    'measured'
    """
    grey = read(image, voxel_size_um)
    labels = None if truth is None else as_labels(read(truth, voxel_size_um))
    if labels is not None:
        check_same_grid(grey, labels, doing="compare grey values with a truth")
    return Sample(xray=grey, source="measured", about=f"Measured: {Path(image).name}.", truth=labels)
