"""What a specimen may be made of: its box, fractions and particles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from . import packing
from .limits import as_array, is_number, three_numbers

Array = npt.NDArray[np.float64]
_MOST_PARTICLES = 10_000_000


def check_size(size_um: float | Sequence[float], diameter_um: float) -> tuple[float, float, float]:
    """Refuse a box that is too small for its particles; return its edges along z, y, x."""
    if not (is_number(diameter_um) and 0.0 < diameter_um < np.inf):
        raise ValueError(
            f"Cannot draw particles of diameter_um {diameter_um!r}: it must be finite and above zero. State "
            "it in µm."
        )
    size = three_numbers(size_um)
    least = packing.SIZE_RANGE[1] * diameter_um
    if size is None or (size < least - 1e-9).any():
        raise ValueError(
            f"Cannot draw an electrode of size {size_um!r} µm: one number is needed, or three for z, y, x, "
            f"each at least the largest particle diameter, {least:g} µm. Give a larger box and crop with "
            "labels(origin=, shape=), or lower diameter_um."
        )
    z, y, x = size.tolist()
    return float(z), float(y), float(x)


def check_within(corners: Any, size_um: tuple[float, float, float]) -> tuple[Array, Array]:
    """Refuse what is no part of a box; return its low and high corner."""
    if corners is None:
        return np.zeros(3), np.array(size_um)
    given = as_array(corners)
    numbers = given.shape == (2, 3) and given.dtype.kind in "iuf"
    if not (
        numbers and (given[0] >= 0).all() and (given[0] < given[1]).all() and (given[1] <= size_um).all()
    ):
        raise ValueError(
            f"Cannot set fractions within_um {corners!r}: the low and the high corner of a part of the box "
            f"of {size_um} µm are needed, each z, y, x in µm. Leave it out for the whole box."
        )
    return given[0].astype(float), given[1].astype(float)


def check_fractions(am: float, cbd: float, porosity: float) -> None:
    """Refuse fractions outside 0 to 1, and those that leave no pores."""
    for name, value in (("am_fraction", am), ("cbd_fraction", cbd), ("cbd_porosity", porosity)):
        if not (is_number(value) and 0.0 < value < 1.0):
            raise ValueError(
                f"Cannot draw an electrode with {name} {value!r}: a share between 0 and 1 is needed, both "
                "excluded. Divide per cent by 100."
            )
    if am + cbd >= 1.0:
        raise ValueError(
            f"Cannot draw an electrode with am_fraction {am} and cbd_fraction {cbd}: together they must "
            "stay below 1, the rest is pores. cbd_fraction includes the nanopores of the domain: divide "
            "the solid share by 1 - cbd_porosity."
        )


def check_share(value: Any, name: str) -> None:
    """Refuse what is no share from 0 to 1."""
    if not (is_number(value) and 0.0 <= value <= 1.0):
        raise ValueError(
            f"Cannot draw a cathode with {name} {value!r}: a share from 0 to 1 is needed. Divide per cent by "
            "100."
        )


def check_porosity(porosity: Any) -> None:
    """Refuse a porosity of labelled binder that is no share below 1."""
    if not (is_number(porosity) and 0.0 <= porosity < 1.0):
        raise ValueError(
            f"Cannot give the carbon binder domain a cbd_porosity of {porosity!r}: a share from 0 up to but "
            "not including 1 is needed. Divide per cent by 100; 0 is a solid domain."
        )


def check_count(
    size_um: tuple[float, float, float], am_fraction: float, diameter_um: float, geometric_sd: float
) -> None:
    """Refuse a box that would need more particles than a machine draws and packs."""
    log_sd = float(np.log(geometric_sd))
    # A log-normal by number, cut at the range of sizes; its third moment is the same law by volume.
    cut = np.log(np.array(packing.SIZE_RANGE)) / log_sd
    by_volume, by_number = np.diff(ndtr(cut)), np.diff(ndtr(cut + 3.0 * log_sd))
    share = float((by_volume / by_number)[0])
    # In logarithms, for the cube of a length in the wrong unit may be beyond what a float holds.
    one = np.log(np.pi / 6.0 * share) + 3.0 * np.log(diameter_um) - 4.5 * log_sd**2
    count = np.log(am_fraction) + float(np.log(size_um).sum()) - one
    if not count <= np.log(_MOST_PARTICLES):
        grow = float(np.exp((count - np.log(_MOST_PARTICLES)) / 3.0))
        raise ValueError(
            f"Cannot draw an electrode of {size_um} µm with diameter_um {diameter_um:g}: about "
            f"10^{count / np.log(10.0):.1f} particles would fill it, and {_MOST_PARTICLES:.0e} at most are "
            f"drawn. Give a box with edges {grow:.3g} times shorter, or a diameter_um of at least "
            f"{diameter_um * grow:.3g}."
        )


def check_particles(geometric_sd: float, overlap: float, aspect: float) -> None:
    """Refuse a size distribution without width, particles that swallow each other, and needles."""
    if not (is_number(aspect) and 0.3 <= aspect <= 1.0):
        raise ValueError(
            f"Cannot draw particles with aspect {aspect!r}: a share from 0.3 to 1 is needed, shorter axes by "
            "the longest. 1 draws balls."
        )
    if not (is_number(geometric_sd) and 1.0 < geometric_sd <= 3.0):
        raise ValueError(
            f"Cannot draw particles with geometric_sd {geometric_sd!r}: a ratio above 1 and up to 3 is "
            "needed. A standard deviation of ln(diameter) s is a ratio of exp(s)."
        )
    if not (is_number(overlap) and 0.0 <= overlap < 1.0):
        raise ValueError(
            f"Cannot pack particles with overlap {overlap!r}: a share from 0 up to but not including 1 is "
            "needed. 0 lets particles touch only."
        )
