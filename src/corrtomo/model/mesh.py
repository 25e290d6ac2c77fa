"""A mesh for simulations elsewhere: each voxel a cube, each corner one node."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import xarray as xr

from ..checks import check_spatial
from ..io.atomic import check_name, replacing
from ..measure.conduction.problem import named, present_phases
from ..measure.options import check_whole
from ..phases import Phase
from ..volume import check_image, voxel_size
from .pybamm_parameters import check_choice

Unit = Literal["µm", "m"]
_DOING = "write a mesh"
_FORMATS = {".vtu": "vtu", ".vtk": "vtk", ".xdmf": "xdmf", ".inp": "abaqus"}
_OPTIONS: dict[str, dict[str, Any]] = {"xdmf": {"data_format": "XML"}}
_CELLS = {2: "quad", 3: "hexahedron"}
# Corners in the order of VTK and Abaqus: around the first face, then around the second.
_CORNERS = {
    2: ((0, 0), (0, 1), (1, 1), (1, 0)),
    3: ((0, 0, 0), (0, 0, 1), (0, 1, 1), (0, 1, 0), (1, 0, 0), (1, 0, 1), (1, 1, 1), (1, 1, 0)),
}


def write_mesh(
    labels: xr.DataArray,
    path: str | os.PathLike[str],
    *,
    phases: Sequence[Phase] | None = None,
    unit: Unit = "µm",
    most_cells: int = 1_000_000,
    overwrite: bool = False,
) -> None:
    """Write labels as a mesh of hexahedra, one for each voxel, with its phase.

    For codes that solve on meshes what has no closed form on voxels: stress, heat, electrochemistry between
    phases. Neighbours share their nodes, so that what is solved for is continuous.

    Parameters
    ----------
    labels : xarray.DataArray
        Codes of :class:`corrtomo.Phase`, dims z, y, x or y, x (then quadrilaterals); voxels need not be
        cubes.
    path : path
        By its suffix: .vtu, .vtk, .xdmf (one file), .inp (Abaqus).
    phases : sequence of Phase, optional
        Which ones are written; by default all that occur but what is left out (255).
    unit : {"µm", "m"}
        Of the coordinates. Mesh files have no field for it: say which where you read it.
    most_cells : int
        Refuse to write more: at the peak about 500 bytes a cell are held.
    overwrite : bool
        Replace a file of that name.

    Raises
    ------
    TypeError
        If labels are no codes of phases, or `path` is none.
    ValueError
        If the suffix is not known, a phase does not occur, or there are too many cells.
    FileExistsError, FileNotFoundError
        If the file exists and `overwrite` is false, or its folder does not.

    Notes
    -----
    Nodes are ``x, y, z``, at the corners of voxels: half a voxel before and behind its centre. In .vtu, .vtk
    and .xdmf the codes of phases are the cell data ``phase``; in .inp each phase is an element set of its
    name. Surfaces are stairs: areas are half too large on average (see
    :func:`corrtomo.measure.surface_area_faces`), and stress peaks at their corners. Volumes are exact. Two
    voxels that meet at an edge or a corner alone share its nodes there, through which a solver may let
    current or force pass.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import corrtomo as ct
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = pathlib.Path(folder.name) / "cell.vtu"
    >>> ct.model.write_mesh(ct.volume([[0, 2], [2, 2]], 0.5), path, phases=[ct.Phase.AM])
    >>> path.exists()
    True
    >>> folder.cleanup()
    """
    import meshio

    check_image(labels, ndim=(2, 3))
    check_spatial(labels, doing=_DOING)
    check_choice(unit, "unit", Unit, doing=_DOING)
    limit = check_whole(most_cells, "most_cells", 1, doing=_DOING)
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"Cannot {_DOING} to a {type(path).__name__}: a path is needed. Pass 'cell.vtu'.")
    target = Path(path)
    check_name(target)
    if target.is_dir():
        raise FileExistsError(
            f"Cannot {_DOING} as {target.name!r}: it is a folder, and is not replaced. Choose another name."
        )
    kind = _FORMATS.get(target.suffix.lower())
    if kind is None:
        raise ValueError(
            f"Cannot write a mesh as {target.name!r}: the suffix {target.suffix!r} is not known. Known are "
            f"{', '.join(_FORMATS)}. Others are made of these by meshio itself: meshio convert."
        )
    codes = labels.compute()
    shown = _chosen(present_phases(codes, doing=_DOING), phases)
    kept = np.isin(codes.data, [int(phase) for phase in shown])
    count = int(kept.sum())
    if count > limit:
        raise ValueError(
            f"Cannot write a mesh of {count} cells: {limit} at most are written, as about 500 bytes "
            "are held for each. Crop the labels, coarsen them with ct.register.coarsen(), choose fewer "
            "phases, or raise most_cells."
        )
    mesh = _mesh(meshio, codes, kept, shown, scale=1.0 if unit == "µm" else 1e-6, sets=kind == "abaqus")
    with replacing(target, overwrite=overwrite) as part, contextlib.redirect_stdout(io.StringIO()):
        meshio.write(part, mesh, file_format=kind, **_OPTIONS.get(kind, {}))


def _chosen(present: list[Phase], phases: Any) -> list[Phase]:
    """Return the phases that are written."""
    if phases is None:
        shown: list[Phase] = [phase for phase in present if phase is not Phase.LEFT_OUT]
    elif isinstance(phases, str) or not isinstance(phases, Sequence):
        raise TypeError(
            f"Cannot {_DOING} of phases {phases!r}: a sequence is needed. Pass for instance [ct.Phase.AM]."
        )
    else:
        shown = list(dict.fromkeys(Phase(phase) for phase in phases))
    missing = [phase for phase in shown if phase not in present]
    if missing or not shown:
        raise ValueError(
            f"Cannot {_DOING} of {named(missing) or 'no phase'}: no voxel is of it. Phases that occur: "
            f"{named(present)}. Choose one or more of them."
        )
    return shown


def _mesh(
    meshio: Any,
    labels: xr.DataArray,
    kept: npt.NDArray[np.bool_],
    shown: list[Phase],
    *,
    scale: float,
    sets: bool,
) -> Any:
    """Make a mesh of the voxels that are kept: each of their corners is one node."""
    corners = tuple(size + 1 for size in labels.shape)
    strides = np.cumprod([1, *corners[:0:-1]])[::-1]
    first = np.stack(np.nonzero(kept), axis=1) @ strides
    steps = np.array(_CORNERS[labels.ndim]) @ strides
    cells = first[:, None] + steps
    used, number = np.unique(cells, return_inverse=True)  # memory of the cells, not of the volume
    cells = number.reshape(cells.shape)
    places = np.unravel_index(used, corners)
    edges, dims = voxel_size(labels), [str(dim) for dim in labels.dims]
    columns = {
        dim: (float(labels[dim][0]) + (place - 0.5) * edge) * scale
        for dim, place, edge in zip(dims, places, edges, strict=True)
    }
    empty = np.zeros(len(used))
    points = np.stack([columns.get(dim, empty) for dim in "xyz"], axis=1)
    codes = np.asarray(labels.data)[kept]
    words: dict[str, Any] = {"cell_data": {"phase": [codes.astype(np.int32)]}}
    if sets:
        names = {phase: phase.label.replace(" ", "_") for phase in shown}
        words = {"cell_sets": {name: [np.flatnonzero(codes == phase)] for phase, name in names.items()}}
    return meshio.Mesh(points, [(_CELLS[labels.ndim], cells)], **words)
