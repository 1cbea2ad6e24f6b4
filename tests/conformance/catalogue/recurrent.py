"""keraflow.layers.recurrent, against cells that are written for one sample and one time step."""
from functools import partial
from typing import Any, Callable, Dict, List

import numpy as np

from keraflow.layers import GRU, LSTM, SimpleRNN

from .samples import Sample, sample, sigmoid


def hard_sigmoid(x: Any) -> Any:
    return np.clip(0.2 * x + 0.5, 0, 1)


def simple_cell(w: dict, x: Any, h: Any, activation: Callable = np.tanh) -> tuple:
    return (activation(x @ w['W'] + h @ w['U'] + w['b']),)


def gru_cell(w: dict, x: Any, h: Any, inner: Callable = hard_sigmoid) -> tuple:
    z = inner(x @ w['W_z'] + h @ w['U_z'] + w['b_z'])
    r = inner(x @ w['W_r'] + h @ w['U_r'] + w['b_r'])
    return (z * h + (1 - z) * np.tanh(x @ w['W_h'] + (r * h) @ w['U_h'] + w['b_h']),)


def lstm_cell(w: dict, x: Any, h: Any, c: Any, inner: Callable = hard_sigmoid, activation: Callable = np.tanh) -> tuple:
    i, f, o = (inner(x @ w[f'W_{gate}'] + h @ w[f'U_{gate}'] + w[f'b_{gate}']) for gate in 'ifo')
    c = f * c + i * activation(x @ w['W_c'] + h @ w['U_c'] + w['b_c'])
    return o * activation(c), c


def run(cell: Callable, weights: dict, x: Any, states: tuple, backwards: bool = False, sequences: bool = False) -> Any:
    """Each sample by itself, step by step."""
    outputs = []
    for sample_states, steps in zip(zip(*states), x):
        made = []
        for step in steps[::-1] if backwards else steps:
            sample_states = cell(weights, step, *sample_states)
            made.append(sample_states[0])
        outputs.append(made if sequences else made[-1])
    return np.array(outputs)


def reference(cell: Callable, nb_state: int = 1, **options: Any) -> Callable:
    def compute(weights: dict, x: Any, *states: Any) -> Any:
        zeros = np.zeros((len(x), weights[next(name for name in weights if name[0] == 'U')].shape[0]))
        return run(cell, weights, x, states or (zeros,) * nb_state, **options)
    return compute


LAYERS: Dict[str, List[Sample]] = {
    'SimpleRNN': [
        sample(lambda: SimpleRNN(4), (None, 3), reference(simple_cell)),
        sample(lambda: SimpleRNN(1, activation='sigmoid', return_sequences=True, unroll=True, go_backwards=True), (3, 1),
               reference(partial(simple_cell, activation=sigmoid), backwards=True, sequences=True)),
        sample(lambda: SimpleRNN(2, inner_init='normal', drop_rate_W=0.5, drop_rate_U=0.5, regularizers={'U': 'l2'}), [(4, 3), 2], reference(simple_cell)),
    ],
    'GRU': [
        sample(lambda: GRU(3), (4, 2), reference(gru_cell)),
        sample(lambda: GRU(2, inner_activation='sigmoid', return_sequences=True, drop_rate_U=0.2), [(None, 3), 2],
               reference(partial(gru_cell, inner=sigmoid), sequences=True)),
        sample(lambda: GRU(1, unroll=True, go_backwards=True), (1, 3), reference(gru_cell, backwards=True)),
    ],
    'LSTM': [
        sample(lambda: LSTM(3, return_sequences=True, go_backwards=True), (None, 2), reference(lstm_cell, 2, backwards=True, sequences=True)),
        sample(lambda: LSTM(2, inner_activation='sigmoid', activation='softsign', drop_rate_W=0.2, constraints={'W_i': 'maxnorm'}), [(3, 3), 2, 2],
               reference(partial(lstm_cell, inner=sigmoid, activation=lambda x: x / (1 + abs(x))), 2)),
        sample(lambda: LSTM(1, unroll=True, forget_bias_init='zero', trainable=False), (2, 1), reference(lstm_cell, 2)),
    ],
}
