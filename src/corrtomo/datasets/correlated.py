"""A pillar that a chapter works on: its X-ray scan, a section of it, and the maps of that section."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from ..checks import check_length
from ..io import read
from ..io.frames import read_frames
from ..measure.options import check_between
from ..volume import check_image, volume, voxel_size
from .folder import files_named
from .sample import Source

Matrix = npt.NDArray[np.float64]
FILES = ("counts", "flat", "dark", "angles", "volume", "se", "eds", "sims")
_DIMS = {
    "volume": ("z", "y", "x"),
    "se": ("y", "x"),
    "eds": ("channel", "y", "x"),
    "sims": ("channel", "y", "x"),
}

_FARTHEST_UM = 1e9


@dataclass(frozen=True, eq=False)
class Correlated:
    """A pillar seen by X-rays, electrons and ions; what is not known or was not taken is None.

    Large images are read, or made, when they are first asked for.

    Attributes
    ----------
    source : {"measured", "digital twin"}
        What kind of data it is: for captions.
    about : str
        What it is, where it is from, and its licence, in a sentence or two.
    makers : mapping of str to callable
        What makes each image.
    source_um, source_z_um : float or None
        From the source of X-rays to the axis of rotation, and its height; None for a parallel beam.
    centre_um, drift : float, pandas.DataFrame, or None
        The truth of a scan: x of the axis, and ``angle_deg``, ``z_um``, ``x_um`` of each projection.
    pose, eds_pose, sims_pose : numpy.ndarray or None
        The truth: 4 × 4 from the frame of the section to that of the volume; 3 × 3 from that of the section,
        (y, x, 1), to those of the maps.
    materials_on : callable or None
        The truth: returns the materials on the grid of a volume.
    """

    source: Source
    about: str
    makers: Mapping[str, Callable[[], Any]] = field(repr=False)
    source_um: float | None = None
    source_z_um: float | None = None
    centre_um: float | None = None
    drift: pd.DataFrame | None = None
    pose: Matrix | None = None
    eds_pose: Matrix | None = None
    sims_pose: Matrix | None = None
    materials_on: Callable[[xr.DataArray], xr.DataArray] | None = None

    def _get(self, name: str) -> Any:
        return self.makers[name]() if name in self.makers else None

    @cached_property
    def counts(self) -> xr.DataArray | None:
        """Radiographs in counts, dims angle, z, x; z and x in µm as seen on the axis of rotation."""
        found: xr.DataArray | None = self._get("counts")
        return found

    @cached_property
    def flat(self) -> xr.DataArray | None:
        """Radiographs with nothing in the beam."""
        found: xr.DataArray | None = self._get("flat")
        return found

    @cached_property
    def dark(self) -> xr.DataArray | None:
        """Radiographs with no beam; None for a detector that counts photons."""
        found: xr.DataArray | None = self._get("dark")
        return found

    @cached_property
    def angles_deg(self) -> Matrix | None:
        """Turn of the pillar at each projection."""
        found: Matrix | None = self._get("angles_deg")
        return found

    @cached_property
    def volume(self) -> xr.DataArray | None:
        """The reconstructed volume, attenuation in 1/µm, dims z, y, x."""
        found: xr.DataArray | None = self._get("volume")
        return found

    @cached_property
    def se(self) -> xr.DataArray | None:
        """Secondary electron image of the section, dims y, x."""
        found: xr.DataArray | None = self._get("se")
        return found

    @cached_property
    def eds(self) -> xr.DataArray | None:
        """X-ray counts of the section by element, dims channel, y, x, in a frame of their own."""
        found: xr.DataArray | None = self._get("eds")
        return found

    @cached_property
    def sims(self) -> xr.DataArray | None:
        """Counts of secondary ions by isotope, dims channel, y, x, in a frame of their own."""
        found: xr.DataArray | None = self._get("sims")
        return found

    @cached_property
    def materials(self) -> xr.DataArray | None:
        """The truth on the section: pore, carbon binder domain, LCO, NCA."""
        found: xr.DataArray | None = self._get("materials")
        return found

    @cached_property
    def boundaries(self) -> xr.DataArray | None:
        """The truth on the section: where grain boundaries of NCA are."""
        found: xr.DataArray | None = self._get("boundaries")
        return found

    @cached_property
    def particles(self) -> xr.DataArray | None:
        """The truth on the section: which particle, from 1; 0 for none."""
        found: xr.DataArray | None = self._get("particles")
        return found

    def truth(self, like: xr.DataArray) -> xr.DataArray:
        """Return the true materials on the grid of a volume.

        Raises
        ------
        ValueError
            If they are not known, or `like` is no volume.
        """
        if self.materials_on is None:
            raise ValueError(
                "Cannot tell the truth of a measured pillar: nobody knows it. Use the digital twin, "
                "ct.datasets.load_pillar()."
            )
        check_image(like, ndim=(3,))
        return self.materials_on(like)

    def __repr__(self) -> str:
        return f"Correlated({self.about}\n  {', '.join(self.makers)})"


def correlated_from_folder(
    folder: Path,
    *,
    pixel_um: float | None = None,
    source_um: float | None = None,
    source_z_um: float | None = None,
) -> Correlated:
    """Take a folder of a reader's files: ``counts``, ``flat``, ``dark``, ``angles.csv``, ``volume``, maps.

    Raises
    ------
    ValueError
        If there is neither a volume nor a scan, several files answer to one name, or counts have no angles.
    """
    _check_source(source_um, source_z_um)
    found = _files(folder)
    if "volume" not in found and "counts" not in found and "se" not in found:
        raise ValueError(
            f"Cannot take {folder} as a pillar: it holds none of volume, counts and se, in any format of "
            f"ct.read(). Known names are {', '.join(FILES)}. Rename your files."
        )
    if "counts" in found and not {"flat", "angles"} <= found.keys():
        raise ValueError(
            f"Cannot use {found['counts']}: radiographs need flat.*, taken with nothing in the beam, and "
            "angles.csv, with a column angle_deg and a row for each. Save both beside it."
        )
    makers: dict[str, Callable[[], Any]] = {}
    if "counts" in found:
        makers["counts"] = partial(_projections, found["counts"], pixel_um)
    for name in ("flat", "dark"):
        if name in found:
            makers[name] = partial(_beside, found[name], found.get("counts"), pixel_um)
    if "angles" in found:
        makers["angles_deg"] = partial(_angles, found["angles"], found.get("counts"), pixel_um)
    for name in _DIMS:
        if name in found:
            makers[name] = partial(_image, found[name], name, pixel_um if name == "volume" else None)
    about = f"Measured: {', '.join(path.name for path in found.values())}."
    return Correlated("measured", about, makers, source_um, source_z_um)


def _files(folder: Path) -> dict[str, Path]:
    """Return the files of the names that chapters know: one of each, or none."""
    there = {path.name.split(".")[0] for path in folder.iterdir()}
    names = sorted(FILES, key=lambda name: name not in there)
    return files_named(folder, names, kind="pillar") if names[0] in there else {}


def _check_source(source_um: Any, source_z_um: Any) -> None:
    """Refuse a source that is nowhere, and the height of none."""
    doing = "place the source of a scan"
    if source_um is not None:
        check_length(source_um, "source_um", doing=doing)
    if source_z_um is not None and source_um is None:
        raise ValueError(
            f"Cannot {doing} at source_z_um {source_z_um!r} without source_um: a parallel beam has no "
            "source. Pass both, or neither."
        )
    if source_z_um is not None:
        check_between(source_z_um, "source_z_um", -_FARTHEST_UM, _FARTHEST_UM, doing=doing)


def _image(path: Path, name: str, pixel_um: float | None) -> xr.DataArray:
    """Read an image; refuse one of other dims than its name has."""
    image = read(path, pixel_um)
    if image.dims != _DIMS[name]:
        raise ValueError(
            f"Cannot use {path} as {name}: its dims are {image.dims}, and {_DIMS[name]} are needed. Save it "
            "so first, with ct.write(image, path)."
        )
    return image


def _projections(path: Path, pixel_um: float | None) -> xr.DataArray:
    image = read_frames(path, pixel_um)
    if image.dims == ("y", "x"):
        image = image.expand_dims("z")
    if image.dims != ("z", "y", "x"):
        raise ValueError(
            f"Cannot use {path} as radiographs: its dims are {image.dims}, and a stack of images, one an "
            "angle, is needed. Take one channel of it first."
        )
    edges = voxel_size(image.isel(z=0, drop=True))
    return volume(image.data, edges, dims=("angle", "z", "x"), name=path.stem)


def _beside(path: Path, counts: Path | None, pixel_um: float | None) -> xr.DataArray:
    """Read flats or darks; refuse those of another detector than the radiographs'."""
    frames = _projections(path, pixel_um)
    if counts is not None:
        needed = _projections(counts, pixel_um).shape[1:]
        if frames.shape[1:] != needed:
            raise ValueError(
                f"Cannot use {path} with {counts}: its images have {frames.shape[1:]} rows and columns, and "
                f"the radiographs {needed}. Both must be of one detector. Crop the larger ones."
            )
    return frames


def _angles(path: Path, counts: Path | None, pixel_um: float | None) -> Matrix:
    """Read the angle of each radiograph; refuse gaps, and other numbers of them."""
    try:
        with warnings.catch_warnings():
            # Without index_col a decimal comma would make whole degrees names, and their fractions angles.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(path, index_col=False)
    except (OSError, ValueError, pd.errors.ParserWarning) as problem:
        raise ValueError(
            f"Cannot read angles from {path}: {problem}. A text file is needed, with a column angle_deg and "
            "a number in degrees for each radiograph, with a decimal point, and as many fields in each row "
            "as in the first. Save it as CSV."
        ) from problem
    if "angle_deg" not in table or table["angle_deg"].dtype.kind not in "iuf":
        raise ValueError(
            f"Cannot read angles from {path}: its columns are {list(table.columns)}, and angle_deg is "
            "needed: a number in degrees for each radiograph."
        )
    angles = table["angle_deg"].to_numpy(float)
    wrong = np.flatnonzero(~np.isfinite(angles))
    if len(wrong):
        raise ValueError(
            f"Cannot read angles from {path}: {len(wrong)} of {len(angles)} are missing or infinite, the "
            f"first in line {wrong[0] + 2}. A number in degrees is needed for each radiograph. Fill them in, "
            "or leave those radiographs out."
        )
    if counts is not None and len(angles) != (n := _projections(counts, pixel_um).sizes["angle"]):
        raise ValueError(
            f"Cannot use {path} with {counts}: it has {len(angles)} angles for {n} radiographs. One is "
            "needed for each."
        )
    return angles
