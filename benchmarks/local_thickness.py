"""Local thickness: the largest ball that holds each voxel, and how far the peers are from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from scipy import ndimage

import corrtomo as ct

from .data import phases_and_grey
from .table import Row
from .timing import Run, ours, theirs

_WARM = 40
# Name, module, voxels along an edge that it is timed on at most, and the call; radii doubled are diameters.
_PEERS: tuple[tuple[str, str, int, Callable[[Any, np.ndarray], np.ndarray]], ...] = (
    ("PoreSpy bf", "porespy", 512, lambda lib, mask: 2 * _porespy(lib, mask, "bf")),
    ("PoreSpy dt, 25 radii", "porespy", 128, lambda lib, mask: 2 * _porespy(lib, mask, "dt")),
    ("localthickness", "localthickness", 256, lambda lib, mask: 2 * lib.local_thickness(mask)),
    ("SciPy, each radius", "scipy", 64, lambda lib, mask: _by_distances(mask)),
)


def rows(size: int) -> Iterator[Row | str]:
    labels, _ = phases_and_grey(size)
    mask = labels == ct.Phase.AM
    mine = ours(lambda: ct.measure.local_thickness(mask))
    missing, apart = [], []
    for name, module, most, call in _PEERS:
        if find_spec(module) is None:
            missing.append(name)
            continue
        crop = (slice(min(size, most)),) * 3
        part = np.ascontiguousarray(mask.values[crop])
        peer = _timed(module, call, part)
        true = ct.measure.local_thickness(ct.volume(part, 1.0)).values[part]
        off = peer.result[part] - true
        if module == "scipy":
            np.testing.assert_allclose(off, 0, atol=1e-5)
        else:  # not the same ball, but the same quantity
            assert abs(off.mean()) < 1
        apart.append(f"{name} {off.mean():+.2f} (at most {np.abs(off).max():.1f})")
        yield Row("local thickness", size, mine, name, peer, mask.size / part.size)
    yield "Diameter less ours, in voxels: " + ", ".join(apart) + ". Ours equals trying all balls."
    yield (
        "≈: the peer was timed on a part (PoreSpy dt at most 128³ voxels, localthickness 256³, SciPy 64³), "
        "its time multiplied by the number of voxels; its memory is that of the part."
    )
    if missing:
        yield f"Left out, for they are not installed here: {', '.join(missing)}. `make benchmark` has them."


def _timed(module: str, call: Callable[[Any, np.ndarray], np.ndarray], mask: np.ndarray) -> Run:
    """Time a peer after it has compiled, if it does."""
    library = import_module(module)
    call(library, np.ascontiguousarray(mask[:_WARM, :_WARM, :_WARM]))
    return theirs(lambda: call(library, mask))


def _porespy(library: Any, mask: np.ndarray, method: str) -> np.ndarray:
    library.settings.tqdm["disable"] = True
    radii: np.ndarray = library.filters.local_thickness(mask, method=method)
    return radii


def _by_distances(mask: np.ndarray) -> np.ndarray:
    """Open by each radius in turn: a voxel is as thick if the centre of such a ball is that near."""
    depth = np.rint(ndimage.distance_transform_edt(mask) ** 2)
    size = np.zeros(mask.shape)
    for square in np.unique(depth[mask]):
        near = np.rint(ndimage.distance_transform_edt(depth < square) ** 2) < square
        size[near] = 2 * np.sqrt(square)
    return size
