"""Numbers that a model cannot hold, or that are hardly meant, wherever a program gives numbers to it."""
import functools
import warnings

import numpy as np
import pytest

from keraflow import TrainStep
from keraflow import backend as B
from keraflow.errors import ArgumentError, DataError, KeraFlowError, KeraFlowWarning, ShapeError
from keraflow.layers import Dense, Embedding, Flatten, Input
from keraflow.models import Model
from keraflow.objectives import huber
from keraflow.optimizers import SGD

X, Y = np.ones((4, 3), 'float32'), np.ones((4, 2), 'float32')
INF, NAN = float('inf'), float('nan')


def model(loss='mse', units=2):
    x = Input(3, name='x')
    made = Model(x, Dense(units, init='zero', name='y', activation='softmax' if 'categorical' in str(loss) else 'linear')(x), name='m')
    made.compile(SGD(lr=1e-30), loss)
    return made


def changed(array, value, at=(2, 1), dtype=None):
    found = np.array(array, dtype or np.asarray(value).dtype)
    found[at[:found.ndim]] = value
    return found


def mapped(tmp_path, array):
    path = tmp_path / 'array.npy'
    np.save(path, array)
    return np.load(path, mmap_mode='r')


#: How a program gives arrays: whole, on the disk, in batches, by name.
WAYS = {
    'whole': lambda m, x, y, path: m.evaluate(x, y),
    'fit': lambda m, x, y, path: m.fit(x, y, nb_epoch=1, verbose=0),
    'validation': lambda m, x, y, path: m.fit(X, Y, nb_epoch=1, verbose=0, validation_data=(x, y)),
    'a batch': lambda m, x, y, path: m.evaluate(lambda: iter([(x, y)])),
    'lists': lambda m, x, y, path: m.evaluate({'x': x.tolist()}, [y]),
    'on the disk': lambda m, x, y, path: m.evaluate(mapped(path, x), y),
}


def refused(kind, text, act, *args):
    with pytest.raises(kind) as caught:
        act(*args)
    assert str(caught.value).endswith(text), str(caught.value)


@pytest.mark.parametrize('way', WAYS)
def test_integers_that_the_dtype_does_not_have(way, tmp_path):
    wrong = changed(X, 2 ** 24 + 1, dtype='int64')
    refused(DataError, 'x: expected integers that float32 can hold, received 16777217 in sample 2, which would be 16777216. Write '
            ".astype('float32') if they may be rounded.", WAYS[way], model(), wrong, Y, tmp_path)
    WAYS[way](model(), wrong.astype('float32'), Y, tmp_path)                    # the advice
    WAYS[way](model(), changed(X, 2 ** 24, dtype='int64'), Y, tmp_path)         # the largest of which it has all
    WAYS[way](model(), changed(X, -2 ** 25, dtype='int64'), Y, tmp_path)        # it has this one, too


@pytest.mark.parametrize('dtype, value', [('int32', -2 ** 24 - 1), ('uint32', 2 ** 32 - 1), ('int64', 2 ** 63 - 1), ('uint64', 2 ** 64 - 1),
                                          ('int64', -2 ** 53 - 1)])
def test_integers_of_all_dtypes_as_inputs_targets_and_weights(dtype, value):
    for act in (lambda: model().evaluate(changed(X, value, dtype=dtype), Y), lambda: model().evaluate(X, changed(Y, value, dtype=dtype)),
                lambda: model().predict(changed(X, value, dtype=dtype)),
                lambda: model().evaluate(X, Y, sample_weights=changed(np.ones(4), value, dtype=dtype)),
                lambda: TrainStep(lambda x: B.mean(step(x)), Input(3, name='x'), step, 'sgd')(changed(X, value, dtype=dtype))):
        step = model()
        refused(DataError, ".astype('float32') if they may be rounded.", act)


def test_integers_in_float64():
    B.set_floatx('float64')
    assert model().evaluate(changed(X, 2 ** 24 + 1, dtype='int64'), changed(Y, 2 ** 53, dtype='int64'))['loss'] > 0
    for value in (2 ** 53 + 1, 2 ** 63 - 1):
        refused(DataError, ".astype('float64') if they may be rounded.", model().predict, changed(X, value, dtype='int64'))


def test_small_integers_are_taken():
    for dtype in ('bool', 'int8', 'uint8', 'int16', 'uint16'):
        top = True if dtype == 'bool' else np.iinfo(dtype).max
        assert model().predict(np.full((4, 3), top, dtype)).shape == (4, 2)


@pytest.mark.parametrize('way', WAYS)
def test_reals_that_are_too_large(way, tmp_path):
    wrong = changed(X, 1e39, dtype='float64')
    refused(DataError, 'x: expected numbers that float32 can hold, received 1e+39 in sample 2. Scale them.', WAYS[way], model(), wrong, Y, tmp_path)
    assert np.isfinite(model().predict(np.full((4, 3), 3e38))).all()            # their sum is too large, they are not
    with warnings.catch_warnings():
        warnings.simplefilter('error', RuntimeWarning)
        refused(DataError, 'Scale them.', model().evaluate, X, changed(Y, -1e300, dtype='float64'))
    refused(DataError, 'Scale them.', functools.partial(model().evaluate, X, Y, sample_weights=changed(np.ones(4), 1e39, dtype='float64')))
    B.set_floatx('float64')
    assert np.isfinite(model().predict(wrong)).all()


@pytest.mark.parametrize('value', [INF, -INF])
def test_infinite_targets_and_weights(value, tmp_path):
    text = 'there is an infinite value in sample 2. Replace such values first.'
    for y in (changed(Y, value), changed(Y, value, dtype='float32'), mapped(tmp_path, changed(Y, value))):
        refused(DataError, f'm: evaluate: y: {text}', model().evaluate, X, y)
        refused(DataError, f'm: evaluate: batch 0: y: {text}', model().evaluate, lambda: iter([(X, y)]))
    refused(DataError, f'm: fit: sample_weights: {text}',
            functools.partial(model().fit, X, Y, verbose=0, sample_weights=changed(np.ones(4), value)))
    refused(DataError, f'm: fit: batch 0: sample_weights: y: {text}',
            functools.partial(model().fit, lambda: iter([(X, Y, {'y': changed(np.ones(4), value)})]), verbose=0))
    refused(DataError, 'there is a NaN in sample 2. Replace missing values first.', model().evaluate, X, changed(Y, NAN))


def told(act, about=''):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter('always')
        act()
    return [str(one.message) for one in found if issubclass(one.category, KeraFlowWarning) and about in str(one.message)]


def test_infinite_inputs_are_told_once_with_row_and_column(tmp_path):
    wrong = changed(changed(X, INF), -INF, (3, 0))
    text = 'there is an infinite value in sample 2, column 1, which usually leads to NaN.'
    assert told(lambda: model().predict(wrong)) == [f'm: predict: {text}'.replace('predict:', 'predict: x:')]
    assert told(lambda: model().fit(wrong, Y, nb_epoch=3, verbose=0, on_nan='ignore'), 'infinite') == [f'm: fit: x: {text}']
    assert told(lambda: model().fit(lambda: iter([(X, Y), (wrong, Y), (wrong, Y)]), nb_epoch=2, verbose=0, on_nan='ignore'), 'infinite') == [
        f'm: fit: batch 1: x: {text}']
    on_disk = mapped(tmp_path, np.concatenate([X, wrong]))
    assert told(lambda: model().predict(on_disk, batch_size=2)) == [f'm: predict: x: {text}'.replace('sample 2', 'sample 6')]
    x = Input((2, 2), name='x')
    deep = Model(x, Dense(1)(Flatten()(x)), name='m')
    assert told(lambda: deep.predict(np.array([[[0, 1], [INF, 2]]]))) == [
        'm: predict: x: there is an infinite value in sample 0, at [1, 0], which usually leads to NaN.']


def test_numbers_of_words_and_classes():
    ids = Input(2, dtype='int32', name='ids')
    embedded = Model(ids, Flatten()(Embedding(5, 2)(ids)), name='m')
    for value in (2 ** 31, -2 ** 40, INF, 1e300):
        refused(DataError, f'expected values that int32 can hold, received {value}.', embedded.predict, np.array([[0, value]]))
    refused(DataError, 'expected integers, received numbers with a fraction. Round them, or make the Input real.', embedded.predict, [[0.5, 1]])
    refused(DataError, 'there is a NaN in sample 0. Replace missing values first.', embedded.predict, [[NAN, 1]])
    refused(DataError, 'received 8589934592 in sample 3. The output needs a unit for each class.',
            model('sparse_categorical_crossentropy').evaluate, X, np.array([0, 1, 0, 2 ** 33]))


def test_weights_of_classes():
    refused(ArgumentError, 'm: class_weight: expected weights that float32 can hold, received 1e+39.',
            functools.partial(model('sparse_categorical_crossentropy').fit, X, [0, 1, 0, 1], class_weight={1: 1e39}))


# -- what can be computed with and is hardly meant ------------------------------------------------------------------------

def test_weights_that_are_all_0_or_negative():
    for method, act in (('fit', lambda w: model().fit(X, Y, verbose=0, sample_weights=w)), ('evaluate', lambda w: model().evaluate(X, Y, sample_weights=w)),
                        ('validation_data', lambda w: model().fit(X, Y, verbose=0, validation_data=(X, Y, w)))):
        refused(DataError, f'm: {method}: expected a sample that counts, received weights that are all 0.', act, np.zeros(4))
    weights = [1., -2., 1., -1.]
    assert told(lambda: model().fit(X, Y, nb_epoch=2, batch_size=1, verbose=0, sample_weights=weights)) == [
        'm: fit: sample_weights: there is a negative weight in sample 1: training moves away from its target.']
    batches = [(X, Y, weights)] * 3
    assert told(lambda: model().fit(lambda: iter(batches), nb_epoch=2, verbose=0)) == [
        'm: fit: batch 0: sample_weights: there is a negative weight in sample 1: training moves away from its target.']
    assert told(lambda: model().evaluate(lambda: iter([(X, Y, np.zeros(4)), (X, Y, np.ones(4))]))) == []
    sparse = model('sparse_categorical_crossentropy')
    assert told(lambda: sparse.fit(X, [0, 1, 0, 1], nb_epoch=2, batch_size=1, verbose=0, class_weight={1: -0.5, 0: 2.})) == [
        'm: class_weight: there is a negative weight for class 1: training moves away from its samples.']


ONE_HOT = np.eye(2)[[0, 1, 1, 0]]
TOGETHER = "For classes that may be true together there is the loss 'binary_crossentropy'."


@pytest.mark.parametrize('y, text', [
    ([[1, 0], [1, 1], [0, 1], [0, 0]], f'received the sum 2 in sample 1. {TOGETHER}'),
    ([[1, 0], [0, 0], [0, 1], [1, 1]], f'received the sum 0 in sample 1. {TOGETHER}'),
    ([[1, 0], [0, 1], [0.5, 0.4], [0, 1]], f'received the sum 0.9 in sample 2. {TOGETHER}'),
    (ONE_HOT, None), (ONE_HOT * 0.9 + 0.05, None), (ONE_HOT * 0.8 + [0.1, 0.1], None), (np.full((4, 2), 0.5, 'float16'), None)])
def test_distributions(y, text):
    y = np.asarray(y)
    expected = [] if text is None else [f'm: fit: y: expected probabilities that sum to 1 over the classes, {text}']
    for loss in ('categorical_crossentropy', ['categorical_crossentropy']):
        assert told(lambda: model(loss).fit(X, y, nb_epoch=2, batch_size=2, verbose=0)) == expected
    expected = [one.replace('fit: ', 'fit: batch 1: ') for one in expected]
    assert told(lambda: model('categorical_crossentropy').fit(lambda: iter([(X, ONE_HOT), (X, y), (X, y)]), nb_epoch=2, verbose=0)) == expected


@pytest.mark.parametrize('loss, y, text', [
    ('binary_crossentropy', [1, 2, 1, 2], 'expected 0 and 1, or probabilities between them, received 2 in sample 1. Number two classes by 0 and 1.'),
    ('binary_crossentropy', [1, -1, 1, 1], 'expected 0 and 1, or probabilities between them, received -1 in sample 1. Number two classes by 0 and 1.'),
    ('binary_crossentropy', [0, 1, 0.25, 1], None),
    ('hinge', [1, 0, 1, 1], 'expected -1 and 1, received 0 and 1: 0 in sample 1. Write 2 * y - 1.'),
    ('squared_hinge', [0, 0, 0, 1], 'expected -1 and 1, received 0 and 1: 0 in sample 0. Write 2 * y - 1.'),
    ('hinge', [1, -1, 1, -1], None), ('hinge', [1, 1, 1, 1], None), ('mse', [1, 2, 0, -5], None)])
def test_labels_of_two_classes(loss, y, text):
    y = np.array(y)[:, None]
    assert told(lambda: model(loss, 1).fit(X, y, nb_epoch=2, batch_size=2, verbose=0)) == ([] if text is None else [f'm: fit: y: {text}'])
    if 'hinge' in loss and text:        # the advice
        assert told(lambda: model(loss, 1).fit(X, 2 * y - 1, nb_epoch=1, verbose=0)) == []


# -- a loss of another length ---------------------------------------------------------------------------------------------

def of_features(y_pred, y_true):
    return B.mean(B.square(y_pred - y_true), axis=0)


def of_one_more(y_pred, y_true):
    error = B.sum(B.square(y_pred - y_true), -1)
    return B.concatenate([error, error[:1]], 0)


def of_all(y_true, y_pred):
    return B.expand_dims(B.mean(B.square(y_pred - y_true)), 0)


def of_parts(y_pred, y_true, at=0):
    return B.flatten(B.square(y_pred - y_true))


@pytest.mark.parametrize('loss', [of_features, of_one_more, of_all, of_parts])
@pytest.mark.parametrize('as_metric', [False, True])
def test_a_loss_that_is_no_value_for_each_sample(loss, as_metric):
    made = model()
    made.compile('sgd', 'mse' if as_metric else loss, metrics=[loss] if as_metric else None)
    for act in (made.evaluate, functools.partial(made.fit, nb_epoch=1, verbose=0)):
        with pytest.raises(KeraFlowError) as caught:
            act(X[:3], Y[:3])
        assert isinstance(caught.value, (ShapeError, DataError))
        assert str(caught.value) == (f'{loss.__name__}: expected a value for each sample, received another number of values. An objective keeps '
                                     'the sample axis; the model takes the mean.')


def test_losses_that_have_one_are_taken():
    for loss in (lambda y_pred, y_true: B.sum(B.square(y_pred - y_true), -1), lambda y_pred, y_true: B.square(y_pred - y_true),
                 functools.partial(huber, delta=2.)):
        assert np.isfinite(model(loss).evaluate(X, Y)['loss'])
