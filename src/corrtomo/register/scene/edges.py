"""One alignment in a scene: checked, and as a step of a chain in either direction."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

from ...checks import is_finite
from ..alignment import Alignment
from ..frames import Floats, inverse, move, turn_deg
from ..section_alignment import SectionAlignment
from .grid import FARTHEST_UM, Grid, common_points

_MOST_CONDITION = 1e6
_MOST_SCALE = 100.0
"""Both frames are in µm: nm taken for µm are a thousand times off."""
_RIGID, _SIMILAR = 1e-6, 1e-6


@dataclass(frozen=True, eq=False)
class Step:
    """A step of a chain: 4 × 4 matrix from `source` to `target`, and its error in µm of the target.

    The error is that at `reach_um` from `middle`, the farthest corner of the overlap, in the target's frame.
    """

    source: str
    target: str
    matrix: Floats
    error_um: float
    middle: Floats
    reach_um: float

    @property
    def scale(self) -> float:
        """Length in the target over length in the source."""
        return scale_of(self.matrix)

    def reversed(self) -> Step:
        """Return the way back."""
        back, scale = inverse(self.matrix), self.scale
        middle = move(back, self.middle)
        return Step(self.target, self.source, back, self.error_um / scale, middle, self.reach_um / scale)

    def error_at(self, points: Floats) -> float:
        """Return the error at the farthest of some points of the target's frame, in µm.

        Inside the overlap it is what was stated. Beyond it, a turn that is a bit wrong carries a point off in
        proportion to its distance: the error grows so.
        """
        far = float(np.linalg.norm(points - self.middle, axis=1).max())
        return self.error_um * max(1.0, far / self.reach_um)


def scale_of(matrix: Floats) -> float:
    """Return the geometric mean of the scales of a matrix over (…, 1)."""
    n = len(matrix) - 1
    return float(np.abs(np.linalg.det(matrix[:n, :n])) ** (1 / n))


def lifted(matrix: Floats) -> Floats:
    """Return a matrix over (y, x, 1) as one over (z, y, x, 1): planes stay planes, depth is scaled alike."""
    if len(matrix) == 4:
        return np.array(matrix, float)
    out = np.eye(4)
    out[1:, 1:] = matrix
    out[0, 0] = scale_of(matrix)
    return out


def upright(matrix: Floats) -> Floats:
    """Return the matrix of a section with the normal that its plane has in the volume.

    Only the plane of a section is seen: what its matrix says of z is replaced by the normal, scaled as the
    plane is, so that no scene depends on it.
    """
    out = np.array(matrix, float)
    normal = np.cross(out[:3, 1], out[:3, 2])
    out[:3, 0] = normal / np.sqrt(np.linalg.norm(normal))
    return out


def stated(matrix: npt.ArrayLike, *, error_um: float) -> Alignment:
    """Make an alignment of a transform that is known and was not searched for: a crop, a stage, a drawing.

    Parameters
    ----------
    matrix : array_like
        4 × 4 (3 × 3 in 2D), takes (z, y, x, 1) in µm from the moving frame to the fixed frame.
    error_um : float
        What is expected at the farthest corner of what both images show, in µm; 0 if exact.

    Returns
    -------
    Alignment
        Its `metric` is NaN, and `stop` says that it was stated.

    Raises
    ------
    TypeError, ValueError
        If the matrix is none, cannot be inverted, or the error is no length.

    Examples
    --------
    >>> crop = stated([[1, 0, 5.0], [0, 1, 7.5], [0, 0, 1]], error_um=0.0)  # begins at y = 5, x = 7.5
    >>> crop.points([0.0, 0.0]).tolist(), crop.transform
    ([5.0, 7.5], 'rigid')
    """
    try:
        if np.iscomplexobj(np.array(matrix)):
            raise TypeError("it is complex")
        values = np.array(matrix, float)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"Cannot state an alignment by {type(matrix).__name__}: a matrix of numbers is needed. Pass for "
            "instance np.eye(4)."
        ) from error
    check_matrix(values, doing="state an alignment")
    check_error(error_um, doing="state an alignment")
    n = len(values) - 1
    values.flags.writeable = False
    turned = float(np.linalg.norm(turn_deg(values)))
    return Alignment(
        matrix=values,
        error_um=float(error_um),
        metric=float("nan"),
        converged=True,
        iterations=0,
        stop="stated, not searched for",
        transform=kind_of(values),
        turn_deg=turned,
        shift_um=tuple(float(v) for v in values[:n, n]),
        scale=scale_of(values),
    )


def kind_of(matrix: Floats) -> str:
    """Say whether a matrix is rigid, a similarity or affine."""
    n = len(matrix) - 1
    stretches = np.linalg.svd(matrix[:n, :n], compute_uv=False)
    if np.ptp(stretches) > _SIMILAR * stretches.max():
        return "affine"
    return "rigid" if abs(stretches.mean() - 1) < _RIGID else "similarity"


def check_matrix(matrix: Any, *, doing: str) -> None:
    """Refuse what is no matrix of an alignment that can be inverted."""
    values = np.asarray(matrix)
    if values.shape not in ((3, 3), (4, 4)) or not np.isfinite(values).all():
        raise ValueError(
            f"Cannot {doing} with a matrix of shape {values.shape}: 4 × 4 finite numbers over (z, y, x, 1) "
            "in µm are needed, or 3 × 3 over (y, x, 1). Pass for instance np.eye(4)."
        )
    n = len(values) - 1
    if np.abs(values).max() > FARTHEST_UM:
        raise ValueError(
            f"Cannot {doing} with a matrix that holds {np.abs(values).max():.3g}: {FARTHEST_UM:g} µm is the "
            "farthest that anything lies. Check its numbers; all are in µm."
        )
    if not np.array_equal(values[n], np.eye(n + 1)[n]):
        wanted = np.eye(n + 1)[n].tolist()
        raise ValueError(
            f"Cannot {doing} with a matrix whose last row is {values[n].tolist()}: {wanted} "
            "is needed, as no alignment has a perspective. Check that it is not transposed."
        )
    if np.linalg.det(values[:n, :n]) < 0:
        raise ValueError(
            f"Cannot {doing} with a matrix that mirrors: its determinant is below zero. Flip the image that "
            "was recorded from the other side first, with ct.volume(image.data[:, ::-1], voxel_size)."
        )
    stretches = np.linalg.svd(values[:n, :n], compute_uv=False)
    if not stretches[-1] * _MOST_CONDITION > stretches[0]:
        raise ValueError(
            f"Cannot {doing} with a matrix that stretches by {stretches[0]:.3g} along one axis and by "
            f"{stretches[-1]:.3g} along another: there is no way back. Check its numbers; all are in µm."
        )
    scale = float(np.exp(np.log(stretches).mean()))
    if not 1 / _MOST_SCALE < scale < _MOST_SCALE:
        raise ValueError(
            f"Cannot {doing} with a matrix that scales by {scale:.4g}: both frames are in µm, and less than "
            f"{_MOST_SCALE:g} times larger or smaller is allowed. Check the units of the voxel sizes; "
            "state them with ct.volume(image.data, voxel_size)."
        )


def check_error(error_um: Any, *, doing: str) -> None:
    """Refuse an error that is no length in µm; 0 is one."""
    number = isinstance(error_um, Real) and not isinstance(error_um, bool | np.bool_)
    if not number or not is_finite(error_um) or not 0 <= float(error_um) <= FARTHEST_UM:
        raise (ValueError if number else TypeError)(
            f"Cannot {doing} with error_um {repr(error_um)[:40]}: a finite number in µm is needed, 0 or above"
            f", and at most {FARTHEST_UM:g}. State "
            "what you expect at the farthest corner, for instance error_um=0.5."
        )


def step_of(source: str, target: str, grids: tuple[Grid, Grid], given: Any) -> tuple[Step, Alignment]:
    """Check an alignment against the images that it joins; return it as a step from section to volume."""
    doing = f"align {source!r} with {target!r}"
    if not isinstance(given, Alignment):
        raise TypeError(
            f"Cannot {doing} by a {type(given).__name__}: an alignment is needed. Find one with "
            "ct.register.align() or locate_section(), or state one with "
            "ct.register.stated(matrix, error_um=...)."
        )
    check_matrix(given.matrix, doing=doing)
    check_error(given.error_um, doing=doing)
    first, second = grids
    section = isinstance(given, SectionAlignment)
    flats = (first.flat, second.flat)
    if (len(given.matrix) == 3) != all(flats) or (section and flats[0] == flats[1]):
        what = f"{type(given).__name__} with a matrix of {len(given.matrix)} × {len(given.matrix)}"
        raise ValueError(
            f"Cannot {doing}, dims {first.dims} and {second.dims}, by {what}: 3 × 3 joins two "
            "sections, 4 × 4 two volumes, or a section and a volume. Check the "
            "names, and which image was aligned with which."
        )
    if isinstance(given, SectionAlignment) and given.from_section != flats[0]:
        raise ValueError(
            f"Cannot {doing}: the alignment leads from {_way(given)}, and {source!r} is "
            f"{'a section' if flats[0] else 'a volume'}. Pass alignment.inverse(), or swap the names."
        )
    if flats == (False, True):  # one way to say it, so that the normal stays one of the volume's
        return step_of(target, source, (second, first), given.inverse())
    matrix = upright(given.matrix) if flats[0] != flats[1] else lifted(given.matrix)
    points = common_points(first, second, matrix)
    middle = points.mean(axis=0)
    reach = float(np.linalg.norm(points - middle, axis=1).max())
    reach = max(reach, *np.minimum(min(first.voxel_um), second.voxel_um))  # they may touch in one point
    return Step(source, target, matrix, float(given.error_um), middle, reach), given


def _way(given: SectionAlignment) -> str:
    return "section to volume" if given.from_section else "volume to section"
