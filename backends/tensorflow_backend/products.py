"""Matrix products, and indexing."""
from typing import Any, Optional

from keraflow.backend.refusals import require_places
from keraflow.shapes import normalize_axis

from .library import tf
from .time_gradients import product
from .variables import Variables

__all__ = ['Products']


class Products(Variables):
    """Operations over a shared axis."""

    def dot(self, x: Any, y: Any) -> Any:
        x, y = self._numbers(x, y)
        return product(x, y) if self.ndim(x) == self.ndim(y) == 2 else tf.tensordot(x, y, 1)

    def matmul(self, x: Any, y: Any) -> Any:
        x, y = self._numbers(x, y)
        if self.ndim(x) == self.ndim(y) == 2:
            return product(x, y)
        if self.ndim(y) == 1:   # tf.matmul takes no vectors
            return tf.tensordot(x, y, 1)
        return tf.squeeze(tf.matmul(x[None], y), -2) if self.ndim(x) == 1 else tf.matmul(x, y)

    def gather(self, x: Any, indices: Any, axis: int = 0) -> Any:
        # Rows are read from a variable without copying all of it.
        x = x if self.is_tensor(x) else self.constant(x)
        axis = normalize_axis(axis, self.ndim(x))
        return tf.gather(x, require_places(self, x, self._tensor(indices), axis), axis=axis)

    def one_hot(self, indices: Any, nb_class: int, dtype: Optional[str] = None) -> Any:
        return tf.one_hot(self._tensor(indices), nb_class, dtype=dtype or self.floatx())
