"""Reconstruction: discs whose line integrals are known, from as many projections as pixels across.

Peers work slice by slice, so one slice is timed and multiplied. Own code is there for what they lack on a
CPU: all slices at once, which share where they are projected to; a cone; drift; total variation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from importlib.util import find_spec

import numpy as np
from skimage.transform import iradon, iradon_sart

import corrtomo as ct

from .table import Row
from .timing import Run, ours, theirs

_DISCS = 40
_SOURCE = 24.0  # times the width, as in the paper
Work = Callable[[np.ndarray, np.ndarray], np.ndarray]
Peers = tuple[tuple[str, str, Work], ...]


def rows(size: int) -> Iterator[Row | str]:
    angles = np.arange(size) * (180.0 / size)
    places = np.arange(size) - (size - 1) / 2
    scan = _scan(angles, places, size)
    missing, notes = [], []
    for step, mine, peers in _steps(scan, angles):
        notes.append(f"{step}: ours {_error(mine.result[size // 2].values, places):.3f}")
        for name, module, work in peers:
            if find_spec(module) is None:
                missing.append(name)
                continue
            # scikit-image has its axis at pixel size // 2, ASTRA in the middle as we have; y is upwards.
            own = np.arange(size) - float(size // 2) if module == "skimage" else places
            sinogram = _sinogram(angles, own)
            peer = theirs(partial(work, sinogram, angles))
            apart = _error(peer.result[::-1], -own[::-1], own)
            notes.append(f"{name} {apart:.3f}")
            yield Row(step, size, mine, name, peer, size)
    whole = ours(partial(_fbp, _scan(2 * angles, places, size), 2 * angles, _SOURCE * size))
    yield f"Error (rms, as a share of that of the truth): {', '.join(notes)}."
    yield (
        f"A cone (Feldkamp), a full turn, takes {whole.seconds:.3g} s. ≈: one slice was timed and multiplied "
        "by the number of slices; its memory is that of the slice."
    )
    if missing:
        yield f"Left out, for it is not installed here: {', '.join(missing)}. `make benchmark` has it."


def _steps(scan: object, angles: np.ndarray) -> Iterator[tuple[str, Run, Peers]]:
    peers = ("scikit-image iradon", "skimage", _iradon), ("ASTRA FBP, CPU", "astra", partial(_astra, "FBP"))
    yield "filtered back-projection", ours(partial(_fbp, scan, angles)), peers
    peers = (
        ("scikit-image iradon_sart", "skimage", _iradon_sart),
        ("ASTRA SART, CPU", "astra", partial(_astra, "SART")),
    )
    yield "SART, one pass", ours(partial(_sart, scan, angles)), peers


def _fbp(scan: object, angles: np.ndarray, source: float | None = None) -> object:
    return ct.reconstruct.fbp(scan, angles, source_um=source, progress=False)


def _sart(scan: object, angles: np.ndarray) -> object:
    return ct.reconstruct.sart(scan, angles, iterations=1, nonnegative=False, progress=False)


def _iradon(sinogram: np.ndarray, angles: np.ndarray) -> np.ndarray:
    return iradon(sinogram.T, theta=angles)


def _iradon_sart(sinogram: np.ndarray, angles: np.ndarray) -> np.ndarray:
    return iradon_sart(sinogram.T.astype(float), theta=angles)


def _astra(method: str, sinogram: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Run a method of ASTRA; one of its passes of SART takes a projection at a time."""
    astra = import_module("astra")
    count, width = sinogram.shape
    volume = astra.create_vol_geom(width, width)
    beam = astra.create_proj_geom("parallel", 1.0, width, np.deg2rad(angles))
    projector = astra.create_projector("linear", beam, volume)
    held = (
        astra.data2d.create("-sino", beam, sinogram.astype(np.float32)),
        astra.data2d.create("-vol", volume),
    )
    settings = astra.astra_dict(method)
    settings["option"] = {"ProjectionOrder": "random"} if method == "SART" else {}
    settings |= {"ProjectorId": projector, "ProjectionDataId": held[0], "ReconstructionDataId": held[1]}
    algorithm = astra.algorithm.create(settings)
    astra.algorithm.run(algorithm, count if method == "SART" else 1)
    found: np.ndarray = astra.data2d.get(held[1])
    astra.algorithm.delete(algorithm)
    astra.data2d.delete(list(held))
    astra.projector.delete(projector)
    return found


def _discs(size: int) -> np.ndarray:
    """Return y, x, radius and attenuation of some discs, which may overlap, in pixels."""
    rng = np.random.default_rng(0)
    radius = rng.uniform(0.02, 0.1, _DISCS) * size
    away, turn = rng.uniform(0, 0.47 * size - radius), rng.uniform(0, 2 * np.pi, _DISCS)
    return np.stack([away * np.sin(turn), away * np.cos(turn), radius, rng.uniform(0.2, 1, _DISCS)], axis=1)


def _sinogram(angles: np.ndarray, places: np.ndarray) -> np.ndarray:
    turn = np.deg2rad(angles)[:, None]
    sums = np.zeros((len(angles), len(places)))
    for y, x, radius, value in _discs(len(places)):
        away = places - x * np.cos(turn) - y * np.sin(turn)
        sums += 2 * value * np.sqrt(np.maximum(radius**2 - away**2, 0))
    return sums.astype(np.float32)


def _scan(angles: np.ndarray, places: np.ndarray, rows: int) -> object:
    slices = np.repeat(_sinogram(angles, places)[:, None], rows, axis=1)
    return ct.volume(slices, 1.0, origin=(0, places[0]), dims=("angle", "z", "x"))


def _error(found: np.ndarray, y: np.ndarray, x: np.ndarray | None = None) -> float:
    """Return the rms error as a share of the rms of the discs."""
    x = y if x is None else x
    truth = np.zeros(found.shape)
    for y0, x0, radius, value in _discs(len(x)):
        truth += value * np.clip(radius + 0.5 - np.hypot(y[:, None] - y0, x - x0), 0, 1)
    inside = np.hypot(y[:, None], x) < 0.48 * len(x)
    error = np.sqrt(np.mean((found - truth)[inside] ** 2) / np.mean(truth[inside] ** 2))
    assert error < 0.8
    return float(error)
