"""Reals that meet tensors take their dtype, and integers with reals give floatx: in operators, functions and layers."""
import numpy as np
import pytest

from keraflow import backend as B
from keraflow.errors import ArgumentError
from keraflow.layers import Dense, Dot, Dropout, GaussianDropout, GaussianNoise, Input, Lambda, Layer, SpatialDropout1D
from keraflow.models import Model

FACTORS = np.linspace(0.5, 1., 4)
MEETINGS = [lambda x: x * FACTORS, lambda x: FACTORS * x, lambda x: x + [1., 2., 3., 4.], lambda x: (1., 2., 3., 4.) - x,
            lambda x: np.float64(0.3) * x, lambda x: B.add(x, FACTORS), lambda x: B.where(B.greater(x, 1.), x, FACTORS),
            lambda x: B.clip(x, np.zeros(4), FACTORS), lambda x: B.dot(x, np.eye(4)), lambda x: x @ np.eye(4)]


@pytest.mark.parametrize('number', range(len(MEETINGS)))
def test_reals_that_meet_a_float_take_its_dtype(number):
    x, dense = Input(4), Dense(3)
    inside, outside = Lambda(MEETINGS[number])(x), MEETINGS[number](x)
    model = Model(x, [dense(outside), outside, inside])
    assert {kensor.dtype for kensor in model.outputs} == {'float32'}
    data = np.random.default_rng(1).uniform(1., 2., (2, 4)).astype('float32')
    found = model.predict(data)
    assert {array.dtype.name for array in [*found, *dense.get_weights().values()]} == {'float32'}
    np.testing.assert_array_equal(found[1], found[2])


SCALINGS = [lambda t: t * 0.5, lambda t: t + 0.5, lambda t: 1.5 - t, lambda t: t / 2, lambda t: 3 / t, lambda t: t ** 0.5, lambda t: 2.5 ** t,
            lambda t: t % 0.75, lambda t: t // 0.75, lambda t: t * FACTORS, lambda t: t - [0.5, 1., 1.5, 2.], lambda t: t / t, lambda t: t * (t > 1) * 0.5]


@pytest.mark.parametrize('dtype', ['int32', 'int64'])
@pytest.mark.parametrize('floatx', ['float32', 'float64'])
def test_operators_on_integers_give_floatx(floatx, dtype):
    B.set_floatx(floatx)
    x, data = Input(4, dtype=dtype), np.array([[1, 2, 4, 5]], dtype)
    kensors = [Lambda(function)(x) for function in SCALINGS]
    assert {kensor.dtype for kensor in kensors} == {floatx}
    for function, found in zip(SCALINGS, Model(x, kensors).predict(data)):
        assert found.dtype == floatx
        np.testing.assert_allclose(found, function(data), rtol=1e-6 if floatx == 'float32' else 1e-12)


def test_operators_of_a_layer_that_is_fed_with_tensors():
    class Scaled(Layer):
        def init_param(self, input_shape):
            self.set_trainable_params('scale', np.full(input_shape[1], 0.5))

        def output(self, x):
            return x * self.scale + self.scale * (x > 1)
    found = Scaled()(B.constant(np.array([[1, 2]], 'int32')))
    assert B.dtype(found) == 'float32'
    np.testing.assert_array_equal(B.eval(found), [[0.5, 1.5]])


@pytest.mark.parametrize('kind', [GaussianNoise, GaussianDropout, Dropout, SpatialDropout1D])
def test_noise_on_integers(kind):
    x = Input((3, 40), dtype='int32')
    y = kind(0.5)(x)
    data = np.ones((2, 3, 40), 'int32')
    kept, disturbed = (Model(x, y).predict(data, train_mode=train) for train in (False, True))
    assert {y.dtype, kept.dtype.name, disturbed.dtype.name} == {'float32'}
    np.testing.assert_array_equal(kept, data)
    assert len(np.unique(disturbed)) >= 2 and np.any(disturbed != np.round(disturbed)) == (kind in (GaussianNoise, GaussianDropout))


def test_cosine_of_integers():
    x = Input(3, dtype='int32')
    found = Model(x, Dot(normalize=True)([x, x * 2 - 1])).predict([[1, 2, 4]])
    np.testing.assert_allclose(found, [[35 / np.sqrt(21 * 59)]], rtol=1e-6)
    assert found.dtype == 'float32'


def test_weights_in_an_objective_of_the_program():
    x = Input(4)
    model = Model(x, Dense(4, init='one')(x))
    model.compile('sgd', lambda y_pred, y_true: B.abs(y_pred - y_true) * FACTORS + [0., 0., 0., 1.])
    found = model.evaluate(np.ones((2, 4)), np.zeros((2, 4)))['loss']
    np.testing.assert_allclose(found, 4 * FACTORS.mean() + 0.25, rtol=1e-6)


def test_a_list_of_integers_takes_the_dtype_of_what_it_meets_whatever_that_is():
    tensor, kensor = B.constant([4, 5, 6], 'int32'), Input(3, dtype='int32')
    for function in (lambda x: x + [1, 2, 3], lambda x: [1, 2, 3] * x, lambda x: B.maximum(x, (1, 2, 3)), lambda x: x // [1, 2, 3]):
        made = function(kensor)
        assert made.dtype == Lambda(function)(kensor).dtype == B.dtype(B.no_autograph(function)(tensor)) == 'int32'
    assert (Input(3) + [1, 2, 3]).dtype == 'float32' and (kensor + [1., 2., 3.]).dtype == 'float32'
    assert (Input(3, dtype='int64') + [1, 2, 3]).dtype == 'int64'
    with pytest.raises(ArgumentError) as error:
        kensor + [1, 2, 2 ** 40]
    assert str(error.value) == ('add: expected numbers that int32 can hold, received 1099511627776. Write '
                                "B.cast(..., 'int64') for what it meets.")
