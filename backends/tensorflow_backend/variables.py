"""Variables, constants, and what is known of a tensor."""
from typing import Any

import numpy as np

from keraflow.backend.contract import DTYPES, Backend, check_dtype, common_dtype
from keraflow.backend.layouts import keeps_layout
from keraflow.errors import ShapeError

from .library import tf

__all__ = ['Variables']


class Variables(Backend):
    """How values become tensors and variables."""

    def eagerly(self):
        return tf.init_scope()

    def variable(self, value, dtype=None, name=None):
        # TensorFlow is not told the name: it keeps some 30 kB for every name that there ever was, and makes it slowly.
        with tf.init_scope():
            variable = tf.Variable(self._array(value, dtype))
        variable.keraflow_name, variable.keraflow_number = name or 'variable', next(self._creations)
        return variable

    def is_variable(self, x):
        return isinstance(x, tf.Variable)

    def get_value(self, variable):
        with tf.init_scope():       # also while a layer is linked
            return np.array(variable.numpy())

    def set_value(self, variable, value):
        array = np.asarray(value)
        if array.shape != tuple(variable.shape):
            raise ShapeError(f'set_value: expected an array of shape {tuple(variable.shape)}, received {array.shape}.')
        with tf.init_scope():
            variable.assign(array.astype(self.dtype(variable)))

    def is_tensor(self, x):
        return isinstance(x, (tf.Tensor, tf.Variable))

    def constant(self, value, dtype=None):
        return tf.constant(self._array(value, dtype))

    def full(self, shape, value, dtype=None):
        return tf.fill(self._lengths(shape), self.cast(value, dtype or self.floatx()))

    @keeps_layout
    def zeros_like(self, x, dtype=None):
        return tf.zeros_like(self._tensor(x), dtype=dtype)

    @keeps_layout
    def ones_like(self, x, dtype=None):
        return tf.ones_like(self._tensor(x), dtype=dtype)

    def arange(self, stop, dtype='int64'):
        return tf.range(tf.cast(stop, dtype), dtype=dtype)

    @keeps_layout
    def cast(self, x, dtype):
        check_dtype(dtype)
        x = self._tensor(x)
        return tf.not_equal(x, tf.zeros((), x.dtype)) if dtype == 'bool' and x.dtype != tf.bool else tf.cast(x, dtype)

    def dtype(self, x):
        return x.dtype.name

    def ndim(self, x):
        return len(x.shape)

    def shape(self, x):
        # The lengths of what a transposition is made from do not ask for it.
        [source] = self._sources([x])
        lengths = tf.shape(self._tensor(source), out_type=tf.int64)
        return lengths if source is x else tf.gather(lengths, self._places(self.ndim(x)))

    def static_shape(self, x):
        return tuple(x.shape)

    def with_static_shape(self, x, shape):
        if not tf.is_tensor(x) or isinstance(x, tf.Variable):
            return tf.convert_to_tensor(x)
        x.set_shape(shape)
        return x

    # -- operands ---------------------------------------------------------------------------------------------------

    def _array(self, value: Any, dtype: Any) -> np.ndarray:
        """A value as an array of a dtype of ours: the one asked for, floatx for reals, the integer type it has."""
        array = np.asarray(value)
        if dtype is None:
            is_integer_array = array.dtype.kind in 'biu' and type(value) is not int
            dtype = self._near(array) if is_integer_array else self.floatx()
        return array.astype(dtype)

    def _near(self, array: np.ndarray) -> str:
        if array.dtype.name in DTYPES:
            return array.dtype.name
        return self.floatx() if array.dtype.kind == 'f' else 'int64'

    def _tensor(self, x: Any, dtype: Any = None) -> Any:
        """An operand as a tensor; a number has the dtype given, an array its own."""
        if isinstance(x, (tf.Tensor, tf.Variable)):
            return tf.convert_to_tensor(x)
        array = np.asarray(x)
        return tf.constant(array.astype(dtype if array.ndim == 0 and dtype else self._near(array)))

    def _real(self, x: Any) -> Any:
        """An operand as a tensor of reals."""
        x = self._tensor(x)
        return x if x.dtype.is_floating else tf.cast(x, self.floatx())

    def _countable(self, x: Any) -> Any:
        """An operand as a tensor of numbers: bools are counted in int64."""
        x = self._tensor(x)
        return tf.cast(x, tf.int64) if x.dtype == tf.bool else x

    def _pair(self, x: Any, y: Any) -> tuple:
        """Two operands as tensors of their common dtype."""
        dtypes = [self._near(np.asarray(it)) if isinstance(it, np.ndarray) else self.dtype(it)
                  for it in (x, y) if not self._is_number(it)]
        common = common_dtype(*dtypes) if dtypes else 'bool'
        for it in (x, y):
            if self._is_number(it):
                common = self._with_number(common, it, bool(dtypes))
        return tuple(self._cast_operand(it, common) for it in (x, y))

    def _with_number(self, common: str, number: Any, beside_tensor: bool) -> str:
        kind = np.asarray(number).dtype.kind
        if kind == 'f' and not common.startswith('float'):
            return self.floatx()
        return 'int64' if kind in 'iu' and common == 'bool' else common

    def _cast_operand(self, x: Any, dtype: str) -> Any:
        return tf.constant(np.asarray(x).astype(dtype)) if self._is_number(x) else tf.cast(self._tensor(x), dtype)

    def _is_number(self, x: Any) -> bool:
        return not isinstance(x, (tf.Tensor, tf.Variable, np.ndarray)) and np.ndim(x) == 0

    def _lengths(self, shape: Any) -> Any:
        """Lengths, some of which may be tensors, or one tensor of all of them, for TensorFlow."""
        if isinstance(shape, (tf.Tensor, tf.Variable)):
            return shape
        if all(isinstance(length, (int, np.integer)) for length in shape):
            return tf.constant(np.array([int(length) for length in shape], 'int64'))
        return tf.stack([tf.cast(length, tf.int64) for length in shape])
