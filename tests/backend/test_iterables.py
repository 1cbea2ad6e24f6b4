"""Training on batches that an iterable gives, on arrays on the disk, and with weights of classes."""
import os
import signal
import threading
import time

import numpy as np
import pytest

from keraflow import backend as B
from keraflow.callbacks import Callback
from keraflow.data.prefetch import Prefetch
from keraflow.errors import ArgumentError, ArgumentTypeError, DataError, KeraFlowError
from keraflow.layers import Dense, Input
from keraflow.models import Model
from keraflow.optimizers import SGD

RNG = np.random.default_rng(8)
X = RNG.normal(size=(7, 3)).astype('float32')
Y = RNG.normal(size=(7, 2)).astype('float32')
W = np.array([0.5, 0, 3, 0, 0, 1, 2])
START = {'y/W': RNG.normal(size=(3, 2)).astype('float32'), 'y/b': np.zeros(2, 'float32')}


@pytest.fixture(autouse=True)
def no_thread_is_left():
    yield
    assert [one.name for one in threading.enumerate() if one.name == 'keraflow-prefetch'] == []


def linear(loss='mse', activation='linear', metrics=('mae',), **kwargs):
    x = Input(3, name='x', **kwargs)
    model = Model(x, Dense(2, name='y', activation=activation)(x), name='m')
    model.compile(SGD(lr=0.1), loss, metrics=list(metrics))
    model.set_weights(START)
    return model


def batches(size=3, *arrays):
    arrays = arrays or (X, Y)
    for start in range(0, len(arrays[0]), size):
        yield tuple(array[start:start + size] for array in arrays)


class Again:
    """Can be gone through any number of times."""

    def __init__(self, *args):
        self.args = args
        self.nb_begun = 0

    def __iter__(self):
        self.nb_begun += 1
        return batches(*self.args)


class Numbered:
    """Has its batches by number."""

    def __len__(self):
        return 3

    def __getitem__(self, number):
        return list(batches())[number]


def same_weights(one, other):
    return all(np.allclose(array, other.get_weights()[name], atol=1e-6) for name, array in one.get_weights().items())


# -- the same numbers as from arrays ------------------------------------------------------------------------------------

@pytest.mark.parametrize('data', [Again(), batches, Numbered(), Numbered, lambda: list(batches()), lambda: ([x.tolist(), y] for x, y in batches()),
                                  lambda: (({'x': x}, {'y': y}) for x, y in batches())])
def test_batches_of_an_iterable_train_as_those_of_arrays(data):
    model, other = linear(), linear()
    history = model.fit(data, nb_epoch=3, verbose=0, validation_data=data)
    expected = other.fit(X, Y, batch_size=3, nb_epoch=3, shuffle=False, verbose=0, validation_data=(X, Y))
    assert [list(logs) for logs in history] == [['loss', 'mae', 'val_loss', 'val_mae']] * 3
    assert np.allclose([list(logs.values()) for logs in history], [list(logs.values()) for logs in expected], rtol=1e-5)
    assert same_weights(model, other)


def test_evaluate_and_predict_take_iterables_too():
    model = linear()
    expected = X @ START['y/W']
    assert np.allclose(model.predict(x for x, _ in batches()), expected, atol=1e-5)
    assert np.allclose(model.predict(lambda: (x for x, _ in batches())), expected, atol=1e-5)
    for data in (batches(), batches, Again()):
        found = model.evaluate(data)
        assert np.isclose(found['loss'], np.mean((expected - Y) ** 2), rtol=1e-5)
        assert np.isclose(found['mae'], np.mean(np.abs(expected - Y)), rtol=1e-5)

    def endless():
        while True:
            yield from batches()

    assert np.isclose(model.evaluate(endless(), nb_batch=3)['loss'], np.mean((expected - Y) ** 2), rtol=1e-5)
    assert model.predict((x for x, _ in endless()), nb_batch=4).shape == (10, 2)


class Ahead:
    """Ten batches of several sizes, one with weights, and an event once the thread has read all of them."""

    def __init__(self):
        self.is_read = threading.Event()

    def __iter__(self):
        for number, size in enumerate([2, 2, 2, 1, 2, 2, 1, 1, 2, 2]):
            part = slice(0, size) if number % 2 else slice(3, 3 + size)
            yield (X[part], Y[part], W[part]) if number == 4 else (X[part], Y[part])
        self.is_read.set()


class Follows(Callback):
    def on_batch_end(self, batch, logs):
        pass


def test_batches_that_wait_train_in_few_calls_as_one_by_one(monkeypatch):
    take, nb_taken, data = Prefetch._take, [], Ahead()

    def take_all(self):
        assert data.is_read.wait(10)
        some, follows = take(self)
        nb_taken.append(len(some))
        return some, follows
    model, other = linear(), linear()
    expected = other.fit(data, nb_epoch=1, callbacks=[Follows()], verbose=0)
    data.is_read.clear()
    monkeypatch.setattr(Prefetch, '_take', take_all)
    assert model.fit(data, nb_epoch=1, verbose=0) == expected
    assert nb_taken[0] == 10
    for name, array in model.get_weights().items():
        np.testing.assert_array_equal(array, other.get_weights()[name])


def test_each_batch_may_have_weights():
    model, other = linear(), linear()
    history = model.fit(lambda: batches(3, X, Y, W), nb_epoch=2, verbose=0)
    expected = other.fit(X, Y, sample_weights=W, batch_size=3, nb_epoch=2, shuffle=False, verbose=0)
    assert np.allclose([logs['loss'] for logs in history], [logs['loss'] for logs in expected], rtol=1e-5)
    assert same_weights(model, other)
    errors = np.mean((X @ START['y/W'] - Y) ** 2, axis=1)
    assert np.isclose(linear().evaluate(batches(2, X, Y, W))['loss'], np.sum(errors * W) / 4, rtol=1e-5)


def test_an_epoch_of_so_many_batches_goes_on_where_the_last_one_ended():
    seen = []

    class Watch(Callback):
        def on_batch_end(self, batch, logs):
            seen.append((batch, logs['size'], round(logs['loss'], 4)))

    def losses_of(data, nb_epoch, nb_batch):
        seen.clear()
        model = linear()
        model.optimizer.lr = 1e-12
        assert len(model.fit(data, nb_epoch=nb_epoch, nb_batch=nb_batch, verbose=0, callbacks=[Watch()])) == nb_epoch
        return list(seen)

    each = np.mean((X @ START['y/W'] - Y) ** 2, axis=1)
    three = [(3, round(float(each[:3].mean()), 3)), (3, round(float(each[3:6].mean()), 3)), (1, round(float(each[6]), 3))]
    for data in (Again(), batches, (it for _ in range(9) for it in batches())):
        found = losses_of(data, 4, 2)
        assert [batch for batch, _, _ in found] == [0, 1] * 4
        assert [size for _, size, _ in found] == [size for size, _ in (three * 3)[:8]]
        assert np.allclose([loss for _, _, loss in found], [loss for _, loss in (three * 3)[:8]], atol=2e-3)
    again = Again()
    losses_of(again, 2, 3)
    assert again.nb_begun == 2
    generator = (it for _ in range(9) for it in batches())
    losses_of(generator, 1, 2)
    assert len(next(generator)[0]) == 1         # as many as were wanted were taken, and it is still open


def test_the_share_of_the_time_spent_waiting_is_reported(capsys):
    def slow():
        for batch in batches():
            time.sleep(0.05)
            yield batch

    def slow_step(self, batch, logs):
        time.sleep(0.05)

    model, seen = linear(), []
    model.fit(batches, nb_epoch=1, verbose=0)   # compiles

    class Watch(Callback):
        def on_epoch_end(self, epoch, logs):
            seen.append(logs['data_wait'])

    waits = model.fit(slow, nb_epoch=2, callbacks=[Watch()])
    assert waits.data_wait == seen and all(0 < wait < 1 for wait in seen)
    assert all('data_wait' not in logs for logs in waits)
    assert capsys.readouterr().out.splitlines()[0].endswith(f'  data_wait {seen[0]:.0%}')
    slow_steps = model.fit(batches, nb_epoch=1, verbose=0, callbacks=[type('Slow', (Callback,), {'on_batch_end': slow_step})()])
    assert slow_steps.data_wait[0] < min(seen)


# -- ends ---------------------------------------------------------------------------------------------------------------

def endless(closed):
    try:
        while True:
            yield from batches()
    finally:
        closed.append(True)


def test_stopping_early_leaves_no_thread_and_closes_what_was_begun():
    closed, model = [], linear()

    class Stops(Callback):
        def on_batch_end(self, batch, logs):
            self.model.stop_training = batch == 4

    assert len(model.fit(lambda: endless(closed), nb_epoch=3, verbose=0, callbacks=[Stops()])) == 1
    assert closed == [True]
    mine = endless(closed)
    model.fit(mine, nb_epoch=2, nb_batch=2, verbose=0)
    assert closed == [True] and next(mine)
    mine.close()


def test_an_error_in_the_data_reaches_the_caller_with_its_own_traceback():
    def broken_data():
        yield from batches()
        raise OSError('the disk is gone')

    model, other = linear(), linear()
    for use in (lambda: model.fit(broken_data, nb_epoch=2, verbose=0), lambda: model.evaluate(broken_data()),
                lambda: linear().fit(X, Y, nb_epoch=1, verbose=0, validation_data=broken_data)):
        with pytest.raises(OSError, match='the disk is gone') as caught:
            use()
        assert caught.traceback[-1].name == 'broken_data' and caught.traceback[-1].path.name == 'test_iterables.py'
    other.fit(X, Y, batch_size=3, nb_epoch=1, shuffle=False, verbose=0)
    assert same_weights(model, other)           # those of the last complete batch


def test_ctrl_c_in_the_data_and_while_waiting_for_it(capsys):
    def interrupted():
        yield from batches()
        raise KeyboardInterrupt

    model, other = linear(), linear()
    assert model.fit(interrupted, nb_epoch=2) == []
    assert capsys.readouterr().out.splitlines()[-1] == 'Interrupted after 0 complete epoch(s).'
    other.fit(X, Y, batch_size=3, nb_epoch=1, shuffle=False, verbose=0)
    assert same_weights(model, other)
    stands, pressed = threading.Event(), threading.Event()

    def stuck():
        yield from batches()
        stands.set()
        pressed.wait()
        yield from batches()

    def press():
        stands.wait()
        time.sleep(0.1)             # fit waits for the next batch
        os.kill(os.getpid(), signal.SIGINT)
        pressed.set()

    presser = threading.Thread(target=press)
    presser.start()
    assert linear().fit(stuck, nb_epoch=1, verbose=0) == []
    presser.join()


def test_another_ctrl_c_leaves_data_behind_that_never_come():
    waits, released = threading.Event(), threading.Event()

    def never():
        yield from batches()
        waits.set()
        released.wait(60)

    def press():
        waits.wait()
        for _ in range(2):      # fit waits for the next batch, and then for the thread
            time.sleep(0.2)
            os.kill(os.getpid(), signal.SIGINT)

    presser = threading.Thread(target=press)
    presser.start()
    try:
        assert linear().fit(never, nb_epoch=1, verbose=0) == []
        assert not released.is_set()
    finally:
        released.set()
        presser.join()
        while any(one.name == 'keraflow-prefetch' for one in threading.enumerate()):
            time.sleep(0.01)        # after an interrupted join another one returns at once


def test_validation_data_that_is_an_iterable_is_gone_through_after_each_epoch():
    again = Again()
    history = linear().fit(X, Y, nb_epoch=3, verbose=0, validation_data=again)
    assert again.nb_begun == 3 and len(history.column('val_loss')) == 3
    assert len(linear().fit(X, Y, nb_epoch=1, verbose=0, validation_data=batches())) == 1


# -- arrays on the disk -------------------------------------------------------------------------------------------------

def mapped(folder, **arrays):
    for name, array in arrays.items():
        np.save(folder / f'{name}.npy', array)
    return [np.load(folder / f'{name}.npy', mmap_mode='r') for name in arrays]


@pytest.mark.parametrize('dtype', ['float32', 'float64', '>f4', 'float16'])
def test_arrays_on_the_disk_train_as_those_in_memory(dtype, tmp_path):
    x, y = X.astype(dtype), Y.astype(dtype)
    on_disk = mapped(tmp_path, x=x, y=y, w=W)
    logs, models = [], []
    for data, weights in ((on_disk[:2], on_disk[2]), ((x, y), W)):
        model = linear()
        B.seed(3)
        logs.append(model.fit(*data, sample_weights=weights, batch_size=3, nb_epoch=3, verbose=0, validation_split=0.3))
        logs[-1].append(model.evaluate(*data, batch_size=2))
        models.append(model)
    assert np.allclose([list(one.values()) for one in logs[0][:3]], [list(one.values()) for one in logs[1][:3]], rtol=1e-5)
    assert logs[0][3] == pytest.approx(logs[1][3], rel=1e-5)
    assert same_weights(*models)
    assert np.array_equal(models[0].predict(on_disk[0]), models[0].predict(x))


def test_an_array_on_the_disk_is_never_read_whole(tmp_path):
    # 48 GB that are not there: the file is sparse. All of it as float32 would take 192 GB of memory.
    nb_sample = 2 ** 34
    (tmp_path / 'x.dat').touch()
    os.truncate(tmp_path / 'x.dat', nb_sample * 3)
    x, y = (np.memmap(tmp_path / 'x.dat', 'uint8', 'r', shape=(nb_sample, width)) for width in (3, 2))
    model, losses = linear(), []

    class Stops(Callback):
        def on_batch_end(self, batch, logs):
            losses.append(logs['loss'])
            self.model.stop_training = batch == 1

    with pytest.raises(DataError):
        model.predict(y)
    model.fit(lambda: ((x[start:start + 2], y[start:start + 2]) for start in range(0, nb_sample, 2)), nb_epoch=1, verbose=0,
              callbacks=[Stops()])
    model.fit(x, y, batch_size=2 ** 18, nb_epoch=1, shuffle=False, verbose=0, callbacks=[Stops()])
    assert losses == [0.] * 4


def test_a_nan_on_the_disk_is_reported_when_it_is_read(tmp_path):
    bad = X.copy()
    bad[5, 1] = np.nan
    (x,) = mapped(tmp_path, x=bad)
    with pytest.raises(DataError) as caught:
        linear().fit(x, Y, batch_size=2, nb_epoch=1, verbose=0)
    assert str(caught.value) == 'm: fit: x: there is a NaN in sample 5. Replace missing values first.'


# -- weights of classes -------------------------------------------------------------------------------------------------

def test_weights_of_classes_are_weights_of_samples(tmp_path):
    classes = np.array([0, 1, 1, 0, 1, 0, 0])
    one_hot, weights = np.eye(2)[classes], np.array([1., 3.])[classes]
    z = X @ START['y/W']
    losses = -np.log(np.exp(z[np.arange(7), classes]) / np.exp(z).sum(axis=1))
    for loss, y in (('categorical_crossentropy', one_hot), ('sparse_categorical_crossentropy', classes)):
        given = {'x': X, 'y': y, 'batch_size': 3, 'shuffle': False}
        for data in (given, {**given, **dict(zip('xy', mapped(tmp_path, x=X, y=y)))}, {'x': lambda: batches(3, X, y)}):
            for more in (np.ones(7), W):
                if callable(data['x']):
                    data = {'x': lambda: batches(3, X, y, more)}
                else:
                    data = {**data, 'sample_weights': more}
                model = linear(loss, 'softmax', ())
                model.optimizer.lr = 1e-12
                logs = model.fit(**data, nb_epoch=1, verbose=0, class_weight={1: 3.})[0]
                assert np.isclose(logs['loss'], np.sum(losses * weights * more) / np.count_nonzero(weights * more), rtol=1e-4)
    model = linear('categorical_crossentropy', 'softmax', ())
    model.optimizer.lr = 1e-12
    logs = model.fit(X, one_hot, nb_epoch=1, verbose=0, class_weight={1: 3.}, validation_data=(X, one_hot))[0]
    assert np.isclose(logs['loss'], np.mean(losses * weights), rtol=1e-4)
    assert np.isclose(logs['val_loss'], np.mean(losses), rtol=1e-4)


# -- mistakes -----------------------------------------------------------------------------------------------------------

def nothing():
    return iter(())


MISTAKES = [
    (lambda: linear().fit(batches()), ArgumentError, 'm: fit: expected batches for 10 epochs, received the generator batches, which can be '
     'gone through once. Pass the function batches itself, which is called for each epoch, or nb_batch, the number of batches in an epoch.'),
    (lambda: linear().fit(zip([X], [Y]), nb_epoch=2), ArgumentError, 'm: fit: expected batches for 2 epochs, received an iterator, which can '
     'be gone through once. Pass a function that returns it, which is called for each epoch, or nb_batch, the number of batches in an '
     'epoch.'),
    (lambda: linear().fit(X, Y, nb_epoch=2, validation_data=batches()), ArgumentError, 'm: validation_data: expected batches for 2 epochs, '
     'received the generator batches, which can be gone through once. Pass the function batches itself, which is called for each epoch, or '
     'nb_val_batch, the number of batches in an epoch.'),
    (lambda: linear().fit(list(batches())), ArgumentTypeError, 'm: fit: x: expected arrays, received a list of tuples. Write lambda: batches '
     'if these are batches (x, y).'),
    (lambda: linear().fit(batches, Y), ArgumentTypeError, 'm: fit: expected no y beside an iterable as x, which gives whole batches (x, y) '
     'or (x, y, sample_weights), received an array of shape (7, 2).'),
    (lambda: linear().fit(batches, batch_size=3), ArgumentTypeError, 'm: fit: expected no batch_size beside an iterable as x, which gives '
     'whole batches (x, y) or (x, y, sample_weights), received 3.'),
    (lambda: linear().fit(batches, validation_split=0.3), ArgumentTypeError, 'm: fit: expected no validation_split beside an iterable as x, '
     'which gives whole batches (x, y) or (x, y, sample_weights), received 0.3.'),
    (lambda: linear().predict(nothing, batch_size=3), ArgumentTypeError, 'm: predict: expected no batch_size beside an iterable as x, which '
     'gives whole batches x, received 3.'),
    (lambda: linear().fit(X, Y, nb_batch=3), ArgumentTypeError, 'm: fit: expected no nb_batch beside arrays, which batch_size cuts into '
     'batches, received 3.'),
    (lambda: linear().evaluate(X, Y, nb_batch=3), ArgumentTypeError, 'm: evaluate: expected no nb_batch beside arrays, which batch_size '
     'cuts into batches, received 3.'),
    (lambda: linear().fit(batches, nb_batch=0), ArgumentError, 'm: fit: nb_batch: expected an integer of at least 1 or None, received 0.'),
    (lambda: linear().fit(nothing), DataError, 'm: fit: there are no batches.'),
    (lambda: linear().fit(nothing, nb_batch=2), DataError, 'm: fit: there are no batches.'),
    (lambda: linear().fit(batches(), nb_epoch=2, nb_batch=2), DataError, 'm: fit: expected 2 batches, received 1 before the data ended. Pass '
     'a smaller nb_batch.'),
    (lambda: linear().evaluate(batches, nb_batch=4), DataError, 'm: evaluate: expected 4 batches, received 3 before the data ended. Pass a '
     'smaller nb_batch.'),
    (lambda: linear().fit(nothing_at_all, nb_epoch=1), ArgumentTypeError, 'm: fit: expected a function that returns batches, received '
     'function nothing_at_all, which returned None.'),
    (lambda: linear().fit(lambda: iter([X])), ArgumentTypeError, 'm: fit: batch 0: expected (x, y) or (x, y, sample_weights), received an '
     'array of shape (7, 3).'),
    (lambda: linear().fit(lambda: iter([(X, Y), (X, Y, W, W)])), ArgumentTypeError, 'm: fit: batch 1: expected (x, y) or (x, y, '
     'sample_weights), received tuple ' + repr((X, Y, W, W))[:50].replace('\n', '\\n') + '....'),
    (lambda: linear().fit(lambda: iter([(X, Y), (X[:, :2], Y)])), DataError, 'm: fit: batch 1: x: expected an array of shape (None, 3), '
     'received (7, 2).'),
    (lambda: linear().fit(lambda: iter([(X, Y[:3])])), DataError, 'm: fit: batch 0: the arrays have different numbers of samples: x has 7, '
     'target y has 3.'),
    (lambda: linear(batch_size=3).fit(batches), DataError, 'm: fit: batch 2: expected 3 samples, which the Inputs fix, received 1.'),
    (lambda: linear().predict(lambda: iter([X, X[:, 1:]])), DataError, 'm: predict: batch 1: x: expected an array of shape (None, 3), '
     'received (7, 2).'),
    (lambda: linear().fit(X, Y, class_weight={2: 1.}), ArgumentError, 'm: class_weight: expected classes from 0 to 1, received 2.'),
    (lambda: linear().fit(X, Y, class_weight={0: 1.}), DataError, 'm: fit: class_weight: expected a 1 for one class and else 0 in each target, '
     f'received {Y[0].tolist()} in sample 0. Pass sample_weights instead.'),
    (lambda: linear().fit(batches, class_weight={0: 1.}), DataError, 'm: fit: batch 0: class_weight: expected a 1 for one class and else 0 in '
     f'each target, received {Y[0].tolist()} in sample 0. Pass sample_weights instead.'),
]


def nothing_at_all():
    pass


@pytest.mark.parametrize('make, error, text', MISTAKES, ids=[str(number) for number in range(len(MISTAKES))])
def test_a_mistake_is_answered_with_this_text(make, error, text):
    with pytest.raises(KeraFlowError) as caught:
        make()
    assert (type(caught.value), str(caught.value)) == (error, text)
