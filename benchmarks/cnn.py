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


def main():
    x, y = random_data(BATCH_SIZE * NB_BATCH, (1, SIDE, SIDE), NB_CLASS)
    layers = [Convolution2D(NB_KERNEL, 3, 3, activation='relu'), Convolution2D(NB_KERNEL, 3, 3, activation='relu'),
              Dense(SIZE, activation='relu'), Dense(NB_CLASS, activation='softmax')]
    model = Sequential([Input((1, SIDE, SIDE)), *layers[:2], Pooling2D('max'), Flatten(), *layers[2:]])
    weights = [layer.get_weights() for layer in layers]
    by_hand = {'tensorflow': lambda: (tensorflow_logits, tensorflow_weights(*weights), np.moveaxis(x, 1, -1).copy()),
               'theano': lambda: (theano_logits, theano_weights(*weights), x)}[B.name()]()
    compare('a CNN', model, x, y, by_hand, BATCH_SIZE)


if __name__ == '__main__':
    main()
