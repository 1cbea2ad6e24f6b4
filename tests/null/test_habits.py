"""The words of other libraries: each is answered with a name that is there, or with a sentence."""
import inspect
import re

import pytest

import keraflow
from keraflow import errors, habits, layers, registry, schema
from keraflow.callbacks import CSVLogger, ModelCheckpoint, TensorBoard
from keraflow.errors import ArgumentError, ArgumentTypeError
from keraflow.layers import LSTM, Convolution1D, Convolution2D, Dense, Dropout, Embedding, Pooling2D
from keraflow.layers.base import class_checks
from keraflow.models import Model, Sequential
from keraflow.optimizers import SGD, Adam


def names_of_all():
    """All that there is: arguments, classes, functions, modules, attributes of models."""
    found = {*dir(keraflow), *dir(layers), *dir(Model), *dir(keraflow.backend)}
    for kind in ('layer', 'optimizer', 'activation', 'initialization', 'objective', 'regularizer', 'constraint', 'metric'):
        found |= set(registry.ids(kind))
        targets = [registry.find(name, kind).target for name in registry.ids(kind)]
        found |= {name for target in targets if isinstance(target, type) for name in schema.arguments_of(target)}
    for function in (Model.fit, Model.evaluate, Model.predict, Model.compile, ModelCheckpoint.__init__, CSVLogger.__init__, TensorBoard.__init__,
                     keraflow.utils.to_categorical):
        found |= set(inspect.signature(function).parameters)
    return found


def test_what_is_said_exists():
    there = names_of_all()
    for word, ours in habits.WORDS.items():
        for name in [ours] if isinstance(ours, str) else ours:
            assert name in there, (word, name)
            assert word != name


def test_each_hook_is_one_and_is_answered_as_an_attribute_too():
    assert set(habits.HOOKS.values()) <= {*class_checks.METHODS, *class_checks.VALUES}
    for word, hook in habits.HOOKS.items():
        with pytest.raises(ArgumentTypeError, match=rf'{re.escape(word)}\(\) is never called\. .*rite {hook}(\(self| = )'):
            type('Mine', (layers.Layer,), {word: lambda self, *args: None})
    for word in set(habits.HOOKS) - set(dir(layers.Layer)) - {'get_config'}:
        with pytest.raises(AttributeError, match=rf"no attribute '{word}'. Did you mean '{habits.HOOKS[word]}'\?"):
            getattr(Dense(3), word)


def test_no_word_is_answered_twice():
    of_several = {'losses', 'history', 'weight_decay', 'input_dim', 'input_shape', 'batch_input_shape'}       # whose names are not there everywhere
    assert {word for word in habits.SENTENCES if habits.WORDS.get(word)} <= of_several
    for sentence in habits.SENTENCES.values():
        assert re.fullmatch(r'[A-Z`f].*\.', sentence), sentence


@pytest.mark.parametrize('call, text', [
    (lambda: Dense(units=3), "Dense: there is no argument 'units'. Did you mean 'output_dim'?"),
    (lambda: Dense(3, kernel_initializer='zero'), "Dense: there is no argument 'kernel_initializer'. Did you mean 'init'?"),
    (lambda: Dense(3, in_features=4), "Dense: there is no argument 'in_features'. Leave it out: a layer infers it from its input."),
    (lambda: Dense(3, activation='silu'), "Dense: activation: there is no activation 'silu'. Did you mean 'swish'?"),
    (lambda: Dense(3, init='xavier'), "Dense: init: there is no initialization 'xavier'. Did you mean 'glorot_uniform'?"),
    (lambda: Dropout(rate=0.5), "Dropout: there is no argument 'rate'. Did you mean 'drop_rate'?"),
    (lambda: Convolution2D(filters=3, kernel_row=3, kernel_col=3), "Convolution2D: there is no argument 'filters'. Did you mean 'nb_kernel'?"),
    (lambda: Convolution2D(3, kernel_size=3), "Convolution2D: there is no argument 'kernel_size'. Did you mean 'kernel_row'?"),
    (lambda: Convolution2D(3, 3, 3, padding='same'), "Convolution2D: there is no argument 'padding'. Did you mean 'pad'?"),
    (lambda: Convolution1D(3, 3, subsample_length=2), "Convolution1D: there is no argument 'subsample_length'. Did you mean 'strides'?"),
    (lambda: Convolution2D(3, 3, 3, stride=2), "Convolution2D: there is no argument 'stride'. Did you mean 'strides'?"),
    (lambda: Pooling2D('max', kernel_size=2), "Pooling2D: there is no argument 'kernel_size'. Did you mean 'pool_size'?"),
    (lambda: Pooling2D('max', padding='same'), "Pooling2D: there is no argument 'padding'. Did you mean 'pad'?"),
    (lambda: Embedding(9, 3, mask_zero=True), "Embedding: there is no argument 'mask_zero'. Write Input(..., mask_value=0)."),
    (lambda: LSTM(3, recurrent_dropout=0.5), "LSTM: there is no argument 'recurrent_dropout'. Did you mean 'drop_rate_U'?"),
    (lambda: SGD(learning_rate=0.1), "SGD: there is no argument 'learning_rate'. Did you mean 'lr'?"),
    (lambda: Adam(lerning_rate=0.1), "Adam: there is no argument 'lerning_rate'. Did you mean 'lr'?"),
    (lambda: Adam(betas=(0.9, 0.99)), "Adam: there is no argument 'betas'. Did you mean 'beta_1'?"),
])
def test_constructors(call, text):
    with pytest.raises((ArgumentError, ArgumentTypeError)) as caught:
        call()
    assert str(caught.value) == text


@pytest.mark.parametrize('module, name, text', [
    (layers, 'Conv2D', "module 'keraflow.layers' has no attribute 'Conv2D'. Did you mean 'Convolution2D'?"),
    (layers, 'MaxPooling2D', "module 'keraflow.layers' has no attribute 'MaxPooling2D'. Write Pooling2D('max')."),
    (layers, 'AvgPool1d', "module 'keraflow.layers' has no attribute 'AvgPool1d'. Write Pooling1D('avg')."),
    (layers, 'Linear', "module 'keraflow.layers' has no attribute 'Linear'. Did you mean 'Dense'?"),
    (layers, 'ReLU', "module 'keraflow.layers' has no attribute 'ReLU'. Write Activation('relu')."),
    (layers, 'Something', "module 'keraflow.layers' has no attribute 'Something'"),
    (keraflow, 'losses', "module 'keraflow' has no attribute 'losses'. Write keraflow.objectives."),
    (keraflow, 'initializers', "module 'keraflow' has no attribute 'initializers'. Did you mean 'initializations'?"),
    (keraflow, 'Dense', "module 'keraflow' has no attribute 'Dense'. Write keraflow.layers.Dense.")])
def test_modules(module, name, text):
    assert not hasattr(module, name)
    with pytest.raises(AttributeError) as caught:
        getattr(module, name)
    assert str(caught.value) == text


def test_imports():
    for line, text in (('from keraflow.layers import Conv2D', "module 'keraflow.layers' has no attribute 'Conv2D'. Did you mean 'Convolution2D'?"),
                       ('from keraflow import losses', "module 'keraflow' has no attribute 'losses'. Write keraflow.objectives.")):
        with pytest.raises(ImportError) as caught:
            exec(line)
        assert str(caught.value) == text
    with pytest.raises(ImportError, match='cannot import name'):
        exec('from keraflow.layers import Something')


@pytest.mark.parametrize('name, advice', [
    ('load', " Did you mean 'load_from_file'?"), ('fit_generator', " Did you mean 'fit'?"),
    ('train_on_batch', ' Write fit(x, y, nb_epoch=1, verbose=0), or keraflow.TrainStep for a step of your own.'),
    ('state_dict', " Did you mean 'get_weights'?"),
    ('history', " fit returns it: a list with a dict for each epoch, of which column('loss') is one curve."),
    ('get_config', ' Write keraflow.serialize(...): objects are rebuilt from the arguments of __init__.')])
def test_methods(name, advice):
    model = Sequential([Dense(3)])
    assert not hasattr(model, name)
    with pytest.raises(AttributeError) as caught:
        getattr(model, name)
    assert str(caught.value) == f"'Sequential' object has no attribute '{name}'.{advice}"


def test_other_names_are_answered_plainly():
    layer = Dense(3)
    with pytest.raises(AttributeError) as caught:
        layer.something
    assert str(caught.value) == "'Dense' object has no attribute 'something'"
    with pytest.raises(errors.CallError) as caught:     # what a property raises is not hidden
        layer.input_kensor
    assert 'the layer has no calls yet' in str(caught.value)
