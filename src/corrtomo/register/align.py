"""Alignment of two images by mutual information, with no start by hand and no wrong answer in silence."""

from __future__ import annotations

import numpy as np
import xarray as xr

from ..checks import check_length
from .alignment import Alignment, AlignmentError
from .averaging import block_means, near_voxel
from .frames import Floats, extent, inverse, middle
from .information import SAMPLES, Kind, Maximum, maximise
from .pair import Pair, Start, check_pair, prepare
from .report import reported
from .search import Candidate, Range, candidates, search_voxel
from .subvolumes import Agreement, agreement
from .trust import agreed, check_chance, check_range, check_rival, overlap

_SCALES = (1.0, 0.93, 1.07)
_COARSE_SAMPLES = 10_000
_LIKELY = 0.6


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
    `error_um` comes from about twelve sub-volumes, each matched on its own: a motion of the same kind is
    fitted to what they are off by, and its standard error, with the motion itself, is carried to the farthest
    corner of the overlap; a scale or shear that was fitted makes it larger. It does not see what moves all of
    them alike: through a pore FIB-SEM sees the surface behind it, which draws the volume along the milling
    direction by about a tenth of an X-ray voxel (in-lens) to a quarter (SESI, whose pore backs reach deeper).
    Align the channel with the weaker pore backs, and cut what is darker than active material with
    ``image.clip(min=...)``: that takes most of this bias away.

    Where noise, as in maps of few counts, or blur over many voxels scatters sub-volumes by more than a voxel,
    they are matched again at coarser voxels, and `error_um` is that of these; scatter that scale and shear
    explain is refused. Counts of one element lie in some of the particles only: add the channels up that
    together lie in all of them.

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
    check_pair(moving, fixed, transform, start, min_overlap, max_turn_deg, seed)
    check_length(max_shift_um, "max_shift_um", doing="align images")
    pair = prepare(moving, fixed, max_shift_um, start, progress)
    where = Range(
        pair.centre,
        pair.target,
        min(float(max_shift_um), _farthest(pair)),
        float(max_turn_deg),
        float(min_overlap),
    )
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
    matrix = final.matrix if direct else inverse(final.matrix)

    def see(count: int) -> Agreement:
        return agreement(_coarser(first, count), _coarser(other, count), matrix, transform)

    seen = agreed(see, transform, search_voxel(pair.fixed, pair.moving))
    return Alignment(**reported(final, seen, where.centre, where.target, transform))


def _farthest(pair: Pair) -> float:
    """Return a shift beyond which the images cannot overlap, however they are turned."""
    halves = (np.linalg.norm(extent(pair.moving)) + np.linalg.norm(extent(pair.fixed))) / 2
    return float(halves + np.linalg.norm(middle(pair.fixed) - pair.target))


def _order(moving: xr.DataArray, fixed: xr.DataArray) -> tuple[xr.DataArray, xr.DataArray, bool]:
    """Put the smaller image first: nearly all of its points then lie in the other."""
    direct = bool(np.prod(extent(moving)) <= np.prod(extent(fixed)))
    return (moving, fixed, True) if direct else (fixed, moving, False)


def _coarser(image: xr.DataArray, count: int) -> xr.DataArray:
    return image if count == 1 else block_means(image, [count] * image.ndim)


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


def _best(pair: Pair, found: list[Candidate], where: Range, kind: Kind, seed: int) -> Maximum:
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
