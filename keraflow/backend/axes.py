"""What is told where a function of the backend works along the last axis, because none was given, and features are
elsewhere.

The functions are those of tensors, and their default axis is the last one, whatever the tensor means. Layers,
activations, objectives and metrics work along the features (``layers/base/channels.py``).
"""
from typing import Any, Dict

from keraflow.backend.tensor_info import features_of, info_of
from keraflow.errors import warn

__all__ = ['tell_of_features']


def tell_of_features(operation: str, given: Dict[str, Any]) -> None:
    """Warn if the features of what an operation is given are known not to be along the last axis."""
    operands = given['tensors'] if 'tensors' in given else [given['x']]
    places = {features_of(x) for x in operands if info_of(x).features is not None}
    if len(places) == 1 and places != {-1}:
        [axis] = places
        also = f" The activation '{operation}' works along the features." if operation.endswith('softmax') else ''
        warn(f'{operation}: no axis is given, so that it works along the last one; the features are along axis {axis}. '
             f'Write axis={axis}, or axis=-1 if the last one is meant.{also}')
