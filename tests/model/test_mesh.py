"""Meshes, written and read back by meshio: nodes shared, volumes kept, places right."""

import tracemalloc

import meshio
import numpy as np
import pytest

import corrtomo as ct

PORE, CBD, AM = ct.Phase.PORE, ct.Phase.CBD, ct.Phase.AM
VOXEL = (0.5, 0.4, 0.25)


@pytest.fixture
def labels():
    codes = np.random.default_rng(0).integers(0, 3, (4, 5, 6)).astype(np.uint8)
    return ct.volume(codes, VOXEL, origin=(10.0, 20.0, 30.0))


def volumes(points: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Return the volume of each hexahedron from three of its edges; negative if it is inside out."""
    first = points[cells[:, 0]]
    edges = np.stack([points[cells[:, k]] - first for k in (1, 3, 4)], axis=1)
    return np.linalg.det(edges)


@pytest.mark.parametrize("suffix", [".vtu", ".vtk", ".xdmf", ".inp"])
def test_round_trip_keeps_volumes_phases_and_places(labels, tmp_path, suffix, capsys) -> None:
    path = tmp_path / f"mesh{suffix}"
    ct.model.write_mesh(labels, path)
    read = meshio.read(path)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    (block,) = read.cells
    assert block.type == "hexahedron"
    assert len(read.points) == 5 * 6 * 7  # no node twice
    of_cells = volumes(read.points, block.data)
    assert of_cells == pytest.approx(0.5 * 0.4 * 0.25)
    table = ct.measure.volume_fractions(labels)
    for phase in (PORE, CBD, AM):
        if suffix == ".inp":
            cells = read.cell_sets[phase.label.replace(" ", "_")][0]
        else:
            cells = np.flatnonzero(read.cell_data["phase"][0] == phase)
        assert of_cells[cells].sum() == pytest.approx(table.volume_um3[phase])
        middles = read.points[block.data[cells]].mean(axis=1)
        z, y, x = np.nonzero(labels.values == phase)
        there = np.stack([labels.x.values[x], labels.y.values[y], labels.z.values[z]], axis=1)
        assert np.allclose(middles, there)
    assert "Warning" not in capsys.readouterr().out


def test_chosen_phases_alone_have_nodes(tmp_path) -> None:
    values = np.zeros((3, 3, 3), np.uint8)
    values[0, 0, :2] = AM  # two cubes with a face in common
    ct.model.write_mesh(ct.volume(values, 1.0), tmp_path / "two.vtu", phases=[AM])
    read = meshio.read(tmp_path / "two.vtu")
    assert (len(read.points), len(read.cells[0].data)) == (12, 2)
    assert len(np.unique(read.points, axis=0)) == 12


def test_left_out_voxels_are_left_out(labels, tmp_path) -> None:
    some = labels.where(labels.x < 31, 255).astype(np.uint8)
    ct.model.write_mesh(some, tmp_path / "a.vtu")
    assert len(meshio.read(tmp_path / "a.vtu").cells[0].data) == int((some != 255).sum())


def test_sections_become_quadrilaterals_in_metres(tmp_path) -> None:
    labels = ct.volume(np.uint8([[0, 2, 2]]), 0.5)
    ct.model.write_mesh(labels, tmp_path / "a.vtk", unit="m")
    read = meshio.read(tmp_path / "a.vtk")
    assert read.cells[0].type == "quad"
    assert read.points.min(axis=0) == pytest.approx([-0.25e-6, -0.25e-6, 0.0])
    assert read.points.max(axis=0) == pytest.approx([1.25e-6, 0.25e-6, 0.0])


def test_what_stands_there_stays(labels, tmp_path) -> None:
    path = tmp_path / "a.vtu"
    path.write_text("mine")
    with pytest.raises(FileExistsError, match="it exists"):
        ct.model.write_mesh(labels, path)
    assert path.read_text() == "mine"
    ct.model.write_mesh(labels, path, overwrite=True)
    assert len(meshio.read(path).cells[0].data) == labels.size


@pytest.mark.parametrize(
    ("words", "name", "match"),
    [
        ({"most_cells": 100}, "a.vtu", "a mesh of 120 cells: 100 at most"),
        ({}, "a.stl", "the suffix '.stl' is not known"),
        ({}, "a", "the suffix '' is not known"),
        ({"phases": [ct.Phase.COLLECTOR]}, "a.vtu", "current collector"),
        ({"phases": []}, "a.vtu", "no phase"),
        ({"phases": "AM"}, "a.vtu", "a sequence is needed"),
        ({"phases": [7]}, "a.vtu", "phase 7"),
        ({"unit": "mm"}, "a.vtu", "unit 'mm'"),
        ({"most_cells": 0}, "a.vtu", "most_cells=0"),
    ],
)
def test_refusals(labels, tmp_path, words, name, match) -> None:
    with pytest.raises((ValueError, TypeError), match=match):
        ct.model.write_mesh(labels, tmp_path / name, **words)
    assert not list(tmp_path.iterdir())


def test_folders_and_what_is_no_path_are_refused(labels, tmp_path) -> None:
    (tmp_path / "a.vtu").mkdir()
    with pytest.raises(FileExistsError, match="it is a folder"):
        ct.model.write_mesh(labels, tmp_path / "a.vtu", overwrite=True)
    with pytest.raises(TypeError, match="to a NoneType: a path is needed"):
        ct.model.write_mesh(labels, None)
    assert [path.name for path in tmp_path.rglob("*")] == ["a.vtu"]


def test_masks_and_missing_folders_are_refused(labels, tmp_path) -> None:
    with pytest.raises(TypeError, match="booleans"):
        ct.model.write_mesh(labels == AM, tmp_path / "a.vtu")
    with pytest.raises(FileNotFoundError, match="no folder"):
        ct.model.write_mesh(labels, tmp_path / "none" / "a.vtu")


def test_memory_is_that_of_the_cells_and_not_of_the_volume(tmp_path) -> None:
    codes = np.zeros((200, 200, 200), np.uint8)
    codes[100, 100, 100] = AM
    image = ct.volume(codes, 0.5)
    tracemalloc.start()
    ct.model.write_mesh(image, tmp_path / "one.vtu", phases=[AM])
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 4 * codes.nbytes
    (block,) = meshio.read(tmp_path / "one.vtu").cells
    assert block.data.shape == (1, 8)
