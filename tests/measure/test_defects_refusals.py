"""Labels, numbers and tables in which no defects can be found or ranked are refused."""

import numpy as np
import pytest
from test_defects import VOXEL, particle

import corrtomo as ct

IMAGE = ct.volume(particle()[:, ::2, ::2], VOXEL)
NONE = IMAGE.copy(data=np.zeros(IMAGE.shape, np.uint32))


@pytest.mark.parametrize(
    ("labels", "options", "error", "match"),
    [
        (IMAGE.values, {}, TypeError, r"ct\.volume"),
        (None, {}, TypeError, r"ct\.volume"),
        (IMAGE * 1.0, {}, TypeError, "dtype is float64"),
        (IMAGE * 0, {}, ValueError, "no voxel is active material"),
        (IMAGE > 9, {}, ValueError, "the mask is empty"),
        (IMAGE + 5, {}, ValueError, "not a known phase code"),
        (IMAGE.isel(z=0, y=0), {}, ValueError, "2D or 3D is needed"),
        (IMAGE, {"of": ct.Phase.COLLECTOR}, ValueError, "no voxel is current collector"),
        (IMAGE, {"widest_um": 0.05}, ValueError, "a width of one voxel up to half the image"),
        (IMAGE, {"widest_um": 500.0}, ValueError, "Widths are in µm"),
        (IMAGE, {"widest_um": "wide"}, TypeError, "a number in µm is needed"),
        (IMAGE, {"widest_um": np.nan}, ValueError, "finite and above zero"),
        (IMAGE, {"neck": 1.5}, ValueError, "from 0 to 1"),
        (IMAGE, {"neck": None}, TypeError, "from 0 to 1"),
    ],
)
def test_labels_without_particles_are_refused(labels, options, error, match):
    with pytest.raises(error, match=match):
        ct.measure.whole_particles(labels, **{"widest_um": 0.5} | options)


@pytest.mark.parametrize(
    ("particles", "options", "error", "match"),
    [
        (NONE > 0, {}, TypeError, "a mask of booleans"),
        (NONE.astype(int) - 1, {}, ValueError, "numbers from -1 to -1"),
        (NONE[:-1], {}, ValueError, "sizes .* differ"),
        (NONE * 0.5, {}, TypeError, "dtype is float64"),
        (NONE, {"smallest_um": 0}, ValueError, "above zero"),
        (NONE, {"smallest_um": "1"}, TypeError, "a number in µm"),
    ],
)
def test_numbers_that_are_none_are_refused(particles, options, error, match):
    with pytest.raises(error, match=match):
        ct.measure.defect_labels(IMAGE, particles, **options)


@pytest.mark.parametrize(
    ("numbers", "particles", "options", "error", "match"),
    [
        (NONE, NONE, {}, ValueError, "there is no particle"),
        (NONE + 1, NONE, {}, ValueError, "there is no particle"),
        (NONE + 1, NONE.copy(data=(np.arange(NONE.size) == 0).reshape(NONE.shape).astype(int)), {},
         ValueError, "lie in no particle"),
        (NONE, NONE + 1, {"top": "up"}, ValueError, "allowed are 'first', 'last'"),
        (NONE, NONE + 1, {"flat": 1.0}, ValueError, "from 1.5"),
        (NONE, NONE + 1, {"flat": None}, TypeError, "from 1.5"),
        (NONE, NONE + 1, {"bridged_um": -1}, ValueError, "above zero"),
        (NONE, NONE + 1, {"bridged_um": 1e9}, ValueError, "wider than twice the image"),
        (NONE + 2, NONE + 1, {}, ValueError, "fills 100% of the particles"),
        (NONE, NONE[:-1] + 1, {}, ValueError, "differ"),
        (NONE.values, NONE, {}, TypeError, r"ct\.volume"),
    ],
)  # fmt: skip
def test_what_cannot_be_ranked_is_refused(numbers, particles, options, error, match):
    with pytest.raises(error, match=match):
        ct.measure.defects(numbers, particles, **options)


def test_no_defects_make_an_empty_table():
    table = ct.measure.defects(NONE, NONE + 1)
    assert len(table) == 0
    assert {"rank", "kind", "particle", "score", "depth_um"} <= set(table)


def test_particles_without_their_pores_and_particles_of_another_place_are_warned_of():
    z, y, x = np.ogrid[:24, :24, :24]
    far = (z - 12) ** 2 + (y - 12) ** 2 + (x - 12) ** 2
    image = ct.volume(np.where((far < 100) & (far >= 16), 2, 0), 0.1)
    whole = ct.measure.whole_particles(image, widest_um=0.3)
    assert int(ct.measure.defect_labels(image, whole).max()) == 1
    with pytest.warns(UserWarning, match=r"belong to none \(1 of them\).*whole_particles"):
        ct.measure.defect_labels(image, ct.measure.label_particles(image == 2))
    with pytest.warns(UserWarning, match=r"\d+% of the particles' voxels are active material.*other image"):
        ct.measure.defect_labels(image, whole.roll(x=9, roll_coords=False))
    with pytest.warns(UserWarning, match="swapped"):
        ct.measure.defect_labels(whole.astype(np.int64) * 2, (image < 9).astype(np.uint32))
