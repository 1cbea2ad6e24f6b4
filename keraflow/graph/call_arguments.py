"""The arguments of single calls of a layer, besides its input: ``layer(x, scale=2., mask=m)``.

They are those of ``output``, and ``mask``. Plain data are saved with the call; Kensors, even inside lists and dicts,
are inputs of the call.
"""
import inspect
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Sequence

import numpy as np

from keraflow import backend as B
from keraflow import schema
from keraflow.backend.contract import TensorSpec
from keraflow.backend.deferral import Deferred
from keraflow.errors import ArgumentTypeError, describe, nearest
from keraflow.owned import of_kind

__all__ = ['CallSignature', 'check_values', 'decoded', 'encoded', 'parts_in', 'replaced']


class CallSignature(NamedTuple):
    """The arguments of ``output`` of a class besides its input."""

    positional: List[str]
    names: List[str]
    is_open: bool               # whether it takes any name
    required: List[str]         # those without a default

    @classmethod
    def of(cls, output: Callable) -> 'CallSignature':
        """Inspect a method ``output(self, x, ...)``."""
        listed = list(inspect.signature(output).parameters.values())[2:]
        positional = [one.name for one in listed if one.kind is one.POSITIONAL_OR_KEYWORD]
        by_name = [one.name for one in listed if one.kind is one.KEYWORD_ONLY]
        required = [one.name for one in listed if one.name in positional + by_name and one.default is one.empty]
        return cls(positional, positional + by_name, any(one.kind is one.VAR_KEYWORD for one in listed), required)

    def bind(self, layer: Any, args: Sequence[Any], kwargs: Dict[str, Any]) -> Dict[str, Any]:
        """Return the arguments of a call by name.

        Raises
        ------
        ArgumentTypeError
            For an unknown argument, or one that is given twice.
        """
        if len(args) > len(self.positional):
            advice = 'Put several inputs into a list.' if layer.multi_input else 'Pass arguments of a call by name.'
            raise ArgumentTypeError(f'{layer.name}: expected {1 + len(self.positional)} argument(s) by position in a '
                                    f'call, received {1 + len(args)}. {advice}')
        given = dict(zip(self.positional, args))
        for name, value in kwargs.items():
            if name in given:
                raise ArgumentTypeError(f"{layer.name}: the argument '{name}' of the call is given twice.")
            if name not in self.names and name != 'mask' and not (self.is_open and name.isidentifier()):
                raise ArgumentTypeError(f"{layer.name}: a call has no argument '{name}'. {self._advice(layer, name)}")
            given[name] = value
        return {name: value for name, value in given.items() if name != 'mask' or value is not None}

    def _advice(self, layer: Any, name: str) -> str:
        if name in schema.arguments_of(type(layer)):
            return f'Pass it where the layer is made: {type(layer).__name__}({name}=...).'
        return nearest(name, [*self.names, 'mask'])


def is_kensor(value: Any) -> bool:
    """Return whether a value represents a tensor that does not exist yet."""
    return isinstance(value, Deferred)


def is_spec(value: Any) -> bool:
    """Return whether a value represents a tensor of which only the spec is known."""
    return isinstance(value, TensorSpec)


def parts_in(value: Any, is_part: Callable[[Any], bool] = is_kensor) -> Iterator[Any]:
    """Iterate over the Kensors (or the parts that `is_part` finds) in an argument."""
    if is_part(value):
        yield value
    elif isinstance(value, (list, tuple, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from parts_in(item, is_part)


def replaced(value: Any, replace: Callable[[Any], Any], is_part: Callable[[Any], bool] = is_kensor) -> Any:
    """Replace each Kensor (or part that `is_part` finds) in an argument."""
    if is_part(value):
        return replace(value)
    if isinstance(value, (list, tuple)):
        return of_kind(type(value), [replaced(item, replace, is_part) for item in value])
    if isinstance(value, dict):
        return {name: replaced(item, replace, is_part) for name, item in value.items()}
    return value


def check_values(where: str, arguments: Dict[str, Any]) -> None:
    """Raise unless arguments of a call on Kensors are plain data and Kensors, which can be kept with the call."""
    for name, value in arguments.items():
        _check(f'{where}: the argument {name} of the call', value)


def _check(where: str, value: Any) -> None:
    if isinstance(value, dict):
        if set(value) == {'input'} or not all(isinstance(key, str) for key in value):
            raise ArgumentTypeError(f'{where}: expected a dict with strings as keys, not input alone, received '
                                    f'{describe(value)}.')
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            _check(where, item)
    elif not isinstance(value, (Deferred, bool, int, float, str, np.generic, np.ndarray, type(None))):
        received = 'a tensor of the backend' if B.is_tensor(value) else describe(value)
        raise ArgumentTypeError(f'{where}: expected numbers, strings, arrays, Kensors, and lists and dicts of these, '
                                f'received {received}. Pass other objects where the layer is made.')


def encoded(arguments: Dict[str, Any], names: Dict[Any, str]) -> Dict[str, Any]:
    """Encode arguments for a file, with ``{'input': 'conv0_0'}`` for a Kensor."""
    return replaced(arguments, lambda kensor: {'input': names[kensor]})


def kensors_named(value: Any) -> Iterator[Any]:
    """Iterate over the names of the Kensors in an argument from a file."""
    return (one['input'] for one in parts_in(value, _is_name))


def _is_name(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {'input'} and isinstance(value['input'], str)


def decoded(value: Any, kensors: Dict[str, Any]) -> Any:
    """Decode an argument from a file, given the Kensors by name."""
    return replaced(value, lambda form: kensors[form['input']], _is_name)
