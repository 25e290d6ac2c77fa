"""Spirals whose every place is known: bands of a given width, wound from one angle to another."""

import numpy as np
from scipy import special

import corrtomo as ct

PIXEL = 20.0


def cell(
    n=301,
    *,
    pitch=12.0,
    width=5.0,
    inner=30.0,
    turns=8.0,
    sense=1,
    arms=1,
    oval=0.0,
    blur=0.8,
    noise=0.0,
    seed=0,
    slices=None,
    can=0.0,
    start=0.3,
    balls=(),
    centre=(0.0, 0.0),
    rings=False,
):
    """Return grey values, 0 and 100, of a wound band, and the radius of its middle at a winding angle.

    Lengths are in pixels; `oval` is the amplitude of a wave of two periods a turn; `balls` are (winding in
    turns, height of the ball's centre above the middle, radius, z) of spheres of the band's grey value.
    """
    y, x = np.mgrid[:n, :n] - (n - 1) / 2
    y, x = y - centre[0], x - centre[1]
    radius, angle = np.hypot(y, x), np.mod(sense * np.arctan2(y, x), 2 * np.pi)

    def middle(winding):
        return inner + pitch * (0 if rings else winding) + oval * np.cos(4 * np.pi * winding)

    share = angle / (2 * np.pi)
    level = (radius - middle(share)) / pitch
    grey = np.zeros((n, n))
    for turn in range(int(np.ceil(turns)) + 1):
        for arm in range(arms):
            off = (level - turn - arm / arms) * pitch
            wound = turn + share
            band = _half(off + width / 2, blur) - _half(off - width / 2, blur)
            along = (wound - start) * 2 * np.pi * radius, (start + turns - wound) * 2 * np.pi * radius
            grey += band * (1.0 if rings else _half(along[0], blur) * _half(along[1], blur))
    outer = middle(start + turns) + pitch
    if can:
        grey += can * (_half(radius - outer, blur) - _half(radius - outer - 6, blur))
    grey = grey[None] if slices is None else np.repeat(grey[None], slices, axis=0)
    z = np.arange(len(grey))[:, None, None]
    for winding, above, size, place in balls:
        at = middle(winding) + above
        down, right = at * np.sin(2 * np.pi * winding) * sense, at * np.cos(2 * np.pi * winding)
        away = np.sqrt((y - down) ** 2 + (x - right) ** 2 + (z - place) ** 2)
        grey = np.maximum(grey, _half(size - away, blur))
    grey = 100 * grey + noise * np.random.default_rng(seed).standard_normal(grey.shape)
    image = ct.volume(grey[0] if slices is None else grey, PIXEL)
    return image, middle


def _half(distance, blur):
    return special.ndtr(distance / blur)


def error(found, middle, *, name="radius_um", off=0.0, layer=0, pitch=12.0, arms=1):
    """Return by how many pixels traced places are off the nearest true turn, dims z, turn, angle.

    Places are compared, for the centre that was found need not be that of the formula. `off` is the distance
    of the edge from the middle of the band.
    """
    radius = found[name].isel(layer=layer).values
    angle = found.attrs["sense"] * found.angle.values
    y = (found.attrs["centre_y_um"] + radius * np.sin(angle)) / PIXEL
    x = (found.attrs["centre_x_um"] + radius * np.cos(angle)) / PIXEL
    middle_y, middle_x = found.attrs["true_centre"]
    y, x = y - middle_y, x - middle_x
    share = np.mod(found.attrs["sense"] * np.arctan2(y, x), 2 * np.pi) / (2 * np.pi)
    level = (np.hypot(y, x) - off - middle(share)) / pitch * arms
    return (level - np.rint(level)) * pitch / arms


def traced(image, **options):
    """Trace layers, and remember where the middle of the image is."""
    found = ct.segment.layers(image, progress=False, **options)
    found.attrs["true_centre"] = (image.sizes["y"] - 1) / 2, (image.sizes["x"] - 1) / 2
    return found
