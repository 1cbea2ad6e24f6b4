"""What Python and NumPy let a program write with tensors, refused in the same words on every backend."""
import copy
import pickle

import numpy as np
import pytest

from keraflow import backend as B
from keraflow.errors import ArgumentTypeError, SerializationError
from keraflow.layers import Input, Lambda

X = np.arange(6, dtype='float32').reshape(2, 3)
OF_NUMPY = [
    (lambda x: np.mean(x), 'np.mean', 'Write B.mean(x), a function of keraflow.backend.'),
    (lambda x: np.sum(x, axis=1), 'np.sum', 'Write B.sum(x), a function of keraflow.backend.'),
    (lambda x: np.where(x > 0, x, 0 * x), 'np.where', 'Write B.where(condition, x, y), a function of keraflow.backend.'),
    (lambda x: np.where(X > 0, X, x), 'np.where', 'Write B.where(condition, x, y), a function of keraflow.backend.'),
    (lambda x: np.concatenate([x, X]), 'np.concatenate', 'Write B.concatenate(tensors), a function of keraflow.backend.'),
    (lambda x: np.stack([X, x]), 'np.stack', 'Write B.stack(tensors), a function of keraflow.backend.'),
    (lambda x: np.vstack([X, x]), 'np.vstack', 'Write B.concatenate(tensors), a function of keraflow.backend.'),
    (lambda x: np.clip(x, 0, 1), 'np.clip', 'Write B.clip(x), a function of keraflow.backend.'),
    (lambda x: np.linalg.norm(x), 'np.linalg.norm', 'Write B.norm(x), a function of keraflow.backend.'),
    (lambda x: np.swapaxes(x, 0, 1), 'np.swapaxes', 'Write B.transpose(x), a function of keraflow.backend.'),
    (lambda x: np.einsum('ij->i', x), 'np.einsum', 'Write functions of keraflow.backend, such as B.tanh(x).'),
]


def text_of(act, x, kind=ArgumentTypeError):
    with pytest.raises(kind) as caught:
        act(x)
    return str(caught.value)


@pytest.mark.parametrize('act, name, advice', OF_NUMPY, ids=[name for _, name, _ in OF_NUMPY])
def test_functions_of_numpy_say_what_to_write(act, name, advice):
    x = Input(3, name='x')
    assert text_of(act, x) == f'{name}: expected arrays, received <Input x>. {advice}'
    assert text_of(Lambda(act), x) == f'{name}: expected arrays, received a tensor. {advice}'


def test_arrays_are_not_made_of_what_has_no_value(backend_name):
    if backend_name == 'theano':        # whose variables NumPy takes for any objects
        return
    for make in (np.asarray, np.array, lambda x: np.asarray([x, x]), lambda x: np.float32(x)):
        assert text_of(Lambda(make), Input(3)) == (
            'NumPy: expected arrays, received a tensor. Write functions of keraflow.backend, such as B.tanh(x).')


def test_numpy_is_told_the_static_shape():
    found = []
    x = Input(3)
    Lambda(lambda t: found.extend([np.shape(t), np.ndim(t)]) or t)(x)
    assert found[:2] == [(None, 3), 2] == [np.shape(x), np.ndim(x)]


def test_functions_of_numpy_compute_of_what_has_a_value(backend_name):
    """The library's own use of NumPy outside of layers stays as it is."""
    if backend_name == 'tensorflow':
        x = B.constant(X)
        assert float(np.mean(x)) == 2.5 and np.concatenate([x, X]).shape == (4, 3) and np.asarray(x).dtype == 'float32'


@pytest.mark.parametrize('act, text', [
    (lambda x: x & 1, '&: expected truth values, received a tensor of {}. Write B.logical_and(x, y), or x != 0.'),
    (lambda x: (x > 0) & 1, '&: expected truth values, received 1. Write B.logical_and(x, y), or x != 0.'),
    (lambda x: 1 & (x > 0), '&: expected truth values, received 1. Write B.logical_and(x, y), or x != 0.'),
    (lambda x: (x > 0) & x, '&: expected truth values, received a tensor of {}. Write B.logical_and(x, y), or x != 0.'),
    (lambda x: x | True, '|: expected truth values, received a tensor of {}. Write B.logical_or(x, y), or x != 0.'),
    (lambda x: ~x, '~: expected truth values, received a tensor of {}. Write B.logical_not(x), or x != 0.')])
@pytest.mark.parametrize('dtype', ['float32', 'int32'])
def test_bits_of_numbers_are_refused(act, text, dtype):
    x = Input(3, dtype=dtype)
    assert text_of(act, x) == text.format(dtype)
    assert text_of(Lambda(act), x) == text.format(dtype)


@pytest.mark.parametrize('act', [
    lambda x: (x > 1) & (x < 4), lambda x: (x > 1) | (x < -1), lambda x: ~(x > 1), lambda x: (x > 1) & np.array([True, False, True]),
    lambda x: True & (x > 1) | False])
def test_truth_values_are_combined(act):
    fed = B.placeholder((None, 3))
    [found] = B.function([fed], [B.symbolic(act, [fed])])(X)
    np.testing.assert_array_equal(found, act(X))
    assert found.dtype == bool


LISTED, CHOSEN = 'Use B.gather(x, indices, axis) for positions that are listed.', 'Use B.where(condition, x, y) to choose values.'


@pytest.mark.parametrize('index, text', [
    (lambda x: x > 0, f'truth values. {CHOSEN}'), (lambda x: (slice(None), np.array([True, False, True])), f'truth values. {CHOSEN}'),
    (lambda x: True, f'True. {LISTED}'), (lambda x: [0, 1], f'[0, 1]. {LISTED}'), (lambda x: (0, [0, 1]), f'[0, 1]. {LISTED}')])
def test_an_index_of_which_libraries_make_different_things_is_refused(index, text):
    """TensorFlow takes a list for one index an axis, and NumPy for several of the first."""
    x, expected = Input(3), f'getitem: expected integers, slices, None and ... as an index, received {text}'
    assert text_of(lambda x: x[index(x)], x) == expected
    assert text_of(Lambda(lambda x: x[index(x)]), x) == expected


def test_what_a_graph_has_is_not_pickled(backend_name):
    if backend_name != 'numpy':     # other libraries have their own rules
        return
    for one in (B.variable(X), B.placeholder((3,)), B.constant(X) * 2.):
        assert text_of(pickle.dumps, one, SerializationError) == (
            'a tensor is not pickled, because reading a pickle can run code. Write B.eval(x), or B.get_value(x) for a variable, '
            'for an array.')


@pytest.mark.parametrize('make', [copy.copy, copy.deepcopy, lambda one: copy.deepcopy([one])[0]])
def test_the_copy_of_a_variable_is_one_of_its_own(make, backend_name):
    if backend_name != 'numpy':
        return
    one = B.variable(X, name='one')
    other = make(one)
    assert B.is_variable(other) and other is not one and other.name == 'one'
    B.set_value(one, X + 1)
    np.testing.assert_array_equal(B.get_value(other), X)
    B.function([], [], [(other, other * 2.)])()
    np.testing.assert_array_equal(B.get_value(one), X + 1)
    x = one * 2.
    assert make(x) is x
