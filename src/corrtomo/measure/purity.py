"""Whether what was named is what it is: purity and completeness of classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from scipy.special import betaincinv

from ..blocks import blocks
from ..checks import check_same_grid
from ..phases import Phase, check_integer
from .histogram import CODES, as_codes
from .options import check_named, check_whole
from .spectra import check_level

Counts = npt.NDArray[np.int64]
_DOING = "judge classes"
_COLUMNS = (
    *("found", "true", "right", "purity", "purity_low", "purity_high"),
    *("completeness", "completeness_low", "completeness_high"),
)
_MOST_DRAWS = 100_000
_DRAWN = 1 << 23
"""Particles that are drawn at a time: what is held while resampling."""


def purity(
    found: xr.DataArray,
    truth: xr.DataArray,
    particles: xr.DataArray,
    *,
    classes: Mapping[str, int] | None = None,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Judge classes against the truth, by area and by particle: how pure each is, and how complete.

    The nanoCT and SIMS paper tells LCO from NCA by elements, and not by grey value ("Results and Discussion",
    doi:10.1017/S1431927622012405); on a digital twin it is known which particle is which.

    Parameters
    ----------
    found, truth : xarray.DataArray
        Codes of classes on one grid, 255 where left out, for instance from
        :func:`corrtomo.segment.by_elements`.
    particles : xarray.DataArray
        Numbers of the particles on the same grid, 0 outside; what is outside does not count.
    classes : mapping of str to int, optional
        Names and codes that are judged; by default those of ``truth.attrs["classes"]`` that occur in it
        within the particles.
    level : float
        Confidence of the intervals, between 0 and 1.
    resamples : int
        How many times particles are drawn for the interval by area: 100 to 100 000.
    seed : int
        The same seed gives the same interval.

    Returns
    -------
    pandas.DataFrame
        Two rows for each class, indexed by ``class`` and ``by``, "area" or "particle": ``found``, ``true``
        and ``right``, numbers of voxels or of particles; ``purity``, right over found, and ``completeness``,
        right over true, each followed by the ends of its interval, ``…_low`` and ``…_high``.

    Raises
    ------
    TypeError
        If codes or numbers are not integers.
    ValueError
        If grids differ, there is no particle, the classes have no names or none occurs, both images name
        their codes and one name has two of them, or an option is out of range.

    Notes
    -----
    A particle is of the class of most of its voxels, in the truth among the classes, in what was found also
    of none: where 255 leads, it counts for completeness as missed and for purity not at all. Where the truth
    is left out (255), voxels do not count.

    Voxels of a particle are right or wrong together, so their number says nothing: the interval by area is of
    particles drawn with replacement (percentiles), that by particle Clopper and Pearson's. Both speak of
    other particles of the same kind. With fewer than ten particles of a class the first is too narrow: by
    particle it is the honest one. If all are right, the first has no width at all.

    References
    ----------
    Clopper and Pearson, Biometrika 26, 404 (1934), doi:10.1093/biomet/26.4.404.

    Examples
    --------
    >>> import corrtomo as ct
    >>> truth, found = ct.volume([2, 2, 2, 3, 3, 3], 0.1), ct.volume([2, 2, 3, 3, 3, 255], 0.1)
    >>> particles = ct.volume([1, 1, 1, 2, 2, 2], 0.1)
    >>> table = ct.measure.purity(found, truth, particles, classes={"LCO": 2, "NCA": 3})
    >>> table[["purity", "completeness"]].round(2).values.tolist()
    [[1.0, 0.67], [1.0, 1.0], [0.67, 0.67], [1.0, 1.0]]
    """
    check_level(level, doing=_DOING)
    check_whole(resamples, "resamples", 100, doing=_DOING, most=_MOST_DRAWS)
    check_whole(seed, "seed", 0, doing=_DOING)
    numbers = _check(found, truth, particles)
    _check_names(found, truth)
    named = _named(truth, particles, classes)
    counts = _counted(found, truth, particles, numbers, list(named.values()))
    rows = [*_by_area(counts, level, resamples, seed), *_by_particle(counts, level)]
    each = [(name, by) for by in ("area", "particle") for name in named]
    table = pd.DataFrame(rows, index=pd.MultiIndex.from_tuples(each, names=["class", "by"]))
    return table.loc[[(name, by) for name in named for by in ("area", "particle")]]


def _check(found: xr.DataArray, truth: xr.DataArray, particles: xr.DataArray) -> npt.NDArray[Any]:
    """Refuse what cannot be compared; return the numbers of the particles."""
    for image in (found, truth, particles):
        check_integer(image, doing=_DOING)
        check_same_grid(truth, image, doing=_DOING)
    if particles.dtype == bool or int(particles.min()) < 0:
        raise ValueError(
            f"Cannot {_DOING} by particles of dtype {particles.dtype} from {int(particles.min())}: numbers "
            "from 1 are needed, and 0 is none. Number them with ct.measure.label_particles(mask) or "
            "ct.measure.separate_particles()."
        )
    numbers = np.unique(np.asarray(particles.data))
    numbers = numbers[numbers > 0]
    if numbers.size == 0:
        raise ValueError(
            f"Cannot {_DOING}: there is no particle. One or more are needed. Number them with "
            "ct.measure.label_particles(mask)."
        )
    return np.asarray(numbers)


def _check_names(found: xr.DataArray, truth: xr.DataArray) -> None:
    """Refuse two images that give one name to two codes; another name for the same code is fine."""
    ours, theirs = (image.attrs.get("classes") for image in (found, truth))
    if not isinstance(ours, Mapping) or not isinstance(theirs, Mapping):
        return
    crossed = [name for name in ours if name in theirs and ours[name] != theirs[name]]
    if crossed:
        name = crossed[0]
        raise ValueError(
            f"Cannot {_DOING}: {name!r} is {ours[name]} in what was found and {theirs[name]} in the truth. "
            "One name needs one code. Relabel one of them first, for instance with xarray.where(), or "
            "correct its attrs['classes']."
        )


def _named(truth: xr.DataArray, particles: xr.DataArray, classes: Any) -> dict[str, int]:
    """Return names and codes of the classes that are judged."""
    given = truth.attrs.get("classes", {}) if classes is None else classes
    known = check_named(given, "classes", doing=_DOING, like="{'LCO': 2, 'NCA': 3}")
    for name, code in known.items():
        if isinstance(code, bool) or not isinstance(code, int | np.integer) or not 0 <= code < Phase.LEFT_OUT:
            raise ValueError(
                f"Cannot {_DOING}: the code of {name!r} is {code!r}, and whole numbers from 0 to 254 are "
                "needed. Pass for instance classes={'LCO': 2, 'NCA': 3}."
            )
    seen = np.zeros(CODES, bool)
    for codes, owner in blocks(truth, particles):
        seen[np.unique(as_codes(codes[owner > 0]))] = True
    out = {str(name): int(code) for name, code in known.items() if seen[code]}
    if not out or len(set(out.values())) < len(out):
        raise ValueError(
            f"Cannot {_DOING} {known}: within the particles the truth has the codes "
            f"{np.flatnonzero(seen).tolist()}, and one or more of them must have a name, each once. Pass for "
            "instance classes={'LCO': 2, 'NCA': 3}."
        )
    return out


def _counted(
    found: xr.DataArray, truth: xr.DataArray, particles: xr.DataArray, numbers: Any, codes: list[int]
) -> Counts:
    """Return the voxels of each particle by found class and true one; the last is any other code."""
    place = np.full(CODES, len(codes))
    place[codes] = np.arange(len(codes))
    shape = (len(numbers), len(codes) + 1, len(codes) + 1)
    counts = np.zeros(int(np.prod(shape)), np.int64)
    for one, other, owner in blocks(found, truth, particles):
        inside = owner > 0
        where = (
            np.searchsorted(numbers, owner[inside]),
            place[as_codes(one[inside])],
            place[as_codes(other[inside])],
        )
        counts += np.bincount(np.ravel_multi_index(where, shape), minlength=counts.size)
    # What the truth does not know counts neither way; a particle of nothing else is none.
    known: Counts = counts.reshape(shape)[:, :, :-1]
    return known[known.any(axis=(1, 2))]


def _by_area(counts: Counts, level: float, resamples: int, seed: int) -> list[dict[str, float]]:
    """Judge by voxels, with particles drawn anew."""
    rng = np.random.default_rng(seed)
    flat = counts.reshape(len(counts), -1).astype(float)
    batch = max(1, _DRAWN // len(counts))
    even = np.full(len(counts), 1 / len(counts))
    draws = [
        rng.multinomial(len(counts), even, size=min(batch, resamples - start)) @ flat
        for start in range(0, resamples, batch)
    ]
    drawn = np.concatenate(draws).reshape(-1, *counts.shape[1:])
    tail = (1 - level) / 2
    rows = []
    for one in range(counts.shape[2]):
        row = _shares(counts.sum(axis=0), one)
        for name, total in (
            ("purity", drawn[:, one].sum(axis=1)),
            ("completeness", drawn[:, :, one].sum(axis=1)),
        ):
            some = total > 0  # a draw without the class says nothing of it
            ends = (
                np.quantile(drawn[some, one, one] / total[some], [tail, 1 - tail])
                if some.any()
                else [np.nan] * 2
            )
            row |= {f"{name}_low": float(ends[0]), f"{name}_high": float(ends[1])}
        rows.append({column: row[column] for column in _COLUMNS})
    return rows


def _by_particle(counts: Counts, level: float) -> list[dict[str, float]]:
    """Judge by particles: each is of the class of most of its voxels."""
    classes = counts.shape[2]
    table = np.zeros((classes + 1, classes), np.int64)
    np.add.at(table, (counts.sum(axis=2).argmax(axis=1), counts.sum(axis=1).argmax(axis=1)), 1)
    rows = []
    for one in range(classes):
        row = _shares(table, one)
        for name, total in (("purity", row["found"]), ("completeness", row["true"])):
            low, high = _exact(int(row["right"]), int(total), level)
            row |= {f"{name}_low": low, f"{name}_high": high}
        rows.append({column: row[column] for column in _COLUMNS})
    return rows


def _shares(table: Counts, one: int) -> dict[str, float]:
    found, true, right = int(table[one].sum()), int(table[:, one].sum()), int(table[one, one])
    shares = {
        name: right / total if total else np.nan
        for name, total in (("purity", found), ("completeness", true))
    }
    return {"found": found, "true": true, "right": right, **shares}


def _exact(right: int, total: int, level: float) -> tuple[float, float]:
    """Return Clopper and Pearson's interval of a share; all of 0 to 1 where there is nothing."""
    tail = (1 - level) / 2
    low = betaincinv(right, total - right + 1, tail) if right > 0 else 0.0
    high = betaincinv(right + 1, total - right, 1 - tail) if right < total else 1.0
    return float(low), float(high)
