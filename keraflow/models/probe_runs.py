"""Predict for probes: with states reset, and everything as it was afterwards."""
import zlib
from typing import Any, List, Tuple

import numpy as np

from keraflow import backend as B
from keraflow.graph.guards import changing
from keraflow.layers.base.weights import owners
from keraflow.random import Stream

__all__ = ['fingerprint', 'prepare', 'run']


def prepare(model: Any) -> None:
    """Build what predicts, so that nothing is built while the variables are held."""
    model._predictor_in(False).function('test').prepare_to_run()


def fingerprint(model: Any) -> str:
    """Return a checksum of the weights, without the states with which no prediction of a probe begins."""
    reset = {id(variable) for _, variable in _reset_states(model)}
    found = 0
    with changing(model):
        for name, (layer, own) in owners(model).items():
            variable = layer._parameters[own].variable
            if id(variable) not in reset:
                array = B.get_value(variable)
                found = zlib.crc32(f'{name} {array.dtype} {array.shape} '.encode(), found)
                found = zlib.crc32(np.ascontiguousarray(array).reshape(-1).view('uint8').data, found)
    return f'{found:08x}'


def run(model: Any, arrays: List[np.ndarray], ahead: int = 0) -> Tuple[List[np.ndarray], bool]:
    """Predict with the states of stateful layers reset, and leave all states and random numbers as they were.

    Random numbers are those of the next run, or of one so far ahead. The second value is whether there were any.
    """
    stream = model._stream
    with changing(model):
        states = [variable for layer, own in owners(model).values()
                  for variable in [layer._parameters.states.get(own)] if variable is not None]
        before, position = [B.get_value(one) for one in states], stream.position
        try:
            if ahead:
                _move(stream, position + ahead)
            for array, variable in _reset_states(model):
                B.set_value(variable, array)
            outputs = [np.asarray(one) for one in model._predictor_in(False).function('test')(*arrays)]
            return outputs, stream.position != position + ahead
        finally:
            for variable, array in zip(states, before):
                B.set_value(variable, array)
            if stream.position != position:
                _move(stream, position)


def _move(stream: Stream, position: int) -> None:
    sequence = stream.sequence
    stream.begin(stream.seed, stream.number, stream.epoch, position)
    stream.sequence = sequence      # of a training that the first versions began


def _reset_states(model: Any) -> List[Tuple[np.ndarray, Any]]:
    return [(np.zeros(B.static_shape(variable), B.dtype(variable)), variable)
            for layer in model._stateful_layers() for variable in layer._parameters.states.values()]
