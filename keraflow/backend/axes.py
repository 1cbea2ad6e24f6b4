"""Warn if a function of the backend works along the last axis by default, but the features are elsewhere.

Functions of tensors work along the last axis by default, whatever it means. Layers, activations, objectives and metrics
work along the features (``layers/base/channels.py``).
"""
from typing import Any, Dict

from keraflow.backend.tensor_info import features_of, info_of
from keraflow.errors import warn

__all__ = ['tell_of_features']


def tell_of_features(operation: str, given: Dict[str, Any]) -> None:
    """Warn if the features of an operand are known to be along another axis than the last."""
    operands = given['tensors'] if 'tensors' in given else [given['x']]
    places = {features_of(x) for x in operands if info_of(x).features is not None}
    if len(places) == 1 and places != {-1}:
        [axis] = places
        also = f" The activation '{operation}' works along the features." if operation.endswith('softmax') else ''
        warn(f'{operation}: no axis is given, so it works along the last one, but the features are along axis {axis}. '
             f'Write axis={axis}, or axis=-1 for the last one.{also}')
