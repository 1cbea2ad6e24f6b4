"""Matrix products and gathering by index."""
from typing import Any

from keraflow.backend.contract import FLOATS, Backend
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

    def batch_dot(self, x: Any, y: Any) -> Any:
        x, y = map(countable, alike(x, y))
        left, right = lengths(x), lengths(y)
        if x.ndim > 3:
            product = self.batch_dot(self.reshape(x, [-1] + left[-2:]), self.reshape(y, [-1] + right[-2:]))
            return self.reshape(product, left[:-1] + right[-1:])
        if x.dtype not in FLOATS:      # Theano's Op has no C code for integers
            return self.sum(x.dimshuffle(0, 1, 2, 'x') * y.dimshuffle(0, 'x', 1, 2), axis=2)
        # The Op takes the batch axis of one operand as that of both.
        return T.blas.batched_dot(T.unbroadcast(x, 0), T.unbroadcast(y, 0))

    def gather(self, x: Any, indices: Any, axis: int = 0) -> Any:
        x, indices = x if is_tensor(x) else self.constant(x), as_tensor(indices)
        axis = normalize_axis(axis, x.ndim)
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
