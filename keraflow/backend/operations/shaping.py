"""Operations that move values and leave them as they are."""
from typing import Any, List, Optional, Sequence, Union

from keraflow.backend.operations.elementwise import Elementwise
from keraflow.deprecation import renamed
from keraflow.schema import Natural, PositiveInt
from keraflow.shapes import normalize_axes

__all__ = ['Shaping']

Tensor = Any
Axis = Union[None, int, Sequence[int]]


class Shaping(Elementwise):
    """Other shapes, orders and repetitions; see :mod:`keraflow.backend.contract`."""

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
        for one in sorted(normalize_axes(axis, self.ndim(x)), reverse=True):
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

    @renamed(n='repeats')
    def repeat(self, x: Tensor, repeats: Natural, axis: int) -> Tensor:
        """Each slice `repeats` times in a row along one axis, as ``numpy.repeat``."""
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
