"""keraflow.layers.attention; what masks do is in tests/backend/test_attention.py."""
import math
from typing import Any, Dict, List

import numpy as np

from keraflow.layers import MultiHeadAttention

from .samples import Sample, sample


def attention(weights: dict, *inputs: Any, nb_head: int, head_dim: int, causal: bool = False) -> Any:
    """Head by head and step by step."""
    query, key, value = {1: (0, 0, 0), 2: (0, 1, 1), 3: (0, 1, 2)}[len(inputs)]
    q, k, v = (inputs[number] @ weights[f'W_{role}'] + weights.get(f'b_{role}', 0) for role, number in zip('qkv', (query, key, value)))
    heads = np.zeros(q.shape)
    for sample_, step, head in np.ndindex(*q.shape[:2], nb_head):
        columns = slice(head * head_dim, (head + 1) * head_dim)
        seen = [other for other in range(k.shape[1]) if not causal or other <= step]
        scores = [q[sample_, step, columns] @ k[sample_, other, columns] / math.sqrt(head_dim) for other in seen]
        powers = [math.exp(score - max(scores)) for score in scores]
        for power, other in zip(powers, seen):
            heads[sample_, step, columns] += power / sum(powers) * v[sample_, other, columns]
    return heads @ weights['W_o'] + weights.get('b_o', 0)


def reference(**options: Any) -> Any:
    return lambda weights, *inputs: attention(weights, *inputs, **options)


LAYERS: Dict[str, List[Sample]] = {
    'MultiHeadAttention': [
        sample(lambda: MultiHeadAttention(2, 3), (4, 5), reference(nb_head=2, head_dim=3)),
        sample(lambda: MultiHeadAttention(1, 4, causal=True, drop_rate=0.5), (None, 3), reference(nb_head=1, head_dim=4, causal=True)),
        sample(lambda: MultiHeadAttention(3, 2, output_dim=4, bias=False), [(4, 3), (None, 5)], reference(nb_head=3, head_dim=2)),
        sample(lambda: MultiHeadAttention(2, 1, init='normal', causal=True), [(5, 3), (3, 2), (3, 4)], reference(nb_head=2, head_dim=1, causal=True)),
    ],
}
