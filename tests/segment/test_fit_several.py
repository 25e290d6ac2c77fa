"""Learning from several images: as from one where there is one, and refusals where they are not alike."""

import numpy as np
import pytest
from scribbled import CLASSES, MERGE, scribbled, section

import corrtomo as ct


def model(**words):
    return ct.segment.PixelClassifier(CLASSES, merge=MERGE, trees=15, **words)


def test_one_image_is_as_fit() -> None:
    image, truth = section()
    painted = scribbled(truth)
    assert (
        model().fit_several([image], [painted]).predict(image) == model().fit(image, painted).predict(image)
    ).all()


def test_several_images_are_learnt_from_together(tmp_path) -> None:
    """A class that is painted on one image alone is found on the other, and on a third; the file keeps it."""
    (first, one), (second, two), (third, truth) = (section(seed=seed) for seed in range(3))
    a, b = scribbled(one), scribbled(two)
    a, b = a.where(a != 0, 255).astype(np.uint8), b.where(b != 4, 255).astype(np.uint8)
    made = model().fit_several((first, second), (a, b))
    found = made.predict(third, merged=False)
    assert float((found == truth).mean()) > 0.9
    made.save(tmp_path / "model.skops")
    again = ct.segment.PixelClassifier.load(tmp_path / "model.skops")
    assert (again.predict(third, merged=False) == found).all()
    with pytest.raises(ValueError, match="scribbles of several images on one"):
        made.scribbles(first)


def test_a_class_that_nobody_painted_is_missed() -> None:
    image, truth = section()
    painted = scribbled(truth)
    painted = painted.where(painted != 2, 255).astype(np.uint8)
    with pytest.raises(ValueError, match=r"without scribbles of \['binder'\]"):
        model().fit_several([image, image], [painted, painted])


def test_images_that_differ_are_refused() -> None:
    image, truth = section()
    painted = scribbled(truth)
    other = {
        "channels": (section(channels=("CBS",))[0], painted),
        "dtype": (image.astype(np.uint16), painted),
        "pixel size": (section(pixel=0.03)[0], ct.volume(painted.values, 0.03)),
    }
    for what, (picture, labels) in other.items():
        with pytest.raises(ValueError, match=rf"Image 2 of 2: Cannot train on it.*{what}"):
            model().fit_several([image, picture], [painted, labels])


def test_an_image_without_paint_or_with_another_order_of_classes_is_refused() -> None:
    image, truth = section()
    painted = scribbled(truth)
    nothing = painted.copy(data=np.full(painted.shape, 255, np.uint8))
    with pytest.raises(ValueError, match=r"Image 1 of 2: .*nothing is painted.*leave out the image"):
        model().fit_several([image, image], [nothing, painted])
    order = {name: k for k, name in enumerate(reversed(CLASSES))}
    with pytest.raises(ValueError, match=r"Image 2 of 2: .*same classes in the same order"):
        model().fit_several([image, image], [painted, painted.assign_attrs(classes=order)])
    with pytest.raises(ValueError, match="Image 2 of 2: .*code 5"):
        model().fit_several([image, image], [painted, painted.where(painted != 4, 5).astype(np.uint8)])
    mask = image.isel(channel=0, drop=True) > 100
    with pytest.raises(TypeError, match="Image 2 of 2: .*booleans"):
        model().fit_several([image, mask], [painted, painted])


def test_only_what_is_painted_is_learnt() -> None:
    """What an image holds far from its paint does not matter to what is learnt from it."""
    (first, one), (second, two) = (section(seed=seed) for seed in range(2))
    painted = [scribbled(one), scribbled(two)]
    made = model(scales_um=0.02)
    near = made.fit_several([first, second], painted).predict(first)
    corner = painted[1].copy(data=np.where(np.arange(two.sizes["x"]) < 60, painted[1], 255).astype(np.uint8))
    kept = made.fit_several([first, second], [painted[0], corner]).predict(first)
    other = second.copy(deep=True)
    other[..., 80:] = 255 - other[..., 80:]
    again = made.fit_several([first, other], [painted[0], corner]).predict(first)
    assert (again == kept).all()
    assert not (again == near).all()


@pytest.mark.parametrize(
    ("images", "scribbles", "match"),
    [(1, 2, "1 images with 2"), (0, 0, "0 images"), (None, 1, "images is a DataArray")],
)
def test_lists_that_do_not_match_are_refused(images, scribbles, match) -> None:
    image, truth = section()
    painted = scribbled(truth)
    given = image if images is None else [image] * images
    with pytest.raises((ValueError, TypeError), match=match):
        model().fit_several(given, [painted] * scribbles)
