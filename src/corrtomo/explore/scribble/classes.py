"""The classes of scribbles as a page shows them: names, keys and colours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...segment.trained.classes import Classes, phase_of
from ...show.classes import class_colours
from ..comparison import describe_phase

MOST = 8
"""Most classes: each has a key, 1 to 8."""


def check_classes(classes: Any, merge: Mapping[str, str] | None) -> Classes:
    """Refuse classes that :class:`corrtomo.segment.PixelClassifier` refuses, and more than there are keys."""
    found = Classes.of(classes, merge)
    if len(found.names) > MOST:
        raise ValueError(
            f"Cannot paint {len(found.names)} classes: each needs a key, and 2 to {MOST} have one. Bring "
            "some together before you paint."
        )
    if len(found.results(merged=True)) < 2:
        raise ValueError(
            f"Cannot paint classes that are all merged into {found.merged[0]!r}: two results or more are "
            "needed, or there is nothing to tell apart. Leave one class out of merge=."
        )
    return found


def describe_classes(classes: Classes) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return name, short name and colour of each class and of each result, and which result a class is of.

    Examples
    --------
    >>> painted = Classes.of(("binder", "edge", "depth"), {"edge": "pore", "depth": "pore"})
    >>> [(c["name"], c["colour"], c["result"]) for c in describe_classes(painted)[0]]
    [('binder', '#e69f00', 0), ('edge', '#98a6b6', 1), ('depth', '#1b3a5c', 1)]
    """
    merge = dict(zip(classes.names, classes.merged, strict=True))
    colours = class_colours(classes.names, merge)
    places = classes.places(merged=True).tolist()
    painted = [
        {**_words(name, colours[name]), "result": place}
        for name, place in zip(classes.names, places, strict=True)
    ]
    results = class_colours(classes.results(merged=True))
    return painted, [_words(name, colour) for name, colour in results.items()]


def _words(name: str, colour: str) -> dict[str, str]:
    """Return the name as it was given, a short one, and the colour."""
    phase = phase_of(name)
    return {**describe_phase(name if phase is None else phase, ""), "name": name, "colour": colour}
