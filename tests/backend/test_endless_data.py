"""Data that never end: the number of batches is said, or asked for."""
import itertools

import numpy as np
import pytest

from keraflow.errors import ArgumentError, ArgumentTypeError, DataError
from keraflow.layers import Dense, Input
from keraflow.models import Model
from keraflow.optimizers import SGD

X, Y = np.ones((4, 1), 'float32'), np.ones((4, 1), 'float32')
BATCH = (X, Y)


def model():
    x = Input(1, name='x')
    made = Model(x, Dense(1, name='y', init='zero')(x), name='m')
    made.compile(SGD(lr=1e-30), 'mse')
    return made


def numbered():
    """Batches whose loss is their number, squared."""
    for number in itertools.count():
        yield X, Y * number


class Endless:
    def __iter__(self):
        return numbered()


class EndlessOfALength(Endless):
    def __len__(self):
        return 1100


class Iterator:
    """No generator, but an iterator."""

    def __iter__(self):
        return self

    def __next__(self):
        return BATCH


TOLD = 'm: validation_data: expected batches that end, received more than {}. Pass nb_val_batch, the number of batches of each validation.'


@pytest.mark.parametrize('data, most', [(numbered, 1000), (numbered(), 1000), (Endless(), 1000), (Endless, 1000), (Iterator(), 1000),
                                        (EndlessOfALength(), 1100), (lambda: (batch for batch in numbered()), 1000)],
                         ids=['a function', 'a generator', 'an object', 'a class', 'an iterator', 'with a length', 'a function of another'])
@pytest.mark.parametrize('trained', ['arrays', 'batches'])
def test_a_validation_that_does_not_end_is_reported(data, most, trained):
    given = {'x': X, 'y': Y} if trained == 'arrays' else {'x': numbered(), 'nb_batch': 3}
    with pytest.raises(DataError) as caught:
        model().fit(**given, nb_epoch=1, verbose=0, validation_data=data)
    assert str(caught.value) == TOLD.format(most)


@pytest.mark.parametrize('data, received', [
    (itertools.cycle([BATCH]), 'an object of class cycle'), (lambda: itertools.cycle([BATCH]), 'an object of class cycle'),
    (itertools.count(), 'count(0)'), (itertools.repeat(1), 'repeat(1)')])
def test_what_is_known_never_to_end_is_refused_at_once(data, received):
    refused(data, received)


class Dataset:
    """As those of other libraries that say how many batches there are: -1 for no end, -2 if it is not known."""

    def __init__(self, nb_batch):
        self.nb_batch = nb_batch

    def cardinality(self):
        return np.int64(self.nb_batch)

    def __iter__(self):
        return itertools.repeat(BATCH) if self.nb_batch == -1 else iter([BATCH] * 2)


def forever():
    return itertools.cycle([BATCH])


@pytest.mark.parametrize('make, kind', [
    (lambda: map(lambda batch: batch, forever()), 'map'), (lambda: zip(itertools.repeat(X), itertools.cycle([Y])), 'zip'),
    (lambda: filter(None, forever()), 'filter'), (lambda: map(lambda number, batch: batch, itertools.count(), forever()), 'map'),
    (lambda: (batch for _, batch in enumerate(forever())), 'generator'), (lambda: (it for it in (it for it in forever())), 'generator'),
    (lambda: Dataset(-1), 'Dataset')])
def test_what_goes_through_something_endless_is_refused_too(make, kind):
    for data in (make(), make):
        refused(data, f'an object of class {kind}')


@pytest.mark.parametrize('make', [
    lambda: map(lambda batch: batch, [BATCH]), lambda: zip(itertools.repeat(X), [Y]), lambda: zip([X], itertools.cycle([Y])),
    lambda: (batch for batch in [BATCH]), lambda: map(lambda number, batch: batch, itertools.count(), iter([BATCH])),
    lambda: itertools.islice(forever(), 2), lambda: itertools.repeat(BATCH, 2), lambda: Dataset(2), lambda: Dataset(-2),
    lambda: (batch for batch in itertools.islice(forever(), 2))])
def test_what_goes_through_something_that_ends_is_taken(make):
    for data in (make(), make):
        assert model().evaluate(data)['loss'] == 1.


def test_a_zip_of_nothing_is_not_endless():
    with pytest.raises(DataError, match='there are no batches'):
        model().evaluate(zip())


def refused(data, received):
    for act, name, argument in ((lambda it: it.fit(X, Y, nb_epoch=1, verbose=0, validation_data=data), 'validation_data', 'nb_val_batch'),
                                (lambda it: it.fit(data, nb_epoch=1, verbose=0), 'fit', 'nb_batch'),
                                (lambda it: it.evaluate(data), 'evaluate', 'nb_batch'), (lambda it: it.predict(data), 'predict', 'nb_batch')):
        with pytest.raises(ArgumentError) as caught:
            act(model())
        assert str(caught.value) == (f'm: {name}: expected batches that end, received {received}. '
                                     f'Pass {argument}, the number of batches in an epoch.')


@pytest.mark.parametrize('data', [itertools.cycle([BATCH]), itertools.repeat(BATCH), numbered, numbered(), Endless(), EndlessOfALength(), Iterator()])
def test_the_advice_works(data):
    history = model().fit(X, Y, nb_epoch=3, verbose=0, validation_data=data, nb_val_batch=4)
    assert len(history.column('val_loss')) == 3


def test_each_validation_begins_anew_but_that_of_a_generator_goes_on():
    squares = [float(np.mean(np.arange(first, first + 3) ** 2)) for first in (0, 3)]
    for data in (numbered, Endless(), Endless):
        found = model().fit(X, Y, nb_epoch=2, verbose=0, validation_data=data, nb_val_batch=3).column('val_loss')
        assert found == [squares[0]] * 2 == [model().evaluate(data, nb_batch=3)['loss']] * 2
    assert model().fit(X, Y, nb_epoch=2, verbose=0, validation_data=numbered(), nb_val_batch=3).column('val_loss') == squares


def test_a_long_validation_that_ends():
    def long(nb_batch):
        return lambda: itertools.repeat(BATCH, nb_batch)

    class Long:
        def __len__(self):
            return 1005

        def __getitem__(self, number):
            return BATCH
    assert model().fit(X, Y, nb_epoch=1, verbose=0, validation_data=long(1000))[0]['val_loss'] == 1
    assert model().fit(X, Y, nb_epoch=1, verbose=0, validation_data=Long())[0]['val_loss'] == 1
    assert model().fit(long(101), nb_epoch=1, verbose=0, validation_data=long(1005))[0]['val_loss'] == 1


def test_mistakes():
    for act, kind, text in [
            (lambda: model().fit(X, Y, verbose=0, validation_data=lambda: iter([BATCH] * 2), nb_val_batch=3), DataError,
             'm: validation_data: expected 3 batches, received 2 before the data ended. Pass a smaller nb_val_batch.'),
            (lambda: model().fit(X, Y, verbose=0, validation_data=BATCH, nb_val_batch=3), ArgumentTypeError,
             'm: validation_data: expected no nb_val_batch beside arrays, which batch_size cuts into batches, received 3.'),
            (lambda: model().fit(X, Y, verbose=0, validation_split=0.5, nb_val_batch=3), ArgumentTypeError,
             'm: validation_data: expected no nb_val_batch beside arrays, which batch_size cuts into batches, received 3.'),
            (lambda: model().fit(X, Y, validation_steps=3), ArgumentTypeError,
             "m: fit: there is no argument 'validation_steps'. Did you mean 'nb_val_batch'?"),
            (lambda: model().fit(X, Y, nb_val_batch=0), ArgumentError,
             'm: fit: nb_val_batch: expected an integer of at least 1 or None, received 0.')]:
        with pytest.raises(kind) as caught:
            act()
        assert str(caught.value) == text
