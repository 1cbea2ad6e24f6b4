"""keraflow.layers.shaping."""
from typing import Dict, List

import numpy as np

from keraflow.layers import ExpandDims, Flatten, PermuteDims, Repeat, Reshape

from .samples import Sample, sample

LAYERS: Dict[str, List[Sample]] = {
    'Reshape': [
        sample(lambda: Reshape((2, -1)), (3, 4), lambda w, x: x.reshape(len(x), 2, 6)),
        sample(lambda: Reshape([6, 2]), (3, 4), lambda w, x: x.reshape(len(x), 6, 2)),
        sample(lambda: Reshape([-1, 2]), (None, 4), lambda w, x: x.reshape(len(x), -1, 2)),
        sample(lambda: Reshape((-1, 2), include_batch_dim=True), 4, lambda w, x: x.reshape(-1, 2)),
    ],
    'Flatten': [
        sample(lambda: Flatten(), (2, 3, 2), lambda w, x: x.reshape(len(x), 12)),
        sample(lambda: Flatten(), (None, 3), lambda w, x: x.reshape(len(x), -1)), sample(lambda: Flatten(), 3, lambda w, x: x),
        sample(lambda: Flatten(include_batch_dim=True), (2, 3), lambda w, x: x.reshape(-1)),
    ],
    'ExpandDims': [
        sample(lambda: ExpandDims(0), 3, lambda w, x: x[:, None]), sample(lambda: ExpandDims(-1), (None, 3), lambda w, x: x[..., None]),
        sample(lambda: ExpandDims(0, include_batch_dim=True), 3, lambda w, x: x[None]),
    ],
    'PermuteDims': [
        sample(lambda: PermuteDims((1, 0)), (3, 4), lambda w, x: x.transpose(0, 2, 1)),
        sample(lambda: PermuteDims([2, 0, 1]), (2, None, 3), lambda w, x: x.transpose(0, 3, 1, 2)),
        sample(lambda: PermuteDims((1, 0), include_batch_dim=True), 3, lambda w, x: x.T),
    ],
    'Repeat': [
        sample(lambda: Repeat(2), (3, 2), lambda w, x: np.repeat(x, 2, 1)), sample(lambda: Repeat(3, axis=-1), (None, 2), lambda w, x: np.repeat(x, 3, 2)),
        sample(lambda: Repeat(2, 0, include_batch_dim=True), 3, lambda w, x: np.repeat(x, 2, 0)),
        sample(lambda: Repeat(2), (None, 2), lambda w, x: np.repeat(x, 2, 1)),
    ],
}
