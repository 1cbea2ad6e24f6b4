"""keraflow: a neural network is written once and runs on Theano or TensorFlow.

Importing this package loads nothing else: its parts are imported when they are first used.
"""
import importlib
from typing import Any

__version__ = '0.1.0'

_MODULES = ('activations', 'backend', 'callbacks', 'config', 'constraints', 'datasets', 'errors', 'initializations',
            'layers', 'metrics', 'models', 'objectives', 'optimizers', 'preprocessing', 'random', 'regularizers',
            'schedules', 'testing', 'utils')
_NAMES = {'KeraFlowError': 'errors', 'Kensor': 'graph.kensor', 'LinearWrap': 'layers.linear_wrap', 'Model': 'models',
          'Sequential': 'models', 'TrainStep': 'training.train_step', 'add_weight': 'layers',
          'argscope': 'schema.argument_scopes', 'layer_register': 'layers', 'phase': 'backend',
          'recording': 'graph.records', 'register': 'registry', 'seed': 'backend', 'serialize': 'utils',
          'show_shapes': 'graph.shape_log', 'unserialize': 'utils'}

__all__ = ['__version__', *_MODULES, *_NAMES]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f'keraflow.{name}')
    if name in _NAMES:
        return getattr(importlib.import_module(f'keraflow.{_NAMES[name]}'), name)
    raise importlib.import_module('keraflow.habits').no_attribute("module 'keraflow'", name, __all__)


def __dir__() -> list:
    return sorted(__all__)
