"""Many batches in one call: a loop of TensorFlow around what a builder does with each."""
import math
import threading
from typing import Any, Callable, Dict, List, Optional, Sequence, Set

import numpy as np

from keraflow.backend.batches import BatchLoop
from keraflow.backend.contract import FusedUpdates, TensorSpec, all_updates
from keraflow.backend.refusals import refusing
from keraflow.errors import DataError, KeraFlowError

from . import conditions, private_api
from .building import Building
from .library import tf

__all__ = ['Loop']

#: A loop that is compiled as a whole gets as many batches at once as fit into this many bytes, but at most a number:
#: with more a step gains nothing that could be measured.
_BLOCK_BYTES, _LONGEST_BLOCK = 2 ** 24, 64

#: Compiling takes some tenths of a second, and gains some tenths of a millisecond a step: fewer steps do not repay it.
_NB_STEP_THAT_REPAYS = 500

#: How large parameters are in all whose update is faster as one kernel: to start that takes time, too.
_FUSED_BYTES = 2 ** 20

#: How many shapes of batches are compiled as a whole: batches of any further one run by kernels.
_MAX_NB_SHAPE = 4

#: From the fastest to the one that runs everything.
_EXECUTIONS = ('whole', 'compiled', 'plain')


class Loop(BatchLoop):
    """See :class:`keraflow.backend.batches.BatchLoop`."""

    def __init__(self, building: Building, builder: Callable, specs: Sequence[TensorSpec], execution: str):
        self._graphs = building
        self._builder = builder
        self._specs = list(specs)
        self._is_asked = execution != 'auto'
        self.execution, self.reason = (execution, 'asked for') if self._is_asked else ('plain', 'few steps')
        self._is_chosen = self._is_asked
        self._made: Dict[tuple, Any] = {}
        self._proven: Set[str] = set()      # what has run a batch
        self._making = threading.RLock()

    def build(self) -> None:
        if self.execution != 'whole':       # which is built for the shapes of the data
            self._of_kernels(self.execution)

    def prepare(self, nb_step: int) -> None:
        if self._is_chosen or nb_step < _NB_STEP_THAT_REPAYS:
            return
        self._is_chosen = True
        if tf.config.list_physical_devices('GPU'):
            self.reason = 'what is faster on a GPU was not measured'
        elif any(None in spec.shape[1:] for spec in self._specs):
            self.execution, self.reason = 'compiled', 'lengths of samples are unknown'
        else:
            self.execution, self.reason = 'whole', 'there are enough steps'

    def load(self, arrays: Sequence[np.ndarray]) -> List[Any]:
        return [tf.constant(array) for array in arrays]

    def sum(self, loaded: List[Any], indices: np.ndarray, total: np.ndarray) -> np.ndarray:
        if self.execution not in self._proven:
            total, indices = self._prove(loaded, indices[:1], total), indices[1:]
        return self._sum(self.execution, loaded, indices, total) if len(indices) else total

    def _prove(self, loaded: List[Any], indices: np.ndarray, total: np.ndarray) -> np.ndarray:
        """Run a first batch, in another way if it cannot be compiled: that shows before any variable is set."""
        refused = ''
        for execution in _EXECUTIONS[_EXECUTIONS.index(self.execution):]:
            try:
                total = self._sum(execution, loaded, indices, total)
            except KeraFlowError:
                raise
            except Exception as error:      # of many classes
                if execution == 'plain':
                    raise
                refused += f"{', ' if refused else ''}not {execution}: {_first_line(error)}"
            else:
                self._proven.add(execution)
                if refused:
                    self.execution, self.reason = execution, refused
                break
        return total

    def _sum(self, execution: str, loaded: List[Any], indices: np.ndarray, total: np.ndarray) -> np.ndarray:
        whole = self._whole(indices.shape[1], loaded) if execution == 'whole' else None
        if whole is not None:
            return whole(loaded, indices, total)
        run = self._of_kernels('plain' if execution == 'whole' else execution)
        with refusing(tf.errors.InvalidArgumentError):
            return run(tf.constant(indices), tf.constant(total), *loaded)[0].numpy()

    def _of_kernels(self, execution: str) -> Callable:
        """Return a loop of TensorFlow's kernels, in which the update may be compiled."""
        def run(indices: Any, total: Any, *arrays: Any) -> Any:
            def body(i: Any, total: Any) -> tuple:
                batch = [tf.gather(it, indices[i]) for it in arrays]
                outputs, updates = self._graphs.run_builder(self._builder, batch)
                if execution == 'compiled' and not self._is_asked and _nb_byte(updates) < _FUSED_BYTES:
                    raise conditions.NotCompilable('a small update is faster as it is')
                self._graphs.commit(updates, outputs, is_fused=execution == 'compiled')
                return i + 1, total + tf.cast(outputs[0], tf.float64)
            return tf.while_loop(lambda i, _: i < tf.shape(indices)[0], body, (0, total), parallel_iterations=1)[1]
        arrays = [tf.TensorSpec((None, *spec.shape[1:]), spec.dtype) for spec in self._specs]
        return self._get((execution,), lambda: _concrete(run, tf.TensorSpec((None, None), tf.int64), arrays))

    def _whole(self, batch_size: int, loaded: List[Any]) -> Optional['_Whole']:
        """Return a loop that is compiled for these shapes, or None if there are too many."""
        shapes = tuple(tuple(it.shape[1:]) for it in loaded)
        key = 'whole', batch_size, shapes
        if key not in self._made and sum(one[0] == 'whole' for one in self._made) >= _MAX_NB_SHAPE:
            return None
        return self._get(key, lambda: _Whole(self._graphs, self._builder, batch_size, loaded, not self._is_asked))

    def _get(self, key: tuple, make: Callable) -> Any:
        with self._making:
            if key not in self._made:
                self._made[key] = make()
            return self._made[key]


class _Whole:
    """A loop that XLA compiles, over a block of batches of which the first ones are run.

    XLA drops assertions. Conditions are outputs instead: a batch for which one fails sets nothing, and is the last.
    """

    def __init__(self, building: Building, builder: Callable, batch_size: int, loaded: List[Any], is_free: bool):
        self._graphs = building
        self._builder = builder
        self._is_free = is_free
        nb_byte = sum(it.dtype.size * math.prod(it.shape[1:]) for it in loaded) * batch_size
        self._block = min(max(1, _BLOCK_BYTES // max(nb_byte, 1)), _LONGEST_BLOCK), batch_size
        self._messages: List[str] = []
        arrays = [tf.TensorSpec((None, *it.shape[1:]), it.dtype) for it in loaded]
        self._function = _concrete(self._gathered, tf.TensorSpec(self._block, tf.int64), arrays,
                                   tf.TensorSpec((), tf.int32))

    def __call__(self, loaded: List[Any], indices: np.ndarray, total: np.ndarray) -> np.ndarray:
        block, sums = np.zeros(self._block, 'int64'), tf.constant(total)
        for start in range(0, len(indices), len(block)):
            some = indices[start:start + len(block)]
            block[:len(some)] = some
            sums, code = self._function(tf.constant(block), sums, *loaded, tf.constant(len(some)))
            if self._messages and code >= 0:
                raise DataError(self._messages[int(code)])
        return sums.numpy()

    def _gathered(self, indices: Any, total: Any, *given: Any) -> Any:
        *arrays, nb_batch = given
        # Gathered outside of what is compiled, which then suits any number of samples.
        return tf.function(self._compiled, autograph=False, jit_compile=True)(
            nb_batch, total, *[tf.gather(it, indices) for it in arrays])

    def _compiled(self, nb_batch: Any, total: Any, *blocks: Any) -> tuple:
        def body(i: Any, total: Any, _: Any) -> tuple:
            with conditions.collecting(i, self._is_free) as collected:
                outputs, updates = self._graphs.run_builder(self._builder, [block[i] for block in blocks])
                with self._graphs.in_builder():
                    pairs = all_updates(updates)
            self._messages = collected.messages
            self._graphs.assign_where(collected, pairs, outputs)
            added = total + tf.cast(outputs[0], tf.float64)
            if not collected.messages:
                return i + 1, added, conditions.HOLDS
            return i + 1, tf.where(collected.code < 0, added, total), collected.code
        return tf.while_loop(lambda i, _, code: tf.logical_and(i < nb_batch, code < 0), body,
                             (0, total, conditions.HOLDS), parallel_iterations=1)[1:]


def _concrete(run: Callable, indices: Any, arrays: Sequence, *others: Any) -> Callable[..., list]:
    total = tf.TensorSpec((None,), tf.float64)
    concrete = tf.function(run, autograph=False).get_concrete_function(indices, total, *arrays, *others)
    return private_api.direct_call(concrete)


def _nb_byte(updates: Sequence) -> int:
    """Return the size of what fused updates are computed from, as far as it is known."""
    return sum(it.dtype.size * (it.shape.num_elements() or 0) for one in updates if isinstance(one, FusedUpdates)
               for it in one.tensors)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition('\n')[0][:200] or repr(error)
