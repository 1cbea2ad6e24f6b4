"""Names that keraflow's base classes use: a class of the program defines what it must, and nothing else under their names."""
import types

import pytest

from keraflow.callbacks import Callback
from keraflow.constraints import Constraint
from keraflow.errors import ArgumentError, ArgumentTypeError, KeraFlowError
from keraflow.layers import LSTM, Dense, Layer, MultiInputLayer
from keraflow.metrics import Metric
from keraflow.models import Model, Sequential
from keraflow.optimizers import Optimizer
from keraflow.regularizers import Regularizer
from keraflow.schedules import Schedule


def define(base, *mixins, **body):
    return types.new_class('Mine', (*mixins, base), exec_body=lambda namespace: namespace.update(body))


def one(self, x):
    return x


def refusal(name, what, kind):
    return f"Mine: '{name}' is {what} that every {kind} of keraflow has. Call yours something else."


NAMES = [*((name, 'a method') for name in ('embed', 'run', 'parameters', 'layer_ids', 'init_param', 'output', 'build', 'add_loss', 'apply',
                                           '_check_inputs', '_link', 'pack_init_param')),
         *((name, 'a property') for name in ('variables', 'weights', 'losses', 'updates', 'built', 'dtype', 'embedded_layers', 'name_prefix')),
         *((name, 'an attribute') for name in ('_parameters', '_calls', '_slots', '_changes', '_reports', '_first_run', '_passed', '_name'))]


@pytest.mark.parametrize('value', [3, Dense(3), None], ids=['number', 'layer', 'None'])
@pytest.mark.parametrize('name, what', NAMES)
def test_an_attribute_of_a_layer(name, what, value):
    def init(self, **kwargs):
        Layer.__init__(self, **kwargs)
        setattr(self, name, value)
    with pytest.raises(ArgumentError) as caught:
        define(Layer, __init__=init, output=one)()
    assert str(caught.value) == refusal(name, what, 'layer')


@pytest.mark.parametrize('base, kind', [(Metric, 'metric'), (Optimizer, 'optimizer'), (Regularizer, 'regularizer'), (Model, 'layer')])
def test_an_attribute_of_something_else(base, kind):
    names = {Metric: ('label', 'a property'), Optimizer: ('state', 'a method'), Regularizer: ('_passed', 'an attribute'), Model: ('fit', 'a method')}
    name, what = names[base]
    made = define(base, totals=lambda self, y_pred, y_true, weights: 1, update_rule=lambda self, c, param, gradient, *slots: [],
                  numbers=lambda self, t, lr: {}, __call__=one) if base is not Model else Sequential
    obj = made()
    with pytest.raises(ArgumentError) as caught:
        setattr(obj, name, 1)
    assert str(caught.value) == refusal(name, what, kind).replace('Mine', made.__name__)


def test_names_that_are_free():
    made = define(Layer, output=one)()
    for name in ('layers', 'W', 'inner', '_cache', 'run_inner', 'loss', 'input_spec', 'multi_input', 'dense_1'):
        setattr(made, name, 3)
        assert getattr(made, name) == 3
    assert define(Layer, output=one, embed=lambda self, layer: layer)().embed(3) == 3      # which is called in the same way


@pytest.mark.parametrize('base, body, text', [
    (Layer, {'embed': None}, refusal('embed', 'a method', 'layer')),
    (Layer, {'dtype': 'float32'}, refusal('dtype', 'a property', 'layer')),
    (Layer, {'losses': lambda self: []}, refusal('losses', 'a property', 'layer')),
    (Layer, {'trainable': False}, refusal('trainable', 'an argument', 'layer')),
    (Layer, {'_slots': {}}, refusal('_slots', 'an attribute', 'layer')),
    (LSTM, {'states': 3, 'initial_bias': 2.}, refusal('initial_bias', 'a method', 'layer')),
    (Layer, {'run': one}, 'Mine: run(self, x): expected a method that is called as run(self, tensors, arguments). Take these arguments, or call the '
                          'method something else.'),
    (Layer, {'_link': one}, 'Mine: _link(self, x): expected a method that is called as _link(self, kensors, arguments). Take these arguments, or '
                            'call the method something else.'),
    (MultiInputLayer, {'get_weights': one}, 'Mine: get_weights(self, x): expected a method that is called as get_weights(self). Take these arguments, '
                                            'or call the method something else.'),
    (Metric, {'totals': lambda self, y_pred, y_true: 1}, 'Mine: totals(self, y_pred, y_true): expected a method that is called as totals(self, '
     'y_pred, y_true, weights). Take these arguments, or call the method something else.'),
    (Metric, {'update_state': lambda self, y_true, y_pred: 1}, 'Mine: update_state() is never called. Write totals(self, y_pred, y_true, weights).'),
    (Regularizer, {'forward': one}, 'Mine: forward() is never called. Write __call__(self, param).'),
    (Constraint, {'call': one}, 'Mine: call() is never called. Write __call__(self, param).'),
    (Optimizer, {'get_updates': lambda self, params, loss: []}, 'Mine: get_updates() is never called. Write update_rule(self, c, param, gradient, *slots).'),
    (Optimizer, {'update_rule': lambda self, param, gradient: []}, 'Mine: update_rule(self, param, gradient): expected a method that is called as '
     'update_rule(self, c, param, gradient, *slots). Take these arguments, or call the method something else.'),
    (Callback, {'on_epoch_end': lambda self, epoch: None}, 'Mine: on_epoch_end(self, epoch): expected a method that is called as on_epoch_end(self, '
     'epoch, logs). Take these arguments, or call the method something else.'),
    (Callback, {'on_epoch_ends': lambda self, epoch, logs: None}, "Mine: on_epoch_ends() is never called. Did you mean 'on_epoch_end'?"),
    (Callback, {'on_train_batch_end': lambda self, batch, logs=None: None}, "Mine: on_train_batch_end() is never called. Did you mean 'on_batch_end'?"),
    (Layer, {'__init__': lambda self, *sizes, **k: None}, 'Mine: __init__(self, *sizes, **k): an object is rebuilt from its arguments by name, and '
     'those of *sizes have none. Take one list: __init__(self, sizes, **k).')])
def test_a_class_that_is_refused(base, body, text):
    with pytest.raises(KeraFlowError) as caught:
        define(base, **body)
    assert str(caught.value) == text


@pytest.mark.parametrize('former, name', [
    ('quiet_arguments', 'omit_if_default'), ('unsaved_arguments', 'never_saved'), ('unfollowed_arguments', 'set_without_rebuild'),
    ('open_methods', 'extensible_methods'), ('fresh_attributes', 'never_copied')])
def test_class_attributes_by_former_names(former, name):
    made = define(Layer, **{former: frozenset({'a'})})
    assert getattr(made, name) == getattr(made(), name) == getattr(made(), former) == frozenset({'a'})
    assert name in dir(made()) and former not in {*dir(made()), *vars(made)}
    assert getattr(define(made), name) == frozenset({'a'}) != getattr(Layer, name)
    assert getattr(define(made, **{name: frozenset()}), name) == frozenset()


def test_a_former_name_in_a_class_with_others_of_its_own():
    made = define(Metric, quiet_arguments=frozenset({'name', 'rate'}), nb_count=3, counts=lambda self, y_pred, y_true, weights: 1)
    assert made.omit_if_default == {'name', 'rate'} and made.nb_total == 3


@pytest.mark.parametrize('base, hook', [(Metric, 'totals(self, y_pred, y_true, weights)'), (Regularizer, '__call__(self, param)'),
                                        (Constraint, '__call__(self, param)'), (Optimizer, 'coefficients(self, t, lr)'), (Schedule, '__call__(self, step)')])
def test_an_object_of_a_class_that_lacks_what_is_called(base, hook):
    made = define(base)     # which may be a base of others
    with pytest.raises(ArgumentTypeError) as caught:
        made()
    assert str(caught.value) == f'Mine: there is no {hook}, which each {base.kind} defines. Write it.'


def test_classes_that_are_right():
    class Mixin:
        def output(self, x):
            return x
    define(Layer, Mixin)()
    define(Dense, __init__=lambda self, *args, **kwargs: Dense.__init__(self, *args, **kwargs))
    define(Layer, output=lambda self, x, state, scale=1.: x)                # arguments of a call
    define(Optimizer, updates=lambda self, variables, gradients: [])()      # which needs no rule
    define(Metric, totals=lambda self, y_true, y_pred, weights=None: y_pred)()

    class Hears(Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.on_my_own()

        def on_my_own(self):
            pass
    Hears().model = None

    class Mine(Layer):
        def get_weights(self, as_list=False):
            return super().get_weights()

        @property
        def name_prefix(self):
            return 'own'
    assert Mine().name.startswith('own')
