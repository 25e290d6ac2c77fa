"""The explorer of the AHE-based segmentation: every step of it, at every combination that was tried."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import traitlets
import xarray as xr

from ...checks import check_spatial
from ...measure import landis_koch
from ...phases import Phase
from ...show import Figure
from ...show.figure import Source, describe
from ...show.layout import row
from ...show.panels import mix
from ...show.style import house_style, rgb
from ...volume import volume, voxel_size
from ..comparison import Comparison, comparison_state, describe_phase
from ..explorer import STYLE, Explorer, bundle, excerpt, pack, unpack
from .sweep import Steps, check_steps, kappas, pack_masks, sweep, unpack_masks
from .thresholded import check_grey, default_phases, joint_table

PICTURE_BYTES = 1_200_000
"""Most bytes of slices and masks that go into a page, before they are packed to about a third."""
PANELS = {
    "image": ("X-ray", "X-ray image"),
    "am": ("active material", "active material, by threshold"),
    "equalised": ("equalised", "image after adaptive equalisation"),
    "cbd_thresholded": ("binder", "binder, by threshold on the equalised image"),
    "cbd": ("opened, closed", "binder after opening and closing"),
    "segmentation": ("segmentation", "segmentation into three phases"),
    "truth": ("truth", "true phases"),
    "agreement": ("agreement", "agreement of the segmentation with the truth"),
}
"""What is shown, in order: steps a to f, truth and agreement; short names and whole ones."""
_STEPS = ("window_um", "cbd_threshold", "diameter_um")
_OVER = 5  # pixels are painted with: nothing, a phase, left out, or agreement


class EqualisedExplorer(Comparison, Explorer):
    """The AHE-based segmentation at any combination of a sweep, step by step, beside the truth.

    Made by :func:`equalised`. In a kernel, ``explorer.window_um``, ``explorer.cbd_threshold`` and
    ``explorer.diameter_um`` follow the sliders and move them; ``explorer.best`` is the combination with the
    highest kappa, ``explorer.kappas`` holds all of them.
    """

    module: ClassVar[str] = "equalised"
    _esm = bundle("equalised")
    _css = STYLE

    image = traitlets.Bytes().tag(sync=True)
    truth = traitlets.Bytes().tag(sync=True)
    am = traitlets.Bytes().tag(sync=True)
    equalised = traitlets.Bytes().tag(sync=True)
    thresholded = traitlets.Bytes().tag(sync=True)
    cbd = traitlets.Bytes().tag(sync=True)
    am_threshold = traitlets.Float().tag(sync=True)
    windows_um: traitlets.List[Any] = traitlets.List().tag(sync=True)
    thresholds: traitlets.List[Any] = traitlets.List().tag(sync=True)
    diameters_um: traitlets.List[Any] = traitlets.List().tag(sync=True)
    counts: traitlets.List[Any] = traitlets.List().tag(sync=True)
    best: traitlets.Dict[Any, Any] = traitlets.Dict().tag(sync=True)
    panels: traitlets.Dict[Any, Any] = traitlets.Dict().tag(sync=True)

    window_um = traitlets.Float().tag(sync=True)
    cbd_threshold = traitlets.Int().tag(sync=True)
    diameter_um = traitlets.Float().tag(sync=True)
    view = traitlets.Enum(list(PANELS), "segmentation").tag(sync=True)

    @traitlets.validate(*_STEPS)
    def _valid(self, proposal: Any) -> Any:
        name, value = proposal["trait"].name, proposal["value"]
        allowed = self._allowed(name)
        near = [known for known in allowed if np.isclose(known, value, rtol=1e-6, atol=0.0)]
        if not near:
            raise ValueError(
                f"Cannot show the segmentation at {name} {value!r}: the sweep holds {allowed}. Take one of "
                "them, or make another explorer with it."
            )
        return near[0]

    @property
    def kappas(self) -> xr.DataArray:
        """Cohen's kappa of each combination, whole volume; dims window_um, cbd_threshold, diameter_um."""
        coords = {name: self._allowed(name) for name in _STEPS}
        return xr.DataArray(kappas(np.asarray(self.counts)), dims=_STEPS, coords=coords, name="kappa")

    def picture(self) -> Figure:
        """Draw the explorer as it stands: every step of one slice, the truth, and where both agree."""
        flat = volume(np.zeros(self.shape[1:], np.uint8), self.voxel_um[1:])
        titles = [short for short, _ in PANELS.values()]
        titles[-1] += f", κ {self.kappa:.2f}"
        with house_style():
            painted = dict(zip(titles, map(self._paint, PANELS), strict=True))
            drawing = row(painted, [flat] * len(painted), [])
        alt = (
            "The steps of the AHE-based segmentation of a slice, the truth and where both agree, "
            f"{self._where()}. {self._say_numbers()}"
        )
        return Figure(drawing, alt, self.caption)

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={getattr(self, name):g}" for name in _STEPS)
        return f"EqualisedExplorer({values}, kappa={self.kappa:.4f}, {landis_koch(self.kappa)})"

    def _allowed(self, name: str) -> list[Any]:
        return list({"cbd_threshold": self.thresholds}.get(name) or getattr(self, f"{name[:-3]}s_um"))

    def _at(self) -> tuple[int, int, int]:
        i, j, k = (self._allowed(name).index(getattr(self, name)) for name in _STEPS)
        return i, j, k

    def _counts(self) -> np.ndarray:
        counts: np.ndarray = np.asarray(self.counts)[self._at()]
        return counts

    def _where(self) -> str:
        return (
            f"with a window of {self.window_um:g} µm, a threshold of {self.cbd_threshold} on the equalised "
            f"image, and a ball of {self.diameter_um:g} µm"
        )

    def _paint(self, view: str) -> np.ndarray:
        """Return one panel as RGB bytes."""
        grey = unpack(self.image).reshape(self.shape)[self.slice]
        if view == "equalised":
            window = self._at()[0]
            grey = unpack(self.equalised).reshape(-1, *self.shape)[window, self.slice]
        colours = ["#000000", *(p["colour"] for p in self.phases), self.colours["left_out"]]
        colours += [self.colours[name] for name in ("hit", "too_dark", "too_bright")]
        over = self._over(view)
        base = np.repeat(grey[..., None], 3, axis=-1)
        painted = mix(base, np.array([rgb(c) for c in colours], np.uint8)[over], self.opacity)
        return np.where((over == 0)[..., None], base, painted)

    def _over(self, view: str) -> np.ndarray:
        """Return what is painted over each pixel: 0 nothing, 1 to 3 a phase, 4 left out, 5 to 7 agreement."""
        window, threshold, diameter = self._at()
        truth = unpack(self.truth).reshape(self.shape)[self.slice].astype(int)
        am = unpack_masks(self.am, (1, *self.shape))[0, self.slice]
        many = len(self.windows_um), len(self.diameters_um)
        before = unpack_masks(self.thresholded, (len(self.thresholds), many[0], *self.shape))
        after = unpack_masks(self.cbd, (len(self.thresholds), *many, *self.shape))
        cbd = after[threshold, window, diameter, self.slice]
        found = np.where(am, 2, cbd.astype(int))
        masks = {
            "am": 3 * am,
            "cbd_thresholded": 2 * before[threshold, window, self.slice],
            "cbd": 2 * cbd,
            "truth": 1 + truth,
            "segmentation": np.where(truth > 2, 4, 1 + found),
            "agreement": np.where(truth > 2, 4, _OVER + (found < truth) + 2 * (found > truth)),
        }
        return np.asarray(masks.get(view, np.zeros_like(truth)), int)


def equalised(
    image: xr.DataArray,
    truth: xr.DataArray,
    *,
    am_threshold: float,
    windows_um: Sequence[float],
    caption: str,
    source: Source,
    thresholds: Sequence[int] = tuple(range(60, 180, 10)),
    diameters_um: Sequence[float] | None = None,
    start: Sequence[float] | None = None,
    notice: str | None = None,
    ignore: int | None = 255,
) -> EqualisedExplorer:
    """Explore the AHE-based segmentation at every combination of window, threshold and ball, step by step.

    The X-ray and FIB-SEM paper shows the steps at one combination (Sci. Rep. 6, 30109, Figure 4); which
    window, threshold and ball to take, and how much hangs on each, shows when they are moved.

    Parameters
    ----------
    image : xarray.DataArray
        8-bit grey values, 2D or 3D.
    truth : xarray.DataArray
        On the same grid: codes 0 (pore), 1 (carbon binder domain) and 2 (active material).
    am_threshold : float
        Grey values above it are active material.
    windows_um : sequence of float
        Windows of the equalisation in µm, ascending; the distance from grain to grain should be among them.
    caption : str
        What it shows; source and voxel size are added.
    source : {"measured", "digital twin", "schematic"}
        What kind of data it is.
    thresholds : sequence of int
        Thresholds of the binder on the equalised image, ascending, from 0 to 254.
    diameters_um : sequence of float, optional
        Diameters in µm of the ball that opens and closes, ascending; 1 to 4 voxels by default.
    start : sequence, optional
        Window, threshold and diameter at the start; the combination with the highest kappa by default.
    notice : str, optional
        The one thing to notice.
    ignore : int, optional
        Code in `truth` that is left out.

    Returns
    -------
    EqualisedExplorer
        Shows itself in Jupyter and on the static website; ``window_um``, ``cbd_threshold``, ``diameter_um``,
        ``kappa``, ``confusion`` and ``fractions`` hold its present state.

    Raises
    ------
    TypeError
        If `image` or `truth` is a plain array, or the grey values are not 8-bit.
    ValueError
        If grids differ, a list is empty or does not ascend, a value does not fit the volume, or there are
        more than 2000 combinations.

    Notes
    -----
    The whole volume is segmented at each combination; the numbers are those of the whole volume, the picture
    holds some of its slices, or the middle of one, and says so. The best combination is chosen with the truth
    in sight: on another volume it does worse.
    """
    check_grey(image)
    check_spatial(image, doing="explore the AHE-based segmentation")
    joint_table(image, truth, len(default_phases()), ignore)  # refuses what cannot be compared
    if diameters_um is None:
        diameters_um = [n * max(voxel_size(image)) for n in range(1, 5)]
    steps = check_steps(windows_um, thresholds, diameters_um, am_threshold)
    image, truth = image.compute(), truth.compute()
    codes = truth.copy(data=np.where(truth.data == ignore, 3, truth.data).astype(np.uint8))
    (grey, true), picked, note = excerpt([image, codes], most_bytes=2 * _share(steps))
    kept = sweep(image, codes, am_threshold, steps, keep=lambda a: _keep(a, steps))
    tried = kappas(kept.counts)
    best = _named(steps, np.unravel_index(int(tried.argmax()), tried.shape))
    chosen = best if start is None else _check_start(start, steps)
    state = {**chosen, "slice": len(picked) // 2, "view": "segmentation", "opacity": 0.5}
    return EqualisedExplorer(
        **comparison_state(image, picked),
        image=pack(grey),
        truth=pack(true),
        shape=grey.shape,
        am=pack_masks(kept.am[None]),
        equalised=pack(kept.equalised),
        thresholded=pack_masks(np.moveaxis(kept.thresholded, 1, 0)),
        cbd=pack_masks(np.moveaxis(kept.cbd, 1, 0)),
        am_threshold=float(am_threshold),
        windows_um=steps[0],
        thresholds=steps[1],
        diameters_um=steps[2],
        counts=kept.counts.tolist(),
        best=best,
        panels={name: list(words) for name, words in PANELS.items()},
        phases=[describe_phase(phase, phase.colour) for phase in default_phases()],
        has_left_out=bool((true > Phase.AM).any()),
        caption=describe(caption, [image], source=source, notice=notice),
        note=note,
        start=state,
        **state,
    )


def _share(steps: Steps) -> int:
    """Return how many pixels a page has room for, with all that belongs to each of them."""
    windows, thresholds, diameters = (len(values) for values in steps)
    return int(PICTURE_BYTES / (2 + windows + windows * thresholds * (1 + diameters) / 8))


def _keep(image: xr.DataArray, steps: Steps) -> np.ndarray:
    return excerpt([image], most_bytes=_share(steps))[0][0]


def _named(steps: Steps, at: Sequence[Any]) -> dict[str, Any]:
    return {name: values[int(i)] for name, values, i in zip(_STEPS, steps, at, strict=True)}


def _check_start(start: Any, steps: Steps) -> dict[str, Any]:
    """Refuse a start that the sweep does not hold."""
    known = (
        isinstance(start, Sequence)
        and len(start) == len(steps)
        and all(value in values for value, values in zip(start, steps, strict=True))
    )
    if not known:
        raise ValueError(
            f"Cannot start the explorer at {start!r}: a window, a threshold and a diameter of the sweep are "
            f"needed, out of {steps[0]}, {steps[1]} and {steps[2]}. Leave start out for the best combination."
        )
    return _named(steps, [values.index(value) for value, values in zip(start, steps, strict=True)])
