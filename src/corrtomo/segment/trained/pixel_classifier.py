"""Segmentation that learns from scribbles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import xarray as xr

from ...phases import Phase
from .derived import KINDS
from .kept import Kept
from .model import train
from .scribbles import check_several
from .settings import make_settings


class PixelClassifier(Kept):
    """Segment images by a classifier that learns from scribbles.

    No pair of thresholds tells three phases apart where two of them meet: the border between the brightest
    and the darkest has the brightness of the third. A classifier sees each pixel together with its
    surroundings, at several scales and in several channels; in the paper it tells binder from platinum-filled
    pores, and learns the dark middle of a pore as a class of its own, which is then made one with its bright
    edge (J. Electrochem. Soc. 169, 070512, "Segmentation").

    Parameters
    ----------
    classes : sequence of str or Phase
        Names of what is painted, in the order of the codes 0, 1, … of the scribbles.
    merge : mapping, optional
        Classes that have another name in the result: ``{"platinum edge": "pore", "platinum depth": "pore"}``.
    scales_um : sequence of float, optional
        Standard deviations in µm of the Gaussians that the image is smoothed with; by default 1, 2, 4, 8 and
        16 of the finest voxel edge of the training image.
    features : sequence of str
        What is read off at each scale: ``intensity``, the smoothed brightness; ``edges``, its steepness;
        ``texture``, the standard deviation around the pixel; ``hessian``, its curvatures, two in 2D and three
        in 3D.
    classifier : optional
        Any classifier of scikit-learn that has ``predict_proba``, not fitted; by default a random forest.
    trees : int
        Number of trees of that forest.
    seed : int
        Fixes the forest, and every ``random_state`` that `classifier` leaves open.
    pixel_size_tolerance : float
        Share by which the pixel size of an image may differ from that of the training image.

    Raises
    ------
    TypeError
        If the classes are no sequence of names, or the classifier is none.
    ValueError
        If a class is named twice, what is merged is no class, or a setting is out of range.

    Notes
    -----
    *Features.* Intensity, edges and hessian are those of ``skimage.feature.multiscale_basic_features``, which
    calls the last one texture, in grey values instead of shares of the dtype's range; scales are kept in µm,
    so that voxels that are not cubes have another scale on each axis. The image is mirrored at its border.

    *Equal weight.* The forest weighs classes alike, however large an area of each was painted; each tree is
    grown on 5000 painted voxels at most, drawn with replacement, so that training takes seconds. A
    `classifier` of your own does what it is set to: most of them have ``class_weight="balanced"``.

    *Repeatable.* The same image, labels and seed give the same forest and the same labels, on any number of
    cores and in tiles or chunks of any size. Classifiers that multiply matrices may differ in the last bit.

    *Misleads* where nothing was painted: a forest has an answer for everything, and 100 trees that agree may
    all be wrong. What is painted is no test; hold some of it out. Pixels of one scribble are alike, so its
    number of pixels is no number of labels. Do not filter an image beforehand: that only takes away (see the
    paper).

    References
    ----------
    Cooper et al., J. Electrochem. Soc. 169, 070512 (2022), doi:10.1149/1945-7111/ac7a68.
    Arganda-Carreras et al., Bioinformatics 33, 2424 (2017), doi:10.1093/bioinformatics/btx180.
    Breiman, Mach. Learn. 45, 5 (2001), doi:10.1023/A:1010933404324.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> grey = np.repeat(np.uint8([[10, 10, 10, 90, 90, 90, 200, 200, 200]]), 9, axis=0)
    >>> image = ct.volume(grey, 0.02)
    >>> scribbles = ct.volume(np.full((9, 9), 255, np.uint8), 0.02)
    >>> scribbles[4, [1, 4, 7]] = [0, 1, 2]
    >>> model = ct.segment.PixelClassifier(("binder", "active material", "edge"), merge={"edge": "pore"},
    ...                                    scales_um=0.01, features="intensity", trees=20)
    >>> model.fit(image, scribbles).predict(image).values[0]
    array([1, 1, 1, 2, 2, 2, 0, 0, 0], dtype=uint8)
    """

    def __init__(
        self,
        classes: Sequence[str | Phase],
        *,
        merge: Mapping[str, str] | None = None,
        scales_um: Sequence[float] | float | None = None,
        features: Sequence[str] | str = KINDS,
        classifier: Any = None,
        trees: int = 100,
        seed: int = 0,
        pixel_size_tolerance: float = 0.05,
    ) -> None:
        self._settings = make_settings(
            classes, merge, scales_um, features, classifier, trees, seed, pixel_size_tolerance
        )
        self._model = None

    def fit(self, image: xr.DataArray, scribbles: xr.DataArray, *, progress: bool = True) -> Self:
        """Learn from what is painted.

        Parameters
        ----------
        image : xarray.DataArray
            Grey values, dims y, x or z, y, x, with a leading ``channel`` where there are several; of a Dask
            image only the surroundings of what is painted are computed.
        scribbles : xarray.DataArray
            Whole numbers on the grid of the image, without channels: the place of the class among the
            classes, 255 where nothing is painted.
        progress : bool
            Show a bar where it takes more than five seconds.

        Returns
        -------
        PixelClassifier
            The same one.

        Raises
        ------
        TypeError
            If images come in a list, are masks, or are no images; or the scribbles are no whole numbers.
        ValueError
            If the scribbles are not on the grid of the image, hold a code that is no class, or leave a class
            out; if the image is smaller than the widest filter, is RGB, is NaN near what is painted, or of
            floats that hardly differ there.

        Warns
        -----
        UserWarning
            If more than a fifth of what is painted of two classes has the same darkest or brightest value.
        """
        self._model = train(self._settings, [image], [scribbles], progress=progress)
        return self

    def fit_several(
        self, images: Sequence[xr.DataArray], scribbles: Sequence[xr.DataArray], *, progress: bool = True
    ) -> Self:
        """Learn from what is painted on several images, to segment others like them.

        "The data can be used for training machine learning algorithms, e.g. to enable and speed up the
        automated segmentation of new image data" (cell-to-particle, "Digital workflow").

        Parameters
        ----------
        images, scribbles : sequence of xarray.DataArray
            As for :meth:`fit`, one of the scribbles for each image: codes of the same classes in the same
            order. Something is painted on each, and each class on one or more. Images have the same
            channels, dtype and number of dims, and the pixel size of the first one within the tolerance.
        progress : bool
            Show a bar where it takes more than five seconds.

        Returns
        -------
        PixelClassifier
            The same one.

        Raises
        ------
        TypeError, ValueError
            As for :meth:`fit`; or if images are not alike, or scribbles are missing. Which one, counted from
            1, is said.

        Notes
        -----
        Grey values are taken as they are, and no image is matched to another: brightness that differs from
        sample to sample is part of what is learnt. A painted pixel counts as one wherever it is, so an image
        with more paint has more say; classes are weighed alike over all images together.

        How it does on a sample that it has not seen is another question: see
        :func:`corrtomo.measure.held_out`.
        """
        check_several(images, scribbles)
        self._model = train(self._settings, images, scribbles, progress=progress)
        return self

    def predict(self, image: xr.DataArray, *, merged: bool = True, progress: bool = True) -> xr.DataArray:
        """Segment an image.

        Parameters
        ----------
        image : xarray.DataArray
            An image like the one trained on: the same channels, dtype and number of dims, and the same pixel
            size within the tolerance. A Dask image stays lazy, and gives the same labels.
        merged : bool
            Give the classes the names of `merge`.
        progress : bool
            Show a bar where it takes more than five seconds.

        Returns
        -------
        xarray.DataArray
            ``uint8`` on the same grid, without channels. Where all names are phases, labels or names of
            :class:`corrtomo.Phase` or short ones such as "binder", the codes are theirs; else they count the
            names from 0. ``attrs["classes"]`` maps names to codes.

        Raises
        ------
        TypeError, ValueError
            If the image is not like the one trained on, is smaller than the widest filter or holds NaN.
        RuntimeError
            If nothing has been learnt yet.

        Notes
        -----
        A pixel takes the class of the largest share, the first of equal ones, and the classes are merged
        then, as in the paper. The largest share of what is merged may be another one: take
        ``predict_proba(image).argmax("channel")``.
        """
        model = self._fitted("segment")
        model.check(image, self._settings.tolerance)
        return model.labels(image, self._settings.classes, merged=merged, progress=progress)

    def predict_proba(
        self, image: xr.DataArray, *, merged: bool = True, progress: bool = True
    ) -> xr.DataArray:
        """Give the share of each class: of the trees, each with the share of its leaf.

        Parameters
        ----------
        image, merged, progress
            As for :meth:`predict`.

        Returns
        -------
        xarray.DataArray
            float32 with a leading ``channel`` that holds the names in the result; what is merged is added.

        Raises
        ------
        TypeError, ValueError, RuntimeError
            As for :meth:`predict`.

        Notes
        -----
        Misleads as a probability: trees that saw the same scribbles agree more than they know.
        """
        model = self._fitted("segment")
        model.check(image, self._settings.tolerance)
        return model.shares(image, self._settings.classes, merged=merged, progress=progress)
