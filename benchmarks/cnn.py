"""Time a train step of a small convolutional network through ``fit``, against a hand-written loop.

Both train two convolutions with 32 kernels of 3x3, a pooling of 2x2 and layers of 128 and 10 on images of 28x28, like
``train_step.py`` with vectors; one epoch of batches of 32 in each turn. The model has the channels first, keraflow's
default; the loop has them where the backend prefers them. Goal: at most 1.10 times the loop.
"""
import numpy as np
from _taking_turns import compare, random_data

from keraflow import backend as B
from keraflow.layers import Convolution2D, Dense, Flatten, Input, Pooling2D
from keraflow.models import Sequential

SIDE, NB_KERNEL, SIZE, NB_CLASS = 28, 32, 128, 10
BATCH_SIZE, NB_BATCH = 32, 20


def tensorflow_logits(params, x):
    import tensorflow as tf
    W, b, V, c, U, d, T, e = params
    x = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, W, 1, 'VALID'), b))
    x = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, V, 1, 'VALID'), c))
    x = tf.nn.max_pool2d(x, 2, 2, 'VALID')
    x = tf.reshape(x, (-1, U.shape[0]))
    return tf.nn.relu(x @ U + d) @ T + e


def tensorflow_weights(conv1, conv2, dense1, dense2):
    """Convert kernels, and the rows of the first matrix, to channels last."""
    rows = dense1['W'].reshape(NB_KERNEL, SIDE // 2 - 2, SIDE // 2 - 2, SIZE).transpose(1, 2, 0, 3).reshape(-1, SIZE)
    return [conv1['W'].transpose(2, 3, 0, 1), conv1['b'], conv2['W'].transpose(2, 3, 0, 1), conv2['b'], rows, dense1['b'],
            dense2['W'], dense2['b']]


def theano_logits(params, x):
    import theano.tensor as T
    from theano.tensor.signal.pool import pool_2d
    W, b, V, c, U, d, S, e = params
    x = T.nnet.relu(T.nnet.conv2d(x, W, filter_flip=False) + b.dimshuffle('x', 0, 'x', 'x'))
    x = T.nnet.relu(T.nnet.conv2d(x, V, filter_flip=False) + c.dimshuffle('x', 0, 'x', 'x'))
    x = pool_2d(x, (2, 2), ignore_border=True).flatten(2)
    return T.dot(T.nnet.relu(T.dot(x, U) + d), S) + e


def theano_weights(conv1, conv2, dense1, dense2):
    """Convert kernels to Theano's layout, with those of one output together."""
    return [conv1['W'].swapaxes(0, 1), conv1['b'], conv2['W'].swapaxes(0, 1), conv2['b'], dense1['W'], dense1['b'], dense2['W'],
            dense2['b']]


def jax_logits(params, x):
    import jax
    from jax import lax
    W, b, V, c, U, d, T, e = params
    for kernels, bias in (W, b), (V, c):
        x = jax.nn.relu(lax.conv_general_dilated(x, kernels, (1, 1), 'VALID', dimension_numbers=('NHWC', 'HWIO', 'NHWC')) + bias)
    x = lax.reduce_window(x, -np.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), 'VALID')
    return jax.nn.relu(x.reshape(-1, len(U)) @ U + d) @ T + e


def windows_of(x):
    """Copy the windows of 3x3 into rows, which a product then takes."""
    view = np.lib.stride_tricks.sliding_window_view(x, (3, 3), (1, 2))
    return np.ascontiguousarray(view.transpose(0, 1, 2, 4, 5, 3)).reshape(-1, 9 * x.shape[-1])


def numpy_logits(params, x):
    W, b, V, c, U, d, T, e = params
    nb_sample, side = len(x), SIDE - 2
    rows1 = windows_of(x)
    first = np.maximum(rows1 @ W.reshape(-1, NB_KERNEL) + b, 0)
    rows2 = windows_of(first.reshape(nb_sample, side, side, NB_KERNEL))
    second = np.maximum(rows2 @ V.reshape(-1, NB_KERNEL) + c, 0)
    quarters = second.reshape(nb_sample, side // 2 - 1, 2, side // 2 - 1, 2, NB_KERNEL)
    pooled = quarters.max((2, 4))
    flat = pooled.reshape(nb_sample, -1)
    hidden = np.maximum(flat @ U + d, 0)

    def backward(gradient):
        of_hidden = (gradient @ T.T) * (hidden > 0)
        of_pooled = (of_hidden @ U.T).reshape(pooled.shape)[:, :, None, :, None]
        # Where several are the largest they are 0, and pass nothing on.
        hits = quarters == pooled[:, :, None, :, None]
        of_second = (of_pooled * hits).reshape(second.shape) * (second > 0)
        of_windows = (of_second @ V.reshape(-1, NB_KERNEL).T).reshape(nb_sample, side - 2, side - 2, 3, 3, NB_KERNEL)
        of_first = np.zeros((nb_sample, side, side, NB_KERNEL), 'float32')
        for row in range(3):
            for col in range(3):
                of_first[:, row:side - 2 + row, col:side - 2 + col] += of_windows[:, :, :, row, col]
        of_first = of_first.reshape(first.shape) * (first > 0)
        return [(rows1.T @ of_first).reshape(W.shape), of_first.sum(0), (rows2.T @ of_second).reshape(V.shape), of_second.sum(0),
                flat.T @ of_hidden, of_hidden.sum(0), hidden.T @ gradient, gradient.sum(0)]
    return hidden @ T + e, backward


LOGITS = {'tensorflow': tensorflow_logits, 'jax': jax_logits, 'numpy': numpy_logits}


def contest(nb_batch=NB_BATCH):
    """Return the model, its data, and the hand-written network, its weights and its own data, as ``compare`` takes them."""
    x, y = random_data(BATCH_SIZE * nb_batch, (1, SIDE, SIDE), NB_CLASS)
    layers = [Convolution2D(NB_KERNEL, 3, 3, activation='relu'), Convolution2D(NB_KERNEL, 3, 3, activation='relu'),
              Dense(SIZE, activation='relu'), Dense(NB_CLASS, activation='softmax')]
    model = Sequential([Input((1, SIDE, SIDE)), *layers[:2], Pooling2D('max'), Flatten(), *layers[2:]])
    weights = [layer.get_weights() for layer in layers]
    if B.name() == 'theano':
        return model, x, y, (theano_logits, theano_weights(*weights), x)
    return model, x, y, (LOGITS[B.name()], tensorflow_weights(*weights), np.moveaxis(x, 1, -1).copy())


def main():
    compare('a CNN', *contest(), BATCH_SIZE)


if __name__ == '__main__':
    main()
