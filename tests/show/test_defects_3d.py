"""Defects seen through particles: what is drawn, in which colours, what is refused."""

import dask.array as da
import numpy as np
import pandas as pd
import pytest

import corrtomo as ct
from corrtomo.show.camera import Camera
from corrtomo.show.defects_3d import KINDS, _nearer
from corrtomo.show.surfaces import Surface

WORDS = {
    "caption": "Defects of a ball",
    "source": "digital twin",
    "notice": "one lies deep",
    "alt": "A ball.",
}
Z, Y, X = np.ogrid[:40, :40, :40]
PLANE = [(1.5, 0.0, 0.0), (1.5, 0.0, 4.0), (1.7, 4.0, 4.0), (1.7, 4.0, 0.0)]


def specimen():
    labels = np.where((Z - 20) ** 2 + (Y - 20) ** 2 + (X - 20) ** 2 < 18**2, 2, 0)
    labels[(Z - 14) ** 2 + (Y - 16) ** 2 + (X - 20) ** 2 < 16] = 0
    labels[25:28, 12:28, 14:30] = 0
    image = ct.volume(labels, 0.1)
    particles = ct.measure.whole_particles(image, widest_um=0.4)
    numbers = ct.measure.defect_labels(image, particles)
    return numbers, particles, ct.measure.defects(numbers, particles)


NUMBERS, PARTICLES, TABLE = specimen()


def test_each_kind_has_its_surface_and_particles_are_clear():
    view = ct.show.defects_3d(NUMBERS, PARTICLES, TABLE, **WORDS)
    assert [look["name"] for look in view.looks] == ["particles", "pores", "cracks"]
    assert [look["color"] for look in view.looks[1:]] == list(KINDS.values())
    assert view.looks[0]["opacity"] < 0.3 < view.looks[1]["opacity"]
    for kind, one in zip(("pore", "crack"), view.surfaces[1:], strict=True):
        volume = TABLE.volume_um3[TABLE.kind == kind].sum()
        assert one.volume_um3 == pytest.approx(volume, rel=0.15)
    assert view.surfaces[0].volume_um3 == pytest.approx(4 / 3 * np.pi * 1.8**3, rel=0.03)
    assert "Digital twin" in view.caption
    assert view.still.png(50).startswith(b"\x89PNG")


def test_only_the_rows_of_the_table_are_shown():
    view = ct.show.defects_3d(NUMBERS, PARTICLES, TABLE[TABLE.kind == "crack"], **WORDS)
    assert [look["name"] for look in view.looks] == ["particles", "cracks"]


def test_the_section_is_a_sheet_where_it_was_said_to_be():
    view = ct.show.defects_3d(NUMBERS, PARTICLES, TABLE, plane_um=PLANE, **WORDS)
    assert view.looks[-1]["name"] == "section"
    sheet = view.surfaces[-1]
    assert len(sheet.triangles) == 2
    np.testing.assert_allclose(sheet.corners[:, ::-1], PLANE, rtol=1e-6)
    assert '"section"' in view.html()
    assert len(view.plotly().data) == 4


def test_lazy_numbers_give_the_same_view():
    lazy = [ct.volume(da.from_array(image.values, chunks=16), 0.1) for image in (NUMBERS, PARTICLES)]
    first = ct.show.defects_3d(NUMBERS, PARTICLES, TABLE, **WORDS)
    view = ct.show.defects_3d(*lazy, TABLE, **WORDS)
    for one, other in zip(first.surfaces, view.surfaces, strict=True):
        np.testing.assert_array_equal(one.corners, other.corners)


def test_what_is_drawn_nearer_looks_the_same():
    camera = Camera.on((0, 0, 0), (4, 5, 6))
    corners = np.random.default_rng(0).uniform(0, 4, (20, 3)).astype(np.float32)
    moved = _nearer(Surface(corners, np.zeros((0, 3), np.int32)), camera).corners
    seen, far = camera.project(corners.astype(float))
    again, near = camera.project(moved.astype(float))
    np.testing.assert_allclose(again, seen, atol=1e-4)
    assert (near < 0.06 * far).all()


@pytest.mark.parametrize(
    ("numbers", "table", "options", "error", "match"),
    [
        (NUMBERS.values, TABLE, {}, TypeError, r"ct\.volume"),
        (NUMBERS * 1.0, TABLE, {}, TypeError, "dtype is float64"),
        (NUMBERS.isel(z=20), TABLE, {}, ValueError, "z, y, x are needed"),
        (NUMBERS[:-1], TABLE, {}, ValueError, "sizes .* differ"),
        (NUMBERS, None, {}, TypeError, "a table is needed"),
        (NUMBERS, TABLE.head(0), {}, ValueError, "0 rows"),
        (NUMBERS, pd.DataFrame({"volume_um3": [1.0]}), {}, ValueError, "of kind pore or crack"),
        (NUMBERS, TABLE.set_index("kind", drop=False), {}, ValueError, "its index is the number"),
        (NUMBERS.where(NUMBERS == 1, 0), TABLE, {}, ValueError, "the table names defect 2"),
        (NUMBERS, TABLE, {"plane_um": [(1, 2, 3)]}, ValueError, "three corners or more"),
        (NUMBERS, TABLE, {"plane_um": "top"}, ValueError, "three corners or more"),
        (NUMBERS, TABLE, {"plane_um": [(1, 2, np.nan)] * 3}, ValueError, "three corners or more"),
        (NUMBERS, TABLE, {"most_triangles": 3}, ValueError, "100 or more"),
        (NUMBERS, TABLE, {"alt": ""}, ValueError, "alt"),
        (NUMBERS, TABLE, {"caption": None}, ValueError, "caption=None"),
        (NUMBERS, TABLE, {"plane_um": [(0, 0, 0), (1, 1, 1), (2, 2, 2)]}, ValueError, "on one line"),
        (NUMBERS, TABLE, {"plane_um": 1000 * np.array(PLANE)}, ValueError, "far outside"),
    ],
)
def test_what_cannot_be_shown_is_refused(numbers, table, options, error, match):
    with pytest.raises(error, match=match):
        ct.show.defects_3d(numbers, PARTICLES, table, **WORDS | options)


def test_numbers_and_particles_that_are_swapped_are_refused():
    with pytest.raises(ValueError, match=r"% of the voxels of these defects lie in no particle"):
        ct.show.defects_3d(PARTICLES, NUMBERS, TABLE.loc[[1]], **WORDS)
