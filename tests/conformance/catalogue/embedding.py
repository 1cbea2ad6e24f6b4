"""keraflow.layers.embedding."""
from typing import Dict, List

from keraflow.layers import Embedding

from .samples import Sample, sample

LAYERS: Dict[str, List[Sample]] = {
    'Embedding': [
        sample(lambda: Embedding(7, 3), (None,), lambda w, x: w['W'][x], dtype='int32', input_range=(0, 7)),
        sample(lambda: Embedding(3, 1, 'normal', 0.5, regularizers=['l2']), (2, 3), lambda w, x: w['W'][x], dtype='int64', input_range=(0, 3)),
        sample(lambda: Embedding(2, 4), 1, lambda w, x: w['W'][x], dtype='int32', input_range=(0, 2)),
    ],
}
