"""``==`` and ``!=`` compare values, of Kensors and in what keraflow runs, on every backend."""
import operator

import numpy as np
import pytest
from journeys import predictions, reloaded

from keraflow import backend as B
from keraflow.errors import ArgumentTypeError, ShapeError
from keraflow.layers import Dense, Input, Lambda, Layer
from keraflow.models import Model

X = np.array([[0., 1., 2.], [2., 1., 5.]], 'float32')
ARRAY = np.array([0, 1, 5])
COMPARISONS = [
    (lambda x: x == 0, X == 0), (lambda x: x != 1, X != 1), (lambda x: 2. == x, X == 2), (lambda x: ARRAY == x, X == ARRAY),
    (lambda x: np.float64(1) != x, X != 1), (lambda x: x == [0, 1, 5], X == ARRAY), (lambda x: x != x * 2, X != X * 2),
    (lambda x: operator.eq(x, x), np.ones((2, 3), bool)), (lambda x: operator.ne(x, ARRAY), X != ARRAY), (lambda x: (x > 0) == True, X > 0),     # noqa: E712
    (lambda x: B.cast(x, 'int32') == 1.0, X == 1), (lambda x: (x > 0) != (x > 1), X == 1),
]


@pytest.mark.parametrize('compare, expected', COMPARISONS)
def test_of_kensors(compare, expected):
    x = Input(3)
    model = Model(x, x * B.cast(compare(x), 'float32') + 1)
    for one in (model, reloaded(model)):
        np.testing.assert_array_equal(one.predict(X), X * expected + 1)


class Compared(Layer):
    def __init__(self, compare, **kwargs):
        super().__init__(**kwargs)
        self.compare = compare

    def output(self, x):
        return B.where(self.compare(x), x, -7.)


@pytest.mark.parametrize('compare, expected', COMPARISONS)
def test_of_tensors_in_a_layer(compare, expected):
    x = Input(3)
    np.testing.assert_array_equal(predictions(x, Compared(compare)(x), X), np.where(expected, X, -7.))
    np.testing.assert_array_equal(B.eval(Compared(compare)(X)), np.where(expected, X, -7.))


def test_of_tensors_with_variables_and_lengths():
    variable, constant = B.variable(ARRAY.astype('float32')), B.constant([0., 1., 5.])
    x = Input(3)
    for compare in (lambda x: x == variable, lambda x: variable == x, lambda x: constant == x, lambda x: ~(x != constant)):
        np.testing.assert_array_equal(predictions(x, Compared(compare)(x), X), np.where(X == ARRAY, X, -7.))
    found = predictions(x, Compared(lambda x: x == B.shape(x)[1] - 1)(x), X)
    np.testing.assert_array_equal(found, np.where(X == 2, X, -7.))


def counted(y_pred, y_true):
    keep = B.cast(y_true != -1, 'float32')
    return B.sum(keep * B.square(y_pred - y_true), axis=-1)


def test_of_tensors_in_an_objective():
    x, y = np.ones((4, 2), 'float32'), np.array([[-1., 3.], [-1., -1.], [0., 1.], [2., -1.]])
    model = Model(inputs := Input(2), Dense(2, init='one', bias=False)(inputs))
    model.compile('sgd', counted)
    assert model.evaluate(x, y)['loss'] == pytest.approx(np.where(y != -1, (2. - y) ** 2, 0).sum(1).mean())
    model.fit(x, y, nb_epoch=1, verbose=0)


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ShapeError) as caught:
        Lambda(lambda x: B.cast(x == [1, 2], 'float32'))(Input(3, name='x'))
    assert str(caught.value) == 'equal: expected shapes that match, received (None, 3), (2,).'
    with pytest.raises(ShapeError) as caught:
        Input(3) == Input(4)
    assert str(caught.value).endswith("equal({'input': 0}, {'input': 1}) cannot be applied to inputs of shapes (None, 3), (None, 4).")


def test_with_anything_else_it_asks_for_the_same_object():
    seen = []

    def look(x):
        seen.extend([x == None, x != None, x == 'a', x == object(), x == Dense, x == {}, x == ()])      # noqa: E711
        return x * 2
    x = Input(3)
    look(x)
    Lambda(look)(x)
    assert seen == [False, True, False, False, False, False, False] * 2
    layer = Dense(3)
    assert x != layer and not layer == x and operator.eq(layer, layer)


def test_kensors_are_keys_and_parts_by_themselves():
    x, y = Input(3, name='x'), Input(3, name='y')
    z = x + y
    model = Model([x, y], [z, x * 2])
    assert {x: 1, y: 2, z: 3}[y] == 2 and len({x, y, z, x}) == 3 and hash(x) == hash(x)
    assert x in model.inputs and z not in model.inputs and model.inputs.index(y) == 1 and y in model.layers
    with pytest.raises(ValueError):
        model.outputs.index(x)
    assert [kensor.name for kensor in B.split(x, [1, 2], -1)][1].endswith('.1')


def test_a_kensor_has_no_truth():
    x, y = Input(3, name='x'), Input(3)
    for act in (lambda: [x].index(y), lambda: bool(x == 1), lambda: y in [x]):
        with pytest.raises(TypeError, match='has no value yet, so it is neither true nor false'):
            act()


@pytest.mark.parametrize('act', [lambda x: x * 2 if x == 1 else x, lambda x: x if x > 0 else -x, lambda x: x if x else -x,
                                 lambda x: x * float(x in [x + 1]), lambda x: x and x * 2])
def test_a_symbolic_tensor_has_no_truth(act):
    with pytest.raises(ArgumentTypeError) as caught:
        Lambda(act)(Input(3))
    assert str(caught.value) == ('a tensor has no value yet, so it is neither true nor false. Use B.where for values; write '
                                 'x is None, or x is y, to ask for an object.')


def test_a_kensor_is_not_compared_with_a_tensor():
    x, tensor = Input(3), B.constant(1.)
    with pytest.raises(ArgumentTypeError) as caught:
        x == tensor
    assert str(caught.value) == ('expected Kensors, arrays, numbers and lists of them, received a tensor of the backend. Write a '
                                 'NumPy array, a layer such as GaussianNoise for noise, or a Lambda that computes with tensors.')
    with pytest.raises(ArgumentTypeError, match='received <Input .*>, which has no value in this layer, together with a tensor'):
        Lambda(lambda tensor: tensor * B.cast(tensor == x, 'float32'))(x)


def test_a_model_may_hand_on_several_inputs_and_losses_are_asked_for_by_kensors():
    a, b = Input(2), Input(2)
    model = Model([a, b], [a, b])
    assert [it.tolist() for it in model.predict([np.array([[1., 2.]]), np.array([[3., 4.]])])] == [[[1., 2.]], [[3., 4.]]]
    layer = Dense(1, activity_regularizer='l2')
    layer(a)
    layer(b)
    assert len(layer.get_losses_for(b)) == 1
