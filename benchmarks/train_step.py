"""Time a train step through ``fit``, against a hand-written loop for the same backend.

Both train 784-512-512-10 with Adam on the same NumPy arrays, in the same shuffled batches of 128, from the same
weights; their losses are checked to agree. They take turns, two epochs each, and the table shows the median of the
rounds and of the ratios within a round. Goal: at most 1.10 times the loop. If Keras is installed, its ``fit`` takes
turns, too, for information.
"""
import importlib.util
import os

from _taking_turns import LR, compare, mlp, random_data

from keraflow import backend as B
from keraflow.layers import Dense, Input
from keraflow.models import Sequential

SIZES = (784, 512, 512, 10)
BATCH_SIZE, NB_BATCH, NB_EPOCH = 128, 50, 2


def keras_fit(x, y):
    """Train the same network with Keras, which draws its own weights and shuffles."""
    os.environ['KERAS_BACKEND'] = 'tensorflow'
    import keras
    model = keras.Sequential([keras.Input(SIZES[:1]), *[keras.layers.Dense(size, 'relu') for size in SIZES[1:-1]],
                              keras.layers.Dense(SIZES[-1], 'softmax')])
    model.compile(keras.optimizers.Adam(LR), 'categorical_crossentropy')
    return lambda seed: model.fit(x, y, batch_size=BATCH_SIZE, epochs=NB_EPOCH, verbose=0).history['loss'][-1]


def contest(nb_batch=NB_BATCH):
    """Return the model, its data, and the hand-written network, its weights and its own data, as ``compare`` takes them."""
    x, y = random_data(BATCH_SIZE * nb_batch, SIZES[:1], SIZES[-1])
    model = Sequential([Input(SIZES[0]), *[Dense(size, activation='relu') for size in SIZES[1:-1]],
                        Dense(SIZES[-1], activation='softmax')])
    return model, x, y, (mlp[B.name()], list(model.get_weights().values()), x)


def main():
    contestants = contest()
    has_keras = B.name() == 'tensorflow' and importlib.util.find_spec('keras')
    compare('-'.join(map(str, SIZES)), *contestants, BATCH_SIZE, NB_EPOCH, 15,
            [('Keras fit', keras_fit(*contestants[1:3]))] if has_keras else [])


if __name__ == '__main__':
    main()
