"""Wound layers: spirals known in every place, what is none, and the real cells."""

import numpy as np
import pytest
import tifffile
import xarray as xr
from scipy import ndimage
from wound import PIXEL, cell, error, traced

import corrtomo as ct
from corrtomo.datasets.real import fetch


def off(values):
    return float(np.nanmedian(np.abs(values)))


@pytest.mark.parametrize(
    "kind",
    [
        {},
        {"sense": -1, "oval": 6.0},
        {"can": 2.0, "turns": 5.6, "start": 0.1},
        {"pitch": 6.0, "width": 2.5, "turns": 12.0},
        {"centre": (6.3, -4.6), "n": 321},
    ],
)
def test_each_place_is_within_a_tenth_of_a_pixel_and_the_sense_is_found(kind):
    image, middle = cell(noise=4.0, **kind)
    found = traced(image)
    found.attrs["true_centre"] = tuple(np.add(found.attrs["true_centre"], kind.get("centre", (0, 0))))
    assert found.sizes["layer"] == 1
    assert (found.attrs["sense"], found.attrs["arms"]) == (kind.get("sense", 1), 1)
    assert found.attrs["pitch_um"] == pytest.approx(kind.get("pitch", 12.0) * PIXEL, rel=0.05)
    assert off(error(found, middle, pitch=kind.get("pitch", 12.0))) < 0.1
    turns = float(found.end_turns[0] - found.start_turns[0])
    assert turns == pytest.approx(kind.get("turns", 8.0), abs=0.15)


def test_without_noise_places_are_exact_and_turns_go_on_into_one_another():
    image, middle = cell()
    found = traced(image)
    assert off(error(found, middle)) < 0.005
    assert off(error(found, middle, name="inner_um", off=-2.5)) < 0.03
    assert off(error(found, middle, name="outer_um", off=2.5)) < 0.03
    path = found.radius_um.isel(layer=0).values.ravel()
    assert np.nanmax(np.abs(np.diff(path))) < 0.5 * PIXEL
    assert np.nanmedian(np.diff(found.radius_um.values, axis=1)) == pytest.approx(12 * PIXEL, rel=0.01)


@pytest.mark.parametrize("noise", [5.0, 10.0, 20.0])
def test_standard_errors_are_those_of_noise(noise):
    inside = []
    for seed in range(2):
        image, middle = cell(noise=noise, seed=seed)
        found = traced(image)
        for name, at in (("radius", 0.0), ("inner", -2.5), ("outer", 2.5)):
            wrong = error(found, middle, name=f"{name}_um", off=at)[np.isfinite(found.radius_um.values[0])]
            errors = found[f"{name}_se_um"].values[0][np.isfinite(found.radius_um.values[0])] / PIXEL
            inside.append(np.mean(np.abs(wrong) < 1.96 * errors))
    assert 0.87 < np.mean(inside) < 0.99


def test_two_spirals_wound_into_one_another_are_two_layers():
    image, middle = cell(501, arms=2, pitch=24.0, noise=5.0)
    found = traced(image)
    assert (found.sizes["layer"], found.attrs["arms"]) == (2, 2)
    for layer in range(2):
        assert off(error(found, middle, layer=layer, pitch=24.0, arms=2)) < 0.1
    apart = found.radius_um.values[0] - found.radius_um.values[1]
    assert np.nanmedian(np.abs(np.abs(apart) - 12 * PIXEL)) < PIXEL


def test_a_fainter_layer_between_is_found_and_may_be_left_out():
    bright, _ = cell(501, pitch=24.0, width=6.0)
    faint, _ = cell(501, pitch=24.0, width=6.0, inner=42.0)
    both = bright + 0.5 * faint
    assert ct.segment.layers(both, progress=False).sizes["layer"] == 2
    found = ct.segment.layers(both, least_contrast=0.8, progress=False)
    assert found.sizes["layer"] == 1
    assert float(found.contrast.median()) > 70


def test_slices_have_one_numbering_and_what_has_no_layers_says_why():
    image, _ = cell(slices=5, noise=5.0)
    image = image.copy()
    image[2] = np.random.default_rng(0).normal(0, 5, image.shape[1:])
    found = traced(image)
    assert found.radius_um.dims == ("z", "layer", "turn", "angle")
    assert [bool(str(reason)) for reason in found.reason.values] == [False, False, True, False, False]
    assert "no spiral" in str(found.reason[2].item())
    assert np.isnan(found.radius_um[2]).all()
    good = found.radius_um.values[[0, 1, 3, 4], 0]
    assert np.nanmax(np.nanmedian(np.abs(good - good[0]), axis=(1, 2))) < 0.2 * PIXEL
    lazy = ct.segment.layers(image.chunk({"z": 1}), progress=False)
    assert lazy.drop_vars("reason").equals(found.drop_vars("reason"))


def test_labels_are_the_band_and_the_unrolled_layer_is_straight():
    image, middle = cell(slices=3, noise=2.0, oval=4.0)
    found = traced(image)
    labels = ct.segment.layer_labels(found, image)
    truth = image > 50
    assert labels.dtype == np.uint8
    assert ct.measure.cohen_kappa(labels, truth.astype(np.uint8)) > 0.95
    flat = ct.segment.unroll(image, found, progress=False)
    assert flat.dims == ("z", "y", "x")
    band = (flat > 50).sum("y") * ct.voxel_size(flat)[1]
    assert float(band.where(flat.notnull().all("y")).median()) == pytest.approx(5 * PIXEL, abs=PIXEL)
    true = sum(2 * np.pi * middle(w) * 0.01 for w in np.arange(0.3, 8.3, 0.01)) * PIXEL
    assert flat.sizes["x"] * PIXEL == pytest.approx(true, rel=0.03)
    assert found.length_um.values[0, 0] == pytest.approx(true, rel=0.03)
    finer = ct.segment.unroll(image.isel(z=0), found.isel(z=0), across_um=60.0, step_um=10.0)
    assert ct.voxel_size(finer) == (10.0, 10.0)
    assert finer.y.values[[0, -1]].tolist() == [-60.0, 60.0]


def refused(grey, match, **options):
    with pytest.raises(ValueError, match=match):
        ct.segment.layers(ct.volume(grey, PIXEL), progress=False, **options)


def test_what_is_no_spiral_is_refused_with_a_reason():
    refused(np.random.default_rng(0).normal(size=(300, 300)), "no spiral: .* of the normals")
    refused(np.zeros((100, 100)), "all grey values are 0")
    refused(cell(rings=True, noise=3.0)[0].values, "concentric rings and no spiral")
    refused(cell(centre=(60.0, 0.0), noise=3.0)[0].values, "out of the field of view: layers go on")
    refused(cell(centre=(140.0, 0.0), noise=3.0)[0].values, "out of the field of view: its centre")
    refused(np.concatenate([cell(201, turns=4.0)[0].values] * 2, axis=1), "two centres")
    refused(cell(pitch=4.2, width=2.0)[0].values, "pixels apart, 5 or more")
    y, x = np.mgrid[:200, :200] - 99.5
    refused((np.hypot(y, x) < 60) * 100.0, "no spiral")
    refused(np.sin(np.arange(300) / 2) * np.ones((300, 1)), "no spiral")


def test_hostile_input_is_refused():
    for none in (None, "cell.tif", np.zeros((100, 100))):
        with pytest.raises(TypeError, match="Cannot use a"):
            ct.segment.layers(none)
    good = cell()[0]
    spoilt = good.copy()
    spoilt[3, 4] = np.nan
    refused(spoilt.values, "1 of 90601 grey values of slice 0 are NaN")
    refused(np.zeros((20, 200)), "20 × 200 pixels: from 48 to 8192")
    refused(good.values, "least_contrast", least_contrast=0.0)
    refused(good.values, "along_um=1", along_um=1.0)
    with pytest.raises(ValueError, match="square ones are needed"):
        ct.segment.layers(ct.volume(good.values, (PIXEL, 2 * PIXEL)))
    with pytest.raises(ValueError, match="dims y, x are needed"):
        ct.segment.layers(ct.volume(good.values, PIXEL, dims=("z", "x")))
    found = ct.segment.layers(good)
    for call in (ct.segment.unroll, ct.segment.outgrowths):
        with pytest.raises(TypeError, match="traced layers are needed"):
            call(good, good)
        with pytest.raises(ValueError, match="lacks"):
            call(good, found.drop_vars("inner_um"))
        with pytest.raises(ValueError, match="they are elsewhere"):
            call(ct.volume(good.values, 1.0), found)
    with pytest.raises(ValueError, match="numbered from 0 to 0"):
        ct.segment.unroll(good, found, layer=1)
    with pytest.raises(ValueError, match="MB, 1024 are possible"):
        ct.segment.unroll(good, found, step_um=0.01)
    with pytest.raises(ValueError, match="they are elsewhere"):
        ct.segment.layer_labels(found, ct.volume(good.values, 1.0))


def real(name, source="cell-xct"):
    return tifffile.imread(fetch(source) / name)


def test_the_real_cell_agrees_with_its_mask():
    image, mask = ct.volume(real("im_1.tif"), 1.0), ct.volume((real("mask_1.tif") > 0) * np.uint8(1), 1.0)
    found = ct.segment.layers(image, progress=False)
    labels = ct.segment.layer_labels(found, image)
    brightest = (labels == 1).astype(np.uint8)
    interval = ct.measure.kappa_interval(brightest, mask, block_um=20.0, seed=0)
    assert ct.measure.cohen_kappa(brightest, mask) > 0.95
    assert interval.low > 0.94
    assert float(found.end_turns[0] - found.start_turns[0]) == pytest.approx(19.2, abs=0.4)


def test_the_real_collectors_are_followed_from_end_to_end():
    labels = np.load(fetch("cell-collectors") / "cc_im.npz")["arr_0"]
    image = ct.volume((labels > 0).astype(np.uint8), 10.4)
    found = ct.segment.layers(image, progress=False)
    assert (found.attrs["arms"], found.sizes["layer"]) == (2, 2)
    own = []
    for layer in range(2):
        angle = found.attrs["sense"] * found.angle.values
        radius = found.radius_um[layer].values
        y = (found.attrs["centre_y_um"] + radius * np.sin(angle)) / 10.4
        x = (found.attrs["centre_x_um"] + radius * np.cos(angle)) / 10.4
        on = np.isfinite(y)
        at = np.rint(y[on]).astype(int), np.rint(x[on]).astype(int)
        away = [np.median(ndimage.distance_transform_edt(labels != label)[at]) for label in (1, 2)]
        own.append(int(np.argmin(away)))
        assert min(away) < 1 < 10 < max(away)
    assert sorted(own) == [0, 1]
    assert (found.end_turns - found.start_turns).values == pytest.approx([19, 18.35], abs=0.2)


def test_the_faint_end_of_the_real_cell_is_traced_where_it_can_be():
    stack = np.stack([real(f"im{number:03d}.tif") for number in (30, 66, 90)])
    found = ct.segment.layers(ct.volume(stack, 33.97), progress=False)
    assert [str(reason) != "" for reason in found.reason.values] == [True, False, False]
    assert found.attrs["pitch_um"] == pytest.approx(386, rel=0.04)
    known = np.isfinite(found.radius_um).mean(("layer", "turn", "angle")).values
    assert known[0] == 0
    assert (known[1:] > 0.6).all()


def test_layers_that_are_not_whole_turns_or_of_another_slice_are_refused():
    image, _ = cell(201, turns=4.0, slices=3)
    found = ct.segment.layers(image, progress=False)
    for part in ({"turn": slice(None, None, -1)}, {"turn": slice(0, None, 2)}):
        with pytest.raises(ValueError, match="each must follow the one before"):
            ct.segment.unroll(image, found.isel(part))
    with pytest.raises(ValueError, match="those of full turns"):
        ct.segment.layer_labels(found.isel(angle=slice(0, 100)), image)
    with pytest.raises(ValueError, match="sizes .* Places"):
        ct.segment.unroll(image, found.isel(turn=[]))
    with pytest.raises(ValueError, match="lacks dims"):
        ct.segment.unroll(image, found.transpose("layer", "turn", "angle", "z"))
    for name, wrong in (("sense", 0), ("pitch_um", np.nan), ("centre_y_um", "a"), ("voxel_size_um", None)):
        with pytest.raises(ValueError, match=f"{name} .*sense of 1 or"):
            ct.segment.unroll(image, found.assign_attrs({name: wrong}))
    with pytest.raises(ValueError, match="they are elsewhere"):
        ct.segment.unroll(image.isel(z=2), found.isel(z=0))
    with pytest.raises(ValueError, match="they are elsewhere"):
        ct.segment.unroll(ct.volume(image.values, (PIXEL, 2 * PIXEL, PIXEL)), found)
    with pytest.raises(ValueError, match="one row or more beside"):
        ct.segment.unroll(image, found, step_um=1e6)


@pytest.mark.parametrize("kind", ["<U1", "complex", "datetime64[ns]", object])
def test_what_is_no_grey_value_is_not_traced(kind):
    places = {"y": np.arange(60.0), "x": np.arange(60.0)}
    image = xr.DataArray(np.zeros((60, 60)).astype(kind), dims=("y", "x"), coords=places)
    with pytest.raises(TypeError, match="grey values are real numbers"):
        ct.segment.layers(image)
