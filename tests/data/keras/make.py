"""Make the models of Keras that ``tests/backend/test_import_keras.py`` imports, with what they predict.

Run with Keras 3 (these are of 3.15.1, on TensorFlow 2.17): ``python tests/data/keras/make.py``. Each ``NAME.keras`` has
a ``NAME.safetensors`` beside it: its inputs ``x0``, ``x1``, ... and what it predicts, ``y0``, ``y1``, ....
"""
from pathlib import Path

import keras
import numpy as np
from keras import layers as L
from safetensors.numpy import save_file

FOLDER = Path(__file__).parent


def chain(shape, *chained, dtype='float32'):
    """A Sequential model."""
    return keras.Sequential([keras.Input(shape, dtype=dtype), *chained])


def models(rng):
    """Yield names, models and inputs."""
    def numbers(*shape):
        return rng.uniform(-1, 1, shape).astype('float32')
    yield 'vectors', chain(
        (5,), *(L.Dense(4, activation=name) for name in ('silu', 'leaky_relu', 'relu6', 'gelu', 'selu', 'elu')), L.PReLU(),
        *(L.Dense(3, activation=name, use_bias=False) for name in ('softplus', 'softsign', 'tanh', 'sigmoid', 'log_softmax')),
        L.BatchNormalization(), L.Dense(3, kernel_regularizer='l2', kernel_constraint=keras.constraints.MaxNorm(2.)),
        L.Dropout(0.5), L.GaussianNoise(0.1), L.GaussianDropout(0.1), L.Activation('exponential'), L.Identity(), L.Softmax()
    ), [numbers(4, 5)]
    yield 'images', chain(
        (13, 12, 3), L.Conv2D(4, (3, 2), padding='same', strides=(2, 1), activation='relu'), L.BatchNormalization(scale=False),
        L.SeparableConv2D(4, (3, 2), depth_multiplier=2, padding='same'), L.PReLU(shared_axes=[1, 2]),
        L.MaxPooling2D((2, 3), strides=1), L.SpatialDropout2D(0.1), L.Conv2DTranspose(3, (4, 3), strides=(2, 3), padding='same'),
        L.ZeroPadding2D(((1, 2), (0, 1))), L.Cropping2D(((0, 1), (1, 0))), L.UpSampling2D((2, 1)), L.LeakyReLU(0.1), L.ELU(0.5),
        L.Conv2D(2, 2, dilation_rate=2, activation='softmax'), L.ReLU(6.), L.AveragePooling2D((2, 3), strides=3, padding='same'),
        L.LayerNormalization(center=False), L.Flatten(), L.Dense(3)), [numbers(3, 13, 12, 3)]
    image = keras.Input((5, 4, 2))
    yield 'means', keras.Model(image, L.Concatenate()([
        L.GlobalAveragePooling2D()(image), L.GlobalAveragePooling3D()(L.Reshape((5, 2, 2, 2))(image))])), [numbers(3, 5, 4, 2)]
    yield 'channels_first', chain(
        (3, 7, 6), L.Permute((2, 3, 1)), L.Conv2D(4, 2), L.Permute((3, 1, 2)),
        L.UpSampling2D(2, data_format='channels_first'), L.ZeroPadding2D(1, data_format='channels_first'),
        L.AveragePooling2D(2, strides=1, data_format='channels_first'), L.BatchNormalization(axis=1), L.Activation('softmax'), L.GlobalMaxPooling2D(data_format='channels_first')
    ), [numbers(3, 3, 7, 6)]
    yield 'volumes', chain(
        (6, 5, 4, 2), L.Conv3D(3, (2, 3, 2)), L.MaxPooling3D((2, 1, 2), padding='same'), L.ZeroPadding3D(1),
        L.Cropping3D(((0, 1), (1, 0), (1, 1))), L.UpSampling3D((1, 2, 1)), L.AveragePooling3D(2), L.SpatialDropout3D(0.1),
        L.GlobalMaxPooling3D()), [numbers(2, 6, 5, 4, 2)]
    yield 'series', chain(
        (8, 3), L.Conv1D(4, 3, padding='same', strides=2, use_bias=False), L.ZeroPadding1D((1, 2)), L.Cropping1D((1, 0)),
        L.UpSampling1D(2), L.MaxPooling1D(2), L.Permute((2, 1)), L.Reshape((-1, 2)), L.SpatialDropout1D(0.1),
        L.AveragePooling1D(2), L.GlobalAveragePooling1D(), L.RepeatVector(3), L.TimeDistributed(L.Dense(2, activation='tanh')),
        L.GlobalMaxPooling1D()), [numbers(3, 8, 3)]
    yield 'recurrent', chain(
        (6, 3), L.LSTM(4, return_sequences=True, dropout=0.2), L.GRU(4, reset_after=False, return_sequences=True),
        L.Bidirectional(L.LSTM(3, return_sequences=True)),
        L.Bidirectional(L.GRU(3, reset_after=False, return_sequences=True), merge_mode='sum'),
        L.SimpleRNN(4, return_sequences=True, go_backwards=True, activation='relu'), L.LSTM(3, unroll=True)), [numbers(3, 6, 3)]
    yield 'words', chain((6,), L.Embedding(7, 4, mask_zero=True), L.LSTM(3, return_sequences=True), L.LSTM(2), dtype='int32'), [
        np.array([[1, 2, 0, 3, 0, 0], [4, 5, 6, 1, 2, 3]], 'int32')]
    yield 'masked', chain((6, 3), L.Masking(), L.GRU(3, reset_after=False)), [
        np.concatenate([numbers(3, 4, 3), np.zeros((3, 2, 3), 'float32')], 1)]
    yield 'graph', graph(), [numbers(3, 6, 3), numbers(3, 5)]
    yield 'steps', steps(), [np.concatenate([numbers(3, 4, 3), np.zeros((3, 2, 3), 'float32')], 1)]
    yield 'texts', texts(), [np.array([[1, 2, 3, 0, 0, 0], [4, 4, 1, 2, 3, 0], [6, 5, 4, 3, 2, 1]], 'int32')]


def graph():
    """A model of shared layers, models in models, several outputs, and calls with arguments."""
    x, z = keras.Input((6, 3), name='x'), keras.Input((5,), name='z')
    shared = L.TimeDistributed(L.Dense(3), name='shared')
    a = shared(x)
    b = shared(L.Subtract()([a, x]))
    c = L.Average()([L.Maximum()([a, b, L.Minimum()([a, b])]), a])
    joined = L.Concatenate(axis=1)([L.Multiply()([c, x]), x])
    seen = L.MultiHeadAttention(2, 3)(joined, x)
    causal = L.MultiHeadAttention(2, 4, output_shape=5, use_bias=False)(joined, joined, use_causal_mask=True)
    keyed = L.MultiHeadAttention(1, 2)(joined, x, key=a)
    inner = keras.Sequential([keras.Input((36,)), L.Dense(4, name='d'), L.Dense(5)], name='inner')
    residual = keras.Model(z, L.Add()([z, L.Dense(5, name='d')(z)]), name='residual')
    twice = residual(residual(inner(L.Flatten()(seen))))
    states = L.LSTM(4)(x, initial_state=[L.Dense(4)(z), L.Dense(4)(twice)])
    other = keras.Model(z, L.Add()([z, L.Dense(5, name='d')(z)]), name='other')
    outer = keras.Sequential([keras.Input((5,)), other, keras.Sequential([keras.Input((5,)), L.Dense(3)])])
    return keras.Model([x, z], [twice, causal, keyed, L.Dot(axes=2)([x, a]), L.Dot(axes=1, normalize=True)([z, twice]), states,
                                outer(z), residual(z)])


def steps():
    """A model whose Dense layers are fed series, masked and not, and images; one of them twice."""
    x = keras.Input((6, 3))
    shared = L.Dense(4, activation='softmax', name='shared')
    masked, plain = shared(L.Masking()(x)), shared(x)
    images = L.Dense(2, use_bias=False, kernel_regularizer='l2')(L.Reshape((6, 2, 2))(plain))
    return keras.Model(x, [L.LSTM(3)(masked), L.LayerNormalization()(plain), L.Dense(2)(L.Flatten()(images))])


def texts():
    """A Functional model whose masks are tensors: of an Embedding, passed on, and of a sum."""
    words = keras.Input((6,), dtype='int32')
    rows = L.Embedding(7, 4, mask_zero=True)(words)
    states = L.LSTM(4, return_sequences=True)(rows)
    steps = L.TimeDistributed(L.Dense(3))(L.Dense(4)(states))
    return keras.Model(words, [L.GlobalAveragePooling1D()(states), L.GRU(2, reset_after=False)(L.Add()([states, rows])), L.LSTM(3)(steps),
                               L.SimpleRNN(2)(L.BatchNormalization()(rows))])


def main():
    rng = np.random.default_rng(1)
    for name, model, inputs in models(rng):
        model.set_weights([rng.uniform(0.5 if 'variance' in one.path else -1, 1, one.shape) for one in model.weights])
        outputs = model.predict(inputs if len(inputs) > 1 else inputs[0], verbose=0)
        arrays = {f'x{number}': one for number, one in enumerate(inputs)}
        arrays.update({f'y{number}': np.asarray(one) for number, one in
                       enumerate(outputs if isinstance(outputs, list) else [outputs])})
        model.save(FOLDER / f'{name}.keras')
        save_file(arrays, FOLDER / f'{name}.safetensors')


if __name__ == '__main__':
    main()
