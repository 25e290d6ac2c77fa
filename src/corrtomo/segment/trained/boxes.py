"""Scribbles from rectangles."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from ...volume import check_image
from .classes import NOT_PAINTED, Classes, name_of
from .scribbles import one_channel

_COLUMNS = ("y", "x", "height", "width")


def boxes(table: pd.DataFrame, image: xr.DataArray, classes: Any) -> xr.DataArray:
    """Paint rectangles as scribbles, for a classifier to learn from.

    A published image of a platinum-filled electrode comes with one hand-drawn box for each class; a box is
    the quickest label there is.

    Parameters
    ----------
    table : pandas.DataFrame
        One rectangle a row: ``class``, a name or a :class:`corrtomo.Phase`; ``y`` and ``x``, the first pixel;
        ``height`` and ``width``, all in pixels.
    image : xarray.DataArray
        The image that the rectangles were drawn on, dims y, x with or without ``channel``.
    classes : sequence of str or Phase
        Names in the order of their codes, as for :class:`PixelClassifier`.

    Returns
    -------
    xarray.DataArray
        ``uint8`` on the grid of the image: the place of the class among `classes`, 255 where there is no box.
        ``attrs["classes"]`` maps names to codes.

    Raises
    ------
    TypeError
        If `table` is not a table.
    ValueError
        If a column is missing, a class is unknown, a box is not in whole pixels or leaves the image, or two
        boxes of different classes overlap.

    Notes
    -----
    Misleads where boxes hold more than one phase: what is in a box is believed. Boxes avoid the borders
    between phases, and a classifier that never saw a border may be wrong there.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> import corrtomo as ct
    >>> image = ct.volume(np.zeros((2, 5)), 0.02)
    >>> table = pd.DataFrame({"class": ["pore", "binder"], "y": 0, "x": [0, 3], "height": 2, "width": [1, 2]})
    >>> ct.segment.boxes(table, image, ("binder", "pore")).values[0]
    array([  1, 255, 255,   0,   0], dtype=uint8)
    """
    check_image(image, ndim=(2,))
    _check_columns(table)
    names = Classes.of(classes, None).names
    plain = one_channel(image)
    painted = np.full(plain.shape, NOT_PAINTED, np.uint8)
    for row, (name, box) in enumerate(zip(table["class"], table[list(_COLUMNS)].to_numpy(), strict=True)):
        if name_of(name) not in names:
            raise ValueError(
                f"Cannot paint the box in row {row}: its class {name!r} is none of {list(names)}. "
                "Correct the name, or add it to the classes."
            )
        part = painted[_inside(box, plain.shape, row)]
        code = names.index(name_of(name))
        if ((part != NOT_PAINTED) & (part != code)).any():
            raise ValueError(
                f"Cannot paint the box in row {row}: it overlaps a box of another class than {name!r}. "
                "A pixel has one class. Draw the boxes apart."
            )
        part[...] = code
    out = plain.copy(data=painted)
    out.attrs, out.name = {"classes": {n: k for k, n in enumerate(names)}}, "scribbles"
    return out


def _check_columns(table: Any) -> None:
    if not isinstance(table, pd.DataFrame):
        raise TypeError(
            f"Cannot paint boxes from a {type(table).__name__}: a pandas.DataFrame with the columns class, "
            "y, x, height and width is needed. Make one with pandas.DataFrame(...)."
        )
    missing = [c for c in ("class", *_COLUMNS) if c not in table]
    if missing or not len(table):
        raise ValueError(
            f"Cannot paint boxes from a table of {len(table)} rows with the columns {list(table.columns)}: "
            f"one row or more is needed, with class, y, x, height and width in pixels. Missing are {missing}."
        )


def _inside(box: Any, shape: tuple[int, ...], row: int) -> tuple[slice, slice]:
    """Return the pixels of a box; refuse one that is not wholly in the image."""
    try:
        numbers = np.asarray(box, float)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"Cannot paint the box in row {row}: y, x, height, width {list(box)} are not numbers. "
            "Whole pixels are needed."
        ) from error
    y, x, height, width = numbers
    whole = np.isfinite(numbers).all() and (numbers == np.round(numbers)).all()
    if not whole or min(y, x) < 0 or min(height, width) < 1 or y + height > shape[0] or x + width > shape[1]:
        raise ValueError(
            f"Cannot paint the box in row {row}: y, x, height, width {numbers.tolist()} are not whole pixels "
            f"within the image of {shape[0]} × {shape[1]}. Boxes count from 0 and have one pixel or more."
        )
    return slice(int(y), int(y + height)), slice(int(x), int(x + width))
