"""Codes, names and colours of the phases."""

import numpy as np
import pytest

import corrtomo as ct
from corrtomo.phases import as_labels, check_codes, check_integer, check_mask


def test_codes_are_those_that_files_hold():
    assert [int(p) for p in (ct.Phase.PORE, ct.Phase.CBD, ct.Phase.AM, ct.Phase.COLLECTOR)] == [0, 1, 2, 3]
    assert ct.Phase.LEFT_OUT == 255


def test_each_phase_has_its_own_name_and_colour():
    assert len({p.label for p in ct.Phase}) == len({p.colour for p in ct.Phase}) == len(ct.Phase)


def luminance(colour):
    """Relative luminance by WCAG, of a hex colour."""
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_the_three_phases_are_told_apart_in_grey():
    levels = [luminance(p.colour) + 0.05 for p in (ct.Phase.PORE, ct.Phase.CBD, ct.Phase.AM)]
    assert levels[1] / levels[0] > 3
    assert levels[2] / levels[1] > 1.5


def test_unknown_codes_are_refused():
    with pytest.raises(ValueError, match="Cannot find phase 7: not a known phase code. Known are 0 PORE"):
        ct.Phase(7)
    with pytest.raises(ValueError, match="phase 9"):
        check_codes(ct.volume(np.array([0, 9]), 1))


def test_labels_say_what_their_codes_mean():
    labels = as_labels(ct.volume(np.array([[0, 2], [1, 255]]), 1))
    assert labels.dtype == np.uint8
    assert labels.attrs["phases"]["AM"] == 2


def test_what_is_no_label_or_mask_is_refused():
    with pytest.raises(TypeError, match="its dtype is float64"):
        check_integer(ct.volume(np.zeros(3), 1), doing="count")
    with pytest.raises(TypeError, match=r"booleans are needed.*labels == ct\.Phase\.AM"):
        check_mask(ct.volume(np.zeros(3, np.uint8), 1), doing="count")
