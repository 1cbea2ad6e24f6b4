"""The networks in Keras, on the backend that ``KERAS_BACKEND`` names, with whatever Keras does unless it is asked."""
import importlib

import keras
from _hand_written import LR

from .tasks import DROP_RATE, NB_CLASS

LAYERS = {
    'MLP': lambda of: [keras.Input((784,)), of.Dense(512, 'relu'), of.Dropout(DROP_RATE), of.Dense(512, 'relu'),
                       of.Dropout(DROP_RATE)],
    'CNN': lambda of: [keras.Input((28, 28, 1)), of.Conv2D(32, 3, activation='relu'),
                       of.Conv2D(32, 3, activation='relu'), of.MaxPooling2D(), of.Flatten(), of.Dense(128, 'relu')],
    'LSTM': lambda of: [keras.Input((80, 128)), of.LSTM(128)],
}


def library():
    """Return what this runs on."""
    name = keras.backend.backend()
    return f'Keras {keras.__version__}, {name} {importlib.import_module(name).__version__}'


def contestant(task, x, y, batch_size, steps_per_execution=1):
    """Return functions that train an epoch and that predict a sample, and how many numbers are trained."""
    model = keras.Sequential([*LAYERS[task](keras.layers), keras.layers.Dense(NB_CLASS, 'softmax')])
    model.compile(keras.optimizers.Adam(LR), 'categorical_crossentropy', steps_per_execution=steps_per_execution)
    return (lambda seed: model.fit(x, y, batch_size=batch_size, epochs=1, verbose=0).history['loss'][-1],
            lambda: model.predict(x[:1], verbose=0), model.count_params())
