"""The vote of a forest for 64 voxels at a time.

scikit-learn sends one voxel after the other down each tree, and the processor guesses wrong at every branch.
Here the 64 voxels of a cell go down together: a node compares one feature of all of them in a few
instructions, and the voxels that go either way are the bits of a whole number. Neighbours are alike, so most
branches are never taken.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import njit, types
from numba.extending import intrinsic

from .derived import LANES

_NONE, _ONE, _ALL = np.uint64(0), np.uint64(1), np.uint64(0xFFFFFFFFFFFFFFFF)
_SURE = 1e-6  # a lead larger than what is left to vote by this much cannot be rounding


def _compare(context: Any, values: Any, start: Any, threshold: Any) -> Any:
    """Compare 64 float32 from `start` on with a threshold: bit k is set where value k is above it.

    Plain code for any processor; the loop that says the same is not made into vector instructions.
    """
    signature = types.uint64(values, types.int64, types.float32)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        many = ir.VectorType(ir.FloatType(), LANES)
        place = builder.bitcast(builder.gep(array.data, [arguments[1]]), many.as_pointer())
        loaded = builder.load(place)
        loaded.align = 4
        empty, at = ir.Constant(many, ir.Undefined), ir.IntType(32)
        one = builder.insert_element(empty, arguments[2], ir.Constant(at, 0))
        same = builder.shuffle_vector(one, empty, ir.Constant(ir.VectorType(at, LANES), [0] * LANES))
        return builder.bitcast(builder.fcmp_ordered(">", loaded, same), ir.IntType(LANES))

    return signature, generate


_above: Any = intrinsic(_compare)


@njit(cache=True, nogil=True)
def shares(cells: Any, trees: Any, out: Any) -> None:
    """Write the mean of the trees' shares of each class; dims cell, class, voxel of the cell.

    The sums are scikit-learn's, tree by tree in double precision, and so are the results, to the last bit.
    """
    stack, masks = _stacks(trees)
    for cell in range(cells.shape[0]):
        votes = out[cell]
        votes[:] = 0.0
        for tree in range(len(trees[0])):
            _add(cells[cell].reshape(-1), trees, tree, _ALL, votes, stack, masks)
        votes /= len(trees[0])


@njit(cache=True, nogil=True)
def winners(cells: Any, trees: Any, out: Any) -> None:
    """Write the class with the largest share, the first of equal ones; dims cell, voxel of the cell.

    The trees that are left are asked about those voxels alone whose class they can still change.
    """
    stack, masks = _stacks(trees)
    count = len(trees[0])
    votes = np.empty((trees[5].shape[1], LANES))
    for cell in range(cells.shape[0]):
        votes[:] = 0.0
        open_ones = _ALL
        for tree in range(count):
            _add(cells[cell].reshape(-1), trees, tree, open_ones, votes, stack, masks)
            if 2 * tree >= count and tree % 4 == 0:
                open_ones = _undecided(votes, count - tree - 1 + _SURE)
                if open_ones == _NONE:
                    break
        votes /= count  # rounds as scikit-learn does, which can make two classes equal
        for lane in range(LANES):
            best = 0
            for k in range(1, votes.shape[0]):
                if votes[k, lane] > votes[best, lane]:
                    best = k
            out[cell, lane] = best


@njit(cache=True, nogil=True)
def _stacks(trees: Any) -> Any:
    return np.empty((2, trees[6] + 2), np.uint64), np.empty(trees[5].shape[1], np.uint64)


@njit(cache=True, nogil=True)
def _add(values: Any, trees: Any, tree: int, asked: Any, votes: Any, stack: Any, masks: Any) -> None:
    """Add what one tree says of the voxels of a cell whose bits in `asked` are set."""
    roots, feature, threshold, child, pure, share, _ = trees
    masks[:] = _NONE
    stack[0, 0], stack[1, 0] = roots[tree], asked
    waiting = 1
    while waiting > 0:
        waiting -= 1
        node, here = np.int64(stack[0, waiting]), stack[1, waiting]
        while child[node] >= 0:
            above = here & _above(values, np.int64(feature[node]) * LANES, threshold[node])
            here &= ~above
            node = np.int64(child[node])
            if here == _NONE:
                here, node = above, node + 1
            elif above != _NONE:
                stack[0, waiting], stack[1, waiting] = node + 1, above
                waiting += 1
        leaf = -child[node] - 1
        if pure[leaf] >= 0:
            masks[pure[leaf]] |= here
        else:
            _add_shares(votes, share[leaf], here)
    for k in range(masks.size):
        if masks[k] != _NONE:
            mask = masks[k]
            for lane in range(LANES):
                votes[k, lane] += np.float64((mask >> np.uint64(lane)) & _ONE)


@njit(cache=True, nogil=True)
def _add_shares(votes: Any, share: Any, here: Any) -> None:
    for lane in range(LANES):
        if (here >> np.uint64(lane)) & _ONE:
            for k in range(share.size):
                votes[k, lane] += share[k]


@njit(cache=True, nogil=True)
def _undecided(votes: Any, left: float) -> Any:
    """Return the voxels whose best class leads by no more than what is left to vote."""
    found = _NONE
    for lane in range(LANES):
        best = second = -1.0
        for k in range(votes.shape[0]):
            v = votes[k, lane]
            if v > best:
                best, second = v, best
            elif v > second:
                second = v
        if best - second <= left:
            found |= _ONE << np.uint64(lane)
    return found
