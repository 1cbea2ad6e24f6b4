"""Operations that rearrange values without changing them."""
from typing import Any, Optional, Sequence

import numpy as np

from keraflow import shapes
from keraflow.backend.contract import Backend
from keraflow.backend.refusals import require_split

from .configure import T, theano
from .operands import alike, as_tensor
from .static_shapes import lengths, with_known_ones

__all__ = ['Shaping', 'as_lengths']


def as_lengths(shape: Any) -> list:
    """Return a shape as a list of integers where known, else of integer scalars.

    `shape` is a sequence of integers and scalars of the backend, or an integer vector of the backend.
    """
    if isinstance(shape, theano.graph.basic.Variable):
        if shape.ndim == 0:
            return [shape]
        (size,) = lengths(shape)
        return [shape[i] for i in range(size)]
    if isinstance(shape, (int, np.integer)):
        return [int(shape)]
    return [T.cast(n, 'int64') if isinstance(n, theano.graph.basic.Variable) else int(n) for n in shape]


class Shaping(Backend):
    """Operations on shapes; see the contract."""

    def reshape(self, x: Any, shape: Sequence) -> Any:
        x, shape = as_tensor(x), as_lengths(shape)
        if not all(isinstance(n, int) for n in shape):
            return T.reshape(x, shape, ndim=len(shape))
        return T.reshape(x, np.array(shape, dtype='int64'), ndim=len(shape))

    def flatten(self, x: Any, nb_axis: int = 1) -> Any:
        x = as_tensor(x)
        if x.ndim <= nb_axis:
            return x
        return self.reshape(x, lengths(x)[:nb_axis - 1] + [-1])

    def transpose(self, x: Any, axes: Optional[Sequence[int]] = None) -> Any:
        x = as_tensor(x)
        order = range(x.ndim)[::-1] if axes is None else [shapes.normalize_axis(a, x.ndim) for a in axes]
        return x.dimshuffle(list(order))

    def expand_dims(self, x: Any, axis: int) -> Any:
        x = as_tensor(x)
        axis = shapes.normalize_axis(axis, x.ndim + 1)
        order: list = list(range(x.ndim))
        return x.dimshuffle(order[:axis] + ['x'] + order[axis:])

    def squeeze(self, x: Any, axis: int) -> Any:
        x = as_tensor(x)
        axis = shapes.normalize_axis(axis, x.ndim)
        if not x.broadcastable[axis]:      # DimShuffle only drops broadcasting axes; the length is checked later
            x = T.addbroadcast(x, axis)
        return x.dimshuffle([a for a in range(x.ndim) if a != axis])

    def concatenate(self, tensors: Sequence, axis: int = -1) -> Any:
        xs = alike(*tensors)
        return T.join(shapes.normalize_axis(axis, xs[0].ndim), *xs)

    def stack(self, tensors: Sequence, axis: int = 0) -> Any:
        return super().stack(alike(*tensors), axis)

    def split(self, x: Any, lengths: Sequence[int], axis: int = -1) -> list:
        x = as_tensor(x)
        axis, start, parts = shapes.normalize_axis(axis, x.ndim), 0, []
        x, before = require_split(self, x, lengths, axis), (slice(None),) * axis
        for length in lengths:
            parts.append(x[before + (slice(start, start + length),)])
            start += length
        return parts

    def repeat(self, x: Any, repeats: int, axis: int) -> Any:
        x = as_tensor(x)
        axis = shapes.normalize_axis(axis, x.ndim)
        shape = lengths(x)
        copies = self._copies(self.expand_dims(x, axis + 1), shape[:axis + 1] + [repeats] + shape[axis + 1:])
        return self.reshape(copies, shape[:axis] + [shape[axis] * repeats] + shape[axis + 1:])

    def tile(self, x: Any, reps: Sequence[int]) -> Any:
        x = as_tensor(x)
        shape = lengths(x)
        order = [part for axis in range(x.ndim) for part in ('x', axis)]
        pairs = [part for pair in zip(reps, shape) for part in pair]
        return self.reshape(self._copies(x.dimshuffle(order), pairs), [n * r for n, r in zip(shape, reps)])

    def _copies(self, x: Any, shape: Sequence) -> Any:
        """Broadcast `x` to `shape`."""
        return T.alloc(with_known_ones(x), *shape)

    def flip(self, x: Any, axis: int) -> Any:
        x = as_tensor(x)
        return x[(slice(None),) * shapes.normalize_axis(axis, x.ndim) + (slice(None, None, -1),)]

    def identity(self, x: Any) -> Any:
        return T.Rebroadcast()(as_tensor(x))      # a no-op that makes a new variable

    def stop_gradient(self, x: Any) -> Any:
        return theano.gradient.disconnected_grad(as_tensor(x))
