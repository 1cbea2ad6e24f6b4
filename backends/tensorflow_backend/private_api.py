"""What the plugin uses of TensorFlow that its project does not promise to keep: all of it, and used by no other module.

Each entry says why no public API will do, and what would take its place where that is known.
``tests/tensorflow_plugin/test_private_api.py`` uses each one as the plugin does, on whichever release is installed.
"""
import functools
import operator
from typing import Any

from keraflow.errors import BackendError

from .library import tf

__all__ = ['FuncGraph', 'OpDispatcher', 'handle_of', 'is_about_new_variables', 'placeholder', 'plain_variable',
           'set_name', 'wrap_function']


def _found(path: str) -> Any:
    """What TensorFlow has under this name."""
    try:
        return operator.attrgetter(path)(tf)
    except AttributeError:
        raise BackendError(f'tensorflow: its release {tf.__version__} has no tf.{path}, which the plugin is made with. '
                           'Install an older release.') from None


#: A graph to trace a layer in. ``tf.function`` has no trace alone: it makes a function at once, which costs more than
#: all else that linking does. Its place would be taken by a public trace that makes none.
FuncGraph = _found('__internal__.FuncGraph')

#: A symbolic tensor by itself. Public API has such tensors only as arguments of the Python function that it traces; a
#: placeholder is there before anything is computed of it. Its place would be taken by the same as that of FuncGraph.
placeholder = _found('compat.v1.placeholder')

#: A function whose graph may grow, and whose ``prune`` makes a function from any tensors in it to any others, which is
#: what ``B.function`` promises. A ``tf.function`` has only the inputs and outputs that it was traced with.
wrap_function = _found('compat.v1.wrap_function')

#: Asked by TensorFlow where an operation refuses its operands, which is how operations on symbolic tensors find their
#: graph. ``tf.experimental.dispatch_for_api`` is asked by the types of operands, and for each operation alone.
OpDispatcher = _found('__internal__.dispatch.GlobalOpDispatcher')


@functools.lru_cache(maxsize=None)
def plain_variable() -> Any:
    """The class of variables, of which a ``tf.function`` does not notice that one is made in it: it would trace again,
    and refuse the next one. A layer that is made in each run of another one, and dropped, makes some in each trace.

    ``tf.Variable`` asks the function that is traced what to make. The class has no public name.
    """
    with tf.init_scope():
        found = [one for one in type(tf.Variable(0.)).__mro__ if one.__name__ == 'ResourceVariable']
    if not found:
        raise BackendError(f'tensorflow: the variables of its release {tf.__version__} are not made by a class '
                           'ResourceVariable, which the plugin is made with. Install an older release.')
    return found[0]


def set_name(variable: Any, name: str) -> None:
    """Call a variable by `name` in Python alone.

    The argument `name` of ``tf.Variable`` costs 30 kB for every name that there ever was, and time. Without this every
    variable would be called ``Variable:0``.
    """
    variable._handle_name = f'{name}:0'


def handle_of(variable: Any) -> Any:
    """The tensor by which a function captures a variable.

    ``ConcreteFunction.captured_inputs`` has what a function uses, in the order of use, ``variables`` has not. The
    place of both would be taken by variables that are listed in this order.
    """
    return variable.handle


def is_about_new_variables(error: ValueError) -> bool:
    """Whether ``tf.function`` refused a function because it makes variables in each run; only the text tells that."""
    return 'created on the first call' in str(error)
