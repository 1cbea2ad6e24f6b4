"""The operations on tensors that every backend has: their definitions, and those that follow from others."""
import math
from typing import Any, List, Optional, Sequence, Union

from keraflow.schema import DType, Fraction, Natural, NonNegative, PositiveInt, Rate
from keraflow.shapes import normalize_axes

Tensor = Any
Axis = Union[None, int, Sequence[int]]

__all__ = ['Operations']


class Operations:
    """The part of the contract that computes; its rules are those of :mod:`keraflow.backend.contract`."""

    # -- elementwise: one operand -----------------------------------------------------------------------------------

    def abs(self, x: Tensor) -> Tensor:
        """Absolute value."""
        raise NotImplementedError

    def negative(self, x: Tensor) -> Tensor:
        """``-x``."""
        raise NotImplementedError

    def sign(self, x: Tensor) -> Tensor:
        """-1, 0 or 1."""
        raise NotImplementedError

    def square(self, x: Tensor) -> Tensor:
        """``x * x``."""
        raise NotImplementedError

    def sqrt(self, x: Tensor) -> Tensor:
        """Square root; NaN below zero."""
        raise NotImplementedError

    def exp(self, x: Tensor) -> Tensor:
        """e to the power of x."""
        raise NotImplementedError

    def expm1(self, x: Tensor) -> Tensor:
        """``exp(x) - 1``, exact near zero."""
        raise NotImplementedError

    def log(self, x: Tensor) -> Tensor:
        """Natural logarithm; -inf at zero, NaN below."""
        raise NotImplementedError

    def log1p(self, x: Tensor) -> Tensor:
        """``log(1 + x)``, exact near zero."""
        raise NotImplementedError

    def sin(self, x: Tensor) -> Tensor:
        """Sine."""
        raise NotImplementedError

    def cos(self, x: Tensor) -> Tensor:
        """Cosine."""
        raise NotImplementedError

    def tanh(self, x: Tensor) -> Tensor:
        """Hyperbolic tangent."""
        raise NotImplementedError

    def erf(self, x: Tensor) -> Tensor:
        """Error function, ``2 / sqrt(pi)`` times the integral of ``exp(-t * t)`` from 0 to x."""
        raise NotImplementedError

    def floor(self, x: Tensor) -> Tensor:
        """The largest integer not above x, as a real; integers stay as they are."""
        raise NotImplementedError

    def ceil(self, x: Tensor) -> Tensor:
        """The smallest integer not below x, as a real; integers stay as they are."""
        raise NotImplementedError

    def round(self, x: Tensor) -> Tensor:
        """The nearest integer, halves to the even one, as NumPy."""
        raise NotImplementedError

    def isnan(self, x: Tensor) -> Tensor:
        """True where NaN."""
        raise NotImplementedError

    def isfinite(self, x: Tensor) -> Tensor:
        """True where neither NaN nor infinite."""
        raise NotImplementedError

    def logical_not(self, x: Tensor) -> Tensor:
        """True where zero or false."""
        raise NotImplementedError

    # -- elementwise: two operands, broadcast -----------------------------------------------------------------------

    def add(self, x: Tensor, y: Tensor) -> Tensor:
        """``x + y``."""
        raise NotImplementedError

    def subtract(self, x: Tensor, y: Tensor) -> Tensor:
        """``x - y``."""
        raise NotImplementedError

    def multiply(self, x: Tensor, y: Tensor) -> Tensor:
        """``x * y``."""
        raise NotImplementedError

    def divide(self, x: Tensor, y: Tensor) -> Tensor:
        """``x / y``, real also for integers."""
        raise NotImplementedError

    def floor_divide(self, x: Tensor, y: Tensor) -> Tensor:
        """``x // y``, rounded down as in Python; of integers by 0 a DataError in the run."""
        raise NotImplementedError

    def mod(self, x: Tensor, y: Tensor) -> Tensor:
        """``x % y``, with the sign of y as in Python; of integers by 0 a DataError in the run."""
        raise NotImplementedError

    def power(self, x: Tensor, y: Tensor) -> Tensor:
        """x to the power of y; of integers with one below 0 a DataError in the run."""
        raise NotImplementedError

    def maximum(self, x: Tensor, y: Tensor) -> Tensor:
        """The larger one."""
        raise NotImplementedError

    def minimum(self, x: Tensor, y: Tensor) -> Tensor:
        """The smaller one."""
        raise NotImplementedError

    def equal(self, x: Tensor, y: Tensor) -> Tensor:
        """``x == y``, as bools."""
        raise NotImplementedError

    def not_equal(self, x: Tensor, y: Tensor) -> Tensor:
        """``x != y``, as bools."""
        raise NotImplementedError

    def less(self, x: Tensor, y: Tensor) -> Tensor:
        """``x < y``, as bools."""
        raise NotImplementedError

    def less_equal(self, x: Tensor, y: Tensor) -> Tensor:
        """``x <= y``, as bools."""
        raise NotImplementedError

    def greater(self, x: Tensor, y: Tensor) -> Tensor:
        """``x > y``, as bools."""
        raise NotImplementedError

    def greater_equal(self, x: Tensor, y: Tensor) -> Tensor:
        """``x >= y``, as bools."""
        raise NotImplementedError

    def logical_and(self, x: Tensor, y: Tensor) -> Tensor:
        """True where both are."""
        raise NotImplementedError

    def logical_or(self, x: Tensor, y: Tensor) -> Tensor:
        """True where one is."""
        raise NotImplementedError

    def switch(self, condition: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """`x` where `condition`, elsewhere `y`; all three broadcast."""
        raise NotImplementedError

    def clip(self, x: Tensor, min_value: Any = None, max_value: Any = None) -> Tensor:
        """`x` kept between two bounds; ``None`` is no bound."""
        if min_value is not None:
            x = self.maximum(x, min_value)
        return x if max_value is None else self.minimum(x, max_value)

    # -- reductions -------------------------------------------------------------------------------------------------

    def sum(self, x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Sum."""
        raise NotImplementedError

    def prod(self, x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Product."""
        raise NotImplementedError

    def mean(self, x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Mean, real also for integers and bools."""
        raise NotImplementedError

    def max(self, x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Largest value."""
        raise NotImplementedError

    def min(self, x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Smallest value."""
        raise NotImplementedError

    def any(self, x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """True where one value is not zero."""
        raise NotImplementedError

    def all(self, x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """True where no value is zero."""
        raise NotImplementedError

    def argmax(self, x: Tensor, axis: int = -1) -> Tensor:
        """Index of the largest value along one axis, the first of equals."""
        raise NotImplementedError

    def argmin(self, x: Tensor, axis: int = -1) -> Tensor:
        """Index of the smallest value along one axis, the first of equals."""
        raise NotImplementedError

    def cumsum(self, x: Tensor, axis: int = -1) -> Tensor:
        """Running sum along one axis."""
        raise NotImplementedError

    def histogram(self, x: Tensor, edges: Sequence[float], weights: Tensor) -> Tensor:
        """Sums of the weights (one for each value) of the values below the first of ascending edges, from each to below
        the next, and from the last on, where NaN is, too."""
        raise NotImplementedError

    def var(self, x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Variance: mean squared distance to the mean (divided by n)."""
        centred = self.subtract(x, self.mean(x, axis, keepdims=True))
        return self.mean(self.square(centred), axis, keepdims)

    def std(self, x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Standard deviation: the root of :meth:`var`. Its gradient is 0 where it is 0."""
        return self._root(self.var(x, axis, keepdims))

    def norm(self, x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Euclidean length, the root of the sum of squares. Its gradient is 0 where it is 0."""
        return self._root(self.sum(self.square(x), axis, keepdims))

    def _root(self, x: Tensor) -> Tensor:
        """The square root, with the gradient 0 at 0."""
        at_zero = self.equal(x, 0)      # the branch that is not taken must be finite, too
        return self.switch(at_zero, 0., self.sqrt(self.switch(at_zero, 1., x)))

    def logsumexp(self, x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """``log(sum(exp(x)))`` without overflow; -inf adds nothing."""
        peak = self.stop_gradient(self.max(x, axis, keepdims=True))
        peak = self.switch(self.isfinite(peak), peak, 0.)
        total = self.sum(self.exp(self.subtract(x, peak)), axis, keepdims)
        is_none = self.equal(total, 0)      # the branch that is not taken must be finite, too
        log = self.switch(is_none, -math.inf, self.log(self.switch(is_none, 1., total)))
        return self.add(log, peak if keepdims else self.squeeze_axes(peak, axis))

    # -- products and indices ---------------------------------------------------------------------------------------

    def dot(self, x: Tensor, y: Tensor) -> Tensor:
        """Product over the last axis of `x` and the last but one (the only one) of `y`; `y` has at most two axes."""
        raise NotImplementedError

    def batch_dot(self, x: Tensor, y: Tensor) -> Tensor:
        """Product for each sample, ``(b, ..., n, m), (b, ..., m, k) -> (b, ..., n, k)``, of one rank of at least 3."""
        raise NotImplementedError

    def gather(self, x: Tensor, indices: Tensor, axis: int = 0) -> Tensor:
        """The slices of `x` at integer `indices` (any rank, not negative) along one axis, as ``numpy.take``."""
        raise NotImplementedError

    def one_hot(self, indices: Tensor, nb_class: Natural, dtype: Optional[DType] = None) -> Tensor:
        """1 at each index along a new last axis of length `nb_class`, 0 elsewhere (floatx)."""
        indices = self.expand_dims(self.identity(indices), -1)
        hit = self.equal(indices, self.arange(nb_class))                       # type: ignore[attr-defined]
        return self.cast(hit, dtype or self.floatx())                          # type: ignore[attr-defined]

    # -- shape ------------------------------------------------------------------------------------------------------

    def reshape(self, x: Tensor, shape: Sequence) -> Tensor:
        """The same values, row by row, in another shape; one length may be -1, others integers or integer scalars."""
        raise NotImplementedError

    def flatten(self, x: Tensor, nb_axis: PositiveInt = 1) -> Tensor:
        """Fold the last axes into one so that `nb_axis` are left."""
        raise NotImplementedError

    def transpose(self, x: Tensor, axes: Optional[Sequence[int]] = None) -> Tensor:
        """The axes in another order; reversed by default."""
        raise NotImplementedError

    def expand_dims(self, x: Tensor, axis: int) -> Tensor:
        """A new axis of length 1 that becomes number `axis`."""
        raise NotImplementedError

    def squeeze(self, x: Tensor, axis: int) -> Tensor:
        """Without one axis, whose length is 1."""
        raise NotImplementedError

    def squeeze_axes(self, x: Tensor, axis: Axis = None) -> Tensor:
        """Without the axes that a reduction with ``keepdims=True`` left at length 1."""
        for one in sorted(normalize_axes(axis, self.ndim(x)), reverse=True):  # type: ignore[attr-defined]
            x = self.squeeze(x, one)
        return x

    def concatenate(self, tensors: Sequence[Tensor], axis: int = -1) -> Tensor:
        """Joined along one axis."""
        raise NotImplementedError

    def stack(self, tensors: Sequence[Tensor], axis: int = 0) -> Tensor:
        """Joined along a new axis."""
        return self.concatenate([self.expand_dims(x, axis) for x in tensors], axis)

    def split(self, x: Tensor, lengths: Sequence[Natural], axis: int = -1) -> List[Tensor]:
        """Cut along one axis into parts of these lengths, whose sum is its length (else a DataError in the run)."""
        raise NotImplementedError

    def repeat(self, x: Tensor, n: Natural, axis: int) -> Tensor:
        """Each slice `n` times in a row along one axis, as ``numpy.repeat``."""
        raise NotImplementedError

    def tile(self, x: Tensor, reps: Sequence[Natural]) -> Tensor:
        """The whole tensor ``reps[i]`` times along axis i; one number for each axis."""
        raise NotImplementedError

    def reverse(self, x: Tensor, axis: int) -> Tensor:
        """Backwards along one axis."""
        raise NotImplementedError

    def identity(self, x: Tensor) -> Tensor:
        """The same values as another tensor object, of which other things can be recorded."""
        raise NotImplementedError

    def stop_gradient(self, x: Tensor) -> Tensor:
        """`x`, taken as a constant by gradients."""
        raise NotImplementedError

    # -- activations ------------------------------------------------------------------------------------------------

    def sigmoid(self, x: Tensor) -> Tensor:
        """``1 / (1 + exp(-x))``."""
        raise NotImplementedError

    def hard_sigmoid(self, x: Tensor) -> Tensor:
        """``clip(0.2 * x + 0.5, 0, 1)``."""
        return self.clip(self.add(self.multiply(x, 0.2), 0.5), 0., 1.)

    def relu(self, x: Tensor, alpha: float = 0., max_value: Optional[float] = None) -> Tensor:
        """``x`` above zero, ``alpha * x`` below, at most `max_value`."""
        raise NotImplementedError

    def softplus(self, x: Tensor) -> Tensor:
        """``log(1 + exp(x))``, finite and exact for every x."""
        raise NotImplementedError

    def softsign(self, x: Tensor) -> Tensor:
        """``x / (1 + abs(x))``."""
        return self.divide(x, self.add(self.abs(x), 1.))

    def softmax(self, x: Tensor, axis: int = -1) -> Tensor:
        """``exp(x) / sum(exp(x))`` along one axis, without overflow."""
        raise NotImplementedError

    def log_softmax(self, x: Tensor, axis: int = -1) -> Tensor:
        """The logarithm of :meth:`softmax`, finite for every finite x."""
        # The logarithm is subtracted last: beside a large x it would be rounded away.
        centred = self.subtract(x, self.stop_gradient(self.max(x, axis, keepdims=True)))
        return self.subtract(centred, self.log(self.sum(self.exp(centred), axis, keepdims=True)))

    # -- random numbers ---------------------------------------------------------------------------------------------

    def random_uniform(self, shape: Sequence, low: float = 0., high: float = 1.,
                       dtype: Optional[DType] = None) -> Tensor:
        """Uniform in ``[low, high)``, drawn anew in each run; lengths may be integer scalars of the backend."""
        raise NotImplementedError

    def random_normal(self, shape: Sequence, mean: float = 0., std: NonNegative = 1.,
                      dtype: Optional[DType] = None) -> Tensor:
        """Gaussian, drawn anew in each run; lengths as in :meth:`random_uniform`."""
        raise NotImplementedError

    def random_binomial(self, shape: Sequence, p: Fraction = 0.5, dtype: Optional[DType] = None) -> Tensor:
        """1 with probability `p`, else 0, drawn anew in each run; lengths as in :meth:`random_uniform`."""
        hit = self.less(self.random_uniform(shape, 0., 1.), p)
        return self.cast(hit, dtype or self.floatx())  # type: ignore[attr-defined]

    def dropout(self, x: Tensor, rate: Rate, noise_shape: Optional[Sequence] = None) -> Tensor:
        """Each value 0 with probability `rate`, else divided by ``1 - rate``, whatever the phase.

        `noise_shape` (default: the shape of `x`) is the shape of the mask, which broadcasts.
        """
        raise NotImplementedError
