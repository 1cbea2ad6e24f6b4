"""Helpers for programs: objects as plain data, names to objects, lists, labels, kernels."""
from typing import Any

# These imports fill the registry.
from keraflow import (activations, constraints, initializations, layers, metrics, models, objectives,  # noqa: F401
                      optimizers, regularizers, schedules)
from keraflow.arguments import to_list
from keraflow.errors import ArgumentError, KeraFlowError, describe, nearest
from keraflow.preprocessing import image, text  # noqa: F401
from keraflow.registry import register, resolve
from keraflow.serialization import pack_init_params, serialize, unserialize
from keraflow.utils.kernels import convert_kernel
from keraflow.utils.numbers import normalize, to_categorical

__all__ = ['KeraFlowError', 'convert_kernel', 'get_from_module', 'normalize', 'pack_init_params', 'register',
           'serialize', 'to_categorical', 'to_list', 'unserialize']

_KINDS = {'activations': 'activation', 'constraints': 'constraint', 'initializations': 'initialization',
          'metrics': 'metric', 'objectives': 'objective', 'optimizers': 'optimizer',
          'regularizers': 'regularizer', 'schedules': 'schedule'}


def get_from_module(module: str, value: Any) -> Any:
    """Return the object that a name means in one of keraflow's modules; pass anything else through.

    Raises
    ------
    ArgumentError
        There is no such module, or no such name in it.

    Examples
    --------
    >>> get_from_module('activations', 'tanh').__name__
    'tanh'
    >>> get_from_module('activation', 'tanh')
    Traceback (most recent call last):
    keraflow.errors.ArgumentError: get_from_module: there is no module 'activation'. Did you mean 'activations'?
    """
    if module not in _KINDS:
        raise ArgumentError(f'get_from_module: there is no module {describe(module)}. {nearest(str(module), _KINDS)}')
    return resolve(_KINDS[module], value)
