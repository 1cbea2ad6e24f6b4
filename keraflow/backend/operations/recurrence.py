"""Loops over time: the part of the contract that recurrent layers are made of."""
from typing import Any, Callable, List, Optional, Sequence, Tuple

from keraflow.backend.operations.shaping import Shaping

__all__ = ['Recurrence', 'Step']

Tensor = Any
#: From the slices of one time step, the states before it and the constants to the states after it.
Step = Callable[[List[Tensor], List[Tensor], List[Tensor]], Sequence[Tensor]]


class Recurrence(Shaping):
    """Steps that are repeated along the first axis, which is time, of some tensors.

    Time comes first because the slices of a step then lie together in memory.
    """

    def loop(self, step: Step, sequences: Sequence[Tensor], states: Sequence[Tensor],
             constants: Sequence[Tensor] = (), collect: bool = True) -> Tuple[Optional[Tensor], List[Tensor]]:
        """Run ``states = step(slices, states, constants)`` for each time step, in a loop of the backend.

        Parameters
        ----------
        step : function
            Takes three lists: of each sequence the slice of this time step, the states before it, the constants.
            It returns the states after it, which have the shapes and dtypes of those before. All that it computes with
            is among its arguments, and it draws no random numbers.
        sequences : list of tensor
            At least one, each ``(time, ...)``.
        states : list of tensor
            At least one: the states before the first time step.
        constants : list of tensor
            The same in each time step.
        collect : bool
            Whether the first result is wanted, which is ``None`` else: it takes time in each step, in gradients twice.

        Returns
        -------
        tensor, list of tensor
            The first state after each time step, ``(time, ...)``, and all states after the last one.
        """
        raise NotImplementedError

    def scan(self, step: Step, sequences: Sequence[Tensor], states: Sequence[Tensor], constants: Sequence[Tensor] = (),
             mask: Optional[Tensor] = None, unroll: bool = False,
             collect: bool = True) -> Tuple[Optional[Tensor], List[Tensor]]:
        """A :meth:`loop` in which time steps may be left out, and which may be written out.

        Parameters
        ----------
        step, sequences, states, constants, collect
            As for :meth:`loop`.
        mask : tensor, optional
            Bools ``(time, batch)``, where the first axis of each state is the batch. Where it is False the states stay
            as they are.
        unroll : bool
            Whether to write each time step out, instead of a loop: the number of time steps is then known statically.
            It takes longer to build and more memory.
        """
        if mask is not None:
            return self.scan(self._masked(step), [mask, *sequences], states, constants, None, unroll, collect)
        if not unroll:
            return self.loop(step, sequences, states, constants, collect)
        outputs, states = [], list(states)
        for time in range(self.static_shape(sequences[0])[0]):
            states = list(step([x[time] for x in sequences], states, list(constants)))
            outputs.append(states[0])
        return self.stack(outputs) if collect else None, states

    def _masked(self, step: Step) -> Step:
        """`step`, for sequences of which the first is the mask."""
        def masked(slices: List[Tensor], states: List[Tensor], constants: List[Tensor]) -> List[Tensor]:
            mask, *rest = slices
            return [self._updated(mask, new, old) for new, old in zip(step(rest, states, constants), states)]
        return masked

    def _updated(self, mask: Tensor, new: Tensor, old: Tensor) -> Tensor:
        """`new` for the samples that `mask` counts, else `old`."""
        for _ in range(self.ndim(new) - 1):
            mask = self.expand_dims(mask, -1)
        return self.where(mask, new, old)
