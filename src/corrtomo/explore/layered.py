"""What explorers with layers over each other share: which layers they hold, and how one is changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Layers = Sequence[Mapping[str, Any]]


def check_layers(given: Layers, about: Layers) -> None:
    """Refuse layers that are not those that the explorer holds, in their order."""
    names = [layer["name"] for layer in about]
    found = [layer.get("name") if isinstance(layer, Mapping) else layer for layer in given]
    if found != names:
        raise ValueError(
            f"Cannot show the layers {found}: the explorer holds {names}, in this order. Change one with "
            f"explorer.adjust({names[0]!r}, opacity=0.5)."
        )


def check_layer_name(name: Any, about: Layers, *, doing: str) -> None:
    """Refuse what is the name of no layer."""
    names = [layer["name"] for layer in about]
    if not isinstance(name, str) or name not in names:
        raise ValueError(f"Cannot {doing} {name!r}: the layers are {names}. Pass one of them.")


def adjusted(layers: Layers, about: Layers, name: Any, changes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the layers with one of them changed."""
    check_layer_name(name, about, doing="adjust")
    return [{**layer, **changes} if layer["name"] == name else dict(layer) for layer in layers]
