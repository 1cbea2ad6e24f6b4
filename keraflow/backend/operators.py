"""Python's operators on tensors of a library, which follow the contract where keraflow runs layers.

The operators belong to the library. TensorFlow's refuse operands of two dtypes, or cut reals to integers; Theano's make
float64 of them. While layers, objectives and the like are run, an operator whose operands have one dtype is still the
library's, and any other one is the function of the backend.
"""
import contextlib
import contextvars
import functools
from typing import Any, Callable, Iterator

import numpy as np

from keraflow.backend.checks import arguments_of
from keraflow.backend.dtypes import FLOATS
from keraflow.backend.logs import remember_logs
from keraflow.backend.refusals import OF_INTEGERS
from keraflow.backend.value_checks import is_small
from keraflow.facts import facts_of

__all__ = ['follow_contract', 'install_operators']

_follows = contextvars.ContextVar('whether operators follow the contract', default=False)

_ARITHMETIC = {'add': 'add', 'sub': 'subtract', 'mul': 'multiply', 'truediv': 'divide', 'floordiv': 'floor_divide',
               'mod': 'mod', 'pow': 'power', 'matmul': 'matmul'}
_COMPARISONS = {'lt': 'less', 'le': 'less_equal', 'gt': 'greater', 'ge': 'greater_equal'}


@contextlib.contextmanager
def follow_contract(yes: bool = True) -> Iterator[None]:
    """Inside, operators follow the contract (or are the library's again)."""
    token = _follows.set(yes)
    try:
        yield
    finally:
        _follows.reset(token)


def install_operators(backend: Any, *classes: type) -> None:
    """Let the operators of a library's classes follow the contract inside of :func:`follow_contract`.

    Parameters
    ----------
    backend : Backend
        Whose functions are taken.
    *classes : type
        Of tensors and variables.
    """
    names = {**{f'__{name}__': (operation, False) for name, operation in {**_ARITHMETIC, **_COMPARISONS}.items()},
             **{f'__r{name}__': (operation, True) for name, operation in _ARITHMETIC.items()}}
    for cls in classes:
        for name, (operation, reflected) in names.items():
            own = getattr(cls, name, None)
            own = getattr(own, 'of_library', own)
            setattr(cls, name, _operator(backend, own, operation, reflected))
        own = getattr(cls, '__getitem__')
        setattr(cls, '__getitem__', _indexing(backend, getattr(own, 'of_library', own)))


def _operator(backend: Any, own: Any, operation: str, reflected: bool) -> Callable:
    def call(x: Any, y: Any) -> Any:
        given = (y, x) if reflected else (x, y)
        if _follows.get() and _differs(backend, operation, x, y):
            function = operation if operation != 'matmul' else 'batch_dot' if _rank(backend, given[1]) > 2 else 'dot'
            made = getattr(backend, function)(**arguments_of(backend, function, given, {}))
        else:
            made = NotImplemented if own is None else own(x, y)
        if (facts_of(x).logs or facts_of(y).logs) and backend.is_tensor(made):     # the other one may give anything
            remember_logs(backend, operation, made, dict(zip('xy', given)))
        return made
    if own is not None:
        functools.update_wrapper(call, own)
    call.of_library = own       # type: ignore[attr-defined]
    return call


def _indexing(backend: Any, own: Any) -> Callable:
    @functools.wraps(own)
    def getitem(x: Any, index: Any, *rest: Any) -> Any:
        made = own(x, index, *rest)
        return remember_logs(backend, 'getitem', made, {'x': x, 'index': index}) if facts_of(x).logs else made
    getitem.of_library = own       # type: ignore[attr-defined]
    return getitem


def _differs(backend: Any, operation: str, x: Any, y: Any) -> bool:
    """Whether the contract may say something else of `x`, a tensor, and `y` than the library does."""
    dtype = backend.dtype(x)
    if type(y) in (int, float) and not is_small(y):     # which the dtype may not hold
        return True
    if not backend.is_tensor(y) and type(y) not in (bool, int, float):
        return isinstance(y, (np.ndarray, np.generic, list, tuple))
    if operation == 'matmul' or dtype == 'bool' or operation in OF_INTEGERS and dtype not in FLOATS:
        return True
    if backend.is_tensor(y):
        return backend.dtype(y) != dtype or operation == 'divide' and dtype not in FLOATS
    if dtype in FLOATS:
        return type(y) is float and dtype != backend.floatx()      # which Theano rounds to floatx
    return type(y) is float or operation == 'divide'


def _rank(backend: Any, x: Any) -> int:
    return backend.ndim(x) if backend.is_tensor(x) else np.ndim(x)
