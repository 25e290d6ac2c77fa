"""Grey limits of slices."""

import numpy as np
import pytest

import corrtomo as ct


@pytest.mark.parametrize("limits", [(9, 5), (5, 5), (np.nan, 1), (0, np.inf)])
def test_limits_the_wrong_way_round_are_refused(limits):
    image = ct.volume(np.arange(9.0).reshape(3, 3), 0.5)
    with pytest.raises(ValueError, match="the grey value shown black must lie below"):
        ct.show.slices({"a": image}, caption="A", source="schematic", notice="a", alt="a", limits=limits)
