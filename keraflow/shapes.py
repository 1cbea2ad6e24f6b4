"""Static shapes: tuples of integers, with ``None`` for a length that is unknown until there are data."""
import itertools
import numbers
from typing import Any, List, Optional, Sequence, Tuple

from keraflow.errors import ShapeError

__all__ = ['Shape', 'as_shape', 'agree', 'broadcast', 'broadcast_shape', 'check_factors', 'is_shape', 'concatenate',
           'merge', 'normalize_axis', 'normalize_axes', 'product', 'reshape']

Shape = Tuple[Optional[int], ...]


def is_shape(value: Any) -> bool:
    """Return whether `value` is one shape (and not, for example, a list of shapes)."""
    return isinstance(value, (list, tuple)) and all(length is None or _is_length(length) for length in value)


def as_shape(value: Any) -> Shape:
    """Make a shape from a sequence of integers (of any kind) and ``None``."""
    return tuple(None if length is None else int(length) for length in value)


def agree(one: Sequence, other: Sequence) -> bool:
    """Return whether two shapes can be the same.

    Examples
    --------
    >>> agree((None, 3), (5, 3)), agree((None, 3), (5, 4))
    (True, False)
    """
    return len(one) == len(other) and all(a is None or b is None or a == b for a, b in zip(one, other))


def broadcast(*shapes: Sequence) -> bool:
    """Return whether tensors of these shapes can be added: from the last axis on, lengths are equal, 1, or unknown.

    Examples
    --------
    >>> broadcast((None, 4), (4,)), broadcast((None, 4), (None, 3))
    (True, False)
    """
    lengths = itertools.zip_longest(*(reversed(shape) for shape in shapes), fillvalue=1)
    return all(len({*axis} - {1, None}) < 2 for axis in lengths)


def broadcast_shape(*shapes: Sequence) -> Optional[Shape]:
    """Return the shape of a value-by-value result of tensors of these shapes; ``None`` if they cannot be combined.

    Examples
    --------
    >>> broadcast_shape((None, 4), (4,)), broadcast_shape((None, 1), (5, None)), broadcast_shape((2,), (3,))
    ((None, 4), (5, None), None)
    """
    if not broadcast(*shapes):
        return None
    lengths = itertools.zip_longest(*(reversed(shape) for shape in shapes), fillvalue=1)
    found = [next(iter({*axis} - {1, None}), None if None in axis else 1) for axis in lengths]
    return tuple(reversed(found))


def check_factors(one: Sequence, other: Sequence) -> None:
    """Raise unless the lengths that a product sums over are the same, where they are known."""
    if not agree(one, other):
        raise ShapeError(f'expected factors that match, received the lengths {tuple(one)} and {tuple(other)}.')


def merge(one: Sequence, other: Sequence) -> Shape:
    """Combine what is known from two shapes that agree."""
    return tuple(b if a is None else a for a, b in zip(one, other))


def normalize_axis(axis: int, ndim: int) -> int:
    """Return the number of an axis, counted from 0, in a tensor with `ndim` axes.

    Raises
    ------
    ShapeError
        If there is no such axis.

    Examples
    --------
    >>> normalize_axis(1, 3), normalize_axis(-1, 3)
    (1, 2)
    """
    if not -ndim <= axis < ndim:
        raise ShapeError(f'expected an axis from {-ndim} to {ndim - 1}, received {axis}.')
    return axis % ndim


def normalize_axes(axis: Any, ndim: int) -> List[int]:
    """Return the numbers of the axes that an argument means, an integer or several; ``None`` means all.

    Examples
    --------
    >>> normalize_axes(None, 2), normalize_axes(-1, 3), normalize_axes((0, -1), 3)
    ([0, 1], [2], [0, 2])
    """
    if axis is None:
        return list(range(ndim))
    return [normalize_axis(int(one), ndim) for one in ([axis] if isinstance(axis, numbers.Integral) else axis)]


def product(lengths: Sequence[Optional[int]]) -> Optional[int]:
    """Return the product of lengths, ``None`` if one is unknown.

    Examples
    --------
    >>> product((2, 3)), product((None, 3)), product(())
    (6, None, 1)
    """
    total = 1
    for length in lengths:
        if length is None:
            return None
        total *= length
    return total


def concatenate(shapes: Sequence[Shape], axis: int) -> Shape:
    """Return the shape of tensors joined along `axis`; the other lengths agree."""
    joined = shapes[0]
    for shape in shapes[1:]:
        joined = merge(joined, shape)
    lengths = [shape[axis] for shape in shapes]
    total = None if None in lengths else sum(lengths)  # type: ignore[arg-type]
    return (*joined[:axis], total, *joined[axis + 1:])


def reshape(shape: Sequence[Optional[int]], target: Sequence[int]) -> Optional[Shape]:
    """Return `target` with its -1 filled in for a tensor of this shape; ``None`` if the sizes do not fit.

    Examples
    --------
    >>> reshape((4, 3), (2, -1)), reshape((None, 3), (-1, 3)), reshape((4, 3), (5, -1))
    ((2, 6), (None, 3), None)
    """
    size, known = product(shape), product([length for length in target if length != -1])
    if size is None or known is None:
        return tuple(None if length == -1 else length for length in target)
    if -1 not in target:
        return tuple(target) if size == known else None
    if known == 0 or size % known:      # any length would do for 0 values
        return None
    return tuple(size // known if length == -1 else length for length in target)


def _is_length(value: Any) -> bool:
    return type(value) is int or isinstance(value, numbers.Integral) and not isinstance(value, bool)


def unlist(values: List[Any]) -> Any:
    """Return the only element of a list of one, else the list."""
    return values[0] if len(values) == 1 else values
