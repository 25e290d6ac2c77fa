"""An operator who paints labels for a segmenter: strokes of a brush, inside what they are sure of."""

from __future__ import annotations

from typing import Any

import edt
import numpy as np
import numpy.typing as npt
import xarray as xr

from ..phases import Phase, check_integer
from ..volume import check_image, voxel_size
from .limits import check_seed

_MOST_STROKES = 10_000


def scribbles(
    truth: xr.DataArray,
    strokes: int = 4,
    *,
    length_um: float = 1.5,
    width_um: float = 0.1,
    margin_um: float = 0.0,
    mistakes: float = 0.0,
    seed: int = 0,
) -> xr.DataArray:
    """Paint strokes of each class of a known image, as an operator would: a digital twin of their labels.

    Learning curves and the scatter between operators (J. Electrochem. Soc. 169, 070512, "Segmentation": the
    classifier is trained on labels that a user draws) need many sets of labels; people draw few.

    Parameters
    ----------
    truth : xarray.DataArray
        Classes, dims y, x; 255 is left out.
    strokes : int
        Strokes of each class.
    length_um, width_um : float
        Length of a stroke, and the width of the brush.
    margin_um : float
        How far the operator keeps the brush's edge from the border of a class, where the class has room.
    mistakes : float
        Share of strokes that get the code of another class.
    seed : int
        Which operator.

    Returns
    -------
    xarray.DataArray
        ``uint8`` on the grid of `truth`: codes of classes where painted, 255 elsewhere.

    Raises
    ------
    ValueError
        If a length is not above zero, a count or a share is out of range, or a class has no pixel.
    TypeError
        If `truth` is no label image.

    Notes
    -----
    A stroke is a walk that turns gently and ends where it would leave its class; it is as long as the class
    lets it be. A class thinner than the brush is painted along its middle, as far as it goes. Strokes of
    different classes never paint one pixel.

    Examples
    --------
    >>> import corrtomo as ct
    >>> truth = ct.volume([[0] * 20] * 10 + [[1] * 20] * 10, 0.1)
    >>> painted = ct.simulate.scribbles(truth, 1, length_um=0.8, width_um=0.2)
    >>> sorted({int(code) for code in painted.values.ravel()})
    [0, 1, 255]
    """
    check_image(truth, ndim=(2,))
    check_integer(truth, doing="paint scribbles")
    check_seed(seed)
    _check_brush(strokes, length_um, width_um, margin_um, mistakes)
    codes = [int(c) for c in np.unique(truth.data) if c != Phase.LEFT_OUT]
    if codes and not 0 <= min(codes) <= max(codes) < Phase.LEFT_OUT:
        raise ValueError(
            f"Cannot paint scribbles of the codes {codes}: 0 to 254 are allowed, and 255 is left out. Number "
            "the classes from 0."
        )
    if len(codes) < 2:
        raise ValueError(
            f"Cannot paint scribbles of the classes {codes}: two or more are needed. Choose a larger crop."
        )
    extent = float(max(n * v for n, v in zip(truth.shape, voxel_size(truth), strict=True)))
    if width_um > extent or strokes > _MOST_STROKES:
        raise ValueError(
            f"Cannot paint {strokes} strokes {width_um:g} µm wide: {_MOST_STROKES} at most, and no wider "
            f"than the image, {extent:g} µm. Lengths are in µm."
        )
    rng = np.random.default_rng(np.random.SeedSequence([seed, 9]))
    values = np.asarray(truth.data)
    pixel = np.array(voxel_size(truth))
    out = np.full(values.shape, Phase.LEFT_OUT, np.uint8)
    for code in codes:
        inside = values == code
        room = edt.edt(np.pad(inside, 1), anisotropy=tuple(pixel))[1:-1, 1:-1]
        for _ in range(strokes):
            label = code
            if rng.uniform() < mistakes:
                label = int(rng.choice([c for c in codes if c != code]))
            path = _walk(room, pixel, length_um, width_um / 2 + margin_um, rng)
            _brush(out, path, inside, pixel, width_um / 2, label)
    result = truth.copy(data=out).rename("scribbles")
    result.attrs = {"phases": {}}
    return result


def _walk(
    room: npt.NDArray[np.float32],
    pixel: npt.NDArray[np.float64],
    length_um: float,
    keep_um: float,
    rng: np.random.Generator,
) -> npt.NDArray[np.float64]:
    """Return the places (y, x in pixels) of a stroke that keeps its distance from the border."""
    keep = min(keep_um, 0.7 * float(room.max()))
    start = np.flatnonzero(room >= keep)
    place = np.array(np.unravel_index(int(rng.choice(start)), room.shape), float)
    step = float(pixel.min())
    heading = rng.uniform(0.0, 2.0 * np.pi)
    path = [place]
    for _ in range(min(room.size, int(length_um / step))):
        for _ in range(8):
            heading += rng.normal(0.0, 0.15)
            ahead = path[-1] + np.array([np.sin(heading), np.cos(heading)]) * step / pixel
            j, i = (round(float(v)) for v in ahead)
            if 0 <= j < room.shape[0] and 0 <= i < room.shape[1] and room[j, i] >= keep:
                path.append(ahead)
                break
            heading += rng.uniform(-1.0, 1.0)
        else:
            break
    return np.array(path)


def _brush(
    out: npt.NDArray[np.uint8],
    path: npt.NDArray[np.float64],
    inside: npt.NDArray[np.bool_],
    pixel: npt.NDArray[np.float64],
    radius_um: float,
    code: int,
) -> None:
    """Paint a round brush along a path, no further than the class goes."""
    reach = np.ceil(radius_um / pixel).astype(int)
    offsets = np.mgrid[-reach[0] : reach[0] + 1, -reach[1] : reach[1] + 1].reshape(2, -1)
    far = np.hypot(offsets[0] * pixel[0], offsets[1] * pixel[1])
    offsets = offsets[:, far <= max(radius_um, 1e-9)]
    places = (np.rint(path).astype(int)[:, :, None] + offsets[None]).transpose(1, 0, 2).reshape(2, -1)
    kept = ((places >= 0) & (places < np.array(out.shape)[:, None])).all(axis=0)
    j, i = places[:, kept]
    of = inside[j, i]
    out[j[of], i[of]] = code


def _check_brush(strokes: Any, length_um: Any, width_um: Any, margin_um: Any, mistakes: Any) -> None:
    whole = isinstance(strokes, int | np.integer) and not isinstance(strokes, bool | np.bool_)
    if not (whole and strokes > 0):
        raise ValueError(
            f"Cannot paint {strokes!r} strokes of each class: a whole number above zero is needed."
        )
    lengths = {"length_um": length_um, "width_um": width_um}
    for name, value in (lengths | {"margin_um": margin_um, "mistakes": mistakes}).items():
        least = np.nextafter(0.0, 1.0) if name in lengths else 0.0
        most = np.nextafter(1.0, 0.0) if name == "mistakes" else np.finfo(float).max
        if isinstance(value, bool | np.bool_ | str) or not least <= value <= most:
            raise ValueError(
                f"Cannot paint scribbles with {name} {value!r}: lengths above zero in µm, a margin of 0 or "
                "more and a share of mistakes from 0 to below 1 are needed."
            )
