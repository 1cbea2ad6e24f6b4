"""Loops over time."""
from typing import Any, Sequence

from .library import tf
from .variables import Variables

__all__ = ['Recurrence']


class Recurrence(Variables):
    """Loops by ``tf.while_loop``."""

    def loop(self, step: Any, sequences: Sequence, states: Sequence, constants: Sequence = (),
             collect: bool = True) -> tuple:
        sequences, states, constants = [[self._tensor(x if self.is_tensor(x) else self.constant(x)) for x in some]
                                        for some in (sequences, states, constants)]
        known = sequences[0].shape[0]
        length = tf.shape(sequences[0])[0] if known is None else known
        # The gradient of a slice is as large as the slice if read from a TensorArray, but as the tensor if cut from
        # that.
        slices = [tf.TensorArray(x.dtype, length).unstack(x) for x in sequences]
        made = [tf.TensorArray(states[0].dtype, length, element_shape=states[0].shape)] if collect else []

        def body(time: Any, made: list, before: list) -> tuple:
            after = step([x.read(time) for x in slices], before, constants)
            after = [self._like(x, old) for x, old in zip(after, before)]
            return time + 1, [array.write(time, after[0]) for array in made], after

        _, made, last = tf.while_loop(lambda time, *_: time < length, body, (0, made, states))
        if not collect:
            return None, last
        outputs = made[0].stack()
        outputs.set_shape([known, *states[0].shape])    # stacked arrays have no static length
        return outputs, last

    def _like(self, x: Any, old: Any) -> Any:
        """Give `x` the dtype and the static shape of `old`."""
        # tf.while_loop refuses a state whose dtype or static shape changes.
        x = tf.cast(self._tensor(x), old.dtype)
        x.set_shape(old.shape)
        return x
