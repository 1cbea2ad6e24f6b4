"""keraflow.layers.learned_activations."""
from typing import Any, Dict, List

import numpy as np

from keraflow.layers import Maxout, PReLU

from .samples import Sample, sample


def rectified(weights: dict, x: Any) -> Any:
    return np.maximum(x, 0) + weights['alpha'] * np.minimum(x, 0)


def largest(weights: dict, x: Any, nb_feature: int) -> Any:
    parts = np.split(weights['W'], nb_feature, axis=1)
    biases = np.split(weights['b'], nb_feature) if 'b' in weights else [0] * nb_feature
    return np.max([x @ W + b for W, b in zip(parts, biases)], axis=0)


LAYERS: Dict[str, List[Sample]] = {
    'PReLU': [
        sample(lambda: PReLU(), 4, rectified), sample(lambda: PReLU('uniform', shared_axes=0), (None, 3), rectified),
        sample(lambda: PReLU(shared_axes=[1, -1]), (3, 4, None), rectified), sample(lambda: PReLU('one', [0]), 3, rectified),
    ],
    'Maxout': [
        sample(lambda: Maxout(3), 4, lambda w, x: largest(w, x, 4)), sample(lambda: Maxout(2, 3, bias=False), 5, lambda w, x: largest(w, x, 3)),
        sample(lambda: Maxout(1, nb_feature=1, init='normal'), 1, lambda w, x: largest(w, x, 1)),
    ],
}
