"""The families of functions without a backend: names, aliases, arguments, data, errors."""
import subprocess
import sys

import pytest

from keraflow import (activations, constraints, initializations, objectives, optimizers, regularizers, schedules,
                      serialize, unserialize)
from keraflow.errors import ArgumentError, ArgumentTypeError

FAMILIES = [activations, constraints, initializations, objectives, optimizers, regularizers]
BASES = {'Constraint', 'Optimizer', 'Regularizer', 'Target', 'get', 'fans', 'values_of', 'wants', 'weights_follow'}
A_RATE = 'a number above 0 or a schedule (a name, a function or an object)'
ALIASES = {
    objectives: {'se': 'square_error', 'mse': 'square_error', 'ae': 'absolute_error', 'mae': 'absolute_error',
                 'ape': 'absolute_percentage_error', 'mape': 'absolute_percentage_error',
                 'sle': 'squared_logarithmic_error', 'msle': 'squared_logarithmic_error',
                 'kld': 'kullback_leibler_divergence', 'cosine': 'cosine_proximity', 'acc': 'accuracy'},
    optimizers: {'sgd': 'SGD', 'rmsprop': 'RMSprop', 'adagrad': 'Adagrad', 'adadelta': 'Adadelta', 'adam': 'Adam',
                 'adamax': 'Adamax', 'adamw': 'AdamW', 'nadam': 'Nadam', 'ftrl': 'Ftrl'},
    constraints: {'maxnorm': 'MaxNorm', 'nonneg': 'NonNeg', 'unitnorm': 'UnitNorm'},
    regularizers: {'l1': 'L1', 'l2': 'L2', 'l1l2': 'L1L2'},
}


@pytest.mark.parametrize('family', FAMILIES, ids=lambda family: family.__name__)
def test_everything_has_its_name(family):
    for name in set(family.__all__) - BASES:
        target = getattr(family, name)
        found = family.get(name)
        assert isinstance(found, target) if isinstance(target, type) else found is target
        again = family.get(found)
        assert again is found
        rebuilt = unserialize(serialize(found))
        assert type(rebuilt) is type(found) and serialize(rebuilt) == serialize(found)


@pytest.mark.parametrize('family', ALIASES, ids=lambda family: family.__name__)
def test_aliases(family):
    for alias, name in ALIASES[family].items():
        target, found = getattr(family, name), family.get(alias)
        assert isinstance(found, target) if isinstance(target, type) else found is target


@pytest.mark.parametrize('family, value, text', [
    (activations, 'sofmax', "there is no activation 'sofmax'. Did you mean 'softmax'?"),
    (initializations, 'glorot', "there is no initialization 'glorot'. Did you mean 'zero'?"),
    (objectives, 'rmse', "there is no objective 'rmse'. Did you mean 'mse'?"),
    (optimizers, 'adamm', "there is no optimizer 'adamm'. Did you mean 'adam'?"),
    (constraints, 'max_norm', "there is no constraint 'max_norm'. Did you mean 'maxnorm'?"),
    (regularizers, 'l3', "there is no regularizer 'l3'. Did you mean 'l2'?"),
    (constraints, 'l1', "there is no constraint 'l1'. "
     'Choose one of MaxNorm, NonNeg, UnitNorm, maxnorm, nonneg, unitnorm.'),
])
def test_unknown_names(family, value, text):
    with pytest.raises(ArgumentError) as caught:
        family.get(value)
    if value not in ('glorot', 'l3'):       # several names are as near
        assert str(caught.value) == text
    assert str(caught.value).startswith(text.split('.')[0])


def test_things_of_another_kind():
    with pytest.raises(ArgumentTypeError) as caught:
        optimizers.get(objectives.hinge)
    assert str(caught.value).startswith('expected an optimizer (a name, a function or an object), received function ')
    with pytest.raises(ArgumentTypeError) as caught:
        activations.get(3)
    assert str(caught.value) == 'expected an activation (a name, a function or an object), received 3.'


@pytest.mark.parametrize('make, text', [
    (lambda: optimizers.SGD(lr=0), f'SGD: lr: expected {A_RATE}, received 0.'),
    (lambda: optimizers.SGD(lr=[0.1]), f'SGD: lr: expected {A_RATE}, received [0.1].'),
    (lambda: optimizers.SGD(lr='CosineDcay'), "SGD: lr: there is no schedule 'CosineDcay'. Did you mean 'CosineDecay'?"),
    (lambda: optimizers.SGD(lr='CosineDecay'), "CosineDecay: the argument 'lr' is missing: a number above 0."),
    (lambda: schedules.PiecewiseConstant([3, 5], [0.1, 0.2]),
     'PiecewiseConstant: values: expected 3, one more than boundaries, received 2.'),
    (lambda: schedules.PiecewiseConstant([3, 3], [0.1, 0.2, 0.3]),
     'PiecewiseConstant: boundaries: expected each above the one before, received [3, 3].'),
    (lambda: optimizers.SGD(momentum=1), 'SGD: momentum: expected a number of at least 0 and below 1, received 1.'),
    (lambda: optimizers.SGD(decay=-0.1), 'SGD: decay: expected a number of at least 0, received -0.1.'),
    (lambda: optimizers.SGD(nesterov='yes'), "SGD: nesterov: expected True or False, received 'yes'."),
    (lambda: optimizers.SGD(learning_rate=1.), "SGD: there is no argument 'learning_rate'. Did you mean 'lr'?"),
    (lambda: optimizers.Adam(beta_1=0), 'Adam: beta_1: expected a number above 0 and below 1, received 0.'),
    (lambda: optimizers.Adam(epsilon=0), 'Adam: epsilon: expected a number above 0, received 0.'),
    (lambda: optimizers.RMSprop(rho=1.5), 'RMSprop: rho: expected a number above 0 and below 1, received 1.5.'),
    (lambda: optimizers.Adam(clipnorm=-1), 'Adam: clipnorm: expected a number above 0 or None, received -1.'),
    (lambda: constraints.MaxNorm(m=0), 'MaxNorm: m: expected a number above 0, received 0.'),
    (lambda: constraints.UnitNorm(axis=0.5),
     'UnitNorm: axis: expected an integer or a list (an integer each), received 0.5.'),
])
def test_arguments_that_are_refused(make, text):
    with pytest.raises((ArgumentError, ArgumentTypeError)) as caught:
        make()
    assert str(caught.value) == text


@pytest.mark.parametrize('cls, defaults', [
    (optimizers.SGD, {'lr': 0.01, 'momentum': 0., 'decay': 0., 'nesterov': False}),
    (optimizers.RMSprop, {'lr': 0.001, 'rho': 0.9, 'epsilon': 1e-8}),
    (optimizers.Adagrad, {'lr': 0.01, 'epsilon': 1e-8}),
    (optimizers.Adadelta, {'lr': 1., 'rho': 0.95, 'epsilon': 1e-8}),
    (optimizers.Adam, {'lr': 0.001, 'beta_1': 0.9, 'beta_2': 0.999, 'epsilon': 1e-8}),
    (optimizers.Adamax, {'lr': 0.002, 'beta_1': 0.9, 'beta_2': 0.999, 'epsilon': 1e-8}),
    (optimizers.AdamW, {'lr': 0.001, 'weight_decay': 0.01, 'beta_1': 0.9, 'beta_2': 0.999, 'epsilon': 1e-8}),
    (optimizers.Nadam, {'lr': 0.002, 'beta_1': 0.9, 'beta_2': 0.999, 'epsilon': 1e-8, 'momentum_decay': 0.004}),
    (optimizers.Ftrl, {'lr': 0.1, 'beta': 1., 'l1': 0., 'l2': 0.}),
])
def test_defaults_of_optimizers(cls, defaults):
    assert serialize(cls()) == {'class': cls.__name__, 'args': defaults}
    clipped = serialize(cls(clipnorm=1, clipvalue=0.5))
    assert clipped['args'] == {**defaults, 'clipnorm': 1, 'clipvalue': 0.5}
    assert serialize(unserialize(clipped)) == clipped
    assert cls().state() == {}


def test_the_learning_rate_is_followed():
    optimizer = optimizers.Adam(lr=1)
    assert optimizer.lr == 1. and isinstance(optimizer.lr, float)
    optimizer.lr = 0.25
    assert serialize(optimizer)['args']['lr'] == 0.25 and unserialize(serialize(optimizer)).lr == 0.25
    for value, text in [(-1, f'Adam: lr: expected {A_RATE}, received -1.'),
                        ({}, f'Adam: lr: expected {A_RATE}, received {{}}.'),
                        (float('nan'), f'Adam: lr: expected {A_RATE}, received nan.')]:
        with pytest.raises((ArgumentError, ArgumentTypeError)) as caught:
            optimizer.lr = value
        assert str(caught.value) == text and optimizer.lr == 0.25


@pytest.mark.parametrize('word', ['learning_rate', 'lerning_rate', 'learning_rte', 'LR'])
def test_the_word_for_the_learning_rate(word):
    with pytest.raises(ArgumentTypeError) as caught:
        optimizers.Adam(**{word: 0.1})
    assert str(caught.value) == f"Adam: there is no argument '{word}'. Did you mean 'lr'?"


def test_an_optimizer_without_a_learning_rate():
    with pytest.raises(AttributeError, match="'Optimizer' object has no attribute 'lr'"):
        optimizers.Optimizer().lr


def test_no_backend_is_opened():
    code = ('import sys, keraflow.backend as B\n'
            'from keraflow import activations, constraints, initializations, objectives, optimizers\n'
            'optimizers.get("adam").lr = 2.; constraints.get("maxnorm"); initializations.orthogonal((3, 3))\n'
            'assert B._current is None and not {"tensorflow", "theano"} & set(sys.modules)')
    subprocess.run([sys.executable, '-c', code], check=True)
