"""Products have the precision that the program asks JAX for: GPUs since Ampere take TF32 unless it asks for more."""
import numpy as np
from on_device import jax, precision

from keraflow import backend as B
from keraflow.backend.contract import TensorSpec
from keraflow.layers import Convolution2D, Dense, Input

#: Of float32 and of TF32, which keeps 10 bits of each factor: half of the distance between numbers, as a part of them.
OF_FLOAT32, OF_TF32 = 2 ** -24, 2 ** -11


def factors(size=256):
    rng = np.random.default_rng(0)
    return [rng.normal(size=(size, size)).astype('float32') for _ in range(2)]


def error_of(product, x, y):
    """Return the largest error of a product, as a part of the product of the magnitudes."""
    x, y = x.astype('float64'), y.astype('float64')
    return float(np.max(np.abs(np.asarray(product, 'float64') - x @ y) / (np.abs(x) @ np.abs(y))))


def errors(name):
    """Return the errors of a product of keraflow, and of one of JAX, at a precision."""
    x, y = factors()
    run = B.compile(lambda x, y: ([B.dot(x, y)], []), [TensorSpec((None, None), 'float32')] * 2)
    with precision(name):
        return error_of(run(x, y)[0], x, y), error_of(jax.jit(jax.numpy.dot)(x, y), x, y)


def test_products_have_the_precision_that_the_program_asks_for(device):
    own, of_jax = errors('float32')
    assert own < 16 * OF_FLOAT32 and of_jax < 16 * OF_FLOAT32
    own, of_jax = errors(None)
    print(f'product of float32, error at the default precision: {own:.1e}, of jax.numpy.dot {of_jax:.1e}')
    assert own < 2 * OF_TF32
    assert (own > OF_TF32 / 64) == (of_jax > OF_TF32 / 64)      # both in TF32, or neither


def test_a_change_of_the_precision_counts_for_what_has_run(device):
    x, y = factors()
    run = B.compile(lambda x, y: ([B.dot(x, y)], []), [TensorSpec((None, None), 'float32')] * 2)
    run(x, y)
    with precision('float32'):
        assert error_of(run(x, y)[0], x, y) < 16 * OF_FLOAT32


def test_layers_are_as_precise(device):
    rng = np.random.default_rng(0)
    images = rng.normal(size=(4, 8, 12, 12)).astype('float32')
    layer = Convolution2D(16, 3, 3, bias=False)
    layer(Input(images.shape[1:]))
    W = B.get_value(layer.trainable_variables[0]).astype('float64')
    windows = np.lib.stride_tricks.sliding_window_view(images.astype('float64'), (3, 3), (2, 3))
    expected, largest = (np.einsum('nixyhw,iohw->noxy', f(windows), f(W)) for f in (np.asarray, np.abs))
    with precision('float32'):
        found = np.asarray(layer(jax.numpy.asarray(images)), 'float64')
    assert np.max(np.abs(found - expected) / largest) < 16 * OF_FLOAT32

    dense = Dense(64, bias=False)
    dense(Input(256))
    x, W = factors()[0], B.get_value(dense.trainable_variables[0])
    with precision('float32'):
        assert error_of(dense(jax.numpy.asarray(x)), x, W) < 16 * OF_FLOAT32
