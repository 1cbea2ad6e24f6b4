"""A model whose weights count its steps, and epochs of which a test says what they report."""
import numpy as np

from keraflow.errors import KeraFlowWarning
from keraflow.layers import Dense, Input
from keraflow.models import Model
from keraflow.optimizers import SGD
from keraflow.training.totals import Meter

__all__ = ['X', 'Y', 'compile_with', 'counting', 'fit', 'lost', 'said', 'says', 'told', 'weight']

X, Y = np.ones((4, 1), 'float32'), np.zeros((4, 1), 'float32')


def counting(lr=1.):
    """Training takes ``lr`` off each of the two weights in each batch, and the loss is the prediction."""
    x = Input(1, name='x')
    model = Model(x, Dense(1, name='y', init='zero')(x), name='m')
    model.compile(SGD(lr=lr), lambda y_pred, y_true: y_pred - y_true)
    return model


def weight(model):
    return model.get_weights()['y/W'].item()


def fit(model, *callbacks, nb_epoch=5, **kwargs):
    return model.fit(X, Y, batch_size=4, nb_epoch=nb_epoch, verbose=0, callbacks=list(callbacks), **kwargs)


class Says(Meter):
    """Reads a number of the test's choice for each epoch in the place of what was computed."""

    def __init__(self, read, meter, name, values):
        super().__init__(read, meter._nothing)
        self.name, self.values = name, values

    def logs(self):
        return {**super().logs(), self.name: next(self.values)}


def says(model, name, values):
    """Let `fit` report these values of the epochs."""
    functions, rest = model._functions, iter(values)
    meter = functions.meter
    functions.meter = lambda: Says(functions.read, meter(), name, rest)
    return model


def said(callback, values, model=None, name='loss', *others):
    """How a callback sees these values of the epochs; the history."""
    return fit(says(model or counting(), name, values), callback, *others, nb_epoch=len(values))


def told(caught):
    """The texts of keraflow's own warnings."""
    return [str(one.message) for one in caught if one.category is KeraFlowWarning]


def lost(value, epoch=2):
    return (f'm: fit: the loss of epoch {epoch} is {value}, and the weights may be lost. The callback TerminateOnNaN ends training '
            'there, with those of before the epoch. Try a lower learning rate, or clipnorm.')


def compile_with(model, *metrics, **kwargs):
    model.compile(SGD(lr=1.), lambda y_pred, y_true: y_pred - y_true, metrics=list(metrics), **kwargs)
    return model
