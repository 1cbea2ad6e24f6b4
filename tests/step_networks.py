"""Small networks of which a test counts what a step is made of."""
from keraflow.layers import LSTM, BatchNormalization, Convolution2D, Dense, Dropout, Flatten, Input
from keraflow.models import Sequential

__all__ = ['build_step']

#: By name: the layers before the classifier, and the shape of a sample.
NETWORKS = {
    'MLP': (lambda: [Dense(8, activation='relu'), Dropout(0.2)], (6,)),
    'CNN': (lambda: [Convolution2D(4, 3, 3, activation='relu'), BatchNormalization(), Flatten()], (1, 8, 8)),
    'LSTM': (lambda: [LSTM(8)], (5, 6)),
}

#: The size of its batches.
SIZE = 4


def build_step(network, nb_step=0, mask_value=None):
    """Build the loop that trains a network by the kernels of its library, for as many steps, and return it."""
    layers, shape = NETWORKS[network]
    model = Sequential([Input(shape, mask_value=mask_value), *layers(), Dense(3, activation='softmax')])
    model.compile('adam', 'categorical_crossentropy', metrics=['acc'], execution='plain')
    loop = model._functions.train_loop((0,)).latest
    loop.prepare(nb_step)
    loop.build(SIZE)
    return loop
