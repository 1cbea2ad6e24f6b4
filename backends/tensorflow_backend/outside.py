"""Symbolic tensors that a program computes with, outside of the graph that they are part of."""
import functools
import threading
from typing import Any, Callable, Iterator, NoReturn

from keraflow.backend.deferral import Deferred

from .library import tf
from .private_api import OpDispatcher

__all__ = ['ONE_GRAPH', 'inside']

#: Of the graph of symbolic tensors, in which one thread builds at a time.
ONE_GRAPH = threading.RLock()


def inside(method: Callable) -> Callable:
    """`method` of the backend, run in the graph of the symbolic tensors that it is given, unless it runs in one."""
    @functools.wraps(method)
    def run(*args: Any, **kwargs: Any) -> Any:
        graph = _graph_of(args, kwargs) if tf.executing_eagerly() else None
        if graph is None:
            return method(*args, **kwargs)
        with ONE_GRAPH, graph.as_default():
            return method(*args, **kwargs)
    return run


def _graph_of(*values: Any) -> Any:
    return next((value.graph for value in _each(values) if isinstance(value, tf.Tensor)
                 and not hasattr(value, 'numpy') and hasattr(value.graph, 'keraflow_wrapped')), None)


def _each(value: Any) -> Iterator[Any]:
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _each(item)
    elif isinstance(value, dict):
        yield from _each(list(value.values()))
    else:
        yield value


class _Outside(OpDispatcher):
    """What TensorFlow asks where one of its operations refuses operands, also those of Python's operators: it does so
    with tensors of a graph that is not open."""

    def handle(self, op: Callable, args: Any, kwargs: Any) -> Any:
        is_outside = tf.executing_eagerly() and _graph_of(args, kwargs) is not None
        return inside(op)(*args, **kwargs) if is_outside else self.NOT_SUPPORTED


_Outside().register()


def _refuse(value: Deferred, dtype: Any = None, name: Any = None, as_ref: bool = False) -> NoReturn:
    raise value.has_no_value('TensorFlow')


# So that functions of TensorFlow say what to write when they are given a Kensor.
tf.register_tensor_conversion_function(Deferred, _refuse)
