"""The contact explorer: scroll through electrodes, and see where binder has let go of particles."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import traitlets
import xarray as xr
from matplotlib.axes import Axes

from ...measure import contact_fraction, contact_profile
from ...phases import Phase, check_codes
from ...show import Figure
from ...show.contact import PLAIN, contact_legend, paint_panel
from ...show.figure import Source, describe
from ...show.layout import row
from ...show.style import CONTACT, INK, LOST, SERIES, house_style
from ...volume import voxel_size
from ..comparison import describe_phase
from ..explorer import HERE, STYLE, Explorer, bundle
from .checks import check_start, check_volumes, packed

OWN_STYLE = (HERE / "contact" / "contact.css").read_text(encoding="utf-8")
_LEGEND: dict[str, Any] = {"frameon": True, "framealpha": 0.85, "edgecolor": "none"}
_PROFILE = 2.35
"""Inches of the profiles below the pictures."""


class ContactExplorer(Explorer):
    """Planes of electrodes parallel to the collector, with contact and lost contact, over their profiles.

    Made by :func:`contact`. In a kernel, ``explorer.plane`` follows the cursor and moves it, and
    ``explorer.observe(f, "plane")`` calls ``f`` at each change; ``explorer.pba`` and ``explorer.summary``
    are the numbers shown.
    """

    module: ClassVar[str] = "contact"
    _esm = bundle("contact")
    _css = STYLE + OWN_STYLE

    labels = traitlets.Bytes().tag(sync=True)
    shape: traitlets.Tuple = traitlets.Tuple().tag(sync=True)
    axes: traitlets.Tuple = traitlets.Tuple().tag(sync=True)
    voxel_um: traitlets.Tuple = traitlets.Tuple().tag(sync=True)
    areas_um2: traitlets.Tuple = traitlets.Tuple().tag(sync=True)
    positions_um: traitlets.List[Any] = traitlets.List().tag(sync=True)
    names: traitlets.List[Any] = traitlets.List().tag(sync=True)
    series: traitlets.List[Any] = traitlets.List().tag(sync=True)
    phases: traitlets.List[Any] = traitlets.List().tag(sync=True)
    colours: traitlets.Dict[Any, Any] = traitlets.Dict().tag(sync=True)
    of = traitlets.Int().tag(sync=True)
    touching = traitlets.Int().tag(sync=True)
    caption = traitlets.Unicode().tag(sync=True)
    start: traitlets.Dict[Any, Any] = traitlets.Dict().tag(sync=True)

    plane = traitlets.Int().tag(sync=True)
    borders = traitlets.Bool(True).tag(sync=True)
    fills = traitlets.Bool(True).tag(sync=True)
    neighbours = traitlets.Bool(False).tag(sync=True)

    volumes: traitlets.Dict[str, xr.DataArray] = traitlets.Dict()

    @traitlets.validate("plane")
    def _valid_plane(self, proposal: Any) -> int:
        number, count = proposal["value"], len(self.positions_um)
        if not 0 <= number < count:
            raise ValueError(
                f"Cannot show plane {number!r} of the explorer: it holds {count}, numbered from 0 to "
                f"{count - 1}. Its attribute positions_um says where they are."
            )
        return int(number)

    @cached_property
    def profiles(self) -> dict[str, xr.DataArray]:
        """PBA of every plane of each volume, along the depth."""
        return {
            name: contact_profile(image, depth=self.axes[0], of=self.of, touching=self.touching)
            for name, image in self.volumes.items()
        }

    @property
    def pba(self) -> pd.Series:
        """PBA of the plane that is shown, for each volume; NaN where it has no face."""
        return pd.Series([float(p[self.plane]) for p in self.profiles.values()], self.names, name="pba")

    @property
    def summary(self) -> pd.DataFrame:
        """PBA of the plane, of the whole volume, and its difference to the first in percent; one row each."""
        mean = np.array([self._mean(image) for image in self.volumes.values()])
        change = [100 * (share / mean[0] - 1) if mean[0] else np.nan for share in mean]
        table = {"pba_plane": self.pba, "pba": mean, "difference_percent": change}
        return pd.DataFrame(table).rename_axis("volume")

    def picture(self) -> Figure:
        """Draw the explorer as it stands: the plane of each volume, and the profiles with the cursor."""
        cuts = {name: image.isel({self.axes[0]: self.plane}) for name, image in self.volumes.items()}
        with house_style():
            drawing = row(
                {name: paint_panel(cut, self.of, self.touching, len(cuts)) for name, cut in cuts.items()},
                list(cuts.values()),
                contact_legend(list(cuts.values())),
                below=_PROFILE,
            )
            height = drawing.get_figheight()
            legend = 0.26 * (1 if len(drawing.legends[0].get_texts()) <= 4 else 2)
            box = (0.12, (legend + 0.6) / height, 0.86, (_PROFILE - 0.75) / height)
            self._draw_profiles(drawing.add_axes(box))
        return Figure(drawing, self._say(), self.caption)

    def __repr__(self) -> str:
        values = ", ".join(f"{name} {value:.4f}" for name, value in self.summary["pba"].items())
        return f"ContactExplorer(plane={self.plane}, {values})"

    def _mean(self, image: xr.DataArray) -> float:
        return contact_fraction(image, of=self.of, touching=self.touching, axes=self.axes[1:])

    def _draw_profiles(self, axes: Axes) -> None:
        at = np.asarray(self.positions_um)
        whole = self.summary["pba"]
        for (name, profile), colour in zip(self.profiles.items(), self.series, strict=True):
            axes.plot(at, profile.values, color=colour, linewidth=1.6, label=f"{name} {whole[name]:.3f}")
            axes.axhline(whole[name], color=colour, linewidth=1.0, linestyle=(0, (4, 3)))
        axes.axvline(at[self.plane], color=INK, linewidth=1.4)
        axes.set(xlabel=f"depth {self.axes[0]} (µm)", ylabel="PBA", ylim=(0, None))
        axes.margins(x=0)
        axes.legend(
            loc="lower right",
            ncols=len(self.names) if len(self.names) < 4 else 2,
            handlelength=1.2,
            columnspacing=1.0,
            **_LEGEND,
        )

    def _say(self) -> str:
        place = f"{self.axes[0]} {self.positions_um[self.plane]:.2f} µm"
        what = f"{Phase(self.of).label} touches {Phase(self.touching).label}"
        numbers = "; ".join(
            f"{name}: {_number(r.pba_plane)} on this plane, {r.pba:.4f} in the whole volume"
            for name, r in self.summary.iterrows()
        )
        return (
            f"The plane at {place} of {', '.join(self.names)}, with the border where {what} in one colour "
            f"and where contact is lost in another, over the share in contact of every plane. {numbers}."
        )

    def _html(self) -> str:
        return f"<style>{OWN_STYLE}</style>{super()._html()}"


def contact(
    volumes: Mapping[str, xr.DataArray],
    *,
    caption: str,
    source: Source,
    depth: str = "y",
    of: int = Phase.AM,
    touching: int = Phase.CBD,
    at_um: float | None = None,
    notice: str | None = None,
) -> ContactExplorer:
    """Explore where binder touches active material in one to four volumes, plane by plane.

    The cycling paper gives the share of the surface of active material that is adjacent to binder at each
    depth (its Figs. 4b and 7b). A number says how much contact is lost; the planes say where.

    Parameters
    ----------
    volumes : mapping of str to xarray.DataArray
        Names and codes of :class:`corrtomo.Phase`, 3D, of one shape and voxel size. The first is the one
        that others are held against.
    caption : str
        What it shows; source and voxel size are added.
    source : {"measured", "digital twin", "schematic"}
        What kind of data it is.
    depth : str
        The axis across the electrode; planes across it are shown.
    of, touching : Phase
        Whose border is counted, and what it may touch.
    at_um : float, optional
        Where the cursor starts along the depth, in µm; in the middle by default.
    notice : str, optional
        The one thing to notice.

    Returns
    -------
    ContactExplorer
        Shows itself in Jupyter and on the static website; ``plane``, ``pba``, ``profiles`` and ``summary``
        hold its present state.

    Raises
    ------
    TypeError
        If it is no mapping, or labels are not integer codes of phases.
    ValueError
        If there is no volume or more than four, they differ in shape, voxel size or depth, `depth` is not
        one of their axes, a phase is absent, or they are too large for a page.

    Notes
    -----
    The page counts by the definition of :func:`corrtomo.measure.contact_profile`: faces within the plane, by
    area; no face at the border of the image or towards what is left out (255). It holds all labels: crop or
    coarsen them to some 256 × 128 × 100 voxels. Borders are drawn thicker than they are.
    """
    dim = check_volumes(volumes, depth, of, touching)
    first = next(iter(volumes.values()))
    rest = [str(d) for d in first.dims if d != dim]
    kept = {str(name): image.compute().astype(np.uint8) for name, image in volumes.items()}
    codes = sorted({phase for image in kept.values() for phase in check_codes(image)})
    sizes = dict(zip(map(str, first.dims), voxel_size(first), strict=True))
    labels = packed([image.transpose(dim, *rest).values for image in kept.values()])
    start = {"plane": check_start(at_um, first, dim), "borders": True, "fills": True}
    start |= {"neighbours": False}
    return ContactExplorer(
        labels=labels,
        shape=(len(kept), *(first.sizes[d] for d in (dim, *rest))),
        axes=(dim, *rest),
        voxel_um=tuple(sizes[d] for d in (dim, *rest)),
        areas_um2=(sizes[dim] * sizes[rest[1]], sizes[dim] * sizes[rest[0]]),
        positions_um=[float(at) for at in first[dim].values],
        names=list(kept),
        series=list(SERIES[: len(kept)]),
        phases=[{"code": int(p), **describe_phase(p, p.colour)} for p in codes],
        colours={"contact": CONTACT, "lost": LOST, "plain": PLAIN},
        of=int(of),
        touching=int(touching),
        caption=describe(caption, [first], source=source, notice=notice),
        start=start,
        volumes=kept,
        **start,
    )


def _number(share: float) -> str:
    return "no face" if np.isnan(share) else f"{share:.4f}"
