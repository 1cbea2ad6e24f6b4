"""A step by rows makes nothing of the size of the table."""
import numpy as np
import pytest

from keraflow import backend as B
from keraflow.optimizers import SGD, Adagrad


@pytest.mark.parametrize('optimizer, nb_set', [(SGD(lr=0.5), 1), (Adagrad(lr=0.5), 2)], ids=['sgd', 'adagrad'])
def test_nothing_is_as_large_as_the_table(optimizer, nb_set):
    table = B.variable(np.ones((50, 2)))
    optimizer.build([table])

    def builder(indices):
        _, _, gradients = B.value_and_row_gradients(lambda: (B.sum(B.square(B.gather(table, indices))), None), [table], [True])
        return [], optimizer.updates([table], gradients)
    run = B.compile(builder, [B.TensorSpec((None, 2), 'int32')])
    run(np.array([[4, 7], [4, 4]], 'int32'))
    expected = np.ones((50, 2))
    expected[[4, 7]] = [[-2.] * 2, [0.] * 2] if nb_set == 1 else 0.5
    np.testing.assert_allclose(B.get_value(table), expected, rtol=1e-6)
    operations = run.build().graph.get_operations()
    assert sum(one.type == 'ResourceScatterUpdate' for one in operations) == nb_set
    assert not any(output.shape.as_list() == [50, 2] for one in operations for output in one.outputs if output.shape.rank == 2)
