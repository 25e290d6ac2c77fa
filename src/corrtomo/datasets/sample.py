"""What a chapter works on: images of one specimen, and the truth where it is known."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import xarray as xr

from ..checks import check_same_grid
from ..io import read
from ..phases import as_labels
from ..volume import voxel_size
from .folder import files_named

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

    @property
    def spot(self) -> xr.DataArray:
        """The X-ray image where the truth is known: the same spot, on the grid of `truth`.

        Raises
        ------
        ValueError
            If there is no truth, or it does not lie on the grid of the X-ray image.
        """
        if self.truth is None:
            raise ValueError(
                "Cannot cut the X-ray image to its truth: this sample has none. Pass labels on its grid, for "
                "instance with ct.datasets.from_files(image, truth)."
            )
        half = {d: size / 2 for d, size in zip(self.truth.dims, voxel_size(self.truth), strict=True)}
        ends = {d: (float(self.truth[d][0]) - half[d], float(self.truth[d][-1]) + half[d]) for d in half}
        cut = self.xray.sel({d: slice(*where) for d, where in ends.items()})
        check_same_grid(cut, self.truth, doing="cut the X-ray image to its truth")
        # Coordinates that differ in the last digit would be taken for other places by xarray.
        return cut.assign_coords({d: self.truth[d] for d in self.truth.dims})

    def __repr__(self) -> str:
        images = {name: getattr(self, name) for name in ("xray", "truth", "fibsem", "fibsem_truth")}
        sizes = (f"{name} {dict(image.sizes)}" for name, image in images.items() if image is not None)
        return f"Sample({self.about}\n  " + "\n  ".join(sizes) + ")"


def from_files(
    image: str | Path,
    truth: str | Path | None = None,
    *,
    fibsem: str | Path | None = None,
    fibsem_truth: str | Path | None = None,
    voxel_size_um: float | None = None,
    fibsem_voxel_size_um: float | None = None,
) -> Sample:
    """Take your own files for a chapter, each in any format of :func:`corrtomo.read`.

    Parameters
    ----------
    image : path
        Grey values of X-ray tomography.
    truth : path, optional
        Labels with codes of :class:`corrtomo.Phase`, on the grid of `image` or of a part of it.
    fibsem : path, optional
        Grey values of FIB-SEM tomography in their own frame, with a channel a detector or without.
    fibsem_truth : path, optional
        Labels with codes of :class:`corrtomo.Phase` on the grid of `fibsem`.
    voxel_size_um, fibsem_voxel_size_um : float, optional
        Edge length of a voxel in µm of the X-ray and of the FIB-SEM files, where they do not state it.

    Returns
    -------
    Sample
        Marked as measured.

    Raises
    ------
    ValueError
        If grids that must agree differ, or a voxel size is neither in the file nor given.

    Examples
    --------
    >>> import corrtomo as ct
    >>> ct.datasets.from_files("data/xt-fibsem/xray.ome.tif").source  # doctest: +SKIP
    'measured'
    """
    electrons = None if fibsem is None else read(fibsem, fibsem_voxel_size_um)
    known = None if fibsem_truth is None else as_labels(read(fibsem_truth, fibsem_voxel_size_um))
    if known is not None and electrons is not None:
        one = electrons.isel(channel=0, drop=True) if "channel" in electrons.dims else electrons
        check_same_grid(one, known, doing="compare FIB-SEM grey values with their labels")
    sample = Sample(
        xray=read(image, voxel_size_um),
        source="measured",
        about=f"Measured: {Path(image).name}.",
        truth=None if truth is None else as_labels(read(truth, voxel_size_um)),
        fibsem=electrons,
        fibsem_truth=known,
    )
    if sample.truth is not None:
        _ = sample.spot  # refuses a truth that lies on another grid
    return sample


def from_folder(
    folder: Path, *, voxel_size_um: float | None = None, fibsem_voxel_size_um: float | None = None
) -> Sample:
    """Take a folder laid out as data/xt-fibsem: ``xray``, ``truth``, ``fibsem`` and ``fibsem-truth``.

    Only ``xray`` must be there.

    Raises
    ------
    ValueError
        If there is no ``xray``, or several files answer to one name.
    """
    names = ("xray", "truth", "fibsem", "fibsem-truth")
    hint = ", or pass the files to ct.datasets.from_files()"
    named = files_named(folder, names, kind="sample", hint=hint)
    found = {name.replace("-", "_"): path for name, path in named.items()}
    image = found.pop("xray")
    return from_files(image, **found, voxel_size_um=voxel_size_um, fibsem_voxel_size_um=fibsem_voxel_size_um)
