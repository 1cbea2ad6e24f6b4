"""The static shapes that operations give, as far as these follow from their properties: no backend is asked."""
from typing import Any, Callable, Dict, List, Optional, Sequence

import numpy as np

from keraflow import shapes
from keraflow.arguments import to_list
from keraflow.backend.method_info import MethodInfo
from keraflow.backend.operand_checks import check_axes
from keraflow.shapes import Shape

__all__ = ['shape_of_result']


def shape_of_result(method: MethodInfo, given: Dict[str, Any]) -> Any:
    """Return the shape of what an operation computes (a list for several tensors); ``None`` if only the backend knows.

    Parameters
    ----------
    method : MethodInfo
    given : dict
        The arguments by name, with the shape of each tensor, a tuple, in its place.

    Examples
    --------
    >>> from keraflow.backend.contract import METHODS
    >>> shape_of_result(METHODS['add'], {'x': (None, 5, 1), 'y': (5, 4)})
    (None, 5, 4)
    >>> shape_of_result(METHODS['sum'], {'x': (None, 5, 4), 'axis': -1, 'keepdims': False})
    (None, 5)
    """
    if method.name == 'getitem':
        return _part_of(given['x'], to_list(given['index']))
    if method.name in _RULES:
        if not _is_integer(*to_list(given.get('shape', []))):
            return None     # lengths that are themselves computed
        sizes: Dict[str, Any] = {name: [_shape_of(one) for one in given[name]] if name == 'tensors' else
                                 _shape_of(given[name]) for name in (*method.operands, 'tensors') if name in given}
        if method.check is not None and method.name not in _CHECKED_BY_DTYPE:
            method.check(None, given, sizes)
        return _RULES[method.name](given, sizes)
    operands = [_shape_of(one) for one in (given[name] for name in method.operands) if one is not None]
    if method.broadcasts:
        return shapes.broadcast_shape(*operands)
    if 'keepdims' in method.names:
        return _without(operands[0], given['axis'], given['keepdims'])
    is_value_by_value = method.is_function_of_one and method.keeps_layout and method.keeps_mask is True
    return operands[0] if is_value_by_value else None


def _shape_of(value: Any) -> Shape:
    return value if isinstance(value, tuple) else np.shape(value)


def _is_integer(*values: Any) -> bool:
    return all(type(one) is int for one in values)


def _times(length: Optional[int], number: Any) -> Optional[int]:
    return length * number if length is not None and _is_integer(number) else None


def _transposed(given: Dict[str, Any], sizes: Dict[str, Any]) -> Shape:
    x, axes = sizes['x'], given['axes']
    return tuple(x[axis] for axis in (range(len(x))[::-1] if axes is None else axes))


def _expanded(given: Dict[str, Any], sizes: Dict[str, Any]) -> Shape:
    [place] = check_axes(given['axis'], len(sizes['x']) + 1)
    return (*sizes['x'][:place], 1, *sizes['x'][place:])


def _squeezed(given: Dict[str, Any], sizes: Dict[str, Any]) -> Shape:
    return _without(sizes['x'], given['axis'], False)


def _concatenated(given: Dict[str, Any], sizes: Dict[str, Any]) -> Shape:
    [place] = check_axes(given['axis'], len(sizes['tensors'][0]))
    return shapes.concatenate(sizes['tensors'], place)


def _stacked(given: Dict[str, Any], sizes: Dict[str, Any]) -> Shape:
    first, *others = sizes['tensors']
    for one in others:
        first = shapes.merge(first, one)
    [place] = check_axes(given['axis'], len(first) + 1)
    return (*first[:place], len(sizes['tensors']), *first[place:])


def _split(given: Dict[str, Any], sizes: Dict[str, Any]) -> List[Shape]:
    x, [place] = sizes['x'], check_axes(given['axis'], len(sizes['x']))
    return [(*x[:place], length, *x[place + 1:]) for length in given['lengths']]


def _repeated(given: Dict[str, Any], sizes: Dict[str, Any]) -> Shape:
    x, [place] = sizes['x'], check_axes(given['axis'], len(sizes['x']))
    return (*x[:place], _times(x[place], given['repeats']), *x[place + 1:])


def _tiled(given: Dict[str, Any], sizes: Dict[str, Any]) -> Shape:
    return tuple(map(_times, sizes['x'], given['reps']))


def _padded(given: Dict[str, Any], sizes: Dict[str, Any]) -> Shape:
    return tuple(None if length is None or not _is_integer(*pair) else length + sum(pair)
                 for length, pair in zip(sizes['x'], given['padding']))


def _flattened(given: Dict[str, Any], sizes: Dict[str, Any]) -> Optional[Shape]:
    x, nb_kept = sizes['x'], given['nb_axis'] - 1
    return (*x[:nb_kept], shapes.product(x[nb_kept:])) if nb_kept < len(x) else None


def _flipped(given: Dict[str, Any], sizes: Dict[str, Any]) -> Shape:
    check_axes(given['axis'], len(sizes['x']))
    return sizes['x']


def _multiplied(given: Dict[str, Any], sizes: Dict[str, Any]) -> Optional[Shape]:
    x, y = sizes['x'], sizes['y']
    stack = shapes.broadcast_shape(x[:-2], y[:-2])
    return None if stack is None else (*stack, *x[-2:-1], *(y[-1:] if len(y) > 1 else ()))


def _gathered(given: Dict[str, Any], sizes: Dict[str, Any]) -> Shape:
    x, [place] = sizes['x'], check_axes(given['axis'], len(sizes['x']))
    return (*x[:place], *sizes['indices'], *x[place + 1:])


#: Of operations whose results follow from no property: from the arguments by name, and the shapes of the tensors.
_RULES: Dict[str, Callable[[Dict[str, Any], Dict[str, Any]], Any]] = {
    'dot': lambda given, sizes: (*sizes['x'][:-1], *sizes['y'][1:]),
    'matmul': _multiplied,
    'gather': _gathered,
    'one_hot': lambda given, sizes: (*sizes['indices'], _times(1, given['nb_class'])),
    'transpose': _transposed,
    'reshape': lambda given, sizes: shapes.reshape(sizes['x'], given['shape']),
    'flatten': _flattened,
    'expand_dims': _expanded,
    'squeeze': _squeezed,
    'concatenate': _concatenated,
    'stack': _stacked,
    'split': _split,
    'repeat': _repeated,
    'tile': _tiled,
    'pad': _padded,
    'flip': _flipped,
    'argmax': _squeezed,
    'argmin': _squeezed}
#: What their checks ask is the dtype of a tensor, too, which is not known here.
_CHECKED_BY_DTYPE = {'gather', 'one_hot'}


def _without(shape: Shape, axis: Any, keepdims: bool) -> Shape:
    axes = check_axes(axis, len(shape))
    return tuple(1 if place in axes else length for place, length in enumerate(shape) if keepdims or place not in axes)


def _part_of(shape: Shape, index: Sequence[Any]) -> Shape:
    """Return the shape of a part of a tensor, by an index of integers, slices, ``None`` and ``...``."""
    nb_axis = sum(it is not None and it is not Ellipsis for it in index)
    place = next((place for place, it in enumerate(index) if it is Ellipsis), len(index))
    lengths = iter(shape)
    found: List[Optional[int]] = []
    for it in [*index[:place], *[slice(None)] * (len(shape) - nb_axis), *index[place + 1:]]:
        if it is None:
            found.append(1)
            continue
        length = next(lengths)
        if isinstance(it, slice):
            found.append(length if it == slice(None) else None if length is None else len(range(length)[it]))
    return tuple(found)
