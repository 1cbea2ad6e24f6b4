"""Training that the first version of the file format saved goes on (``tests/data/format1/training``)."""
from pathlib import Path

import numpy as np
import pytest

from keraflow import backend as B
from keraflow.errors import KeraFlowWarning, ModelFileError
from keraflow.layers import LSTM, BatchNormalization, Dense, Embedding, Flatten, Input
from keraflow.models import Model, Sequential
from keraflow.optimizers import SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, Ftrl, Nadam, RMSprop
from keraflow.schedules import ExponentialDecay

FOLDER = Path(__file__).parent.parent / 'data' / 'format1' / 'training'
#: What no stream of random numbers has to be kept for.
X, Y = np.sin(np.arange(30.)).reshape(10, 3), np.cos(np.arange(20.)).reshape(10, 2)


def plain():
    layers = [Input(3), Dense(4, activation='tanh'), BatchNormalization(), Dense(2, name='y')]
    return Sequential(layers, name='plain'), X, Y


def frozen():
    x = Input(3, name='x')
    model = Model(x, Dense(2, name='c')(Dense(3, name='b')(Dense(3, name='a')(x))), name='frozen')
    model.get_layer('b').trainable = False
    return model, X, Y


def masked():
    x = Input((3, 1), mask_value=0., name='x')
    steps = X[..., None].copy()
    steps[:4, 1:] = 0
    return Model(x, Dense(2, name='y')(LSTM(2, name='l')(x)), name='masked'), steps, Y


def stateful():
    x = Input((3, 1), batch_size=5, name='x')
    return Model(x, Dense(2, name='y')(LSTM(2, stateful=True, name='l')(x)), name='stateful'), X[..., None], Y


def rows():
    x = Input(2, dtype='int32', name='x')
    numbers = np.arange(20).reshape(10, 2) % 7
    return Model(x, Dense(2, name='y')(Flatten()(Embedding(7, 3, name='e')(x))), name='rows'), numbers, Y


CASES = {
    'sgd': (plain, lambda: SGD(0.1)), 'momentum': (plain, lambda: SGD(0.1, momentum=0.9, nesterov=True, decay=0.1)),
    'schedule': (plain, lambda: SGD(ExponentialDecay(0.1, 0.5, 3), momentum=0.5)), 'rmsprop': (plain, RMSprop),
    'adagrad': (rows, lambda: Adagrad(0.1)), 'adadelta': (plain, Adadelta), 'adam': (plain, lambda: Adam(0.01, clipnorm=0.5)),
    'adamax': (plain, Adamax), 'adamw': (masked, lambda: AdamW(0.01, weight_decay=0.1)), 'nadam': (plain, lambda: Nadam(0.01)),
    'ftrl': (rows, lambda: Ftrl(0.1, l1=0.01)), 'frozen': (frozen, lambda: SGD(0.1, momentum=0.9)),
    'stateful': (stateful, lambda: Adam(0.01))}


def made(case, floatx='float64'):
    """The model of a case, compiled, and its data."""
    B.set_floatx(floatx)
    make, optimizer = CASES[case]
    model, x, y = make()
    model.compile(optimizer(), 'mse')
    return model, x, y


@pytest.mark.parametrize('is_shuffled', [True, False], ids=['shuffled', 'in order'])
@pytest.mark.parametrize('case', CASES)
def test_training_goes_on(case, is_shuffled):
    model, x, y = made(case)
    path = FOLDER / f'{case}.safetensors'
    if case == 'frozen':        # b/W has the shape of a/W
        with pytest.warns(KeraFlowWarning) as caught:
            model.load_training(path)
        assert [str(one.message) for one in caught] == [
            f'{path}: the file does not say which parameters were trainable, and the state of the optimizer would fit others, '
            'too. It is assigned to a/W, a/b, c/W, c/b. Save the training again.']
    else:
        model.load_training(path)
    history = model.fit(x, y, batch_size=5, nb_epoch=3, shuffle=is_shuffled, verbose=0)
    with np.load(FOLDER / 'expected.npz') as expected:
        part = f'{case}/{"shuffled" if is_shuffled else "in order"}'
        np.testing.assert_allclose(history.column('loss'), expected[f'{part}/loss'], rtol=1e-9)
        for name, value in model.get_weights().items():
            np.testing.assert_allclose(value, expected[f'{part}/{name}'], rtol=1e-9, atol=1e-9, err_msg=name)


@pytest.mark.parametrize('optimizer, text', [
    (lambda: SGD(0.1), "the training does not fit: unexpected optimizer/v/0; unexpected optimizer/v/1; unexpected optimizer/v/2; and 1 more."),
    (lambda: Adam(0.1), 'expected what save_training wrote with the optimizer Adam, received SGD.')])
def test_another_optimizer_is_refused(optimizer, text):
    B.set_floatx('float64')
    model = frozen()[0]
    model.compile(optimizer(), 'mse')
    path = FOLDER / 'frozen.safetensors'
    with pytest.raises(ModelFileError) as caught:
        model.load_training(path)
    assert str(caught.value) == f'{path}: {text}'


@pytest.mark.parametrize('names, text', [
    ('c', 'optimizer/v/b/W has shape (3, 2), expected (3, 3); optimizer/v/b/b has shape (2,), expected (3,).'),
    ('', 'missing optimizer/v/c/W; missing optimizer/v/c/b; optimizer/v/b/W has shape (3, 2), expected (3, 3); and 1 more.')])
def test_other_trainable_parameters_are_told_by_shape_and_number(names, text):
    B.set_floatx('float64')
    model, path = frozen()[0], FOLDER / 'frozen.safetensors'
    for name in 'abc':
        model.get_layer(name).trainable = name not in names
    model.compile(SGD(0.1, momentum=0.9), 'mse')
    before = model.get_weights()
    with pytest.raises(ModelFileError) as caught:
        model.load_training(path)
    assert str(caught.value) == f'{path}: the training does not fit: {text}'
    assert all(np.array_equal(value, before[name]) for name, value in model.get_weights().items())
