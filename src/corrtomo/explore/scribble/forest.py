"""The random forest behind the scribble explorer: with a kernel it is trained when the page asks for it."""

from __future__ import annotations

from typing import Any

import numpy as np
import traitlets

from ...segment import PixelClassifier
from ..explorer import pack, unpack
from .scribbled import Scribbled
from .scribbling import margin_of

_MARGIN = 128
"""Pixels around the crop that are segmented with it, so that its border is that of no image."""


class Forest(Scribbled):
    """A forest trained on the scribbles of an explorer, for the page to show; mixed into the explorer.

    The page raises `request`; the kernel trains at once, in the thread that heard it, and answers with
    `forest` (codes of the classes on the crop) or with `trouble` (what cannot be trained, in words).
    """

    live = traitlets.Bool(True).tag(sync=True)
    classifier = traitlets.Enum(["discriminant", "forest"], "discriminant").tag(sync=True)
    request = traitlets.Int(0).tag(sync=True)
    training = traitlets.Bool(False).tag(sync=True)
    trouble = traitlets.Unicode().tag(sync=True)
    forest = traitlets.Bytes().tag(sync=True)
    seed = traitlets.Int(0)

    def train_forest(self) -> PixelClassifier:
        """Train the random forest on the whole image's scribbles, show what it finds, and return it.

        Raises
        ------
        ValueError
            If a class is not painted, as :meth:`corrtomo.segment.PixelClassifier.fit` says.
        """
        merge = dict(zip(self.known.names, self.known.merged, strict=True))
        model = PixelClassifier(self.known.names, merge=merge, seed=self.seed)
        model.fit(self.grid, self.scribbles)
        image, inner = margin_of(self.grid, (self._rows, self._columns), _MARGIN)
        codes = self.known.table(merged=False)
        number = np.zeros(codes.max() + 1, np.uint8)
        number[codes] = np.arange(len(codes))
        found = number[model.predict(image, merged=False).values[inner]]
        with self.hold_trait_notifications():  # who hears of one sees all three
            self.trouble, self.classifier, self.forest = "", "forest", pack(found)
        return model

    @traitlets.observe("request")
    def _train_for_page(self, change: Any) -> None:
        """Train as the page asks; what cannot be trained is said on the page, everything else is raised."""
        self.training = True
        try:
            self.train_forest()
        except (ValueError, TypeError) as error:
            self.trouble = str(error)
        finally:
            self.training = False

    def _found(self) -> np.ndarray | None:
        """Return what the forest found on the crop, class by number; None where it is not asked."""
        if self.classifier != "forest" or not self.forest:
            return None
        return unpack(self.forest).reshape(self.shape[1:])
