"""keraflow.layers.merging."""
from typing import Dict, List

import numpy as np

from keraflow.layers import Concatenate, ElementWiseMult, ElementWiseSum

from .samples import Sample, sample

LAYERS: Dict[str, List[Sample]] = {
    'Concatenate': [
        sample(lambda: Concatenate(), [4, 3], lambda w, *x: np.concatenate(x, 1)),
        sample(lambda: Concatenate(-1), [(2, 3), (2, 1), (2, 3)], lambda w, *x: np.concatenate(x, 2)),
        sample(lambda: Concatenate(axis=0), [(None, 3), (2, 3)], lambda w, *x: np.concatenate(x, 1)),
        sample(lambda: Concatenate(0, include_batch_dim=True), [3, 3], lambda w, *x: np.concatenate(x, 0)),
    ],
    'ElementWiseSum': [
        sample(lambda: ElementWiseSum(), [4, 4, 4], lambda w, x, y, z: x + y + z), sample(lambda: ElementWiseSum(), [(None, 2)], lambda w, x: x),
        sample(lambda: ElementWiseSum(), [3, 3], lambda w, x, y: x + y, dtype='int32'),
    ],
    'ElementWiseMult': [
        sample(lambda: ElementWiseMult(), [(2, 3), (2, 3)], lambda w, x, y: x * y),
        sample(lambda: ElementWiseMult(), [3, 3, 3], lambda w, x, y, z: x * y * z),
    ],
}
