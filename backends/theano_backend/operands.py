"""From what a user may give to an operation to Theano's tensors of one dtype."""
from typing import Any, Optional

import numpy as np

from keraflow.backend.contract import DTYPES, FLOATS, common_dtype
from keraflow.errors import ArgumentTypeError, ShapeError
from keraflow.shapes import broadcast

from .configure import T, theano
from .static_shapes import shape_of, with_known_ones

__all__ = ['is_tensor', 'floatx', 'array_dtype', 'as_tensor', 'cast', 'real', 'countable',
           'alike', 'operands', 'numbers', 'real_operands']


def is_tensor(x: Any) -> bool:
    """Whether `x` is a Theano tensor (a shared variable and a constant are)."""
    return isinstance(x, theano.graph.basic.Variable) and isinstance(x.type, T.TensorType)


def floatx() -> str:
    """The dtype of real numbers where nothing else says one."""
    return theano.config.floatX


def array_dtype(dtype: Any) -> str:
    """The dtype of keraflow that holds the values of a NumPy dtype."""
    if isinstance(dtype, str) and dtype in DTYPES:
        return dtype
    dtype = np.dtype(dtype)
    if dtype.name in DTYPES:
        return dtype.name
    if dtype.kind not in 'iuf':
        raise ArgumentTypeError(f'expected numbers or bools, received an array of dtype {dtype.name}.')
    return floatx() if dtype.kind == 'f' else 'int64'


def as_tensor(x: Any, dtype: Optional[str] = None) -> Any:
    """`x` as a tensor of `dtype` (its own by default; int64, floatx or bool for a Python number)."""
    if is_tensor(x):
        return cast(x, dtype or array_dtype(x.dtype))
    if _is_symbolic(x):
        return as_tensor(T.as_tensor_variable(x), dtype)
    array = np.array(x)
    if dtype is None:
        dtype = array_dtype(array.dtype) if isinstance(x, np.ndarray) else _number_dtype(array.dtype.kind)
    elif dtype == 'bool':
        array = array != 0
    return T.constant(array.astype(dtype))


def _is_symbolic(x: Any) -> bool:
    """Whether `x` is a scalar inside Theano, or a list of tensors."""
    if isinstance(x, (list, tuple)):
        return any(isinstance(item, theano.graph.basic.Variable) for item in x)
    return isinstance(x, theano.graph.basic.Variable)


def _number_dtype(kind: str) -> str:
    """The dtype of Python numbers by themselves."""
    return {'b': 'bool', 'i': 'int64', 'u': 'int64'}.get(kind) or floatx()


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


def operands(*xs: Any) -> list:
    """As :func:`alike`, for operations on values in the same place.

    Raises
    ------
    ShapeError
        If lengths that are known do not fit.
    """
    tensors = alike(*xs)
    known = [tuple(n if isinstance(n, int) else None for n in shape_of(x)) for x in tensors]
    if not broadcast(*known):
        raise ShapeError(f"expected shapes that fit, received {', '.join(map(str, known))}.")
    return tensors


def numbers(*xs: Any) -> list:
    """As :func:`operands`, but no bools."""
    return [countable(x) for x in operands(*xs)]


def real_operands(*xs: Any) -> list:
    """All as tensors of their common dtype, floatx if that is not real."""
    dtype = _common_dtype(xs)
    return _broadcasting([as_tensor(x, dtype if dtype in FLOATS else floatx()) for x in xs])


def _broadcasting(tensors: list) -> list:
    several = sum(x.ndim > 0 for x in tensors) > 1
    return [with_known_ones(x) for x in tensors] if several else tensors


def _common_dtype(xs: tuple) -> str:
    """The common dtype of tensors and arrays, which Python numbers take unless they are of a higher kind."""
    fixed, free = [], []
    for x in xs:
        if is_tensor(x) or isinstance(x, np.ndarray):
            fixed.append(array_dtype(x.dtype))
        elif _is_symbolic(x):
            fixed.append(array_dtype(T.as_tensor_variable(x).dtype))
        else:
            free.append(_number_dtype(np.asarray(x).dtype.kind))
    if not fixed:
        return common_dtype(*free)
    dtype = common_dtype(*fixed)
    return common_dtype(dtype, *(number for number in free if _kind(number) > _kind(dtype)))


def _kind(dtype: str) -> int:
    return ('bool', 'int', 'float').index(dtype.rstrip('0123456789'))
