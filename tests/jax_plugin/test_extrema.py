"""Gradients of extrema of what XLA computes twice, rounded in two ways."""
import numpy as np

from keraflow.layers import Dense, Embedding, GlobalPooling1D, Input, LayerNormalization
from keraflow.models import Sequential


def test_a_maximum_of_what_is_computed_twice_has_a_gradient():
    """Without one that is equal to the maximum, its gradient would be divided by 0."""
    rng = np.random.default_rng(0)
    X = rng.integers(1, 9, (32, 12)).astype('int32')
    for row in X:
        row[rng.integers(1, 12):] = 0
    Y = np.eye(4, dtype='float32')[rng.integers(0, 4, 32)]
    model = Sequential([Input(12, dtype='int32', mask_value=0), Embedding(10, 8), LayerNormalization(), GlobalPooling1D('max'),
                        Dense(4, activation='softmax')])
    model.compile('sgd', 'categorical_crossentropy')
    losses = [logs['loss'] for logs in model.fit(X, Y, batch_size=32, nb_epoch=20, verbose=0)]
    assert np.isfinite(losses).all() and losses[-1] < losses[0]
