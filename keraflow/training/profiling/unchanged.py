"""Train a model, and put it back to where it was."""
import contextlib
from typing import Any, Iterator

from keraflow import backend as B
from keraflow.graph.guards import changing, reading
from keraflow.graph.parameters import parameters_of

__all__ = ['unchanged']


@contextlib.contextmanager
def unchanged(model: Any, optimizer: Any) -> Iterator[None]:
    """Give all variables of a model, and its random numbers, the values of before the block."""
    variables = [*(one.variable for one in parameters_of([model])), *optimizer.state().values()]
    stream, stop = model._stream, model.stop_training
    with reading(model):
        values = list(map(B.get_value, variables))
        numbers, sequence = (stream.seed, stream.number, stream.epoch, stream.position), stream.sequence
        state = None if sequence is None else sequence.bit_generator.state
    try:
        yield
    finally:
        with changing(model):
            for variable, value in zip(variables, values):
                B.set_value(variable, value)
            stream.begin(*numbers)
            if sequence is not None:
                sequence.bit_generator.state = state
                stream.continue_orders(sequence)
        model.stop_training = stop
