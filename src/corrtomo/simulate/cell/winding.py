"""Where a point lies in a jelly roll: which layer, how deep in it, and at which winding.

A spiral in a roll that is not round: with s = r − δ(φ, r), the radius less what it is out of round, and less
what the tab lifts, the inner face of winding t (in turns) lies at s = R + p t. So a point's winding and depth
follow from r and φ without a search, and any window can be drawn at any voxel size.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from .layers import (
    ALUMINIUM,
    ANODE,
    CAN,
    CATHODE,
    COPPER,
    OPEN,
    ORDER,
    OUTGROWTH,
    TAB,
)

Array = npt.NDArray[np.float64]
_TURN = 2.0 * np.pi
_TO_TAB = ORDER.index(ALUMINIUM) + 1
"""Layers of a pitch below the outer face of the aluminium, on which the tab is welded."""


class Winding(NamedTuple):
    """A jelly roll as the kernels read it; lengths in µm, windings in turns."""

    inner: float
    """Radius of the inner face at winding 0."""
    pitch: float
    start: float
    """Angle at which winding 0 begins, in radians."""
    turns: float
    cathode: Any
    """First and last winding of the cathode."""
    edges: Any
    """Depth of the faces of the layers in a pitch, one more than layers."""
    codes: Any
    tops: Any
    waves: Any
    """Amplitudes of cosine and sine at the inner face, of one, two, three and four waves around the roll."""
    fade: float
    """Radius at which the roll is round."""
    can: Any
    """Inner and outer radius of the can."""
    tab: Any
    """Winding, radius, half a width, what lifts, length of a flank, half of the bare width, thickness."""


@njit(cache=True)
def _wave(of: Winding, cos: float, sin: float) -> float:
    """Return the sum of the waves at an angle; its multiples follow from its cosine and sine."""
    total, c, s = 0.0, 1.0, 0.0
    for w in range(len(of.waves)):
        c, s = c * cos - s * sin, s * cos + c * sin
        total += of.waves[w, 0] * c + of.waves[w, 1] * s
    return total


@njit(cache=True)
def lifted(of: Winding, aside: float) -> float:
    """Return by how much the tab lifts the turns around it, `aside` µm from its middle."""
    away = abs(aside) - of.tab[2]
    if away <= 0.0:
        return float(of.tab[3])
    if away >= of.tab[4]:
        return 0.0
    return float(of.tab[3] * 0.5 * (1.0 + np.cos(np.pi * away / of.tab[4])))


@njit(cache=True)
def locate(of: Winding, y: float, x: float) -> tuple[int, float, float]:
    """Return layer code, depth in the pitch and winding, far below all tops; depth is -1 outside the roll."""
    radius = np.sqrt(y * y + x * x)
    if radius >= of.can[0]:
        return (CAN if radius < of.can[1] else OPEN), -1.0, -1.0
    angle = np.arctan2(y, x)
    s = radius
    if radius < of.fade:
        wave = _wave(of, x / radius, y / radius) if radius > 0.0 else 0.0
        s -= (of.fade - radius) / (of.fade - of.inner) * wave
    from_tab = angle - of.start - _TURN * of.tab[0]
    from_tab -= _TURN * np.floor(from_tab / _TURN + 0.5)
    aside = from_tab * of.tab[1]
    face = of.inner + of.pitch * (of.tab[0] + from_tab / _TURN) + of.edges[_TO_TAB]
    if s > face:
        up = lifted(of, aside)
        if s < face + up:
            return (TAB if abs(aside) <= of.tab[2] else OPEN), -1.0, -1.0
        s -= up
    around = angle - of.start
    around = around / _TURN - np.floor(around / _TURN)
    q = (s - of.inner) / of.pitch - around
    n = np.floor(q)
    depth, turn = (q - n) * of.pitch, n + around
    if turn < 0.0 or turn > of.turns:
        return OPEN, -1.0, -1.0
    k = 0
    while k < len(of.codes) - 1 and depth >= of.edges[k + 1]:
        k += 1
    code = of.codes[k]
    if code in (CATHODE, ALUMINIUM):
        if turn < of.cathode[0] or turn > of.cathode[1]:
            return OPEN, -1.0, -1.0
        if code == CATHODE and abs(aside) <= of.tab[5] and abs(turn - of.tab[0]) < 0.5:
            on_tab = k == _TO_TAB and abs(aside) <= of.tab[2] and depth - of.edges[k] < of.tab[6]
            return (TAB if on_tab else OPEN), -1.0, -1.0
    return code, depth, turn


@njit(cache=True)
def grown(bumps: Any, z: float, y: float, x: float) -> bool:
    """Tell whether a point lies in an outgrowth: centre, normal, base radius, height, depth of its root."""
    for b in range(len(bumps)):
        square, along = 0.0, 0.0
        for axis, here in enumerate((z, y, x)):
            away = here - bumps[b, axis]
            square += away * away
            along += away * bumps[b, 3 + axis]
        height = bumps[b, 7]
        if along < -bumps[b, 8] or along > height:
            continue
        if (square - along * along) / bumps[b, 6] ** 2 + (along / height) ** 2 <= 1.0:
            return True
    return False


@njit(cache=True)
def _material(code: int, depth: float, turn: float, z: float, of: Winding, textures: Any) -> int:
    """Return what a coating holds at a point: its code plus 16 for particles, plus 32 for binder."""
    first, second = textures
    texture = first if code == ANODE else second
    if code == ANODE:
        near = depth < of.edges[1]
        share = depth / of.edges[1] if near else (of.edges[3] - depth) / (of.edges[3] - of.edges[2])
    else:
        near = depth < of.edges[5]
        share = (
            (depth - of.edges[4]) / (of.edges[5] - of.edges[4])
            if near
            else (of.edges[7] - depth) / (of.edges[7] - of.edges[6])
        )
    deep, wide = texture.shape[1], texture.shape[2]
    k = min(max(int(share * deep), 0), deep - 1)
    # The length of the foil up to a winding, the same at every depth: else particles would be sheared.
    along = _TURN * turn * (of.inner + of.pitch * turn / 2.0) + (0.0 if near else 51.7)
    j = int(np.floor(z / _TEXTURE_UM)) % texture.shape[0]
    i = int(np.floor(along / _TEXTURE_UM)) % wide
    return code + 16 * int(texture[j, k, i])


_TEXTURE_UM = 0.5
"""Edge of a voxel of the textures of coatings."""
TEXTURE_UM = _TEXTURE_UM


@njit(cache=True, parallel=True)
def fill_codes(
    out: Any, of: Winding, bumps: Any, textures: Any, inside: bool, voxel: Any, origin: Any, turn: Any,
    shift: Any,
) -> None:  # fmt: skip
    """Write the layer at each voxel centre; with `inside`, also what coatings hold (see `_material`).

    `turn` and `shift` lead from the frame of the cell to that of the view.
    """
    for k in prange(out.shape[0]):
        here, at = np.empty(3), np.empty(3)
        for j in range(out.shape[1]):
            for i in range(out.shape[2]):
                here[0] = origin[0] + k * voxel[0] - shift[0]
                here[1] = origin[1] + j * voxel[1] - shift[1]
                here[2] = origin[2] + i * voxel[2] - shift[2]
                for axis in range(3):
                    at[axis] = turn[0, axis] * here[0] + turn[1, axis] * here[1] + turn[2, axis] * here[2]
                code, depth, winding = locate(of, at[1], at[2])
                if at[0] < of.tops[code]:
                    code = OPEN
                if code != COPPER and grown(bumps, at[0], at[1], at[2]):
                    code = OUTGROWTH
                elif inside and code in (ANODE, CATHODE):
                    code = _material(code, depth, winding, at[0], of, textures)
                out[k, j, i] = code


@njit(cache=True, parallel=True)
def fill_shares(out: Any, of: Winding, points: int, edge: float, origin: Any, turn: Any, shift: Any) -> None:
    """Write what share of each pixel of a plane each layer fills, far below all tops, by sub-sampling.

    `out` has dims layer, y, x. Pixels have points × points samples; `turn` is 2 × 2, about z.
    """
    step = edge / points
    for j in prange(out.shape[1]):
        for i in range(out.shape[2]):
            for b in range(points):
                y = origin[0] + j * edge + (b + 0.5) * step - edge / 2 - shift[0]
                for a in range(points):
                    x = origin[1] + i * edge + (a + 0.5) * step - edge / 2 - shift[1]
                    code = locate(of, turn[0, 0] * y + turn[1, 0] * x, turn[0, 1] * y + turn[1, 1] * x)[0]
                    out[code, j, i] += 1.0 / points**2


def radius_um(of: Winding, winding: Array, depth_um: float) -> Array:
    """Return the radius at which a depth in the pitch lies, at windings in turns: where r − δ is known."""
    around = np.asarray(winding, float)
    angle = of.start + _TURN * around
    s = of.inner + of.pitch * around + depth_um
    from_tab = _TURN * (around - of.tab[0])
    wrapped = from_tab - _TURN * np.floor(from_tab / _TURN + 0.5)
    face = of.inner + of.pitch * (of.tab[0] + wrapped / _TURN) + of.edges[_TO_TAB]
    beyond = s >= face - 1e-9
    lift = np.array([lifted(of, float(w)) for w in (wrapped * of.tab[1]).ravel()]).reshape(s.shape)
    s = s + np.where(beyond, lift, 0.0)
    wave = sum(a * np.cos(m * angle) + b * np.sin(m * angle) for m, (a, b) in enumerate(of.waves, 1))
    # r − (fade − r) / (fade − inner) · wave = s, where the roll is not round.
    slope = wave / (of.fade - of.inner)
    return np.asarray(np.where(s < of.fade, (s + of.fade * slope) / (1.0 + slope), s))
