"""Tensors in one layout that were computed in the other: support for the convolutions of plugins.

A library convolves only, or best, in one of the two layouts: the *inner* one of its backend. A result in the other, the
*outer* layout, is a transposition, and remembers the tensor that was transposed: its source. The next convolution
starts from that, and so does each operation in between that is declared to keep layouts. Nothing uses the
transpositions in between, so a compiled function omits them: there is one at the beginning of a chain of convolutions
and one at its end.
"""
import functools
import inspect
from typing import Any, Callable, Iterable, List, Optional, Sequence

import numpy as np

from keraflow.arguments import is_array_like
from keraflow.backend.method_info import METHODS
from keraflow.backend.operations.shaping import Shaping
from keraflow.shapes import normalize_axes

__all__ = ['Layouts', 'gradients_from_sources', 'outer_places', 'sources_of', 'to_inner', 'to_outer']

Tensor = Any

_INNER = '_keraflow_inner'
#: Arguments of operations with an item for each axis; `axis` names axes.
_ITEMS = ('padding', 'noise_shape')


class Layouts(Shaping):
    """How a backend converts between the two layouts."""

    #: The layout in which it convolves, set by a plugin: ``'channels_first'`` or ``'channels_last'``.
    inner_format = 'channels_first'

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name, method in list(vars(cls).items()):      # a list: the loop changes the class
            # The contract's own definitions are made of operations that keep layouts themselves.
            if name in METHODS and METHODS[name].keeps_layout and METHODS[name].method is not method:
                setattr(cls, name, _keeping_layout(method))

    def without_layouts(self, tensors: Iterable[Tensor]) -> List[Tensor]:
        """Return tensors without remembered sources.

        A program may ask its library for gradients of what a layer returned, and a loop must receive all that it uses.
        """
        listed = list(tensors)
        for x in listed:
            if _source(x) is not None:
                delattr(x, _INNER)
        return listed


def to_inner(backend: Layouts, x: Tensor, data_format: str) -> Tensor:
    """Convert a tensor from `data_format` to the inner layout, in which a plugin convolves it."""
    return x if data_format == backend.inner_format else _moved(backend, x, _order(backend, backend.ndim(x)))


def to_outer(backend: Layouts, x: Tensor, data_format: Optional[str] = None) -> Tensor:
    """Convert a tensor from the inner layout to `data_format` (by default the outer one), and let it remember `x`."""
    if data_format == backend.inner_format:
        return x
    moved = backend.transpose(x, outer_places(backend, backend.ndim(x)))
    setattr(moved, _INNER, x)
    return moved


def outer_places(backend: Layouts, ndim: int) -> List[int]:
    """Return the positions of the outer layout's axes in the inner one."""
    return list(map(_order(backend, ndim).index, range(ndim)))


def sources_of(tensors: Iterable[Tensor]) -> List[Tensor]:
    """Return the sources of tensors, or the tensors: what depends on a tensor depends on its source."""
    return [x if _source(x) is None else _source(x) for x in tensors]


def gradients_from_sources(backend: Layouts, gradients: Iterable[Tensor], tensors: Iterable[Tensor]) -> List[Tensor]:
    """Compute the gradients of tensors from those of their sources."""
    return [gradient if _source(x) is None else to_outer(backend, gradient) for gradient, x in zip(gradients, tensors)]


def _keeping_layout(operation: Callable) -> Callable:
    """Let an operation compute on the sources of its operands, and let its result remember that computation.

    Operands without a source are transposed, too: usually they are numbers for each channel.
    """
    signature = inspect.signature(operation)

    @functools.wraps(operation)
    def on_inner(self: Any, *operands: Any, **options: Any) -> Any:
        ndim = _common_rank(self, [*operands, *options.values()])
        if ndim is None:
            return operation(self, *operands, **options)
        order, given = _order(self, ndim), signature.bind(self, *operands, **options)
        given.apply_defaults()
        folded = [] if given.arguments.get('keepdims', True) else normalize_axes(given.arguments['axis'], ndim)
        left = [axis for axis in order if axis not in folded]
        if folded and left != sorted(left):     # these would need a different transposition
            return operation(self, *operands, **options)
        for name, value in given.arguments.items():
            if name == 'axis':
                moved = [order.index(one) for one in normalize_axes(value, ndim)]
                value = moved[0] if isinstance(value, int) else moved
            elif name in _ITEMS:
                value = value and [value[axis] for axis in order]
            elif name != 'self':
                value = _moved(self, value, order)
            given.arguments[name] = value
        made = operation(*given.args, **given.kwargs)
        return made if folded else to_outer(self, made)
    return on_inner


def _common_rank(backend: Layouts, operands: Iterable[Any]) -> Optional[int]:
    """Return the rank of the operands with a source; ``None`` if there is none, or no common one."""
    values = [x for operand in operands for x in (operand if isinstance(operand, (list, tuple)) else (operand,))]
    ranks = {backend.ndim(x) for x in values if _source(x) is not None}
    if not ranks:
        return None
    tensors = [x for x in values if backend.is_tensor(x) or isinstance(x, np.ndarray)]
    return max(ranks) if len(ranks) == 1 and max(map(backend.ndim, tensors)) in ranks else None


def _source(x: Any) -> Any:
    """Return the source of `x`, ``None`` if it has none."""
    # Not getattr: TensorFlow searches long for an attribute that a tensor does not have.
    return getattr(x, '__dict__', {}).get(_INNER)


def _order(backend: Layouts, ndim: int) -> List[int]:
    """Return the numbers of the inner layout's axes in the outer one."""
    return [0, ndim - 1, *range(1, ndim - 1)] if backend.inner_format == 'channels_first' else [0, *range(2, ndim), 1]


def _moved(backend: Layouts, x: Any, order: Sequence[int]) -> Any:
    """Permute the axes of a tensor, or of several, from the outer layout; pass anything else through."""
    if _source(x) is not None:
        return _source(x)
    if isinstance(x, (list, tuple)) and not is_array_like(x):
        return [_moved(backend, one, order) for one in x]
    if not backend.is_tensor(x):
        array = np.asarray(x)       # an array, so that it takes the dtype of the tensors it meets
        return array.reshape((1,) * (len(order) - array.ndim) + array.shape).transpose(order) if array.ndim else x
    if backend.ndim(x) == 0:
        return x
    while backend.ndim(x) < len(order):
        x = backend.expand_dims(x, 0)
    return backend.transpose(x, order)
