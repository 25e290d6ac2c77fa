"""Two phases that touch: what is asked, and what each voxel is in that question."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import xarray as xr
from numba import njit

from ...checks import check_spatial
from ...phases import Phase, check_codes, check_integer
from ...volume import check_image
from ..histogram import CODES

OF, TOUCHING, OTHER, UNKNOWN, IGNORED = np.array([1, 2, 4, 8, 16], np.uint8)
"""What a voxel is in the question; what two neighbours are together is one number too."""
CONTACT, FREE = np.uint8(OF | TOUCHING), np.uint8(OF | OTHER)
KNOWN = np.array(list(Phase), np.uint8)


class Pair(NamedTuple):
    """Which phase is looked at, what may touch it, and what each code is in that question."""

    of: Phase
    touching: Phase
    kinds: npt.NDArray[np.uint8]


def pair_of(
    labels: xr.DataArray, of: int, touching: int, ignore: int | Sequence[int] | None, *, doing: str
) -> Pair:
    """Refuse what are no labels, or no pair of phases; return what each code is."""
    check_image(labels, ndim=(2, 3))
    check_spatial(labels, doing=doing)
    check_integer(labels, doing=doing)
    if labels.dtype == bool or labels.attrs.get("phases") == {}:
        what = "a mask of booleans" if labels.dtype == bool else "classes that are not named as phases"
        raise TypeError(
            f"Cannot {doing} of {what}: labels with codes of ct.Phase are needed. Make them with "
            "ct.segment.by_thresholds(), or name the classes with assign_attrs(phases=...)."
        )
    left_out = [] if ignore is None else list(np.atleast_1d(np.asarray(ignore, object)))
    first, second, *others = (_phase(code, doing=doing) for code in (of, touching, *left_out))
    if first == second or Phase.LEFT_OUT in (first, second) or {first, second} & set(others):
        raise ValueError(
            f"Cannot {doing} of {first.label} ({int(first)}) touching {second.label} ({int(second)}), "
            f"ignoring {[int(code) for code in others]}: two different phases are needed, neither of them "
            "left out (255) or ignored. Pass for instance of=ct.Phase.AM, touching=ct.Phase.CBD."
        )
    kinds = np.full(CODES, UNKNOWN, np.uint8)
    kinds[KNOWN] = OTHER
    kinds[[Phase.LEFT_OUT, *others]] = IGNORED
    kinds[first], kinds[second] = OF, TOUCHING
    return Pair(first, second, kinds)


def check_axes(labels: xr.DataArray, axes: Any, *, doing: str) -> list[str]:
    """Refuse axes that the labels do not have; return them in the order of the dims."""
    names = [axes] if isinstance(axes, str) else list(np.atleast_1d(np.asarray(axes, object)))
    dims = [str(dim) for dim in labels.dims]
    if (
        not names
        or any(name not in dims for name in map(str, names))
        or len(set(map(str, names))) < len(names)
    ):
        raise ValueError(
            f"Cannot {doing} along axes {axes!r}: one or more of {', '.join(dims)} are needed, each once. "
            f"Pass for instance axes=({', '.join(map(repr, dims[-2:]))})."
        )
    return [dim for dim in dims if dim in names]


def _phase(code: Any, *, doing: str) -> Phase:
    if isinstance(code, bool | np.bool_) or not isinstance(code, int | np.integer):
        raise TypeError(
            f"Cannot {doing} with phase {code!r}: codes of phases are whole numbers. Pass for instance "
            "ct.Phase.CBD."
        )
    return Phase(int(code))


def check_present(labels: xr.DataArray, pair: Pair, seen: int, *, doing: str) -> None:
    """Refuse codes that are no phases, and a pair that is not there; `seen` is all kinds together."""
    if seen & UNKNOWN:
        check_codes(labels)
    for phase, kind in ((pair.of, OF), (pair.touching, TOUCHING)):
        if not seen & kind:
            raise ValueError(
                f"Cannot {doing}: no voxel is {phase.label} ({int(phase)}). Phases that occur: "
                f"{', '.join(f'{p.label} ({int(p)})' for p in check_codes(labels))}. Pass those that are "
                "meant as of= and touching=, or take a larger crop."
            )


@njit(cache=True)
def look_up(plane: Any, kinds: Any, out: Any) -> Any:
    """Replace codes by kinds, and return all kinds together.

    By comparing each row with each phase: six comparisons of 32 voxels at once are quicker than 32 look-ups.
    """
    seen = np.uint8(0)
    for y in range(plane.shape[0]):
        row, told = plane[y], out[y]
        told[:] = UNKNOWN
        for code in KNOWN:
            kind = kinds[code]
            for x in range(row.size):
                told[x] = kind if row[x] == code else told[x]
        seen |= _together(told)
    return seen


@njit(cache=True)
def _together(row: Any) -> Any:
    seen = np.uint8(0)
    for x in range(row.size):
        seen = np.uint8(seen | row[x])
    return seen
