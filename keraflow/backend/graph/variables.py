"""Variables, constants, and what is known of a tensor."""
from typing import Any, List, Optional, Sequence, Tuple

import numpy as np

from keraflow.backend.contract import FLOATS, Backend, check_dtype, note_creation
from keraflow.backend.dtypes import array_dtype, integers_of, operands_dtype, value_dtype
from keraflow.backend.graph.nodes import OPERATIONS, STAND_INS, Graph, Known, Library, apply, known_of
from keraflow.errors import ShapeError

__all__ = ['Variables']


class Variables(Backend):
    """Create tensors and variables from values."""

    def __init__(self, library: Library, floatx: str = 'float32') -> None:
        self.graph = Graph(self, library)
        super().__init__(floatx)

    def variable(self, value: Any, dtype: Optional[str] = None, name: Optional[str] = None) -> Any:
        stored = self.graph.library.stored(self._array(value, dtype))
        return note_creation(self.graph.variable_class(stored, name or 'variable'))

    def is_variable(self, x: Any) -> bool:
        return isinstance(x, self.graph.variable_class)

    def get_value(self, variable: Any) -> np.ndarray:
        return np.array(variable.value)

    def set_value(self, variable: Any, value: Any) -> None:
        array = np.asarray(value)
        if array.shape != variable.shape:
            raise ShapeError(f'set_value: expected an array of shape {variable.shape}, received {array.shape}.')
        variable.value = self.graph.library.stored(array.astype(variable.dtype, order='C'))

    def is_tensor(self, x: Any) -> bool:
        return isinstance(x, self.graph.tensor_class)

    def placeholder(self, shape: Sequence, dtype: Optional[str] = None, name: Optional[str] = None) -> Any:
        dtype = dtype or self.floatx()
        known = known_of(shape, dtype)
        if not shape and 'int' in dtype:        # it may become a length
            known = _standing_in(known[0])
        return self.graph.node(None, (), {}, known)

    def constant(self, value: Any, dtype: Optional[str] = None) -> Any:
        return self.graph.constant(self._array(value, dtype))

    def full(self, shape: Sequence, value: Any, dtype: Optional[str] = None) -> Any:
        lengths, given = self._lengths(shape)
        return apply('broadcast_to', [self._tensor(value, dtype or self.floatx()), *given], shape=lengths)

    def zeros_like(self, x: Any, dtype: Optional[str] = None) -> Any:
        x = self._tensor(x)
        return apply('broadcast_like', [self._tensor(0, dtype or x.dtype), x])

    def ones_like(self, x: Any, dtype: Optional[str] = None) -> Any:
        x = self._tensor(x)
        return apply('broadcast_like', [self._tensor(1, dtype or x.dtype), x])

    def arange(self, stop: Any, dtype: str = 'int64') -> Any:
        if not self.is_tensor(stop):
            return self.graph.constant(np.arange(stop, dtype=dtype))
        [_], [stop] = self._lengths([stop])
        return apply('arange', [stop], dtype=dtype)

    def cast(self, x: Any, dtype: str) -> Any:
        check_dtype(dtype)
        if 'int' in dtype and self._is_symbolic(x):
            x = self._tensor(x)
            # What a library makes of NaN and of reals beyond the integers depends on the device.
            return integers_of(self, x, dtype, self._cast) if x.dtype in FLOATS else self._cast(x, dtype)
        return self._tensor(x, dtype)

    def dtype(self, x: Any) -> str:
        return x.dtype

    def ndim(self, x: Any) -> int:
        return x.ndim

    def shape(self, x: Any) -> Any:
        return apply('shape', [self._tensor(x)])

    def static_shape(self, x: Any) -> tuple:
        return x.shape

    def with_static_shape(self, x: Any, shape: Sequence) -> Any:
        x = self._tensor(x)
        merged = tuple(n if m is None else int(m) for n, m in zip(x.shape, shape))
        if merged == x.shape:
            return x
        first, second = (Known(tuple(n if m is None else m for n, m in zip(one.shape, merged)), x.dtype)
                         for one in x.known)
        return self.graph.node(OPERATIONS['identity'], [x], {}, (first, first if first == second else second))

    # -- operands ---------------------------------------------------------------------------------------------------

    def _array(self, value: Any, dtype: Optional[str]) -> np.ndarray:
        """Convert to an array of `dtype`, by default the one that the contract prescribes: a copy."""
        return np.asarray(value).astype(dtype or value_dtype(value, self.floatx()), order='C')

    def _tensor(self, x: Any, dtype: Optional[str] = None) -> Any:
        """Convert an operand to a tensor of `dtype` (its own by default; int64, floatx or bool for a Python number)."""
        if self.is_tensor(x):
            return x if dtype is None else self._cast(x, dtype)
        if self._is_symbolic(x):
            x = apply('stack', self._alike(*x), axis=0)
            return x if dtype is None else self._cast(x, dtype)
        own, array = array_dtype(x, self.floatx()), np.asarray(x)
        return self.graph.constant(array != 0 if dtype == 'bool' else array.astype(dtype or own))

    def _is_symbolic(self, x: Any) -> bool:
        """Return whether `x` is a tensor, or a list of tensors."""
        if isinstance(x, (list, tuple)):
            return any(map(self.is_tensor, x))
        return self.is_tensor(x)

    def _cast(self, x: Any, dtype: str) -> Any:
        """Cast a tensor."""
        return x if x.dtype == dtype else apply('cast', [x], dtype=dtype)

    def _real(self, x: Any) -> Any:
        """Convert an operand to a real tensor."""
        x = self._tensor(x)
        return x if x.dtype in FLOATS else self._cast(x, self.floatx())

    def _countable(self, x: Any) -> Any:
        """Convert an operand to a tensor of numbers: bools are counted in int64."""
        x = self._tensor(x)
        return self._cast(x, 'int64') if x.dtype == 'bool' else x

    def _alike(self, *xs: Any) -> List[Any]:
        """Convert all to tensors of their common dtype."""
        dtype = self._common_dtype(xs)
        return [self._tensor(x, dtype) for x in xs]

    def _numbers(self, *xs: Any) -> List[Any]:
        """Like :meth:`_alike`, but without bools."""
        return [self._countable(x) for x in self._alike(*xs)]

    def _real_operands(self, *xs: Any) -> List[Any]:
        """Convert all to tensors of their common dtype, or floatx if that is not real."""
        dtype = self._common_dtype(xs)
        return [self._tensor(x, dtype if dtype in FLOATS else self.floatx()) for x in xs]

    def _common_dtype(self, xs: Sequence[Any]) -> str:
        first = xs[0]
        if all(self.is_tensor(x) for x in xs) and all(x.dtype == first.dtype for x in xs):
            return first.dtype      # as nearly always
        return operands_dtype([self._tensor(x).dtype for x in xs if self._is_symbolic(x)],
                              [x for x in xs if not self._is_symbolic(x)], self.floatx())

    def _lengths(self, shape: Any) -> Tuple[tuple, List[Any]]:
        """Return lengths, with ``None`` for each that is a tensor, and these tensors.

        `shape` is a sequence of integers and of tensors, or one tensor of all lengths.
        """
        if self.is_tensor(shape):
            [count] = shape.shape or (1,)
            return (None,) * count, [self._as_length(shape)]
        given = [self._as_length(n) for n in shape if self.is_tensor(n)]
        return tuple(None if self.is_tensor(n) else int(n) for n in shape), given

    def _as_length(self, x: Any) -> Any:
        """Return integers whose values are known to be unknown, if only the data have them."""
        if x.known[0].value is not None:
            return x
        return self.graph.node(OPERATIONS['identity'], [x], {}, _standing_in(x.known[0]))


def _standing_in(known: Known) -> Tuple[Known, Known]:
    """Return what is known of integers that may become lengths."""
    first, second = (known._replace(value=np.full(known.shape, one, known.dtype)) for one in STAND_INS)
    return first, second
