"""What training leaves behind, and what it says of an image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from ...phases import Phase
from ...volume import CHANNEL, voxel_size
from .classes import Classes
from .features import FilterBank
from .forest import Voter, voter
from .image_checks import (
    channel_names,
    check_fits,
    check_large_enough,
    check_not_copies,
    check_parted,
    check_picture,
)
from .model_file import versions
from .prediction import Labels, Shares, predicted
from .scribbles import Scribbles, check_painted, one_channel
from .settings import Settings
from .training import feature_matrix, fitted, painted_values, warn_of_saturation
from .tree_checks import check_trees, is_checked


@dataclass(frozen=True)
class Model:
    """What training leaves behind."""

    bank: FilterBank
    voxel_um: tuple[float, ...]
    dtype: np.dtype[Any]
    classifier: Any
    voter: Voter
    scribbles: Scribbles
    versions: dict[str, str]

    def parts(self) -> dict[str, Any]:
        """Return plain values and arrays, and the classifier."""
        return {
            "channels": list(self.bank.channels),
            "scales_um": list(self.bank.scales_um),
            "features": list(self.bank.kinds),
            "shift": list(self.bank.shift),
            "pixel_size_um": list(self.voxel_um),
            "dtype": self.dtype.str,
            "classifier": self.classifier,
            "places": self.scribbles.places,
            "codes": self.scribbles.codes,
            "shape": list(self.scribbles.shape),
            "versions": self.versions,
        }

    @classmethod
    def of(cls, parts: dict[str, Any], settings: Settings) -> Model:
        """Put the parts together again; refuse what does not fit together."""
        voxel_um = tuple(float(edge) for edge in parts["pixel_size_um"])
        names = ("channels", "scales_um", "features", "shift")
        bank = FilterBank(len(voxel_um), *(tuple(parts[name]) for name in names))
        scribbles = Scribbles(parts["places"], parts["codes"], tuple(parts["shape"]))
        classifier, classes = parts["classifier"], len(settings.classes.names)
        if bank.kinds != settings.kinds or len(bank.shift) != len(bank.channels):
            raise ValueError("its features are not those of its settings")
        if list(classifier.classes_) != list(range(classes)) or scribbles.codes.max() >= classes:
            raise ValueError(f"its classes are not the {classes} of its settings")
        if is_checked(classifier):
            check_trees(classifier, len(bank.columns), classes)
        elif classifier.n_features_in_ != len(bank.columns):
            raise ValueError(f"its classifier is not for {len(bank.columns)} features")
        made = (bank, voxel_um, np.dtype(parts["dtype"]), classifier, voter(classifier), scribbles)
        return cls(*made, dict(parts["versions"]))

    def check(self, image: Any, tolerance: float) -> None:
        """Refuse an image that is not like the one trained on."""
        check_picture(image, doing="segment")
        voxel_um = voxel_size(image)
        check_fits(image, voxel_um, self.bank, self.voxel_um, self.dtype, tolerance)
        check_large_enough(image, self.bank, voxel_um)

    def labels(self, image: xr.DataArray, classes: Classes, *, merged: bool, progress: bool) -> xr.DataArray:
        """Return the code of the best class of each voxel."""
        vote = Labels(self.voter, classes.table(merged=merged))
        data = predicted(image, self.bank, voxel_size(image), vote, progress=progress)
        out = one_channel(image).copy(data=data)
        phases = {p.name: int(p) for p in Phase} if classes.are_phases(merged=merged) else {}
        out.attrs, out.name = {"phases": phases, "classes": classes.codes(merged=merged)}, "segmentation"
        return out

    def shares(self, image: xr.DataArray, classes: Classes, *, merged: bool, progress: bool) -> xr.DataArray:
        """Return the share of each class in each voxel."""
        vote = Shares(self.voter, classes.places(merged=merged))
        data = predicted(image, self.bank, voxel_size(image), vote, progress=progress)
        plain = one_channel(image)
        coords = {CHANNEL: classes.results(merged=merged), **plain.coords}
        return xr.DataArray(data, dims=(CHANNEL, *plain.dims), coords=coords, name="share of the votes")

    def importances(self) -> pd.DataFrame:
        """Return the importance of each column, the largest first."""
        found = getattr(self.classifier, "feature_importances_", None)
        if found is None:
            raise TypeError(
                f"Cannot give importances of a {type(self.classifier).__name__}: it has none of its own. "
                "Forests have; for others use sklearn.inspection.permutation_importance()."
            )
        table = pd.DataFrame(
            [(c.channel, c.kind, c.scale_um, c.in_words) for c in self.bank.columns],
            columns=["channel", "feature", "scale_um", "in_words"],
        )
        table.insert(3, "importance", np.asarray(found, float))
        return table.sort_values("importance", ascending=False, kind="stable", ignore_index=True)


@contextmanager
def _naming(k: int, count: int) -> Iterator[None]:
    """Say which of several images a refusal is about."""
    try:
        yield
    except (TypeError, ValueError) as error:
        if count == 1:
            raise
        raise type(error)(f"Image {k + 1} of {count}: {error}") from error


def train(
    settings: Settings, images: Sequence[xr.DataArray], scribbles: Sequence[xr.DataArray], *, progress: bool
) -> Model:
    """Fit the classifier to what is painted on one image, or on several alike."""
    alone, each = len(images) == 1, []
    for k, image in enumerate(images):
        with _naming(k, len(images)):
            check_picture(image, doing="train on")
    first = images[0]
    voxel_um = voxel_size(first)
    bank = FilterBank(len(voxel_um), channel_names(first), settings.scales(voxel_um), settings.kinds)
    for k, (image, painted) in enumerate(zip(images, scribbles, strict=True)):
        own = voxel_size(image)
        with _naming(k, len(images)):
            check_fits(image, own, bank, voxel_um, first.dtype, settings.tolerance, doing="train on it")
            check_large_enough(image, bank, own)
            each.append(Scribbles.of(painted, image, settings.classes, complete=alone))
    joined = Scribbles.joined(each)
    check_painted(joined.codes, settings.classes, complete=True)
    values = np.concatenate([painted_values(*pair) for pair in zip(images, each, strict=True)])
    check_not_copies(values, doing="train on")
    if settings.classifier is None:
        check_parted(values, doing="train on")
    warn_of_saturation(values, joined.codes, settings.classes)
    bank = bank.shifted(values.astype(np.float64).mean(axis=0))
    matrix = np.concatenate(
        [
            feature_matrix(image, some, bank, voxel_size(image), progress=progress)
            for image, some in zip(images, each, strict=True)
        ]
    )
    classifier = fitted(settings, matrix, joined.codes)
    return Model(bank, voxel_um, first.dtype, classifier, voter(classifier), joined, versions())
