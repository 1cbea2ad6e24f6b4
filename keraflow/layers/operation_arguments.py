"""The arguments of an Operation as plain data, for files.

``{'input': 0}`` means the first input, ``{'slice': [start, stop, step]}`` and ``{'ellipsis': True}`` parts of an index,
``{'array': [...], 'dtype': ...}`` an array; numbers, strings, ``None`` and lists mean themselves.
"""
from typing import Any, Dict, Iterator, List, Sequence

import numpy as np

from keraflow import backend as B
from keraflow.arguments import to_list
from keraflow.backend.checks import OPTIONAL_OPERANDS, check_names, check_number, check_types
from keraflow.backend.method_info import MethodInfo
from keraflow.errors import ArgumentError, ArgumentTypeError, KeraFlowError, describe
from keraflow.graph.kensor import Kensor
from keraflow.layers.base import Layer
from keraflow.shapes import Shape

__all__ = ['check_index', 'check_plain', 'decode', 'encode', 'inputs_in', 'is_inside', 'shape_of', 'text_of']

#: The number of list items that a message shows.
MOST = 8
_KEYS = ({'input'}, {'slice'}, {'ellipsis'}, {'array', 'dtype'})


def encode(value: Any, inputs: List[Kensor]) -> Any:
    """Encode an argument as plain data; Kensors are appended to `inputs`.

    Raises
    ------
    ArgumentTypeError
        If the argument is anything but Kensors, arrays, numbers and lists of these.
    """
    if isinstance(value, Layer):
        value = value.as_kensor()
    if isinstance(value, Kensor):
        if not any(value is one for one in inputs):  # == of Kensors makes another Kensor
            inputs.append(value)
        return {'input': next(number for number, one in enumerate(inputs) if one is value)}
    if isinstance(value, (list, tuple)):
        return [encode(item, inputs) for item in value]
    if isinstance(value, slice):
        return {'slice': [value.start, value.stop, value.step]}
    if value is Ellipsis:
        return {'ellipsis': True}
    if isinstance(value, np.ndarray):
        return {'array': value.tolist(), 'dtype': value.dtype.name}
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    received = 'a tensor of the backend' if B.is_tensor(value) else describe(value)
    raise ArgumentTypeError(f'expected Kensors, arrays, numbers and lists of them, received {received}. '
                            'Write a NumPy array, a layer such as GaussianNoise for noise, or a Lambda that computes '
                            'with tensors.')


def inputs_in(value: Any) -> Iterator[int]:
    """Iterate over the numbers of the inputs in an argument.

    Raises
    ------
    ArgumentError
        For a dict of no known form.
    """
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from inputs_in(item)
    elif isinstance(value, dict):
        if set(value) not in _KEYS or not _is_right(value):
            raise ArgumentError(f"Operation: args: expected a dict such as {{'input': 0}}, received {describe(value)}.")
        if 'input' in value:
            yield value['input']


def _is_right(form: Dict[str, Any]) -> bool:
    """Return whether a dict of one of the forms has valid values."""
    if 'slice' in form:
        return isinstance(form['slice'], (list, tuple)) and len(form['slice']) == 3 and form['slice'][2] != 0 and \
            all(one is None or _is_integer(one) for one in form['slice'])
    if 'array' in form:
        try:
            return np.dtype(form['dtype']).kind in 'biuf' and _array_of(form) is not None
        except (TypeError, ValueError, OverflowError):
            return False
    return _is_integer(form['input']) if 'input' in form else form['ellipsis'] is True


def _array_of(form: Dict[str, Any]) -> np.ndarray:
    return np.array(form['array'], form['dtype'])


def decode(value: Any, tensors: Sequence[Any]) -> Any:
    """Decode an argument, given the tensors of the inputs."""
    if isinstance(value, (list, tuple)):
        return [decode(item, tensors) for item in value]
    if not isinstance(value, dict):
        return value
    if 'input' in value:
        return tensors[value['input']]
    if 'slice' in value:
        return slice(*value['slice'])
    return Ellipsis if 'ellipsis' in value else _array_of(value)


def text_of(form: Any) -> str:
    """Describe an argument for a message; an array by its shape.

    Examples
    --------
    >>> text_of([{'input': 0}, {'array': [1, 2], 'dtype': 'int32'}])
    "[{'input': 0}, an array of shape (2,)]"
    """
    if isinstance(form, (list, tuple)):
        rest = ['...'] if len(form) > MOST else []
        return f"[{', '.join([*map(text_of, form[:MOST]), *rest])}]"
    return describe(_array_of(form) if isinstance(form, dict) and 'array' in form else form)


def shape_of(factor: Any, input_shape: List[Shape]) -> tuple:
    """Return the static shape of an argument."""
    if isinstance(factor, dict) and 'input' in factor:
        return input_shape[factor['input']]
    return np.shape(decode(factor, []))


def check_index(args: Sequence[Any]) -> None:
    """Raise unless these are the input and an index that every backend supports."""
    if len(args) != 2 or args[0] != {'input': 0}:
        raise ArgumentError("Operation: getitem: args: expected [{'input': 0}, index].")
    for it in to_list(args[1]):
        if not (it is None or _is_integer(it) or isinstance(it, dict) and ('slice' in it or 'ellipsis' in it)):
            received = 'a Kensor' if isinstance(it, dict) and 'input' in it else describe(it)
            raise ArgumentTypeError('Operation: getitem: expected integers, slices, None and ... as an index, '
                                    f'received {received}. Use B.gather(x, indices, axis) for positions that are '
                                    'listed.')


class _AnyInput:
    """Stands for the tensors of all inputs, and for each."""

    def __getitem__(self, number: int) -> '_AnyInput':
        return self


_INPUT: Any = _AnyInput()


def check_plain(method: MethodInfo, args: Sequence[Any], kwargs: Dict[str, Any]) -> None:
    """Raise unless the arguments that are no inputs have the names and types of the contract.

    Raises
    ------
    ArgumentTypeError, ArgumentError
        If one has not.
    """
    given = {name: decode(it, _INPUT) for name, it in check_names(method, args, kwargs).items()}
    try:
        check_types(method, given, lambda value: value is _INPUT)
        for name in method.operands:
            if given[name] is not None or name not in OPTIONAL_OPERANDS:
                for one in _leaves(given[name]):
                    check_number(name, one)
    except KeraFlowError as error:
        raise type(error)(f'{method.name}: {error}') from None


def _leaves(operand: Any) -> Iterator[Any]:
    """Iterate over what an operand is made of, besides inputs."""
    if isinstance(operand, (list, tuple)):
        for one in operand:
            yield from _leaves(one)
    elif operand is not _INPUT:
        yield operand


def is_inside(shape: Shape, index: Any) -> bool:
    """Return whether a tensor of this static shape has everything that an index selects."""
    axes = [it for it in to_list(index) if it is not None]
    ellipsis = next((place for place, it in enumerate(axes) if isinstance(it, dict) and 'ellipsis' in it), None)
    if ellipsis is not None:
        axes[ellipsis:ellipsis + 1] = [{}] * (len(shape) - len(axes) + 1)
    return len(axes) <= len(shape) and all(
        isinstance(it, dict) or length is None or -length <= it < length for it, length in zip(axes, shape))


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
