"""Inputs for a model that nobody gave: seeded, of the shapes that its Inputs take, and with integers that it knows."""
import math
from typing import Any, Dict, List, Optional, Tuple

import numpy as np

from keraflow.graph.kensor import Call, Kensor
from keraflow.layers.network import Network

__all__ = ['NB_SAMPLE', 'are_too_large', 'inputs_of', 'unknown_range']

Range = Tuple[int, int]

#: The number of samples, where the Inputs do not fix it and samples are not large.
NB_SAMPLE = 4
#: From how many numbers on a sample is large, so that one has to do, and how many all inputs may have.
_LARGE, _TOO_LARGE = 2 ** 16, 2 ** 22
#: Of integers that nothing takes, any would do.
_FREE: Range = 0, 10


def unknown_range(network: Network) -> Optional[str]:
    """Return the name of an Input of integers of which nothing tells which it may hold; None if all are known."""
    ranges = _ranges(network)
    return next((name for name, kensor in zip(network.input_names(), network.inputs)
                 if _is_of_integers(kensor) and ranges.get(kensor, _FREE) is None), None)


def inputs_of(network: Network, length: int) -> List[np.ndarray]:
    """Return an array for each Input, with this length where one is unknown."""
    ranges, generator, shapes = _ranges(network), np.random.default_rng(0), _shapes(network, length)
    return [_input(kensor, ranges.get(kensor) or _FREE, shape, generator)
            for kensor, shape in zip(network.inputs, shapes)]


def are_too_large(network: Network, length: int) -> bool:
    """Return whether the inputs with this length are more than a file should keep."""
    return sum(map(math.prod, _shapes(network, length))) > _TOO_LARGE


def _shapes(network: Network, length: int) -> List[Tuple[int, ...]]:
    samples = [tuple(length if one is None else one for one in kensor.shape[1:]) for kensor in network.inputs]
    nb_sample = network.inputs[0].shape[0] or (NB_SAMPLE if sum(map(math.prod, samples)) <= _LARGE else 1)
    return [(nb_sample, *sample) for sample in samples]


def _input(kensor: Any, range: Range, shape: Tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
    if kensor.dtype == 'bool':
        return generator.integers(2, size=shape).astype('bool')
    is_of_integers, masked = _is_of_integers(kensor), kensor.mask_value
    made = generator.integers(*range, size=shape) if is_of_integers else generator.normal(size=shape)
    if masked is not None and shape[1] > 1 and (not is_of_integers or range[0] <= masked < range[1]):
        made[-1, -1] = masked       # a sequence that is shorter than the others
    return made.astype(kensor.dtype)


def _is_of_integers(kensor: Kensor) -> bool:
    return np.dtype(kensor.dtype).kind in 'iu'


def _ranges(network: Network) -> Dict[Kensor, Optional[Range]]:
    """Return, for Kensors of integers, what all that is fed with them takes; None where one does not say."""
    found: Dict[Kensor, Optional[Range]] = {}
    for call in reversed(network.calls):
        for number, kensor in enumerate(call.inputs):
            if _is_of_integers(kensor):
                taken = _taken(call, number, found)
                found[kensor] = _both(found[kensor], taken) if kensor in found else taken
    return found


def _taken(call: Call, number: int, found: Dict[Kensor, Optional[Range]]) -> Optional[Range]:
    """Return the range that a call takes as one of its inputs, from what is found for its outputs."""
    layer = call.layer
    if isinstance(layer, Network) and layer.calls and number < len(layer.inputs):
        return _ranges(layer).get(layer.inputs[number], _FREE)
    if _said(layer, 'moves_values') is True and len(call.inputs) == len(call.outputs) == 1:
        return found.get(call.outputs[0], _FREE)
    given = _said(layer, 'input_range')
    return given if _is_range(given) else None


def _said(layer: Any, name: str) -> Any:
    """Return an attribute that a class need not have; for a missing one getattr would look for advice."""
    return getattr(layer, name) if hasattr(type(layer), name) or name in vars(layer) else None


def _is_range(value: Any) -> bool:      # an attribute of a program's class may be anything
    return isinstance(value, tuple) and len(value) == 2 and all(type(one) is int for one in value) and \
        value[0] < value[1]


def _both(one: Optional[Range], other: Optional[Range]) -> Optional[Range]:
    if one is None or other is None:
        return None
    low, high = max(one[0], other[0]), min(one[1], other[1])
    return (low, high) if low < high else None
