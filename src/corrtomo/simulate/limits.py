"""What a view of a specimen, and an instrument that looks at it, may be."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

from ..checks import is_finite
from . import noise

Array = npt.NDArray[np.float64]
_MOST_VOXELS = 2e9
_FINEST_UM, FARTHEST_UM = 1e-12, 1e12
"""No lengths lie beyond, and products of them stay within a float."""
_MOST_EDGE = 1e18
"""Voxels along an edge that are counted as they are: more of them are as many too many."""
_NODE_BYTES = 4


def is_number(value: Any) -> bool:
    """Tell whether a value is a real number; booleans, text and what no float can hold are none."""
    real = isinstance(value, Real) and not isinstance(value, bool | np.bool_)
    return real and (is_finite(value) or value != value or abs(value) == np.inf)


def check_model(model: Any, kind: type, name: str) -> None:
    """Refuse settings that are not those of a model; None stands for the default."""
    if model is not None and not isinstance(model, kind):
        raise TypeError(
            f"Cannot simulate with {name} {model!r}: a {kind.__name__} is needed. Make one with "
            f"ct.simulate.{kind.__name__}(), or leave it out for the default."
        )


def check_progress(progress: Any) -> None:
    """Refuse what wraps no loop."""
    if not callable(progress):
        raise TypeError(
            f"Cannot show progress with {progress!r}: a callable that wraps a loop is needed, for instance "
            "tqdm.tqdm. Leave it out to show none."
        )


def check_look(
    look_um: float, step_um: float, planes: int, rows: float, columns: int, *, advice: str
) -> None:
    """Refuse to look through more planes behind a face than a machine holds; `planes` are held already.

    `advice` is what the caller can change, for the message.
    """
    voxels = (planes + look_um / step_um) * rows * columns
    if not voxels <= _MOST_VOXELS:
        raise ValueError(
            f"Cannot look {look_um:g} µm deep behind a face, in planes {step_um:g} µm apart: {voxels:.3g} "
            f"voxels, and {_MOST_VOXELS:.0e} at most fit into memory. {advice}"
        )


def check_nodes(low: Array, high: Array, node_um: npt.ArrayLike, blur_um: float) -> None:
    """Refuse a window whose random fields would need more nodes than a machine holds."""
    with np.errstate(over="ignore", invalid="ignore"):
        count = (high - low + 2.0 * noise.TRUNCATE * blur_um) / np.asarray(node_um) + 2.0
        nodes = float(np.prod(count))
    if not nodes * _NODE_BYTES <= _MOST_VOXELS:
        span = " × ".join(f"{edge:.3g}" for edge in high - low)
        raise ValueError(
            f"Cannot simulate a window of {span} µm (z, y, x) with fields blurred by {blur_um:g} µm: they "
            f"need {nodes:.3g} nodes, and {_MOST_VOXELS / _NODE_BYTES:.0e} at most fit into memory. Give "
            "thinner or fewer slices, smaller pixels, less drift, or a model with less blur. Lengths are in "
            "µm."
        )


def check_pose(pose: npt.ArrayLike | None) -> Array:
    """Refuse a matrix that does more than turn and shift; None is the identity."""
    if pose is None:
        return np.eye(4)
    given = as_array(pose)
    if given.shape != (4, 4) or given.dtype.kind not in "iuf" or not _only_turns(given.astype(float)):
        raise ValueError(
            f"Cannot use pose of shape {given.shape} and dtype {given.dtype}: a 4 × 4 matrix of finite "
            "numbers that turns and shifts (z, y, x, 1) in µm is needed, with the last row 0, 0, 0, 1. "
            "Scaling, shear and mirroring are not allowed. Build it with "
            "scipy.spatial.transform.Rotation."
        )
    return given.astype(float)


def _only_turns(matrix: Array) -> bool:
    """Tell whether a 4 × 4 matrix turns and shifts, and no more."""
    turn = matrix[:3, :3]
    return bool(
        (np.abs(matrix) <= FARTHEST_UM).all()
        and (np.abs(turn) <= 1 + 1e-6).all()  # else its squares may be beyond a float
        and np.allclose(turn @ turn.T, np.eye(3), atol=1e-6)
        and np.linalg.det(turn) > 0
        and np.allclose(matrix[3], (0, 0, 0, 1))
    )


def check_film(specimen: Any) -> None:
    """Refuse what is no coating on a collector."""
    if not getattr(specimen, "film", False):
        what = (
            f"a {type(specimen).__name__}" if not hasattr(specimen, "film") else "an electrode without faces"
        )
        raise TypeError(
            f"Cannot cut a cross-section of {what}: a coating is needed, whose particles end at its "
            "collector. Draw one with ct.simulate.electrode(..., film=True)."
        )


def check_calendered(specimen: Any) -> None:
    """Refuse what is no calendered cathode."""
    if not hasattr(specimen, "pressed"):
        raise TypeError(
            f"Cannot mill a {type(specimen).__name__}: a calendered cathode is needed. Draw one with "
            "ct.simulate.calendered()."
        )


def check_edge(value: Any, name: str) -> float:
    """Refuse the edge of a pixel, or the thickness of a slice, that is not above zero; return it."""
    number = as_array(value)
    if number.shape != () or number.dtype.kind not in "iuf" or not _FINEST_UM <= float(number) <= FARTHEST_UM:
        raise ValueError(
            f"Cannot image with {name} {value!r}: it must be above zero and finite, from {_FINEST_UM:g} to "
            f"{FARTHEST_UM:g} µm. State it in µm, for instance 0.025."
        )
    return float(number)


def check_window(shape: Any, pixel_um: Any) -> tuple[int, int]:
    """Refuse what is not two whole numbers of pixels with an edge above zero; return the numbers."""
    numbers = _listed(shape)
    if len(numbers) != 2:
        raise ValueError(
            f"Cannot image a section of shape {shape!r}: two whole numbers of pixels above zero are needed, "
            "along y, x. The paper's image has (3816, 4096)."
        )
    check_shape([1, *numbers])
    check_voxel_size(pixel_um)
    return int(numbers[0]), int(numbers[1])


def check_platinum(thickness_um: Any, coverage: Any) -> None:
    """Refuse a deposit without thickness, and walls that are covered more than faces."""
    for name, value, most in (("thickness_um", thickness_um, np.inf), ("coverage", coverage, 1.0)):
        if not (is_number(value) and 0.0 < value <= most and np.isfinite(value)):
            raise ValueError(
                f"Cannot deposit platinum with {name} {value!r}: a thickness above zero in µm and a coverage "
                "above 0 and up to 1 are needed. The paper deposits about 2 µm."
            )


def check_positive(model: Any, above_zero: Sequence[str], or_zero: Sequence[str] = ()) -> None:
    """Refuse settings of a model that are not finite numbers above zero, or from zero."""
    for name in (*above_zero, *or_zero):
        value: Any = getattr(model, name)
        if not (is_number(value) and 0 <= value < np.inf) or (value == 0 and name in above_zero):
            raise ValueError(
                f"Cannot use {type(model).__name__} with {name} {value!r}: a finite number "
                f"{'above zero' if name in above_zero else 'from 0'} is needed. Leave it out for the default."
            )


def check_width(width_um: float, section: Any, what: str) -> None:
    """Refuse a blur as wide as the section."""
    extent = section.pixel_um * max(section.phases.shape)
    if width_um > extent:
        raise ValueError(
            f"Cannot blur by {width_um:.3g} µm ({what}): the section is {extent:g} µm wide. Lengths are in "
            "µm, energies in keV."
        )


def check_turn(turn_deg: Any) -> None:
    """Refuse what is not an angle."""
    if not (is_number(turn_deg) and -180.0 <= turn_deg <= 180.0):
        raise ValueError(
            f"Cannot turn the maps by {turn_deg!r}: degrees from -180 to 180 are needed. Leave it out for 0."
        )


def check_seed(seed: Any) -> None:
    """Refuse a seed that is not a whole number from 0."""
    whole = isinstance(seed, int | np.integer) and not isinstance(seed, bool | np.bool_)
    if not (whole and seed >= 0):
        raise ValueError(
            f"Cannot simulate with seed {seed!r}: a whole number from 0 is needed. Leave it out for seed 0."
        )


def check_shape(shape: Any) -> None:
    """Refuse what is not three whole numbers of voxels, and more voxels than a machine holds."""
    numbers = _listed(shape)
    whole = all(isinstance(n, int | np.integer) and not isinstance(n, bool) and n > 0 for n in numbers)
    if len(numbers) != 3 or not whole:
        raise ValueError(
            f"Cannot simulate shape {shape!r}: three whole numbers of voxels above zero are needed, along "
            "z, y, x. The papers' volumes are (24, 55, 65) by X-ray and (500, 1027, 932) by FIB-SEM."
        )
    voxels = float(np.prod([min(_MOST_EDGE, int(n)) for n in numbers]))
    if voxels > _MOST_VOXELS:
        raise ValueError(
            f"Cannot simulate shape {tuple(numbers)!r}: {voxels:.3g} voxels, and {_MOST_VOXELS:.0e} at most "
            "fit into memory. Simulate it in windows, with shape= and origin= or slices=."
        )


def _listed(shape: Any) -> list[Any]:
    """Return the numbers of a shape; none for what is no row of them."""
    row = isinstance(shape, Sequence) or (isinstance(shape, np.ndarray) and shape.ndim == 1)
    return list(shape) if row and not isinstance(shape, str) else []


def check_voxel_size(voxel_size: Any) -> Array:
    """Refuse an edge that is not above zero; return it along z, y, x."""
    edge = three_numbers(voxel_size)
    if edge is None or not ((edge >= _FINEST_UM) & (edge <= FARTHEST_UM)).all():
        raise ValueError(
            f"Cannot raster with voxel size {voxel_size!r} µm: it must be above zero and finite on "
            f"every axis, from {_FINEST_UM:g} to {FARTHEST_UM:g}, one number or three. State the edge "
            "length of a voxel in µm, for instance 0.438."
        )
    return edge


def check_origin(origin: Any) -> Array:
    """Refuse what is not a place; return it along z, y, x."""
    start = three_numbers(origin)
    if start is None or not (np.abs(start) <= FARTHEST_UM).all():
        raise ValueError(
            f"Cannot place a window at origin {origin!r}: finite numbers in µm are needed, up to "
            f"{FARTHEST_UM:g}, one, or three for z, y, x. Give the centre of the first voxel in the frame "
            "of the specimen."
        )
    return start


def three_numbers(value: Any) -> Array | None:
    """Return one or three finite numbers as three, anything else as None."""
    given = as_array(value)
    if given.shape not in ((), (3,)) or given.dtype.kind not in "iuf" or not np.isfinite(given).all():
        return None
    return np.broadcast_to(given.astype(float), 3).copy()


def as_array(value: Any) -> npt.NDArray[Any]:
    """Return what is given as an array, rows of uneven length as objects."""
    try:
        return np.asarray(value)
    except ValueError:
        return np.array(None)
