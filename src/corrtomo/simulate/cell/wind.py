"""Winding a cell: from its layers and its outgrowths to what is known at every point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from ..limits import as_array, check_model, check_seed, is_number
from . import outgrowths as grown
from .layers import ALUMINIUM, ORDER, RollModel, check_room
from .roll import JellyRoll
from .winding import Winding


def jelly_roll(
    diameter_um: float = 18_300.0,
    *,
    outgrowths: int | pd.DataFrame = 24,
    outgrowth_um: Sequence[float] = (10.0, 95.0),
    outgrowth_depth_um: float = 1100.0,
    model: RollModel | None = None,
    seed: int = 0,
) -> JellyRoll:
    """Draw the end of a wound cell, with copper outgrowths on its collector.

    The paper images an 18650 cell by X-ray tomography, as an overview and in detail, and finds "a copper
    outgrowth on the copper current conductor" ("Non-destructive detection of defects"). Here place and size
    of each are known.

    Parameters
    ----------
    diameter_um : float
        Outside of the can. 18 300 is an 18650 cell without its sleeve.
    outgrowths : int or pandas.DataFrame
        How many, or a table of your own with columns ``turn`` (in turns from the inner end of the anode),
        ``z_um``, ``height_um``, ``radius_um`` (of the base) and ``outward`` (away from the axis).
    outgrowth_um : sequence of float
        Least and greatest height; in between, logarithms are uniform. Bases are 0.6 to 1.2 times as wide.
    outgrowth_depth_um : float
        Height of the part of the copper, from its top on, that they grow on.
    model : RollModel, optional
        Layers, and how they are wound.
    seed : int
        The same seed gives the same cell.

    Returns
    -------
    JellyRoll
        Raster it with :meth:`JellyRoll.layers`, at any voxel size.

    Raises
    ------
    ValueError
        If less than two turns fit into the can, an outgrowth is taller than anode and separator, or they find
        no room.
    TypeError
        If `outgrowths` is neither a number nor a table.

    Notes
    -----
    An outgrowth is half a spheroid upon the face of the copper, and takes the place of what was there. Where
    the roll is out of round, layers are about 2 % thicker or thinner along the radius. The spiral stays a
    spiral up to its end, so that up to a pitch is left open beside the wall of the can. Left out are lid,
    bead and gasket of the can, the weld of the tab, free electrolyte, and all that changes along z below the
    tops of the layers.

    References
    ----------
    Chen et al., J. Electrochem. Soc. 167, 080534 (2020), doi:10.1149/1945-7111/ab9050.

    Examples
    --------
    >>> import corrtomo as ct
    >>> ct.simulate.jelly_roll(seed=1)
    JellyRoll(18300 µm wide, 17.51 turns of 373.6 µm, 24 outgrowths, seed 1)
    """
    check_seed(seed)
    check_model(model, RollModel, "model")
    chosen = RollModel() if model is None else model
    turns = check_room(chosen, diameter_um)
    heights = _check_heights(outgrowth_um, chosen)
    if not (is_number(outgrowth_depth_um) and 0 < outgrowth_depth_um <= 1e6):
        raise ValueError(
            f"Cannot grow copper on outgrowth_depth_um {outgrowth_depth_um!r}: above zero and up to 1e6 µm "
            "are allowed."
        )
    rng = np.random.default_rng(np.random.SeedSequence([seed, 60]))
    of = _wind(chosen, float(diameter_um), turns, rng)
    if isinstance(outgrowths, pd.DataFrame) or not is_number(outgrowths):
        table = grown.check_table(outgrowths, of, chosen)
    else:
        # Wholly on the copper: the widest base is 1.2 times the greatest height.
        top = chosen.anode_below_um + 1.2 * heights[1]
        table = grown.draw(
            grown.check_count(outgrowths), heights, (top, top + float(outgrowth_depth_um)), of, chosen, rng
        )
    full, bumps = grown.described(table, of, chosen)
    return JellyRoll(float(diameter_um), chosen, of, full, bumps, int(seed))


def _wind(model: RollModel, diameter_um: float, turns: float, rng: np.random.Generator) -> Winding:
    """Return the winding; its phases and the share of each wave are drawn."""
    start = float(rng.uniform(0, 2 * np.pi))
    share = rng.dirichlet([3.0, 2.0, 1.0])
    phase = rng.uniform(0, 2 * np.pi, 3)
    waves = np.zeros((4, 2))
    waves[1:] = model.out_of_round_um * share[:, None] * np.column_stack([np.cos(phase), np.sin(phase)])
    inner = model.mandrel_um / 2 + model.out_of_round_um
    can = diameter_um / 2
    edges = np.append(0.0, np.cumsum(model.thickness_um))
    tab_turn = model.tab_turn * turns
    tab = [
        tab_turn, inner + model.pitch_um * tab_turn + edges[ORDER.index(ALUMINIUM) + 1],
        model.tab_width_um / 2, model.bulge_um, model.tab_flank_um, model.tab_bare_um / 2, model.tab_um,
    ]  # fmt: skip
    return Winding(
        inner=inner,
        pitch=model.pitch_um,
        start=start,
        turns=turns,
        cathode=np.array([model.cathode_starts, turns - model.cathode_ends]),
        edges=edges,
        codes=np.array(ORDER, np.int64),
        tops=model.tops_um(),
        waves=waves,
        fade=can - model.can_um,
        can=np.array([can - model.can_um, can]),
        tab=np.array(tab),
    )


def _check_heights(outgrowth_um: Any, model: RollModel) -> tuple[float, float]:
    given = as_array(outgrowth_um)
    most = model.anode_um + model.separator_um
    if given.shape != (2,) or given.dtype.kind not in "iuf" or not 0 < given[0] <= given[1] <= most:
        raise ValueError(
            f"Cannot draw outgrowths of outgrowth_um {outgrowth_um!r}: a least and a greatest height, above "
            f"zero and up to {most:g} µm, which is anode and separator, are needed."
        )
    return float(given[0]), float(given[1])
