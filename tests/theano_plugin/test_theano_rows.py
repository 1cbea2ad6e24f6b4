"""A step by rows sets the rows of a table where they are, in the memory of the table."""
import numpy as np

from keraflow import backend as B
from keraflow.optimizers import Adagrad
from keraflow_backends.theano_backend.configure import T, theano
from keraflow_backends.theano_backend.execution import _theano_function


def nodes_of(function):
    return function.maker.fgraph.toposort()


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
    assert sum(isinstance(node.op, T.AdvancedIncSubtensor1) and node.op.inplace for node in nodes_of(run)) == 3
