"""Trees from a file: what is not to be believed before it is used.

skops makes no tree of scikit-learn unasked: its nodes name other nodes and features by number, scikit-learn
follows these numbers unchecked, and a forged file could so read memory that is not its own, or crash Python.
The trees of a model are therefore made, for that alone runs nothing, and each number is checked before one is
followed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier
from sklearn.tree._tree import Tree

TREE = "sklearn.tree._tree.Tree"
_ALONE = (DecisionTreeClassifier, ExtraTreeClassifier)
_FORESTS = (RandomForestClassifier, ExtraTreesClassifier)


def is_checked(classifier: Any) -> bool:
    """Say whether all trees of a classifier are known to :func:`check_trees`; None has no tree."""
    return classifier is None or type(classifier) in (*_ALONE, *_FORESTS)


def check_trees(classifier: Any, columns: int, classes: int) -> None:
    """Refuse trees that are none: numbers of nodes, features or classes that do not exist."""
    if type(classifier) in _FORESTS:
        members = list(classifier.estimators_)
        if len(members) == 0 or len({type(member) for member in members} - set(_ALONE)):
            raise ValueError("its forest has no trees")
    else:
        members = [classifier]
    for member in [classifier, *members]:
        if (member.n_features_in_, member.n_outputs_, int(member.n_classes_)) != (columns, 1, classes):
            raise ValueError(f"its classifier is not for {columns} features and {classes} classes")
    for member in members:
        if type(member.tree_) is not Tree or not _is_sound(member.tree_, columns, classes):
            raise ValueError("one of its trees is damaged")


def _is_sound(tree: Any, columns: int, classes: int) -> bool:
    count, left, right = tree.node_count, tree.children_left, tree.children_right
    if count < 1 or tree.n_features != columns or tree.value.shape != (count, 1, classes):
        return False
    inner = np.nonzero(left != -1)[0]
    children = np.concatenate([left[inner], right[inner]])
    # Each node but the root is the child of one that comes before it: so there is no circle.
    once = np.array_equal(np.sort(children), np.arange(1, count)) and (right[left == -1] == -1).all()
    if not once or (children <= np.tile(inner, 2)).any():
        return False
    if (tree.feature[inner] < 0).any() or (tree.feature[inner] >= columns).any():
        return False
    depth = np.zeros(count, int)
    for node in inner:
        depth[left[node]] = depth[right[node]] = depth[node] + 1
    return bool(depth.max() == tree.max_depth and np.isfinite(tree.value).all())
