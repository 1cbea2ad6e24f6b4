"""Operation: a function of the backend as a layer, which operators and ``B.`` functions make of Kensors."""
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np

from keraflow import backend as B
from keraflow import shapes
from keraflow.arguments import is_array_like, to_list
from keraflow.backend.contract import FLOATS, METHODS, OLD_NAMES, OPERATIONS
from keraflow.backend.deferral import deferred_among
from keraflow.backend.dtypes import operands_dtype
from keraflow.backend.method_info import MethodInfo
from keraflow.backend.tensor_checks import check_fits
from keraflow.backend.tensor_info import info_of
from keraflow.deprecation import current_names
from keraflow.errors import ArgumentError, ArgumentTypeError, KeraFlowError, ShapeError, describe, nearest
from keraflow.graph.call_arguments import parts_in
from keraflow.graph.kensor import Kensor, on_operation
from keraflow.graph.lengths import equally_long
from keraflow.layers.base import Layer
from keraflow.layers.base.masks import joint_mask
from keraflow.layers.base.run_state import running_host
from keraflow.layers.operation_arguments import (check_index, check_plain, decode, encode, inputs_in, is_inside,
                                                 shape_of, text_of)
from keraflow.layers.operation_shapes import shape_of_result
from keraflow.registry import builtin
from keraflow.shapes import Shape

__all__ = ['Operation']


@builtin('layer')
class Operation(Layer):
    """A function of the backend, made by ``B.square(x)``, ``x + y`` and ``x[:, 1:]`` on Kensors.

    Parameters
    ----------
    operation : str
        Name of an operation of the backend contract, for example ``'square'``, or ``'getitem'``.
    args : list
        Its positional arguments. ``{'input': 0}`` means the first input, ``{'slice': [start, stop, step]}`` and
        ``{'ellipsis': True}`` parts of an index, ``{'array': [...], 'dtype': ...}`` an array.
    kwargs : dict, optional
        Its keyword arguments.
    **kwargs
        The common arguments of :class:`~keraflow.layers.Layer`.

    Shapes
    ------
    input : any number of any shape
    output : that of the result

    Raises
    ------
    ArgumentError
        For an unknown operation, inputs that are not numbered 0, 1, ..., or an invalid array.
    ArgumentTypeError
        For an argument that some backend does not accept, such as a list as an index.

    Notes
    -----
    The output has the mask of the inputs if each time step keeps its position, as in ``x[..., :2]`` and ``B.sum(x,
    -1)``.

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
        operation = OLD_NAMES.get(operation, operation)
        if operation not in OPERATIONS and operation != 'getitem':
            raise ArgumentError(
                f"Operation: there is no operation '{operation}'. {nearest(operation, [*OPERATIONS, 'getitem'])}")
        given = [*args, *(kwargs or {}).values()]
        numbers = {number for it in given for number in inputs_in(it)}
        if numbers != set(range(len(numbers))):
            raise ArgumentError(f"Operation: {operation}: args: expected {{'input': number}} for the numbers from 0 "
                                f"on, received {', '.join(sorted(map(str, numbers)))}.")
        if operation == 'getitem':
            check_index(list(args))
        method = METHODS[operation]
        if operation in OPERATIONS:
            check_plain(method, args, kwargs or {})
        for it in given if method.takes_only_operands else ():
            if not isinstance(it, (dict, bool, int, float) if method.broadcasts else dict):
                numbers_too = ', arrays and numbers' if method.broadcasts else ' and arrays'
                raise ArgumentTypeError(f'Operation: {operation}: expected Kensors{numbers_too}, received '
                                        f'{describe(it)}.')
        self.nb_input = len(numbers)
        self.operation = operation
        self.args = args
        self.kwargs = kwargs

    @property
    def moves_values(self) -> bool:
        """Whether the values of the result are those of the first operand."""
        return self.operation == 'getitem' or METHODS[self.operation].moves_values and self.operation != 'gather'

    @classmethod
    def unpack_init_param(cls, params: Dict[str, Any]) -> Dict[str, Any]:
        operation, kwargs = params.get('operation'), params.get('kwargs')
        if not isinstance(operation, str):  # the constructor refuses it
            return params
        operation = OLD_NAMES.get(operation, operation)
        if operation in OPERATIONS and isinstance(kwargs, dict):
            kwargs = current_names(METHODS[operation].method, kwargs, operation, warns=False)
        return {**params, 'operation': operation, **({'kwargs': kwargs} if 'kwargs' in params else {})}

    @property
    def _method(self) -> MethodInfo:
        return METHODS[self.operation]

    @property
    def _broadcasts(self) -> bool:
        return self._method.broadcasts and self._method.takes_only_operands

    def check_input_shape(self, input_shape: List[Shape]) -> None:
        if len(input_shape) != self.nb_input:
            raise ShapeError(f"{self.name}: expected {self.nb_input} input(s), each written as {{'input': number}}, "
                             f'received {len(input_shape)}.')
        if self._broadcasts and not shapes.broadcast(*input_shape) or \
                self.operation == 'getitem' and not is_inside(input_shape[0], self.args[1]):
            raise self._refusal(input_shape)
        if self.operation == 'dot' and len(self.args) == 2 and len(shape_of(self.args[1], input_shape)) > 2:
            raise ShapeError(f'{self.name}: dot: expected a second factor of at most two axes, received shape '
                             f'{shape_of(self.args[1], input_shape)}. Use B.matmul for a product in each sample.')

    def output(self, x: List[Any]) -> Any:
        try:
            args, kwargs = self._decoded(self._equally_long(x))
            result = self._compute(args, kwargs)
        except Exception as error:      # of any kind: each backend raises its own
            if isinstance(error, KeraFlowError) and not isinstance(error, ShapeError):
                raise
            raise self._refusal([self.get_tensor_shape(tensor) for tensor in x], error) from error
        mask = self._mask_of_result(x, self._method.arguments(args, kwargs))
        return [self._with_mask(x, it, mask) for it in result] if isinstance(result, (list, tuple)) else \
            self._with_mask(x, result, mask)

    def _equally_long(self, x: List[Any]) -> List[Any]:
        """Check at run time that inputs that broadcast agree in lengths that only the data have."""
        if not self._broadcasts or len({B.ndim(one) for one in x}) > 1:
            return x
        text = (f'{self.name}: {self.operation}: expected inputs of one length along axis {{}}, received different '
                'ones. Make an Input of the length 1 if it shall be repeated.')
        return [*x[:1], *(equally_long(one, x[0], text) for one in x[1:])]

    def _refusal(self, input_shape: List[Shape], error: Optional[Exception] = None) -> ShapeError:
        # The reason is that of keraflow.backend's checks; the words of libraries differ.
        message = str(error) if isinstance(error, ShapeError) else ''
        _, is_own, reason = message.partition(f'{self.operation}: ')
        why = f"{reason.rstrip('.')}: " if is_own else ''
        arguments = ', '.join([*map(text_of, self.args),
                               *(f'{name}={text_of(it)}' for name, it in (self.kwargs or {}).items())])
        return ShapeError(f"{self.name}: {why}{self.operation}({arguments}) cannot be applied to inputs of shapes "
                          f"{', '.join(map(str, input_shape))}.")

    def _decoded(self, x: List[Any]) -> Tuple[List[Any], Dict[str, Any]]:
        """Decode the arguments of the operation, for these inputs."""
        return [decode(it, x) for it in self.args], {name: decode(it, x) for name, it in (self.kwargs or {}).items()}

    def _compute(self, args: List[Any], kwargs: Dict[str, Any]) -> Any:
        if self.operation == 'getitem':
            tensor, index = args
            return tensor[tuple(to_list(index))]
        return getattr(B, self.operation)(*args, **kwargs)

    def output_shape(self, input_shape: List[Shape]) -> Any:
        try:
            return shape_of_result(self._method, self._method.arguments(*self._decoded(input_shape)))
        except ShapeError as error:
            raise self._refusal(input_shape, ShapeError(f'{self.operation}: {error}')) from error

    def _mask_of_result(self, tensors: List[Any], given: Dict[str, Any]) -> Any:
        mask = joint_mask([info_of(tensor).mask for tensor in tensors])
        return mask if mask is not None and self._method.leaves_steps(given, max(map(B.ndim, tensors))) else None

    def _with_mask(self, tensors: List[Any], result: Any, mask: Any) -> Any:
        if mask is None:
            return result
        shape = self.get_tensor_shape(result)[:B.ndim(mask)]
        kept = any(self.get_tensor_shape(tensor)[:B.ndim(mask)] == shape for tensor in tensors
                   if info_of(tensor).mask is not None)        # not if it broadcasts against a longer one
        return self.set_tensor_mask(result, mask) if kept else result


@on_operation
def _operate(operation: str, args: Sequence[Any], kwargs: Dict[str, Any]) -> Any:
    """Apply an :class:`Operation` to the Kensors among the arguments of a function of the backend."""
    inputs: List[Kensor] = []
    host = running_host()
    if host is not None and any(True for _ in parts_in([*args, *kwargs.values()], B.is_tensor)):
        kensor = deferred_among(args, kwargs)
        raise ArgumentTypeError(f'{host.name}: {operation}: received {kensor!r}, which has no value in this layer, '
                                'together with a tensor. Write the operation on Kensors, outside the layer, or feed '
                                'a MultiInputLayer with both.')
    if METHODS[operation].takes_only_operands:      # only these take a list of numbers as an array
        args = [_array(operation, it, args) if isinstance(it, (list, tuple)) and is_array_like(it) else it
                for it in args]
    layer = Operation(operation, [encode(it, inputs) for it in args],
                      {name: encode(it, inputs) for name, it in kwargs.items()} or None)
    return layer(inputs)


def _array(operation: str, values: Any, args: Sequence[Any]) -> np.ndarray:
    """Convert a list to an array; integers get the dtype that they have next to integer tensors."""
    array = np.asarray(values)
    dtype = operands_dtype([it.dtype for it in args if isinstance(it, Kensor)], [values], B.floatx())
    if array.dtype.kind != 'i' or dtype in FLOATS:
        return array
    check_fits(array, dtype, operation, "Write B.cast(..., 'int64') for what it meets.")
    return array.astype(dtype)
