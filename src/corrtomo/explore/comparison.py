"""What explorers share that hold a segmentation against the truth: kappa, confusion counts and fractions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import traitlets
import xarray as xr

from ..measure import kappa_from_confusion, landis_koch
from ..phases import Phase
from ..show.style import HIT, TOO_BRIGHT, TOO_DARK
from ..volume import voxel_size


class Comparison(traitlets.HasTraits):
    """The slices that are shown, the phases, and the numbers of the whole volume; mixed into an explorer."""

    shape: traitlets.Tuple = traitlets.Tuple().tag(sync=True)
    voxel_um: traitlets.Tuple = traitlets.Tuple().tag(sync=True)
    slices: traitlets.List[Any] = traitlets.List().tag(sync=True)
    positions_um: traitlets.List[Any] = traitlets.List().tag(sync=True)
    phases: traitlets.List[Any] = traitlets.List().tag(sync=True)
    colours: traitlets.Dict[Any, Any] = traitlets.Dict().tag(sync=True)
    words: traitlets.List[Any] = traitlets.List().tag(sync=True)
    has_left_out = traitlets.Bool().tag(sync=True)
    caption = traitlets.Unicode().tag(sync=True)
    note = traitlets.Unicode().tag(sync=True)
    start: traitlets.Dict[Any, Any] = traitlets.Dict().tag(sync=True)

    slice = traitlets.Int().tag(sync=True)
    opacity = traitlets.Float(0.5, min=0.0, max=1.0).tag(sync=True)

    @traitlets.validate("slice")
    def _valid_slice(self, proposal: Any) -> int:
        number, kept = proposal["value"], len(self.slices)
        if not 0 <= number < kept:
            raise ValueError(
                f"Cannot show slice {number!r} of the explorer: it holds {kept}, numbered from 0 to "
                f"{kept - 1}. Its attributes slices and positions_um say which of the volume they are."
            )
        return int(number)

    @property
    def confusion(self) -> pd.DataFrame:
        """Voxels of each true phase (rows) in each segmented class (columns), whole volume."""
        names = [phase["name"] for phase in self.phases]
        return pd.DataFrame(
            self._counts(),
            index=pd.Index(names, name="truth"),
            columns=pd.Index(names, name="segmented"),
        )

    @property
    def kappa(self) -> float:
        """Cohen's kappa of the segmentation and the truth, whole volume."""
        return kappa_from_confusion(self._counts())

    @property
    def fractions(self) -> pd.DataFrame:
        """Share of each phase in the truth and in the segmentation, in percent of the voxels compared."""
        counts = self.confusion
        n = counts.to_numpy().sum()
        shares = {"truth_percent": counts.sum(axis=1), "segmented_percent": counts.sum(axis=0)}
        return pd.DataFrame({name: 100 * column / n for name, column in shares.items()}).rename_axis("phase")

    def _counts(self) -> np.ndarray:
        """Return the voxels of each true phase (rows) in each class (columns)."""
        raise NotImplementedError

    def _say_numbers(self) -> str:
        """Say kappa and the fractions, for those who do not see them."""
        shares = ", ".join(
            f"{name} {row.segmented_percent:.2f} % (truth {row.truth_percent:.2f} %)"
            for name, row in self.fractions.iterrows()
        )
        return f"Cohen's kappa is {self.kappa:.4f}, {landis_koch(self.kappa)}. Fractions: {shares}."


def comparison_state(image: xr.DataArray, picked: list[int]) -> dict[str, Any]:
    """Return what a page needs to lay out slices of an image, and to name and colour agreement."""
    depth = str(image.dims[0]) if image.ndim == 3 else None
    sizes = voxel_size(image)
    return {
        "voxel_um": sizes if depth else (1.0, *sizes),
        "slices": picked,
        "positions_um": [float(image[depth][i]) for i in picked] if depth else [0.0],
        "colours": {
            "hit": HIT,
            "too_dark": TOO_DARK,
            "too_bright": TOO_BRIGHT,
            "left_out": Phase.LEFT_OUT.colour,
        },
        "words": _words(),
    }


def describe_phase(phase: Phase | str, colour: str) -> dict[str, str]:
    """Return name, short name and colour of a class; a phase has its own colour."""
    if not isinstance(phase, Phase):
        return {"name": phase, "short": phase, "colour": colour}
    short = phase.label if len(phase.label) <= 8 else phase.name
    return {"name": phase.label, "short": short, "colour": phase.colour}


def _words() -> list[list[Any]]:
    """Return the Landis-Koch words, each with the highest kappa it is said of, for the page."""
    bounds = [float(np.nextafter(0, -1)), 0.2, 0.4, 0.6, 0.8]
    return [*([bound, landis_koch(bound)] for bound in bounds), [None, landis_koch(1.0)]]
