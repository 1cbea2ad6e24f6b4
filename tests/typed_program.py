"""A program of a user who annotates it: ``mypy --strict`` finds nothing in it, and it runs."""
import abc
from typing import Any, Dict, Iterator, List, Tuple

import numpy as np
import numpy.typing as npt

import keraflow
from keraflow import Kensor
from keraflow import backend as B
from keraflow.backend import Tensor
from keraflow.callbacks import Callback, EarlyStopping
from keraflow.layers import Concatenate, Dense, Dropout, Input, Layer
from keraflow.optimizers import Adam
from keraflow.regularizers import L2

Batch = Tuple[Dict[str, npt.NDArray[np.float64]], npt.NDArray[np.float64]]


class Gated(Layer, abc.ABC):
    """Multiplies what a subclass computes with a gate."""

    @abc.abstractmethod
    def inner(self, x: Tensor) -> Tensor: ...

    def output(self, x: Tensor) -> Tensor:
        return self.inner(x) * Dense(B.static_shape(x)[-1], activation='sigmoid')(x)


class Scale(Gated):
    """Multiplies each feature with a number that is learned."""

    def __init__(self, start: float = 1., **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.start = start

    def init_param(self, input_shape: Tuple[int, ...]) -> None:
        self.set_trainable_params('scale', np.full(input_shape[1], self.start))

    def inner(self, x: Tensor) -> Tensor:
        return B.multiply(x, self.scale)


class Losses(Callback):
    def __init__(self) -> None:
        super().__init__()
        self.losses: List[float] = []

    def on_epoch_end(self, epoch: int, logs: Dict[str, float]) -> None:
        self.losses.append(logs['loss'])


def tower(x: Kensor, units: int) -> Kensor:
    x = Dense(units, activation='relu', regularizers={'W': L2(1e-4)})(x)
    return Scale(2.)(Dropout(0.1)(x))


def distance(y_pred: Tensor, y_true: Tensor) -> Tensor:
    return B.mean(B.square(y_pred - y_true), axis=-1)


def batches(rng: np.random.Generator) -> Iterator[Batch]:
    while True:
        x = rng.normal(size=(8, 4))
        yield {'a': x, 'b': x}, x.sum(1, keepdims=True)


def main() -> List[float]:
    keraflow.seed(0)
    a, b = Input(4, name='a'), Input(4, name='b')
    x = Concatenate()([tower(a, 4), tower(b, 4)])
    x = B.relu(x[:, 1:] * 2.) + 1.
    model = keraflow.Model([a, b], Dense(1)(x))
    model.compile(Adam(lr=0.01), distance, metrics=['mae'])
    told = Losses()
    model.fit(batches(np.random.default_rng(0)), nb_batch=8, nb_epoch=5, callbacks=[told, EarlyStopping('loss', patience=5)])
    return told.losses
