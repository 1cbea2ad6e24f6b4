"""Loops over time."""
from typing import Any, List, Sequence

from keraflow.backend.contract import Backend
from keraflow.backend.draws import in_step

from .configure import T, theano
from .operands import as_tensor, is_tensor
from .own_mode import own_mode
from .randomness import DrawsOfStep, drawing_in
from .scan import build_scan_extension
from .static_shapes import set_shape, shape_of

__all__ = ['Recurrence']


class Recurrence(Backend):
    """Loops by ``theano.scan``; see the contract."""

    def loop(self, step: Any, sequences: Sequence, states: Sequence, constants: Sequence = (),
             collect: bool = True) -> tuple:
        sequences, states, constants = [[as_tensor(x if is_tensor(x) else self.constant(x)) for x in some]
                                        for some in (sequences, states, constants)]
        initial, constants = [_without_ones(x) for x in states], self.without_layouts(constants)
        nb_slice, last_state = len(sequences), len(sequences) + len(initial)
        times, draws = T.arange(sequences[0].shape[0], dtype='int64'), DrawsOfStep()
        ran: List[Any] = []

        def inner(*tensors: Any) -> List[Any]:
            for tensor, like in zip(tensors, sequences):
                set_shape(tensor, shape_of(like)[1:])
            before = [_with_ones(x, shape_of(like)) for x, like in zip(tensors[nb_slice:last_state], initial)]
            # Use the outer constants, not the arguments: they are equal, and their shapes are known.
            with drawing_in(draws), in_step(draws.time, times.shape[0]):
                new = step(list(tensors[:nb_slice]), before, constants)
            ran[:] = tensors, [_without_ones(as_tensor(x, like.dtype)) for x, like in zip(new, initial)]
            return ran[1]

        build_scan_extension()
        # Not strict: a layer used as an activation has variables that are not constants of the loop.
        made, _ = theano.scan(inner, sequences, initial, constants, return_list=True, mode=own_mode())
        if draws.outside():
            tensors, results = ran
            made, _ = theano.scan(draws.completed(tensors, results, constants), [times, *sequences], initial,
                                  constants + draws.outside(), return_list=True, mode=own_mode())
        length = shape_of(sequences[0])[0]
        outputs = [set_shape(x, (length, *shape_of(like))) for x, like in zip(made, initial)]
        # Theano itself keeps only as many of them as are used.
        return outputs[0] if collect else None, [set_shape(x[-1], shape_of(like)) for x, like in zip(outputs, initial)]


def _without_ones(x: Any) -> Any:
    """Remove what the type of `x` says about lengths of 1: the types of a state must match before and after a step."""
    return set_shape(T.unbroadcast(x, *range(x.ndim)), shape_of(x)) if any(x.broadcastable) else x


def _with_ones(x: Any, shape: Sequence) -> Any:
    """Say in the type of `x` which of its lengths are 1, so that a step may broadcast it."""
    ones = [axis for axis, length in enumerate(shape) if length == 1]
    return set_shape(T.addbroadcast(x, *ones) if ones else x, shape)
