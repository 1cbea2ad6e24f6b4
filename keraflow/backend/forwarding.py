"""The functions of ``keraflow.backend``: from a call of ``B.dot`` to the method of the backend in use.

The path of ``B.dot(x, W)``:

1. ``keraflow.backend`` makes the function by :func:`forwarding` when ``dot`` is first accessed. The properties of the
   method are in ``METHODS['dot']``, where the decorator of its definition in ``operations/products.py`` recorded them
   (:mod:`keraflow.backend.method_info`).
2. If `x` or `W` represents a tensor, as a Kensor does, that object itself decides what the function means
   (:mod:`keraflow.backend.deferral`): a Kensor is fed to a layer, ``keraflow/layers/operation.py``.
3. The arguments are checked, here and nowhere else (:mod:`keraflow.backend.checks`): their types, their shapes
   (``operand_checks.dot``), and whether the dtype can hold their numbers.
4. ``dot`` of the plugin in use computes the result; see its ``products.py``.
5. Whoever watches is told of it (:mod:`keraflow.backend.watching`), for example a profile.
6. What is known of the logarithms of the result is recorded with it (:mod:`keraflow.backend.logs`).

Linking a layer takes some twenty calls of functions that are not operations, mostly queries such as ``is_tensor``:
these do no more work than a wrong argument requires.
"""
import functools
import math
from typing import Any, Callable, NoReturn

import numpy as np

from keraflow.arguments import as_numbers, dtype_name, to_list
from keraflow.backend.checks import arguments_of
from keraflow.backend.contract import METHODS, Backend
from keraflow.backend.deferral import deferred_among, told_of
from keraflow.backend.logs import remember_logs
from keraflow.backend.method_info import MethodInfo
from keraflow.backend.watching import operated, watched_loop
from keraflow.deprecation import current_names, renamed_arguments
from keraflow.errors import ArgumentTypeError, describe

__all__ = ['forwarding']

_OF_TENSORS = frozenset({'dtype', 'ndim', 'static_shape'})
_ARRAYS = np.ndarray, np.generic
_OF_VALUES = frozenset({'eval', 'get_value'})
_LOOPS = frozenset({'loop', 'scan'})


def forwarding(name: str, current: Callable[[], Backend]) -> Callable:
    """Return the function that calls a method of the contract, on the backend that `current` returns."""
    method = METHODS.get(name) or MethodInfo(getattr(Backend, name))
    call = _checked(method, current) if method.is_checked else _unchecked(method, current)
    functools.update_wrapper(call, method.method)
    call.__signature__ = method.signature       # type: ignore[attr-defined]
    call = _naming_dtypes(call, method.names.index('dtype')) if 'dtype' in method.names else call
    return _by_current_names(call) if renamed_arguments(method.method) else call


def _checked(method: MethodInfo, current: Callable[[], Backend]) -> Callable:
    name, is_operation, is_told = method.name, method.is_operation, method.is_operation or method.is_view

    def call(*args: Any, **kwargs: Any) -> Any:
        one = deferred_among(args, kwargs)
        if one is not None:
            return one.defer(name, args, kwargs) if is_operation else told_of(one, name)
        backend = current()
        given = arguments_of(backend, method, args, kwargs)
        compute = getattr(backend, name)
        made = operated(method, compute, given) if is_told else compute(**given)
        return remember_logs(backend, method, made, given)
    return call


def _unchecked(method: MethodInfo, current: Callable[[], Backend]) -> Callable:
    name, asks_tensor, asks_value = method.name, method.name in _OF_TENSORS, method.name in _OF_VALUES
    is_loop = name in _LOOPS
    takes_more = any(one.kind is one.VAR_POSITIONAL for one in method.signature.parameters.values())
    nb_required = len(method.names) - len(method.defaults) - takes_more
    nb_argument = math.inf if takes_more else len(method.names)

    def call(*args: Any, **kwargs: Any) -> Any:
        one = deferred_among(args, kwargs)
        if one is not None:
            return told_of(one, name)
        backend = current()
        compute = functools.partial(watched_loop, getattr(backend, name)) if is_loop else getattr(backend, name)
        if kwargs or not nb_required <= len(args) <= nb_argument:
            return compute(**arguments_of(backend, method, args, kwargs))
        if asks_tensor and isinstance(args[0], _ARRAYS):    # some backends would accept an array
            _refuse(name, args[0])
        if asks_value:
            _check_value(backend, name, args[0])
        try:
            return compute(*args)
        except (AttributeError, TypeError):     # not checked first, because these are called all the time
            if asks_tensor and not backend.is_tensor(args[0]):
                _refuse(name, args[0])
            raise
    return call


def _refuse(attribute: str, given: Any) -> NoReturn:
    raise ArgumentTypeError(f'{attribute}: expected a tensor, received {describe(given)}.') from None


def _check_value(backend: Backend, attribute: str, given: Any) -> None:
    """Raise unless the argument of :meth:`Backend.get_value` or :meth:`Backend.eval` has a value."""
    if attribute == 'eval':
        for one in to_list(given):
            if not backend.is_tensor(one):
                as_numbers(one, attribute)
    elif not backend.is_variable(given):
        received = 'a tensor. Write B.eval(...) of it' if backend.is_tensor(given) else describe(given)
        raise ArgumentTypeError(f'{attribute}: expected a variable, received {received}.')


def _naming_dtypes(function: Callable, place: int) -> Callable:
    """Let the argument `dtype` of a function, at this position, also be an object such as ``np.float32``."""
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if 'dtype' in kwargs:
            kwargs['dtype'] = dtype_name(kwargs['dtype'])
        if len(args) > place:
            args = (*args[:place], dtype_name(args[place]), *args[place + 1:])
        return function(*args, **kwargs)
    return call


def _by_current_names(function: Callable) -> Callable:
    """Let a function take arguments by their old names, too, even for Kensors."""
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **(current_names(function, kwargs, function.__name__) if kwargs else kwargs))
    return call
