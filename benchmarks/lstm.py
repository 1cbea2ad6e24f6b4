"""Time a train step of an LSTM through ``fit``, against a hand-written loop for the same backend.

Both train LSTM(128) on 80 steps of 128 numbers, and a softmax layer of 10 on its last output, like ``train_step.py``
with vectors; one epoch of batches of 32 in each turn. Goal: at most 1.10 times the loop.
"""
import numpy as np
from _taking_turns import compare, random_data

from keraflow import backend as B
from keraflow.layers import LSTM, Dense, Input
from keraflow.models import Sequential

NB_STEP, DIM, SIZE, NB_CLASS = 80, 128, 128, 10
BATCH_SIZE, NB_BATCH = 32, 20


def tensorflow_logits(params, x):
    import tensorflow as tf
    W, U, b, V, d = params
    x = tf.transpose(x, (1, 0, 2))
    nb_step, batch = tf.shape(x)[0], tf.shape(x)[1]
    inputs = tf.TensorArray(tf.float32, nb_step).unstack(tf.tensordot(x, W, 1) + b)
    matrix = tf.convert_to_tensor(U)

    def body(time, h, c):
        gates, new = tf.split(inputs.read(time) + h @ matrix, [3 * SIZE, SIZE], 1)
        i, f, o = tf.split(tf.sigmoid(gates), 3, 1)
        c = f * c + i * tf.tanh(new)
        return time + 1, o * tf.tanh(c), c
    zeros = tf.zeros((batch, SIZE))
    return tf.while_loop(lambda time, h, c: time < nb_step, body, (0, zeros, zeros))[1] @ V + d


def theano_logits(params, x):
    import theano
    import theano.tensor as T
    W, U, b, V, d = params

    def body(at_step, h, c, matrix):
        z = at_step + T.dot(h, matrix)
        i, f, o = (T.nnet.sigmoid(z[:, gate * SIZE:(gate + 1) * SIZE]) for gate in range(3))
        c = f * c + i * T.tanh(z[:, 3 * SIZE:])
        return o * T.tanh(c), c
    steps = x.dimshuffle(1, 0, 2)
    inputs = T.dot(steps.reshape((-1, DIM)), W).reshape((steps.shape[0], steps.shape[1], -1)) + b
    zeros = T.zeros((x.shape[0], SIZE))
    (outputs, _), _ = theano.scan(body, inputs, [zeros, zeros], [U], strict=True)
    return T.dot(outputs[-1], V) + d


def jax_logits(params, x):
    import jax
    import jax.numpy as jnp
    W, U, b, V, d = params

    def body(state, at_step):
        h, c = state
        gates, new = jnp.split(at_step + h @ U, [3 * SIZE], 1)
        i, f, o = jnp.split(jax.nn.sigmoid(gates), 3, 1)
        c = f * c + i * jnp.tanh(new)
        return (o * jnp.tanh(c), c), None
    zeros = jnp.zeros((len(x), SIZE))
    (h, _), _ = jax.lax.scan(body, (zeros, zeros), jnp.swapaxes(x, 0, 1) @ W + b)
    return h @ V + d


def numpy_logits(params, x):
    W, U, b, V, d = params
    steps = np.ascontiguousarray(x.transpose(1, 0, 2)).reshape(-1, DIM)
    inputs = (steps @ W + b).reshape(NB_STEP, len(x), -1)
    h = c = np.zeros((len(x), SIZE), x.dtype)
    kept = []
    for at_step in inputs:
        z = at_step + h @ U
        gates, new = 1 / (1 + np.exp(-z[:, :3 * SIZE])), np.tanh(z[:, 3 * SIZE:])
        i, f, o = (gates[:, gate * SIZE:(gate + 1) * SIZE] for gate in range(3))
        before, c = (h, c), f * c + i * new
        squashed = np.tanh(c)
        kept.append((before, gates, new, squashed))
        h = o * squashed

    def backward(gradient):
        of_h, of_c, of_z = gradient @ V.T, np.zeros_like(c), np.empty_like(inputs)
        for ((_, c_before), gates, new, squashed), of_step in zip(kept[::-1], of_z[::-1]):
            i, f, o = (gates[:, gate * SIZE:(gate + 1) * SIZE] for gate in range(3))
            of_c = of_c + of_h * o * (1 - squashed * squashed)
            of_step[:, :3 * SIZE] = np.concatenate([of_c * new, of_c * c_before, of_h * squashed], 1) * gates * (1 - gates)
            of_step[:, 3 * SIZE:] = of_c * i * (1 - new * new)
            of_h, of_c = of_step @ U.T, of_c * f
        of_z = of_z.reshape(-1, 4 * SIZE)
        befores = np.concatenate([h_before for (h_before, _), _, _, _ in kept])
        return [steps.T @ of_z, befores.T @ of_z, of_z.sum(0), h.T @ gradient, gradient.sum(0)]
    return h @ V + d, backward


LOGITS = {'tensorflow': tensorflow_logits, 'theano': theano_logits, 'jax': jax_logits, 'numpy': numpy_logits}


def contest(nb_batch=NB_BATCH):
    """Return the model, its data, and the hand-written network, its weights and its own data, as ``compare`` takes them."""
    x, y = random_data(BATCH_SIZE * nb_batch, (NB_STEP, DIM), NB_CLASS)
    layers = [LSTM(SIZE, inner_activation='sigmoid'), Dense(NB_CLASS, activation='softmax')]
    model = Sequential([Input((NB_STEP, DIM)), *layers])
    recurrent, dense = (layer.get_weights() for layer in layers)
    # The loop has the gates concatenated.
    joined = [np.concatenate([recurrent[f'{kind}_{gate}'] for gate in 'ifoc'], -1) for kind in 'WUb']
    return model, x, y, (LOGITS[B.name()], [*joined, dense['W'], dense['b']], x)


def main():
    compare(f'LSTM({SIZE}) on {NB_STEP} steps of {DIM}', *contest(), BATCH_SIZE)


if __name__ == '__main__':
    main()
