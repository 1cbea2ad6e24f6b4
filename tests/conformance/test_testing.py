"""The checks fail where they should: for each law something that breaks it, and nothing else before it."""
import functools

import numpy as np
import pytest

from keraflow import backend as B
from keraflow import random
from keraflow.backend.contract import Backend, Rows
from keraflow.errors import ArgumentError
from keraflow.layers import Dense, Layer, MultiInputLayer, ParameterSpec
from keraflow.testing import BACKEND_LAWS, LAYER_LAWS, assert_close
from keraflow.testing import backends as backend_checks
from keraflow.testing import check_backend, check_layer, using_floatx
from keraflow.testing.cases import CASES
from keraflow.testing.operations import Evaluation

# -- layers that break a law ------------------------------------------------------------------------------------------


class WrongStaticShape(Layer):
    """Says a length that only the data contradict."""

    def output_shape(self, input_shape):
        return (input_shape[0], 7)


class WrongShape(Layer):
    def output_shape(self, input_shape):
        return (input_shape[0], 7)


class NothingReturned(Layer):
    def output(self, x):
        x * 2


class OneForBatchesOfOne(Layer):
    def output_shape(self, input_shape):
        return input_shape[1:] if input_shape[0] == 1 else input_shape

    def output(self, x):
        return x[0] if self.get_tensor_shape(x)[0] == 1 else x * 1


class SaysOtherParameters(Layer):
    """Makes another parameter than it says."""

    def param_specs(self, input_shape):
        return {'W': ParameterSpec((input_shape[1], 2))}

    def init_param(self, input_shape):
        self.set_trainable_params('W', np.ones(3))

    def output(self, x):
        return x * self.W


class NewVariables(Layer):
    def output(self, x):
        return x + B.variable(np.zeros(3))


class NewParameters(Layer):
    runs = 0

    def output(self, x):
        self.runs += 1
        with B.outside_graph():
            self.set_trainable_params(f'W{self.runs}', np.ones(3))
        return x * getattr(self, f'W{self.runs}')


class NeverFrozen(Layer):
    def init_param(self, input_shape):
        self.set_trainable_params('W', np.ones(3))

    def output(self, x):
        return x * self.W

    def parameters(self, trainable=True, prefix=''):
        return (one._replace(trainable=True) for one in super().parameters(trainable, prefix))


class DoublesWeights(Layer):
    def init_param(self, input_shape):
        self.set_trainable_params('W', np.ones(3))

    def output(self, x):
        return x * self.W

    def get_weights(self):
        return {name: 2 * array for name, array in super().get_weights().items()}


class TakesAnyWeights(DoublesWeights):
    def get_weights(self):
        return Layer.get_weights(self)

    def set_weights(self, weights):
        super().set_weights({'W': weights['W']} if isinstance(weights, dict) and np.shape(weights.get('W')) == (3,) else
                            weights[:1] if isinstance(weights, list) else {})


class LosesAnArgument(Layer):
    def __init__(self, factor: float = 1., **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def output(self, x):
        return x * self.factor

    def pack_init_param(self):
        return {}


class LosesADimension(LosesAnArgument):
    def init_param(self, input_shape):
        self.set_trainable_params('W', np.ones(int(self.factor)))

    def output(self, x):
        return x * B.sum(self.W)


class HasAChangingArgument(LosesAnArgument):
    def pack_init_param(self):
        return {'factor': self.factor + 1}


class RefusesAHost(Layer):
    """Another layer in each run, so that a host finds another one in its slot."""

    made = 0

    def __init__(self, number: int = 0, **kwargs):
        super().__init__(**kwargs)
        self.number = number

    def output(self, x):
        return x * 2


def with_another_number():
    RefusesAHost.made += 1
    return RefusesAHost(RefusesAHost.made)


class Noisy(Layer):
    def output(self, x):
        return x + B.random_normal(B.shape(x))


class Float32(Layer):
    def output(self, x):
        return B.cast(x, 'float32')


class Float32Inside(Layer):
    def output(self, x):
        return B.cast(B.cast(B.sin(x), 'float32'), B.dtype(x))


class Float32Parameter(Layer):
    def init_param(self, input_shape):
        self.set_trainable_params('W', B.variable(np.ones(3), 'float32'))

    def output(self, x):
        return x * B.cast(self.W, B.dtype(x))


class StopsGradient(Layer):
    def output(self, x):
        return B.stop_gradient(x) * x


class StopsGradientOfParameter(Layer):
    def init_param(self, input_shape):
        self.set_trainable_params('W', np.ones(input_shape[1]), 'V', np.ones(input_shape[1]))

    def output(self, x):
        return B.square(x * self.W) * B.stop_gradient(self.V)


class KnowsTheBatch(Layer):
    """Computes otherwise where the length of the batch is known."""

    def output(self, x):
        return x * (1. if self.get_tensor_shape(x)[0] is None else 2.)


class OtherInTraining(Layer):
    def output(self, x):
        return B.in_train_phase(lambda: x * 1., lambda: B.concatenate([x, x], 0))


class NewParametersForEachCall(Layer):
    """Makes parameters where it is called, which nothing hears of but the list of them."""

    def init_param(self, input_shape):
        self.set_trainable_params('W', np.ones(input_shape[1]))

    def output(self, x):
        return x * self.W

    def __call__(self, inputs):
        if self.built:
            self.set_trainable_params(f'W{len(self.variables)}', np.ones(3))
        return super().__call__(inputs)


class Right(MultiInputLayer):
    """Two inputs, two outputs, a state: no law is broken."""

    def init_param(self, input_shape):
        self.set_trainable_params('W', np.ones(input_shape[0][1]))
        self.set_state_params('mean', np.zeros(()))

    def check_input_shape(self, input_shape):
        pass

    def output(self, x):
        self.add_update(self.mean, B.mean(x[0]))
        return [x[0] * self.W + self.mean, B.argmax(x[1], -1)]

    def output_shape(self, input_shape):
        return [input_shape[0], input_shape[1][:-1]]


BROKEN = [
    (NothingReturned, 'called on Kensors', 'output() returned None'),
    (WrongShape, 'called on Kensors', r'output_shape() says (None, 7), but output() gives (None, 3)'),
    (OneForBatchesOfOne, 'called on Kensors', 'expected shape (None, 3) also for batches of 1, received (3,).'),
    (NewVariables, 'running again makes no variables', 'expected no variables made by output(), received 2; make them in init_param()'),
    (NewParameters, 'called on Kensors it returns Kensors', "output() makes the parameter 'W2', which its first run did not make."),
    (NewParametersForEachCall, 'called twice it has one set of parameters', "expected the parameters ['W'], received ['W', 'W1', 'W2', 'W3']."),
    (NeverFrozen, 'with trainable=False no parameter is trainable', 'expected none, received W.'),
    (SaysOtherParameters, 'shapes said before it is built are real', "expected the parameters {'W': (3, 2)}, received {'W': (3,)}"),
    (DoublesWeights, 'weights can be set and read back', ''),
    (TakesAnyWeights, 'weights can be set and read back', 'expected ArgumentError for a name that does not exist, received none.'),
    (functools.partial(LosesAnArgument, 2.), 'rebuilt from a file', 'the output of the layer from JSON: expected'),
    (functools.partial(LosesADimension, 3.), 'serialized and rebuilt', ''),
    (functools.partial(HasAChangingArgument, 2.), 'serialized and rebuilt', 'expected equal data when what JSON gave is serialized again'),
    (with_another_number, 'embedded in a host', 'slot 0 holds RefusesAHost'),
    (OtherInTraining, 'the static shape and the dtype', 'expected shape (3, 3) for a batch of 3 (test phase), received (6, 3).'),
    (Noisy, 'in the test phase the same inputs', 'a second run: expected'),
    (KnowsTheBatch, 'a batch of statically known length', 'with a static batch: expected'),
    (Float32, 'made and called in float64', 'expected a float64 output, received float32.'),
    (Float32Parameter, 'made and called in float64', 'expected the parameter W in float64, received float32.'),
    (Float32Inside, 'gradients are', 'input 0[0, 0]: expected'),
    (StopsGradient, 'gradients are', 'input 0[0, 0]: expected'),
    (StopsGradientOfParameter, 'gradients are', 'parameter V[0]: expected'),
]


@pytest.mark.parametrize('make, law, text', BROKEN, ids=lambda it: getattr(it, '__name__', None))
def test_broken_layer(make, law, text):
    custom = [cls for cls in (RefusesAHost,) if make is with_another_number]
    with pytest.raises(AssertionError) as caught:
        check_layer(make, 3, custom_objects=custom)
    assert f"law '{law}" in str(caught.value) and text in str(caught.value), str(caught.value)


def test_wrong_static_shape():
    with pytest.raises(AssertionError) as caught:
        check_layer(WrongStaticShape, (None,))
    assert "law 'the static shape and the dtype are those of the data'" in str(caught.value)
    assert str(caught.value).endswith('expected shape (None, 7) for a batch of 3 (test phase), received (3, 5).')


def test_no_law_is_left_out():
    for law in LAYER_LAWS:
        words = law.__doc__[:1].lower() + law.__doc__[1:]
        assert any(words.startswith(start) for _, start, _ in BROKEN), words


def test_right_layer():
    check_layer(Right, [3, (2, 4)], weights={'mean': np.array(0.5)},
                reference=lambda weights, x, y: [x * weights['W'] + weights['mean'], np.argmax(y, -1)])


def test_wrong_reference():
    for reference, text in ((lambda weights, x: x + 1e-9, 'output in float64: expected'), (lambda weights, x: [x, x], 'expected 2 output(s)'),
                            (lambda weights, x: x if x.dtype == 'float64' and not np.array_equal(x, x.astype('float32')) else x + 1e-3,
                             'output in float32: expected'),
                            (lambda weights, x: x[:1], 'expected shape (1, 3), received (3, 3).')):
        with pytest.raises(AssertionError, match='law .the output equals that of the reference in NumPy') as caught:
            check_layer(Identity, 3, reference=reference)
        assert text in str(caught.value)


class Identity(Layer):
    pass


def test_instance_and_factory():
    check_layer(Dense(2, name='one'), 3)
    check_layer(functools.partial(Dense, 2), 3, batch_sizes=(2, 4), nb_probe=1, rtol=1e-9, seed=3,
                reference=lambda weights, x: x @ weights['W'] + weights['b'])


def test_arguments_that_are_refused():
    with pytest.raises(ArgumentError) as caught:
        check_layer(lambda: 3, 3)
    assert str(caught.value) == 'check_layer: layer: expected a layer or a function that makes one, received 3.'
    with pytest.raises(ArgumentError) as caught:
        check_layer(Identity, [3, 3], dtype=['float32'])
    assert str(caught.value) == 'check_layer: dtype: expected one for each of 2 input(s), received 1.'


def test_nothing_is_left_behind():
    B.seed(1)
    expected = np.random.default_rng(1).normal(size=3)
    check_layer(lambda: Dense(2), 3)
    with pytest.raises(AssertionError):
        check_layer(NewVariables, 3)
    assert B.floatx() == 'float32' and 'variable' not in vars(B.current())
    np.testing.assert_array_equal(random.generator().normal(size=3), expected)


# -- plugins that break a law -----------------------------------------------------------------------------------------

def plugin(**methods):
    """The current backend with other methods."""
    base = B.current()
    made = type('Plugin', (type(base),), methods).__new__(type('Plugin', (type(base),), methods))
    vars(made).update(vars(base))
    return made


def square_in_float64(self, x):
    return self.cast(self.multiply(x, x), 'float64')


WRONG_OPERATIONS = [
    ('square', lambda self, x: self.multiply(self.multiply(x, x), 1.001), 'expected'),
    ('square', square_in_float64, 'expected dtype float32, received float64'),
    ('square', lambda self, x: self.multiply(x, self.stop_gradient(x)), 'gradient of square(x) in float64'),
    ('square', lambda self, x: 1 / 0, 'received ZeroDivisionError'),
]


@pytest.mark.parametrize('name, method, text', WRONG_OPERATIONS, ids=range(len(WRONG_OPERATIONS)))
def test_wrong_operation(name, method, text):
    cases = [case for case in CASES if case.operation in ('square', 'negative')]
    evaluation = Evaluation(plugin(**{name: method}), cases)
    for number, case in enumerate(cases):
        if case.operation == name:
            with pytest.raises(AssertionError) as caught:
                evaluation.check(number)
            assert text in str(caught.value)
        else:
            evaluation.check(number)


def constant_dropout(self, x, rate, noise_shape=None):
    return self.multiply(x, 1.)


def one_row_alone(self, loss_fn, variables, by_rows):
    loss, aux, gradients = self.value_and_gradients(loss_fn, variables)
    one = self.constant([1], 'int64')
    return loss, aux, [Rows(one, self.gather(gradient, one)) if yes else gradient for gradient, yes in zip(gradients, by_rows)]


WRONG_PLUGINS = [
    ('_has_all_methods', {'sin': Backend.sin}, 'expected an implementation of every method, received none of sin.'),
    ('_has_the_same_arguments', {'sin': lambda self, y: y}, 'sin'),
    ('_has_nothing_else', {'extra': lambda self: None}, 'expected no other public attributes, received extra.'),
    ('_drops', {'dropout': constant_dropout}, 'what is kept'),
    ('_is_seeded', {'seed': lambda self, value: None}, 'the same seed'),
    ('_keeps_values', {'get_value': lambda self, variable: np.zeros((2, 3))}, 'after the array'),
    ('_has_gradients_by_rows', {'value_and_row_gradients': one_row_alone}, 'rows, after a step'),
    ('_stops_gradients', {'stop_gradient': lambda self, x: x}, 'gradient'),
    ('_draws', {'random_uniform': lambda self, shape, low=0., high=1., dtype=None: self.full(shape, low, dtype)}, ''),
    ('_has_devices', {'devices': lambda self: ['gpu:0']}, "expected a list with 'cpu', received ['gpu:0']."),
]


@pytest.mark.parametrize('law, methods, text', WRONG_PLUGINS, ids=[law for law, _, _ in WRONG_PLUGINS])
def test_wrong_plugin(law, methods, text):
    check = {one.__name__: one for one in BACKEND_LAWS}[law]
    with pytest.raises(AssertionError) as caught:
        check(plugin(**methods))
    assert text in str(caught.value)


def test_a_plugin_without_gradients_by_rows():
    [check] = [one for one in BACKEND_LAWS if one.__name__ == '_has_gradients_by_rows']
    check(plugin(value_and_row_gradients=Backend.value_and_row_gradients))


def test_check_backend_tells_all(monkeypatch):
    laws = [one for one in BACKEND_LAWS if one.__name__ in ('_has_all_methods', '_has_nothing_else', '_shares_gradients')]
    monkeypatch.setattr(backend_checks, 'BACKEND_LAWS', laws)       # a few of each: all of them are tests of their own
    monkeypatch.setattr(backend_checks, 'CASES', CASES[:3])
    monkeypatch.setattr(backend_checks, 'Evaluation', functools.partial(Evaluation, cases=CASES[:3]))
    check_backend(B.current())
    with pytest.raises(AssertionError) as caught:
        check_backend(plugin(extra=None, abs=lambda self, x: 1 / 0))
    first, *lines = str(caught.value).split('\n')
    assert first == '3 of 6 checks failed:'
    assert lines[0] == 'there is nothing public beyond the contract: expected no other public attributes, received extra.'
    assert lines[1].endswith('expected no error, received ZeroDivisionError: division by zero')     # of the gradient of abs
    assert lines[2].startswith('abs(x) of float32 with floatx float32 and static lengths: expected a value, received ZeroDivisionError')


def test_a_case_that_fails_at_run_time_does_not_hide_the_others():
    cases = [case for case in CASES if case.operation in ('square', 'reshape')][:4]
    evaluation = Evaluation(plugin(square=lambda self, x: self.reshape(x, [self.shape(x)[0], 5])), cases)
    for number, case in enumerate(cases):
        if case.operation == 'square':
            with pytest.raises(AssertionError):
                evaluation.check(number)
        else:
            evaluation.check(number)


def test_assert_close():
    assert_close('x', [np.nan, np.inf, 1.], [np.nan, np.inf, 1. + 1e-9], 1e-8)
    for received, expected in (([np.inf], [-np.inf]), ([np.inf], [1.]), ([np.nan], [1.]), ([1.], [np.inf]), ([1], [2]), ([True], [False])):
        with pytest.raises(AssertionError, match=r'x: expected .* at \[0\], received'):
            assert_close('x', received, expected, 1e-3)


def test_using_floatx():
    with pytest.raises(KeyError), using_floatx('float64'):
        assert B.floatx() == 'float64'
        raise KeyError
    assert B.floatx() == 'float32'
