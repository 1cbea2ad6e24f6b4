"""Operations that rearrange values without changing them."""
from typing import Any, Optional, Sequence

import numpy as np

from keraflow.backend.refusals import require_split
from keraflow.shapes import normalize_axes, normalize_axis

from .library import tf
from .variables import Variables

__all__ = ['Shaping']


class Shaping(Variables):
    """Other shapes, orders and repetitions."""

    def reshape(self, x: Any, shape: Sequence) -> Any:
        return tf.reshape(self._tensor(x), self._lengths(shape))

    def flatten(self, x: Any, nb_axis: int = 1) -> Any:
        x = self._tensor(x)
        if self.ndim(x) <= nb_axis:
            return x
        lengths = tf.shape(x)
        kept = [lengths[axis] if length is None else length for axis, length in enumerate(x.shape[:nb_axis - 1])]
        folded = x.shape[nb_axis - 1:].num_elements()
        flat = tf.reshape(x, self._lengths([*kept, -1]))
        flat.set_shape([*x.shape[:nb_axis - 1], folded])    # -1 hides a length that is known
        return flat

    def transpose(self, x: Any, axes: Optional[Sequence[int]] = None) -> Any:
        # A negative axis would crash TensorFlow's process.
        return tf.transpose(self._tensor(x), None if axes is None else normalize_axes(axes, self.ndim(x)))

    def expand_dims(self, x: Any, axis: int) -> Any:
        return tf.expand_dims(self._tensor(x), axis)

    def squeeze(self, x: Any, axis: int) -> Any:
        return tf.squeeze(self._tensor(x), [axis])

    def concatenate(self, tensors: Sequence, axis: int = -1) -> Any:
        return tf.concat(self._alike(*tensors), axis)

    def stack(self, tensors: Sequence, axis: int = 0) -> Any:
        return tf.stack(self._alike(*tensors), axis)

    def split(self, x: Any, lengths: Sequence[int], axis: int = -1) -> list:
        x = self._tensor(x)
        axis = normalize_axis(axis, self.ndim(x))
        return tf.split(require_split(self, x, lengths, axis), lengths, axis)

    def repeat(self, x: Any, repeats: int, axis: int) -> Any:
        # tf.repeat loses the static length; adding an axis and folding it in again keeps it.
        x = self._tensor(x)
        axis = normalize_axis(axis, self.ndim(x))
        reps = np.ones(self.ndim(x) + 1, 'int64')
        reps[axis + 1] = repeats
        lengths = tf.shape(x, out_type=tf.int64)
        shape = [lengths[i] if length is None else length for i, length in enumerate(x.shape)]
        shape[axis] = shape[axis] * repeats
        result = tf.reshape(tf.tile(tf.expand_dims(x, axis + 1), reps), self._lengths(shape))
        static = list(x.shape)
        static[axis] = None if static[axis] is None else static[axis] * repeats
        result.set_shape(static)
        return result

    def tile(self, x: Any, reps: Sequence[int]) -> Any:
        return tf.tile(self._tensor(x), reps)

    def flip(self, x: Any, axis: int) -> Any:
        return tf.reverse(self._tensor(x), [axis])

    def identity(self, x: Any) -> Any:
        return tf.identity(self._tensor(x))

    def stop_gradient(self, x: Any) -> Any:
        return tf.stop_gradient(self._tensor(x))
