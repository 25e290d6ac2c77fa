"""What a secondary-electron detector records of a milled face."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from . import noise
from .detector import develop
from .limits import is_number
from .raster import AM, CBD, PORE

Codes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
COATING, MARK, ABOVE = 4, 5, 6
_GROOVE_ROWS = 40
_LENGTHS, _SHARES, _WHITE = ("back_um", "look_um", "curtain_um"), ("curtain", "shadow"), 255.0


@dataclass(frozen=True)
class FaceModel:
    """What stands between a milled face and the grey values of its image.

    A pixel of solid has the grey value of its phase. Through a pore the microscope sees along the beam what
    lies behind it: at a depth d behind the face ::

        grey = pore + (g - pore) exp(-d / back_um)

    Active material differs from particle to particle, by the orientation of its crystals, and carries the
    vertical grooves of milling; binder has the grain of its carbon. Then come curtains, shadow and noise::

        recorded = grey (1 + curtain) (1 - shadow y / height) + sqrt(shot grey + readout²) n

    A curtain begins where the ion beam, travelling along y, leaves active material, and fades over
    `curtain_um`. The image is blurred by (1, 2, 1) / 4 along y and x before the noise. All values are
    assumptions; none is calibrated.

    Attributes
    ----------
    grey_am, grey_cbd, grey_pore, grey_collector, grey_coating, grey_mark : float
        Grey values of active material, binder, a pore too deep to see its back, collector, tungsten, marks.
    orientation : float
        Standard deviation of the grey value from particle to particle.
    groove : float
        Standard deviation of the grooves on active material.
    carbon : float
        Standard deviation of the grain of the binder.
    back_um, look_um : float
        Depth over which what lies behind a pore fades, and how deep is looked, in µm.
    curtain, curtain_um : float
        Standard deviation of the relative strength of a curtain, and the length over which it fades.
    shadow : float
        Share of the grey value that is lost at the lower end of the image.
    shot, readout : float
        Variance of the noise a grey value, and standard deviation of the noise at grey value 0.
    """

    grey_am: float = 165.0
    grey_cbd: float = 95.0
    grey_pore: float = 35.0
    grey_collector: float = 140.0
    grey_coating: float = 225.0
    grey_mark: float = 70.0
    orientation: float = 6.0
    groove: float = 10.0
    carbon: float = 6.0
    back_um: float = 0.6
    look_um: float = 1.5
    curtain: float = 0.05
    curtain_um: float = 4.0
    shadow: float = 0.12
    shot: float = 0.4
    readout: float = 3.0

    def __post_init__(self) -> None:
        for name in (item.name for item in fields(self)):
            value, length = getattr(self, name), name in _LENGTHS
            most = np.inf if length else 1.0 if name in _SHARES else _WHITE
            if not (is_number(value) and 0.0 <= value <= most and np.isfinite(value)) or (
                length and value == 0.0
            ):
                needed = "a finite length above zero in µm" if length else f"a number from 0 to {most:g}"
                raise ValueError(
                    f"Cannot use a face model with {name} {value!r}: {needed} is needed. Leave it out for "
                    "the default."
                )

    def greys(self) -> npt.NDArray[np.float64]:
        """Return the grey value of each code, the specimen's surface above the coating last."""
        return np.array(
            [
                self.grey_pore, self.grey_cbd, self.grey_am, self.grey_collector, self.grey_coating,
                self.grey_mark, 0.8 * self.grey_coating,
            ]
        )  # fmt: skip


def record(
    codes: Codes,
    owners: npt.NDArray[np.int32],
    backs: tuple[Codes, Floats],
    pixel_um: float,
    model: FaceModel,
    first: int,
    seed: int,
) -> Codes:
    """Return the images of some faces, dims slice, y, x.

    Parameters
    ----------
    codes : numpy.ndarray
        What lies at each pixel.
    owners : numpy.ndarray
        Whose particle it is.
    backs : tuple of numpy.ndarray
        What is seen at each pixel, and how far behind the face, in µm.
    pixel_um : float
        Edge of a pixel.
    model : FaceModel
        The detector.
    first : int
        Number of the first slice, so that a part of a stack is that part of the whole.
    seed : int
        Seed of grooves, curtains and noise.
    """
    count, rows, columns = codes.shape
    where, shape = (first, 0, 0), (count, 1, columns)
    streaks = noise.smooth(noise.stream(seed, "face curtains"), where, shape, (3.0, 0.01, 2.0))[:, 0]
    knots = (count, rows // _GROOVE_ROWS + 2, columns)
    grooves = noise.smooth(noise.stream(seed, "grooves"), where, knots, (1.0, 1.0, 0.8))
    light = np.array(
        [
            model.groove, model.carbon, model.orientation, model.curtain,
            np.exp(-pixel_um / model.curtain_um), model.shadow / rows, model.shot, model.readout**2,
            model.back_um,
        ]
    )  # fmt: skip
    keys = np.array([noise.stream(seed, t) for t in ("orientations", "carbon", "face noise")], np.uint64)
    out = np.empty(codes.shape, np.uint8)
    _record(out, codes, owners, *backs, streaks, grooves, model.greys(), light, keys, first)
    return out


@njit(cache=True, parallel=True)
def _record(
    out: Any, codes: Any, owners: Any, seen: Any, depth: Any, streaks: Any, grooves: Any, greys: Any,
    light: Any, keys: Any, first: int,
) -> None:  # fmt: skip
    for k in prange(len(out)):
        image = _face(
            codes[k], owners[k], seen[k], depth[k], streaks[k], grooves[k], greys, light, keys, first + k
        )
        develop(out[k], image, light[6], light[7], keys[2], first + k)


@njit(cache=True)
def _face(
    codes: Any, owners: Any, seen: Any, depth: Any, streak: Any, grooves: Any, greys: Any, light: Any,
    keys: Any, z: int,
) -> Any:  # fmt: skip
    """Return the face before blur and noise."""
    rows, columns = codes.shape
    image = np.empty((rows, columns), np.float32)
    curtain = np.zeros(columns)
    for j in range(rows):
        bright = 1.0 - light[5] * j
        knot, part = j // _GROOVE_ROWS, (j % _GROOVE_ROWS) / _GROOVE_ROWS
        row = noise.row_key(keys[1], z, j)
        for i in range(columns):
            code = codes[j, i]
            if j and codes[j - 1, i] == AM and code != AM:
                curtain[i] += light[3] * streak[i]
            curtain[i] *= light[4]
            grey = greys[code]
            if code == AM:
                cut = (1.0 - part) * grooves[knot, i] + part * grooves[knot + 1, i]
                grey += light[0] * cut + light[2] * _orientation(keys[0], owners[j, i])
            elif code == CBD:
                grey += light[1] * noise.normal(noise.mix(row + np.uint64(i)))
            elif code == PORE and seen[j, i] != PORE:
                back = greys[seen[j, i]]
                grey += (back - grey) * np.exp(-depth[j, i] / light[8])
            image[j, i] = grey * bright * (1.0 + curtain[i])
    return image


@njit(cache=True, inline="always")
def _orientation(key: Any, owner: int) -> Any:
    return noise.normal(noise.mix(key + np.uint64(owner + 1)))


@njit(cache=True, parallel=True)
def look_back(codes: Any, count: int, places: Any, shift: Any, look: float) -> Any:
    """Return what is seen at each pixel of the first faces, and how far behind each.

    The beam goes down: faces must hold the rows below those that are imaged. `places` is the depth of each
    face in µm, and `shift` how many rows and columns lower in the image of each face the beam meets it than
    in the first one's.
    """
    seen = np.zeros((count, codes.shape[1], codes.shape[2]), np.uint8)
    depth = np.zeros(seen.shape, np.float32)
    for k in prange(count):
        for j in range(codes.shape[1]):
            for i in range(codes.shape[2]):
                if codes[k, j, i] == PORE:
                    seen[k, j, i], depth[k, j, i] = _behind(codes, k, j, i, places, shift, look)
    return seen, depth


@njit(cache=True)
def _behind(codes: Any, k: int, j: int, i: int, places: Any, shift: Any, look: float) -> Any:
    for m in range(k + 1, codes.shape[0]):
        far = places[m] - places[k]
        if far > look:
            break
        y = min(max(j + int(np.rint(shift[m, 0] - shift[k, 0])), 0), codes.shape[1] - 1)
        x = min(max(i + int(np.rint(shift[m, 1] - shift[k, 1])), 0), codes.shape[2] - 1)
        if codes[m, y, x] != PORE:
            return codes[m, y, x], np.float32(far)
    return np.uint8(PORE), np.float32(look)
