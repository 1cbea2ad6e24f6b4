"""Operations that rearrange values without changing them."""
import functools
from typing import Any, List, Optional, Sequence, Union

from keraflow.backend import costs, mask_rules, operand_checks
from keraflow.backend.method_info import METHODS, MethodInfo, operation
from keraflow.backend.operations.elementwise import Elementwise
from keraflow.deprecation import renamed
from keraflow.schema import Natural, PositiveInt
from keraflow.shapes import normalize_axes

__all__ = ['Shaping']

Tensor = Any
Axis = Union[None, int, Sequence[int]]

#: Define an operation that moves, copies or selects values, and one whose result has the memory of its operand.
moving = functools.partial(operation, moves_values=True, flop=costs.nothing, gradient_needs='nothing')
viewing = functools.partial(moving, is_view=True)


class Shaping(Elementwise):
    """Reshaping, reordering and repeating; see :mod:`keraflow.backend.contract`."""

    @viewing(keeps_mask=False, check=operand_checks.reshape)
    def reshape(self, x: Tensor, shape: Sequence) -> Tensor:
        """Reshape, row by row; one length may be -1, the others are integers or integer scalars."""
        raise NotImplementedError

    @viewing(keeps_mask=mask_rules.unless_steps_are_folded)
    def flatten(self, x: Tensor, nb_axis: PositiveInt = 1) -> Tensor:
        """Fold the last axes into one so that `nb_axis` are left."""
        raise NotImplementedError

    @moving(keeps_mask=False, check=operand_checks.transpose)
    def transpose(self, x: Tensor, axes: Optional[Sequence[int]] = None) -> Tensor:
        """Permute the axes; by default reverse them."""
        raise NotImplementedError

    @viewing(keeps_mask=mask_rules.behind_new_axis, check=operand_checks.expand_dims)
    def expand_dims(self, x: Tensor, axis: int) -> Tensor:
        """Insert an axis of length 1 that becomes number `axis`."""
        raise NotImplementedError

    @viewing(keeps_mask=mask_rules.along_other_axes, check=operand_checks.squeeze)
    def squeeze(self, x: Tensor, axis: int) -> Tensor:
        """Remove an axis of length 1."""
        raise NotImplementedError

    @viewing(keeps_mask=False, check=operand_checks.squeeze)
    def squeeze_axes(self, x: Tensor, axis: Axis = None) -> Tensor:
        """Remove the axes that a reduction with ``keepdims=True`` left at length 1."""
        # From the last one on, so that the numbers of the others stay right.
        for one in sorted(normalize_axes(axis, self.ndim(x)), reverse=True):
            x = self.squeeze(x, one)
        return x

    @moving(keeps_mask=mask_rules.along_other_axes, keeps_layout=True, check=operand_checks.concatenate)
    def concatenate(self, tensors: Sequence[Tensor], axis: int = -1) -> Tensor:
        """Concatenate along one axis."""
        raise NotImplementedError

    @moving(keeps_mask=mask_rules.behind_new_axis, check=operand_checks.stack)
    def stack(self, tensors: Sequence[Tensor], axis: int = 0) -> Tensor:
        """Join along a new axis."""
        return self.concatenate([self.expand_dims(x, axis) for x in tensors], axis)

    @moving(keeps_mask=mask_rules.along_other_axes, check=operand_checks.split)
    def split(self, x: Tensor, lengths: Sequence[Natural], axis: int = -1) -> List[Tensor]:
        """Split one axis into parts of these lengths, which must sum to its length (else a DataError in the run)."""
        raise NotImplementedError

    @moving(keeps_mask=mask_rules.along_other_axes, keeps_layout=True)
    @renamed(n='repeats')
    def repeat(self, x: Tensor, repeats: Natural, axis: int) -> Tensor:
        """Repeat each slice `repeats` times in a row along one axis, like ``numpy.repeat``."""
        raise NotImplementedError

    @moving(keeps_mask=False, check=operand_checks.tile)
    def tile(self, x: Tensor, reps: Sequence[Natural]) -> Tensor:
        """Repeat the whole tensor ``reps[i]`` times along axis i; one number for each axis."""
        raise NotImplementedError

    @moving(keeps_mask=mask_rules.along_other_axes, keeps_layout=True, old_name='reverse')
    def flip(self, x: Tensor, axis: int) -> Tensor:
        """Reverse one axis."""
        raise NotImplementedError

    @viewing(keeps_layout=True)
    def identity(self, x: Tensor) -> Tensor:
        """Return the same values as another tensor object, about which other things can be recorded."""
        raise NotImplementedError

    @viewing(keeps_layout=True)
    def stop_gradient(self, x: Tensor) -> Tensor:
        """Return `x` as a constant for gradients."""
        raise NotImplementedError


def getitem(backend: Shaping, x: Tensor, index: Any) -> Tensor:
    """Compute ``x[index]``; not a method, because tensors have it themselves."""
    return x[index]


METHODS['getitem'] = MethodInfo(getitem, keeps_mask=mask_rules.takes_all_steps, moves_values=True, flop=costs.nothing,
                                gradient_needs='nothing')
