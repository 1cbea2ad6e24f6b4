"""Operation: a function of the backend as a layer, which is what operators and ``B.`` functions make of Kensors."""
from typing import Any, Dict, Iterator, List, Optional, Sequence

import numpy as np

from keraflow import backend as B
from keraflow import shapes
from keraflow.backend.contract import OPERATIONS
from keraflow.errors import ArgumentError, ArgumentTypeError, KeraFlowError, ShapeError, describe, nearest
from keraflow.facts import facts_of
from keraflow.kensor import Kensor, on_operation
from keraflow.layers.base import Layer
from keraflow.layers.masks import joint_mask
from keraflow.registry import builtin
from keraflow.shapes import Shape

__all__ = ['Operation']

#: The keys of the dicts that stand for something in the arguments of an operation.
FORMS = ({'input'}, {'slice'}, {'ellipsis'}, {'array', 'dtype'})
#: Operations whose inputs broadcast.
ELEMENTWISE = frozenset({'add', 'subtract', 'multiply', 'divide', 'floor_divide', 'mod', 'power', 'maximum', 'minimum',
                         'equal', 'not_equal', 'less', 'less_equal', 'greater', 'greater_equal', 'logical_and',
                         'logical_or', 'switch'})
#: Operations that may give an output of the input's shape in which a time step is not where it was.
MOVING = frozenset({'gather', 'getitem', 'repeat', 'reshape', 'reverse', 'tile', 'transpose'})


@builtin('layer')
class Operation(Layer):
    """A function of the backend: ``B.square(x)``, ``x + y`` and ``x[:, 1:]`` for Kensors make one.

    Parameters
    ----------
    operation : str
        Name of an operation of the backend contract, for example ``'square'``, or ``'getitem'``.
    args : list
        Its arguments by position. ``{'input': 0}`` stands for the first input, ``{'slice': [start, stop, step]}`` and
        ``{'ellipsis': True}`` for parts of an index, ``{'array': [...], 'dtype': ...}`` for an array.
    kwargs : dict, optional
        Its arguments by name.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    input : any number of any shape
    output : that of the result

    Notes
    -----
    The mask of the inputs is that of the output, where an operation keeps the shape and moves no time step.

    Examples
    --------
    >>> from keraflow.layers import Input
    >>> x = Input((5, 3))
    >>> B.sum(x[:, 1:] * 2, axis=1).shape
    (None, 3)
    >>> x[:, 1:].layer.operation
    'getitem'
    """

    multi_input = True

    def __init__(self, operation: str, args: Sequence[Any] = (), kwargs: Optional[Dict[str, Any]] = None,
                 **common: Any):
        super().__init__(**common)
        if operation not in OPERATIONS and operation != 'getitem':
            raise ArgumentError(
                f"Operation: there is no operation '{operation}'. {nearest(operation, [*OPERATIONS, 'getitem'])}")
        self.nb_input = len({number for it in [*args, *(kwargs or {}).values()] for number in _inputs_in(it)})
        self.operation = operation
        self.args = args
        self.kwargs = kwargs

    def check_input_shape(self, input_shape: List[Shape]) -> None:
        if len(input_shape) != self.nb_input:
            raise ShapeError(f"{self.name}: expected {self.nb_input} input(s), which {{'input': number}} stands for, "
                             f'received {len(input_shape)}.')
        if self.operation in ELEMENTWISE and not shapes.broadcast(*input_shape):
            raise self._refusal(input_shape)

    def output(self, x: List[Any]) -> Any:
        try:
            result = self._compute(x)
        except KeraFlowError:
            raise
        except Exception as error:      # of any kind: each backend has its own
            raise self._refusal([self.get_tensor_shape(tensor) for tensor in x]) from error
        return self._with_mask(x, result)

    def _refusal(self, input_shape: List[Shape]) -> ShapeError:
        arguments = ', '.join([*map(str, self.args), *(f'{name}={it}' for name, it in (self.kwargs or {}).items())])
        return ShapeError(f"{self.name}: {self.operation}({arguments}) cannot be computed of inputs of the shapes "
                          f"{', '.join(map(str, input_shape))}.")

    def _compute(self, x: List[Any]) -> Any:
        args = [_decode(it, x) for it in self.args]
        if self.operation == 'getitem':
            tensor, index = args
            return tensor[tuple(index) if isinstance(index, list) else index]
        return getattr(B, self.operation)(*args, **{name: _decode(it, x) for name, it in (self.kwargs or {}).items()})

    def output_shape(self, input_shape: List[Shape]) -> None:
        return None

    def _with_mask(self, tensors: List[Any], result: Any) -> Any:
        mask = joint_mask([facts_of(tensor).mask for tensor in tensors])
        shape = self.get_tensor_shape(result)
        kept = self.operation not in MOVING and any(self.get_tensor_shape(tensor) == shape for tensor in tensors)
        return self.set_tensor_mask(result, mask) if kept else result


@on_operation
def _operate(operation: str, args: Sequence[Any], kwargs: Dict[str, Any]) -> Any:
    """Feed an :class:`Operation` with the Kensors among the arguments of a function of the backend."""
    inputs: List[Kensor] = []
    layer = Operation(operation, [_encode(it, inputs) for it in args],
                      {name: _encode(it, inputs) for name, it in kwargs.items()} or None)
    return layer(inputs)


def _encode(value: Any, inputs: List[Kensor]) -> Any:
    """An argument as plain data; Kensors are appended to `inputs`."""
    if isinstance(value, Layer):
        value = value.as_kensor()
    if isinstance(value, Kensor):
        if not any(value is one for one in inputs):
            inputs.append(value)
        return {'input': next(number for number, one in enumerate(inputs) if one is value)}
    if isinstance(value, (list, tuple)):
        return [_encode(item, inputs) for item in value]
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
    raise ArgumentTypeError(f'expected Kensors, arrays, numbers and lists of them, received {describe(value)}. '
                            'Feed a tensor of the backend to a layer that keeps it, or make it an Input.')


def _inputs_in(value: Any) -> Iterator[int]:
    """The numbers of the inputs in an argument.

    Raises
    ------
    ArgumentError
        For a dict that stands for nothing.
    """
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _inputs_in(item)
    elif isinstance(value, dict):
        if set(value) not in FORMS:
            raise ArgumentError(f"Operation: args: expected a dict such as {{'input': 0}}, received {describe(value)}.")
        if 'input' in value:
            yield value['input']


def _decode(value: Any, tensors: Sequence[Any]) -> Any:
    if isinstance(value, (list, tuple)):
        return [_decode(item, tensors) for item in value]
    if not isinstance(value, dict):
        return value
    if 'input' in value:
        return tensors[value['input']]
    if 'slice' in value:
        return slice(*value['slice'])
    return Ellipsis if 'ellipsis' in value else np.array(value['array'], value['dtype'])
