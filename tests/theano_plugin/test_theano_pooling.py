"""The gradient of pooling, in C and in Python: it goes to the first of the largest values of a window."""
import numpy as np
import pytest

from keraflow import backend as B
from keraflow.testing.convolution_cases import pooled
from keraflow.testing.numerics import numerical_gradient
from keraflow_backends.theano_backend.configure import T, theano

RNG = np.random.default_rng(3)
CASES = [((2, 3, 5, 4), (2, 2), (1, 1), 'valid'), ((1, 2, 6, 5), (3, 2), (2, 2), 'same'), ((1, 1, 4, 3, 5), (2, 2, 3), (2, 1, 2), 'same')]


@pytest.mark.parametrize('linker', ['c|py', 'py'])
def test_gradients_of_ties(linker):
    inputs, outputs, arrays, expected = [], [], [], []
    for shape, *options in CASES:
        x, weights, direction = (B.placeholder([None] * len(shape), 'float64') for _ in range(3))
        size, strides, pad = options
        gradient = T.grad(T.sum(B.pool(x, size, 'max', strides, pad) * weights), x)
        along = T.grad(T.sum(gradient * direction), weights)        # of each window, in the direction
        again = T.grad(T.sum(T.sqr(along)), direction)
        inputs += [x, weights, direction]
        outputs += [gradient, along, again]
        cells = RNG.integers(0, 3, shape).astype('float64')
        # What is first is largest here, by far less than values differ.
        ordered = cells - 1e-3 * np.arange(cells.size).reshape(shape)
        factors, step = RNG.normal(size=pooled(cells, size, 'max', strides, pad).shape), RNG.normal(size=shape)
        arrays += [cells, factors, step]
        moved = [pooled(ordered + sign * 1e-5 * step, size, 'max', strides, pad) for sign in (1, -1)]
        slopes = (moved[0] - moved[1]) / 2e-5
        expected += [_gradient(ordered, options, factors), slopes, _gradient(ordered, options, 2 * slopes)]
    run = theano.function(inputs, outputs, mode=theano.compile.Mode(linker, None))
    for found, wanted in zip(run(*arrays), expected):
        np.testing.assert_allclose(found, wanted, atol=1e-8)


def _gradient(x, options, weights):
    size, strides, pad = options
    return numerical_gradient(lambda x: np.sum(pooled(x, size, 'max', strides, pad) * weights), [x])[0]
