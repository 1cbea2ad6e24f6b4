"""Numbers that must be finite, or else a batch sets no variable."""
from typing import Any, List, Sequence

from keraflow.backend.refusals import STOP

from .library import tf

__all__ = ['stop_unless_finite', 'sums_of']


def sums_of(numbers: Sequence) -> List[Any]:
    """Return the sums of scalars and vectors: a sum is not finite if one of the numbers is not."""
    return [tf.cast(it if it.shape.rank == 0 else tf.reduce_sum(it), _widest(numbers)) for it in numbers]


def _first_of(sums: Sequence) -> Any:
    """Return which of some sums is the first that is not finite, and its value, as a vector."""
    # By choices alone: what finds an index, or takes a number at one, takes XLA minutes to compile here.
    first = tf.zeros(2, tf.float64)
    for number, one in reversed(list(enumerate(sums))):
        first = tf.where(tf.math.is_finite(one), first, tf.stack([tf.cast(it, tf.float64) for it in (number, one)]))
    return first


def stop_unless_finite(numbers: Sequence, nb_done: Any, total: Any) -> Any:
    """Return an operation that fails with the text :data:`STOP` unless all numbers are finite.

    `nb_done` and `total` are told with it, unless they are None.
    """
    # In one piece, because each kernel takes time, and a branch takes more for each tensor that it uses.
    dtype = _widest(numbers)
    parts = [tf.cast(tf.reshape(it, [-1]), dtype) for it in numbers]
    vector = tf.concat(parts, 0)

    def stop() -> Any:
        sums = sums_of(tf.split(vector, [it.shape[0] for it in parts]))
        begin, *others = STOP.split('{}')
        values = [[] if it is None else it for it in (nb_done, _first_of(sums), total)]
        text = [begin, *(part for value, other in zip(values, others) for part in (_text(value), other))]
        return tf.debugging.Assert(False, [tf.strings.join(text)])
    return tf.cond(tf.math.is_finite(tf.reduce_sum(vector)), tf.no_op, stop).op


def _widest(numbers: Sequence) -> Any:
    return max((it.dtype for it in numbers), key=lambda dtype: dtype.size)


def _text(value: Any) -> Any:
    """Return numbers as text, with all of their digits."""
    digits = tf.as_string(tf.cast(tf.reshape(value, [-1]), tf.float64), precision=17, scientific=True)
    return tf.strings.reduce_join(digits, separator=' ')
