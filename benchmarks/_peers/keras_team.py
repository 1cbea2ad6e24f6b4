"""The networks in Keras, on the backend that ``KERAS_BACKEND`` names, with whatever Keras does unless it is asked."""
import importlib

import keras
from _hand_written import LR
from keras import layers as of
from keras import ops

from .tasks import DROP_RATE, NB_CLASS, NB_CODE, TASKS


class NormalCode(of.Layer):
    """Draw from normal distributions, and add their divergence from the standard one to the loss."""

    def __init__(self):
        super().__init__()
        self.generator = keras.random.SeedGenerator(0)

    def call(self, inputs, training=False):
        mean, log_variance = inputs
        divergence = 0.5 * ops.sum(ops.exp(log_variance) + ops.square(mean) - 1. - log_variance, axis=1)
        self.add_loss(ops.mean(divergence))
        if not training:
            return mean
        return mean + ops.exp(0.5 * log_variance) * keras.random.normal(ops.shape(mean), seed=self.generator)


def mlp(x):
    for _ in range(2):
        x = of.Dropout(DROP_RATE)(of.Dense(512, 'relu')(x))
    return classes(x)


def cnn(x):
    for _ in range(2):
        x = of.Conv2D(32, 3, activation='relu')(x)
    return classes(of.Dense(128, 'relu')(of.Flatten()(of.MaxPooling2D()(x))))


def lstm(x):
    return classes(of.LSTM(128)(x))


def cifar(x):
    for nb_kernel in 32, 64:
        for _ in range(2):
            x = of.BatchNormalization()(of.Conv2D(nb_kernel, 3, padding='same', activation='relu')(x))
        x = of.Dropout(0.25)(of.MaxPooling2D()(x))
    return classes(of.Dropout(0.5)(of.Dense(256, 'relu')(of.Flatten()(x))))


def residual(x):
    x = of.Conv2D(16, 3, padding='same', activation='relu')(x)
    for nb_kernel, strides in (16, 1), (32, 2), (32, 1), (64, 2):
        h = of.Conv2D(nb_kernel, 3, strides, 'same', use_bias=False)(x)
        h = of.ReLU()(of.BatchNormalization()(h))
        h = of.BatchNormalization()(of.Conv2D(nb_kernel, 3, padding='same', use_bias=False)(h))
        if strides > 1:
            x = of.Conv2D(nb_kernel, 1, strides, use_bias=False)(x)
        x = of.ReLU()(h + x)
    return classes(of.GlobalAveragePooling2D()(x))


def names(x):
    letters = of.Embedding(TASKS['Names'].nb_word, 32, mask_zero=True)(x)
    return classes(of.Dropout(DROP_RATE)(of.Bidirectional(of.LSTM(64))(letters)))


def transformer(x):
    x = of.Conv1D(64, 3, padding='same', activation='relu')(of.Embedding(TASKS['Transformer'].nb_word, 64)(x))
    for _ in range(2):
        h = of.LayerNormalization()(x)
        x = x + of.Dropout(DROP_RATE)(of.MultiHeadAttention(4, 16)(h, h))
        h = of.Dense(128, 'relu')(of.LayerNormalization()(x))
        x = x + of.Dropout(DROP_RATE)(of.Dense(64)(h))
    return classes(of.Dropout(DROP_RATE)(of.GlobalMaxPooling1D()(of.LayerNormalization()(x))))


def rows(x):
    return classes(of.LSTM(64)(of.TimeDistributed(of.LSTM(32))(x)))


def sunspots(x):
    return x[:, -1] + of.Dense(1)(of.GRU(32, recurrent_dropout=DROP_RATE, reset_after=False)(x))


def vae(x):
    h = of.Dense(256, 'relu')(x)
    code = NormalCode()([of.Dense(NB_CODE)(h), of.Dense(NB_CODE)(h)])
    return of.Dense(64, 'sigmoid')(of.Dense(256, 'relu')(code))


def classes(x):
    return of.Dense(NB_CLASS, 'softmax')(x)


NETWORKS = {'MLP': mlp, 'CNN': cnn, 'LSTM': lstm, 'CIFAR': cifar, 'Residual': residual, 'Names': names,
            'Transformer': transformer, 'Rows': rows, 'Sunspots': sunspots, 'VAE': vae}


def library():
    """Return what this runs on."""
    name = keras.backend.backend()
    return f'Keras {keras.__version__}, {name} {importlib.import_module(name).__version__}'


def contestant(task, x, y, batch_size, steps_per_execution=1):
    """Return functions that train an epoch and that predict a sample, and how many numbers are trained."""
    entry = keras.Input(x.shape[1:], dtype='int32' if TASKS[task].nb_word else None)
    model = keras.Model(entry, NETWORKS[task](entry))
    model.compile(keras.optimizers.Adam(LR), TASKS[task].loss, steps_per_execution=steps_per_execution)
    return (lambda seed: model.fit(x, y, batch_size=batch_size, epochs=1, verbose=0).history['loss'][-1],
            lambda: model.predict(x[:1], verbose=0), model.count_params())
