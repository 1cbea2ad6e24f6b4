"""The laws of plugins: random numbers."""
from typing import Any

import numpy as np

from keraflow import random
from keraflow.backend import philox
from keraflow.backend.contract import TensorSpec
from keraflow.backend.draws import NB_RUN
from keraflow.testing.expectations import expect
from keraflow.testing.numerics import assert_close

__all__ = ['RANDOM_LAWS']

MANY = 20000    # draws: means are within 0.02 of their expectation, by five standard deviations


def _draws(backend: Any) -> None:
    """Random numbers have the right distribution, shape and dtype."""
    def draw(x: Any) -> list:
        n = backend.shape(x)[0]
        return [backend.random_uniform((n,), -1., 3.), backend.random_normal((n, 1), 2., 0.5),
                backend.random_bernoulli((n,), 0.3),
                backend.random_uniform((2, 3), dtype='float64'), backend.random_normal((3,), dtype='float64'),
                backend.random_bernoulli((2,), 0.5, 'int32'), backend.random_normal(backend.shape(x), dtype='float64')]
    run = backend.compile(lambda x: (draw(x), []), [TensorSpec((None,), 'float32')])
    uniform, normal, hits, *typed = [np.array(it) for it in run(np.zeros(MANY, 'float32'))]
    expect([it.dtype.name for it in (uniform, normal, hits)] == [backend.floatx()] * 3, backend.floatx(),
           uniform.dtype.name)
    wanted = [('float64', (2, 3)), ('float64', (3,)), ('int32', (2,)), ('float64', (MANY,))]
    found = [(it.dtype.name, it.shape) for it in typed]
    expect(found == wanted, f'the dtypes and shapes {wanted}', found)
    expect(normal.shape == (MANY, 1), (MANY, 1), normal.shape)
    expect(uniform.min() >= -1. and uniform.max() < 3., 'numbers in [-1, 3)', f'{uniform.min()} to {uniform.max()}')
    expect(set(np.unique(hits)) == {0., 1.}, 'zeros and ones', np.unique(hits))
    for what, received, expected in (('mean of uniform', uniform.mean(), 1.),
                                     ('deviation of uniform', uniform.std(), 4 / np.sqrt(12)),
                                     ('mean of normal', normal.mean(), 2.), ('deviation of normal', normal.std(), 0.5),
                                     ('share of ones', hits.mean(), 0.3)):
        assert_close(what, received, expected, 0.05)
    neighbours = np.corrcoef(uniform[1:], uniform[:-1])[0, 1]
    expect(abs(neighbours) < 0.05, 'independent numbers', f'a correlation of {neighbours:.3f}')


def _is_seeded(backend: Any) -> None:
    """The same seed gives the same numbers, even to compiled functions; each run and each draw gives others."""
    run = backend.compile(lambda: ([backend.random_uniform((50,)), backend.random_uniform((50,)),
                                    backend.random_normal((50,))], []), [])
    backend.seed(3)
    first, second = [[np.array(it) for it in run()] for _ in range(2)]
    backend.seed(3)
    again = [np.array(it) for it in run()]
    backend.seed(4)
    other = [np.array(it) for it in run()]
    for one, same in zip(first, again):
        assert_close('the same seed', same, one, 0)
    for what, pair in (('the next run', (first[0], second[0])), ('another draw', (first[0], first[1])),
                       ('another seed', (first[0], other[0]))):
        expect(not np.any(pair[0] == pair[1]), f'other numbers from {what}', 'some that are equal')


def _drops(backend: Any) -> None:
    """Dropout preserves the mean, scales what it keeps, and passes the gradient only to that."""
    variable = backend.variable(np.full((MANY // 20, 20), 3.), 'float64')

    def builder() -> tuple:
        def loss_fn() -> tuple:
            dropped = backend.dropout(variable, 0.25)
            return backend.sum(dropped), [dropped, backend.dropout(variable, 0.25),
                                          backend.dropout(variable, 0.5, (backend.shape(variable)[0], 1))]
        _, outputs, gradients = backend.value_and_gradients(loss_fn, [variable])
        return [*outputs, *gradients], []
    dropped, other, rows, gradient = [np.array(it) for it in backend.compile(builder, [])()]
    expect(dropped.dtype == 'float64', 'float64', dropped.dtype)
    kept = dropped != 0
    assert_close('what is kept', dropped[kept], np.full(kept.sum(), 4.), 1e-6)
    assert_close('share of what is kept', kept.mean(), 0.75, 0.02)
    assert_close('gradient', gradient, np.where(kept, 1 / 0.75, 0.), 1e-6)
    expect(bool(np.any(dropped != other)), 'another mask for each call', 'the same')
    expect(bool(np.all((rows == rows[:, :1])) and 0.3 < (rows == 0).mean() < 0.7),
           'one number for each row from noise_shape', 'others')


def _has_streams(backend: Any) -> None:
    """A function draws from the stream it was built for, which nothing else advances and which can resume anywhere."""
    own = backend.current_stream()
    streams = [random.Stream(is_counted=False) for _ in range(2)]
    runs = [backend.compile(lambda: ([backend.random_uniform((50,)), backend.dropout(backend.ones((50,)), 0.5)], []),
                            []) for _ in streams]
    for stream, run in zip(streams, runs):
        with random.drawing(stream):
            run.build()
            expect(backend.current_stream() is not own, "the model's stream while it is built", "the backend's own")
        stream.begin(5, 2)
    first, second, *others = [[np.array(it) for it in run()] for run in (runs[0], runs[0], *runs[1:])]
    assert_close('another stream that began in the same way', others[0], first, 0)
    streams[0].begin(5, 2)
    again = np.array(runs[0]()[0])
    position = streams[0].position
    backend.seed(3)
    runs[1]()
    assert_close('the first run, begun anew', again, first[0], 0)
    assert_close('the second run, after others have drawn', runs[0](), second, 0)
    streams[1].begin(5, 2, position=position)
    assert_close('the second run, from where another one was', runs[1](), second, 0)
    streams[1].begin(5, 3)
    expect(not np.any(np.array(runs[1]()[0]) == first[0]), 'other numbers for another model', 'some that are equal')
    kept = backend.new_stream()
    kept.begin(2 ** 63 - 1, 7)
    expect(kept.position == 7, 'the position 7', kept.position)


def _draws_by_philox(backend: Any) -> None:
    """Numbers are those of ``keraflow.backend.philox`` for the key, the run and the place in the function."""
    key, shape, count = 2 ** 62 + 3, (3, 5, 7), 105
    made = [lambda: backend.random_uniform(shape, dtype='float32'),
            lambda: backend.random_uniform(shape, dtype='float64'),
            lambda: backend.random_bernoulli(shape, 0.3, 'int32'), lambda: backend.dropout(backend.ones(shape), 0.75),
            lambda: backend.random_normal(shape, dtype='float64'),
            lambda: backend.random_normal(shape, dtype='float32'),
            lambda: backend.random_bernoulli(shape, 0.), lambda: backend.random_bernoulli(shape, 1.),
            lambda: backend.random_uniform(()), lambda: backend.random_normal((0, 2))]
    run = backend.compile(lambda: ([one() for one in made], []), [])
    backend.seed(key)
    for number in range(2):
        starts = [[key, 0, number + place * NB_RUN] for place in range(len(made))]
        expected = [philox.reals(starts[0], count, 'float32'), philox.reals(starts[1], count, 'float64'),
                    philox.hits(starts[2], count, round(0.3 * 2 ** 32)), philox.hits(starts[3], count, 2 ** 30) * 4.,
                    philox.normals(starts[4], count, 'float64'), philox.normals(starts[5], count, 'float32'),
                    np.zeros(count), np.ones(count), philox.reals(starts[8], 1, backend.floatx())]
        for place, (received, wanted) in enumerate(zip(run(), expected)):
            # Libraries round logarithms, sines and cosines differently.
            tolerance = {4: 1e-13, 5: 1e-6}.get(place, 0)
            assert_close(f'draw {place} of run {number}', np.ravel(received), wanted, tolerance)


def _draws_in_loops(backend: Any) -> None:
    """Each time step draws other numbers: the rows of a draw for all of them; unrolled as in a loop."""
    def step(slices: list, states: list, constants: list) -> list:
        return [backend.add(slices[0], backend.random_uniform((3,), dtype='float64'))]

    def builder(x: Any) -> tuple:
        return [backend.scan(step, [x], [backend.zeros((3,), 'float64')], unroll=unroll)[0]], []
    for unroll in (False, True):
        run = backend.compile(builder, [TensorSpec((4 if unroll else None, 3), 'float64')])
        backend.seed(5)
        for number in range(2):
            [received] = run(np.zeros((4, 3)))
            wanted = [philox.reals([5, 2 * time, number], 3, 'float64') for time in range(4)]
            assert_close(f'the time steps of run {number}', received, wanted, 0)


RANDOM_LAWS = (_draws, _is_seeded, _drops, _has_streams, _draws_by_philox, _draws_in_loops)
