"""Reductions and scans along axes."""
import functools
import math
from typing import Any, Sequence, Union

from keraflow.backend import costs, log_rules
from keraflow.backend.mask_rules import along_other_axes
from keraflow.backend.method_info import operation
from keraflow.backend.operations.shaping import Shaping

__all__ = ['Reductions']

Tensor = Any
Axis = Union[None, int, Sequence[int]]

#: Define a reduction, with the arguments `axis` and `keepdims`.
reduction = functools.partial(operation, keeps_mask=along_other_axes, keeps_layout=True, flop=costs.of_reduction)


class Reductions(Shaping):
    """Operations along axes; see :mod:`keraflow.backend.contract`."""

    @reduction(logs=log_rules.sum_along_axes, gradient_needs='nothing')
    def sum(self, x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Sum."""
        raise NotImplementedError

    @reduction(logs=log_rules.product_along_axes)
    def prod(self, x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Product."""
        raise NotImplementedError

    @reduction(is_real=True, logs=log_rules.mean, gradient_needs='nothing')
    def mean(self, x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Compute the mean, real even for integers and bools."""
        raise NotImplementedError

    @reduction(moves_values=True, opposite='min')
    def max(self, x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Largest value; of none it is the smallest that the dtype has: minus infinity, if there is one."""
        raise NotImplementedError

    @reduction(moves_values=True, opposite='max')
    def min(self, x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Smallest value; of none it is the largest that the dtype has: infinity, if there is one."""
        raise NotImplementedError

    @reduction(takes_any_number=True, gradient_needs='nothing')
    def any(self, x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Return True where at least one value is not zero."""
        raise NotImplementedError

    @reduction(takes_any_number=True, gradient_needs='nothing')
    def all(self, x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Return True where no value is zero."""
        raise NotImplementedError

    @operation(keeps_mask=along_other_axes, flop=costs.of_reduction, gradient_needs='nothing')
    def argmax(self, x: Tensor, axis: int = -1) -> Tensor:
        """Return the index of the largest value along one axis, the first of equals."""
        raise NotImplementedError

    @operation(keeps_mask=along_other_axes, flop=costs.of_reduction, gradient_needs='nothing')
    def argmin(self, x: Tensor, axis: int = -1) -> Tensor:
        """Return the index of the smallest value along one axis, the first of equals."""
        raise NotImplementedError

    @operation(keeps_layout=True, gradient_needs='nothing')
    def cumsum(self, x: Tensor, axis: int = -1) -> Tensor:
        """Compute the running sum along one axis."""
        raise NotImplementedError

    @operation(keeps_mask=False, is_real=True, flop=costs.of_reduction, gradient_needs='nothing')
    def histogram(self, x: Tensor, edges: Sequence[float], weights: Tensor) -> Tensor:
        """Sum the weights of values in bins between ascending edges.

        There is one weight for each value. The first bin is below the first edge, the last one starts at the last edge
        and includes NaN.
        """
        raise NotImplementedError

    @reduction(is_real=True)
    def var(self, x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Compute the variance: the mean squared distance to the mean (divided by n)."""
        centred = self.subtract(x, self.mean(x, axis, keepdims=True))
        return self.mean(self.square(centred), axis, keepdims)

    @reduction(is_real=True)
    def std(self, x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Compute the standard deviation: the root of :meth:`var`. Its gradient is 0 where it is 0."""
        return self._root(self.var(x, axis, keepdims))

    @reduction(is_real=True)
    def norm(self, x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Compute the Euclidean norm, the root of the sum of squares. Its gradient is 0 where it is 0."""
        return self._root(self.sum(self.square(x), axis, keepdims))

    def _root(self, x: Tensor) -> Tensor:
        """Compute the square root, with the gradient 0 at 0."""
        at_zero = self.equal(x, 0)      # the branch not taken must be finite, too
        return self.where(at_zero, 0., self.sqrt(self.where(at_zero, 1., x)))

    @reduction(is_real=True)
    def logsumexp(self, x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Compute ``log(sum(exp(x)))`` without overflow; -inf adds nothing."""
        # It cancels from the result, and so has no part in the gradient.
        peak = self.stop_gradient(self.max(x, axis, keepdims=True))
        peak = self.where(self.isfinite(peak), peak, 0.)      # x - peak would be NaN where both are infinite
        total = self.sum(self.exp(self.subtract(x, peak)), axis, keepdims)
        is_none = self.equal(total, 0)      # the branch not taken must be finite, too
        log = self.where(is_none, -math.inf, self.log(self.where(is_none, 1., total)))
        return self.add(log, peak if keepdims else self.squeeze_axes(peak, axis))
