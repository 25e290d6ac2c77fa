"""Bodies whose line integrals are known in closed form."""

import numpy as np

import corrtomo as ct

PIXEL = 0.05


def places(count, pixel=PIXEL):
    """Centres of pixels around 0."""
    return (np.arange(count) - (count - 1) / 2) * pixel


def scan(values, x, z=(0.0,), pixel=PIXEL):
    """Line integrals, by angle, row and column, as projections."""
    array = np.asarray(values, np.float32)
    return ct.volume(array, pixel, origin=(z[0], x[0]), dims=("angle", "z", "x"))


def ellipse(angles_deg, x, y0, x0, axes, turned_deg=0.0):
    """Line integrals through an ellipse of attenuation 1 / µm: semi-axes along x and y, then turned."""
    turn = np.deg2rad(np.asarray(angles_deg))[:, None]
    away = x - (x0 * np.cos(turn) + y0 * np.sin(turn))
    a, b = axes
    own = turn - np.deg2rad(turned_deg)
    half2 = (a * np.cos(own)) ** 2 + (b * np.sin(own)) ** 2
    return (2 * a * b * np.sqrt(np.maximum(half2 - away**2, 0)) / half2)[:, None]


def disc(angles_deg, x, y0, x0, radius):
    return ellipse(angles_deg, x, y0, x0, (radius, radius))


def ball(angles_deg, z, x, centre, radius, source_um=None, source_z_um=0.0):
    """Line integrals 2 √(r² − d²) through a ball at (z, y, x), from a source or in a parallel beam."""
    turn = np.deg2rad(np.asarray(angles_deg))[:, None, None]
    z0, y0, x0 = centre
    u, w = x0 * np.cos(turn) + y0 * np.sin(turn), y0 * np.cos(turn) - x0 * np.sin(turn)
    across, up = np.meshgrid(x, z)
    if source_um is None:
        distance2 = (across - u) ** 2 + (up - z0) ** 2
    else:  # along u, w, z from the source to the pixel at the axis, and to the ball
        ray = np.stack([across, np.full_like(across, -source_um), up - source_z_um])
        ray /= np.linalg.norm(ray, axis=0)
        to = np.stack([u, w - source_um, np.full_like(u, z0 - source_z_um)])
        along = (ray[:, None] * to).sum(axis=0)
        distance2 = (to**2).sum(axis=0) - along**2
    return 2 * np.sqrt(np.maximum(radius**2 - distance2, 0))


def distance(volume, y0, x0, z0=None):
    """Distance of each voxel from a point, or from a line along z, in the order z, y, x."""
    square = (volume.y - y0) ** 2 + (volume.x - x0) ** 2
    if z0 is not None:
        square = square + (volume.z - z0) ** 2
    return np.sqrt(square.broadcast_like(volume).transpose("z", "y", "x").values)


def centroid(volume):
    """Mean position z, y, x of what is more than a tenth of the largest value."""
    kept = volume.where(volume > 0.1 * volume.max(), 0.0)
    return [float((kept * kept[d]).sum() / kept.sum()) for d in ("z", "y", "x")]
