"""What a catalogue refuses to take."""

from __future__ import annotations

import re
from collections.abc import Mapping
from numbers import Real
from typing import Any

from ..checks import is_finite
from ..volume import CHANNEL, check_image
from .parquet import ADDED, ENTRY, INNER, MEASUREMENT

SOURCES = ("measured", "digital twin", "schematic")
_KIND = re.compile(r"[a-z][a-z0-9-]{0,62}")
_LONGEST = 4000  # characters of a text


def check_given(image: Any, given: Mapping[str, Any], *, kind: str | None, source: str | None) -> str:
    """Refuse what is no image, and facts of it that say nothing; return its kind."""
    check_image(image)
    for what, text in given.items():
        if text is not None or what != "licence":
            check_text(what, text)
    if source is not None and source not in SOURCES:
        raise ValueError(
            f"Cannot add an image with source {source!r}: a reader must know what is real. "
            f"Allowed are {', '.join(map(repr, SOURCES))}. Pass one of them, or leave source out."
        )
    for what, text in (("the name", image.name), *_channels(image)):
        check_letters(what, text)
    found = kind if kind is not None else ("labels" if "phases" in image.attrs else "image")
    if not isinstance(found, str) or not _KIND.fullmatch(found):
        raise ValueError(
            f"Cannot add an image of kind {kind!r}: one word in lower case is needed. "
            "Pass for instance 'image', 'labels' or 'section'."
        )
    return found


def check_text(what: str, text: Any) -> None:
    """Refuse what is no text, or an empty one."""
    if not isinstance(text, str) or not text.strip():
        raise TypeError(
            f"Cannot add to a catalogue with {what}={text!r}: whoever finds it later must know. "
            f"A text is needed. Say it with {what}='...'."
        )
    if len(text) > _LONGEST or "\0" in text:
        raise ValueError(
            f"Cannot add to a catalogue with {what} of {len(text)} characters, or a zero in it: at most "
            f"{_LONGEST} are allowed. Shorten it; a file can lie beside the catalogue."
        )

    check_letters(what, text)


def check_letters(what: str, text: Any) -> None:
    """Refuse half a character, which Parquet cannot keep."""
    if isinstance(text, str) and text != text.encode(errors="ignore").decode():
        raise ValueError(
            f"Cannot add to a catalogue with {what} {text[:60]!r}: half a character is in it, which no file "
            "keeps. Letters of UTF-8 are needed. Write it anew; it may come from a file read as text."
        )


def _channels(image: Any) -> list[tuple[str, Any]]:
    named = CHANNEL in image.dims and CHANNEL in image.coords
    return [("the channel", name) for name in image[CHANNEL].values.tolist()] if named else []


def check_measurements(measurements: Any) -> dict[str, float]:
    """Refuse names that no column can have, and what is no finite number; return floats by name."""
    if measurements is None:
        return {}
    if not isinstance(measurements, Mapping):
        raise TypeError(
            f"Cannot add measurements from a {type(measurements).__name__}: numbers by name are needed. "
            "Pass a dict, for instance {'kappa': 0.93, 'd50_um': 4.1}, or series.to_dict()."
        )
    taken = {*ENTRY, *INNER, *ADDED}
    for name, value in measurements.items():
        if not isinstance(name, str) or not MEASUREMENT.fullmatch(name) or name in taken:
            why = "the table has a column of its own of that name" if name in taken else "it is no name"
            raise ValueError(
                f"Cannot add the measurement {name!r}: {why}. Lower-case letters, digits and _ are allowed, "
                "a letter first, with the unit. Name it for instance 'd50_um'."
            )
        if isinstance(value, bool) or not isinstance(value, Real):
            raise TypeError(
                f"Cannot add the measurement {name!r} of {value!r}: a number is needed. "
                "Pass a float, for instance float(value)."
            )
        if not is_finite(value):
            raise ValueError(
                f"Cannot add the measurement {name!r} of {value!r}: it must be finite. "
                "Leave out what could not be measured."
            )
    return {name: float(value) for name, value in measurements.items()}
