"""How much of what leaves a pore's bottom gets out: the horizon that its walls make."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit, prange

Floats = npt.NDArray[np.float32]
_DIRECTIONS = 16


def horizons(depth_um: Floats, pixel_um: float, directions: int = _DIRECTIONS) -> Floats:
    """Return how steeply the walls around each pixel rise, in several directions.

    Parameters
    ----------
    depth_um : numpy.ndarray
        Depth of the surface below the plane, dims y, x.
    pixel_um : float
        Edge of a pixel.
    directions : int
        Even directions around a circle, the first along x.

    Returns
    -------
    numpy.ndarray
        ``float32``, dims direction, pixel: the tangent of the angle above the plane at which the horizon
        stands, one column for each pixel with a depth above zero, in the order of ``numpy.flatnonzero``.

    Notes
    -----
    Steps grow with distance, by an eighth, so that far walls are met at fewer places. Beyond the border of
    the image the surface goes on as its last pixel.
    """
    places = np.flatnonzero(depth_um > 0)
    turns = 2.0 * np.pi * np.arange(directions) / directions
    out = np.zeros((directions, len(places)), np.float32)
    _horizons(out, depth_um, places, np.sin(turns), np.cos(turns), pixel_um)
    return out


@njit(cache=True, parallel=True)
def _horizons(out: Any, depth: Any, places: Any, dy: Any, dx: Any, pixel: float) -> None:
    rows, columns = depth.shape
    for n in prange(len(places)):
        j, i = places[n] // columns, places[n] % columns
        for d in range(len(dy)):
            steepest, far = 0.0, 1.0
            # No wall stands higher than the plane: beyond this distance none is steeper.
            while steepest * far * pixel < depth[j, i] and far * pixel < 40.0:
                y = min(max(int(np.rint(j + far * dy[d])), 0), rows - 1)
                x = min(max(int(np.rint(i + far * dx[d])), 0), columns - 1)
                steepest = max(steepest, (depth[j, i] - depth[y, x]) / (far * pixel))
                far += max(1.0, far / 8.0)
            out[d, n] = steepest


def seen_share(tangents: Floats, low_deg: float, high_deg: float) -> Floats:
    """Return what share of the electrons on their way to an annular detector leave the pore.

    Electrons leave a surface as the cosine of the angle θ from its normal, so that between `low_deg` and
    `high_deg` lies sin² high − sin² low of them; in each direction those below the horizon are lost.
    """
    low, high = np.sin(np.radians([low_deg, high_deg])) ** 2
    # The horizon stands at the angle atan(1 / tangent) from the normal.
    open_ = 1.0 / (1.0 + tangents.astype(np.float64) ** 2)
    share = (np.clip(open_, low, high) - low) / (high - low)
    out: Floats = share.mean(axis=0).astype(np.float32)
    return out
