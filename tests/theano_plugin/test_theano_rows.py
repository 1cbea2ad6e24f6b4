"""A step by rows sets the rows of a table where they are, in the memory of the table, by C code of the plugin's own."""
import numpy as np
import pytest

from keraflow import backend as B
from keraflow.optimizers import Adagrad
from keraflow_backends.theano_backend.configure import T, theano
from keraflow_backends.theano_backend.execution import _theano_function
from keraflow_backends.theano_backend.rows import _ByRows


def test_rows_are_set_in_place():
    table, indices, optimizer = B.variable(np.ones((50, 2))), B.placeholder((None, 2), 'int32'), Adagrad(lr=0.5)
    optimizer.build([table])
    _, _, gradients = B.value_and_row_gradients(lambda: (B.sum(B.square(B.gather(table, indices))), None), [table], [True])
    # The mode of users, without the time that C code takes to compile.
    run = _theano_function([indices], [], optimizer.updates([table], gradients), theano.compile.Mode('py', 'fast_run'))
    arrays = [variable.get_value(borrow=True) for variable in (table, optimizer.state()['a/0'])]
    run(np.array([[4, 7], [4, 4]], 'int32'))
    expected, squares = np.ones((50, 2)), np.zeros((50, 2))
    squares[4], squares[7] = 6 ** 2, 2 ** 2
    expected[[4, 7]] -= 0.5
    for variable, array, wanted in zip((table, optimizer.state()['a/0']), arrays, (expected, squares)):
        assert variable.get_value(borrow=True) is array
        np.testing.assert_allclose(array, wanted, rtol=1e-6)
    assert sum(isinstance(node.op, T.AdvancedIncSubtensor1) and node.op.inplace for node in run.maker.fgraph.toposort()) == 3


def test_rows_in_c():
    x, y, indices = T.fmatrix(), T.fmatrix(), T.ivector()
    run = theano.function([x, y, indices], [_ByRows()(x, y, indices), _ByRows(set_instead_of_inc=True)(x, y, indices)],
                          mode=theano.compile.Mode('c|py', None))
    table, rows = (np.random.default_rng(seed).normal(size=size).astype('float32') for seed, size in enumerate([(6, 3), (4, 3)]))
    apart = np.asfortranarray(rows)         # rows that do not lie in one piece
    for places in ([5, 0, 5, 5], [0, -1, 2, -1]):
        added, put = table.copy(), table.copy()
        np.add.at(added, places, rows)
        put[places] = rows
        for given in (rows, apart):
            sums, others = run(table, given, np.array(places, 'int32'))
            np.testing.assert_allclose(sums, added, rtol=1e-6)
            np.testing.assert_array_equal(others, put)
    assert run(table, rows[:0], np.zeros(0, 'int32'))[0].tolist() == table.tolist()
    for wrong in ([0, 1, 6, 2], [0, -7, 1, 2]):
        with pytest.raises(IndexError):
            run(table, rows, np.array(wrong, 'int32'))
