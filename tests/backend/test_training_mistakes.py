"""Mistakes in compiling and in data are answered with advice, in the same words on every backend."""
from functools import partial

import numpy as np
import pytest
from mistakes import X, Y, check, plain

from keraflow import backend as B
from keraflow import metrics, regularizers
from keraflow.errors import ArgumentError, ArgumentTypeError, DataError, GraphError, ShapeError
from keraflow.layers import Dense, Input, Lambda
from keraflow.models import Model

NAN = np.where(np.arange(12).reshape(4, 3) == 7, np.nan, 1.)


def ready(*args, **kwargs):
    model = plain(*args, **kwargs)
    model.compile('sgd', 'mse')
    return model


def two():
    a, b = Input(3, name='a'), Input(3, name='b')
    return Model([a, b], [Dense(2, name='p')(a), Dense(2, name='q')(b)], name='m')


def two_ready():
    model = two()
    model.compile('sgd', ['mse', 'mse'])
    return model


def named(name):
    plain().compile('sgd', 'mse', metrics=[metrics.Average('mae', name=name)])


def run_loss_without_return():
    model = plain()
    model.compile('sgd', lambda y_pred, y_true: None)
    model.evaluate(X, Y)


def predict_other_lengths():
    x = Input((None, 3), name='x')
    Model(x, x * 2, name='m').predict(iter([np.ones((2, 4, 3)), np.ones((2, 5, 3))]))


def predict_a_sum():
    x = Input(3, name='x')
    Model(x, Lambda(B.sum, name='sum')(x), name='m').predict(X)


def bits():
    x = Input(3, dtype='bool', name='x')
    return Model(x, Lambda(lambda x: x)(x), name='m')


def run_scalar_loss():
    def total(y_pred, y_true):
        return B.sum(y_pred - y_true)
    model = plain()
    model.compile('sgd', total)
    model.evaluate(X, Y)


def integers():
    x = Input(3, dtype='int32', name='x')
    return Model(x, Lambda(lambda x: x * 2)(x), name='m')


COMPILING = [
    (lambda: plain().fit(X, Y), GraphError,
     'm: fit needs an optimizer and a loss. Call compile(optimizer=..., loss=...) first.'),
    (lambda: plain().evaluate(X, Y), GraphError,
     'm: evaluate needs an optimizer and a loss. Call compile(optimizer=..., loss=...) first.'),
    (lambda: plain().compile('adm', 'mse'), ArgumentError, "m: optimizer: there is no optimizer 'adm'. Did you mean 'adam'?"),
    (lambda: plain().compile(3, 'mse'), ArgumentTypeError,
     'm: optimizer: expected an optimizer (a name, a function or an object), received 3.'),
    (lambda: plain().compile('sgd', 'categorical_crosentropy'), ArgumentError,
     "m: loss: there is no objective 'categorical_crosentropy'. Did you mean 'categorical_crossentropy'?"),
    (lambda: plain().compile('sgd', regularizers.L1()), ArgumentTypeError,
     'm: loss: expected an objective (a name, a function or an object), received L1(l1=0.01).'),
    (lambda: plain().compile('sgd', 'mse', metrics=['acuracy']), ArgumentError,
     "m: metrics: there is no metric 'acuracy'. Did you mean 'accuracy'?"),
    (lambda: two().compile('sgd', 'mse'), ArgumentError, 'm: loss: expected one for each output (p, q), received 1.'),
    (lambda: two().compile('sgd', {'p': 'mse', 'q1': 'mse'}), ArgumentError, "m: loss: there is no 'q1'. Did you mean 'q'?"),
    (lambda: two().compile('sgd', ['mse'] * 3), ArgumentError, 'm: loss: expected at most 2 (p, q), received 3.'),
    (lambda: two().compile('sgd', ['mse', 'mse'], metrics='mae'), ArgumentTypeError,
     "m: metrics: expected a dict by name or a list in the order p, q, received 'mae'."),
    (lambda: two().compile('sgd', ['mse', 'mse'], metrics=['mae']), ArgumentError,
     'm: metrics: expected one (or a list, or None) for each output (p, q), received 1.'),
    *((partial(named, name), ArgumentError, f"m: metrics: '{name}' already has another meaning in the logs. Write for example "
       'Average(objective, name=...) or AUC(name=...).') for name in ('epoch', 'size', 'lr', 'data_wait', 'val_loss')),
    (run_loss_without_return, ArgumentTypeError, '<lambda>: expected a tensor, received None. Does it end with return?'),
    (lambda: plain().compile('sgd', 'mse', metric='mae'), ArgumentTypeError,
     "m: compile: there is no argument 'metric'. Did you mean 'metrics'?"),
    (run_scalar_loss, ShapeError, 'total: expected a value for each sample, received a scalar. An objective keeps the sample axis; '
     'the model takes the mean.'),
]

DATA = [
    (lambda: two_ready().fit([X], [Y, Y]), DataError, 'm: fit: x: expected 2 array(s) (a, b), received 1: b missing.'),
    (lambda: two_ready().fit(X, [Y, Y]), DataError, 'm: fit: x: expected 2 array(s) (a, b), received 1: b missing.'),
    (lambda: two_ready().fit([X, X], {'q': Y}), DataError, 'm: fit: y: expected 2 array(s) (p, q), received 1: p missing.'),
    (lambda: two_ready().fit([X, X, X], [Y, Y]), ArgumentError, 'm: fit: x: expected at most 2 (a, b), received 3.'),
    (lambda: two_ready().fit({'a': X, 'bb': X}, [Y, Y]), ArgumentError, "m: fit: x: there is no 'bb'. Did you mean 'b'?"),
    (lambda: plain().predict(None), DataError, 'm: predict: expected 1 array(s) (x), received 0: x missing.'),
    (lambda: ready().fit(X, Y[:3]), DataError,
     'm: fit: the arrays have different numbers of samples: x has 4, target y has 3.'),
    (lambda: two_ready().predict([X, X[:2]]), DataError,
     'm: predict: the arrays have different numbers of samples: a has 4, b has 2.'),
    (lambda: ready(1).fit(X, np.ones(4)), DataError,
     'm: fit: y: expected an array of shape (None, 1), received (4,). Write .reshape(-1, 1).'),
    (lambda: ready(1).evaluate(X, np.ones(4)), DataError,
     'm: evaluate: y: expected an array of shape (None, 1), received (4,). Write .reshape(-1, 1).'),
    (lambda: ready(2).fit(X, np.ones((4, 1))), DataError, 'm: fit: y: expected an array of shape (None, 2), received (4, 1).'),
    (lambda: ready(3).fit(X, [0, 2, 1, 1]), DataError, 'm: fit: y: expected an array of shape (None, 3), received (4,). If they are '
     "class indices, use the loss 'sparse_categorical_crossentropy', or to_categorical(y, 3) of keraflow.utils."),
    (lambda: ready(3).evaluate(X, np.ones((4, 1), int)), DataError, 'm: evaluate: y: expected an array of shape (None, 3), received '
     "(4, 1). If they are class indices, use the loss 'sparse_categorical_crossentropy', or to_categorical(y, 3) of keraflow.utils."),
    (lambda: plain().predict(np.ones((4, 1), int)), DataError,
     'm: predict: x: expected an array of shape (None, 3), received (4, 1).'),
    (lambda: plain().predict(np.ones(3)), DataError, 'm: predict: x: expected an array of shape (None, 3), received (3,). The first '
     'axis is for the samples: for one sample write array[None].'),
    (lambda: plain().predict(np.ones((4, 5))), DataError,
     'm: predict: x: expected an array of shape (None, 3), received (4, 5).'),
    (lambda: plain().predict([[1, 2, 3], [1, 2]]), DataError,
     'm: predict: x: expected samples of one shape, received some of different shapes. Pad them to one length.'),
    (lambda: plain().predict(np.array([['a', 'b', 'c']])), DataError,
     'm: predict: x: expected numbers, received an array of dtype <U1. Turn it into numbers first.'),
    (lambda: integers().predict(X / 2), DataError,
     'm: predict: x: expected integers, received numbers with a fraction. Round them, or make the Input real.'),
    (lambda: ready().fit(NAN, Y), DataError, 'm: fit: x: there is a NaN in sample 2. Replace missing values first.'),
    (lambda: ready().fit(X, NAN[:, :2]), DataError, 'm: fit: y: there is a NaN in sample 2. Replace missing values first.'),
    (lambda: ready().fit(X[:0], Y[:0]), DataError, 'm: fit: x: there are no samples.'),
    (lambda: ready().fit([], []), DataError, 'm: fit: x: expected 1 array(s) (x), received 0: x missing.'),
    (lambda: ready().fit(X, Y, batch_size=0), ArgumentError, 'm: fit: batch_size: expected an integer of at least 1 or None, received 0.'),
    (lambda: plain().predict(X, batch_size=1.5), ArgumentTypeError,
     'm: predict: batch_size: expected an integer of at least 1 or None, received 1.5.'),
    (lambda: ready().fit(X, Y, nb_epoch=-1), ArgumentError, 'm: fit: nb_epoch: expected an integer of at least 0, received -1.'),
    (lambda: ready().fit(X, Y, epochs=3), ArgumentTypeError, "m: fit: there is no argument 'epochs'. Did you mean 'nb_epoch'?"),
    (lambda: ready().fit(X, Y, sample_weight=1), ArgumentTypeError,
     "m: fit: there is no argument 'sample_weight'. Did you mean 'sample_weights'?"),
    (lambda: ready().fit(X, Y, sample_weights=np.ones(3)), DataError,
     'm: fit: sample_weights: expected an array of shape (4,), received (3,).'),
    (lambda: ready().fit(X, Y, sample_weights=NAN[:, 1]), DataError,
     'm: fit: sample_weights: there is a NaN in sample 2. Replace missing values first.'),
    (lambda: ready().fit(X, Y, validation_split=1), ArgumentError,
     'm: fit: validation_split: expected a number of at least 0 and below 1, received 1.'),
    (lambda: ready().fit(X, Y, validation_split='0.5'), ArgumentTypeError,
     "m: fit: validation_split: expected a number of at least 0 and below 1, received '0.5'."),
    (lambda: ready().fit(X, Y, validation_split=0.99), DataError,
     'm: validation_split=0.99 of 4 sample(s) leaves none for one of the parts.'),
    (lambda: ready().fit(X, Y, validation_data=X), ArgumentTypeError,
     'm: validation_data: expected (x, y) or (x, y, sample_weights), received an array of shape (4, 3).'),
    (lambda: ready().fit(X, Y, validation_data=(X, Y[:2])), DataError,
     'm: validation_data: the arrays have different numbers of samples: x has 4, target y has 2.'),
    (lambda: ready().fit(X, Y, callbacks=3), ArgumentTypeError, 'm: fit: callbacks: expected a list (a callback each), received 3.'),
    (lambda: ready().fit(X, Y, callbacks=[print]), ArgumentTypeError,
     'm: fit: callbacks: expected a list (a callback each), received [<built-in function print>].'),
    (lambda: plain(batch_size=2).predict(X, batch_size=3), ArgumentError,
     'm: batch_size: the Inputs fix it to 2, received 3. Leave it out.'),
    (lambda: plain(batch_size=2).predict(X[:3]), DataError,
     'm: 3 samples do not fill batches of 2, which the Inputs fix. Use 2 of them.'),
    (lambda: plain(batch_size=8).predict(X), DataError, 'm: 4 samples do not fill batches of 8, which the Inputs fix. Use more.'),
    (lambda: integers().predict(np.full((1, 3), 2 ** 32 + 1)), DataError,
     'm: predict: x: expected values that int32 can hold, received 4294967297.'),
    (lambda: integers().predict(np.full((1, 3), np.inf)), DataError,
     'm: predict: x: expected values that int32 can hold, received inf.'),
    (lambda: bits().predict(np.full((1, 3), 2)), DataError, 'm: predict: x: expected values that bool can hold, received 2.'),
    (lambda: plain().predict(Dense(3, name='d')(Input(3))), ArgumentTypeError,
     'm: predict: expected a dict by name or a list in the order x, received <Kensor d/output (None, 3) float32>.'),
    (lambda: plain().predict(Input(3, name='i')), ArgumentTypeError,
     'm: predict: expected a dict by name or a list in the order x, received <Input i>.'),
    (lambda: plain().predict([Input(3, name='i')]), DataError,
     'm: predict: x: expected numbers, received an array of dtype object. Turn it into numbers first.'),
    (predict_other_lengths, DataError, 'm: predict: the batches gave samples of the shapes (4, 3), (5, 3), which cannot be concatenated. '
     'Predict the batches one by one.'),
    (predict_a_sum, GraphError, "m: predict: the output 'sum/output' is a scalar, which has no axis of samples."),
]


@pytest.mark.parametrize('table', [COMPILING, DATA], ids=['compiling', 'data'])
def test_a_mistake_is_answered_with_this_text(table):
    check(table)


def test_a_target_is_never_broadcast_against_the_output():
    model = ready(1)
    weights = model.get_weights()
    for y in (np.ones(4), np.ones((4, 4)), np.ones((1, 1)), np.ones((4, 1, 1)), np.ones(())):
        with pytest.raises(DataError):
            model.fit(X, y, verbose=0)
    assert all(np.array_equal(weights[name], array) for name, array in model.get_weights().items())
