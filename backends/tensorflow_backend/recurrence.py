"""Loops over time."""
import contextlib
from typing import Any, List, Sequence

from keraflow.backend.draws import in_step

from . import conditions
from .library import tf
from .time_gradients import TimeGradients, stacked
from .variables import Variables

__all__ = ['Recurrence']


class Recurrence(Variables):
    """Loops by ``tf.while_loop``."""

    def loop(self, step: Any, sequences: Sequence, states: Sequence, constants: Sequence = (),
             collect: bool = True) -> tuple:
        sequences, states, constants = [[self._tensor(x if self.is_tensor(x) else self.constant(x)) for x in some]
                                        for some in (sequences, states, constants)]
        known, outer = sequences[0].shape[0], conditions.current()
        if known is None and outer is not None:
            raise conditions.NotCompilable('it has a loop over time of unknown length')
        length = tf.shape(sequences[0])[0] if known is None else known
        # The gradient of a slice is as large as the slice if read from a TensorArray, but as the tensor if cut from
        # that.
        slices = [tf.TensorArray(x.dtype, length).unstack(x) for x in sequences]
        made = [tf.TensorArray(states[0].dtype, length, element_shape=states[0].shape)] if collect else []
        gradients = TimeGradients(lambda slices, before: [self._like(x, old) for x, old in zip(
            step(slices, before, constants), before)], slices, sequences, states, length)

        required: List[conditions.Conditions] = []

        def body(time: Any, arrays: list, before: list, code: Any) -> tuple:
            collected = contextlib.nullcontext() if outer is None else conditions.collecting(time, outer.is_free)
            with collected as inner, in_step(tf.cast(time, tf.int64), tf.cast(length, tf.int64)):
                after, kept = gradients.run([x.read(time) for x in slices], before)
            if inner is not None and inner.messages:
                required[:] = [inner]
                code = tf.where(code < 0, inner.code, code)
            written = [*after[:len(made)], *kept]
            return time + 1, [array.write(time, x) for array, x in zip(arrays, written)], after, code

        _, arrays, last, code = tf.while_loop(lambda time, *_: time < length, body, (
            0, made + gradients.arrays(), states, conditions.HOLDS), maximum_iterations=known)
        for inner in required:
            outer.add_inner(inner, code)    # type: ignore[union-attr]  # there are none without it
        outputs = [stacked(array, length, tf.shape(states[0])) for array in arrays[:len(made)]]
        for x in outputs:
            x.set_shape([known, *states[0].shape])    # stacked arrays have no static length
        outputs, last = gradients.given_to(outputs, last, arrays[len(made):])
        return outputs[0] if collect else None, last

    def _like(self, x: Any, old: Any) -> Any:
        """Give `x` the dtype and the static shape of `old`."""
        # tf.while_loop refuses a state whose dtype or static shape changes.
        x = tf.cast(self._tensor(x), old.dtype)
        x.set_shape(old.shape)
        return x
