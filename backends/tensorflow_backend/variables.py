"""Variables, constants, and what is known of a tensor."""
import contextlib
from typing import Any, Optional, Sequence

import numpy as np

from keraflow.backend.contract import DTYPES, FLOATS, Backend, check_dtype, note_creation
from keraflow.backend.dtypes import array_dtype, integers_of, near_dtype, operands_dtype, value_dtype
from keraflow.backend.layouts import outer_places, sources_of
from keraflow.errors import ShapeError

from . import private_api
from .library import tf

__all__ = ['Variables']


class Variables(Backend):
    """Create tensors and variables from values."""

    def outside_graph(self) -> contextlib.AbstractContextManager:
        return tf.init_scope()

    def variable(self, value: Any, dtype: Optional[str] = None, name: Optional[str] = None) -> Any:
        with tf.init_scope():
            # Parameters are made while a layer is linked, in a graph that is thrown away.
            variable = tf.Variable(self._array(value, dtype))
        variable.keraflow_name = name or 'variable'
        private_api.set_name(variable, variable.keraflow_name)
        return note_creation(variable)

    def is_variable(self, x: Any) -> bool:
        return isinstance(x, tf.Variable)

    def get_value(self, variable: Any) -> np.ndarray:
        with tf.init_scope():       # even while a layer is linked
            # A copy: numpy() may share the memory of the variable.
            return np.array(variable.numpy())

    def set_value(self, variable: Any, value: Any) -> None:
        array = np.asarray(value)
        if array.shape != tuple(variable.shape):
            raise ShapeError(f'set_value: expected an array of shape {tuple(variable.shape)}, received {array.shape}.')
        with tf.init_scope():
            variable.assign(array.astype(self.dtype(variable)))

    def is_tensor(self, x: Any) -> bool:
        return isinstance(x, (tf.Tensor, tf.Variable))

    def constant(self, value: Any, dtype: Optional[str] = None) -> Any:
        return tf.constant(self._array(value, dtype))

    def full(self, shape: Sequence, value: Any, dtype: Optional[str] = None) -> Any:
        return tf.fill(self._lengths(shape), self._tensor(value, dtype or self.floatx()))

    def zeros_like(self, x: Any, dtype: Optional[str] = None) -> Any:
        return tf.zeros_like(self._tensor(x), dtype=dtype)

    def ones_like(self, x: Any, dtype: Optional[str] = None) -> Any:
        return tf.ones_like(self._tensor(x), dtype=dtype)

    def arange(self, stop: Any, dtype: str = 'int64') -> Any:
        return tf.range(tf.cast(stop, dtype), dtype=dtype)

    def cast(self, x: Any, dtype: str) -> Any:
        check_dtype(dtype)
        if 'int' in dtype and self._is_symbolic(x):
            x = self._tensor(x)
            # What tf.cast makes of NaN and of reals beyond the integers depends on the device.
            return integers_of(self, x, dtype, self._cast) if x.dtype.is_floating else self._cast(x, dtype)
        return self._tensor(x, dtype)

    def dtype(self, x: Any) -> str:
        return x.dtype.name

    def ndim(self, x: Any) -> int:
        return len(x.shape)

    def shape(self, x: Any) -> Any:
        # The lengths of a transposition's input do not require computing the transposition.
        [source] = sources_of([x])
        lengths = tf.shape(self._tensor(source), out_type=tf.int64)
        return lengths if source is x else tf.gather(lengths, outer_places(self, self.ndim(x)))

    def static_shape(self, x: Any) -> tuple:
        return tuple(x.shape)

    def with_static_shape(self, x: Any, shape: Sequence) -> Any:
        if not tf.is_tensor(x) or isinstance(x, tf.Variable):
            return tf.convert_to_tensor(x)
        x.set_shape(shape)
        return x

    # -- operands ---------------------------------------------------------------------------------------------------

    def _array(self, value: Any, dtype: Any) -> np.ndarray:
        """Convert to an array of `dtype`, by default the one that the contract prescribes."""
        return np.asarray(value).astype(dtype or value_dtype(value, self.floatx()))

    def _tensor(self, x: Any, dtype: Any = None) -> Any:
        """Convert an operand to a tensor of `dtype` (its own by default; int64, floatx or bool for a Python number)."""
        if self._is_symbolic(x):
            x = tf.convert_to_tensor(x)
            return self._cast(x, dtype or near_dtype(x.dtype.name, self.floatx()))
        own, array = array_dtype(x, self.floatx()), np.asarray(x)
        return tf.constant(array != 0 if dtype == 'bool' else array.astype(dtype or own))

    def _is_symbolic(self, x: Any) -> bool:
        """Return whether `x` is a tensor, or a list of tensors."""
        if isinstance(x, (list, tuple)):
            return any(map(self.is_tensor, x))
        return self.is_tensor(x)

    def _cast(self, x: Any, dtype: str) -> Any:
        """Cast a tensor."""
        if x.dtype.name == dtype:
            return x
        return tf.not_equal(x, tf.zeros((), x.dtype)) if dtype == 'bool' else tf.cast(x, dtype)

    def _real(self, x: Any) -> Any:
        """Convert an operand to a real tensor."""
        x = self._tensor(x)
        return x if x.dtype.is_floating else tf.cast(x, self.floatx())

    def _countable(self, x: Any) -> Any:
        """Convert an operand to a tensor of numbers: bools are counted in int64."""
        return self._counted(self._tensor(x))

    def _counted(self, x: Any) -> Any:
        return tf.cast(x, tf.int64) if x.dtype == tf.bool else x

    def _alike(self, *xs: Any) -> list:
        """Convert all to tensors of their common dtype."""
        if all(isinstance(x, tf.Tensor) for x in xs) and len({x.dtype for x in xs}) == 1 and xs[0].dtype.name in DTYPES:
            return list(xs)     # as nearly always
        dtype = self._common_dtype(xs)
        return [self._tensor(x, dtype) for x in xs]

    def _numbers(self, *xs: Any) -> list:
        """Like :meth:`_alike`, but without bools."""
        return [self._counted(x) for x in self._alike(*xs)]

    def _real_operands(self, *xs: Any) -> list:
        """Convert all to tensors of their common dtype, or floatx if that is not real."""
        dtype = self._common_dtype(xs)
        return [self._tensor(x, dtype if dtype in FLOATS else self.floatx()) for x in xs]

    def _common_dtype(self, xs: Any) -> str:
        tensors = [(x if self.is_tensor(x) else tf.convert_to_tensor(x)).dtype.name for x in xs if self._is_symbolic(x)]
        return operands_dtype([near_dtype(dtype, self.floatx()) for dtype in tensors],
                              [x for x in xs if not self._is_symbolic(x)], self.floatx())

    def _lengths(self, shape: Any) -> Any:
        """Convert lengths, some of which may be tensors, or one tensor of all of them, for TensorFlow."""
        if isinstance(shape, (tf.Tensor, tf.Variable)):
            return shape
        if all(isinstance(length, (int, np.integer)) for length in shape):
            return tf.constant(np.array([int(length) for length in shape], 'int64'))
        return tf.stack([tf.cast(length, tf.int64) for length in shape])
