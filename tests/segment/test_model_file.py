"""Models in files: what comes back, and what is not opened."""

import io
import json
import pickle
import zipfile

import numpy as np
import pytest
import skops.io
from scribbled import CLASSES, MERGE, scribbled, section
from sklearn.ensemble import BaggingClassifier, ExtraTreesClassifier, RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier

import corrtomo as ct

Classifier = ct.segment.PixelClassifier


@pytest.fixture(scope="module")
def given():
    image, truth = section((60, 70))
    return image, scribbled(truth)


@pytest.fixture(scope="module")
def trained(given):
    return Classifier(CLASSES, merge=MERGE, scales_um=(0.02, 0.03), trees=9, seed=5).fit(*given)


@pytest.fixture
def path(trained, tmp_path):
    trained.save(tmp_path / "model.skops")
    return tmp_path / "model.skops"


def test_all_of_it_comes_back(given, trained, path):
    image, painted = given
    again = Classifier.load(path)
    for merged in (False, True):
        one, other = (m.predict(image, merged=merged) for m in (trained, again))
        np.testing.assert_array_equal(one, other)
        assert one.attrs == other.attrs
    np.testing.assert_array_equal(trained.predict_proba(image), again.predict_proba(image))
    assert (trained.importances() == again.importances()).all(axis=None)
    np.testing.assert_array_equal(again.scribbles(image), painted)
    assert again._settings == trained._settings
    for name, value in trained._model.parts().items():
        if name not in ("classifier", "places", "codes"):
            assert again._model.parts()[name] == value, name
    assert set(again._model.versions) == {"corrtomo", "numpy", "scikit-learn", "skops"}


def test_it_can_be_trained_again_with_its_own_scribbles(given, trained, path):
    image, _ = given
    again = Classifier.load(path)
    again.fit(image, again.scribbles(image))
    np.testing.assert_array_equal(trained.predict_proba(image), again.predict_proba(image))


@pytest.mark.parametrize(
    "own",
    [
        ExtraTreesClassifier(5),
        DecisionTreeClassifier(),
        make_pipeline(StandardScaler(), LogisticRegression()),
    ],
    ids=lambda c: type(c).__name__,
)
def test_other_classifiers_come_back(given, own, tmp_path):
    image, painted = given
    model = Classifier(CLASSES, scales_um=0.02, classifier=own).fit(image, painted)
    model.save(tmp_path / "own.skops")
    np.testing.assert_array_equal(
        Classifier.load(tmp_path / "own.skops").predict_proba(image), model.predict_proba(image)
    )


def test_a_model_refuses_the_wrong_image_after_loading(given, path):
    image, _ = given
    with pytest.raises(ValueError, match="channels"):
        Classifier.load(path).predict(image[:1])


def test_nothing_tells_when_it_was_made(path):
    with zipfile.ZipFile(path) as parts:
        assert {part.date_time for part in parts.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_a_file_is_not_lost(trained, path):
    before = path.read_bytes()
    with pytest.raises(FileExistsError, match=r"it exists.*overwrite=True"):
        trained.save(path)
    assert path.read_bytes() == before
    trained.save(path, overwrite=True)
    with pytest.raises(FileExistsError, match="it exists"):
        trained.save(path.parent, overwrite=True)
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        trained.save(path.parent / "none" / "model.skops")
    assert [p.name for p in path.parent.iterdir()] == ["model.skops"]


def test_no_file(tmp_path):
    for wrong in (tmp_path / "none.skops", tmp_path):
        with pytest.raises(FileNotFoundError, match=r"there is no such file.*model\.save"):
            Classifier.load(wrong)


class Bomb:
    def __reduce__(self):
        return pytest.fail, ("code in a model file was run",)


def test_pickles_are_never_opened(tmp_path):
    (tmp_path / "model.skops").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(ValueError, match="it is no file of skops, or only a part of one"):
        Classifier.load(tmp_path / "model.skops")


def test_half_a_file(path):
    for size in (0, 100, path.stat().st_size // 2, path.stat().st_size - 30):
        half = path.with_name("half.skops")
        half.write_bytes(path.read_bytes()[:size])
        with pytest.raises(ValueError, match="no file of skops, or only a part of one"):
            Classifier.load(half)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.97])
def test_damage_in_the_middle(path, share):
    data = bytearray(path.read_bytes())
    start = int(share * len(data))
    data[start : start + 40] = b"\x55" * 40
    path.write_bytes(data)
    with pytest.raises(ValueError, match="Cannot load a model from"):
        Classifier.load(path)


@pytest.mark.parametrize(
    "value", [{"a": 1}, [1, 2], RandomForestClassifier(), {"format": "another", "version": 1}]
)
def test_other_files_of_skops(tmp_path, value):
    skops.io.dump(value, tmp_path / "other.skops")
    with pytest.raises(ValueError, match=r"holds no corrtomo\.segment\.PixelClassifier"):
        Classifier.load(tmp_path / "other.skops")


def test_a_zip_of_something_else(tmp_path):
    with zipfile.ZipFile(tmp_path / "other.skops", "w") as parts:
        parts.writestr("readme.txt", "no model")
    with pytest.raises(ValueError, match="its parts are damaged or missing"):
        Classifier.load(tmp_path / "other.skops")


def rewritten(path, change):
    """Change the parts of a model as someone might who writes such a file by hand."""
    parts = skops.io.load(path, trusted=["sklearn.tree._tree.Tree"])
    change(parts)
    path.write_bytes(skops.io.dumps(parts))


def test_a_format_that_is_to_come(path):
    rewritten(path, lambda parts: parts.update(version=2))
    with pytest.raises(ValueError, match="its format is version 2, and 1 is known"):
        Classifier.load(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p.pop("model"),
        lambda p: p["model"].pop("codes"),
        lambda p: p["model"].pop("classifier"),
        lambda p: p["settings"].pop("classes"),
        lambda p: p["model"].update(classifier=3),
        lambda p: p["model"].update(channels=None),
        lambda p: p["model"].update(scales_um=[0.02]),
        lambda p: p["settings"].update(classes=["pore", "binder"], merge={}),
    ],
)
def test_parts_that_are_missing_or_do_not_fit(path, change):
    rewritten(path, change)
    with pytest.raises(ValueError, match=r"its parts are damaged or missing.*model\.save"):
        Classifier.load(path)


def shout(values):
    return values + 0


def test_types_that_could_run_code(given, tmp_path):
    image, painted = given
    own = make_pipeline(FunctionTransformer(shout), LogisticRegression(max_iter=9999))
    model = Classifier(CLASSES, scales_um=0.02, features="intensity", classifier=own).fit(image, painted)
    model.save(tmp_path / "own.skops")
    with pytest.raises(ValueError, match=r"types that are not known to be safe, \[.*shout.*trusted="):
        Classifier.load(tmp_path / "own.skops")
    again = Classifier.load(tmp_path / "own.skops", trusted=[f"{shout.__module__}.shout"])
    np.testing.assert_array_equal(again.predict(image), model.predict(image))


def test_a_forged_type_is_not_made(path):
    """A schema that names a function of the system is seen before anything is made of it."""
    out = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "schema.json":
                schema = json.loads(data)
                forged = {"__class__": "system", "__module__": "os", "__loader__": "FunctionNode"}
                schema["content"]["format"].update(forged)
                data = json.dumps(schema).encode()
            new.writestr(name, data)
    path.write_bytes(out.getvalue())
    with pytest.raises(ValueError, match="types that are not known to be safe.*os.system"):
        Classifier.load(path)


def forge(tree, field, node, value):
    state = tree.__getstate__()
    state["nodes"][field][node] = value
    tree.__setstate__(state)


FORGED = {
    "a child beyond the last node": ("left_child", 0, 10**6),
    "a child before the first node": ("right_child", 0, -7),
    "a circle": ("left_child", 1, 0),
    "a child of two": ("right_child", 0, 1),
    "a feature beyond the last": ("feature", 0, 10**6),
    "a feature before the first": ("feature", 0, -5),
}


@pytest.mark.parametrize("field", FORGED.values(), ids=FORGED)
def test_forged_trees_are_never_followed(path, field):
    rewritten(path, lambda p: forge(p["model"]["classifier"].estimators_[4].tree_, *field))
    with pytest.raises(ValueError, match="one of its trees is damaged"):
        Classifier.load(path)


def test_a_tree_in_another_order_does_not_hide_its_depth(path):
    """The vote keeps as many places waiting as the tree is deep: a depth that is too small writes beyond."""

    def reverse(parts):
        tree = parts["model"]["classifier"].estimators_[4].tree_
        state = tree.__getstate__()
        order = np.array([0, *range(tree.node_count - 1, 0, -1)])  # the root, then the last node first
        for name in ("nodes", "values"):
            state[name] = state[name][order]
        for side in ("left_child", "right_child"):
            numbers = state["nodes"][side]
            state["nodes"][side] = np.where(numbers > 0, tree.node_count - numbers, numbers)
        tree.__setstate__(state)
        depth = np.zeros(tree.node_count, int)
        for node in np.nonzero(tree.children_left > 0)[0]:  # believes that parents come first
            depth[[tree.children_left[node], tree.children_right[node]]] = depth[node] + 1
        assert depth.max() < state["max_depth"]
        tree.__setstate__(state | {"max_depth": depth.max()})

    rewritten(path, reverse)
    with pytest.raises(ValueError, match="one of its trees is damaged"):
        Classifier.load(path)


def test_a_depth_that_is_not_true(path):
    def flatten(parts):
        tree = parts["model"]["classifier"].estimators_[4].tree_
        tree.__setstate__(tree.__getstate__() | {"max_depth": 1})

    rewritten(path, flatten)
    with pytest.raises(ValueError, match="one of its trees is damaged"):
        Classifier.load(path)


def test_trees_for_other_features_or_classes(given, path):
    image, painted = given
    fewer = Classifier(CLASSES, scales_um=0.02, trees=2).fit(image, painted).classifier
    rewritten(path, lambda p: p["model"]["classifier"].estimators_.__setitem__(0, fewer.estimators_[0]))
    with pytest.raises(ValueError, match="its classifier is not for 20 features and 5 classes"):
        Classifier.load(path)


def test_a_forest_of_something_else(path):
    rewritten(path, lambda p: p["model"]["classifier"].estimators_.__setitem__(0, LogisticRegression()))
    with pytest.raises(ValueError, match="its forest has no trees"):
        Classifier.load(path)


@pytest.mark.parametrize("place", ["model", "settings"])
def test_trees_in_other_classifiers_are_trusted_by_name_alone(given, tmp_path, place):
    """Nobody checks these: a forest within another classifier, and one that is to be fitted anew."""
    image, painted = given
    own = BaggingClassifier(RandomForestClassifier(2), n_estimators=2)
    Classifier(CLASSES, scales_um=0.02, classifier=own).fit(image, painted).save(tmp_path / "own.skops")
    if place == "settings":
        held = FrozenEstimator(RandomForestClassifier(2).fit([[0], [1]], [0, 1]))
        rewritten(tmp_path / "own.skops", lambda p: p["settings"].update(classifier=held))
        rewritten(tmp_path / "own.skops", lambda p: p["model"].update(classifier=LogisticRegression()))
    with pytest.raises(ValueError, match=r"not known to be safe, \['sklearn.tree._tree.Tree'\]"):
        Classifier.load(tmp_path / "own.skops")
    if place == "model":
        again = Classifier.load(tmp_path / "own.skops", trusted=["sklearn.tree._tree.Tree"])
        assert again.predict(image).shape == painted.shape


def test_a_small_file_that_would_fill_the_memory_is_not_unpacked(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.skops", "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("schema.json", b" " * (1 << 25))
    with pytest.raises(ValueError, match="would unpack to 33554432, more than 100 times"):
        Classifier.load(tmp_path / "bomb.skops")


def test_a_file_nested_without_end_is_refused(path):
    with zipfile.ZipFile(path) as old:
        held = {name: old.read(name) for name in old.namelist()}
    held["schema.json"] = b'{"content": ' * 100_000 + b"1" + b"}" * 100_000
    with zipfile.ZipFile(path, "w") as new:
        for name, content in held.items():
            new.writestr(name, content)
    with pytest.raises(ValueError, match="its parts are damaged or missing"):
        Classifier.load(path)


def test_a_forest_stays_far_from_that_limit(path):
    with zipfile.ZipFile(path) as parts:
        stated = sum(part.file_size for part in parts.infolist())
    assert stated < 50 * path.stat().st_size
