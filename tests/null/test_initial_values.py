"""Initializations: distributions, fans, and what is no shape."""
from functools import partial

import numpy as np
import pytest

from keraflow import initializations, random, serialize, unserialize
from keraflow.errors import ArgumentError, ArgumentTypeError, ShapeError

NAMES = ['uniform', 'normal', 'lecun_uniform', 'glorot_normal', 'glorot_uniform', 'he_normal', 'he_uniform',
         'orthogonal', 'identity', 'zero', 'one']

DENSE, KERNEL, VECTOR = (200, 300), (20, 30, 5, 7), (40000,)

#: By shape: the variance, and whether the distribution is uniform.
VARIANCES = {
    ('uniform', DENSE): (0.05 ** 2 / 3, True),
    ('normal', DENSE): (0.05 ** 2, False),
    ('lecun_uniform', DENSE): (1 / 200, True),
    ('glorot_uniform', DENSE): (2 / 500, True),
    ('glorot_normal', DENSE): (2 / 500, False),
    ('he_uniform', DENSE): (2 / 200, True),
    ('he_normal', DENSE): (2 / 200, False),
    ('lecun_uniform', KERNEL): (1 / 700, True),
    ('glorot_uniform', KERNEL): (2 / (700 + 1050), True),
    ('glorot_normal', KERNEL): (2 / (700 + 1050), False),
    ('he_uniform', KERNEL): (2 / 700, True),
    ('he_normal', KERNEL): (2 / 700, False),
    ('glorot_normal', VECTOR): (2 / 400, False),
    ('he_uniform', VECTOR): (2 / 200, True),
}


@pytest.fixture(autouse=True)
def drawn_from():
    with random.using(np.random.default_rng(5)):
        yield


@pytest.mark.parametrize('name, shape', VARIANCES)
def test_distribution(name, shape):
    variance, is_uniform = VARIANCES[name, shape]
    values = initializations.get(name)(shape)
    assert values.shape == shape and values.dtype == 'float64'
    deviation = np.sqrt(variance)
    assert abs(values.mean()) < 4 * deviation / np.sqrt(values.size)
    assert abs(values.var() / variance - 1) < 4 * np.sqrt(2 / values.size)
    limit = np.sqrt(3) * deviation
    if is_uniform:
        assert 0.99 * limit < np.abs(values).max() <= limit
    else:
        assert np.mean(np.abs(values) > limit) == pytest.approx(0.0833, abs=0.01)


@pytest.mark.parametrize('shape, fans', [
    ((3, 4), (3, 4)), ((3, 4, 5), (15, 20)), ((3, 4, 5, 2), (30, 40)), ((3, 4, 5, 2, 2), (60, 80)), ((9,), (3., 3.)),
    ((), (1., 1.)), ((2, 2, 2, 2, 2, 2), (8., 8.))])
def test_fans(shape, fans):
    assert initializations.fans(shape) == fans


@pytest.mark.parametrize('name', NAMES)
def test_the_same_seed_gives_the_same_values(name):
    init = initializations.get(name)
    random.seed(3)
    first = init((4, 4))
    more = init((4, 4))
    random.seed(3)
    np.testing.assert_array_equal(first, init([np.int64(4), 4]))
    assert first.dtype == 'float64'
    assert np.array_equal(first, more) == (name in ('identity', 'zero', 'one'))


@pytest.mark.parametrize('shape', [(6, 6), (8, 3), (3, 8), (4, 2, 3), (5, 3, 4, 4), (1, 5), (2, 90, 3, 3), (1, 4, 5, 1)])
def test_orthogonal(shape):
    values = initializations.orthogonal(shape)
    assert values.shape == shape and values.flags.c_contiguous
    flat = np.stack([values[:, kernel].ravel() for kernel in range(shape[1])], axis=1)
    product = flat.T @ flat if flat.shape[0] >= flat.shape[1] else flat @ flat.T
    np.testing.assert_allclose(product, 1.1 ** 2 * np.eye(min(flat.shape)), atol=1e-12)


def test_orthogonal_matrices_have_no_preferred_direction():
    drawn = np.array([initializations.orthogonal((3, 3), scale=1.) for _ in range(2000)])
    np.testing.assert_allclose(drawn.mean(0), np.zeros((3, 3)), atol=0.06)
    np.testing.assert_allclose(np.square(drawn).mean(0), np.full((3, 3), 1 / 3), atol=0.03)
    assert np.mean(np.linalg.det(drawn) > 0) == pytest.approx(0.5, abs=0.05)


def test_fixed_values():
    np.testing.assert_array_equal(initializations.identity((3, 3)), np.eye(3))
    np.testing.assert_array_equal(initializations.identity((2, 2), scale=-2), [[-2, 0], [0, -2]])
    np.testing.assert_array_equal(initializations.zero((2, 3)), np.zeros((2, 3)))
    np.testing.assert_array_equal(initializations.one((2, 3)), np.ones((2, 3)))


def test_arguments():
    assert 0.9 < np.abs(initializations.get(partial(initializations.uniform, scale=1.))((1000,))).max() <= 1.
    rebuilt = unserialize(serialize(partial(initializations.normal, scale=0.2)))
    assert rebuilt.func is initializations.normal and rebuilt.keywords == {'scale': 0.2}
    with pytest.raises(TypeError):
        initializations.normal((2,), name='W')


EXPECTED = 'expected a shape, a tuple of integers such as (64, 10), received'


@pytest.mark.parametrize('shape, kind, text', [
    ((3., 4), ArgumentTypeError, f'{EXPECTED} (3.0, 4). Write int(3.0) or use // instead of /.'),
    ((4, np.float32(2.5)), ArgumentTypeError,
     f'{EXPECTED} {(4, np.float32(2.5))!r}. Write int(2.5) or use // instead of /.'),
    ((None, 4), ArgumentTypeError,
     f'{EXPECTED} (None, 4). The shape of a parameter must be fully known.'),
    ((True, 4), ArgumentTypeError, f'{EXPECTED} (True, 4).'),
    (('3', 4), ArgumentTypeError, f"{EXPECTED} ('3', 4)."),
    (5, ArgumentTypeError, f'{EXPECTED} 5. Write (5,).'),
    ('ab', ArgumentTypeError, f"{EXPECTED} 'ab'."),
    ((4, 0), ArgumentError, f'{EXPECTED} (4, 0). Every length is at least 1.'),
    ((-1, 4), ArgumentError, f'{EXPECTED} (-1, 4). Every length is at least 1.'),
])
@pytest.mark.parametrize('name', NAMES)
def test_what_is_no_shape(name, shape, kind, text):
    with pytest.raises(kind) as caught:
        initializations.get(name)(shape)
    assert str(caught.value) == f'{name}: {text}'


def test_shapes_that_do_not_fit():
    with pytest.raises(ShapeError) as caught:
        initializations.orthogonal((5,))
    assert str(caught.value) == ('orthogonal: expected a shape of at least 2 axes, received (5,). '
                                 "Use 'normal' for a vector.")
    for shape in [(3, 4), (3,), (3, 3, 3)]:
        with pytest.raises(ShapeError) as caught:
            initializations.identity(shape)
        assert str(caught.value) == (f'identity: expected the shape of a square matrix (n, n), received {shape}. '
                                     "Use 'orthogonal' for others.")


@pytest.mark.parametrize('name', ['uniform', 'normal'])
def test_a_scale_is_a_number_of_at_least_0(name):
    function = getattr(initializations, name)
    for scale, kind, received in (('x', ArgumentTypeError, "'x'"), (-1., ArgumentError, '-1.0')):
        with pytest.raises(kind) as error:
            function((2, 3), scale=scale)
        assert str(error.value) == f'{name}: scale: expected a number of at least 0, received {received}.'
