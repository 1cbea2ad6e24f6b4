"""Time a train step of a large Embedding through ``fit``, against a hand-written loop for the same backend.

Both train a table of 100,000 rows of 64 with SGD on batches of 32 times 20 random indices, and a softmax layer of 10 on
the concatenated rows, like ``train_step.py`` with vectors. The loop, too, only changes the rows that are looked up.
Updating the whole table takes turns, for information. Goal: at most 1.10 times the loop.
"""
import numpy as np
from _taking_turns import random_data, take_turns, trainer

from keraflow import backend as B
from keraflow.layers import Dense, Embedding, Flatten, Input
from keraflow.models import Sequential
from keraflow.optimizers import SGD

NB_ROW, DIM, NB_INDEX, NB_CLASS = 100_000, 64, 20, 10
BATCH_SIZE, NB_BATCH, NB_EPOCH, NB_ROUND = 32, 50, 2, 9
LR = 0.01


class WholeTableSGD(SGD):
    """SGD that updates every row in each step, as a rule of the program does that does not say that it skips zeros."""

    def updates(self, variables, gradients):
        return super().updates(variables, gradients)


def tensorflow_step(weights):
    import tensorflow as tf
    table, W, b = params = [tf.Variable(it) for it in weights]

    @tf.function(autograph=False, input_signature=[tf.TensorSpec((None, NB_INDEX), tf.int32), tf.TensorSpec((None, NB_CLASS))])
    def step(x, y):
        with tf.GradientTape() as tape:
            logits = tf.reshape(tf.gather(table, x), (-1, NB_INDEX * DIM)) @ W + b
            loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(y, logits))
        slices, *gradients = tape.gradient(loss, params)
        table.scatter_sub(tf.IndexedSlices(LR * slices.values, slices.indices))
        for p, g in zip((W, b), gradients):
            p.assign_sub(LR * g)
        return loss

    return lambda x, y: step(tf.constant(x), tf.constant(y))


def theano_step(weights):
    import theano
    import theano.tensor as T
    table, W, b = (theano.shared(it) for it in weights)
    x, y = T.imatrix(), T.fmatrix()
    rows = table[x.flatten()]
    logits = T.dot(rows.reshape((x.shape[0], NB_INDEX * DIM)), W) + b
    loss = T.nnet.categorical_crossentropy(T.nnet.softmax(logits), y).mean()
    of_rows, *gradients = T.grad(loss, [rows, W, b])
    rate = np.float32(LR)
    return theano.function([x, y], loss, updates=[(table, T.inc_subtensor(rows, -rate * of_rows)),
                                                  *((p, p - rate * g) for p, g in zip((W, b), gradients))])


def jax_step(weights):
    import jax
    import jax.numpy as jnp

    def loss_of(rows, W, b, y):
        logits = rows.reshape(-1, NB_INDEX * DIM) @ W + b
        return -jnp.mean(jnp.sum(y * jax.nn.log_softmax(logits), -1))

    def new_params(params, x, y):
        table, W, b = params
        loss, (of_rows, of_W, of_b) = jax.value_and_grad(loss_of, (0, 1, 2))(table[x], W, b, y)
        return (table.at[x].add(-LR * of_rows), W - LR * of_W, b - LR * of_b), loss
    run, params = jax.jit(new_params, donate_argnums=0), tuple(jnp.array(it) for it in weights)

    def step(x, y):
        nonlocal params
        params, loss = run(params, x, y)
        return loss
    return step


def numpy_step(weights):
    table, W, b = (it.copy() for it in weights)

    def step(x, y):
        rows = table[x].reshape(len(x), -1)
        logits = rows @ W + b
        logits -= logits.max(1, keepdims=True)
        powers = np.exp(logits)
        sums = powers.sum(1, keepdims=True)
        loss = -np.sum(y * (logits - np.log(sums))) / len(y)
        gradient = (powers / sums - y) / len(y)
        of_rows = (gradient @ W.T).reshape(-1, DIM)
        order = np.argsort(x, None)
        found, starts = np.unique(x.ravel()[order], return_index=True)
        table[found] -= LR * np.add.reduceat(of_rows[order], starts)
        for p, g in ((W, rows.T @ gradient), (b, gradient.sum(0))):
            p -= LR * g
        return loss
    return step


STEP = {'tensorflow': tensorflow_step, 'theano': theano_step, 'jax': jax_step, 'numpy': numpy_step}


def compiled(optimizer, weights=None):
    model = Sequential([Input(NB_INDEX, dtype='int32'), Embedding(NB_ROW, DIM), Flatten(), Dense(NB_CLASS, activation='softmax')])
    if weights is not None:
        model.set_weights(weights)
    model.compile(optimizer, 'categorical_crossentropy')
    return model


def main():
    _, y = random_data(BATCH_SIZE * NB_BATCH, (), NB_CLASS)
    x = np.random.default_rng(1).integers(NB_ROW, size=(len(y), NB_INDEX), dtype='int32')
    model = compiled(SGD(LR))
    step = STEP[B.name()](list(model.get_weights().values()))
    fit, whole = (trainer(one, x, y, BATCH_SIZE, NB_EPOCH) for one in (model, compiled(WholeTableSGD(LR), model.get_weights())))
    take_turns(f'a table of {NB_ROW} rows of {DIM}, SGD', fit, step, x, y, BATCH_SIZE, NB_EPOCH, NB_ROUND, [('whole table', whole)])


if __name__ == '__main__':
    main()
