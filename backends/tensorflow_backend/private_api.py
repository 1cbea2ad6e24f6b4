"""The parts of TensorFlow without a stability promise that the plugin uses; no other module uses any.

Each entry says why no public API will do, and what could replace it, if known.
``tests/tensorflow_plugin/test_private_api.py`` uses each one like the plugin does, on the installed release.
"""
import functools
import operator
from typing import Any, Callable, List

from keraflow.errors import BackendError

from .library import tf

__all__ = ['FuncGraph', 'OpDispatcher', 'current_graph', 'direct_call', 'function_graph', 'handle_of',
           'is_about_new_variables', 'outermost_graph', 'placeholder', 'placeholder_of', 'set_name',
           'taken_from_outside', 'untraced_variable_class', 'wrap_function']


def _found(path: str) -> Any:
    """Return what TensorFlow has under this name."""
    try:
        return operator.attrgetter(path)(tf)
    except AttributeError:
        raise BackendError(f'tensorflow: its release {tf.__version__} has no tf.{path}, which the plugin is made with. '
                           'Install an older release.') from None


#: A graph to trace a layer in. ``tf.function`` cannot only trace: it also makes a function, which costs more than the
#: rest of linking. A public trace that makes none could replace it.
FuncGraph = _found('__internal__.FuncGraph')

#: A standalone symbolic tensor. Public API has such tensors only as arguments of a Python function while it is traced;
#: a placeholder exists before anything is computed from it. The replacement of FuncGraph would do.
placeholder = _found('compat.v1.placeholder')

#: A function whose graph may grow, and whose ``prune`` makes a function between any tensors in it, as ``B.function``
#: promises. A ``tf.function`` has only the inputs and outputs that it was traced with.
wrap_function = _found('compat.v1.wrap_function')

#: Asked by TensorFlow when an operation refuses its operands, which is how operations on symbolic tensors find their
#: graph. ``tf.experimental.dispatch_for_api`` works by the types of operands, and for one operation at a time.
OpDispatcher = _found('__internal__.dispatch.GlobalOpDispatcher')


def direct_call(concrete: Any) -> Callable[..., list]:
    """Return a function from tensors, in order, to the outputs of a ``ConcreteFunction``, as a flat list.

    A ``ConcreteFunction`` binds its arguments by name, asks tapes, and packs what is returned, which takes as long as a
    small network. Public API has no call without that: ``tf.raw_ops.PartitionedCall`` is faster yet, but the library
    keeps its kernel, with all of the graph, when the function is gone.
    """
    run, captured = concrete._inference_function.call_flat, concrete.captured_inputs
    return lambda *tensors: run(*tensors, *captured) or []


@functools.lru_cache(maxsize=None)
def untraced_variable_class() -> Any:
    """Return a class of variables that may be created inside a ``tf.function`` unnoticed.

    Otherwise it would trace again, and refuse the next one. A layer made and dropped in each run of another creates
    some in each trace.

    ``tf.Variable`` asks the traced function what to create. The class has no public name.

    Raises
    ------
    BackendError
        If this release of TensorFlow has no such class.
    """
    with tf.init_scope():
        found = [one for one in type(tf.Variable(0.)).__mro__ if one.__name__ == 'ResourceVariable']
    if not found:
        raise BackendError(f'tensorflow: the variables of its release {tf.__version__} are not made by a class '
                           'ResourceVariable, which the plugin is made with. Install an older release.')
    return found[0]


def set_name(variable: Any, name: str) -> None:
    """Set the `name` of a variable in Python alone.

    The argument `name` of ``tf.Variable`` costs 30 kB for each distinct name, and time. Without this every variable
    would be called ``Variable:0``.
    """
    variable._handle_name = f'{name}:0'


def handle_of(variable: Any) -> Any:
    """Return the tensor by which a function captures a variable.

    ``ConcreteFunction.captured_inputs`` lists what a function uses in order of use, ``variables`` does not. A list of
    variables in this order could replace both.
    """
    return variable.handle


def is_about_new_variables(error: ValueError) -> bool:
    """Return whether ``tf.function`` refused a function because each run creates variables; only the text tells."""
    return 'created on the first call' in str(error)


def current_graph() -> Any:
    """Return the graph that is being built. Public API has it only as the graph of a tensor that is made for that."""
    return tf.compat.v1.get_default_graph()


def taken_from_outside(graph: Any) -> List[Any]:
    """Return the tensors that a FuncGraph takes from those around it.

    ``ConcreteFunction.captured_inputs`` lists them only once a function is made, which costs more.
    """
    return list(graph.external_captures)


def placeholder_of(tensor: Any) -> Any:
    """Return the tensor that stands for one from outside in the FuncGraph that is being built.

    A ``GradientTape`` inside of the body of a loop only watches that one. A loop that takes gradients of its captures
    could replace it.
    """
    return current_graph().capture(tensor)


def function_graph() -> Any:
    """Return the graph of the function that is being built, also in the body of a loop or branch of it.

    Only the class of a graph tells that it is such a body.
    """
    graph = current_graph()
    while isinstance(graph, FuncGraph) and type(graph) is not FuncGraph:
        graph = graph.outer_graph
    return graph


def outermost_graph() -> Any:
    """Return the graph that is being built, or the one around the loops and branches that it is the body of.

    Only an attribute of the graph tells the one around it.
    """
    graph = current_graph()
    while isinstance(graph, FuncGraph) and isinstance(graph.outer_graph, FuncGraph):
        graph = graph.outer_graph
    return graph
