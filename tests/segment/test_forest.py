"""The vote of a forest equals scikit-learn's, to the last bit."""

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from corrtomo.segment.trained.forest import AnyClassifier, Forest, voter


def data(classes, seed=0, count=400):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(count, 7)).astype(np.float32)
    noisy = rows[:, 0] + 0.5 * rows[:, 1] ** 2 + rng.normal(scale=0.5, size=count)
    codes = np.digitize(noisy, np.quantile(noisy, np.arange(1, classes) / classes))
    return rows, codes, rng.normal(size=(64 * 30, 7)).astype(np.float32)


def cells(rows):
    return np.ascontiguousarray(rows.reshape(-1, 64, rows.shape[1]).transpose(0, 2, 1))


def flat(found):
    return found.transpose(0, 2, 1).reshape(-1, found.shape[1])


FORESTS = [
    RandomForestClassifier(30, random_state=0, class_weight="balanced"),
    RandomForestClassifier(30, random_state=1, max_depth=3),
    RandomForestClassifier(2, random_state=2, min_samples_leaf=9),
    RandomForestClassifier(1, random_state=3),
    RandomForestClassifier(7, random_state=4, max_leaf_nodes=5, class_weight="balanced_subsample"),
    ExtraTreesClassifier(25, random_state=5),
    ExtraTreesClassifier(25, random_state=6, min_samples_split=30),
]


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("forest", FORESTS, ids=str)
def test_it_is_scikit_learns(forest, classes):
    rows, codes, others = data(classes)
    forest.fit(rows, codes)
    fast = voter(forest)
    assert isinstance(fast, Forest)
    for some in (others, np.concatenate([rows[:384], rows[:64]])):
        np.testing.assert_array_equal(flat(fast.shares(cells(some))), forest.predict_proba(some))
        np.testing.assert_array_equal(fast.winners(cells(some)).ravel(), forest.predict(some))


def test_values_on_a_threshold_go_left():
    rows, codes, _ = data(3)
    forest = RandomForestClassifier(40, random_state=0).fit(rows, codes)
    limits = np.concatenate([tree.tree_.threshold[tree.tree_.feature == 0] for tree in forest.estimators_])
    near = np.float32(limits)[: len(limits) // 64 * 64]
    for values in (near, np.nextafter(near, np.float32(9)), np.nextafter(near, np.float32(-9))):
        some = np.zeros((len(values), 7), np.float32)
        some[:, 0] = values
        np.testing.assert_array_equal(flat(voter(forest).shares(cells(some))), forest.predict_proba(some))


def test_a_tree_of_one_leaf():
    rows = np.zeros((10, 3), np.float32)
    forest = RandomForestClassifier(5, random_state=0).fit(rows, [0, 1] * 5)
    some = np.ones((64, 3), np.float32)
    np.testing.assert_array_equal(flat(voter(forest).shares(cells(some))), forest.predict_proba(some))
    np.testing.assert_array_equal(voter(forest).winners(cells(some)).ravel(), forest.predict(some))


def test_other_classifiers_vote_themselves():
    rows, codes, others = data(3)
    tree = DecisionTreeClassifier(max_depth=4, random_state=0).fit(rows, codes)
    own = voter(tree)
    assert isinstance(own, AnyClassifier)
    np.testing.assert_array_equal(flat(own.shares(cells(others))), tree.predict_proba(others))
    np.testing.assert_array_equal(own.winners(cells(others)).ravel(), tree.predict(others))
