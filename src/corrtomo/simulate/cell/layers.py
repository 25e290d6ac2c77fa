"""What a wound cell is made of: layers by thickness, where they begin and end, and their codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..limits import check_positive, is_number

Array = npt.NDArray[np.float64]
OPEN, SEPARATOR, ANODE, CATHODE, COPPER, ALUMINIUM, CAN, TAB, OUTGROWTH = range(9)
LAYERS = {
    "open": OPEN,
    "separator": SEPARATOR,
    "anode": ANODE,
    "cathode": CATHODE,
    "copper": COPPER,
    "aluminium": ALUMINIUM,
    "can": CAN,
    "tab": TAB,
    "outgrowth": OUTGROWTH,
}
"""Codes of the layers; "open" is gas inside the can, and air around it."""
# One pitch from its inner face outwards.
ORDER = (ANODE, COPPER, ANODE, SEPARATOR, CATHODE, ALUMINIUM, CATHODE, SEPARATOR)


@dataclass(frozen=True)
class RollModel:
    """Layers of a jelly roll, from its inner face outwards, and how they are wound.

    Thicknesses are those of the teardown of a commercial NMC 811 and graphite cell (LG M50; Chen et al.,
    J. Electrochem. Soc. 167, 080534 (2020), Table VII). They sum to a pitch of 373.6 µm; in the 18650 cell of
    ``ct.datasets.load_cell("cell-collectors")`` the collectors of neighbouring turns are 364 µm apart. All
    else is assumed.

    Attributes
    ----------
    anode_um, cathode_um : float
        Thickness of the coating on either face of its collector.
    copper_um, aluminium_um, separator_um : float
        Of the collectors, and of the separator.
    mandrel_um : float
        Diameter of the hole in the middle.
    can_um : float
        Thickness of the wall of the can.
    clearance_um : float
        Between the roll and the wall, at least.
    anode_below_um, cathode_below_um : float
        How far below the top of the separator anode and cathode end: the anode overhangs the cathode.
    cathode_starts, cathode_ends : float
        By how many turns the cathode starts after the anode, and ends before it.
    out_of_round_um : float
        Sum of the amplitudes of two, three and four waves around the roll, at its inner face. They fade
        towards the can.
    tab_turn : float
        Winding at which a tab is welded to the aluminium, as a share of the whole roll.
    tab_width_um, tab_um : float
        Width and thickness of the tab. It fills a gap in the outer coating, and lifts the turns around it by
        what it is thicker.
    tab_flank_um : float
        Length along which the lifted turns come down again, on either side.
    tab_bare_um : float
        Width of aluminium without coating, on both faces.
    tab_above_um : float
        How far the tab stands above the top of the separator.
    """

    anode_um: float = 85.2
    cathode_um: float = 75.6
    copper_um: float = 12.0
    aluminium_um: float = 16.0
    separator_um: float = 12.0
    mandrel_um: float = 3500.0
    can_um: float = 250.0
    clearance_um: float = 60.0
    anode_below_um: float = 200.0
    cathode_below_um: float = 700.0
    cathode_starts: float = 0.35
    cathode_ends: float = 0.25
    out_of_round_um: float = 150.0
    tab_turn: float = 0.55
    tab_width_um: float = 4000.0
    tab_um: float = 100.0
    tab_flank_um: float = 1200.0
    tab_bare_um: float = 5000.0
    tab_above_um: float = 1000.0

    def __post_init__(self) -> None:
        above = (
            "anode_um",
            "cathode_um",
            "copper_um",
            "aluminium_um",
            "separator_um",
            "mandrel_um",
            "can_um",
        )
        zero = [name for name in self.__dataclass_fields__ if name not in above]
        check_positive(self, above, or_zero=zero)
        if not (self.anode_below_um <= self.cathode_below_um and self.tab_turn <= 1):
            raise ValueError(
                f"Cannot use RollModel with anode_below_um {self.anode_below_um!r}, cathode_below_um "
                f"{self.cathode_below_um!r} and tab_turn {self.tab_turn!r}: an anode that ends no deeper "
                "than the cathode, and a share of the roll from 0 to 1, are needed."
            )
        if self.out_of_round_um > 0.1 * self.mandrel_um or self.tab_bare_um < self.tab_width_um:
            raise ValueError(
                f"Cannot use RollModel with out_of_round_um {self.out_of_round_um!r}, mandrel_um "
                f"{self.mandrel_um!r}, tab_width_um {self.tab_width_um!r} and tab_bare_um "
                f"{self.tab_bare_um!r}: a roll out of round by up to a tenth of its hole, and bare aluminium "
                "as wide as the tab or wider, are needed. Lengths are in µm."
            )

    @property
    def thickness_um(self) -> Array:
        """Thickness of each layer of one pitch, in the order of `ORDER`."""
        of = {
            ANODE: self.anode_um,
            CATHODE: self.cathode_um,
            COPPER: self.copper_um,
            ALUMINIUM: self.aluminium_um,
            SEPARATOR: self.separator_um,
        }
        return np.array([of[code] for code in ORDER])

    @property
    def pitch_um(self) -> float:
        """By how much the radius grows in a turn."""
        return float(self.thickness_um.sum())

    @property
    def bulge_um(self) -> float:
        """By how much the tab lifts the turns around it."""
        return max(self.tab_um - self.cathode_um, 0.0)

    def tops_um(self) -> Array:
        """Return the height of the upper end of each layer, by code; z counts downwards."""
        top = np.full(len(LAYERS), -np.inf)
        top[SEPARATOR] = 0.0
        top[[ANODE, COPPER]] = self.anode_below_um
        top[[CATHODE, ALUMINIUM]] = self.cathode_below_um
        top[TAB] = -self.tab_above_um
        return top


def check_room(model: RollModel, diameter_um: Any) -> float:
    """Refuse a can that holds less than two turns, or no can; return how many it holds."""
    if not (is_number(diameter_um) and 0 < diameter_um <= 1e6):
        raise ValueError(
            f"Cannot wind a cell of diameter_um {diameter_um!r}: a number above zero and up to 1e6 is "
            "needed. State it in µm: an 18650 cell has 18300."
        )
    inner = diameter_um / 2 - model.can_um - model.clearance_um - model.bulge_um
    # The last winding is a pitch thick, too.
    turns = float((inner - model.mandrel_um / 2 - model.out_of_round_um) / model.pitch_um) - 1.0
    if turns - model.cathode_starts - model.cathode_ends < 2:
        raise ValueError(
            f"Cannot wind a cell of diameter_um {diameter_um!r}: {max(turns, 0):.2f} turns of "
            f"{model.pitch_um:g} µm fit between the mandrel of {model.mandrel_um:g} µm and a can of "
            f"{model.can_um:g} µm, and two turns of cathode are the least. Give a wider cell, or thinner "
            "layers."
        )
    around = 2 * np.pi * (model.mandrel_um / 2 + model.pitch_um * turns * model.tab_turn)
    if max(model.tab_width_um + 2 * model.tab_flank_um, model.tab_bare_um) > 0.9 * around:
        raise ValueError(
            f"Cannot weld a tab with tab_width_um {model.tab_width_um:g}, tab_flank_um "
            f"{model.tab_flank_um:g} and tab_bare_um {model.tab_bare_um:g} at tab_turn {model.tab_turn:g}: "
            f"the turn there is {around:.4g} µm long. Give a narrower tab, or one farther out."
        )
    if not turns <= 1000:
        raise ValueError(
            f"Cannot wind a cell of diameter_um {diameter_um!r} with layers of {model.pitch_um:g} µm: "
            f"{turns:.3g} turns, and 1000 are the most. Lengths are in µm."
        )
    return turns
