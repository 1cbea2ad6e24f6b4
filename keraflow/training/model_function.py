"""A function of arrays that a model, or a training step, computes."""
from typing import Any, Callable, Iterable, Optional, Sequence, Tuple

from keraflow import backend as B
from keraflow import random
from keraflow.backend.contract import TensorSpec
from keraflow.graph.guards import Guard, guards_of, held
from keraflow.graph.lengths import told_by_layers

__all__ = ['ModelFunction']


class ModelFunction:
    """What a builder describes, built once and computed by any number of threads.

    Parameters
    ----------
    builder : function
        As for ``B.compile``.
    specs : sequence of TensorSpec
        What the arrays are like.
    layers : iterable of Layer
        What it runs. If it changes variables, nobody reads them meanwhile; else nobody changes them.
    stream : random.Stream
        What it draws from.
    """

    def __init__(self, builder: Callable, specs: Sequence[TensorSpec], layers: Iterable[Any], stream: random.Stream):
        self._builder = builder
        self._layers = layers
        self._stream = stream
        self._compiled = B.compile(self._build, specs)
        self._guards: Optional[Tuple[Guard, ...]] = None
        self._changes = True
        self._run = told_by_layers(self._compute, self._build, specs)

    def __call__(self, *arrays: Any) -> Any:
        if self._guards is None:
            self._compiled.build()      # the code of layers runs, which may wait: nothing is held
            self._guards = guards_of(self._layers)
        return self._run(*arrays)

    def _build(self, *tensors: Any) -> tuple:
        with random.drawing(self._stream):
            outputs, updates = self._builder(*tensors)
        self._changes = bool(updates)
        return outputs, updates

    def _compute(self, *arrays: Any) -> Any:
        with held(self._guards or (), self._changes):
            return self._compiled(*arrays)
