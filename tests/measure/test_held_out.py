"""Samples held out whole: a shift of known size is found, none where there is none, refusals."""

import numpy as np
import pytest

import corrtomo as ct

SHIFT = {"A": 0.0, "B": 0.0, "C": 60.0}


def sample(seed, shift=0.0, noise=10.0, size=64):
    """Two phases of grey 80 and 160, brighter by a shift, with a tenth of the rows painted."""
    rng = np.random.default_rng(seed)
    codes = np.kron(rng.integers(0, 2, (size // 4, size // 4)), np.ones((4, 4), int)).astype(np.uint8)
    image = ct.volume(80 + 80 * codes + shift + rng.normal(0, noise, codes.shape), 0.1)
    truth = ct.volume(codes, 0.1)
    painted = truth.where(truth.y < 0.1 * size / 10, 255).astype(np.uint8)
    return image, painted, truth


def threshold(pairs):
    """Learn the middle between the means of the painted classes."""
    grey = np.concatenate([image.values[painted.values != 255] for image, painted in pairs])
    codes = np.concatenate([painted.values[painted.values != 255] for _, painted in pairs])
    middle = (grey[codes == 0].mean() + grey[codes == 1].mean()) / 2
    return lambda image: (image > middle).astype(np.uint8)


def samples():
    return {name: sample(seed, shift) for seed, (name, shift) in enumerate(SHIFT.items())}


def test_the_sample_that_differs_loses() -> None:
    table = ct.measure.held_out(samples(), threshold, block_um=0.8)
    assert list(table.index) == [(s, by) for s in SHIFT for by in ("own", "others")]
    assert table.loc[("C", "others"), "loss_low"] > 0.3
    for name in SHIFT:
        assert table.loc[(name, "own"), ["loss", "loss_low", "loss_high"]].tolist() == [0, 0, 0]
        assert table.loc[(name, "own"), "kappa"] > 0.99
    assert ((table.low <= table.kappa) & (table.kappa <= table.high)).all()
    assert table.blocks.between(8, 64).all()


def test_both_sides_of_a_loss_are_of_the_same_blocks() -> None:
    given = samples()
    wrong = np.random.default_rng(0).random((64, 64)) < 0.2
    found = {id(image): (truth ^ wrong).astype(np.uint8) for image, _, truth in given.values()}
    table = ct.measure.held_out(given, lambda pairs: lambda image: found[id(image)], block_um=0.8)
    assert (table.high - table.low > 0.03).all()
    assert (table[["loss", "loss_low", "loss_high"]] == 0).all(axis=None)


def test_extra_that_covers_the_shift_takes_the_loss_away() -> None:
    extra = [sample(9, 60.0)[:2]] * 8
    table = ct.measure.held_out(samples(), threshold, block_um=0.8, extra=extra)
    losses = table.loss.unstack()
    assert list(table.loc["C"].index) == ["own", "others", "others + extra", "extra"]
    assert losses.loc["C", "extra"] < 0.02 < losses.loc["C", "others"]
    assert losses.loc["C", "others + extra"] < losses.loc["C", "others"]


def test_the_held_out_sample_is_never_learnt_from_and_its_paint_never_scored() -> None:
    seen = []

    def learn(pairs):
        seen.append([id(image) for image, _ in pairs])
        return threshold(pairs)

    given = samples()
    ct.measure.held_out(given, learn, block_um=0.8)
    for k, name in enumerate(given):
        own, others = seen[2 * k : 2 * k + 2]
        assert own == [id(given[name][0])]
        assert id(given[name][0]) not in others
        assert len(others) == 2
    image, painted, truth = given["A"]
    wrong = truth.where(painted == 255, 1 - truth).astype(np.uint8)  # wrong where it is painted alone
    table = ct.measure.held_out(
        given | {"A": (image, painted, truth)}, lambda p: lambda i: wrong, block_um=0.8
    )
    assert table.loc[("A", "own"), "kappa"] == 1.0


def test_a_segmenter_that_remembers_gains_nothing_on_what_is_held_out() -> None:
    """It knows the truth of each image that it was given by heart, and of no other: a leak would score 1."""
    given = samples()
    truths = {image.values.tobytes(): truth for image, _, truth in given.values()}

    def remember(pairs):
        known = {image.values.tobytes() for image, _ in pairs}

        def segment(image):
            truth = truths[image.values.tobytes()]
            return truth if image.values.tobytes() in known else (truth * 0).astype(np.uint8)

        return segment

    kappa = ct.measure.held_out(given, remember, block_um=0.8).kappa.unstack()
    assert (kappa["own"] == 1).all()
    assert (kappa["others"] == 0).all()


def test_images_of_one_sample_are_left_out_together() -> None:
    seen = []

    def learn(pairs):
        seen.append([id(image) for image, _ in pairs])
        return threshold(pairs)

    given = samples() | {"C, slice 2": sample(7, 60.0)}
    table = ct.measure.held_out(given, learn, block_um=0.8, sample_of={"C, slice 2": "C"})
    names = {id(image): name for name, (image, *_) in given.items()}
    others = [{names[i] for i in ids} for ids in seen[1::2]]
    assert others == [{"B", "C", "C, slice 2"}, {"A", "C", "C, slice 2"}, {"A", "B"}, {"A", "B"}]
    alone = ct.measure.held_out(given, threshold, block_um=0.8)
    assert table.loc[("C", "others"), "loss"] > alone.loc[("C", "others"), "loss"]


def test_one_image_under_two_names_is_a_leak() -> None:
    given = samples()
    again = tuple(part.copy() for part in given["A"])
    with pytest.raises(ValueError, match="'A' and 'Z' are the same image"):
        ct.measure.held_out(given | {"Z": again}, threshold, block_um=0.8)
    with pytest.raises(ValueError, match="extra image 2 of 2 is the sample 'A'"):
        ct.measure.held_out(given, threshold, block_um=0.8, extra=[sample(9)[:2], again[:2]])
    table = ct.measure.held_out(given | {"Z": again}, threshold, block_um=0.8, sample_of={"Z": "A"})
    assert table.loc["A"].equals(table.loc["Z"])


def test_the_interval_rests_on_blocks_and_not_on_pixels() -> None:
    """The same picture with pixels of half the size has four times the pixels and the same interval."""

    def finer(image):
        return ct.volume(np.kron(image.values, np.ones((2, 2), image.dtype)), 0.05)

    given = {name: sample(seed, noise=40.0) for seed, name in enumerate("AB")}
    coarse = ct.measure.held_out(given, threshold, block_um=0.8)
    fine = {name: tuple(map(finer, parts)) for name, parts in given.items()}
    np.testing.assert_allclose(ct.measure.held_out(fine, threshold, block_um=0.8), coarse, atol=1e-12)
    assert (coarse.high - coarse.low).min() > 0.01


def test_it_repeats() -> None:
    one, two = (ct.measure.held_out(samples(), threshold, block_um=0.8, resamples=200) for _ in range(2))
    assert one.equals(two)


@pytest.mark.parametrize(
    ("change", "words", "match"),
    [
        (lambda s: list(s.values()), {}, "samples of type list"),
        (lambda s: {"A": s["A"]}, {}, "1 sample: two or more"),
        (lambda s: s, {"sample_of": {"B": "A", "C": "A"}}, "1 sample: two or more"),
        (lambda s: s, {"sample_of": {"D": "A"}}, "sample_of names 'D', which is none of"),
        (lambda s: s, {"sample_of": ["A"]}, "sample_of of type list"),
        (lambda s: s, {"learn": lambda p: lambda i: (i * 0 + 255).astype("uint8")}, "leaves out 3648 pixels"),
        (lambda s: s | {"A": s["A"][:2]}, {}, "tuple of image, scribbles and truth"),
        (lambda s: s | {"A": (s["A"][0][1:], *s["A"][1:])}, {}, "sizes"),
        (lambda s: s | {"A": (s["A"][0], s["A"][0], s["A"][2])}, {}, "dtype is float64"),
        (lambda s: s, {"block_um": 4.0}, r"\d blocks of 4 µm: 8 or more"),
        (lambda s: s, {"block_um": -1.0}, "block_um"),
        (lambda s: s, {"extra": [1]}, "each extra one of"),
        (lambda s: s, {"learn": "forest"}, "learn 'forest'"),
        (lambda s: s, {"learn": lambda pairs: pairs}, r"learn\(\) gives a list"),
        (lambda s: s, {"learn": lambda pairs: lambda image: image}, "dtype is float64"),
        (lambda s: s, {"resamples": 10}, "resamples=10"),
        (lambda s: s, {"level": 95}, "level 95"),
    ],
)
def test_refusals(change, words, match) -> None:
    with pytest.raises((ValueError, TypeError), match=match):
        ct.measure.held_out(change(samples()), **({"learn": threshold, "block_um": 0.8} | words))
