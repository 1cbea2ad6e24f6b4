"""Which parts of a prediction count: samples, steps of series, positions in images."""
from typing import Any

from keraflow import backend as B
from keraflow.backend.tensor_info import info_of

__all__ = ['expand_mask', 'counted_parts', 'has_parts', 'part_weights', 'without']


def expand_mask(mask: Any, x: Any) -> Any:
    """Give a mask as many axes as `x`: the missing ones follow its own, with length 1."""
    for _ in range(B.ndim(x) - B.ndim(mask)):
        mask = B.expand_dims(mask, -1)
    return mask


def without(mask: Any, x: Any) -> Any:
    """Return `x` with 0 where its mask, if any, is False."""
    return x if mask is None else B.where(expand_mask(mask, x), x, B.zeros_like(x))      # no product: 0 * NaN is NaN


def counted_parts(y_pred: Any, weights: Any) -> Any:
    """Return True where a sample, or a part of one, counts: its mask in the prediction is True and its weight not 0.

    The shape is ``(batch,)``, or ``(batch, time)`` and so on; ``None`` if all count.
    """
    mask = info_of(y_pred).mask
    if weights is None:
        return mask
    weighted = B.not_equal(weights, 0)
    if mask is None:
        return weighted
    low, high = sorted([mask, weighted], key=B.ndim)
    return B.logical_and(expand_mask(low, high), high)


def part_weights(y_pred: Any, weights: Any) -> Any:
    """Return the weights of samples, or of their parts, with 0 where the mask of the prediction is False."""
    mask = info_of(y_pred).mask
    if mask is None:
        return weights
    parts = B.cast(mask, B.floatx())
    if weights is None:
        return parts
    low, high = sorted([parts, weights], key=B.ndim)
    return expand_mask(low, high) * high


def has_parts(shape: tuple, wanted: tuple, rank: int) -> bool:
    """Return whether a tensor of this static shape still has the axes of `wanted` up to `rank`.

    It has not if an axis has the length of a different one, such as that of the features.
    """
    return len(shape) >= rank and all(one in (None, other) for one, other in zip(shape[1:rank], wanted[1:rank]))
