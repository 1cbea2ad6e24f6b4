"""Indices that only a run has, and lengths, are checked in the run: libraries clip them, or count from the end."""
import numpy as np
import pytest

from keraflow import backend as B
from keraflow.errors import DataError, ShapeError
from keraflow.layers import Input, Lambda
from keraflow.models import Model

X = np.arange(12, dtype='float32').reshape(4, 3)
LAST = {0: 'one less than the length of axis 0', 1: 2, -1: 2}


@pytest.mark.parametrize('axis, wrong', [(0, -1), (0, 4), (1, -1), (1, 3), (-1, -3)])
def test_indices_of_gather(axis, wrong):
    x, listed, one = B.placeholder((None, 3)), B.placeholder((None,), 'int32'), B.placeholder((), 'int64')
    of_list = B.function([x, listed], B.symbolic(lambda x, i: [B.gather(x, i, axis)], [x, listed]))
    of_one = B.function([x, one], B.symbolic(lambda x, i: [B.gather(x, i, axis)], [x, one]))
    for run, right, asked in ((of_list, [2, 0], [0, wrong]), (of_one, 2, wrong)):
        for _ in range(2):
            with pytest.raises(DataError) as caught:
                run(X, np.array(asked))
            assert str(caught.value) == f'gather: indices: expected integers from 0 to {LAST[axis]}, received others.'
            np.testing.assert_array_equal(run(X, np.array(right))[0], X.take(right, axis))


def test_a_gradient_is_refused_where_its_lookup_is():
    table, listed = B.variable(X), B.placeholder((None,), 'int32')
    run = B.function([listed], B.symbolic(lambda i: B.gradients(B.sum(B.gather(table, i)), [table]), [listed]))
    for wrong in (-1, 4):
        with pytest.raises(DataError, match='gather: indices: expected integers from 0 to 3, received others.'):
            run([1, wrong])
    np.testing.assert_array_equal(run([1, 1])[0], np.float32([0, 2, 0, 0])[:, None] * np.ones((1, 3)))


@pytest.mark.parametrize('wrong', [5, -6])
def test_an_index_without_a_cell_gives_no_number(wrong, backend_name):
    x = Input((None, 3))
    model = Model(x, Lambda(lambda x: x[:, wrong])(x))
    right = np.zeros((2, 6, 3))
    assert model.predict(right).shape == (2, 3)
    with pytest.raises(ShapeError) as caught:
        model.predict(right[:, :5])
    assert str(caught.value) == f'getitem: axis 1: expected an index from -5 to 4, received {wrong}.'
    place, fed = B.placeholder((), 'int32'), B.placeholder((None, 3))
    for name, run in (('another', B.function([fed, place], B.symbolic(lambda x, i: [x[i]], [fed, place]))),
                      (wrong, B.function([fed, place], B.symbolic(lambda x, i: [x[wrong] + 0 * B.cast(i, B.floatx())], [fed, place])))):
        for length in (6, 5, 4):
            if length == 6:
                np.testing.assert_array_equal(run(right[0], wrong)[0], right[0, 0])
                continue
            with pytest.raises(Exception) as caught:
                run(right[0, :length], wrong)
            if backend_name in ('numpy', 'jax'):        # else it is the library's own error
                assert str(caught.value) == ('getitem: axis 0: expected an index from -n to n - 1, for the length n, '
                                             f'received {name}.')
