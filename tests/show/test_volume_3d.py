"""Views in 3D: closed surfaces where the phases are, and the same picture of them for print."""

import base64
import gzip
import json
import re
from typing import Any

import dask.array as da
import matplotlib as mpl
import numpy as np
import plotly.graph_objects as go
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

import corrtomo as ct
from corrtomo.phases import as_labels
from corrtomo.show import Figure3D
from corrtomo.show.camera import FIELD_OF_VIEW, Camera
from corrtomo.show.figure_3d import MIME
from corrtomo.show.simplify import simplify
from corrtomo.show.style import rgb
from corrtomo.show.surfaces import Grid, Surface, average, count, smoothed, surface

WORDS: dict[str, Any] = {
    "caption": "A volume",
    "source": "digital twin",
    "notice": "the ball",
    "alt": "A ball in a box.",
}


def ball(n: int, radius: float, voxel: float = 0.5, code: int = 2) -> xr.DataArray:
    z, y, x = (axis - (n - 1) / 2 for axis in np.ogrid[:n, :n, :n])
    return as_labels(ct.volume(code * (z**2 + y**2 + x**2 < radius**2), voxel))


def closed(mesh: Surface) -> bool:
    """Every edge is walked once in each direction: no hole, and no triangle the wrong way round."""
    edges = np.concatenate([mesh.triangles[:, [a, b]] for a, b in ((0, 1), (1, 2), (2, 0))])
    forth, n = np.unique(edges, axis=0, return_counts=True)
    back = np.unique(edges[:, ::-1], axis=0)
    return bool((n == 1).all() and np.array_equal(forth, back))


def only(figure: Figure3D) -> Surface:
    (mesh,) = figure.surfaces
    return mesh


def am(labels: xr.DataArray, **options: Any) -> Figure3D:
    return ct.show.volume_3d(labels, phases=(ct.Phase.AM,), **(WORDS | options))


def numbers(typed: dict[str, str]) -> np.ndarray:
    return np.frombuffer(base64.b64decode(typed["bdata"]), typed["dtype"])


def test_ball_has_its_volume_in_its_place() -> None:
    mesh = only(am(ball(41, 15, 0.5)))
    assert closed(mesh)
    assert mesh.volume_um3 == pytest.approx(4 / 3 * np.pi * 7.5**3, rel=0.02), "voxels lose their corners"
    np.testing.assert_allclose(mesh.corners.mean(axis=0), 10.0, atol=0.01)
    distance = np.linalg.norm(mesh.corners - 10.0, axis=1)
    assert (abs(distance - 7.5) < 0.5).all(), "within one voxel of the sphere"


def test_axes_scale_and_origin_are_those_of_the_image() -> None:
    codes = np.zeros((10, 12, 14), np.uint8)
    codes[2:5, 3:9, 4:14] = 2
    labels = as_labels(ct.volume(codes, (1.0, 0.5, 0.25), origin=(10, 20, 30)))
    mesh = only(am(labels))
    half = np.array([0.25, 0.5, 1.0]) / 2
    np.testing.assert_allclose(mesh.corners.min(axis=0), np.array([31.0, 21.5, 12.0]) - half)
    np.testing.assert_allclose(mesh.corners.max(axis=0), np.array([33.25, 24.0, 14.0]) + half)
    view = am(labels).plotly().layout.scene
    assert view.xaxis.title.text == "x (µm)"
    assert view.aspectmode == "data"
    assert view.zaxis.range[::-1] == pytest.approx((9.5, 19.5), abs=0.05)


def test_where_the_volume_ends_the_surface_is_flat_and_closed() -> None:
    mesh = only(am(as_labels(ct.volume(np.full((5, 6, 7), 2), 1.0))))
    assert closed(mesh)
    np.testing.assert_array_equal(mesh.corners.min(axis=0), -0.5)
    np.testing.assert_array_equal(mesh.corners.max(axis=0), [6.5, 5.5, 4.5])
    grid = Grid((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (4, 4, 4))
    pale = surface(np.full((4, 4, 4), 0.7, np.float32), grid)
    np.testing.assert_allclose(pale.corners.max(axis=0), 4.0, err_msg="also where a voxel is half empty")


def test_a_single_voxel_and_a_single_slice_can_be_shown() -> None:
    assert closed(only(am(as_labels(ct.volume(np.full((1, 1, 1), 2), 1.0)))))
    assert closed(only(am(as_labels(ct.volume(np.full((1, 9, 9), 2), 1.0)))))


@given(st.integers(1, 30), st.data())
@settings(deadline=None, derandomize=True, max_examples=40)
def test_averages_keep_the_whole(n: int, data: st.DataObject) -> None:
    m = data.draw(st.integers(1, n))
    values = np.random.default_rng(n).random((n, 3, 4))
    image = ct.volume(values, 1.0)
    (mean,) = average(image, Grid((-0.5,) * 3, (n / m, 1.0, 1.0), (m, 3, 4)), lambda slab: slab)
    assert mean.mean() == pytest.approx(values.mean(), rel=1e-5)
    fine = np.repeat(values, m, axis=0).reshape(m, n, 3, 4).mean(axis=1)  # both grids divide one of m * n
    np.testing.assert_allclose(mean, fine, rtol=1e-5)


def test_a_budget_of_triangles_is_kept_and_the_caption_says_so() -> None:
    labels = as_labels(ct.volume(np.random.default_rng(0).choice([0, 1, 2], (40, 40, 40)), 0.5))
    free, tight = (ct.show.volume_3d(labels, most_triangles=most, **WORDS) for most in (10**7, 5000))
    assert count(tight.surfaces) <= 5000 < count(free.surfaces)
    assert "averaged" not in free.caption
    size = re.search(r"A volume\. Drawn from voxels of ([\d.]+) µm, averaged", tight.caption)
    assert size is not None
    assert float(size[1]) == pytest.approx(tight.step_um[0], rel=0.05)
    assert tight.step_um[0] > 0.5
    assert "voxel size 0.5 µm. Notice: the ball." in tight.caption


def test_coarse_surfaces_still_have_the_volume() -> None:
    figure = am(ball(96, 36, 0.1), most_triangles=3000)
    assert only(figure).volume_um3 == pytest.approx(4 / 3 * np.pi * 3.6**3, rel=0.02)
    assert closed(only(figure))
    assert count(figure.surfaces) > 1500, "the budget is used"


def test_smoothing_keeps_the_volume_and_flat_faces() -> None:
    plate = np.zeros((12, 20, 20), np.float32)
    plate[:, :, 8:10] = 0.6  # thin, and paler than a level of one half leaves standing
    level, smooth = smoothed(plate)
    assert (smooth > 0.5).sum() == 0
    assert (level > 0.5).mean() == pytest.approx(plate.mean(), abs=2 / 20)
    assert np.ptp(level, axis=(0, 1)).max() == pytest.approx(0, abs=1e-6), "as flat as before"
    for same in (0.0, 1.0):
        full = np.full((4, 5, 6), same, np.float32)
        np.testing.assert_array_equal(smoothed(full)[0], full)


def test_colours_of_a_coarse_grid_are_those_of_the_sizes() -> None:
    z, y, x = np.ogrid[:60, :60, :100]
    small = (z - 30) ** 2 + (y - 30) ** 2 + (x - 20) ** 2 < 10**2
    large = (z - 30) ** 2 + (y - 30) ** 2 + (x - 65) ** 2 < 22**2
    sizes = ct.volume(np.where(small, 4.0, np.where(large, 9.0, 0.0)), 0.2)
    figure = ct.show.thickness_3d(sizes, most_triangles=400, **WORDS)
    mesh = only(figure)
    assert "averaged and smoothed" in figure.caption
    assert closed(mesh)
    assert mesh.values is not None
    np.testing.assert_allclose(mesh.values, np.where(mesh.corners[:, 0] < 7.2, 4.0, 9.0), atol=0.05)


def test_no_button_sends_a_view_away(monkeypatch: pytest.MonkeyPatch) -> None:
    figure = am(ball(16, 5))
    assert figure.plotly().layout.modebar.remove == ("sendChartToCloud",)
    monkeypatch.delenv("CORRTOMO_STATIC", raising=False)
    config = figure._repr_mimebundle_()[MIME]["config"]
    assert config == {"displaylogo": False, "showSendToCloud": False}


def test_dask_and_views_give_the_same_mesh() -> None:
    labels = ball(30, 11)
    lazy = labels.copy(data=da.from_array(labels.values, chunks=(7, 11, 30)))
    strided = as_labels(ct.volume(np.asfortranarray(labels.values), 0.5))
    for other in (lazy, strided):
        np.testing.assert_array_equal(only(am(other)).corners, only(am(labels)).corners)


def test_a_block_is_cut_away_at_the_corner_nearest_to_the_reader() -> None:
    full = as_labels(ct.volume(np.full((20, 20, 20), 2), 1.0))
    figure = am(full, cut_um=(10, 8, 6))
    mesh = only(figure)
    assert closed(mesh)
    assert mesh.volume_um3 == pytest.approx(20**3 - 10 * 8 * 6, rel=0.02)
    x, y, z = mesh.corners.T
    inside = (x > 13.5) & (y > 11.5) & (z < 9.5)
    assert not inside[(z > 0) & (x < 19) & (y < 19)].any()
    eye = figure.camera.eye
    assert eye[0] > 0 > eye[2]
    assert eye[1] > 0


def test_each_phase_has_its_colour_its_name_and_a_switch() -> None:
    labels = ball(20, 6)
    labels[:3] = 1
    figure = ct.show.volume_3d(labels, opacity={ct.Phase.CBD: 0.4}, **WORDS)
    cbd, grains = figure.plotly().data
    assert isinstance(cbd, go.Mesh3d)
    assert (cbd.color, cbd.name, cbd.opacity) == (ct.Phase.CBD.colour, "carbon binder domain", 0.4)
    assert (grains.color, grains.opacity, grains.showlegend) == (ct.Phase.AM.colour, 1.0, True)
    np.testing.assert_allclose(numbers(grains.x), figure.surfaces[1].corners[:, 0])
    words = [text.get_text() for text in figure.still.drawing.legends[0].get_texts()]
    assert words == ["carbon binder domain", "active material"]


def test_local_size_colours_the_surface() -> None:
    z, y, x = np.ogrid[:24, :24, :40]
    small = (z - 12) ** 2 + (y - 12) ** 2 + (x - 8) ** 2 < 4**2
    large = (z - 12) ** 2 + (y - 12) ** 2 + (x - 26) ** 2 < 9**2
    sizes = ct.volume(np.where(small, 4.0, np.where(large, 9.0, 0.0)), 0.5)
    figure = ct.show.thickness_3d(sizes, limits_um=(0, 12), **WORDS)
    mesh = only(figure)
    assert mesh.values is not None
    want = np.where(mesh.corners[:, 0] < 7, 4.0, 9.0)
    np.testing.assert_allclose(mesh.values, want, atol=1e-3)
    (trace,) = figure.plotly().data
    assert (trace.cmin, trace.cmax, trace.colorbar.title.text) == (0, 12, "local diameter (µm)")
    np.testing.assert_allclose(numbers(trace.intensity), want, atol=1e-3)
    (bare,) = ct.show.thickness_3d(sizes, **WORDS).plotly().data
    assert (bare.cmin, bare.cmax) == (0, 9)


def test_a_cut_face_has_the_size_of_what_is_cut() -> None:
    block = ct.volume(np.full((30, 30, 30), 4.0), 0.5)
    figure = ct.show.thickness_3d(
        block, cut_um=(5, 4, 6), caption="A block", source="schematic", notice="one size", alt="A block."
    )
    values = np.concatenate([mesh.values for mesh in figure.surfaces if mesh.values is not None])
    np.testing.assert_allclose(values, 4.0, atol=0.05)


def test_in_a_notebook_plotly_shows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CORRTOMO_STATIC", raising=False)
    figure = am(ball(16, 5))
    bundle = figure._repr_mimebundle_()
    view = json.loads(json.dumps(bundle[MIME]))
    assert go.Figure({"data": view["data"], "layout": view["layout"]}).data[0].type == "mesh3d"
    assert bundle["text/html"].startswith('<figure class="ct-figure"><img alt="A ball in a box."')
    shown: list[dict[str, Any]] = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append(data))
    figure._ipython_display_()
    assert MIME in shown[0]
    assert shown[1]["text/plain"] == figure.caption, "plotly shows no caption"
    monkeypatch.setenv("CORRTOMO_STATIC", "1")
    figure._ipython_display_()
    assert list(shown[2]) == ["text/html", "text/plain"]
    assert len(shown) == 3


def test_the_page_holds_the_same_mesh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORRTOMO_STATIC", "1")
    labels = ball(20, 7)
    labels[:4] = 1
    figure = ct.show.volume_3d(labels, **WORDS)
    page = figure._repr_mimebundle_()["text/html"]
    assert page.startswith('<figure class="ct-figure ct-view3d"')
    assert 'alt="A ball in a box."' in page
    assert "<figcaption>A volume. Digital twin, voxel size 0.5 µm. Notice: the ball.</figcaption>" in page
    assert "http" not in page
    view = json.loads(re.search(r'<script type="application/json">(.*?)</script>', page)[1])
    packed = np.frombuffer(gzip.decompress(base64.b64decode(view["packed"])), np.uint8)
    for look, mesh in zip(view["looks"], figure.surfaces, strict=True):
        corners, triangles = 4 * look["corners"], 12 * look["triangles"]
        for axis in range(3):
            steps, packed = unranked(packed[:corners]), packed[corners:]
            at = view["origin"][axis] + view["quantum"][axis] * steps
            np.testing.assert_allclose(at, mesh.corners[:, axis], atol=0.5 / 16 * 1.01)
        np.testing.assert_array_equal(unranked(packed[:triangles]).reshape(-1, 3), mesh.triangles)
        packed = packed[triangles:]
    assert packed.size == 0


def unranked(packed: np.ndarray) -> np.ndarray:
    ranks = packed.reshape(4, -1).astype(np.int64)
    steps = sum(rank << (8 * i) for i, rank in enumerate(ranks))
    return np.cumsum(np.where(steps >= 2**31, steps - 2**32, steps))


def test_a_page_stays_light(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORRTOMO_STATIC", "1")
    labels = ct.simulate.electrode(20.0, seed=1).labels(0.2)
    figure = ct.show.volume_3d(labels, **WORDS)
    assert count(figure.surfaces) <= 60_000
    assert len(figure.html()) < 900_000


def test_z_counts_downwards_and_nothing_is_mirrored() -> None:
    """On the picture, and in the view: what is milled first is above, and x, y, z keep their sense."""
    labels = ball(16, 5)
    figure = am(labels)
    camera = figure.camera
    start = camera.low_um[None]
    ((x0, y0),), (depth0,) = camera.project(start)
    (along_x, along_y, along_z), depths = camera.project(start + np.eye(3) * 0.1)
    assert along_z[1] < y0
    assert along_z[0] == pytest.approx(x0, abs=0.01)
    assert along_x[0] > x0
    assert depths[1] < depth0, "y comes nearer, as it goes down on a slice"
    # Right, up and towards the eye, x × y = z must still hold.
    steps = [
        [p[0] - x0, p[1] - y0, depth0 - d] for p, d in zip((along_x, along_y, along_z), depths, strict=True)
    ]
    assert np.linalg.det(steps) > 0
    scene = figure.plotly().layout.scene
    falls = [axis.range[0] > axis.range[1] for axis in (scene.xaxis, scene.yaxis, scene.zaxis)]
    assert falls == [False, True, True], "two of three: turned, not mirrored"
    assert scene.camera.eye.z > 0 > camera.eye[2]


@pytest.mark.parametrize("size", [(1, 1, 1), (500, 250, 110), (3, 1, 40)])
def test_the_camera_holds_the_whole_box(size: tuple[float, float, float]) -> None:
    low = np.array([5.0, -3.0, 100.0])
    camera = Camera.on(low, low + size)
    corners = np.array(np.meshgrid(*zip(low, low + size, strict=True))).reshape(3, -1).T
    seen, far = camera.project(corners)
    assert (far > 0).all()
    reach = max(abs(seen[:, 0]).max() / camera.aspect, abs(seen[:, 1]).max())
    assert reach == pytest.approx(0.74, rel=1e-3), "as near as it may come"
    np.testing.assert_allclose(seen.max(axis=0), -seen.min(axis=0), atol=1e-3, err_msg="in the middle")
    middle, away = camera.project(low[None] + np.array(size) / 2 + camera.centre * np.prod(size) ** (1 / 3))
    np.testing.assert_allclose(middle, 0, atol=1e-12)
    assert away[0] == pytest.approx(np.linalg.norm(camera.eye - camera.centre))
    assert pytest.approx(np.pi / 4) == FIELD_OF_VIEW


def test_the_still_shows_what_is_in_front() -> None:
    codes = np.zeros((12, 12, 12), np.uint8)
    codes[:, 9:], codes[:, :3] = 2, 1  # active material before the binder, seen from high y
    figure = ct.show.volume_3d(as_labels(ct.volume(codes, 1.0)), **WORDS)
    pixels = raster(figure)
    front = pixels[pixels.shape[0] // 2, int(0.4 * pixels.shape[1])]
    grey = np.array(rgb(ct.Phase.AM.colour)) / 255
    np.testing.assert_allclose(front / front.max(), grey / grey.max(), atol=0.02)


def raster(figure: Figure3D) -> np.ndarray:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure.still.drawing)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3] / 255


def test_it_is_the_same_each_time_and_leaves_no_trace(tmp_path: Any) -> None:
    before = dict(mpl.rcParams)
    labels = ball(20, 7)
    assert am(labels).html() == am(labels).html()
    assert dict(mpl.rcParams) == before
    assert am(labels).save(tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert repr(am(labels)).startswith("Figure3D('A volume.")


def test_refusals() -> None:
    labels = ball(12, 4)
    with pytest.raises(ValueError, match="Cannot show carbon binder domain in 3D: no voxel"):
        ct.show.volume_3d(labels, **WORDS)
    with pytest.raises(ValueError, match=r"dims \('y', 'x'\), but z, y, x are needed.*ct.show.slices"):
        am(labels[0])
    with pytest.raises(TypeError, match="dtype is float64"):
        am(labels.astype(float))
    with pytest.raises(TypeError, match=r"ct\.volume"):
        am(labels.values)
    with pytest.raises(ValueError, match="not a known phase code"):
        ct.show.volume_3d(labels, phases=(7,), **WORDS)
    for phases in ((), (ct.Phase.AM, ct.Phase.AM)):
        with pytest.raises(ValueError, match="one or more are needed, each once"):
            ct.show.volume_3d(labels, phases=phases, **WORDS)
    for opacity in (0, 1.5, np.nan, {ct.Phase.PORE: 0.5}):
        with pytest.raises(ValueError, match="each must be above 0 and at most 1"):
            am(labels, opacity=opacity)
    for cut in ((1, 1), (0, 1, 1), (99, 1, 1), (6, 6, 6), (np.nan, 1, 1)):
        with pytest.raises(ValueError, match="three edges along z, y, x"):
            am(labels, cut_um=cut)
    with pytest.raises(ValueError, match="100 or more are needed"):
        am(labels, most_triangles=10)
    for most in (True, 1e5, "many"):
        with pytest.raises(TypeError, match="a whole number is needed"):
            am(labels, most_triangles=most)
    for word in ("caption", "notice", "alt"):
        with pytest.raises(ValueError, match=f"with {word}=' '"):
            am(labels, **{word: " "})
    with pytest.raises(ValueError, match="source 'real'"):
        am(labels, source="real")


def test_refusals_of_local_sizes() -> None:
    sizes = ct.volume(np.ones((4, 4, 4)), 1.0)
    for bad in (-1.0, np.inf):
        with pytest.raises(ValueError, match=r"must be finite, 0 outside.*ct.measure.local_thickness"):
            ct.show.thickness_3d(sizes.where(sizes.x > 0, bad), **WORDS)
    with pytest.raises(ValueError, match=r"must be finite, 0 outside.*ct.measure.local_thickness"):
        ct.show.thickness_3d(sizes * np.nan, **WORDS)
    assert ct.show.thickness_3d(sizes.where(sizes.x > 0), **WORDS).surfaces  # the border is left out
    with pytest.raises(ValueError, match="between 0 and 0 µm"):
        ct.show.thickness_3d(sizes * 0, **WORDS)
    with pytest.raises(TypeError, match="dtype is bool"):
        ct.show.thickness_3d(sizes > 0, **WORDS)
    for limits in ((3, 1), (1, 1), (-1, 2), (0, np.inf), (np.nan, 1)):
        with pytest.raises(ValueError, match="finite, ascending and not below 0"):
            ct.show.thickness_3d(sizes, limits_um=limits, **WORDS)


def test_thinned_surfaces_stay_closed_and_near() -> None:
    fine = only(am(ball(80, 30, 0.1), most_triangles=10**6))
    (thin,) = simplify([fine], 1000, 0.1)
    assert closed(thin)
    assert 900 < len(thin.triangles) <= 1000 < 20 * len(thin.triangles) < len(fine.triangles)
    assert thin.volume_um3 == pytest.approx(fine.volume_um3, rel=0.01)
    distance = np.linalg.norm(thin.corners - 3.95, axis=1)
    assert (abs(distance - 3.0) < 0.1).all(), "within a voxel of the sphere"


def test_flat_faces_need_hardly_a_triangle() -> None:
    codes = np.zeros((40, 40, 40), np.uint8)
    codes[10:30, 5:35, 8:32] = 2
    box = only(am(as_labels(ct.volume(codes, 1.0)), most_triangles=10**6))
    (thin,) = simplify([box], 120, 1.0)
    assert closed(thin)
    assert thin.volume_um3 == pytest.approx(box.volume_um3, rel=0.005)
    for axis in range(3):
        np.testing.assert_allclose(np.ptp(thin.corners[:, axis]), np.ptp(box.corners[:, axis]), atol=0.1)


def test_thinning_keeps_colours_and_every_body() -> None:
    z, y, x = np.ogrid[:40, :40, :80]
    small = (z - 20) ** 2 + (y - 20) ** 2 + (x - 18) ** 2 < 15**2
    large = (z - 20) ** 2 + (y - 20) ** 2 + (x - 58) ** 2 < 17**2
    sizes = ct.volume(np.where(small, 4.0, np.where(large, 9.0, 0.0)), 0.5)
    mesh = only(ct.show.thickness_3d(sizes, most_triangles=800, **WORDS))
    assert closed(mesh)
    assert len(mesh.triangles) <= 800
    assert mesh.values is not None
    np.testing.assert_allclose(mesh.values, np.where(mesh.corners[:, 0] < 19, 4.0, 9.0), atol=1e-3)


def test_thinning_is_the_same_each_time_and_leaves_its_input_alone() -> None:
    fine = only(am(ball(40, 15, 0.1), most_triangles=10**6))
    before = fine.corners.copy(), fine.triangles.copy()
    (one,), (two,) = simplify([fine], 400, 0.1), simplify([fine], 400, 0.1)
    np.testing.assert_array_equal(one.corners, two.corners)
    np.testing.assert_array_equal(one.triangles, two.triangles)
    np.testing.assert_array_equal(fine.corners, before[0])
    np.testing.assert_array_equal(fine.triangles, before[1])


def test_what_cannot_be_thinned_is_left_closed() -> None:
    (least,) = simplify([only(am(ball(20, 7, 0.1)))], 1, 0.1)
    assert closed(least)
    assert 4 <= len(least.triangles) < 60


def test_thinning_keeps_bridges_and_holes_of_a_sponge() -> None:
    noise = ndimage.gaussian_filter(np.random.default_rng(3).normal(size=(36, 36, 36)), 1.6, mode="wrap")
    mesh = only(am(as_labels(ct.volume(np.where(noise > 0, 2, 0), 0.5)), most_triangles=10**6))
    (thin,) = simplify([mesh], len(mesh.triangles) // 12, 0.5)
    assert closed(mesh)
    assert closed(thin)
    assert holes(thin) == holes(mesh)


def holes(mesh: Surface) -> int:
    """Return Euler's number of a surface: two for every body, two less for every hole through it."""
    return len(mesh.corners) - len(mesh.triangles) // 2


def test_the_still_is_lit_from_the_side_of_the_reader() -> None:
    pixels = raster(am(as_labels(ct.volume(np.full((9, 9, 9), 2), 1.0))))
    middle = pixels[: int(0.8 * pixels.shape[0]), int(0.3 * pixels.shape[1]) : int(0.7 * pixels.shape[1])]
    shades = np.round(middle[..., 0], 2)
    tones = {tone for tone in np.unique(shades) if (shades == tone).mean() > 0.03 and tone < 0.99}
    assert len(tones) >= 3, "three faces, each of its own shade"
    assert max(tones) > 0.6


def test_the_caption_says_that_surfaces_were_thinned() -> None:
    labels = ball(30, 11)
    plain = count(am(labels).surfaces)
    thinned = am(labels, most_triangles=plain // 2)
    assert thinned.step_um == (0.5, 0.5, 0.5)
    assert thinned.caption.startswith("A volume. Its surfaces are thinned out for the view. Digital twin")


def test_what_is_left_out_takes_no_colour_from_the_rest() -> None:
    sizes = ct.volume(np.where(np.indices((20, 20, 20)).sum(0) < 30, 2.0, 0.0), 1.0)
    holes = sizes.where(~((sizes.z == 3) & (sizes.y == 3) & (sizes.x == 3)))
    (drawn,) = ct.show.thickness_3d(holes, **WORDS).surfaces
    assert drawn.values is not None
    assert np.isfinite(drawn.values).all()
