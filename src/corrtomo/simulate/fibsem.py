"""FIB-SEM tomography of a known specimen: slice by slice, with two detectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from numba import njit, prange

from ..volume import volume
from . import noise
from .detector import develop
from .limits import check_pose, check_seed, check_shape
from .raster import AM, PORE, View
from .specimen import Specimen, check_specimen

Array = npt.NDArray[np.float64]
DETECTORS = ("SESI", "in-lens")
_NANOPORE = 3
_STREAK_SLICES, _STREAK_COLUMNS = 3.0, 2.0


@dataclass(frozen=True)
class FibsemModel:
    """What stands between a specimen and the grey values of its FIB-SEM tomogram.

    Pairs are (SESI, in-lens). A voxel of solid has the grey value of its phase. Through a pore the microscope
    sees the surface behind it (a pore back): with the grey value g of the next solid at a depth d further
    along z::

        grey = pore + (g - pore) w(d),    w(d) = (exp(-d / back_um) - c) / (1 - c),    c = exp(-look_um /
        back_um)

    Then come curtains, shadow and noise::

        recorded = grey (1 + curtain) (1 - shadow y / height) + sqrt(shot grey + readout²) n

    A curtain begins where the ion beam, travelling along y, leaves active material; its strength is smooth
    over a few columns and slices and fades over `curtain_um`. The image is blurred by (1, 2, 1) / 4 along y
    and x before the noise: the beam interacts with a little more than one voxel. Each slice is shifted by a
    drift along y and x that wanders and returns. All values are assumptions, typical of low-voltage FIB-SEM
    of such cathodes; none is calibrated.

    Attributes
    ----------
    grey_am, grey_cbd, grey_pore : tuple of float
        Grey values of active material, of solid binder and carbon, and of a pore too deep to see its back.
    back_um : tuple of float
        Depth over which pore backs fade, in µm.
    look_um : float
        How far behind a slice backs are looked for, in µm.
    curtain : tuple of float
        Standard deviation of the relative strength of a curtain.
    curtain_um : float
        Length over which a curtain fades, in µm.
    shadow : tuple of float
        Share of the grey value that is lost at the far end of y.
    shot : tuple of float
        Variance of the noise a grey value.
    readout : tuple of float
        Standard deviation of the noise at grey value 0.
    drift_um, drift_slices : float
        Standard deviation of the drift along each of y and x, in µm, and over how many slices it is
        forgotten.
    """

    grey_am: tuple[float, float] = (178.0, 150.0)
    grey_cbd: tuple[float, float] = (96.0, 118.0)
    grey_pore: tuple[float, float] = (38.0, 24.0)
    back_um: tuple[float, float] = (0.6, 0.25)
    look_um: float = 1.6
    curtain: tuple[float, float] = (0.05, 0.03)
    curtain_um: float = 4.0
    shadow: tuple[float, float] = (0.10, 0.15)
    shot: tuple[float, float] = (0.5, 1.2)
    readout: tuple[float, float] = (3.0, 4.0)
    drift_um: float = 0.03
    drift_slices: float = 60.0

    def __post_init__(self) -> None:
        for name in ("back_um", "look_um", "curtain_um", "drift_slices"):
            if not (np.asarray(getattr(self, name)) > 0).all():
                raise ValueError(
                    f"Cannot use a FIB-SEM model with {name} {getattr(self, name)!r}: it must be above zero. "
                    "Lengths are in µm."
                )
        for name in ("grey_am", "grey_cbd", "grey_pore", "curtain", "shadow", "shot", "readout", "drift_um"):
            if not (np.asarray(getattr(self, name)) >= 0).all():
                raise ValueError(
                    f"Cannot use a FIB-SEM model with {name} {getattr(self, name)!r}: it must not be "
                    "negative. Set it to 0 to leave that effect out."
                )


def drift(n_slices: int, voxel_um: float, model: FibsemModel, seed: int) -> Array:
    """Return the drift of each slice along y, x in voxels: a random walk that returns, with mean zero."""
    rng = np.random.default_rng(np.random.SeedSequence([seed, 3]))
    keep = float(np.exp(-1.0 / model.drift_slices))
    steps = rng.standard_normal((n_slices, 2))
    path = np.empty((n_slices, 2))
    path[0] = steps[0]
    for k in range(1, n_slices):
        path[k] = keep * path[k - 1] + np.sqrt(1.0 - keep**2) * steps[k]
    walk: Array = (path - path.mean(axis=0)) * (model.drift_um / voxel_um)
    return walk


def fibsem_tomography(
    specimen: Specimen,
    voxel_size: float = 0.0336,
    *,
    shape: Sequence[int],
    slices: tuple[int, int] | None = None,
    pose: npt.ArrayLike | None = None,
    model: FibsemModel | None = None,
    seed: int = 0,
) -> xr.DataArray:
    """Simulate the FIB-SEM tomogram of a window of a specimen: a digital twin, not a measurement.

    The X-ray and FIB-SEM paper takes its ground truth from FIB-SEM tomography with a secondary-electron
    detector (SESI) and an in-lens detector. The twin has what makes such data hard to segment: pore backs,
    curtains, drift, noise, and a binder that is itself porous.

    Parameters
    ----------
    specimen : Specimen
        From :func:`electrode` or :func:`labelled`.
    voxel_size : float
        Edge of a voxel in µm.
    shape : sequence of int
        Number of voxels along z (milling direction, first slice first), y (down the cross-section), x, of the
        whole tomogram.
    slices : tuple of int, optional
        First slice and the one after the last; by default all. A part is the same as that part of the whole.
    pose : array_like, optional
        4 × 4 matrix from the frame of the specimen to that of the microscope, (z, y, x, 1) in µm.
    model : FibsemModel, optional
        Physics of the instrument.
    seed : int
        Seed of drift, curtains and noise.

    Returns
    -------
    xarray.DataArray
        Grey values, ``uint8`` with dims channel, z, y, x; channel "SESI" and "in-lens"; first voxel at 0 µm.

    Raises
    ------
    ValueError
        If sizes or slices are out of range, `pose` does more than turn and shift, or nothing of the specimen
        is known in the tomogram.
    TypeError
        If `specimen` is none, for instance labels.

    Notes
    -----
    Slices drift against the specimen; :func:`drift` tells by how much. Memory is about 3 bytes a
    voxel: ask for a few dozen slices at a time. Beyond its box an electrode
    repeats itself, and a labelled volume is mirrored: what is seen there was not measured. The tilt of the
    stage, charging and redeposition are not modelled.

    References
    ----------
    Sci. Rep. 6, 30109 (2016), doi:10.1038/srep30109, section "Focused Ion Beam/Scanning
    Electron Microscopy Tomography".

    Examples
    --------
    >>> import corrtomo as ct
    >>> specimen = ct.simulate.electrode(15.0, seed=1)
    >>> image = ct.simulate.fibsem_tomography(specimen, 0.05, shape=(4, 30, 40))
    >>> image.sizes["channel"], image.channel.values.tolist()
    (2, ['SESI', 'in-lens'])
    """
    check_specimen(specimen)
    check_seed(seed)
    check_shape(shape)
    first, last = (0, int(shape[0])) if slices is None else slices
    if not 0 < voxel_size < np.inf or not 0 <= first < last <= shape[0]:
        raise ValueError(
            f"Cannot simulate voxel_size {voxel_size!r} µm, shape {tuple(shape)!r}, slices {slices!r}: a "
            "size above zero, three numbers of voxels along z, y, x, and slices inside them are needed. "
            "The paper has 0.0336 µm and (500, 1027, 932)."
        )
    optics = FibsemModel() if model is None else model
    look = int(np.ceil(optics.look_um / voxel_size))
    n = (last - first + look, int(shape[1]), int(shape[2]))
    frame, edge = check_pose(pose), np.full(3, float(voxel_size))
    specimen.check_view(View(edge, np.zeros(3), (int(shape[0]), n[1], n[2]), frame))
    view = View(edge, np.array([first * voxel_size, 0.0, 0.0]), n, frame)
    walk = drift(int(shape[0]), voxel_size, optics, seed)
    # Behind the last slice nothing is recorded; what lies there is seen through pores with the last drift.
    shift = np.pad(walk[first : last + look], ((0, max(0, last + look - int(shape[0]))), (0, 0)), mode="edge")
    classes = specimen.codes(view, shift)
    specimen.carve_nanopores(classes, view, _NANOPORE, shift)
    grey = _record(classes, last - first, first, voxel_size, optics, seed)
    image = volume(grey, voxel_size, origin=[first * voxel_size, 0.0, 0.0], dims=("channel", "z", "y", "x"))
    return image.assign_coords(channel=list(DETECTORS)).rename("FIB-SEM tomogram")


def _record(
    classes: npt.NDArray[np.uint8], count: int, first: int, voxel_um: float, model: FibsemModel, seed: int
) -> npt.NDArray[np.uint8]:
    out = np.empty((2, count, *classes.shape[1:]), np.uint8)
    look = classes.shape[0] - count
    solid, depth = _pore_backs(classes, count, look)
    streaks = _streaks(count, classes.shape[2], first, seed)
    for channel in range(2):
        greys = np.array([model.grey_pore[channel], model.grey_cbd[channel], model.grey_am[channel]])
        fade = np.exp(-np.arange(look + 2) * voxel_um / model.back_um[channel])
        fade = np.maximum(fade - fade[look], 0.0) / (1.0 - fade[look])
        parameters = np.array(
            [
                model.curtain[channel],
                np.exp(-voxel_um / model.curtain_um),
                model.shadow[channel] / classes.shape[1],
                model.shot[channel],
                model.readout[channel] ** 2,
            ]
        )
        key = noise.stream(seed, f"detector {channel}")
        _expose(out[channel], classes[:count], solid, depth, streaks, greys, fade, parameters, key, first)
    return out


def _streaks(count: int, width: int, first: int, seed: int) -> noise.Floats:
    """Return the strength of curtains, smooth over about three slices and two columns, variance 1."""
    key = noise.stream(seed, "curtains")
    return noise.smooth(key, (first, 0, 0), (count, 1, width), (_STREAK_SLICES, 0.01, _STREAK_COLUMNS))[:, 0]


@njit(cache=True, parallel=True)
def _pore_backs(classes: Any, count: int, look: int) -> Any:
    """Return which solid is seen at each voxel, and how many slices behind it; look + 1: too far."""
    nz, ny, nx = classes.shape
    solid = np.zeros((count, ny, nx), np.uint8)
    depth = np.zeros((count, ny, nx), np.uint16)
    for j in prange(ny):
        seen = np.zeros(nx, np.uint8)
        far = np.full(nx, look + 1, np.int64)
        for k in range(nz - 1, -1, -1):
            for i in range(nx):
                c = classes[k, j, i]
                if c in (PORE, _NANOPORE):
                    far[i] = min(far[i] + 1, look + 1)
                else:
                    seen[i] = c
                    far[i] = 0
                if k < count:
                    solid[k, j, i] = seen[i]
                    depth[k, j, i] = far[i]
    return solid, depth


@njit(cache=True, parallel=True)
def _expose(
    out: Any, classes: Any, solid: Any, depth: Any, streaks: Any, greys: Any, fade: Any, parameters: Any,
    key: Any, first: int,
) -> None:  # fmt: skip
    for k in prange(out.shape[0]):
        image = _surface(classes[k], solid[k], depth[k], streaks[k], greys, fade, parameters)
        develop(out[k], image, parameters[3], parameters[4], key, first + k)


@njit(cache=True)
def _surface(
    classes: Any, solid: Any, depth: Any, streak: Any, greys: Any, fade: Any, parameters: Any
) -> Any:
    """Return the slice before blur and noise: phases, pore backs, curtains, shadow."""
    ny, nx = classes.shape
    image = np.empty((ny, nx), np.float32)
    curtain = np.zeros(nx)
    for j in range(ny):
        light = 1.0 - parameters[2] * j
        for i in range(nx):
            if j and classes[j - 1, i] == AM and classes[j, i] != AM:
                curtain[i] += parameters[0] * streak[i]
            curtain[i] *= parameters[1]
            # fade[0] is 1: a solid voxel has its own grey value.
            grey = greys[0] + (greys[solid[j, i]] - greys[0]) * fade[depth[j, i]]
            image[j, i] = grey * light * (1.0 + curtain[i])
    return image
