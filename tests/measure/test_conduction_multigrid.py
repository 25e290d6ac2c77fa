"""The levels under conduction: they end on any graph, keep what is known of it, and are quick."""

from itertools import pairwise

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array

import corrtomo as ct
from corrtomo.measure.conduction import solver as conduction_solver
from corrtomo.measure.conduction.blocks import aggregate
from corrtomo.measure.conduction.graph import _ROWS, Graph
from corrtomo.measure.conduction.grid import grid_of
from corrtomo.measure.conduction.multigrid import improve, levels_of
from corrtomo.measure.reach import reach_of


def graph_of(size, ones, others, weights, grounds):
    both = coo_array((weights, (ones, others)), shape=(size, size)).tocsr()
    both = (both + both.T).tocsr()
    return Graph(
        both.indptr.astype(np.int64), both.indices.astype(np.int32), both.data.astype(np.float32),
        np.asarray(grounds, float),
    )  # fmt: skip


def matrix_of(graph):
    links = np.zeros((graph.size, graph.size))
    links[np.repeat(np.arange(graph.size), np.diff(graph.starts)), graph.ends] = graph.weights
    return np.diag(links.sum(axis=1) + graph.grounds) - links


def line(size, weights):
    return graph_of(size, np.arange(size - 1), np.arange(1, size), weights, np.eye(1, size)[0])


def star(size):
    return graph_of(size, np.zeros(size - 1, int), np.arange(1, size), np.ones(size - 1), np.eye(1, size)[0])


def complete(size):
    ones, others = np.triu_indices(size, 1)
    return graph_of(size, ones, others, np.ones(len(ones)), np.full(size, 1e-3))


GRAPHS = {
    "a line": line(700, np.ones(699)),
    "weights that grow": line(300, np.geomspace(1e-9, 1.0, 299)),
    "weights that fall": line(300, np.geomspace(1.0, 1e-9, 299)),
    "weights that alternate": line(600, np.resize([1.0, 1e-6], 599)),
    "a star": star(900),
    "all with all": complete(250),
    "no links": graph_of(300, [], [], [], np.ones(300)),
    "one node": graph_of(1, [], [], [], [2.0]),
    "none": graph_of(0, [], [], [], []),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_levels_end_and_solve_any_graph(name):
    graph = GRAPHS[name]
    levels = levels_of(graph)
    sizes = [levels.size_of(depth) for depth in range(len(levels.graphs) + 1)]
    assert sizes[-1] <= 100
    assert all(fewer <= 0.75 * more for more, fewer in pairwise(sizes))
    matrix, true = matrix_of(graph), np.random.default_rng(0).normal(size=graph.size)
    wrong = true
    for _ in range(40):
        wrong = wrong - improve(levels, matrix @ wrong)
    assert wrong @ matrix @ wrong <= 1e-10 * (true @ matrix @ true)


def test_nodes_on_both_sides_of_a_border_of_chunks_do_not_swing_about_each_other():
    field = np.random.default_rng(1).normal(size=(48, 48, 48))
    codes = np.digitize(field, np.quantile(field, (1 / 3, 2 / 3))) + 1
    codes = np.where(codes == 3, 0, codes).astype(np.uint8)
    reach = reach_of(codes > 0)
    codes[~(reach.first & reach.last)[reach.components]] = 0
    sigma, edges = np.array([0.0, 1e-3, 1.0]), (0.2, 1.0, 1.0)
    assert aggregate(grid_of(codes, sigma, edges))[1].size > 3 * _ROWS
    assert conduction_solver.solve(codes, sigma, edges).steps <= 17


def test_a_coarser_graph_keeps_what_goes_to_the_plates():
    levels = levels_of(line(700, np.linspace(1, 2, 699)))
    parents = levels.graphs[0].parents
    join = np.zeros((700, levels.size_of(1)))
    join[np.flatnonzero(parents >= 0), parents[parents >= 0]] = 1
    true = join.T @ matrix_of(levels.graphs[0].graph) @ join
    factor = np.triu(levels.last[0])
    np.testing.assert_allclose(factor.T @ factor, true, atol=1e-5)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(
    shape=st.tuples(*[st.integers(1, 7)] * 3),
    seed=st.integers(0, 999),
    sigma=st.sampled_from([(0.0, 0.0, 1.0), (0.0, 1e-6, 1.0), (0.0, 0.5, 1.0)]),
    edges=st.sampled_from([(1.0, 1.0, 1.0), (1.0, 5.0, 2.0)]),
)
def test_groups_of_voxels_are_the_grid_summed(shape, seed, sigma, edges):
    codes = np.random.default_rng(seed).choice(3, size=shape).astype(np.uint8)
    codes[np.array(sigma)[codes] == 0] = 0
    grid = grid_of(codes, np.array(sigma), edges)
    parents, graph = aggregate(grid)
    inner = parents[grid.inner]
    assert ((inner >= 0) == (codes > 0)).all()
    assert graph.size == len(np.unique(inner[inner >= 0]))
    found, true = matrix_of(graph), np.zeros((graph.size,) * 2)
    for axis in range(3):
        here, there = (np.moveaxis(a, axis, 0) for a in (codes, inner))
        for n in range(shape[axis] - 1):
            faces = grid.faces[axis, here[n], here[n + 1]]
            for g, a, b in zip(faces.ravel(), there[n].ravel(), there[n + 1].ravel(), strict=True):
                if g > 0 and a != b:
                    true[a, a] += g
                    true[b, b] += g
                    true[a, b] -= g
                    true[b, a] -= g
    for end in (0, -1):
        for code, a in zip(codes[end].ravel(), inner[end].ravel(), strict=True):
            if code:
                true[a, a] += 2 * sigma[code] * np.prod(edges) / edges[0] ** 2
    np.testing.assert_allclose(found, true, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("contrast", [0.0, 1e-9, 1e-6, 1e-3, 1.0])
@pytest.mark.parametrize("noise", [False, True])
def test_steps_are_few_at_any_contrast(contrast, noise):
    labels = (
        np.random.default_rng(0).choice(2, size=(32, 32, 32))
        if noise
        else np.indices((32,) * 3).sum(0) // 4 % 2
    )
    labels[:, :3, :3] = 0  # a way through for no contrast at all
    sigma = np.array([0.0, 1.0, contrast])
    codes = (labels + 1).astype(np.uint8) if contrast else (labels == 0).astype(np.uint8)
    if not contrast:
        reach = reach_of(codes > 0)
        codes[~(reach.first & reach.last)[reach.components]] = 0
    solution = conduction_solver.solve(codes, sigma, (1.0, 2.0, 1.0))
    assert solution.steps <= 30
    assert max(solution.found) - min(solution.found) < 1e-4 * min(solution.found)


def test_the_number_of_threads_does_not_matter():
    labels = ct.volume(np.random.default_rng(1).choice(3, size=(96, 90, 88)), 1.0)
    values, before = {0: 1e-3, 1: 1.0, 2: 30.0}, numba.get_num_threads()
    found = []
    for threads in {1, before}:
        numba.set_num_threads(threads)
        try:
            found.append(ct.measure.effective_conductivity(labels, values, axis="z", progress=False))
        finally:
            numba.set_num_threads(before)
    assert len(set(found)) == 1
    assert numba.get_num_threads() == before
