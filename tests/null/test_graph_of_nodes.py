"""Nodes, and the functions that are made of them, with functions of NumPy for a library."""
import numpy as np
import pytest

from keraflow.backend.graph import operations  # noqa: F401     which enters them
from keraflow.backend.graph.execution import InPlace
from keraflow.backend.graph.nodes import (GIVEN, OPERATIONS, Graph, Library, Operation, apply, apply_many, known_of,
                                          ordered)
from keraflow.backend.graph.program import Program, shared_memory
from keraflow.backend.graph.updates import LENGTH, in_blocks

FUNCTIONS = {**{name: getattr(np, name) for name in 'add subtract multiply negative exp sqrt square transpose'.split()},
             'sum': lambda x, axis, keepdims: np.sum(x, axis, keepdims=keepdims), 'shape': lambda x: np.array(x.shape),
             'getitem': lambda x, *given, key: x[operations.key_from(key, given)], 'identity': lambda x: x,
             'reshape': lambda x, *given, shape: np.reshape(x, operations.lengths_from(shape, given))}
GRAPH = Graph(None, Library(FUNCTIONS, InPlace))


def given(shape, dtype='float32'):
    return GRAPH.node(None, (), {}, known_of(shape, dtype))


def variable(value):
    return GRAPH.variable_class(np.array(value, 'float32'), 'v')


def length_of(x, axis=0):
    return apply('getitem', [apply('shape', [x])], key=(axis,))


@pytest.mark.parametrize('node, shape, dtype', [
    (lambda x: apply('add', [x, given((7,))]), (None, 7), 'float32'),
    (lambda x: apply('add', [x, given((32, 1))]), (32, 7), 'float32'),
    (lambda x: apply('add', [x, given((20000, 7))]), (20000, 7), 'float32'),
    (lambda x: apply('less', [x, 0.]), (None, 7), 'bool'),
    (lambda x: apply('cast', [x], dtype='int64'), (None, 7), 'int64'),
    (lambda x: apply('reshape', [x], shape=(-1, 14)), (None, 14), 'float32'),
    (lambda x: apply('reshape', [x, length_of(x), length_of(x, 1)], shape=(None, None, 1)), (None, 7, 1), 'float32'),
    (lambda x: apply('reshape', [x, apply('shape', [x])], shape=(None, None)), (None, 7), 'float32'),
    (lambda x: apply('flatten', [x], nb_axis=1), (None,), 'float32'),
    (lambda x: apply('concatenate', [x, x, given((3, 7))], axis=0), (None, 7), 'float32'),
    (lambda x: apply('concatenate', [x, given((5, 2))], axis=1), (5, 9), 'float32'),
    (lambda x: apply('getitem', [x, given((), 'int64')], key=(slice(2, None), GIVEN)), (None,), 'float32'),
    (lambda x: apply('getitem', [x], key=(slice(3), slice(None, None, -2))), (3, 4), 'float32'),
    (lambda x: apply('matmul', [given((4, 2, 5)), given((None, 5, 3))]), (4, 2, 3), 'float32'),
    (lambda x: apply('sum', [x], axis=(0,), keepdims=True), (1, 7), 'float32'),
    (lambda x: apply('take', [given((9, 2)), apply('cast', [x], dtype='int64')], axis=0), (None, 7, 2), 'float32'),
    (lambda x: apply('conv', [given((None, None, 9, 3)), given((3, 8, 2, 2))], strides=(2, 2), pad='valid',
                     dilation=(1, 1)), (None, None, 4, 8), 'float32'),
])
def test_what_is_known_before_there_are_data(node, shape, dtype):
    made = node(given((None, 7)))
    assert (made.shape, made.dtype) == (shape, dtype)


def test_integers_that_follow_from_lengths_are_known_with_them():
    x = given((None, 7))
    twice = apply('multiply', [length_of(x), 2])
    assert [int(one.value) for one in twice.known] == [10080, 20160]
    assert int(apply('add', [length_of(x, 1), 2]).known[0].value) == 9


def test_an_operation_may_return_several():
    Operation('halves', lambda x: [x._replace(value=None), x._replace(dtype='int64', value=None)])
    try:
        first, second = apply_many('halves', [given((None, 2))])
    finally:
        del OPERATIONS['halves']
    assert (first.shape, first.dtype, second.shape, second.dtype) == ((None, 2), 'float32', (None, 2), 'int64')


def test_nodes_are_ordered_once_and_not_beyond_leaves():
    x = given((2,))
    y = apply('exp', [x])
    z = apply('add', [y, apply('multiply', [y, y])])
    assert [node.operation and node.operation.name for node in ordered([z])] == [None, 'exp', 'multiply', 'add']
    assert ordered([z], [y])[0] is y


def test_a_deep_chain_needs_no_recursion():
    x = y = given((2,))
    for _ in range(20000):
        y = apply('negative', [y])
    [found] = Program(GRAPH, [x], [y])(np.ones(2, 'float32'))
    np.testing.assert_array_equal(found, [1., 1.])


def test_a_program_changes_nothing_that_is_given_and_returns_nothing_that_it_writes_over():
    x, v = given((2, 3)), variable(np.ones((2, 3)))
    y = apply('exp', [x])
    flat = apply('reshape', [y], shape=(6,))
    outputs = [apply('negative', [y]), apply('negative', [apply('negative', [flat])]), y, apply('negative', [v]),
               apply('multiply', [apply('add', [x, v]), 2.])]
    run, array = Program(GRAPH, [x, v], outputs), np.arange(6, dtype='float32').reshape(2, 3)
    first = run(array, v.value)
    before = [one.copy() for one in first]
    second = run(array + 1, v.value)
    np.testing.assert_array_equal(array, np.arange(6).reshape(2, 3))
    np.testing.assert_array_equal(v.value, 1.)
    for one, kept, other in zip(first, before, second):
        np.testing.assert_array_equal(one, kept)
        assert not np.shares_memory(one, other)
    np.testing.assert_allclose(first[1], np.exp(array).ravel())
    np.testing.assert_allclose(first[4], 2 * array + 2)


def test_unknown_lengths_may_be_1():
    x, y = given((None, 2)), given((None, 2))
    run = Program(GRAPH, [x, y], [apply('add', [apply('exp', [x]), apply('exp', [y])])])
    for shapes in [(1, 3), (3, 1), (3, 3)]:
        [found] = run(*[np.zeros((n, 2), 'float32') for n in shapes])
        np.testing.assert_array_equal(found, np.full((3, 2), 2.))


def test_what_depends_on_constants_is_computed_once():
    calls = []
    functions = {**FUNCTIONS, 'exp': lambda x: calls.append(1) or np.exp(x)}
    x = given((2,))
    run = Program(Graph(None, Library(functions, InPlace)), [x], [apply('add', [x, apply('exp', [GRAPH.constant(np.zeros(2, 'float32'))])])])
    for _ in range(3):
        [found] = run(np.ones(2, 'float32'))
    np.testing.assert_array_equal(found, [2., 2.])
    assert calls == [1]


def test_which_results_have_the_memory_of_something_else():
    x = given((2, 3))
    y = apply('exp', [x])
    results = [x, y, apply('transpose', [y], axes=(1, 0)), apply('identity', [x]), apply('negative', [y])]
    assert shared_memory(results, set()) == [True, False, True, True, False]


SIZE = 2 * LENGTH + 5


def updated(outputs, updates):
    """Run outputs and updates as a function does: what blocks need, then the blocks."""
    nodes = ordered([*outputs, *updates.values()])
    blocks = in_blocks(FUNCTIONS, nodes, set(outputs), updates)
    variables = [node for node in {**dict.fromkeys(nodes), **dict.fromkeys(updates)} if hasattr(node, 'value')]
    for block in blocks:
        block(Program(GRAPH, variables, block.inputs)(*[one.value for one in variables]))
    return blocks


def test_elementwise_updates_of_one_shape_are_computed_in_blocks():
    values = np.random.default_rng(0).random((3, SIZE)).astype('float32')
    p, m, g = map(variable, values)
    new = apply('add', [apply('multiply', [m, 0.9]), g])
    blocks = updated([], {m: new, p: apply('subtract', [p, apply('sqrt', [new])])})
    assert len(blocks) == 1 and set(blocks[0].variables) == {p, m}
    np.testing.assert_allclose(m.value, values[1] * np.float32(0.9) + values[2], rtol=1e-6)
    np.testing.assert_allclose(p.value, values[0] - np.sqrt(m.value), rtol=1e-6)


def test_blocks_read_the_values_from_before():
    values = np.random.default_rng(0).random((2, SIZE)).astype('float32')
    a, b = map(variable, values)
    assert len(updated([], {a: apply('multiply', [b, 2.]), b: apply('add', [a, 1.])})) == 1
    np.testing.assert_array_equal(a.value, values[1] * 2)
    np.testing.assert_array_equal(b.value, values[0] + 1)


def test_variables_with_one_new_value():
    a, b = variable(np.ones(SIZE)), variable(np.zeros(SIZE))
    new = apply('add', [a, 1.])
    updated([], {a: new, b: new})
    a.value += 1
    np.testing.assert_array_equal(b.value, 2.)


def test_what_is_needed_otherwise_or_short_or_not_elementwise_is_not_in_blocks():
    a, short, matrix = variable(np.ones(SIZE)), variable(np.ones(4)), variable(np.ones((SIZE, 1)))
    new = apply('add', [a, 1.])
    assert updated([new], {a: new}) == []
    assert updated([apply('sum', [new], axis=None, keepdims=False)], {a: new}) == []
    assert updated([], {short: apply('add', [short, 1.])}) == []
    assert updated([], {matrix: apply('reshape', [apply('add', [a, 1.])], shape=(SIZE, 1))}) == []
