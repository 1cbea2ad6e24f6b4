"""Run builders inside of a graph, and assign the new values of variables."""
import contextlib
import contextvars
from typing import Any, Callable, Iterator, List, Sequence, Tuple

from keraflow.backend.contract import FusedUpdates, Rows, all_updates, numbers_to_check
from keraflow.backend.draws import numbered
from keraflow.backend.operators import follow_contract
from keraflow.backend.refusals import marked
from keraflow.contexts import bound

from . import conditions, private_api
from .finite import stop_unless_finite
from .library import tf

__all__ = ['Building']

#: The graph of the builder that runs.
_graph: 'contextvars.ContextVar[Any]' = contextvars.ContextVar('_graph', default=None)


class Building:
    """What graphs of one batch and of many have in common.

    Parameters
    ----------
    backend : Backend
    """

    def __init__(self, backend: Any):
        self._tensorflow = backend
        self._variable_class = private_api.untraced_variable_class()        # which cannot be found inside of a graph

    def run_builder(self, builder: Callable, tensors: Sequence) -> Tuple[list, list]:
        """Return the outputs and updates of a builder, in the current graph."""
        with self.in_builder():
            outputs, updates = numbered(self._tensorflow, builder)(*tensors)
        return [tf.convert_to_tensor(it) for it in outputs], updates

    def commit(self, updates: Sequence, outputs: Sequence, is_fused: bool, nb_done: Any = None,
               total: Any = None) -> List[str]:
        """Assign the new values that a builder returned with some outputs; those that may be fused in one kernel.

        Return the names of what must be finite, or else nothing is assigned. The error then has the number of batches
        before, and the total over them, if given.
        """
        fused = [one for one in updates if isinstance(one, FusedUpdates)] if is_fused else []
        numbers = numbers_to_check(updates)
        known = [*outputs, *([stop_unless_finite(list(numbers.values()), nb_done, total)] if numbers else [])]
        with self.in_builder():
            rest = [one for one in updates if not isinstance(one, FusedUpdates)] if is_fused else updates
            pairs = self._new_values(all_updates(rest))
            with tf.control_dependencies([*known, *(value for _, value in pairs)]):
                # Before the others are assigned: if it cannot be compiled, nothing has changed.
                ran = [self._fused(one) for one in fused]
        with tf.control_dependencies(ran):
            _assign(pairs, known)
        return list(numbers)

    def assign(self, updates: Sequence, outputs: Sequence) -> list:
        """Assign new values to variables once these and the outputs are computed."""
        return _assign(self._new_values(updates), outputs)

    def assign_where_right(self, updates: Sequence, outputs: Sequence) -> Tuple[conditions.Conditions, List[Any]]:
        """Do the same in a graph that XLA compiles, if all that computing the new values requires holds.

        Return these conditions, and the variables.
        """
        with conditions.collecting(tf.constant(0)) as collected, self.in_builder():
            pairs = self._new_values(all_updates(updates))
        if collected.messages:
            pairs = [(variable, tf.where(collected.code < 0, value, variable)) for variable, value in pairs]
        _assign(pairs, outputs)
        return collected, [variable for variable, _ in pairs]

    def _new_values(self, updates: Sequence) -> List[tuple]:
        """Return updates with values of the dtypes of the variables."""
        return [(variable, self._new_value(value, self._tensorflow.dtype(variable))) for variable, value in updates]

    def _new_value(self, value: Any, dtype: str) -> Any:
        if isinstance(value, Rows):
            return tf.IndexedSlices(self._tensorflow.cast(value.values, dtype), tf.convert_to_tensor(value.indices))
        return self._tensorflow.cast(value, dtype)

    def _fused(self, one: FusedUpdates) -> Any:
        """Compute and assign updates in a function that XLA compiles."""
        messages: List[str] = []

        def update(*tensors: Any) -> Any:
            collected, _ = self.assign_where_right([FusedUpdates(one.make, tensors)], [])
            messages[:] = collected.messages
            return collected.code if messages else tf.constant(conditions.HOLDS)
        code = tf.function(update, autograph=False, jit_compile=True)(*one.tensors)
        if not messages:
            return code
        texts = [marked(message) for message in messages]
        return tf.debugging.Assert(code < 0, [tf.gather(texts, tf.maximum(code, 0))])

    def is_running(self) -> bool:
        """Return whether what is computed now is a part of a builder, and not of a ``tf.function`` that it calls."""
        return _graph.get() is not None and private_api.function_graph() is _graph.get()

    @contextlib.contextmanager
    def in_builder(self) -> Iterator[None]:
        """Follow the contract inside the block, in which layers run."""
        made = self._variable_class
        with follow_contract(), bound(_graph, private_api.function_graph()), \
                tf.variable_creator_scope(lambda creator, **options: made(**options)):
            yield


def _assign(pairs: Sequence, outputs: Sequence) -> list:
    """Assign values of the dtypes of the variables once all of them and the outputs are computed."""
    with tf.control_dependencies([*outputs, *(value for _, value in pairs)]):
        return [variable.scatter_update(value) if isinstance(value, tf.IndexedSlices) else variable.assign(value)
                for variable, value in pairs]
