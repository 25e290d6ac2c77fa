"""How well what was learnt on some samples does on another one, which it has not seen."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from tqdm import tqdm

from ..checks import check_length, check_same_grid
from ..phases import Phase, check_integer
from ..volume import CHANNEL, check_image
from .agreement import count_labels
from .bootstrap import KappaDraws, kappa_draws
from .options import check_between, check_named, check_whole

Pair = tuple[xr.DataArray, xr.DataArray]
Segment = Callable[[xr.DataArray], xr.DataArray]
Learn = Callable[[list[Pair]], Segment]
_DOING = "hold samples out"
_LIKE = "{'A': (image, scribbles, truth), 'B': ...}"


def held_out(
    samples: Mapping[str, tuple[xr.DataArray, xr.DataArray, xr.DataArray]],
    learn: Learn,
    *,
    block_um: float,
    extra: Sequence[Pair] = (),
    sample_of: Mapping[str, str] | None = None,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
    progress: bool = True,
) -> pd.DataFrame:
    """Find what is lost on a sample that was not painted: its κ, against its own scribbles.

    "The data can be used for training machine learning algorithms, e.g. to enable and speed up the automated
    segmentation of new image data" (the leaflet on the way from cell to particle, "Digital workflow"). Other
    samples have another brightness, blur and noise; a score on pixels of the samples that were trained on
    does not see that. So each sample is held out whole, once: no pixel of it, painted or not, is learnt from.

    Parameters
    ----------
    samples : mapping of str to tuple
        By name: image, dims y, x or z, y, x, with a leading ``channel`` where there are several; scribbles on
        its grid (codes to learn, 255 where nothing is painted); and truth on its grid (codes of what `learn`
        predicts, 255 left out). Each sample has a grid of its own.
    learn : callable
        From a list of (image, scribbles) to a function from an image to its labels, for instance
        ``lambda pairs: PixelClassifier(names).fit_several(*zip(*pairs)).predict``. It is called anew for each
        sample, and given nothing else.
    block_um : float
        Edge of a block in µm, as for :func:`kappa_interval`; wider than the particles.
    extra : sequence of (image, scribbles)
        More to train on, digital twins for instance; never held out.
    sample_of : mapping of str to str, optional
        Where several images are of one sample: which one, by the name of each such image. Others of the same
        sample are left out with it; only its own scribbles are ``own``.
    level, resamples, seed
        As for :func:`kappa_interval`.
    progress : bool
        Whether a bar is shown when it takes longer than some seconds.

    Returns
    -------
    pandas.DataFrame
        Index ``sample`` (the name in `samples`) and ``trained on``: ``own`` scribbles, ``others``, and with
        `extra` also ``others + extra`` and ``extra``. Columns ``kappa``, ``low``, ``high``; ``loss``, κ of
        its own scribbles less this, ``loss_low``, ``loss_high``; and the number of ``blocks``. κ and losses
        have no unit.

    Raises
    ------
    TypeError
        If samples are no mapping of triples, or `learn` is no function or gives none.
    ValueError
        If there is one sample only, one image belongs to two samples or to a sample and to `extra`, a
        prediction is not on the grid of its truth or leaves out pixels, there are fewer than 8 blocks, or an
        option is out of range.

    Notes
    -----
    What is painted on the sample itself is scored in none of them. Intervals come from drawing blocks of the
    sample anew, the same blocks for both sides of a loss: they speak of other places of this sample, and of
    no other one. Samples are what is independent, not pixels: how far the next one may differ, only the
    spread over samples says, ``mean_interval(table.loss.rename_axis(["sample", "by"]), by="by")``. It is
    somewhat too narrow: any two of the segmenters learnt from nearly the same samples.

    Misleads where a sample came in twice and is not the same to the bit: two crops, or two slices of one
    volume. Give them one name in `sample_of`. Scribbles that were drawn from the truth are better than an
    operator's; pixels beside a sample's own strokes are scored, which favours ``own``.

    References
    ----------
    Künsch, Ann. Stat. 17, 1217 (1989), doi:10.1214/aos/1176347265.
    Bengio and Grandvalet, J. Mach. Learn. Res. 5, 1089 (2004): no estimate of the scatter between folds is
    without bias.

    Examples
    --------
    >>> import numpy as np
    >>> import corrtomo as ct
    >>> truth = ct.volume(np.uint8(np.indices((8, 8)).sum(axis=0) % 2), 1.0)
    >>> painted = truth.where(truth.y < 2, 255).astype("uint8")
    >>> samples = {"A": (100 * truth, painted, truth), "B": (60 * truth, painted, truth)}
    >>> def learn(pairs):  # the middle between the painted classes
    ...     middle = np.mean([float(image.max()) for image, _ in pairs]) / 2
    ...     return lambda image: (image > middle).astype("uint8")
    >>> table = ct.measure.held_out(samples, learn, block_um=2.0)
    >>> table.kappa.tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    given = _checked(samples, learn, extra)
    home = _homes(given, sample_of)
    _check_apart(given, extra, home)
    check_length(block_um, "block_um", doing=_DOING)
    share = check_between(level, "level", 0.5, 0.999, doing=_DOING)
    check_whole(resamples, "resamples", 100, doing=_DOING, most=1_000_000)
    check_whole(seed, "seed", 0, doing=_DOING)
    ends = [(1 - share) / 2, (1 + share) / 2]
    rows = {}
    for name in tqdm(given, desc="hold out", unit="sample", delay=5, disable=not progress):
        image, painted, truth = given[name]
        others: list[Pair] = [given[other][:2] for other in given if home[other] != home[name]]
        trained = {"own": [(image, painted)], "others": others}
        if extra:
            trained |= {"others + extra": [*others, *extra], "extra": list(extra)}
        scored = truth.where(painted == Phase.LEFT_OUT, Phase.LEFT_OUT).astype(np.uint8)
        kappas = {
            by: _kappas(_segmented(learn(pairs), image), scored, float(block_um), resamples, seed)
            for by, pairs in trained.items()
        }
        own, own_draws, _ = kappas["own"]
        for by, (kappa, draws, blocks) in kappas.items():
            low, high = np.quantile(draws, ends)
            less, more = np.quantile(own_draws - draws, ends)
            rows[name, by] = [kappa, low, high, own - kappa, less, more, blocks]
    columns = ["kappa", "low", "high", "loss", "loss_low", "loss_high", "blocks"]
    index = pd.MultiIndex.from_tuples(rows, names=["sample", "trained on"])
    return pd.DataFrame(list(rows.values()), index, columns).astype({"blocks": int})


def _segmented(segment: Any, image: xr.DataArray) -> xr.DataArray:
    if not callable(segment):
        raise TypeError(
            f"Cannot {_DOING}: learn() gives a {type(segment).__name__}, and a function from an image to its "
            "labels is needed. Return for instance model.predict, without calling it."
        )
    labels: xr.DataArray = segment(image)
    check_integer(labels, doing=_DOING)
    return labels


def _kappas(
    found: xr.DataArray, truth: xr.DataArray, block_um: float, resamples: int, seed: int
) -> KappaDraws:
    """Return κ and its draws; refuse a prediction that leaves out what is known."""
    table = count_labels(found, truth)
    skipped = int(table[int(Phase.LEFT_OUT)].sum() - table[int(Phase.LEFT_OUT), int(Phase.LEFT_OUT)])
    if skipped:
        raise ValueError(
            f"Cannot {_DOING}: a prediction leaves out {skipped} pixels (code {int(Phase.LEFT_OUT)}) whose "
            "truth is known, and κ of the easy ones would flatter. A class is needed for each pixel."
        )
    return kappa_draws(
        found,
        truth,
        table,
        block_um,
        ignore=int(Phase.LEFT_OUT),
        resamples=resamples,
        seed=seed,
        doing=_DOING,
    )


def _homes(given: Mapping[str, Any], sample_of: Any) -> dict[str, str]:
    """Return the sample of each image; refuse names that are not given, and a single sample."""
    said = check_named(sample_of or {}, "sample_of", doing=_DOING, like="{'A, slice 2': 'A'}")
    unknown = sorted(str(name) for name in set(said) - set(given))
    if unknown:
        raise ValueError(
            f"Cannot {_DOING}: sample_of names {unknown[0]!r}, which is none of {list(given)}. Correct the "
            "name."
        )
    home = {name: said.get(name, name) for name in given}
    if len(set(home.values())) < 2:
        raise ValueError(
            f"Cannot {_DOING} of {len(set(home.values()))} sample: two or more are needed, one to hold out "
            "and others to learn from. A part of one sample is no other sample."
        )
    return home


def _check_apart(given: Mapping[str, Any], extra: Sequence[Pair], home: Mapping[str, str]) -> None:
    """Refuse an image that would be learnt from while its sample is held out."""
    seen: dict[str, str] = {}
    for name, (image, *_) in given.items():
        twin = seen.setdefault(_fingerprint(image), name)
        if home[twin] != home[name]:
            raise ValueError(
                f"Cannot {_DOING}: {twin!r} and {name!r} are the same image, and what is held out as one "
                "would be learnt from as the other. Leave one out, or say with sample_of that they are one."
            )
    for k, (image, _) in enumerate(extra):
        check_image(image, ndim=(2, 3))
        if (found := _fingerprint(image)) in seen:
            raise ValueError(
                f"Cannot {_DOING}: extra image {k + 1} of {len(extra)} is the sample {seen[found]!r}, which "
                "would be learnt from while it is held out. Leave it out of extra."
            )


def _fingerprint(image: xr.DataArray) -> str:
    """Return a hash of the grey values."""
    values = np.ascontiguousarray(image.data)
    return f"{values.shape} {values.dtype} {hashlib.sha256(values.data).hexdigest()}"


def _checked(samples: Any, learn: Any, extra: Any) -> dict[str, tuple[Any, Any, Any]]:
    given = check_named(samples, "samples", doing=_DOING, like=_LIKE)
    if not callable(learn):
        raise TypeError(
            f"Cannot {_DOING} with learn {learn!r}: a function from a list of (image, scribbles) to a "
            "function is needed. See the example of ct.measure.held_out()."
        )
    pairs = isinstance(extra, Sequence) and all(isinstance(p, tuple) and len(p) == 2 for p in extra)
    triples = all(isinstance(value, tuple) and len(value) == 3 for value in given.values())
    if not (triples and pairs):
        raise TypeError(
            f"Cannot {_DOING}: each sample is a tuple of image, scribbles and truth, and each extra one of "
            f"image and scribbles. Pass for instance {_LIKE}."
        )
    for image, painted, truth in given.values():
        check_image(image, ndim=(2, 3))
        check_integer(painted, doing=_DOING)
        check_integer(truth, doing=_DOING)
        plain = image.isel({CHANNEL: 0}, drop=True) if CHANNEL in image.dims else image
        check_same_grid(plain, truth, doing=_DOING)
        check_same_grid(painted, truth, doing=_DOING)
    return given
