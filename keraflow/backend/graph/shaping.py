"""Operations that rearrange values without changing them."""
from typing import Any, List, Optional, Sequence

import numpy as np

from keraflow.backend.graph.nodes import apply
from keraflow.backend.graph.variables import Variables
from keraflow.backend.refusals import require_split
from keraflow.shapes import normalize_axes, normalize_axis

__all__ = ['Shaping']


class Shaping(Variables):
    """Other shapes, orders and repetitions."""

    def reshape(self, x: Any, shape: Sequence) -> Any:
        lengths, given = self._lengths([shape] if isinstance(shape, (int, np.integer)) else shape)
        return apply('reshape', [self._tensor(x), *given], shape=lengths)

    def flatten(self, x: Any, nb_axis: int = 1) -> Any:
        x = self._tensor(x)
        return x if x.ndim <= nb_axis else apply('flatten', [x], nb_axis=nb_axis)

    def transpose(self, x: Any, axes: Optional[Sequence[int]] = None) -> Any:
        x = self._tensor(x)
        order = range(x.ndim)[::-1] if axes is None else normalize_axes(axes, x.ndim)
        return apply('transpose', [x], axes=tuple(order))

    def expand_dims(self, x: Any, axis: int) -> Any:
        x = self._tensor(x)
        return apply('expand_dims', [x], axis=normalize_axis(axis, x.ndim + 1))

    def squeeze(self, x: Any, axis: int) -> Any:
        x = self._tensor(x)
        axis = normalize_axis(axis, x.ndim)
        # It is 1, whatever is known.
        known = [1 if number == axis else n for number, n in enumerate(x.shape)]
        return apply('squeeze', [self.with_static_shape(x, known)], axis=axis)

    def concatenate(self, tensors: Sequence, axis: int = -1) -> Any:
        xs = self._alike(*tensors)
        return apply('concatenate', xs, axis=normalize_axis(axis, xs[0].ndim))

    def stack(self, tensors: Sequence, axis: int = 0) -> Any:
        xs = self._alike(*tensors)
        return apply('stack', xs, axis=normalize_axis(axis, xs[0].ndim + 1))

    def split(self, x: Any, lengths: Sequence[int], axis: int = -1) -> List[Any]:
        x = self._tensor(x)
        axis = normalize_axis(axis, x.ndim)
        x, ends = require_split(self, x, lengths, axis), np.cumsum(lengths)
        before = (slice(None),) * axis
        return [apply('getitem', [x], key=(*before, slice(int(end - n), int(end)))) for n, end in zip(lengths, ends)]

    def repeat(self, x: Any, repeats: int, axis: int) -> Any:
        x = self._tensor(x)
        return apply('repeat', [x], repeats=int(repeats), axis=normalize_axis(axis, x.ndim))

    def tile(self, x: Any, reps: Sequence[int]) -> Any:
        return apply('tile', [self._tensor(x)], reps=tuple(map(int, reps)))

    def flip(self, x: Any, axis: int) -> Any:
        x = self._tensor(x)
        return apply('flip', [x], axis=normalize_axis(axis, x.ndim))

    def identity(self, x: Any) -> Any:
        return apply('identity', [self._tensor(x)])

    def stop_gradient(self, x: Any) -> Any:
        return apply('stop_gradient', [self._tensor(x)])
