"""Many batches in one call: a loop of TensorFlow around what a builder does with each."""
import math
import threading
from typing import Any, Callable, Dict, List, Optional, Sequence, Set

import numpy as np

from keraflow.backend.batches import BatchLoop
from keraflow.backend.contract import FusedUpdates, TensorSpec, numbers_to_check
from keraflow.backend.refusals import NotFinite, refusing
from keraflow.errors import DataError, KeraFlowError

from . import conditions, private_api
from .building import Building
from .finite import sums_of
from .library import tf

__all__ = ['Loop']

#: A loop that is compiled as a whole gets as many batches at once as fit into this many bytes, but at most a number:
#: with more a step gains nothing that could be measured, and a call of one batch, which places as many, takes longer.
_BLOCK_BYTES, _LONGEST_BLOCK = 2 ** 21, 64

#: Compiling takes some tenths of a second, and gains some tenths of a millisecond a step: fewer steps do not repay it.
_NB_STEP_THAT_REPAYS = 500

#: How large parameters are in all whose update is faster as one kernel: to start that takes time, too.
_FUSED_BYTES = 2 ** 20

#: How many shapes of batches are compiled as a whole: batches of any further one run by kernels.
_MAX_NB_SHAPE = 4

#: How many sizes of batches have a graph of kernels of their own, in a training of so many steps: those of full batches
#: and of the last one of an epoch. Gradients where the size is known need no kernels that compare shapes: networks with
#: loops over time take 0.75 to 0.95 times as long, others 0.9 to 1. To build a graph takes as long as some hundred.
_MAX_NB_SIZE, _NB_STEP_OF_SIZES = 2, 1000

#: The code of a batch whose numbers are not finite, beside those of conditions that have messages.
_NOT_FINITE = 2 ** 30

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
        self._is_long = False
        self._made: Dict[tuple, Any] = {}
        self._own: List[tuple] = []         # of the graphs for some lengths alone
        self._proven: Set[str] = set()      # what has run a batch
        self._finite_names: List[str] = []     # of what must be finite
        self._making = threading.RLock()

    @property
    def is_settled(self) -> bool:       # type: ignore[override]
        return self._is_asked or self._is_chosen and self.execution in self._proven

    def build(self, batch_size: int) -> None:
        if self.execution == 'whole':       # which is built for the shapes of the data
            return
        try:
            self._of_kernels(self.execution, batch_size)
        except conditions.NotCompilable:    # as the first batch finds, too, which then runs so
            self._of_kernels('plain', batch_size)

    def prepare(self, nb_step: int) -> bool:
        before, self._is_long = self._is_long, nb_step >= _NB_STEP_OF_SIZES
        if self._is_chosen or nb_step < _NB_STEP_THAT_REPAYS:
            return self._is_long != before
        self._is_chosen = True
        if tf.config.list_physical_devices('GPU'):
            self.reason = 'what is faster on a GPU was not measured'
        elif any(None in spec.shape[1:] for spec in self._specs):
            self.execution, self.reason = 'compiled', 'lengths of samples are unknown'
        else:
            self.execution, self.reason = 'whole', 'there are enough steps'
        return True

    def lengths(self) -> list:
        return [list(one) for one in self._own]

    def begin_with(self, lengths: list) -> None:
        self._own = [_as_tuple(one) for one in lengths[:_MAX_NB_SHAPE + 2 * _MAX_NB_SIZE]]

    def load(self, arrays: Sequence[np.ndarray]) -> List[Any]:
        return [tf.constant(array) for array in arrays]

    def sum(self, loaded: List[Any], indices: np.ndarray, total: np.ndarray) -> np.ndarray:
        if self.execution in self._proven:
            return self._sum(self.execution, loaded, indices, total)
        total, others = self._prove(loaded, indices[:1], total), indices[1:]
        try:
            return self._sum(self.execution, loaded, others, total) if len(others) else total
        except NotFinite as stop:
            raise NotFinite(stop.name, stop.value, stop.nb_done + 1, stop.total) from None

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
            try:
                return whole(loaded, indices, total)
            except _Stopped as stop:
                return self._look_closer(execution, loaded, indices, stop)
        run = self._of_kernels('plain' if execution == 'whole' else execution, indices.shape[1])
        with refusing(tf.errors.InvalidArgumentError, self._finite_names):
            return run(tf.constant(indices), tf.constant(total), *loaded)[0].numpy()

    def _look_closer(self, execution: str, loaded: List[Any], indices: np.ndarray, stop: '_Stopped') -> np.ndarray:
        """Run the batches again before one that is not finite, and that one by kernels, which say what is not."""
        total, at = stop.total, stop.nb_set + stop.nb_finite
        if stop.nb_finite:
            total = self._sum(execution, loaded, indices[stop.nb_set:at], total)
        try:
            total = self._sum('plain', loaded, indices[at:at + 1], total)
        except NotFinite as error:
            raise NotFinite(error.name, error.value, at, total) from None
        rest = indices[at + 1:]     # kernels round otherwise: it was finite after all
        try:
            return self._sum(execution, loaded, rest, total) if len(rest) else total
        except NotFinite as error:
            raise NotFinite(error.name, error.value, at + 1 + error.nb_done, error.total) from None

    def _of_kernels(self, execution: str, batch_size: int) -> Callable:
        """Return a loop of TensorFlow's kernels, in which the update may be compiled."""
        has_own = self._is_long and self._has_own(_MAX_NB_SIZE, execution, batch_size)
        key = (execution, batch_size) if has_own else ('for any size', execution)

        def run(indices: Any, total: Any, *arrays: Any) -> Any:
            def body(i: Any, total: Any) -> tuple:
                batch = [tf.gather(it, indices[i]) for it in arrays]
                outputs, updates = self._graphs.run_builder(self._builder, batch)
                if execution == 'compiled' and not self._is_asked and _nb_byte(updates) < _FUSED_BYTES:
                    raise conditions.NotCompilable('a small update is faster as it is')
                self._finite_names[:] = self._graphs.commit(updates, outputs, execution == 'compiled', i, total)
                return i + 1, total + tf.cast(outputs[0], tf.float64)
            return tf.while_loop(lambda i, _: i < tf.shape(indices)[0], body, (0, total), parallel_iterations=1)[1]
        arrays = [tf.TensorSpec((None, *spec.shape[1:]), spec.dtype) for spec in self._specs]
        return self._get(key, lambda: _concrete(run, tf.TensorSpec((None, batch_size if has_own else None), tf.int64),
                                                arrays))

    def _whole(self, batch_size: int, loaded: List[Any]) -> Optional['_Whole']:
        """Return a loop that is compiled for these shapes, or None if there are too many."""
        shapes = tuple(tuple(it.shape[1:]) for it in loaded)
        if not self._has_own(_MAX_NB_SHAPE, 'whole', batch_size, shapes):
            return None
        return self._get(('whole', batch_size, shapes), lambda: _Whole(
            self._graphs, self._builder, batch_size, loaded, not self._is_asked))

    def _has_own(self, most: int, *key: Any) -> bool:
        """Return whether there is a graph for an execution and some lengths, or may be beside the others of it."""
        with self._making:
            if key not in self._own:
                if sum(one[:1] == key[:1] for one in self._own) >= most:
                    return False
                self._own.append(key)
            return True

    def _get(self, key: tuple, make: Callable) -> Any:
        with self._making:
            if key not in self._made:
                self._made[key] = make()
            return self._made[key]


class _Stopped(Exception):
    """A batch whose numbers are not finite; variables are as before the block that it is in.

    Parameters
    ----------
    nb_set : int
        How many batches have set variables.
    total : array
        The total with these.
    nb_finite : int
        How many after them are finite.
    """

    def __init__(self, nb_set: int, total: np.ndarray, nb_finite: int):
        super().__init__(nb_set, total, nb_finite)
        self.nb_set, self.total, self.nb_finite = nb_set, total, nb_finite


class _Whole:
    """A loop that XLA compiles, over a block of batches of which the first ones are run.

    XLA drops assertions. Conditions are outputs instead: a batch for which one fails sets nothing, and is the last. Its
    update is a branch: the choice of each new value by itself would keep XLA from computing them in place.

    A batch whose numbers are not finite is the last, too, but has set variables: a step whose update waited for all
    gradients would take a quarter longer. The values from before the block are then restored.
    """

    def __init__(self, building: Building, builder: Callable, batch_size: int, loaded: List[Any], is_free: bool):
        self._graphs = building
        self._builder = builder
        self._is_free = is_free         # to let what is faster by kernels refuse
        nb_byte = sum(it.dtype.size * math.prod(it.shape[1:]) for it in loaded) * batch_size
        self._block = min(max(1, _BLOCK_BYTES // max(nb_byte, 1)), _LONGEST_BLOCK), batch_size
        self._messages: List[str] = []
        self._checked: List[Any] = []       # the variables that a batch sets, if numbers must be finite
        arrays = [tf.TensorSpec((None, *it.shape[1:]), it.dtype) for it in loaded]
        self._function = _concrete(self._gathered, tf.TensorSpec(self._block, tf.int64), arrays,
                                   tf.TensorSpec((), tf.int32))

    def __call__(self, loaded: List[Any], indices: np.ndarray, total: np.ndarray) -> np.ndarray:
        block, sums = np.zeros(self._block, 'int64'), tf.constant(total)
        for start in range(0, len(indices), len(block)):
            some = indices[start:start + len(block)]
            block[:len(some)] = some
            before = sums
            nb_run, sums, code, *values = self._function(tf.constant(block), sums, *loaded, tf.constant(len(some)))
            if values and code == _NOT_FINITE:
                for variable, value in zip(self._checked, values):
                    variable.assign(value)
                raise _Stopped(start, before.numpy(), int(nb_run) - 1)
            if self._messages and code >= 0:
                raise DataError(self._messages[int(code)])
        return sums.numpy()

    def _gathered(self, indices: Any, total: Any, *given: Any) -> tuple:
        """Return what the loop does, and the values of variables before it that may have to be restored."""
        *arrays, nb_batch = given
        # Gathered outside of what is compiled, which then suits any number of samples.
        args = nb_batch, total, *[tf.gather(it, indices) for it in arrays]
        run = tf.function(self._compiled, autograph=False, jit_compile=True).get_concrete_function(*args)
        before = [one.read_value() for one in self._checked]    # no copies: what is compiled makes new arrays
        with tf.control_dependencies(before):
            return (*run(*args), *before)

    def _compiled(self, nb_batch: Any, total: Any, *blocks: Any) -> tuple:
        def body(i: Any, total: Any, _: Any) -> tuple:
            with conditions.collecting(i, self._is_free) as collected:
                outputs, updates = self._graphs.run_builder(self._builder, [block[i] for block in blocks])
            sums = sums_of(list(numbers_to_check(updates).values()))
            is_set = self._assign(collected, updates, outputs)
            self._messages, self._checked = collected.messages, is_set if sums else []
            code = collected.code if collected.messages else tf.constant(conditions.HOLDS)
            if sums:
                code = tf.where(tf.logical_or(code >= 0, tf.math.is_finite(tf.add_n(sums))), code, _NOT_FINITE)
            added = total + tf.cast(outputs[0], tf.float64)
            if not sums and not collected.messages:
                return i + 1, added, code
            return i + 1, tf.where(code < 0, added, total), code
        return tf.while_loop(lambda i, _, code: tf.logical_and(i < nb_batch, code < 0), body,
                             (0, total, conditions.HOLDS), parallel_iterations=1)

    def _assign(self, collected: conditions.Conditions, updates: Sequence, outputs: Sequence) -> List[Any]:
        """Assign new values, in a branch if there are conditions; collect those of computing them.

        Return the variables.
        """
        made: List[Any] = []
        if not collected.messages:
            inner, is_set = self._graphs.assign_where_right(updates, outputs)
            collected.add_inner(inner, inner.code)
            return is_set

        def update() -> Any:
            made[:] = self._graphs.assign_where_right(updates, [])
            return tf.constant(conditions.HOLDS) if made[0].code is None else made[0].code
        code = tf.cond(collected.code < 0, update, lambda: tf.constant(conditions.HOLDS))
        collected.add_inner(made[0], code)
        return made[1]


def _concrete(run: Callable, indices: Any, arrays: Sequence, *others: Any) -> Callable[..., list]:
    total = tf.TensorSpec((None,), tf.float64)
    concrete = tf.function(run, autograph=False).get_concrete_function(indices, total, *arrays, *others)
    return private_api.direct_call(concrete)


def _nb_byte(updates: Sequence) -> int:
    """Return the size of what fused updates are computed from, as far as it is known."""
    return sum(it.dtype.size * (it.shape.num_elements() or 0) for one in updates if isinstance(one, FusedUpdates)
               for it in one.tensors)


def _as_tuple(data: Any) -> Any:
    return tuple(map(_as_tuple, data)) if isinstance(data, (list, tuple)) else data


def _first_line(error: Exception) -> str:
    return str(error).strip().partition('\n')[0][:200] or repr(error)
