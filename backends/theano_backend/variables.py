"""Variables, placeholders, constants, and what is known about them."""
from typing import Any, Optional, Sequence

import numpy as np

from keraflow.backend.contract import Backend, note_creation
from keraflow.backend.dtypes import value_dtype
from keraflow.errors import ShapeError

from .configure import T, theano
from .operands import as_tensor, cast, floatx, is_tensor
from .shaping import as_lengths
from .static_shapes import Unknown, set_shape, shape_of

__all__ = ['Variables']


class Variables(Backend):
    """Tensors that hold values; see the contract."""

    def variable(self, value: Any, dtype: Optional[str] = None, name: Optional[str] = None) -> Any:
        array = _array(value, dtype)
        # The length of a shared variable may change, so Theano broadcasts an axis of length 1 only if told to.
        broadcastable = [n == 1 for n in array.shape]
        return note_creation(theano.shared(array, name=name, borrow=True, broadcastable=broadcastable))

    def is_variable(self, x: Any) -> bool:
        return is_tensor(x) and isinstance(x, theano.compile.SharedVariable)

    def get_value(self, variable: Any) -> np.ndarray:
        return np.array(variable.get_value(borrow=True))      # a copy: functions update the value in place

    def set_value(self, variable: Any, value: Any) -> None:
        array = np.array(value, dtype=variable.dtype, order='C')      # a copy, which the variable may keep
        expected = variable.get_value(borrow=True).shape
        if array.shape != expected:
            raise ShapeError(f'set_value: expected an array of shape {expected}, received {array.shape}.')
        variable.set_value(array, borrow=True)

    def is_tensor(self, x: Any) -> bool:
        return is_tensor(x)

    def placeholder(self, shape: Sequence, dtype: Optional[str] = None, name: Optional[str] = None) -> Any:
        x = T.TensorType(dtype or floatx(), [n == 1 for n in shape])(name)
        return set_shape(x, [Unknown() if n is None else int(n) for n in shape])

    def constant(self, value: Any, dtype: Optional[str] = None) -> Any:
        return T.constant(_array(value, dtype))

    # -- what is known ----------------------------------------------------------------------------------------------

    def dtype(self, x: Any) -> str:
        return x.dtype

    def ndim(self, x: Any) -> int:
        return x.ndim

    def shape(self, x: Any) -> Any:
        return as_tensor(x).shape

    def static_shape(self, x: Any) -> tuple:
        return tuple(n if isinstance(n, int) else None for n in shape_of(x))

    def with_static_shape(self, x: Any, shape: Sequence) -> Any:
        x = as_tensor(x)
        known = shape_of(x)
        merged = [n if m is None else int(m) for n, m in zip(known, shape)]
        ones = [(i, True) for i, n in enumerate(merged) if n == 1 and not x.broadcastable[i]]
        if not ones and tuple(merged) == known:
            return x
        # Make another variable, because `x` keeps what others know about it. Without axes the Op is the identity.
        return set_shape(T.Rebroadcast(*ones)(x), merged)

    # -- creation ---------------------------------------------------------------------------------------------------

    def full(self, shape: Sequence, value: Any, dtype: Optional[str] = None) -> Any:
        return T.alloc(as_tensor(value, dtype or floatx()), *as_lengths(shape))

    def zeros_like(self, x: Any, dtype: Optional[str] = None) -> Any:
        return T.zeros_like(as_tensor(x), dtype=dtype)

    def ones_like(self, x: Any, dtype: Optional[str] = None) -> Any:
        return T.ones_like(as_tensor(x), dtype=dtype)

    def arange(self, stop: Any, dtype: str = 'int64') -> Any:
        if isinstance(stop, (int, np.integer)):
            return T.constant(np.arange(stop, dtype=dtype))
        return cast(T.arange(stop, dtype='int64'), dtype)


def _array(value: Any, dtype: Optional[str]) -> np.ndarray:
    """Convert to a C-contiguous array of `dtype`, by default the one that the contract prescribes."""
    return np.array(value, order='C').astype(dtype or value_dtype(value, floatx()))
