"""Alignments as text: an affine transformation as OME-NGFF writes it, with all that corrtomo knows of it."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import Any

import numpy as np
import xarray as xr

from ..register.alignment import Alignment
from ..register.scene.edges import check_error, check_matrix
from ..register.section_alignment import SectionAlignment
from ..volume import check_image

_KINDS: dict[str, type[Alignment]] = {"Alignment": Alignment, "SectionAlignment": SectionAlignment}


def check_alignment(image: xr.DataArray, alignment: Any, onto: Any) -> None:
    """Refuse what is no alignment of this image, and an alignment onto nothing."""
    if alignment is None and onto is None:
        return
    if alignment is None or onto is None:
        missing, given = ("onto", "alignment") if onto is None else ("alignment", "onto")
        raise ValueError(
            f"Cannot add an image with {given}, but without {missing}: both are needed, or none. "
            "Pass alignment=ct.register.align(image, other), onto='the id of other'."
        )
    if type(alignment) not in _KINDS.values():
        raise TypeError(
            f"Cannot add an image with a {type(alignment).__name__} as its alignment: what "
            "ct.register.align() or ct.register.locate_section() returns is needed. Pass that."
        )
    spatial, found = len(check_image(image)), len(alignment.matrix) - 1
    if found != spatial and not (isinstance(alignment, SectionAlignment) and found > spatial):
        raise ValueError(
            f"Cannot add a {spatial}D image with an alignment in {found}D: both need the same axes. "
            "Pass the alignment of this image."
        )
    if not np.isfinite(alignment.matrix).all():
        raise ValueError(
            "Cannot add an image with an alignment whose matrix holds NaN or infinity: only finite numbers "
            "are allowed. Align the image anew with ct.register.align()."
        )
    check_matrix(alignment.matrix, doing="add an image with an alignment")
    check_error(alignment.error_um, doing="add an image with an alignment")
    if isinstance(alignment, SectionAlignment) and alignment.from_section != (spatial == 2):
        raise ValueError(
            f"Cannot add a {spatial}D image with an alignment that leads from the "
            f"{'section to the volume' if alignment.from_section else 'volume to the section'}: it must lead "
            "from this image. Pass alignment.inverse()."
        )


def as_text(alignment: Alignment, entry: str, onto: str) -> str:
    """Write an alignment as JSON: an affine transformation of OME-NGFF (RFC 5) in µm, and our fields."""
    own = {name: value for name, value in asdict(alignment).items() if name != "matrix"}
    stated = {
        "type": "affine",
        "input": entry,
        "output": onto,
        "affine": np.asarray(alignment.matrix)[:-1].tolist(),
        "corrtomo": {"kind": type(alignment).__name__, **own},
    }
    return json.dumps(stated, default=_plain)


def from_text(text: str) -> Alignment:
    """Read what :func:`as_text` wrote.

    Raises
    ------
    ValueError
        If it is not that.
    """
    try:
        stated = json.loads(text)
        own = stated["corrtomo"]
        kind = _KINDS[own.pop("kind")]
        rows = np.array(stated["affine"], float)
        matrix = np.vstack([rows, np.eye(rows.shape[1])[-1:]])
        values: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in own.items()}
        wrong = {field.name for field in fields(kind)} ^ {"matrix", *values}
        if wrong or matrix.shape[0] != matrix.shape[1]:
            raise ValueError(f"its fields {sorted(wrong)} are missing or unknown")
        return kind(matrix=matrix, **values)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise ValueError(
            f"Cannot read the alignment {text[:60]!r}...: it is damaged ({error}). What ct.catalogue.add() "
            "wrote is needed. Look for it with ct.catalogue.check(folder)."
        ) from error


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is not JSON")
