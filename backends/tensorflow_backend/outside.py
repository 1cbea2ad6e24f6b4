"""Compute with symbolic tensors outside their graph."""
import functools
import threading
from typing import Any, Callable, NoReturn

from keraflow.backend.deferral import Deferred

from .library import tf
from .private_api import OpDispatcher

__all__ = ['ONE_GRAPH', 'has_value', 'inside']

#: Guards the graph of symbolic tensors, in which one thread builds at a time.
ONE_GRAPH = threading.RLock()


def has_value(tensor: Any) -> bool:
    """Return whether a tensor is computed already; only symbolic tensors have no method ``numpy``."""
    return hasattr(tensor, 'numpy')


def inside(method: Callable) -> Callable:
    """Run a `method` of the backend in the graph of its symbolic arguments, unless a graph is open already."""
    @functools.wraps(method)
    def run(*args: Any, **kwargs: Any) -> Any:
        graph = _graph_of(args, kwargs) if tf.executing_eagerly() else None
        if graph is None:
            return method(*args, **kwargs)
        with ONE_GRAPH, graph.as_default():
            return method(*args, **kwargs)
    return run


def _graph_of(*values: Any) -> Any:
    for value in values:
        if isinstance(value, tf.Tensor):
            if not has_value(value) and hasattr(value.graph, 'keraflow_wrapped'):
                return value.graph
        elif isinstance(value, (list, tuple, dict)):
            graph = _graph_of(*(value.values() if isinstance(value, dict) else value))
            if graph is not None:
                return graph
    return None


class _Outside(OpDispatcher):
    """Handles operands that an operation or operator of TensorFlow refuses: tensors of a graph that is not open."""

    def handle(self, op: Callable, args: Any, kwargs: Any) -> Any:
        is_outside = tf.executing_eagerly() and _graph_of(args, kwargs) is not None
        return inside(op)(*args, **kwargs) if is_outside else self.NOT_SUPPORTED


_Outside().register()


def _refuse(value: Deferred, dtype: Any = None, name: Any = None, as_ref: bool = False) -> NoReturn:
    raise value.has_no_value('TensorFlow')


# Makes functions of TensorFlow that receive a Kensor say what to write instead.
tf.register_tensor_conversion_function(Deferred, _refuse)
