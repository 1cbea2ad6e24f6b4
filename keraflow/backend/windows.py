"""Windows along spatial axes: how many there are, what they cover, and their padding."""
from typing import Any, Optional, Sequence

from keraflow.errors import ShapeError

__all__ = ['check_windows', 'output_length', 'same_padding', 'transposed_length', 'DATA_FORMATS', 'PADS']

DATA_FORMATS = ('channels_first', 'channels_last')
PADS = ('valid', 'same')


def output_length(length: Any, window: int, stride: int, pad: str, dilation: int = 1) -> Any:
    """Return the number of windows along an axis; `length` may be an integer scalar of a backend.

    Examples
    --------
    >>> output_length(7, 3, 2, 'valid'), output_length(7, 3, 2, 'same'), output_length(7, 3, 1, 'valid', dilation=2)
    (3, 4, 3)
    """
    nb_start = length if pad == 'same' else length - (window - 1) * dilation
    # Rounded up by arithmetic alone, which a scalar of a backend has, too.
    return (nb_start + stride - 1) // stride


def check_windows(shape: Sequence, window: Sequence, pad: str, dilation: Optional[Sequence] = None,
                  depth: Optional[int] = None) -> None:
    """Raise unless windows fit into a tensor of this static shape, with the channels first: `depth` of them, if given.

    Raises
    ------
    ShapeError
    """
    if len(shape) != len(window) + 2:
        raise ShapeError(f'expected {len(window) + 2} axes, received shape {tuple(shape)}.')
    if depth is not None and shape[1] not in (None, depth):
        raise ShapeError(f'expected {depth} channels, as the kernels have, received {shape[1]}.')
    for length, size, step in zip(shape[2:], window, dilation or [1] * len(window)):
        if pad == 'valid' and None not in (length, size) and length < (size - 1) * step + 1:
            raise ShapeError(f'expected at least {(size - 1) * step + 1} cells, which a window has, received {length}.')


def same_padding(length: Any, window: int, stride: int, dilation: int = 1, maximum: Any = max) -> tuple:
    """Return the number of zeros that ``pad='same'`` adds before and after an axis.

    `length` may be an integer scalar of a backend; `maximum` is then the function for these. If the stride is 1 the
    result does not depend on it, and is a pair of integers.

    Examples
    --------
    >>> same_padding(7, 3, 2), same_padding(8, 3, 2), same_padding(None, 4, 1)
    ((1, 1), (0, 1), (1, 2))
    """
    covered = (window - 1) * dilation + 1
    total = covered - 1 if stride == 1 else maximum(
        (output_length(length, window, stride, 'same') - 1) * stride + covered - length, 0)
    return total // 2, total - total // 2


def transposed_length(length: Any, window: int, stride: int, pad: str) -> Any:
    """Return the length whose convolution has this length; the largest of several for ``'same'``, else the smallest.

    Examples
    --------
    >>> transposed_length(3, 3, 2, 'valid'), transposed_length(3, 3, 2, 'same')
    (7, 6)
    """
    return length * stride if pad == 'same' else (length - 1) * stride + window
