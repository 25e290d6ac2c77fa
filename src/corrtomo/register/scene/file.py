"""A scene as one JSON file: coordinate systems and transformations of OME-NGFF, and the errors beside them.

OME-NGFF 0.6 (RFC-5) has a *scene* of named coordinate systems and of transformations between them, which
says all of a scene but three things: the grids of images that are no OME-Zarr, how sure an alignment is, and
how it was found. The first part of the file, ``ome``, is that standard's, and what others read; these three
stand in a second part, ``corrtomo``. All transformations are of type "affine", in µm: of as many rows as the
output has axes, and one more column than the input, so a section in a volume has 3 × 3 numbers. A
``sequence`` of rotation and translation would say as much of a rigid one, in more places to go wrong.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..alignment import Alignment
from ..frames import Floats
from ..section_alignment import SectionAlignment
from .chain import KINDS, as_record
from .edges import Step, upright
from .grid import Grid

NGFF = "0.6"
FORMAT = 1
_UNITS = "micrometer"
_MOST_BYTES = 64_000_000


def write_scene(
    grids: Mapping[str, Grid],
    steps: Mapping[frozenset[str], Step],
    known: Mapping[frozenset[str], Alignment],
    path: str | os.PathLike[str],
    *,
    overwrite: bool,
) -> None:
    """Write grids and alignments; a file that is there is replaced at once and only if asked for."""
    target = _path(path, doing="write the scene to")
    if not target.parent.is_dir():
        raise FileNotFoundError(
            f"Cannot write the scene to {target}: there is no folder {target.parent}. Make it first with "
            "pathlib.Path.mkdir(parents=True)."
        )
    if target.exists() and not target.is_file():  # a device, or a folder
        raise FileExistsError(
            f"Cannot write the scene to {target}: it is no file. A file, or a new name, is needed. "
            "Pass for instance 'scene.json'."
        )
    if target.exists() and not overwrite:
        raise _exists(target)
    systems = [{"name": name, "axes": [_axis(d) for d in grid.dims]} for name, grid in grids.items()]
    transformations = [
        {
            "type": "affine",
            "name": f"{step.source} to {step.target}",
            "input": {"name": step.source},
            "output": {"name": step.target},
            "affine": _affine(step, grids).tolist(),
        }
        for step in steps.values()
    ]
    scene = {"coordinateSystems": systems, "coordinateTransformations": transformations}
    own = {
        "format": FORMAT,
        "images": {name: _grid_record(grid) for name, grid in grids.items()},
        "alignments": [as_record(known[pair]) for pair in steps],
    }
    content = {"ome": {"version": NGFF, "scene": scene}, "corrtomo": own}
    part = target.with_name(f".part-{secrets.token_hex(4)}-{target.name[-32:]}")
    try:
        part.write_text(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False), encoding="utf-8")
        _move(part, target, overwrite=overwrite)
    except FileExistsError:
        raise
    except OSError as error:
        raise type(error)(
            f"Cannot write the scene to {target}: {error.strerror}. A folder in which you may write, with "
            "room, is needed. What stood there before stands there still. Pass another path."
        ) from error
    finally:
        part.unlink(missing_ok=True)


def read_scene(path: str | os.PathLike[str]) -> tuple[dict[str, Grid], list[tuple[str, str, Alignment]]]:
    """Read grids and alignments; refuse what is no scene, in the words of the part that is missing."""
    source = _path(path, doing="read a scene from")
    if not source.is_file():
        raise FileNotFoundError(
            f"Cannot read a scene from {source}: there is no such file. Write one with scene.write(path)."
        )
    if source.stat().st_size > _MOST_BYTES:
        raise _damaged(source, f"{source.stat().st_size} bytes are no scene's")
    try:
        content = json.loads(source.read_text(encoding="utf-8"))
        own, scene = content["corrtomo"], content["ome"]["scene"]
        if own["format"] != FORMAT:
            raise _damaged(source, f"it is of format {own['format']!r}, and {FORMAT} is known")
        grids = {str(name): _grid(record) for name, record in own["images"].items()}
        written, records = scene["coordinateTransformations"], own["alignments"]
        return grids, [_read(one, record, grids) for one, record in zip(written, records, strict=True)]
    except KeyError as error:
        raise _damaged(source, f"it has no {error.args[0]!r}") from error
    except (TypeError, AttributeError, ValueError, OverflowError, RecursionError) as error:
        if str(error).startswith("Cannot"):  # said already, by the grid or here
            raise
        raise _damaged(source, str(error).splitlines()[0]) from error


def _path(path: Any, *, doing: str) -> Path:
    """Return a path; refuse what is none."""
    text = str(path) if isinstance(path, str | os.PathLike) else ""
    if not text.strip() or "\0" in text or len(os.fsencode(Path(text).name)) > 255 or not Path(text).name:
        raise (ValueError if text else TypeError)(
            f"Cannot {doing} {str(path)[:60]!r}: the path of a file is needed, of 255 bytes at most. "
            "Pass for instance 'scene.json'."
        )
    return Path(os.path.realpath(text))


def _exists(target: Path) -> FileExistsError:
    return FileExistsError(
        f"Cannot write the scene to {target}: it exists. Choose another name, or replace it with "
        "scene.write(path, overwrite=True)."
    )


def _move(part: Path, target: Path, *, overwrite: bool) -> None:
    """Give the file its name in one step; refuse what has come while it was written."""
    if not overwrite:
        try:
            os.link(part, target)
            return
        except FileExistsError as error:
            raise _exists(target) from error
        except OSError:  # a file system without hard links: what was there has been looked for just now
            pass
    part.replace(target)


def _axis(dim: str) -> dict[str, str]:
    return {"name": dim, "type": "space", "unit": _UNITS}


def _affine(step: Step, grids: Mapping[str, Grid]) -> Floats:
    """Return the rows and columns of the axes that both images have."""
    rows = slice(int(grids[step.target].flat), 3)
    return step.matrix[rows, int(grids[step.source].flat) :]


def _grid_record(grid: Grid) -> dict[str, Any]:
    return {
        "dims": list(grid.dims),
        "shape": [int(n) for n in grid.shape],
        "voxel_um": [float(v) for v in grid.voxel_um],
        "origin_um": [float(v) for v in grid.origin_um],
    }


def _grid(record: Mapping[str, Any]) -> Grid:
    parts = {name: tuple(record[name]) for name in ("dims", "shape", "voxel_um", "origin_um")}
    return Grid(**parts)


def _read(
    written: Mapping[str, Any], record: Mapping[str, Any], grids: Mapping[str, Grid]
) -> tuple[str, str, Alignment]:
    moving, fixed = written["input"]["name"], written["output"]["name"]
    first, second = grids[moving], grids[fixed]
    values = np.array(written["affine"], float)
    if values.shape != (len(second.dims), len(first.dims) + 1):
        raise TypeError(f"the affine of {moving!r} to {fixed!r} has {values.shape} numbers")
    n = 2 if first.flat and second.flat else 3
    matrix = np.eye(n + 1)
    matrix[:n, n - len(first.dims) :] = values
    if n == 3 and first.flat:
        matrix = upright(matrix)
    matrix.flags.writeable = False
    own = {name: _revived(value) for name, value in record.items() if name != "kind"}
    whole = isinstance(own["iterations"], int) and isinstance(own["converged"], bool)
    if own["transform"] not in KINDS or not whole:
        raise TypeError(f"the record of the alignment {moving!r} to {fixed!r} is none")
    kind = SectionAlignment if record["kind"] == "section" else Alignment
    return moving, fixed, kind(**{**own, "matrix": matrix})


def _revived(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_revived(v) for v in value)
    return float("nan") if value is None else value


def _damaged(source: Path, why: str) -> ValueError:
    return ValueError(
        f"Cannot read a scene from {source}: {why}. A file of scene.write(path) is needed, "
        "whole. Write it again."
    )
