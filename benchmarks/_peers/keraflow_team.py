"""The networks in keraflow, on the backend that ``KERAFLOW_BACKEND`` names."""
import math

import numpy as np
from _hand_written import LR

from keraflow import backend as B
from keraflow.callbacks import Callback
from keraflow.layers import (GRU, LSTM, Activation, BatchNormalization, Bidirectional, Convolution1D, Convolution2D,
                             Dense, Dropout, Embedding, Flatten, GlobalPooling1D, GlobalPooling2D, Input,
                             LayerNormalization, MultiHeadAttention, MultiInputLayer, Pooling2D, TimeDistributed)
from keraflow.models import Model
from keraflow.optimizers import Adam

from .tasks import DROP_RATE, NB_CLASS, NB_CODE, TASKS

#: More than training waits for before it compiles.
NB_STEP_EXPECTED = 1000


class StopAfterOneEpoch(Callback):
    def on_epoch_end(self, epoch, logs):
        self.model.stop_training = True


class NormalCode(MultiInputLayer):
    """Draw from normal distributions, and add their divergence from the standard one to the loss."""

    def output(self, inputs):
        mean, log_variance = inputs
        divergence = 0.5 * B.sum(B.exp(log_variance) + B.square(mean) - 1. - log_variance, axis=1)
        self.add_loss(B.mean(divergence), inputs=inputs)
        noise = B.random_normal(B.shape(mean))
        return B.in_train_phase(lambda: mean + B.exp(0.5 * log_variance) * noise, mean)

    def output_shape(self, input_shape):
        return input_shape[0]


def mlp(x):
    for _ in range(2):
        x = Dropout(DROP_RATE)(Dense(512, activation='relu')(x))
    return classes(x)


def cnn(x):
    for _ in range(2):
        x = Convolution2D(32, 3, 3, activation='relu')(x)
    return classes(Dense(128, activation='relu')(Flatten()(Pooling2D('max')(x))))


def lstm(x):
    return classes(LSTM(128, inner_activation='sigmoid')(x))


def cifar(x):
    for nb_kernel in 32, 64:
        for _ in range(2):
            x = BatchNormalization()(Convolution2D(nb_kernel, 3, 3, pad='same', activation='relu')(x))
        x = Dropout(0.25)(Pooling2D('max')(x))
    return classes(Dropout(0.5)(Dense(256, activation='relu')(Flatten()(x))))


def residual(x):
    x = Convolution2D(16, 3, 3, pad='same', activation='relu')(x)
    for nb_kernel, strides in (16, 1), (32, 2), (32, 1), (64, 2):
        h = Convolution2D(nb_kernel, 3, 3, strides=strides, pad='same', bias=False)(x)
        h = Activation('relu')(BatchNormalization()(h))
        h = BatchNormalization()(Convolution2D(nb_kernel, 3, 3, pad='same', bias=False)(h))
        if strides > 1:
            x = Convolution2D(nb_kernel, 1, 1, strides=strides, bias=False)(x)
        x = Activation('relu')(h + x)
    return classes(GlobalPooling2D('avg')(x))


def names(x):
    return classes(Dropout(DROP_RATE)(Bidirectional(LSTM(64))(Embedding(TASKS['Names'].nb_word, 32)(x))))


def transformer(x):
    x = Convolution1D(64, 3, pad='same', activation='relu')(Embedding(TASKS['Transformer'].nb_word, 64)(x))
    for _ in range(2):
        x = x + Dropout(DROP_RATE)(MultiHeadAttention(4, 16)(LayerNormalization()(x)))
        h = TimeDistributed(Dense(128, activation='relu'))(LayerNormalization()(x))
        x = x + Dropout(DROP_RATE)(TimeDistributed(Dense(64))(h))
    return classes(Dropout(DROP_RATE)(GlobalPooling1D('max')(LayerNormalization()(x))))


def rows(x):
    return classes(LSTM(64)(TimeDistributed(LSTM(32))(x)))


def sunspots(x):
    return x[:, -1] + Dense(1)(GRU(32, drop_rate_U=DROP_RATE)(x))


def vae(x):
    h = Dense(256, activation='relu')(x)
    code = NormalCode()([Dense(NB_CODE)(h), Dense(NB_CODE)(h)])
    return Dense(64, activation='sigmoid')(Dense(256, activation='relu')(code))


def classes(x):
    return Dense(NB_CLASS, activation='softmax')(x)


NETWORKS = {'MLP': mlp, 'CNN': cnn, 'LSTM': lstm, 'CIFAR': cifar, 'Residual': residual, 'Names': names,
            'Transformer': transformer, 'Rows': rows, 'Sunspots': sunspots, 'VAE': vae}
#: Images have their channels first, keraflow's default.
IMAGES = ('CNN', 'CIFAR', 'Residual')


def library():
    """Return what this runs on."""
    return f'{B.name()} {B.version()}'


def contestant(task, x, y, batch_size):
    """Return functions that train an epoch and that predict a sample, and how many numbers are trained."""
    if task in IMAGES:
        x = np.moveaxis(x, -1, 1).copy()
    options = {'dtype': 'int32', 'mask_value': 0 if task == 'Names' else None} if TASKS[task].nb_word else {}
    entry = Input(x.shape[1:], **options)
    model = Model(entry, NETWORKS[task](entry))
    model.compile(Adam(LR), TASKS[task].loss)
    # Training chooses how it runs by the number of steps that it expects: as for a program that takes many.
    model.fit(x, y, batch_size=batch_size, nb_epoch=NB_STEP_EXPECTED, verbose=0, callbacks=[StopAfterOneEpoch()])
    return (lambda seed: model.fit(x, y, batch_size=batch_size, nb_epoch=1, verbose=0)[-1]['loss'],
            lambda: model.predict(x[:1]), sum(math.prod(it.shape) for it in model.get_weights().values()))
