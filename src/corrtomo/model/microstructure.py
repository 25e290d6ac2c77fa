"""The numbers of a microstructure that a model of a cell asks for, and how sure they are, together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from scipy import stats

from ..checks import check_length, check_spatial
from ..measure.conduction.problem import check_axis, named, present_phases
from ..measure.options import check_between, check_whole
from ..measure.surface import surface_area
from ..phases import Phase
from ..volume import check_image
from .columns import Ask, Sums, add_particles, cut, flows, measured

_DOING = "measure a microstructure for a model"
_NEEDED = (Phase.PORE, Phase.CBD, Phase.AM)


@dataclass(frozen=True, eq=False)
class Microstructure:
    """Numbers of an electrode, and draws of all of them together.

    Attributes
    ----------
    values : pandas.Series
        ``porosity`` and ``active_fraction``, shares of the volume; ``tortuosity_factor`` of the electrolyte;
        ``surface_per_um`` of the active material, in µm² per µm³; ``surface_radius_um``, that of the balls
        with this surface and volume; where asked for, ``conductivity_S_per_m`` for electrons, and
        ``particle_radius_um``, the mean by volume of particles that are whole.
    draws : pandas.DataFrame
        The same, a row for each draw.
    columns : int
        How many columns were drawn from.
    """

    values: pd.Series[float]
    draws: pd.DataFrame
    columns: int

    def intervals(self, level: float = 0.95) -> pd.DataFrame:
        """Return ``value``, ``low`` and ``high`` of each number: Student's t times the spread of the draws.

        No share is below 0 or above 1, no tortuosity factor below 1, and no length or conductivity below 0.

        Parameters
        ----------
        level : float
            Confidence, from 0.5 to 0.999.

        Returns
        -------
        pandas.DataFrame
            A row for each number, in the unit of its name.

        Raises
        ------
        TypeError, ValueError
            If `level` is no share from 0.5 to 0.999.
        """
        share = check_between(level, "level", 0.5, 0.999, doing="find intervals")
        half = float(stats.t.ppf((1 + share) / 2, self.columns - 1)) * self.draws.std(ddof=1)
        least = pd.Series(0.0, self.values.index)
        least[least.index.str.startswith("tortuosity")] = 1.0
        most = pd.Series(np.inf, self.values.index)
        most[["porosity", "active_fraction"]] = 1.0
        low, high = (self.values - half).clip(lower=least), (self.values + half).clip(upper=most)
        return pd.DataFrame({"value": self.values, "low": low, "high": high})


def microstructure(
    labels: xr.DataArray,
    *,
    axis: str,
    column_um: float,
    cbd_porosity: float = 0.0,
    conductivities: Mapping[Phase, float] | None = None,
    depth_um: float | None = None,
    resamples: int = 1000,
    seed: int = 0,
    progress: bool = True,
) -> Microstructure:
    """Measure what a model of a cell needs of an electrode, with draws that carry its uncertainty on.

    The leaflet on the way from cell to particle names "realistic simulations" as what data of images are for
    ("Digital workflow"). A porous-electrode model takes a handful of numbers; they come from one picture and
    err together: where there are more pores there is less active material, and tortuosity falls. So whole
    columns of the electrode are drawn anew, and each draw gives all numbers. Conduction is solved once, in
    the whole volume; a column carries what flows in it there.

    Parameters
    ----------
    labels : xarray.DataArray
        PORE, CBD and AM of :class:`corrtomo.Phase`, dims z, y, x. Dask is computed.
    axis : str
        From collector to separator.
    column_um : float
        Width of a column in µm; wider than particles, and than two voxels.
    cbd_porosity : float
        Share of pores too fine to be seen in the carbon binder domain, from 0 to below 1, with electrolyte.
    conductivities : mapping of Phase to float, optional
        For electrons, in S/m, as for :func:`corrtomo.measure.effective_conductivity`.
    depth_um : float, optional
        To measure particles, touching ones parted as by :func:`corrtomo.measure.separate_particles`.
    resamples, seed : int
        How many draws, and of which seed.
    progress : bool
        Whether a bar is shown when it takes longer than some seconds.

    Returns
    -------
    Microstructure
        Values of the whole volume, and draws.

    Raises
    ------
    TypeError
        If labels are no codes of phases, or an option is no number.
    ValueError
        If other phases or left-out voxels occur, a phase that is needed is missing, there are fewer than 8
        columns, no way leads through from end to end, or an option is out of range.

    Notes
    -----
    Values are those of the volume as a whole; a draw moves them by as much as the columns drawn differ from
    all columns, widened by √(n / (n - 1)), and no further than a tortuosity factor of 1 and a solid that
    fills what is no pore. That is right where columns have nothing to do with each other. Neighbours share
    particles and currents: in random structures with columns three to four times as wide as their grains the
    spread came out 5 to 25 % too small, most for tortuosity. Take columns wide, as long as 8 remain.

    Intervals speak of other places in the same electrode, not of thresholds or labels: measure several
    segmentations and see how far apart they are. Closed pores count as pores, as in
    :func:`corrtomo.measure.tortuosity_factor`, and the surface is all of the active material's, that under
    binder too. A section is refused: in a plane ways round an obstacle are missing, and tortuosity would be
    too high.

    References
    ----------
    Landesfeind et al., J. Electrochem. Soc. 163, A1373 (2016), doi:10.1149/2.1141607jes.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> labels = ct.volume(np.tile(np.uint8([0, 0, 2, 2]), (4, 8, 4)), 0.5)
    >>> found = ct.model.microstructure(labels, axis="z", column_um=2.0)
    >>> found.values[["porosity", "tortuosity_factor"]].round(3).tolist(), found.columns
    ([0.5, 1.0], 8)
    """
    check_image(labels, ndim=(3,))
    check_spatial(labels, doing=_DOING)
    check_axis(labels, axis, doing=_DOING)
    check_length(column_um, "column_um", doing=_DOING)
    check_between(cbd_porosity, "cbd_porosity", 0.0, 0.99, doing=_DOING)
    if depth_um is not None:
        check_length(depth_um, "depth_um", doing=_DOING)
    check_whole(resamples, "resamples", 100, doing=_DOING, most=100_000)
    check_whole(seed, "seed", 0, doing=_DOING)
    flat = [str(dim) for dim, size in labels.sizes.items() if size == 1]
    if flat:
        raise ValueError(
            f"Cannot {_DOING} of one voxel along {' and '.join(flat)}: in a section ways round obstacles are "
            "missing, and through one layer of voxels none. A volume is needed."
        )
    labels = labels.compute()
    _check_phases(present_phases(labels, doing=_DOING))
    ask = Ask(axis, float(cbd_porosity), conductivities, depth_um, _DOING)
    pieces = cut(labels, axis, float(column_um), doing=_DOING)
    lines = flows(labels, ask, progress=progress)
    stopped = " and ".join(name for name, flow in lines.items() if not flow.any())
    if stopped:
        raise ValueError(
            f"Cannot {_DOING} along {axis}: no way leads through it for {stopped}, and a cell would not "
            "work. Choose another axis, or look at the labels: has a threshold closed the pores?"
        )
    sums = measured(labels, pieces, lines, ask)
    if depth_um is not None:
        add_particles(sums, labels, pieces, ask)
    surface = surface_area(labels == Phase.AM)
    return _drawn(sums, surface, ask, resamples, np.random.default_rng(seed))


def _check_phases(present: list[Phase]) -> None:
    others = [phase for phase in present if phase not in _NEEDED]
    missing = [phase for phase in (Phase.PORE, Phase.AM) if phase not in present]
    if others or missing:
        said = f"{named(others)} occurs" if others else f"{named(missing)} does not occur"
        raise ValueError(
            f"Cannot {_DOING}: {said}. A porous electrode holds pores and active material, with or without "
            "carbon binder domain. Crop the collector and what is left out away, or relabel them first."
        )


def _drawn(sums: Sums, surface: float, ask: Ask, resamples: int, rng: np.random.Generator) -> Microstructure:
    count = len(sums["extent"])
    weights = rng.multinomial(count, np.full(count, 1 / count), resamples)
    every = _numbers({name: np.atleast_1d(column.sum()) for name, column in sums.items()}, ask).iloc[0]
    draws = _numbers({name: weights @ column for name, column in sums.items()}, ask)
    if not (np.isfinite(draws).all(axis=None) and np.isfinite(every).all()):
        bad = sorted({str(n) for n in draws if not np.isfinite(draws[n]).all()})
        raise ValueError(
            f"Cannot {_DOING}: {', '.join(bad) or 'a number'} is not finite in some draws of {count} "
            "columns, for nothing passes through them, or they hold no whole particle. Raise column_um, or "
            "use a larger volume."
        )
    values = every.copy()
    # Columns cut at their sides miss the pairs of voxels across the cuts: the surface is that of the whole.
    values["surface_per_um"] = surface / sums["extent"].sum()
    values["surface_radius_um"] = 3 * every["active_fraction"] / values["surface_per_um"]
    # Columns say by which factor a draw differs; the volume as a whole says of what.
    ratio = 1 + (draws / every - 1) * np.sqrt(count / (count - 1))
    draws = ratio.clip(lower=1e-3) * values
    draws["tortuosity_factor"] = draws["tortuosity_factor"].clip(lower=1.0)
    fractions = ["porosity", "active_fraction"]
    draws[fractions] = draws[fractions].div(draws[fractions].sum(axis=1).clip(lower=1.0), axis=0)
    return Microstructure(values, draws, count)


def _numbers(sums: Sums, ask: Ask) -> pd.DataFrame:
    """Return the numbers of a model from sums over columns, a row for each draw."""
    with np.errstate(divide="ignore", invalid="ignore"):
        porosity = (sums["pore"] + ask.cbd_porosity * sums["cbd"]) / sums["extent"]
        numbers = {
            "porosity": porosity,
            "active_fraction": sums["am"] / sums["extent"],
            "tortuosity_factor": porosity * sums["across"] / sums["ions"],
            "surface_per_um": sums["surface"] / sums["extent"],
            "surface_radius_um": 3 * sums["am"] / sums["surface"],
        }
        if "electrons" in sums:
            numbers["conductivity_S_per_m"] = sums["electrons"] / sums["across"]
        if "particles" in sums:
            numbers["particle_radius_um"] = sums["particles_radius"] / sums["particles"]
    return pd.DataFrame(numbers)
