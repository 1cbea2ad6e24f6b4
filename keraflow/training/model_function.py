"""Functions of arrays that run layers: built when first called, and rebuilt when an argument they depend on is set."""
import functools
from typing import Any, Callable, Dict, Iterable, List, Sequence, Set, Tuple

import numpy as np

from keraflow import backend as B
from keraflow import random
from keraflow.backend.batches import BatchLoop
from keraflow.backend.contract import TensorSpec
from keraflow.backend.draws import draws_so_far
from keraflow.errors import DataError, KeraFlowError
from keraflow.graph.guards import Guard, guards_of, held
from keraflow.serialization.changes import Changes
from keraflow.training.pace import Pace

__all__ = ['FunctionCache', 'ModelFunction', 'ModelLoop']


class ModelFunction:
    """A builder as a function of arrays, which any number of threads may call.

    Parameters
    ----------
    builder : function
        As for ``B.compile``.
    specs : sequence of TensorSpec
        Shapes and dtypes of the arrays.
    layers : list of Layer
        Those whose variables it uses. While it changes them nobody else reads them; otherwise nobody changes them.
    stream : random.Stream
        Where its random numbers come from.
    computed_with : function
        Returns the objects whose arguments it depends on.
    """

    def __init__(self, builder: Callable, specs: Sequence[TensorSpec], layers: List[Any], stream: random.Stream,
                 computed_with: Callable[[], Iterable[Any]]):
        self._builder = builder
        self._specs = specs
        self._layers = layers
        self._stream = stream
        self._computed_with = computed_with
        self._changes = Changes()
        self._current = self._new_build()
        self._has_unknown_lengths = any(None in spec.shape[1:] for spec in specs)
        # Shapes that suit all layers are traced once, however often something else fails.
        self._check_shapes = functools.lru_cache(maxsize=128)(self._trace)

    def __call__(self, *arrays: Any) -> Any:
        build = self._latest_build()
        try:
            return build.compute(build.function, arrays, self._layers)
        except Exception as error:      # of any kind: each backend raises its own
            self._explain(error, [np.shape(array) for array in arrays])
            raise

    def of_batches(self, arrays: Sequence[Any], batch_size: int) -> List[list]:
        """Return the outputs for batches of consecutive samples: of each, or of some of them joined."""
        build = self._latest_build()
        try:
            return build.compute(build.function.of_batches, (arrays, batch_size), self._layers)
        except Exception as error:
            self._explain(error, [(batch_size, *np.shape(array)[1:]) for array in arrays])
            raise

    @property
    def is_built(self) -> bool:
        """Whether it would run without being built."""
        return self._latest_build().is_built

    def prepare_to_run(self) -> None:
        """Build it now, so that no code of layers runs when it is called."""
        self._latest_build().build(self._layers)

    def _latest_build(self) -> '_Build':
        """Return a build with the arguments that hold now."""
        if self._changes.are_there(self._computed_with):
            self._current = self._new_build()
        return self._current

    def _new_build(self) -> '_Build':
        return _Build(self._make, self._run_builder, self._specs)

    def _make(self, builder: Callable, specs: Sequence[TensorSpec]) -> Any:
        return B.compile(builder, specs)

    def _run_builder(self, *tensors: Any) -> tuple:
        with random.drawing(self._stream):
            return self._builder(*tensors)

    def _explain(self, error: Exception, shapes: Sequence[Tuple[int, ...]]) -> None:
        """Raise a layer's own error if the run failed because of lengths that were unknown when it was built.

        A backend's error does not name the layer. Tracing the builder with the shapes of the arrays does, because every
        layer checks static shapes. No other failure gains from that.
        """
        is_explained = isinstance(error, KeraFlowError) and not isinstance(error, DataError)
        if self._has_unknown_lengths and not is_explained:
            try:
                self._check_shapes(*shapes)
            except KeraFlowError as reason:
                raise reason from error

    def _trace(self, *shapes: Tuple[int, ...]) -> None:
        try:
            B.trace(self._run_builder, [spec._replace(shape=shape) for spec, shape in zip(self._specs, shapes)])
        except KeraFlowError:
            raise
        except Exception:       # the error of the run is as good
            pass


class ModelLoop(ModelFunction):
    """A builder as a loop over batches, see :class:`~keraflow.backend.batches.BatchLoop`.

    Parameters
    ----------
    execution : str
        As for ``B.batch_loop``; the other parameters are those of the base class.

    Attributes
    ----------
    pace : Pace
    nb_step : int
        How many steps it was told to expect.
    """

    def __init__(self, *args: Any, execution: str = 'auto'):
        self._execution = execution
        self.nb_step = 0
        self.pace = Pace()
        super().__init__(*args)

    def _make(self, builder: Callable, specs: Sequence[TensorSpec]) -> Any:
        loop = B.batch_loop(builder, specs, self._execution)
        loop.prepare(self.nb_step)
        return loop

    @property
    def latest(self) -> BatchLoop:
        """The loop as it was built last."""
        return self._current.function

    def load(self, arrays: Sequence[np.ndarray]) -> Any:
        """Place arrays where batches are read from."""
        return self._latest_build().function.load(arrays)

    def prepare(self, nb_step: int) -> None:
        """Expect as many further steps."""
        self.nb_step += nb_step
        build = self._latest_build()
        if build.function.prepare(self.nb_step):
            build.built_for.clear()

    def begin_as(self, nb_step: int, lengths: Sequence[Any]) -> None:
        """Run as one that had been told to expect as many steps, and had functions of their own for these lengths."""
        self.prepare(nb_step - self.nb_step)
        self.latest.begin_with(list(lengths))

    def sum(self, loaded: Any, indices: np.ndarray, total: np.ndarray) -> np.ndarray:
        """Run batches, and return a total with what the builder returns for each of them added."""
        build = self._latest_build()
        try:
            return build.compute(build.function.sum, (loaded, indices, total), self._layers, indices.shape[1])
        except Exception as error:
            self._explain(error, [(indices.shape[1], *array.shape[1:]) for array in loaded])
            raise


class _Build:
    """One build of a function."""

    def __init__(self, make: Callable, builder: Callable, specs: Sequence[TensorSpec]):
        self._builder = builder
        self.function = make(self._run, specs)
        self._sets_variables = True  # until the builder says
        self._guards: Tuple[Guard, ...] = ()
        self.built_for: Set[tuple] = set()

    @property
    def is_built(self) -> bool:
        """Whether :meth:`build` has been called."""
        return bool(self.built_for)

    def build(self, layers: Iterable[Any], *sizes: int) -> Tuple[Guard, ...]:
        """Build the function, and return the guards of the layers whose variables it uses.

        A loop is built for batches of these sizes, a function for none.
        """
        if sizes not in self.built_for:
            self.function.build(*sizes)     # code of layers runs and may wait: hold no lock
            self._guards = guards_of(layers)
            self.built_for.add(sizes)
        return self._guards

    def compute(self, call: Callable, args: Sequence[Any], layers: Iterable[Any], *sizes: int) -> Any:
        """Call the function, or a method of it."""
        with held(self.build(layers, *sizes), self._sets_variables):
            return call(*args)

    def _run(self, *tensors: Any) -> tuple:
        outputs, updates = self._builder(*tensors)
        draws = draws_so_far()
        self._sets_variables = bool(updates) or draws is not None and bool(draws.places)
        return outputs, updates


class FunctionCache:
    """The functions of a network. Each is made when first requested, and is then the same for all threads.

    Parameters
    ----------
    network : Network
    computed_with : function
        Returns the objects whose arguments the functions depend on.
    """

    def __init__(self, network: Any, computed_with: Callable[[], Iterable[Any]]):
        self._network = network
        self._computed_with = computed_with
        self._made: Dict[tuple, ModelFunction] = {}

    def loops(self, builder: Callable) -> Dict[tuple, ModelLoop]:
        """Return the loops that were made of a builder, by the constants."""
        return {tuple(constants): made for (one, *constants), made in self._made.items()
                if one == builder and isinstance(made, ModelLoop)}

    def get(self, specs: Callable[[], Sequence[TensorSpec]], builder: Callable, *constants: Any,
            kind: Callable[..., Any] = ModelFunction) -> Any:
        """Return the function for ``builder(*constants, *tensors)``, one for each builder and constants.

        Parameters
        ----------
        specs : function
            Returns the shapes and dtypes of the tensors.
        builder : function
            As for ``B.compile``, with the constants first.
        *constants
            What the function is built for, such as the phase.
        kind : class
            ModelFunction, or what makes a ModelLoop.
        """
        key = builder, *constants
        if key not in self._made:
            made = kind(functools.partial(builder, *constants), specs(), [self._network], self._network._stream,
                        self._computed_with)
            # Without a lock, because code of losses and metrics may run above: of two threads, the first one's counts.
            self._made.setdefault(key, made)
        return self._made[key]
