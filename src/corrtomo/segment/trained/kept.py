"""A trained classifier as a file, and back."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Self

from .learnt import Learnt
from .model import Model
from .model_file import damaged, read_model, write_model
from .settings import as_parts


class Kept(Learnt):
    """A classifier that is kept in a file which holds no code."""

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write the model to a file that holds no code.

        The file of skops, by custom ``name.skops``, holds the trees, the settings, the classes, the
        scribbles, the seed, and the versions of what made it, but no image and no date.

        Parameters
        ----------
        path : path
            Where to write.
        overwrite : bool
            Replace a file of that name.

        Raises
        ------
        RuntimeError
            If nothing has been learnt yet.
        FileExistsError, FileNotFoundError
            If the file exists, or its folder does not.
        """
        model = self._fitted("be saved")
        write_model({"settings": as_parts(self._settings), "model": model.parts()}, path, overwrite=overwrite)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, trusted: Sequence[str] = ()) -> Self:
        """Read a model that :meth:`save` wrote; nothing in the file is run.

        Parameters
        ----------
        path : path
            The file.
        trusted : sequence of str
            Types that may be made though skops does not know them to be safe, for a classifier of your own:
            those of other libraries, and ``sklearn.tree._tree.Tree`` within other classifiers than a forest.

        Returns
        -------
        PixelClassifier
            Ready to predict, and to be fitted anew.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If it is no model, is damaged, is of a later format, or holds types that are not trusted.

        Notes
        -----
        Of the types that skops does not trust one is made unasked, the tree of scikit-learn: it runs no code,
        but its numbers are followed unchecked. They are all checked here, for forests and single trees.
        """
        parts = read_model(path, trusted)
        try:
            made = cls(**parts["settings"])
            made._model = Model.of(parts["model"], made._settings)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise damaged(path, error) from error
        return made
