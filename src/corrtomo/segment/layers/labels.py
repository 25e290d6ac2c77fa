"""Traced layers as labels of an image."""

from __future__ import annotations

import numpy as np
import xarray as xr

from .traced import check_belongs, check_layers

_DOING = "draw layers"


def layer_labels(layers: xr.Dataset, onto: xr.DataArray) -> xr.DataArray:
    """Draw traced layers as numbers on the grid of an image.

    Parameters
    ----------
    layers : xarray.Dataset
        From :func:`layers`.
    onto : xarray.DataArray
        The image that was traced, or another on its slices, dims y, x or z, y, x.

    Returns
    -------
    xarray.DataArray
        ``uint8`` on the grid of `onto`: 0 where there is no layer, else 1 + its number. A pixel belongs to
        a layer if its centre lies between the two edges.

    Raises
    ------
    TypeError
        If these are no traced layers and no image.
    ValueError
        If the image is not on the slices of the layers.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> y, x = np.mgrid[-60:61, -60:61] * 1.0
    >>> radius, turn = np.hypot(y, x), np.arctan2(y, x) / (2 * np.pi)
    >>> wave = np.cos(2 * np.pi * (radius / 8 - turn)) * ((radius > 16) & (radius < 52))
    >>> cell = ct.volume(wave, 20.0)
    >>> labels = ct.segment.layer_labels(ct.segment.layers(cell), cell)
    >>> bool((wave[labels.values == 1] > -0.2).mean() > 0.98)
    True
    """
    layers = check_layers(layers, doing=_DOING)
    check_belongs(onto, layers, doing=_DOING)
    y = onto["y"].values[:, None] - layers.attrs["centre_y_um"]
    x = onto["x"].values[None, :] - layers.attrs["centre_x_um"]
    radius = np.hypot(y, x)
    angle = np.mod(layers.attrs["sense"] * np.arctan2(y, x), 2 * np.pi)
    nearest = np.minimum((angle / (2 * np.pi) * layers.sizes["angle"]).astype(int), layers.sizes["angle"] - 1)
    out = np.zeros((layers.sizes["z"], *radius.shape), np.uint8)
    inner, outer = layers["inner_um"].to_numpy(), layers["outer_um"].to_numpy()
    for k in range(len(out)):
        for layer in range(layers.sizes["layer"]):
            for turn in range(layers.sizes["turn"]):
                low, high = inner[k, layer, turn][nearest], outer[k, layer, turn][nearest]
                out[k][(radius >= low) & (radius <= high)] = layer + 1
    data = out if onto.ndim == 3 else out[0]
    return xr.DataArray(data, dims=onto.dims, coords=onto.coords, name="layers")
