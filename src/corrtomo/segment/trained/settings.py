"""What a pixel classifier is set to, checked once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np

from ...checks import check_length
from .classes import Classes
from .derived import KINDS

_DEFAULT_SCALES = (1, 2, 4, 8, 16)  # in finest voxel edges


@dataclass(frozen=True)
class Settings:
    """All that, with an image and scribbles, makes a model."""

    classes: Classes
    scales_um: tuple[float, ...] | None
    kinds: tuple[str, ...]
    classifier: Any
    trees: int
    seed: int
    tolerance: float

    def scales(self, voxel_um: tuple[float, ...]) -> tuple[float, ...]:
        """Return the scales in µm, by default counted in voxels of the training image."""
        if self.scales_um is not None:
            return self.scales_um
        return tuple(float(n * min(voxel_um)) for n in _DEFAULT_SCALES)


def make_settings(
    classes: Any,
    merge: Mapping[str, str] | None,
    scales_um: Any,
    features: Any,
    classifier: Any,
    trees: Any,
    seed: Any,
    tolerance: Any,
) -> Settings:
    """Refuse settings that make no model."""
    for value, what, least in ((trees, "trees", 1), (seed, "seed", 0)):
        if isinstance(value, bool) or not isinstance(value, Integral) or not least <= int(value) < 2**32:
            raise ValueError(
                f"Cannot make a pixel classifier with {what} {value!r}: a whole number from {least} is "
                f"needed. Leave it out for the default."
            )
    number = isinstance(tolerance, Real) and not isinstance(tolerance, bool | np.bool_)
    if not number or not 0 <= float(tolerance) < 1:
        raise ValueError(
            f"Cannot make a pixel classifier with pixel_size_tolerance {tolerance!r}: a share from 0 to "
            "below 1 is needed, for instance 0.05 for 5 %."
        )
    return Settings(
        Classes.of(classes, merge),
        _scales(scales_um),
        _kinds(features),
        _usable(classifier),
        int(trees),
        int(seed),
        float(tolerance),
    )


def as_parts(settings: Settings) -> dict[str, Any]:
    """Return the settings as the arguments that make them."""
    classes = settings.classes
    return {
        "classes": list(classes.names),
        "merge": {a: b for a, b in zip(classes.names, classes.merged, strict=True) if a != b},
        "scales_um": None if settings.scales_um is None else list(settings.scales_um),
        "features": list(settings.kinds),
        "classifier": settings.classifier,
        "trees": settings.trees,
        "seed": settings.seed,
        "pixel_size_tolerance": settings.tolerance,
    }


def _scales(scales_um: Any) -> tuple[float, ...] | None:
    if scales_um is None:
        return None
    values = list(scales_um) if np.ndim(scales_um) else [scales_um]
    for value in values:
        check_length(value, "scale", doing="make a pixel classifier")
    if not values:
        raise ValueError(
            "Cannot make a pixel classifier with scales_um=(): one scale or more is needed. "
            "Leave it out for 1, 2, 4, 8 and 16 voxels."
        )
    return tuple(sorted({float(v) for v in values}))


def _kinds(features: Any) -> tuple[str, ...]:
    chosen = [features] if isinstance(features, str) else list(features)
    unknown = [f for f in chosen if f not in KINDS]
    if unknown or not chosen:
        raise ValueError(
            f"Cannot make a pixel classifier with features {tuple(chosen)}: one or more of {KINDS} are needed"
            f"{f', and {unknown[0]!r} is none of them' if unknown else ''}. Leave it out for all."
        )
    return tuple(kind for kind in KINDS if kind in chosen)


def _usable(classifier: Any) -> Any:
    if isinstance(classifier, type) or (
        classifier is not None
        and not all(hasattr(classifier, name) for name in ("fit", "predict_proba", "get_params"))
    ):
        raise TypeError(
            f"Cannot train {classifier!r}: a classifier in the manner of scikit-learn is needed, made but "
            "not fitted, with fit and predict_proba. Pass for instance "
            "sklearn.ensemble.ExtraTreesClassifier(100), or leave it out for a random forest."
        )
    return classifier
