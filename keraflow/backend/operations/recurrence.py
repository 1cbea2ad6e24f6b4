"""Loops over time: the part of the contract that recurrent layers use."""
from typing import Any, Callable, List, Optional, Sequence, Tuple

from keraflow.backend.draws import in_step, places_so_far
from keraflow.backend.operations.shaping import Shaping

__all__ = ['Recurrence', 'Step']

Tensor = Any
#: Takes the slices of one time step, the previous states and the constants; returns the new states.
Step = Callable[[List[Tensor], List[Tensor], List[Tensor]], Sequence[Tensor]]


class Recurrence(Shaping):
    """Steps that are repeated along the first axis of tensors, which is time.

    Time comes first so that the slices of a step are contiguous in memory.
    """

    def loop(self, step: Step, sequences: Sequence[Tensor], states: Sequence[Tensor],
             constants: Sequence[Tensor] = (), collect: bool = True) -> Tuple[Optional[Tensor], List[Tensor]]:
        """Run ``states = step(slices, states, constants)`` for each time step, in a loop of the backend.

        Parameters
        ----------
        step : function
            Takes three lists: the slice of each sequence at this time step, the previous states, the constants. It
            returns the new states, with the same shapes and dtypes. It computes only with its arguments; what it draws
            is different in each time step. It may be called several times, also while gradients are computed. Multiply
            with a matrix among the constants by ``B.dot``: a backend may then compute its gradient as one product after
            the loop.
        sequences : list of tensor
            At least one, each ``(time, ...)``.
        states : list of tensor
            At least one: the states before the first time step.
        constants : list of tensor
            The same in each time step.
        collect : bool
            Whether to return the first result, which is otherwise ``None``: it takes time in each step, for gradients
            twice.

        Returns
        -------
        tensor, list of tensor
            The first state after each time step, ``(time, ...)``, and all states after the last one.
        """
        raise NotImplementedError

    def scan(self, step: Step, sequences: Sequence[Tensor], states: Sequence[Tensor], constants: Sequence[Tensor] = (),
             mask: Optional[Tensor] = None, unroll: bool = False,
             collect: bool = True) -> Tuple[Optional[Tensor], List[Tensor]]:
        """Run a :meth:`loop` in which time steps may be masked, and which may be unrolled.

        Parameters
        ----------
        step, sequences, states, constants, collect
            As for :meth:`loop`.
        mask : tensor, optional
            Bools ``(time, batch)``, where the first axis of each state is the batch. Where it is False the states do
            not change.
        unroll : bool
            Whether to write out each time step instead of a loop: the number of time steps must then be known
            statically. It takes longer to build and more memory.
        """
        # As one more sequence: a step then needs no case for masks, in a loop or unrolled.
        if mask is not None:
            return self.scan(self._masked(step), [mask, *sequences], states, constants, None, unroll, collect)
        if not unroll:
            return self.loop(step, sequences, states, constants, collect)
        outputs, states, length, before = [], list(states), self.static_shape(sequences[0])[0], places_so_far()
        for time in range(length):
            with in_step(time, length, before):
                states = list(step([x[time] for x in sequences], states, list(constants)))
            outputs.append(states[0])
        return self.stack(outputs) if collect else None, states

    def _masked(self, step: Step) -> Step:
        """Wrap `step` for sequences of which the first is the mask."""
        def masked(slices: List[Tensor], states: List[Tensor], constants: List[Tensor]) -> List[Tensor]:
            mask, *rest = slices
            return [self._updated(mask, new, old) for new, old in zip(step(rest, states, constants), states)]
        return masked

    def _updated(self, mask: Tensor, new: Tensor, old: Tensor) -> Tensor:
        """Return `new` for the samples that `mask` counts, else `old`."""
        for _ in range(self.ndim(new) - 1):
            mask = self.expand_dims(mask, -1)
        return self.where(mask, new, old)
