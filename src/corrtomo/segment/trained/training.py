"""Scribbles and an image -> a fitted classifier."""

from __future__ import annotations

import warnings
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import xarray as xr
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier

from ...volume import CHANNEL
from .classes import Classes
from .derived import CELL
from .features import FilterBank
from .pixel_tiles import Inner, make_tile, on_threads, tile_edge, tiles, wide
from .scribbles import Scribbles
from .settings import Settings

_SATURATED = 0.2
"""Share of two classes' painted voxels at one end of the grey values from which on both are warned of."""
_DRAWN = 5000
"""Painted voxels that each tree is grown on at most: neighbours in a stroke tell nearly the same."""
Matrix = npt.NDArray[np.float32]


def painted_values(image: xr.DataArray, scribbles: Scribbles) -> npt.NDArray[Any]:
    """Return the grey values of the painted voxels, dims voxel, channel."""
    spatial = [str(d) for d in image.dims if d != CHANNEL]
    where = {d: xr.DataArray(scribbles.places[:, k], dims="painted") for k, d in enumerate(spatial)}
    picked = xr.DataArray(image.data, dims=image.dims).isel(where)  # of a Dask image a few chunks alone
    if CHANNEL not in image.dims:
        picked = picked.expand_dims(CHANNEL)
    return np.asarray(picked.transpose("painted", CHANNEL).data)


def feature_matrix(
    image: xr.DataArray,
    scribbles: Scribbles,
    bank: FilterBank,
    voxel_um: tuple[float, ...],
    *,
    progress: bool,
    edge: int | None = None,
) -> Matrix:
    """Return the features of the painted voxels, dims voxel, column, in the order of the scribbles."""
    out = np.empty((len(scribbles.codes), len(bank.columns)), np.float32)
    data = image.data if CHANNEL in image.dims else image.data[np.newaxis]
    jobs = []
    for inner in tiles(scribbles.shape, edge or tile_edge(bank)):
        start, stop = [p.start for p in inner], [p.stop for p in inner]
        rows = np.nonzero(((scribbles.places >= start) & (scribbles.places < stop)).all(axis=1))[0]
        if len(rows):
            jobs.append((inner, rows))

    def gather(job: tuple[Inner, npt.NDArray[np.int64]]) -> None:
        inner, rows = job
        margin = bank.margin(voxel_um)
        grey = np.asarray(data[(slice(None), *wide(inner, margin, scribbles.shape))])
        tile = make_tile(grey, inner, margin, scribbles.shape)
        local = scribbles.places[rows] - [p.start for p in inner]
        cell, within = np.divmod(local, CELL[bank.ndim])
        lane = np.ravel_multi_index(tuple(within.T), CELL[bank.ndim])
        wanted = {tuple(int(n) for n in row) for row in np.unique(cell[:, :-1], axis=0)}
        for row, features in bank.rows(tile.block, voxel_um, wanted):
            here = (cell[:, :-1] == row).all(axis=1)
            out[rows[here]] = features[cell[here, -1], :, lane[here]]

    on_threads(gather, jobs, count=len(jobs), progress=progress)
    return out


def fitted(settings: Settings, matrix: Matrix, codes: npt.NDArray[np.uint8]) -> Any:
    """Fit the classifier: the seed fixes it, whatever the number of threads."""
    if settings.classifier is None:
        forest = RandomForestClassifier(
            settings.trees,
            class_weight="balanced",
            random_state=settings.seed,
            max_samples=min(len(codes), _DRAWN),
            n_jobs=numba.get_num_threads(),
        )
        forest.fit(matrix, codes)
        return forest.set_params(n_jobs=None)  # so that the model does not tell where it was made
    classifier = clone(settings.classifier)
    open_seeds = [
        k for k, v in classifier.get_params().items() if k.split("__")[-1] == "random_state" and v is None
    ]
    classifier.set_params(**dict.fromkeys(open_seeds, settings.seed))
    return classifier.fit(matrix, codes)


def warn_of_saturation(values: npt.NDArray[Any], codes: npt.NDArray[np.uint8], classes: Classes) -> None:
    """Warn of classes that share their darkest or brightest value in all channels, and are not merged.

    Such voxels have lost what told them apart; only their surroundings still do.
    """
    for end, extreme in (("brightest", values.max(axis=0)), ("darkest", values.min(axis=0))):
        at_end = (values == extreme).all(axis=1)
        share = np.bincount(codes, at_end) / np.bincount(codes)
        lost = np.nonzero(share > _SATURATED)[0]
        if len({classes.merged[k] for k in lost}) > 1:
            said = ", ".join(f"{100 * share[k]:.0f} % of {classes.names[k]!r}" for k in lost)
            warnings.warn(
                f"The image is saturated: of what is painted, {said} has the {end} value there is, "
                f"{extreme.tolist()}. These classes can be told apart by their surroundings alone. Record "
                "the image with less contrast, or with another channel.",
                stacklevel=4,
            )
