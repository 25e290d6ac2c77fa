"""What every explorer has in common: one ES module, two hosts, and a picture where neither runs.

With a kernel an explorer is a Jupyter widget. On the static website (``CORRTOMO_STATIC`` is set while the
book is built) it is a ``<div>`` with its state as JSON and a picture inside; ``static-host.js`` mounts the
same module there. A new explorer is a room with one ``.py``, in it a subclass of :class:`Explorer`, and one
``.js`` of the same name that imports from ``../explorer.js`` and exports ``{render}``; what it needs more
stands beside it. Explorers that compare with a truth take their numbers from ``comparison``.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import anywidget
import numpy as np
import xarray as xr

from ..show import Figure
from ..show.figure import is_static as is_static

HERE = Path(__file__).resolve().parent
STYLE = (HERE / "explorer.css").read_text(encoding="utf-8")
_IMPORT = re.compile(r'^import \{[^}]*\} from "(\.{1,2}/[\w/]+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=const|function|async)", re.MULTILINE)


def source(module: str) -> Path:
    """Return the file of an explorer's module: the one ``.js`` of that name in any of the rooms."""
    found = sorted(HERE.rglob(f"{module}.js"))
    if len(found) != 1:
        raise ValueError(
            f"Cannot find the module {module!r}: there are {len(found)} files {module}.js in {HERE}."
        )
    return found[0]


def bundle(module: str) -> str:
    """Join the modules that an explorer imports and its own into the one ES module that both hosts run."""
    own, modules = source(module), dict[Path, str]()
    _collect(own, modules)
    if HERE / "explorer.js" not in modules:
        imported = sorted(path.stem for path in modules if path != own)
        raise ValueError(
            f"Cannot join {module}.js: it imports {imported}, and not 'explorer.js'. "
            'Import from it what explorers share: import { frame } from "../explorer.js";'
        )
    text = modules.pop(own)
    return "\n".join([*(_EXPORT.sub("", shared) for shared in modules.values()), text])


def _collect(path: Path, modules: dict[Path, str]) -> None:
    """Add a module after those it imports, each once."""
    text = path.read_text(encoding="utf-8")
    for needed in _IMPORT.findall(text):
        if (path.parent / needed).resolve() not in modules:
            _collect((path.parent / needed).resolve(), modules)
    modules[path] = _IMPORT.sub("", text)


def pack(values: np.ndarray) -> bytes:
    """Pack bytes for the page: gzip, the same each time."""
    return gzip.compress(np.ascontiguousarray(values, np.uint8).tobytes(), mtime=0)


def unpack(packed: bytes) -> np.ndarray:
    """Return the bytes that :func:`pack` packed, as one row."""
    return np.frombuffer(gzip.decompress(packed), np.uint8)


def excerpt(images: Sequence[xr.DataArray], *, most_bytes: int) -> tuple[list[np.ndarray], list[int], str]:
    """Choose what of large volumes a page holds: every slice, some slices, or the middle of one.

    Parameters
    ----------
    images : sequence of xarray.DataArray
        8-bit images or labels on one grid, 2D or 3D.
    most_bytes : int
        Bytes of all of them together, before they are packed.

    Returns
    -------
    arrays : list of numpy.ndarray
        Dims z, y, x (z of length 1 for 2D images).
    numbers : list of int
        Which slices they are.
    note : str
        What is left out, in words; empty where nothing is.
    """
    first = images[0]
    depth = first.shape[0] if first.ndim == 3 else 1
    rows, columns = first.shape[-2:]
    shrink = min(1.0, (most_bytes / (len(images) * rows * columns)) ** 0.5)
    height, width = int(rows * shrink), int(columns * shrink)
    top, left = (rows - height) // 2, (columns - width) // 2
    kept = max(1, min(depth, most_bytes // (len(images) * height * width)))
    numbers = [int((i + 0.5) * depth / kept) for i in range(kept)]
    window = (slice(top, top + height), slice(left, left + width))
    stacks = [image.data if image.ndim == 3 else image.data[None] for image in images]
    arrays = [np.asarray(stack[numbers][:, *window]) for stack in stacks]
    what = []
    if kept < depth:
        what.append(f"{kept} of {depth} slices" if kept > 1 else f"one of {depth} slices")
    if shrink < 1:
        what.append(f"the middle {width} × {height} of {columns} × {rows} pixels")
    note = f"The picture holds {', '.join(what)}; all numbers are those of the whole volume." if what else ""
    return arrays, numbers, note


class Explorer(anywidget.AnyWidget):
    """Base of all explorers; a subclass names its `module` and its traits and draws its `picture`."""

    module: ClassVar[str]

    def picture(self) -> Figure:
        """Draw the explorer as it stands: what is printed, and what is shown without JavaScript."""
        raise NotImplementedError

    def state(self) -> dict[str, Any]:
        """Return the state that the page needs: the synced traits, bytes as base64."""
        inherited = anywidget.AnyWidget.class_traits()
        names = [name for name in self.traits(sync=True) if name[0] != "_" and name not in inherited]
        return {name: _plain(getattr(self, name)) for name in sorted(names)}

    def open(self) -> None:
        """Tell the kernel's front end of the widget; on the static website there is none."""
        if not is_static():
            super().open()

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        if is_static():
            return {"text/html": self._html(), "text/plain": repr(self)}
        return super()._repr_mimebundle_(**kwargs)

    def _html(self) -> str:
        version = hashlib.sha256(bundle(self.module).encode()).hexdigest()[:12]
        # In a script, "</" would end it, and "<!--" with "<script" after it hides its end.
        state = json.dumps(self.state(), separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")
        fallback = self.picture().html(css_class="ct-fallback", dpi=120)
        return (
            f'<div class="ct-explorer" data-module="{self.module}" data-version="{version}">{fallback}'
            f'<script type="application/json">{state}</script></div>'
        )


def _plain(value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        return {"base64": base64.b64encode(value).decode()}
    return value
