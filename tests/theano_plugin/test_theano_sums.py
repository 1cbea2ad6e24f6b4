"""Sums over leading axes, row after row in C code."""
import numpy as np
import pytest

from keraflow_backends.theano_backend.configure import T, theano
from keraflow_backends.theano_backend.own_mode import own_mode
from keraflow_backends.theano_backend.sums import ROW_SUMS, RowSum

ARRAYS = {
    'a matrix': (np.arange(12.).reshape(4, 3), (0,)),
    'two axes of three': (np.arange(24.).reshape(2, 3, 4), (0, 1)),
    'no rows': (np.zeros((0, 3)), (0,)),
    'empty rows': (np.zeros((3, 0)), (0,)),
    'every second row': (np.arange(24.).reshape(8, 3)[::2], (0,)),
    'a transpose': (np.arange(24.).reshape(2, 3, 4).transpose(2, 0, 1), (0, 1)),
    'one axis of three': (np.arange(24.).reshape(2, 3, 4), (0,)),
}


def c_mode():
    if not theano.config.cxx:
        pytest.skip('needs a compiler')
    return theano.compile.get_mode('FAST_RUN').including(ROW_SUMS)


@pytest.mark.parametrize('dtype', ['float32', 'float64'])
def test_values(dtype):
    arrays = [array.astype(dtype) for array, _ in ARRAYS.values()]
    tensors = [T.TensorType(dtype, [False] * array.ndim)() for array in arrays]
    run = theano.function(tensors, [x.sum(axis) for x, (_, axis) in zip(tensors, ARRAYS.values())], mode=c_mode())
    assert [type(node.op) for node in run.maker.fgraph.apply_nodes] == [RowSum] * len(ARRAYS)
    for _ in range(2):      # with new results, and with those of the run before
        for name, found, array, (_, axis) in zip(ARRAYS, run(*arrays), arrays, ARRAYS.values()):
            np.testing.assert_array_equal(found, array.sum(axis), name)
            assert found.dtype == dtype, name


def test_float32_is_summed_in_float64():
    x = T.fmatrix()
    values = np.array([[2. ** 24], [1.], [1.], [-2. ** 24]], 'float32')
    assert theano.function([x], x.sum(0), mode=c_mode())(np.repeat(values, 2, 1)).tolist() == [2., 2.]


def test_other_sums_are_those_of_theano():
    x, n = T.ftensor3(), T.lmatrix()
    run = theano.function([x, n], [x.sum(), x.sum(1), x.sum((1, 2)), x.sum((0, 2)), n.sum(0)], mode=c_mode())
    assert {type(node.op) for node in run.maker.fgraph.apply_nodes} == {T.elemwise.Sum}


def test_functions_of_keraflow_have_them_and_those_of_the_program_do_not():
    x = T.fmatrix()
    for mode, kind in ((own_mode(), RowSum), (None, T.elemwise.Sum)):
        assert [type(node.op) for node in theano.function([x], x.sum(0), mode=mode).maker.fgraph.apply_nodes] == [kind]
