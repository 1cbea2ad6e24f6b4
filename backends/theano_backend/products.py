"""Matrix products and gathering by index."""
from typing import Any, List

from keraflow.backend.contract import FLOATS, Backend
from keraflow.backend.refusals import require_places
from keraflow.shapes import normalize_axis

from .configure import T
from .operands import alike, as_tensor, countable, is_tensor
from .static_shapes import lengths

__all__ = ['Products']


class Products(Backend):
    """Products and indices; see the contract."""

    def dot(self, x: Any, y: Any) -> Any:
        x, y = map(countable, alike(x, y))
        if x.ndim <= 2:
            return T.dot(x, y)
        shape = lengths(x)
        rows = self.reshape(x, [-1, shape[-1]])
        return self.reshape(T.dot(rows, y), shape[:-1] + lengths(y)[1:])

    def matmul(self, x: Any, y: Any) -> Any:
        x, y = map(countable, alike(x, y))
        if y.ndim <= 2:
            return self.dot(x, y)
        if x.ndim == 1:
            return self.squeeze(self.matmul(self.expand_dims(x, 0), y), -2)
        # Theano's Op has one batch axis: those before the last two become one.
        x, y = _of_one_batch(x, y)
        left, right = lengths(x), lengths(y)
        product = self._products(self.reshape(x, [-1, *left[-2:]]), self.reshape(y, [-1, *right[-2:]]))
        return self.reshape(product, [*left[:-1], right[-1]])

    def _products(self, x: Any, y: Any) -> Any:
        """Multiply matrices for each sample, ``(b, n, m), (b, m, k) -> (b, n, k)``."""
        if x.dtype not in FLOATS:      # Theano's Op has no C code for integers
            return self.sum(x.dimshuffle(0, 1, 2, 'x') * y.dimshuffle(0, 'x', 1, 2), axis=2)
        # The Op takes the batch axis of one operand as that of both.
        return T.blas.batched_dot(T.unbroadcast(x, 0), T.unbroadcast(y, 0))

    def gather(self, x: Any, indices: Any, axis: int = 0) -> Any:
        x, indices = x if is_tensor(x) else self.constant(x), as_tensor(indices)
        axis = normalize_axis(axis, x.ndim)
        indices = require_places(self, x, indices, axis)
        if indices.ndim == 0:
            return x[(slice(None),) * axis + (indices,)]
        others = [a for a in range(x.ndim) if a != axis]
        table = x.dimshuffle(axis, *others) if axis else x      # a lookup of rows, so that gradients go by rows
        taken = table[self.flatten(indices)]
        shape = lengths(x)
        taken = self.reshape(taken, lengths(indices) + [shape[a] for a in others])
        front, n = list(range(indices.ndim)), indices.ndim
        behind = list(range(n, n + len(others)))
        return taken.dimshuffle(behind[:axis] + front + behind[axis:])


def _of_one_batch(x: Any, y: Any) -> List[Any]:
    """Two stacks of matrices, copied along those axes before the last two that broadcast."""
    rank = max(x.ndim, y.ndim)
    x, y = (one.dimshuffle(*'x' * (rank - one.ndim), *range(one.ndim)) for one in (x, y))
    axes = range(rank - 2)
    batch = [n if x.broadcastable[axis] else m for axis, m, n in zip(axes, lengths(x), lengths(y))]
    repeats = [any(one.broadcastable[axis] and not other.broadcastable[axis] for axis in axes)
               for one, other in ((x, y), (y, x))]
    return [T.alloc(one, *batch, *lengths(one)[-2:]) if repeated else one for one, repeated in zip((x, y), repeats)]
