"""Read and write an image; the suffix of the name chooses the format."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import xarray as xr

from ..volume import check_image
from . import hdf5, itk, omezarr, png, slices, tiff
from .atomic import check_name, check_replaceable, check_target, continuing, replacing
from .found import Asked, Found, to_image

_FORMATS: dict[str, Any] = {
    ".tif": tiff,
    ".tiff": tiff,
    ".ome.zarr": omezarr,
    ".zarr": omezarr,
    ".nrrd": itk,
    ".nhdr": itk,
    ".mha": itk,
    ".mhd": itk,
    ".nii": itk,
    ".nii.gz": itk,
    ".h5": hdf5,
    ".hdf5": hdf5,
    ".png": png,
}
_TWO_FILES = {".nhdr": ".nrrd", ".mhd": ".mha"}


def read(
    path: str | os.PathLike[str],
    voxel_size: float | Sequence[float] | None = None,
    *,
    origin: float | Sequence[float] | None = None,
    dims: Sequence[str] | None = None,
    name: str | None = None,
    dataset: str | int | None = None,
    level: int = 0,
    override: bool = False,
) -> xr.DataArray:
    """Read an image with its coordinates in µm.

    Parameters
    ----------
    path : str or path
        By its suffix: .tif, .tiff (plain, ImageJ, OME), .ome.zarr, .zarr, .nrrd, .nhdr, .mha, .mhd, .nii,
        .nii.gz, .h5, .hdf5, .png; a folder is read as slices, in the order of their numbers.
    voxel_size : float or sequence of float, optional
        Edge length of a voxel in µm, one number or one per spatial axis: for files that do not state it.
    origin : float or sequence of float, optional
        Centre of the first voxel in µm; by default as stated in the file, else 0.
    dims : sequence of str, optional
        Names of the axes, out of ``channel, z, y, x``, for files that do not name them.
    name : str, optional
        What the image shows; by default as stated in the file.
    dataset : str or int, optional
        Which image of the file: its path inside an HDF5 file, its number in a TIFF file of several images, or
        a pattern of the file names in a folder of slices.
    level : int
        Which scale of an OME-Zarr; 0 is the finest.
    override : bool
        Take `voxel_size` and `origin` even where the file states others.

    Returns
    -------
    xarray.DataArray
        Dims out of ``channel, z, y, x``, as in the file; colours are channels. OME-Zarr is on Dask, all else
        in memory. What :func:`write` wrote comes back equal.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the suffix is unknown; if the voxel size is neither in the file nor given, or the two differ;
        if the file is truncated or damaged; if slices are missing or unlike.

    Notes
    -----
    A voxel size is never guessed. In the fields that TIFF and PNG have for resolution, dots per inch, and
    pixels coarser than 2400 of them, are print sizes and ignored. Where a NRRD, MetaImage or NIfTI file
    states no unit, the voxel size is asked for. Where the number given and that of the file agree to 1e-6
    (or to the digits of the file), the number given is taken. Positions in OME-TIFF are those of a stage, and
    used only in files from :func:`write`. Palettes, and TIFF in which white is 0, are refused: their numbers
    may be colours or labels, or dark for bright. So is a file of corrtomo that another program has resized,
    moved or converted, as what was recorded no longer holds; with ``override=True`` it is read as it stands,
    without its record. In a NIfTI, NaN and infinity are refused, as its library turns them into 0.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import corrtomo as ct
    >>> from corrtomo.io import read, write
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = pathlib.Path(folder.name) / "slice.tif"
    >>> write(ct.volume([[1, 2, 3], [4, 5, 6]], 0.438), path)
    >>> ct.voxel_size(read(path)), read(path).values.tolist()
    ((0.438, 0.438), [[1, 2, 3], [4, 5, 6]])
    >>> folder.cleanup()
    """
    source = Path(path)
    if not source.exists():
        raise FileNotFoundError(
            f"Cannot read {source}: there is no such file or folder. {_neighbours(source)}Check the path."
        )
    if not (source.is_file() or source.is_dir()):
        raise ValueError(
            f"Cannot read {source}: it is neither a file nor a folder, but a pipe or a device. "
            "A file is needed. Write its content to one first."
        )
    found = find(source, dataset, level)
    return to_image(found, Asked(voxel_size, origin, dims, name, override), source)


def write(
    image: xr.DataArray,
    path: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    resume: bool = False,
    dataset: str = hdf5.DEFAULT,
) -> None:
    """Write an image so that nothing of it is lost, and that Fiji and napari show it at its scale.

    Parameters
    ----------
    image : xarray.DataArray
        Any dims; a lazy image is computed and written chunk by chunk to TIFF, slices, HDF5 and OME-Zarr.
    path : str or path
        By its suffix, as for :func:`read`; a name without suffix becomes a folder of TIFF slices.
        ``.ome.tif`` is OME-TIFF, ``.tif`` an ImageJ hyperstack (plain TIFF for what ImageJ cannot hold).
    overwrite : bool
        Replace what is there.
    resume : bool
        For OME-Zarr: keep what is written when the run is interrupted, in a folder ``.unfinished-…`` beside
        the target, and go on with it when the same image is written there again.
    dataset : str
        Path inside an HDF5 file. Other datasets in the file are kept.

    Raises
    ------
    TypeError, ValueError
        If the format cannot hold the dtype, the dims or an attribute; the message names one that can.
    FileExistsError, FileNotFoundError, PermissionError
        If the target exists and `overwrite` is false; if its folder does not exist, or is not writable.

    Notes
    -----
    The file is written under another name beside the target and moved into place at the end: an error or
    an interruption leaves the old file as it was. With ``resume=True`` one finished chunk is computed again
    and compared, and all are where the work was planned with other functions or parameters, so that two
    images are not mixed; only a source file changed meanwhile in other chunks is not seen. Coarser scales of
    OME-Zarr hold the mean of grey values, and the majority of labels (images with ``attrs["phases"]``) and
    masks. What a format has no field for, such as the exact origin, lies as JSON in its description. A folder
    that holds anything else than the image, such as notes, slices of others or labels beside an OME-Zarr, is
    never overwritten, and never the folder in which you work. A HDF5 file that another program changes
    meanwhile is left as it is.

    Examples
    --------
    >>> import corrtomo as ct
    >>> from corrtomo.io import write
    >>> write(ct.volume([[0.5, 1.5]], 1.0), "slice.png")
    Traceback (most recent call last):
    ...
    TypeError: Cannot write float64 as PNG: it cannot hold that dtype. Allowed are bool, uint8, uint16. ...
    """
    check_image(image)
    target = Path(path)
    check_name(target)
    suffix = _suffix(target)
    if suffix in _TWO_FILES:
        raise ValueError(
            f"Cannot write {target}: {suffix} is two files, which cannot be moved into place in one step. "
            f"One file is needed. Write {_TWO_FILES[suffix]} instead."
        )
    if not suffix and target.suffix:
        raise _unknown(target, "write")
    chosen = _FORMATS.get(suffix, slices)
    chosen.check(image, target)
    if resume and chosen is not omezarr:
        raise ValueError(
            f"Cannot write {target} with resume=True: only OME-Zarr is written in parts that stay. "
            "Name it .ome.zarr, or leave resume out."
        )
    _write(chosen, image, target, overwrite, resume, dataset)


def _write(
    chosen: Any, image: xr.DataArray, target: Path, overwrite: bool, resume: bool, dataset: str
) -> None:
    if chosen in (slices, omezarr):
        check_target(target, overwrite=overwrite)
        kind = "folder of slices" if chosen is slices else "OME-Zarr"
        check_replaceable(target, chosen.own, kind)
        if resume:
            with continuing(target, overwrite=overwrite) as (part, done):
                omezarr.write(image, part, done)
                check_replaceable(target, chosen.own, kind)
            return
        with replacing(target, overwrite=overwrite, folder=True) as part:
            chosen.write(image, part)
            check_replaceable(target, chosen.own, kind)  # what has come meanwhile is kept, too
        return
    if target.is_dir():
        raise IsADirectoryError(
            f"Cannot write {target}: it is a folder, and would be lost. A file name is needed. "
            "Choose another name."
        )
    if chosen is hdf5:
        hdf5.check_dataset(target, dataset, overwrite=overwrite)
        before = _stamp(target)
        with replacing(target, overwrite=before is not None) as part:
            hdf5.write(image, part, target, dataset)
            if _stamp(target) != before:
                raise OSError(
                    f"Cannot write {target}: another program has changed it meanwhile, and what it wrote "
                    "would be lost. One writer at a time is needed. Write again."
                )
        return
    with replacing(target, overwrite=overwrite) as part:
        if chosen is png:
            png.write(image, part)
        else:
            chosen.write(image, part, target)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """Return what changes when a file is written to; None if there is no file."""
    if not path.exists():
        return None
    stat = path.stat()
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def find(path: Path, dataset: str | int | None, level: int) -> Found:
    """Return what a file holds and states, by the reader of its format."""
    suffix = _suffix(path)
    reader = _FORMATS.get(suffix)
    takes: dict[Any, Callable[[], Found]] = {
        tiff: lambda: tiff.read(path, dataset),
        hdf5: lambda: hdf5.read(path, dataset),
        omezarr: lambda: omezarr.read(path, level),
        slices: lambda: slices.read(path, dataset),
    }
    if path.is_dir() and reader is not omezarr:
        reader = slices
    if reader is None:
        raise _unknown(path, "read")
    if dataset is not None and reader in (png, itk, omezarr):
        raise ValueError(
            f"Cannot read {path} with dataset={dataset!r}: it holds one image. HDF5, TIFF and folders of "
            "slices may hold several. Leave dataset out."
        )
    if level != 0 and reader is not omezarr:
        raise ValueError(f"Cannot read {path} at level {level!r}: only OME-Zarr has levels. Leave level out.")
    return takes[reader]() if reader in takes else reader.read(path)


def _suffix(path: Path) -> str:
    """Return the known suffix of a name, the longest that fits; empty for none."""
    name = path.name.lower()
    return max((s for s in _FORMATS if name.endswith(s) and name != s), key=len, default="")


def _unknown(path: Path, doing: str) -> ValueError:
    return ValueError(
        f"Cannot {doing} {path}: {path.suffix or 'no suffix'!r} is not a known format. Known are "
        f"{', '.join(_FORMATS)}, and a folder of slices (a name without suffix). "
        "Name the file by its format, or make an image with ct.volume(array, voxel_size)."
    )


def _neighbours(path: Path) -> str:
    if not path.parent.is_dir():
        return f"There is no folder {path.parent} either. "
    near = difflib.get_close_matches(path.name, [p.name for p in path.parent.iterdir()], n=3)
    return f"Near it are {', '.join(near)}. " if near else ""
