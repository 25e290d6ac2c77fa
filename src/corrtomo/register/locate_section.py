"""A section found in a volume: the oblique plane that shows the same, and how sure that is."""

from __future__ import annotations

from typing import get_args

import numpy as np
import xarray as xr
from scipy import ndimage

from .alignment import AlignmentError
from .averaging import block_means
from .frames import Floats, corners, extent, move
from .information import SAMPLES, Kind, Maximum, maximise
from .pair import Start, average, check_options
from .report import reported
from .search import Candidate
from .section_agreement import SectionAgreement, section_agreement
from .section_alignment import SectionAlignment
from .section_pair import (
    SectionKind,
    SectionPair,
    check_images,
    check_limits,
    prepare_section,
    section_range,
    tilt_and_turn,
)
from .section_search import candidates, other_ways, search_pixel
from .section_trust import check_chance, check_pose, check_rival, section_overlap
from .trust import SECTION, agreed

_SCALES = (1.0, 0.95, 1.05)
_COARSE_SAMPLES = 10_000
_LIKELY = 0.6


def locate_section(
    section: xr.DataArray,
    volume: xr.DataArray,
    *,
    start: Start = "centres",
    max_shift_um: float = 5.0,
    depth_range_um: tuple[float, float] | None = None,
    max_tilt_deg: float = 5.0,
    max_turn_deg: float = 12.0,
    min_overlap: float = 0.3,
    transform: SectionKind = "rigid",
    seed: int = 0,
    progress: bool = True,
) -> SectionAlignment:
    """Find the oblique plane of a volume that a section shows, by mutual information.

    SIMS and EDS see a milled section, X-rays saw the volume before it was milled. The paper brings both
    together at "an approximate depth of 1.5 μm from the top" (doi:10.1017/S1431927622012405, figure 4); here
    depth, tilt, turn and shift are found from a stated range, with their errors.

    Parameters
    ----------
    section : xarray.DataArray
        Grey values with dims y, x, one channel, NumPy or Dask; a SE image rather than a map of few counts. It
        lies at z = 0 of its own frame.
    volume : xarray.DataArray
        Grey values with dims z, y, x, one channel, NumPy or Dask. Section or volume may be the finer: each is
        averaged in blocks near the coarser of both first.
    start : {"centres", "coordinates"}
        Where to look along y and x: the middle of the section lies at that of the volume, or where its own y
        and x say.
    max_shift_um : float
        How far it may lie from there, along y and along x.
    depth_range_um : tuple of float, optional
        Between which z of the volume the middle of the section lies; by default anywhere in it.
    max_tilt_deg : float
        How far the section may be tilted about y and about x, up to 60.
    max_turn_deg : float
        How far it may be turned in its plane.
    min_overlap : float
        Share that the volume must cover, of the section or of its own y and x, whichever is smaller.
    transform : {"rigid", "similarity"}
        What may be fitted: tilt, turn and shift; one scale as well, as stated pixel sizes are rounded.
    seed : int
        Of the points at which mutual information is estimated.
    progress : bool
        Show a bar while a large volume is averaged.

    Returns
    -------
    SectionAlignment
        From the frame of the section to that of the volume: a 4 × 4 matrix over (z, y, x, 1) in µm. Its
        ``resample`` cuts the volume along the section, and lays the section into the volume. The same images
        and seed give the same bytes.

    Raises
    ------
    AlignmentError
        If no pose can be trusted: the section correlates hardly better than its mirror images, which lie
        nowhere in the volume; they correlate better, as it was recorded from the other side; another plane
        explains it as well; the best plane lies beyond the range, or outside the volume; sub-areas disagree.
    TypeError, ValueError
        If section or volume is no image of that kind, is constant, or has NaN or infinite grey values; or an
        option is out of range.

    Notes
    -----
    A grid of depths, tilts and turns is correlated at all shifts, at a pixel of about a fortieth of the
    section; the best few poses are climbed from, at that pixel and then at their own.

    `error_um` comes from about ten sub-areas of the section, each matched along the normal and in the plane:
    the standard error of the motion fitted to what they are off by, with that motion itself, at the farthest
    corner of the overlap. It does not see what moves all of them alike, such as edges that are bright on one
    side. Depth and tilt are told by edges that lie oblique to the section: upright ones, as of the wall of a
    milled pillar, look the same at all depths, and in a mirror. What is inside must tell it.

    A section across y or x is found in a volume whose axes are swapped first.

    References
    ----------
    Mattes et al., IEEE Trans. Med. Imaging 22, 120 (2003), doi:10.1109/TMI.2003.809072.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import ndimage
    >>> import corrtomo as ct
    >>> grey = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(30, 60, 70)), 3)
    >>> section = ct.volume(-grey[12, 8:56, 4:60], 0.5)  # at z = 6 µm; its first pixel at y = 4, x = 2
    >>> found = ct.register.locate_section(section, ct.volume(grey, 0.5), depth_range_um=(4.0, 9.0))
    >>> found.points([0.0, 0.0, 0.0]).round(1).tolist()
    [6.0, 4.0, 2.0]
    """
    check_images(section, volume)
    check_options(transform, start, min_overlap, max_turn_deg, seed, get_args(SectionKind))
    check_limits(max_shift_um, depth_range_um, max_tilt_deg)
    limits = {
        "shift_um": min(float(max_shift_um), _farthest(section, volume)),
        "tilt_deg": float(max_tilt_deg),
        "turn_deg": float(max_turn_deg),
        "min_overlap": float(min_overlap),
    }
    where = section_range(section, volume, start, depth_range_um, limits)
    pair = prepare_section(section, volume, where, progress)
    scales = (1.0,) if transform == "rigid" else _SCALES
    found, chance = candidates(pair.section, pair.volume, pair.where, scales)
    check_chance(found, chance, pair.where, lambda: other_ways(pair.section, pair.volume, pair.where))
    refined = _refined(pair, found, transform, seed)
    check_rival(pair.section, refined, 4.0 * search_pixel(pair.section, pair.volume))
    fine, slab = _fine(pair, volume, refined[0].matrix, progress)
    final = _climb(_blurred(fine), _blurred(slab), refined[0].matrix, transform, SAMPLES, seed)
    check_pose(fine, slab, final.matrix, pair.where)

    def see(count: int) -> SectionAgreement:
        return section_agreement(_coarser(fine, count), _coarser(slab, count), final.matrix, transform)

    seen = agreed(see, transform, search_pixel(pair.section, pair.volume), SECTION)
    tilt, _ = tilt_and_turn(final.matrix)
    return SectionAlignment(
        **reported(final, seen, where.centre, where.target, transform),
        depth_um=float(move(final.matrix, where.centre)[0]),
        depth_error_um=seen.depth_error_um,
        tilt_deg=tilt,
        tilt_error_deg=seen.tilt_error_deg,
        correlation=found[0].correlation,
        chance=chance,
    )


def _farthest(section: xr.DataArray, volume: xr.DataArray) -> float:
    """Return a shift beyond which the section cannot lie in the volume, however it is turned."""
    return float(np.linalg.norm(extent(section)) + np.linalg.norm(extent(volume)))


def _refined(pair: SectionPair, found: list[Candidate], kind: Kind, seed: int) -> list[Maximum]:
    """Climb to the nearest maximum from each candidate, at coarse voxels; best first."""
    likely = [c for c in found if c.correlation > _LIKELY * found[0].correlation]
    section, volume = _blurred(pair.section), _blurred(pair.volume)
    refined: list[Maximum] = []
    for one in likely:
        try:
            top = _climb(section, volume, one.matrix, kind, _COARSE_SAMPLES, seed)
        except AlignmentError:
            continue  # a plane near a face of the volume has slid out of it
        if section_overlap(section, volume, top.matrix) >= 0.8 * pair.where.min_overlap:
            refined.append(top)
    if not refined:
        raise AlignmentError(
            "Cannot locate the section: every pose that looked likely slid out of the volume. Check that the "
            "volume holds the section, or lower min_overlap."
        )
    return sorted(refined, key=lambda r: -r.metric)


def _climb(
    section: xr.DataArray, volume: xr.DataArray, start: Floats, kind: Kind, samples: int, seed: int
) -> Maximum:
    try:
        return maximise(section, volume, start, kind=kind, samples=samples, seed=seed)
    except RuntimeError as error:  # SimpleITK: no point of the section left in the volume
        raise AlignmentError(
            f"Cannot locate the section: the search left the volume "
            f"({str(error).strip().splitlines()[-1]}). Check that the volume holds the section."
        ) from error


def _blurred(image: xr.DataArray) -> xr.DataArray:
    """Blur as :func:`maximise` does, which cannot blur a single slice."""
    sigma = [0.0 if n == 1 else 0.7 for n in image.shape]
    return image.copy(data=ndimage.gaussian_filter(np.asarray(image.data, np.float32), sigma))


def _coarser(image: xr.DataArray, count: int) -> xr.DataArray:
    return image if count == 1 else block_means(image, [min(count, n) for n in image.shape])


def _fine(
    pair: SectionPair, volume: xr.DataArray, matrix: Floats, progress: bool
) -> tuple[xr.DataArray, xr.DataArray]:
    """Return the section, and the volume around it, near the coarser of their own voxels."""
    edge = pair.edge
    half = np.array([0.0, *extent(pair.section)[1:] / 2])
    ends = move(matrix, corners(pair.where.centre - half, pair.where.centre + half))
    margin = 8 * edge + 2 * search_pixel(pair.section, pair.volume)
    low, high = ends.min(axis=0) - margin, ends.max(axis=0) + margin
    part = volume.sel({d: slice(a, b) for d, a, b in zip(volume.dims, low, high, strict=True)})
    return average(pair.whole, edge, progress=False), average(part, edge, progress)
