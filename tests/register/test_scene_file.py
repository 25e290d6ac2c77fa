"""A scene as a file: what is read is what was written, and others can read it."""

import json
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import corrtomo as ct
from corrtomo.register import Alignment, Scene, SectionAlignment, stated


def scene_of(seed=0):
    rng = np.random.default_rng(seed)
    scene = Scene()
    scene.add(
        "cell, 18 mm", ct.volume(np.zeros((4, 60, 60)), (4500.0, 300.0, 300.0), origin=rng.normal(size=3))
    )
    scene.add("Röntgen", ct.volume(np.zeros((8, 9, 10)), 0.43))
    scene.add("SE", ct.volume(np.zeros((20, 30)), 0.05, origin=(1.0, 2.0)))
    scene.add("SIMS", ct.volume(np.zeros((20, 30)), 0.1))
    turn = np.eye(4)
    turn[:3, :3] = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    turn[:3, 3] = rng.normal(0, 1e3, 3)
    turn[:3, 0] *= np.sign(np.linalg.det(turn[:3, :3]))
    scene.align("Röntgen", "cell, 18 mm", stated(turn, error_um=rng.uniform()))
    found = SectionAlignment(
        turn,
        0.2,
        1.3,
        False,
        9,
        "why",
        "rigid",
        0.1,
        (0.1, 0.2, 0.3),
        1.0,
        6.0,
        0.1,
        (0.5, 0.2),
        0.2,
        0.9,
        0.1,
    )
    scene.align("SE", "Röntgen", found)
    flat = np.eye(3)
    flat[:2] += rng.normal(0, 0.1, (2, 3))
    scene.align("SIMS", "SE", Alignment(flat, 0.3, 0.7, True, 4, "", "affine", 1.0, (0.0, 0.1), 1.0))
    return scene


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_what_is_read_is_what_was_written(tmp_path_factory, seed):
    scene = scene_of(seed)
    path = tmp_path_factory.mktemp("scene") / "scene.json"
    scene.write(path)
    again = Scene.read(path)
    assert again.grids == scene.grids
    assert not again.images
    for a in scene.grids:
        for b in scene.grids:
            one, other = (s.between(a, b) for s in (scene, again))
            np.testing.assert_allclose(other.matrix, one.matrix, rtol=1e-12, atol=1e-9)
            assert other.error_um == pytest.approx(one.error_um, rel=1e-9)
    assert scene.alignments().equals(again.alignments())
    known = again._known[frozenset(("SE", "Röntgen"))]
    assert isinstance(known, SectionAlignment)
    assert (known.depth_um, known.tilt_deg, known.converged) == (6.0, (0.5, 0.2), False)
    second = path.with_name("second.json")
    again.write(second)
    Scene.read(second)


def test_others_read_it_as_a_scene_of_ngff(tmp_path):
    """By hand, from the standard's part alone: a point of the section, to the volume."""
    scene = scene_of()
    scene.write(tmp_path / "scene.json")
    content = json.loads((tmp_path / "scene.json").read_text(encoding="utf-8"))
    assert content["ome"]["version"] == "0.6"
    part = content["ome"]["scene"]
    systems = {s["name"]: [a["name"] for a in s["axes"]] for s in part["coordinateSystems"]}
    assert systems["SE"] == ["y", "x"]
    assert systems["Röntgen"] == ["z", "y", "x"]
    assert all(a["unit"] == "micrometer" for s in part["coordinateSystems"] for a in s["axes"])
    for one in part["coordinateTransformations"]:
        moving, fixed = one["input"]["name"], one["output"]["name"]
        affine = np.array(one["affine"])
        assert one["type"] == "affine"
        assert affine.shape == (len(systems[fixed]), len(systems[moving]) + 1)
        point = np.arange(1.0, len(systems[moving]) + 1)
        known = scene.between(moving, fixed)
        lifted = point if len(known.matrix) == len(point) + 1 else np.array([0.0, *point])
        np.testing.assert_allclose(affine @ [*point, 1.0], known.points(lifted), rtol=1e-9)


def test_a_file_is_not_replaced_unless_asked_for(tmp_path):
    scene, path = scene_of(), tmp_path / "scene.json"
    scene.write(path)
    with pytest.raises(FileExistsError, match="overwrite=True"):
        scene.write(path)
    scene.drop("SIMS", "SE")
    scene.write(path, overwrite=True)
    assert len(Scene.read(path).alignments()) == 2
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        scene.write(tmp_path / "no" / "scene.json")
    assert [p.name for p in tmp_path.iterdir()] == ["scene.json"], "nothing is left beside it"


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda c: c.pop("corrtomo"), "it has no 'corrtomo'"),
        (lambda c: c.pop("ome"), "it has no 'ome'"),
        (lambda c: c["corrtomo"].update(format=99), "it is of format 99"),
        (lambda c: c["ome"]["scene"].update(coordinateTransformations=[]), "shorter|longer"),
        (
            lambda c: c["ome"]["scene"]["coordinateTransformations"][0].update(affine=[[1, 0], [0, 1]]),
            "numbers",
        ),
        (lambda c: c["ome"]["scene"]["coordinateTransformations"][0].update(affine="x"), "could not convert"),
        (
            lambda c: c["ome"]["scene"]["coordinateTransformations"][0]["input"].update(name="no"),
            "it has no 'no'",
        ),
        (lambda c: c["corrtomo"]["images"]["SE"].update(shape=[-1, 2]), "whole numbers"),
        (lambda c: c["corrtomo"]["images"]["SE"].update(voxel_um=[None, 2]), "finite numbers"),
        (lambda c: c["corrtomo"]["alignments"][0].update(error_um=None), "finite number in µm"),
        (lambda c: c["corrtomo"]["alignments"][0].update(more=1), "unexpected keyword"),
        (lambda c: c["corrtomo"].update(images=[1]), "items"),
    ],
)
def test_damage_is_named(tmp_path, spoil, words):
    path = tmp_path / "scene.json"
    scene_of().write(path)
    content = json.loads(path.read_text(encoding="utf-8"))
    spoil(content)
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ValueError, match=words):
        Scene.read(path)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe\x00", b"[" * 100_000])
def test_what_is_no_scene_is_refused(tmp_path, content):
    path = tmp_path / "scene.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="Cannot read a scene from"):
        Scene.read(path)
    with pytest.raises(FileNotFoundError, match="no such file"):
        Scene.read(tmp_path / "no.json")


@pytest.mark.parametrize("path", [None, 5, "", "a\0b", "x" * 300])
def test_what_is_no_path(path):
    for call in (scene_of().write, Scene.read):
        with pytest.raises((TypeError, ValueError), match="the path of a file is needed"):
            call(path)


def test_what_is_no_file_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for target in (tmp_path, tmp_path / "pipe"):  # a device would be replaced by a file
        with pytest.raises(FileExistsError, match="it is no file"):
            scene_of().write(target, overwrite=True)
    assert (tmp_path / "pipe").is_fifo()
