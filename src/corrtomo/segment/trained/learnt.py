"""What a trained classifier says of itself."""

from __future__ import annotations

from typing import Any

import pandas as pd
import xarray as xr

from .model import Model
from .settings import Settings


class Learnt:
    """Settings, and a model once there is one: classes, what it goes by, and what was painted for it."""

    _settings: Settings
    _model: Model | None

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of what is painted, in the order of the codes."""
        return self._settings.classes.names

    @property
    def classifier(self) -> Any:
        """The fitted classifier of scikit-learn."""
        return self._fitted("give its classifier").classifier

    def __repr__(self) -> str:
        state = "not fitted" if self._model is None else f"{len(self._model.scribbles.codes)} painted pixels"
        return f"<PixelClassifier {list(self.classes)}: {state}>"

    def importances(self) -> pd.DataFrame:
        """Tell what the forest goes by: each feature's share of what the splits achieve.

        Returns
        -------
        pandas.DataFrame
            ``channel``, ``feature``, ``scale_um``, ``importance`` and ``in_words``, the most important first;
            the importances have the sum 1.

        Raises
        ------
        RuntimeError
            If nothing has been learnt yet.
        TypeError
            If the classifier has no importances.

        Notes
        -----
        Counts how much purer the training pixels become at the splits by a feature. Misleads where features
        say the same, as neighbouring scales do: they share what one of them would have alone. It favours
        features with many values, and knows nothing of pixels that were not painted. To learn what a channel
        or a scale is worth, train without it and compare.
        """
        return self._fitted("give importances").importances()

    def scribbles(self, image: xr.DataArray) -> xr.DataArray:
        """Paint anew what the model was trained on.

        Parameters
        ----------
        image : xarray.DataArray
            The training image, with or without channels; the model holds places, no grey values.

        Returns
        -------
        xarray.DataArray
            ``uint8`` scribbles on its grid.

        Raises
        ------
        RuntimeError
            If nothing has been learnt yet.
        ValueError
            If the image has another size than the one trained on.
        """
        return self._fitted("paint its scribbles").scribbles.on(image, self._settings.classes)

    def _fitted(self, doing: str) -> Model:
        if self._model is None:
            raise RuntimeError(
                f"Cannot {doing}: this pixel classifier has learnt nothing yet. "
                "Call model.fit(image, scribbles) first, or PixelClassifier.load(path)."
            )
        return self._model
