"""What a pixel classifier refuses, and what it warns of."""

import re
import warnings

import dask.array as da
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scribbled import CLASSES, MERGE, PIXEL, scribbled, section
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

import corrtomo as ct


def classifier(classes=CLASSES, **options):
    return ct.segment.PixelClassifier(classes, **{"scales_um": 0.02, "trees": 2, **options})


@pytest.fixture(scope="module")
def given():
    image, truth = section((60, 70))
    return image, scribbled(truth)


@pytest.fixture(scope="module")
def trained(given):
    return classifier(merge=MERGE).fit(*given)


def on(image, values, **options):
    return ct.volume(values, ct.voxel_size(image), **options)


def test_settings_that_make_no_model():
    with pytest.raises(TypeError, match="Cannot use classes 'pore': a sequence of names is needed"):
        classifier("pore")
    with pytest.raises(TypeError, match="Cannot use 3 as the name of a class: a text or one of ct.Phase"):
        classifier(("pore", 3))
    with pytest.raises(ValueError, match=r"2 to 254 different names are needed\. Two classes"):
        classifier(("pore",))
    with pytest.raises(ValueError, match="but 'pore' stands there twice"):
        classifier(("pore", "binder", "pore"))
    with pytest.raises(ValueError, match="Cannot merge 'platinum': it is none of the classes"):
        classifier(merge={"platinum": "pore"})
    with pytest.raises(ValueError, match="Cannot tell 'binder' and 'CBD' apart in the result: both are"):
        classifier(("binder", "CBD"))
    with pytest.raises(ValueError, match=r"features \('intensity', 'colour'\).*'colour' is none of them"):
        classifier(features=("intensity", "colour"))
    with pytest.raises(ValueError, match=r"features \(\): one or more"):
        classifier(features=())
    with pytest.raises(ValueError, match="with scale -1 µm: it must be finite and above zero"):
        classifier(scales_um=(0.1, -1))
    with pytest.raises(ValueError, match=r"with scales_um=\(\): one scale or more is needed"):
        classifier(scales_um=())
    with pytest.raises(ValueError, match="with trees 0: a whole number from 1 is needed"):
        classifier(trees=0)
    with pytest.raises(ValueError, match="with seed 0.5: a whole number from 0 is needed"):
        classifier(seed=0.5)
    with pytest.raises(ValueError, match="with pixel_size_tolerance 5: a share from 0 to below 1"):
        classifier(pixel_size_tolerance=5)


@pytest.mark.parametrize("wrong", [LinearSVC(), LogisticRegression, "forest"])
def test_a_classifier_that_gives_no_shares(wrong):
    with pytest.raises(TypeError, match="a classifier in the manner of scikit-learn is needed, made but not"):
        classifier(classifier=wrong)


def test_a_class_that_is_not_painted(given):
    image, painted = given
    with pytest.raises(ValueError, match=r"without scribbles of \['binder'\]: each class needs one"):
        classifier().fit(image, painted.where(painted != 2, 255).astype(np.uint8))


def test_one_class_alone_and_none(given):
    image, painted = given
    with pytest.raises(ValueError, match="with 1 of 5 classes painted: a classifier tells two or more apart"):
        classifier().fit(image, painted.where(painted == 1, 255).astype(np.uint8))
    with pytest.raises(ValueError, match="with 0 of 5 classes painted"):
        classifier().fit(image, xr.full_like(painted, 255))


@pytest.mark.parametrize(
    ("code", "dtype"), [(5, np.uint8), (254, np.uint8), (-1, np.int16), (1000, np.int32)]
)
def test_a_code_that_is_no_class(given, code, dtype):
    image, painted = given
    wrong = painted.astype(dtype)
    wrong[0, 0] = code
    for some in (wrong, wrong.chunk({"y": 20, "x": 20})):
        with pytest.raises(ValueError, match=f"the code {code} in the scribbles.*have the codes 0 to 4"):
            classifier().fit(image, some)


@pytest.mark.parametrize("dtype", [float, bool])
def test_scribbles_that_are_no_whole_numbers(given, dtype):
    image, painted = given
    with pytest.raises(TypeError, match=r"their dtype is \w+, but whole numbers are needed"):
        classifier().fit(image, painted.astype(dtype))


def test_scribbles_of_another_grid(given):
    image, painted = given
    with pytest.raises(ValueError, match=re.escape("scribbles: sizes (60, 70) and (60, 69) differ")):
        classifier().fit(image, painted[:, 1:])
    moved = on(image, painted.values, origin=0.5)
    with pytest.raises(ValueError, match=r"these scribbles: their y coordinates differ by up to 0\.5 µm"):
        classifier().fit(image, moved)
    with pytest.raises(ValueError, match="these scribbles: the image has 2 channels, one is needed"):
        classifier().fit(image, image)
    with pytest.raises(TypeError, match=r"Cannot use a ndarray: its voxel size is not known.*ct\.volume"):
        classifier().fit(image, painted.values)
    with pytest.raises(TypeError, match=r"Cannot use a masked array.*Fill it first"):
        classifier().fit(image, on(image, np.ma.masked_equal(painted.values, 255)))
    with pytest.raises(TypeError, match=r"Cannot use a MaskedArray: its voxel size is not known"):
        classifier().fit(image, np.ma.masked_equal(painted.values, 255))


def test_scribbles_that_say_they_mean_other_classes(given):
    image, painted = given
    said = painted.assign_attrs(classes={name: k for k, name in enumerate(CLASSES)})
    classifier().fit(image, said)
    with pytest.raises(
        ValueError, match="they say what their codes mean.*the same classes in the same order"
    ):
        classifier(CLASSES[::-1]).fit(image, said)


def test_images_in_a_list_are_to_be_stacked(given):
    image, painted = given
    cbs, tld = (image.sel(channel=name, drop=True) for name in ("CBS", "TLD"))
    for several in ([cbs, tld], (cbs, tld), xr.Dataset({"CBS": cbs, "TLD": tld}), {"CBS": cbs, "TLD": tld}):
        with pytest.raises(TypeError, match=r"Cannot train on 2 images in a \w+.*Stack the images first"):
            classifier().fit(several, painted)
    stacked = xr.concat([cbs, tld], join="exact", dim=pd.Index(["CBS", "TLD"], name="channel"))
    xr.testing.assert_identical(
        classifier().fit(stacked, painted).predict(stacked), classifier().fit(image, painted).predict(image)
    )


def test_channels_of_another_size_or_position(given):
    image, painted = given
    cbs, tld = (image.sel(channel=name, drop=True) for name in ("CBS", "TLD"))
    with pytest.raises(ValueError, match=r"images for channels: sizes \(60, 70\) and \(60, 60\) differ"):
        classifier().fit([cbs, tld[:, :60]], painted)
    with pytest.raises(ValueError, match="images for channels: their x coordinates differ"):
        classifier().fit([cbs, on(tld, tld.values, origin=(0.0, 3.0))], painted)
    outer = xr.concat([cbs, tld[:, :60]], join="outer", dim="channel")
    with pytest.raises(ValueError, match="NaN"):
        classifier().fit(outer, painted)


@pytest.mark.parametrize("names", ["RGB", "rgba", ("Red", "Green", "Blue")])
def test_colours_by_name(given, names):
    image, painted = given
    colours = xr.concat([image.isel(channel=k % 2, drop=True) for k in range(len(names))], dim="channel")
    with pytest.raises(ValueError, match=r"red, green and blue are a screenshot.*isel\(channel=0"):
        classifier().fit(colours.assign_coords(channel=list(names)), painted)


def test_a_grey_picture_saved_as_colours(given):
    image, painted = given
    grey = image.isel(channel=0, drop=True)
    with pytest.raises(ValueError, match="3 channels whose first three are equal wherever it is painted"):
        classifier().fit(xr.concat([grey] * 3, dim="channel"), painted)
    opaque = xr.concat([grey, grey, grey, xr.full_like(grey, 255)], dim="channel")
    with pytest.raises(ValueError, match=r"4 channels.*saved as RGB.*isel\(channel=0, drop=True\)"):
        classifier().fit(opaque, painted)
    volume = ct.volume(np.stack([grey.values] * 3, axis=-1), PIXEL)
    with pytest.raises(ValueError, match=r"3 voxels along x.*Is it a picture in colour\?"):
        classifier().fit(volume, volume)


def test_three_detectors_are_no_colours(given):
    image, painted = given
    three = xr.concat([image.isel(channel=k, drop=True) for k in (0, 1, 0)], dim="channel")
    assert len(classifier().fit(three, painted).importances()) == 3 * 5


def test_images_that_are_none(given, trained):
    image, painted = given
    for call in (trained.predict, lambda i: classifier().fit(i, painted)):
        with pytest.raises(TypeError, match="an image of booleans: it is a mask, but grey values are needed"):
            call(image > 100)
        with pytest.raises(TypeError, match="Cannot use a ndarray: its voxel size is not known"):
            call(image.values)
        with pytest.raises(ValueError, match="Cannot use a 1D image"):
            call(image.isel(y=0))


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e39])
def test_values_that_are_not_finite(given, bad):
    image, painted = given
    image = image.astype(float)
    model = classifier().fit(image, painted)
    image[1, 30, 30] = bad
    for some in (image, image.chunk({"y": 20})):
        with pytest.raises(ValueError, match=r"NaN, infinite or above 3\.4e\+38: some are in the voxels"):
            model.predict(some).compute()
        with pytest.raises(ValueError, match="Only finite grey values are allowed"):
            classifier().fit(some, painted)


def test_an_image_smaller_than_the_widest_filter(given, trained):
    image, painted = given
    with pytest.raises(
        ValueError, match=r"60 voxels along y at the scale 0\.32 µm: the filter has 129 voxels"
    ):
        classifier(scales_um=None).fit(image, painted)
    with pytest.raises(ValueError, match=r"8 voxels along x.*the filter has 9 voxels"):
        trained.predict(image[:, :, :8])
    trained.predict(image[:, :, :9])


def test_the_largest_scale_that_it_names_fits(given):
    image, painted = given
    with pytest.raises(ValueError, match="or scales_um up to") as caught:
        classifier(scales_um=5).fit(image, painted)
    most = float(re.search(r"up to (\S+) µm", str(caught.value)).group(1))
    classifier(scales_um=most).fit(image, painted)
    with pytest.raises(ValueError, match="along y"):
        classifier(scales_um=most + 0.3 * PIXEL).fit(image, painted)


def test_images_unlike_the_one_trained_on(given, trained):
    image, _ = given
    with pytest.raises(ValueError, match=r"has 1 channels without a name, the model was trained on 2"):
        trained.predict(image.isel(channel=0, drop=True))
    with pytest.raises(ValueError, match="2 channels 'TLD', 'CBS', the model was trained on 2, 'CBS', 'TLD'"):
        trained.predict(image[::-1])
    with pytest.raises(ValueError, match=r"2 channels '0', '1', the model"):
        trained.predict(image.drop_vars("channel"))
    with pytest.raises(ValueError, match=r"pixel size 0\.0212 × 0\.0212 µm differs by 6 % from the 0\.02"):
        trained.predict(
            on(image, image.values, dims=image.dims).assign_coords(
                channel=image.channel, y=image.y * 1.06, x=image.x * 1.06
            )
        )
    with pytest.raises(ValueError, match="its dtype is uint16, that of the training image was uint8"):
        trained.predict(image.astype(np.uint16))
    volume = xr.concat([image] * 9, dim="z").transpose("channel", "z", "y", "x")
    volume = ct.volume(volume.values, PIXEL, dims=volume.dims).assign_coords(channel=image.channel)
    with pytest.raises(
        ValueError, match=r"the image is 3D, the model was trained on a 2D one\. Segment slice"
    ):
        trained.predict(volume)
    with pytest.raises(ValueError, match="the image is 3D"):
        trained.predict_proba(volume)


def test_the_pixel_size_may_differ_as_much_as_is_said(given):
    image, painted = given
    strict, loose = classifier(pixel_size_tolerance=0.0), classifier(pixel_size_tolerance=0.5)
    other = ct.volume(image.values, 1.3 * PIXEL, dims=image.dims).assign_coords(channel=image.channel)
    loose.fit(image, painted).predict(other)
    strict.fit(image, painted).predict(image)
    with pytest.raises(ValueError, match=r"30 %.*and 0 % are allowed"):
        strict.predict(other)


def test_what_needs_training_first(given, tmp_path):
    image, _ = given
    model = classifier()
    assert repr(model).endswith("not fitted>")
    for call in (
        lambda: model.predict(image),
        lambda: model.predict_proba(image),
        model.importances,
        lambda: model.scribbles(image),
        lambda: model.save(tmp_path / "model.skops"),
        lambda: model.classifier,
    ):
        with pytest.raises(RuntimeError, match=r"has learnt nothing yet\. Call model\.fit"):
            call()


def test_a_failed_fit_leaves_the_model_as_it_was(given):
    image, painted = given
    model = classifier().fit(image, painted)
    before = model.predict(image)
    with pytest.raises(ValueError, match="sizes"):
        model.fit(image, painted[1:])
    xr.testing.assert_identical(model.predict(image), before)


def test_importances_of_a_classifier_that_has_none(given):
    model = classifier(classifier=LogisticRegression(max_iter=9999)).fit(*given)
    with pytest.raises(TypeError, match="importances of a LogisticRegression: it has none of its own"):
        model.importances()


def test_scribbles_on_another_image(given, trained):
    with pytest.raises(
        ValueError, match=r"on an image of size \(59, 70\): they were painted on one of \(60, 70\)"
    ):
        trained.scribbles(given[0][:, 1:])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, float])
@pytest.mark.parametrize("end", ["brightest", "darkest"])
def test_saturated_classes_are_warned_of(given, end, dtype):
    """Pores and particles beyond the end of the grey values, in both channels."""
    image, painted = given
    values = 50 + image.astype(float) / 2
    at_end = np.isin(painted, (1, 3))
    values = values.where(~at_end, 210 if end == "brightest" else 7).astype(dtype)
    with pytest.warns(
        UserWarning, match=f"saturated.*100 % of 'active material', 100 % of 'platinum edge'.*{end}"
    ):
        classifier().fit(values, painted)


def test_one_saturated_class_is_no_harm(given):
    image, painted = given
    classifier().fit(image.where(painted != 3, 255).astype(np.uint8), painted)
    only_one_channel = image.copy(deep=True)
    only_one_channel[0] = image[0].where(~np.isin(painted, (1, 3)), 255)
    classifier().fit(only_one_channel, painted)


def test_a_lazy_image_is_checked_when_it_is_asked_for(trained, given):
    image, _ = given
    lazy = image.copy(data=da.from_array(image.values, chunks=(1, 20, 20)))
    with pytest.raises(ValueError, match="dtype"):
        trained.predict(lazy.astype(np.int32))


def test_saturated_classes_that_become_one_are_no_harm(given):
    image, painted = given
    values = (50 + image.astype(float) / 2).where(~np.isin(painted, (1, 3)), 210)
    merge = {"active material": "solid", "platinum edge": "solid"}
    classifier(merge=merge).fit(values.astype(np.uint8), painted)


def test_floats_that_hardly_differ_are_refused_and_scaled_ones_are_not(given):
    image, painted = given
    faint = (image / 255).astype("float32") * np.float32(1e-8)
    with pytest.raises(ValueError, match="Cannot train on grey values that span .*Scale the image first"):
        classifier().fit(faint, painted)
    found = classifier(trees=20).fit(faint * np.float32(1e8), painted).predict(faint * np.float32(1e8))
    assert len(np.unique(found)) > 2
    own = LogisticRegression(max_iter=5)  # no tree: it has no such limit
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        classifier(classifier=own).fit(faint, painted)
