"""Tensors with the channels first that were computed with the channels last.

On a CPU TensorFlow convolves and pools only tensors with the channels last. A result for ``channels_first`` is
transposed, and remembers what it is the transposition of. Operations that work value by value continue there, and the
next convolution begins there; what was transposed in between is in no output's way, so that a compiled function leaves
it out. There is one transposition at the beginning of a chain and one at its end.
"""
import functools

from .library import tf

__all__ = ['channels_first', 'channels_last', 'keeps_layout']

_SOURCE = '_keraflow_channels_last'


def channels_first(x):
    """A tensor with its last axis as the second one."""
    rank = len(x.shape)
    moved = tf.transpose(x, (0, rank - 1, *range(1, rank - 1)))
    setattr(moved, _SOURCE, x)
    return moved


def channels_last(x):
    """A tensor with its second axis as the last one: what :func:`channels_first` was given, if `x` came from there."""
    source = getattr(x, _SOURCE, None)
    return tf.transpose(x, (0, *range(2, len(x.shape)), 1)) if source is None else source


def keeps_layout(operation):
    """Let an operation that works value by value compute on what its operands are transpositions of.

    It does if each operand that is no number is such a transposition.
    """
    @functools.wraps(operation)
    def on_sources(self, *operands, **options):
        tensors = [x for x in (*operands, *options.values()) if not isinstance(x, (int, float, type(None)))]
        if not tensors or not all(hasattr(x, _SOURCE) for x in tensors) or len({len(x.shape) for x in tensors}) > 1:
            return operation(self, *operands, **options)
        return channels_first(operation(self, *(getattr(x, _SOURCE, x) for x in operands), **options))
    return on_sources
