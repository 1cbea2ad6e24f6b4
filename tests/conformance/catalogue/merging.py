"""keraflow.layers.merging."""
from typing import Any, Dict, List

import numpy as np

from keraflow.layers import Concatenate, Dot, ElementWiseAverage, ElementWiseMax, ElementWiseMult, ElementWiseSum

from .samples import Sample, sample


def cosines(weights: dict, x: Any, y: Any) -> Any:
    return np.array([[[a @ b / np.sqrt((a @ a) * (b @ b)) for b in second.T] for a in first] for first, second in zip(x, y)])


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
    'ElementWiseAverage': [
        sample(lambda: ElementWiseAverage(), [4, 4, 4], lambda w, x, y, z: (x + y + z) / 3),
        sample(lambda: ElementWiseAverage(), [(None, 2)] * 2, lambda w, x, y: np.mean([x, y], 0)),
    ],
    'ElementWiseMax': [
        sample(lambda: ElementWiseMax(), [(2, None)] * 3, lambda w, *x: np.max(x, 0)),
        sample(lambda: ElementWiseMax(), [3, 3], lambda w, *x: np.max(x, 0), dtype='int32'),
    ],
    'Dot': [
        sample(lambda: Dot(), [4, 4], lambda w, x, y: np.sum(x * y, 1, keepdims=True)),
        sample(lambda: Dot(), [(None, 4), (2, 4)], lambda w, x, y: np.einsum('ban,bcn->bac', x, y)),
        sample(lambda: Dot(0), [(3, 4), (3, 1)], lambda w, x, y: np.einsum('bna,bnc->bac', x, y)),
        sample(lambda: Dot((0, 1)), [3, (None, 3)], lambda w, x, y: np.einsum('bn,bcn->bc', x, y)),
        sample(lambda: Dot([1, 0]), [(2, 3), 3], lambda w, x, y: np.einsum('ban,bn->ba', x, y)),
        sample(lambda: Dot((-1, 0), normalize=True), [(2, 3), (3, 4)], cosines),
    ],
}
