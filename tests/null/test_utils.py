"""Labels as rows, and rows of length 1."""
import numpy as np
import pytest

from keraflow.errors import ArgumentError, ArgumentTypeError, DataError
from keraflow.utils import normalize, to_categorical


@pytest.mark.parametrize('labels, nb_class, rows', [
    ([0, 2, 1], None, [[1, 0, 0], [0, 0, 1], [0, 1, 0]]),
    ([[1], [0]], None, [[0, 1], [1, 0]]),
    ([1, 0], 4, [[0, 1, 0, 0], [1, 0, 0, 0]]),
    (np.array([True, False]), None, [[0, 1], [1, 0]]),
    (np.array([1., 2.]), None, [[0, 1, 0], [0, 0, 1]]),
    ([[0, 1], [1, 1]], None, [[[1, 0], [0, 1]], [[0, 1], [0, 1]]]),
    (np.array([255], 'u1'), 256, [[0] * 255 + [1]]),
])
def test_labels_become_rows(labels, nb_class, rows):
    found = to_categorical(labels, nb_class)
    assert found.tolist() == rows and found.dtype == np.float32


def test_rows_have_floatx(monkeypatch):
    monkeypatch.setenv('KERAFLOW_FLOATX', 'float64')
    assert to_categorical([0]).dtype == np.float64


X = np.random.default_rng(0).normal(size=(3, 4, 5))


@pytest.mark.parametrize('order, norm', [(1, lambda x, axis: np.abs(x).sum(axis, keepdims=True)),
                                         (2, lambda x, axis: np.sqrt((x ** 2).sum(axis, keepdims=True))),
                                         (3, lambda x, axis: (np.abs(x) ** 3).sum(axis, keepdims=True) ** (1 / 3)),
                                         (np.inf, lambda x, axis: np.abs(x).max(axis, keepdims=True))])
@pytest.mark.parametrize('axis', [0, 1, -1])
def test_norms_become_1(axis, order, norm):
    np.testing.assert_allclose(normalize(X, axis, order), X / norm(X, axis), rtol=1e-12)


def test_zero_stays_zero():
    assert normalize([[0, 0], [3, 4]]).tolist() == [[0, 0], [0.6, 0.8]]


@pytest.mark.parametrize('call, error, text', [
    (lambda: to_categorical([]), DataError,
     'to_categorical: expected labels that are integers, received 0 of dtype float64. Number the classes from 0.'),
    (lambda: to_categorical([np.inf]), DataError,
     'to_categorical: expected labels that are integers, received 1 of dtype float64. Number the classes from 0.'),
    (lambda: normalize(['a']), DataError, 'normalize: expected an array of numbers, received one of dtype <U1.'),
    (lambda: to_categorical([0.5]), DataError,
     'to_categorical: expected labels that are integers, received 1 of dtype float64. Number the classes from 0.'),
    (lambda: to_categorical(['a', 'b']), DataError,
     'to_categorical: expected labels that are integers, received 2 of dtype <U1. Number the classes from 0.'),
    (lambda: to_categorical([float('nan')]), DataError,
     'to_categorical: expected labels that are integers, received 1 of dtype float64. Number the classes from 0.'),
    (lambda: to_categorical([1, 2, 3], 3), DataError,
     'to_categorical: expected labels from 0 to 2, received 1 to 3. Number the classes from 0.'),
    (lambda: to_categorical([-1, 1]), DataError,
     'to_categorical: expected labels from 0 to 1, received -1 to 1. Number the classes from 0.'),
    (lambda: to_categorical([0], nb_class=0), ArgumentError,
     'to_categorical: nb_class: expected an integer of at least 1 or None, received 0.'),
    (lambda: to_categorical([0], num_classes=2), ArgumentTypeError,
     "to_categorical: there is no argument 'num_classes'. Did you mean 'nb_class'?"),
    (lambda: normalize([1.], axis=1), DataError, 'normalize: axis: there is no axis 1 in an array of shape (1,).'),
    (lambda: normalize([1.], order='fro'), ArgumentTypeError, "normalize: order: expected a number, received 'fro'."),
])
def test_what_is_refused(call, error, text):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == text
