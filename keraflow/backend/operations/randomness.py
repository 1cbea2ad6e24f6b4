"""Random numbers."""
import math
from typing import Any, Optional, Sequence

from keraflow.backend import operand_checks
from keraflow.backend.draws import Draw
from keraflow.backend.dtypes import dtype_given
from keraflow.backend.method_info import operation
from keraflow.backend.operations.creation import Creation
from keraflow.deprecation import renamed
from keraflow.schema import DType, Fraction, NonNegative, Rate

__all__ = ['Randomness']

Tensor = Any


class Randomness(Creation):
    """Random numbers, drawn anew in each run; see :mod:`keraflow.backend.contract`.

    They are those of :mod:`keraflow.backend.philox`, on every backend: a plugin implements :meth:`draw_reals` and
    :meth:`draw_hits`.
    """

    @operation(draws=True, dtype=dtype_given, check=operand_checks.random_reals, gradient_needs='nothing')
    def random_uniform(self, shape: Sequence, low: float = 0., high: float = 1.,
                       dtype: Optional[DType] = None) -> Tensor:
        """Draw uniformly from ``[low, high)``, anew in each run; lengths as in :meth:`zeros`."""
        drawn = self.draw_reals(self.next_draw(), shape, dtype or self.floatx())
        return drawn if (low, high) == (0., 1.) else self.add(self.multiply(drawn, self.subtract(high, low)), low)

    @operation(draws=True, dtype=dtype_given, check=operand_checks.random_reals, gradient_needs='nothing')
    def random_normal(self, shape: Sequence, mean: float = 0., std: NonNegative = 1.,
                      dtype: Optional[DType] = None) -> Tensor:
        """Draw from a Gaussian, anew in each run; lengths as in :meth:`random_uniform`."""
        drawn = self.draw_normals(self.next_draw(), shape, dtype or self.floatx())
        return drawn if (mean, std) == (0., 1.) else self.add(self.multiply(drawn, std), mean)

    @operation(draws=True, check=operand_checks.creation, gradient_needs='nothing', old_name='random_binomial')
    def random_bernoulli(self, shape: Sequence, p: Fraction = 0.5, dtype: Optional[DType] = None) -> Tensor:
        """Draw 1 with probability `p`, else 0, anew in each run; lengths as in :meth:`random_uniform`."""
        return self.cast(self.draw_hits(self.next_draw(), shape, _threshold(p)), dtype or self.floatx())

    @operation(draws=True, is_real=True, keeps_layout=True, check=operand_checks.dropout, gradient_needs='result')
    @renamed(rate='drop_rate')
    def dropout(self, x: Tensor, drop_rate: Rate, noise_shape: Optional[Sequence] = None) -> Tensor:
        """Set each value to 0 with probability `drop_rate`, else divide it by ``1 - drop_rate``, whatever the phase.

        `noise_shape` (default: the shape of `x`) is the shape of the mask, which broadcasts.
        """
        x = self.as_real(x)
        shape = self.shape(x) if noise_shape is None else noise_shape
        kept = self.draw_hits(self.next_draw(), shape, _threshold(1. - drop_rate))
        # A product and no selection: a processor cannot guess the branches of random numbers.
        return self.multiply(x, self.multiply(self.cast(kept, self.dtype(x)), 1. / (1. - drop_rate)))

    # -- for plugins ------------------------------------------------------------------------------------------------

    def next_draw(self) -> Draw:
        """Return the next draw of the builder that runs, or a draw of its own outside of builders."""
        raise NotImplementedError

    def draw_reals(self, draw: Draw, shape: Sequence, dtype: str) -> Tensor:
        """Return the reals of ``[0, 1)`` of a draw, those of :func:`keraflow.backend.philox.reals`."""
        raise NotImplementedError

    def draw_hits(self, draw: Draw, shape: Sequence, threshold: int) -> Tensor:
        """Return bools, those of :func:`keraflow.backend.philox.hits`."""
        raise NotImplementedError

    def draw_normals(self, draw: Draw, shape: Sequence, dtype: str) -> Tensor:
        """Return normal reals, those of :func:`keraflow.backend.philox.normals` but for the last bit."""
        raise NotImplementedError


def _threshold(probability: float) -> int:
    """Return below which integer a word of 32 bits is with this probability."""
    return math.floor(probability * 2 ** 32 + 0.5)
