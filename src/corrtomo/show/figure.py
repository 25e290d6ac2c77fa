"""A figure that can be read: picture, alt text and caption are one thing and cannot be separated."""

from __future__ import annotations

import base64
import html
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import matplotlib.figure
import xarray as xr

from ..volume import voxel_size
from .style import DPI, house_style

Source = Literal["measured", "digital twin", "schematic"]


def is_static() -> bool:
    """Return whether figures are drawn for the static website, where no kernel runs."""
    return bool(os.environ.get("CORRTOMO_STATIC"))


@dataclass(frozen=True, repr=False)
class Figure:
    """A drawn figure with the words that belong to it.

    It shows itself in notebooks and on the website as an HTML ``<figure>``, at twice the resolution of the
    screen. Functions of :mod:`corrtomo.show` return it; nothing is left behind in pyplot.

    Attributes
    ----------
    drawing : matplotlib.figure.Figure
        The drawing itself, for those who want to change a detail.
    alt : str
        What the picture shows, for readers who do not see it.
    caption : str
        What it shows, its source, its voxel size, and the one thing to notice.
    """

    drawing: matplotlib.figure.Figure
    alt: str
    caption: str

    def save(self, path: str | Path, *, dpi: int = 300) -> Path:
        """Write the picture to a file, in the format of its suffix (PNG, SVG, PDF), and return its path."""
        target = Path(path)
        with house_style():
            self.drawing.savefig(target, dpi=dpi)
        return target

    def png(self, dpi: int = DPI) -> bytes:
        """Return the picture as PNG, the same bytes each time it is drawn from the same numbers."""
        buffer = io.BytesIO()
        with house_style():
            self.drawing.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
        return buffer.getvalue()

    def __repr__(self) -> str:
        return f"Figure({self.caption!r})"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/html": self.html(), "text/plain": repr(self)}

    def html(self, *, css_class: str = "ct-figure", dpi: int = DPI) -> str:
        """Return the figure as HTML that needs no other file."""
        width = round(self.drawing.get_figwidth() * DPI / 2)
        image = picture(self.png(dpi), alt=self.alt, width=width)
        words = html.escape(self.caption)
        return f'<figure class="{css_class}">{image}<figcaption>{words}</figcaption></figure>'


def picture(data: bytes, *, alt: str, width: int, kind: str = "png") -> str:
    """Return an ``<img>`` that holds its own bytes, never wider than the page."""
    text = base64.b64encode(data).decode()
    return (
        f'<img alt="{html.escape(alt)}" width="{width}" style="max-width:100%;height:auto" '
        f'src="data:image/{kind};base64,{text}">'
    )


def describe(
    caption: str, images: Sequence[xr.DataArray] = (), *, source: Source, notice: str | None = None
) -> str:
    """Complete a caption with where the data is from, its voxel size, and the one thing to notice.

    Raises
    ------
    ValueError
        If `source` is not one of the three, or a text is empty.
    """
    allowed = get_args(Source)
    if source not in allowed:
        raise ValueError(
            f"Cannot caption a figure with source {source!r}: a reader must know what is real. "
            f"Allowed are {', '.join(map(repr, allowed))}. Pass one of them as source=."
        )
    check_words(caption=caption)
    if notice is not None:
        check_words(notice=notice)
    where = source.capitalize()
    sizes = dict.fromkeys(_voxel_text(image) for image in images)
    if sizes:
        where += f", voxel size {' and '.join(sizes)}"
    parts = [_sentence(caption), f"{where}."]
    return " ".join([*parts, f"Notice: {_sentence(notice)}"] if notice else parts)


def check_words(**texts: str) -> None:
    """Refuse alt texts, captions and notices that are missing."""
    for name, text in texts.items():
        if not isinstance(text, str) or not text.strip():
            raise ValueError(
                f"Cannot draw a figure with {name}={text!r}: it would be silent for some readers. "
                f"A sentence is needed. Say it with {name}='...'."
            )


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _voxel_text(image: xr.DataArray) -> str:
    sizes = [f"{size:.4g}" for size in voxel_size(image)]
    return f"{' × '.join(sizes if len(set(sizes)) > 1 else sizes[:1])} µm"
