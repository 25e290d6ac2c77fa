"""Options that are text, None or beyond reason are refused in words."""

import re

import numpy as np
import pandas as pd
import pytest

import corrtomo as ct

LABELS = ct.phases.as_labels(ct.volume(np.repeat([[0], [2], [1], [2], [0]], 9, axis=1), 0.1))
NUMBERS = (LABELS == 1).astype("uint8")
MAPS = ct.volume(np.ones((2, 5, 9), int), 0.1, dims=("channel", "y", "x")).assign_coords(channel=["F", "C"])
PAIRS = ct.measure.kappa_by_threshold_pair(
    (LABELS * 100).astype("uint8"), LABELS, phases=(ct.Phase.PORE, ct.Phase.CBD, ct.Phase.AM)
)


def profile(**options):
    far = ct.measure.distance_to(LABELS, ct.Phase.AM)
    given = {"edges_um": [0, 0.05, 1], "phase": ct.Phase.CBD} | options
    return ct.measure.ratio_profile(MAPS, LABELS, far, **given)


CALLS = {
    "pure": lambda v: ct.measure.cracks(LABELS, NUMBERS, pure=v),
    "between": lambda v: ct.measure.interface(LABELS, between=v, within_um=0.1),
    "within": lambda v: ct.measure.least_to_middle(PAIRS, PAIRS, within=v),
    "share": lambda v: ct.measure.least_to_middle(v, PAIRS),
    "names": lambda v: ct.measure.phase_spectra(MAPS, LABELS, names=v),
    "edges_um": lambda v: profile(edges_um=v),
    "near": lambda v: ct.measure.ratio_change(profile(edges_um=[0, 0.5, 1]), near=v),
    "profile": ct.measure.ratio_change,
}


@pytest.mark.parametrize("what", CALLS)
@pytest.mark.parametrize("value", ["text", None, object(), np.nan], ids=["text", "none", "object", "nan"])
def test_what_is_no_option_is_refused_in_words(what, value):
    if what == "names" and value is None:
        pytest.skip("None is its default")
    with pytest.raises((TypeError, ValueError), match=r"^Cannot .*(needed|must|allowed|Known|there is no)"):
        CALLS[what](value)


@pytest.mark.parametrize(
    ("what", "value", "said"),
    [
        ("pure", 0.5, "a share above 0.5 and up to 1 is needed"),
        ("pure", 1.01, "pure 1.01: a number from 0 to 1"),
        ("within", 2.5, "within 2.5: a number from 0 to 2"),
        ("within", True, "within True: a number from 0 to 2 is needed"),
        ("names", "abc", "names of type str: names and what belongs to each are needed"),
        ("edges_um", ["0", "1"], "two or more numbers in µm are needed"),
        ("near", 2, "there is no row 2, the profile has 2"),
        ("profile", {"F": 1}, "of a dict: a table of counts is needed"),
    ],
)
def test_the_message_says_what_was_given_and_what_is_allowed(what, value, said):
    with pytest.raises((TypeError, ValueError), match=re.escape(said)):
        CALLS[what](value)


def test_a_crack_as_wide_as_the_image_is_refused_before_memory_is_asked_for():
    for wide in (0.46, 1e9):
        with pytest.raises(ValueError, match=re.escape("the image is 0.9 µm long, and at most half of that")):
            ct.measure.crack_labels(LABELS, widest_um=wide)
    assert ct.measure.crack_labels(LABELS, widest_um=0.45).dtype == np.uint32


def test_good_options_still_pass():
    assert ct.measure.cracks(LABELS, NUMBERS, pure=1).kind.tolist() == ["filled"]
    assert isinstance(profile(edges_um=np.array([0, 1.0])), pd.DataFrame)
