"""Functions of arrays as ``jax.jit`` compiles them."""
from collections import Counter, deque
from itertools import chain, repeat
from types import SimpleNamespace
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

import numpy as np

from keraflow.backend.graph.execution import Function, whole
from keraflow.backend.graph.nodes import Node, apply, known_of, ordered
from keraflow.backend.graph.program import Program
from keraflow.backend.graph.randomness import starts_of
from keraflow.backend.refusals import NotFinite
from keraflow.errors import DataError, KeraFlowError

from .conditions import collecting
from .counted_rows import counted
from .library import jax, jnp, variables_in_use, with_64_bits
from .padding import Lengths, count_of, padded, taken, taking, without_padding
from .row_axes import Unknown

__all__ = ['Jitted', 'stored']

#: The code of conditions that all hold.
_HOLDS = -1
#: How often a function may compile for some lengths: a loop over batches is given first arrays of NumPy, then its own.
_NB_COMPILING = 2


def stored(array: np.ndarray) -> Any:
    """Return an array of JAX with the numbers of one of NumPy, which nothing else uses: it may have the memory."""
    with with_64_bits():
        return jax.device_put(array)


#: The operations that may require something of data.
_REQUIRING = frozenset(('require', 'take', 'getitem', 'loop', 'call'))


class Jitted(Function):
    """A graph as one function that JAX compiles for each combination of lengths.

    Variables that it sets are given to the run, which writes their new values in their memory. With the outputs it
    returns a status: the number of the condition that failed first, among those of data and then the numbers that must
    be finite, and the value of such a number. New values are the old ones if there is one.

    A batch of a new length, such as the last one of many, is padded and compiles nothing, where a run may say how many
    rows count.
    """

    def __init__(self, backend: Any, *args: Any):
        super().__init__(backend, *args)
        self._set = [*self.values, *self.rows]
        self._kept = [x for x in self.read if x not in self.values and x not in self.rows]
        given = [*self._set, *self._kept, *self.lone, *self.inputs]
        holds, shared, values = self._gated()
        self._first = Program(self.graph, given, [*self.outputs, *self.numbers, *self.of_rows, *shared])
        self._last = Program(self.graph, [*given, *shared, holds], values)
        self._messages: Dict[bool, List[str]] = {}      # by whether rows are counted
        self._counted = None if self._set or self.numbers else counted(self.inputs, self.outputs)
        if self._counted is not None:
            self._of_count = Program(self.graph, [*given, self._counted.nb_row], self._counted.outputs)
        self._lengths = Lengths()
        self._nb_run: Counter = Counter()       # by lengths, up to when nothing compiles any more
        self._once = jax.jit(self._traced, donate_argnums=0)
        self._of_batch = jax.jit(self._traced_batch, donate_argnums=(0, 1))

    def _gated(self) -> Tuple[Node, List[Node], List[Node]]:
        """Return what stands for whether all conditions hold, what new values are computed from, and these nodes.

        What else is computed from a new value is made from the node that selects it: XLA then computes it once, in the
        memory of the old one.
        """
        first = set(ordered([*self.outputs, *self.numbers, *self.of_rows, *(
            node for node in self.nodes if node.operation is not None and node.operation.name in _REQUIRING)]))
        holds, made = self.graph.node(None, (), {}, known_of((), 'bool')), {}
        variable_of = {value: variable for variable, value in self.values.items()}
        for node in ordered(self.values.values(), first):
            made[node] = node
            if node.operation is None or node in first:
                continue
            made[node] = self.graph.node(node.operation, [made[x] for x in node.inputs], node.static, node.known)
            if node in variable_of:
                made[node] = apply('where', [holds, made[node], variable_of[node]])
        values = [made[value] if variable_of[value] is variable and made[value] is not value
                  else apply('where', [holds, made[value], variable]) for variable, value in self.values.items()]
        return holds, [x for x in made if x in first and x.operation is not None and x.inputs], values

    def __call__(self, *arrays: Any) -> List[Any]:
        given, nb_row, length = self.arrays(arrays), 0, 0
        counted = self._counted
        if counted is not None:
            nb_row = len(given[0])
            length = self._lengths.of(nb_row) if nb_row and all(len(x) == nb_row for x in given) else 0
        if length:
            given = [*(padded(x, length) for x in given), count_of(nb_row)]
        try:
            with with_64_bits(), _without_notes():
                outputs, status = self._run(self._once, given)
        except Unknown:
            self._counted = None
            return self(*arrays)
        if status is not None:
            self._stop(np.asarray(status), length > 0)
        return without_padding(outputs, counted.rows, nb_row, length) if counted and length > nb_row else outputs

    def sum(self, loaded: Sequence[Any], indices: np.ndarray, total: np.ndarray) -> np.ndarray:
        """Run batches of samples, of which each row of indices has the numbers, without waiting for one of them.

        Return the total with the only output of each batch added. After a batch that is not right none sets anything.
        """
        counts = self._counted is not None and indices.shape[1] > 0
        before: tuple = total, np.array([_HOLDS, 0.]), np.int64(0)
        try:
            with with_64_bits(), _without_notes():
                for given, row in self._padded(loaded, indices) if counts else ((loaded, row) for row in indices):
                    before = self._run(self._of_batch, given, before, row)
                added, status, nb_done = map(np.asarray, before)
        except Unknown:
            self._counted = None
            return self.sum(loaded, indices, total)
        self._stop(status, counts, int(nb_done), added)
        return added

    def _padded(self, loaded: Sequence[Any], indices: np.ndarray) -> Iterator[Tuple[Sequence[Any], None]]:
        """Yield what is given for each batch: its samples, taken here, so that no number of all samples is compiled."""
        nb_row = indices.shape[1]
        take, count = taking(loaded), count_of(nb_row)
        for row in padded(indices.T, self._lengths.of(nb_row)).T:
            yield [*take(row), count], None

    def _run(self, run: Any, given: Sequence[Any], *more: Any) -> Any:
        """Call a function of JAX, and set the variables."""
        starts, made = starts_of(self.lone) if self.lone else [], SimpleNamespace()
        with variables_in_use:
            before = [x.value for x in self._set]
            if before and self._compiles((run is self._once, *[x.shape for x in (*given, *more[1:]) if x is not None])):
                before = list(map(jnp.copy, before))
            # No code of Python runs from here on, so that no Ctrl-C finds variables without memory.
            found = map(run, [before], *([x] for x in more), [[x.value for x in self._kept]], [starts], [given])
            deque(map(setattr, [*self._set, made], repeat('value'), chain.from_iterable(found)), maxlen=0)
        return made.value

    def _compiles(self, lengths: tuple) -> bool:
        """Return whether JAX may run code of Python, and note a run for these lengths."""
        if self._nb_run[lengths] == _NB_COMPILING:
            return False
        self._nb_run[lengths] += 1
        return True

    def _stop(self, status: np.ndarray, counts: bool, nb_done: int = 0, total: Any = ()) -> None:
        """Raise if a condition did not hold."""
        code = int(status[0])
        if code < 0:
            return
        messages = self._messages[counts]
        if code < len(messages):
            raise DataError(messages[code])
        raise NotFinite(self.names[code - len(messages)], float(status[1]), nb_done, total)

    # -- what is traced -----------------------------------------------------------------------------------------------

    def _traced(self, before: List[Any], kept: List[Any], starts: List[Any], given: List[Any]) -> list:
        outputs, values, status = self._computed(before, kept, starts, given, None)
        # Nothing else may have the memory of a value, which the next run writes in.
        owned = _owned([*values, *outputs], [*before, *kept, *starts, *given])
        return [*owned[:len(values)], (owned[len(values):], status)]

    def _traced_batch(self, before: List[Any], so_far: tuple, row: Any, kept: List[Any], starts: List[Any],
                      arrays: List[Any]) -> list:
        total, status, nb_done = so_far
        batch = arrays if row is None else taken(arrays, row)
        [vector], values, found = self._computed(before, kept, starts, batch, status)
        status = status if found is None else found
        holds = status[0] < 0
        return [*_owned(values, [*before, *kept]), (jnp.where(holds, total + vector, total), status, nb_done + holds)]

    def _computed(self, before: List[Any], kept: List[Any], starts: List[Any], given: List[Any],
                  status: Any) -> Tuple[List[Any], List[Any], Any]:
        """Return outputs, new values, and the status, None without conditions; `status` is that of batches before."""
        arrays, counts = [*before, *kept, *starts, *given], len(given) > len(self.inputs)
        with collecting() as required:
            found = (self._of_count if counts else self._first)(*arrays)
        self._messages[counts] = [message for message, _ in required]
        outputs, numbers, rows, shared = _divided(found, [self.outputs, self.numbers, self.of_rows])
        status = _status([holds for _, holds in required], [jnp.sum(x, dtype='float64') for x in numbers], status)
        holds = np.True_ if status is None else status[0] < 0
        values = [whole(x, variable) for x, variable in zip(self._last(*arrays, *shared, holds), self._set)]
        for old, indices, new in zip(before[len(values):], rows[::2], rows[1::2]):
            cells = old.at[indices]
            values.append(cells.set(jnp.where(holds, new, cells.get(mode='clip')), mode='drop'))
        return outputs, values, status


def _status(required: List[Any], sums: List[Any], before: Any) -> Any:
    """Return the number of the first condition that does not hold, and its number; None without conditions.

    After a batch that is not right this is its status.
    """
    if not required and not sums:
        return None
    held = jnp.stack([*required, *map(jnp.isfinite, sums)])
    numbers = jnp.stack([*(jnp.zeros((), 'float64') for _ in required), *sums])
    first = jnp.argmin(held)
    status = jnp.where(held.all(), np.array([_HOLDS, 0.]), jnp.stack([first.astype('float64'), numbers[first]]))
    return status if before is None else jnp.where(before[0] < 0, status, before)


class _without_notes:
    """Let keraflow's errors leave the block as they are: JAX adds notes to what is raised while it traces."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Optional[type], error: Optional[BaseException], trace: Any) -> None:
        if isinstance(error, KeraFlowError):
            error.__dict__.pop('__notes__', None)
            raise error.with_traceback(None) from None


def _divided(found: Sequence[Any], groups: Sequence[Sequence[Any]]) -> List[list]:
    """Return a list of parts as long as groups, and the rest."""
    rest, parts = list(found), []
    for group in groups:
        parts.append(rest[:len(group)])
        rest = rest[len(group):]
    return [*parts, rest]


def _owned(values: Sequence[Any], given: Sequence[Any]) -> List[Any]:
    """Return values of which none is another one, or given."""
    taken, owned = set(map(id, given)), []
    for x in values:
        owned.append(jnp.copy(x) if id(x) in taken else jnp.asarray(x))
        taken.add(id(x))
    return owned
