"""Python's operators on tensors of a library, which follow the contract where keraflow runs layers.

The operators belong to the library. TensorFlow's refuse operands of two dtypes, or truncate reals to integers; Theano's
promote to float64. While layers, objectives and others run, an operator whose operands have one dtype is still the
library's, and any other one is the function of the backend.

``&``, ``|`` and ``~`` take truth values alone, an index has none, and NumPy's functions are refused: of these libraries
make different things.

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
from keraflow.backend.misuse import answer_to_numpy, check_index, no_arrays, require_bools
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
_OF_BOOLS = {'and': 'logical_and', 'rand': 'logical_and', 'or': 'logical_or', 'ror': 'logical_or',
             'invert': 'logical_not'}


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
        for name, operation in _OF_BOOLS.items():
            own = getattr(cls, f'__{name}__')
            setattr(cls, f'__{name}__', _of_bools(backend, getattr(own, 'of_library', own), operation, library))
        own = getattr(cls, '__getitem__')
        setattr(cls, '__getitem__', _indexing(backend, getattr(own, 'of_library', own), library))
        if not hasattr(cls, '__array_function__'):
            setattr(cls, '__array_function__', _of_numpy(backend, library))
            own = getattr(cls, '__array__', None)
            if own is not None:
                setattr(cls, '__array__', _as_array(own, library))


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


def _of_bools(backend: Any, own: Any, operation: str, library: str) -> Callable:
    @functools.wraps(own)
    def call(x: Any, *others: Any) -> Any:
        if not _follows.get() or _package(sys._getframe(1)) == library:
            return own(x, *others)
        if any(isinstance(one, Deferred) for one in others):
            return NotImplemented
        require_bools(operation, x, *others)
        method = METHODS[operation]
        return operated(method, getattr(backend, operation), arguments_of(backend, method, (x, *others), {}))
    call.of_library = own       # type: ignore[attr-defined]
    return call


def _of_numpy(backend: Any, library: str) -> Callable:
    def __array_function__(x: Any, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        # What is computed already has an array.
        if _follows.get() and (backend.is_variable(x) or not hasattr(x, 'numpy')) and _asking() != library:
            return answer_to_numpy(function, args, backend.static_shape, 'a tensor')
        return function._implementation(*args, **kwargs)        # as if there were no such method
    return __array_function__


def _as_array(own: Any, library: str) -> Callable:
    @functools.wraps(own)
    def __array__(x: Any, *args: Any, **kwargs: Any) -> Any:
        if _follows.get() and not hasattr(x, 'numpy') and _asking() != library:
            raise no_arrays('a tensor')
        return own(x, *args, **kwargs)
    return __array__


def _asking() -> str:
    """Return the package whose code calls a function of NumPy."""
    frame: Any = sys._getframe(2)
    while _package(frame) in ('', 'numpy'):     # without a name is what NumPy makes of its functions
        frame = frame.f_back
    return _package(frame)


def _indexing(backend: Any, own: Any, library: str) -> Callable:
    @functools.wraps(own)
    def getitem(x: Any, index: Any, *rest: Any) -> Any:
        if _follows.get() and _package(sys._getframe(1)) != library:
            check_index(index if isinstance(index, tuple) else (index,), backend.static_shape(x),
                        lambda one: backend.is_tensor(one) and backend.dtype(one) == 'bool')
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
