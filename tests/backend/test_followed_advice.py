"""Messages whose advice works: each mistake is made, its message is read, and what it says is done."""
import copy

import numpy as np
import pytest

import keraflow
from keraflow import backend as B
from keraflow.callbacks import TensorBoard
from keraflow.errors import KeraFlowError, ModelFileError
from keraflow.layers import (LSTM, Activation, Concatenate, Convolution2D, Dense, Embedding, ExpandDims, Flatten, Input,
                             Lambda, Layer, Pooling2D, PReLU, Repeat, TimeDistributed)
from keraflow.metrics import Average
from keraflow.models import Model, Sequential
from keraflow.optimizers import SGD, Adam, AdamW
from keraflow.regularizers import L2
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
    'an optimizer of its own': (lambda _: shared(SGD(0.1)), 'Give each model its own optimizer: copy.deepcopy(optimizer)',
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
    'numbered words': (lambda _: Sequential([Input(2, dtype='int32'), Embedding(4, 2)]).predict(np.array([[-1, 1]])), 'received negative ones. Number words from 0',
                       lambda _: Sequential([Input(2, dtype='int32'), Embedding(4, 2)]).predict(np.array([[0, 2]]))),
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
    with pytest.raises(ModelFileError, match=r"write model\.save_to_file\('model\.yaml', 'model\.safetensors'\)\.$"):
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


# -- words of other libraries, whose neighbours in spelling are something else -------------------------------------------------

def of(call):
    with pytest.raises((KeraFlowError, AttributeError, ImportError)) as caught:
        call()
    return str(caught.value)


@pytest.mark.parametrize('loss, advice', [
    ('NLLLoss', "Did you mean 'sparse_categorical_crossentropy'?"), ('MSELoss', "Did you mean 'mse'?"), ('log_loss', "Did you mean 'binary_crossentropy'?"), ('softmax_crossentropy', "Did you mean 'categorical_crossentropy'?"), ('hinge_loss', "Did you mean 'hinge'?"), ('pinbal', None),
    ('mean_squared_eror', "Did you mean 'mse'?"),
    ('ctc', 'Write a function of y_pred and y_true: there is no CTC.'), ('categorical_acuracy', None), ('acurracy', None), ('binary_acc', None)])
def test_a_loss_is_advised_no_accuracy(loss, advice):
    said, start = of(lambda: net(Dense(2), loss=loss)), f"m: loss: there is no objective '{loss}'. "
    assert said.startswith(start) and 'accuracy' not in said[len(start):] and "'acc'" not in said
    assert advice is None or said.endswith(advice)
    assert of(lambda: net(Dense(2), metrics=['acurracy'])) == "m: metrics: there is no metric 'acurracy'. Did you mean 'accuracy'?"


def test_a_categorical_hinge_as_advised():
    assert of(lambda: net(Dense(2), loss='categorical_hinge')) == (
        "m: loss: there is no objective 'categorical_hinge'. Write a function of y_pred and y_true: B.relu(1 + B.max((1 - y_true) * y_pred, -1, True) "
        '- B.sum(y_true * y_pred, -1, True)).')
    scores, labels = np.array([[.5, -1., 2.], [3., .1, .2]]), np.eye(3)[[0, 0]]
    model = net(Dense(3), loss=lambda y_pred, y_true: B.relu(1 + B.max((1 - y_true) * y_pred, -1, True) - B.sum(y_true * y_pred, -1, True)))
    model.set_weights(dict(zip(model.get_weights(), (np.eye(3), np.zeros(3)))))
    np.testing.assert_allclose(model.evaluate(scores, labels)['loss'], (2.5 + 0.) / 2, rtol=1e-6)    # 1 + 2 - .5, and 1 + .2 - 3 < 0


def test_metrics_as_advised():
    said = of(lambda: net(Dense(2), metrics=['confusion_matrix']))
    assert said == "m: metrics: there is no metric 'confusion_matrix'. Count predict(x).argmax(-1) for each class with NumPy."
    counts = np.zeros((4, 4), int)
    np.add.at(counts, (NUMBERS, classes(loss='mse').predict(X).argmax(-1)), 1)
    assert counts.sum() == len(X)
    said = of(lambda: classes(loss='categorical_crossentropy', metrics=['top_k_categorical_accuracy']))
    assert said == "m: metrics: there is no metric 'top_k_categorical_accuracy'. Did you mean 'top_k_accuracy'?"
    assert 'top_k_accuracy' in classes(loss='categorical_crossentropy', metrics=['top_k_accuracy']).evaluate(X, to_categorical(NUMBERS, 4))


@pytest.mark.parametrize('names, function, expected', [
    (['hardtanh', 'hard_tanh'], lambda t: B.clip(t, -1, 1), lambda t: np.clip(t, -1, 1)),
    (['relu6'], lambda t: B.clip(t, 0, 6), lambda t: np.clip(t, 0, 6)),
    (['mish'], lambda t: t * B.tanh(B.softplus(t)), lambda t: t * np.tanh(np.log1p(np.exp(t)))),
    (['hardswish', 'hard_swish'], lambda t: t * B.clip(t + 3, 0, 6) / 6, lambda t: t * np.minimum(np.maximum(t + 3, 0), 6) / 6),
    (['logsigmoid', 'log_sigmoid'], lambda t: -B.softplus(-t), lambda t: -np.log1p(np.exp(-t))),
    (['softmin'], lambda t: B.softmax(-t), lambda t: np.exp(-t) / np.exp(-t).sum(-1, keepdims=True))])
def test_activations_as_advised(names, function, expected):
    for name in names:
        said = of(lambda: Activation(name))
        assert said.startswith(f"Activation: activation: there is no activation '{name}'. Write a function: lambda t: ")
        given = eval(said.partition('Write a function: ')[2][:-1], {'B': B})
        t = np.array([[-4., -.5, 0.], [.5, 2., 7.]])
        for one in (given, function):
            np.testing.assert_allclose(Sequential([Input(3), Activation(one)]).predict(t), expected(t), rtol=1e-5, atol=1e-6)


def test_layers_as_advised():
    assert of(lambda: Activation('prelu')).endswith(' Use the layer PReLU().')
    assert PReLU()(Input(3)).shape == (None, 3)
    for name, function in (('Swish', 'swish'), ('SiLU', 'swish'), ('Softplus', 'softplus'), ('Softmax', 'softmax'), ('LogSoftmax', 'log_softmax')):
        assert of(lambda: getattr(keraflow.layers, name)).endswith(f"has no attribute '{name}'. Write Activation('{function}').")
        assert Activation(function)(Input(3)).shape == (None, 3)
    assert of(lambda: keraflow.layers.GlobalMaxPool2D).endswith(" Write GlobalPooling2D('max').")
    assert of(lambda: keraflow.layers.Concat).endswith(" Did you mean 'Concatenate'?")
    assert of(lambda: keraflow.layers.Subtract).endswith(' Write x - y.')
    x, y = Input(3), Input(3)
    np.testing.assert_array_equal(Model([x, y], x - y).predict([X, 3 * X]), -2 * X)
    assert of(lambda: keraflow.layers.RepeatVector).endswith(' Write Repeat(n, axis=0)(ExpandDims(0)(x)).')
    x = Input(3)
    np.testing.assert_array_equal(Model(x, Repeat(2, axis=0)(ExpandDims(0)(x))).predict(X), np.repeat(X[:, None], 2, 1))
    for arguments in ({'input_dim': 8}, {'input_shape': (8,)}, {'batch_input_shape': (None, 8)}):
        assert of(lambda: Dense(3, **arguments)) == (f"Dense: there is no argument '{list(arguments)[0]}'. Put an Input before it, such as Input(8): "
                                                     'a layer infers the length from its input.')
    assert Sequential([Input(8), Dense(3)]).outputs[0].shape == (None, 3)


def test_models_as_advised(tmp_path):
    model = net(Dense(2))
    for name in ('input', 'input_shape'):
        assert of(lambda: getattr(model, name)) == f"'Sequential' object has no attribute '{name}'. Did you mean 'inputs'?"
    assert model.inputs[0].shape == (None, 3)
    assert of(lambda: exec('from keraflow.models import load_model')) == (
        "module 'keraflow.models' has no attribute 'load_model'. Write Model.load_from_file(arch, weights).")
    assert of(lambda: model.save_model) == "'Sequential' object has no attribute 'save_model'. Write model.save_to_file(arch, weights)."
    model.save_to_file(tmp_path / 'm.yaml', tmp_path / 'm.safetensors')
    np.testing.assert_array_equal(Model.load_from_file(tmp_path / 'm.yaml', tmp_path / 'm.safetensors').predict(X), model.predict(X))
    with pytest.raises(ImportError, match='cannot import name'):
        exec('from keraflow.models import Something')


def test_training_as_advised():
    assert of(lambda: net(Dense(2)).compile('amsgrad', 'mse')) == "m: optimizer: there is no optimizer 'amsgrad'. Leave it out, and use 'adam': there is no AMSGrad."
    assert of(lambda: Adam(amsgrad=True)) == "Adam: there is no argument 'amsgrad'. Leave it out, and use 'adam': there is no AMSGrad."
    for optimizer in (Adam, SGD):
        assert of(lambda: optimizer(weight_decay=0.1)).endswith("'weight_decay'. Use AdamW, or the regularizer L2 in the layers.")
    Sequential([Input(3), Dense(2, regularizers=[L2(0.1)])]).compile(AdamW(weight_decay=0.1), 'mse')
    assert of(lambda: TensorBoard(log_dir='logs')) == "TensorBoard: there is no argument 'log_dir'. Did you mean 'path'?"


@pytest.mark.parametrize('word, ours, arguments', [('concat', 'concatenate', ([X, X],)), ('bmm', 'matmul', (X, X.T)), ('pow', 'power', (X, X)),
                                                   ('reduce_mean', 'mean', (X,)), ('clamp', 'clip', (X, 0, 1)), ('unsqueeze', 'expand_dims', (X, 1))])
def test_functions_of_the_backend_as_advised(word, ours, arguments):
    assert not hasattr(B, word)
    assert of(lambda: getattr(B, word)) == f"module 'keraflow.backend' has no attribute '{word}'. Did you mean '{ours}'?"
    getattr(B, ours)(*arguments)


def test_products_as_advised():
    np.testing.assert_array_equal(B.eval(B.dot(X, X.T)), X @ X.T)
    np.testing.assert_array_equal(B.eval(B.matmul(SERIES, SERIES.transpose(0, 2, 1))), SERIES @ SERIES.transpose(0, 2, 1))


def test_a_change_for_another_model_is_as_it_should_be():
    critic = net(Dense(1, name='critic'))
    critic.trainable = False
    both = Sequential([Input(2), Dense(3), critic])
    both.compile('sgd', 'mse')
    before = critic.get_weights()
    with pytest.warns(UserWarning, match='if it is meant for another model alone, as in a GAN, ignore this warning'):
        critic.fit(X, X[:, :1], nb_epoch=1, verbose=0)
    trained = critic.get_weights()
    both.fit(X[:, :2], X[:, :1], nb_epoch=1, verbose=0)
    critic.fit(X, X[:, :1], nb_epoch=1, verbose=0)      # which is told once
    assert not np.array_equal(trained['critic/W'], before['critic/W']) and not np.array_equal(critic.get_weights()['critic/W'], trained['critic/W'])


def test_labels_with_a_fraction_as_advised():
    said = of(lambda: classes(loss='sparse_categorical_crossentropy').fit(X[:3], np.array([0, .5, 1])))
    assert said.endswith('y: expected integers, received numbers with a fraction. Round them, or use a loss whose targets are real.')
    net(Dense(1), loss='mse').fit(X[:3], np.array([[0], [.5], [1]]), verbose=0)
