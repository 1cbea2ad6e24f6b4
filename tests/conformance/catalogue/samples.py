"""What a descriptor of a layer is, and NumPy formulas that several of them use."""
from typing import Any, Callable, Dict, NamedTuple

import numpy as np


class Sample(NamedTuple):
    """One way to make a layer, and the arguments of ``check_layer``."""

    make: Callable
    input_shapes: Any
    options: Dict[str, Any]


def sample(make: Callable, input_shapes: Any, reference: Any = None, **options: Any) -> Sample:
    return Sample(make, input_shapes, {'reference': reference, **options})


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def affine(weights: dict, x: Any, place: str) -> Any:
    return x @ weights[f'{place}/W'] + weights[f'{place}/b']
