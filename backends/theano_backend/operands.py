"""Convert operands from users to Theano tensors of one dtype."""
from typing import Any, Optional

import numpy as np

from keraflow.backend.contract import FLOATS
from keraflow.backend.dtypes import array_dtype, near_dtype, operands_dtype

from .configure import T, theano
from .static_shapes import with_known_ones

__all__ = ['is_tensor', 'is_symbolic', 'floatx', 'as_tensor', 'cast', 'real', 'countable',
           'alike', 'numbers', 'real_operands']


def is_tensor(x: Any) -> bool:
    """Return whether `x` is a Theano tensor, which includes shared variables and constants."""
    return isinstance(x, theano.graph.basic.Variable) and isinstance(x.type, T.TensorType)


def floatx() -> str:
    """Return the default dtype of real numbers."""
    return theano.config.floatX


def as_tensor(x: Any, dtype: Optional[str] = None) -> Any:
    """Convert `x` to a tensor of `dtype` (its own by default; int64, floatx or bool for a Python number)."""
    if is_symbolic(x):
        x = T.as_tensor_variable(x)
        return cast(x, dtype or near_dtype(x.dtype, floatx()))
    own, array = array_dtype(x, floatx()), np.array(x)
    return T.constant(array != 0 if dtype == 'bool' else array.astype(dtype or own))


def is_symbolic(x: Any) -> bool:
    """Return whether `x` is a tensor, a scalar inside Theano, or a list of these."""
    if isinstance(x, (list, tuple)):
        return any(isinstance(item, theano.graph.basic.Variable) for item in x)
    return isinstance(x, theano.graph.basic.Variable)


def cast(x: Any, dtype: str) -> Any:
    """Cast a tensor."""
    if x.dtype == dtype:
        return x
    return T.neq(x, 0) if dtype == 'bool' else T.cast(x, dtype)


def real(x: Any) -> Any:
    """Convert `x` to a real tensor."""
    x = as_tensor(x)
    return x if x.dtype in FLOATS else cast(x, floatx())


def countable(x: Any) -> Any:
    """Convert `x` to a tensor of numbers; bools are counted in int64."""
    x = as_tensor(x)
    return cast(x, 'int64') if x.dtype == 'bool' else x


def alike(*xs: Any) -> list:
    """Convert all to tensors of their common dtype, in which each axis of length 1 broadcasts."""
    return _broadcasting([as_tensor(x, _common_dtype(xs)) for x in xs])


def numbers(*xs: Any) -> list:
    """Like :func:`alike`, but without bools."""
    return [countable(x) for x in alike(*xs)]


def real_operands(*xs: Any) -> list:
    """Convert all to tensors of their common dtype, or floatx if that is not real."""
    dtype = _common_dtype(xs)
    return _broadcasting([as_tensor(x, dtype if dtype in FLOATS else floatx()) for x in xs])


def _broadcasting(tensors: list) -> list:
    several = sum(x.ndim > 0 for x in tensors) > 1
    return [with_known_ones(x) for x in tensors] if several else tensors


def _common_dtype(xs: tuple) -> str:
    tensors = [T.as_tensor_variable(x).dtype for x in xs if is_symbolic(x)]
    return operands_dtype([near_dtype(dtype, floatx()) for dtype in tensors],
                          [x for x in xs if not is_symbolic(x)], floatx())
