"""From what a user may give to an operation to Theano's tensors of one dtype."""
from typing import Any, Optional

import numpy as np

from keraflow.backend.contract import FLOATS
from keraflow.backend.dtypes import array_dtype, near_dtype, operands_dtype

from .configure import T, theano
from .static_shapes import with_known_ones

__all__ = ['is_tensor', 'is_symbolic', 'floatx', 'as_tensor', 'cast', 'real', 'countable',
           'alike', 'numbers', 'real_operands']


def is_tensor(x: Any) -> bool:
    """Whether `x` is a Theano tensor (a shared variable and a constant are)."""
    return isinstance(x, theano.graph.basic.Variable) and isinstance(x.type, T.TensorType)


def floatx() -> str:
    """The dtype of real numbers where nothing else says one."""
    return theano.config.floatX


def as_tensor(x: Any, dtype: Optional[str] = None) -> Any:
    """`x` as a tensor of `dtype` (its own by default; int64, floatx or bool for a Python number)."""
    if is_symbolic(x):
        x = T.as_tensor_variable(x)
        return cast(x, dtype or near_dtype(x.dtype, floatx()))
    own, array = array_dtype(x, floatx()), np.array(x)
    return T.constant(array != 0 if dtype == 'bool' else array.astype(dtype or own))


def is_symbolic(x: Any) -> bool:
    """Whether `x` is a tensor, a scalar inside Theano, or a list of such."""
    if isinstance(x, (list, tuple)):
        return any(isinstance(item, theano.graph.basic.Variable) for item in x)
    return isinstance(x, theano.graph.basic.Variable)


def cast(x: Any, dtype: str) -> Any:
    """A tensor as another dtype."""
    if x.dtype == dtype:
        return x
    return T.neq(x, 0) if dtype == 'bool' else T.cast(x, dtype)


def real(x: Any) -> Any:
    """`x` as a tensor of reals."""
    x = as_tensor(x)
    return x if x.dtype in FLOATS else cast(x, floatx())


def countable(x: Any) -> Any:
    """`x` as a tensor of numbers; bools are counted in int64."""
    x = as_tensor(x)
    return cast(x, 'int64') if x.dtype == 'bool' else x


def alike(*xs: Any) -> list:
    """All as tensors of their common dtype, such that each axis broadcasts that has length 1."""
    return _broadcasting([as_tensor(x, _common_dtype(xs)) for x in xs])


def numbers(*xs: Any) -> list:
    """As :func:`alike`, but no bools."""
    return [countable(x) for x in alike(*xs)]


def real_operands(*xs: Any) -> list:
    """All as tensors of their common dtype, floatx if that is not real."""
    dtype = _common_dtype(xs)
    return _broadcasting([as_tensor(x, dtype if dtype in FLOATS else floatx()) for x in xs])


def _broadcasting(tensors: list) -> list:
    several = sum(x.ndim > 0 for x in tensors) > 1
    return [with_known_ones(x) for x in tensors] if several else tensors


def _common_dtype(xs: tuple) -> str:
    tensors = [T.as_tensor_variable(x).dtype for x in xs if is_symbolic(x)]
    return operands_dtype([near_dtype(dtype, floatx()) for dtype in tensors],
                          [x for x in xs if not is_symbolic(x)], floatx())
