"""The training that ``lstm.py`` compares with: an LSTM, a softmax layer and Adam, written by hand for each backend.

``make_step(weights)`` gives a function from a batch to its loss that also changes the weights by one step of Adam. The
weights are the arrays ``W, U, b`` of the LSTM, the gates i, f, o and c beside each other, and ``W, b`` of the layer
that its last output is fed to.
"""
import numpy as np

LR, BETA_1, BETA_2, EPSILON = 1e-5, 0.9, 0.999, 1e-8


def tensorflow_step(weights):
    import tensorflow as tf
    params = [tf.Variable(it) for it in weights]
    means = [tf.Variable(tf.zeros_like(it)) for it in params]
    squares = [tf.Variable(tf.zeros_like(it)) for it in params]
    t = tf.Variable(0.)
    W, U, b, V, d = params
    size = len(weights[1])

    def last_output(x):
        x = tf.transpose(x, (1, 0, 2))
        nb_step, batch = tf.shape(x)[0], tf.shape(x)[1]
        inputs = tf.TensorArray(tf.float32, nb_step).unstack(tf.tensordot(x, W, 1) + b)
        matrix = tf.convert_to_tensor(U)

        def body(time, h, c):
            gates, new = tf.split(inputs.read(time) + h @ matrix, [3 * size, size], 1)
            i, f, o = tf.split(tf.sigmoid(gates), 3, 1)
            c = f * c + i * tf.tanh(new)
            return time + 1, o * tf.tanh(c), c
        zeros = tf.zeros((batch, size))
        return tf.while_loop(lambda time, h, c: time < nb_step, body, (0, zeros, zeros))[1]

    @tf.function(autograph=False, input_signature=[tf.TensorSpec((None, None, len(weights[0]))), tf.TensorSpec((None, len(weights[-1])))])
    def step(x, y):
        with tf.GradientTape() as tape:
            logits = last_output(x) @ V + d
            loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(y, logits))
        gradients = tape.gradient(loss, params)
        t.assign_add(1.)
        lr = LR * tf.sqrt(1 - BETA_2 ** t) / (1 - BETA_1 ** t)
        for p, g, m, v in zip(params, gradients, means, squares):
            m.assign(BETA_1 * m + (1 - BETA_1) * g)
            v.assign(BETA_2 * v + (1 - BETA_2) * tf.square(g))
            p.assign_sub(lr * m / (tf.sqrt(v) + EPSILON))
        return loss

    return lambda x, y: step(tf.constant(x), tf.constant(y))


def theano_step(weights):
    import theano
    import theano.tensor as T
    params = [theano.shared(it) for it in weights]
    means = [theano.shared(np.zeros_like(it)) for it in weights]
    squares = [theano.shared(np.zeros_like(it)) for it in weights]
    t = theano.shared(np.float32(0))
    W, U, b, V, d = params
    size = len(weights[1])
    x, y = T.ftensor3(), T.fmatrix()

    def body(at_step, h, c, matrix):
        z = at_step + T.dot(h, matrix)
        i, f, o = (T.nnet.sigmoid(z[:, gate * size:(gate + 1) * size]) for gate in range(3))
        c = f * c + i * T.tanh(z[:, 3 * size:])
        return o * T.tanh(c), c
    steps = x.dimshuffle(1, 0, 2)
    inputs = T.dot(steps.reshape((-1, len(weights[0]))), W).reshape((steps.shape[0], steps.shape[1], -1)) + b
    zeros = T.zeros((x.shape[0], size))
    (outputs, _), _ = theano.scan(body, inputs, [zeros, zeros], [U], strict=True)
    predicted = T.nnet.softmax(T.dot(outputs[-1], V) + d)
    loss = T.nnet.categorical_crossentropy(predicted, y).mean()
    lr = LR * T.sqrt(1 - BETA_2 ** (t + 1)) / (1 - BETA_1 ** (t + 1))
    updates = [(t, t + 1)]
    for p, g, m, v in zip(params, T.grad(loss, params), means, squares):
        new_m, new_v = BETA_1 * m + (1 - BETA_1) * g, BETA_2 * v + (1 - BETA_2) * T.sqr(g)
        updates += [(m, new_m), (v, new_v), (p, p - lr * new_m / (T.sqrt(new_v) + EPSILON))]
    return theano.function([x, y], loss, updates=[(old, T.cast(new, 'float32')) for old, new in updates])


make_step = {'tensorflow': tensorflow_step, 'theano': theano_step}
