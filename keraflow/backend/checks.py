"""What operations are given is checked here, before any backend: the same mistake has the same message on each.

The annotations of the contract say of which type an argument is, once for each operation; here is what shapes must be.
"""
import functools
import inspect
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple, get_type_hints

import numpy as np

from keraflow import shapes
from keraflow.annotations import check, expected
from keraflow.backend.axes import tell_of_features
from keraflow.backend.contract import OPERATIONS, Backend
from keraflow.backend.refusals import OF_INTEGERS
from keraflow.backend.value_checks import check_held, check_integers, check_tensors
from keraflow.backend.windows import check_windows
from keraflow.errors import ArgumentError, ArgumentTypeError, KeraFlowError, ShapeError, describe, nearest
from keraflow.schema import DType

__all__ = ['arguments_of', 'is_checked']

#: Methods whose arguments are looked at as those of operations are.
_METHODS = frozenset({'arange', 'constant', 'eye', 'full', 'gradients', 'ones', 'placeholder', 'set_value', 'variable',
                      'with_static_shape', 'zeros'})
#: The arguments that are tensors, arrays, numbers or lists of numbers.
_OPERANDS = frozenset({'x', 'y', 'condition', 'kernels', 'bias', 'indices', 'min_value', 'max_value'})
_BROADCASTING = frozenset({'add', 'subtract', 'multiply', 'divide', 'floor_divide', 'mod', 'power', 'maximum',
                           'minimum', 'equal', 'not_equal', 'less', 'less_equal', 'greater', 'greater_equal',
                           'logical_and', 'logical_or', 'switch', 'clip'})
#: Arrays of more numbers than there are axes are data, such as edges of bins.
_FEW = 32
#: From the arguments by name and the static shapes of those that are operands; they raise what is wrong.
_RULES: Dict[str, Callable[[Dict[str, Any], Dict[str, Any]], None]] = {}


def is_checked(method: str) -> bool:
    """Whether the arguments of a method of the contract are looked at, beyond their names and number."""
    return method in OPERATIONS or method in _METHODS


def arguments_of(backend: Backend, operation: str, args: Sequence[Any], kwargs: Dict[str, Any]) -> Dict[str, Any]:
    """The arguments of an operation by name, defaults included.

    Raises
    ------
    ArgumentTypeError, ArgumentError, ShapeError
        If the operation cannot be applied to them.

    Examples
    --------
    >>> from keraflow import backend as B
    >>> B.split(B.ones((2, 4)), [3, 3])
    Traceback (most recent call last):
    keraflow.errors.ShapeError: split: lengths: expected a sum of 4, the length of axis 1, received [3, 3].
    """
    method = _method(operation)
    given = {**method.defaults, **dict(zip(method.names, args)), **kwargs}
    if len(given) != len(method.names) or len(args) > len(given) or \
            kwargs and not kwargs.keys() <= set(method.names[len(args):]):
        _refuse(operation, method.signature, args, kwargs)
    if not method.is_checked:
        return given
    try:
        _check(backend, operation, given, method)
    except KeraFlowError as error:
        raise type(error)(f'{operation}: {error}') from None
    if method.is_along_last and 'axis' not in kwargs and len(args) <= method.names.index('axis'):
        tell_of_features(operation, given)
    return given


def _refuse(operation: str, signature: inspect.Signature, args: Sequence[Any], kwargs: Dict[str, Any]) -> None:
    """Raise for a name that is not there, or an argument that is missing, given twice or too much."""
    for name in kwargs:
        if name not in signature.parameters:
            raise ArgumentTypeError(f"{operation}: there is no argument '{name}'. "
                                    f'{nearest(name, signature.parameters)}')
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        names = ', '.join(signature.parameters)
        raise ArgumentTypeError(f'{operation}: {error}. The arguments are {names}.') from None


class _Method(NamedTuple):
    """What is known of a method of the contract before it is called, without `self`."""

    signature: inspect.Signature
    names: Tuple[str, ...]
    defaults: Dict[str, Any]
    hints: Dict[str, Any]       # the annotations that allow less than anything
    operands: List[str]
    is_checked: bool
    is_along_last: bool         # whether its axis is the last one unless another is given


@functools.lru_cache(maxsize=None)
def _method(name: str) -> _Method:
    method = getattr(Backend, name)
    signature = inspect.signature(method)
    signature = signature.replace(parameters=list(signature.parameters.values())[1:])
    defaults = {one.name: one.default for one in signature.parameters.values() if one.default is not one.empty}
    hints = {argument: hint for argument, hint in get_type_hints(method, include_extras=True).items()
             if hint is not Any and argument != 'return'}
    operands = [argument for argument in dict.fromkeys([*defaults, *signature.parameters]) if argument in _OPERANDS]
    return _Method(signature, tuple(signature.parameters), defaults, hints, operands, is_checked(name),
                   defaults.get('axis') == -1)


def _check(backend: Backend, operation: str, given: Dict[str, Any], method: _Method) -> None:
    for name, hint in method.hints.items():
        value = given[name]
        if value is method.defaults.get(name, Any):
            continue
        if backend.is_tensor(value):
            if name not in ('shape', 'noise_shape'):
                raise ArgumentTypeError(f'{name}: expected {expected(hint)}, received a tensor.')
            continue
        if isinstance(value, np.ndarray):
            if value.size > _FEW:
                continue
            given[name] = value.tolist()
        check(given[name], hint, name)
    sizes = {name: _shape(backend, name, given[name]) for name in method.operands}
    if operation == 'full':
        sizes['value'] = _shape(backend, 'value', given['value'])
    if 'tensors' in given:
        sizes['tensors'] = [_shape(backend, 'tensors', one) for one in given['tensors']]
    if given.get('dtype') is not None and operation in ('random_normal', 'random_uniform') and given['dtype'][0] != 'f':
        raise ArgumentError(f"dtype: expected 'float32' or 'float64', received '{given['dtype']}'.")
    if operation in ('gather', 'one_hot'):
        _check_indices(backend, given['indices'])
    if operation in _BROADCASTING:
        known = [size for name, size in sizes.items() if given[name] is not None]
        if not shapes.broadcast(*known):
            raise ShapeError(f"expected shapes that fit, received {', '.join(map(str, known))}.")
    if operation in OF_INTEGERS:
        check_integers(backend, operation, given)
    if operation in ('constant', 'gradients', 'set_value', 'variable'):
        check_tensors(backend, given)
    if operation in _RULES:
        _RULES[operation](given, sizes)
    elif 'axis' in given and 'x' in given:
        _places(given['axis'], len(sizes['x']))
    check_held(backend, operation, given)


def _shape(backend: Backend, name: str, value: Any) -> Any:
    """The static shape of an operand; ``None`` if it is an optional one that is not there."""
    if backend.is_tensor(value):
        return tuple(backend.static_shape(value))
    if value is None and name in ('min_value', 'max_value'):
        return None
    if isinstance(value, (list, tuple)):
        inner = [_shape(backend, name, one) for one in value]
        if any(one != inner[0] for one in inner):
            raise ShapeError(f'{name}: expected a list whose items have one shape, received {describe(value)}.')
        return (len(inner), *(inner[0] if inner else ()))
    kind = np.asarray(value).dtype.kind
    if kind not in 'biuf':
        raise ArgumentTypeError(f'{name}: expected a tensor, an array or a number, received {describe(value)}.')
    return np.shape(value)


def _check_indices(backend: Backend, indices: Any) -> None:
    dtype = backend.dtype(indices) if backend.is_tensor(indices) else np.asarray(indices).dtype.name
    if 'int' not in dtype:
        raise ArgumentTypeError(f"expected integers as indices, received {dtype}. Write B.cast(x, 'int32').")


def _places(axis: Any, ndim: int, name: str = 'axis') -> List[int]:
    """The numbers of the axes that are meant, each once."""
    if axis is not None and ndim == 0 and axis not in ([], ()):
        raise ShapeError(f'{name}: expected a tensor that has axes, received a scalar.')
    try:
        found = shapes.normalize_axes(axis, ndim)
    except ShapeError as error:
        raise ShapeError(f'{name}: {error}') from None
    if len(set(found)) < len(found):
        raise ShapeError(f'{name}: expected each axis once, received {axis}.')
    return found


def _rule(*operations: str) -> Callable:
    def register(rule: Callable) -> Callable:
        _RULES.update(dict.fromkeys(operations, rule))
        return rule
    return register


def _numbers(name: str, values: Sequence, count: int) -> None:
    """Raise unless there is one for each of so many axes."""
    if len(values) != count:
        raise ShapeError(f'{name}: expected one for each of {count} axes, received {describe(list(values))}.')


# -- shapes -----------------------------------------------------------------------------------------------------------

@_rule('reshape')
def _reshape(given: Dict[str, Any], sizes: Dict[str, Any]) -> None:
    lengths = _lengths(given['shape'], -1)
    known = [length for length in lengths or [] if length is not None]
    if lengths is None or len(known) < len(lengths):
        return
    if known.count(-1) > 1 or shapes.reshape(sizes['x'], known) is None:
        raise ShapeError(f"shape: expected lengths for a tensor of shape {sizes['x']}, received {lengths}.")


@_rule('zeros', 'ones', 'random_uniform', 'random_normal', 'random_binomial')
def _creation(given: Dict[str, Any], sizes: Dict[str, Any]) -> None:
    _lengths(given['shape'])


@_rule('full')
def _full(given: Dict[str, Any], sizes: Dict[str, Any]) -> None:
    _creation(given, sizes)
    if sizes['value'] != ():
        raise ShapeError(f"value: expected one number, received {describe(given['value'])}.")


@_rule('constant', 'variable')
def _dtype(given: Dict[str, Any], sizes: Dict[str, Any]) -> None:
    check(given['dtype'], Optional[DType], 'dtype')


@_rule('placeholder')
def _placeholder(given: Dict[str, Any], sizes: Dict[str, Any]) -> None:
    _dtype(given, sizes)
    if not shapes.is_shape(given['shape']):
        raise ArgumentTypeError('shape: expected a list of integers of at least 0 or None, received '
                                f"{describe(given['shape'])}.")


@_rule('arange')
def _arange(given: Dict[str, Any], sizes: Dict[str, Any]) -> None:
    _lengths([given['stop']], name='stop')
    if given['dtype'] == 'bool':
        raise ArgumentError("dtype: expected one of numbers, received 'bool'.")


def _lengths(shape: Any, least: int = 0, name: str = 'shape') -> Optional[List[Optional[int]]]:
    """Lengths, ``None`` for those that are tensors, or for all of them if they are one."""
    if not isinstance(shape, (list, tuple)):
        return None
    found = [int(one) if isinstance(one, (int, np.integer)) and not isinstance(one, bool) else None for one in shape]
    for one, length in zip(shape, found):
        if length is None and not hasattr(one, 'dtype') or isinstance(one, (float, np.floating)):
            advice = ' Write -1 in B.reshape, and B.shape(x)[0] elsewhere.' if one is None else ''
            raise ArgumentTypeError(f'{name}: expected an integer, received {describe(one)}.{advice}')
        if length is not None and length < least:
            raise ArgumentError(f'{name}: expected an integer of at least {least}, received {length}.')
    return found


@_rule('transpose')
def _transpose(given: Dict[str, Any], sizes: Dict[str, Any]) -> None:
    if given['axes'] is not None:
        ndim = len(sizes['x'])
        if len(_places(given['axes'], ndim, 'axes')) != ndim:
            raise ShapeError(f"axes: expected each of {ndim} axes once, received {describe(list(given['axes']))}.")


@_rule('expand_dims')
def _expand_dims(given: Dict[str, Any], sizes: Dict[str, Any]) -> None:
    _places(given['axis'], len(sizes['x']) + 1)


@_rule('squeeze', 'squeeze_axes')
def _squeeze(given: Dict[str, Any], sizes: Dict[str, Any]) -> None:
    for place in _places(given['axis'], len(sizes['x'])):
        if sizes['x'][place] not in (None, 1):
            raise ShapeError(f"axis: expected one of length 1, received one of length {sizes['x'][place]}.")


@_rule('concatenate', 'stack')
def _join(given: Dict[str, Any], sizes: Dict[str, Any]) -> None:
    if not sizes['tensors']:
        raise ArgumentError('tensors: expected at least one, received an empty list.')
    first, is_new = sizes['tensors'][0], 'is_new' in given
    [place] = _places(given['axis'], len(first) + is_new)
    for size in sizes['tensors'][1:]:
        same = [one if is_new else (*one[:place], *one[place + 1:]) for one in (first, size)]
        if len(size) != len(first) or not shapes.agree(*same):
            raise ShapeError(f"tensors: expected equal lengths{'' if is_new else f' but for axis {place}'}, received "
                             f"the shapes {', '.join(map(str, sizes['tensors']))}.")


@_rule('stack')
def _stack(given: Dict[str, Any], sizes: Dict[str, Any]) -> None:
    _join({**given, 'is_new': True}, sizes)


@_rule('split')
def _split(given: Dict[str, Any], sizes: Dict[str, Any]) -> None:
    [place] = _places(given['axis'], len(sizes['x']))
    length = sizes['x'][place]
    if length not in (None, sum(given['lengths'])) or not given['lengths']:
        raise ShapeError(f"lengths: expected a sum of {length}, the length of axis {place}, received "
                         f"{list(given['lengths'])}.")


@_rule('tile')
def _tile(given: Dict[str, Any], sizes: Dict[str, Any]) -> None:
    _numbers('reps', given['reps'], len(sizes['x']))


@_rule('with_static_shape')
def _with_static_shape(given: Dict[str, Any], sizes: Dict[str, Any]) -> None:
    if not shapes.is_shape(given['shape']) or not shapes.agree(sizes['x'], given['shape']):
        raise ShapeError(f"a tensor of shape {sizes['x']} cannot have the shape {tuple(given['shape'])}.")


@_rule('dropout')
def _dropout(given: Dict[str, Any], sizes: Dict[str, Any]) -> None:
    if isinstance(given['noise_shape'], (list, tuple)):
        _numbers('noise_shape', given['noise_shape'], len(sizes['x']))


# -- products and indices ---------------------------------------------------------------------------------------------

@_rule('dot')
def _dot(given: Dict[str, Any], sizes: Dict[str, Any]) -> None:
    x, y = sizes['x'], sizes['y']
    if not x or len(y) not in (1, 2):
        raise ShapeError(f'expected a factor that has axes and one of one or two, received the shapes {x} and {y}.')
    shapes.check_factors(x[-1:], y[-2:][:1])


@_rule('batch_dot')
def _batch_dot(given: Dict[str, Any], sizes: Dict[str, Any]) -> None:
    x, y = sizes['x'], sizes['y']
    if len(x) != len(y) or len(x) < 3:
        raise ShapeError(f'expected factors of one rank of at least 3, received the shapes {x} and {y}.')
    shapes.check_factors((*x[:-2], x[-1]), y[:-1])


@_rule('gather')
def _gather(given: Dict[str, Any], sizes: Dict[str, Any]) -> None:
    [place] = _places(given['axis'], len(sizes['x']))
    length, indices = sizes['x'][place], given['indices']
    if isinstance(indices, (int, np.ndarray, np.integer, list, tuple)) and np.size(indices):
        lowest, highest = int(np.min(indices)), int(np.max(indices))
        if lowest < 0 or length is not None and highest >= length:
            raise ArgumentError(f'indices: expected integers from 0 to {"..." if length is None else length - 1}, '
                                f'received {lowest if lowest < 0 else highest}.')


# -- spatial axes -----------------------------------------------------------------------------------------------------

def _channels_first(size: tuple, data_format: str) -> tuple:
    return size if data_format == 'channels_first' else (*size[:1], *size[-1:], *size[1:-1])


@_rule('depthwise_conv')
def _depthwise(given: Dict[str, Any], sizes: Dict[str, Any]) -> None:
    if len(sizes['kernels']) != 4:
        raise ShapeError(f"kernels: expected four axes, received shape {sizes['kernels']}.")
    _convolution(given, sizes)


@_rule('conv', 'conv_transpose')
def _convolution(given: Dict[str, Any], sizes: Dict[str, Any]) -> None:
    kernels, nb_axis = sizes['kernels'], len(sizes['kernels']) - 2
    if not 1 <= nb_axis <= 3 or len(sizes['x']) != nb_axis + 2:
        raise ShapeError(f"expected kernels of as many axes as x, 3 to 5, received shapes {kernels} and {sizes['x']}.")
    for name in ('strides', 'dilation'):
        _numbers(name, given.get(name) or [1] * nb_axis, nb_axis)
    x = _channels_first(sizes['x'], given['data_format'])
    window = [1] * nb_axis if 'dilation' not in given else kernels[2:]      # a transposed one fits always
    check_windows(x, window, given['pad'], given.get('dilation'), kernels[0])


@_rule('pool')
def _pool(given: Dict[str, Any], sizes: Dict[str, Any]) -> None:
    if not 1 <= len(given['size']) <= 3:
        raise ShapeError(f"size: expected one to three lengths, received {list(given['size'])}.")
    _numbers('strides', given['strides'] or given['size'], len(given['size']))
    check_windows(_channels_first(sizes['x'], given['data_format']), given['size'], given['pad'])


@_rule('pad')
def _pad(given: Dict[str, Any], sizes: Dict[str, Any]) -> None:
    _numbers('padding', given['padding'], len(sizes['x']))
    for pair in given['padding']:
        if not isinstance(pair, (list, tuple)) or len(pair) != 2 or not all(map(_is_natural, pair)):
            raise ArgumentError(f'padding: expected pairs of integers of at least 0, received {describe(pair)}.')


def _is_natural(value: Any) -> bool:
    return hasattr(value, 'dtype') or isinstance(value, int) and not isinstance(value, bool) and value >= 0


@_rule('add_bias')
def _add_bias(given: Dict[str, Any], sizes: Dict[str, Any]) -> None:
    x, bias = sizes['x'], sizes['bias']
    if len(bias) != 1 or len(x) < 2 or not shapes.agree(bias, _channels_first(x, given['data_format'])[1:2]):
        raise ShapeError(f'expected a bias of one value for each channel, received shapes {bias} and {x}.')
