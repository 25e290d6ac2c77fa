"""A fitted forest as flat arrays, and the vote of any classifier on rows of cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

from .derived import LANES
from .votes import shares, winners

Cells = npt.NDArray[np.float32]


class Voter(Protocol):
    """What tells the classes of the voxels of some cells from their features."""

    def shares(self, cells: Cells) -> npt.NDArray[np.float64]:
        """Return the share of each class, dims cell, class, voxel of the cell."""

    def winners(self, cells: Cells) -> npt.NDArray[np.uint8]:
        """Return the class of the largest share, dims cell, voxel of the cell."""


@dataclass(frozen=True)
class Forest:
    """The trees of a random forest one after the other, each from its root in layers.

    `trees` holds the root of each tree; of each node its feature, its threshold, and the first of its two
    children, or the number of its leaf as -1 - leaf; of each leaf the class where it has one alone, or -1,
    and the share of each class; and the depth of the deepest tree.
    """

    trees: tuple[Any, ...]

    @classmethod
    def of(cls, classifier: Any) -> Forest:
        """Lay out the trees of scikit-learn's forest."""
        parts = [_layers(tree.tree_) for tree in classifier.estimators_]
        nodes = np.cumsum([0, *(len(part[2]) for part in parts)])
        leaves = np.cumsum([0, *(len(part[3]) for part in parts)])
        child = [
            np.where(part[2] >= 0, part[2] + node, part[2] - leaf)
            for part, node, leaf in zip(parts, nodes, leaves, strict=False)
        ]
        share = np.concatenate([part[3] for part in parts])
        pure = np.where(share.max(axis=1) == 1, share.argmax(axis=1), -1)
        return cls(
            (
                nodes[:-1].astype(np.int32),
                np.concatenate([part[0] for part in parts]).astype(np.int32),
                np.concatenate([part[1] for part in parts]).astype(np.float32),
                np.concatenate(child).astype(np.int32),
                pure.astype(np.int32),
                share,
                max(tree.tree_.max_depth for tree in classifier.estimators_),
            )
        )

    def shares(self, cells: Cells) -> npt.NDArray[np.float64]:
        """Return the share of each class, dims cell, class, voxel of the cell."""
        out = np.empty((len(cells), self.trees[5].shape[1], LANES))
        shares(cells, self.trees, out)
        return out

    def winners(self, cells: Cells) -> npt.NDArray[np.uint8]:
        """Return the class of the largest share, dims cell, voxel of the cell."""
        out = np.empty((len(cells), LANES), np.uint8)
        winners(cells, self.trees, out)
        return out


@dataclass(frozen=True)
class AnyClassifier:
    """A classifier that votes by its own ``predict_proba``."""

    classifier: Any

    def shares(self, cells: Cells) -> npt.NDArray[np.float64]:
        """Return the share of each class, dims cell, class, voxel of the cell."""
        rows = np.ascontiguousarray(cells.transpose(0, 2, 1)).reshape(-1, cells.shape[1])
        found = np.asarray(self.classifier.predict_proba(rows), np.float64)
        return found.reshape(len(cells), LANES, -1).transpose(0, 2, 1)

    def winners(self, cells: Cells) -> npt.NDArray[np.uint8]:
        """Return the class of the largest share, dims cell, voxel of the cell."""
        return np.asarray(self.shares(cells).argmax(axis=1), np.uint8)


def voter(classifier: Any) -> Voter:
    """Return the fast vote of a forest, or the classifier's own."""
    if type(classifier) in (RandomForestClassifier, ExtraTreesClassifier):
        return Forest.of(classifier)
    return AnyClassifier(classifier)


def _layers(tree: Any) -> tuple[npt.NDArray[Any], ...]:
    """Put the nodes of a tree in order layer by layer, so that two siblings are neighbours."""
    order, place = [0], {0: 0}
    for node in order:
        if tree.children_left[node] >= 0:
            for child in (tree.children_left[node], tree.children_right[node]):
                place[child] = len(order)
                order.append(child)
    is_leaf = tree.children_left[order] < 0
    leaf = np.cumsum(is_leaf) - 1
    child = [-1 - leaf[k] if is_leaf[k] else place[tree.children_left[n]] for k, n in enumerate(order)]
    return (
        np.where(is_leaf, 0, tree.feature[order]),
        _not_above(tree.threshold[order]),
        np.array(child),
        tree.value[order][is_leaf][:, 0, :],
    )


def _not_above(threshold: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Return the largest float32 not above each threshold: no float32 feature changes its side."""
    near = threshold.astype(np.float32)
    return np.where(near > threshold, np.nextafter(near, np.float32(-np.inf)), near)
