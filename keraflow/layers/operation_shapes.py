"""The static shapes that operations give, as far as these follow from their properties: no backend is asked."""
from typing import Any, Dict, List, Optional, Sequence

import numpy as np

from keraflow import shapes
from keraflow.arguments import to_list
from keraflow.backend.method_info import MethodInfo
from keraflow.shapes import Shape

__all__ = ['shape_of_result']


def shape_of_result(method: MethodInfo, given: Dict[str, Any]) -> Optional[Shape]:
    """Return the shape of what an operation computes, or ``None`` where only the backend knows it.

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
    operands = [one if isinstance(one, tuple) else np.shape(one)
                for one in (given[name] for name in method.operands) if one is not None]
    if method.broadcasts:
        return shapes.broadcast_shape(*operands)
    if 'keepdims' in method.names:
        return _without(operands[0], given['axis'], given['keepdims'])
    is_value_by_value = method.is_function_of_one and method.keeps_layout and method.keeps_mask is True
    return operands[0] if is_value_by_value else None


def _without(shape: Shape, axis: Any, keepdims: bool) -> Shape:
    axes = shapes.normalize_axes(axis, len(shape))
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
