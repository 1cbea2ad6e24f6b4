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
    if method.name in _RULES and method.check is not None:
        sizes: Dict[str, Any] = {name: [_shape_of(one) for one in given[name]] if name == 'tensors' else
                                 _shape_of(given[name]) for name in ('x', 'y', 'tensors') if name in given}
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


def _transposed(given: Dict[str, Any], sizes: Dict[str, Any]) -> Shape:
    x, axes = sizes['x'], given['axes']
    return tuple(x[axis] for axis in (range(len(x))[::-1] if axes is None else axes))


def _expanded(given: Dict[str, Any], sizes: Dict[str, Any]) -> Shape:
    [place] = check_axes(given['axis'], len(sizes['x']) + 1)
    return (*sizes['x'][:place], 1, *sizes['x'][place:])


def _concatenated(given: Dict[str, Any], sizes: Dict[str, Any]) -> Shape:
    [place] = check_axes(given['axis'], len(sizes['tensors'][0]))
    return shapes.concatenate(sizes['tensors'], place)


def _split(given: Dict[str, Any], sizes: Dict[str, Any]) -> List[Shape]:
    x, [place] = sizes['x'], check_axes(given['axis'], len(sizes['x']))
    return [(*x[:place], length, *x[place + 1:]) for length in given['lengths']]


#: Of operations whose results follow from no property: from the arguments by name, and the shapes of the tensors.
_RULES: Dict[str, Callable[[Dict[str, Any], Dict[str, Any]], Any]] = {
    'dot': lambda given, sizes: (*sizes['x'][:-1], *sizes['y'][1:]),
    'transpose': _transposed,
    'expand_dims': _expanded,
    'concatenate': _concatenated,
    'split': _split}


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
