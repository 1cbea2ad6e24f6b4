"""What ``predict`` of one sample costs beyond the network itself, and ``evaluate`` of one, in one thread and in several.

The network itself is a function of the backend's library, written by hand, with the same weights, from a NumPy array to
a NumPy array; the results are checked to agree. Both take turns, and the table shows the shortest of the rounds, which
other programs disturb least. Goal: at most 200 microseconds beyond it. With several threads, each asks for samples of
its own and gets those; the table has the time of all, divided by the number of calls.
"""
import threading
import time

import numpy as np
from _taking_turns import mlp

from keraflow import backend as B
from keraflow.layers import Dense, Input
from keraflow.models import Sequential

SIZES = (64, 64, 64, 10)
NB_CALL, NB_ROUND, NB_THREAD, GOAL = 200, 25, 4, 200


def tensorflow_network(weights):
    import tensorflow as tf
    params = [tf.Variable(it) for it in weights]
    run = tf.function(lambda x: tf.nn.softmax(mlp['tensorflow'](params, x)), autograph=False,
                      input_signature=[tf.TensorSpec((None, SIZES[0]))]).get_concrete_function()
    return lambda x: run(tf.constant(x)).numpy()


def theano_network(weights):
    import theano
    import theano.tensor as T
    params, x = [theano.shared(it) for it in weights], T.fmatrix()
    run, running = theano.function([x], T.nnet.softmax(mlp['theano'](params, x))), threading.Lock()

    def call(x):
        with running:       # it computes in its own storage
            return run(x)
    return call


def jax_network(weights):
    import jax
    import jax.numpy as jnp
    params = [jnp.array(it) for it in weights]
    run = jax.jit(lambda params, x: jax.nn.softmax(mlp['jax'](params, x)))
    return lambda x: np.asarray(run(params, x))


def numpy_network(weights):
    def run(x):
        powers = np.exp(mlp['numpy'](weights, x)[0])
        return powers / powers.sum(-1, keepdims=True)
    return run


NETWORKS = {'tensorflow': tensorflow_network, 'theano': theano_network, 'jax': jax_network, 'numpy': numpy_network}


def microseconds(call):
    """The time of a call, over some of them."""
    start = time.perf_counter()
    for _ in range(NB_CALL):
        call()
    return 1e6 * (time.perf_counter() - start) / NB_CALL


def in_threads(predict, samples, expected):
    """The time of a call if as many threads as there are samples call at once. Raises if one gets what is not its own."""
    wrong = []

    def ask(number):
        for _ in range(NB_CALL):
            found = predict(samples[number])
            if not np.allclose(found, expected[number], rtol=1e-5):
                wrong.append(number)
    threads = [threading.Thread(target=ask, args=[number]) for number in range(len(samples))]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong, wrong
    return 1e6 * (time.perf_counter() - start) / (NB_CALL * len(samples))


def main():
    """Measure and print."""
    model = Sequential([Input(SIZES[0]), *[Dense(size, activation='relu') for size in SIZES[1:-1]],
                        Dense(SIZES[-1], activation='softmax')])
    model.compile('adam', 'categorical_crossentropy')
    by_hand = NETWORKS[B.name()]([np.ascontiguousarray(it) for it in model.get_weights().values()])
    samples = np.random.default_rng(0).standard_normal((NB_THREAD, 1, SIZES[0]), 'float32')
    expected = [by_hand(x) for x in samples]
    np.testing.assert_allclose([model.predict(x) for x in samples], expected, rtol=1e-5)
    x, y = samples[0], np.eye(SIZES[-1], dtype='float32')[:1]
    together = f'{NB_THREAD} threads'
    calls = {('by hand', 'a thread'): lambda: microseconds(lambda: by_hand(x)),
             ('predict', 'a thread'): lambda: microseconds(lambda: model.predict(x)),
             ('evaluate', 'a thread'): lambda: microseconds(lambda: model.evaluate(x, y)),
             ('by hand', together): lambda: in_threads(by_hand, samples, expected),
             ('predict', together): lambda: in_threads(model.predict, samples, expected)}
    times = {what: [] for what in calls}
    for _ in range(NB_ROUND):
        for what, call in calls.items():
            times[what].append(call())
    print(f"One sample of {'-'.join(map(str, SIZES))} on {B.name()}: the shortest of {NB_ROUND} rounds")
    for (name, where), each in times.items():
        beyond = min(each) - min(times['by hand', where])
        print(f'{name:8} in {where:9} {min(each):7.0f} us  {beyond:5.0f} beyond the network'
              + (f'  goal: at most {GOAL}' if name == 'predict' else ''))


if __name__ == '__main__':
    main()
