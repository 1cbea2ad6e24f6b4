"""Turn symbolic tensors into functions of arrays, and compute gradients."""
import contextlib
import functools
import sys
import threading
from typing import Any, Callable, Iterator, List, Optional, Sequence

import numpy as np

from keraflow.backend.compiled import Compiled, arrays_for
from keraflow.backend.contract import (OTHER_VARIABLES, Backend, Rows, TensorSpec, UsedVariable, all_updates,
                                       in_order_of_creation, numbers_to_check)
from keraflow.backend.draws import Draws, counting, numbered
from keraflow.backend.layouts import gradients_from_sources, sources_of
from keraflow.backend.operators import follow_contract
from keraflow.backend.refusals import marked, refusing
from keraflow.errors import ArgumentError, BackendError, ShapeError

from .configure import COMPILING, T, theano
from .finite import while_finite
from .operands import as_tensor, cast, floatx
from .origins import without_traces
from .own_mode import own_mode
from .randomness import places_of
from .rows import lookups_among, rows_of, set_rows

__all__ = ['Execution']

_LIMIT = threading.Lock()
_depths: List[int] = []     # recursion limits: the usual one, and those that threads need now; all share one


class Execution(Backend):
    """Functions and gradients; see the contract."""

    def symbolic(self, fn: Callable, tensors: Sequence) -> Any:
        with follow_contract():
            return fn(*tensors)

    def trace(self, fn: Callable, specs: Sequence[TensorSpec]) -> Any:
        with without_traces(), counting(Draws()):
            return super().trace(fn, specs)

    def no_autograph(self, fn: Callable) -> Callable:
        return follow_contract()(fn)

    def function(self, inputs: Sequence, outputs: Sequence, updates: Sequence = ()) -> Callable[..., list]:
        run = _theano_function(list(inputs), outputs, updates)
        specs = [TensorSpec(self.static_shape(x), x.dtype) for x in inputs]
        running = threading.Lock()      # a Theano function computes in its own storage

        def call(*arrays: Any) -> list:
            given = arrays_for(specs, arrays)
            with _Quietly(), running:
                return [np.asarray(result) for result in run(*given)]

        return call

    def compile(self, builder: Callable, specs: Sequence[TensorSpec]) -> Compiled:
        return _Compiled(self, builder, list(specs))

    def eval(self, tensors: Any) -> Any:
        if not isinstance(tensors, (list, tuple)):
            return self.eval([tensors])[0]
        # Compiling C takes longer than computing once, so use Theano's Python implementations.
        mode = 'FAST_COMPILE' if theano.config.mode == 'Mode' else None
        try:
            with _Quietly():
                results = _theano_function([], tensors, (), mode)()
        except theano.graph.fg.MissingInputError:
            raise BackendError('eval: the tensor depends on a placeholder. Use function(), which feeds it.') from None
        except (NotImplementedError, theano.graph.utils.MethodNotDefined):
            with _Quietly():
                results = _theano_function([], tensors)()      # an Op with C code only
        return [np.asarray(result) for result in results]

    def require(self, x: Any, condition: Any, message: str) -> Any:
        return T.opt.Assert(marked(message))(as_tensor(x), T.all(as_tensor(condition, 'bool')))

    def value_and_gradients(self, loss_fn: Callable[[], Any], variables: Sequence) -> tuple:
        loss, aux = loss_fn()
        return loss, aux, self.gradients(loss, variables)

    def value_and_row_gradients(self, loss_fn: Callable[[], Any], variables: Sequence,
                                by_rows: Sequence[bool]) -> tuple:
        loss, aux = loss_fn()
        lookups = lookups_among(_nodes([loss]))
        taken = [lookups.get(x, []) if one else [] for x, one in zip(variables, by_rows)]
        gradients = iter(self.gradients(loss, [y for x, some in zip(variables, taken) for y in some or [x]]))
        return loss, aux, [rows_of(some, gradients) if some else next(gradients) for some in taken]

    def variables_used(self, fn: Callable, specs: Sequence[TensorSpec]) -> List[UsedVariable]:
        # Twice, because a function that makes its own variables has others the second time.
        with counting(Draws()):
            used, again = (self._variables_in(fn(*[self.placeholder(*spec) for spec in specs])) for _ in range(2))
        if list(map(id, used)) != list(map(id, again)):
            raise ArgumentError(OTHER_VARIABLES)
        return [UsedVariable((it.name or 'variable').rsplit('/', 1)[-1], it,
                             # A default update marks the state of a stream of random numbers.
                             getattr(it, 'default_update', None) is None and it.dtype.startswith('float'))
                for it in used]

    def _variables_in(self, results: Any) -> list:
        leaves = theano.graph.basic.graph_inputs(results if isinstance(results, (list, tuple)) else [results])
        return in_order_of_creation([it for it in dict.fromkeys(leaves) if self.is_variable(it)])

    def gradients(self, loss: Any, variables: Sequence) -> list:
        variables = list(variables)
        if not variables:
            return []
        # The gradients of Ops are Theano's own code, which relies on its own operators.
        with _deep_recursion(len(_nodes([loss]))), follow_contract(False):
            found = T.grad(loss, sources_of(variables), disconnected_inputs='ignore')
        return [cast(gradient, x.dtype if x.dtype.startswith('float') else floatx())
                for gradient, x in zip(gradients_from_sources(self, found, variables), variables)]


class _Compiled(Compiled):
    """A Theano function, run by one thread at a time, because it computes in its own storage."""

    def __init__(self, backend: Backend, builder: Callable, specs: List[TensorSpec]):
        self._finite_names: List[str] = []     # of what must be finite
        super().__init__(functools.partial(_build, backend, builder, specs, self._finite_names))
        self._has_scalar = not all(len(spec.shape) for spec in specs)
        self._running = threading.Lock()

    def __call__(self, *arrays: Any) -> list:
        run = self.build()
        # A scalar may arrive as a NumPy number, but C code needs an array.
        given = map(np.asarray, arrays) if self._has_scalar else arrays
        with _Quietly(self._finite_names), self._running:
            return run(*given)


class _Quietly(refusing):
    """Turn refusals into DataErrors, and silence NumPy's warnings about infinity and NaN, inside the block.

    Equals ``np.errstate(all='ignore')`` in a tenth of its time; Theano runs only with releases of NumPy that have this.
    """

    __slots__ = ('_settings',)

    def __init__(self, names: Sequence[str] = ()) -> None:
        super().__init__(AssertionError, names)

    def __enter__(self) -> None:
        self._settings = np.geterrobj()
        np.seterrobj([self._settings[0], 0, self._settings[2]])

    def __exit__(self, *error: Any) -> None:
        np.seterrobj(self._settings)
        super().__exit__(*error)


def _build(backend: Backend, builder: Callable, specs: List[TensorSpec], names: List[str]) -> Callable:
    """Make a Theano function, and fill in the names of what must be finite."""
    tensors = [backend.placeholder(*spec) for spec in specs]
    outputs, updates = backend.symbolic(lambda *given: _built(numbered(backend, builder), given, names), tensors)
    run = _theano_function(tensors, outputs, updates)
    run.trust_input = True      # skip checks: the arrays already match the specs
    return run


def _built(builder: Callable, tensors: Sequence, names: List[str]) -> tuple:
    outputs, updates = builder(*tensors)
    numbers = numbers_to_check(updates)
    names[:] = numbers
    if numbers:
        outputs = [while_finite(as_tensor(outputs[0]), *map(as_tensor, numbers.values())), *outputs[1:]]
    return outputs, all_updates(updates)


def _theano_function(inputs: list, outputs: Sequence, updates: Sequence = (), mode: Optional[str] = None) -> Any:
    """Call ``theano.function`` with updates of the variables' types and with numbered random draws."""
    results = [as_tensor(x) for x in outputs]
    pairs = [(variable, _of_type(value, variable)) for variable, value in updates]
    nodes = _nodes(results + [value for _, value in pairs], inputs)
    with COMPILING, _deep_recursion(len(nodes)), np.errstate(all='ignore'):     # compiling folds constants
        return theano.function(inputs, results, updates=pairs, givens=places_of(nodes), mode=mode or own_mode(),
                               on_unused_input='ignore', name='keraflow')


def _of_type(value: Any, variable: Any) -> Any:
    """Convert a new value to exactly the variable's type: dtype and axes of length 1."""
    if isinstance(value, Rows):
        value = set_rows(variable, Rows(value.indices, cast(value.values, variable.dtype)))
    value = as_tensor(value, variable.dtype)
    if value.ndim != variable.ndim:
        raise ShapeError(f"updates: expected a new value with {variable.ndim} axes for variable '{variable.name}', "
                         f'received one with {value.ndim}.')
    return T.patternbroadcast(value, variable.broadcastable)


def _nodes(outputs: Sequence, inputs: Sequence = ()) -> list:
    """Return the Apply nodes between tensors."""
    found = {id(x.owner): x.owner for x in theano.graph.basic.ancestors(outputs, inputs) if x.owner is not None}
    return list(found.values())


@contextlib.contextmanager
def _deep_recursion(nb_node: int) -> Iterator[None]:
    """Let Theano recurse as deep as a chain of `nb_node` nodes requires.

    It copies graphs and walks them for gradients recursively, with three calls for each node, so that Python's usual
    limit would stop it after some hundred layers.
    """
    depth = 4 * nb_node + 1000
    with _LIMIT:
        if not _depths:
            _depths.append(sys.getrecursionlimit())
        _depths.append(depth)
        sys.setrecursionlimit(max(_depths))
    try:
        yield
    finally:
        with _LIMIT:
            _depths.remove(depth)
            sys.setrecursionlimit(max(_depths))
            if len(_depths) == 1:
                _depths.clear()
