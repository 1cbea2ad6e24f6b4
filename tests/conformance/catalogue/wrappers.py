"""keraflow.layers.wrappers."""
from typing import Any, Dict, List

import numpy as np

from keraflow.layers import LSTM, Bidirectional, Concatenate, Dense, Embedding, Flatten, SimpleRNN, TimeDistributed
from keraflow.models import Sequential

from .recurrent import lstm_cell, reference, simple_cell
from .samples import Sample, affine, sample


def both_ways(cell: Any, nb_state: int = 1, sequences: bool = False) -> Any:
    """A reference that gives the outputs of the layer and of its copy, both in the order of time."""
    run = reference(cell, nb_state, sequences=sequences)

    def compute(weights: dict, x: Any, *states: Any) -> list:
        forward, backward = ({name[2:]: array for name, array in weights.items() if name[0] == slot} for slot in '01')
        half = len(states) // 2
        turned = run(backward, x[:, ::-1], *states[half:])
        return [run(forward, x, *states[:half]), turned[:, ::-1] if sequences else turned]
    return compute


def merged(compute: Any, merge: Any) -> Any:
    return lambda weights, *x: merge(*compute(weights, *x))


LAYERS: Dict[str, List[Sample]] = {
    'TimeDistributed': [
        sample(lambda: TimeDistributed(Dense(3)), (None, 4), lambda w, x: affine(w, x, '0')),
        sample(lambda: TimeDistributed(Sequential([Flatten(), Dense(2, activation='tanh')])), (2, 3, 2),
               lambda w, x: np.tanh(affine({name.replace('0/1/', '0/'): it for name, it in w.items()}, x.reshape(len(x), 2, 6), '0'))),
        sample(lambda: TimeDistributed(Concatenate()), [(None, 2), (None, 3)], lambda w, x, y: np.concatenate([x, y], 2)),
        sample(lambda: TimeDistributed(SimpleRNN(2)), (2, None, 3), lambda w, x: np.stack(
            [reference(simple_cell)({name[2:]: it for name, it in w.items()}, x[:, time]) for time in range(2)], 1)),
        sample(lambda: TimeDistributed(Bidirectional(SimpleRNN(2), None)), (2, 2, 3), lambda w, x: [np.stack(both, 1) for both in zip(
            *(both_ways(simple_cell)({name[2:]: it for name, it in w.items()}, x[:, time]) for time in range(2)))]),
        sample(lambda: TimeDistributed(Embedding(5, 2)), (3, None), lambda w, x: w['0/W'][x], dtype='int32', input_range=(0, 5)),
    ],
    'Bidirectional': [
        sample(lambda: Bidirectional(LSTM(2)), (None, 3), merged(both_ways(lstm_cell, 2), lambda f, b: np.concatenate([f, b], 1))),
        sample(lambda: Bidirectional(SimpleRNN(3, return_sequences=True)), (None, 2),
               merged(both_ways(simple_cell, sequences=True), lambda f, b: np.concatenate([f, b], 2))),
        sample(lambda: Bidirectional(SimpleRNN(2, return_sequences=True), 'sum'), (3, 1),
               merged(both_ways(simple_cell, sequences=True), lambda f, b: f + b)),
        sample(lambda: Bidirectional(SimpleRNN(2), 'mul'), [(3, 1), 2, 2], merged(both_ways(simple_cell), lambda f, b: f * b)),
        sample(lambda: Bidirectional(SimpleRNN(1), merge_mode='ave', trainable=False), (1, 2), merged(both_ways(simple_cell), lambda f, b: (f + b) / 2)),
        sample(lambda: Bidirectional(SimpleRNN(2), None), (None, 2), both_ways(simple_cell)),
    ],
}
