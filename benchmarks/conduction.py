"""Conduction: one phase among insulators, and three phases far apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec

import numpy as np
import xarray as xr
from scipy.sparse import csr_array, diags_array
from scipy.sparse.linalg import cg

import corrtomo as ct

from .data import phases_and_grey
from .table import Row
from .timing import ours, theirs

_ONE = (0.0, 0.0, 1.0)
_THREE = (1e-4, 100.0, 1e-2)
_TOLERANCE = 1e-6


def rows(size: int) -> Iterator[Row | str]:
    labels, _ = phases_and_grey(size)
    missing, apart = [], []
    for step, values in (("one phase conducts", _ONE), ("three phases, 1e6 apart", _THREE)):
        mine = ours(lambda values=values: _ours(labels, values))
        for name, module, most, solver in _PEERS:
            if find_spec(module) is None:
                missing.append(name)
            elif values is _ONE or module != "taufactor":  # it has no such contrast in reasonable time
                part = labels[(slice(min(size, most)),) * 3]
                peer = theirs(lambda solver=solver, part=part, values=values: solver(part.values, values))
                off = peer.result / _ours(part, values) - 1
                assert abs(off) < 2e-3
                apart.append(f"{name} {100 * off:+.4f} %")
                yield Row(step, size, mine, name, peer, labels.size / part.size)
    yield f"Conductivity less ours, on the same voxels: {', '.join(apart)}."
    yield (
        "≈: the peer was timed on a part (SciPy 64³ voxels, PyAMG and TauFactor 128³), its time multiplied "
        "by the number of voxels, though SciPy and TauFactor take more steps where there are more; its "
        "memory is that of the part."
    )
    if missing:
        yield f"Left out, for they are not installed here: {', '.join(dict.fromkeys(missing))}."


def _ours(labels: xr.DataArray, values: tuple[float, ...]) -> float:
    sigma = {ct.Phase(code): value for code, value in enumerate(values)}
    return ct.measure.effective_conductivity(labels, sigma, axis="z", progress=False)


def _scipy(codes: np.ndarray, values: tuple[float, ...]) -> float:
    matrix, plate = _system(codes, values)
    x, failed = cg(matrix, plate, rtol=_TOLERANCE, M=diags_array(1 / matrix.diagonal()))
    assert not failed
    return _conductivity(x, plate, codes)


def _pyamg(codes: np.ndarray, values: tuple[float, ...]) -> float:
    matrix, plate = _system(codes, values)
    matrix.indices, matrix.indptr = matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)
    levels = import_module("pyamg").ruge_stuben_solver(matrix)
    return _conductivity(levels.solve(plate, tol=_TOLERANCE, accel="cg"), plate, codes)


def _taufactor(codes: np.ndarray, values: tuple[float, ...]) -> float:
    solver = import_module("taufactor").Solver((codes == values.index(1.0)).astype(int), device="cpu")
    solver.solve(verbose=False, conv_crit=1e-3, iter_limit=100_000)
    return float(solver.D_rel[0])


def _system(codes: np.ndarray, values: tuple[float, ...]) -> tuple[csr_array, np.ndarray]:
    """Return the equations of all that hangs on both plates: the matrix, and what the first plate gives."""
    sigma = np.asarray(values)[codes]
    conducts = ct.volume((sigma > 0).astype(np.uint8), 1.0)
    hang = [ct.measure.connected_part(conducts, [1], of=1, axis="z", end=end) for end in ("first", "last")]
    inside = (hang[0] & hang[1]).values
    number = np.where(inside, np.cumsum(inside).reshape(inside.shape) - 1, -1)
    size = int(inside.sum())
    links = csr_array((size, size))
    for axis in range(3):
        n, s = np.moveaxis(number, axis, 0), np.moveaxis(sigma, axis, 0)
        both = (n[:-1] >= 0) & (n[1:] >= 0)
        one, other = s[:-1][both], s[1:][both]
        where = n[:-1][both], n[1:][both]
        links = links + csr_array((2 * one * other / (one + other), where), shape=(size, size))
    links = links + links.T
    plates = np.zeros((2, size))
    for end in (0, -1):
        plates[end, number[end][inside[end]]] = 2 * sigma[end][inside[end]]
    matrix = diags_array(np.asarray(links.sum(axis=0)).ravel() + plates.sum(axis=0)) - links
    return csr_array(matrix), plates[0]


def _conductivity(x: np.ndarray, plate: np.ndarray, codes: np.ndarray) -> float:
    return float((plate * (1 - x)).sum() * codes.shape[0] / (codes.shape[1] * codes.shape[2]))


# Name, module, voxels along an edge that it is timed on at most, and the call.
_PEERS: tuple[tuple[str, str, int, Callable[[np.ndarray, tuple[float, ...]], float]], ...] = (
    ("SciPy, conjugate gradients", "scipy", 64, _scipy),
    ("PyAMG, Ruge-Stüben", "pyamg", 128, _pyamg),
    ("TauFactor on the CPU", "taufactor", 128, _taufactor),
)
