"""Random numbers."""
from typing import Any, Optional, Sequence

from keraflow.backend import operand_checks
from keraflow.backend.dtypes import dtype_given
from keraflow.backend.method_info import operation
from keraflow.backend.operations.creation import Creation
from keraflow.deprecation import renamed
from keraflow.schema import DType, Fraction, NonNegative, Rate

__all__ = ['Randomness']

Tensor = Any


class Randomness(Creation):
    """Random numbers, drawn anew in each run; see :mod:`keraflow.backend.contract`."""

    @operation(draws=True, dtype=dtype_given, check=operand_checks.random_reals, gradient_needs='nothing')
    def random_uniform(self, shape: Sequence, low: float = 0., high: float = 1.,
                       dtype: Optional[DType] = None) -> Tensor:
        """Draw uniformly from ``[low, high)``, anew in each run; lengths may be integer scalars of the backend."""
        raise NotImplementedError

    @operation(draws=True, dtype=dtype_given, check=operand_checks.random_reals, gradient_needs='nothing')
    def random_normal(self, shape: Sequence, mean: float = 0., std: NonNegative = 1.,
                      dtype: Optional[DType] = None) -> Tensor:
        """Draw from a Gaussian, anew in each run; lengths as in :meth:`random_uniform`."""
        raise NotImplementedError

    @operation(draws=True, check=operand_checks.creation, gradient_needs='nothing', old_name='random_binomial')
    def random_bernoulli(self, shape: Sequence, p: Fraction = 0.5, dtype: Optional[DType] = None) -> Tensor:
        """Draw 1 with probability `p`, else 0, anew in each run; lengths as in :meth:`random_uniform`."""
        hit = self.less(self.random_uniform(shape, 0., 1.), p)
        return self.cast(hit, dtype or self.floatx())

    @operation(draws=True, is_real=True, keeps_layout=True, check=operand_checks.dropout, gradient_needs='result')
    @renamed(rate='drop_rate')
    def dropout(self, x: Tensor, drop_rate: Rate, noise_shape: Optional[Sequence] = None) -> Tensor:
        """Set each value to 0 with probability `drop_rate`, else divide it by ``1 - drop_rate``, whatever the phase.

        `noise_shape` (default: the shape of `x`) is the shape of the mask, which broadcasts.
        """
        raise NotImplementedError
