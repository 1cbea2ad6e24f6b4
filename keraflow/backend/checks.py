"""Check arguments of operations before any backend sees them, so that a mistake has the same message on each.

The annotations of the contract define the types of arguments; its decorators define what else must hold
(:mod:`keraflow.backend.method_info`).
"""
from typing import Any, Callable, Dict, Sequence

import numpy as np

from keraflow import shapes
from keraflow.backend.axes import tell_of_features
from keraflow.backend.contract import Backend
from keraflow.backend.method_info import MethodInfo
from keraflow.backend.operand_checks import check_axes
from keraflow.backend.value_checks import check_integers, check_values
from keraflow.errors import ArgumentTypeError, KeraFlowError, ShapeError, describe
from keraflow.schema import Signature, check, expected

__all__ = ['OPTIONAL_OPERANDS', 'arguments_of', 'check_names', 'check_number', 'check_types']

#: Arrays with more numbers than a tensor has axes are data, such as edges of bins.
_FEW = 32
#: Operands that may be None.
OPTIONAL_OPERANDS = 'min_value', 'max_value'


def arguments_of(backend: Backend, method: MethodInfo, args: Sequence[Any], kwargs: Dict[str, Any]) -> Dict[str, Any]:
    """Return the arguments of a call by name, defaults included, checked if the method is an operation.

    Raises
    ------
    ArgumentTypeError, ArgumentError, ShapeError
        If the operation cannot be applied to them.

    Examples
    --------
    >>> from keraflow import backend as B
    >>> B.split(B.ones((2, 4)), [3, 3])
    Traceback (most recent call last):
    keraflow.errors.ShapeError: split: lengths: expected a sum of 4, the length of axis 1, received [3, 3].
    """
    given = check_names(method, args, kwargs)
    if not method.is_checked:
        return given
    try:
        _check(backend, method, given)
    except KeraFlowError as error:
        raise type(error)(f'{method.name}: {error}') from None
    if method.defaults.get('axis') == -1 and 'axis' not in kwargs and len(args) <= method.names.index('axis'):
        tell_of_features(method.name, given)
    return given


def check_names(method: MethodInfo, args: Sequence[Any], kwargs: Dict[str, Any]) -> Dict[str, Any]:
    """Return the arguments of a call by name, defaults included, whatever their values are.

    Raises
    ------
    ArgumentTypeError
        For an unknown, missing, duplicate or surplus argument.
    """
    given = method.arguments(args, kwargs)
    # Cheap tests, because each call comes here; only for a wrong one does the slow path word the error.
    if len(given) != len(method.names) or len(args) > len(given) or \
            kwargs and not kwargs.keys() <= set(method.names[len(args):]):
        Signature.of(method.method, start=1).complete(args, kwargs, method.name)     # which raises
    return given


def check_types(method: MethodInfo, given: Dict[str, Any], is_tensor: Callable[[Any], bool]) -> None:
    """Raise unless the arguments that are no operands have the types of the contract.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        If one has not.
    """
    for name, hint in method.hints.items():
        value = given[name]
        if value is method.defaults.get(name, Any):
            continue
        if is_tensor(value):
            if name not in ('shape', 'noise_shape'):      # lengths may be known only in the run
                raise ArgumentTypeError(f'{name}: expected {expected(hint)}, received a tensor.')
            continue
        # The annotations are of Python's types.
        if isinstance(value, np.ndarray):
            if value.size > _FEW:
                continue
            given[name] = value.tolist()
        check(given[name], hint, name)


def _check(backend: Backend, method: MethodInfo, given: Dict[str, Any]) -> None:
    check_types(method, given, backend.is_tensor)
    sizes = {name: _shape(backend, name, given[name]) for name in method.operands}
    if 'tensors' in given:
        sizes['tensors'] = [_shape(backend, 'tensors', one) for one in given['tensors']]
    if method.broadcasts:
        known = [size for name, size in sizes.items() if given[name] is not None]
        if any(size != known[0] for size in known) and not shapes.broadcast(*known):  # equal ones, as usual, first
            raise ShapeError(f"expected shapes that match, received {', '.join(map(str, known))}.")
    if method.second_integer:
        check_integers(backend, method.second_integer, given)
    if method.check:
        method.check(backend, given, sizes)
    elif 'axis' in given and 'x' in given:
        check_axes(given['axis'], len(sizes['x']))
    check_values(backend, method, given)


def _shape(backend: Backend, name: str, value: Any) -> Any:
    """Return the static shape of an operand; ``None`` for an optional one that is missing."""
    if backend.is_tensor(value):
        return tuple(backend.static_shape(value))
    if value is None and name in OPTIONAL_OPERANDS:
        return None
    if isinstance(value, (list, tuple)):
        inner = [_shape(backend, name, one) for one in value]
        if any(one != inner[0] for one in inner):
            raise ShapeError(f'{name}: expected a list whose items have one shape, received {describe(value)}.')
        return (len(inner), *(inner[0] if inner else ()))
    check_number(name, value)
    return np.shape(value)


def check_number(name: str, value: Any) -> None:
    """Raise unless an operand that is no tensor is a number or an array of numbers.

    Raises
    ------
    ArgumentTypeError
        If it is anything else.
    """
    if np.asarray(value).dtype.kind not in 'biuf':
        raise ArgumentTypeError(f'{name}: expected a tensor, an array or a number, received {describe(value)}.')
