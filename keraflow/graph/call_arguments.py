"""The arguments of single calls of a layer, besides its input: ``layer(x, scale=2., mask=m)``.

They are those of ``output``, and ``mask``. Plain data are saved with the call; Kensors, even inside lists and dicts,
are inputs of the call.
"""
import inspect
from typing import Any, Callable, Dict, Iterable, Iterator, Sequence

import numpy as np

from keraflow import backend as B
from keraflow import schema
from keraflow.backend.contract import TensorSpec
from keraflow.backend.deferral import Deferred
from keraflow.deprecation import current_name
from keraflow.errors import ArgumentTypeError, describe, nearest
from keraflow.owned import of_kind
from keraflow.schema import Argument, Signature

__all__ = ['CallSignature', 'check_values', 'decoded', 'encoded', 'is_kensor', 'is_spec', 'kensors_named', 'parts_in',
           'replaced']


class CallSignature(Signature):
    """The arguments of a call of a layer: those of ``output``, and ``mask``."""

    def __init__(self, output: Callable):
        whole = Signature.of(output, start=1)
        own = list(whole.arguments.values())
        inputs = own[:1] if own and own[0].positional else [Argument('x', positional=True)]
        others = [one for one in own if one not in inputs]
        #: The arguments of ``output`` besides its input.
        self.names = [one.name for one in others]
        #: Those without a default.
        self.required = [one.name for one in others if one.default is inspect.Parameter.empty]
        mask = [] if 'mask' in self.names else [Argument('mask', default=None)]
        super().__init__([*inputs, *others, *mask], whole.is_open)

    def given(self, layer: Any, args: Sequence[Any], kwargs: Dict[str, Any]) -> Dict[str, Any]:
        """Return the arguments of a call by name.

        Raises
        ------
        ArgumentTypeError
            For an unknown, duplicate or surplus argument.
        """
        def advise(name: str, names: Iterable[str]) -> str:
            is_of_class = current_name(type(layer), name) in schema.arguments_of(type(layer))
            return f'Pass it where the layer is made: {type(layer).__name__}({name}=...).' if is_of_class else \
                nearest(name, [*self.names, 'mask'])
        surplus = 'Put several inputs into a list.' if layer.multi_input else ''
        # Anything stands for the input, which is counted in messages.
        given = self.named((layer, *args), kwargs, f'{layer.name}: call', surplus, advise)
        return {name: value for name, value in list(given.items())[1:] if name != 'mask' or value is not None}


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
        # A dict of input alone is a Kensor in a file.
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
