"""Trainings on the GPU give the numbers that they give elsewhere, up to the rounding of the dtype."""
import numpy as np
from on_device import precision, start

from keraflow import backend as B
from keraflow.layers import (LSTM, BatchNormalization, Convolution1D, Convolution2D, Dense, Dropout, Embedding, Flatten,
                             GaussianNoise, GlobalPooling1D, Input, LayerNormalization, MultiHeadAttention, Pooling2D,
                             SpatialDropout1D, TimeDistributed)
from keraflow.models import Model
from keraflow.optimizers import SGD, Adam

NB_CLASS, NB_SAMPLE, BATCH_SIZE, NB_EPOCH = 4, 32, 8, 5


def mlp(x):
    return Dropout(0.3)(Dense(32, activation='relu')(GaussianNoise(0.1)(x)))


def cnn(x):
    x = BatchNormalization()(Convolution2D(8, 3, 3, pad='same', activation='relu')(x))
    return Dropout(0.3)(Flatten()(Convolution2D(8, 3, 3, activation='tanh')(Pooling2D('max')(x))))


def lstm(x):
    return LSTM(16, drop_rate_W=0.2, drop_rate_U=0.3)(SpatialDropout1D(0.2)(x))


def transformer(x):
    x = Convolution1D(16, 3, pad='same', activation='relu')(Embedding(20, 16)(x))
    x = x + Dropout(0.2)(MultiHeadAttention(2, 8)(LayerNormalization()(x)))
    x = x + Dropout(0.2)(TimeDistributed(Dense(16, activation='tanh'))(LayerNormalization()(x)))
    return GlobalPooling1D('avg')(x)


#: With the shape of a sample, and the optimizer.
NETWORKS = {mlp: ((12,), Adam), cnn: ((2, 8, 8), SGD), lstm: ((10, 6), Adam), transformer: ((12,), Adam)}


def trained(network, floatx, backend='jax'):
    """Train 20 steps; return the losses of the epochs, and predictions."""
    start(backend, floatx)
    shape, optimizer = NETWORKS[network]
    dtype = 'int32' if network is transformer else floatx
    rng = np.random.default_rng(0)
    X = (rng.normal(size=(NB_SAMPLE, *shape)) if dtype == floatx else rng.integers(0, 20, (NB_SAMPLE, *shape))).astype(dtype)
    x = Input(shape, dtype=dtype)
    model = Model(x, Dense(NB_CLASS, activation='softmax')(network(x)))
    model.compile(optimizer(0.01), 'categorical_crossentropy')
    history = model.fit(X, np.eye(NB_CLASS)[np.arange(NB_SAMPLE) % NB_CLASS], batch_size=BATCH_SIZE, nb_epoch=NB_EPOCH, verbose=0)
    return history.column('loss'), model.predict(X)


def agree(network, found, expected, tolerance):
    for what, own, there in zip(('losses', 'predictions'), found, expected):
        np.testing.assert_allclose(own, there, rtol=tolerance, atol=tolerance / 10, err_msg=f'{network.__name__}: {what}')


def test_trainings_in_float64_are_those_of_numpy(device):
    for network in NETWORKS:
        agree(network, trained(network, 'float64'), trained(network, 'float64', 'numpy'), 1e-9)


def test_trainings_in_float32_are_those_of_the_processor_where_products_are_in_float32(device):
    for network in NETWORKS:
        with precision('float32'):
            found = trained(network, 'float32')
            with B.device('cpu'):
                agree(network, found, trained(network, 'float32'), 1e-4)
        agree(network, found, trained(network, 'float64', 'numpy'), 1e-4)


def test_trainings_in_float32_learn_the_same_with_the_products_that_jax_chooses(device):
    for network in NETWORKS:
        agree(network, trained(network, 'float32'), trained(network, 'float64', 'numpy'), 0.03)
