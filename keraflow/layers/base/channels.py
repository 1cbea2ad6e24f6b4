"""Where the features of a tensor are, of pictures the channels: an axis counted from the end, so that it stays the same
when axes are put before it.

It is known where an Input looks like it, or a layer says so (one for images by its ``data_format``), and is handed on
by layers that keep the axes. BatchNormalization, LayerNormalization, Concatenate, softmax, and objectives and metrics
over classes work along it by default.
"""
import math
from typing import Any, Optional, Sequence

from keraflow import backend as B
from keraflow.backend.tensor_info import info_of
from keraflow.shapes import Shape, agree

__all__ = ['feature_axis', 'inherited_features', 'seen_features']

#: An axis of pictures with more cells than that is none of channels, where nothing but their shape tells.
MOST = 4


def seen_features(shape: Shape) -> Optional[int]:
    """The axis of the channels of images or volumes, if their shape tells: of the first and the last axis one is short,
    shorter than all others, and the other one is not.

    Examples
    --------
    >>> seen_features((None, 3, 28, 28)), seen_features((None, 28, 28, 3)), seen_features((None, 28, 28, 64))
    (-3, -1, None)
    """
    sample = [math.inf if length is None else length for length in shape[1:]]
    if len(sample) < 3:
        return None
    first, *between, last = sample
    if min(first, last) > MOST or max(first, last) <= MOST or min(first, last) >= min(between):
        return None
    return -len(sample) if first < last else -1


def feature_axis(shape: Shape, known: Optional[int] = None) -> int:
    """Where features are taken to be: where that is `known`, else last for vectors and series; for images and volumes
    where they look to be, else first.

    Examples
    --------
    >>> feature_axis((None, 20, 8)), feature_axis((None, 64, 7, 7)), feature_axis((None, 64, 7, 7), known=-1)
    (-1, -3, -1)
    """
    if known is not None:
        return known
    if len(shape) < 4:
        return -1
    return seen_features(shape) or 1 - len(shape)


def inherited_features(shape: Shape, fed: Sequence[Any]) -> Optional[int]:
    """What the tensors that a layer was fed with tell of an output of this shape: the same, if the axes are."""
    for tensor in fed:
        info = info_of(tensor)
        before = info.shape or B.static_shape(tensor)
        if info.features is not None and len(before) == len(shape):
            others = [at for at in range(len(shape)) if at != len(shape) + info.features]
            if before[info.features] == shape[info.features] or agree([before[at] for at in others],
                                                                      [shape[at] for at in others]):
                return info.features
    return None
