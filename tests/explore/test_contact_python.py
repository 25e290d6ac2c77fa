"""The contact explorer as Python sees it."""

import base64
import json
import re
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import corrtomo as ct
import corrtomo.explore
import corrtomo.measure
import corrtomo.simulate
from corrtomo.explore import explorer as shared
from corrtomo.explore.contact import checks as contact_checks
from corrtomo.phases import as_labels

WORDS: dict[str, Any] = {"caption": "A test", "source": "digital twin"}


def labels(seed: int = 0, shape: tuple[int, ...] = (4, 9, 11)) -> xr.DataArray:
    codes = np.random.default_rng(seed).choice([0, 1, 2, 3], shape).astype(np.uint8)
    codes[..., :2] = 255
    return as_labels(ct.volume(codes, (0.05, 0.035, 0.025)[-len(shape) :]))


@pytest.fixture
def volumes() -> dict[str, xr.DataArray]:
    return {"pristine": labels(0), "20 cycles": labels(1), "50 cycles": labels(2)}


def test_numbers_worked_by_hand() -> None:
    """Planes z, x across y: 1 of 2 faces along x in contact; 1 of 1 along z, twice as large as along x."""
    first = [[[2, 1, 0], [2, 2, 2]], [[2, 2, 0], [1, 1, 1]]]
    image = as_labels(ct.volume(np.array(first, np.uint8), (0.5, 1.0, 1.0)))
    explorer = ct.explore.contact({"one": image}, **WORDS)
    # y 0: along x: 2|1 contact, 2|0 lost, each 0.5 µm²; along z: 1|2 contact, 1.0 µm² (0|0 and 2|2 none)
    assert explorer.profiles["one"].values.tolist() == [1.5 / 2.0, 1.0]
    assert explorer.summary.loc["one"].tolist() == [1.0, (1.5 + 3) / (2 + 3), 0.0]
    explorer.plane = 0
    assert explorer.pba.tolist() == [0.75]


@settings(deadline=None, derandomize=True, max_examples=20)
@given(st.integers(0, 999), st.sampled_from(["z", "y", "x"]), st.data())
def test_numbers_are_those_of_measure(seed: int, depth: str, data: st.DataObject) -> None:
    volumes = {"a": labels(seed), "b": labels(seed + 1)}
    explorer = ct.explore.contact(volumes, depth=depth, of=1, touching=0, **WORDS)
    explorer.plane = data.draw(st.integers(0, volumes["a"].sizes[depth] - 1))
    pair = {"of": ct.Phase.CBD, "touching": ct.Phase.PORE}
    axes = [d for d in "zyx" if d != depth]
    for name, image in volumes.items():
        profile = ct.measure.contact_profile(image, depth=depth, **pair)
        xr.testing.assert_identical(explorer.profiles[name], profile)
        shown = explorer.summary.loc[name]
        np.testing.assert_equal(shown.pba_plane, float(profile[explorer.plane]))
        assert shown.pba == ct.measure.contact_fraction(image, axes=axes, **pair)
    first, second = explorer.summary.pba
    assert explorer.summary.difference_percent.tolist() == [0.0, 100 * (second / first - 1)]


def test_python_moves_and_hears_the_plane(volumes: dict[str, xr.DataArray]) -> None:
    explorer = ct.explore.contact(volumes, **WORDS)
    assert explorer.plane == explorer.start["plane"] == 4
    heard: list[int] = []
    explorer.observe(lambda change: heard.append(change.new), "plane")
    explorer.plane = 2
    explorer.set_state({"plane": 7})  # what the front end sends
    assert heard == [2, 7]
    for wrong in (9, -1):
        with pytest.raises(ValueError, match="it holds 9, numbered from 0 to 8"):
            explorer.plane = wrong
    assert explorer.plane == 7


def test_starts_at_a_depth(volumes: dict[str, xr.DataArray]) -> None:
    moved = {name: v.assign_coords(y=v.y + 3.0) for name, v in volumes.items()}
    assert ct.explore.contact(moved, at_um=3.0 + 2 * 0.035, **WORDS).plane == 2
    for wrong in (2.9, 4.0, np.nan, "top", True):
        with pytest.raises(ValueError, match=r"the planes lie from 3 to 3\.28 µm along y"):
            ct.explore.contact(moved, at_um=wrong, **WORDS)


def test_static_page_gets_everything(
    volumes: dict[str, xr.DataArray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORRTOMO_STATIC", "1")
    explorer = ct.explore.contact(volumes, depth="x", **WORDS)
    data = explorer._repr_mimebundle_()
    assert data["text/plain"] == repr(explorer)
    assert repr(explorer).startswith(
        f"ContactExplorer(plane=5, pristine {explorer.summary.pba.iloc[0]:.4f}, "
    )
    page = data["text/html"]
    state = json.loads(re.search(r'<script type="application/json">(.*)</script>', page)[1])
    kept = shared.unpack(base64.b64decode(state["labels"]["base64"])).reshape(state["shape"])
    for planes, image in zip(kept, volumes.values(), strict=True):
        np.testing.assert_array_equal(planes, image.transpose("x", "z", "y"))
    assert state["areas_um2"] == [0.025 * 0.035, 0.025 * 0.05], "below a voxel, and beside it"
    assert "volumes" not in state
    assert "http" not in page


def test_a_page_of_three_volumes_is_light(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORRTOMO_STATIC", "1")
    image = ct.simulate.electrode((10.0, 12.8, 25.6), diameter_um=2.5, seed=1).labels(0.1)
    turned = {"a": image.data, "b": image.data[::-1], "c": image.data[:, :, ::-1]}
    explorer = ct.explore.contact({k: image.copy(data=v) for k, v in turned.items()}, depth="z", **WORDS)
    assert len(explorer._repr_mimebundle_()["text/html"]) < 1.5e6


def test_noise_and_large_volumes_are_refused_with_a_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    noisy = labels(0, (40, 50, 60))
    monkeypatch.setattr(contact_checks, "MOST_BYTES", 10_000)
    with pytest.raises(ValueError, match=r"weigh 0\.0\d MB packed, 0\.01 MB is the most.*labels\.isel\(x="):
        ct.explore.contact({"noisy": noisy}, **WORDS)
    huge = xr.DataArray(
        np.broadcast_to(np.uint8(2), (300, 768, 1024)), dims=("z", "y", "x"), coords=_coords(300, 768, 1024)
    )
    with pytest.raises(
        ValueError, match=r"300 × 768 × 1024 are 235\.9 million voxels, 16 million is the most"
    ):
        ct.explore.contact({"huge": huge}, **WORDS)


def _coords(*shape: int) -> dict[str, Any]:
    return {d: 0.025 * np.arange(n) for d, n in zip("zyx", shape, strict=True)}


def test_joined_module_has_no_import_left() -> None:
    module = shared.bundle("contact")
    assert not re.search(r"^(import|export (?!default))", module, re.MULTILINE)
    assert module.count("export default") == 1
    names = re.findall(r"^(?:async )?(?:function|const|let) (\w+)", module, re.MULTILINE)
    assert len(names) == len(set(names)), "two modules that are joined use one name"


def test_picture_says_what_it_shows(volumes: dict[str, xr.DataArray]) -> None:
    explorer = ct.explore.contact(volumes, **WORDS)
    row = explorer.summary.loc["50 cycles"]
    figure = explorer.picture()
    assert f"50 cycles: {row.pba_plane:.4f} on this plane, {row.pba:.4f} in the whole volume" in figure.alt
    assert figure.png(50)[:4] == b"\x89PNG"
    lines = figure.drawing.axes[-1].get_lines()
    np.testing.assert_array_equal(lines[0].get_ydata(), explorer.profiles["pristine"])


def test_a_plane_without_a_face_is_said() -> None:
    codes = labels(3).values.copy()
    codes[:, 0] = 0
    explorer = ct.explore.contact({"a": as_labels(ct.volume(codes, 0.1))}, at_um=0.0, **WORDS)
    assert np.isnan(explorer.pba["a"])
    assert "no face on this plane" in explorer.picture().alt


def test_lazy_volumes(volumes: dict[str, xr.DataArray]) -> None:
    lazy = {name: image.chunk(z=2) for name, image in volumes.items()}
    assert ct.explore.contact(lazy, **WORDS).state() == ct.explore.contact(volumes, **WORDS).state()


PAIR = {"a": labels(0), "b": labels(1)}
REFUSED: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "one image": ({"volumes": labels()}, TypeError, r"of a DataArray.*\{'pristine': labels\}"),
    "nothing": ({"volumes": {}}, ValueError, "of 0 volumes"),
    "None": ({"volumes": None}, TypeError, "of a NoneType"),
    "five": ({"volumes": {str(i): labels(i) for i in range(5)}}, ValueError, "one to 4 stand side by side"),
    "no name": ({"volumes": {" ": labels()}}, ValueError, "each with a name"),
    "a number as name": ({"volumes": {20: labels()}}, ValueError, "each with a name"),
    "plain array": ({"volumes": {"a": labels().values}}, TypeError, "voxel size is not known"),
    "grey values": ({"volumes": {"a": labels().astype(float)}}, TypeError, "integer codes"),
    "mask": ({"volumes": {"a": labels() == 2}}, TypeError, "codes of ct.Phase are needed"),
    "section": ({"volumes": {"a": labels(0, (9, 11))}}, ValueError, r"ct\.show\.contact\(\)"),
    "unknown code": ({"volumes": {"a": labels().where(labels() != 3, 9)}}, ValueError, "phase 9"),
    "no such axis": ({"depth": "depth"}, ValueError, "z, y, x"),
    "axis by number": ({"depth": 1}, ValueError, "z, y, x"),
    "two axes": ({"depth": ("y", "x")}, ValueError, "one axis is needed"),
    "same phase": ({"of": 1}, ValueError, "two different phases"),
    "no phase": ({"of": 7}, ValueError, "not a known phase"),
    "left out": ({"touching": 255}, ValueError, "neither of them left out"),
    "absent": ({"of": ct.Phase.SEPARATOR}, ValueError, "of 'a': no voxel is separator"),
    "dims": ({"volumes": {"a": labels(), "b": labels()[:, 0]}}, ValueError, "to scroll through"),
    "shapes": (
        {"volumes": PAIR | {"b": labels(1)[:, :, 1:]}},
        ValueError,
        r"their shapes differ.*labels\.isel",
    ),
    "voxels": (
        {"volumes": PAIR | {"b": as_labels(ct.volume(labels(1).values, 0.05))}},
        ValueError,
        r"voxel sizes \(µm\) differ",
    ),
    "depths": (
        {"volumes": PAIR | {"b": labels(1).assign_coords(y=labels(1).y + 0.01)}},
        ValueError,
        r"differ by up to 0\.01 µm.*Count depth from the surface",
    ),
    "source": ({"source": "real"}, ValueError, "'measured', 'digital twin', 'schematic'"),
    "caption": ({"caption": " "}, ValueError, "caption"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refuses(case: str) -> None:
    wrong, error, words = REFUSED[case]
    given_ = {"volumes": PAIR, **WORDS} | wrong
    with pytest.raises(error, match=words):
        ct.explore.contact(given_.pop("volumes"), **given_)
