"""Requirements on arguments of single operations, beyond their types: functions that their definitions name.

Each takes the backend, the arguments by name and the static shapes of the operands, and raises if something is wrong.
"""
from typing import Any, Dict, List, Optional, Sequence

import numpy as np

from keraflow import shapes
from keraflow.backend.updates import Rows
from keraflow.backend.windows import check_windows
from keraflow.errors import ArgumentError, ArgumentTypeError, ShapeError, describe
from keraflow.schema import DType, check

Given = Dict[str, Any]


# -- shapes -----------------------------------------------------------------------------------------------------------

def reshape(backend: Any, given: Given, sizes: Given) -> None:
    lengths = _lengths(given['shape'], -1)
    known = [length for length in lengths or [] if length is not None]
    if lengths is None or len(known) < len(lengths):
        return
    if known.count(-1) > 1 or shapes.reshape(sizes['x'], known) is None:
        raise ShapeError(f"shape: expected lengths for a tensor of shape {sizes['x']}, received {lengths}.")


def creation(backend: Any, given: Given, sizes: Given) -> None:
    _lengths(given['shape'])


def random_reals(backend: Any, given: Given, sizes: Given) -> None:
    if given['dtype'] is not None and given['dtype'][0] != 'f':
        raise ArgumentError(f"dtype: expected 'float32' or 'float64', received '{given['dtype']}'.")
    creation(backend, given, sizes)


def full(backend: Any, given: Given, sizes: Given) -> None:
    creation(backend, given, sizes)
    if sizes['value'] != ():
        raise ShapeError(f"value: expected one number, received {describe(given['value'])}.")


def placeholder(backend: Any, given: Given, sizes: Given) -> None:
    check(given['dtype'], Optional[DType], 'dtype')
    if not shapes.is_shape(given['shape']):
        raise ArgumentTypeError('shape: expected a list of integers of at least 0 or None, received '
                                f"{describe(given['shape'])}.")


def arange(backend: Any, given: Given, sizes: Given) -> None:
    _lengths([given['stop']], name='stop')
    if given['dtype'] == 'bool':
        raise ArgumentError("dtype: expected a dtype of numbers, received 'bool'.")


def transpose(backend: Any, given: Given, sizes: Given) -> None:
    if given['axes'] is not None:
        ndim = len(sizes['x'])
        if len(check_axes(given['axes'], ndim, 'axes')) != ndim:
            raise ShapeError(f"axes: expected each of {ndim} axes once, received {describe(list(given['axes']))}.")


def expand_dims(backend: Any, given: Given, sizes: Given) -> None:
    check_axes(given['axis'], len(sizes['x']) + 1)


def squeeze(backend: Any, given: Given, sizes: Given) -> None:
    for place in check_axes(given['axis'], len(sizes['x'])):
        if sizes['x'][place] not in (None, 1):
            raise ShapeError(f"axis: expected one of length 1, received one of length {sizes['x'][place]}.")


def concatenate(backend: Any, given: Given, sizes: Given) -> None:
    _join(given['axis'], sizes['tensors'], is_new=False)


def stack(backend: Any, given: Given, sizes: Given) -> None:
    _join(given['axis'], sizes['tensors'], is_new=True)


def _join(axis: int, tensors: List[tuple], is_new: bool) -> None:
    """Raise unless tensors with these shapes can be joined along an axis, which may be a new one."""
    if not tensors:
        raise ArgumentError('tensors: expected at least one, received an empty list.')
    first = tensors[0]
    [place] = check_axes(axis, len(first) + is_new)
    for size in tensors[1:]:
        same = [one if is_new else (*one[:place], *one[place + 1:]) for one in (first, size)]
        if len(size) != len(first) or not shapes.agree(*same):
            raise ShapeError(f"tensors: expected equal lengths{'' if is_new else f' but for axis {place}'}, received "
                             f"the shapes {', '.join(map(str, tensors))}.")


def split(backend: Any, given: Given, sizes: Given) -> None:
    [place] = check_axes(given['axis'], len(sizes['x']))
    length = sizes['x'][place]
    if length not in (None, sum(given['lengths'])) or not given['lengths']:
        raise ShapeError(f"lengths: expected a sum of {length}, the length of axis {place}, received "
                         f"{list(given['lengths'])}.")


def tile(backend: Any, given: Given, sizes: Given) -> None:
    _check_count('reps', given['reps'], len(sizes['x']))


def with_static_shape(backend: Any, given: Given, sizes: Given) -> None:
    if not shapes.is_shape(given['shape']) or not shapes.agree(sizes['x'], given['shape']):
        raise ShapeError(f"a tensor of shape {sizes['x']} cannot have the shape {tuple(given['shape'])}.")


def dropout(backend: Any, given: Given, sizes: Given) -> None:
    if isinstance(given['noise_shape'], (list, tuple)):
        _check_count('noise_shape', given['noise_shape'], len(sizes['x']))


# -- products and indices ---------------------------------------------------------------------------------------------

def dot(backend: Any, given: Given, sizes: Given) -> None:
    x, y = sizes['x'], sizes['y']
    if not x or len(y) not in (1, 2):
        raise ShapeError(f'expected a factor that has axes and one of one or two, received the shapes {x} and {y}.')
    shapes.check_factors(x[-1:], y[-2:][:1])


def matmul(backend: Any, given: Given, sizes: Given) -> None:
    x, y = sizes['x'], sizes['y']
    if not x or not y:
        raise ShapeError(f'expected factors that have axes, received the shapes {x} and {y}.')
    shapes.check_factors(x[-1:], y[-2:][:1])
    if not shapes.broadcast(x[:-2], y[:-2]):
        raise ShapeError(f'expected the axes before the last two to broadcast, received the shapes {x} and {y}.')


def indices(backend: Any, given: Given, sizes: Given) -> None:
    x = given['indices']
    dtype = backend.dtype(x) if backend.is_tensor(x) else np.asarray(x).dtype.name
    if 'int' not in dtype:
        raise ArgumentTypeError(f"expected integers as indices, received {dtype}. Write B.cast(x, 'int32').")


def gather(backend: Any, given: Given, sizes: Given) -> None:
    indices(backend, given, sizes)
    [place] = check_axes(given['axis'], len(sizes['x']))
    length, listed = sizes['x'][place], given['indices']
    if isinstance(listed, (int, np.ndarray, np.integer, list, tuple)) and np.size(listed):
        lowest, highest = int(np.min(listed)), int(np.max(listed))
        if lowest < 0 or length is not None and highest >= length:
            raise ArgumentError(f'indices: expected integers from 0 to {"..." if length is None else length - 1}, '
                                f'received {lowest if lowest < 0 else highest}.')


# -- spatial axes -----------------------------------------------------------------------------------------------------

def depthwise(backend: Any, given: Given, sizes: Given) -> None:
    if len(sizes['kernels']) != 4:
        raise ShapeError(f"kernels: expected four axes, received shape {sizes['kernels']}.")
    convolution(backend, given, sizes)


def convolution(backend: Any, given: Given, sizes: Given) -> None:
    kernels, nb_axis = sizes['kernels'], len(sizes['kernels']) - 2
    if not 1 <= nb_axis <= 3 or len(sizes['x']) != nb_axis + 2:
        raise ShapeError(f"expected kernels of as many axes as x, 3 to 5, received shapes {kernels} and {sizes['x']}.")
    for name in ('strides', 'dilation'):
        _check_count(name, given.get(name) or [1] * nb_axis, nb_axis)
    x = _channels_first(sizes['x'], given['data_format'])
    window = [1] * nb_axis if 'dilation' not in given else kernels[2:]      # a transposed convolution always fits
    check_windows(x, window, given['pad'], given.get('dilation'), kernels[0])


def pool(backend: Any, given: Given, sizes: Given) -> None:
    if not 1 <= len(given['pool_size']) <= 3:
        raise ShapeError(f"pool_size: expected one to three lengths, received {list(given['pool_size'])}.")
    _check_count('strides', given['strides'] or given['pool_size'], len(given['pool_size']))
    check_windows(_channels_first(sizes['x'], given['data_format']), given['pool_size'], given['pad'])


def pad(backend: Any, given: Given, sizes: Given) -> None:
    _check_count('padding', given['padding'], len(sizes['x']))
    for pair in given['padding']:
        if not isinstance(pair, (list, tuple)) or len(pair) != 2 or not all(map(_is_natural, pair)):
            raise ArgumentError(f'padding: expected pairs of integers of at least 0, received {describe(pair)}.')


def add_bias(backend: Any, given: Given, sizes: Given) -> None:
    x, bias = sizes['x'], sizes['bias']
    if len(bias) != 1 or len(x) < 2 or not shapes.agree(bias, _channels_first(x, given['data_format'])[1:2]):
        raise ShapeError(f'expected a bias of one value for each channel, received shapes {bias} and {x}.')


# -- values and variables ----------------------------------------------------------------------------------------------

def value(backend: Any, given: Given, sizes: Given) -> None:
    if backend.is_tensor(given['value']):
        raise ArgumentTypeError('value: expected an array of numbers, received a tensor. Write B.eval(...) of it.')
    if 'dtype' in given:
        check(given['dtype'], Optional[DType], 'dtype')


def set_value(backend: Any, given: Given, sizes: Given) -> None:
    value(backend, given, sizes)
    if not backend.is_variable(given['variable']):
        is_number = isinstance(given['variable'], float)
        raise ArgumentTypeError(f"variable: expected a variable, received {_words(backend, given['variable'])}."
                                + (' The learning rate of an optimizer is a number: write optimizer.lr = 0.1.'
                                   if is_number else ''))


def function(backend: Any, given: Given, sizes: Given) -> None:
    inputs = given['inputs']
    if not isinstance(inputs, (list, tuple)) or not all(map(backend.is_tensor, inputs)):
        raise ArgumentTypeError(f'inputs: expected a list of placeholders, received {_words(backend, inputs)}.')
    if any(map(backend.is_variable, inputs)):
        raise ArgumentTypeError('inputs: expected placeholders, received a variable, whose value each run reads. Write '
                                'B.set_value to change it.')
    if len(set(map(id, inputs))) < len(inputs):
        raise ArgumentError('inputs: expected each placeholder once, received one several times.')
    for pair in given['updates']:
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            raise ArgumentTypeError('updates: expected pairs of a variable and its new value, received '
                                    f'{_words(backend, pair)}.')
        _check_new_value(backend, *pair)
    if len({id(variable) for variable, _ in given['updates']}) < len(given['updates']):
        raise ArgumentError('updates: expected each variable once, received one several times.')


def _check_new_value(backend: Any, variable: Any, value: Any) -> None:
    if not backend.is_variable(variable):
        raise ArgumentTypeError('updates: expected pairs of a variable and its new value, received a pair that begins '
                                f'with {_words(backend, variable)}.')
    if isinstance(value, Rows):
        return
    shape = tuple(backend.static_shape(variable))
    made = tuple(backend.static_shape(value)) if backend.is_tensor(value) else np.shape(value)
    if not shapes.agree(shape, made):
        raise ShapeError(f'updates: expected a new value of shape {shape}, as the variable has, received one of shape '
                         f'{made}.')


def gradients(backend: Any, given: Given, sizes: Given) -> None:
    variables, loss = given['variables'], given['loss']
    if not isinstance(variables, (list, tuple)) or not all(map(backend.is_tensor, variables)):
        raise ArgumentTypeError('variables: expected a list of variables or tensors, received '
                                f'{_words(backend, variables)}.')
    if not backend.is_tensor(loss):
        raise ArgumentTypeError(f'loss: expected a tensor, received {describe(loss)}.')
    if backend.ndim(loss):
        raise ShapeError(f'loss: expected a scalar, received shape {tuple(backend.static_shape(loss))}. '
                         'Write B.sum or B.mean of it.')


def _words(backend: Any, value: Any) -> str:
    return 'a tensor' if backend.is_tensor(value) else describe(value)


# -- shared by several -------------------------------------------------------------------------------------------------

def check_axes(axis: Any, ndim: int, name: str = 'axis') -> List[int]:
    """Return the numbers of axes, each once; raise a ShapeError if there are no such axes.

    Raises
    ------
    ShapeError
        If there are no such axes, or one is given twice.
    """
    if axis is not None and ndim == 0 and axis not in ([], ()):
        raise ShapeError(f'{name}: expected a tensor that has axes, received a scalar.')
    try:
        found = shapes.normalize_axes(axis, ndim)
    except ShapeError as error:
        raise ShapeError(f'{name}: {error}') from None
    if len(set(found)) < len(found):
        raise ShapeError(f'{name}: expected each axis once, received {axis}.')
    return found


def _lengths(shape: Any, lowest: int = 0, name: str = 'shape') -> Optional[List[Optional[int]]]:
    """Return lengths, with ``None`` for those that are tensors; ``None`` if they are one tensor."""
    if not isinstance(shape, (list, tuple)):
        return None
    found = [int(one) if isinstance(one, (int, np.integer)) and not isinstance(one, bool) else None for one in shape]
    for one, length in zip(shape, found):
        # A dtype is the mark of a scalar of a backend, but NumPy's reals have one, too.
        if length is None and not hasattr(one, 'dtype') or isinstance(one, (float, np.floating)):
            advice = ' Write -1 in B.reshape, and B.shape(x)[0] elsewhere.' if one is None else ''
            raise ArgumentTypeError(f'{name}: expected an integer, received {describe(one)}.{advice}')
        if length is not None and length < lowest:
            raise ArgumentError(f'{name}: expected an integer of at least {lowest}, received {length}.')
    return found


def _check_count(name: str, values: Sequence, count: int) -> None:
    """Raise unless there is one for each of the axes."""
    if len(values) != count:
        raise ShapeError(f'{name}: expected one for each of {count} axes, received {describe(list(values))}.')


def _channels_first(size: tuple, data_format: str) -> tuple:
    return size if data_format == 'channels_first' else (*size[:1], *size[-1:], *size[1:-1])


def _is_natural(value: Any) -> bool:
    return hasattr(value, 'dtype') or isinstance(value, int) and not isinstance(value, bool) and value >= 0
