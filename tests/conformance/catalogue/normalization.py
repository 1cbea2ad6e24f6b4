"""keraflow.layers.normalization, as in the test phase; what training does is in tests/backend/test_normalization.py."""
from typing import Any, Dict, List

import numpy as np

from keraflow.layers import BatchNormalization, LayerNormalization

from .samples import Sample, sample


def batch_normalized(weights: dict, x: Any, axis: int = 1, epsilon: float = 1e-3) -> Any:
    """Feature by feature, with the moving statistics."""
    y = np.array(x, 'float64')
    for place in range(x.shape[axis]):
        where = (slice(None),) * (axis % x.ndim) + (place,)
        deviation = np.sqrt(weights['moving_variance'][place] + epsilon)
        y[where] = (x[where] - weights['moving_mean'][place]) / deviation
        y[where] = y[where] * (weights['gamma'][place] if 'gamma' in weights else 1) + (weights['beta'][place] if 'beta' in weights else 0)
    return y


def layer_normalized(weights: dict, x: Any, epsilon: float = 1e-5) -> Any:
    """Over the last axis."""
    deviation = np.sqrt(np.var(x, -1, keepdims=True) + epsilon)
    return (x - x.mean(-1, keepdims=True)) / deviation * weights.get('gamma', 1) + weights.get('beta', 0)


def normalized_over_1_and_3(weights: dict, x: Any) -> Any:
    rows = x.transpose(0, 2, 1, 3)
    mean, deviation = rows.mean((2, 3), keepdims=True), np.sqrt(rows.var((2, 3), keepdims=True) + 0.1)
    return ((rows - mean) / deviation * weights['gamma'] + weights['beta']).transpose(0, 2, 1, 3)


LAYERS: Dict[str, List[Sample]] = {
    'BatchNormalization': [
        sample(lambda: BatchNormalization(), 4, batch_normalized),
        sample(lambda: BatchNormalization(epsilon=0.1, momentum=0., regularizers={'gamma': 'l2'}), (3, 5, 2),
               lambda w, x: batch_normalized(w, x, epsilon=0.1)),
        sample(lambda: BatchNormalization(-1, scale=False), (None, 3), lambda w, x: batch_normalized(w, x, axis=-1)),
        sample(lambda: BatchNormalization(1, center=False, trainable=False), (None, 1, 3), lambda w, x: batch_normalized(w, x, axis=2)),
        sample(lambda: BatchNormalization(gamma_init='uniform', beta_init='normal', initial_weights={'moving_mean': [1., 2.]}), 2, batch_normalized),
    ],
    'LayerNormalization': [
        sample(lambda: LayerNormalization(), 4, layer_normalized),
        sample(lambda: LayerNormalization(epsilon=0.01), (None, 3), lambda w, x: layer_normalized(w, x, 0.01)),
        sample(lambda: LayerNormalization([-1, 0], 0.1), (3, 5, 2), normalized_over_1_and_3),
        sample(lambda: LayerNormalization(scale=False, center=False), (2, 3), layer_normalized),
    ],
}
