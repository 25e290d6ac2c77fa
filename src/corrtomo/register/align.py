"""Alignment of two images by mutual information, with no start by hand and no wrong answer in silence."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal, get_args

import numpy as np
import xarray as xr
from scipy.spatial.transform import Rotation

from ..volume import check_image, check_length, check_spatial, origin, voxel_size
from .agreement import Agreement, agreement
from .alignment import Alignment, AlignmentError
from .averaging import block_means, near_voxel
from .information import SAMPLES, Kind, Maximum, maximise
from .search import Candidate, Floats, Range, candidates, inverse, move, search_voxel
from .trust import check_agreement, check_chance, check_range, check_rival, overlap

_MOST_VOXELS = 4_000_000
_SCALES = (1.0, 0.93, 1.07)
_LEAST_VOXELS = 8
_COARSE_SAMPLES = 10_000
_LIKELY = 0.6
Start = Literal["centres", "coordinates"]


def align(
    moving: xr.DataArray,
    fixed: xr.DataArray,
    *,
    transform: Kind = "rigid",
    start: Start = "centres",
    max_shift_um: float = 10.0,
    max_turn_deg: float = 12.0,
    min_overlap: float = 0.3,
    seed: int = 0,
    progress: bool = True,
) -> Alignment:
    """Find how an image of one instrument lies in the frame of another, by mutual information.

    FIB-SEM can only judge an X-ray segmentation voxel by voxel where both show the same spot: the paper
    registers the two volumes by maximising mutual information (Sci. Rep. 6, 30109, "Data Registration").
    A correlation over a grid of turns and all shifts finds where to begin.

    Parameters
    ----------
    moving, fixed : xarray.DataArray
        Grey values with dims z, y, x, or both y, x; one channel; NumPy or Dask. Either may be the finer: both
        are averaged in blocks near the coarser voxel first, and each chunk is read once.
    transform : {"rigid", "similarity", "affine"}
        What may be fitted: turn and shift; one scale as well, as stated voxel sizes are rounded; or scale and
        shear along each axis.
    start : {"centres", "coordinates"}
        Where to look. Two instruments share no origin, so by default the centres of both images are taken to
        coincide; "coordinates" takes both to lie in one frame already.
    max_shift_um : float
        How far the centre of `moving` may lie from there, along each axis.
    max_turn_deg : float
        How far it may be turned, about each axis.
    min_overlap : float
        Share of the smaller image that the other must cover.
    seed : int
        Of the points at which mutual information is estimated, and of the random poses it is compared with.
    progress : bool
        Show a bar while a large image is averaged.

    Returns
    -------
    Alignment
        From the frame of `moving` to that of `fixed`. The same images and seed give the same bytes.

    Raises
    ------
    AlignmentError
        If no pose can be trusted: mutual information no better than at random poses, two poses as good as
        each other, a pose at the edge of the range, too little overlap, sub-volumes that disagree, or, for a
        rigid one, that agree on another voxel size.
    TypeError, ValueError
        If an image is no image, has channels, is constant, or has NaN or infinite grey values; if the dims
        differ, or an option is out of range.

    Notes
    -----
    `error_um` comes from about twelve sub-volumes, each matched on its own: a rigid motion is fitted to what
    they are off by, and its standard error, with the motion itself, is carried to the farthest corner of the
    overlap. It does not see what moves all of them alike: through a pore FIB-SEM sees the surface behind it,
    which draws the volume along the milling direction by about a tenth of an X-ray voxel (in-lens) to a
    quarter (SESI, whose pore backs reach deeper). Align the channel with the weaker pore backs, and cut what
    is darker than active material with ``image.clip(min=...)``: that takes most of this bias away.

    Structure must be there at the scale of the search, a sixteenth of the smaller image: finer texture alone
    is not found. At most some 4 million voxels of each image enter. "similarity" and "affine" find voxel
    sizes that are up to about a tenth off.

    References
    ----------
    Mattes et al., IEEE Trans. Med. Imaging 22, 120 (2003), doi:10.1109/TMI.2003.809072.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import ndimage
    >>> import corrtomo as ct
    >>> grey = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(60, 70)), 3)
    >>> fixed, moving = ct.volume(grey, 0.5), ct.volume(-grey[8:, 4:], 0.5)  # 4 and 2 µm farther along
    >>> found = ct.register.align(moving, fixed)
    >>> found.points([0.0, 0.0]).round(1).tolist()
    [4.0, 2.0]
    """
    _check(moving, fixed, transform, start, min_overlap, seed)
    check_length(max_shift_um, "max_shift_um", doing="align images")
    check_length(max_turn_deg, "max_turn_deg", doing="align images")
    pair = _prepare(moving, fixed, max_shift_um, start, progress)
    where = Range(pair.centre, pair.target, float(max_shift_um), float(max_turn_deg), float(min_overlap))
    scales = (1.0,) if transform == "rigid" else _SCALES
    found = candidates(pair.fixed, pair.moving, where, scales)
    if not found:
        raise AlignmentError(
            f"Cannot align the images: at no pose within ±{max_shift_um:g} µm"
            f" do they share {min_overlap:.0%} of the smaller one. Check that both show the same spot, or "
            "lower min_overlap."
        )
    best = _best(pair, found, where, transform, seed)
    final = _maximise(pair.moving, pair.fixed, best.matrix, transform, SAMPLES, seed)
    check_range(final.matrix, where)
    share = overlap(pair.moving, pair.fixed, final.matrix)
    if share < min_overlap:
        raise AlignmentError(
            f"Cannot align the images: at the best pose they share {share:.0%} of the smaller one, below "
            f"min_overlap {min_overlap:.0%}. Check that both show the same spot, or lower min_overlap."
        )
    first, other, direct = _order(pair.moving, pair.fixed)
    seen = agreement(first, other, final.matrix if direct else inverse(final.matrix))
    check_agreement(seen, transform, 0.25 * search_voxel(pair.fixed, pair.moving))
    return _report(final, seen, where, transform)


@dataclass(frozen=True)
class _Pair:
    """Both images near one voxel, and the point of each frame that is looked for at the other."""

    moving: xr.DataArray
    fixed: xr.DataArray
    centre: Floats
    target: Floats


def _check(moving: Any, fixed: Any, transform: str, start: str, min_overlap: Any, seed: Any) -> None:
    for image, name in ((moving, "moving"), (fixed, "fixed")):
        check_image(image, ndim=(2, 3))
        check_spatial(image, doing=f"align the {name} image")
        if min(image.shape) < _LEAST_VOXELS:
            raise ValueError(
                f"Cannot align the {name} image of {dict(image.sizes)} voxels: {_LEAST_VOXELS} or more are "
                "needed along each axis. Align single slices in 2D, with image.isel(z=...)."
            )
    if moving.dims != fixed.dims:
        raise ValueError(
            f"Cannot align an image with dims {moving.dims} to one with dims {fixed.dims}: they must be the "
            "same. Select a slice of the larger one first, for instance with image.isel(z=0)."
        )
    for value, name, known in ((transform, "transform", get_args(Kind)), (start, "start", get_args(Start))):
        if value not in known:
            raise ValueError(
                f"Cannot align with {name} {value!r}: allowed are {', '.join(known)}. "
                f"Leave it out for {known[0]!r}."
            )
    if isinstance(min_overlap, bool) or not isinstance(min_overlap, Real) or not 0 < float(min_overlap) <= 1:
        raise ValueError(
            f"Cannot align with min_overlap {min_overlap!r}: a share above 0 and up to 1 is needed. "
            "Leave it out for 0.3."
        )
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**31 - 1:
        raise ValueError(
            f"Cannot align with seed {seed!r}: a whole number from 0 is needed. Leave it out for 0."
        )


def _prepare(
    moving: xr.DataArray, fixed: xr.DataArray, max_shift_um: float, start: str, progress: bool
) -> _Pair:
    centre = _middle(moving)
    target = _middle(fixed) if start == "centres" else centre
    reach = float(np.linalg.norm(_length(moving))) / 2 + max_shift_um
    fixed = _crop(fixed, target - reach, target + reach)
    edge = max(float(np.prod(voxel_size(i)) ** (1 / i.ndim)) for i in (moving, fixed))
    near = [_average(image, edge, progress) for image in (moving, fixed)]
    for image, name in zip(near, ("moving", "fixed"), strict=True):
        _check_grey(image, name)
    return _Pair(near[0], near[1], centre, target)


def _crop(image: xr.DataArray, low: Floats, high: Floats) -> xr.DataArray:
    """Leave out what no allowed pose reaches; refuse if nothing is left."""
    part = image.sel({d: slice(a, b) for d, a, b in zip(image.dims, low, high, strict=True)})
    if min(part.shape) < _LEAST_VOXELS:
        raise AlignmentError(
            f"Cannot align the images: they do not overlap. The moving image may lie between {low.round(2)} "
            f"and {high.round(2)} µm, and the fixed image has {dict(part.sizes)} voxels there. Look "
            "where the centres coincide with start='centres', or enlarge max_shift_um."
        )
    return part


def _average(image: xr.DataArray, edge: float, progress: bool) -> xr.DataArray:
    volume_um = float(np.prod([n * v for n, v in zip(image.shape, voxel_size(image), strict=True)]))
    least = (volume_um / _MOST_VOXELS) ** (1 / image.ndim)
    counts = near_voxel(image, max(edge, least))
    counts = [max(1, min(k, n // _LEAST_VOXELS)) for k, n in zip(counts, image.shape, strict=True)]
    return block_means(image, counts, progress=progress)


def _check_grey(image: xr.DataArray, name: str) -> None:
    bad = int((~np.isfinite(image.data)).sum())
    if bad:
        raise ValueError(
            f"Cannot align: NaN or infinite grey values in the {name} image, in {bad} of the {image.size} "
            "blocks it was averaged to. Only finite grey values are allowed. Crop them away or fill them "
            "first, for instance with image.fillna(0)."
        )
    if float(image.max()) == float(image.min()):
        raise ValueError(
            f"Cannot align: the {name} image is constant ({float(image.max()):g}). Grey values that differ "
            "are needed. Check the file, or the crop that made it."
        )


def _middle(image: xr.DataArray) -> Floats:
    return np.array(origin(image)) + (np.array(image.shape) - 1) / 2 * voxel_size(image)


def _length(image: xr.DataArray) -> Floats:
    return np.array(image.shape) * voxel_size(image)


def _order(moving: xr.DataArray, fixed: xr.DataArray) -> tuple[xr.DataArray, xr.DataArray, bool]:
    """Put the smaller image first: nearly all of its points then lie in the other."""
    direct = bool(np.prod(_length(moving)) <= np.prod(_length(fixed)))
    return (moving, fixed, True) if direct else (fixed, moving, False)


def _maximise(
    moving: xr.DataArray, fixed: xr.DataArray, start: Floats, kind: Kind, samples: int, seed: int
) -> Maximum:
    first, other, direct = _order(moving, fixed)
    begin = start if direct else inverse(start)
    try:
        found = maximise(first, other, begin, kind=kind, samples=samples, seed=seed)
    except RuntimeError as error:  # SimpleITK: no point of one image left in the other
        raise AlignmentError(
            f"Cannot align the images: the search left their overlap "
            f"({str(error).strip().splitlines()[-1]}). Check that both show the same spot."
        ) from error
    if direct:
        return found
    return Maximum(inverse(found.matrix), found.metric, found.iterations, found.stop, found.converged)


def _best(pair: _Pair, found: list[Candidate], where: Range, kind: Kind, seed: int) -> Maximum:
    """Refine each candidate at the coarse voxel; refuse where none, or more than one, stands out."""
    edge = search_voxel(pair.fixed, pair.moving)
    coarse = [block_means(i, near_voxel(i, edge / 1.5)) for i in (pair.moving, pair.fixed)]
    refined = [
        _maximise(coarse[0], coarse[1], c.matrix, kind, _COARSE_SAMPLES, seed)
        for c in found
        if c.correlation > _LIKELY * found[0].correlation
    ]
    refined = [r for r in refined if overlap(coarse[0], coarse[1], r.matrix) >= 0.8 * where.min_overlap]
    if not refined:
        raise AlignmentError(
            "Cannot align the images: every pose that looked likely slid out of their overlap. Check that "
            "both show the same spot, or lower min_overlap."
        )
    refined.sort(key=lambda r: -r.metric)
    level = check_chance(coarse[0], coarse[1], refined[0].matrix, where, seed)
    check_rival(coarse[0], coarse[1], refined, level, 4.0 * edge)
    return refined[0]


def _report(final: Maximum, seen: Agreement, where: Range, kind: Kind) -> Alignment:
    n = len(where.centre)
    linear = final.matrix[:n, :n]
    left, _, right = np.linalg.svd(linear)
    turn = left @ right
    if n == 3:
        angle = float(np.linalg.norm(Rotation.from_matrix(turn).as_rotvec(degrees=True)))
    else:
        angle = float(abs(np.rad2deg(np.arctan2(turn[1, 0], turn[0, 0]))))
    shift = move(final.matrix, where.centre[None])[0] - where.target
    matrix = final.matrix.copy()
    matrix.flags.writeable = False
    return Alignment(
        matrix=matrix,
        error_um=seen.error_um,
        metric=final.metric,
        converged=final.converged,
        iterations=final.iterations,
        stop=final.stop,
        transform=kind,
        turn_deg=angle,
        shift_um=tuple(float(s) for s in shift),
        scale=float(np.abs(np.linalg.det(linear)) ** (1 / n)),
    )
