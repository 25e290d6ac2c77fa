"""Which voxels hang together, and on which end of the volume."""

from __future__ import annotations

from typing import NamedTuple

import cc3d
import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]


class Reach(NamedTuple):
    """The component of each voxel (0 outside), and for each component whether it is at either end."""

    components: npt.NDArray[np.uint32]
    first: Mask
    last: Mask


def reach_of(mask: Mask) -> Reach:
    """Find what is connected through faces to the first and to the last plane of the first of three axes.

    Examples
    --------
    >>> reach = reach_of(np.array([[[1, 1, 0, 1]], [[1, 0, 1, 0]]], bool))
    >>> reach.components.ravel().tolist()
    [1, 1, 0, 2, 1, 0, 3, 0]
    >>> (reach.first & reach.last).tolist()
    [False, True, False, False]
    """
    # A boolean may hold any byte, and cc3d would take other bytes for other labels.
    plain = np.ascontiguousarray(mask).view(np.uint8) != 0
    components: npt.NDArray[np.uint32] = np.asarray(
        cc3d.connected_components(plain, connectivity=6, out_dtype=np.uint32), np.uint32
    )
    ends = []
    for plane in (components[0], components[-1]):
        touches = np.zeros(int(components.max()) + 1, bool)
        touches[plane.ravel()] = True
        touches[0] = False
        ends.append(touches)
    return Reach(components, ends[0], ends[1])
