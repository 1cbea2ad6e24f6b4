"""The axis of a tensor's features, which for images are the channels, counted from the end.

That way it stays the same when axes are put before it.

It is known if the shape of an Input shows it, or a layer says so (one for images by its ``data_format``), and is passed
on by layers that keep the axes. BatchNormalization, LayerNormalization, Concatenate, softmax, and objectives and
metrics over classes work along it by default.

The hooks of layers receive it with the shapes of inputs, in a run and in a plan, as :class:`PlacedShape`.
"""
import math
from typing import Any, Iterable, List, Optional, Sequence

from keraflow.shapes import Shape, agree

__all__ = ['PlacedShape', 'are_placed', 'feature_axis', 'inherited_features', 'placed_for',
           'seen_features']

#: An axis of images with more cells than this is not taken for channels by its length alone.
MOST = 4


class PlacedShape(tuple):
    """A static shape, equal to the plain tuple, that comes with all that is known of the axis of its features.

    Attributes
    ----------
    features : int or None
        The axis, counted from the end; ``None`` if nothing says which it is.
    """

    features: Optional[int]

    def __new__(cls, shape: Iterable[Optional[int]], features: Optional[int]) -> 'PlacedShape':
        made = super().__new__(cls, shape)
        made.features = features
        return made

    def __getnewargs__(self) -> Any:
        return tuple(self), self.features


def are_placed(shapes: Iterable[Shape]) -> bool:
    """Return whether all that is known of the axis of the features is known for each of these shapes."""
    return all(isinstance(shape, PlacedShape) for shape in shapes)


def placed_for(inputs: Sequence[Any], outputs: Sequence[Shape], fed: Sequence[Shape]) -> List[Shape]:
    """Return the shapes of the outputs of a graph that is fed shapes in place of its own inputs.

    Nothing is known of the features if those of an input are where what it is fed has them.
    """
    own = all(one.features is not None or isinstance(other, PlacedShape) and other.features is None
              for one, other in zip(inputs, fed))
    return list(outputs) if own else list(map(tuple, outputs))


def seen_features(shape: Shape) -> Optional[int]:
    """Return the axis of the channels of images or volumes, if their shape shows it.

    Of the first and the last axis exactly one must be short, and shorter than all others.

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
    """Return the axis to take as features: the `known` one, else the last one of vectors and series.

    For images and volumes it is the one that their shape shows, else the first one.

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


def inherited_features(shape: Shape, fed: Sequence[PlacedShape]) -> Optional[int]:
    """Return what the inputs of a layer say about an output of this shape: the same, if the axes are."""
    for before in fed:
        features = before.features
        if features is not None and len(before) == len(shape):
            others = [at for at in range(len(shape)) if at != len(shape) + features]
            if before[features] == shape[features] or agree([before[at] for at in others],
                                                            [shape[at] for at in others]):
                return features
    return None
