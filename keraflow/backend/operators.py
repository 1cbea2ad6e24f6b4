"""Python's operators on tensors of a library, which follow the contract where keraflow runs layers.

The operators belong to the library. TensorFlow's refuse operands of two dtypes, or truncate reals to integers; Theano's
promote to float64. While layers, objectives and others run, an operator whose operands have one dtype is still the
library's, and any other one is the function of the backend.

For Theano's variables ``==`` and ``!=`` mean identity, on which Theano's own code relies, and for TensorFlow's tensors
with shapes that do not match they are False. While layers run they are those of the backend, for all code except the
library's own; with anything but a tensor, an array, a number or a list of these they mean identity. What has no value
yet is neither true nor false, which Theano only enforces for some comparisons.
"""
import contextvars
import functools
import sys
from typing import Any, Callable

import numpy as np

from keraflow.arguments import is_array_like
from keraflow.backend.checks import arguments_of
from keraflow.backend.deferral import Deferred
from keraflow.backend.dtypes import FLOATS
from keraflow.backend.logs import remember_logs
from keraflow.backend.method_info import METHODS
from keraflow.backend.tensor_info import info_of
from keraflow.backend.value_checks import is_small
from keraflow.backend.watching import current_watcher, operated
from keraflow.contexts import bound
from keraflow.errors import ArgumentTypeError

__all__ = ['follow_contract', 'install_operators']

_follows = contextvars.ContextVar('whether operators follow the contract', default=False)

_ARITHMETIC = {'add': 'add', 'sub': 'subtract', 'mul': 'multiply', 'truediv': 'divide', 'floordiv': 'floor_divide',
               'mod': 'mod', 'pow': 'power', 'matmul': 'matmul'}
_COMPARISONS = {'lt': 'less', 'le': 'less_equal', 'gt': 'greater', 'ge': 'greater_equal'}
_EQUALITIES = {'eq': 'equal', 'ne': 'not_equal'}


def follow_contract(yes: bool = True) -> bound:
    """Let operators inside the block follow the contract, or be the library's again."""
    return bound(_follows, yes)


def install_operators(backend: Any, *classes: type) -> None:
    """Let the operators of a library's classes follow the contract inside :func:`follow_contract`.

    Parameters
    ----------
    backend : Backend
        The backend whose functions are used.
    *classes : type
        The classes of tensors and variables.
    """
    names = {**{f'__{name}__': (operation, False) for name, operation in {**_ARITHMETIC, **_COMPARISONS}.items()},
             **{f'__r{name}__': (operation, True) for name, operation in _ARITHMETIC.items()}}
    for cls in classes:
        library = cls.__module__.partition('.')[0]
        for name, (operation, reflected) in names.items():
            own = getattr(cls, name, None)
            # It may be inherited from another of the classes, or from an earlier call: replaced, not wrapped twice.
            own = getattr(own, 'of_library', own)
            setattr(cls, name, _operator(backend, own, operation, reflected))
        for name, operation in _EQUALITIES.items():
            own = getattr(cls, f'__{name}__')
            setattr(cls, f'__{name}__', _equality(backend, getattr(own, 'of_library', own), operation, library))
        own = getattr(cls, '__bool__', None)
        if own is not None:
            setattr(cls, '__bool__', _truth(backend, getattr(own, 'of_library', own), library))
        own = getattr(cls, '__getitem__')
        setattr(cls, '__getitem__', _indexing(backend, getattr(own, 'of_library', own)))


def _operator(backend: Any, own: Any, operation: str, reflected: bool) -> Callable:
    def call(x: Any, y: Any) -> Any:
        if isinstance(y, Deferred):
            return NotImplemented       # not elementwise: refuses a tensor
        given = (y, x) if reflected else (x, y)
        follows, method = _follows.get(), METHODS[operation]
        if follows and _differs(backend, operation, x, y):
            made = operated(method, getattr(backend, operation), arguments_of(backend, method, given, {}))
        elif follows and own is not None and current_watcher() is not None:
            made = operated(method, lambda **_: own(x, y), dict(zip('xy', given)))
        else:
            made = NotImplemented if own is None else own(x, y)
        if (info_of(x).logs or info_of(y).logs) and backend.is_tensor(made):     # the other operand may return anything
            remember_logs(backend, method, made, dict(zip('xy', given)))
        return made
    if own is not None:
        functools.update_wrapper(call, own)
    call.of_library = own       # type: ignore[attr-defined]
    return call


def _equality(backend: Any, own: Any, operation: str, library: str) -> Callable:
    """Make ``==`` or ``!=``, which stays the library's own in its own code."""
    is_identity = own in (object.__eq__, object.__ne__)     # Python falls back to it

    @functools.wraps(own)
    def call(x: Any, y: Any) -> Any:
        if not _follows.get() or _package(sys._getframe(1)) == library:
            return NotImplemented if is_identity else own(x, y)
        if isinstance(y, Deferred):
            return NotImplemented       # not elementwise: refuses a tensor
        if not _is_operand(backend, y):
            return (x is y) == (operation == 'equal')
        method = METHODS[operation]
        return operated(method, getattr(backend, operation), arguments_of(backend, method, (x, y), {}))
    call.of_library = own       # type: ignore[attr-defined]
    return call


def _truth(backend: Any, own: Any, library: str) -> Callable:
    @functools.wraps(own)
    def call(x: Any) -> bool:
        # A variable has a value, and so does what a library computes eagerly.
        if _follows.get() and not (backend.is_variable(x) or hasattr(x, 'numpy')) and \
                _package(sys._getframe(1)) != library:
            raise ArgumentTypeError('a tensor has no value yet, so it is neither true nor false. Use B.where for '
                                    'values; write x is None, or x is y, to ask for an object.')
        return own(x)
    call.of_library = own       # type: ignore[attr-defined]
    return call


def _package(frame: Any) -> str:
    return frame.f_globals.get('__name__', '').partition('.')[0]


def _indexing(backend: Any, own: Any) -> Callable:
    @functools.wraps(own)
    def getitem(x: Any, index: Any, *rest: Any) -> Any:
        if _follows.get() and current_watcher() is not None:
            made = operated(METHODS['getitem'], lambda **_: own(x, index, *rest), {'x': x, 'index': index})
        else:
            made = own(x, index, *rest)
        return remember_logs(backend, METHODS['getitem'], made, {'x': x, 'index': index}) if info_of(x).logs else made
    getitem.of_library = own       # type: ignore[attr-defined]
    return getitem


def _differs(backend: Any, operation: str, x: Any, y: Any) -> bool:
    """Return whether the contract may differ from the library for `x`, a tensor, and `y`."""
    dtype = backend.dtype(x)
    if type(y) in (int, float) and not is_small(y):     # the dtype may not hold it
        return True
    if not backend.is_tensor(y) and type(y) not in (bool, int, float):
        return isinstance(y, (np.ndarray, np.generic, list, tuple))
    # Libraries disagree on products of vectors and stacks, on bools as numbers, and on integers divided by 0.
    if operation == 'matmul' or dtype == 'bool' or METHODS[operation].second_integer and dtype not in FLOATS:
        return True
    becomes_real = METHODS[operation].is_real and dtype not in FLOATS
    if backend.is_tensor(y):
        return backend.dtype(y) != dtype or becomes_real
    if dtype in FLOATS:
        return type(y) is float and dtype != backend.floatx()      # Theano rounds it to floatx
    return type(y) is float or becomes_real


def _is_operand(backend: Any, y: Any) -> bool:
    """Return whether a tensor is compared with `y` elementwise."""
    while isinstance(y, (list, tuple)) and y:
        y = y[0]
    return backend.is_tensor(y) or not isinstance(y, (str, bytes, list, tuple)) and is_array_like(y)
