"""Loops over time."""
import contextlib
from typing import Any, List, Sequence

from keraflow.backend.draws import in_step

from . import conditions
from .library import tf
from .variables import Variables

__all__ = ['Recurrence']

#: Loops with wider states are slower compiled: in release 2.17 LSTM(128) takes 1.6 times as long, LSTM(64) 0.45 times;
#: in release 2.21 both gain (0.65 and 0.37). The releases in between were not measured.
_WIDEST = 64 if tuple(map(int, tf.__version__.split('.')[:2])) < (2, 21) else None


class Recurrence(Variables):
    """Loops by ``tf.while_loop``."""

    def loop(self, step: Any, sequences: Sequence, states: Sequence, constants: Sequence = (),
             collect: bool = True) -> tuple:
        sequences, states, constants = [[self._tensor(x if self.is_tensor(x) else self.constant(x)) for x in some]
                                        for some in (sequences, states, constants)]
        known, outer = sequences[0].shape[0], conditions.current()
        if known is None and outer is not None:
            raise conditions.NotCompilable('it has a loop over time of unknown length')
        if _WIDEST is not None and any(((x.shape[-1:] or [0])[0] or 0) > _WIDEST for x in states):
            conditions.avoid(f'loops over time with states of more than {_WIDEST} numbers are slower compiled, in this '
                             'release of TensorFlow')
        length = tf.shape(sequences[0])[0] if known is None else known
        # The gradient of a slice is as large as the slice if read from a TensorArray, but as the tensor if cut from
        # that.
        slices = [tf.TensorArray(x.dtype, length).unstack(x) for x in sequences]
        made = [tf.TensorArray(states[0].dtype, length, element_shape=states[0].shape)] if collect else []

        required: List[conditions.Conditions] = []

        def body(time: Any, made: list, before: list, code: Any) -> tuple:
            collected = contextlib.nullcontext() if outer is None else conditions.collecting(time, outer.is_free)
            with collected as inner, in_step(tf.cast(time, tf.int64), tf.cast(length, tf.int64)):
                after = step([x.read(time) for x in slices], before, constants)
            after = [self._like(x, old) for x, old in zip(after, before)]
            if inner is not None and inner.messages:
                required[:] = [inner]
                code = tf.where(code < 0, inner.code, code)
            return time + 1, [array.write(time, after[0]) for array in made], after, code

        _, made, last, code = tf.while_loop(lambda time, *_: time < length, body,
                                            (0, made, states, conditions.HOLDS), maximum_iterations=known)
        for inner in required:
            outer.add_inner(inner, code)
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
