"""Operations along axes that give fewer values, or running ones."""
import functools
import math
from typing import Any, Sequence, Union

from keraflow.backend import log_rules
from keraflow.backend.mask_rules import along_other_axes
from keraflow.backend.method_info import operation
from keraflow.backend.operations.shaping import Shaping

__all__ = ['Reductions']

Tensor = Any
Axis = Union[None, int, Sequence[int]]

#: Define an operation that folds axes, which has the arguments `axis` and `keepdims`.
reduction = functools.partial(operation, keeps_mask=along_other_axes, keeps_layout=True)


class Reductions(Shaping):
    """Operations along axes; see :mod:`keraflow.backend.contract`."""

    @reduction(logs=log_rules.sum_along_axes)
    def sum(self, x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Sum."""
        raise NotImplementedError

    @reduction(logs=log_rules.product_along_axes)
    def prod(self, x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Product."""
        raise NotImplementedError

    @reduction(is_real=True, logs=log_rules.mean)
    def mean(self, x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Mean, real also for integers and bools."""
        raise NotImplementedError

    @reduction(moves_values=True, opposite='min')
    def max(self, x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Largest value."""
        raise NotImplementedError

    @reduction(moves_values=True, opposite='max')
    def min(self, x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Smallest value."""
        raise NotImplementedError

    @reduction(takes_any_number=True)
    def any(self, x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """True where one value is not zero."""
        raise NotImplementedError

    @reduction(takes_any_number=True)
    def all(self, x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """True where no value is zero."""
        raise NotImplementedError

    @operation(keeps_mask=along_other_axes)
    def argmax(self, x: Tensor, axis: int = -1) -> Tensor:
        """Index of the largest value along one axis, the first of equals."""
        raise NotImplementedError

    @operation(keeps_mask=along_other_axes)
    def argmin(self, x: Tensor, axis: int = -1) -> Tensor:
        """Index of the smallest value along one axis, the first of equals."""
        raise NotImplementedError

    @operation(keeps_layout=True)
    def cumsum(self, x: Tensor, axis: int = -1) -> Tensor:
        """Running sum along one axis."""
        raise NotImplementedError

    @operation(keeps_mask=False, is_real=True)
    def histogram(self, x: Tensor, edges: Sequence[float], weights: Tensor) -> Tensor:
        """Sums of the weights (one for each value) of the values below the first of ascending edges, from each to below
        the next, and from the last on, where NaN is, too."""
        raise NotImplementedError

    @reduction(is_real=True)
    def var(self, x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Variance: mean squared distance to the mean (divided by n)."""
        centred = self.subtract(x, self.mean(x, axis, keepdims=True))
        return self.mean(self.square(centred), axis, keepdims)

    @reduction(is_real=True)
    def std(self, x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Standard deviation: the root of :meth:`var`. Its gradient is 0 where it is 0."""
        return self._root(self.var(x, axis, keepdims))

    @reduction(is_real=True)
    def norm(self, x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Euclidean length, the root of the sum of squares. Its gradient is 0 where it is 0."""
        return self._root(self.sum(self.square(x), axis, keepdims))

    def _root(self, x: Tensor) -> Tensor:
        """The square root, with the gradient 0 at 0."""
        at_zero = self.equal(x, 0)      # the branch that is not taken must be finite, too
        return self.where(at_zero, 0., self.sqrt(self.where(at_zero, 1., x)))

    @reduction(is_real=True)
    def logsumexp(self, x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """``log(sum(exp(x)))`` without overflow; -inf adds nothing."""
        peak = self.stop_gradient(self.max(x, axis, keepdims=True))
        peak = self.where(self.isfinite(peak), peak, 0.)
        total = self.sum(self.exp(self.subtract(x, peak)), axis, keepdims)
        is_none = self.equal(total, 0)      # the branch that is not taken must be finite, too
        log = self.where(is_none, -math.inf, self.log(self.where(is_none, 1., total)))
        return self.add(log, peak if keepdims else self.squeeze_axes(peak, axis))
