"""The functions of ``keraflow.backend``: from a call of ``B.dot`` to the method of the backend in use.

What they are given is looked at here and nowhere else: stand-ins for tensors say themselves what a function of them is,
and arguments are checked before the backend is called. To link a layer takes some twenty such calls, most of them
questions such as ``is_tensor``; what is known of a method before it is called is found out once.
"""
import functools
import inspect
from typing import Any, Callable, NoReturn

import numpy as np

from keraflow.arguments import as_numbers, dtype_name, to_list
from keraflow.backend.checks import arguments_of, is_checked
from keraflow.backend.contract import OPERATIONS, Backend
from keraflow.backend.deferral import deferred_among, told_of
from keraflow.backend.logs import remember_logs
from keraflow.deprecation import current_names, renamed_arguments
from keraflow.errors import ArgumentTypeError, describe

__all__ = ['forwarding']

_OF_TENSORS = frozenset({'dtype', 'ndim', 'static_shape'})
_ARRAYS = np.ndarray, np.generic
_OF_VALUES = frozenset({'eval', 'get_value'})


def forwarding(attribute: str, current: Callable[[], Backend]) -> Callable:
    """The function that calls a method of the contract, of the backend that `current` gives."""
    method = getattr(Backend, attribute)
    signature = inspect.signature(method)
    without_self = list(signature.parameters.values())[1:]
    # So many arguments in their order need no look, of methods that are asked all the time, such as is_tensor.
    least, most = sum(one.default is one.empty for one in without_self), len(without_self)
    is_question = attribute in _OF_TENSORS
    is_plain, is_operation = not is_checked(attribute), attribute in OPERATIONS

    @functools.wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        one = deferred_among(args, kwargs)
        if one is not None:
            return one.defer(attribute, args, kwargs) if is_operation else told_of(one, attribute)
        backend = current()
        if is_plain and not kwargs and least <= len(args) <= most:
            if is_question and isinstance(args[0], _ARRAYS):    # which some backends would answer for
                _refuse(attribute, args[0])
            if attribute in _OF_VALUES:
                _check_value(backend, attribute, args[0])
            try:
                return getattr(backend, attribute)(*args)
            except (AttributeError, TypeError):     # not looked at before: these are asked all the time
                if is_question and not backend.is_tensor(args[0]):
                    _refuse(attribute, args[0])
                raise
        given = arguments_of(backend, attribute, args, kwargs)
        return remember_logs(backend, attribute, getattr(backend, attribute)(**given), given)
    call.__signature__ = signature.replace(parameters=without_self)     # type: ignore[attr-defined]
    names = [one.name for one in without_self]
    call = _naming_dtypes(call, names.index('dtype')) if 'dtype' in names else call
    return _by_current_names(call) if renamed_arguments(method) else call


def _refuse(attribute: str, given: Any) -> NoReturn:
    raise ArgumentTypeError(f'{attribute}: expected a tensor, received {describe(given)}.') from None


def _check_value(backend: Backend, attribute: str, given: Any) -> None:
    """Raise unless there is a value of what :meth:`Backend.get_value` or :meth:`Backend.eval` is given."""
    if attribute == 'eval':
        for one in to_list(given):
            if not backend.is_tensor(one):
                as_numbers(one, attribute)
    elif not backend.is_variable(given):
        received = 'a tensor. Write B.eval(...) of it' if backend.is_tensor(given) else describe(given)
        raise ArgumentTypeError(f'{attribute}: expected a variable, received {received}.')


def _naming_dtypes(function: Callable, place: int) -> Callable:
    """A function whose argument `dtype`, at this place, may also be an object such as ``np.float32``."""
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if 'dtype' in kwargs:
            kwargs['dtype'] = dtype_name(kwargs['dtype'])
        if len(args) > place:
            args = (*args[:place], dtype_name(args[place]), *args[place + 1:])
        return function(*args, **kwargs)
    return call


def _by_current_names(function: Callable) -> Callable:
    """A function that takes arguments by old names, too, also of Kensors."""
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **current_names(function, kwargs, function.__name__))
    return call
