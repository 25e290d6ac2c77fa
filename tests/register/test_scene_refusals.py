"""What a scene refuses, and in which words."""

import numpy as np
import pytest

import corrtomo as ct
from corrtomo.register import Alignment, Grid, Scene, SceneError, SectionAlignment, stated

IMAGE = ct.volume(np.zeros((8, 8)), 1.0)
VOLUME = ct.volume(np.zeros((8, 8, 8)), 1.0)


@pytest.fixture
def scene():
    out = Scene()
    out.add("CT", VOLUME)
    out.add("A", IMAGE)
    out.add("B", IMAGE)
    out.add("alone", IMAGE)
    out.align("A", "B", stated(np.eye(3), error_um=0.1))
    return out


@pytest.mark.parametrize(
    ("name", "image", "kind", "words"),
    [
        (None, IMAGE, TypeError, "a word is needed"),
        ("  ", IMAGE, TypeError, "a word is needed"),
        (3, IMAGE, TypeError, "a word is needed"),
        ("A", IMAGE, ValueError, "Give the new one another name"),
        ("new", None, TypeError, "Cannot add 'new' to the scene: Cannot use a NoneType"),
        ("new", np.zeros((3, 3)), TypeError, "voxel size is not known"),
        ("new", "image.tif", TypeError, "Cannot use a str"),
        ("new", IMAGE[:0], ValueError, "holds no voxel"),
        ("new", IMAGE.isel(y=0), ValueError, "z, y, x or y, x are needed"),
        ("new", ct.volume(np.zeros((3, 3)), 1.0, dims=("z", "x")), ValueError, "z, y, x or y, x are needed"),
    ],
)
def test_images(scene, name, image, kind, words):
    with pytest.raises(kind, match=words):
        scene.add(name, image)


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        (("y", "x"), "z, y, x or y, x"),
        ((("z", "y"), (2, 2), (1.0, 1.0), (0.0, 0.0)), "z, y, x or y, x are needed"),
        ((("y", "x"), (2, 0), (1.0, 1.0), (0.0, 0.0)), "whole numbers from 1"),
        ((("y", "x"), (2, 10**15), (1.0, 1.0), (0.0, 0.0)), "whole numbers from 1"),
        ((("y", "x"), (2, 2, 2), (1.0, 1.0), (0.0, 0.0)), "2 whole numbers"),
        ((("y", "x"), (2, 2), (1.0, 0.0), (0.0, 0.0)), "voxel size above zero"),
        ((("y", "x"), (2, 2), (1.0, np.nan), (0.0, 0.0)), "voxel_um .* finite numbers"),
        ((("y", "x"), (2, 2), (1.0, 1.0), (0.0, np.inf)), "origin_um .* finite numbers"),
        ((("y", "x"), (2, 2), (1.0, "1"), (0.0, 0.0)), "voxel_um .* finite numbers"),
    ],
)
def test_grids(parts, words):
    if len(parts) == 2:
        parts = (parts[:1], (2,), (1.0,), (0.0,))
    with pytest.raises(ValueError, match=words):
        Grid(*parts)


def bad(matrix=None, error_um=0.1, n=2):
    values = np.eye(n + 1) if matrix is None else np.asarray(matrix, float)
    return Alignment(values, error_um, 1.0, True, 9, "", "rigid", 0.0, (0.0,) * n, 1.0)


@pytest.mark.parametrize(
    ("moving", "fixed", "found", "kind", "words"),
    [
        ("A", "A", bad(), ValueError, "'A' with itself"),
        (
            "A",
            "B",
            bad(),
            ValueError,
            r"joined already, with an error of 0.1 µm. Remove .* scene.drop\('A', 'B'\)",
        ),
        ("B", "A", bad(), ValueError, "joined already"),
        ("A", "no", bad(), ValueError, "'no': the scene holds 'CT', 'A'"),
        ("A", None, bad(), TypeError, "None: the scene holds"),
        ("A", ["B"], bad(), TypeError, "the scene holds"),
        ("A", "alone", np.eye(3), TypeError, "ndarray: an alignment is needed"),
        ("A", "alone", None, TypeError, "NoneType: an alignment is needed"),
        ("A", "alone", bad(error_um=-1.0), ValueError, "0 or above"),
        ("A", "alone", bad(error_um=float("nan")), ValueError, "finite number"),
        ("A", "alone", bad(error_um="1"), TypeError, "finite number"),
        ("A", "alone", bad(np.full((3, 3), np.nan)), ValueError, "finite numbers over"),
        ("A", "alone", bad(np.zeros((2, 2))), ValueError, r"shape \(2, 2\)"),
        ("A", "alone", bad(np.diag([1.0, 0.0, 1.0])), ValueError, "there is no way back"),
        ("A", "alone", bad([[1, 0, 0], [0, 1, 0], [5, 5, 1]]), ValueError, "not transposed"),
        ("A", "alone", bad(n=3), ValueError, "3 × 3 joins two sections"),
        ("A", "CT", bad(), ValueError, "4 × 4 two volumes, or a section and a volume"),
    ],
)
def test_alignments(scene, moving, fixed, found, kind, words):
    with pytest.raises(kind, match=words):
        scene.align(moving, fixed, found)
    assert len(scene.alignments()) == 1


def test_a_section_the_wrong_way_round(scene):
    found = SectionAlignment(
        np.eye(4), 0.2, 1.0, True, 9, "", "rigid", 0.0, (0.0,) * 3, 1.0, 6.0, 0.1, (0.0, 0.0), 0.2, 0.9, 0.1
    )
    with pytest.raises(ValueError, match="leads from section to volume, and 'CT' is a volume"):
        scene.align("CT", "A", found)
    scene.align("CT", "A", found.inverse())
    assert scene.alignments()["moving"].tolist() == ["A", "A"], "kept as it was found"


@pytest.mark.parametrize(
    ("matrix", "error", "kind", "words"),
    [
        ("eye", 0.1, TypeError, "by str: a matrix of numbers"),
        (None, 0.1, ValueError, "shape"),
        ([[1, 0], [0]], 0.1, TypeError, "a matrix of numbers"),
        (np.eye(5), 0.1, ValueError, r"shape \(5, 5\)"),
        (np.diag([1.0, -1.0, 1.0, 1.0]), 0.1, ValueError, "that mirrors"),
        (np.eye(4), None, TypeError, "error_um None"),
        (np.eye(4), True, TypeError, "error_um True"),
        (np.eye(4), np.inf, ValueError, "error_um inf"),
    ],
)
def test_stated(matrix, error, kind, words):
    with pytest.raises(kind, match=words):
        stated(matrix, error_um=error)


def test_what_is_not_joined(scene):
    with pytest.raises(SceneError, match="'alone' is joined with nothing"):
        scene.between("A", "alone")
    with pytest.raises(SceneError, match="'B' is joined with 'A'"):
        scene.between("alone", "B")
    with pytest.raises(ValueError, match="Cannot find an alignment of 'no'"):
        scene.between("no", "A")
    with pytest.raises(ValueError, match="there is none. Joined are 'A' and 'B'"):
        scene.drop("A", "CT")
    with pytest.raises(ValueError, match="Cannot tell places of 'no'"):
        scene.table(onto="no")


def test_what_cannot_be_resampled(scene):
    scene.add("grid", Grid.of(IMAGE))
    scene.align("grid", "A", stated(np.eye(3), error_um=0.1))
    with pytest.raises(SceneError, match=r"knows its grid, and not its values.*scene.add\('grid', image\)"):
        scene.resample("grid", onto="A")
    scene.add("grid", IMAGE + 1)
    assert scene.resample("grid", onto="A").mean() == 1.0
    with pytest.raises(ValueError, match="another name"):
        scene.add("grid", IMAGE)
    scene.add("huge", Grid(("y", "x"), (10**6, 10**6), (1e-5, 1e-5), (0.0, 0.0)))
    scene.align("huge", "A", stated(np.eye(3), error_um=0.1))
    with pytest.raises(ValueError, match="more than memory should hold"):
        scene.resample("A", onto="huge")


@pytest.mark.parametrize("factor", [1000.0, 1e-3, 1e-200])
def test_units_that_are_wrong(factor):
    with pytest.raises(ValueError, match="Cannot state an alignment with a matrix that scales by"):
        stated(np.diag([factor, factor, 1.0]), error_um=1.0)
