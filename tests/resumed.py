"""Trainings that are ended and resumed: what they are made of, and what must be the same afterwards."""
import hashlib
import json

import numpy as np

import keraflow
from keraflow import backend as B
from keraflow.callbacks import (Callback, CSVLogger, EarlyStopping, LearningRateScheduler, ReduceLROnPlateau,
                                TerminateOnNaN)
from keraflow.layers import BatchNormalization, Dense, Dropout, Input
from keraflow.models import Sequential
from keraflow.optimizers import SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, Ftrl, Nadam, RMSprop
from keraflow.preprocessing.flows import ArrayFlow
from keraflow.schedules import ExponentialDecay, InverseTimeDecay

__all__ = ['DATA', 'NB_BATCH', 'NB_EPOCH', 'OPTIMIZERS', 'Died', 'Dies', 'Saves', 'Watch', 'callbacks', 'fit', 'made', 'result',
           'uninterrupted']

rng = np.random.default_rng(5)
X, Y = rng.normal(size=(15, 3)).astype('float32'), rng.normal(size=(15, 2)).astype('float32')
WEIGHTS = rng.uniform(0.5, 2, size=15).astype('float32')
#: Batches of 4, of which the last has 3 samples.
NB_EPOCH, NB_BATCH, SIZE = 4, 4, 4

OPTIMIZERS = {
    'SGD': lambda: SGD(0.1), 'momentum': lambda: SGD(0.05, momentum=0.9, nesterov=True, clipnorm=1.),
    'decay': lambda: SGD(ExponentialDecay(0.1, 0.9)), 'schedule': lambda: Adam(InverseTimeDecay(0.05, 0.1)), 'RMSprop': RMSprop,
    'Adagrad': Adagrad, 'Adadelta': Adadelta, 'Adam': lambda: Adam(0.05), 'Adamax': Adamax, 'AdamW': AdamW, 'Nadam': Nadam, 'Ftrl': Ftrl}


def made(optimizer='Adam', is_small=False, **kwargs):
    """A model that draws, keeps statistics, and reports a metric; or one that is compiled faster."""
    layers = [Dense(5, activation='tanh', regularizers={'W': 'l2'}), Dropout(0.4), BatchNormalization()]
    model = Sequential([Input(3), *([Dropout(0.4)] if is_small else layers), Dense(2)], name='m')
    model.compile(OPTIMIZERS[optimizer](), 'mse', metrics=['mae'], **kwargs)
    return model


# -- data ---------------------------------------------------------------------------------------------------------------

def batches():
    for start in range(0, 15, SIZE):
        yield X[start:start + SIZE], Y[start:start + SIZE]


class Numbered:
    """Batches by number."""

    def __len__(self):
        return NB_BATCH

    def __getitem__(self, number):
        return X[number * SIZE:][:SIZE], Y[number * SIZE:][:SIZE]


class Shuffling(Numbered):
    """Draws another order after each epoch, and says what it draws from."""

    def __init__(self):
        self.rng = np.random.default_rng(3)
        self.order = np.arange(15)

    def __getitem__(self, number):
        chosen = self.order[number * SIZE:][:SIZE]
        return X[chosen], Y[chosen]

    def on_epoch_end(self):
        self.order = self.rng.permutation(15)

    def get_state(self):
        return {'rng': self.rng.bit_generator.state, 'order': self.order}

    def set_state(self, state):
        self.rng.bit_generator.state, self.order = state['rng'], state['order']


def endless():
    while True:
        yield from batches()


def flow(seed=None):
    pictures = X[:, :, None, None]
    inner = ArrayFlow(pictures, Y, lambda image, draws: image + draws.normal(size=image.shape).astype('float32'), SIZE, True, seed)

    class Flat:
        """A flow of images as one of vectors."""
        get_state, set_state = inner.get_state, inner.set_state

        def __iter__(self):
            return ((x[:, :, 0, 0], y) for x, y in inner)
    return Flat()


def on_disk(folder):
    np.save(folder / 'X.npy', X)
    return np.load(folder / 'X.npy', mmap_mode='r')


#: Arguments of `fit` by the kind of data, from a folder.
DATA = {
    'arrays': lambda _: {'x': X, 'y': Y, 'batch_size': SIZE, 'validation_split': 0.},
    'in order': lambda _: {'x': X, 'y': Y, 'batch_size': SIZE, 'shuffle': False},
    'weighted': lambda _: {'x': X, 'y': Y, 'batch_size': SIZE, 'sample_weights': WEIGHTS,
                           'validation_data': (X[:9], Y[:9], WEIGHTS[:9])},
    'validated': lambda _: {'x': X, 'y': Y, 'batch_size': SIZE, 'validation_data': (X[:9], Y[:9])},
    'on disk': lambda folder: {'x': on_disk(folder), 'y': Y, 'batch_size': SIZE},
    'a function': lambda _: {'x': batches, 'validation_data': batches},
    'a part of a function': lambda _: {'x': batches, 'nb_batch': NB_BATCH - 1, 'validation_data': batches, 'nb_val_batch': 2},
    'a generator': lambda _: {'x': endless(), 'nb_batch': NB_BATCH, 'validation_data': endless(), 'nb_val_batch': 3},
    'by number': lambda _: {'x': Numbered(), 'validation_data': Numbered()},
    'with a state': lambda _: {'x': Shuffling(), 'validation_data': (X, Y)},
    'a flow': lambda _: {'x': flow(), 'validation_data': flow(3)},
}


# -- callbacks ----------------------------------------------------------------------------------------------------------

class Watch(Callback):
    """A callback of a program, which does not say what its state is; it has no hook for batches."""

    def __init__(self, scale=0.9):
        self.scale = scale
        self.seen = []
        self.sums = {}

    def on_train_begin(self, logs):
        self.count = 0

    def on_epoch_end(self, epoch, logs):
        self.count += 1
        self.seen.append((epoch, logs['loss']))
        self.sums[epoch] = np.float32(sum(loss for _, loss in self.seen))


class Steps(Watch):
    """It has hooks for batches, so that these run one by one, and says what its state is."""

    def on_train_begin(self, logs):
        self.seen, self.losses = [], []

    def on_batch_begin(self, batch, logs):
        self.seen.append((batch, logs['size']))

    def on_batch_end(self, batch, logs):
        self.losses.append(logs['loss'])

    def get_state(self):
        return [self.seen, self.losses, self.sums]

    def set_state(self, state):
        self.seen, self.losses, self.sums = state

    def on_epoch_end(self, epoch, logs):
        self.sums[epoch] = logs['mae']


def callbacks(optimizer, folder, is_validated, by_batch=False):
    """What changes the course of a training, and what remembers it."""
    monitor = 'val_loss' if is_validated else 'loss'
    with_rate = [] if optimizer in ('decay', 'schedule') else [
        LearningRateScheduler(halving), ReduceLROnPlateau(monitor, factor=0.5, patience=1, cooldown=1)]
    return [EarlyStopping(monitor, patience=2, restore_best_weights=True), *with_rate, Watch(), CSVLogger(folder / 'log.csv'),
            *([Steps(), TerminateOnNaN()] if by_batch else [])]


def halving(epoch):
    return 0.1 * 0.5 ** epoch


class Died(Exception):
    """In the place of a kill."""


class Dies(Callback):
    """Ends the program after as many hooks of some kind."""

    def __init__(self, hook='on_batch_end', when=None):
        self._when, self._count = when, 0
        setattr(self, hook, self._called)

    def _called(self, *args):
        self._count += 1
        if self._count == self._when:
            raise Died

    def get_state(self):
        return None

    def set_state(self, state):
        pass


class Saves(Callback):
    """Saves the training in one hook."""

    def __init__(self, path, hook, when):
        self.hook, self._path, self._when, self._count = hook, path, when, 0
        setattr(self, hook, self._called)

    def _called(self, *args):
        self._count += 1
        if self._count == self._when:
            self.model.save_training(self._path)

    get_state, set_state = Dies.get_state, Dies.set_state


# -- a run --------------------------------------------------------------------------------------------------------------

def fit(model, data, folder, optimizer='Adam', by_batch=False, more=(), nb_epoch=NB_EPOCH, **kwargs):
    """Train; return the history and the callbacks."""
    arguments = DATA[data](folder)
    is_validated = bool(arguments.get('validation_data'))
    watching = callbacks(optimizer, folder, is_validated, by_batch)
    return model.fit(nb_epoch=nb_epoch, verbose=0, callbacks=[*watching, *more], **arguments, **kwargs), watching


def result(model, history, watching, folder):
    """What must be the same to the last bit: weights, slots, history, callbacks, random numbers, the log."""
    arrays = {name: B.get_value(variable) for name, variable in model.training_variables().items()}
    found = {name: hashlib.sha256(np.ascontiguousarray(one).tobytes()).hexdigest()[:16] for name, one in arrays.items()}
    seen = [[type(one).__name__, repr(sorted((name, value) for name, value in vars(one).items()
                                             if name in ('best', 'best_epoch', 'stopped_epoch', 'seen', 'sums', 'losses', 'count',
                                                         '_nb_worse', '_best', '_nb_rest')))] for one in watching]
    stream = model._stream
    return json.loads(json.dumps({
        'arrays': found, 'history': list(history), 'callbacks': seen, 'lr': None if callable(model.optimizer.lr) else model.optimizer.lr,
        'stream': [stream.seed, stream.number, stream.epoch, stream.position], 'log': (folder / 'log.csv').read_text()}))


def uninterrupted(data, folder, optimizer='Adam', by_batch=False, more=(), **kwargs):
    """Make a model with a seed, train it, and return the result."""
    keraflow.seed(1)
    model = made(optimizer, **kwargs)
    return result(model, *fit(model, data, folder, optimizer, by_batch, more), folder)
