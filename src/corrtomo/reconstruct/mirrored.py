"""How well projections agree with their mirror image from the other side, for each place of the axis.

A ray and its opposite cross the same matter. Curves are over places of the axis, at columns 0, ½, 1, … up to
the last, and low where the axis is.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import fft

Floats = npt.NDArray[np.float64]


def opposite_rays(
    sinogram: Floats, angles_deg: Floats, source: float | None, axis: float, some: slice
) -> Floats:
    """Return the mean squared difference of opposite rays, for an axis at columns 0, ½, 1, ….

    Parameters
    ----------
    sinogram : numpy.ndarray
        Line integrals over a full turn, axes angle and x.
    angles_deg : numpy.ndarray
        One for each.
    source : float or None
        Distance from the source to the axis in columns; None for a parallel beam.
    axis : float
        About where the axis is, in columns: it says where rays of a cone have their opposite.
    some : slice
        Projections whose rays are compared with their opposite.
    """
    other = _from_behind(sinogram, angles_deg, source, axis)[some]
    sinogram = sinogram[some]
    count, columns = sinogram.shape
    size = fft.next_fast_len(2 * columns - 1, real=True)
    waves, behind = fft.rfft(sinogram, size), fft.rfft(other, size)
    product = fft.irfft((waves * behind).sum(axis=0), size)[: 2 * columns - 1]
    ones = np.ones(columns)
    squares = np.convolve((sinogram**2).sum(axis=0), ones) + np.convolve((other**2).sum(axis=0), ones)
    return np.asarray((squares - 2.0 * product) / (count * np.convolve(ones, ones)))


def _from_behind(sinogram: Floats, angles_deg: Floats, source: float | None, axis: float) -> Floats:
    """Return for each projection, column by column, what rays in the opposite direction recorded.

    The ray of column j is opposite to that of its mirror column; in a fan its projection is turned by twice
    its angle to the central ray, besides half a turn.
    """
    count, columns = sinogram.shape
    fan = np.zeros(columns) if source is None else np.arctan((np.arange(columns) - axis) / source)
    turned = angles_deg % 360.0
    order = np.argsort(turned, kind="stable")
    known = np.concatenate([turned[order], turned[order[:1]] + 360.0])
    wanted = (turned[:, None] + 180.0 - 2.0 * np.rad2deg(fan) - known[0]) % 360.0 + known[0]
    after = np.clip(np.searchsorted(known, wanted, side="right"), 1, count)
    gap = known[after] - known[after - 1]
    share = np.where(gap > 0, (wanted - known[after - 1]) / np.where(gap > 0, gap, 1.0), 0.0)
    column = np.arange(columns)
    before = sinogram[order[after - 1], column]
    return np.asarray(before + share * (sinogram[order[after % count], column] - before))


def half_turn(sinogram: Floats, angles_deg: Floats) -> Floats:
    """Return what half a turn and its mirror image hold that no sample can, for an axis at 0, ½, 1, ….

    Over a full turn, the frequencies of a sinogram fill a double wedge: a sample within the view changes from
    angle to angle no faster than its width allows (Vo et al. 2014). Half a turn and its mirror about the
    axis make a full one; about another column they leak out of the wedge. The leaked power is relative to
    that of both halves. Mirroring about another column is but a phase, so that one transform tells all.

    Parameters
    ----------
    sinogram : numpy.ndarray
        Line integrals, axes angle and x.
    angles_deg : numpy.ndarray
        One for each; of more than half a turn, the first half is taken.
    """
    sinogram = _evenly(sinogram, angles_deg)
    count, columns = sinogram.shape
    size = fft.next_fast_len(2 * columns, real=True)
    waves = fft.rfft(sinogram - sinogram[:, [0, -1]].mean(), size)
    first = fft.fft(waves, 2 * count, axis=0)
    # Behind: turned by half a turn, which is a phase of the harmonic, and mirrored, which is the conjugate.
    harmonic = fft.fftfreq(2 * count, 1 / (2 * count))[:, None]
    second = fft.fft(np.conj(waves), 2 * count, axis=0) * np.exp(1j * np.pi * harmonic)
    frequency = fft.rfftfreq(size)
    outside = (np.abs(harmonic) > np.pi * columns * frequency + 1.0) & (frequency > 0)
    both = float((np.abs(first[outside]) ** 2).sum() + (np.abs(second[outside]) ** 2).sum())
    overlap = np.where(outside, first * np.conj(second), 0.0).sum(axis=0)
    leaked = size * fft.irfft(overlap, size)[: 2 * columns - 1]
    return np.asarray(1.0 + leaked / max(both, 1e-300))


def unwound(angles: Floats) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Return angles in ascending order, from the far side of their widest gap on, and that order."""
    order = np.argsort(angles % 360.0, kind="stable")
    turned = (angles % 360.0)[order]
    start = (int(np.argmax(np.diff(np.append(turned, turned[0] + 360.0)))) + 1) % len(turned)
    turned = np.concatenate([turned[start:], turned[:start] + 360.0])
    return turned - 360.0 * (turned[0] >= 360.0), np.roll(order, -start)


def _evenly(sinogram: Floats, angles: Floats) -> Floats:
    """Return half a turn in even steps, from any angles that cover it."""
    turned, order = unwound(angles)
    count = round(180.0 / float(np.median(np.diff(turned))))
    wanted = turned[0] + 180.0 * np.arange(count) / count
    after = np.clip(np.searchsorted(turned, wanted), 1, len(turned) - 1)
    gap = turned[after] - turned[after - 1]
    share = np.clip((wanted - turned[after - 1]) / np.where(gap > 0, gap, 1.0), 0.0, 1.0)[:, None]
    return np.asarray((1.0 - share) * sinogram[order[after - 1]] + share * sinogram[order[after]])
