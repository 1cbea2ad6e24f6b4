"""Messages whose advice works: each mistake is made, its message is read, and what it says is done."""
import copy

import numpy as np
import pytest

import keraflow
from keraflow import backend as B
from keraflow.errors import KeraFlowError
from keraflow.layers import (LSTM, Concatenate, Convolution2D, Dense, Embedding, Flatten, Input, Lambda, Layer,
                             Pooling2D, TimeDistributed)
from keraflow.metrics import Average
from keraflow.models import Model, Sequential
from keraflow.optimizers import SGD
from keraflow.utils import to_categorical

X, SERIES = np.ones((6, 3)), np.ones((6, 4, 3))
NUMBERS = np.array([0, 1, 2, 3, 0, 1])


def net(*layers, loss='mse', shape=3, **arguments):
    model = Sequential([Input(shape, name='x'), *layers], name='m')
    model.compile('sgd', loss, **arguments)
    return model


def batches():
    for _ in range(2):
        yield X, X


@keraflow.register
def twice_in_advice(t):
    return t * 2


def saved(tmp_path, layer, **arguments):
    Sequential([Input(3), layer]).save_to_file(tmp_path / 'a.yaml', **arguments)


def shared(optimizer, other=None):
    for one in (optimizer, other or optimizer):
        model = Sequential([Input(3), Dense(2)])
        model.compile(one, 'mse')
        model.fit(X, X[:, :2], nb_epoch=1, verbose=0)


def classes(**arguments):
    return net(Dense(4, activation='softmax', name='y'), **arguments)


#: A mistake, a part of its message, and what follows the advice in it.
MISTAKES = {
    'Flatten': (lambda _: Dense(2)(Input((4, 3))), 'Put a Flatten() before it', lambda _: Dense(2)(Flatten()(Input((4, 3))))),
    'TimeDistributed': (lambda _: Dense(2)(Input((4, 3))), 'run it on each step with TimeDistributed(...).', lambda _: TimeDistributed(Dense(2))(Input((4, 3)))),
    'another loss': (lambda _: classes(loss='categorical_crossentropy').fit(X, NUMBERS), "use the loss 'sparse_categorical_crossentropy'",
                     lambda _: classes(loss='sparse_categorical_crossentropy').fit(X, NUMBERS, verbose=0)),
    'to_categorical': (lambda _: classes(loss='categorical_crossentropy').fit(X, NUMBERS), 'to_categorical(y, 4) of keraflow.utils',
                       lambda _: classes(loss='categorical_crossentropy').fit(X, to_categorical(NUMBERS, 4), verbose=0)),
    'reshape': (lambda _: net(Dense(1)).fit(X, NUMBERS), 'Write .reshape(-1, 1).', lambda _: net(Dense(1)).fit(X, NUMBERS.reshape(-1, 1), verbose=0)),
    'one sample': (lambda _: net(Dense(1)).predict(X[0]), 'for one sample write array[None]', lambda _: net(Dense(1)).predict(X[0][None])),
    'compile': (lambda _: Sequential([Input(3), Dense(3)]).fit(X, X), 'Call compile(optimizer=..., loss=...) first.',
                lambda _: net(Dense(3)).fit(X, X, verbose=0)),
    'parentheses': (lambda _: Input(3, 4), 'Put the lengths of a shape in parentheses: Input((1, 2)).', lambda _: Input((3, 4))),
    'an object': (lambda _: Sequential([Input(3), Dense]), 'Make an object of it: Dense(...).', lambda _: Sequential([Input(3), Dense(2)])),
    'an object to embed': (lambda _: Dense(2)(Dense), 'Make an object of it: Dense(...).', lambda _: Dense(2)(Dense(2)(Input(3)))),
    'feed it first': (lambda _: Model(Input(3), Dense(2)), 'Feed it first: Dense(...)(x).', lambda _: (lambda x: Model(x, Dense(2)(x)))(Input(3))),
    'a name of its own': (lambda _: Sequential([Input(3), Dense(3, name='a'), Dense(3, name='a')]), 'Give each layer of a model its own name',
                          lambda _: (lambda layer: Sequential([Input(3), layer, copy.deepcopy(layer)]))(Dense(3, name='a'))),
    'overwrite': (lambda path: [saved(path, Dense(2)) for _ in range(2)], 'Pass overwrite=True', lambda path: [saved(path, Dense(2), overwrite=True) for _ in range(2)]),
    'safetensors': (lambda path: net(Dense(2)).save_weights(path / 'w.h5'), 'Let the name end with .safetensors.',
                    lambda path: net(Dense(2)).save_weights(path / 'w.safetensors')),
    'the function itself': (lambda _: net(Dense(3)).fit(batches(), nb_epoch=2), 'Pass the function batches itself', lambda _: net(Dense(3)).fit(batches, nb_epoch=2, verbose=0)),
    'nb_batch': (lambda _: net(Dense(3)).fit(batches(), nb_epoch=2), 'or nb_batch, the number of batches in an epoch',
                 lambda _: net(Dense(3)).fit(batches(), nb_epoch=2, nb_batch=1, verbose=0)),
    'pad': (lambda _: Convolution2D(2, 5, 5)(Input((1, 3, 3))), "Use pad='same'", lambda _: Convolution2D(2, 5, 5, pad='same')(Input((1, 3, 3)))),
    'a length': (lambda _: Dense(2)(Input((None,))), 'Give the Input that length.', lambda _: Dense(2)(Input((3,)))),
    'an optimizer of its own': (lambda _: shared(SGD(0.1)), 'Give each model an optimizer of its own: copy.deepcopy(optimizer)',
                                lambda _: (lambda one: shared(one, copy.deepcopy(one)))(SGD(0.1))),
    'a registered function': (lambda path: saved(path, Lambda(lambda t: t * 2)), 'Write it as a function with def and put @keraflow.register above it.',
                              lambda path: saved(path, Lambda(twice_in_advice))),
    'Concatenate': (lambda _: Dense(2)([Input(3), Input(3)]), 'Join them first, with Concatenate() or with operators on Kensors such as a + b, or write a MultiInputLayer.',
                    lambda _: Dense(2)(Concatenate()([Input(3), Input(3)]))),
    'names of metrics': (lambda _: net(Dense(3), metrics=['mse', 'mse']), 'Write for example Average(objective, name=...)',
                         lambda _: net(Dense(3), metrics=['mse', Average('mse', name='again')]).evaluate(X, X)),
    'verbose': (lambda _: net(Dense(3)).evaluate(X, X, verbose=0), 'Leave it out: only fit shows its progress.', lambda _: net(Dense(3)).evaluate(X, X)),
    'nb_epoch': (lambda _: net(Dense(3)).fit(X, X, epochs=1), "Did you mean 'nb_epoch'?", lambda _: net(Dense(3)).fit(X, X, nb_epoch=1, verbose=0)),
    'a larger vocabulary': (lambda _: Sequential([Input(2, dtype='int32'), Embedding(4, 2)]).predict(np.array([[5, 1]])), 'Make vocabulary_size larger than the largest index.',
                            lambda _: Sequential([Input(2, dtype='int32'), Embedding(6, 2)]).predict(np.array([[5, 1]]))),
    'integers': (lambda _: Embedding(4, 2)(Input(2)), "Write Input(..., dtype='int32').", lambda _: Embedding(4, 2)(Input(2, dtype='int32'))),
    'a loss': (lambda _: net(Dense(2), loss=None).fit(X), 'Pass an objective to compile', lambda _: net(Dense(2), loss='mse').fit(X, X[:, :2], verbose=0)),
    'a mask': (lambda _: Embedding(9, 3, mask_zero=True), 'Write Input(..., mask_value=0).', lambda _: LSTM(2)(Embedding(9, 3)(Input(4, dtype='int32', mask_value=0)))),
}


@pytest.mark.parametrize('name', MISTAKES)
def test_advice_works(name, tmp_path):
    mistake, advice, followed = MISTAKES[name]
    with pytest.raises((KeraFlowError, FileExistsError)) as caught:
        mistake(tmp_path)
    assert advice in str(caught.value)
    followed(tmp_path)


def test_advice_of_a_format_works():
    with pytest.warns(UserWarning, match="write data_format='channels_last', else data_format='channels_first'"):
        Pooling2D('max', 2)(Input((8, 8, 3)))
    Pooling2D('max', 2, data_format='channels_last')(Input((8, 8, 3)))


def test_advice_for_methods_works(tmp_path):
    model = net(Dense(2))
    with pytest.raises(AttributeError, match="'save_to_file'"):
        model.save(tmp_path / 'a.yaml')
    model.save_to_file(tmp_path / 'a.yaml')
    with pytest.raises(AttributeError, match=r'Write predict\(x\)\.argmax\(-1\)\.$'):
        model.predict_classes(X)
    assert model.predict(X).argmax(-1).shape == (6,)


def test_advice_in_a_layer_works():
    class Wrong(Layer):
        def output(self, x):
            return B.sum(x)

        def output_shape(self, input_shape):
            return input_shape
    with pytest.raises(KeraFlowError, match='Let output_shape.* return the shape of what output.* returns'):
        Wrong()(Input(3))

    class Right(Wrong):
        def output_shape(self, input_shape):
            return ()
    assert Right()(Input(3)).shape == ()
