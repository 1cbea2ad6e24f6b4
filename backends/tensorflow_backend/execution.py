"""Turn symbolic graphs and builders into callables."""
import weakref
from typing import Any, Callable, List, Optional, Sequence

import numpy as np

from keraflow.backend.batches import BatchLoop
from keraflow.backend.compiled import Compiled, arrays_for
from keraflow.backend.contract import OTHER_VARIABLES, Rows, TensorSpec, UsedVariable, in_order_of_creation
from keraflow.backend.draws import Draws, counting, draws_so_far, starts_of_draws
from keraflow.backend.layouts import gradients_from_sources, sources_of
from keraflow.backend.operators import follow_contract
from keraflow.backend.refusals import marked, refusing
from keraflow.errors import ArgumentError, ArgumentTypeError

from . import conditions, private_api
from .batch_loop import Loop
from .building import Building
from .library import tf
from .outside import ONE_GRAPH, has_value
from .time_gradients import differentiated
from .variables import Variables

__all__ = ['Execution']


class Execution(Variables):
    """Graphs that are built, run and dropped."""

    # Only its tensors keep the graph of symbolic tensors alive, so that dropped models leave no memory behind.
    _scratch = staticmethod(lambda: None)

    def __init__(self, floatx: str = 'float32') -> None:
        super().__init__(floatx)
        self._graphs = Building(self)

    def placeholder(self, shape: Sequence, dtype: Optional[str] = None, name: Optional[str] = None) -> Any:
        with ONE_GRAPH, self._symbolic_graph().as_default():
            return private_api.placeholder(dtype or self.floatx(), shape)

    def symbolic(self, fn: Callable, tensors: Sequence) -> Any:
        with ONE_GRAPH, self._symbolic_graph().as_default(), follow_contract():
            return fn(*tensors)

    def trace(self, fn: Callable, specs: Sequence[TensorSpec]) -> Any:
        with private_api.FuncGraph('keraflow_trace').as_default(), follow_contract(), counting(Draws()):
            return fn(*[private_api.placeholder(spec.dtype, spec.shape) for spec in specs])

    def no_autograph(self, fn: Callable) -> Callable:
        # A tf.function of the program may run more often than it is traced: each draw in it is a run of its own.
        draws = draws_so_far() if self._graphs.is_running() else None
        return tf.autograph.experimental.do_not_convert(follow_contract()(counting(draws)(fn)))

    def eval(self, tensors: Any) -> Any:
        if isinstance(tensors, (list, tuple)):
            return self._eval_all(list(tensors))
        return self._eval_all([tensors])[0]

    def function(self, inputs: Sequence, outputs: Sequence, updates: Sequence = ()) -> Callable[..., list]:
        graph = self._symbolic_graph()
        with ONE_GRAPH, graph.as_default():
            outputs = [tf.identity(tf.convert_to_tensor(it)) for it in outputs]
            assignments = [it.op for it in self._graphs.assign(updates, outputs)]
            draws = list(graph.keraflow_draws)
        pruned = graph.keraflow_wrapped.prune([*inputs, *(fed for fed, _ in draws)], [outputs, assignments])
        # What other functions draw has no place in this one.
        streams = [stream if it.consumers() else None
                   for it, (_, stream) in zip(pruned.inputs[len(inputs):], draws)]
        specs = [TensorSpec(self.static_shape(it), self.dtype(it)) for it in inputs]

        def run(*arrays: Any) -> list:
            fed = map(tf.constant, arrays_for(specs, arrays))
            with refusing(tf.errors.InvalidArgumentError):
                return [it.numpy() for it in pruned(*fed, *map(tf.constant, starts_of_draws(streams)))[0]]
        return run

    def compile(self, builder: Callable, specs: Sequence[TensorSpec]) -> Compiled:
        names: List[str] = []
        return _Traced(lambda: self._traced(builder, specs, names), names)

    def batch_loop(self, builder: Callable, specs: Sequence[TensorSpec], execution: str = 'auto') -> BatchLoop:
        return Loop(self._graphs, builder, specs, execution)

    def require(self, x: Any, condition: Any, message: str) -> Any:
        collected = conditions.current()
        if collected is not None:
            collected.add(tf.reduce_all(self.cast(condition, 'bool')), message)
            return self._tensor(x)
        with refusing(tf.errors.InvalidArgumentError):      # without a graph it is checked at once
            check = tf.debugging.Assert(tf.reduce_all(self.cast(condition, 'bool')), [marked(message)])
        with tf.control_dependencies([] if check is None else [check]):
            return tf.identity(self._tensor(x))  # whatever is computed from it waits for the check

    def value_and_gradients(self, loss_fn: Callable[[], Any], variables: Sequence) -> tuple:
        loss, aux, gradients = self._differentiated(loss_fn, variables)
        return loss, aux, [tf.convert_to_tensor(gradient) for gradient in gradients]

    def value_and_row_gradients(self, loss_fn: Callable[[], Any], variables: Sequence,
                                by_rows: Sequence[bool]) -> tuple:
        loss, aux, gradients = self._differentiated(loss_fn, variables)
        if conditions.current() is not None:        # the number of rows differs from batch to batch
            by_rows = [False for _ in by_rows]
            if any(isinstance(gradient, tf.IndexedSlices) for gradient in gradients):
                conditions.avoid('the rows of a table are updated')
        return loss, aux, [_rows(gradient) if one and isinstance(gradient, tf.IndexedSlices)
                           else tf.convert_to_tensor(gradient) for gradient, one in zip(gradients, by_rows)]

    def _differentiated(self, loss_fn: Callable[[], Any], variables: Sequence) -> tuple:
        """Return loss, aux and gradients; these are slices if a variable is only indexed."""
        # Frozen parameters need no gradients, and are not recorded.
        with tf.GradientTape(watch_accessed_variables=False) as tape, differentiated():
            tape.watch(self.without_layouts(variables))
            loss, aux = loss_fn()
        # The library's gradients are written for its own operators.
        with follow_contract(False):
            return loss, aux, tape.gradient(loss, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO)

    def variables_used(self, fn: Callable, specs: Sequence[TensorSpec]) -> List[UsedVariable]:
        signature = [tf.TensorSpec(spec.shape, spec.dtype) for spec in specs]
        try:
            with tf.init_scope(), counting(Draws()):    # a layer is being linked, in a graph that is thrown away
                concrete = tf.function(fn, autograph=False).get_concrete_function(*signature)
        except ValueError as error:
            if not private_api.is_about_new_variables(error):
                raise
            raise ArgumentError(OTHER_VARIABLES) from error
        by_handle = {id(private_api.handle_of(variable)): variable for variable in concrete.variables}
        used = in_order_of_creation([by_handle[id(it)] for it in concrete.captured_inputs if id(it) in by_handle])
        names = [getattr(it, 'keraflow_name', it.name.split(':')[0]) for it in used]
        return [UsedVariable(name.rsplit('/', 1)[-1], it, it.trainable) for name, it in zip(names, used)]

    def gradients(self, loss: Any, variables: Sequence) -> list:
        if has_value(loss):
            raise ArgumentTypeError('gradients: loss: expected a symbolic tensor, received one that is computed '
                                    'already. Make it by B.symbolic(lambda: ..., []), or write '
                                    'B.value_and_gradients(lambda: (..., None), variables).')
        with ONE_GRAPH, loss.graph.as_default(), follow_contract(False):
            gradients = tf.gradients(loss, sources_of(variables),
                                     unconnected_gradients=tf.UnconnectedGradients.ZERO)
            return gradients_from_sources(self, map(tf.convert_to_tensor, gradients), variables)

    def _traced(self, builder: Callable, specs: Sequence[TensorSpec], names: List[str]) -> Callable:
        """Turn a builder into a ``tf.function``, and fill in the names of what must be finite."""
        def build(*tensors: Any) -> list:
            outputs, updates = self._graphs.run_builder(builder, tensors)
            names[:] = self._graphs.commit(updates, outputs, is_fused=False)
            return outputs
        signature = [tf.TensorSpec(spec.shape, spec.dtype) for spec in specs]
        # Layers are ordinary Python: nothing in them is to be rewritten.
        return tf.function(build, autograph=False).get_concrete_function(*signature)

    def _symbolic_graph(self) -> Any:
        with ONE_GRAPH:
            graph = self._scratch()
            if graph is None:
                wrapped = private_api.wrap_function(lambda: None, [])
                graph = wrapped.graph
                graph.keraflow_wrapped, graph.keraflow_draws = wrapped, []
                self._scratch = weakref.ref(graph)
            return graph

    def _eval_all(self, tensors: list) -> list:
        symbolic = [it for it in tensors if not has_value(it)]
        values = iter(self.function([], symbolic)() if symbolic else ())
        # A copy: numpy() may share the memory of the tensor.
        return [np.array(it.numpy()) if has_value(it) else next(values) for it in tensors]


def _rows(slices: Any) -> Rows:
    """Combine the gradients of a table's lookups, adding up those with the same index."""
    indices, places = tf.unique(slices.indices)
    return Rows(indices, tf.math.unsorted_segment_sum(slices.values, places, tf.size(indices)))


class _Traced(Compiled):
    _call: Optional[Callable] = None
    _call_of_batches: Optional[Callable] = None

    def __init__(self, make: Callable[[], Callable], names: Sequence[str]):
        super().__init__(make)
        self._finite_names = names     # of what must be finite

    def __call__(self, *arrays: Any) -> list:
        if self._call is None:
            self._call = private_api.direct_call(self.build())
        with refusing(tf.errors.InvalidArgumentError, self._finite_names):
            return self._call(*map(tf.constant, arrays))

    def of_batches(self, arrays: Sequence[Any], batch_size: int) -> List[list]:
        concrete: Any = self.build()
        if not arrays or any(it.shape.rank in (None, 0) or not it.shape[1:].is_fully_defined()
                             for it in concrete.outputs):
            return super().of_batches(arrays, batch_size)       # they may not be joinable
        if self._call_of_batches is None:
            self._call_of_batches = private_api.direct_call(_looped(concrete))
        with refusing(tf.errors.InvalidArgumentError, self._finite_names):
            return [self._call_of_batches(tf.constant(batch_size), *map(tf.constant, arrays))]


def _looped(run: Any) -> Any:
    """Return a function of many samples that calls another one for each batch of them, without tracing it again."""
    def of_batches(batch_size: Any, *arrays: Any) -> list:
        def body(number: Any, parts: list) -> tuple:
            start = number * batch_size
            outputs = run(*[x[start:start + batch_size] for x in arrays])
            return number + 1, [part.write(number, x) for part, x in zip(parts, outputs)]
        count = -(-tf.shape(arrays[0])[0] // batch_size)
        parts = [tf.TensorArray(x.dtype, count, infer_shape=False, element_shape=(None, *x.shape[1:]))
                 for x in run.outputs]
        _, parts = tf.while_loop(lambda number, _: number < count, body, (0, parts), parallel_iterations=1)
        return [part.concat() for part in parts]
    given = run.inputs[:len(run.inputs) - len(run.captured_inputs)]
    specs = [tf.TensorSpec((None, *x.shape[1:]), x.dtype) for x in given]
    return tf.function(of_batches, autograph=False).get_concrete_function(tf.TensorSpec((), tf.int32), *specs)
