"""Turn graphs and builders into functions of arrays."""
from itertools import islice
from types import MappingProxyType
from typing import Any, Callable, Iterable, List, Mapping, Sequence

import numpy as np

from keraflow.backend.compiled import Compiled, arrays_for
from keraflow.backend.contract import (FLOATS, OTHER_VARIABLES, Rows, TensorSpec, UsedVariable, all_updates,
                                       in_order_of_creation, numbers_to_check)
from keraflow.backend.draws import Draws, counting, numbered
from keraflow.backend.graph.gradients import gradients
from keraflow.backend.graph.nodes import Node, VariableNode, apply, ordered
from keraflow.backend.graph.program import Program, shared_memory
from keraflow.backend.graph.randomness import lone_draws, starts_of
from keraflow.backend.graph.rows import lookups_among, rows_of
from keraflow.backend.graph.updates import in_blocks
from keraflow.backend.graph.variables import Variables
from keraflow.backend.layouts import gradients_from_sources, sources_of
from keraflow.backend.operators import follow_contract
from keraflow.backend.refusals import NotFinite
from keraflow.errors import ArgumentError, BackendError, ShapeError

__all__ = ['Execution', 'Function', 'InPlace', 'whole']


class Function:
    """Outputs and new values of variables as a function of arrays: what it computes. A subclass computes it.

    Parameters
    ----------
    backend : Execution
    inputs : sequence of Node
        The placeholders.
    outputs : sequence of Node
    updates : sequence of (VariableNode, Node or Rows)
    finite : dict
        What must be finite, by name.

    Attributes
    ----------
    outputs, numbers : list of Node
        What is returned, and what must be finite; `names` are the names of that.
    values, rows : dict
        The new values of variables, and the variables of which some rows are set.
    nodes : list of Node
        All that is computed, in order.
    read, lone : list of Node
        The variables, and the states of draws, that it depends on.

    Raises
    ------
    BackendError
        If it depends on other placeholders.
    """

    def __init__(self, backend: Any, inputs: Sequence[Node], outputs: Sequence[Any], updates: Sequence = (),
                 finite: Mapping[str, Any] = MappingProxyType({})):
        self.graph, self.inputs = backend.graph, list(inputs)
        self.outputs = [backend._tensor(x) for x in outputs]
        self.names, self.numbers, pairs = list(finite), [backend._tensor(x) for x in finite.values()], dict(updates)
        self.rows = {variable: Rows(backend._tensor(value.indices), backend._tensor(value.values, variable.dtype))
                     for variable, value in pairs.items() if isinstance(value, Rows)}
        self.values = {variable: _new_value(backend, variable, value) for variable, value in pairs.items()
                       if variable not in self.rows}
        self.of_rows = [x for one in self.rows.values() for x in one]
        self.nodes = ordered([*self.outputs, *self.numbers, *self.of_rows, *self.values.values()])
        if any(_is_placeholder(node) for node in set(self.nodes) - set(inputs)):
            raise BackendError('function: the outputs depend on a placeholder that is not among the inputs.')
        self.read: List[Any] = [node for node in self.nodes if backend.is_variable(node)]
        self.lone = lone_draws(self.nodes)

    def __call__(self, *arrays: Any) -> List[Any]:
        """Return the outputs, and set the variables."""
        raise NotImplementedError

    def arrays(self, given: Sequence[Any]) -> List[np.ndarray]:
        """Return what a program gives, which may be lists or numbers, as arrays of the dtypes of the inputs."""
        return [np.asarray(x, node.dtype) for x, node in zip(given, self.inputs)]

    def check(self, sums: Iterable[Any]) -> None:
        """Raise NotFinite unless the sums of the numbers that must be finite are."""
        for name, total in zip(self.names, map(float, sums)):
            if not np.isfinite(total):
                raise NotFinite(name, total)


class InPlace(Function):
    """A function that runs call by call, and writes in memory that is free."""

    def __init__(self, backend: Any, *args: Any):
        super().__init__(backend, *args)
        others = [*self.outputs, *self.numbers, *self.of_rows]
        self._blocks = in_blocks(self.graph.library.functions, self.nodes, set(others), self.values)
        in_place = {variable for one in self._blocks for variable in one.variables}
        whole = {variable: value for variable, value in self.values.items() if variable not in in_place}
        groups = [self.outputs, self.numbers, self.of_rows, list(whole.values()), *(one.inputs for one in self._blocks)]
        self._compute = Program(self.graph, [*self.inputs, *self.read, *self.lone],
                                [node for group in groups for node in group])
        self._counts = [len(group) for group in groups]
        self._dtypes = [node.dtype for node in self.inputs]
        self._set = list(whole)
        # An array is handed out, or becomes the value of a variable, only if nothing else has its memory.
        copied = shared_memory([*self.outputs, *whole.values()], self._compute.constants)
        # Blocks write into variables, so that nothing that they read may be a view on one.
        self._inputs_copied = [[is_shared and node.operation is not None for node, is_shared in zip(
            one.inputs, shared_memory(one.inputs, self._compute.constants))] for one in self._blocks]
        self._outputs_copied, self._values_copied = copied[:len(self.outputs)], copied[len(self.outputs):]

    def __call__(self, *arrays: Any) -> List[np.ndarray]:
        with np.errstate(all='ignore'):
            given = map(np.asarray, arrays, self._dtypes)       # a program may give lists or numbers
            found = iter(self._compute(*given, *[variable.value for variable in self.read],
                                       *(starts_of(self.lone) if self.lone else ())))
            outputs, numbers, rows, values, *inputs = [list(islice(found, count)) for count in self._counts]
            self.check(map(np.sum, numbers))
            outputs, values = _own(outputs, self._outputs_copied), _own(values, self._values_copied)
            values = [whole(value, variable) for variable, value in zip(self._set, values)]
            inputs = [_own(read, copied) for read, copied in zip(inputs, self._inputs_copied)]
            for block, read in zip(self._blocks, inputs):
                block(read)
        for variable, indices, new in zip(self.rows, rows[::2], rows[1::2]):
            variable.value[indices] = new
        for variable, value in zip(self._set, values):
            variable.value = np.asarray(value, order='C')
        return outputs


class Execution(Variables):
    """Graphs that are built, run and dropped."""

    def symbolic(self, fn: Callable, tensors: Sequence) -> Any:
        with follow_contract():
            return fn(*tensors)

    def trace(self, fn: Callable, specs: Sequence[TensorSpec]) -> Any:
        with counting(Draws()):
            return super().trace(fn, specs)

    def no_autograph(self, fn: Callable) -> Callable:
        return follow_contract()(fn)

    def eval(self, tensors: Any) -> Any:
        if not isinstance(tensors, (list, tuple)):
            return self.eval([tensors])[0]
        outputs = [self._tensor(x) for x in tensors]
        if any(_is_placeholder(node) for node in ordered(outputs)):
            raise BackendError('eval: the tensor depends on a placeholder. Use function(), which feeds it.')
        return _arrays_of(self.graph.library.function_class(self, [], outputs)())

    def function(self, inputs: Sequence, outputs: Sequence, updates: Sequence = ()) -> Callable[..., list]:
        run = self.graph.library.function_class(self, inputs, outputs, updates)
        specs = [TensorSpec(x.shape, x.dtype) for x in inputs]
        return lambda *arrays: _arrays_of(run(*arrays_for(specs, arrays)))

    def compile(self, builder: Callable, specs: Sequence[TensorSpec]) -> Compiled:
        def make() -> Callable:
            tensors = [self.placeholder(*spec) for spec in specs]
            return self.graph.library.function_class(self, tensors, *self.symbolic(run, tensors))

        def run(*tensors: Any) -> tuple:
            outputs, updates = numbered(self, builder)(*tensors)
            return outputs, all_updates(updates), numbers_to_check(updates)
        return Compiled(make)

    def require(self, x: Any, condition: Any, message: str) -> Any:
        return apply('require', [self._tensor(x), self.cast(condition, 'bool')], message=message)

    def value_and_gradients(self, loss_fn: Callable[[], Any], variables: Sequence) -> tuple:
        self.without_layouts(variables)
        loss, aux = loss_fn()
        return loss, aux, self.gradients(loss, variables)

    def value_and_row_gradients(self, loss_fn: Callable[[], Any], variables: Sequence,
                                by_rows: Sequence[bool]) -> tuple:
        self.without_layouts(variables)
        loss, aux = loss_fn()
        lookups = lookups_among(loss, [x for x, one in zip(variables, by_rows) if one])
        gradients = iter(self.gradients(loss, [y for x in variables for y in lookups.get(x, [x])]))
        return loss, aux, [rows_of(x, lookups[x], gradients) if x in lookups else next(gradients) for x in variables]

    def gradients(self, loss: Any, variables: Sequence) -> list:
        # A library's rules are written with its own operators.
        with follow_contract(False):
            sources = sources_of(variables)
            slopes = iter(gradients(loss, [x for x in sources if x.dtype in FLOATS]))
            made = [next(slopes) if x.dtype in FLOATS else self.zeros_like(x, self.floatx()) for x in sources]
            return gradients_from_sources(self, made, variables)

    def variables_used(self, fn: Callable, specs: Sequence[TensorSpec]) -> List[UsedVariable]:
        # Twice, because a function that makes its own variables has others the second time.
        with counting(Draws()):
            used, again = (self._variables_behind(fn(*[self.placeholder(*spec) for spec in specs])) for _ in range(2))
        if list(map(id, used)) != list(map(id, again)):
            raise ArgumentError(OTHER_VARIABLES)
        return [UsedVariable(one.name.rsplit('/', 1)[-1], one, one.is_trainable and one.dtype in FLOATS)
                for one in used]

    def _variables_behind(self, results: Any) -> List[Any]:
        nodes = ordered(results if isinstance(results, (list, tuple)) else [results])
        return in_order_of_creation([node for node in nodes if self.is_variable(node)])


def _own(found: Sequence[Any], copied: Sequence[bool]) -> List[np.ndarray]:
    """Return arrays that may be written in, some of them copied; a function of NumPy may have returned a number."""
    arrays = ((np.asarray(x), copies) for x, copies in zip(found, copied))
    return [x if x.flags.writeable and not copies else np.array(x) for x, copies in arrays]


def _arrays_of(found: Sequence[Any]) -> List[np.ndarray]:
    """Return arrays of NumPy that may be written in."""
    return [x if isinstance(x, np.ndarray) else np.array(x) for x in found]


def _is_placeholder(node: Node) -> bool:
    return node.operation is None and not isinstance(node, VariableNode) and not hasattr(node, 'lone')


def _new_value(backend: Any, variable: Any, value: Any) -> Node:
    value = backend._tensor(value, variable.dtype)
    if value.ndim != variable.ndim:
        raise ShapeError(f"updates: expected a new value with {variable.ndim} axes for variable '{variable.name}', "
                         f'received one with {value.ndim}.')
    return value


def whole(value: Any, variable: Any) -> Any:
    """Return a new value, if it has the shape of its variable.

    Raises
    ------
    ShapeError
    """
    if value.shape != variable.shape:
        raise ShapeError(f"updates: expected a new value of shape {variable.shape} for variable '{variable.name}', "
                         f'received {value.shape}.')
    return value
