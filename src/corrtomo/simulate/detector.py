"""From what a beam meets to grey values: the last step of every scanning microscope."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from . import noise


@njit(cache=True)
def develop(out: Any, image: Any, shot: float, readout2: float, key: Any, z: int) -> None:
    """Blur a slice by (1, 2, 1) / 4 along y and x, add noise of variance shot · grey + readout², and round.

    `key` and `z`, the number of the slice, choose the noise: a part of a stack is that part of the whole.
    """
    rows, columns = image.shape
    for j in range(rows):
        up, down = max(j - 1, 0), min(j + 1, rows - 1)
        row = noise.row_key(key, z, j)
        for i in range(columns):
            left, right = max(i - 1, 0), min(i + 1, columns - 1)
            grey = (
                4.0 * image[j, i] + 2.0 * (image[up, i] + image[down, i] + image[j, left] + image[j, right])
                + image[up, left] + image[up, right] + image[down, left] + image[down, right]
            ) / 16.0  # fmt: skip
            spread = np.sqrt(shot * grey + readout2)
            value = grey + spread * noise.normal(noise.mix(row + np.uint64(i)))
            out[j, i] = np.uint8(min(max(np.rint(value), 0.0), 255.0))
