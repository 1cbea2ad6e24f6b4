"""A function of arrays that runs layers: built when it is needed, and anew when what it computes with has changed."""
import functools
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Tuple

import numpy as np

from keraflow import backend as B
from keraflow import random
from keraflow.backend.contract import TensorSpec
from keraflow.errors import DataError, KeraFlowError
from keraflow.graph.guards import Guard, guards_of, held
from keraflow.serialization.changes import Changes

__all__ = ['FunctionCache', 'ModelFunction']


class ModelFunction:
    """What a builder describes, computed by any number of threads.

    Parameters
    ----------
    builder : function
        As for ``B.compile``.
    specs : sequence of TensorSpec
        What the arrays are like.
    layers : list of Layer
        What it runs. While it changes variables, nobody reads them; else nobody changes them.
    stream : random.Stream
        What it draws from.
    computed_with : function
        Gives the objects whose arguments it depends on.
    """

    def __init__(self, builder: Callable, specs: Sequence[TensorSpec], layers: List[Any], stream: random.Stream,
                 computed_with: Callable[[], Iterable[Any]]):
        self._builder = builder
        self._specs = specs
        self._layers = layers
        self._stream = stream
        self._computed_with = computed_with
        self._changes = Changes()
        self._current = _Build(self._run_builder, specs)
        self._has_unknown_lengths = any(None in spec.shape[1:] for spec in specs)
        # Shapes that suit all layers are traced once, however often other things fail.
        self._check_shapes = functools.lru_cache(maxsize=128)(self._trace)

    def __call__(self, *arrays: Any) -> Any:
        if self._changes.are_there(self._computed_with):
            self._current = _Build(self._run_builder, self._specs)
        try:
            return self._current.compute(arrays, self._layers)
        except Exception as error:      # of any kind: each backend has its own
            self._explain(error, arrays)
            raise

    def _run_builder(self, *tensors: Any) -> tuple:
        with random.drawing(self._stream):
            return self._builder(*tensors)

    def _explain(self, error: Exception, arrays: Sequence[Any]) -> None:
        """Raise what a layer says of lengths that only the data have, where these are what the run failed for.

        A layer sees no such length while it is built, and a failed run does not know its layers. So the layers are run
        once more, on symbolic tensors of the shapes of the arrays. Nothing else that fails is told better by that.
        """
        is_told = isinstance(error, KeraFlowError) and not isinstance(error, DataError)
        if self._has_unknown_lengths and not is_told:
            try:
                self._check_shapes(*map(np.shape, arrays))
            except KeraFlowError as reason:
                raise reason from error

    def _trace(self, *shapes: Tuple[int, ...]) -> None:
        try:
            B.trace(self._run_builder, [spec._replace(shape=shape) for spec, shape in zip(self._specs, shapes)])
        except KeraFlowError:
            raise
        except Exception:       # the error of the run says as much
            pass


class _Build:
    """One build of a function."""

    def __init__(self, builder: Callable, specs: Sequence[TensorSpec]):
        self._builder = builder
        self._compiled = B.compile(self._build, specs)
        self._sets_variables = True
        self._guards: Optional[Tuple[Guard, ...]] = None

    def compute(self, arrays: Sequence[Any], layers: Iterable[Any]) -> Any:
        if self._guards is None:
            self._compiled.build()      # the code of layers runs, which may wait: nothing is held
            self._guards = guards_of(layers)
        with held(self._guards, self._sets_variables):
            return self._compiled(*arrays)

    def _build(self, *tensors: Any) -> tuple:
        outputs, updates = self._builder(*tensors)
        self._sets_variables = bool(updates)
        return outputs, updates


class FunctionCache:
    """The functions of a network, each made when it is first asked for, and then the same one for every thread.

    Parameters
    ----------
    network : Network
    computed_with : function
        Gives the objects whose arguments the functions depend on.
    """

    def __init__(self, network: Any, computed_with: Callable[[], Iterable[Any]]):
        self._network = network
        self._computed_with = computed_with
        self._made: Dict[tuple, ModelFunction] = {}

    def get(self, specs: Callable[[], Sequence[TensorSpec]], builder: Callable, *constants: Any) -> ModelFunction:
        """The function that ``builder(*constants, *tensors)`` describes, for tensors of some specs: another one for
        other constants."""
        key = builder, *constants
        if key not in self._made:
            made = ModelFunction(functools.partial(builder, *constants), specs(), [self._network],
                                 self._network._stream, self._computed_with)
            self._made.setdefault(key, made)
        return self._made[key]
